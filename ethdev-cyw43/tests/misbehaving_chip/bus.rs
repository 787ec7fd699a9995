//! A minimal chip whose responses a fault injector can change.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};

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
    /// Time that the host waited since `begin`.
    pub(crate) waited_ns: u64,
    transactions: u64,
    most_transactions: u64,
    swapped: bool,
    registers: HashMap<u32, u32>,
    /// Frames for the host.
    frames: VecDeque<Vec<u8>>,
    sequence: u8,
    /// Whether there is always another frame, and no request is answered.
    pub(crate) floods: bool,
}

impl<O: FaultInjector> FaultyChip<O> {
    pub(crate) fn new(injector: O, most_transactions: u64) -> Self {
        Self {
            injector,
            waited_ns: 0,
            transactions: 0,
            most_transactions,
            swapped: true,
            registers: HashMap::new(),
            frames: VecDeque::new(),
            sequence: 0,
            floods: false,
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
        let credit = self.registers.get(&u32::MAX).copied().unwrap_or(0) as u8;
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
            credit.wrapping_add(8),
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
        assert!(self.transactions < self.most_transactions, "the driver does not return");
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
            _ => self.registers.get(&key).copied().unwrap_or(default),
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
        let words: Vec<u32> = data.map(|word| self.order(word)).collect();
        match command >> 28 & 3 {
            2 => self.request(&words),
            // Images are not stored.
            1 if command & 0x7ff > 4 => {}
            _ => {
                let key = Self::key(command);
                self.registers.insert(key, words.first().copied().unwrap_or(0));
                if key == 0 && words.first().is_some_and(|word| word & 1 != 0) {
                    self.swapped = false;
                }
            }
        }
    }

    /// Responds to a request with zeros, or with an address if one is read.
    fn request(&mut self, words: &[u32]) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let Some(&sequence) = bytes.get(4) else { return };
        self.registers.insert(u32::MAX, u32::from(sequence));
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
        let mut value = vec![0; payload.len()];
        if payload.starts_with(b"cur_etheraddr") {
            value[..6].copy_from_slice(&[2, 0, 0, 0, 0, 0x43]);
        }
        answer.extend(value);
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
        let words = if command >> 28 & 3 == 2 {
            let frame = chip.frames.pop_front().unwrap_or_default();
            let mut words: Vec<u32> = frame
                .chunks(4)
                .map(|chunk| {
                    let mut bytes = [0; 4];
                    bytes[..chunk.len()].copy_from_slice(chunk);
                    u32::from_le_bytes(bytes)
                })
                .collect();
            words.resize(data.words_left(), 0);
            words
        } else {
            vec![chip.register(FaultyChip::<O>::key(command)); data.words_left()]
        };
        for word in words {
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
        self.0.borrow_mut().waited_ns += u64::from(ns);
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
