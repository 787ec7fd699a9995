//! Sending: two slots. The next frame is written while the one before it is on the wire.
//!
//! ```text
//! free --send--> Waiting --TXRTS--> Starting --known to be carried out--> Sending --TXIF--> free, counted
//!                   ^                                                        |
//!                   +------- errata 12 and 13: transmitter reset ------------+--TXERIF--> free, counted as aborted
//! ```

use super::{Bus, bisync};
use ethdev::ErrorKind;

use super::chip::{Chip, Result};
use super::rx::NOWHERE;
use crate::errata;
use crate::regs::{self, Pair, econ1, eir};
use crate::ring::TX_SLOTS;
use crate::stats::count;
use crate::trace::warning;

/// One of the two places for a frame in the chip's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    First,
    Second,
}

impl Slot {
    const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// Where its control byte is.
    const fn base(self) -> u16 {
        let [first, second] = TX_SLOTS;
        match self {
            Self::First => first,
            Self::Second => second,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// In the chip's memory, to be started.
    Waiting,
    /// TXRTS was being set when the call failed or was dropped. `accepted`: the caller was told
    /// that the frame is the driver's.
    Starting { accepted: bool },
    /// TXRTS was set.
    Sending,
}

/// What is known of the transmitter.
#[derive(Debug)]
pub(crate) struct Tx {
    /// Lengths as the caller gave them, by slot.
    lengths: [u16; 2],
    /// EWRPT and ETXND as they are known to be, or [`NOWHERE`].
    write_at: u16,
    last: u16,
    /// The slot that ETXST is known to point at.
    first: Option<Slot>,
    /// The slot whose turn it is, and how many are used.
    slot: Slot,
    used: u8,
    phase: Phase,
    /// How often the first frame was sent again.
    retries: u8,
    /// How often it was polled.
    looks: u8,
    /// TXIF or TXERIF may be set from before.
    stale_flags: bool,
    /// The transmitter is to be reset before anything is sent (erratum 12).
    to_reset: bool,
    completed: u16,
    failed: u16,
}

impl Tx {
    pub(crate) const fn new() -> Self {
        Self {
            lengths: [0; 2],
            write_at: NOWHERE,
            last: NOWHERE,
            first: None,
            slot: Slot::First,
            used: 0,
            phase: Phase::Waiting,
            retries: 0,
            looks: 0,
            stale_flags: false,
            to_reset: false,
            completed: 0,
            failed: 0,
        }
    }

    /// The chip is reset: nothing of it is known. What was not told yet stays.
    pub(crate) fn restart(&mut self) {
        let (completed, failed) = self.take_told();
        *self = Self {
            completed,
            failed,
            ..Self::new()
        };
    }

    /// Gives up the frames that are not sent; how many those are.
    pub(crate) fn forget(&mut self) -> u32 {
        self.phase = Phase::Waiting;
        (self.retries, self.looks) = (0, 0);
        let lost = core::mem::take(&mut self.used);
        self.failed = self.failed.saturating_add(lost.into());
        lost.into()
    }

    /// Whether a frame waits for its turn.
    pub(crate) const fn is_queued(&self) -> bool {
        self.used > 1
    }

    /// Whether a frame is on its way.
    pub(crate) const fn is_busy(&self) -> bool {
        self.used > 0
    }

    /// Whether something has to be done for frames to go out.
    pub(crate) fn needs_care(&self) -> bool {
        self.used > 1 || self.used == 1 && self.phase != Phase::Sending
    }

    /// How often the frame on its way was looked at.
    pub(crate) const fn looked_at(&self) -> u8 {
        self.looks
    }

    /// How many frames were sent and how many given up since the last call.
    pub(crate) fn take_told(&mut self) -> (u16, u16) {
        (core::mem::take(&mut self.completed), core::mem::take(&mut self.failed))
    }

    const fn length_in(&self, slot: Slot) -> u16 {
        let [first, second] = self.lengths;
        match slot {
            Slot::First => first,
            Slot::Second => second,
        }
    }

    const fn set_length(&mut self, slot: Slot, len: u16) {
        let [first, second] = &mut self.lengths;
        match slot {
            Slot::First => *first = len,
            Slot::Second => *second = len,
        }
    }

    /// Of the frame whose turn it is.
    const fn length(&self) -> u16 {
        self.length_in(self.slot)
    }

    fn free_first(&mut self) {
        self.used = self.used.saturating_sub(1);
        if self.used > 0 {
            self.slot = self.slot.other();
        }
        self.phase = Phase::Waiting;
        (self.retries, self.looks) = (0, 0);
    }
}

#[bisync]
impl<B: Bus> Chip<B> {
    pub(crate) fn has_room(&self) -> bool {
        self.link_up && self.tx.used < 2
    }

    pub(crate) async fn tx_ready(&mut self) -> Result<bool, B> {
        if !self.is_running()? || !self.link_up {
            return Ok(false);
        }
        if self.tx.used > 1 {
            self.poll_tx().await?;
        }
        Ok(self.has_room())
    }

    pub(crate) async fn send(&mut self, parts: &[&[u8]]) -> Result<(), B> {
        // A fault comes before everything else.
        self.is_running()?;
        let len = ethdev::validate_tx_len(parts, self.settings.max_frame_len())? as u16;
        self.may_send()?;
        if self.tx.used > 1 {
            self.poll_tx().await?;
            if self.tx.used > 1 {
                return Err(ErrorKind::Busy.into());
            }
        }
        let slot = if self.tx.used == 0 {
            self.tx.slot
        } else {
            self.tx.slot.other()
        };
        self.write_frame(slot, len, parts).await?;
        // The one before may be over by now.
        if self.tx.used > 0 {
            self.poll_tx().await?;
            self.may_send()?;
        }
        self.tx.set_length(slot, len);
        if self.tx.used > 0 {
            self.enable_tx_interrupt().await?;
            self.tx.used = 2;
            return Ok(());
        }
        (self.tx.slot, self.tx.used, self.tx.phase) = (slot, 1, Phase::Waiting);
        let started = self.start_tx(false).await;
        if started.is_err() && self.tx.phase == Phase::Waiting {
            self.tx.used = 0;
        }
        started
    }

    async fn write_frame(&mut self, slot: Slot, len: u16, parts: &[&[u8]]) -> Result<(), B> {
        let begin = slot.base() + 1;
        let was = core::mem::replace(&mut self.tx.write_at, NOWHERE);
        self.write_changed(regs::EWRPT, was, begin).await?;
        self.spi.write_buffer(parts.iter().copied()).await?;
        self.tx.write_at = begin + len;
        Ok(())
    }

    /// Writes the bytes of a pointer that are not what they should be.
    async fn write_changed(&mut self, pair: Pair, was: u16, value: u16) -> Result<(), B> {
        let known = was != NOWHERE;
        let ([old_low, old_high], [low, high]) = (was.to_le_bytes(), value.to_le_bytes());
        if !known || old_low != low {
            self.spi.write(pair.low, low).await?;
        }
        if !known || old_high != high {
            self.spi.write(pair.high, high).await?;
        }
        Ok(())
    }

    /// Starts the first frame. Not to be called while one is on its way.
    async fn start_tx(&mut self, accepted: bool) -> Result<(), B> {
        self.tidy_tx().await?;
        let first = self.tx.slot.base();
        let last = first + self.tx.length();
        let was = self.tx.first.take().map_or(NOWHERE, Slot::base);
        self.write_changed(regs::ETXST, was, first).await?;
        self.tx.first = Some(self.tx.slot);
        let was = core::mem::replace(&mut self.tx.last, NOWHERE);
        self.write_changed(regs::ETXND, was, last).await?;
        self.tx.last = last;
        self.tx.phase = Phase::Starting { accepted };
        self.spi.set(regs::ECON1, econ1::TXRTS).await?;
        self.sending();
        Ok(())
    }

    fn sending(&mut self) {
        self.tx.phase = Phase::Sending;
        self.tx.looks = 0;
        self.spi.start_clock();
    }

    /// Does what was put off when the last frame ended.
    pub(crate) async fn tidy_tx(&mut self) -> Result<(), B> {
        if self.tx.used > 0 && self.tx.phase != Phase::Waiting {
            return Ok(());
        }
        if self.tx.to_reset {
            self.reset_transmitter().await?;
            (self.tx.to_reset, self.tx.stale_flags) = (false, false);
        } else if self.tx.stale_flags {
            self.spi.clear(regs::EIR, eir::TXIF | eir::TXERIF).await?;
            self.tx.stale_flags = false;
        }
        Ok(())
    }

    /// Looks whether the frame on its way is over, and starts the next.
    pub(crate) async fn poll_tx(&mut self) -> Result<(), B> {
        if self.tx.used == 0 {
            return Ok(());
        }
        let flags = self.spi.look(regs::EIR).await?;
        self.note_overrun(flags).await?;
        self.go_on_sending(flags, false).await
    }

    /// As [`poll_tx`](Self::poll_tx), with EIR just read; `alive`: the chip was seen to be alive
    /// since the frame was started.
    pub(crate) async fn go_on_sending(&mut self, flags: u8, alive: bool) -> Result<(), B> {
        if self.tx.used == 0 {
            return Ok(());
        }
        let phase = self.tx.phase;
        match phase {
            Phase::Waiting => return self.start_tx(true).await,
            Phase::Starting { accepted } if !self.was_started().await? => {
                if accepted {
                    return self.start_tx(true).await;
                }
                self.tx.free_first();
                return self.start_next().await;
            }
            // Of the flags, the next look tells.
            Phase::Starting { .. } => {
                self.sending();
                return Ok(());
            }
            Phase::Sending => {}
        }
        if flags & eir::TXERIF != 0 {
            self.aborted().await
        } else if flags & eir::TXIF != 0 {
            if !alive && !self.is_alive().await? {
                // Started after a reset, it was nothing that went out.
                return self.resync().await;
            }
            self.sent().await
        } else if self.spi.elapsed() > errata::tx_stuck(self.settings.is_full_duplex()) {
            self.late().await
        } else {
            self.tx.looks = self.tx.looks.saturating_add(1);
            Ok(())
        }
    }

    async fn sent(&mut self) -> Result<(), B> {
        self.counters.count_tx(self.tx.length());
        self.tx.completed = self.tx.completed.saturating_add(1);
        self.tx.stale_flags = true;
        self.tx.free_first();
        self.start_next().await
    }

    /// It takes longer than a frame does, and nothing tells of its end.
    async fn late(&mut self) -> Result<(), B> {
        if !self.is_alive().await? {
            return self.resync().await;
        }
        warning!("ENC28J60 transmitter stuck, reset");
        self.start_again().await
    }

    /// Whether TXRTS in doubt was set. The flags were clear before it.
    async fn was_started(&mut self) -> Result<bool, B> {
        Ok(self.spi.look(regs::ECON1).await? & econ1::TXRTS != 0
            || self.spi.look(regs::EIR).await? & (eir::TXIF | eir::TXERIF) != 0)
    }

    async fn start_next(&mut self) -> Result<(), B> {
        if self.tx.used > 0 {
            self.start_tx(true).await?;
        }
        Ok(())
    }

    /// The chip gave up: for a reason, or for what it took for one (erratum 13).
    async fn aborted(&mut self) -> Result<(), B> {
        if self.revision.has_false_late_collisions() && !self.settings.is_full_duplex() {
            let mut status = [0; 7];
            self.rx.lost_place();
            let behind = self.tx.slot.base() + self.tx.length() + 1;
            self.spi.write_pair(regs::ERDPT, behind).await?;
            self.spi.read_buffer(&mut status, &mut []).await?;
            if errata::is_late_collision(status) {
                return self.start_again().await;
            }
        }
        self.give_up().await
    }

    async fn start_again(&mut self) -> Result<(), B> {
        if self.tx.retries >= errata::TX_RETRIES {
            return self.give_up().await;
        }
        self.tx.retries += 1;
        self.tx.to_reset = true;
        self.tx.phase = Phase::Waiting;
        self.start_tx(true).await
    }

    async fn give_up(&mut self) -> Result<(), B> {
        warning!("ENC28J60 frame aborted");
        count(&mut self.counters.tx_aborted);
        self.tx.failed = self.tx.failed.saturating_add(1);
        self.tx.to_reset = true;
        self.tx.free_first();
        self.start_next().await
    }

    /// The link is gone, and with it the frames that were to be sent.
    pub(crate) async fn abandon_tx(&mut self) -> Result<(), B> {
        if self.tx.used > 0 && self.tx.phase == Phase::Sending {
            let flags = self.spi.look(regs::EIR).await?;
            if flags & (eir::TXIF | eir::TXERIF) == eir::TXIF {
                self.counters.count_tx(self.tx.length());
                self.tx.completed = self.tx.completed.saturating_add(1);
                self.tx.free_first();
            }
            self.tx.to_reset = true;
        }
        let lost = self.tx.forget();
        self.counters.tx_aborted = self.counters.tx_aborted.wrapping_add(lost);
        self.tidy_tx().await
    }
}
