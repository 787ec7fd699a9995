//! A scripted bus device: frames in, frames out, one error at a time.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::VecDeque;

use ethdev::{
    Capabilities, Control, Error, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link,
    MacAddress, Rearm, RearmOutcome, RxFilter, RxMeta, Stats, validate_tx_len,
};

/// An error with a cause that a layer could lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cause(pub(crate) ErrorKind, pub(crate) &'static str);

impl Error for Cause {
    fn kind(&self) -> ErrorKind {
        self.0
    }
}

impl From<ErrorKind> for Cause {
    fn from(kind: ErrorKind) -> Self {
        Self(kind, "")
    }
}

impl core::fmt::Display for Cause {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.0, self.1)
    }
}

impl core::error::Error for Cause {}

pub(crate) struct Scripted {
    pub(crate) incoming: VecDeque<Vec<u8>>,
    pub(crate) sent: Vec<Vec<u8>>,
    /// Number of frames that are accepted before the device is busy.
    pub(crate) tx_capacity: usize,
    pub(crate) link: Link,
    /// What the next call that touches the bus answers.
    pub(crate) fail_next: Option<Cause>,
    /// The number of bus accesses after which one fails.
    pub(crate) fail_at: Option<usize>,
    /// Further events, which the next `service` reports.
    pub(crate) events: Events,
    /// The link when `service` returned last.
    pub(crate) reported_link: Link,
    pub(crate) capabilities: Capabilities,
    pub(crate) stats: Stats,
    /// Names of the management calls and of the overridden `send_frame`, in order.
    pub(crate) calls: Vec<&'static str>,
    pub(crate) bus_accesses: usize,
}

impl Scripted {
    pub(crate) fn new() -> Self {
        Self {
            incoming: VecDeque::new(),
            sent: Vec::new(),
            tx_capacity: usize::MAX,
            link: Link::UP,
            fail_next: None,
            fail_at: None,
            events: Events::NONE,
            reported_link: Link::UP,
            capabilities: Capabilities::ETHERNET,
            stats: Stats::ZERO,
            calls: Vec::new(),
            bus_accesses: 0,
        }
    }

    pub(crate) fn with_incoming<const K: usize>(frames: [Vec<u8>; K]) -> Self {
        Self {
            incoming: frames.into(),
            ..Self::new()
        }
    }

    fn bus(&mut self) -> Result<(), Cause> {
        self.bus_accesses += 1;
        if self.fail_at.is_some_and(|at| at + 1 == self.bus_accesses) {
            return Err(Cause(ErrorKind::Bus, "one access"));
        }
        self.fail_next.take().map_or(Ok(()), Err)
    }
}

/// A buffer that outlives the test.
pub(crate) fn buffer(len: usize) -> &'static mut [u8] {
    Vec::leak(vec![0; len])
}

/// `device` behind buffers of `len` bytes.
pub(crate) fn buffered<D>(device: D, len: usize) -> ethdev_util::Buffered<'static, D> {
    ethdev_util::Buffered::new(device, buffer(len), buffer(len))
}

/// A recognizable frame of `len` bytes.
pub(crate) fn frame(seed: u8, len: usize) -> Vec<u8> {
    (0..len).map(|i| seed.wrapping_mul(31).wrapping_add(i as u8)).collect()
}

/// Events that are reported once, whatever the state is afterwards.
pub(crate) fn found_events() -> Events {
    let mut found = Events::NONE;
    (found.rx_dropped, found.recovered) = (true, true);
    (found.tx_completed, found.tx_failed) = (3, 2);
    found
}

impl ErrorType for Scripted {
    type Error = Cause;
}

impl EthernetDevice for Scripted {
    fn mac_address(&self) -> MacAddress {
        MacAddress::new([2, 0, 0, 0, 0, 1])
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn link(&self) -> Link {
        self.link
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Cause> {
        self.bus()?;
        let Some(frame) = self.incoming.front() else {
            return Ok(None);
        };
        let needed = frame.len();
        let Some(buf) = buf.get_mut(..needed) else {
            return Err(Cause(ErrorKind::BufferTooSmall { needed }, "short"));
        };
        buf.copy_from_slice(frame);
        self.incoming.pop_front();
        self.stats.count_rx(needed);
        Ok(Some(RxMeta::new(needed)))
    }

    fn discard_frame(&mut self) -> Result<bool, Cause> {
        self.bus()?;
        let discarded = self.incoming.pop_front().is_some();
        self.stats.rx_discarded += u32::from(discarded);
        Ok(discarded)
    }

    fn tx_ready(&mut self) -> Result<bool, Cause> {
        self.bus()?;
        Ok(self.tx_capacity > 0 && self.link.is_up())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Cause> {
        let len = validate_tx_len(parts, self.capabilities.tx_max_frame_len)?;
        self.bus()?;
        if !self.link.is_up() {
            return Err(Cause(ErrorKind::LinkDown, "no cable"));
        }
        self.tx_capacity = self.tx_capacity.checked_sub(1).ok_or(Cause(ErrorKind::Busy, "full"))?;
        self.sent.push(parts.concat());
        self.stats.count_tx(len);
        Ok(())
    }

    fn send_frame(&mut self, frame: &[u8]) -> Result<(), Cause> {
        self.calls.push("send_frame");
        self.send_vectored(&[frame])
    }

    fn service(&mut self) -> Result<Events, Cause> {
        self.bus()?;
        let mut events = std::mem::take(&mut self.events);
        events.link_changed = std::mem::replace(&mut self.reported_link, self.link) != self.link;
        events.rx_pending = !self.incoming.is_empty();
        events.tx_ready = self.tx_capacity > 0 && self.link.is_up();
        Ok(events)
    }
}

impl Control for Scripted {
    fn stop(&mut self) -> Result<(), Cause> {
        self.calls.push("stop");
        self.bus()
    }

    fn set_mac_address(&mut self, _: MacAddress) -> Result<(), Cause> {
        self.calls.push("set_mac_address");
        self.bus()
    }

    fn set_rx_filter(&mut self, _: RxFilter<'_>) -> Result<FilterOutcome, Cause> {
        self.calls.push("set_rx_filter");
        Ok(FilterOutcome::Superset)
    }

    fn recover(&mut self) -> Result<(), Cause> {
        self.calls.push("recover");
        self.bus()
    }
}

impl Rearm for Scripted {
    fn disarm(&mut self) -> Result<(), Cause> {
        self.calls.push("disarm");
        self.bus()
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Cause> {
        self.calls.push("rearm");
        self.bus()?;
        let pending = interest.rx && !self.incoming.is_empty();
        Ok(if pending {
            RearmOutcome::WorkPending
        } else {
            RearmOutcome::Armed
        })
    }
}
