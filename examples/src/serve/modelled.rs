//! A modelled chip between the kernel and the stack.

use core::fmt;
use core::time::Duration;
use std::time::Instant;

use ethdev::{Control, ErrorKind, ErrorType, EthernetDevice, Events, Interest, Rearm, RearmOutcome, RxMeta};
use ethdev_linux::InterfaceError;

use super::Nic;
use super::link_peer::LinkPeer;

/// Longest wait before the chip is serviced: a chip that was reset raises no interrupt.
const SERVICE_INTERVAL: Duration = Duration::from_millis(100);

/// A driver on the model of its chip, whose wire ends at a TAP interface: kernel, TAP, wire, chip,
/// bus, driver.
///
/// Simulated time follows real time: each bit on the bus and on the wire takes as long as on
/// hardware. If the host is too slow, simulated time lags behind, and catches up while the program
/// waits.
#[derive(Debug)]
pub struct Modelled<D, B> {
    pub(super) nic: D,
    pub(super) board: B,
    pub(super) link_peer: LinkPeer,
    faults: Option<FaultInjection>,
}

impl<D, B> Modelled<D, B> {
    pub(super) fn new(nic: D, board: B, link_peer: LinkPeer) -> Self {
        Self {
            nic,
            board,
            link_peer,
            faults: None,
        }
    }

    /// Sets the interval of injected faults: a short supply failure and a single bus error, in
    /// turns.
    #[must_use]
    pub fn with_fault_injection(mut self, interval: Duration) -> Self {
        self.faults = Some(FaultInjection {
            interval,
            last: Instant::now(),
            injected: 0,
        });
        self
    }
}

/// The schedule of injected faults.
#[derive(Debug)]
struct FaultInjection {
    interval: Duration,
    last: Instant,
    injected: u64,
}

impl FaultInjection {
    /// Returns the fault that is due now.
    fn take(&mut self) -> Option<BoardFault> {
        if self.last.elapsed() < self.interval {
            return None;
        }
        self.last = Instant::now();
        self.injected += 1;
        Some(if self.injected % 2 == 1 {
            BoardFault::Supply
        } else {
            BoardFault::Bus
        })
    }
}

/// A fault of the hardware around the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoardFault {
    /// The supply of the chip fails for a moment.
    Supply,
    /// The bus reports an error once.
    Bus,
}

/// The hardware around the driver.
pub trait Board {
    /// Description for the user.
    const ABOUT: &'static str;

    /// Returns whether the interrupt line of the chip is active.
    fn irq_active(&mut self) -> bool;

    /// Returns the counters of the model.
    fn counters(&self) -> Vec<(&'static str, u64)>;

    /// Injects `fault` now or into the next transfers on the bus.
    fn inject(&mut self, fault: BoardFault);
}

impl<D, B: Board> Nic for Modelled<D, B>
where
    D: EthernetDevice<Error: 'static> + Rearm + Control,
{
    /// Re-arms the interrupt of the chip and waits until the line is active, as firmware does.
    fn wait_for(&mut self, interest: Interest, timeout: Duration) -> Result<(), Self::Error> {
        let start = Instant::now();
        let timeout = timeout.min(SERVICE_INTERVAL);
        if let Some(fault) = self.faults.as_mut().and_then(FaultInjection::take) {
            self.board.inject(fault);
        }
        self.link_peer.catch_up().map_err(ModelledError::Tap)?;
        if timeout.is_zero() {
            return Ok(());
        }
        let armed = self.nic.rearm(interest | Interest::LINK);
        if armed.map_err(ModelledError::Chip)? == RearmOutcome::WorkPending {
            return Ok(());
        }
        while !self.board.irq_active() {
            match timeout.checked_sub(start.elapsed()) {
                None | Some(Duration::ZERO) => break,
                Some(left) => self.link_peer.wait(left).map_err(ModelledError::Tap)?,
            }
        }
        self.nic.disarm().map_err(ModelledError::Chip)
    }

    fn recover_from(&mut self, error: Self::Error) -> Result<(), Self::Error> {
        if !matches!(error, ModelledError::Chip(_)) {
            return Err(error);
        }
        self.nic.recover().map_err(ModelledError::Chip)
    }

    fn about(&self) -> &'static str {
        B::ABOUT
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let mut counters = self.board.counters();
        counters.push(("kernel_dropped", self.link_peer.dropped));
        counters.push((
            "faults_injected",
            self.faults.as_ref().map_or(0, |faults| faults.injected),
        ));
        counters
    }
}

impl<D: EthernetDevice<Error: 'static>, B> ErrorType for Modelled<D, B> {
    type Error = ModelledError<D::Error>;
}

impl<D: EthernetDevice<Error: 'static>, B> EthernetDevice for Modelled<D, B> {
    ethdev::forward_ethernet_device!(|this| this.nic; mac_address, capabilities, tx_max_frame_len, link, stats);

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        self.nic.recv_frame(buf).map_err(ModelledError::Chip)
    }

    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        self.nic.discard_frame().map_err(ModelledError::Chip)
    }

    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        self.nic.tx_ready().map_err(ModelledError::Chip)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.nic.send_vectored(parts).map_err(ModelledError::Chip)
    }

    fn service(&mut self) -> Result<Events, Self::Error> {
        self.nic.service().map_err(ModelledError::Chip)
    }
}

/// An error of a modelled chip on a TAP interface.
#[derive(Debug)]
pub enum ModelledError<E> {
    /// The driver failed.
    Chip(E),
    /// The interface failed.
    Tap(InterfaceError),
}

impl<E: From<ErrorKind>> From<ErrorKind> for ModelledError<E> {
    fn from(kind: ErrorKind) -> Self {
        Self::Chip(kind.into())
    }
}

impl<E: ethdev::Error + 'static> ethdev::Error for ModelledError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Chip(e) => e.kind(),
            Self::Tap(e) => e.kind(),
        }
    }
}

impl<E: fmt::Display> fmt::Display for ModelledError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chip(e) => e.fmt(f),
            Self::Tap(e) => e.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for ModelledError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Chip(e) => e.source(),
            Self::Tap(e) => e.source(),
        }
    }
}
