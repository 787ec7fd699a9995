//! Defects of the lifecycle, of what happens inside a call (an access that fails, an arrival), and
//! others that one check finds.

use ethdev::{Capabilities, Control, ErrorKind, EthernetDevice, Events, FilterOutcome, MacAddress, RxFilter, RxMeta};

use crate::broken::{Answer, Defect};
use crate::mem::{Filter, Mem, SLOTS};

/// `sleep` of a sleeping device forgets that it was running.
#[derive(Default)]
pub(crate) struct SleepForgetsRunning;
impl Defect for SleepForgetsRunning {
    fn sleep(&mut self, nic: &mut Mem) -> Answer<()> {
        nic.state.running &= !nic.state.asleep;
        nic.sleep()
    }
}

/// Ignores a filter that is set while the device does not run.
#[derive(Default)]
pub(crate) struct IgnoresTheFilterWhenStopped;
impl Defect for IgnoresTheFilterWhenStopped {
    fn set_rx_filter(&mut self, nic: &mut Mem, filter: RxFilter<'_>) -> Answer<FilterOutcome> {
        if !nic.state.is_active() {
            return Ok(FilterOutcome::Exact);
        }
        nic.set_rx_filter(filter)
    }
}

/// Resets the chip in every `start`.
#[derive(Default)]
pub(crate) struct StartResets;
impl Defect for StartResets {
    fn start(&mut self, nic: &mut Mem) -> Answer<()> {
        nic.stop()?;
        nic.start()
    }
}

/// Restores the default filter after a fault of the chip.
#[derive(Default)]
pub(crate) struct ForgetsTheFilterInFault;
impl Defect for ForgetsTheFilterInFault {
    fn recover(&mut self, nic: &mut Mem) -> Answer<()> {
        let in_fault = nic.check() == Err(ErrorKind::Fault);
        nic.recover()?;
        if in_fault {
            nic.access(|chip| chip.filter = Filter::new(RxFilter::DEFAULT))?;
        }
        Ok(())
    }
}

/// After a `recover` that failed, the next one restores the state of a reset chip.
#[derive(Default)]
pub(crate) struct RestoresTheResetState;
impl Defect for RestoresTheResetState {
    fn recover(&mut self, nic: &mut Mem) -> Answer<()> {
        let result = nic.recover();
        nic.state.running &= result.is_ok();
        result
    }
}

/// Compares a new address with the one that was requested, not with that of the chip.
#[derive(Default)]
pub(crate) struct ComparesTheRequestedAddress;
impl Defect for ComparesTheRequestedAddress {
    fn set_mac_address(&mut self, nic: &mut Mem, address: MacAddress) -> Answer<()> {
        if address == nic.mac_address() {
            return Ok(());
        }
        nic.set_mac_address(address)
    }
}

/// The last access of `recv_frame` follows the one that takes the frame out of the chip.
#[derive(Default)]
pub(crate) struct LosesTheFrameWithTheLastAccess;
impl Defect for LosesTheFrameWithTheLastAccess {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        let meta = nic.recv_frame(buf)?;
        nic.access(|_| ())?;
        Ok(meta)
    }
}

/// `set_mac_address` writes the number of pending frames back that it read at its beginning.
#[derive(Default)]
pub(crate) struct AddressDropsArrivals;
impl Defect for AddressDropsArrivals {
    fn set_mac_address(&mut self, nic: &mut Mem, address: MacAddress) -> Answer<()> {
        let pending = nic.access(|chip| chip.rx.len())?;
        nic.set_mac_address(address)?;
        nic.access(|chip| chip.rx.truncate(pending))
    }
}

/// `service` writes the number of pending frames back that it read at its beginning.
#[derive(Default)]
pub(crate) struct ServiceDropsArrivals;
impl Defect for ServiceDropsArrivals {
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        let pending = nic.access(|chip| chip.rx.len())?;
        let events = nic.service()?;
        nic.access(|chip| chip.rx.truncate(pending))?;
        Ok(events)
    }
}

/// Gives the buffer back to the chip, then copies the frame.
#[derive(Default)]
pub(crate) struct FreesBeforeItCopies;
impl Defect for FreesBeforeItCopies {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        let was_full = nic.access(|chip| chip.rx.len() == SLOTS)?;
        let meta = nic.recv_frame(buf)?;
        if let Some(RxMeta { len, .. }) = meta {
            nic.access(|chip| {
                // The next frame of the wire is in the buffer.
                if was_full && chip.rx.len() == SLOTS {
                    let next = &chip.rx[SLOTS - 1];
                    let len = len.min(next.len());
                    buf[..len].copy_from_slice(&next[..len]);
                }
            })?;
        }
        Ok(meta)
    }
}

/// `service` reads the counter of overruns at its beginning and clears it at its end.
#[derive(Default)]
pub(crate) struct ClearsOverrunsUnread;
impl Defect for ClearsOverrunsUnread {
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        let overruns = nic.access(|chip| chip.stats.rx_overrun)?;
        let events = nic.service()?;
        nic.access(|chip| chip.stats.rx_overrun = overruns)?;
        Ok(events)
    }
}

/// `service` reads the link again after it compared it.
#[derive(Default)]
pub(crate) struct ReadsTheLinkTwice;
impl Defect for ReadsTheLinkTwice {
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        let events = nic.service()?;
        nic.check()?;
        Ok(events)
    }
}

/// Empties the receive queue when the link is lost.
#[derive(Default)]
pub(crate) struct EmptiesTheQueueOnLinkLoss;
impl Defect for EmptiesTheQueueOnLinkLoss {
    fn service(&mut self, nic: &mut Mem) -> Answer<Events> {
        let events = nic.service()?;
        if events.link_changed && !nic.link().is_up() {
            nic.access(|chip| chip.rx.clear())?;
        }
        Ok(events)
    }
}

/// Drops broadcasts.
#[derive(Default)]
pub(crate) struct DropsBroadcasts;
impl Defect for DropsBroadcasts {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        if nic.access(|chip| chip.rx.front().is_some_and(|frame| frame.starts_with(&[0xff; 6])))? {
            nic.take()?;
            nic.stats.rx_filtered += 1;
        }
        nic.recv_frame(buf)
    }
}

/// Stores a new address without writing it to the chip.
#[derive(Default)]
pub(crate) struct WritesNoAddress;
impl Defect for WritesNoAddress {
    fn set_mac_address(&mut self, nic: &mut Mem, address: MacAddress) -> Answer<()> {
        let former = nic.access(|chip| chip.mac_address)?;
        nic.set_mac_address(address)?;
        nic.access(|chip| chip.mac_address = former)
    }
}

/// Reports a receive queue that is longer than it is.
#[derive(Default)]
pub(crate) struct ReportsLongerRxQueue;
impl Defect for ReportsLongerRxQueue {
    fn capabilities(&self, nic: &Mem) -> Capabilities {
        nic.capabilities()
            .with_queue_frames(Some(SLOTS as u16 + 1), Some(SLOTS as u16))
    }
}

/// Drops a reply that does not fit: the first frame that is sent after one was received.
#[derive(Default)]
pub(crate) struct DropsReplies(bool);
impl Defect for DropsReplies {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        let meta = nic.recv_frame(buf)?;
        self.0 = meta.is_some();
        Ok(meta)
    }
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        let is_reply = std::mem::take(&mut self.0);
        match nic.send_frame(frame) {
            Err(ErrorKind::Busy) if is_reply => Ok(()),
            result => result,
        }
    }
}
