//! A minimal chip whose responses a fault injector can change.
#![allow(dead_code, reason = "tests and fuzz target use different parts")]

use std::cell::RefCell;
use std::collections::VecDeque;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{ErrorType, OutputPin};
use ethdev_cyw43::{Gspi, RxWords, TxWords};

/// Changes the responses of the chip.
pub(crate) trait FaultInjector {
    /// Returns what the host reads instead of this word.
    fn word(&mut self, value: u32) -> u32;
    /// Returns whether the bus fails at this transaction.
    fn fails(&mut self) -> bool;
}

/// The bus broke.
#[derive(Debug)]
pub(crate) struct Broken;

pub(crate) struct FaultyChip<O> {
    pub(crate) injector: O,
    /// The call since `begin`: the time that the host waited, and transactions.
    waited_ns: u64,
    transactions: u64,
    limits: Limits,
    swapped: bool,
    /// The registers that were written. There are few, so that a search is fast.
    registers: Vec<(u32, u32)>,
    /// Frames for the host.
    frames: VecDeque<Vec<u8>>,
    sequence: u8,
    /// Whether there is always another frame, and no request is answered.
    pub(crate) floods: bool,
    /// The sequence number that the host has used last.
    host_sequence: u8,
}

/// Limits of one call of the driver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) transactions: u64,
    pub(crate) wait_ns: u64,
}

impl<O: FaultInjector> FaultyChip<O> {
    pub(crate) fn new(injector: O, limits: Limits) -> Self {
        Self {
            injector,
            waited_ns: 0,
            transactions: 0,
            limits,
            swapped: true,
            registers: Vec::new(),
            frames: VecDeque::new(),
            sequence: 0,
            floods: false,
            host_sequence: 0,
        }
    }

    /// Resets the counts, before a call of the driver.
    pub(crate) fn begin(&mut self) {
        self.transactions = 0;
        self.waited_ns = 0;
    }

    /// Number of transactions since `begin`.
    pub(crate) const fn transactions(&self) -> u64 {
        self.transactions
    }

    /// All frames for the host are lost.
    pub(crate) fn drop_frames(&mut self) {
        self.frames.clear();
    }

    /// This many frames are lost on their way to the host.
    pub(crate) const fn lose(&mut self, frames: u8) {
        self.sequence = self.sequence.wrapping_add(frames);
    }

    /// Queues a frame on this channel, with a valid header unless the bytes have one.
    pub(crate) fn deliver(&mut self, channel: u8, body: &[u8]) {
        if channel > 15 {
            self.frames.push_back(body.to_vec());
            return;
        }
        let len = u16::try_from(body.len() + 12).unwrap_or(u16::MAX);
        let [a, b] = len.to_le_bytes();
        self.sequence = self.sequence.wrapping_add(1);
        let mut frame = vec![
            a,
            b,
            !a,
            !b,
            self.sequence,
            channel,
            0,
            12,
            0,
            self.host_sequence.wrapping_add(8),
            0,
            0,
        ];
        frame.extend(body);
        self.frames.push_back(frame);
    }

    /// Queues an event.
    pub(crate) fn send_event(&mut self, kind: u8, flags: u8, status: u8, reason: u8, data: &[u8]) {
        let mut body = vec![0x20, 0, 0, 0];
        body.extend([0; 12]);
        body.extend([0x88, 0x6c, 0x80, 0x01, 0, 0, 0, 0, 0x10, 0x18, 0, 1, 0, 2, 0, flags]);
        for number in [kind, status, reason, 0] {
            body.extend(u32::from(number).to_be_bytes());
        }
        body.extend((data.len() as u32).to_be_bytes());
        body.extend([0; 24]);
        body.extend(data);
        self.deliver(1, &body);
    }

    fn order(&self, word: u32) -> u32 {
        if self.swapped { word.rotate_left(16) } else { word }
    }

    fn before(&mut self) -> Result<(), Broken> {
        self.transactions += 1;
        assert!(
            self.transactions < self.limits.transactions,
            "the driver does not return: {} transactions",
            self.transactions
        );
        if self.injector.fails() { Err(Broken) } else { Ok(()) }
    }

    fn status(&mut self) -> u32 {
        const READY: u32 = 0x20;
        if self.floods && self.frames.is_empty() {
            self.deliver(1, &[]);
        }
        let status = match self.frames.front() {
            Some(frame) => READY | 0x100 | ((frame.len() as u32 & 0x7ff) << 9),
            None => READY,
        };
        self.injector.word(status)
    }

    fn register(&self, key: u32) -> u32 {
        let default = match key {
            0x14 => 0xfeed_bead,
            // Clocks are available.
            0x1001_000e => 0xc0,
            0x1000_0000 => 0xa9af,
            _ => 0,
        };
        match key {
            0x14 | 0x1001_000e | 0x1000_0000 => default,
            _ => {
                let written = self.registers.iter().find(|(register, _)| *register == key);
                written.map_or(default, |(_, value)| *value)
            }
        }
    }

    /// The offset within the window: the driver uses no offset in two windows.
    fn key(command: u32) -> u32 {
        let function = command >> 28 & 3;
        let mut address = command >> 11 & 0x1_ffff;
        if function == 1 && address < 0x1_0000 {
            address &= 0x7fff;
        }
        function << 28 | address
    }

    fn written(&mut self, command: u32, data: &mut TxWords<'_>) {
        match command >> 28 & 3 {
            2 => {
                let words: Vec<u32> = data.map(|word| self.order(word)).collect();
                self.request(&words);
            }
            // Images are not stored.
            1 if command & 0x7ff > 4 => data.by_ref().for_each(drop),
            _ => {
                let key = Self::key(command);
                let value = data.next().map_or(0, |word| self.order(word));
                match self.registers.iter_mut().find(|(register, _)| *register == key) {
                    Some((_, stored)) => *stored = value,
                    None => self.registers.push((key, value)),
                }
                if key == 0 && value & 1 != 0 {
                    self.swapped = false;
                }
            }
        }
    }

    /// Responds to a request: without a value if one is set, with zeros or an address if one is
    /// read.
    fn request(&mut self, words: &[u32]) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let Some(&sequence) = bytes.get(4) else { return };
        self.host_sequence = sequence;
        if bytes.get(5).is_none_or(|channel| channel & 15 != 0) {
            return;
        }
        if self.floods {
            return;
        }
        let Some(cdc) = bytes.get(12..28) else { return };
        let mut answer = cdc.to_vec();
        answer[8] &= !1;
        let payload = bytes.get(28..).unwrap_or_default();
        if cdc[8] & 2 != 0 {
            answer[4..8].fill(0);
        } else {
            let at = answer.len();
            answer.resize(at + payload.len(), 0);
            if payload.starts_with(b"cur_etheraddr") {
                answer[at..at + 6].copy_from_slice(&[2, 0, 0, 0, 0, 0x43]);
            }
        }
        self.deliver(0, &answer);
    }
}

/// The bus, the power pin and the delay of the host.
pub(crate) struct Host<'l, O>(pub(crate) &'l RefCell<FaultyChip<O>>);

impl<O: FaultInjector> Gspi for Host<'_, O> {
    type Error = Broken;

    fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, Broken> {
        let mut chip = self.0.borrow_mut();
        chip.before()?;
        let command = chip.order(command);
        let order = chip.swapped;
        chip.written(command, data);
        let status = chip.status();
        Ok(if order { status.rotate_left(16) } else { status })
    }

    fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, Broken> {
        let mut chip = self.0.borrow_mut();
        chip.before()?;
        let command = chip.order(command);
        let frame = if command >> 28 & 3 == 2 {
            Some(chip.frames.pop_front().unwrap_or_default())
        } else {
            None
        };
        let register = chip.register(FaultyChip::<O>::key(command));
        for at in 0..data.words_left() {
            let word = match &frame {
                Some(frame) => {
                    let rest = frame.get(4 * at..).unwrap_or_default();
                    let mut bytes = [0; 4];
                    let len = rest.len().min(4);
                    bytes[..len].copy_from_slice(&rest[..len]);
                    u32::from_le_bytes(bytes)
                }
                None => register,
            };
            let word = chip.injector.word(word);
            data.push(chip.order(word));
        }
        let status = chip.status();
        Ok(chip.order(status))
    }

    fn set_strap(&mut self, _: bool) -> Result<(), Broken> {
        Ok(())
    }
}

impl<O> DelayNs for Host<'_, O> {
    fn delay_ns(&mut self, ns: u32) {
        let mut chip = self.0.borrow_mut();
        chip.waited_ns += u64::from(ns);
        assert!(
            chip.waited_ns < chip.limits.wait_ns,
            "the driver does not return: {} ns of waits",
            chip.waited_ns
        );
    }
}

impl<O> ErrorType for Host<'_, O> {
    type Error = core::convert::Infallible;
}

impl<O> OutputPin for Host<'_, O> {
    fn set_low(&mut self) -> Result<(), Self::Error> {
        let mut chip = self.0.borrow_mut();
        chip.swapped = true;
        chip.registers.clear();
        chip.frames.clear();
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}
