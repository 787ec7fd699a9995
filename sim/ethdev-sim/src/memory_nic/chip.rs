//! The chip: descriptor rings on one side, a wire on the other. It does not implement ethdev's
//! traits; the driver in `device.rs` does.

use core::cell::{RefCell, RefMut};
use core::fmt;
use std::rc::{Rc, Weak};

use ethdev::frame::{FCS_LEN, Header, MIN_FRAME_LEN};
use ethdev::{Interest, Link, MacAddress, Multicast, RxFilter, RxMeta, Stats};

use super::config::{RingConfig, Trigger};
use super::ring::{RxRing, TxRing};
use crate::{Clock, Port, fcs};

/// What the chip does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChipState {
    /// Receives and sends.
    Running,
    /// Does not, until started.
    Stopped,
    /// Answers nothing, until reset. It was running before.
    Fault,
    /// Answers nothing, until reset. It was stopped before.
    StoppedFault,
}

impl ChipState {
    #[inline]
    pub(super) const fn is_fault(self) -> bool {
        matches!(self, Self::Fault | Self::StoppedFault)
    }
}

/// The transmitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Idle,
    /// The next frame of the ring is going out.
    Sending,
    /// A frame is going out that is counted already: its descriptor was reset, or the link was
    /// lost.
    Finishing,
}

/// The receive filter as the chip keeps it.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    broadcast: bool,
    promiscuous: bool,
    all_multicast: bool,
    groups: Vec<MacAddress>,
}

impl Filter {
    fn passes(&self, destination: MacAddress, own: MacAddress) -> bool {
        if self.promiscuous || destination == own {
            true
        } else if destination.is_broadcast() {
            self.broadcast
        } else {
            destination.is_multicast() && (self.all_multicast || self.groups.contains(&destination))
        }
    }
}

impl From<RxFilter<'_>> for Filter {
    fn from(filter: RxFilter<'_>) -> Self {
        Self {
            broadcast: filter.broadcast,
            promiscuous: filter.promiscuous,
            all_multicast: filter.multicast == Multicast::All,
            groups: match filter.multicast {
                Multicast::List(groups) => groups.to_vec(),
                Multicast::None | Multicast::All => Vec::new(),
            },
        }
    }
}

/// The chip behind its registers.
pub(super) struct Chip {
    me: Weak<RefCell<Chip>>,
    clock: Clock,
    pub(super) port: Port,
    pub(super) state: ChipState,
    /// Resets do not help.
    pub(super) dead: bool,
    fault_noticed: bool,
    /// The length that the next frame is reported with.
    pub(super) forged_len: Option<usize>,
    /// Runs before each access of the driver.
    watcher: Option<Box<dyn FnMut()>>,
    pub(super) mac_address: MacAddress,
    pub(super) filter: Filter,
    max_frame_len: usize,
    pub(super) rx: RxRing,
    pub(super) tx: TxRing,
    sender: Sender,
    tx_stalled: bool,
    /// Sources of interrupts that are unmasked.
    pub(super) unmasked: Interest,
    interrupt: Option<Rc<dyn Fn()>>,
    trigger: Trigger,
    pub(super) link: Link,
    /// Running, with the link up: kept up to date by `refresh_link`.
    pub(super) carrier: bool,
    /// Counts changes of `link`, for a fast comparison.
    pub(super) link_generation: u32,
    pub(super) stats: Stats,
    /// Transmissions completed and failed since the last poll by the driver.
    pub(super) tx_completed: u16,
    pub(super) tx_failed: u16,
}

impl Chip {
    /// The chip after power-on: stopped, without an address, attached to its wire.
    pub(super) fn new(clock: &Clock, port: Port, config: &RingConfig) -> Rc<RefCell<Self>> {
        let buffer_len = config.max_frame_len.bytes();
        let hw = Rc::new_cyclic(|me: &Weak<RefCell<Self>>| {
            RefCell::new(Self {
                me: me.clone(),
                clock: clock.clone(),
                port,
                state: ChipState::Stopped,
                dead: false,
                fault_noticed: false,
                forged_len: None,
                watcher: None,
                mac_address: MacAddress::UNSPECIFIED,
                filter: Filter::default(),
                max_frame_len: buffer_len,
                rx: RxRing::new(config.rx_slots, buffer_len),
                tx: TxRing::new(config.tx_slots, buffer_len),
                sender: Sender::Idle,
                tx_stalled: false,
                unmasked: Interest::NONE,
                interrupt: config.interrupt.clone(),
                trigger: config.trigger,
                link: Link::Down,
                carrier: false,
                link_generation: 0,
                stats: Stats::ZERO,
                tx_completed: 0,
                tx_failed: 0,
            })
        });
        {
            let chip = hw.borrow();
            let me = chip.me.clone();
            chip.port.on_receive(Box::new(move |frame| {
                Self::event(&me, |chip| chip.receive(frame));
            }));
            let me = chip.me.clone();
            chip.port.on_link_change(Box::new(move |_| {
                Self::event(&me, Self::refresh_link);
            }));
        }
        hw
    }

    /// An access of the driver.
    #[inline]
    pub(super) fn access(hw: &RefCell<Self>) -> RefMut<'_, Self> {
        let chip = hw.borrow_mut();
        if chip.watcher.is_some() {
            drop(chip);
            return Self::watched_access(hw);
        }
        chip
    }

    /// The watcher runs with nothing borrowed: it may do to the chip what it likes.
    #[cold]
    fn watched_access(hw: &RefCell<Self>) -> RefMut<'_, Self> {
        let watcher = hw.borrow_mut().watcher.take();
        if let Some(mut watcher) = watcher {
            watcher();
            hw.borrow_mut().watcher.get_or_insert(watcher);
        }
        hw.borrow_mut()
    }

    pub(super) fn watch(&mut self, watcher: Box<dyn FnMut()>) {
        self.watcher = Some(watcher);
    }

    /// Something happens to the chip; then the interrupt line does what follows from it, with
    /// nothing borrowed.
    fn event(me: &Weak<RefCell<Self>>, happen: impl FnOnce(&mut Self) -> Interest) {
        let Some(hw) = me.upgrade() else { return };
        let interrupt = {
            let mut chip = hw.borrow_mut();
            let causes = happen(&mut chip);
            chip.line(causes)
        };
        if let Some(interrupt) = interrupt {
            interrupt();
        }
    }

    /// What to run for these causes.
    fn line(&self, causes: Interest) -> Option<Rc<dyn Fn()>> {
        if (causes & self.unmasked).is_none() {
            return None;
        }
        self.interrupt.clone()
    }

    /// What to run because these causes, which lie in the past, were unmasked.
    pub(super) fn line_on_unmasking(&self, causes: Interest) -> Option<Rc<dyn Fn()>> {
        match self.trigger {
            Trigger::Edge => None,
            Trigger::Level => self.line(causes),
        }
    }

    /// What became of every frame, but for what the host did with it.
    pub(super) fn stats(&self) -> Stats {
        let mut stats = self.stats;
        stats.rx_bad_length = stats.rx_bad_length.wrapping_add(self.rx.refused);
        stats
    }

    /// A frame from the wire, with its FCS.
    fn receive(&mut self, on_wire: &[u8]) -> Interest {
        if !self.is_on() {
            return Interest::NONE;
        }
        if on_wire.len() < MIN_FRAME_LEN + FCS_LEN || on_wire.len() > self.max_frame_len + FCS_LEN {
            bump(&mut self.stats.rx_bad_length);
            return Interest::NONE;
        }
        match fcs::check(on_wire) {
            Some(frame) => self.accept(frame),
            None => {
                bump(&mut self.stats.rx_bad_fcs);
                Interest::NONE
            }
        }
    }

    /// A good frame.
    pub(super) fn accept(&mut self, frame: &[u8]) -> Interest {
        let for_us = Header::parse(frame).is_some_and(|h| self.filter.passes(h.destination, self.mac_address));
        if !for_us {
            bump(&mut self.stats.rx_filtered);
        } else if self.state != ChipState::Running {
            bump(&mut self.stats.rx_reset);
        } else {
            let len = self.forged_len.take().unwrap_or(frame.len());
            let meta = RxMeta::new(len).with_timestamp(self.clock.now());
            if self.rx.fill(frame, meta) {
                return Interest::RX;
            }
            bump(&mut self.stats.rx_overrun);
        }
        Interest::NONE
    }

    /// Queues a buffer with a frame for transmission. Returns the buffer if the ring is full.
    pub(super) fn submit(&mut self, buffer: Box<[u8]>, len: usize) -> Result<(), Box<[u8]>> {
        self.tx.submit(buffer, len)?;
        if self.sender == Sender::Idle {
            self.send_next();
        }
        Ok(())
    }

    fn send_next(&mut self) {
        if self.tx_stalled || !self.carrier {
            return;
        }
        let Some(frame) = self.tx.next() else { return };
        let last_bit = self.port.transmit(fcs::pad_and_append(frame));
        self.sender = Sender::Sending;
        let me = self.me.clone();
        self.clock.schedule_at(last_bit, move || Self::event(&me, Self::sent));
    }

    /// The last bit was sent.
    fn sent(&mut self) -> Interest {
        let sender = core::mem::replace(&mut self.sender, Sender::Idle);
        if sender == Sender::Sending {
            self.complete();
        }
        self.send_next();
        // Without a carrier no capacity is reported.
        if self.carrier { Interest::TX } else { Interest::NONE }
    }

    /// Counts the frame in transmission as sent.
    fn complete(&mut self) {
        if let Some(len) = self.tx.complete() {
            self.stats.count_tx(len);
            self.tx_completed = self.tx_completed.saturating_add(1);
        }
    }

    /// Whether it was started, in a fault or not.
    const fn is_on(&self) -> bool {
        matches!(self.state, ChipState::Running | ChipState::Fault)
    }

    /// Updates the link: up if the wire is up and the chip is on.
    pub(super) fn refresh_link(&mut self) -> Interest {
        // The transceiver works while the rest of the chip does not respond.
        let link = if self.is_on() { self.port.link() } else { Link::Down };
        self.carrier = link.is_up() && self.state == ChipState::Running;
        if link == self.link {
            return Interest::NONE;
        }
        self.link = link;
        self.link_generation = self.link_generation.wrapping_add(1);
        bump(&mut self.stats.link_changes);
        if link.is_up() {
            if self.sender == Sender::Idle {
                self.send_next();
            }
            // Capacity counts again with the carrier.
            return Interest::LINK | Interest::TX;
        }
        self.abandon_sending();
        let aborted = self.tx.reset();
        self.stats.tx_aborted = self.stats.tx_aborted.wrapping_add(aborted as u32);
        self.tx_failed = self
            .tx_failed
            .saturating_add(u16::try_from(aborted).unwrap_or(u16::MAX));
        Interest::LINK
    }

    /// The frame in transmission is completed, but no descriptor waits for its end.
    fn abandon_sending(&mut self) {
        if self.sender == Sender::Sending {
            self.sender = Sender::Finishing;
        }
    }

    /// Begins to receive and to send.
    pub(super) fn start(&mut self) {
        if self.state == ChipState::Stopped {
            self.state = ChipState::Running;
            let _ = self.refresh_link();
        }
    }

    /// Ends receiving and sending; what was pending is lost, but for the frame that is on the wire
    /// already.
    pub(super) fn stop(&mut self) {
        self.clear();
        let _ = self.refresh_link();
    }

    fn clear(&mut self) {
        if self.sender == Sender::Sending {
            self.complete();
        }
        self.abandon_sending();
        let (rx, tx) = (self.rx.reset(), self.tx.reset());
        self.stats.rx_reset = self.stats.rx_reset.wrapping_add(rx as u32);
        self.stats.tx_reset = self.stats.tx_reset.wrapping_add(tx as u32);
        self.state = ChipState::Stopped;
        self.carrier = false;
    }

    /// The reset line: as after power-on, with the rings empty. `false`: the chip does not respond
    /// afterwards.
    ///
    /// The transceiver is not reset: the link is updated when the driver has programmed the chip.
    pub(super) fn reset(&mut self) -> bool {
        if self.dead {
            return false;
        }
        self.clear();
        self.mac_address = MacAddress::UNSPECIFIED;
        self.filter = Filter::default();
        self.unmasked = Interest::NONE;
        self.fault_noticed = false;
        true
    }

    /// The driver found the chip in a fault.
    #[cold]
    pub(super) fn notice_fault(&mut self) {
        if !core::mem::replace(&mut self.fault_noticed, true) {
            bump(&mut self.stats.faults);
        }
    }

    /// The chip hangs itself up.
    pub(super) fn fail(me: &Rc<RefCell<Self>>) {
        Self::event(&Rc::downgrade(me), |chip| {
            chip.state = if chip.is_on() {
                ChipState::Fault
            } else {
                ChipState::StoppedFault
            };
            chip.carrier = false;
            Interest::ALL
        });
    }

    pub(super) fn stall_tx(&mut self, stalled: bool) {
        self.tx_stalled = stalled;
        if self.sender == Sender::Idle {
            self.send_next();
        }
    }

    pub(super) fn inject(me: &Rc<RefCell<Self>>, frame: &[u8]) {
        Self::event(&Rc::downgrade(me), |chip| {
            if chip.is_on() {
                chip.accept(frame)
            } else {
                Interest::NONE
            }
        });
    }
}

fn bump(counter: &mut u32) {
    *counter = counter.wrapping_add(1);
}

impl fmt::Debug for Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chip")
            .field("state", &self.state)
            .field("mac_address", &self.mac_address)
            .field("filter", &self.filter)
            .field("rx_pending", &self.rx.pending())
            .field("tx_queued", &self.tx.queued())
            .field("sender", &self.sender)
            .field("unmasked", &self.unmasked)
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}
