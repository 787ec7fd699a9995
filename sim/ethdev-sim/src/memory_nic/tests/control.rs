//! Management of a chip in a fault, or one that fails during the call.

use std::cell::Cell;
use std::rc::Rc;

use super::*;

type Call = fn(&mut RingNic) -> Result<(), RingError>;

const GROUPS: RxFilter<'_> = RxFilter::DEFAULT.with_multicast(Multicast::List(&[GROUP]));

/// Each call of `Control`, and whether the device runs after it.
const CALLS: [(&str, Call, bool); 7] = [
    ("start", RingNic::start, true),
    ("stop", RingNic::stop, false),
    ("sleep", RingNic::sleep, false),
    ("wake", RingNic::wake, true),
    ("recover", RingNic::recover, true),
    ("set_mac_address", |nic| nic.set_mac_address(OTHER), true),
    ("set_rx_filter", |nic| nic.set_rx_filter(GROUPS).map(drop), true),
];

fn assert_running(b: &mut Testbed, address: MacAddress, groups: bool, case: &str) {
    b.settle();
    b.nic.service().unwrap();
    assert!(b.nic.link().is_up(), "{case}");
    assert_eq!(b.nic.mac_address(), address, "{case}");
    for (to, passes) in [(address, true), (GROUP, groups)] {
        b.arrive(&frame(to, 60));
        assert_eq!(b.recv().is_some(), passes, "{case}: to {to}");
    }
}

#[test]
fn transition_in_fault_resets_and_reaches_state() {
    for (name, call, running) in CALLS.into_iter().take(3) {
        let mut b = testbed();
        b.nic.set_rx_filter(GROUPS).unwrap();
        b.arrive(&frame(OWN, 60));
        b.nic.hardware().inject_fault();
        assert_eq!(b.nic.service(), Err(RingError::Fault));
        // There is nothing to wake from.
        assert_eq!(b.nic.wake(), Err(RingError::Fault), "{name}");
        call(&mut b.nic).unwrap();
        assert_eq!(b.nic.link().is_up(), running, "{name}");
        let stats = b.nic.stats();
        assert_eq!((stats.faults, stats.recoveries, stats.rx_reset), (1, 1, 1), "{name}");
        b.nic.wake().unwrap();
        assert_eq!(b.nic.link().is_up(), name != "stop", "{name}");
        b.nic.start().unwrap();
        assert_running(&mut b, OWN, true, name);
    }
    // Asleep, it wakes.
    let mut b = testbed();
    b.nic.sleep().unwrap();
    b.nic.hardware().inject_fault();
    b.nic.wake().unwrap();
    assert_running(&mut b, OWN, false, "wake");
}

#[test]
fn setters_in_fault_stored_for_recover() {
    let mut b = testbed();
    b.nic.hardware().inject_fault();
    for _ in 0..2 {
        assert_eq!(b.nic.set_mac_address(OTHER), Err(RingError::Fault));
        assert_eq!(b.nic.set_rx_filter(GROUPS), Err(RingError::Fault));
    }
    assert_eq!(
        b.nic.set_mac_address(GROUP),
        Err(RingError::Kind(ErrorKind::InvalidInput))
    );
    b.nic.recover().unwrap();
    assert_running(&mut b, OTHER, true, "recover");
}

/// The chip fails at the n-th access of the call: an error, and the state that was reached last
/// after `recover`; or success, and the fault afterwards.
#[test]
fn call_fails_at_any_access_error_then_recovered() {
    for (name, call, running) in CALLS {
        for before in ["running", "stopped", "asleep"] {
            for nth in 0..20 {
                let case = format!("{name} of a device that is {before}, access {nth}");
                let mut b = testbed();
                match before {
                    "running" => {}
                    "stopped" => b.nic.stop().unwrap(),
                    _ => b.nic.sleep().unwrap(),
                }
                let hardware = b.nic.hardware();
                let left = Rc::new(Cell::new(Some(nth)));
                b.nic.hardware().watch_accesses({
                    let left = left.clone();
                    move || match left.get() {
                        Some(0) => {
                            left.set(None);
                            hardware.inject_fault();
                        }
                        Some(n) => left.set(Some(n - 1)),
                        None => {}
                    }
                });
                let result = call(&mut b.nic);
                let failed = left.replace(None).is_none();
                if !failed {
                    result.unwrap();
                    break;
                }
                let after_recover = match (name, before) {
                    // A setter does not change the state.
                    ("set_mac_address" | "set_rx_filter" | "recover", before) => before == "running",
                    ("wake", "stopped") => false,
                    _ if result.is_ok() => running,
                    (_, before) => before == "running",
                };
                b.nic.recover().unwrap();
                assert_eq!(b.nic.link().is_up(), after_recover, "{case}: {result:?}");
                b.nic.start().unwrap();
                let address = if name == "set_mac_address" { OTHER } else { OWN };
                assert_running(&mut b, address, name == "set_rx_filter", &case);
            }
        }
    }
}
