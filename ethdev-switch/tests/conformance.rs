//! Every virtual port against the contracts of a device, with the memory NIC as the device of the
//! switch. The other ports are running and are never read.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use ethdev::{Control, LendingDevice, MacAddress, PollReady};
use ethdev_conformance::{Fixture, WirePeer, conformance};
use ethdev_sim::{Clock, RingConfig, RingHandle, RingNic, WireConfig};
use ethdev_switch::{Port, Runner, Switch, TableEntry};
use ethdev_util::{Buffered, IrqDevice, IrqSignal};

const PORTS: usize = 3;
const QUEUE: usize = 4;

type Ends<D> = (
    Vec<Port<'static, 'static, D, PORTS, QUEUE>>,
    Runner<'static, 'static, D, PORTS, QUEUE>,
);

/// Three ports on `device`. All memory is leaked.
fn split<D: LendingDevice + Control + 'static>(device: D) -> Ends<D> {
    let addresses = [1, 2, 3].map(|n| MacAddress::new([0x02, 0, 0, 0, 0, n]));
    let queues = Box::leak(Box::new([[[0; 1514]; QUEUE]; PORTS]));
    let table = Box::leak(Box::new([TableEntry::EMPTY; 4]));
    let switch = Box::leak(Box::new(Switch::new(device, addresses, queues, table)));
    switch.open().expect("open");
    let (ports, runner) = switch.split().expect("split");
    (ports.into(), runner)
}

/// What the chip of the memory NIC can do for a check.
fn link_peer(clock: Clock, wire: ethdev_sim::Wire, peer: ethdev_sim::Peer, chip: impl Fn() -> RingHandle) -> WirePeer {
    let (stall, fault, forge) = (chip(), chip(), chip());
    WirePeer::new(clock, wire, peer)
        .with_stall_tx(move |stalled| stall.stall_tx(stalled))
        .with_inject_fault(move || fault.inject_fault())
        .with_override_rx_len(move |len| forge.override_rx_len(len))
}

/// The port of this index. Its client polls; no runner.
struct Polled<const INDEX: usize>;

impl<const INDEX: usize> Fixture for Polled<INDEX> {
    type Device = Port<'static, 'static, RingNic, PORTS, QUEUE>;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&[
        // The memory NIC has no bus.
        "fail_bus",
        "fail_bus_at",
        // Only the owner of the device recovers it.
        "recover",
        // The transmit queue is shared with the other ports.
        "tx_queue_frames",
        "irq_signal",
    ]);

    fn new() -> (Self::Device, WirePeer) {
        let clock = Clock::new();
        let config = RingConfig::new(MacAddress::new([0x02, 0, 0, 0, 0, 9]));
        let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
        let arrive = nic.hardware();
        let far = link_peer(clock, wire, peer, || nic.hardware()).with_accesses(
            |watcher| nic.hardware().watch_accesses(watcher),
            move |frame| arrive.inject_rx(frame),
        );
        (split(nic).0.swap_remove(INDEX), far)
    }
}

conformance!(port_0, Polled<0>; control);
conformance!(port_1, Polled<1>; control);
conformance!(port_2, Polled<2>; control);

/// A port whose client waits, with the runner in a task.
struct Waiting<const INDEX: usize>;

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Polls after which a runner that still wakes itself fails the test.
const MAX_POLLS: usize = 10_000;

/// Polls the runner until it waits. After an error of the device it runs again when it is woken.
fn run_until_waiting<D>(runner: &mut Runner<'static, 'static, D, PORTS, QUEUE>, woken: &Arc<Woken>)
where
    D: LendingDevice + PollReady + 'static,
{
    let waker = Waker::from(Arc::clone(woken));
    let mut polls = 0;
    while woken.0.swap(false, Ordering::SeqCst) {
        let _ = pin!(runner.run()).poll(&mut Context::from_waker(&waker));
        polls += 1;
        assert!(polls < MAX_POLLS, "the runner keeps waking itself");
    }
}

type WaitingPort = Port<'static, 'static, IrqDevice<'static, RingNic>, PORTS, QUEUE>;

impl<const INDEX: usize> Fixture for Waiting<INDEX> {
    type Device = WaitingPort;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&[
        "fail_bus",
        "fail_bus_at",
        "tx_queue_frames",
        "irq_signal",
        // The runner, not the call, accesses the device.
        "accesses",
        "peer_send_before_access",
        "set_link_before_access",
    ]);

    fn new() -> (Self::Device, WirePeer) {
        let clock = Clock::new();
        let irq: &'static IrqSignal = Box::leak(Box::new(IrqSignal::new()));
        let config = RingConfig::new(MacAddress::new([0x02, 0, 0, 0, 0, 9])).with_irq_signal(irq);
        let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
        let chip = nic.hardware();
        let (mut ports, mut runner) = split(IrqDevice::new(nic, irq));
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let time = clock.clone();
        let far = link_peer(clock, wire, peer, || chip.clone()).with_advance(move |by| {
            let until = time.now() + by;
            run_until_waiting(&mut runner, &woken);
            while time.next_event().is_some_and(|at| at <= until) {
                time.step();
                run_until_waiting(&mut runner, &woken);
            }
            time.advance_to(until);
        });
        (ports.swap_remove(INDEX), far)
    }
}

conformance!(waiting_port_0, Waiting<0>; poll_ready);
conformance!(waiting_port_2, Waiting<2>; poll_ready);

/// A port that lends, for stacks that borrow frames.
struct Lending;

impl Fixture for Lending {
    type Device = Buffered<'static, WaitingPort>;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Waiting::<1>::MISSING;

    fn new() -> (Self::Device, WirePeer) {
        let (port, far) = Waiting::<1>::new();
        let [rx, tx] = [0; 2].map(|_| Box::leak(Box::new([0; 1514])));
        (Buffered::new(port, rx, tx), far)
    }
}

conformance!(waiting_port_1_buffered, Lending; lending, poll_ready);
