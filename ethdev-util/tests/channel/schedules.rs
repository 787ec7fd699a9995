//! Any schedule of chip, runner and endpoint: frames arrive in order, all are counted, and no
//! wake-up is lost.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use crate::chip::{Chip, MAX, Task, Waits, frame, number};
use ethdev::*;
use ethdev_util::channel::{Channel, Endpoint};
use proptest::prelude::*;

/// Length of the receive buffers of the channel.
const RX_LEN: usize = 80;

#[derive(Debug, Clone)]
enum Step {
    /// Polls the runner this number of times, if it is woken.
    Run(usize),
    /// Drops `run`, and calls it again.
    Drop,
    /// The chip receives a frame of this length.
    Receive(usize),
    /// Sets the number of frames that the chip accepts.
    TxCapacity(usize),
    Link(bool),
    Fail,
    Recv,
    Discard,
    /// Peeks at the next frame without releasing it.
    Peek,
    Send(usize),
    /// Reserves a buffer and drops it.
    Reserve,
    Service,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_usize..8).prop_map(Step::Run),
        2 => Just(Step::Drop),
        4 => (14..=MAX).prop_map(Step::Receive),
        2 => (0_usize..4).prop_map(Step::TxCapacity),
        1 => any::<bool>().prop_map(Step::Link),
        1 => Just(Step::Fail),
        3 => Just(Step::Recv),
        1 => Just(Step::Discard),
        1 => Just(Step::Peek),
        4 => (14..=MAX).prop_map(Step::Send),
        1 => Just(Step::Reserve),
        1 => Just(Step::Service),
    ]
}

/// The frames of the endpoint.
#[derive(Default)]
struct Log {
    received: Vec<usize>,
    discarded: usize,
    accepted: Vec<usize>,
    next: usize,
}

impl Log {
    fn recv(&mut self, side: &mut Endpoint<'_, '_, 2, 2>) -> bool {
        let mut buf = [0; MAX];
        let meta = side.recv_frame(&mut buf).unwrap();
        if let Some(meta) = meta {
            self.received.push(number(&buf[..meta.len]));
        }
        meta.is_some()
    }

    fn send(&mut self, side: &mut Endpoint<'_, '_, 2, 2>, len: usize) {
        let n = self.next;
        self.next += 1;
        match side.send_frame(&frame(n, len)) {
            Ok(()) => self.accepted.push(n),
            Err(e) => assert!(matches!(e, ErrorKind::Busy | ErrorKind::LinkDown), "{e}"),
        }
    }
}

fn check(waits: Waits, steps: &[Step]) {
    let chip = Chip::new(waits);
    let (mut rx, mut tx) = ([[0; RX_LEN]; 2], [[0; MAX]; 2]);
    let mut channel = Channel::new();
    let (mut runner, mut side) = channel.split(chip.clone(), &mut rx, &mut tx);
    let (task, watcher) = (Task::new(), Task::new());
    let mut log = Log::default();
    let (mut arrived, mut drops) = (0, 0);
    let mut steps = steps.iter();
    let mut finished = false;
    while !finished {
        let mut run: Pin<Box<dyn Future<Output = _>>> = Box::pin(runner.run());
        task.wake();
        loop {
            let Some(step) = steps.next() else {
                drops += 1;
                finished = true;
                break;
            };
            let mut ended = false;
            match *step {
                Step::Run(polls) => {
                    for _ in 0..polls {
                        match task.poll(run.as_mut()) {
                            Poll::Ready(Err(e)) => {
                                assert_eq!(e, ErrorKind::Bus);
                                ended = true;
                                break;
                            }
                            Poll::Ready(Ok(never)) => match never {},
                            Poll::Pending => {}
                        }
                    }
                }
                Step::Drop => {
                    drops += 1;
                    ended = true;
                }
                Step::Receive(len) => {
                    chip.receive_frame(frame(arrived, len));
                    arrived += 1;
                }
                Step::TxCapacity(frames) => chip.with(|state| state.tx_capacity = frames),
                Step::Link(up) => chip.with(|state| state.link = if up { Link::UP } else { Link::Down }),
                Step::Fail => chip.with(|state| state.fail_next = Some(ErrorKind::Bus)),
                Step::Recv => {
                    log.recv(&mut side);
                }
                Step::Discard => log.discarded += usize::from(side.discard_frame().unwrap()),
                Step::Peek => {
                    side.split().0.peek().unwrap();
                }
                Step::Send(len) => log.send(&mut side, len),
                Step::Reserve => {
                    side.split().1.reserve(14).unwrap();
                }
                Step::Service => {
                    side.service().unwrap();
                }
            }
            if ended {
                break;
            }
        }
    }

    // At the end the chip works, and each task runs only after a wake-up. All frames must be moved.
    chip.with(|state| (state.tx_capacity, state.link, state.fail_next) = (usize::MAX, Link::UP, None));
    let mut run: Pin<Box<dyn Future<Output = _>>> = Box::pin(runner.run());
    task.wake();
    watcher.wake();
    let mut wakes = 0;
    while task.is_woken() || watcher.is_woken() {
        assert!(task.settle(run.as_mut()).is_pending());
        while watcher.poll(Box::pin(side.ready(Interest::RX)).as_mut()).is_ready() {
            log.recv(&mut side);
            watcher.wake();
            wakes += 1;
            assert!(wakes < 10_000, "ready without a frame");
        }
    }
    drop(run);

    chip.read(|state| {
        assert!(
            state.incoming.is_empty(),
            "a frame is left in the chip and no task is woken"
        );
        let stats = side.stats();

        // Received: in order, each once; lost frames are counted.
        assert!(log.received.is_sorted_by(|a, b| a < b), "{:?}", log.received);
        assert_eq!(stats.rx_frames as usize, log.received.len());
        assert_eq!((stats.rx_frames + stats.rx_lost()) as usize, arrived, "{stats:?}");
        assert!(stats.rx_discarded as usize >= log.discarded);
        if waits.after == 0 {
            assert_eq!(stats.rx_reset, 0, "frames lost by a dropped call");
        }

        // Sent: in order; each accepted frame was sent, or is counted as lost.
        let mut sent: Vec<_> = state.sent.iter().map(|frame| number(frame)).collect();
        assert_eq!(stats.tx_frames as usize, sent.len());
        let total = sent.len();
        sent.dedup();
        let repeated = total - sent.len();
        assert!(
            repeated <= if waits.after == 0 { 0 } else { drops },
            "{repeated} frames repeated after {drops} dropped calls"
        );
        assert!(sent.iter().all(|n| log.accepted.contains(n)));
        assert!(sent.is_sorted_by(|a, b| a < b), "{sent:?}");
        let lost = log.accepted.len() - sent.len();
        assert!(stats.tx_lost() as usize >= lost);
        assert!(
            stats.tx_lost() as usize <= lost + sent_and_lost(waits, drops),
            "{stats:?}"
        );
        assert_eq!(stats.tx_reset, 0);
    });
}

/// A frame that was sent by a dropped call, and lost when it was sent again with the link down, is
/// counted as both.
fn sent_and_lost(waits: Waits, drops: usize) -> usize {
    if waits.after == 0 { 0 } else { drops }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn run_any_schedule_all_frames_moved_or_counted(before in 0_usize..3, after in 0_usize..2, steps in prop::collection::vec(step(), 0..120)) {
        check(Waits { before, after }, &steps);
    }
}
