//! Defects of counters, events and capabilities.

use ethdev::{Capabilities, Counted, Coverage, ErrorKind, EthernetDevice, Events, Link, LossReason, RxMeta, Stats};

use crate::broken::{Answer, Defect};
use crate::mem::Mem;

/// Confirms one frame that was not sent.
#[derive(Default)]
pub(crate) struct ConfirmsOneTooMany(bool);
impl Defect for ConfirmsOneTooMany {
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        let mut events = nic.service()?;
        if events.tx_completed > 0 && !std::mem::replace(&mut self.0, true) {
            events.tx_completed += 1;
        }
        Ok(events)
    }
}

/// Never reports frames that failed.
#[derive(Default)]
pub(crate) struct ReportsNoFailures;
impl Defect for ReportsNoFailures {
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        let mut events = nic.service()?;
        events.tx_failed = 0;
        Ok(events)
    }
}

/// Never reports lost frames.
#[derive(Default)]
pub(crate) struct ReportsNoLosses;
impl Defect for ReportsNoLosses {
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        let mut events = nic.service()?;
        events.rx_dropped = false;
        Ok(events)
    }
}

/// Reports only the changes of the link that `service` finds itself.
#[derive(Default)]
pub(crate) struct ForgetsLinkChangesOfTraffic;
impl Defect for ForgetsLinkChangesOfTraffic {
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        let was = nic.link;
        let mut events = nic.service()?;
        events.link_changed = nic.link != was;
        Ok(events)
    }
}

/// Counts frames that overran as frames with errors.
#[derive(Default)]
pub(crate) struct CountsOverrunsAsErrors;
impl Defect for CountsOverrunsAsErrors {
    fn stats(&self, nic: &Mem) -> Stats {
        let mut stats = nic.stats();
        stats.rx_error += std::mem::take(&mut stats.rx_overrun);
        stats
    }
}

/// Does not count frames of a bad length, and declares that it does not count those with a bad FCS.
#[derive(Default)]
pub(crate) struct ForgetsRuntsDeclaresBadFcs(u32);
impl Defect for ForgetsRuntsDeclaresBadFcs {
    fn capabilities(&self, nic: &Mem) -> Capabilities {
        nic.capabilities()
            .with_coverage(Coverage::EXACT.with(LossReason::RxBadFcs, Counted::NotReported))
    }
    fn stats(&self, nic: &Mem) -> Stats {
        let mut stats = nic.stats();
        stats.rx_bad_length = 0;
        stats
    }
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        let mut events = nic.service()?;
        let lost = self.stats(nic).rx_lost();
        events.rx_dropped = lost != std::mem::replace(&mut self.0, lost);
        Ok(events)
    }
}

/// Counts the padding in `tx_bytes`.
#[derive(Default)]
pub(crate) struct CountsPadding(u32);
impl Defect for CountsPadding {
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        nic.send_frame(frame)?;
        self.0 += 60_u32.saturating_sub(frame.len() as u32);
        Ok(())
    }
    fn stats(&self, nic: &Mem) -> Stats {
        let mut stats = nic.stats();
        stats.tx_bytes += self.0;
        stats
    }
}

/// Counts the bytes of frames that were accepted, also of those that are never sent.
#[derive(Default)]
pub(crate) struct CountsBytesOfLostFrames(u32);
impl Defect for CountsBytesOfLostFrames {
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        nic.send_frame(frame)?;
        self.0 += frame.len() as u32;
        Ok(())
    }
    fn stats(&self, nic: &Mem) -> Stats {
        let mut stats = nic.stats();
        stats.tx_bytes = self.0;
        stats
    }
}

/// Counts each change of the link twice.
#[derive(Default)]
pub(crate) struct CountsLinkChangesTwice;
impl Defect for CountsLinkChangesTwice {
    fn stats(&self, nic: &Mem) -> Stats {
        let mut stats = nic.stats();
        stats.link_changes *= 2;
        stats
    }
}

/// Counts a fault in every call that returns it.
#[derive(Default)]
pub(crate) struct CountsFaultsPerCall(u32);
impl Defect for CountsFaultsPerCall {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        let result = nic.recv_frame(buf);
        self.0 += u32::from(result == Err(ErrorKind::Fault));
        result
    }
    fn stats(&self, nic: &Mem) -> Stats {
        let mut stats = nic.stats();
        stats.faults += self.0;
        stats
    }
}

/// Reports other queue lengths once the link has changed.
#[derive(Default)]
pub(crate) struct CapabilitiesChange;
impl Defect for CapabilitiesChange {
    fn capabilities(&self, nic: &Mem) -> Capabilities {
        let capabilities = nic.capabilities();
        if nic.stats().link_changes > 0 {
            capabilities.with_queue_frames(None, None)
        } else {
            capabilities
        }
    }
}

/// Reads the chip for the link while it is down.
#[derive(Default)]
pub(crate) struct ReadsTheBusForALostLink;
impl Defect for ReadsTheBusForALostLink {
    fn link(&self, nic: &Mem) -> Link {
        if !nic.link.is_up() {
            nic.access(|_| ()).ok();
        }
        nic.link
    }
}

/// Returns `Busy` for one frame in 700 although the queue is not full.
#[derive(Default)]
pub(crate) struct BusyOnceInAWhile(u32);
impl Defect for BusyOnceInAWhile {
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        if self.0 == 699 {
            self.0 = 0;
            return Err(ErrorKind::Busy);
        }
        nic.send_frame(frame)?;
        self.0 += 1;
        Ok(())
    }
}
