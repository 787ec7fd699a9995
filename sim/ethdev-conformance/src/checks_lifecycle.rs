//! The lifecycle: every sequence of calls, settings of a device that does not run, and what becomes
//! of pending frames.

use ethdev::{Counted, ErrorKind, LossReason, MacAddress, Multicast, RxFilter};

use super::checks_control::{ask, check_no_traffic, notice_fault};
use super::control_call::{ALL_MULTICAST, ControlCall, NEW_ADDRESS};
use super::lifecycle::{Life, State, all_sequences, require_calls};
use super::outcome::{CheckResult, attribute, during, ensure};
use super::requirement;
use super::testbed::Testbed;

const GROUPS: [MacAddress; 2] = [
    MacAddress::new([0x01, 0x00, 0x5e, 0, 0, 0x42]),
    MacAddress::new([0x33, 0x33, 0, 0x11, 0x22, 0x33]),
];
/// A list, and each mode of the hardware.
const FILTERS: [RxFilter<'static>; 3] = [
    RxFilter::DEFAULT
        .with_broadcast(false)
        .with_multicast(Multicast::List(&GROUPS)),
    ALL_MULTICAST,
    RxFilter::PROMISCUOUS,
];

/// Traffic is compared after one call in so many; the state after each.
const TRAFFIC_EVERY: usize = 13;
/// A device with more accesses than this for stopping and starting gets sequences of three calls
/// only.
const MANY_ACCESSES: u64 = 2000;

pub(super) fn control_any_sequence_state_as_in_table(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let calls = require_calls(testbed, &["start", "stop"])?;
    testbed.wait_link(true)?;
    testbed.allow_tx_gaps();
    testbed.allow_rx_gaps(LossReason::RxReset);
    let mut life = Life::new(testbed);
    let own = life.address;
    let before = testbed.peer().accesses();
    for call in [ControlCall::Stop, ControlCall::Start] {
        life.call(testbed, call, "once")?;
    }
    let after = testbed.peer().accesses();
    let slow = matches!((before, after), (Ok(before), Ok(after)) if after - before > MANY_ACCESSES);
    let mut recent = vec![];
    for (n, index) in all_sequences(calls.len(), if slow { 3 } else { 4 })
        .into_iter()
        .enumerate()
    {
        // The setters alternate between two values.
        let call = match calls[index] {
            ControlCall::SetMacAddress(_) if life.address != own => ControlCall::SetMacAddress(own),
            ControlCall::SetRxFilter(_) if life.filter != RxFilter::DEFAULT => {
                ControlCall::SetRxFilter(RxFilter::DEFAULT)
            }
            call => call,
        };
        recent.push(call.name());
        let when = format!("after {}", recent[recent.len().saturating_sub(4)..].join(", "));
        // Sent frames reach the peer.
        testbed.advance_frames(1);
        testbed.service()?;
        life.call(testbed, call, &when)?;
        if n % TRAFFIC_EVERY == 0 {
            life.check_traffic(testbed, &when)?;
        } else {
            life.check_state(testbed, &when)?;
        }
        testbed.peer_receives()?;
    }
    life.start(testbed, "at the end")?;
    life.check_traffic(testbed, "at the end")?;
    // What pending frames become is another check. Here the medium may add frames at a start, for
    // example an operating system.
    testbed.restart_accounting();
    testbed.warm_up()?;
    testbed.check_accounting()
}

pub(super) fn settings_while_stopped_applied(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let calls = require_calls(testbed, &["start", "stop", "set_mac_address", "set_rx_filter"])?;
    testbed.wait_link(true)?;
    testbed.allow_tx_gaps();
    let mut life = Life::new(testbed);
    let own = life.address;
    use ControlCall::{Recover, Sleep, Start, Stop, Wake};
    for (leave, enter) in [
        (&[Stop][..], &[Start][..]),
        (&[Sleep], &[Wake]),
        (&[Sleep], &[Start]),
        (&[Stop, Sleep], &[Wake, Start]),
        (&[Stop], &[Recover, Start]),
        (&[Sleep], &[Recover, Wake]),
    ] {
        if leave.iter().chain(enter).any(|call| !calls.contains(call)) {
            continue;
        }
        for filter in FILTERS {
            for &call in leave {
                life.call(testbed, call, "running")?;
            }
            let address = if life.address == own { NEW_ADDRESS } else { own };
            let when = format!("set in {:?}", life.state);
            life.call(testbed, ControlCall::SetMacAddress(address), &when)?;
            match ask(testbed, |c| c.set_rx_filter(filter))? {
                Ok(outcome) => life = life.after(ControlCall::SetRxFilter(filter), outcome),
                Err(ErrorKind::Unsupported) => {}
                Err(e) => return testbed.fail(format!("{when}, set_rx_filter({filter:?}): expected Ok, found {e:?}")),
            }
            life.check_state(testbed, &when)?;
            for &call in enter {
                life.call(testbed, call, &when)?;
            }
            life.check_traffic(testbed, &format!("{when}, after {}", enter[enter.len() - 1].name()))?;
        }
    }
    testbed.check_accounting()
}

/// Frames in both directions are pending. Returns how many are received and sent, and whether the
/// transmitter is stalled.
fn make_pending(testbed: &mut Testbed<'_>) -> CheckResult<(usize, usize)> {
    let burst = testbed.rx_burst().min(3);
    for _ in 0..burst {
        testbed.peer_delivers(200);
    }
    let mut queued = 0;
    if testbed.peer().stall_tx(true).is_ok() {
        while queued < 3 && testbed.try_send(300).is_ok() {
            queued += 1;
        }
    }
    Ok((burst, queued))
}

pub(super) fn start_running_pending_frames_kept(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let calls = require_calls(testbed, &["start"])?;
    testbed.wait_link(true)?;
    for call in [ControlCall::Start, ControlCall::Wake] {
        if !calls.contains(&call) {
            continue;
        }
        let before = testbed.stats();
        make_pending(testbed)?;
        Life::new(testbed).call(testbed, call, "running")?;
        let _ = testbed.peer().stall_tx(false);
        let when = format!("{} of a running device: expected nothing to be dropped", call.name());
        let result = testbed.receive_all().and_then(|()| testbed.peer_receives_all());
        during(&when, attribute(testbed.requirement, result))?;
        let lost = testbed.stats().delta_since(&before);
        ensure!(
            lost.rx_lost() == 0 && lost.tx_lost() == 0,
            testbed.requirement,
            "{when}, counted as lost: {} received, {} to be sent",
            lost.rx_lost(),
            lost.tx_lost()
        );
    }
    testbed.check_accounting()
}

pub(super) fn control_frames_pending_delivered_or_counted(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let calls = require_calls(testbed, &["start"])?;
    testbed.wait_link(true)?;
    testbed.allow_tx_gaps();
    let own = testbed.dev.mac_address();
    let exact = |testbed: &Testbed<'_>, reason| testbed.caps.coverage.of(reason) == Counted::Exactly;
    for call in calls {
        let mut life = Life::new(testbed);
        let when = format!("{} with pending frames", call.name());
        let before = testbed.stats();
        let delivered = testbed.rx_delivered();
        let (burst, queued) = make_pending(testbed)?;
        testbed.provoke_rx(&[LossReason::RxReset, LossReason::RxFiltered]);
        let result = ask(testbed, |c| call.run(c))?;
        let _ = testbed.peer().stall_tx(false);
        match result {
            Ok(outcome) => life = life.after(call, outcome),
            // A stalled transmitter may stall requests to the chip, too.
            Err(_) => life.call(testbed, call, &when)?,
        }
        life.start(testbed, &when)?;
        testbed.wait_link(true)?;
        testbed.drain_with_gaps()?;
        testbed.peer_receives_all()?;
        let lost = testbed.stats().delta_since(&before);
        let delivered = testbed.rx_delivered() - delivered;
        ensure!(
            delivered + lost.rx_reset + lost.rx_filtered == burst as u32 || !exact(testbed, LossReason::RxReset),
            testbed.requirement,
            "{when}: {burst} received and {delivered} of them delivered: expected the others in rx_reset or rx_filtered, found {}",
            lost.rx_reset + lost.rx_filtered
        );
        let (sent, dropped) = (lost.tx_frames, lost.tx_reset + lost.tx_aborted);
        ensure!(
            sent + dropped == queued as u32
                || !exact(testbed, LossReason::TxReset)
                || !exact(testbed, LossReason::TxAborted),
            testbed.requirement,
            "{when}: {queued} accepted and {sent} of them sent: expected the others in tx_reset or tx_aborted, found {dropped}"
        );
        for call in [
            ControlCall::SetMacAddress(own),
            ControlCall::SetRxFilter(RxFilter::DEFAULT),
        ] {
            if life.address != own || life.filter != RxFilter::DEFAULT {
                match ask(testbed, |c| call.run(c))? {
                    Ok(_) | Err(ErrorKind::Unsupported) => {}
                    Err(e) => return testbed.fail(format!("{}: {e:?}", call.name())),
                }
            }
        }
        during(&when, attribute(testbed.requirement, testbed.warm_up()))?;
    }
    testbed.check_accounting()
}

/// How a device comes into a fault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Chip,
    Bus,
}

pub(super) fn recover_after_fault_settings_and_state_kept(testbed: &mut Testbed<'_>) -> CheckResult {
    recover_keeps(testbed, Cause::Chip)
}

pub(super) fn recover_after_bus_failure_settings_and_state_kept(testbed: &mut Testbed<'_>) -> CheckResult {
    recover_keeps(testbed, Cause::Bus)
}

fn recover_keeps(testbed: &mut Testbed<'_>, cause: Cause) -> CheckResult {
    if cause == Cause::Bus {
        testbed.peer().fail_bus(false)?;
    }
    testbed.warm_up()?;
    let calls = require_calls(testbed, &["recover", "set_rx_filter"])?;
    testbed.wait_link(true)?;
    testbed.allow_tx_gaps();
    testbed.allow_rx_gaps(LossReason::RxReset);
    testbed.provoke_rx(&[LossReason::RxError]);
    let mut life = Life::new(testbed);
    let own = life.address;
    for filter in FILTERS {
        match ask(testbed, |c| c.set_rx_filter(filter))? {
            Ok(outcome) => life = life.after(ControlCall::SetRxFilter(filter), outcome),
            Err(ErrorKind::Unsupported) => continue,
            Err(e) => return testbed.fail(format!("set_rx_filter({filter:?}): {e:?}")),
        }
        if calls.contains(&ControlCall::SetMacAddress(NEW_ADDRESS)) {
            let address = if life.address == own { NEW_ADDRESS } else { own };
            life.call(testbed, ControlCall::SetMacAddress(address), "running")?;
        }
        for leave in [
            &[][..],
            &[ControlCall::Stop],
            &[ControlCall::Sleep],
            &[ControlCall::Stop, ControlCall::Sleep],
        ] {
            if leave.iter().any(|call| !calls.contains(call)) {
                continue;
            }
            for &call in leave {
                life.call(testbed, call, "running")?;
            }
            let running = life.state == State::Running;
            fault(testbed, cause, running)?;
            let when = format!("after recover from a fault in {:?}", life.state);
            life.call(testbed, ControlCall::Recover, &when)?;
            if life.state == State::Running {
                testbed.wait_link(true)?;
                testbed.drain_with_gaps()?;
            } else {
                during(&when, check_no_traffic(testbed, "no traffic"))?;
                if let State::Asleep { .. } = life.state {
                    life.call(testbed, ControlCall::Wake, &when)?;
                    life.check_state(testbed, &when)?;
                }
                life.start(testbed, &when)?;
                testbed.wait_link(true)?;
            }
            life.check_traffic(testbed, &when)?;
        }
    }
    testbed.check_accounting()
}

/// Brings the device into a fault. One that runs notices it.
fn fault(testbed: &mut Testbed<'_>, cause: Cause, running: bool) -> CheckResult {
    match cause {
        Cause::Chip => {
            testbed.peer().inject_fault()?;
            if running {
                notice_fault(testbed)?;
            }
        }
        Cause::Bus => {
            testbed.peer().fail_bus(true)?;
            let result = ask(testbed, |c| c.recover())?;
            testbed.peer().fail_bus(false)?;
            // A device that is stopped or asleep may have no power.
            ensure!(
                result.is_err() || !running,
                requirement::DEVICE_10,
                "recover on a bus that fails: expected an error, found {result:?}"
            );
        }
    }
    Ok(())
}
