//! Reception: one frame, and then nothing until it is started again.

use core::time::Duration;

use super::config::{FalseCarrier, MidFrame};
use super::hardware::{BYTE_TIME, Model};
use super::{Event, RxDone, ViolationKind};

/// Shortest frame of Ethernet in bytes, with FCS.
const SHORTEST: usize = 64;
/// Two bits at 100 Mbit/s.
const DIBIT_TIME: Duration = Duration::from_nanos(20);

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
    /// `frame`: it was one, not just carrier.
    Ending {
        done: RxDone<B>,
        frame: bool,
    },
    Done(RxDone<B>),
}

pub(super) struct Rx<B> {
    state: State<B>,
    /// Counts ends, so that one that was stopped is not told.
    turn: u64,
    forged: Option<usize>,
}

impl<B> Default for Rx<B> {
    fn default() -> Self {
        Self {
            state: State::Idle,
            turn: 0,
            forged: None,
        }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]> + 'static> Model<B> {
    pub(super) fn start_rx(&mut self, buffer: B) -> Result<(), B> {
        let misuse = match &self.rx.state {
            State::Armed { .. } | State::Ending { .. } => Some((ViolationKind::RxStartedTwice, "the receiver runs")),
            State::Done(_) => Some((ViolationKind::RxNotTaken, "there is a frame to be taken")),
            State::Idle if buffer.as_ref().is_empty() => Some((ViolationKind::RxNoBuffer, "a buffer of no bytes")),
            State::Idle => None,
        };
        if let Some((kind, detail)) = misuse {
            self.violation(kind, detail);
            return Err(buffer);
        }
        self.rx.state = State::Armed {
            buffer,
            since: self.now(),
            hung: false,
        };
        Ok(())
    }

    pub(super) fn stop_rx(&mut self) -> Option<B> {
        match core::mem::replace(&mut self.rx.state, State::Idle) {
            State::Armed { buffer, .. } => Some(buffer),
            State::Ending { done, frame } => {
                self.rx.turn += 1;
                self.stats.stopped += u64::from(frame);
                Some(done.buffer)
            }
            other => {
                self.rx.state = other;
                None
            }
        }
    }

    pub(super) fn take_rx(&mut self) -> Option<RxDone<B>> {
        match core::mem::replace(&mut self.rx.state, State::Idle) {
            State::Done(done) => Some(done),
            other => {
                self.rx.state = other;
                None
            }
        }
    }

    pub(super) const fn is_receiving(&self) -> bool {
        matches!(self.rx.state, State::Armed { .. } | State::Ending { .. })
    }

    pub(super) const fn is_rx_done(&self) -> bool {
        matches!(self.rx.state, State::Done(_))
    }

    pub(super) fn forge(&mut self, len: usize) {
        self.rx.forged = Some(len);
    }

    /// The last bit of a frame came in.
    pub(super) fn frame_ends(&mut self, frame: &[u8]) {
        self.frame_came(frame, self.now().saturating_sub(BYTE_TIME * frame.len() as u32));
    }

    /// The same for a frame that comes past the medium, in no time.
    pub(super) fn frame_arrives(&mut self, frame: &[u8]) {
        self.frame_came(frame, self.now());
        self.rx.turn += 1;
        self.tell_end();
    }

    /// A frame that began, with its first bit after the delimiter, at this time is over.
    fn frame_came(&mut self, frame: &[u8], begun: Duration) {
        self.stats.arrived += 1;
        let (mut buffer, since) = match core::mem::replace(&mut self.rx.state, State::Idle) {
            State::Armed {
                buffer,
                since,
                hung: false,
            } => (buffer, since),
            other => {
                self.rx.state = other;
                self.stats.unarmed += 1;
                return;
            }
        };
        let rest;
        let mut data = frame;
        if since > begun {
            rest = match self.config.mid_frame {
                MidFrame::Waits => None,
                MidFrame::TakesTheRest => rest_of(frame, since - begun),
            };
            let Some(rest) = &rest else {
                self.rx.state = State::Armed {
                    buffer,
                    since,
                    hung: false,
                };
                self.stats.unarmed += 1;
                return;
            };
            self.stats.rests += 1;
            data = rest;
        }
        let mut data = data.to_vec();
        self.stats.runts += u64::from(data.len() < SHORTEST);
        if self.config.stray_byte > 0.0 && self.rng.stray.chance(self.config.stray_byte) {
            self.stats.strays += 1;
            data.push(self.rng.stray.below(256) as u8);
        }
        let room = buffer.as_mut();
        self.stats.clipped += u64::from(data.len() > room.len());
        let len = data.len().min(room.len());
        room[..len].copy_from_slice(&data[..len]);
        self.end_with(buffer, len, true);
    }

    /// The receiver has seen the end of a carrier; its event comes a little later.
    fn end_with(&mut self, buffer: B, len: usize, frame: bool) {
        let len = self.rx.forged.take().unwrap_or(len);
        self.rx.state = State::Ending {
            done: RxDone { buffer, len },
            frame,
        };
        self.rx.turn += 1;
        let turn = self.rx.turn;
        let latest = self.config.end_latency.as_nanos() as usize;
        let late = Duration::from_nanos(self.rng.end.below(latest + 1) as u64);
        self.at(self.now() + late, move |port| {
            if port.rx.turn == turn {
                port.tell_end();
            }
        });
    }

    fn tell_end(&mut self) {
        match core::mem::replace(&mut self.rx.state, State::Idle) {
            State::Ending { done, frame } => {
                self.stats.received += u64::from(frame);
                self.rx.state = State::Done(done);
                self.raise(Event::Received);
            }
            other => self.rx.state = other,
        }
    }

    /// Carrier of this length ends, which brought no frame.
    pub(super) fn false_carrier_ends(&mut self, length: Duration) {
        let now = self.now();
        let State::Armed { since, hung, .. } = &mut self.rx.state else {
            return;
        };
        if *hung || *since + length > now {
            return;
        }
        self.stats.false_carriers += 1;
        match self.config.false_carrier {
            FalseCarrier::Ignores => {}
            FalseCarrier::Hangs => *hung = true,
            FalseCarrier::Ends => {
                if let State::Armed { buffer, .. } = core::mem::replace(&mut self.rx.state, State::Idle) {
                    self.end_with(buffer, 0, false);
                }
            }
        }
    }
}

/// What a receiver takes for a frame that starts `late` after the start-of-frame delimiter: what follows the next dibit with its upper bit set, in whole
/// bytes. `None` where there is no such dibit.
fn rest_of(frame: &[u8], late: Duration) -> Option<Vec<u8>> {
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
