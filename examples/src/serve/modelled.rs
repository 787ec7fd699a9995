//! A modelled chip between the kernel and the stack.

use core::fmt;
use core::time::Duration;
use std::time::Instant;

use embedded_hal::digital::InputPin;
use ethdev::{
    Capabilities, Control, ControlError, ErrorKind, ErrorType, EthernetDevice, Events, Interest, Link, MacAddress,
    Rearm, RearmOutcome, RxFilter, RxMeta, Speed, Stats,
};
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_linux::{Tap, TapConfig, TapError};
use ethdev_sim::chip::enc28j60::{ChipConfig, Enc28j60Chip, IntPin, Revision, SimSpi, SpiFault};
use ethdev_sim::{Clock, SimDelay, Station, Wire, WireConfig};

use super::Nic;

/// How far ahead of time frames from the kernel are put on the wire. What comes faster than 10 Mbit/s waits in the kernel's queue, as in front of a real one.
const BACKLOG: Duration = Duration::from_millis(3);
/// How far simulated time may be ahead of the real one before it is waited for: shorter sleeps are longer than they are asked to be.
const AHEAD: Duration = Duration::from_micros(200);

/// The driver of the ENC28J60 on a model of the chip, whose wire ends at a TAP interface: kernel, TAP, wire, chip, SPI, driver.
///
/// Simulated time follows the real clock: each bit on SPI and on the wire takes as long as it would. Where the host is too slow for that, it lags behind, and
/// jumps while the program sleeps.
#[derive(Debug)]
pub struct Modelled {
    nic: Enc28j60<SimSpi, SimDelay>,
    chip: Enc28j60Chip,
    int: IntPin,
    far: FarEnd,
    mishaps: Option<Mishaps>,
}

/// What is behind the chip's RJ45 socket, or behind its access point.
#[derive(Debug)]
pub(super) struct FarEnd {
    pub(super) clock: Clock,
    began: Instant,
    /// Simulated time at `began`.
    offset: Duration,
    wire: Wire,
    /// How long the PHYs take to find each other, and when they will have.
    link_time: Duration,
    linked_at: Duration,
    station: Station,
    tap: Tap,
    frame: Vec<u8>,
    /// Frames that the kernel did not take.
    pub(super) refused: u64,
}

/// What goes wrong with the chip, on purpose.
#[derive(Debug)]
struct Mishaps {
    every: Duration,
    next: Instant,
    happened: u64,
}

/// How long the host sleeps at most before it looks after the chip: one that was reset raises no interrupt.
const LOOK_AFTER: Duration = Duration::from_millis(100);
/// The bus fails at this byte from now on: in the middle of something.
const FAILING_BYTE: u64 = 100;

impl Modelled {
    /// Opens the interface, powers the chip on and starts the driver, with the MAC address that the interface's own NIC would have.
    ///
    /// # Errors
    ///
    /// The interface or the driver failed.
    pub fn open(config: TapConfig) -> Result<Self, ModelledError> {
        let mut tap = Tap::with_config(config).map_err(ModelledError::Tap)?;
        // Filtering is the chip's.
        tap.set_rx_filter(RxFilter::PROMISCUOUS)
            .map_err(ModelledError::Filter)?;
        let clock = Clock::new();
        let wire = WireConfig::default()
            .with_speed(Speed::MBPS_10)
            .with_link_up(tap.link().is_up())
            .with_name(tap.name());
        let (wire, near, far) = Wire::new(&clock, wire);
        let hardware = ChipConfig::new(Revision::B7);
        let link_time = hardware.link_time;
        let chip = Enc28j60Chip::new(&clock, near, hardware);
        let mut nic = Enc28j60::new(chip.spi_device(), chip.delay(), Config::new(tap.mac_address()))
            .map_err(ModelledError::Chip)?;
        clock.advance(link_time);
        nic.service().map_err(ModelledError::Chip)?;
        let far = FarEnd {
            began: Instant::now(),
            offset: clock.now(),
            linked_at: clock.now(),
            link_time,
            clock,
            wire,
            station: Station::new(far),
            frame: vec![0; tap.capabilities().rx_max_frame_len.bytes()],
            tap,
            refused: 0,
        };
        let int = chip.int_pin();
        Ok(Self {
            nic,
            chip,
            int,
            far,
            mishaps: None,
        })
    }

    /// The same with a chip whose supply or whose bus fails for a moment every so often, in turns.
    #[must_use]
    pub fn with_mishaps(mut self, every: Duration) -> Self {
        self.mishaps = Some(Mishaps {
            every,
            next: Instant::now() + every,
            happened: 0,
        });
        self
    }

    fn suffer(&mut self) {
        let Some(mishaps) = self.mishaps.as_mut().filter(|mishaps| Instant::now() >= mishaps.next) else {
            return;
        };
        mishaps.next += mishaps.every;
        mishaps.happened += 1;
        if mishaps.happened % 2 == 1 {
            self.chip.brown_out();
        } else {
            self.chip.fail_bus_at(FAILING_BYTE);
        }
    }
}

impl FarEnd {
    /// The interface at this end of a wire that needs no time to come up, from now on.
    pub(super) fn new(clock: Clock, wire: Wire, far: ethdev_sim::Port, tap: Tap) -> Self {
        Self {
            began: Instant::now(),
            offset: clock.now(),
            linked_at: clock.now(),
            link_time: Duration::ZERO,
            clock,
            wire,
            station: Station::new(far),
            frame: vec![0; tap.capabilities().rx_max_frame_len.bytes()],
            tap,
            refused: 0,
        }
    }

    /// Where simulated time should be.
    fn due(&self) -> Duration {
        self.offset + self.began.elapsed()
    }

    /// Whether to put a frame on the wire. The kernel keeps those for which it is too early.
    fn has_room(&self) -> bool {
        self.clock.now() >= self.linked_at && self.station.idle_at() < self.clock.now() + BACKLOG
    }

    /// Brings simulated time to the real one, and frames to where they go.
    pub(super) fn follow(&mut self) -> Result<(), TapError> {
        let ahead = self.clock.now().saturating_sub(self.due());
        if ahead > AHEAD {
            std::thread::sleep(ahead);
        }
        self.clock.advance_to(self.due());
        self.tap.service()?;
        let up = self.tap.link().is_up();
        if up && !self.wire.link().is_up() {
            self.linked_at = self.clock.now() + self.link_time;
        }
        self.wire.set_link(up);
        while self.has_room() {
            match self.tap.recv_frame(&mut self.frame) {
                Ok(Some(meta)) => self.station.send(&self.frame[..meta.len]),
                Ok(None) => break,
                // Since the interface was given a larger MTU. No chip of this speed takes such a frame.
                Err(TapError::BufferTooSmall { .. }) => {
                    self.tap.discard_frame()?;
                    continue;
                }
                Err(e) => return Err(e),
            };
        }
        while let Some(frame) = self.station.recv() {
            match self.tap.send_frame(&frame) {
                Ok(()) => {}
                Err(e @ TapError::Gone { .. }) => return Err(e),
                Err(_) => self.refused += 1,
            }
        }
        Ok(())
    }

    /// Lets time pass, until the next event on the wire or in the chip, until the kernel sends, or for so long.
    pub(super) fn rest(&mut self, at_most: Duration) -> Result<(), TapError> {
        let event = self.clock.next_event().map(|at| at.saturating_sub(self.due()));
        let nap = event.map_or(at_most, |event| event.min(at_most));
        if !nap.is_zero() {
            let interest = if self.has_room() {
                Interest::RX.or(Interest::LINK)
            } else {
                Interest::LINK
            };
            self.tap.wait(interest, Some(nap))?;
        }
        self.follow()
    }
}

impl Nic for Modelled {
    /// As firmware with an interrupt line does it: arms the chip's interrupt, then sleeps until the line is low.
    fn sleep(&mut self, interest: Interest, at_most: Duration) -> Result<(), ModelledError> {
        let began = Instant::now();
        let at_most = at_most.min(LOOK_AFTER);
        self.suffer();
        self.far.follow().map_err(ModelledError::Tap)?;
        if at_most.is_zero() {
            return Ok(());
        }
        let armed = self.nic.rearm(interest.or(Interest::LINK));
        if armed.map_err(ModelledError::Chip)? == RearmOutcome::WorkPending {
            return Ok(());
        }
        while self.int.is_high() == Ok(true) {
            match at_most.checked_sub(began.elapsed()) {
                None | Some(Duration::ZERO) => break,
                Some(left) => self.far.rest(left).map_err(ModelledError::Tap)?,
            }
        }
        self.nic.disarm().map_err(ModelledError::Chip)
    }

    fn get_over(&mut self, error: ModelledError) -> Result<(), ModelledError> {
        if !matches!(error, ModelledError::Chip(_)) {
            return Err(error);
        }
        match self.nic.recover() {
            Ok(()) => Ok(()),
            Err(ControlError::Device(e)) => Err(ModelledError::Chip(e)),
            // The driver does recover.
            Err(_) => Err(error),
        }
    }

    fn about(&self) -> &'static str {
        "a modelled ENC28J60 (B7, SPI at 20 MHz, 10 Mbit/s half duplex)"
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let bus = self.chip.bus();
        vec![
            ("spi_transactions", bus.transactions),
            ("spi_bytes", bus.bytes),
            ("chip_misuse", self.chip.violations().len() as u64),
            ("kernel_refused", self.far.refused),
            ("mishaps", self.mishaps.as_ref().map_or(0, |mishaps| mishaps.happened)),
        ]
    }
}

impl ErrorType for Modelled {
    type Error = ModelledError;
}

impl EthernetDevice for Modelled {
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

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ModelledError> {
        self.nic.recv_frame(buf).map_err(ModelledError::Chip)
    }

    fn discard_frame(&mut self) -> Result<bool, ModelledError> {
        self.nic.discard_frame().map_err(ModelledError::Chip)
    }

    fn tx_ready(&mut self) -> Result<bool, ModelledError> {
        self.nic.tx_ready().map_err(ModelledError::Chip)
    }

    fn send_gather(&mut self, parts: &[&[u8]]) -> Result<(), ModelledError> {
        self.nic.send_gather(parts).map_err(ModelledError::Chip)
    }

    fn service(&mut self) -> Result<Events, ModelledError> {
        self.nic.service().map_err(ModelledError::Chip)
    }
}

/// What can go wrong with a modelled chip on a real interface.
#[derive(Debug)]
pub enum ModelledError<E = ethdev_enc28j60::Error<SpiFault>> {
    /// The driver says so.
    Chip(E),
    /// The interface failed.
    Tap(TapError),
    /// The interface cannot be made to pass everything on.
    Filter(ControlError<TapError>),
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
