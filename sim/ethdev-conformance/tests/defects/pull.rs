//! Defects of drivers: the pull API, interrupts and management.

use std::time::Duration;

use ethdev::{
    Capabilities, Control, Counted, Coverage, ErrorKind, EthernetDevice, Events, FilterOutcome, Interest, Link,
    LossReason, MaxFrameLen, RearmOutcome, RxFilter, RxMeta, Stats,
};

use crate::broken::{Answer, Defect};
use crate::mem::{Filter, Mem, SLOTS};

/// Polls for a second when no frame is pending.
#[derive(Default)]
pub(crate) struct WaitsForAFrame;
impl Defect for WaitsForAFrame {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        let frame = nic.recv_frame(buf)?;
        if frame.is_none() {
            nic.chip.borrow_mut().now += Duration::from_secs(1);
        }
        Ok(frame)
    }
}

/// Delivers every seventh frame twice.
#[derive(Default)]
pub(crate) struct Duplicates(u32, Option<Vec<u8>>);
impl Defect for Duplicates {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        if let Some(again) = self.1.take() {
            buf[..again.len()].copy_from_slice(&again);
            return Ok(Some(RxMeta::new(again.len())));
        }
        let meta = nic.recv_frame(buf)?;
        if let Some(meta) = meta {
            self.0 += 1;
            self.1 = (self.0 % 7 == 0).then(|| buf[..meta.len].to_vec());
        }
        Ok(meta)
    }
}

/// Delivers the newer of two frames first.
#[derive(Default)]
pub(crate) struct Reorders;
impl Defect for Reorders {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        if nic.chip.borrow().rx.len() == SLOTS {
            nic.chip.borrow_mut().rx.swap(0, 1);
        }
        nic.recv_frame(buf)
    }
}

/// Passes the FCS on.
#[derive(Default)]
pub(crate) struct KeepsTheFcs;
impl Defect for KeepsTheFcs {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        let Some(meta) = nic.recv_frame(buf)? else {
            return Ok(None);
        };
        buf[meta.len..meta.len + 4].fill(0x5a);
        nic.stats.rx_bytes += 4;
        Ok(Some(RxMeta::new(meta.len + 4)))
    }
}

/// One length of all is read one byte short.
#[derive(Default)]
pub(crate) struct CorruptsAByte;
impl Defect for CorruptsAByte {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        let meta = nic.recv_frame(buf)?;
        if let Some(RxMeta { len: 777, .. }) = meta {
            buf[776] ^= 0x20;
        }
        Ok(meta)
    }
}

/// Sends frames of one length twice.
#[derive(Default)]
pub(crate) struct SendsTwice;
impl Defect for SendsTwice {
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        nic.send_frame(frame)?;
        if frame.len() == 777 {
            nic.send_frame(frame).ok();
        }
        Ok(())
    }
}

/// Takes a frame out of the chip before it checks the length of the buffer.
#[derive(Default)]
pub(crate) struct LosesOnAShortBuffer;
impl Defect for LosesOnAShortBuffer {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        let result = nic.recv_frame(buf);
        if let Err(ErrorKind::BufferTooSmall { .. }) = result {
            nic.take()?;
        }
        result
    }
}

/// Never returns `Busy`: drops the frame.
#[derive(Default)]
pub(crate) struct DropsInsteadOfBusy;
impl Defect for DropsInsteadOfBusy {
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        match nic.send_frame(frame) {
            Err(ErrorKind::Busy) => Ok(()),
            result => result,
        }
    }
}

/// Does not check the queue.
#[derive(Default)]
pub(crate) struct AlwaysReady;
impl Defect for AlwaysReady {
    fn tx_ready(&mut self, nic: &mut Mem) -> Answer<bool> {
        nic.tx_ready()?;
        Ok(nic.link.is_up())
    }
}

/// A receive token that comes with a transmit token.
#[derive(Default)]
pub(crate) struct NeedsTxCapacityToReceive;
impl Defect for NeedsTxCapacityToReceive {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        if nic.chip.borrow().tx.len() == SLOTS {
            return Ok(None);
        }
        nic.recv_frame(buf)
    }
}

/// One pool of buffers for both directions.
#[derive(Default)]
pub(crate) struct NeedsRxCapacityToSend;
impl Defect for NeedsRxCapacityToSend {
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        if nic.chip.borrow().rx.len() == SLOTS {
            return Err(ErrorKind::Busy);
        }
        nic.send_frame(frame)
    }
}

/// Pads every short frame, even without a complete header.
#[derive(Default)]
pub(crate) struct AcceptsLessThanAHeader;
impl Defect for AcceptsLessThanAHeader {
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        let mut frame = frame.to_vec();
        frame.resize(frame.len().max(14), 0);
        nic.send_frame(&frame)
    }
}

/// Pads with remains of the previous frame.
#[derive(Default)]
pub(crate) struct PadsWithGarbage;
impl Defect for PadsWithGarbage {
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        let mut frame = frame.to_vec();
        if (14..60).contains(&frame.len()) {
            frame.resize(60, 0xaa);
        }
        nic.send_frame(&frame)
    }
}

/// Truncates frames that are too long.
#[derive(Default)]
pub(crate) struct TruncatesOverlong;
impl Defect for TruncatesOverlong {
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        nic.send_frame(&frame[..frame.len().min(1514)])
    }
}

/// Wakes the chip before it returns a cached value.
#[derive(Default)]
pub(crate) struct ReadsTheBusForTheLink;
impl Defect for ReadsTheBusForTheLink {
    fn link(&self, nic: &Mem) -> Link {
        nic.access(|_| ()).ok();
        nic.link
    }
}

/// Reads the transceiver in `link()`.
#[derive(Default)]
pub(crate) struct CachesNoLink;
impl Defect for CachesNoLink {
    fn link(&self, nic: &Mem) -> Link {
        nic.chip.borrow().link()
    }
}

/// Queues frames while the link is down.
#[derive(Default)]
pub(crate) struct SendsWithTheLinkDown;
impl Defect for SendsWithTheLinkDown {
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        match nic.send_frame(frame) {
            Err(ErrorKind::LinkDown) => nic.queue(frame.to_vec()),
            result => result,
        }
    }
}

/// Uses the chip's length without validation.
#[derive(Default)]
pub(crate) struct PanicsOnABadLength;
impl Defect for PanicsOnABadLength {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        if let Some(len) = nic.next_len()? {
            let payload = len - 14;
            let _ = [0_u8; 1500][..payload];
        }
        nic.recv_frame(buf)
    }
}

/// Waits for as many bytes as the chip reports.
#[derive(Default)]
pub(crate) struct HangsOnABadLength;
impl Defect for HangsOnABadLength {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        while nic.next_len()?.is_some_and(|len| len > 0x8000) {
            std::thread::park();
        }
        nic.recv_frame(buf)
    }
}

/// Stops receiving after an overrun: the overrun flag is not cleared.
#[derive(Default)]
pub(crate) struct StopsReceivingAfterOverrun(bool);
impl Defect for StopsReceivingAfterOverrun {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        self.0 |= nic.stats().rx_overrun > 200;
        if self.0 {
            nic.chip.borrow_mut().rx.clear();
        }
        nic.recv_frame(buf)
    }
}

/// The counter of the chip is not read.
#[derive(Default)]
pub(crate) struct ForgetsOverruns;
impl Defect for ForgetsOverruns {
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        let mut events = nic.service()?;
        events.rx_dropped &= nic.stats().rx_overrun == 0;
        Ok(events)
    }
    fn stats(&self, nic: &Mem) -> Stats {
        let mut stats = nic.stats();
        stats.rx_overrun = 0;
        stats
    }
}

/// The counter of the chip is not read, which the device declares: no defect.
#[derive(Default)]
pub(crate) struct ForgetsDeclaredOverruns;
impl Defect for ForgetsDeclaredOverruns {
    fn capabilities(&self, nic: &Mem) -> Capabilities {
        nic.capabilities()
            .with_coverage(Coverage::EXACT.with(LossReason::RxOverrun, Counted::NotReported))
    }
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        ForgetsOverruns.service(nic)
    }
    fn stats(&self, nic: &Mem) -> Stats {
        ForgetsOverruns.stats(nic)
    }
}

/// The counter of the chip is not read. What is declared is another one.
#[derive(Default)]
pub(crate) struct ForgetsOverrunsDeclaresOthers;
impl Defect for ForgetsOverrunsDeclaresOthers {
    fn capabilities(&self, nic: &Mem) -> Capabilities {
        nic.capabilities()
            .with_coverage(Coverage::EXACT.with(LossReason::RxFiltered, Counted::NotReported))
    }
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        ForgetsOverruns.service(nic)
    }
    fn stats(&self, nic: &Mem) -> Stats {
        ForgetsOverruns.stats(nic)
    }
}

/// Counts a bad frame under two reasons.
#[derive(Default)]
pub(crate) struct CountsTwice;
impl Defect for CountsTwice {
    fn stats(&self, nic: &Mem) -> Stats {
        let mut stats = nic.stats();
        stats.rx_error = stats.rx_bad_fcs;
        stats
    }
}

/// Returns `Ok(None)` instead of a bus error.
#[derive(Default)]
pub(crate) struct SwallowsErrors;
impl Defect for SwallowsErrors {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        match nic.recv_frame(buf) {
            Err(ErrorKind::Bus) => Ok(None),
            result => result,
        }
    }
}

/// Reports the IP MTU as the frame length.
#[derive(Default)]
pub(crate) struct ReportsIpMtu;
impl Defect for ReportsIpMtu {
    fn capabilities(&self, nic: &Mem) -> Capabilities {
        nic.capabilities().with_max_frame_len(MaxFrameLen::new(1500))
    }
}

/// Reports a longer queue than it has.
#[derive(Default)]
pub(crate) struct ReportsLongerQueue;
impl Defect for ReportsLongerQueue {
    fn capabilities(&self, nic: &Mem) -> Capabilities {
        nic.capabilities()
            .with_queue_frames(Some(SLOTS as u16), Some(SLOTS as u16 + 1))
    }
}

/// Never reports pending frames.
#[derive(Default)]
pub(crate) struct ReportsNothingPending;
impl Defect for ReportsNothingPending {
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        let mut events = nic.service()?;
        events.rx_pending = false;
        Ok(events)
    }
}

/// Reports one loss again and again.
#[derive(Default)]
pub(crate) struct ReportsLossRepeatedly;
impl Defect for ReportsLossRepeatedly {
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        let mut events = nic.service()?;
        events.rx_dropped = nic.stats().rx_overrun > 0;
        Ok(events)
    }
}

/// Checks, then unmasks: an event in between is missed.
#[derive(Default)]
pub(crate) struct ChecksBeforeUnmasking;
impl Defect for ChecksBeforeUnmasking {
    fn rearm(&mut self, nic: &mut Mem, interest: Interest) -> Answer<RearmOutcome> {
        let outcome = nic.check_pending(interest)?;
        nic.access(|chip| chip.mask = interest)?;
        Ok(outcome)
    }
}

/// Does not check for pending frames.
#[derive(Default)]
pub(crate) struct ChecksNothingInRearm;
impl Defect for ChecksNothingInRearm {
    fn rearm(&mut self, nic: &mut Mem, interest: Interest) -> Answer<RearmOutcome> {
        nic.access(|chip| chip.mask = interest)?;
        Ok(RearmOutcome::Armed)
    }
}

/// Does not mask at the chip.
#[derive(Default)]
pub(crate) struct DisarmsNothing;
impl Defect for DisarmsNothing {
    fn disarm(&mut self, _: &mut Mem) -> Answer<()> {
        Ok(())
    }
}

/// Unmasks every source.
#[derive(Default)]
pub(crate) struct UnmasksEverything;
impl Defect for UnmasksEverything {
    fn rearm(&mut self, nic: &mut Mem, interest: Interest) -> Answer<RearmOutcome> {
        nic.access(|chip| chip.mask = Interest::ALL)?;
        nic.check_pending(interest)
    }
}

type Managed<T = ()> = Result<T, ErrorKind>;

/// Keeps the link up when stopped.
#[derive(Default)]
pub(crate) struct KeepsTheLinkUpWhenStopped;
impl Defect for KeepsTheLinkUpWhenStopped {
    fn link(&self, _: &Mem) -> Link {
        Link::UP
    }
}

/// Empties the queues without counting.
#[derive(Default)]
pub(crate) struct StopsWithoutCounting;
impl Defect for StopsWithoutCounting {
    fn stop(&mut self, nic: &mut Mem) -> Managed {
        let before = nic.chip.borrow().stats;
        nic.stop()?;
        nic.chip.borrow_mut().stats = before;
        Ok(())
    }
}

/// Reports an exact filter and receives every group.
#[derive(Default)]
pub(crate) struct FiltersNothing;
impl Defect for FiltersNothing {
    fn set_rx_filter(&mut self, nic: &mut Mem, filter: RxFilter<'_>) -> Managed<FilterOutcome> {
        nic.set_rx_filter(filter.with_multicast(ethdev::Multicast::All))
    }
}

/// Does not restore the filter after a reset.
#[derive(Default)]
pub(crate) struct ForgetsTheFilter;
impl Defect for ForgetsTheFilter {
    fn recover(&mut self, nic: &mut Mem) -> Managed {
        nic.recover()?;
        nic.chip.borrow_mut().filter = Filter::new(RxFilter::DEFAULT);
        Ok(())
    }
}

/// Returns `Ok` without recovering.
#[derive(Default)]
pub(crate) struct RecoversNothing;
impl Defect for RecoversNothing {
    fn recover(&mut self, _: &mut Mem) -> Managed {
        Ok(())
    }
}
