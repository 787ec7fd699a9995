//! What was on the wires, as a pcapng file (draft-ietf-opsawg-pcapng) with simulated times, for
//! Wireshark and its relatives.

use core::cell::RefCell;
use core::fmt;
use core::time::Duration;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::rc::Rc;

use ethdev::Speed;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::{DataLink, Endianness, PcapError};

/// Timestamps count units of ten to the minus this many seconds: nanoseconds.
const NANOSECONDS: u8 = 9;
/// Flags of an enhanced packet block (section 4.3.1): direction, length of the FCS in bytes,
/// link-layer errors.
const INBOUND: u32 = 0b01;
const OUTBOUND: u32 = 0b10;
const FCS_OF_FOUR_BYTES: u32 = 4 << 5;
const CRC_ERROR: u32 = 1 << 24;

/// A capture that one or more wires write to, each as an interface of its own. Clones write to the
/// same file.
///
/// ```
/// use ethdev_sim::{Capture, Clock, Peer, Wire, WireConfig};
///
/// # fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("run.pcapng");
/// let clock = Clock::new();
/// let (wire, a, _b) = Wire::new(&clock, WireConfig::default().with_name("uplink"));
/// let capture = Capture::to_file(&path)?;
/// wire.capture(&capture);
/// Peer::new(a).send(&[0; 60]);
/// while clock.step() {}
/// capture.flush()?;
/// # assert!(std::fs::metadata(path)?.len() > 64);
/// # Ok(()) }
/// ```
///
/// # Errors while running
///
/// A wire cannot report a full disk. The first error is kept, nothing is written after it, and
/// [`flush`](Self::flush) returns it.
#[derive(Clone)]
pub struct Capture(Rc<RefCell<Inner>>);

struct Inner {
    /// `None` once writing has failed.
    writer: Option<PcapNgWriter<Box<dyn Write>>>,
    error: Option<io::Error>,
    interfaces: u32,
}

/// One interface of a capture.
#[derive(Debug, Clone)]
pub struct CaptureInterface {
    capture: Capture,
    id: u32,
}

/// Which way a frame goes, seen from the interface that is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards it. On a wire: from the second port to the first.
    Inbound,
    /// From it. On a wire: from the first port to the second.
    Outbound,
}

/// One frame for a capture.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// When its last bit passed.
    pub time: Duration,
    /// Which way it went.
    pub direction: Direction,
    /// The frame with its FCS.
    pub frame: &'a [u8],
    /// Whether the FCS is wrong.
    pub bad_fcs: bool,
    /// A remark to show beside it; may be empty.
    pub comment: &'a str,
}

impl Capture {
    /// Writes to a file, which is created, or emptied.
    ///
    /// # Errors
    ///
    /// The file cannot be written to.
    pub fn to_file(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::new(BufWriter::new(File::create(path)?))
    }

    /// Writes to anything.
    ///
    /// # Errors
    ///
    /// It cannot be written to.
    pub fn new(writer: impl Write + 'static) -> io::Result<Self> {
        let writer: Box<dyn Write> = Box::new(writer);
        // A fixed order of bytes: the same run gives the same file everywhere.
        let writer = PcapNgWriter::with_endianness(writer, Endianness::Little).map_err(to_io)?;
        Ok(Self(Rc::new(RefCell::new(Inner {
            writer: Some(writer),
            error: None,
            interfaces: 0,
        }))))
    }

    /// Adds an interface.
    #[must_use]
    pub fn interface(&self, name: &str, speed: Speed) -> CaptureInterface {
        let mut inner = self.0.borrow_mut();
        let id = inner.interfaces;
        inner.interfaces += 1;
        inner.write(|writer| {
            writer.write_pcapng_block(InterfaceDescriptionBlock {
                linktype: DataLink::ETHERNET,
                snaplen: 0,
                options: vec![
                    InterfaceDescriptionOption::IfName(Cow::Borrowed(name)),
                    InterfaceDescriptionOption::IfSpeed(u64::from(speed.kbps()) * 1000),
                    InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
                ],
            })
        });
        CaptureInterface {
            capture: self.clone(),
            id,
        }
    }

    /// Writes what is still in buffers.
    ///
    /// # Errors
    ///
    /// The first error since the last call, of this or of earlier writing.
    pub fn flush(&self) -> io::Result<()> {
        let mut inner = self.0.borrow_mut();
        if let Some(error) = inner.error.take() {
            return Err(error);
        }
        match &mut inner.writer {
            Some(writer) => writer.get_mut().flush(),
            None => Err(io::Error::other("the capture has failed before")),
        }
    }
}

impl CaptureInterface {
    /// Writes one frame. Frames of one capture come in the order of their times.
    pub fn record(&self, packet: &Packet<'_>) {
        let direction = match packet.direction {
            Direction::Inbound => INBOUND,
            Direction::Outbound => OUTBOUND,
        };
        let errors = if packet.bad_fcs { CRC_ERROR } else { 0 };
        let mut options = vec![EnhancedPacketOption::Flags(direction | FCS_OF_FOUR_BYTES | errors)];
        if !packet.comment.is_empty() {
            options.push(EnhancedPacketOption::Comment(Cow::Borrowed(packet.comment)));
        }
        self.capture.0.borrow_mut().write(|writer| {
            writer.write_pcapng_block(EnhancedPacketBlock {
                interface_id: self.id,
                timestamp: packet.time,
                original_len: u32::try_from(packet.frame.len()).unwrap_or(u32::MAX),
                data: Cow::Borrowed(packet.frame),
                options,
            })
        });
    }
}

impl Inner {
    fn write(&mut self, write: impl FnOnce(&mut PcapNgWriter<Box<dyn Write>>) -> Result<usize, PcapError>) {
        let Some(writer) = &mut self.writer else { return };
        if let Err(error) = write(writer) {
            self.error = Some(to_io(error));
            self.writer = None;
        }
    }
}

fn to_io(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.0.borrow();
        f.debug_struct("Capture")
            .field("interfaces", &inner.interfaces)
            .field("error", &inner.error)
            .finish_non_exhaustive()
    }
}
