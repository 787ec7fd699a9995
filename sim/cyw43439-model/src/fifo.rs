//! Function 2: the queue of frames for the host, and the sequence numbers and credits of both
//! directions.

use core::time::Duration;
use std::collections::VecDeque;

use crate::air::frame_time;
use crate::bus_registers::irq;
use crate::chip::Chip;
use crate::command::Command;
use crate::faults::Corruption;
use crate::framing::{
    DATA_PAD, HEADER, Head, Parcel, SECOND_HEADER, SHORTEST, channel, corrupt, draw_corruption, frame, head, put_header,
};
use crate::request::{self, u16_at, u32_at};
use crate::timer::{DataFrame, HostFrame, Timer};
use crate::violations::ViolationKind;

/// The queue for the host, and the sequence numbers and credits of both directions.
#[derive(Debug, Default)]
pub(crate) struct Fifo {
    queue: VecDeque<(Parcel, Option<Corruption>)>,
    head: Option<Head>,
    /// Of the next frame for the host.
    sequence: u8,
    /// Of the next frame from the host.
    expected: u8,
    /// Frames from the host that the firmware has not processed yet.
    unprocessed: u8,
    /// Data frames that the firmware holds by injected fault; `None` where it does not.
    held: Option<Vec<DataFrame>>,
    /// The credit that the host has read last.
    granted: Option<u8>,
    /// The host may have read an invalid credit.
    granted_invalid: bool,
    /// The firmware grants no more credit than this.
    frozen_credit: Option<u8>,
    freeze: bool,
    /// Flow control in the headers: the priorities that the host must not send.
    flow_control: u8,
    /// The flow control that the host has read last.
    reported_flow_control: u8,
    /// When the firmware has processed all frames from the host.
    busy_until: Duration,
    /// The host waits for a reply to an ioctl that it can still get.
    reply_outstanding: bool,
    /// The id of the latest ioctl.
    last_ioctl_id: Option<u16>,
}

impl Fifo {
    /// The length that the bus announces.
    pub(crate) fn announced(&self) -> Option<u16> {
        self.head.as_ref().map(|head| head.announced)
    }

    /// Data frames for the host that are queued.
    pub(crate) fn data_waiting(&self) -> usize {
        let queued = self.queue.iter().map(|(parcel, _)| parcel);
        let head = self.head.iter().map(|head| &head.parcel);
        queued
            .chain(head)
            .filter(|parcel| matches!(parcel, Parcel::Data(..)))
            .count()
    }

    /// The sequence number that the host may send up to.
    fn credit_limit(&self, window: u8) -> u8 {
        self.expected.wrapping_add(window.saturating_sub(self.unprocessed))
    }

    /// The credit to be granted in the next header.
    fn credit(&mut self, window: u8) -> u8 {
        let credit = self.credit_limit(window);
        if self.freeze {
            return *self.frozen_credit.get_or_insert(credit);
        }
        self.frozen_credit = None;
        credit
    }
}

impl Fifo {
    /// Queues a frame for the host.
    pub(crate) fn push(&mut self, chip: &mut Chip, parcel: Parcel) {
        match draw_corruption(chip, &parcel) {
            Some(Corruption::Lost) => {
                self.lose(chip, &parcel);
                return;
            }
            Some(Corruption::Duplicate) => {
                if matches!(parcel, Parcel::Data(..)) {
                    chip.cx.stats.arrived += 1;
                }
                self.queue.push_back((parcel.clone(), None));
                self.queue.push_back((parcel, None));
            }
            corruption => self.queue.push_back((parcel, corruption)),
        }
        self.announce(chip);
    }

    /// Builds and announces the next frame, where none is announced.
    fn announce(&mut self, chip: &mut Chip) {
        if self.head.is_some() {
            return;
        }
        let Some((parcel, corruption)) = self.queue.pop_front() else {
            return;
        };
        let credit = self.credit(chip.cx.config.credit_window);
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let mut head = match &parcel {
            Parcel::Junk => {
                let mut bytes = chip.rng.noise_bytes(SHORTEST);
                put_header(&mut bytes, HEADER, sequence, channel::EVENT, 0, 0);
                head(bytes, parcel, 0)
            }
            Parcel::Credit => {
                let mut bytes = vec![0; HEADER];
                let flow_control = self.flow_control;
                put_header(&mut bytes, HEADER, sequence, channel::DATA, flow_control, credit);
                head(bytes, parcel, credit)
            }
            _ => {
                let bytes = frame(&parcel, sequence, self.flow_control, credit);
                head(bytes, parcel, credit)
            }
        };
        if let Some(corruption) = corruption {
            let before = (head.bytes.clone(), head.announced);
            corrupt(chip, &mut head, corruption);
            self.granted_invalid |= matches!(corruption, Corruption::Credit(_));
            // A random value may equal the original one.
            head.corrupted &= before != (head.bytes.clone(), head.announced);
        }
        self.head = Some(head);
    }

    fn lose(&mut self, chip: &mut Chip, parcel: &Parcel) {
        match parcel {
            Parcel::Data(..) => chip.cx.stats.lost_by_fault += 1,
            Parcel::Reply(_) => {
                chip.cx.stats.control_lost += 1;
                self.reply_over();
                self.refresh_credit(chip);
            }
            Parcel::Event(_) => chip.cx.stats.control_lost += 1,
            Parcel::Junk | Parcel::Credit => {}
        }
    }

    /// The bytes that the host reads from function 2.
    pub(crate) fn read_frame(&self, chip: &mut Chip, command: Command) -> Vec<u8> {
        if !chip.firmware.f2_ready {
            chip.violation(
                ViolationKind::F2NotReady,
                "the host reads a frame before function 2 is ready",
            );
        }
        let Some(head) = &self.head else {
            chip.registers.latch(irq::DATA_UNAVAILABLE | irq::READ_UNDERFLOW);
            chip.violation(ViolationKind::NothingToRead, "no frame is announced");
            return Vec::new();
        };
        let announced = usize::from(head.announced);
        let mut bytes = head.bytes.clone();
        bytes.truncate(command.len);
        // Hosts may round up to words.
        if command.len != announced && command.len != announced.next_multiple_of(4) && announced != 0 {
            chip.violation(
                ViolationKind::WrongReadLength,
                format!("{} bytes where {announced} are announced", command.len),
            );
        }
        bytes
    }

    /// The host has read a frame to its end.
    pub(crate) fn frame_read(&mut self, chip: &mut Chip, command: Command) {
        let Some(mut head) = self.head.take() else { return };
        if head.zero_once {
            head.zero_once = false;
            head.announced = head.bytes.len() as u16;
            self.head = Some(head);
            return;
        }
        let whole = command.len >= usize::from(head.announced);
        if head.bytes.len() >= HEADER && head.bytes[5] & 0xf < 3 {
            if matches!(head.parcel, Parcel::Junk) || head.corrupted {
                // The host may take any credit from it, and flow control or not.
                self.granted_invalid = true;
                self.reported_flow_control &= head.bytes[8];
            } else {
                self.reported_flow_control = head.bytes[8];
                let right = self.credit_limit(chip.cx.config.credit_window);
                self.granted = Some(head.credit);
                self.granted_invalid &= head.credit != right;
            }
        }
        match (&head.parcel, whole) {
            (Parcel::Data(..), false) => chip.cx.stats.aborted += 1,
            (Parcel::Data(..), true) if head.corrupted => chip.cx.stats.delivered_corrupted += 1,
            (Parcel::Data(..), true) => chip.cx.stats.delivered += 1,
            (Parcel::Reply(_), whole) => {
                self.reply_over();
                if whole {
                    chip.cx.stats.replies += 1;
                } else {
                    chip.cx.stats.control_lost += 1;
                }
            }
            (Parcel::Event(_), true) => chip.cx.stats.events += 1,
            (Parcel::Event(_), false) => chip.cx.stats.control_lost += 1,
            (Parcel::Junk | Parcel::Credit, _) => chip.cx.stats.junk += 1,
        }
        self.announce(chip);
        self.refresh_credit(chip);
    }

    /// The host drops the announced frame, or has cut off reading it.
    pub(crate) fn abort_read(&mut self, chip: &mut Chip) {
        let Some(mut head) = self.head.take() else { return };
        if head.zero_once {
            // The frame itself is announced next.
            head.zero_once = false;
            head.announced = head.bytes.len() as u16;
            self.head = Some(head);
            return;
        }
        match head.parcel {
            Parcel::Data(..) => chip.cx.stats.aborted += 1,
            Parcel::Reply(_) => {
                chip.cx.stats.control_lost += 1;
                self.reply_over();
            }
            Parcel::Event(_) => chip.cx.stats.control_lost += 1,
            Parcel::Junk | Parcel::Credit => {}
        }
        self.announce(chip);
    }

    /// A frame from the host, as long as its command says.
    pub(crate) fn frame_from_host(&mut self, chip: &mut Chip, watermark: u8, data: &[u8]) {
        if !chip.firmware.f2_ready {
            chip.violation(
                ViolationKind::F2NotReady,
                "the host writes a frame before function 2 is ready",
            );
            chip.cx.stats.tx_malformed += 1;
            return;
        }
        if watermark < 8 || watermark % 4 != 0 {
            chip.violation(
                ViolationKind::BadWatermark,
                format!("{watermark:#04x}, and frames are written"),
            );
        }
        let Some(frame) = check_header(chip, data) else {
            chip.cx.stats.tx_malformed += 1;
            return;
        };
        let (sequence, channel, header) = (frame[4], frame[5] & 0xf, usize::from(frame[7]));
        if sequence != self.expected {
            chip.violation(
                ViolationKind::BadSequence,
                format!("{sequence} where {} is due", self.expected),
            );
        }
        self.check_credit(chip, sequence);
        let taken = self.unprocessed < chip.cx.config.credit_window;
        self.expected = sequence.wrapping_add(1);
        match channel {
            channel::CONTROL => self.queue_ioctl(chip, frame[header..].to_vec(), taken),
            channel::DATA => self.queue_data(chip, &frame[header..], header, taken),
            _ => {
                chip.violation(ViolationKind::BadChannel, format!("{channel}"));
                chip.cx.stats.tx_malformed += 1;
            }
        }
    }

    fn check_credit(&self, chip: &mut Chip, sequence: u8) {
        let granted = self.granted.unwrap_or(1);
        let ahead = granted.wrapping_sub(sequence);
        let exceeded = ahead == 0 || ahead & 0x80 != 0;
        if exceeded && !self.granted_invalid {
            chip.violation(
                ViolationKind::NoCredit,
                format!("frame {sequence} with credit up to {granted}"),
            );
        }
    }

    fn queue_data(&mut self, chip: &mut Chip, body: &[u8], header: usize, taken: bool) {
        chip.cx.stats.tx_accepted += 1;
        if !taken {
            chip.cx.stats.tx_no_credit += 1;
            chip.registers.latch(irq::WRITE_OVERFLOW);
            return;
        }
        if self.reported_flow_control != 0 {
            chip.violation(
                ViolationKind::FlowControlled,
                format!("flow control {:#04x}", self.reported_flow_control),
            );
        }
        let second = body.get(..SECOND_HEADER).unwrap_or_default();
        let offset = second.get(3).map_or(0, |words| usize::from(*words) * 4);
        if header != HEADER + DATA_PAD
            || second.first() != Some(&0x20)
            || second.get(2).is_none_or(|flags| *flags & 0xf > 1)
        {
            chip.violation(
                ViolationKind::BadDataHeader,
                format!("header of {header} bytes, second header {second:02x?}"),
            );
        }
        let interface = second.get(2).map_or(0, |flags| flags & 0xf);
        let mut bytes = body.get(SECOND_HEADER + offset..).unwrap_or_default().to_vec();
        if header < HEADER + DATA_PAD {
            // The firmware appends the missing padding.
            bytes.extend([0; DATA_PAD]);
        }
        let air = frame_time(chip.cx.config.air_bps, bytes.len());
        let frame = DataFrame { interface, bytes };
        self.process(chip, chip.cx.config.tx_time + air, HostFrame::Data(frame));
    }

    fn queue_ioctl(&mut self, chip: &mut Chip, request: Vec<u8>, taken: bool) {
        chip.bus.ioctls += 1;
        if !taken {
            chip.registers.latch(irq::WRITE_OVERFLOW);
            return;
        }
        self.check_ioctl(chip, &request);
        self.process(chip, chip.cx.config.tx_time, HostFrame::Ioctl(request));
    }

    /// The firmware processes frames one after another. [`processed`](Self::processed) returns the
    /// credit.
    fn process(&mut self, chip: &mut Chip, time: Duration, frame: HostFrame) {
        self.unprocessed += 1;
        let now = chip.cx.now();
        self.busy_until = self.busy_until.max(now) + time;
        chip.timer_in(self.busy_until - now, Timer::Processed(frame));
    }

    /// Keeps a data frame where the firmware holds frames; otherwise returns it.
    pub(crate) fn hold(&mut self, frame: DataFrame) -> Option<DataFrame> {
        match &mut self.held {
            Some(held) => {
                held.push(frame);
                None
            }
            None => Some(frame),
        }
    }

    /// The firmware is done with a frame from the host.
    pub(crate) const fn processed(&mut self) {
        self.unprocessed -= 1;
    }

    /// The firmware holds data frames from the host, or returns those that it held.
    pub(crate) fn set_hold(&mut self, hold: bool) -> Vec<DataFrame> {
        if hold {
            self.held.get_or_insert_with(Vec::new);
            return Vec::new();
        }
        self.held.take().unwrap_or_default()
    }

    /// Checks an ioctl as it arrives.
    fn check_ioctl(&mut self, chip: &mut Chip, request: &[u8]) {
        let Some(id) = u16_at(request, 10).filter(|_| request.len() >= request::HEADER) else {
            chip.violation(ViolationKind::BadIoctl, format!("{} bytes", request.len()));
            return;
        };
        let len = u32_at(request, 4).unwrap_or(0) as usize;
        if len != request.len() - request::HEADER {
            chip.violation(
                ViolationKind::BadIoctl,
                format!("length {len}, {} bytes sent", request.len() - request::HEADER),
            );
        }
        if core::mem::replace(&mut self.reply_outstanding, true) {
            chip.violation(
                ViolationKind::IoctlOverlap,
                format!("ioctl {id} before the reply to the last one"),
            );
        }
        if self.last_ioctl_id.replace(id) == Some(id) {
            chip.violation(ViolationKind::IoctlIdRepeated, format!("id {id}"));
        }
    }

    /// The host has read its reply, or will not get it.
    pub(crate) const fn reply_over(&mut self) {
        self.reply_outstanding = false;
    }

    /// Queues a header with credit where the host runs out of it and no other frame carries it.
    pub(crate) fn refresh_credit(&mut self, chip: &mut Chip) {
        if !chip.firmware.runs() || self.reply_outstanding {
            return;
        }
        let window = chip.cx.config.credit_window;
        let granted = self.granted.unwrap_or(1);
        let left = granted.wrapping_sub(self.expected);
        let low = left == 0 || left & 0x80 != 0 || left <= window / 4;
        let idle = self.head.is_none() && self.queue.is_empty();
        if low && idle && !self.freeze && self.credit(window) != granted {
            self.push(chip, Parcel::Credit);
        }
    }

    /// Sets the flow control, and reports it.
    pub(crate) fn set_flow_control(&mut self, chip: &mut Chip, priorities: u8) {
        self.flow_control = priorities;
        if chip.firmware.f2_ready {
            self.push(chip, Parcel::Credit);
        }
    }

    /// Stops or resumes granting credit.
    pub(crate) fn freeze_credit(&mut self, chip: &mut Chip, freeze: bool) {
        self.freeze = freeze;
        if !freeze && chip.firmware.f2_ready {
            self.push(chip, Parcel::Credit);
        }
    }

    /// Drops and counts what is queued in both directions, because the firmware stops.
    pub(crate) fn drop_all(&mut self, chip: &mut Chip) {
        let queued = self.queue.drain(..).map(|(parcel, _)| parcel);
        let head = self.head.take().map(|head| head.parcel);
        let control = queued
            .chain(head)
            .filter(|parcel| matches!(parcel, Parcel::Reply(_) | Parcel::Event(_)))
            .count();
        chip.cx.stats.control_lost += control as u64;
        chip.cx.stats.lost_in_reset += chip.cx.stats.waiting();
        chip.cx.stats.tx_lost_in_reset += chip.cx.stats.tx_waiting();
    }
}

/// The frame that the host wrote, where its header is valid.
fn check_header(chip: &mut Chip, data: &[u8]) -> Option<Vec<u8>> {
    let mut wrong = |why: String| {
        chip.violation(ViolationKind::BadFrame, why);
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
