//! A mock PHY whose registers a test sets, and a harness that polls the driver on virtual time.

use std::ops::Range;
use std::time::Duration;

use ethdev::ErrorKind;
use ethdev_lan8720::{Lan8720Phy, PhyConfig};
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent};

pub(crate) const ADDRESS: u8 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read(u8),
    Write(u8, u16),
}

/// The registers of a LAN8720A with MODE = 111 (data sheet, section 4.2), and the state of the
/// cable.
pub(crate) struct MockPhy {
    pub(crate) registers: [u16; 32],
    /// Register values after a reset that differ from the defaults.
    pub(crate) strapped: Vec<(u8, u16)>,
    pub(crate) link: bool,
    pub(crate) complete: bool,
    /// The link was down since register 1 was read last.
    lost: bool,
    /// Number of reads of register 0 until a reset ends.
    pub(crate) reset_reads: u32,
    in_reset: u32,
    /// The value of every read, if set.
    pub(crate) stuck_at: Option<u16>,
    pub(crate) log: Vec<Access>,
    pub(crate) failing: Range<usize>,
}

impl MockPhy {
    pub(crate) fn new() -> Self {
        let mut chip = Self {
            registers: [0xffff; 32],
            strapped: Vec::new(),
            link: false,
            complete: false,
            lost: true,
            reset_reads: 2,
            in_reset: 0,
            stuck_at: None,
            log: Vec::new(),
            failing: 0..0,
        };
        chip.set(18, 0x60e0 | u16::from(ADDRESS));
        chip.set(26, 0);
        chip.defaults();
        chip
    }

    fn defaults(&mut self) {
        for (register, value) in [
            (0, 0x3000),
            (2, 0x0007),
            (3, 0xc0f1),
            (4, 0x01e1),
            (5, 0x0000),
            (6, 0x0000),
            (16, 0x0040),
            (17, 0x0002),
            (27, 0x0000),
            (29, 0x0080),
            (30, 0x0000),
            (31, 0x0040),
        ] {
            self.set(register, value);
        }
        for (register, value) in self.strapped.clone() {
            self.set(register, value);
        }
        self.complete = false;
        self.link = false;
        self.lost = true;
    }

    pub(crate) fn set(&mut self, register: u8, value: u16) {
        self.registers[usize::from(register)] = value;
    }

    pub(crate) fn get(&self, register: u8) -> u16 {
        self.registers[usize::from(register)]
    }

    /// The link comes up, with these values of registers 5, 6 and 31.
    pub(crate) fn link_up(&mut self, partner: u16, expansion: u16, status: u16) {
        self.set(5, partner);
        self.set(6, expansion);
        self.set(31, status);
        (self.link, self.complete) = (true, true);
    }

    /// The link comes up by auto-negotiation with a partner that supports every mode.
    pub(crate) fn link_up_100_full(&mut self) {
        self.link_up(0x45e1, 0x0003, 0x1058);
    }

    pub(crate) fn link_down(&mut self) {
        (self.link, self.complete, self.lost) = (false, false, true);
    }

    /// The link was lost and is up again before the next read.
    pub(crate) fn link_glitch(&mut self) {
        self.lost = true;
    }

    /// A brownout: the registers have their defaults.
    pub(crate) fn brownout(&mut self) {
        self.defaults();
    }

    pub(crate) fn writes(&self) -> Vec<(u8, u16)> {
        let write = |access: &Access| match *access {
            Access::Write(register, value) => Some((register, value)),
            Access::Read(_) => None,
        };
        self.log.iter().filter_map(write).collect()
    }

    fn access(&mut self, phy: PhyAddress, access: Access) -> Result<bool, ErrorKind> {
        self.log.push(access);
        if self.failing.contains(&(self.log.len() - 1)) {
            return Err(ErrorKind::Timeout);
        }
        Ok(phy.get() == ADDRESS)
    }
}

impl Mdio for MockPhy {
    type Error = ErrorKind;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, ErrorKind> {
        let register = register.get();
        let here = self.access(phy, Access::Read(register))?;
        if let Some(value) = self.stuck_at {
            return Ok(value);
        }
        if !here {
            return Ok(0xffff);
        }
        Ok(match register {
            0 if self.in_reset > 0 => {
                self.in_reset -= 1;
                0x8000 | self.get(0)
            }
            1 => {
                let link = self.link && !self.lost;
                self.lost = !self.link;
                0x7809 | u16::from(self.complete) << 5 | u16::from(link) << 2
            }
            29 => {
                let flags = self.get(29);
                self.set(29, 0);
                flags
            }
            _ => self.get(register),
        })
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), ErrorKind> {
        let register = register.get();
        let here = self.access(phy, Access::Write(register, value))?;
        if !here || self.stuck_at.is_some() {
            return Ok(());
        }
        match register {
            0 if value & 0x8000 != 0 => {
                self.defaults();
                self.in_reset = self.reset_reads;
                // The mode straps determine register 0.
                if self.get(18) >> 5 & 7 == 0b110 {
                    self.set(0, 0x3800);
                }
            }
            0 => {
                if value & 0x0200 != 0 {
                    self.complete = false;
                    self.link_down();
                }
                self.set(0, value & !0x0200);
            }
            1..=3 | 5 | 6 | 26 | 29 | 31 => {}
            17 => {
                let energy = self.get(17) & 2;
                self.set(17, value & !2 | energy);
            }
            _ => self.set(register, value),
        }
        Ok(())
    }
}

/// A driver, its PHY and a virtual clock.
pub(crate) struct Harness {
    pub(crate) phy: Lan8720Phy,
    pub(crate) chip: MockPhy,
    pub(crate) now: Duration,
    pub(crate) events: Vec<PhyEvent>,
    pub(crate) errors: Vec<PhyError<ErrorKind>>,
}

impl Harness {
    pub(crate) fn new(config: PhyConfig) -> Self {
        Self {
            phy: Lan8720Phy::new(PhyAddress::new(ADDRESS).unwrap(), config),
            chip: MockPhy::new(),
            now: Duration::from_secs(1000),
            events: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Returns a harness with the driver past its reset.
    pub(crate) fn started(config: PhyConfig) -> Self {
        let mut harness = Self::new(config);
        harness.start(LinkModes::ALL_MODES).unwrap();
        harness.run(20);
        assert_eq!((harness.events.len(), harness.errors.len()), (0, 0));
        harness
    }

    /// Returns a harness with the link up.
    pub(crate) fn up(config: PhyConfig) -> Self {
        let mut harness = Self::started(config);
        harness.chip.link_up_100_full();
        harness.run(150);
        assert_eq!(harness.take_events().len(), 1);
        harness
    }

    pub(crate) fn start(&mut self, advertise: LinkModes) -> Result<(), PhyError<ErrorKind>> {
        self.phy.start(&mut self.chip, advertise, self.now)
    }

    /// Polls once.
    pub(crate) fn poll(&mut self) {
        match self.phy.poll(&mut self.chip, self.now) {
            Ok(PhyEvent::None) => {}
            Ok(event) => self.events.push(event),
            Err(error) => self.errors.push(error),
        }
    }

    /// Advances the clock by `ms` milliseconds and polls whenever a poll is due.
    pub(crate) fn run(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        for _ in 0..100_000 {
            let wait = self.phy.next_poll(self.now);
            if wait > end - self.now {
                self.now = end;
                return;
            }
            self.now += wait;
            self.poll();
        }
        panic!("a poll is always due");
    }

    pub(crate) fn interrupt(&mut self) {
        if let Err(error) = self.phy.on_interrupt(&mut self.chip, self.now) {
            self.errors.push(error);
        }
    }

    pub(crate) fn take_events(&mut self) -> Vec<PhyEvent> {
        std::mem::take(&mut self.events)
    }

    pub(crate) fn take_errors(&mut self) -> Vec<PhyError<ErrorKind>> {
        std::mem::take(&mut self.errors)
    }
}
