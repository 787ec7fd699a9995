//! The driver as the harness calls it, with the duration of its calls.

use core::cell::RefCell;
use core::time::Duration;

use cyw43439_model::{BusFault, PowerPin};
use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Events, Link, Stats};
use ethdev_cyw43::{Config, Cyw43, Error, FirmwareImages, JoinError, Network, ReconnectPolicy};
use ethdev_sim::{Clock, SimDelay};

use super::super::{ModelBus, Testbed};
use super::stats::{MaxDurations, RunStats};

pub(super) type Result<T> = core::result::Result<T, Error<BusFault>>;

/// Length of the receive queue in bytes: a few frames of the longest length.
const RX_QUEUE_LEN: usize = 6 * 1024;

thread_local! {
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

/// The clock by which the driver times its attempts to reconnect.
fn now() -> Duration {
    CLOCK.with_borrow(|clock| clock.as_ref().map_or(Duration::ZERO, Clock::now))
}

type Nic<'m> = Cyw43<'m, ModelBus, PowerPin, SimDelay, FirmwareImages<'m>>;

/// The driver, with the duration of its calls.
pub(super) struct Host<'m> {
    nic: Nic<'m>,
    clock: Clock,
    pub(super) max_durations: MaxDurations,
}

/// The receive queue of a host.
pub(super) fn rx_queue() -> Vec<u8> {
    vec![0; RX_QUEUE_LEN]
}

/// The configuration under stress: short delays before the driver reconnects, frequent checks that
/// the chip is alive.
pub(super) fn config() -> Config {
    let reconnect = ReconnectPolicy::PERSISTENT.with_delays(Duration::from_millis(20), Duration::from_millis(200));
    Config::new()
        .with_reconnect(reconnect)
        .with_watchdog_polls(32)
        .with_clock(now)
}

/// As [`config`], timed by this clock.
pub(super) fn clocked_config(clock: &Clock) -> Config {
    CLOCK.set(Some(clock.clone()));
    config()
}

impl<'m> Host<'m> {
    /// Creates a driver, which has not started its chip.
    pub(super) fn new(
        testbed: &'m Testbed,
        rx_queue: &'m mut [u8],
        has_irq_line: bool,
        config: Config,
    ) -> Result<Self> {
        CLOCK.set(Some(testbed.clock.clone()));
        let bus = ModelBus::new(testbed.chip.word_bus(), has_irq_line);
        let (power, delay) = (testbed.chip.power_pin(), testbed.chip.delay());
        Ok(Self {
            nic: Cyw43::new(bus, power, delay, testbed.driver_images(), rx_queue, config)?,
            clock: testbed.clock.clone(),
            max_durations: MaxDurations::default(),
        })
    }

    fn timed<T>(&mut self, of: fn(&mut MaxDurations) -> &mut Duration, call: impl FnOnce(&mut Nic<'m>) -> T) -> T {
        let began = self.clock.now();
        let result = call(&mut self.nic);
        let took = self.clock.now() - began;
        let max = of(&mut self.max_durations);
        *max = took.max(*max);
        result
    }

    fn control(&mut self, call: impl FnOnce(&mut Nic<'m>) -> Result<()>) -> Result<()> {
        self.timed(|max| &mut max.control, call)
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
        self.timed(|max| &mut max.join, |nic| nic.join(network))
    }

    pub(super) fn disconnect(&mut self) -> Result<()> {
        self.timed(|max| &mut max.service, Cyw43::disconnect)
    }

    pub(super) fn last_join_error(&self) -> Option<JoinError> {
        self.nic.last_join_error()
    }

    /// Sends a request to the firmware, for faults that affect responses.
    pub(super) fn request(&mut self) -> Result<()> {
        self.timed(|max| &mut max.service, |nic| nic.rssi_dbm().map(drop))
    }

    pub(super) fn service(&mut self) -> Result<Events> {
        self.timed(|max| &mut max.service, EthernetDevice::service)
    }

    pub(super) fn recv(&mut self, buf: &mut [u8]) -> Result<Option<usize>> {
        self.timed(
            |max| &mut max.data,
            |nic| nic.recv_frame(buf).map(|meta| meta.map(|meta| meta.len)),
        )
    }

    pub(super) fn tx_ready(&mut self) -> Result<bool> {
        self.timed(|max| &mut max.data, EthernetDevice::tx_ready)
    }

    /// Sends a frame in two parts, as a stack does that prepends a header to a payload.
    pub(super) fn send(&mut self, frame: &[u8]) -> Result<()> {
        let (head, payload) = frame.split_at(frame.len().min(14));
        self.timed(|max| &mut max.data, |nic| nic.send_vectored(&[head, payload]))
    }

    pub(super) fn link(&self) -> Link {
        self.nic.link()
    }

    pub(super) fn stats(&self) -> Stats {
        self.nic.stats()
    }

    /// Counts an error and recovers from a fault, as an application does. A failed recovery is
    /// counted too: the next call reports the fault again.
    pub(super) fn handle_error(&mut self, error: &Error<BusFault>, stats: &mut RunStats) {
        stats.count_error(error);
        if error.kind() == ErrorKind::Fault
            && let Err(e) = self.recover()
        {
            stats.failed_recoveries += 1;
            stats.count_error(&e);
        }
    }
}
