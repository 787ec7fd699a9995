//! Transmission: preamble and delimiter, then exactly the bytes of the host.

use core::time::Duration;
use std::collections::VecDeque;

use ethdev::{Duplex, Link, Speed};
use ethdev_sim::{INTER_FRAME_GAP, fcs};

use crate::context::{BYTE_TIME, Context, Effect, MIN_LEN_WITH_FCS, MediaState, Timer};
use crate::event::{Event, Interrupts};
use crate::violations::ViolationKind;

enum State<B> {
    Idle,
    /// Held back by the test.
    Held {
        buffer: B,
        len: usize,
    },
    /// Never ends.
    Hung {
        buffer: B,
    },
    /// Its last bit is out at `last_bit`, once that is known.
    Running {
        buffer: B,
        last_bit: Option<Duration>,
    },
}

/// The transmitter.
pub(crate) struct Tx<B> {
    state: State<B>,
    /// Counts transmissions, so that the timer of one that was cut off has no effect.
    generation: u64,
    /// Buffers that the host can take back.
    returned: VecDeque<B>,
    held: bool,
    hangs: bool,
}

impl<B> Default for Tx<B> {
    fn default() -> Self {
        Self {
            state: State::Idle,
            generation: 0,
            returned: VecDeque::new(),
            held: false,
            hangs: false,
        }
    }
}

impl<B: AsRef<[u8]>> Tx<B> {
    pub(crate) const fn is_sending(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Whether data is still being fetched from memory.
    pub(crate) fn is_fetching(&self, context: &Context) -> bool {
        match &self.state {
            State::Idle => false,
            State::Held { .. } | State::Hung { .. } => true,
            State::Running { last_bit, .. } => {
                let ahead = BYTE_TIME * context.config.tx_fifo as u32;
                last_bit.is_none_or(|last_bit| context.now() + ahead < last_bit)
            }
        }
    }

    pub(crate) fn take(&mut self) -> Option<B> {
        self.returned.pop_front()
    }

    pub(crate) const fn hang_next(&mut self) {
        self.hangs = true;
    }

    pub(crate) fn start(&mut self, context: &mut Context, buffer: B, len: usize, media: MediaState) {
        if self.is_sending() {
            context.violation(
                ViolationKind::TxBusy,
                format!("{len} bytes while another frame is being sent"),
            );
            if self.cut_off(context) {
                context.stats.tx_truncated += 1;
            }
        }
        context.stats.tx_started += 1;
        self.generation += 1;
        let Some(frame) = buffer.as_ref().get(..len).filter(|frame| !frame.is_empty()) else {
            context.violation(
                ViolationKind::TxLength,
                format!("{len} bytes of a buffer of {}", buffer.as_ref().len()),
            );
            self.state = State::Hung { buffer };
            return;
        };
        let bad_fcs = fcs::check(frame).is_none();
        if len < MIN_LEN_WITH_FCS {
            context.violation(ViolationKind::TxRunt, format!("{len} bytes"));
        }
        if bad_fcs {
            context.violation(ViolationKind::TxBadFcs, format!("{len} bytes"));
        }
        if let Link::Up(mode) = media.link {
            if mode.speed != Some(Speed::MBPS_100) || mode.duplex != Some(Duplex::Full) {
                context.violation(ViolationKind::TxWrongMode, format!("the link is {}", media.link));
            }
        }
        if self.held {
            self.state = State::Held { buffer, len };
        } else {
            self.send(context, buffer, len, media);
        }
    }

    fn send(&mut self, context: &mut Context, buffer: B, len: usize, media: MediaState) {
        if core::mem::take(&mut self.hangs) || !media.is_clocked {
            self.state = State::Hung { buffer };
            return;
        }
        let frame = buffer.as_ref().iter().take(len).copied().collect();
        self.state = State::Running { buffer, last_bit: None };
        context.effect(Effect::Transmit(frame));
    }

    /// The medium has the frame, and sends its last bit at `end`.
    pub(crate) fn transmitting_until(&mut self, context: &mut Context, end: Duration) {
        let State::Running { last_bit, .. } = &mut self.state else {
            return;
        };
        *last_bit = Some(end);
        let generation = self.generation;
        context.timer_at(end + BYTE_TIME * INTER_FRAME_GAP as u32, Timer::TxEnd { generation });
    }

    /// The gap after a frame is over.
    pub(crate) fn gap_over(&mut self, context: &mut Context, interrupts: &mut Interrupts, generation: u64) {
        if self.generation != generation {
            return;
        }
        if let State::Running { buffer, .. } = core::mem::replace(&mut self.state, State::Idle) {
            context.stats.tx_sent += 1;
            self.returned.push_back(buffer);
            interrupts.raise(Event::Sent);
        }
    }

    /// Ends what is being sent, if anything, and returns its buffer to the host. Returns whether it
    /// was not sent whole.
    fn cut_off(&mut self, context: &mut Context) -> bool {
        self.generation += 1;
        let (buffer, cut) = match core::mem::replace(&mut self.state, State::Idle) {
            State::Idle => return false,
            State::Held { buffer, .. } | State::Hung { buffer } => (buffer, true),
            State::Running { buffer, last_bit } => {
                let cut = last_bit.is_none_or(|last_bit| context.now() < last_bit);
                if cut {
                    context.effect(Effect::BreakOff);
                } else {
                    context.stats.tx_sent += 1;
                }
                (buffer, cut)
            }
        };
        self.returned.push_back(buffer);
        cut
    }

    pub(crate) fn abort(&mut self, context: &mut Context) {
        if self.cut_off(context) {
            context.stats.tx_aborted += 1;
        }
    }

    pub(crate) fn hold(&mut self, context: &mut Context, hold: bool, media: MediaState) {
        self.held = hold;
        if hold {
            return;
        }
        match core::mem::replace(&mut self.state, State::Idle) {
            State::Held { buffer, len } => self.send(context, buffer, len, media),
            other => self.state = other,
        }
    }
}
