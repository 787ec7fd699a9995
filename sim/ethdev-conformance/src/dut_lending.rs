//! A device under test behind its halves.

use ethdev::{ErrorKind, ErrorType, EthernetDevice, Events, LendingDevice, RxMeta, TxHalf as _};

use super::dut::{Dut, Features, WithHalves, kind};
use super::dut_pull::PullDut;
use super::kinds::MapKind;
use super::watchdog;

/// A lending device behind its halves: frames are lent and copied, memory is reserved, filled and
/// committed.
pub(super) struct LendingDut<D>(pub D);

impl<D: LendingDevice> ErrorType for LendingDut<D> {
    type Error = ErrorKind;
}

impl<D: LendingDevice> EthernetDevice for LendingDut<D> {
    ethdev::forward_ethernet_device!(|this| this.0; mac_address, capabilities, tx_max_frame_len, link, stats);

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        watchdog::calling("recv_frame");
        ethdev::lending::recv_by_copy(MapKind(self.0.split().0), buf)
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        watchdog::calling("discard_frame");
        ethdev::lending::discard(MapKind(self.0.split().0))
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        watchdog::calling("tx_ready");
        self.0.split().1.ready().map_err(kind)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        watchdog::calling("send_vectored");
        MapKind(self.0.split().1).send_vectored(parts)
    }

    /// The other way to send: into lent memory.
    fn send_frame(&mut self, frame: &[u8]) -> Result<(), ErrorKind> {
        watchdog::calling("send_frame");
        let mut tx = MapKind(self.0.split().1);
        let Some(memory) = tx.reserve(frame.len())? else {
            return Err(ErrorKind::Busy);
        };
        // Too little memory is what the check of the halves reports; here it is a panic that names
        // the place.
        memory[..frame.len()].copy_from_slice(frame);
        tx.commit(frame.len())
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        watchdog::calling("service");
        self.0.service().map_err(kind)
    }
}

impl<D: LendingDevice> Dut for LendingDut<D> {
    fn kind_of_error_from(&self, from: ErrorKind) -> ErrorKind {
        kind(D::Error::from(from))
    }

    fn features(&self) -> Features {
        Features {
            ready_knows_link: false,
            ..Features::ALL
        }
    }

    fn halves(&mut self, f: WithHalves<'_>) {
        let (rx, tx) = self.0.split();
        f(&mut MapKind(rx), &mut MapKind(tx));
    }

    fn pull(&mut self) -> Option<Box<dyn EthernetDevice<Error = ErrorKind> + '_>> {
        Some(Box::new(PullDut::new(&mut self.0)))
    }
}
