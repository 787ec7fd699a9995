//! The interface of the checks to the device under test, common to all APIs.

use std::future::Future;
use std::pin::Pin;

use ethdev::{
    Control, Error, ErrorKind, EthernetDevice, Events, FilterOutcome, FrameHandler, Interest, Polled, Rearm, RxHalf,
    RxMeta, TxHalf,
};

use super::control_call::ControlCall;

/// Returns the kind of an error. Formats it too, so that a `Debug` that panics is found.
pub(super) fn kind<E: Error>(error: E) -> ErrorKind {
    let _ = format!("{error:?}");
    error.kind()
}

/// The features of an API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Features {
    /// Cached values and counters.
    pub cached: bool,
    /// A `tx_ready` that takes the link into account.
    pub ready_knows_link: bool,
    /// The caller's buffer, `discard_frame` and `tx_ready`.
    pub caller: bool,
}

impl Features {
    pub(super) const ALL: Self = Self {
        cached: true,
        ready_knows_link: true,
        caller: true,
    };
}

pub(super) type Rx<'a> = dyn RxHalf<Error = ErrorKind> + 'a;
pub(super) type Tx<'a> = dyn TxHalf<Error = ErrorKind> + 'a;
/// An operation on both halves.
pub(super) type WithHalves<'a> = &'a mut dyn FnMut(&mut Rx<'_>, &mut Tx<'_>);
pub(super) type AnyControl<'a> = Box<dyn Control<Error = ErrorKind> + 'a>;
pub(super) type AnyRearm<'a> = Box<dyn Rearm<Error = ErrorKind> + 'a>;

/// A device under test behind one API. All have the pull methods; the rest where the API has it.
pub(super) trait Dut: EthernetDevice<Error = ErrorKind> {
    fn features(&self) -> Features {
        Features::ALL
    }

    /// The kind of the device's error that is made from `kind`.
    fn kind_of_error_from(&self, kind: ErrorKind) -> ErrorKind;

    fn control(&mut self) -> Option<AnyControl<'_>> {
        None
    }

    fn rearm(&mut self) -> Option<AnyRearm<'_>> {
        None
    }

    /// Calls `f` with both halves, if the API has them.
    fn halves(&mut self, f: WithHalves<'_>) {
        let _ = f;
    }

    /// The pull API of a lending device.
    fn pull(&mut self) -> Option<Box<dyn EthernetDevice<Error = ErrorKind> + '_>> {
        None
    }

    fn callbacks(&mut self) -> Option<&mut dyn Callbacks> {
        None
    }

    fn futures(&mut self) -> Option<&mut dyn Futures> {
        None
    }
}

/// A handler of the checks.
pub(super) type Handler = &'static mut dyn FrameHandler<ErrorKind>;

/// The callback API, for `'static` handlers.
pub(super) trait Callbacks {
    fn set_handler(&mut self, handler: Handler) -> Option<Handler>;
    fn clear_handler(&mut self) -> Option<Handler>;
    fn poll(&mut self, budget: usize) -> Result<Polled, ErrorKind>;
}

pub(super) type Pending<'s, T> = Pin<Box<dyn Future<Output = Result<T, ErrorKind>> + 's>>;

/// The async methods, as boxed futures. The methods of the device are called immediately, so that
/// effects before the first poll are detected.
pub(super) trait Futures {
    fn recv_frame<'s>(&'s mut self, buf: &'s mut [u8]) -> Pending<'s, Option<RxMeta>>;
    fn send_frame<'s>(&'s mut self, frame: &'s [u8]) -> Pending<'s, ()>;
    fn discard_frame(&mut self) -> Pending<'_, bool>;
    fn tx_ready(&mut self) -> Pending<'_, bool>;
    fn service(&mut self) -> Pending<'_, Events>;
    /// `None`: the API has no management.
    fn control(&mut self, call: ControlCall) -> Option<Pending<'_, FilterOutcome>>;
    fn ready(&mut self, interest: Interest) -> Pending<'_, Interest>;
    fn recv<'s>(&'s mut self, buf: &'s mut [u8]) -> Pending<'s, RxMeta>;
    fn send<'s>(&'s mut self, frame: &'s [u8]) -> Pending<'s, ()>;
}
