//! The lifecycle of a device: its states, the calls that change them, and how checks observe them.

use ethdev::{ErrorKind, FilterOutcome, MacAddress, RxFilter};

use super::checks_control::{ask, check_no_traffic, filters};
use super::control_call::ControlCall;
use super::outcome::{CheckError, CheckResult, attribute, during, ensure};
use super::requirement;
use super::testbed::Testbed;

/// A state of the table of [`Control`](ethdev::Control).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Stopped,
    Running,
    /// Asleep. It was running, or stopped.
    Asleep {
        running: bool,
    },
}

/// What a device with a history of calls has to be like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life {
    pub state: State,
    pub address: MacAddress,
    pub filter: RxFilter<'static>,
    pub outcome: FilterOutcome,
}

impl Life {
    /// A running device, with its default filter.
    pub(super) fn new(testbed: &Testbed<'_>) -> Self {
        Self {
            state: State::Running,
            address: testbed.dev.mac_address(),
            filter: RxFilter::DEFAULT,
            outcome: FilterOutcome::Superset,
        }
    }

    /// After a call that returned `Ok`.
    pub(super) fn after(mut self, call: ControlCall, outcome: FilterOutcome) -> Self {
        match call {
            ControlCall::Start => self.state = State::Running,
            ControlCall::Stop => self.state = State::Stopped,
            ControlCall::Sleep => {
                self.state = match self.state {
                    State::Running => State::Asleep { running: true },
                    State::Stopped => State::Asleep { running: false },
                    asleep @ State::Asleep { .. } => asleep,
                }
            }
            ControlCall::Wake => {
                self.state = match self.state {
                    State::Asleep { running: true } => State::Running,
                    State::Asleep { running: false } => State::Stopped,
                    awake => awake,
                }
            }
            ControlCall::Recover => {}
            ControlCall::SetMacAddress(address) => self.address = address,
            ControlCall::SetRxFilter(filter) => (self.filter, self.outcome) = (filter, outcome),
        }
        self
    }

    /// Calls the device, which must succeed.
    pub(super) fn call(&mut self, testbed: &mut Testbed<'_>, call: ControlCall, when: &str) -> CheckResult {
        match ask(testbed, |c| call.run(c))? {
            Ok(outcome) => {
                *self = self.after(call, outcome);
                Ok(())
            }
            Err(e) => testbed.fail(format!("{when}: expected {} to succeed, found {e:?}", call.name())),
        }
    }

    /// Makes the device running. `wake` is not needed: `start` does so from any state.
    pub(super) fn start(&mut self, testbed: &mut Testbed<'_>, when: &str) -> CheckResult {
        if self.state == State::Running {
            return Ok(());
        }
        self.call(testbed, ControlCall::Start, when)
    }

    /// Compares what needs no frame from the peer: the address, and whether the device sends.
    pub(super) fn check_state(&self, testbed: &mut Testbed<'_>, when: &str) -> CheckResult {
        let address = testbed.dev.mac_address();
        ensure!(
            address == self.address,
            testbed.requirement,
            "{when}: expected mac_address() = {}, found {address}",
            self.address
        );
        let sent = testbed.try_send(100);
        if self.state == State::Running {
            ensure!(
                matches!(sent, Ok(()) | Err(ErrorKind::Busy | ErrorKind::LinkDown)),
                testbed.requirement,
                "{when}: expected the device to be running, send is {sent:?}"
            );
            return Ok(());
        }
        ensure!(
            sent == Err(ErrorKind::Stopped),
            testbed.requirement,
            "{when}: expected the device to be {:?} and send to be Stopped, found {sent:?}",
            self.state
        );
        ensure!(
            !testbed.dev.link().is_up(),
            testbed.requirement,
            "{when}: expected the link to be down ({:?}), found up",
            self.state
        );
        Ok(())
    }

    /// Compares everything: traffic in both directions, address and filter; or that there is no
    /// traffic.
    pub(super) fn check_traffic(&self, testbed: &mut Testbed<'_>, when: &str) -> CheckResult {
        let requirement = testbed.requirement;
        self.check_state(testbed, when)?;
        let result = if self.state == State::Running {
            let filter = requirement::CONTROL_4;
            testbed
                .wait_link(true)
                .and_then(|()| testbed.warm_up())
                .and_then(|()| filters(testbed, filter, self.filter, self.outcome, "traffic"))
        } else {
            check_no_traffic(testbed, when)
        };
        during(when, attribute(requirement, result))
    }
}

/// The calls that the device has. It is running, with its own address and default filter, before and
/// after.
pub(super) fn supported_calls(testbed: &mut Testbed<'_>) -> CheckResult<Vec<ControlCall>> {
    let own = testbed.dev.mac_address();
    let mut calls = vec![];
    for call in ControlCall::ALL {
        match ask(testbed, |c| call.run(c))? {
            Ok(_) => calls.push(call),
            Err(ErrorKind::Unsupported) => {}
            Err(e) => return testbed.fail(format!("{}: {e:?}", call.name())),
        }
    }
    for call in [
        ControlCall::SetMacAddress(own),
        ControlCall::SetRxFilter(RxFilter::DEFAULT),
        ControlCall::Start,
    ] {
        match ask(testbed, |c| call.run(c))? {
            Ok(_) | Err(ErrorKind::Unsupported) => {}
            Err(e) => return testbed.fail(format!("{}: {e:?}", call.name())),
        }
    }
    Ok(calls)
}

/// The calls of this list that the device has, or a skip that names the first one that it lacks.
pub(super) fn require_calls(testbed: &mut Testbed<'_>, needed: &[&str]) -> CheckResult<Vec<ControlCall>> {
    let calls = supported_calls(testbed)?;
    for name in needed {
        if !calls.iter().any(|call| call.name() == *name) {
            return Err(CheckError::Skip(format!("the device has no `{name}`")));
        }
    }
    Ok(calls)
}

/// A cyclic sequence in which each sequence of `len` of `count` symbols occurs once (de Bruijn), and
/// its beginning again: `count ^ len + len - 1` symbols.
pub(super) fn all_sequences(count: usize, len: usize) -> Vec<usize> {
    /// Appends the Lyndon words whose length divides `len`, in lexicographic order.
    fn extend(word: &mut [usize], at: usize, period: usize, count: usize, out: &mut Vec<usize>) {
        let len = word.len() - 1;
        if at > len {
            if len % period == 0 {
                out.extend(&word[1..=period]);
            }
            return;
        }
        word[at] = word[at - period];
        extend(word, at + 1, period, count, out);
        for symbol in word[at - period] + 1..count {
            word[at] = symbol;
            extend(word, at + 1, at, count, out);
        }
    }
    let mut out = vec![];
    extend(&mut vec![0; len + 1], 1, 1, count, &mut out);
    let beginning = out[..(len - 1).min(out.len())].to_vec();
    out.extend(beginning);
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::control_call::NEW_ADDRESS;

    #[test]
    fn all_sequences_each_contained() {
        for (count, len) in [(7, 4), (7, 3), (2, 4), (3, 1), (1, 2)] {
            let sequence = all_sequences(count, len);
            assert_eq!(sequence.len(), count.pow(len as u32) + len - 1);
            let found: BTreeSet<_> = sequence.windows(len).collect();
            assert_eq!(found.len(), count.pow(len as u32));
        }
    }

    #[test]
    fn after_follows_table() {
        let life = Life {
            state: State::Running,
            address: NEW_ADDRESS,
            filter: RxFilter::DEFAULT,
            outcome: FilterOutcome::Exact,
        };
        let state = |calls: &[ControlCall]| {
            calls
                .iter()
                .fold(life, |life, &call| life.after(call, FilterOutcome::Exact))
                .state
        };
        use ControlCall::{Recover, Sleep, Start, Stop, Wake};
        assert_eq!(state(&[Stop, Sleep, Recover, Wake]), State::Stopped);
        assert_eq!(state(&[Sleep, Sleep, Wake]), State::Running);
        assert_eq!(state(&[Sleep, Stop, Wake]), State::Stopped);
        assert_eq!(state(&[Stop, Sleep, Start]), State::Running);
        assert_eq!(state(&[Wake, Recover]), State::Running);
    }
}
