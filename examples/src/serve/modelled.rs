//! A modelled chip between the kernel and the stack.

use core::fmt;
use core::time::Duration;
use std::time::Instant;

use ethdev::{
    Capabilities, Control, ControlError, ErrorKind, ErrorType, EthernetDevice, Events, Interest, Link, MacAddress,
    Rearm, RearmOutcome, RxMeta, Stats,
};
use ethdev_linux::TapError;

use super::Nic;
use super::far_end::LinkPeer;

/// How long the host sleeps at most before it looks after the chip: one that was reset raises no interrupt.
const LOOK_AFTER: Duration = Duration::from_millis(100);
/// A driver on the model of its chip, whose wire ends at a TAP interface: kernel, TAP, wire, chip, bus, driver.
///
/// Simulated time follows the real clock: each bit on the bus and on the wire takes as long as it would. Where the host is too slow for that, it lags behind, and
/// jumps while the program sleeps.
#[derive(Debug)]
pub struct Modelled<D, B> {
    pub(super) nic: D,
    pub(super) board: B,
    pub(super) far: LinkPeer,
    faults: Option<FaultInjection>,
}

impl<D, B> Modelled<D, B> {
    pub(super) fn new(nic: D, board: B, far: LinkPeer) -> Self {
        Self {
            nic,
            board,
            far,
            faults: None,
        }
    }

    /// Sets how often a fault is injected into the chip: its supply fails for a moment, or its bus once, in turns.
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

/// When the next fault is due.
#[derive(Debug)]
struct FaultInjection {
    interval: Duration,
    last: Instant,
    injected: u64,
}

impl FaultInjection {
    /// The fault that is due now.
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
    /// The chip's supply fails for a moment.
    Supply,
    /// The bus reports an error once.
    Bus,
}

/// What is around the driver.
pub trait Board {
    /// What it is, for the user.
    const ABOUT: &'static str;

    /// Whether the chip's interrupt line is active.
    fn interrupts(&mut self) -> bool;

    /// What the model counts.
    fn counters(&self) -> Vec<(&'static str, u64)>;

    /// Makes this fault happen to the chip, now or during the next transfers on the bus.
    fn inject(&mut self, fault: BoardFault);
}

impl<D, B: Board> Nic for Modelled<D, B>
where
    D: EthernetDevice<Error: std::error::Error + 'static> + Rearm + Control,
{
    /// As firmware with an interrupt line does it: arms the chip's interrupt, then sleeps until the line is active.
    fn sleep(&mut self, interest: Interest, at_most: Duration) -> Result<(), Self::Error> {
        let began = Instant::now();
        let at_most = at_most.min(LOOK_AFTER);
        if let Some(fault) = self.faults.as_mut().and_then(FaultInjection::take) {
            self.board.inject(fault);
        }
        self.far.follow().map_err(ModelledError::Tap)?;
        if at_most.is_zero() {
            return Ok(());
        }
        let armed = self.nic.rearm(interest | Interest::LINK);
        if armed.map_err(ModelledError::Chip)? == RearmOutcome::WorkPending {
            return Ok(());
        }
        while !self.board.interrupts() {
            match at_most.checked_sub(began.elapsed()) {
                None | Some(Duration::ZERO) => break,
                Some(left) => self.far.rest(left).map_err(ModelledError::Tap)?,
            }
        }
        self.nic.disarm().map_err(ModelledError::Chip)
    }

    fn get_over(&mut self, error: Self::Error) -> Result<(), Self::Error> {
        if !matches!(error, ModelledError::Chip(_)) {
            return Err(error);
        }
        match self.nic.recover() {
            Ok(()) => Ok(()),
            Err(ControlError::Device(e)) => Err(ModelledError::Chip(e)),
            // The drivers do recover.
            Err(_) => Err(error),
        }
    }

    fn about(&self) -> &'static str {
        B::ABOUT
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let mut counters = self.board.counters();
        counters.push(("kernel_refused", self.far.refused));
        counters.push((
            "faults_injected",
            self.faults.as_ref().map_or(0, |faults| faults.injected),
        ));
        counters
    }
}

impl<D: EthernetDevice, B> ErrorType for Modelled<D, B> {
    type Error = ModelledError<D::Error>;
}

impl<D: EthernetDevice, B> EthernetDevice for Modelled<D, B> {
    fn mac_address(&self) -> MacAddress {
        self.nic.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.nic.capabilities()
    }

    fn link(&self) -> Link {
        self.nic.link()
    }

    fn stats(&self) -> Stats {
        self.nic.stats()
    }

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

/// What can go wrong with a modelled chip on a real interface.
#[derive(Debug)]
pub enum ModelledError<E> {
    /// The driver says so.
    Chip(E),
    /// The interface failed.
    Tap(TapError),
    /// The interface cannot be made to pass everything on.
    Filter(ControlError<TapError>),
}

impl<E> ModelledError<E> {
    pub(super) fn filter(error: ControlError<TapError>) -> Self {
        match error {
            ControlError::Device(e) => Self::Tap(e),
            other => Self::Filter(other),
        }
    }
}

impl<E: ethdev::Error> ethdev::Error for ModelledError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Chip(e) => e.kind(),
            Self::Tap(e) => e.kind(),
            Self::Filter(e) => e.kind(),
        }
    }
}

impl<E: fmt::Display> fmt::Display for ModelledError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chip(e) => e.fmt(f),
            Self::Tap(e) => e.fmt(f),
            Self::Filter(e) => e.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for ModelledError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Chip(e) => e.source(),
            Self::Tap(e) => e.source(),
            Self::Filter(e) => e.source(),
        }
    }
}
