//! The traits of `ethdev` and `ethdev-phy`.

use core::time::Duration;

use embedded_hal::delay::DelayNs;
use ethdev::{
    Capabilities, Control, Counted, Coverage, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome,
    LendingDevice, Link, LossReason, MacAddress, MaxFrameLen, RxFilter, RxMeta, Stats, TxHalf as _, lending,
};
use ethdev_phy::Mac;
use ethdev_phy::dma::Dma;
use ethdev_phy::mdio::Mdio;
use ethdev_phy::mmio::Registers;
use ethdev_phy::phy::LinkModes;

use crate::error::Error;
use crate::lifecycle::Enet;
use crate::phy::EnetMdio;
use crate::rx::EnetRx;
use crate::tx::EnetTx;

/// The counters of the MAC are 16 bits wide, and 65536 frames of the minimum length take 440 ms.
const MAX_SERVICE_INTERVAL: Duration = Duration::from_millis(400);

/// The MAC does not count frames that its filter rejects. A reset loses the frames in the receive
/// FIFO without counting them.
const COVERAGE: Coverage = Coverage::EXACT
    .with(LossReason::RxFiltered, Counted::NotReported)
    .with(LossReason::RxReset, Counted::AtLeastOne);

impl<BUS, D, DMA> ErrorType for Enet<BUS, D, DMA> {
    type Error = Error;
}

impl<BUS: Registers, D: DelayNs, DMA: Dma> EthernetDevice for Enet<BUS, D, DMA> {
    #[inline]
    fn mac_address(&self) -> MacAddress {
        self.config.mac_address
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET
            .with_max_frame_len(self.tx_max_frame_len())
            .with_queue_frames(Some(self.rx.ring.len()), Some(self.tx.ring.len()))
            .with_coverage(COVERAGE)
            .with_max_service_interval(MAX_SERVICE_INTERVAL)
    }

    #[inline]
    fn tx_max_frame_len(&self) -> MaxFrameLen {
        MaxFrameLen::new(self.tx.max_len())
    }

    #[inline]
    fn link(&self) -> Link {
        self.link_state()
    }

    fn stats(&self) -> Stats {
        self.total_stats()
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Error> {
        self.check()?;
        lending::recv_by_copy(self.split().0, buf)
    }

    fn discard_frame(&mut self) -> Result<bool, Error> {
        self.check()?;
        lending::discard(self.split().0)
    }

    fn tx_ready(&mut self) -> Result<bool, Error> {
        self.check()?;
        Ok(self.is_tx_ready())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        self.check()?;
        self.split().1.send_vectored(parts)
    }

    /// Checks that the MAC is enabled, reclaims sent frames, reads the counters, and works around
    /// [ERR006358](crate::errata::ERR006358).
    ///
    /// # Errors
    ///
    /// `Fault`: the MAC stopped by itself.
    fn service(&mut self) -> Result<Events, Error> {
        self.poll_mac()
    }
}

impl<BUS: Registers, D: DelayNs, DMA: Dma> LendingDevice for Enet<BUS, D, DMA> {
    type Rx<'a>
        = EnetRx<'a, BUS, DMA>
    where
        Self: 'a;
    type Tx<'a>
        = EnetTx<'a, BUS, DMA>
    where
        Self: 'a;

    #[inline]
    fn split(&mut self) -> (EnetRx<'_, BUS, DMA>, EnetTx<'_, BUS, DMA>) {
        (
            EnetRx::new(&self.bus, &mut self.rx),
            EnetTx::new(&self.bus, &mut self.tx),
        )
    }
}

impl<BUS: Registers, D: DelayNs, DMA: Dma> Control for Enet<BUS, D, DMA> {
    /// In a fault it resets the MAC, as `recover` does.
    fn start(&mut self) -> Result<(), Error> {
        self.start_mac()
    }

    /// In a fault it resets the MAC, as `recover` does.
    fn stop(&mut self) -> Result<(), Error> {
        self.stop_mac()
    }

    /// Pending frames stay pending. The registers are read back. If that fails, and in a fault, the
    /// address is stored for `recover`.
    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Error> {
        if !address.is_unicast() {
            return Err(ErrorKind::InvalidInput.into());
        }
        self.change_address(address)
    }

    /// Pending frames stay pending. `RCR` is read back. If that fails, and in a fault, the filter
    /// is stored for `recover`.
    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, Error> {
        self.change_filter(filter)
    }

    /// Resets the MAC (`ECR[RESET]`) and writes its settings again. QEMU's model of the ENET resets
    /// its PHY too; silicon does not.
    fn recover(&mut self) -> Result<(), Error> {
        self.recover_mac()
    }
}

impl<BUS: Registers, D: DelayNs, DMA: Dma> Mac for Enet<BUS, D, DMA> {
    fn modes(&self) -> LinkModes {
        if self.config.pause {
            LinkModes::ALL_MODES.union(LinkModes::PAUSE)
        } else {
            LinkModes::ALL_MODES
        }
    }

    fn mdio(&mut self) -> impl Mdio<Error = Error> {
        EnetMdio::new(&self.bus.registers, &mut self.delay)
    }

    /// Sets the link. An unknown speed is taken as 100 Mbit/s, an unknown duplex as full.
    ///
    /// A change of speed, duplex or PAUSE stops the MAC after the frame in transfer; received
    /// frames stay pending, in other buffers. In a fault the link is stored for
    /// [`recover`](ethdev::Control::recover).
    ///
    /// # Errors
    ///
    /// `UnsupportedSpeed`, or `Fault`: the MAC did not store the mode. The link is down then.
    fn set_link(&mut self, link: Link) -> Result<(), Error> {
        self.change_link(link)
    }
}
