//! Reception of one frame.

use core::time::Duration;

use ethdev_sim::random::Rng;

use crate::config::{FalseCarrier, MidFrame};
use crate::context::{BYTE_TIME, Context, MIN_LEN_WITH_FCS, Timer};
use crate::event::{Event, Interrupts};
use crate::violations::ViolationKind;

/// Two bits at 100 Mbit/s.
const DIBIT_TIME: Duration = Duration::from_nanos(20);

/// What a receiver that has stopped returns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RxDone<B> {
    /// The buffer.
    pub buffer: B,
    /// Number of whole bytes received, with the FCS and whatever followed it; 0 for carrier without
    /// a frame. At most the length of the buffer, unless
    /// [overridden](crate::RmiiPort::override_rx_len).
    pub len: usize,
}

/// ```text
///   Idle ── start ──> Armed ── last bit ──> Ending ── event ──> Done ── taken ──> Idle
///    ^                  │                      │
///    └───── stop ───────┴──────────────────────┘
/// ```
enum State<B> {
    Idle,
    Armed {
        buffer: B,
        since: Duration,
        hung: bool,
    },
    /// `is_frame`: a frame came in, not only carrier.
    Ending {
        done: RxDone<B>,
        is_frame: bool,
    },
    Done(RxDone<B>),
}

/// The receiver.
pub(crate) struct Rx<B> {
    state: State<B>,
    /// Counts ends, so that the timer of one that was stopped has no effect.
    generation: u64,
    len_override: Option<usize>,
    end_rng: Rng,
    stray_rng: Rng,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Rx<B> {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: State::Idle,
            generation: 0,
            len_override: None,
            end_rng: Rng::new(seed, 0x105_0001),
            stray_rng: Rng::new(seed, 0x105_0002),
        }
    }

    pub(crate) fn start(&mut self, context: &mut Context, buffer: B) -> Result<(), B> {
        let violation = match &self.state {
            State::Armed { .. } | State::Ending { .. } => {
                Some((ViolationKind::RxStartedTwice, "the receiver is running"))
            }
            State::Done(_) => Some((ViolationKind::RxNotTaken, "the last frame was not taken")),
            State::Idle if buffer.as_ref().is_empty() => Some((ViolationKind::RxNoBuffer, "a buffer of 0 bytes")),
            State::Idle => None,
        };
        if let Some((kind, detail)) = violation {
            context.violation(kind, detail);
            return Err(buffer);
        }
        self.state = State::Armed {
            buffer,
            since: context.now(),
            hung: false,
        };
        Ok(())
    }

    pub(crate) fn stop(&mut self, context: &mut Context) -> Option<B> {
        match core::mem::replace(&mut self.state, State::Idle) {
            State::Armed { buffer, .. } => Some(buffer),
            State::Ending { done, is_frame } => {
                self.generation += 1;
                context.stats.stopped += u64::from(is_frame);
                Some(done.buffer)
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    pub(crate) fn take(&mut self) -> Option<RxDone<B>> {
        match core::mem::replace(&mut self.state, State::Idle) {
            State::Done(done) => Some(done),
            other => {
                self.state = other;
                None
            }
        }
    }

    pub(crate) const fn is_receiving(&self) -> bool {
        matches!(self.state, State::Armed { .. } | State::Ending { .. })
    }

    pub(crate) const fn is_done(&self) -> bool {
        matches!(self.state, State::Done(_))
    }

    pub(crate) const fn override_len(&mut self, len: usize) {
        self.len_override = Some(len);
    }

    /// The last bit of a frame came in.
    pub(crate) fn frame_ends(&mut self, context: &mut Context, frame: &[u8]) {
        let began = context.now().saturating_sub(BYTE_TIME * frame.len() as u32);
        self.receive(context, frame, began);
    }

    /// A frame arrives in no time, without the medium.
    pub(crate) fn inject(&mut self, context: &mut Context, interrupts: &mut Interrupts, frame: &[u8]) {
        self.receive(context, frame, context.now());
        self.generation += 1;
        self.finish(context, interrupts);
    }

    /// A frame ends of which the first bit after the delimiter came in at `began`.
    fn receive(&mut self, context: &mut Context, frame: &[u8], began: Duration) {
        context.stats.arrived += 1;
        let (mut buffer, since) = match core::mem::replace(&mut self.state, State::Idle) {
            State::Armed {
                buffer,
                since,
                hung: false,
            } => (buffer, since),
            other => {
                self.state = other;
                context.stats.unarmed += 1;
                return;
            }
        };
        let partial;
        let mut data = frame;
        if since > began {
            partial = match context.config.mid_frame {
                MidFrame::Waits => None,
                MidFrame::ReceivesPartial => partial_frame(frame, since - began),
            };
            let Some(partial) = &partial else {
                self.state = State::Armed {
                    buffer,
                    since,
                    hung: false,
                };
                context.stats.unarmed += 1;
                return;
            };
            context.stats.partial += 1;
            data = partial;
        }
        let mut data = data.to_vec();
        context.stats.runts += u64::from(data.len() < MIN_LEN_WITH_FCS);
        let stray_byte = context.config.stray_byte;
        if stray_byte > 0.0 && self.stray_rng.chance(stray_byte) {
            context.stats.stray_bytes += 1;
            data.push(self.stray_rng.below(256) as u8);
        }
        let capacity = buffer.as_mut();
        context.stats.truncated += u64::from(data.len() > capacity.len());
        let len = data.len().min(capacity.len());
        capacity[..len].copy_from_slice(&data[..len]);
        self.end_with(context, buffer, len, true);
    }

    /// The receiver has seen the end of a carrier; its event comes a little later.
    fn end_with(&mut self, context: &mut Context, buffer: B, len: usize, is_frame: bool) {
        let len = self.len_override.take().unwrap_or(len);
        self.state = State::Ending {
            done: RxDone { buffer, len },
            is_frame,
        };
        self.generation += 1;
        let generation = self.generation;
        let latest = context.config.end_latency.as_nanos() as usize;
        let late = Duration::from_nanos(self.end_rng.below(latest + 1) as u64);
        context.timer_in(late, Timer::RxEnd { generation });
    }

    pub(crate) fn event_due(&mut self, context: &mut Context, interrupts: &mut Interrupts, generation: u64) {
        if self.generation == generation {
            self.finish(context, interrupts);
        }
    }

    fn finish(&mut self, context: &mut Context, interrupts: &mut Interrupts) {
        match core::mem::replace(&mut self.state, State::Idle) {
            State::Ending { done, is_frame } => {
                context.stats.received += u64::from(is_frame);
                self.state = State::Done(done);
                interrupts.raise(Event::Received);
            }
            other => self.state = other,
        }
    }

    /// A carrier of this length ends that brought no frame.
    pub(crate) fn false_carrier_ends(&mut self, context: &mut Context, length: Duration) {
        let State::Armed { since, hung, .. } = &mut self.state else {
            return;
        };
        if *hung || *since + length > context.now() {
            return;
        }
        context.stats.false_carriers += 1;
        match context.config.false_carrier {
            FalseCarrier::Ignores => {}
            FalseCarrier::Hangs => *hung = true,
            FalseCarrier::Ends => {
                if let State::Armed { buffer, .. } = core::mem::replace(&mut self.state, State::Idle) {
                    self.end_with(context, buffer, 0, false);
                }
            }
        }
    }
}

/// What a receiver that starts `late` after the start-of-frame delimiter receives: the whole bytes
/// after the next dibit with its upper bit set. `None` where there is no such dibit.
fn partial_frame(frame: &[u8], late: Duration) -> Option<Vec<u8>> {
    let first = late.as_nanos().div_ceil(DIBIT_TIME.as_nanos()) as usize;
    let dibits = || {
        frame
            .iter()
            .flat_map(|byte| (0..4).map(move |dibit| byte >> (2 * dibit) & 0b11))
            .skip(first)
    };
    let trigger = dibits().position(|dibit| dibit & 0b10 != 0)?;
    let data: Vec<u8> = dibits().skip(trigger + 1).collect();
    Some(
        data.chunks_exact(4)
            .map(|byte| byte.iter().rev().fold(0, |value, dibit| value << 2 | dibit))
            .collect(),
    )
}
