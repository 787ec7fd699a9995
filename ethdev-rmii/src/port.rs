//! The hardware that the caller supplies: one port for each direction of the RMII.

/// The receive port: it is given buffers and returns each of them with what was received.
///
/// State machines, DMA channels and interrupts are the implementor's. Buffers are passed by value,
/// so that nothing else can access one while the hardware writes to it: `&'static mut [u8]` is
/// enough for DMA.
///
/// # Contract
///
/// - Frames are stored in the order of the buffers, one frame in each, from the start of the
///   buffer: destination address first, without preamble and SFD, with the FCS.
/// - A buffer is returned for **every** reception that ended, even if it has no bytes (a false
///   carrier). Do not detect the end of a reception by its length.
/// - A frame ends at the second consecutive low sample of `CRS_DV`: the signal toggles while the
///   PHY empties its FIFO (data sheet of the LAN8720A, description of the pin). Up to
///   [`MAX_DRIBBLE_BYTES`](Self::MAX_DRIBBLE_BYTES) excess bytes are allowed. A carrier that ends
///   before a start delimiter must not block the receiver.
/// - The length is read when the last byte is in memory, not when `CRS_DV` falls: FIFO and DMA lag
///   behind.
/// - A port that queues more than one buffer starts the next reception in the interrupt that ends
///   the previous one, within the 960 ns between two frames. A port that takes one buffer loses the
///   frames that arrive before the driver is called again.
/// - Received bits are sampled with the PHY's reference clock, or with one derived from it: between
///   two crystals of 50 ppm each, the last bit of a long frame has drifted by more than half a bit
///   time.
pub trait RxPort {
    /// Memory for one frame.
    type Buffer: AsMut<[u8]>;
    /// The error of the hardware.
    type Error: ethdev::Error + 'static;

    /// Number of excess bytes that may follow the FCS. Each adds one chance in 2^32 that a damaged
    /// frame passes the check, and one CRC step per byte.
    const MAX_DRIBBLE_BYTES: usize = 1;

    /// Whether [`missed`](Self::missed) counts. If it does not, frames that arrive while the port
    /// has no buffer are lost without being counted.
    const COUNTS_MISSED: bool = false;

    /// Returns the number of buffers that the port queues: as many frames can arrive between two
    /// calls of the driver.
    fn depth(&self) -> usize {
        1
    }

    /// Returns whether [`start`](Self::start) accepts another buffer.
    fn has_capacity(&mut self) -> bool;

    /// Queues a buffer to receive into, and starts the receiver if it is idle.
    ///
    /// # Errors
    ///
    /// The queue is full: the buffer is returned.
    fn start(&mut self, buffer: Self::Buffer) -> Result<(), Self::Buffer>;

    /// Returns the oldest buffer whose reception has ended; `None` if there is none. Never waits.
    ///
    /// # Errors
    ///
    /// The hardware failed.
    fn done(&mut self) -> Result<Option<Received<Self::Buffer>>, Self::Error>;

    /// Stops reception and returns the buffers that the port has, whatever they contain: one for
    /// each call, then `None`. A complete frame in one of them counts as
    /// [missed](Self::missed).
    fn stop(&mut self) -> Option<Self::Buffer>;

    /// Returns the number of frames lost since the last call: because the port had no buffer, or
    /// because [`stop`](Self::stop) returned their buffer.
    fn missed(&mut self) -> u32 {
        0
    }

    /// Initialises the hardware again. The port has no buffers then.
    ///
    /// # Errors
    ///
    /// The hardware failed.
    fn reset(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// The transmit port: it is given frames and returns each buffer when its frame is on the wire.
///
/// # Contract
///
/// - Frames are complete: padded, with their FCS. The port adds preamble and SFD, and keeps TXD at
///   zero while `TX_EN` is low.
/// - A frame is done when its last bit has left the pins **and** the gap of 12 byte times has
///   passed, or will be kept. An idle DMA channel is not enough: FIFO and shift register of the
///   state machine lag behind.
/// - The port sends the given number of bits and ends: `TX_EN` falls in every case.
pub trait TxPort {
    /// Memory for one frame.
    type Buffer: AsMut<[u8]>;
    /// The error of the hardware.
    type Error: ethdev::Error + 'static;

    /// Number of bytes at the start of each buffer, before the frame, that belong to the port: for
    /// example for a length that precedes the frame in the same DMA transfer.
    const HEADROOM: usize = 0;

    /// Returns the number of frames that the port queues.
    fn depth(&self) -> usize {
        1
    }

    /// Returns whether [`start`](Self::start) accepts another frame.
    fn has_capacity(&mut self) -> bool;

    /// Queues a frame. It is at `HEADROOM..HEADROOM + len` of the buffer; `len` is 64 to 1522
    /// bytes, with the FCS.
    ///
    /// # Errors
    ///
    /// The queue is full: the buffer is returned.
    fn start(&mut self, buffer: Self::Buffer, len: usize) -> Result<(), Self::Buffer>;

    /// Returns the oldest buffer whose frame is done; `None` if there is none. Never waits.
    ///
    /// # Errors
    ///
    /// The hardware failed.
    fn done(&mut self) -> Result<Option<Self::Buffer>, Self::Error>;

    /// Stops transmission, in the middle of a frame if necessary, and returns the buffers of frames
    /// that are not done: one for each call, then `None`.
    fn abort(&mut self) -> Option<Self::Buffer>;

    /// Initialises the hardware again. The port has no buffers then.
    ///
    /// # Errors
    ///
    /// The hardware failed.
    fn reset(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// A port with an interrupt. If both ports have one, [`SoftMac`](crate::SoftMac) implements
/// [`Rearm`](ethdev::Rearm).
pub trait PortInterrupt {
    /// Sets whether the end of a reception, or of a transmission, signals the host. The port's own
    /// interrupt handler keeps running.
    fn set_interrupt(&mut self, enabled: bool);
}

/// A buffer returned by an [`RxPort`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Received<B> {
    /// The buffer.
    pub buffer: B,
    /// Number of bytes written to it, including FCS and dribble. A length beyond the end of the
    /// buffer is counted as an error.
    pub len: usize,
    /// The error that the port detected.
    pub frame_error: Option<FrameError>,
}

impl<B> Received<B> {
    /// Creates a result of `len` bytes without an error.
    #[must_use]
    pub const fn new(buffer: B, len: usize) -> Self {
        Self {
            buffer,
            len,
            frame_error: None,
        }
    }

    /// Sets the error that the port detected.
    #[must_use]
    pub fn with_frame_error(self, frame_error: FrameError) -> Self {
        Self {
            frame_error: Some(frame_error),
            ..self
        }
    }
}

/// An error of a reception that the port detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FrameError {
    /// The frame is longer than the buffer.
    Overflow,
    /// `RX_ER` was active, or bits were lost between the pins and the memory.
    Symbol,
}

/// Returns whether all pins are different: for the constructors of ports.
///
/// ```
/// use ethdev_rmii::distinct_pins;
/// const TX: [u8; 3] = [10, 11, 12];
/// const { assert!(distinct_pins(&[6, 7, 8, TX[0], TX[1], TX[2]])) }
/// assert!(!distinct_pins(&[6, 7, 8, 8]));
/// ```
#[must_use]
pub const fn distinct_pins(pins: &[u8]) -> bool {
    let mut rest = pins;
    while let [first, others @ ..] = rest {
        let mut left = others;
        while let [other, more @ ..] = left {
            if *first == *other {
                return false;
            }
            left = more;
        }
        rest = others;
    }
    true
}
