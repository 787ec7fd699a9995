//! A small correct device, the base of the defective ones.
//!
//! Unlike `RingNic`, a memory device, this one has a bus: its accesses can be counted and made to
//! fail, a frame can arrive between two of them, and its chip can report invalid lengths.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ethdev::frame::MIN_FRAME_LEN;
use ethdev::{
    Capabilities, Control, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link, MacAddress,
    Multicast, Rearm, RearmOutcome, RxFilter, RxMeta, Stats, validate_tx_len,
};
use ethdev_conformance::{AccessEvents, Arrival, HookResult, InjectedFailure, LinkPeer};
use ethdev_sim::fcs;
use ethdev_util::IrqSignal;

/// Frames in either queue of the chip.
pub(crate) const SLOTS: usize = 4;

/// The chip behind the bus.
pub(crate) struct Chip {
    pub(crate) rx: VecDeque<Vec<u8>>,
    pub(crate) tx: VecDeque<Vec<u8>>,
    /// The frames that the peer has received.
    out: VecDeque<Vec<u8>>,
    pub(crate) cable: bool,
    stalled: bool,
    pub(crate) running: bool,
    faulty: bool,
    /// The length that is reported for the next frame to arrive, instead of the true one.
    forged: Option<usize>,
    pub(crate) reported: Option<usize>,
    pub(crate) now: Duration,
    pub(crate) mask: Interest,
    irq_signal: Arc<IrqSignal>,
    pub(crate) mac_address: MacAddress,
    pub(crate) filter: Filter,
    pub(crate) stats: Stats,
    completed: u16,
    failed: u16,
}

#[derive(Clone)]
pub(crate) struct Filter {
    broadcast: bool,
    groups: Option<Vec<MacAddress>>,
    promiscuous: bool,
    /// Compares six bits of the CRC of group addresses only.
    pub(crate) hashed: bool,
}

/// Six bits of the CRC-32 of an address.
fn hash(address: MacAddress) -> u8 {
    fcs::compute(&address.octets())[3] >> 2
}

impl Filter {
    pub(crate) fn new(filter: RxFilter<'_>) -> Self {
        Self {
            broadcast: filter.broadcast,
            groups: match filter.multicast {
                Multicast::None => Some(vec![]),
                Multicast::List(groups) => Some(groups.to_vec()),
                Multicast::All => None,
            },
            promiscuous: filter.promiscuous,
            hashed: false,
        }
    }

    fn passes(&self, to: MacAddress, own: MacAddress) -> bool {
        if self.hashed && to.is_multicast() && !to.is_broadcast() {
            return match &self.groups {
                Some(groups) => self.promiscuous || groups.iter().any(|&group| hash(group) == hash(to)),
                None => true,
            };
        }
        let multicast = self
            .groups
            .as_ref()
            .map_or(Multicast::All, |groups| Multicast::List(groups));
        let mut filter = RxFilter::DEFAULT
            .with_broadcast(self.broadcast)
            .with_multicast(multicast);
        filter.promiscuous = self.promiscuous;
        filter.passes(to, own)
    }
}

impl Chip {
    fn arrive(&mut self, on_wire: &[u8]) {
        if !self.running || !self.cable {
            return;
        }
        let stats = &mut self.stats;
        let Some(frame) = fcs::check(on_wire) else {
            // Noise that is too short for an FCS has a wrong one as well.
            stats.rx_bad_fcs += 1;
            return;
        };
        if !(MIN_FRAME_LEN..=1514).contains(&frame.len()) {
            stats.rx_bad_length += 1;
            return;
        }
        let to = MacAddress::new(frame[..6].try_into().unwrap());
        if !self.filter.passes(to, self.mac_address) {
            stats.rx_filtered += 1;
        } else if self.rx.len() == SLOTS {
            stats.rx_overrun += 1;
        } else {
            if self.rx.is_empty() {
                self.reported = self.forged.take();
            }
            self.rx.push_back(frame.to_vec());
            self.ring(Interest::RX);
        }
    }

    fn ring(&self, cause: Interest) {
        if !(self.mask & cause).is_none() {
            self.irq_signal.signal();
        }
    }

    fn transmit(&mut self) {
        if self.stalled || !self.cable {
            return;
        }
        while let Some(mut frame) = self.tx.pop_front() {
            self.stats.count_tx(frame.len());
            self.completed += 1;
            frame.resize(frame.len().max(MIN_FRAME_LEN), 0);
            self.out.push_back(frame);
            self.ring(Interest::TX);
        }
    }

    fn plug(&mut self, cable: bool) {
        if self.cable == cable {
            return;
        }
        self.cable = cable;
        if !cable {
            self.failed += self.tx.len() as u16;
            self.stats.tx_aborted += self.tx.len() as u32;
            self.tx.clear();
        }
        // Transmission is possible again.
        self.ring(if cable {
            Interest::LINK | Interest::TX
        } else {
            Interest::LINK
        });
    }

    pub(crate) fn link(&self) -> Link {
        if self.cable && self.running {
            Link::UP
        } else {
            Link::Down
        }
    }

    pub(crate) fn stop(&mut self) {
        self.running = false;
        self.stats.rx_reset += self.rx.len() as u32;
        self.stats.tx_reset += self.tx.len() as u32;
        self.rx.clear();
        self.tx.clear();
        self.reported = None;
    }
}

/// The driver. Everything that touches the chip goes through [`access`](Self::access).
pub(crate) struct Mem {
    pub(crate) chip: Rc<RefCell<Chip>>,
    events: Rc<AccessEvents>,
    pub(crate) link: Link,
    /// Whether the fault of the chip is counted.
    in_fault: bool,
    /// The link as of the last `service`.
    reported_link: Link,
    lost: u32,
    pub(crate) stats: Stats,
    mac_address: MacAddress,
    pub(crate) filter: Filter,
    /// The last state that was reached.
    pub(crate) state: State,
    /// A call of `Control` has not succeeded yet.
    pub(crate) in_transition: bool,
    /// The chip does not have the requested settings.
    pub(crate) is_outdated: bool,
}

impl Mem {
    /// One transaction on the bus.
    pub(crate) fn access<T>(&self, f: impl FnOnce(&mut Chip) -> T) -> Result<T, ErrorKind> {
        let mut chip = self.chip.borrow_mut();
        self.events
            .next(|arrival| match arrival {
                Arrival::Frame(frame) => chip.arrive(&fcs::append(&frame)),
                Arrival::Link(up) => chip.plug(up),
            })
            .map_err(|InjectedFailure| ErrorKind::Bus)?;
        Ok(f(&mut chip))
    }

    pub(crate) fn check(&mut self) -> Result<(), ErrorKind> {
        let (faulty, link) = self.access(|chip| (chip.faulty, chip.link()))?;
        if faulty || self.in_transition || (self.is_outdated && self.state.is_active()) {
            if !std::mem::replace(&mut self.in_fault, true) {
                self.stats.faults += 1;
            }
            return Err(ErrorKind::Fault);
        }
        self.in_fault = false;
        if self.link != link {
            self.stats.link_changes += 1;
        }
        self.link = link;
        Ok(())
    }

    /// Reads the length of the next frame from the chip.
    pub(crate) fn next_len(&mut self) -> Result<Option<usize>, ErrorKind> {
        self.check()?;
        self.access(|chip| chip.rx.front().map(|frame| chip.reported.unwrap_or(frame.len())))
    }

    /// Takes the next frame out of the chip.
    pub(crate) fn take(&mut self) -> Result<Vec<u8>, ErrorKind> {
        self.access(|chip| {
            chip.reported = None;
            chip.rx.pop_front().unwrap_or_default()
        })
    }

    /// Puts a frame into the transmit queue without validation.
    pub(crate) fn queue(&mut self, frame: Vec<u8>) -> Result<(), ErrorKind> {
        self.access(|chip| {
            if chip.tx.len() == SLOTS {
                return Err(ErrorKind::Busy);
            }
            chip.tx.push_back(frame);
            Ok(())
        })?
    }

    pub(crate) fn room(&self) -> Result<bool, ErrorKind> {
        self.access(|chip| chip.tx.len() < SLOTS)
    }
}

impl ErrorType for Mem {
    type Error = ErrorKind;
}

impl EthernetDevice for Mem {
    fn mac_address(&self) -> MacAddress {
        self.mac_address
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET.with_queue_frames(Some(SLOTS as u16), Some(SLOTS as u16))
    }

    fn link(&self) -> Link {
        self.link
    }

    fn stats(&self) -> Stats {
        // Reads the counters of the chip without a bus access: these tests do not cover cached
        // values.
        self.chip.borrow().stats.wrapping_add(&self.stats)
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        let Some(needed) = self.next_len()? else {
            return Ok(None);
        };
        if !(14..=1514).contains(&needed) {
            self.take()?;
            self.stats.rx_bad_length += 1;
            return Err(ErrorKind::BadFrame);
        }
        let Some(buf) = buf.get_mut(..needed) else {
            return Err(ErrorKind::BufferTooSmall { needed });
        };
        buf.copy_from_slice(&self.take()?);
        self.stats.count_rx(needed);
        Ok(Some(RxMeta::new(needed)))
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        if self.next_len()?.is_none() {
            return Ok(false);
        }
        self.take()?;
        self.stats.rx_discarded += 1;
        Ok(true)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        self.check()?;
        Ok(self.link.is_up() && self.room()?)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        self.check()?;
        validate_tx_len(parts, self.tx_max_frame_len())?;
        if !self.state.is_active() {
            return Err(ErrorKind::Stopped);
        }
        if !self.link.is_up() {
            return Err(ErrorKind::LinkDown);
        }
        self.queue(parts.concat())
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        self.check()?;
        let mut events = Events::NONE;
        events.link_changed = self.link != self.reported_link;
        self.reported_link = self.link;
        self.access(|chip| {
            events.rx_pending = !chip.rx.is_empty();
            events.tx_completed = std::mem::take(&mut chip.completed);
            events.tx_failed = std::mem::take(&mut chip.failed);
        })?;
        events.tx_ready = self.link.is_up() && self.room()?;
        let lost = self.stats().rx_lost();
        events.rx_dropped = lost != self.lost;
        self.lost = lost;
        Ok(events)
    }
}

impl Rearm for Mem {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        self.access(|chip| chip.mask = Interest::NONE)
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, ErrorKind> {
        self.access(|chip| chip.mask = interest)?;
        self.check_pending(interest)
    }
}

impl Mem {
    /// Whether an event of the interest is pending.
    pub(crate) fn check_pending(&mut self, interest: Interest) -> Result<RearmOutcome, ErrorKind> {
        let link = self.link;
        let (faulty, pending) = self.access(|chip| {
            let pending = (interest.rx && !chip.rx.is_empty())
                || (interest.tx && chip.tx.len() < SLOTS && chip.link().is_up())
                || (interest.link && chip.link() != link);
            (chip.faulty, pending)
        })?;
        if faulty {
            return Err(ErrorKind::Fault);
        }
        Ok(if pending {
            RearmOutcome::WorkPending
        } else {
            RearmOutcome::Armed
        })
    }
}

/// The state of the table of `Control`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) running: bool,
    pub(crate) asleep: bool,
}

impl State {
    pub(crate) const fn is_active(self) -> bool {
        self.running && !self.asleep
    }
}

impl Mem {
    /// Brings the chip into this state, with the requested settings. Until that has succeeded, the
    /// device is in fault.
    pub(crate) fn enter(&mut self, state: State) -> Result<(), ErrorKind> {
        if self.state == state && !self.in_transition {
            return Ok(());
        }
        self.in_transition = true;
        self.access(Chip::stop)?;
        if state.is_active() {
            self.apply()?;
            self.access(|chip| chip.running = true)?;
        }
        self.state = state;
        self.in_transition = false;
        self.check()
    }

    /// Writes the requested settings to the chip. Until that has succeeded, the device is in fault.
    pub(crate) fn apply(&mut self) -> Result<(), ErrorKind> {
        self.is_outdated = true;
        self.access(|chip| chip.mac_address = self.mac_address)?;
        self.access(|chip| chip.filter = self.filter.clone())?;
        self.is_outdated = false;
        Ok(())
    }

    fn apply_if_active(&mut self) -> Result<(), ErrorKind> {
        if self.state.is_active() {
            self.apply()?;
        }
        Ok(())
    }
}

impl Control for Mem {
    fn start(&mut self) -> Result<(), ErrorKind> {
        self.enter(State {
            running: true,
            asleep: false,
        })
    }

    fn stop(&mut self) -> Result<(), ErrorKind> {
        self.enter(State {
            running: false,
            asleep: false,
        })
    }

    fn sleep(&mut self) -> Result<(), ErrorKind> {
        self.enter(State {
            asleep: true,
            ..self.state
        })
    }

    fn wake(&mut self) -> Result<(), ErrorKind> {
        self.enter(State {
            asleep: false,
            ..self.state
        })
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ErrorKind> {
        if !address.is_unicast() {
            return Err(ErrorKind::InvalidInput);
        }
        self.mac_address = address;
        self.apply_if_active()
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ErrorKind> {
        self.filter = Filter::new(filter);
        self.apply_if_active()?;
        Ok(FilterOutcome::Exact)
    }

    fn recover(&mut self) -> Result<(), ErrorKind> {
        self.in_transition = true;
        self.access(|chip| {
            chip.stop();
            chip.faulty = false;
            chip.mask = Interest::NONE;
        })?;
        self.in_fault = false;
        self.enter(self.state)?;
        self.stats.recoveries += 1;
        Ok(())
    }
}

/// The link peer: the chip from the side of the wire.
pub(crate) struct MemPeer(Rc<RefCell<Chip>>, Rc<AccessEvents>);

/// A device that is started, with the cable plugged.
pub(crate) fn mem() -> (Mem, MemPeer) {
    let mac_address = MacAddress::new([2, 0, 0, 0, 0, 1]);
    let filter = Filter::new(RxFilter::DEFAULT);
    let chip = Rc::new(RefCell::new(Chip {
        rx: VecDeque::new(),
        tx: VecDeque::new(),
        out: VecDeque::new(),
        cable: true,
        stalled: false,
        running: true,
        faulty: false,
        forged: None,
        reported: None,
        now: Duration::ZERO,
        mask: Interest::NONE,
        irq_signal: Arc::new(IrqSignal::new()),
        mac_address,
        filter: filter.clone(),
        stats: Stats::ZERO,
        completed: 0,
        failed: 0,
    }));
    let events = Rc::default();
    let nic = Mem {
        chip: Rc::clone(&chip),
        events: Rc::clone(&events),
        link: Link::UP,
        in_fault: false,
        reported_link: Link::UP,
        lost: 0,
        stats: Stats::ZERO,
        mac_address,
        filter,
        state: State {
            running: true,
            asleep: false,
        },
        in_transition: false,
        is_outdated: false,
    };
    (nic, MemPeer(chip, events))
}

impl LinkPeer for MemPeer {
    fn peer_send(&mut self, frame: &[u8]) {
        self.0.borrow_mut().arrive(&fcs::append(frame));
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        self.0.borrow_mut().out.pop_front()
    }

    fn advance(&mut self, by: Duration) {
        let mut chip = self.0.borrow_mut();
        chip.now += by;
        chip.transmit();
    }

    fn set_link(&mut self, up: bool) -> HookResult {
        self.0.borrow_mut().plug(up);
        Ok(())
    }

    fn stall_tx(&mut self, stalled: bool) -> HookResult {
        self.0.borrow_mut().stalled = stalled;
        Ok(())
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> HookResult {
        self.0.borrow_mut().arrive(bytes);
        Ok(())
    }

    fn override_rx_len(&mut self, len: usize) -> HookResult {
        self.0.borrow_mut().forged = Some(len);
        Ok(())
    }

    fn inject_fault(&mut self) -> HookResult {
        self.0.borrow_mut().faulty = true;
        Ok(())
    }

    fn fail_bus(&mut self, failing: bool) -> HookResult {
        self.1.fail(failing);
        Ok(())
    }

    fn now(&self) -> HookResult<Duration> {
        Ok(self.0.borrow().now)
    }

    fn accesses(&self) -> HookResult<u64> {
        Ok(self.1.accesses())
    }

    fn fail_bus_at(&mut self, nth: u32) -> HookResult {
        self.1.fail_at(nth);
        Ok(())
    }

    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> HookResult {
        self.1.arrive_before(nth, Arrival::Frame(frame.to_vec()));
        Ok(())
    }

    fn set_link_before_access(&mut self, nth: u32, up: bool) -> HookResult {
        self.1.arrive_before(nth, Arrival::Link(up));
        Ok(())
    }

    fn cancel_access_events(&mut self) {
        self.1.cancel();
    }

    fn irq_signal(&self) -> HookResult<Arc<IrqSignal>> {
        Ok(Arc::clone(&self.0.borrow().irq_signal))
    }
}
