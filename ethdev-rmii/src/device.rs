//! The traits of `ethdev` and `ethdev-phy`.

use core::time::Duration;

use ethdev::{
    Capabilities, Control, Counted, Coverage, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome,
    LendingDevice, Link, LossReason, MacAddress, MaxFrameLen, RxFilter, RxMeta, Stats, TxHalf as _, lending,
    validate_tx_len,
};
use ethdev_phy::Mac;
use ethdev_phy::mdio::Mdio;
use ethdev_phy::phy::LinkModes;

use crate::error::Error;
use crate::filter::Filter;
use crate::lifecycle::SoftMac;
use crate::phy::SoftMacMdio;
use crate::port::{RxPort, TxPort};
use crate::rx::SoftMacRx;
use crate::tx::SoftMacTx;

impl<R, T, M, C, const RX: usize, const TX: usize> ErrorType for SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort,
    T: TxPort<Error = R::Error>,
    M: Mdio<Error: 'static>,
{
    type Error = Error<R::Error, M::Error>;
}

impl<R, T, M, C, const RX: usize, const TX: usize> EthernetDevice for SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort,
    T: TxPort<Error = R::Error>,
    M: Mdio<Error: 'static>,
    C: FnMut() -> Duration,
{
    fn mac_address(&self) -> MacAddress {
        self.rx.address
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET
            .with_rx_max_frame_len(MaxFrameLen::new(self.rx.max_len))
            .with_tx_max_frame_len(self.tx_max_frame_len())
            .with_queue_frames(
                queue_frames(RX, self.rx.port.depth()),
                queue_frames(TX, self.tx.port.depth()),
            )
            .with_coverage(coverage(R::COUNTS_MISSED))
    }

    fn tx_max_frame_len(&self) -> MaxFrameLen {
        MaxFrameLen::new(self.tx.max_len)
    }

    fn link(&self) -> Link {
        self.link_state()
    }

    fn stats(&self) -> Stats {
        self.rx.stats.wrapping_add(&self.tx.stats)
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        lending::recv_by_copy(self.split().0, buf)
    }

    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        lending::discard(self.split().0)
    }

    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        Ok(self.tx.has_capacity()? && self.tx.is_up())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        validate_tx_len(parts, self.tx_max_frame_len())?;
        self.tx.check_state()?;
        self.split().1.send_vectored(parts)
    }

    fn service(&mut self) -> Result<Events, Self::Error> {
        self.rx.collect()?;
        let capacity = self.tx.has_capacity()?;
        let stats = self.stats();
        let since = stats.delta_since(&core::mem::replace(&mut self.reported, stats));
        let mut events = Events::NONE;
        events.rx_pending = self.rx.has_ready();
        events.rx_dropped = since
            .rx_lost()
            .wrapping_sub(since.rx_filtered)
            .wrapping_sub(since.rx_discarded)
            != 0;
        events.tx_ready = capacity && self.tx.is_up();
        events.tx_completed = u16::try_from(since.tx_frames).unwrap_or(u16::MAX);
        events.tx_failed = u16::try_from(since.tx_lost()).unwrap_or(u16::MAX);
        events.recovered = since.recoveries != 0;
        let link = self.link_state();
        events.link_changed = core::mem::replace(&mut self.reported_link, link) != link;
        Ok(events)
    }
}

/// Number of frames that a direction queues: limited by its buffers and by the queue of the port.
fn queue_frames(buffers: usize, depth: usize) -> Option<u16> {
    Some(u16::try_from(buffers.min(depth)).unwrap_or(u16::MAX))
}

const fn coverage(counts_missed: bool) -> Coverage {
    if counts_missed {
        Coverage::EXACT
    } else {
        Coverage::EXACT
            .with(LossReason::RxOverrun, Counted::NotReported)
            // A frame in a buffer that the port returns when it is stopped is not counted.
            .with(LossReason::RxReset, Counted::AtLeastOne)
    }
}

impl<R, T, M, C, const RX: usize, const TX: usize> LendingDevice for SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort,
    T: TxPort<Error = R::Error>,
    M: Mdio<Error: 'static>,
    C: FnMut() -> Duration,
{
    type Rx<'a>
        = SoftMacRx<'a, R, M::Error, RX>
    where
        Self: 'a;
    type Tx<'a>
        = SoftMacTx<'a, T, C, M::Error, TX>
    where
        Self: 'a;

    fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>) {
        (SoftMacRx::new(&mut self.rx), SoftMacTx::new(&mut self.tx))
    }
}

impl<R, T, M, C, const RX: usize, const TX: usize> Control for SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort,
    T: TxPort<Error = R::Error>,
    M: Mdio<Error: 'static>,
    C: FnMut() -> Duration,
{
    /// In a fault it resets the ports, as `recover` does.
    fn start(&mut self) -> Result<(), Self::Error> {
        Ok(self.start_ports()?)
    }

    /// In a fault it resets the ports, as `recover` does.
    fn stop(&mut self) -> Result<(), Self::Error> {
        Ok(self.stop_ports()?)
    }

    /// Pending frames stay pending; the next received frame is compared with the new address.
    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Self::Error> {
        if !address.is_unicast() {
            return Err(ErrorKind::InvalidInput.into());
        }
        self.rx.address = address;
        Ok(())
    }

    /// Exact for up to eight groups; with more, all groups pass. Rejected frames are counted in
    /// [`rx_filtered`](Stats::rx_filtered). Pending frames stay pending.
    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, Self::Error> {
        let (filter, outcome) = Filter::new(filter);
        self.rx.filter = filter;
        Ok(outcome)
    }

    /// Resets both ports.
    fn recover(&mut self) -> Result<(), Self::Error> {
        Ok(self.reset_ports()?)
    }
}

impl<R, T, M, C, const RX: usize, const TX: usize> Mac for SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort,
    T: TxPort<Error = R::Error>,
    M: Mdio<Error: 'static>,
    C: FnMut() -> Duration,
{
    /// 100 Mbit/s full duplex only: the ports detect no collisions and have one bit rate.
    fn modes(&self) -> LinkModes {
        LinkModes::TX100_FULL
    }

    fn mdio(&mut self) -> impl Mdio<Error = Self::Error> {
        SoftMacMdio::new(&mut self.mdio)
    }

    /// Sets the link. A mode other than 100 Mbit/s full duplex is [`Error::LinkMode`], and the link
    /// is down. An unknown speed or duplex is taken as 100 Mbit/s or full duplex.
    fn set_link(&mut self, link: Link) -> Result<(), Self::Error> {
        self.change_link(link)
    }
}
