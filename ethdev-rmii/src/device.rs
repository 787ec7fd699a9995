//! The traits of `ethdev`.

use core::marker::PhantomData;
use core::time::Duration;

use ethdev::frame::{FCS_LEN, MAX_FRAME_LEN, MAX_VLAN_FRAME_LEN};
use ethdev::{
    Capabilities, Control, ControlError, Duplex, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest,
    LendingDevice, Link, MacAddress, MaxFrameLen, Rearm, RearmOutcome, RxFilter, RxMeta, Speed, Stats, lending,
    validate_tx_len,
};
use ethdev_phy::mdio::Mdio;
use ethdev_phy::phy::LinkModes;

use super::filter::Filter;
use super::mdio::SoftMacMdio;
use super::port::{PortInterrupt, RxPort, TxPort};
use super::rx::{OneShotRx, Receiver};
use super::tx::{OneShotTx, Transmitter};
use super::{Error, Parts, SoftMac};
use ethdev_phy::Mac;

fn is_station(address: MacAddress) -> bool {
    !address.is_multicast() && address.octets() != [0; 6]
}

/// How many frames there is room for: as many as there are buffers and the port takes.
fn queue(buffers: usize, depth: usize) -> u16 {
    u16::try_from(buffers.min(depth)).unwrap_or(u16::MAX)
}

/// The longest frame for which `len` bytes are enough, with `extra` besides frame and FCS.
fn max_frame_len(len: usize, extra: usize) -> Option<usize> {
    let room = len.checked_sub(extra.saturating_add(FCS_LEN))?;
    [MAX_VLAN_FRAME_LEN, MAX_FRAME_LEN].into_iter().find(|max| *max <= room)
}

impl<R, T, M, C, const RX: usize, const TX: usize> SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort,
    T: TxPort<Error = R::Error>,
    M: Mdio,
    C: FnMut() -> Duration,
{
    /// A MAC of these two ports, stopped, with its link down. `clock` tells the time since any fixed moment.
    ///
    /// Frames may have a VLAN tag (1518 bytes) in a direction whose buffers all have room for it: for receiving, 1522 bytes and
    /// [`MAX_DRIBBLE_BYTES`](RxPort::MAX_DRIBBLE_BYTES); for sending, 1522 and [`HEADROOM`](TxPort::HEADROOM). Four less do without.
    ///
    /// # Errors
    ///
    /// `BufferTooShort`; `Request(InvalidInput)` where `address` is not that of a station.
    pub fn new(
        (rx, tx): (R, T),
        mdio: M,
        clock: C,
        address: MacAddress,
        mut rx_buffers: [R::Buffer; RX],
        mut tx_buffers: [T::Buffer; TX],
    ) -> Result<Self, Error<R::Error, M::Error>> {
        const { assert!(RX >= 2, "one buffer to receive into while the other is read") }
        const { assert!(TX >= 1, "a buffer to send from") }
        if !is_station(address) {
            return Err(Error::Request(ErrorKind::InvalidInput));
        }
        let shortest_rx = rx_buffers.iter_mut().map(|buffer| buffer.as_mut().len()).min();
        let shortest_tx = tx_buffers.iter_mut().map(|buffer| buffer.as_mut().len()).min();
        let room = |shortest: Option<usize>, extra: usize| {
            let len = shortest.unwrap_or(0);
            let needed = (MAX_FRAME_LEN + FCS_LEN).saturating_add(extra);
            max_frame_len(len, extra).ok_or(Error::BufferTooShort { len, needed })
        };
        let rx_max = room(shortest_rx, R::MAX_DRIBBLE_BYTES)?;
        let tx_max = room(shortest_tx, T::HEADROOM)?;
        Ok(Self {
            rx: Receiver::new(rx, rx_buffers, address, rx_max),
            tx: Transmitter::new(tx, tx_buffers, clock, tx_max),
            mdio,
            started: false,
            told: Stats::ZERO,
        })
    }

    /// Stops, and gives everything back.
    pub fn release(mut self) -> Parts<R, T, M, C, RX, TX> {
        // What was lost by that, nobody asks any more.
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

    fn rx_half(&mut self) -> OneShotRx<'_, R, M::Error, RX> {
        OneShotRx {
            receiver: &mut self.rx,
            error: PhantomData,
        }
    }

    fn tx_half(&mut self) -> OneShotTx<'_, T, C, M::Error, TX> {
        OneShotTx {
            transmitter: &mut self.tx,
            reserved: None,
            error: PhantomData,
        }
    }

    fn halt(&mut self) -> Result<(), Error<R::Error, M::Error>> {
        let received = self.rx.stop();
        let sent = self.tx.clear();
        self.tx.started = false;
        received.map_err(Error::Port)?;
        Ok(sent?)
    }

    fn run(&mut self) {
        self.rx.start();
        self.tx.started = true;
    }

    fn begin_anew(&mut self) -> Result<(), Error<R::Error, M::Error>> {
        // Whatever is wrong with the ports is the reason for this.
        let _ = self.halt();
        self.rx.port.reset().map_err(Error::Port)?;
        self.tx.port.reset().map_err(Error::Port)?;
        if !(self.rx.is_whole() && self.tx.is_whole()) {
            return Err(Error::BuffersLost);
        }
        self.tx.stats.recoveries = self.tx.stats.recoveries.wrapping_add(1);
        if self.started {
            self.run();
        }
        Ok(())
    }

    /// Counts a change of what `link()` answers.
    fn change<A>(&mut self, change: impl FnOnce(&mut Self) -> A) -> A {
        let before = self.link();
        let answer = change(self);
        if self.link() != before {
            self.tx.stats.link_changes = self.tx.stats.link_changes.wrapping_add(1);
        }
        answer
    }
}

impl<R, T, M, C, const RX: usize, const TX: usize> ErrorType for SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort,
    T: TxPort<Error = R::Error>,
    M: Mdio,
{
    type Error = Error<R::Error, M::Error>;
}

impl<R, T, M, C, const RX: usize, const TX: usize> EthernetDevice for SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort,
    T: TxPort<Error = R::Error>,
    M: Mdio,
    C: FnMut() -> Duration,
{
    fn mac_address(&self) -> MacAddress {
        self.rx.own
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET
            .with_rx_max_frame_len(MaxFrameLen::new(self.rx.max_len))
            .with_tx_max_frame_len(MaxFrameLen::new(self.tx.max_len))
            .with_queue_frames(queue(RX, self.rx.port.depth()), queue(TX, self.tx.port.depth()))
            .with_rx_overrun_exact(R::COUNTS_MISSED)
    }

    fn link(&self) -> Link {
        if self.tx.started { self.tx.link } else { Link::Down }
    }

    fn stats(&self) -> Stats {
        self.rx.stats.wrapping_add(&self.tx.stats)
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        lending::recv_by_copy(self.rx_half(), buf, |needed| {
            Error::Request(ErrorKind::BufferTooSmall { needed })
        })
    }

    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        lending::discard(self.rx_half())
    }

    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        Ok(self.tx.has_room()? && self.tx.is_up())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        validate_tx_len(parts, &self.capabilities()).map_err(Error::Request)?;
        self.tx.check()?;
        lending::send_by_copy(self.tx_half(), parts, || Error::Request(ErrorKind::Busy))
    }

    fn service(&mut self) -> Result<Events, Self::Error> {
        self.rx.collect().map_err(Error::Port)?;
        let room = self.tx.has_room()?;
        let stats = self.stats();
        let since = stats.delta_since(&core::mem::replace(&mut self.told, stats));
        let mut events = Events::NONE;
        events.rx_pending = self.rx.has_ready();
        events.rx_dropped = since
            .rx_lost()
            .wrapping_sub(since.rx_filtered)
            .wrapping_sub(since.rx_discarded)
            != 0;
        events.tx_ready = room && self.tx.is_up();
        events.tx_completed = u16::try_from(since.tx_frames).unwrap_or(u16::MAX);
        events.tx_failed = u16::try_from(since.tx_lost()).unwrap_or(u16::MAX);
        events.recovered = since.recoveries != 0;
        Ok(events)
    }
}

impl<R, T, M, C, const RX: usize, const TX: usize> LendingDevice for SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort,
    T: TxPort<Error = R::Error>,
    M: Mdio,
    C: FnMut() -> Duration,
{
    type Rx<'a>
        = OneShotRx<'a, R, M::Error, RX>
    where
        Self: 'a;
    type Tx<'a>
        = OneShotTx<'a, T, C, M::Error, TX>
    where
        Self: 'a;

    fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>) {
        let rx = OneShotRx {
            receiver: &mut self.rx,
            error: PhantomData,
        };
        let tx = OneShotTx {
            transmitter: &mut self.tx,
            reserved: None,
            error: PhantomData,
        };
        (rx, tx)
    }
}

impl<R, T, M, C, const RX: usize, const TX: usize> Control for SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort,
    T: TxPort<Error = R::Error>,
    M: Mdio,
    C: FnMut() -> Duration,
{
    fn start(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.started = true;
        self.change(Self::run);
        Ok(())
    }

    fn stop(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.started = false;
        self.change(Self::halt).map_err(ControlError::Device)
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<Self::Error>> {
        if !is_station(address) {
            return Err(ControlError::InvalidInput);
        }
        self.rx.own = address;
        Ok(())
    }

    /// Exact for up to eight groups; with more, all groups pass. What does not pass is counted in [`rx_filtered`](Stats::rx_filtered).
    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<Self::Error>> {
        let (filter, outcome) = Filter::new(filter);
        self.rx.filter = filter;
        Ok(outcome)
    }

    /// Resets both ports.
    fn recover(&mut self) -> Result<(), ControlError<Self::Error>> {
        self.change(Self::begin_anew).map_err(ControlError::Device)
    }
}

impl<R, T, M, C, const RX: usize, const TX: usize> Rearm for SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort + PortInterrupt,
    T: TxPort<Error = R::Error> + PortInterrupt,
    M: Mdio,
    C: FnMut() -> Duration,
{
    fn disarm(&mut self) -> Result<(), Self::Error> {
        self.rx.port.set_interrupt(false);
        self.tx.port.set_interrupt(false);
        Ok(())
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        self.rx.port.set_interrupt(interest.rx);
        self.tx.port.set_interrupt(interest.tx);
        self.rx.collect().map_err(Error::Port)?;
        let room = self.tx.has_room()? && self.tx.is_up();
        let pending = (interest.rx && self.rx.has_ready()) || (interest.tx && room);
        Ok(if pending {
            RearmOutcome::WorkPending
        } else {
            RearmOutcome::Armed
        })
    }
}

impl<R, T, M, C, const RX: usize, const TX: usize> Mac for SoftMac<R, T, M, C, RX, TX>
where
    R: RxPort,
    T: TxPort<Error = R::Error>,
    M: Mdio,
    C: FnMut() -> Duration,
{
    /// 100 Mbit/s full duplex and nothing else: there is nobody to notice a collision, and no second rate.
    fn modes(&self) -> LinkModes {
        LinkModes::TX100_FULL
    }

    fn mdio(&mut self) -> impl Mdio<Error = Self::Error> {
        SoftMacMdio {
            mdio: &mut self.mdio,
            error: PhantomData,
        }
    }

    /// As the trait says, and refuses every mode but 100 Mbit/s full duplex with [`Error::LinkMode`]. A mode that is not known is taken for that.
    fn set_link(&mut self, link: Link) -> Result<(), Self::Error> {
        let refused = link.mode().filter(|mode| {
            mode.speed.is_some_and(|speed| speed != Speed::MBPS_100) || mode.duplex == Some(Duplex::Half)
        });
        let link = if refused.is_some() { Link::Down } else { link };
        let cleared = self.change(|mac| {
            mac.tx.link = link;
            if link.is_up() { Ok(()) } else { mac.tx.clear() }
        });
        match refused {
            Some(mode) => Err(Error::LinkMode(mode)),
            None => Ok(cleared?),
        }
    }
}
