//! Function 2: frames between the firmware and the host, their sequence numbers and credits.

use core::time::Duration;
use std::collections::VecDeque;

use super::bus_registers::irq;
use super::command::Command;
use super::hardware::Model;
use super::{Spoil, ViolationKind};

/// Bytes of a frame's first header, as short as it gets.
pub(super) const HEADER: usize = 12;
/// Bytes between the first header and the second one, in data from the host.
const DATA_PAD: usize = 2;
/// Bytes of the second header, of events and data.
const SECOND_HEADER: usize = 4;

/// Channels.
pub(super) mod channel {
    pub(crate) const CONTROL: u8 = 0;
    pub(crate) const EVENT: u8 = 1;
    pub(crate) const DATA: u8 = 2;
}

/// What the firmware has for the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parcel {
    /// A reply to an ioctl, its header included.
    Reply(Vec<u8>),
    /// An event, from its Ethernet header on.
    Event(Vec<u8>),
    /// An Ethernet frame, for this interface.
    Data(u8, Vec<u8>),
    /// Noise.
    Junk,
    /// Nothing but a header.
    Credit,
}

impl Parcel {
    pub(super) const fn channel(&self) -> u8 {
        match self {
            Self::Reply(_) => channel::CONTROL,
            Self::Event(_) | Self::Junk => channel::EVENT,
            Self::Data(..) | Self::Credit => channel::DATA,
        }
    }
}

/// A frame that the bus announces.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) bytes: Vec<u8>,
    pub(super) announced: u16,
    pub(super) parcel: Parcel,
    pub(super) spoiled: bool,
    pub(super) credit: u8,
    /// A length of zero is announced once; then the frame.
    pub(super) zero_once: bool,
}

/// The queue for the host, and both sides' books of sequence numbers.
#[derive(Debug, Default)]
pub(super) struct Fifo {
    pub(super) queue: VecDeque<(Parcel, Option<Spoil>)>,
    pub(super) head: Option<Head>,
    /// Of the next frame for the host.
    pub(super) sequence: u8,
    /// Of the next frame from the host.
    expected: u8,
    /// Frames from the host that the firmware has not worked off yet.
    in_hand: u8,
    /// Frames of data that the firmware holds back, because it was told to; `None` where it does not.
    held: Option<Vec<Vec<u8>>>,
    /// The credit that the host has read last; 1 before that.
    told: Option<u8>,
    /// What the host was told may be anything: it reckons with what it assumes.
    pub(super) told_nonsense: bool,
    /// The firmware gives no more credit than this.
    pub(super) frozen_credit: Option<u8>,
    pub(super) freeze: bool,
    /// What the headers ask for: 0, or the priorities that are to wait.
    pub(super) flow_control: u8,
    /// When the firmware has worked off all that it has got.
    busy_until: Duration,
}

impl Fifo {
    /// The length that the bus announces.
    pub(super) fn announced(&self) -> Option<u16> {
        self.head.as_ref().map(|head| head.announced)
    }

    /// Frames of data that wait for the host.
    pub(super) fn data_waiting(&self) -> usize {
        let queued = self.queue.iter().map(|(parcel, _)| parcel);
        let head = self.head.iter().map(|head| &head.parcel);
        queued
            .chain(head)
            .filter(|parcel| matches!(parcel, Parcel::Data(..)))
            .count()
    }

    /// The sequence number that the host may go up to: there is room for so many frames.
    fn room_up_to(&self, window: u8) -> u8 {
        self.expected.wrapping_add(window.saturating_sub(self.in_hand))
    }

    pub(super) fn credit(&mut self, window: u8) -> u8 {
        let credit = self.room_up_to(window);
        if self.freeze {
            return *self.frozen_credit.get_or_insert(credit);
        }
        self.frozen_credit = None;
        credit
    }
}

impl Model {
    /// Puts something into the queue for the host.
    pub(super) fn push(&mut self, parcel: Parcel) {
        let spoil = self.draw_spoil(&parcel);
        match spoil {
            Some(Spoil::Lost) => {
                self.lose(&parcel);
                return;
            }
            Some(Spoil::Duplicate) => {
                if matches!(parcel, Parcel::Data(..)) {
                    self.stats.arrived += 1;
                }
                self.fifo.queue.push_back((parcel.clone(), None));
                self.fifo.queue.push_back((parcel, None));
            }
            spoil => self.fifo.queue.push_back((parcel, spoil)),
        }
        self.announce();
    }

    fn lose(&mut self, parcel: &Parcel) {
        match parcel {
            Parcel::Data(..) => self.stats.lost_by_fault += 1,
            Parcel::Reply(_) => {
                self.stats.control_lost += 1;
                self.reply_over();
                self.refresh_credit();
            }
            Parcel::Event(_) => self.stats.control_lost += 1,
            Parcel::Junk | Parcel::Credit => {}
        }
    }

    /// What the host reads from function 2.
    pub(super) fn read_frame(&mut self, command: Command) -> Vec<u8> {
        if !self.is_f2_ready() {
            self.violation(
                ViolationKind::F2NotReady,
                "the host reads a frame before function 2 is ready",
            );
        }
        let Some(head) = &self.fifo.head else {
            self.registers.latch(irq::DATA_UNAVAILABLE | irq::READ_UNDERFLOW);
            self.violation(ViolationKind::NothingToRead, "no frame is announced");
            return Vec::new();
        };
        let announced = usize::from(head.announced);
        let mut bytes = head.bytes.clone();
        bytes.truncate(command.len);
        // Hosts may round up to words.
        if command.len != announced && command.len != announced.next_multiple_of(4) && announced != 0 {
            self.violation(
                ViolationKind::WrongReadLength,
                format!("{} bytes where {announced} are announced", command.len),
            );
        }
        bytes
    }

    /// The host has read a frame to its end.
    pub(super) fn frame_read(&mut self, command: Command) {
        let Some(mut head) = self.fifo.head.take() else { return };
        if head.zero_once {
            head.zero_once = false;
            head.announced = head.bytes.len() as u16;
            self.fifo.head = Some(head);
            return;
        }
        let whole = command.len >= usize::from(head.announced);
        if head.bytes.get(5).is_some_and(|channel| channel & 0xf < 3) {
            if matches!(head.parcel, Parcel::Junk) || head.spoiled {
                // Who knows what the host makes of it.
                self.fifo.told_nonsense = true;
            } else {
                let right = self.fifo.room_up_to(self.config.credit_window);
                self.fifo.told = Some(head.credit);
                self.fifo.told_nonsense &= head.credit != right;
            }
        }
        match (&head.parcel, whole) {
            (Parcel::Data(..), false) => self.stats.aborted += 1,
            (Parcel::Data(..), true) if head.spoiled => self.stats.delivered_spoiled += 1,
            (Parcel::Data(..), true) => self.stats.delivered += 1,
            (Parcel::Reply(_), whole) => {
                self.reply_over();
                if whole {
                    self.stats.replies += 1;
                } else {
                    self.stats.control_lost += 1;
                }
            }
            (Parcel::Event(_), true) => self.stats.events += 1,
            (Parcel::Event(_), false) => self.stats.control_lost += 1,
            (Parcel::Junk | Parcel::Credit, _) => self.stats.junk += 1,
        }
        self.announce();
        self.refresh_credit();
    }

    /// The host does not want the frame that is announced, or has broken its reading off.
    pub(super) fn abort_read(&mut self) {
        let Some(mut head) = self.fifo.head.take() else { return };
        if head.zero_once {
            // There was nothing of the frame yet.
            head.zero_once = false;
            head.announced = head.bytes.len() as u16;
            self.fifo.head = Some(head);
            return;
        }
        match head.parcel {
            Parcel::Data(..) => self.stats.aborted += 1,
            Parcel::Reply(_) => {
                self.stats.control_lost += 1;
                self.reply_over();
            }
            Parcel::Event(_) => self.stats.control_lost += 1,
            Parcel::Junk | Parcel::Credit => {}
        }
        self.announce();
    }

    /// A frame from the host, as long as its command says.
    pub(super) fn frame_from_host(&mut self, data: &[u8]) {
        if !self.is_f2_ready() {
            self.violation(
                ViolationKind::F2NotReady,
                "the host writes a frame before function 2 is ready",
            );
            self.stats.tx_malformed += 1;
            return;
        }
        let watermark = self.backplane.watermark();
        if watermark < 8 || watermark % 4 != 0 {
            self.violation(
                ViolationKind::BadWatermark,
                format!("{watermark:#04x}, and frames are written"),
            );
        }
        let Some(frame) = self.check_header(data) else {
            self.stats.tx_malformed += 1;
            return;
        };
        let (sequence, channel, header) = (frame[4], frame[5] & 0xf, usize::from(frame[7]));
        if sequence != self.fifo.expected {
            self.violation(
                ViolationKind::BadSequence,
                format!("{sequence} where {} is due", self.fifo.expected),
            );
        }
        self.check_credit(sequence);
        let taken = self.fifo.in_hand < self.config.credit_window;
        self.fifo.expected = sequence.wrapping_add(1);
        match channel {
            channel::CONTROL => self.queue_ioctl(frame[header..].to_vec(), taken),
            channel::DATA => self.queue_data(&frame[header..], header, taken),
            _ => {
                self.violation(ViolationKind::BadChannel, format!("{channel}"));
                self.stats.tx_malformed += 1;
            }
        }
    }

    /// The frame in what the host wrote, if its header holds.
    fn check_header(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        let mut wrong = |why: String| {
            self.violation(ViolationKind::BadFrame, why);
            None
        };
        if data.len() < HEADER {
            return wrong(format!("{} bytes", data.len()));
        }
        let len = u16::from_le_bytes([data[0], data[1]]);
        let complement = u16::from_le_bytes([data[2], data[3]]);
        let (len, header) = (usize::from(len), usize::from(data[7]));
        if len as u16 != !complement {
            return wrong(format!("length {len:#06x}, complement {complement:#06x}"));
        }
        if len != data.len() && len.next_multiple_of(4) != data.len() {
            return wrong(format!("length {len} in a transaction of {} bytes", data.len()));
        }
        if header < HEADER || header > len {
            return wrong(format!("header of {header} bytes in a frame of {len}"));
        }
        Some(data[..len].to_vec())
    }

    fn check_credit(&mut self, sequence: u8) {
        let told = self.fifo.told.unwrap_or(1);
        let ahead = told.wrapping_sub(sequence);
        let beyond_told = ahead == 0 || ahead & 0x80 != 0;
        if beyond_told && !self.fifo.told_nonsense {
            self.violation(
                ViolationKind::NoCredit,
                format!("frame {sequence} with credit up to {told}"),
            );
        }
    }

    fn queue_data(&mut self, body: &[u8], header: usize, taken: bool) {
        self.stats.tx_accepted += 1;
        if !taken {
            self.stats.tx_no_credit += 1;
            self.registers.latch(irq::WRITE_OVERFLOW);
            return;
        }
        if self.fifo.flow_control != 0 {
            self.violation(
                ViolationKind::FlowControlled,
                format!("flow control {:#04x}", self.fifo.flow_control),
            );
        }
        let second = body.get(..SECOND_HEADER).unwrap_or_default();
        let offset = second.get(3).map_or(0, |words| usize::from(*words) * 4);
        if header != HEADER + DATA_PAD
            || second.first() != Some(&0x20)
            || second.get(2).is_none_or(|flags| *flags & 0xf > 1)
        {
            self.violation(
                ViolationKind::BadDataHeader,
                format!("header of {header} bytes, second header {second:02x?}"),
            );
        }
        let mut frame = body.get(SECOND_HEADER + offset..).unwrap_or_default().to_vec();
        if header < HEADER + DATA_PAD {
            // The firmware makes up for the padding that is missing, at the end.
            frame.extend([0; DATA_PAD]);
        }
        let time = self.air_time(frame.len());
        self.work_off_later(self.config.tx_time + time, move |chip| match &mut chip.fifo.held {
            Some(held) => {
                held.push(frame);
                false
            }
            None => {
                chip.data_from_host(frame);
                true
            }
        });
    }

    fn queue_ioctl(&mut self, request: Vec<u8>, taken: bool) {
        self.bus.ioctls += 1;
        if !taken {
            self.registers.latch(irq::WRITE_OVERFLOW);
            return;
        }
        self.check_ioctl(&request);
        self.work_off_later(self.config.tx_time, move |chip| {
            chip.ioctl_later(request);
            true
        });
    }

    /// The firmware works frames off one after another, and then gives their credit back, where `act` says that it is done with them.
    fn work_off_later(&mut self, time: Duration, act: impl FnOnce(&mut Self) -> bool + 'static) {
        self.fifo.in_hand += 1;
        let now = self.clock.now();
        self.fifo.busy_until = self.fifo.busy_until.max(now) + time;
        let delay = self.fifo.busy_until - now;
        self.later(delay, move |chip| {
            if chip.firmware_halted() {
                return;
            }
            if act(chip) {
                chip.fifo.in_hand -= 1;
            }
            chip.refresh_credit();
        });
    }

    /// The firmware keeps what it is to send, so that its room for frames fills up; or sends it after all, and goes on.
    pub(super) fn hold_frames(&mut self, hold: bool) {
        if hold {
            self.fifo.held.get_or_insert_with(Vec::new);
            return;
        }
        for frame in self.fifo.held.take().into_iter().flatten() {
            self.data_from_host(frame);
            self.fifo.in_hand -= 1;
        }
        if self.is_f2_ready() {
            self.refresh_credit();
        }
    }

    /// Tells the host of its credit where it is running out of it and nothing else would tell it.
    pub(super) fn refresh_credit(&mut self) {
        if self.firmware_halted() || self.reply_outstanding() {
            return;
        }
        let window = self.config.credit_window;
        let told = self.fifo.told.unwrap_or(1);
        let left = told.wrapping_sub(self.fifo.expected);
        let low = left == 0 || left & 0x80 != 0 || left <= window / 4;
        let silent = self.fifo.head.is_none() && self.fifo.queue.is_empty();
        if low && silent && !self.fifo.freeze && self.fifo.credit(window) != told {
            self.push(Parcel::Credit);
        }
    }

    /// The firmware asks the host to stop or to go on.
    pub(super) fn set_flow_control(&mut self, priorities: u8) {
        self.fifo.flow_control = priorities;
        if self.is_f2_ready() {
            self.push(Parcel::Credit);
        }
    }

    /// Gives credit again, or no more.
    pub(super) fn freeze_credit(&mut self, freeze: bool) {
        self.fifo.freeze = freeze;
        if !freeze && self.is_f2_ready() {
            self.push(Parcel::Credit);
        }
    }

    /// Counts what waits in both directions as lost, for the power goes.
    pub(super) fn lose_all(&mut self) {
        let queued = self.fifo.queue.drain(..).map(|(parcel, _)| parcel);
        let head = self.fifo.head.take().map(|head| head.parcel);
        let control = queued
            .chain(head)
            .filter(|parcel| matches!(parcel, Parcel::Reply(_) | Parcel::Event(_)))
            .count();
        self.stats.control_lost += control as u64;
        self.stats.lost_in_reset += self.stats.waiting();
        self.stats.tx_lost_in_reset += self.stats.tx_waiting();
    }
}
