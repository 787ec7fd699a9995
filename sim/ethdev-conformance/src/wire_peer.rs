//! A link peer on the simulated wire, for chip models that have a port.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ethdev::frame::{FCS_LEN, MIN_FRAME_LEN};
use ethdev_sim::{Clock, Peer, Wire};
use ethdev_util::IrqSignal;

use super::access_events::{AccessEvents, Arrival};
use super::fixture::{HookResult, LinkPeer, Unsupported};

/// The [`LinkPeer`] of a device on a simulated [`Wire`].
///
/// Traffic, bad frames and the link are those of the wire. What only the chip model can do is added
/// with `with_...`; each hook is a closure, so that a fixture implements no trait.
///
/// ```
/// use ethdev::MacAddress;
/// use ethdev_conformance::WirePeer;
/// use ethdev_sim::{Clock, RingConfig, RingNic, WireConfig};
///
/// let clock = Clock::new();
/// let config = RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, 1]));
/// let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
/// let (stall, fault) = (nic.hardware(), nic.hardware());
/// let peer = WirePeer::new(clock, wire, peer)
///     .with_stall_tx(move |stalled| stall.stall_tx(stalled))
///     .with_inject_fault(move || fault.inject_fault());
/// # let _ = (nic, peer);
/// ```
pub struct WirePeer {
    clock: Clock,
    wire: Wire,
    peer: Rc<Peer>,
    hooks: Hooks,
    access_events: Option<Rc<AccessEvents>>,
    /// Whether the bus can fail.
    bus_fails: bool,
    irq_signal: Option<Arc<IrqSignal>>,
    masks_by_source: bool,
    link_interrupts: bool,
}

/// The closures of a fixture.
#[derive(Default)]
struct Hooks {
    stall_tx: Option<Box<dyn FnMut(bool)>>,
    inject_fault: Option<Box<dyn FnMut()>>,
    override_rx_len: Option<Box<dyn FnMut(usize)>>,
    fail_bus: Option<Box<dyn FnMut(bool)>>,
    advance: Option<Box<dyn FnMut(Duration)>>,
    irq_level: Option<Box<dyn Fn() -> bool>>,
    final_check: Option<Box<dyn FnMut()>>,
}

impl WirePeer {
    /// Creates the link peer of the device at the other end of `wire`.
    #[must_use]
    pub fn new(clock: Clock, wire: Wire, peer: Peer) -> Self {
        Self {
            clock,
            wire,
            peer: Rc::new(peer),
            hooks: Hooks::default(),
            access_events: None,
            bus_fails: false,
            irq_signal: None,
            masks_by_source: true,
            link_interrupts: true,
        }
    }

    /// Sets the hook [`stall_tx`](LinkPeer::stall_tx).
    #[must_use]
    pub fn with_stall_tx(mut self, stall: impl FnMut(bool) + 'static) -> Self {
        self.hooks.stall_tx = Some(Box::new(stall));
        self
    }

    /// Sets the hook [`inject_fault`](LinkPeer::inject_fault).
    #[must_use]
    pub fn with_inject_fault(mut self, inject: impl FnMut() + 'static) -> Self {
        self.hooks.inject_fault = Some(Box::new(inject));
        self
    }

    /// Sets the hook [`override_rx_len`](LinkPeer::override_rx_len).
    #[must_use]
    pub fn with_override_rx_len(mut self, set: impl FnMut(usize) + 'static) -> Self {
        self.hooks.override_rx_len = Some(Box::new(set));
        self
    }

    /// Sets the hook [`fail_bus`](LinkPeer::fail_bus).
    #[must_use]
    pub fn with_fail_bus(mut self, fail: impl FnMut(bool) + 'static) -> Self {
        self.hooks.fail_bus = Some(Box::new(fail));
        self
    }

    /// Sets what [`advance`](LinkPeer::advance) calls instead of advancing the clock: for fixtures
    /// in which other tasks run while time passes.
    #[must_use]
    pub fn with_advance(mut self, advance: impl FnMut(Duration) + 'static) -> Self {
        self.hooks.advance = Some(Box::new(advance));
        self
    }

    /// Sets the hooks [`accesses`](LinkPeer::accesses),
    /// [`peer_send_before_access`](LinkPeer::peer_send_before_access) and
    /// [`set_link_before_access`](LinkPeer::set_link_before_access), for a chip whose registers are
    /// in memory.
    ///
    /// `watch` receives the closure that the model calls before each access of the driver to the
    /// chip. `arrive` makes a frame, without FCS, arrive at the chip immediately.
    #[must_use]
    pub fn with_accesses(mut self, watch: impl FnOnce(Box<dyn FnMut()>), arrive: impl Fn(&[u8]) + 'static) -> Self {
        let events = Rc::new(AccessEvents::default());
        self.access_events = Some(Rc::clone(&events));
        let wire = self.wire.clone();
        watch(Box::new(move || {
            // These accesses never fail: `fail_bus_at` is not supported.
            let _ = events.next(|arrival| match arrival {
                Arrival::Frame(frame) => arrive(&frame),
                Arrival::Link(up) => wire.set_link(up),
            });
        }));
        self
    }

    /// Sets the same hooks for a model that receives frames from the wire only: the frame is sent,
    /// and time passes until it has arrived.
    #[must_use]
    pub fn with_accesses_and_wire(self, watch: impl FnOnce(Box<dyn FnMut()>)) -> Self {
        let arrive = self.arrivals();
        self.with_accesses(watch, move |frame| arrive(Arrival::Frame(frame.to_vec())))
    }

    /// Sets the same hooks, [`fail_bus`](LinkPeer::fail_bus) and
    /// [`fail_bus_at`](LinkPeer::fail_bus_at), for a chip on a bus that calls
    /// [`AccessEvents::next`] with [`arrivals`](Self::arrivals) before each access.
    #[must_use]
    pub fn with_bus(mut self, events: Rc<AccessEvents>) -> Self {
        self.access_events = Some(events);
        self.bus_fails = true;
        self
    }

    /// Returns a closure that makes a frame arrive from the wire, so that time passes, or changes
    /// the link.
    pub fn arrivals(&self) -> impl Fn(Arrival) + 'static {
        let (clock, wire, peer) = (self.clock.clone(), self.wire.clone(), Rc::clone(&self.peer));
        move |arrival| match arrival {
            Arrival::Frame(frame) => {
                peer.send(&frame);
                clock.advance(wire.frame_time(frame.len().max(MIN_FRAME_LEN) + FCS_LEN) * 2);
            }
            Arrival::Link(up) => wire.set_link(up),
        }
    }

    /// Sets the hook [`irq_signal`](LinkPeer::irq_signal): the signal that the device was
    /// constructed with.
    #[must_use]
    pub fn with_irq_signal(mut self, irq_signal: Arc<IrqSignal>) -> Self {
        self.irq_signal = Some(irq_signal);
        self
    }

    /// Makes the interrupt level-triggered: the signal is signaled whenever time has passed and
    /// `is_active` returns `true`.
    #[must_use]
    pub fn with_irq_level(mut self, is_active: impl Fn() -> bool + 'static) -> Self {
        self.hooks.irq_level = Some(Box::new(is_active));
        self
    }

    /// Sets whether the chip [masks its interrupts separately](LinkPeer::masks_by_source). It does
    /// unless set.
    #[must_use]
    pub const fn with_masks_by_source(mut self, masks: bool) -> Self {
        self.masks_by_source = masks;
        self
    }

    /// Sets whether [a link change causes an interrupt](LinkPeer::link_interrupts). It does unless
    /// set.
    #[must_use]
    pub const fn with_link_interrupts(mut self, interrupts: bool) -> Self {
        self.link_interrupts = interrupts;
        self
    }

    /// Sets a closure that is called at the end of a check that has not failed. A panic in it fails
    /// the check: use it to assert that the model saw no protocol violation.
    #[must_use]
    pub fn with_final_check(mut self, check: impl FnMut() + 'static) -> Self {
        self.hooks.final_check = Some(Box::new(check));
        self
    }

    fn access_events(&self) -> HookResult<&AccessEvents> {
        self.access_events
            .as_deref()
            .ok_or(Unsupported("accesses to the chip are not counted (`with_accesses`)"))
    }

    fn bus(&self) -> HookResult<&AccessEvents> {
        self.access_events
            .as_deref()
            .filter(|_| self.bus_fails)
            .ok_or(Unsupported("the bus cannot be made to fail (`with_bus`)"))
    }
}

/// Calls the hook.
fn call<F: ?Sized>(hook: &mut Option<Box<F>>, missing: &'static str, f: impl FnOnce(&mut F)) -> HookResult {
    f(hook.as_mut().ok_or(Unsupported(missing))?);
    Ok(())
}

impl Drop for WirePeer {
    fn drop(&mut self) {
        if let Some(check) = self.hooks.final_check.as_mut().filter(|_| !std::thread::panicking()) {
            check();
        }
    }
}

impl LinkPeer for WirePeer {
    fn peer_send(&mut self, frame: &[u8]) {
        self.peer.send(frame);
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        self.peer.recv()
    }

    fn advance(&mut self, by: Duration) {
        match &mut self.hooks.advance {
            Some(advance) => advance(by),
            None => self.clock.advance(by),
        }
        if let (Some(is_active), Some(irq_signal)) = (&self.hooks.irq_level, &self.irq_signal) {
            if is_active() {
                irq_signal.signal();
            }
        }
    }

    fn masks_by_source(&self) -> bool {
        self.masks_by_source
    }

    fn link_interrupts(&self) -> bool {
        self.link_interrupts
    }

    fn now(&self) -> HookResult<Duration> {
        Ok(self.clock.now())
    }

    fn set_link(&mut self, up: bool) -> HookResult {
        self.wire.set_link(up);
        Ok(())
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> HookResult {
        self.peer.send_raw(bytes);
        Ok(())
    }

    fn stall_tx(&mut self, stalled: bool) -> HookResult {
        let missing = "the transmitter of the chip cannot be stalled (`with_stall_tx`)";
        call(&mut self.hooks.stall_tx, missing, |stall| stall(stalled))
    }

    fn inject_fault(&mut self) -> HookResult {
        let missing = "no chip fault can be injected (`with_inject_fault`)";
        call(&mut self.hooks.inject_fault, missing, |inject| inject())
    }

    fn fail_bus(&mut self, failing: bool) -> HookResult {
        match &mut self.hooks.fail_bus {
            Some(fail) => fail(failing),
            None => self.bus()?.fail(failing),
        }
        Ok(())
    }

    fn fail_bus_at(&mut self, nth: u32) -> HookResult {
        self.bus()?.fail_at(nth);
        Ok(())
    }

    fn override_rx_len(&mut self, len: usize) -> HookResult {
        let missing = "the chip cannot report invalid lengths (`with_override_rx_len`)";
        call(&mut self.hooks.override_rx_len, missing, |set| set(len))
    }

    fn accesses(&self) -> HookResult<u64> {
        Ok(self.access_events()?.accesses())
    }

    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> HookResult {
        self.access_events()?.arrive_before(nth, Arrival::Frame(frame.to_vec()));
        Ok(())
    }

    fn set_link_before_access(&mut self, nth: u32, up: bool) -> HookResult {
        self.access_events()?.arrive_before(nth, Arrival::Link(up));
        Ok(())
    }

    fn cancel_access_events(&mut self) {
        if let Some(events) = &self.access_events {
            events.cancel();
        }
    }

    fn irq_signal(&self) -> HookResult<Arc<IrqSignal>> {
        self.irq_signal
            .clone()
            .ok_or(Unsupported("the device has no interrupt line (`with_irq_signal`)"))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use ethdev_sim::WireConfig;

    fn wire_peer() -> WirePeer {
        let clock = Clock::new();
        let (wire, _, peer) = Wire::new(&clock, WireConfig::default());
        WirePeer::new(clock, wire, Peer::new(peer))
    }

    #[test]
    #[should_panic(expected = "protocol violation")]
    fn final_check_panics_fails_check() {
        drop(wire_peer().with_final_check(|| panic!("protocol violation")));
    }

    #[test]
    #[should_panic(expected = "check failed")]
    fn final_check_after_failure_not_called() {
        let _peer = wire_peer().with_final_check(|| panic!("protocol violation"));
        panic!("check failed");
    }

    #[test]
    fn irq_level_active_signals_on_each_advance() {
        let active = Rc::new(Cell::new(true));
        let irq_signal = Arc::new(IrqSignal::new());
        let level = Rc::clone(&active);
        let mut peer = wire_peer()
            .with_irq_signal(Arc::clone(&irq_signal))
            .with_irq_level(move || level.get());
        for is_active in [true, true, false] {
            active.set(is_active);
            peer.advance(Duration::from_micros(1));
            assert_eq!(irq_signal.try_take(), is_active);
        }
    }

    #[test]
    fn fail_bus_without_hook_is_unsupported() {
        assert!(wire_peer().fail_bus(true).is_err());
        let failing = Rc::new(Cell::new(false));
        let bus = Rc::clone(&failing);
        let mut peer = wire_peer().with_fail_bus(move |fail| bus.set(fail));
        assert_eq!(peer.fail_bus(true), Ok(()));
        assert!(failing.get());
    }

    #[test]
    fn fail_bus_at_with_bus_fails_that_access() {
        assert!(wire_peer().fail_bus_at(0).is_err());
        let events = Rc::new(AccessEvents::default());
        let mut peer = wire_peer().with_bus(Rc::clone(&events));
        assert_eq!(peer.fail_bus_at(1), Ok(()));
        let results = [(); 3].map(|()| events.next(|_| {}).is_ok());
        assert_eq!(results, [true, false, true]);
        assert_eq!(peer.accesses(), Ok(3));
    }

    #[test]
    fn set_link_before_access_link_changes_then() {
        let clock = Clock::new();
        let (wire, port, end) = Wire::new(&clock, WireConfig::default());
        let link = wire.clone();
        let mut access: Box<dyn FnMut()> = Box::new(|| ());
        let mut peer = WirePeer::new(clock, wire, Peer::new(end)).with_accesses(|watcher| access = watcher, |_| {});
        assert_eq!(peer.set_link_before_access(1, false), Ok(()));
        access();
        assert!(link.is_plugged());
        access();
        assert!(!link.is_plugged());
        drop(port);
    }

    #[test]
    fn advance_with_hook_calls_hook_instead() {
        let passed = Rc::new(Cell::new(Duration::ZERO));
        let total = Rc::clone(&passed);
        let mut peer = wire_peer().with_advance(move |by| total.set(total.get() + by));
        peer.advance(Duration::from_micros(3));
        assert_eq!(passed.get(), Duration::from_micros(3));
        assert_eq!(peer.now(), Ok(Duration::ZERO));
    }
}
