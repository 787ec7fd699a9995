//! The model of an invented SPI Ethernet chip with a receive queue of eight frames.
//!
//! Each command is one transaction, executed when chip select rises. Numbers are big-endian.
//!
//! | opcode | bytes after it | effect |
//! |---|---|---|
//! | `0x01` STATUS | reads 26 | id `0x5a`, flags, length of the next frame (2), address (6), 8 counters (2 each) |
//! | `0x02` CONFIG | enable (1), address (6) | disabling drops pending frames and the one that is being sent |
//! | `0x03` READ | reads the length | the next frame, without FCS; it stays next |
//! | `0x04` RELEASE | | drops the next frame |
//! | `0x05` WRITE | offset (2), data | fills the transmit buffer, while `TX_BUSY` is 0 |
//! | `0x06` SEND | length (2) | sends the transmit buffer, padded to 60 bytes |
//! | `0x07` RESET | | disables, clears address and fault; the counters continue |
//!
//! Flags: 0 ENABLED, 1 LINK, 2 `TX_BUSY`, 3 `RX_PENDING`, 4 FAULT. Counters, which wrap: overruns, bad
//! FCS, bad length, filtered, received frames dropped by CONFIG or RESET, sent, accepted frames lost
//! with the link, accepted frames dropped by CONFIG or RESET.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use ethdev_sim::{Clock, Port, fcs};

const RX_FRAMES: usize = 8;

pub(crate) struct Chip {
    clock: Clock,
    port: Port,
    enabled: bool,
    pub(crate) fault: bool,
    address: [u8; 6],
    /// Frames, and the lengths that STATUS reports for them.
    received: VecDeque<(usize, Vec<u8>)>,
    buffer: Vec<u8>,
    /// A frame that waits for a stalled transmitter, and the end of the one on the wire.
    waiting: Option<Vec<u8>>,
    sending: Option<Duration>,
    counters: [u16; 8],
    stalled: bool,
    /// The length that STATUS reports for the next frame that arrives.
    pub(crate) next_len: Option<usize>,
}

impl Chip {
    pub(crate) fn new(clock: &Clock, port: Port) -> Rc<RefCell<Self>> {
        let chip = Rc::new(RefCell::new(Self {
            clock: clock.clone(),
            port,
            enabled: false,
            fault: false,
            address: [0; 6],
            received: VecDeque::new(),
            buffer: vec![0; 1514],
            waiting: None,
            sending: None,
            counters: [0xfff0; 8],
            stalled: false,
            next_len: None,
        }));
        let (receiver, watcher) = (Rc::downgrade(&chip), Rc::downgrade(&chip));
        let model = chip.borrow();
        model.port.on_receive(Box::new(move |bytes| {
            if let Some(chip) = receiver.upgrade() {
                chip.borrow_mut().receive(bytes);
            }
        }));
        model.port.on_link_change(Box::new(move |link| {
            if let Some(chip) = watcher.upgrade().filter(|_| !link.is_up()) {
                chip.borrow_mut().link_lost();
            }
        }));
        drop(model);
        chip
    }

    fn count(&mut self, counter: usize, n: usize) {
        self.counters[counter] = self.counters[counter].wrapping_add(n as u16);
    }

    /// A frame arrives, with its FCS.
    fn receive(&mut self, bytes: &[u8]) {
        let frame = fcs::check(bytes);
        match frame {
            _ if !self.enabled => {}
            _ if !(64..=1518).contains(&bytes.len()) => self.count(2, 1),
            None => self.count(1, 1),
            Some(frame) if frame[..6] != self.address && frame[..6] != [0xff; 6] => self.count(3, 1),
            Some(_) if self.received.len() == RX_FRAMES => self.count(0, 1),
            Some(frame) => {
                let len = self.next_len.take().unwrap_or(frame.len());
                self.received.push_back((len, frame.to_vec()));
            }
        }
    }

    pub(crate) fn stall_tx(&mut self, stalled: bool) {
        self.stalled = stalled;
        self.settle();
    }

    /// Completes and starts transmissions.
    pub(crate) fn settle(&mut self) {
        if self.sending.take_if(|end| *end <= self.clock.now()).is_some() {
            self.count(5, 1);
        }
        if let Some(frame) = self.waiting.take_if(|_| !self.stalled) {
            self.sending = Some(self.port.transmit(fcs::pad_and_append(&frame)));
        }
    }

    /// Drops the frame that is being sent.
    fn abort(&mut self) -> bool {
        let waiting = self.waiting.take().is_some();
        self.settle();
        if self.sending.is_some() {
            self.port.break_off();
        }
        self.sending.take().is_some() || waiting
    }

    fn link_lost(&mut self) {
        let lost = self.abort();
        self.count(6, usize::from(lost));
    }

    fn disable(&mut self) {
        self.enabled = false;
        let lost = self.abort();
        self.count(7, usize::from(lost));
        self.count(4, self.received.len());
        self.received.clear();
    }

    /// What the host reads after the bytes `command`.
    pub(crate) fn respond(&self, command: &[u8]) -> Vec<u8> {
        let next = self.received.front();
        if command == [0x03] {
            return next.map_or(vec![], |(_, frame)| frame.clone());
        }
        let busy = self.sending.is_some() || self.waiting.is_some();
        let flags = [self.enabled, self.port.link().is_up(), busy, next.is_some(), self.fault];
        let flags = (0..).zip(flags).map(|(bit, set)| u8::from(set) << bit).sum();
        let len = next.map_or(0, |(len, _)| *len as u16);
        let counters = self.counters.map(u16::to_be_bytes).concat();
        [&[0x5a, flags], &len.to_be_bytes()[..], &self.address, &counters].concat()
    }

    /// Executes a command when chip select rises.
    pub(crate) fn execute(&mut self, command: &[u8]) {
        match *command {
            [0x01 | 0x03] => {}
            [0x02, enable, ref address @ ..] => {
                self.address = address.try_into().expect("CONFIG has an address");
                if enable == 0 {
                    self.disable();
                }
                self.enabled = enable != 0;
            }
            [0x04] => drop(self.received.pop_front()),
            [0x05, ..] if self.sending.is_some() || self.waiting.is_some() => panic!("WRITE while TX_BUSY"),
            [0x05, high, low, ref data @ ..] => {
                let offset = usize::from(u16::from_be_bytes([high, low]));
                self.buffer[offset..offset + data.len()].copy_from_slice(data);
            }
            [0x06, high, low] => {
                assert!(self.enabled, "SEND while disabled");
                assert!(self.sending.is_none() && self.waiting.is_none(), "SEND while TX_BUSY");
                self.waiting = Some(self.buffer[..usize::from(u16::from_be_bytes([high, low]))].to_vec());
                if !self.port.link().is_up() {
                    self.link_lost();
                }
            }
            [0x07] => {
                self.disable();
                (self.address, self.fault) = ([0; 6], false);
            }
            _ => panic!("invalid command {command:02x?}"),
        }
        self.settle();
    }
}
