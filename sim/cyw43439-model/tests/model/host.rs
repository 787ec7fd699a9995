//! A bare host: it implements the bus and the headers, and checks nothing.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use cyw43439_model::{ChipConfig, Cyw43Chip, Images, ViolationKind, WordBus};
use embedded_hal::digital::OutputPin;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};

pub const MAC: [u8; 6] = [0x28, 0xcd, 0xc1, 0x01, 0x02, 0x03];
pub const ARM: u32 = 0x1810_3000;
pub const SOCSRAM: u32 = 0x1810_4000;
pub const NVRAM_LEN: usize = 90;

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn command(write: bool, function: u32, address: u32, len: usize) -> u32 {
    u32::from(write) << 31 | 1 << 30 | function << 28 | address << 11 | (len as u32 & 0x7ff)
}

pub fn words(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks(4)
        .map(|chunk| {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            u32::from_le_bytes(word)
        })
        .collect()
}

/// A frame from the chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub bytes: Vec<u8>,
    pub sequence: u8,
    pub channel: u8,
    pub flow_control: u8,
    pub credit: u8,
    pub body: Vec<u8>,
}

impl Frame {
    pub fn ethernet(&self) -> Vec<u8> {
        let offset = 4 + 4 * usize::from(self.body[3]);
        self.body[offset..].to_vec()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    pub kind: u32,
    pub status: u32,
    pub reason: u32,
    pub auth_type: u32,
    pub flags: u16,
}

/// An event in short: type, status, reason.
pub fn short(event: &Event) -> (u32, u32, u32) {
    (event.kind, event.status, event.reason)
}

pub struct Testbed {
    pub clock: Clock,
    pub chip: Cyw43Chip,
    pub bus: WordBus,
    pub peer: Peer,
    pub firmware: Vec<u8>,
    pub nvram: Vec<u8>,
    pub clm: Vec<u8>,
    pub sequence: u8,
    pub id: u16,
    pub events: VecDeque<Event>,
    pub event_data: VecDeque<Vec<u8>>,
    pub data: VecDeque<Vec<u8>>,
    pub others: Vec<Frame>,
}

impl Testbed {
    /// Without power.
    pub fn off(config: ChipConfig) -> Self {
        let clock = Clock::new();
        let (_, port, peer) = Wire::new(&clock, WireConfig::default());
        let images = Images::pseudo_random(1);
        let firmware = images.firmware.clone().expect("there is one")[..3001].to_vec();
        let nvram = images.nvram.clone().expect("there is one")[..NVRAM_LEN].to_vec();
        let clm = images.clm.clone().expect("there is one");
        let images = images.with_firmware(firmware.clone()).with_nvram(nvram.clone());
        let chip = Cyw43Chip::new(&clock, port, config.with_images(images));
        Self {
            bus: chip.word_bus(),
            chip,
            clock,
            peer: Peer::new(peer),
            firmware,
            nvram,
            clm,
            sequence: 0,
            id: 0,
            events: VecDeque::new(),
            event_data: VecDeque::new(),
            data: VecDeque::new(),
            others: Vec::new(),
        }
    }

    /// With power, and in 32-bit mode.
    pub fn on(config: ChipConfig) -> Self {
        let mut bed = Self::off(config);
        bed.power_on();
        bed
    }

    pub fn power_on(&mut self) {
        self.chip.power_pin().set_high().unwrap();
        self.clock.advance(ms(60));
        // The first read is garbage.
        self.swapped_read(0x14);
        assert_eq!(self.swapped_read(0x14), 0xfeed_bead);
        self.swapped_write(0x00, 0x0003_04b1);
        assert_eq!(self.read(0, 0x00, 1), 0xb1);
        self.write(0, 0x1d, 1, 4);
        self.write(0, 0x04, 1, 0x99);
        self.write(0, 0x06, 2, 0x00be);
        self.sequence = 0;
        self.id = 0;
    }

    pub fn swapped_read(&mut self, address: u32) -> u32 {
        let mut word = [0];
        let command = command(false, 0, address, 4).rotate_left(16);
        self.bus.cmd_read_blocking(command, &mut word).unwrap();
        word[0].rotate_left(16)
    }

    pub fn swapped_write(&mut self, address: u32, value: u32) {
        let words = [command(true, 0, address, 4), value].map(|word| word.rotate_left(16));
        self.bus.cmd_write_blocking(&words).unwrap();
    }

    pub fn read(&mut self, function: u32, address: u32, len: usize) -> u32 {
        let mut words = [0; 2];
        let count = if function == 1 { 2 } else { 1 };
        let words = &mut words[..count];
        self.bus
            .cmd_read_blocking(command(false, function, address, len), words)
            .unwrap();
        words[count - 1]
    }

    pub fn write(&mut self, function: u32, address: u32, len: usize, value: u32) -> u32 {
        let words = [command(true, function, address, len), value];
        self.bus.cmd_write_blocking(&words).unwrap()
    }

    pub fn window(&mut self, address: u32) {
        for (register, shift) in [(0x1_000c, 24), (0x1_000b, 16), (0x1_000a, 8)] {
            self.write(1, register, 1, (address & !0x7fff) >> shift & 0xff);
        }
    }

    pub fn backplane_read(&mut self, address: u32, len: usize) -> u32 {
        self.window(address);
        self.read(1, address & 0x7fff, len)
    }

    pub fn backplane_write(&mut self, address: u32, len: usize, value: u32) {
        self.window(address);
        self.write(1, address & 0x7fff, len, value);
    }

    pub fn upload(&mut self, address: u32, image: &[u8]) {
        let mut at = address;
        for chunk in image.chunks(64) {
            // Images may cross a window; their pieces do not.
            let room = (0x8000 - (at & 0x7fff)) as usize;
            for piece in [&chunk[..chunk.len().min(room)], &chunk[chunk.len().min(room)..]] {
                if !piece.is_empty() {
                    self.window(at);
                    let mut data = vec![command(true, 1, at & 0x7fff, piece.len())];
                    data.extend(words(piece));
                    self.bus.cmd_write_blocking(&data).unwrap();
                    at += piece.len() as u32;
                }
            }
        }
    }

    pub fn request_alp(&mut self) {
        self.write(1, 0x1_000e, 1, 0x08);
        self.clock.advance(ms(1));
        assert_eq!(self.read(1, 0x1_000e, 1) & 0x40, 0x40);
    }

    pub fn disable(&mut self, core: u32) {
        if self.backplane_read(core + 0x800, 1) & 1 == 0 {
            self.backplane_write(core + 0x408, 1, 0);
            self.clock.advance(ms(1));
            self.backplane_write(core + 0x800, 1, 1);
        }
    }

    pub fn reset(&mut self, core: u32) {
        self.disable(core);
        self.backplane_write(core + 0x408, 1, 3);
        self.backplane_write(core + 0x800, 1, 0);
        self.clock.advance(ms(1));
        self.backplane_write(core + 0x408, 1, 1);
    }

    /// With all that the firmware needs, before its start.
    pub fn load(&mut self) {
        self.request_alp();
        assert_eq!(self.backplane_read(0x1800_0000, 2) & 0xffff, 0xa9af);
        self.disable(ARM);
        self.reset(SOCSRAM);
        self.backplane_write(0x1800_4010, 4, 3);
        self.backplane_write(0x1800_4044, 4, 0);
        let (firmware, nvram) = (self.firmware.clone(), self.nvram.clone());
        self.upload(0, &firmware);
        let padded = nvram.len().next_multiple_of(4);
        self.upload(0x8_0000 - 4 - padded as u32, &nvram);
        let count = padded as u32 / 4;
        self.backplane_write(0x7_fffc, 4, !count << 16 | count);
    }

    /// With firmware that takes frames.
    pub fn running(config: ChipConfig) -> Self {
        let mut bed = Self::on(config);
        bed.start();
        bed
    }

    pub fn start(&mut self) {
        self.load();
        self.reset(ARM);
        self.clock.advance(ms(100));
        assert_eq!(self.read(1, 0x1_000e, 1) & 0x80, 0x80);
        self.write(0, 0x06, 2, 0x0020);
        self.write(1, 0x1_0008, 1, 0x20);
        assert_eq!(self.status() & 0x20, 0x20, "function 2 is ready");
    }

    /// With the radio on and all events enabled.
    pub fn up(config: ChipConfig) -> Self {
        let mut bed = Self::running(config);
        bed.turn_up();
        bed
    }

    pub fn turn_up(&mut self) {
        self.load_clm();
        let mut mask = vec![0; 4];
        mask.extend([0xff; 24]);
        self.set("bsscfg:event_msgs", &mask).unwrap();
        self.set("bus:txglom", &[0; 4]).unwrap();
        self.ioctl(true, 2, &[]).unwrap();
    }

    pub fn load_clm(&mut self) {
        let mut part = vec![0x06, 0x10, 2, 0];
        part.extend((self.clm.len() as u32).to_le_bytes());
        part.extend([0; 4]);
        part.extend(self.clm.clone());
        self.set("clmload", &part).unwrap();
        assert_eq!(self.get("clmload_status", 4).unwrap(), [0; 4]);
    }

    pub fn status(&mut self) -> u32 {
        self.read(0, 0x08, 4)
    }

    /// The next frame from the chip, if one is announced.
    pub fn recv(&mut self) -> Option<Frame> {
        let status = self.status();
        if status & 0x100 == 0 {
            return None;
        }
        let len = (status >> 9 & 0x7ff) as usize;
        Some(Self::parse(&self.recv_bytes(len)))
    }

    pub fn recv_bytes(&mut self, len: usize) -> Vec<u8> {
        let mut words = vec![0; len.div_ceil(4)];
        self.bus
            .cmd_read_blocking(command(false, 2, 0, len), &mut words)
            .unwrap();
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(len);
        bytes
    }

    pub fn parse(bytes: &[u8]) -> Frame {
        Frame {
            sequence: bytes[4],
            channel: bytes[5],
            flow_control: bytes[8],
            credit: bytes[9],
            body: bytes.get(usize::from(bytes[7])..).unwrap_or_default().to_vec(),
            bytes: bytes.to_vec(),
        }
    }

    /// A frame with these bytes after its first header.
    pub fn frame(&mut self, channel: u8, header: usize, body: &[u8]) -> Vec<u8> {
        let len = (header + body.len()) as u16;
        let mut frame = len.to_le_bytes().to_vec();
        frame.extend((!len).to_le_bytes());
        frame.extend([self.sequence, channel, 0, header as u8]);
        frame.resize(header, 0);
        frame.extend(body);
        self.sequence = self.sequence.wrapping_add(1);
        frame
    }

    pub fn send_raw(&mut self, frame: &[u8]) {
        let mut data = vec![command(true, 2, 0, frame.len().next_multiple_of(4))];
        data.extend(words(frame));
        self.bus.cmd_write_blocking(&data).unwrap();
    }

    pub fn send_request(&mut self, set: bool, number: u32, payload: &[u8]) {
        self.id += 1;
        let mut body = number.to_le_bytes().to_vec();
        body.extend((payload.len() as u32).to_le_bytes());
        body.extend((u16::from(set) << 1).to_le_bytes());
        body.extend(self.id.to_le_bytes());
        body.extend([0; 4]);
        body.extend(payload);
        let frame = self.frame(0, 12, &body);
        self.send_raw(&frame);
    }

    pub fn send_data(&mut self, ethernet: &[u8]) {
        let mut body = vec![0x20, 0, 0, 0];
        body.extend(ethernet);
        let frame = self.frame(2, 14, &body);
        self.send_raw(&frame);
    }

    /// Reads all announced frames by channel. Returns the last reply.
    pub fn drain(&mut self) -> Option<Vec<u8>> {
        let mut reply = None;
        while let Some(frame) = self.recv() {
            let event = frame.channel == 1
                && frame.body.len() >= 80
                && frame.body[0] == 0x20
                && frame.ethernet().get(12..14) == Some(&[0x88, 0x6c]);
            if event {
                let ethernet = frame.ethernet();
                let word = |at: usize| u32::from_be_bytes(ethernet[at..at + 4].try_into().unwrap());
                self.events.push_back(Event {
                    flags: u16::from_be_bytes([ethernet[26], ethernet[27]]),
                    kind: word(28),
                    status: word(32),
                    reason: word(36),
                    auth_type: word(40),
                });
                let len = word(44) as usize;
                self.event_data.push_back(ethernet[72..72 + len].to_vec());
            } else if frame.channel == 0 {
                reply = Some(frame.body);
            } else if frame.channel == 2 && frame.body.len() > 8 {
                self.data.push_back(frame.ethernet());
            } else {
                self.others.push(frame);
            }
        }
        reply
    }

    /// Sends a request. Returns the payload of the reply, or its status.
    pub fn ioctl(&mut self, set: bool, number: u32, payload: &[u8]) -> Result<Vec<u8>, i32> {
        self.send_request(set, number, payload);
        for _ in 0..1000 {
            if let Some(reply) = self.drain() {
                assert_eq!(reply[..4], number.to_le_bytes());
                assert_eq!(reply[10..12], self.id.to_le_bytes());
                let status = i32::from_le_bytes(reply[12..16].try_into().unwrap());
                assert_eq!(status != 0, reply[8] & 1 != 0, "the flag follows the status");
                return if status == 0 {
                    Ok(reply[16..].to_vec())
                } else {
                    Err(status)
                };
            }
            self.clock.advance(Duration::from_micros(100));
        }
        panic!("no reply to ioctl {number}");
    }

    pub fn set(&mut self, name: &str, value: &[u8]) -> Result<Vec<u8>, i32> {
        let mut payload = name.as_bytes().to_vec();
        payload.push(0);
        payload.extend(value);
        self.ioctl(true, 263, &payload)
    }

    pub fn set_u32(&mut self, name: &str, value: u32) -> Result<Vec<u8>, i32> {
        self.set(name, &value.to_le_bytes())
    }

    pub fn set_pair(&mut self, name: &str, first: u32, second: u32) -> Result<Vec<u8>, i32> {
        let mut value = first.to_le_bytes().to_vec();
        value.extend(second.to_le_bytes());
        self.set(name, &value)
    }

    pub fn get(&mut self, name: &str, len: usize) -> Result<Vec<u8>, i32> {
        let mut payload = name.as_bytes().to_vec();
        payload.push(0);
        payload.resize(payload.len().max(len), 0);
        let mut value = self.ioctl(false, 262, &payload)?;
        value.truncate(len);
        Ok(value)
    }

    pub fn set_number(&mut self, number: u32, value: u32) -> Result<Vec<u8>, i32> {
        self.ioctl(true, number, &value.to_le_bytes())
    }

    pub fn secure_open(&mut self) {
        self.set_number(134, 0).unwrap();
        self.set_pair("bsscfg:sup_wpa", 0, 0).unwrap();
        self.set_number(20, 1).unwrap();
        self.set_number(22, 0).unwrap();
        self.set_number(165, 0).unwrap();
    }

    pub fn secure_wpa2(&mut self, passphrase: &str) {
        self.set_number(134, 4).unwrap();
        self.set_pair("bsscfg:sup_wpa", 0, 1).unwrap();
        self.set_pair("bsscfg:sup_wpa_tmo", 0, 2500).unwrap();
        self.clock.advance(ms(10));
        self.set_key(passphrase).unwrap();
        self.set_number(20, 1).unwrap();
        self.set_number(22, 0).unwrap();
        self.set_u32("mfp", 1).unwrap();
        self.set_number(165, 0x80).unwrap();
    }

    pub fn secure_wpa3(&mut self, password: &str) {
        self.set_number(134, 4).unwrap();
        self.set_pair("bsscfg:sup_wpa", 0, 1).unwrap();
        self.clock.advance(ms(10));
        let mut value = (password.len() as u16).to_le_bytes().to_vec();
        value.extend(password.as_bytes());
        value.resize(130, 0);
        self.set("sae_password", &value).unwrap();
        self.set_number(22, 3).unwrap();
        self.set_u32("mfp", 2).unwrap();
        self.set_number(165, 0x4_0000).unwrap();
    }

    pub fn set_key(&mut self, passphrase: &str) -> Result<Vec<u8>, i32> {
        let mut value = (passphrase.len() as u16).to_le_bytes().to_vec();
        value.extend([1, 0]);
        value.extend(passphrase.as_bytes());
        value.resize(68, 0);
        self.ioctl(true, 268, &value)
    }

    /// Joins a network; the events come later.
    pub fn join(&mut self, ssid: &str) -> Result<Vec<u8>, i32> {
        let mut value = (ssid.len() as u32).to_le_bytes().to_vec();
        value.extend(ssid.as_bytes());
        value.resize(36, 0);
        self.ioctl(true, 26, &value)
    }

    /// Advances the clock and reads the frames that arrive.
    pub fn pass(&mut self, time: Duration) {
        let end = self.clock.now() + time;
        while self.clock.now() < end {
            self.clock.advance(ms(1));
            self.drain();
        }
    }

    /// The events so far, as type, status and reason.
    pub fn take_events(&mut self) -> Vec<(u32, u32, u32)> {
        self.event_data.clear();
        self.events.drain(..).map(|event| short(&event)).collect()
    }

    /// In an open network.
    pub fn joined(config: ChipConfig) -> Self {
        let mut bed = Self::up(config);
        bed.chip.add_ap(cyw43439_model::AccessPoint::open("lab"));
        bed.secure_open();
        bed.join("lab").unwrap();
        bed.pass(ms(200));
        assert!(bed.chip.association().is_some_and(|association| association.keyed));
        bed.take_events();
        bed
    }

    pub fn kinds(&self) -> BTreeSet<ViolationKind> {
        self.chip.violations().iter().map(|violation| violation.kind).collect()
    }

    #[track_caller]
    pub fn clean(&self) {
        let violations: Vec<String> = self.chip.violations().iter().map(ToString::to_string).collect();
        assert!(violations.is_empty(), "{violations:#?}");
        assert!(self.chip.stats().balanced(), "{:?}", self.chip.stats());
    }
}

pub fn ethernet(to: [u8; 6], len: usize, n: u8) -> Vec<u8> {
    let mut frame = to.to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 1, 0x08, 0]);
    frame.extend((14..len).map(|at| (at as u8).wrapping_mul(7) ^ n));
    frame
}
