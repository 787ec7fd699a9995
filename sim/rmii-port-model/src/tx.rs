//! Transmission: preamble and delimiter, then exactly the bytes that were given.

use core::time::Duration;
use std::collections::VecDeque;

use ethdev::{Duplex, Link, Speed};

use super::hardware::{BYTE_TIME, Effect, Model};
use super::{Event, ViolationKind};
use ethdev_sim::{INTER_FRAME_GAP, fcs};

/// Shortest frame of Ethernet in bytes, with FCS.
const SHORTEST: usize = 64;

enum State<B> {
    Idle,
    /// Held back by the model.
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

pub(super) struct Tx<B> {
    state: State<B>,
    /// Counts transmissions, so that one that was broken off does not end.
    turn: u64,
    /// Buffers that the host can take back.
    returned: VecDeque<B>,
    held: bool,
    hangs: bool,
}

impl<B> Default for Tx<B> {
    fn default() -> Self {
        Self {
            state: State::Idle,
            turn: 0,
            returned: VecDeque::new(),
            held: false,
            hangs: false,
        }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]> + 'static> Model<B> {
    pub(super) const fn is_sending(&self) -> bool {
        !matches!(self.tx.state, State::Idle)
    }

    /// Whether data is still being fetched from memory.
    pub(super) fn is_fetching(&self) -> bool {
        match &self.tx.state {
            State::Idle => false,
            State::Held { .. } | State::Hung { .. } => true,
            State::Running { last_bit, .. } => {
                let ahead = BYTE_TIME * self.config.tx_fifo as u32;
                last_bit.is_none_or(|last_bit| self.now() + ahead < last_bit)
            }
        }
    }

    pub(super) fn take_tx(&mut self) -> Option<B> {
        self.tx.returned.pop_front()
    }

    pub(super) fn hang_next_tx(&mut self) {
        self.tx.hangs = true;
    }

    pub(super) fn start_tx(&mut self, buffer: B, len: usize) {
        if self.is_sending() {
            self.violation(
                ViolationKind::TxBusy,
                format!("{len} bytes while the frame before is not out"),
            );
            if self.break_off() {
                self.stats.tx_truncated += 1;
            }
        }
        self.stats.tx_started += 1;
        self.tx.turn += 1;
        let Some(frame) = buffer.as_ref().get(..len).filter(|frame| !frame.is_empty()) else {
            self.violation(
                ViolationKind::TxLength,
                format!("{len} bytes of a buffer of {}", buffer.as_ref().len()),
            );
            self.tx.state = State::Hung { buffer };
            return;
        };
        let bad_fcs = fcs::check(frame).is_none();
        if len < SHORTEST {
            self.violation(ViolationKind::TxRunt, format!("{len} bytes"));
        }
        if bad_fcs {
            self.violation(ViolationKind::TxBadFcs, format!("{len} bytes"));
        }
        let link = self.on_media(|media| media.link()).unwrap_or_default();
        if let Link::Up(mode) = link {
            if mode.speed != Some(Speed::MBPS_100) || mode.duplex != Some(Duplex::Full) {
                self.violation(ViolationKind::TxWrongMode, format!("the link is {link}"));
            }
        }
        if self.tx.held {
            self.tx.state = State::Held { buffer, len };
        } else {
            self.send(buffer, len);
        }
    }

    fn send(&mut self, buffer: B, len: usize) {
        let clocked = self.on_media(|media| media.is_clocked()).unwrap_or_default();
        if core::mem::take(&mut self.tx.hangs) || !clocked {
            self.tx.state = State::Hung { buffer };
            return;
        }
        let frame = buffer.as_ref().iter().take(len).copied().collect();
        self.tx.state = State::Running { buffer, last_bit: None };
        self.effect(Effect::Transmit(frame));
    }

    /// The frame was given to the medium.
    pub(super) fn goes_out_until(&mut self, out: Duration) {
        let State::Running { last_bit, .. } = &mut self.tx.state else {
            return;
        };
        *last_bit = Some(out);
        let turn = self.tx.turn;
        self.at(out + BYTE_TIME * INTER_FRAME_GAP as u32, move |port| {
            if port.tx.turn == turn {
                port.tx_ends();
            }
        });
    }

    fn tx_ends(&mut self) {
        if let State::Running { buffer, .. } = core::mem::replace(&mut self.tx.state, State::Idle) {
            self.stats.tx_sent += 1;
            self.tx.returned.push_back(buffer);
            self.raise(Event::Sent);
        }
    }

    /// Ends what is being sent, if anything, and gives its buffer back; whether it did not get out whole.
    fn break_off(&mut self) -> bool {
        self.tx.turn += 1;
        let (buffer, broken) = match core::mem::replace(&mut self.tx.state, State::Idle) {
            State::Idle => return false,
            State::Held { buffer, .. } | State::Hung { buffer } => (buffer, true),
            State::Running { buffer, last_bit } => {
                let broken = last_bit.is_none_or(|last_bit| self.now() < last_bit);
                if broken {
                    self.effect(Effect::BreakOff);
                } else {
                    self.stats.tx_sent += 1;
                }
                (buffer, broken)
            }
        };
        self.tx.returned.push_back(buffer);
        broken
    }

    pub(super) fn abort_tx(&mut self) {
        if self.break_off() {
            self.stats.tx_aborted += 1;
        }
    }

    pub(super) fn hold_tx(&mut self, hold: bool) {
        self.tx.held = hold;
        if hold {
            return;
        }
        match core::mem::replace(&mut self.tx.state, State::Idle) {
            State::Held { buffer, len } => self.send(buffer, len),
            other => self.tx.state = other,
        }
    }
}
