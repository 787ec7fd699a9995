//! The driver as the harness calls it, with the duration of its calls.

use core::time::Duration;
use std::cell::Cell;
use std::rc::Rc;

use enc28j60_model::{Enc28j60Chip, IntPin, SimSpi, SpiFault};
use ethdev::{Control, EthernetDevice, Events, Interest, MacAddress, Rearm, RearmOutcome, RxFilter, Stats, asynch};
use ethdev_enc28j60::asynch::{EdgeIrq, Enc28j60 as AsyncDriver, LevelIrq};
use ethdev_enc28j60::{Config, Enc28j60, Error};
use ethdev_sim::{Clock, SimDelay, block_on, block_on_until};

use super::scenario::HostKind;

type Result<T> = core::result::Result<T, Error<SpiFault>>;

/// The interval of the check that an idle chip was not reset.
const WATCHDOG_INTERVAL: Duration = Duration::from_millis(10);

/// The driver.
enum Nic {
    Polling(Enc28j60<SimSpi, SimDelay>),
    /// With the flag that the handler of INT sets.
    Edge(Enc28j60<SimSpi, SimDelay>, Rc<Cell<bool>>),
    AsyncLevel(AsyncDriver<SimSpi, SimDelay, LevelIrq<IntPin>>),
    AsyncEdge(AsyncDriver<SimSpi, SimDelay, EdgeIrq<IntPin>>),
}

/// Calls a method of the driver. The future of an async method is dropped at `drop_at`: `None`.
macro_rules! call_until {
    ($host:expr, $drop_at:expr, $trait:ident::$method:ident($($arg:expr),*)) => {{
        let (began, clock) = ($host.clock.now(), &$host.clock);
        let result = match &mut $host.nic {
            Nic::Polling(nic) | Nic::Edge(nic, _) => Some($trait::$method(nic, $($arg),*)),
            Nic::AsyncLevel(nic) => wait_until(clock, $drop_at, asynch::$trait::$method(nic, $($arg),*)),
            Nic::AsyncEdge(nic) => wait_until(clock, $drop_at, asynch::$trait::$method(nic, $($arg),*)),
        };
        $host.max_call = $host.max_call.max($host.clock.now() - began);
        result
    }};
}

/// Calls a method of the driver to its end.
macro_rules! call {
    ($host:expr, $method:ident($($arg:expr),*)) => {
        call_until!($host, None, EthernetDevice::$method($($arg),*)).expect("a call of the driver never completes")
    };
}

fn wait<T>(clock: &Clock, call: impl Future<Output = T>) -> T {
    block_on(clock, call).expect("a call of the driver never completes")
}

fn wait_until<T>(clock: &Clock, until: Option<Duration>, call: impl Future<Output = T>) -> Option<T> {
    match until {
        None => Some(wait(clock, call)),
        Some(until) => block_on_until(clock, until, call).ok(),
    }
}

/// A management call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Call {
    Start,
    Stop,
    Sleep,
    Wake,
    Recover,
    Address(MacAddress),
    Filter(RxFilter<'static>),
    Service,
}

/// The driver, with the duration of its calls.
pub(super) struct Host {
    nic: Nic,
    clock: Clock,
    pub(super) max_call: Duration,
}

impl Host {
    pub(super) fn start(chip: &Enc28j60Chip, kind: HostKind, config: Config) -> Result<Self> {
        let config = config.with_watchdog_interval(WATCHDOG_INTERVAL);
        let clock = chip.clock();
        let (spi, delay, int) = (chip.spi_device(), chip.delay(), chip.int_pin());
        let nic = match kind {
            HostKind::Polling => Nic::Polling(Enc28j60::new(spi, delay, config)?),
            HostKind::Edge => {
                let signaled = Rc::new(Cell::new(true));
                let handler = Rc::clone(&signaled);
                chip.on_int_falling(move || handler.set(true));
                Nic::Edge(Enc28j60::new(spi, delay, config)?, signaled)
            }
            HostKind::AsyncLevel => Nic::AsyncLevel(wait(&clock, AsyncDriver::new(spi, delay, LevelIrq(int), config))?),
            HostKind::AsyncEdge => Nic::AsyncEdge(wait(&clock, AsyncDriver::new(spi, delay, EdgeIrq(int), config))?),
        };
        Ok(Self {
            nic,
            clock,
            max_call: Duration::ZERO,
        })
    }

    /// Whether the host must call `service`. The async driver services the chip while it waits.
    pub(super) const fn needs_service(&self) -> bool {
        matches!(self.nic, Nic::Polling(_) | Nic::Edge(..))
    }

    /// Whether INT was asserted since it was armed; `None` if the host does not use it as an
    /// interrupt.
    pub(super) fn is_signaled(&self) -> Option<bool> {
        match &self.nic {
            Nic::Edge(_, signaled) => Some(signaled.get()),
            _ => None,
        }
    }

    pub(super) fn service(&mut self) -> Result<Events> {
        call!(self, service())
    }

    pub(super) fn recv(&mut self, buf: &mut [u8]) -> Result<Option<usize>> {
        call!(self, recv_frame(buf)).map(|meta| meta.map(|meta| meta.len))
    }

    pub(super) fn tx_ready(&mut self) -> Result<bool> {
        call!(self, tx_ready())
    }

    pub(super) fn send(&mut self, frame: &[u8]) -> Result<()> {
        call!(self, send_vectored(&[frame]))
    }

    /// Makes a management call. `None`: its future was dropped at `drop_at`.
    pub(super) fn manage(&mut self, call: Call, drop_at: Option<Duration>) -> Option<Result<()>> {
        match call {
            Call::Start => call_until!(self, drop_at, Control::start()),
            Call::Stop => call_until!(self, drop_at, Control::stop()),
            Call::Sleep => call_until!(self, drop_at, Control::sleep()),
            Call::Wake => call_until!(self, drop_at, Control::wake()),
            Call::Recover => call_until!(self, drop_at, Control::recover()),
            Call::Address(address) => call_until!(self, drop_at, Control::set_mac_address(address)),
            Call::Filter(filter) => {
                let outcome = call_until!(self, drop_at, Control::set_rx_filter(filter));
                outcome.map(|outcome| outcome.map(drop))
            }
            Call::Service => {
                let events = call_until!(self, drop_at, EthernetDevice::service());
                events.map(|events| events.map(drop))
            }
        }
    }

    /// As [`recv`](Self::recv), dropped at `drop_at`.
    pub(super) fn recv_until(&mut self, buf: &mut [u8], drop_at: Option<Duration>) -> Option<Result<Option<usize>>> {
        let received = call_until!(self, drop_at, EthernetDevice::recv_frame(buf));
        received.map(|received| received.map(|meta| meta.map(|meta| meta.len)))
    }

    /// As [`send`](Self::send), dropped at `drop_at`.
    pub(super) fn send_until(&mut self, frame: &[u8], drop_at: Option<Duration>) -> Option<Result<()>> {
        call_until!(self, drop_at, EthernetDevice::send_vectored(&[frame]))
    }

    pub(super) fn is_link_up(&self) -> bool {
        match &self.nic {
            Nic::Polling(nic) | Nic::Edge(nic, _) => nic.link().is_up(),
            Nic::AsyncLevel(nic) => asynch::EthernetDevice::link(nic).is_up(),
            Nic::AsyncEdge(nic) => asynch::EthernetDevice::link(nic).is_up(),
        }
    }

    pub(super) fn stats(&self) -> Stats {
        match &self.nic {
            Nic::Polling(nic) | Nic::Edge(nic, _) => nic.stats(),
            Nic::AsyncLevel(nic) => asynch::EthernetDevice::stats(nic),
            Nic::AsyncEdge(nic) => asynch::EthernetDevice::stats(nic),
        }
    }

    /// Sleeps until the chip reports something of interest, at most for `timeout`.
    pub(super) fn sleep(&mut self, interest: Interest, timeout: Duration) -> Result<()> {
        let until = self.clock.now() + timeout;
        match &mut self.nic {
            Nic::Polling(_) => {}
            Nic::Edge(nic, signaled) => {
                signaled.set(false);
                if nic.rearm(interest)? == RearmOutcome::WorkPending {
                    return Ok(());
                }
                while !signaled.get() {
                    match self.clock.next_event() {
                        Some(at) if at < until => self.clock.advance_to(at),
                        _ => break,
                    }
                }
                if signaled.get() {
                    return Ok(());
                }
            }
            Nic::AsyncLevel(nic) => match block_on_until(&self.clock, until, nic.ready_for(interest)) {
                Ok(ready) => return ready,
                Err(_) => return Ok(()),
            },
            Nic::AsyncEdge(nic) => match block_on_until(&self.clock, until, nic.ready_for(interest)) {
                Ok(ready) => return ready,
                Err(_) => return Ok(()),
            },
        }
        self.clock.advance_to(until);
        Ok(())
    }
}

/// `ready`, of which only whether it failed is of interest here.
trait ReadyFor {
    async fn ready_for(&mut self, interest: Interest) -> Result<()>;
}

impl<D: asynch::EthernetDevice<Error = Error<SpiFault>>> ReadyFor for D {
    async fn ready_for(&mut self, interest: Interest) -> Result<()> {
        self.ready(interest).await.map(drop)
    }
}
