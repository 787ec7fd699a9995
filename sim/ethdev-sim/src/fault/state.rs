//! The decisions, one direction each, so that both halves of a lending device can hold their own.

use core::cell::Cell;
use std::collections::VecDeque;

use ethdev::frame::HEADER_LEN;
use ethdev::{ErrorKind, RxMeta, Stats};

use super::plan::{FaultPlan, Injected, Knob};

/// What concerns every call.
#[derive(Debug)]
pub(super) struct Bus {
    bus_error: Knob,
    hang: Knob,
}

impl Bus {
    /// Two of them, for the two directions, have their own random streams.
    fn new(plan: &FaultPlan, stream: u64) -> Self {
        Self {
            bus_error: Knob::new(plan.bus_error, plan.seed, stream),
            hang: Knob::new(plan.hang, plan.seed, stream + 1),
        }
    }
}

/// What both directions see.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) hung: Cell<bool>,
    pub(super) link_forced_down: Cell<bool>,
    pub(super) injected: Cell<Injected>,
    /// Faults that this layer made, to be added to the device's.
    pub(super) faults: Cell<u32>,
}

impl Shared {
    pub(super) fn count(&self, count: impl FnOnce(&mut Injected)) {
        let mut injected = self.injected.get();
        count(&mut injected);
        self.injected.set(injected);
    }

    /// A call that may touch the bus begins.
    pub(super) fn enter<E: From<ErrorKind>>(&self, bus: &mut Bus) -> Result<(), E> {
        if !self.hung.get() && bus.hang.strikes() {
            self.hung.set(true);
            self.faults.set(self.faults.get().wrapping_add(1));
            self.count(|injected| injected.hangs += 1);
        }
        if self.hung.get() {
            return Err(ErrorKind::Fault.into());
        }
        if bus.bus_error.strikes() {
            self.count(|injected| injected.bus_errors += 1);
            return Err(ErrorKind::Bus.into());
        }
        Ok(())
    }
}

/// The faults of the frame that is next at the device.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FrameFaults {
    pub(super) lost: bool,
    /// To be withheld once.
    pub(super) withheld: bool,
    pub(super) duplicated: bool,
    pub(super) corrupted: bool,
    pub(super) truncated: bool,
}

/// A frame that this layer holds: withheld, or a duplicate.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) data: Vec<u8>,
    pub(super) meta: RxMeta,
    /// A copy, which the device has not counted.
    pub(super) copy: bool,
}

#[derive(Debug)]
pub(super) struct RxState {
    pub(super) bus: Bus,
    spurious_none: Knob,
    loss: Knob,
    duplication: Knob,
    corruption: Knob,
    truncation: Knob,
    /// Decided once per frame, however often it is peeked at.
    pub(super) faults: Option<FrameFaults>,
    /// Length of the lent frame after truncation.
    pub(super) cut_to: Option<usize>,
    pub(super) held: VecDeque<Held>,
    /// Counters of the device that are too high, and what to add instead.
    pub(super) less: Stats,
    pub(super) more: Stats,
}

impl RxState {
    pub(super) fn new(plan: &FaultPlan) -> Self {
        let knob = |when, number| Knob::new(when, plan.seed, number);
        Self {
            bus: Bus::new(plan, 0),
            spurious_none: knob(plan.spurious_none, 4),
            loss: knob(plan.rx_loss, 5),
            duplication: knob(plan.rx_duplication, 6),
            corruption: knob(plan.rx_corruption, 7),
            truncation: knob(plan.rx_truncation, 8),
            faults: None,
            cut_to: None,
            held: VecDeque::new(),
            less: Stats::ZERO,
            more: Stats::ZERO,
        }
    }

    /// Decides on a frame that has not been seen yet.
    pub(super) fn decide(&mut self) -> FrameFaults {
        let faults = FrameFaults {
            lost: self.loss.strikes(),
            withheld: self.spurious_none.strikes(),
            duplicated: self.duplication.strikes(),
            corrupted: self.corruption.strikes(),
            truncated: self.truncation.strikes(),
        };
        if faults.lost {
            return FrameFaults {
                lost: true,
                ..FrameFaults::default()
            };
        }
        faults
    }

    /// Applies the faults to a frame in memory. Returns its length then.
    pub(super) fn apply(&mut self, faults: FrameFaults, frame: &mut [u8], shared: &Shared) -> usize {
        let mut len = frame.len();
        if faults.truncated {
            if let Some(shorter) = self.truncation.shorter(HEADER_LEN, len) {
                len = shorter;
                shared.count(|injected| injected.rx_truncated += 1);
            }
        }
        if faults.corrupted && self.corruption.flip(&mut frame[..len]) {
            shared.count(|injected| injected.rx_corrupted += 1);
        }
        len
    }

    pub(super) fn count_lost(&mut self, shared: &Shared) {
        self.more.rx_error = self.more.rx_error.wrapping_add(1);
        shared.count(|injected| injected.rx_dropped += 1);
    }

    /// Holds a copy of a frame, which is delivered again.
    pub(super) fn hold_copy(&mut self, frame: &[u8], meta: RxMeta, shared: &Shared) {
        self.held.push_back(Held {
            data: frame.to_vec(),
            meta,
            copy: true,
        });
        shared.count(|injected| injected.rx_duplicated += 1);
    }

    /// Holds a frame that the device has counted as delivered.
    pub(super) fn withhold(&mut self, frame: &[u8], meta: RxMeta, counted_len: usize, shared: &Shared) {
        self.less.count_rx(counted_len);
        self.held.push_back(Held {
            data: frame.to_vec(),
            meta,
            copy: false,
        });
        shared.count(|injected| injected.spurious_none += 1);
    }

    /// The held frame is delivered, or dropped.
    pub(super) fn let_go(&mut self, delivered: bool) {
        if let Some(held) = self.held.pop_front() {
            ethdev::lending::count_release(&mut self.more, held.meta.len, delivered);
        }
    }

    /// The held frames are lost, like those of the device. Copies were never received and do not
    /// count.
    pub(super) fn reset(&mut self) {
        let lost = self.held.drain(..).filter(|held| !held.copy).count();
        self.more.rx_reset = self.more.rx_reset.wrapping_add(lost as u32);
        self.faults = None;
        self.cut_to = None;
    }
}

#[derive(Debug)]
pub(super) struct TxState {
    pub(super) bus: Bus,
    busy: Knob,
    busy_calls: u32,
    /// Answers left in the storm.
    storm: u32,
    /// `tx_ready` returned true: the next send must not be `Busy`.
    promised: bool,
    pub(super) loss: Knob,
    pub(super) duplication: Knob,
    pub(super) corruption: Knob,
    /// What a lending reader of this layer writes to.
    pub(super) staging: Vec<u8>,
    pub(super) more: Stats,
}

impl TxState {
    pub(super) fn new(plan: &FaultPlan) -> Self {
        let knob = |when, number| Knob::new(when, plan.seed, number);
        Self {
            bus: Bus::new(plan, 2),
            busy: knob(plan.busy, 9),
            busy_calls: plan.busy_calls,
            storm: 0,
            promised: false,
            loss: knob(plan.tx_loss, 10),
            duplication: knob(plan.tx_duplication, 11),
            corruption: knob(plan.tx_corruption, 12),
            staging: Vec::new(),
            more: Stats::ZERO,
        }
    }

    /// Decides whether a `tx_ready` or a send is refused.
    pub(super) fn refuses(&mut self, shared: &Shared) -> bool {
        if self.storm == 0 && self.busy.strikes() {
            self.storm = self.busy_calls;
        }
        if self.storm == 0 {
            return false;
        }
        self.storm -= 1;
        shared.count(|injected| injected.busy += 1);
        true
    }

    /// A send: whether it is refused. A promise is kept.
    pub(super) fn refuses_send(&mut self, shared: &Shared) -> bool {
        !core::mem::take(&mut self.promised) && self.refuses(shared)
    }

    /// Notes the answer of `tx_ready`, which later sends must keep.
    pub(super) const fn promise(&mut self, ready: bool) -> bool {
        self.promised = ready;
        ready
    }

    pub(super) fn count_lost(&mut self, shared: &Shared) {
        self.more.tx_aborted = self.more.tx_aborted.wrapping_add(1);
        shared.count(|injected| injected.tx_lost += 1);
    }
}
