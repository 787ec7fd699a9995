//! `run()` dropped after every possible number of polls.

use std::collections::VecDeque;
use std::pin::pin;

use crate::chip::{Chip, Task, Waits, frame, number};
use ethdev::{ErrorKind, EthernetDevice};
use ethdev_util::channel::Channel;

const FRAMES: usize = 5;

/// What came of a run.
struct Outcome {
    /// Numbers of the frames that the stack received.
    received: Vec<usize>,
    /// Numbers of the frames that the chip sent.
    sent: Vec<usize>,
    /// Frames that the chip lost because a call was dropped.
    reset: usize,
    /// Polls of the last `run()`, the one that was not dropped.
    polls: usize,
}

/// Moves five frames each way through queues of two. The first futures of `run()` are dropped after as many polls as `cuts` says; the stack acts after each
/// `lazy`th poll.
fn five_each_way(waits: Waits, lazy: usize, cuts: &[usize]) -> Outcome {
    let chip = Chip::new(waits);
    for n in 0..FRAMES {
        chip.arrives(frame(n, 60));
    }
    let mut to_send: VecDeque<_> = (0..FRAMES).map(|n| frame(100 + n, 60)).collect();
    let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 2]);
    let mut pump = Channel::new();
    let (mut runner, mut stack) = pump.split(chip.clone(), &mut rx, &mut tx);
    let task = Task::new();
    let (mut received, mut total) = (Vec::new(), 0);
    for cut in cuts.iter().map(|cut| Some(*cut)).chain([None]) {
        let mut run = pin!(runner.run());
        task.wake();
        let mut polls = 0;
        while Some(polls) != cut {
            assert!(task.poll(run.as_mut()).is_pending());
            polls += 1;
            total += 1;
            let mut stack_acted = false;
            if total % lazy == 0 {
                let mut buf = [0; 100];
                if let Some(meta) = stack.recv_frame(&mut buf).unwrap() {
                    received.push(number(&buf[..meta.len]));
                    stack_acted = true;
                }
                if let Some(frame) = to_send.front() {
                    match stack.send_frame(frame) {
                        Ok(()) => {
                            to_send.pop_front();
                            stack_acted = true;
                        }
                        Err(e) => assert_eq!(e, ErrorKind::Busy),
                    }
                }
            }
            if cut.is_none() && !task.is_woken() && !stack_acted && total % lazy == 0 {
                // Everything waits: it is over.
                let stats = stack.stats();
                assert_eq!(stats.rx_frames as usize, received.len());
                assert_eq!(stats.tx_frames as usize, chip.look(|state| state.sent.len()));
                assert_eq!(stats.rx_frames + stats.rx_lost(), FRAMES as u32, "{stats:?}");
                return Outcome {
                    received,
                    sent: chip.look(|state| state.sent.iter().map(|frame| number(frame)).collect()),
                    reset: stats.rx_reset as usize,
                    polls,
                };
            }
            assert!(polls < 1_000, "it does not end");
        }
    }
    unreachable!("the last run is not dropped")
}

/// Two cuts, each at every poll that there is.
fn every_cut(waits: Waits, check: impl Fn(&Outcome, usize)) {
    for lazy in [1, 2, 5] {
        let uncut = five_each_way(waits, lazy, &[]);
        check(&uncut, 0);
        for first in 0..=uncut.polls {
            for second in 0..=uncut.polls {
                check(&five_each_way(waits, lazy, &[first, second]), 2);
            }
        }
    }
}

fn all(start: usize) -> Vec<usize> {
    (start..start + FRAMES).collect()
}

#[test]
fn a_device_that_ends_with_the_deed_neither_loses_nor_repeats() {
    for before in 0..3 {
        every_cut(Waits { before, after: 0 }, |outcome, _| {
            assert_eq!(outcome.received, all(0));
            assert_eq!(outcome.sent, all(100));
            assert_eq!(outcome.reset, 0);
        });
    }
}

#[test]
fn a_device_that_waits_after_the_deed_loses_only_what_it_counts_and_repeats_only_what_was_cut() {
    every_cut(Waits { before: 1, after: 2 }, |outcome, cuts| {
        // Received: what the chip took out and did not deliver, it counts; the pump had not accepted it.
        assert!(outcome.reset <= cuts);
        assert_eq!(outcome.received.len() + outcome.reset, FRAMES);
        assert!(outcome.received.is_sorted_by(|a, b| a < b), "{:?}", outcome.received);
        // Sent: each at least once, in order, and again only where a cut left the outcome open.
        let mut once = outcome.sent.clone();
        once.dedup();
        assert_eq!(once, all(100));
        assert!(outcome.sent.len() <= FRAMES + cuts);
    });
}

#[test]
fn the_check_sees_cuts_that_matter() {
    // Else the test above would pass with a driver that never waits.
    let waits = Waits { before: 1, after: 2 };
    let uncut = five_each_way(waits, 1, &[]);
    let outcomes: Vec<_> = (0..=uncut.polls).map(|cut| five_each_way(waits, 1, &[cut])).collect();
    assert!(outcomes.iter().any(|outcome| outcome.reset == 1));
    assert!(outcomes.iter().any(|outcome| outcome.sent.len() == FRAMES + 1));
}
