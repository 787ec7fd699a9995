use ethdev::*;

/// A NIC that receives what it sends, one frame at a time.
struct Loopback {
    memory: [u8; 1514],
    pending: Option<usize>,
    stats: Stats,
}

impl ErrorType for Loopback {
    type Error = ErrorKind;
}

impl EthernetDevice for Loopback {
    fn mac_address(&self) -> MacAddress { MacAddress::new([2, 0, 0, 0, 0, 1]) }
    fn capabilities(&self) -> Capabilities { Capabilities::ETHERNET.with_tx_min_frame_len(0) }
    fn link(&self) -> Link { Link::UP }
    fn stats(&self) -> Stats { self.stats }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        let Some(needed) = self.pending else { return Ok(None) };
        let buf = buf.get_mut(..needed).ok_or(ErrorKind::BufferTooSmall { needed })?;
        buf.copy_from_slice(&self.memory[..needed]);
        self.pending = None;
        self.stats.count_rx(needed);
        Ok(Some(RxMeta::new(needed)))
    }
    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        let discarded = self.pending.take().is_some();
        self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(u32::from(discarded));
        Ok(discarded)
    }
    fn tx_ready(&mut self) -> Result<bool, ErrorKind> { Ok(self.pending.is_none()) }
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        let len = validate_tx_len(parts, self.tx_max_frame_len())?; // FrameTooShort, FrameTooLong
        if self.pending.is_some() { return Err(ErrorKind::Busy) }
        self.pending = frame::copy_vectored(parts, &mut self.memory);
        self.stats.count_tx(len);
        Ok(())
    }
    fn service(&mut self) -> Result<Events, ErrorKind> {
        let mut events = Events::NONE;
        events.rx_pending = self.pending.is_some();
        events.tx_ready = self.pending.is_none();
        Ok(events)
    }
}
