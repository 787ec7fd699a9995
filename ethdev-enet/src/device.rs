//! The pull surface, lending, and what a MAC is told.

use core::time::Duration;

use embedded_hal::delay::DelayNs;
use ethdev::{
    Capabilities, ErrorType, EthernetDevice, Events, LendingDevice, Link, MacAddress, MaxFrameLen, RxMeta, Speed,
    Stats, lending,
};
use ethdev_phy::mdio::Mdio;
use ethdev_phy::phy::LinkModes;

use super::regs::{self, ecr, event};
use super::{Enet, EnetMdio, EnetRx, EnetTx, Error, Fault, State};
use ethdev_phy::Mac;
use ethdev_phy::dma::Dma;
use ethdev_phy::mmio::Registers;

/// How often the counters have to be read: they are 16 bits wide, and 65536 frames of the shortest kind come in 440 ms.
const MAX_SERVICE_INTERVAL: Duration = Duration::from_millis(400);

impl<R: Registers, D: DelayNs, C: Dma> Enet<R, D, C> {
    /// Looks whether the MAC still works.
    #[inline]
    pub(super) fn check(&mut self) -> Result<(), Error> {
        match self.state {
            State::Running if self.io.registers.read(regs::ECR) & ecr::ETHEREN == 0 => Err(self.fail()),
            State::Running | State::Stopped => Ok(()),
            State::Fault(fault) => Err(Error::Fault(fault)),
        }
    }

    #[cold]
    fn fail(&mut self) -> Error {
        let fault = if self.io.registers.read(regs::EIR) & event::EBERR != 0 {
            Fault::Bus
        } else {
            Fault::Disabled
        };
        self.set_state(State::Fault(fault));
        self.stats.faults = self.stats.faults.wrapping_add(1);
        Error::Fault(fault)
    }

    fn change_link(&mut self, link: Link) {
        // Without a link, any mode is right.
        let mode = link.mode().unwrap_or(self.mode);
        let other_mode = self.settings(mode) != self.settings(self.mode);
        let dropped = !link.is_up() && self.tx.waiting() > 0;
        let stand_still = self.state == State::Running && (other_mode || dropped);
        if stand_still {
            self.halt();
            self.tx.reset(&self.io.registers);
            self.rx.turn(&self.io.dma);
        }
        (self.link, self.mode) = (link, mode);
        if stand_still {
            self.write_mode();
            self.begin();
        }
    }

    pub(super) fn set_state(&mut self, state: State) {
        self.state = state;
        let fault = match state {
            State::Fault(fault) => Some(fault),
            State::Running | State::Stopped => None,
        };
        self.rx.set_fault(fault);
        self.tx.set_fault(fault);
        self.tx.stopped = state == State::Stopped;
        self.tx.carrier = state == State::Running && self.link.is_up();
    }

    /// Follows a change of what `link()` answers.
    pub(super) fn note_link(&mut self, before: Link) {
        self.tx.carrier = self.state == State::Running && self.link.is_up();
        if self.link() != before {
            self.stats.link_changes = self.stats.link_changes.wrapping_add(1);
        }
    }

    /// Whether a legal frame would find room.
    fn tx_ready(&mut self) -> bool {
        self.tx.carrier && self.tx.has_room(&self.io) == Ok(true)
    }

    pub(super) fn pending(&mut self) -> ethdev::Interest {
        ethdev::Interest {
            rx: self.state == State::Running && self.rx.has_work(&self.io),
            tx: self.tx_ready(),
            link: self.link() != self.link_told,
        }
    }
}

impl<R, D, C> ErrorType for Enet<R, D, C> {
    type Error = Error;
}

impl<R: Registers, D: DelayNs, C: Dma> EthernetDevice for Enet<R, D, C> {
    #[inline]
    fn mac_address(&self) -> MacAddress {
        self.config.mac_address
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET
            .with_max_frame_len(MaxFrameLen::new(self.tx.max()))
            .with_queue_frames(self.rx.ring.len(), self.tx.ring.len())
            .with_max_service_interval(MAX_SERVICE_INTERVAL)
    }

    #[inline]
    fn link(&self) -> Link {
        match self.state {
            State::Stopped => Link::Down,
            State::Running | State::Fault(_) => self.link,
        }
    }

    fn stats(&self) -> Stats {
        let stats = self.stats.wrapping_add(&self.rx.stats).wrapping_add(&self.tx.stats());
        self.counters.enter(stats, self.rx.overruns_marked)
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Error> {
        self.check()?;
        lending::recv_by_copy(self.split().0, buf, |needed| Error::BufferTooSmall { needed })
    }

    fn discard_frame(&mut self) -> Result<bool, Error> {
        self.check()?;
        lending::discard(self.split().0)
    }

    fn tx_ready(&mut self) -> Result<bool, Error> {
        self.check()?;
        Ok(self.tx_ready())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        self.check()?;
        lending::send_by_copy(self.split().1, parts, || Error::Busy)
    }

    /// Looks whether the MAC still works, books what was sent, reads the counters, and rings doorbells that were lost.
    ///
    /// # Errors
    ///
    /// The MAC stopped by itself.
    fn service(&mut self) -> Result<Events, Error> {
        self.check()?;
        let mut events = Events::NONE;
        if self.state == State::Running {
            self.tx.reap(&self.io.registers);
            self.counters.read(&self.io.registers);
            if self.tx.waiting() > 0 && self.io.registers.read(regs::TDAR) == 0 {
                // ERR006358. Where the uDMA is through in this very moment, the write finds nothing to do.
                self.io.registers.write(regs::TDAR, regs::ACTIVE);
            }
            events.rx_pending = self.rx.find(&self.io) == Ok(true);
            events.tx_ready = self.tx_ready();
        }
        let link = self.link();
        events.link_changed = core::mem::replace(&mut self.link_told, link) != link;
        let received = self.counters.enter(self.rx.stats, self.rx.overruns_marked);
        let lost = received.rx_lost().wrapping_sub(received.rx_discarded);
        events.rx_dropped = core::mem::replace(&mut self.lost_told, lost) != lost;
        (events.tx_completed, events.tx_failed) = self.tx.take_news();
        Ok(events)
    }
}

impl<R: Registers, D: DelayNs, C: Dma> LendingDevice for Enet<R, D, C> {
    type Rx<'a>
        = EnetRx<'a, R, C>
    where
        Self: 'a;
    type Tx<'a>
        = EnetTx<'a, R, C>
    where
        Self: 'a;

    #[inline]
    fn split(&mut self) -> (EnetRx<'_, R, C>, EnetTx<'_, R, C>) {
        (
            EnetRx {
                io: &self.io,
                side: &mut self.rx,
            },
            EnetTx::new(&self.io, &mut self.tx),
        )
    }
}

impl<R: Registers, D: DelayNs, C: Dma> Mac for Enet<R, D, C> {
    fn modes(&self) -> LinkModes {
        if self.config.pause {
            LinkModes::ALL_MODES.union(LinkModes::PAUSE)
        } else {
            LinkModes::ALL_MODES
        }
    }

    fn mdio(&mut self) -> impl Mdio<Error = Error> {
        EnetMdio {
            registers: &self.io.registers,
            delay: &mut self.delay,
        }
    }

    /// Tells the link. An unknown speed counts as 100 Mbit/s, an unknown duplex as full.
    ///
    /// Another speed, duplex or PAUSE stops the MAC for the change, after the frame that is going out; frames that were received stay, and are moved. In a fault
    /// the link is noted for [`recover`](ethdev::Control::recover).
    ///
    /// # Errors
    ///
    /// `UnsupportedSpeed`, with the link down.
    fn set_link(&mut self, link: Link) -> Result<(), Error> {
        let speed = link.mode().and_then(|mode| mode.speed);
        let unsupported = speed.is_some_and(|speed| speed != Speed::MBPS_10 && speed != Speed::MBPS_100);
        let link = if unsupported { Link::Down } else { link };
        if link != self.link {
            let before = self.link();
            self.change_link(link);
            self.note_link(before);
        }
        if unsupported {
            Err(Error::UnsupportedSpeed)
        } else {
            Ok(())
        }
    }
}
