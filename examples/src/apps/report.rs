//! Samples that are taken at regular times, and the client that reports them to a server.
//!
//! The sampler and the client are tasks with a bounded queue between them: while the server does
//! not reply, the sampler goes on, and drops and counts what does not fit.

use core::cell::Cell;
use core::fmt;

use critical_section::Mutex;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;
use embassy_time::{Duration, Instant, Timer};
use ethdev::Stats;

/// The port of the server.
pub const PORT: u16 = 9000;
/// The time between two samples.
pub const INTERVAL: Duration = Duration::from_millis(100);
/// The server must accept the connection and reply to each sample within this time.
pub(super) const TIMEOUT: Duration = Duration::from_millis(500);
/// The pause before the client connects again.
pub(super) const RETRY: Duration = Duration::from_millis(250);
/// Length of a sample on the wire, in bytes.
pub const SAMPLE_LEN: usize = 4;
/// Capacity of the queue.
const QUEUE: usize = 4;

/// The queue between the sampler and the client.
pub struct Samples {
    queue: Channel<CriticalSectionRawMutex, Sample, QUEUE>,
    dropped: Mutex<Cell<u32>>,
}

/// A sample: its number. On the wire four bytes, the most significant first; the server returns
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample(pub u32);

impl Sample {
    pub(super) const fn to_bytes(self) -> [u8; SAMPLE_LEN] {
        self.0.to_be_bytes()
    }
}

impl Samples {
    /// Creates an empty queue.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            queue: Channel::new(),
            dropped: Mutex::new(Cell::new(0)),
        }
    }

    /// Takes a sample at each multiple of [`INTERVAL`], indefinitely.
    pub async fn take(&self) -> ! {
        let now = Instant::now().as_ticks();
        let mut next = Instant::from_ticks(now - now % INTERVAL.as_ticks());
        let mut number = 0_u32;
        loop {
            next += INTERVAL;
            Timer::at(next).await;
            if self.queue.try_send(Sample(number)).is_err() {
                critical_section::with(|cs| {
                    let dropped = self.dropped.borrow(cs);
                    dropped.set(dropped.get().wrapping_add(1));
                });
            }
            number = number.wrapping_add(1);
        }
    }

    /// Returns the number of samples that were dropped because the queue was full.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        critical_section::with(|cs| self.dropped.borrow(cs).get())
    }

    pub(super) const fn queue(&self) -> &Channel<CriticalSectionRawMutex, Sample, QUEUE> {
        &self.queue
    }
}

impl Default for Samples {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Samples")
            .field("queued", &self.queue.len())
            .field("dropped", &self.dropped())
            .finish()
    }
}

/// What the client reports about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The server accepted the connection.
    Connected,
    /// The server returned this sample.
    Acknowledged(Sample),
    /// The server refused or ended the connection, or returned other bytes.
    Closed,
    /// The server did not reply in time. Frames that were sent while none was received mean that
    /// the peer, or something on the way to it, drops them silently.
    NoReply {
        /// Frames sent since the last reply.
        sent: u32,
        /// Frames received since the last reply.
        received: u32,
    },
}

impl Event {
    /// The peer did not reply, and these were the counters of the device at its last reply.
    pub(super) fn no_reply(now: Stats, at_last_reply: Stats) -> Self {
        let delta = now.delta_since(&at_last_reply);
        Self::NoReply {
            sent: delta.tx_frames,
            received: delta.rx_frames,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("connected"),
            Self::Acknowledged(Sample(number)) => write!(f, "sample {number} acknowledged"),
            Self::Closed => f.write_str("connection closed by the server"),
            Self::NoReply { sent, received } => {
                write!(
                    f,
                    "no reply: {sent} frames sent, {received} received since the last reply"
                )
            }
        }
    }
}
