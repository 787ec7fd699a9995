//! A complete driver, and code that runs on any driver: a NIC that receives what it sends, and an
//! echo that returns each frame to its sender.
//!
//! `cargo run -p ethdev --example loopback_echo`

use std::collections::VecDeque;

use ethdev::{
    Capabilities, ErrorKind, ErrorType, EthernetDevice, Events, Link, MacAddress, RxMeta, Stats, validate_tx_len,
};

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 1]);
/// The number of frames that the loopback stores.
const SLOTS: usize = 4;

/// A NIC whose transmitter is connected to its own receiver.
struct Loopback {
    frames: VecDeque<Vec<u8>>,
    stats: Stats,
}

// A driver of a chip has an error type of its own, which keeps the error of the bus.
impl ErrorType for Loopback {
    type Error = ErrorKind;
}

impl EthernetDevice for Loopback {
    fn mac_address(&self) -> MacAddress {
        ADDRESS
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET.with_tx_min_frame_len(0) // frames are not padded
    }

    fn link(&self) -> Link {
        Link::UP
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        let Some(frame) = self.frames.front() else {
            return Ok(None);
        };
        let needed = frame.len();
        // A frame that is too long for the buffer remains the next one.
        let buf = buf.get_mut(..needed).ok_or(ErrorKind::BufferTooSmall { needed })?;
        buf.copy_from_slice(frame);
        self.frames.pop_front();
        self.stats.count_rx(needed);
        Ok(Some(RxMeta::new(needed)))
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        let discarded = self.frames.pop_front().is_some();
        self.stats.rx_discarded = self.stats.rx_discarded.wrapping_add(u32::from(discarded));
        Ok(discarded)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.frames.len() < SLOTS)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        let len = validate_tx_len(parts, self.tx_max_frame_len())?;
        if !self.tx_ready()? {
            return Err(ErrorKind::Busy);
        }
        self.frames.push_back(parts.concat());
        self.stats.count_tx(len);
        Ok(())
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        let mut events = Events::NONE;
        events.rx_pending = !self.frames.is_empty();
        events.tx_ready = self.tx_ready()?;
        Ok(events)
    }
}

/// Returns one frame to its sender, on any device. Returns its length, or `None` if no frame is
/// pending.
fn echo<D: EthernetDevice>(nic: &mut D, buf: &mut [u8]) -> Result<Option<usize>, D::Error> {
    let Some(meta) = nic.recv_frame(buf)? else {
        return Ok(None);
    };
    let (addresses, payload) = buf[..meta.len].split_at(12);
    nic.send_vectored(&[&addresses[6..], &nic.mac_address().octets(), payload])?;
    Ok(Some(meta.len))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut nic = Loopback {
        frames: VecDeque::new(),
        stats: Stats::ZERO,
    };
    let mut buf = [0; 1514];
    assert_eq!(echo(&mut nic, &mut buf)?, None);

    nic.send_vectored(&[&ADDRESS.octets(), &[0x02, 0, 0, 0, 0, 2], &[0x88, 0xb5], b"hello"])?;
    while nic.service()?.rx_pending && nic.stats().rx_frames < 3 {
        if let Some(len) = echo(&mut nic, &mut buf)? {
            println!("returned a frame of {len} bytes");
        }
    }
    for (name, value) in nic.stats().iter().filter(|(_, value)| *value > 0) {
        println!("{name}: {value}");
    }
    Ok(())
}
