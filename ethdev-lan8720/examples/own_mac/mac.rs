use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::phy::LinkModes;
use ethdev::*;
use ethdev_phy::Mac;

/// What the hardware can do: here, a MAC with a FIFO in each direction that adds, checks and strips the FCS.
pub trait Fifos {
    fn rx_len(&mut self) -> Option<usize>; // of the frame that is next
    fn rx_read(&mut self, into: &mut [u8]); // and drops what is left of it
    fn tx_ready(&mut self) -> bool;
    fn tx_write(&mut self, parts: &[&[u8]]); // and sends, padded
    fn set_mode(&mut self, speed: Option<Speed>, duplex: Option<Duplex>);
    fn mdio(&mut self, phy: u8, register: u8, write: Option<u16>) -> Option<u16>; // None: it took too long
}

pub struct OwnMac<F> { pub fifos: F, address: MacAddress, link: Link, started: bool, stats: Stats }

impl<F> OwnMac<F> {
    pub fn new(fifos: F, address: MacAddress) -> Self {
        Self { fifos, address, link: Link::Down, started: false, stats: Stats::ZERO }
    }
}

impl<F> ErrorType for OwnMac<F> { type Error = ErrorKind; }

impl<F: Fifos> EthernetDevice for OwnMac<F> {
    fn mac_address(&self) -> MacAddress { self.address }
    fn capabilities(&self) -> Capabilities { Capabilities::ETHERNET }
    fn link(&self) -> Link { if self.started { self.link } else { Link::Down } }
    fn stats(&self) -> Stats { self.stats }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        let Some(needed) = self.fifos.rx_len().filter(|_| self.started) else { return Ok(None) };
        let Some(buf) = buf.get_mut(..needed) else { return Err(ErrorKind::BufferTooSmall { needed }) };
        self.fifos.rx_read(buf);
        self.stats.count_rx(needed);
        Ok(Some(RxMeta::new(needed)))
    }
    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        let pending = self.started && self.fifos.rx_len().is_some();
        if pending { self.fifos.rx_read(&mut []); self.stats.rx_discarded += 1; }
        Ok(pending)
    }
    fn tx_ready(&mut self) -> Result<bool, ErrorKind> { Ok(self.link().is_up() && self.fifos.tx_ready()) }
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        let len = validate_tx_len(parts, &self.capabilities())?;
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
    fn start(&mut self) -> Result<(), ControlError<ErrorKind>> { self.started = true; Ok(()) }
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
    fn modes(&self) -> LinkModes { LinkModes::ALL_MODES } // with PAUSE, if it does that
    fn mdio(&mut self) -> impl Mdio<Error = ErrorKind> { Bus(&mut self.fifos) }
    fn set_link(&mut self, link: Link) -> Result<(), ErrorKind> {
        if let Some(mode) = link.mode() { self.fifos.set_mode(mode.speed, mode.duplex); }
        self.stats.link_changes += u32::from(link != self.link);
        self.link = link;
        Ok(())
    }
}
