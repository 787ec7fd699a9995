//! `run` dropped after every possible number of polls.

use std::collections::VecDeque;
use std::pin::pin;

use crate::chip::{Chip, Task, Waits, frame, number};
use ethdev::{ErrorKind, EthernetDevice};
use ethdev_util::channel::Channel;

const FRAMES: usize = 5;

/// The result of a run.
struct Outcome {
    /// Numbers of the frames that the endpoint received.
    received: Vec<usize>,
    /// Numbers of the frames that the chip sent.
    sent: Vec<usize>,
    /// Number of frames that the chip lost because a call was dropped.
    reset: usize,
    /// Number of polls of the last `run`, which was not dropped.
    polls: usize,
}

/// Moves five frames in each direction through queues of two. The futures of `run` are dropped
/// after the numbers of polls in `drops`; the endpoint is used after every `period`-th poll.
fn move_five_frames(waits: Waits, period: usize, drops: &[usize]) -> Outcome {
    let chip = Chip::new(waits);
    for n in 0..FRAMES {
        chip.receive_frame(frame(n, 60));
    }
    let mut to_send: VecDeque<_> = (0..FRAMES).map(|n| frame(100 + n, 60)).collect();
    let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 2]);
    let mut channel = Channel::new();
    let (mut runner, mut stack) = channel.split(chip.clone(), &mut rx, &mut tx);
    let task = Task::new();
    let (mut received, mut total) = (Vec::new(), 0);
    for drop_after in drops.iter().map(|polls| Some(*polls)).chain([None]) {
        let mut run = pin!(runner.run());
        task.wake();
        let mut polls = 0;
        while Some(polls) != drop_after {
            assert!(task.poll(run.as_mut()).is_pending());
            polls += 1;
            total += 1;
            assert!(total < 100_000, "the frames are never moved");
            let mut endpoint_used = false;
            if total % period == 0 {
                let mut buf = [0; 100];
                if let Some(meta) = stack.recv_frame(&mut buf).unwrap() {
                    received.push(number(&buf[..meta.len]));
                    endpoint_used = true;
                }
                if let Some(frame) = to_send.front() {
                    match stack.send_frame(frame) {
                        Ok(()) => {
                            to_send.pop_front();
                            endpoint_used = true;
                        }
                        Err(e) => assert_eq!(e, ErrorKind::Busy),
                    }
                }
            }
            if drop_after.is_none() && !task.is_woken() && !endpoint_used && total % period == 0 {
                // No task is woken: the run is complete.
                let stats = stack.stats();
                assert_eq!(stats.rx_frames as usize, received.len());
                assert_eq!(stats.tx_frames as usize, chip.read(|state| state.sent.len()));
                assert_eq!(stats.rx_frames + stats.rx_lost(), FRAMES as u32, "{stats:?}");
                return Outcome {
                    received,
                    sent: chip.read(|state| state.sent.iter().map(|frame| number(frame)).collect()),
                    reset: stats.rx_reset as usize,
                    polls,
                };
            }
            assert!(polls < 1_000, "too many polls");
        }
    }
    unreachable!("the last run is not dropped")
}

/// Drops `run` twice, after every possible number of polls.
fn drop_everywhere(waits: Waits, check: impl Fn(&Outcome, usize)) {
    for period in [1, 2, 5] {
        let complete = move_five_frames(waits, period, &[]);
        check(&complete, 0);
        for first in 0..=complete.polls {
            for second in 0..=complete.polls {
                check(&move_five_frames(waits, period, &[first, second]), 2);
            }
        }
    }
}

fn all(start: usize) -> Vec<usize> {
    (start..start + FRAMES).collect()
}

#[test]
fn run_dropped_no_wait_after_effect_no_loss_no_repetition() {
    for before in 0..3 {
        drop_everywhere(Waits { before, after: 0 }, |outcome, _| {
            assert_eq!(outcome.received, all(0));
            assert_eq!(outcome.sent, all(100));
            assert_eq!(outcome.reset, 0);
        });
    }
}

#[test]
fn run_dropped_wait_after_effect_loss_counted_repetition_bounded() {
    drop_everywhere(Waits { before: 1, after: 2 }, |outcome, drops| {
        // Received: the chip counts frames that it did not deliver.
        assert!(outcome.reset <= drops);
        assert_eq!(outcome.received.len() + outcome.reset, FRAMES);
        assert!(outcome.received.is_sorted_by(|a, b| a < b), "{:?}", outcome.received);
        // Sent: each at least once, in order, and again only after a dropped call.
        let mut once = outcome.sent.clone();
        once.dedup();
        assert_eq!(once, all(100));
        assert!(outcome.sent.len() <= FRAMES + drops);
    });
}

#[test]
fn move_five_frames_dropped_loses_and_repeats() {
    // Otherwise the test above would pass with a driver that never waits.
    let waits = Waits { before: 1, after: 2 };
    let complete = move_five_frames(waits, 1, &[]);
    let outcomes: Vec<_> = (0..=complete.polls)
        .map(|polls| move_five_frames(waits, 1, &[polls]))
        .collect();
    assert!(outcomes.iter().any(|outcome| outcome.reset == 1));
    assert!(outcomes.iter().any(|outcome| outcome.sent.len() == FRAMES + 1));
}
