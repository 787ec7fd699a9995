//! A memory device that obeys, or misbehaves as told.

use std::collections::VecDeque;
use std::vec::Vec;

use ethdev::{
    Capabilities, Control, ControlError, ErrorKind, ErrorType, EthernetDevice, Events, LendingDevice, Link, MacAddress,
    RxFrame, RxHalf, RxMeta, Stats, TxHalf, lending,
};

pub(crate) const OWN: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);

/// What goes wrong, in every call until it is changed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wrong {
    pub(crate) peek: Option<ErrorKind>,
    pub(crate) release: Option<ErrorKind>,
    pub(crate) ready: Option<ErrorKind>,
    pub(crate) reserve: Option<ErrorKind>,
    pub(crate) commit: Option<ErrorKind>,
    pub(crate) service: Option<ErrorKind>,
    /// `peek` answers once and then no more: the frame is gone when it is to be read.
    pub(crate) vanishes: bool,
    /// A released frame is lent again.
    pub(crate) never_ends: bool,
    /// `ready` is always true.
    pub(crate) ready_lies: bool,
    /// The first `reserve` of each half finds no room, whatever there is.
    pub(crate) late_room: bool,
    /// `reserve` lends this much at most.
    pub(crate) lends_short: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) caps: Capabilities,
    pub(crate) link: Link,
    /// What `service` finds the link to be.
    pub(crate) cable: Link,
    pub(crate) rx: VecDeque<Vec<u8>>,
    pub(crate) tx: Vec<Vec<u8>>,
    /// How many more frames fit.
    pub(crate) room: usize,
    pub(crate) wrong: Wrong,
    pub(crate) stats: Stats,
    pub(crate) services: usize,
    reserved: Option<Vec<u8>>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            caps: Capabilities::ETHERNET,
            link: Link::UP,
            cable: Link::UP,
            rx: VecDeque::new(),
            tx: Vec::new(),
            room: usize::MAX,
            wrong: Wrong::default(),
            stats: Stats::ZERO,
            services: 0,
            reserved: None,
        }
    }
}

fn or_fail<T>(wrong: Option<ErrorKind>, value: T) -> Result<T, ErrorKind> {
    wrong.map_or(Ok(value), Err)
}

#[derive(Debug)]
pub(crate) struct Rx<'a> {
    frames: &'a mut VecDeque<Vec<u8>>,
    stats: &'a mut Stats,
    wrong: Wrong,
    peeks: usize,
}

impl Rx<'_> {
    fn end(&mut self, delivered: bool) -> Result<(), ErrorKind> {
        if !self.wrong.never_ends
            && let Some(frame) = self.frames.pop_front()
        {
            lending::count_release(self.stats, frame.len(), delivered);
        }
        or_fail(self.wrong.release, ())
    }
}

impl RxHalf for Rx<'_> {
    type Error = ErrorKind;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, ErrorKind> {
        self.peeks += 1;
        if self.wrong.vanishes && self.peeks > 1 {
            return Ok(None);
        }
        or_fail(self.wrong.peek, ())?;
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
    room: &'a mut usize,
    reserved: &'a mut Option<Vec<u8>>,
    wrong: Wrong,
    link: Link,
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
        or_fail(self.wrong.ready, *self.room > 0 || self.wrong.ready_lies)
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, ErrorKind> {
        *self.reserved = None;
        or_fail(self.wrong.reserve, ())?;
        if len > self.max {
            return Err(ErrorKind::FrameTooLong { max: self.max });
        }
        self.reserves += 1;
        if *self.room == 0 || (self.wrong.late_room && self.reserves == 1) {
            return Ok(None);
        }
        let lent = self.wrong.lends_short.map_or(len, |short| short.min(len));
        Ok(Some(self.reserved.insert(std::vec![0xEE; lent])))
    }

    fn commit(&mut self, len: usize) -> Result<(), ErrorKind> {
        let mut frame = self.reserved.take().unwrap_or_default();
        or_fail(self.wrong.commit, ())?;
        if !self.link.is_up() {
            return Err(ErrorKind::LinkDown);
        }
        if len > frame.len() {
            return Err(ErrorKind::FrameTooLong { max: frame.len() });
        }
        frame.truncate(len);
        *self.room -= 1;
        self.sent.push(frame);
        Ok(())
    }
}

impl ErrorType for Memory {
    type Error = ErrorKind;
}

impl LendingDevice for Memory {
    type Rx<'a> = Rx<'a>;
    type Tx<'a> = Tx<'a>;

    fn split(&mut self) -> (Rx<'_>, Tx<'_>) {
        (
            Rx {
                frames: &mut self.rx,
                stats: &mut self.stats,
                wrong: self.wrong,
                peeks: 0,
            },
            Tx {
                sent: &mut self.tx,
                room: &mut self.room,
                reserved: &mut self.reserved,
                wrong: self.wrong,
                link: self.link,
                max: self.caps.tx_max_frame_len.bytes(),
                reserves: 0,
            },
        )
    }
}

impl EthernetDevice for Memory {
    fn mac_address(&self) -> MacAddress {
        OWN
    }

    fn capabilities(&self) -> Capabilities {
        self.caps
    }

    fn link(&self) -> Link {
        self.link
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        lending::recv_by_copy(self.split().0, buf, |needed| ErrorKind::BufferTooSmall { needed })
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        lending::discard(self.split().0)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        self.split().1.ready()
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        lending::send_by_copy(self.split().1, parts, || ErrorKind::Busy)
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        self.services += 1;
        or_fail(self.wrong.service, ())?;
        let mut events = Events::NONE;
        events.link_changed = self.link != self.cable;
        self.link = self.cable;
        Ok(events)
    }
}

impl Control for Memory {
    fn recover(&mut self) -> Result<(), ControlError<ErrorKind>> {
        self.wrong = Wrong::default();
        Ok(())
    }
}
