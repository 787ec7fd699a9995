//! The host: the driver, and how long its calls take.

use core::cell::RefCell;
use core::time::Duration;

use cyw43439_model::{BusFault, PowerPin};
use ethdev::{Control, ControlError, Error as _, ErrorKind, EthernetDevice, Events, Link, Stats};
use ethdev_cyw43::{Config, Cyw43, Error, Images, JoinError, Network, ReconnectPolicy};
use ethdev_sim::{Clock, SimDelay};

use super::super::{Host as Bus, Lab};

/// What calls of the driver end with.
pub(super) type Result<T> = core::result::Result<T, Error<BusFault>>;

/// Memory for frames: a few long ones.
const MEMORY: usize = 6 * 1024;

thread_local! {
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

/// What the driver times its attempts to join by.
fn now_ms() -> u32 {
    CLOCK.with_borrow(|clock| clock.as_ref().map_or(0, |clock| clock.now().as_millis() as u32))
}

/// Times, by what a caller may expect of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Longest {
    /// Receiving and sending: no request, only what waits.
    pub data: Duration,
    /// `service` and what asks the firmware: a request or two.
    pub service: Duration,
    /// `join`.
    pub join: Duration,
    /// `start`, `recover`, `sleep`, `wake`, `stop`: the whole of a boot at most.
    pub control: Duration,
}

impl Longest {
    /// The longer of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            data: self.data.max(other.data),
            service: self.service.max(other.service),
            join: self.join.max(other.join),
            control: self.control.max(other.control),
        }
    }
}

type Nic<'m> = Cyw43<'m, Bus, PowerPin, SimDelay, Images<'m>>;

/// The driver, and how long its calls take.
pub(super) struct Host<'m> {
    nic: Nic<'m>,
    clock: Clock,
    pub(super) longest: Longest,
}

/// Memory for a host.
pub(super) fn memory() -> Vec<u8> {
    vec![0; MEMORY]
}

/// As it is under stress: joins again at once, asks for the chip's health often, does not wait for ever.
pub(super) fn config() -> Config {
    Config::new()
        .with_rejoin(ReconnectPolicy::PERSISTENT.with_pauses_ms(20, 200))
        .with_health_check_every(32)
        .with_clock(now_ms)
}

impl<'m> Host<'m> {
    /// A driver that has not started its chip.
    pub(super) fn new(lab: &'m Lab, memory: &'m mut [u8], sees_line: bool, config: Config) -> Result<Self> {
        CLOCK.set(Some(lab.clock.clone()));
        let bus = Bus::new(lab.chip.word_bus(), sees_line);
        let (power, delay) = (lab.chip.power_pin(), lab.chip.delay());
        Ok(Self {
            nic: Cyw43::new(bus, power, delay, lab.driver_images(), memory, config)?,
            clock: lab.clock.clone(),
            longest: Longest::default(),
        })
    }

    fn timed<T>(&mut self, of: fn(&mut Longest) -> &mut Duration, call: impl FnOnce(&mut Nic<'m>) -> T) -> T {
        let began = self.clock.now();
        let result = call(&mut self.nic);
        let took = self.clock.now() - began;
        let longest = of(&mut self.longest);
        *longest = took.max(*longest);
        result
    }

    fn control(
        &mut self,
        call: impl FnOnce(&mut Nic<'m>) -> core::result::Result<(), ControlError<Error<BusFault>>>,
    ) -> Result<()> {
        self.timed(|longest| &mut longest.control, call).map_err(|e| match e {
            ControlError::Device(e) => e,
            // Not of these calls.
            _ => Error::Request(ErrorKind::Other),
        })
    }

    pub(super) fn start(&mut self) -> Result<()> {
        self.control(Control::start)
    }

    pub(super) fn stop(&mut self) -> Result<()> {
        self.control(Control::stop)
    }

    pub(super) fn recover(&mut self) -> Result<()> {
        self.control(Control::recover)
    }

    pub(super) fn sleep(&mut self) -> Result<()> {
        self.control(Control::sleep)
    }

    pub(super) fn wake(&mut self) -> Result<()> {
        self.control(Control::wake)
    }

    pub(super) fn join(&mut self, network: &Network) -> Result<()> {
        self.timed(|longest| &mut longest.join, |nic| nic.join(network))
    }

    pub(super) fn leave(&mut self) -> Result<()> {
        self.timed(|longest| &mut longest.service, Cyw43::leave)
    }

    pub(super) fn last_join_error(&self) -> Option<JoinError> {
        self.nic.last_join_error()
    }

    /// A request with an answer, for what spoils those.
    pub(super) fn ask(&mut self) -> Result<()> {
        self.timed(|longest| &mut longest.service, |nic| nic.rssi_dbm().map(drop))
    }

    pub(super) fn service(&mut self) -> Result<Events> {
        self.timed(|longest| &mut longest.service, EthernetDevice::service)
    }

    pub(super) fn recv(&mut self, buf: &mut [u8]) -> Result<Option<usize>> {
        let data: fn(&mut Longest) -> &mut Duration = |longest| &mut longest.data;
        self.timed(data, |nic| nic.recv_frame(buf).map(|meta| meta.map(|meta| meta.len)))
    }

    pub(super) fn tx_ready(&mut self) -> Result<bool> {
        self.timed(|longest| &mut longest.data, EthernetDevice::tx_ready)
    }

    /// In two parts, as a stack that puts its headers before a payload does.
    pub(super) fn send(&mut self, frame: &[u8]) -> Result<()> {
        let (head, payload) = frame.split_at(frame.len().min(14));
        self.timed(|longest| &mut longest.data, |nic| nic.send_vectored(&[head, payload]))
    }

    pub(super) fn link(&self) -> Link {
        self.nic.link()
    }

    pub(super) fn stats(&self) -> Stats {
        self.nic.stats()
    }
}

/// Whether an error says that the chip has to be recovered.
pub(super) fn is_fault(error: &Error<BusFault>) -> bool {
    error.kind() == ErrorKind::Fault
}
