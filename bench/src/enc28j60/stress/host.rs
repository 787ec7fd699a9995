//! The host: the driver, how it is waited for, and how long its calls take.

use core::time::Duration;
use std::cell::Cell;
use std::rc::Rc;

use enc28j60_model::{Enc28j60Chip, IntPin, SimSpi, SpiFault};
use ethdev::{EthernetDevice, Events, Interest, Rearm, RearmOutcome, Stats, asynch};
use ethdev_enc28j60::asynch::{Edge, Enc28j60 as Awaited, Level};
use ethdev_enc28j60::{Config, Enc28j60, Error};
use ethdev_sim::{Clock, SimDelay, block_on, block_on_until};

use super::HostKind;

type Result<T> = core::result::Result<T, Error<SpiFault>>;

/// How often an idle chip is looked after that would not tell of a reset.
const IDLE_CHECK: Duration = Duration::from_millis(10);

/// The driver.
enum Nic {
    Polling(Enc28j60<SimSpi, SimDelay>),
    /// With what the INT line's handler notes.
    Edge(Enc28j60<SimSpi, SimDelay>, Rc<Cell<bool>>),
    AwaitsLevel(Awaited<SimSpi, SimDelay, Level<IntPin>>),
    AwaitsEdge(Awaited<SimSpi, SimDelay, Edge<IntPin>>),
}

/// Calls a method of whichever driver it is. An async one runs until it is through.
macro_rules! call {
    ($host:expr, $method:ident($($arg:expr),*)) => {{
        let began = $host.clock.now();
        let result = match &mut $host.nic {
            Nic::Polling(nic) | Nic::Edge(nic, _) => EthernetDevice::$method(nic, $($arg),*),
            Nic::AwaitsLevel(nic) => wait(&$host.clock, asynch::EthernetDevice::$method(nic, $($arg),*)),
            Nic::AwaitsEdge(nic) => wait(&$host.clock, asynch::EthernetDevice::$method(nic, $($arg),*)),
        };
        $host.longest_call = $host.longest_call.max($host.clock.now() - began);
        result
    }};
}

fn wait<T>(clock: &Clock, call: impl Future<Output = T>) -> T {
    block_on(clock, call).expect("a call of the driver waits for ever")
}

/// The driver, and how long its calls take.
pub(super) struct Host {
    nic: Nic,
    clock: Clock,
    pub(super) longest_call: Duration,
}

impl Host {
    pub(super) fn start(chip: &Enc28j60Chip, kind: HostKind, config: Config) -> Result<Self> {
        let config = config.with_idle_check_ms(IDLE_CHECK.as_millis() as u32);
        let clock = chip.clock();
        let (spi, delay, int) = (chip.spi_device(), chip.delay(), chip.int_pin());
        let nic = match kind {
            HostKind::Polling => Nic::Polling(Enc28j60::new(spi, delay, config)?),
            HostKind::Edge => {
                let rung = Rc::new(Cell::new(true));
                let handler = Rc::clone(&rung);
                chip.on_int_falling(move || handler.set(true));
                Nic::Edge(Enc28j60::new(spi, delay, config)?, rung)
            }
            HostKind::AwaitsLevel => Nic::AwaitsLevel(wait(&clock, Awaited::new(spi, delay, Level(int), config))?),
            HostKind::AwaitsEdge => Nic::AwaitsEdge(wait(&clock, Awaited::new(spi, delay, Edge(int), config))?),
        };
        Ok(Self {
            nic,
            clock,
            longest_call: Duration::ZERO,
        })
    }

    /// Whether the host has to look after the chip by itself: a sleeping async driver does.
    pub(super) const fn needs_service(&self) -> bool {
        matches!(self.nic, Nic::Polling(_) | Nic::Edge(..))
    }

    /// Whether the INT line has told of something since it was armed, where that is how the host learns of things.
    pub(super) fn is_signaled(&self) -> Option<bool> {
        match &self.nic {
            Nic::Edge(_, rung) => Some(rung.get()),
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

    pub(super) fn stats(&self) -> Stats {
        match &self.nic {
            Nic::Polling(nic) | Nic::Edge(nic, _) => nic.stats(),
            Nic::AwaitsLevel(nic) => asynch::EthernetDevice::stats(nic),
            Nic::AwaitsEdge(nic) => asynch::EthernetDevice::stats(nic),
        }
    }

    /// Sleeps for so long at most, less where the chip tells of something that is of interest.
    pub(super) fn sleep(&mut self, interest: Interest, at_most: Duration) -> Result<()> {
        let until = self.clock.now() + at_most;
        match &mut self.nic {
            Nic::Polling(_) => {}
            Nic::Edge(nic, rung) => {
                rung.set(false);
                if nic.rearm(interest)? == RearmOutcome::WorkPending {
                    return Ok(());
                }
                while !rung.get() {
                    match self.clock.next_event() {
                        Some(at) if at < until => self.clock.advance_to(at),
                        _ => break,
                    }
                }
                if rung.get() {
                    return Ok(());
                }
            }
            Nic::AwaitsLevel(nic) => match block_on_until(&self.clock, until, nic.ready_for(interest)) {
                Ok(ready) => return ready,
                Err(_) => return Ok(()),
            },
            Nic::AwaitsEdge(nic) => match block_on_until(&self.clock, until, nic.ready_for(interest)) {
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
