//! Any schedule of chip, runner and stack: no frame lost, none made up, the books balanced, and nobody left asleep.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use crate::chip::{Chip, MAX, Task, Waits, frame, number};
use ethdev::*;
use ethdev_util::channel::{Channel, Endpoint};
use proptest::prelude::*;

/// Longest frame that the pump's receive buffers take.
const FITS: usize = 80;

#[derive(Debug, Clone)]
enum Step {
    /// The runner's task runs, if it was woken, for so many polls.
    Run(usize),
    /// `run()` is dropped where it is, and called anew.
    Cut,
    /// A frame of this length arrives at the chip.
    Arrive(usize),
    /// The chip has room for so many more frames.
    Room(usize),
    Link(bool),
    Fail,
    Fetch,
    Discard,
    /// Looks at the next frame and leaves it.
    Peek,
    Send(usize),
    /// Reserves and drops.
    Reserve,
    Service,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_usize..8).prop_map(Step::Run),
        2 => Just(Step::Cut),
        4 => (14..=MAX).prop_map(Step::Arrive),
        2 => (0_usize..4).prop_map(Step::Room),
        1 => any::<bool>().prop_map(Step::Link),
        1 => Just(Step::Fail),
        3 => Just(Step::Fetch),
        1 => Just(Step::Discard),
        1 => Just(Step::Peek),
        4 => (14..=MAX).prop_map(Step::Send),
        1 => Just(Step::Reserve),
        1 => Just(Step::Service),
    ]
}

/// What the stack did.
#[derive(Default)]
struct Stack {
    received: Vec<usize>,
    discarded: usize,
    accepted: Vec<usize>,
    next: usize,
}

impl Stack {
    fn fetch(&mut self, side: &mut Endpoint<'_, '_, 2, 2>) -> bool {
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
    let (mut rx, mut tx) = ([[0; FITS]; 2], [[0; MAX]; 2]);
    let mut pump = Channel::new();
    let (mut runner, mut side) = pump.split(chip.clone(), &mut rx, &mut tx);
    let (task, watcher) = (Task::new(), Task::new());
    let mut stack = Stack::default();
    let (mut arrived, mut cuts) = (0, 0);
    let mut steps = steps.iter();
    let mut finished = false;
    while !finished {
        let mut run: Pin<Box<dyn Future<Output = _>>> = Box::pin(runner.run());
        task.wake();
        loop {
            let Some(step) = steps.next() else {
                cuts += 1;
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
                Step::Cut => {
                    cuts += 1;
                    ended = true;
                }
                Step::Arrive(len) => {
                    chip.arrives(frame(arrived, len));
                    arrived += 1;
                }
                Step::Room(room) => chip.with(|state| state.room = room),
                Step::Link(up) => chip.with(|state| state.link = if up { Link::UP } else { Link::Down }),
                Step::Fail => chip.with(|state| state.fail_next = Some(ErrorKind::Bus)),
                Step::Fetch => {
                    stack.fetch(&mut side);
                }
                Step::Discard => stack.discarded += usize::from(side.discard_frame().unwrap()),
                Step::Peek => {
                    side.split().0.peek().unwrap();
                }
                Step::Send(len) => stack.send(&mut side, len),
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

    // The end: everything is made possible, each task runs only when it is woken, and all must come to rest with nothing left behind.
    chip.with(|state| (state.room, state.link, state.fail_next) = (usize::MAX, Link::UP, None));
    let mut run: Pin<Box<dyn Future<Output = _>>> = Box::pin(runner.run());
    task.wake();
    watcher.wake();
    while task.is_woken() || watcher.is_woken() {
        assert!(task.settle(run.as_mut()).is_pending());
        while watcher.poll(Box::pin(side.ready(Interest::RX)).as_mut()).is_ready() {
            stack.fetch(&mut side);
            watcher.wake();
        }
    }
    drop(run);

    chip.look(|state| {
        assert!(
            state.incoming.is_empty(),
            "a frame stays in the chip and everybody sleeps"
        );
        let stats = side.stats();

        // Received: in order, each once; what is missing is counted.
        assert!(stack.received.is_sorted_by(|a, b| a < b), "{:?}", stack.received);
        assert_eq!(stats.rx_frames as usize, stack.received.len());
        assert_eq!((stats.rx_frames + stats.rx_lost()) as usize, arrived, "{stats:?}");
        assert!(stats.rx_discarded as usize >= stack.discarded);
        if waits.after == 0 {
            assert_eq!(stats.rx_reset, 0, "nothing is lost by a cut");
        }

        // Sent: in order; each accepted frame is on the wire, or counted.
        let mut sent: Vec<_> = state.sent.iter().map(|frame| number(frame)).collect();
        assert_eq!(stats.tx_frames as usize, sent.len());
        let times = sent.len();
        sent.dedup();
        let repeated = times - sent.len();
        assert!(
            repeated <= if waits.after == 0 { 0 } else { cuts },
            "{repeated} repeated after {cuts} cuts"
        );
        assert!(sent.iter().all(|n| stack.accepted.contains(n)));
        assert!(sent.is_sorted_by(|a, b| a < b), "{sent:?}");
        let lost = stack.accepted.len() - sent.len();
        assert!(stats.tx_lost() as usize >= lost);
        assert!(
            stats.tx_lost() as usize <= lost + repeated_and_dropped(waits, cuts),
            "{stats:?}"
        );
        assert_eq!(stats.tx_reset, 0);
    });
}

/// A frame that went out when a call was cut, and was dropped when it was tried again with the link down, is in both books.
fn repeated_and_dropped(waits: Waits, cuts: usize) -> usize {
    if waits.after == 0 { 0 } else { cuts }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_schedule(before in 0_usize..3, after in 0_usize..2, steps in prop::collection::vec(step(), 0..120)) {
        check(Waits { before, after }, &steps);
    }
}
