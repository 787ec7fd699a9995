//! Errors of any device as kinds, for trait objects.

use ethdev::{
    Control, ErrorKind, ErrorType, FilterOutcome, Interest, MacAddress, Rearm, RearmOutcome, RxFilter, RxFrame, RxHalf,
    TxHalf,
};

use super::dut::kind;
use super::watchdog;

/// A trait object's view of a device or of a half: errors as kinds.
pub(super) struct MapKind<T>(pub T);

impl<T> ErrorType for MapKind<T> {
    type Error = ErrorKind;
}

impl<D: Rearm> Rearm for MapKind<&mut D> {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        watchdog::calling("disarm");
        self.0.disarm().map_err(kind)
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, ErrorKind> {
        watchdog::calling("rearm");
        self.0.rearm(interest).map_err(kind)
    }
}

impl<D: Control> Control for MapKind<&mut D> {
    fn start(&mut self) -> Result<(), ErrorKind> {
        watchdog::calling("start");
        self.0.start().map_err(kind)
    }

    fn stop(&mut self) -> Result<(), ErrorKind> {
        watchdog::calling("stop");
        self.0.stop().map_err(kind)
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ErrorKind> {
        watchdog::calling("set_mac_address");
        self.0.set_mac_address(address).map_err(kind)
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ErrorKind> {
        watchdog::calling("set_rx_filter");
        self.0.set_rx_filter(filter).map_err(kind)
    }

    fn recover(&mut self) -> Result<(), ErrorKind> {
        watchdog::calling("recover");
        self.0.recover().map_err(kind)
    }

    fn sleep(&mut self) -> Result<(), ErrorKind> {
        watchdog::calling("sleep");
        self.0.sleep().map_err(kind)
    }

    fn wake(&mut self) -> Result<(), ErrorKind> {
        watchdog::calling("wake");
        self.0.wake().map_err(kind)
    }
}

impl<R: RxHalf> RxHalf for MapKind<R> {
    type Error = ErrorKind;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, ErrorKind> {
        watchdog::calling("peek");
        self.0.peek().map_err(kind)
    }

    fn pending(&mut self) -> Result<bool, ErrorKind> {
        self.0.pending().map_err(kind)
    }

    fn release(&mut self) -> Result<(), ErrorKind> {
        watchdog::calling("release");
        self.0.release().map_err(kind)
    }

    fn discard(&mut self) -> Result<(), ErrorKind> {
        watchdog::calling("discard");
        self.0.discard().map_err(kind)
    }
}

impl<T: TxHalf> TxHalf for MapKind<T> {
    type Error = ErrorKind;

    fn ready(&mut self) -> Result<bool, ErrorKind> {
        watchdog::calling("ready");
        self.0.ready().map_err(kind)
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, ErrorKind> {
        watchdog::calling("reserve");
        self.0.reserve(len).map_err(kind)
    }

    fn commit(&mut self, len: usize) -> Result<(), ErrorKind> {
        watchdog::calling("commit");
        self.0.commit(len).map_err(kind)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        watchdog::calling("send_vectored");
        self.0.send_vectored(parts).map_err(kind)
    }
}
