//! An error type that loses the kind it was made from.

use core::fmt;

use ethdev::{ErrorKind, ErrorType, EthernetDevice, Events, RxMeta};
use ethdev_conformance::Fixture;

use crate::mem::{Mem, MemPeer, mem};

/// The kind of a device's own errors is right; an error made from `Stopped` becomes another one.
#[derive(Debug)]
pub(crate) struct LossyError(ErrorKind);

impl From<ErrorKind> for LossyError {
    fn from(kind: ErrorKind) -> Self {
        Self(match kind {
            ErrorKind::Stopped => ErrorKind::Other,
            kind => kind,
        })
    }
}

impl ethdev::Error for LossyError {
    fn kind(&self) -> ErrorKind {
        self.0
    }
}

impl fmt::Display for LossyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for LossyError {}

/// A correct device but for the error type.
pub(crate) struct LossyErrorDevice(Mem);

impl Fixture for LossyErrorDevice {
    type Device = Self;
    type LinkPeer = MemPeer;

    fn new() -> (Self, MemPeer) {
        let (nic, peer) = mem();
        (Self(nic), peer)
    }
}

impl ErrorType for LossyErrorDevice {
    type Error = LossyError;
}

impl EthernetDevice for LossyErrorDevice {
    ethdev::forward_ethernet_device!(|this| this.0; mac_address, capabilities, link, stats);

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, LossyError> {
        self.0.recv_frame(buf).map_err(LossyError)
    }

    fn discard_frame(&mut self) -> Result<bool, LossyError> {
        self.0.discard_frame().map_err(LossyError)
    }

    fn tx_ready(&mut self) -> Result<bool, LossyError> {
        self.0.tx_ready().map_err(LossyError)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), LossyError> {
        self.0.send_vectored(parts).map_err(LossyError)
    }

    fn service(&mut self) -> Result<Events, LossyError> {
        self.0.service().map_err(LossyError)
    }
}
