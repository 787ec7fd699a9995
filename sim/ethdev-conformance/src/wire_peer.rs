//! A far end on the simulated wire, for every chip model that is plugged into one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ethdev::frame::{FCS_LEN, MIN_FRAME_LEN};
use ethdev_util::IrqSignal;

use super::fixture::{LinkPeer, Loss, Power, Unsupported};
use ethdev_sim::{Clock, Peer, Wire};

/// The [`LinkPeer`] of a device on a simulated [`Wire`]: the station at the other end of it.
///
/// Traffic, bad frames and the link are the wire's; what only the model of the chip can do is added with `with_...`.
pub struct WirePeer {
    clock: Clock,
    wire: Wire,
    station: Rc<Peer>,
    stall_tx: Option<Box<dyn FnMut(bool)>>,
    fault: Option<Box<dyn FnMut()>>,
    forge: Option<Box<dyn FnMut(usize)>>,
    accesses: Option<Rc<Accesses>>,
    irq_signal: Option<Arc<IrqSignal>>,
    is_active: Option<Box<dyn Fn() -> bool>>,
    unreported: &'static [Loss],
    masks_by_source: bool,
    link_interrupts: bool,
    last_look: Option<Box<dyn FnMut()>>,
}

/// Counts the driver's accesses to the chip, and lets a frame arrive before one of them.
#[derive(Default)]
struct Accesses {
    count: Cell<u64>,
    late: RefCell<Option<(u64, Vec<u8>)>>,
}

impl Accesses {
    /// The frame that arrives before the access that is about to be made.
    fn next(&self) -> Option<Vec<u8>> {
        let nth = self.count.get();
        self.count.set(nth + 1);
        self.late
            .borrow_mut()
            .take_if(|(at, _)| *at <= nth)
            .map(|(_, frame)| frame)
    }
}

impl WirePeer {
    /// The station at the other end of this wire.
    #[must_use]
    pub fn new(clock: Clock, wire: Wire, station: Peer) -> Self {
        Self {
            clock,
            wire,
            station: Rc::new(station),
            stall_tx: None,
            fault: None,
            forge: None,
            accesses: None,
            irq_signal: None,
            is_active: None,
            unreported: &[],
            masks_by_source: true,
            link_interrupts: true,
            last_look: None,
        }
    }

    /// With the power [`stall_tx`](LinkPeer::stall_tx).
    #[must_use]
    pub fn with_stall_tx(mut self, stall: impl FnMut(bool) + 'static) -> Self {
        self.stall_tx = Some(Box::new(stall));
        self
    }

    /// With the power [`inject_fault`](LinkPeer::inject_fault).
    #[must_use]
    pub fn with_fault(mut self, inject: impl FnMut() + 'static) -> Self {
        self.fault = Some(Box::new(inject));
        self
    }

    /// With the power [`override_rx_len`](LinkPeer::override_rx_len).
    #[must_use]
    pub fn with_forged_lengths(mut self, forge: impl FnMut(usize) + 'static) -> Self {
        self.forge = Some(Box::new(forge));
        self
    }

    /// With the powers [`accesses`](LinkPeer::accesses) and [`peer_send_before_access`](LinkPeer::peer_send_before_access).
    ///
    /// `watch` is given what the model is to call before each access of the driver to the chip; `arrive` makes a frame, without FCS, arrive at the chip at once.
    #[must_use]
    pub fn with_accesses(mut self, watch: impl FnOnce(Box<dyn FnMut()>), arrive: impl Fn(&[u8]) + 'static) -> Self {
        let accesses = Rc::new(Accesses::default());
        self.accesses = Some(Rc::clone(&accesses));
        watch(Box::new(move || {
            if let Some(frame) = accesses.next() {
                arrive(&frame);
            }
        }));
        self
    }

    /// The same where the model has no way for a frame but the wire: it is sent, and time passes until it has arrived.
    #[must_use]
    pub fn with_accesses_and_wire(self, watch: impl FnOnce(Box<dyn FnMut()>)) -> Self {
        let (clock, wire, station) = (self.clock.clone(), self.wire.clone(), Rc::clone(&self.station));
        self.with_accesses(watch, move |frame| {
            station.send(frame);
            clock.advance(wire.frame_time(frame.len().max(MIN_FRAME_LEN) + FCS_LEN) * 2);
        })
    }

    fn watched(&self) -> Power<&Accesses> {
        self.accesses
            .as_deref()
            .ok_or(Unsupported("accesses to the chip are not watched (`with_accesses`)"))
    }

    /// With the power [`irq_signal`](LinkPeer::interrupt signal): the one that the device was made with.
    #[must_use]
    pub fn with_irq_signal(mut self, irq_signal: Arc<IrqSignal>) -> Self {
        self.irq_signal = Some(irq_signal);
        self
    }

    /// The interrupt is triggered by its level: the interrupt signal rings whenever time has passed and `is_active` says so.
    #[must_use]
    pub fn with_level(mut self, is_active: impl Fn() -> bool + 'static) -> Self {
        self.is_active = Some(Box::new(is_active));
        self
    }

    /// A chip that loses frames in these ways [without a word](LinkPeer::unreported).
    #[must_use]
    pub const fn with_unreported(mut self, losses: &'static [Loss]) -> Self {
        self.unreported = losses;
        self
    }

    /// A chip that can, or cannot, [mask its interrupts one by one](LinkPeer::masks_by_source). It can if nothing is said.
    #[must_use]
    pub const fn with_masks_by_source(mut self, masks: bool) -> Self {
        self.masks_by_source = masks;
        self
    }

    /// Whether [a change of the link causes an interrupt](LinkPeer::link_interrupts). It does if nothing is said.
    #[must_use]
    pub const fn with_link_interrupts(mut self, interrupts: bool) -> Self {
        self.link_interrupts = interrupts;
        self
    }

    /// Calls `look` at the end of a check that did not fail: it can still fail it, for instance where the model saw misuse of the chip.
    #[must_use]
    pub fn with_last_look(mut self, look: impl FnMut() + 'static) -> Self {
        self.last_look = Some(Box::new(look));
        self
    }
}

impl Drop for WirePeer {
    fn drop(&mut self) {
        if let Some(look) = self.last_look.as_mut().filter(|_| !std::thread::panicking()) {
            look();
        }
    }
}

impl LinkPeer for WirePeer {
    fn peer_send(&mut self, frame: &[u8]) {
        self.station.send(frame);
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        self.station.recv()
    }

    fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        if let (Some(is_active), Some(irq_signal)) = (&self.is_active, &self.irq_signal) {
            if is_active() {
                irq_signal.signal();
            }
        }
    }

    fn unreported(&self) -> &'static [Loss] {
        self.unreported
    }

    fn masks_by_source(&self) -> bool {
        self.masks_by_source
    }

    fn link_interrupts(&self) -> bool {
        self.link_interrupts
    }

    fn now(&self) -> Power<Duration> {
        Ok(self.clock.now())
    }

    fn set_link(&mut self, up: bool) -> Power {
        self.wire.set_link(up);
        Ok(())
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> Power {
        self.station.send_raw(bytes);
        Ok(())
    }

    fn stall_tx(&mut self, stalled: bool) -> Power {
        match &mut self.stall_tx {
            Some(stall) => {
                stall(stalled);
                Ok(())
            }
            None => Err(Unsupported(
                "the chip's transmitter cannot be stalled (`with_stall_tx`)",
            )),
        }
    }

    fn inject_fault(&mut self) -> Power {
        match &mut self.fault {
            Some(inject) => {
                inject();
                Ok(())
            }
            None => Err(Unsupported("the chip cannot be broken (`with_fault`)")),
        }
    }

    fn accesses(&self) -> Power<u64> {
        Ok(self.watched()?.count.get())
    }

    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> Power {
        let accesses = self.watched()?;
        let at = accesses.count.get() + u64::from(nth);
        accesses.late.replace(Some((at, frame.to_vec())));
        Ok(())
    }

    fn override_rx_len(&mut self, len: usize) -> Power {
        match &mut self.forge {
            Some(forge) => {
                forge(len);
                Ok(())
            }
            None => Err(Unsupported("the chip cannot be made to lie (`with_forged_lengths`)")),
        }
    }

    fn irq_signal(&self) -> Power<Arc<IrqSignal>> {
        self.irq_signal
            .clone()
            .ok_or(Unsupported("the device has no interrupt line (`with_irq_signal`)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ethdev_sim::WireConfig;

    fn end() -> WirePeer {
        let clock = Clock::new();
        let (wire, _, peer) = Wire::new(&clock, WireConfig::default());
        WirePeer::new(clock, wire, Peer::new(peer))
    }

    #[test]
    #[should_panic(expected = "misuse")]
    fn the_last_look_can_fail_a_check() {
        drop(end().with_last_look(|| panic!("misuse")));
    }

    #[test]
    #[should_panic(expected = "the check's own")]
    fn the_last_look_hides_no_failure() {
        let _end = end().with_last_look(|| panic!("misuse"));
        panic!("the check's own");
    }

    #[test]
    fn a_level_rings_as_long_as_it_is_active() {
        let active = Rc::new(Cell::new(true));
        let irq_signal = Arc::new(IrqSignal::new());
        let level = Rc::clone(&active);
        let mut end = end()
            .with_irq_signal(Arc::clone(&irq_signal))
            .with_level(move || level.get());
        for is_active in [true, true, false] {
            active.set(is_active);
            end.advance(Duration::from_micros(1));
            assert_eq!(irq_signal.try_take(), is_active);
        }
    }
}
