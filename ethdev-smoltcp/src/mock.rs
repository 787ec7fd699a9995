//! A mock of a device with the pull and the zero-copy API, with fault injection.

use std::collections::VecDeque;
use std::vec::Vec;

use ethdev::{
    Capabilities, Control, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, LendingDevice, Link,
    MacAddress, Rearm, RearmOutcome, RxFilter, RxFrame, RxHalf, RxMeta, Stats, TxHalf, lending,
};

pub(crate) const OWN: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);

/// Faults to inject in every call until they are changed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) peek: Option<ErrorKind>,
    pub(crate) release: Option<ErrorKind>,
    pub(crate) ready: Option<ErrorKind>,
    pub(crate) reserve: Option<ErrorKind>,
    pub(crate) commit: Option<ErrorKind>,
    pub(crate) service: Option<ErrorKind>,
    /// `peek` lends once; the frame is gone when it is to be read.
    pub(crate) frame_vanishes: bool,
    /// A released frame is lent again.
    pub(crate) frame_repeats: bool,
    /// `ready` returns true while the queue is full.
    pub(crate) false_ready: bool,
    /// The first `reserve` of each half finds no free buffer.
    pub(crate) first_reserve_fails: bool,
    /// `reserve` lends no more than this.
    pub(crate) short_reserve: Option<usize>,
    /// `recv_frame` fails although the buffer is long enough: the frame needs this length.
    pub(crate) false_needed: Option<usize>,
    /// `recv_frame` reports this length.
    pub(crate) reported_len: Option<usize>,
    pub(crate) stop: Option<ErrorKind>,
}

#[derive(Debug)]
pub(crate) struct MockDevice {
    pub(crate) caps: Capabilities,
    link: Link,
    /// The link that `service` finds.
    pub(crate) cable: Link,
    pub(crate) rx: VecDeque<Vec<u8>>,
    pub(crate) tx: Vec<Vec<u8>>,
    /// Number of free transmit buffers.
    pub(crate) tx_free: usize,
    pub(crate) faults: Faults,
    /// The calls of `Control`, `disarm` and `service`.
    pub(crate) calls: Vec<&'static str>,
    pub(crate) address: MacAddress,
    /// Number of calls that reached the frames.
    splits: usize,
    stats: Stats,
    stopped: bool,
    reserved: Option<Vec<u8>>,
}

impl MockDevice {
    pub(crate) fn new() -> Self {
        Self {
            caps: Capabilities::ETHERNET,
            link: Link::UP,
            cable: Link::UP,
            rx: VecDeque::new(),
            tx: Vec::new(),
            tx_free: usize::MAX,
            faults: Faults::default(),
            calls: Vec::new(),
            address: OWN,
            splits: 0,
            stats: Stats::ZERO,
            stopped: false,
            reserved: None,
        }
    }

    /// Takes the link down without an event.
    pub(crate) fn cut_link(&mut self) {
        (self.link, self.cable) = (Link::Down, Link::Down);
    }

    fn halt(&mut self) -> Result<(), ErrorKind> {
        or_fail(self.faults.stop, ())?;
        self.stats.rx_reset += self.rx.len() as u32;
        self.rx.clear();
        self.stopped = true;
        Ok(())
    }
}

fn or_fail<T>(fault: Option<ErrorKind>, value: T) -> Result<T, ErrorKind> {
    fault.map_or(Ok(value), Err)
}

#[derive(Debug)]
pub(crate) struct Rx<'a> {
    frames: &'a mut VecDeque<Vec<u8>>,
    stats: &'a mut Stats,
    faults: Faults,
    peeks: usize,
}

impl Rx<'_> {
    fn end(&mut self, delivered: bool) -> Result<(), ErrorKind> {
        if !self.faults.frame_repeats
            && let Some(frame) = self.frames.pop_front()
        {
            lending::count_release(self.stats, frame.len(), delivered);
        }
        or_fail(self.faults.release, ())
    }
}

impl RxHalf for Rx<'_> {
    type Error = ErrorKind;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, ErrorKind> {
        self.peeks += 1;
        if self.faults.frame_vanishes && self.peeks > 1 {
            return Ok(None);
        }
        or_fail(self.faults.peek, ())?;
        Ok(self.frames.front_mut().and_then(|frame| {
            let len = frame.len();
            RxFrame::new(frame, RxMeta::new(len))
        }))
    }

    fn release(&mut self) -> Result<(), ErrorKind> {
        self.end(true)
    }

    fn discard(&mut self) -> Result<(), ErrorKind> {
        self.end(false)
    }
}

#[derive(Debug)]
pub(crate) struct Tx<'a> {
    sent: &'a mut Vec<Vec<u8>>,
    free: &'a mut usize,
    reserved: &'a mut Option<Vec<u8>>,
    faults: Faults,
    down: Option<ErrorKind>,
    max: usize,
    reserves: usize,
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        *self.reserved = None;
    }
}

impl TxHalf for Tx<'_> {
    type Error = ErrorKind;

    fn ready(&mut self) -> Result<bool, ErrorKind> {
        or_fail(self.faults.ready, *self.free > 0 || self.faults.false_ready)
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, ErrorKind> {
        *self.reserved = None;
        or_fail(self.faults.reserve, ())?;
        if len > self.max {
            return Err(ErrorKind::FrameTooLong { max: self.max });
        }
        self.reserves += 1;
        if *self.free == 0 || (self.faults.first_reserve_fails && self.reserves == 1) {
            return Ok(None);
        }
        let lent = self.faults.short_reserve.map_or(len, |short| short.min(len));
        Ok(Some(self.reserved.insert(std::vec![0xEE; lent])))
    }

    fn commit(&mut self, len: usize) -> Result<(), ErrorKind> {
        let mut frame = self.reserved.take().unwrap_or_default();
        or_fail(self.faults.commit, ())?;
        or_fail(self.down, ())?;
        if len > frame.len() {
            return Err(ErrorKind::FrameTooLong { max: frame.len() });
        }
        frame.truncate(len);
        *self.free -= 1;
        self.sent.push(frame);
        Ok(())
    }
}

impl ErrorType for MockDevice {
    type Error = ErrorKind;
}

impl LendingDevice for MockDevice {
    type Rx<'a> = Rx<'a>;
    type Tx<'a> = Tx<'a>;

    fn split(&mut self) -> (Rx<'_>, Tx<'_>) {
        self.splits += 1;
        assert!(self.splits < 1_000_000, "the adapter polls without end");
        let down = if self.stopped {
            Some(ErrorKind::Stopped)
        } else {
            (!self.link.is_up()).then_some(ErrorKind::LinkDown)
        };
        (
            Rx {
                frames: &mut self.rx,
                stats: &mut self.stats,
                faults: self.faults,
                peeks: 0,
            },
            Tx {
                sent: &mut self.tx,
                free: &mut self.tx_free,
                reserved: &mut self.reserved,
                faults: self.faults,
                down,
                max: self.caps.tx_max_frame_len.bytes(),
                reserves: 0,
            },
        )
    }
}

impl EthernetDevice for MockDevice {
    fn mac_address(&self) -> MacAddress {
        self.address
    }

    fn capabilities(&self) -> Capabilities {
        self.caps
    }

    fn link(&self) -> Link {
        if self.stopped { Link::Down } else { self.link }
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        let reported = self.faults.reported_len;
        or_fail(
            self.faults
                .false_needed
                .map(|needed| ErrorKind::BufferTooSmall { needed }),
            (),
        )?;
        let meta = lending::recv_by_copy(self.split().0, buf)?;
        Ok(meta.map(|meta| reported.map_or(meta, RxMeta::new)))
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        lending::discard(self.split().0)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.split().1.ready()? && self.link().is_up())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        let (_, mut tx) = self.split();
        // A device reports a link that is down whether or not its queue is full.
        or_fail(tx.down, ())?;
        tx.send_vectored(parts)
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        self.calls.push("service");
        or_fail(self.faults.service, ())?;
        let mut events = Events::NONE;
        events.link_changed = self.link != self.cable;
        self.link = self.cable;
        Ok(events)
    }
}

impl Control for MockDevice {
    fn start(&mut self) -> Result<(), ErrorKind> {
        self.calls.push("start");
        self.stopped = false;
        Ok(())
    }

    fn stop(&mut self) -> Result<(), ErrorKind> {
        self.calls.push("stop");
        self.halt()
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ErrorKind> {
        self.calls.push("set_mac_address");
        self.address = address;
        Ok(())
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ErrorKind> {
        self.calls.push("set_rx_filter");
        Ok(if filter.promiscuous {
            FilterOutcome::Superset
        } else {
            FilterOutcome::Exact
        })
    }

    fn recover(&mut self) -> Result<(), ErrorKind> {
        self.calls.push("recover");
        self.faults = Faults::default();
        Ok(())
    }

    fn sleep(&mut self) -> Result<(), ErrorKind> {
        self.calls.push("sleep");
        self.halt()
    }

    fn wake(&mut self) -> Result<(), ErrorKind> {
        self.calls.push("wake");
        self.stopped = false;
        Ok(())
    }
}

impl Rearm for MockDevice {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        self.calls.push("disarm");
        Ok(())
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, ErrorKind> {
        let pending = interest.rx && !self.rx.is_empty();
        Ok(if pending {
            RearmOutcome::WorkPending
        } else {
            RearmOutcome::Armed
        })
    }
}
