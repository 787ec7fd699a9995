//! A PHY of registers that a test sets, and a bench that polls the driver in its own time.

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

/// What the registers are after a reset, by the data sheet's section 4.2 with MODE = 111, and what the test says is on the cable.
pub(crate) struct Fake {
    pub(crate) registers: [u16; 32],
    /// Registers after a reset, other than the usual ones.
    pub(crate) strapped: Vec<(u8, u16)>,
    pub(crate) link: bool,
    pub(crate) complete: bool,
    /// The link was down since register 1 was read last.
    lost: bool,
    /// How many reads of register 0 a reset lasts.
    pub(crate) reset_reads: u32,
    in_reset: u32,
    /// What every read gives, if anything does.
    pub(crate) stuck_at: Option<u16>,
    pub(crate) log: Vec<Access>,
    pub(crate) failing: Range<usize>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        let mut fake = Self {
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
        fake.set(18, 0x60e0 | u16::from(ADDRESS));
        fake.set(26, 0);
        fake.defaults();
        fake
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

    /// The link comes up: registers 5, 6 and 31 are these.
    pub(crate) fn come_up(&mut self, partner: u16, expansion: u16, status: u16) {
        self.set(5, partner);
        self.set(6, expansion);
        self.set(31, status);
        (self.link, self.complete) = (true, true);
    }

    /// The usual partner: everything, by auto-negotiation.
    pub(crate) fn come_up_at_100_full(&mut self) {
        self.come_up(0x45e1, 0x0003, 0x1058);
    }

    pub(crate) fn go_down(&mut self) {
        (self.link, self.complete, self.lost) = (false, false, true);
    }

    /// The link was lost and is there again before anybody looked.
    pub(crate) fn blink(&mut self) {
        self.lost = true;
    }

    /// Its supply dipped.
    pub(crate) fn inject_brownout(&mut self) {
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

impl Mdio for Fake {
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
                // The mode strap decides what register 0 is.
                if self.get(18) >> 5 & 7 == 0b110 {
                    self.set(0, 0x3800);
                }
            }
            0 => {
                if value & 0x0200 != 0 {
                    self.complete = false;
                    self.go_down();
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

/// A driver, its PHY, and time, which passes only here.
pub(crate) struct Bench {
    pub(crate) phy: Lan8720Phy,
    pub(crate) fake: Fake,
    pub(crate) now: Duration,
    pub(crate) events: Vec<PhyEvent>,
    pub(crate) errors: Vec<PhyError<ErrorKind>>,
}

impl Bench {
    pub(crate) fn new(config: PhyConfig) -> Self {
        Self {
            phy: Lan8720Phy::new(PhyAddress::new(ADDRESS).unwrap(), config),
            fake: Fake::new(),
            now: Duration::from_secs(1000),
            events: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Started, and past its reset.
    pub(crate) fn started(config: PhyConfig) -> Self {
        let mut bench = Self::new(config);
        bench.start(LinkModes::ALL_MODES).unwrap();
        bench.run(20);
        assert_eq!((bench.events.len(), bench.errors.len()), (0, 0));
        bench
    }

    /// Started, with a link.
    pub(crate) fn up(config: PhyConfig) -> Self {
        let mut bench = Self::started(config);
        bench.fake.come_up_at_100_full();
        bench.run(150);
        assert_eq!(bench.take_events().len(), 1);
        bench
    }

    pub(crate) fn start(&mut self, advertise: LinkModes) -> Result<(), PhyError<ErrorKind>> {
        self.phy.start(&mut self.fake, advertise, self.now)
    }

    /// One poll, now.
    pub(crate) fn poll(&mut self) {
        match self.phy.poll(&mut self.fake, self.now) {
            Ok(PhyEvent::None) => {}
            Ok(event) => self.events.push(event),
            Err(error) => self.errors.push(error),
        }
    }

    /// Lets so many milliseconds pass, and polls whenever the driver wants it.
    pub(crate) fn run(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        for _ in 0..100_000 {
            let pause = self.phy.next_poll(self.now);
            if pause > end - self.now {
                self.now = end;
                return;
            }
            self.now += pause;
            self.poll();
        }
        panic!("the driver never rests");
    }

    pub(crate) fn interrupt(&mut self) {
        if let Err(error) = self.phy.on_interrupt(&mut self.fake, self.now) {
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
