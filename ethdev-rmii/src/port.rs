//! What the caller supplies: the two ends of an RMII, one for each direction.

/// The receiving end: it is given buffers, and gives each back with what came in.
///
/// What is behind it is the caller's: state machines, DMA channels, interrupts. Buffers move in and out by value, so that one that the hardware writes to is
/// out of everybody else's reach: with `&'static mut [u8]`, DMA needs no more than that.
///
/// # Contract
///
/// - Frames go into the buffers in the order in which those were given, one into each, at their start, from the destination address on: preamble and SFD are
///   not stored. The FCS is.
/// - A buffer comes back for **every** reception that ended, one of no bytes (a false carrier) included: whether there was one must not be judged by the
///   length.
/// - The end of a frame is the second low sample of `CRS_DV` in a row, because it toggles while the PHY empties its FIFO (data sheet of the LAN8720A, on this
///   pin); up to [`MAX_DRIBBLE_BYTES`](Self::MAX_DRIBBLE_BYTES) bytes too many are no harm. A carrier that ends before a start delimiter came must not hold the receiver.
/// - The length is taken when the last byte is in memory, not when `CRS_DV` falls: FIFO and DMA lag behind.
/// - With room for more than one buffer, the next reception begins in the interrupt that ends the last one, within the 960 ns between two frames. With room for
///   one, frames that come before the driver is called again are lost.
/// - Received bits are sampled by the PHY's reference clock, or by one that is derived from it: between two crystals of 50 ppm each, the last bit of a long
///   frame has moved by more than half its length.
pub trait RxPort {
    /// Memory for one frame.
    type Buffer: AsMut<[u8]>;
    /// What can go wrong with the hardware.
    type Error: ethdev::Error;

    /// How many stray bytes there may be after the FCS. Each costs one in four milliards of the FCS' strength, and a byte-wise step of the CRC.
    const MAX_DRIBBLE_BYTES: usize = 1;

    /// How many buffers it takes at a time: so many frames can come while nobody calls.
    fn depth(&self) -> usize {
        1
    }

    /// Whether [`start`](Self::start) takes another buffer.
    fn has_room(&mut self) -> bool;

    /// Takes a buffer to receive into, after those that it has, and begins to receive where it has not. Gives it back where there is no room.
    ///
    /// # Errors
    ///
    /// No room.
    fn start(&mut self, buffer: Self::Buffer) -> Result<(), Self::Buffer>;

    /// The oldest buffer into which a reception ended; `None` while there is none. Never waits.
    ///
    /// # Errors
    ///
    /// The hardware failed.
    fn done(&mut self) -> Result<Option<Received<Self::Buffer>>, Self::Error>;

    /// Ends reception, and gives back the buffers that it has, whatever is in them, one at each call, until `None`. A frame that is whole in one of them counts
    /// as [missed](Self::missed).
    fn stop(&mut self) -> Option<Self::Buffer>;

    /// Whether [`missed`](Self::missed) tells the truth. Where it does not, frames that come while there is no buffer are lost without a trace.
    const COUNTS_MISSED: bool = false;

    /// How many frames came and went, since this was last asked: because there was no buffer, or because their buffer was given back by [`stop`](Self::stop).
    fn missed(&mut self) -> u32 {
        0
    }

    /// Sets the hardware up again. It has no buffers then.
    ///
    /// # Errors
    ///
    /// The hardware failed.
    fn reset(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// The sending end: it is given frames, and gives each buffer back when its frame is on the wire.
///
/// # Contract
///
/// - A frame is complete when it is given: padded, with its FCS. The port adds preamble and SFD, and keeps TXD at zero while `TX_EN` is low.
/// - Done means that the last bit has left the pins **and** the gap of 12 byte times after it is over, or will be kept: an idle DMA channel is not enough, the
///   state machine's FIFO and shift register lag behind.
/// - It sends as many bits as it was told, and ends: whatever happens, `TX_EN` falls.
pub trait TxPort {
    /// Memory for one frame.
    type Buffer: AsMut<[u8]>;
    /// What can go wrong with the hardware.
    type Error: ethdev::Error;

    /// How many bytes of each buffer, before the frame, are the port's own: for a length that goes ahead of the frame through the same DMA channel, for
    /// instance.
    const HEADROOM: usize = 0;

    /// How many frames it takes at a time.
    fn depth(&self) -> usize {
        1
    }

    /// Whether [`start`](Self::start) takes another frame.
    fn has_room(&mut self) -> bool;

    /// Takes a frame to be sent, after those that it has. It lies at `HEADROOM..HEADROOM + len` of the buffer, and is 64 to 1522 bytes long.
    ///
    /// # Errors
    ///
    /// No room: the buffer is given back.
    fn start(&mut self, buffer: Self::Buffer, len: usize) -> Result<(), Self::Buffer>;

    /// The oldest buffer whose frame is done; `None` while there is none. Never waits.
    ///
    /// # Errors
    ///
    /// The hardware failed.
    fn done(&mut self) -> Result<Option<Self::Buffer>, Self::Error>;

    /// Stops sending, in the middle of a frame if need be, and gives back the buffers whose frames are not done, one at each call, until `None`.
    fn abort(&mut self) -> Option<Self::Buffer>;

    /// Sets the hardware up again. It has no buffers then.
    ///
    /// # Errors
    ///
    /// The hardware failed.
    fn reset(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// A port with an interrupt: it makes a [`SoftMac`](super::SoftMac) a [`Rearm`](ethdev::Rearm).
pub trait PortInterrupt {
    /// Whether the end of a reception, or of a transmission, rings the host's interrupt signal. What the port's own handler does besides, it goes on doing.
    fn set_interrupt(&mut self, enabled: bool);
}

/// A buffer that came back from an [`RxPort`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Received<B> {
    /// The buffer.
    pub buffer: B,
    /// How many bytes were written to it, FCS and stray bytes included. More than it is long is taken for a mistake of the hardware, not for a length.
    pub len: usize,
    /// What is known to be wrong with it.
    pub frame_error: Option<FrameError>,
}

impl<B> Received<B> {
    /// A buffer with so many bytes.
    #[must_use]
    pub const fn new(buffer: B, len: usize) -> Self {
        Self {
            buffer,
            len,
            frame_error: None,
        }
    }

    /// The same with a frame_error.
    #[must_use]
    pub fn with_flaw(self, frame_error: FrameError) -> Self {
        Self {
            frame_error: Some(frame_error),
            ..self
        }
    }
}

/// What a port knows to be wrong with a reception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FrameError {
    /// More bytes came than the buffer is long.
    Overflow,
    /// `RX_ER` was active, or bits were lost on their way into memory.
    Symbol,
}

/// Whether no two of these pins are the same: for the constructors of ports, which drive them all.
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
