//! A call of the device in which something happens at the n-th point: an access fails, or the future
//! is dropped at a poll.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ethdev::{ErrorKind, FilterOutcome};

use super::checks_control::ask;
use super::control_call::ControlCall;
use super::dut::Pending;
use super::fixture::LinkPeer;
use super::frames::Random;
use super::outcome::{CheckError, CheckResult};
use super::testbed::Testbed;

/// Points at the beginning and at the end of a call that are all tried.
const FIRST: u64 = 200;
const LAST: u64 = 200;
/// Points between them.
const SAMPLE: u64 = 40;
/// Accesses of all trials of one call together, for calls that make thousands.
const BUDGET: u64 = 150_000;

/// The points of a call that has `total`.
pub(super) fn points(total: u64) -> Vec<u64> {
    let share = (BUDGET / total.max(1)).clamp(20, FIRST + LAST + SAMPLE);
    let (first, last, sample) = (
        share * FIRST / (FIRST + LAST + SAMPLE),
        share * LAST / (FIRST + LAST + SAMPLE),
        share * SAMPLE / (FIRST + LAST + SAMPLE),
    );
    if total <= first + last + sample {
        return (0..total).collect();
    }
    let mut random = Random::new(total);
    let mut points: Vec<_> = (0..first).chain(total - last..total).collect();
    points.extend((0..sample).map(|_| random.between(first as usize, (total - last) as usize) as u64));
    points.sort_unstable();
    points.dedup();
    points
}

/// What happens at the n-th point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strike {
    /// The n-th access to the chip fails.
    Access,
    /// The future is dropped at the n-th poll.
    Poll,
}

/// A call of the pull API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataCall {
    RecvFrame,
    DiscardFrame,
    TxReady,
    SendFrame,
    Service,
}

impl DataCall {
    pub(super) const ALL: [Self; 5] = [
        Self::RecvFrame,
        Self::DiscardFrame,
        Self::TxReady,
        Self::SendFrame,
        Self::Service,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RecvFrame => "recv_frame",
            Self::DiscardFrame => "discard_frame",
            Self::TxReady => "tx_ready",
            Self::SendFrame => "send_frame",
            Self::Service => "service",
        }
    }
}

/// How a call ended.
#[derive(Debug)]
pub(super) struct Struck<T> {
    /// `None`: its future was dropped.
    pub result: Option<Result<T, ErrorKind>>,
    /// The points that the call passed, the n-th one included.
    pub points: u64,
}

impl Strike {
    /// Skips the check if the fixture or the API lacks what is needed.
    pub(super) fn require(self, testbed: &mut Testbed<'_>) -> CheckResult {
        match self {
            Self::Access => {
                testbed.peer().accesses()?;
                testbed.peer().fail_bus_at(0)?;
                testbed.peer().cancel_access_events();
            }
            Self::Poll if testbed.dev.futures().is_none() => {
                return Err(CheckError::Skip("not an async API".into()));
            }
            Self::Poll => {}
        }
        Ok(())
    }

    /// The condition of a failure.
    pub(super) fn when(self, call: &str, nth: u64) -> String {
        match self {
            Self::Access => format!("{call} of which access {nth} failed"),
            Self::Poll => format!("{call} that was dropped at poll {nth}"),
        }
    }

    /// Calls a method of `Control`.
    pub(super) fn control(
        self,
        testbed: &mut Testbed<'_>,
        call: ControlCall,
        nth: Option<u64>,
    ) -> CheckResult<Struck<FilterOutcome>> {
        match self {
            Self::Access => failing(testbed, nth, |testbed| ask(testbed, |c| call.run(c))),
            Self::Poll => {
                let peer = testbed.peer_cell();
                let future = testbed.dev.futures().and_then(|device| device.control(call));
                let future = future.ok_or_else(|| CheckError::Skip("the API has no management".into()))?;
                Ok(poll_until(peer, nth, future))
            }
        }
    }

    /// Calls a method of the pull API. Returns the received frame, or an empty one if `true` was
    /// returned.
    pub(super) fn data(
        self,
        testbed: &mut Testbed<'_>,
        call: DataCall,
        frame: &[u8],
        nth: Option<u64>,
    ) -> CheckResult<Struck<Option<Vec<u8>>>> {
        let mut buf = vec![0; testbed.rx_max() + 64];
        let flag = |value: bool| value.then(Vec::new);
        match self {
            Self::Access => failing(testbed, nth, |testbed| {
                let dev = &mut *testbed.dev;
                Ok(match call {
                    DataCall::RecvFrame => dev
                        .recv_frame(&mut buf)
                        .map(|meta| meta.map(|meta| buf[..meta.len].to_vec())),
                    DataCall::DiscardFrame => dev.discard_frame().map(flag),
                    DataCall::TxReady => dev.tx_ready().map(flag),
                    DataCall::SendFrame => dev.send_frame(frame).map(|()| None),
                    DataCall::Service => dev.service().map(|_| None),
                })
            }),
            Self::Poll => {
                let peer = testbed.peer_cell();
                let device = testbed
                    .dev
                    .futures()
                    .ok_or_else(|| CheckError::Skip("not an async API".into()))?;
                Ok(match call {
                    DataCall::RecvFrame => {
                        let struck = poll_until(peer, nth, device.recv_frame(&mut buf));
                        struck.map(|meta| meta.map(|meta| buf[..meta.len].to_vec()))
                    }
                    DataCall::DiscardFrame => poll_until(peer, nth, device.discard_frame()).map(flag),
                    DataCall::TxReady => poll_until(peer, nth, device.tx_ready()).map(flag),
                    DataCall::SendFrame => poll_until(peer, nth, device.send_frame(frame)).map(|()| None),
                    DataCall::Service => poll_until(peer, nth, device.service()).map(|_| None),
                })
            }
        }
    }
}

impl<T> Struck<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> Struck<U> {
        Struck {
            result: self.result.map(|result| result.map(f)),
            points: self.points,
        }
    }
}

/// Makes the `nth` access of a call fail.
fn failing<T>(
    testbed: &mut Testbed<'_>,
    nth: Option<u64>,
    call: impl FnOnce(&mut Testbed<'_>) -> CheckResult<Result<T, ErrorKind>>,
) -> CheckResult<Struck<T>> {
    let before = testbed.peer().accesses()?;
    if let Some(nth) = nth {
        testbed.peer().fail_bus_at(nth as u32)?;
    }
    let result = call(testbed)?;
    testbed.peer().cancel_access_events();
    let points = testbed.peer().accesses()? - before;
    Ok(Struck {
        result: Some(result),
        points,
    })
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Longest simulated time of a call.
const CALL_TIME: Duration = Duration::from_secs(60);
/// Time between two looks whether the future was woken.
const STEP: Duration = Duration::from_micros(50);
/// Polls without time passing, for a future that wakes itself.
const POLLS_PER_STEP: u32 = 4;

/// Polls a future whenever it was woken, and drops it if it is pending after the `nth` poll, counted
/// from 0.
fn poll_until<T>(peer: &RefCell<dyn LinkPeer>, nth: Option<u64>, mut future: Pending<'_, T>) -> Struck<T> {
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    let (mut polls, mut spins, mut passed) = (0, 0, Duration::ZERO);
    while passed < CALL_TIME {
        if spins < POLLS_PER_STEP && woken.0.swap(false, Ordering::AcqRel) {
            spins += 1;
            if let Poll::Ready(result) = Pin::new(&mut future).poll(&mut cx) {
                return Struck {
                    result: Some(result),
                    points: polls,
                };
            }
            polls += 1;
            if nth.is_some_and(|nth| polls > nth) {
                break;
            }
        } else {
            peer.borrow_mut().advance(STEP);
            passed += STEP;
            spins = 0;
        }
    }
    Struck {
        result: None,
        points: polls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_short_call_all() {
        assert_eq!(points(0), []);
        assert_eq!(points(3), [0, 1, 2]);
        assert_eq!(points(300).len(), 300);
    }

    #[test]
    fn points_long_call_first_last_and_between() {
        let points = points(2000);
        assert!(points.len() < 100);
        assert_eq!(points[..3], [0, 1, 2]);
        assert_eq!(points[points.len() - 2..], [1998, 1999]);
        assert!(points.iter().any(|point| (300..1700).contains(point)));
    }
}
