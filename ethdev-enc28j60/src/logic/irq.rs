//! The INT line: what it tells of, and how it is armed without missing anything.

use ethdev::{Interest, RearmOutcome};

use super::chip::{Chip, Result};
use super::{Bus, bisync};
use crate::regs::{self, eie, eir};

#[bisync]
impl<B: Bus> Chip<B> {
    pub(crate) async fn disarm(&mut self) -> Result<(), B> {
        let enabled = self.enabled.take();
        if enabled.is_some_and(|bits| bits & eie::INTIE == 0) {
            self.enabled = enabled;
            return Ok(());
        }
        self.spi.clear(regs::EIE, eie::INTIE).await?;
        self.enabled = enabled.map(|bits| bits & !eie::INTIE);
        Ok(())
    }

    /// Enables what is of interest, then looks. INTIE goes off and on, so that what is pending
    /// already makes an edge.
    pub(crate) async fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, B> {
        if !self.is_running()? {
            return Ok(RearmOutcome::Armed);
        }
        self.arm(interest, true).await?;
        let mut pending = interest.rx && self.is_rx_pending().await?;
        if interest.tx {
            self.poll_tx().await?;
            pending |= self.has_room();
        }
        if self.waits_for_link(interest) {
            pending |= self.link_in_doubt || self.spi.look(regs::EIR).await? & eir::LINKIF != 0;
        }
        Ok(outcome(pending))
    }

    /// The same for a line whose level is waited for: what it can tell needs no look.
    pub(crate) async fn rearm_level(&mut self, interest: Interest) -> Result<RearmOutcome, B> {
        if !self.is_running()? {
            return Ok(RearmOutcome::Armed);
        }
        self.arm(interest, false).await?;
        let untold = interest.rx && (self.rx.pending() > 0 || self.rx.in_doubt())
            || interest.tx && self.has_room()
            || self.waits_for_link(interest) && self.link_in_doubt;
        Ok(outcome(untold))
    }

    /// Whether that is enabled already, and only the chip can change what is of interest.
    pub(crate) fn is_armed(&self, interest: Interest) -> bool {
        self.runs()
            && self.enabled == Some(self.wanted(interest))
            && !(interest.tx && self.has_room() || self.link_in_doubt || self.rx.in_doubt())
    }

    /// Whether a change of the link is of interest: nothing can be sent before it comes up.
    const fn waits_for_link(&self, interest: Interest) -> bool {
        interest.link || interest.tx && !self.link_up
    }

    /// What EIE is to be.
    fn wanted(&self, interest: Interest) -> u8 {
        let mut wanted = eie::INTIE;
        if interest.rx {
            wanted |= eie::PKTIE;
        }
        if self.waits_for_link(interest) {
            wanted |= eie::LINKIE;
        }
        if interest.tx || self.tx.is_queued() {
            // The frame that waits for its turn is the driver's own interest.
            wanted |= eie::TXIE | eie::TXERIE;
        }
        wanted
    }

    async fn arm(&mut self, interest: Interest, edge: bool) -> Result<(), B> {
        self.poll_tx().await?;
        self.tidy_tx().await?;
        let wanted = self.wanted(interest);
        if edge || self.enabled != Some(wanted) {
            self.disarm().await?;
            self.enable(wanted).await?;
        }
        Ok(())
    }

    /// Changes EIE to `wanted`, of which INTIE comes last.
    pub(crate) async fn enable(&mut self, wanted: u8) -> Result<(), B> {
        let all = eie::PKTIE | eie::LINKIE | eie::TXIE | eie::TXERIE;
        let (on, surplus) = match self.enabled.take() {
            Some(old) => (wanted & !old & all, old & !wanted & all),
            None => (wanted & all, all & !wanted),
        };
        if surplus != 0 {
            self.spi.clear(regs::EIE, surplus).await?;
        }
        // In one instruction: nothing can be told before it is wanted.
        self.spi.set(regs::EIE, on | (wanted & eie::INTIE)).await?;
        self.enabled = Some(wanted);
        Ok(())
    }

    /// A frame was queued behind another while the host sleeps, or is about to: its turn is an
    /// interrupt.
    pub(crate) async fn enable_tx_interrupt(&mut self) -> Result<(), B> {
        let bits = eie::TXIE | eie::TXERIE;
        if let Some(enabled) = self.enabled.filter(|old| old & eie::INTIE != 0 && old & bits != bits) {
            self.enabled = None;
            self.spi.set(regs::EIE, bits).await?;
            self.enabled = Some(enabled | bits);
        }
        Ok(())
    }
}

const fn outcome(pending: bool) -> RearmOutcome {
    if pending {
        RearmOutcome::WorkPending
    } else {
        RearmOutcome::Armed
    }
}
