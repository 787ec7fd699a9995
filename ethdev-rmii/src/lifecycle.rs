//! The MAC, its construction, and the transitions between its states.

use core::fmt;
use core::time::Duration;

use ethdev::frame::{FCS_LEN, MAX_FRAME_LEN, MAX_VLAN_FRAME_LEN};
use ethdev::{Duplex, ErrorKind, Link, MacAddress, Speed, Stats};
use ethdev_phy::mdio::Mdio;

use crate::error::{Error, PortError};
use crate::port::{RxPort, TxPort};
use crate::rx::Receiver;
use crate::tx::Transmitter;

/// A MAC over an [`RxPort`] and a [`TxPort`], with `RX` receive buffers and `TX` transmit buffers.
/// `M` is the MDIO bus to the PHY, `C` a clock.
///
/// Stopped on construction, with its link down: [`EthernetPort`](ethdev_phy::EthernetPort) starts
/// it and sets its link.
///
/// ```
/// use core::time::Duration;
/// use ethdev::MacAddress;
/// use ethdev_phy::mdio::{Mdio, PhyAddress};
/// use ethdev_rmii::{SoftMac, RxPort, TxPort};
/// use ethdev_phy::{Error, Mac};
/// use ethdev_lan8720::{Lan8720, Lan8720Phy, PhyConfig};
/// # type PortError<R, M> = Error<ethdev_rmii::Error<<R as RxPort>::Error, <M as Mdio>::Error>>;
///
/// /// `mdio` is for example a `BitBang`. Eight receive buffers and two transmit buffers.
/// fn port<R: RxPort, T: TxPort<Error = R::Error>, M: Mdio<Error: 'static>>(
///     ports: (R, T),
///     mdio: M,
///     now: impl FnMut() -> Duration + Copy,
///     rx: [R::Buffer; 8],
///     tx: [T::Buffer; 2],
/// ) -> Result<Lan8720<impl Mac<Error = ethdev_rmii::Error<R::Error, M::Error>>, impl FnMut() -> Duration>, PortError<R, M>> {
///     let address = MacAddress::new([0x02, 0, 0, 0, 0, 0x01]);
///     let mac = SoftMac::new(ports, mdio, now, address, rx, tx).map_err(Error::Mac)?;
///     // Most boards strap the PHY to address 1.
///     let phy = Lan8720Phy::new(PhyAddress::from_low_bits(1), PhyConfig::new());
///     Lan8720::new(mac, phy, now)
/// }
/// ```
pub struct SoftMac<R: RxPort, T: TxPort, M, C, const RX: usize, const TX: usize> {
    pub(crate) rx: Receiver<R, RX>,
    pub(crate) tx: Transmitter<T, C, TX>,
    pub(crate) mdio: M,
    /// The state that both ports reached last: started or stopped.
    started: bool,
    /// A call did not take its whole effect: `start`, `stop` and `recover` reset the ports.
    fault: bool,
    /// The counters at the last `service`.
    pub(crate) reported: Stats,
    /// The link at the last `service`.
    pub(crate) reported_link: Link,
}

impl<R: RxPort, T: TxPort, M, C, const RX: usize, const TX: usize> fmt::Debug for SoftMac<R, T, M, C, RX, TX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftMac")
            .field("rx", &self.rx)
            .field("tx", &self.tx)
            .finish_non_exhaustive()
    }
}

/// The parts of a [`SoftMac`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Parts<R: RxPort, T: TxPort, M, C, const RX: usize, const TX: usize> {
    /// The receive port.
    pub rx: R,
    /// The transmit port.
    pub tx: T,
    /// The MDIO bus to the PHY.
    pub mdio: M,
    /// The clock.
    pub clock: C,
    /// The receive buffers. `None` is one that the port did not return.
    pub rx_buffers: [Option<R::Buffer>; RX],
    /// The transmit buffers. `None` is one that the port did not return.
    pub tx_buffers: [Option<T::Buffer>; TX],
}

impl<R, T, M, C, const RX: usize, const TX: usize> SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort,
    T: TxPort<Error = R::Error>,
    M: Mdio,
    C: FnMut() -> Duration,
{
    /// Creates a MAC over two ports, stopped, with its link down. `clock` returns the time since
    /// any fixed moment.
    ///
    /// A direction supports VLAN-tagged frames (1518 bytes) if all of its buffers have at least
    /// 1522 bytes and [`MAX_DRIBBLE_BYTES`](RxPort::MAX_DRIBBLE_BYTES) (receive) or
    /// [`HEADROOM`](TxPort::HEADROOM) (transmit). Four bytes less are enough without tags.
    ///
    /// # Errors
    ///
    /// `BufferTooShort`; `InvalidInput` if `address` is a group address or all zeros.
    pub fn new(
        (rx, tx): (R, T),
        mdio: M,
        clock: C,
        address: MacAddress,
        mut rx_buffers: [R::Buffer; RX],
        mut tx_buffers: [T::Buffer; TX],
    ) -> Result<Self, Error<R::Error, M::Error>> {
        const {
            assert!(
                RX >= 2,
                "at least two receive buffers: one is filled while the other is read"
            );
        }
        const { assert!(TX >= 1, "at least one transmit buffer") }
        if !address.is_unicast() {
            return Err(ErrorKind::InvalidInput.into());
        }
        let shortest_rx = rx_buffers.iter_mut().map(|buffer| buffer.as_mut().len()).min();
        let shortest_tx = tx_buffers.iter_mut().map(|buffer| buffer.as_mut().len()).min();
        let max_len = |shortest: Option<usize>, extra: usize| {
            let len = shortest.unwrap_or(0);
            let needed = (MAX_FRAME_LEN + FCS_LEN).saturating_add(extra);
            max_frame_len(len, extra).ok_or(Error::BufferTooShort { len, needed })
        };
        let rx_max = max_len(shortest_rx, R::MAX_DRIBBLE_BYTES)?;
        let tx_max = max_len(shortest_tx, T::HEADROOM)?;
        Ok(Self {
            rx: Receiver::new(rx, rx_buffers, address, rx_max),
            tx: Transmitter::new(tx, tx_buffers, clock, tx_max),
            mdio,
            started: false,
            fault: false,
            reported: Stats::ZERO,
            reported_link: Link::Down,
        })
    }

    /// Stops the MAC and releases its parts.
    pub fn release(mut self) -> Parts<R, T, M, C, RX, TX> {
        // The counters are not read any more, so an error changes nothing.
        let _ = self.halt();
        let (rx, rx_buffers) = self.rx.release();
        let (tx, clock, tx_buffers) = self.tx.release();
        Parts {
            rx,
            tx,
            mdio: self.mdio,
            clock,
            rx_buffers,
            tx_buffers,
        }
    }

    pub(crate) const fn link_state(&self) -> Link {
        if self.tx.started { self.tx.link } else { Link::Down }
    }

    pub(crate) fn start_ports(&mut self) -> Result<(), PortError<R::Error>> {
        if self.fault {
            return self.restart(true);
        }
        self.started = true;
        self.count_link_change(Self::run);
        Ok(())
    }

    pub(crate) fn stop_ports(&mut self) -> Result<(), PortError<R::Error>> {
        if self.fault {
            return self.restart(false);
        }
        self.change_state(false, Self::halt)
    }

    /// Resets both ports and restores the state that they reached last.
    pub(crate) fn reset_ports(&mut self) -> Result<(), PortError<R::Error>> {
        self.restart(self.started)
    }

    /// Resets both ports and brings them into a state.
    fn restart(&mut self, started: bool) -> Result<(), PortError<R::Error>> {
        self.change_state(started, |mac| {
            mac.set_fault(false);
            // A failure of the ports is the reason for the reset.
            let _ = mac.halt();
            mac.rx.port.reset().map_err(PortError::Port)?;
            mac.tx.port.reset().map_err(PortError::Port)?;
            if !(mac.rx.has_all_buffers() && mac.tx.has_all_buffers()) {
                return Err(PortError::BuffersLost);
            }
            mac.tx.stats.recoveries = mac.tx.stats.recoveries.wrapping_add(1);
            if started {
                mac.run();
            }
            Ok(())
        })
    }

    /// Brings the ports into a state by `change`. If that fails, the MAC is in a fault, in its
    /// former state.
    fn change_state(
        &mut self,
        started: bool,
        change: impl FnOnce(&mut Self) -> Result<(), PortError<R::Error>>,
    ) -> Result<(), PortError<R::Error>> {
        let was_fault = self.fault;
        let faults = self.faults();
        let result = self.count_link_change(change);
        if result.is_ok() {
            self.started = started;
        } else if !was_fault && self.faults() == faults {
            self.tx.stats.faults = self.tx.stats.faults.wrapping_add(1);
        }
        self.set_fault(result.is_err());
        result
    }

    const fn faults(&self) -> u32 {
        self.rx.stats.faults.wrapping_add(self.tx.stats.faults)
    }

    const fn set_fault(&mut self, fault: bool) {
        (self.fault, self.rx.fault, self.tx.fault) = (fault, fault, fault);
    }

    /// Sets the link. Frames that are queued when it goes down are dropped.
    pub(crate) fn change_link(&mut self, link: Link) -> Result<(), Error<R::Error, M::Error>> {
        let unsupported = link.mode().filter(|mode| {
            mode.speed.is_some_and(|speed| speed != Speed::MBPS_100) || mode.duplex == Some(Duplex::Half)
        });
        let link = if unsupported.is_some() { Link::Down } else { link };
        let cleared = self.count_link_change(|mac| {
            mac.tx.link = link;
            if link.is_up() { Ok(()) } else { mac.tx.clear() }
        });
        match unsupported {
            Some(mode) => Err(Error::LinkMode(mode)),
            None => Ok(cleared?),
        }
    }

    fn run(&mut self) {
        self.rx.start();
        self.tx.started = true;
    }

    fn halt(&mut self) -> Result<(), PortError<R::Error>> {
        let received = self.rx.stop();
        let sent = self.tx.clear();
        self.tx.started = false;
        received.and(sent)
    }

    /// Counts a change of `link_state()` that `change` causes.
    fn count_link_change<A>(&mut self, change: impl FnOnce(&mut Self) -> A) -> A {
        let before = self.link_state();
        let result = change(self);
        if self.link_state() != before {
            self.tx.stats.link_changes = self.tx.stats.link_changes.wrapping_add(1);
        }
        result
    }
}

/// Returns the longest frame, without FCS, for which buffers of `len` bytes are long enough: each
/// also holds the FCS and `extra` bytes.
fn max_frame_len(len: usize, extra: usize) -> Option<usize> {
    let frame = len.checked_sub(extra.saturating_add(FCS_LEN))?;
    [MAX_VLAN_FRAME_LEN, MAX_FRAME_LEN]
        .into_iter()
        .find(|max| *max <= frame)
}
