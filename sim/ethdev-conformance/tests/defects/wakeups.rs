//! Defects of interrupts.

use ethdev::{ErrorKind, EthernetDevice, Interest, Rearm, RearmOutcome};

use crate::broken::{Answer, Defect};
use crate::mem::Mem;

/// Armed for transmit capacity, it waits for a completion, which does not come while the link is
/// down.
#[derive(Default)]
pub(crate) struct MasksTheLinkForTx;
impl Defect for MasksTheLinkForTx {
    fn rearm(&mut self, nic: &mut Mem, interest: Interest) -> Answer<RearmOutcome> {
        let outcome = nic.rearm(interest)?;
        if !nic.link().is_up() {
            nic.access(|chip| chip.mask.tx = false)?;
        }
        Ok(outcome)
    }
}

/// Unmasks the first source of a set.
#[derive(Default)]
pub(crate) struct UnmasksOneSource;
impl Defect for UnmasksOneSource {
    fn rearm(&mut self, nic: &mut Mem, interest: Interest) -> Answer<RearmOutcome> {
        let outcome = nic.rearm(interest)?;
        nic.access(|chip| {
            chip.mask.tx &= !interest.rx;
            chip.mask.link &= !(interest.rx | interest.tx);
        })?;
        Ok(outcome)
    }
}

/// Reads the link when it is armed: a change before that is not noticed.
#[derive(Default)]
pub(crate) struct ReadsTheLinkWhenArmed;
impl Defect for ReadsTheLinkWhenArmed {
    fn rearm(&mut self, nic: &mut Mem, interest: Interest) -> Answer<RearmOutcome> {
        let link = nic.access(|chip| chip.link())?;
        if link != nic.link {
            nic.stats.link_changes += 1;
        }
        nic.link = link;
        nic.rearm(interest)
    }
}

/// Arms a chip that has failed.
#[derive(Default)]
pub(crate) struct ArmsInFault;
impl Defect for ArmsInFault {
    fn rearm(&mut self, nic: &mut Mem, interest: Interest) -> Answer<RearmOutcome> {
        match nic.rearm(interest) {
            Err(ErrorKind::Fault) => Ok(RearmOutcome::Armed),
            result => result,
        }
    }
}

/// Reads the link, then unmasks its interrupt.
#[derive(Default)]
pub(crate) struct ChecksTheLinkBeforeUnmasking;
impl Defect for ChecksTheLinkBeforeUnmasking {
    fn rearm(&mut self, nic: &mut Mem, interest: Interest) -> Answer<RearmOutcome> {
        let of_link = nic.check_pending(interest & Interest::LINK)?;
        nic.access(|chip| chip.mask = interest)?;
        if of_link == RearmOutcome::WorkPending {
            return Ok(of_link);
        }
        nic.check_pending(interest & (Interest::RX | Interest::TX))
    }
}

/// Checks, and unmasks nothing.
#[derive(Default)]
pub(crate) struct UnmasksNothing;
impl Defect for UnmasksNothing {
    fn rearm(&mut self, nic: &mut Mem, interest: Interest) -> Answer<RearmOutcome> {
        nic.check_pending(interest)
    }
}
