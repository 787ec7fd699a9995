use ethdev::*;
use ethdev_phy::Mac;
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::phy::LinkModes;

/// Access to the hardware: a MAC with one FIFO per direction that adds, checks and strips the FCS.
pub trait Fifos {
    fn rx_len(&mut self) -> Option<usize>; // length of the next frame
    fn rx_read(&mut self, buf: &mut [u8]); // drops the rest of the frame
    fn tx_ready(&mut self) -> bool;
    fn tx_write(&mut self, parts: &[&[u8]]); // sends, padded to 60 bytes
    fn set_mode(&mut self, speed: Option<Speed>, duplex: Option<Duplex>);
    fn mdio(&mut self, phy: u8, register: u8, write: Option<u16>) -> Option<u16>; // None: timeout
}

pub struct OwnMac<F> { pub fifos: F, address: MacAddress, link: Link, started: bool, stats: Stats }

impl<F> OwnMac<F> {
    pub fn new(fifos: F, address: MacAddress) -> Self {
        Self { fifos, address, link: Link::Down, started: false, stats: Stats::ZERO }
    }
}

impl<F> ErrorType for OwnMac<F> { type Error = ErrorKind; }

/// This hardware has no counters of lost frames.
const CAPABILITIES: Capabilities = Capabilities::ETHERNET.with_coverage(
    Coverage::EXACT
        .with(LossReason::RxOverrun, Counted::NotReported)
        .with(LossReason::RxBadFcs, Counted::NotReported)
        .with(LossReason::RxBadLength, Counted::NotReported)
        .with(LossReason::RxError, Counted::NotReported)
        .with(LossReason::RxFiltered, Counted::NotReported)
        .with(LossReason::TxAborted, Counted::NotReported),
);

impl<F: Fifos> EthernetDevice for OwnMac<F> {
    fn mac_address(&self) -> MacAddress { self.address }
    fn capabilities(&self) -> Capabilities { CAPABILITIES }
    fn tx_max_frame_len(&self) -> MaxFrameLen { CAPABILITIES.tx_max_frame_len }
    fn link(&self) -> Link { if self.started { self.link } else { Link::Down } }
    fn stats(&self) -> Stats { self.stats }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        let Some(needed) = self.fifos.rx_len().filter(|_| self.started) else { return Ok(None) };
        let buf = buf.get_mut(..needed).ok_or(ErrorKind::BufferTooSmall { needed })?;
        self.fifos.rx_read(buf);
        self.stats.count_rx(needed);
        Ok(Some(RxMeta::new(needed)))
    }
    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        let pending = self.started && self.fifos.rx_len().is_some();
        if pending {
            self.fifos.rx_read(&mut []);
            self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(1);
        }
        Ok(pending)
    }
    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.link().is_up() && self.fifos.tx_ready())
    }
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        let len = validate_tx_len(parts, self.tx_max_frame_len())?;
        if !self.started { return Err(ErrorKind::Stopped) }
        if !self.link.is_up() { return Err(ErrorKind::LinkDown) }
        if !self.fifos.tx_ready() { return Err(ErrorKind::Busy) }
        self.fifos.tx_write(parts);
        self.stats.count_tx(len);
        Ok(())
    }
    fn service(&mut self) -> Result<Events, ErrorKind> {
        let mut events = Events::NONE;
        events.rx_pending = self.started && self.fifos.rx_len().is_some();
        events.tx_ready = self.tx_ready()?;
        Ok(events)
    }
}

impl<F: Fifos> Control for OwnMac<F> {
    fn start(&mut self) -> Result<(), ErrorKind> { self.started = true; Ok(()) }
}

struct Bus<'a, F>(&'a mut F);

impl<F: Fifos> Mdio for Bus<'_, F> {
    type Error = ErrorKind;
    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, ErrorKind> {
        self.0.mdio(phy.get(), register.get(), None).ok_or(ErrorKind::Timeout)
    }
    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), ErrorKind> {
        self.0.mdio(phy.get(), register.get(), Some(value)).map(drop).ok_or(ErrorKind::Timeout)
    }
}

impl<F: Fifos> Mac for OwnMac<F> {
    fn modes(&self) -> LinkModes { LinkModes::ALL_MODES } // with PAUSE, if the MAC obeys it
    fn mdio(&mut self) -> impl Mdio<Error = ErrorKind> { Bus(&mut self.fifos) }
    fn set_link(&mut self, link: Link) -> Result<(), ErrorKind> {
        if let Some(mode) = link.mode() { self.fifos.set_mode(mode.speed, mode.duplex); }
        if link != self.link { self.stats.link_changes = self.stats.link_changes.wrapping_add(1); }
        self.link = link;
        Ok(())
    }
}
