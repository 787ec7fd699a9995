//! MDIO by two pins, against a PHY that looks at every edge and its time.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{Error, ErrorKind, ErrorType, InputPin, OutputPin};
use ethdev_phy::mdio::{BitBang, BitBangError, Mdio, OpenDrain, PhyAddress, RegisterAddress};
use proptest::prelude::*;

/// Two wires, a pull-up, and perhaps a PHY at address 1. Times in nanoseconds, from IEEE 802.3 clauses 22.2.2.11 and 22.3.4.
#[derive(Default)]
struct Bus {
    now: u64,
    clock: bool,
    host_pulls: bool,
    host_changed: u64,
    rose: Option<u64>,
    fell: u64,
    /// What the line was at each rise of the clock.
    bits: Vec<bool>,
    /// Bits that the PHY still has to drive, first one last: `None` leaves the line alone.
    answer: Vec<Option<bool>>,
    drives: Option<bool>,
    drove: Option<bool>,
    registers: [u16; 32],
    absent: bool,
    /// How many calls of pins go well.
    calls_left: Option<usize>,
}

impl Bus {
    /// The PHY needs 300 ns after the clock rose before the line shows its bit.
    fn line(&self) -> bool {
        let settled = self.rose.is_none_or(|rose| self.now >= rose + 300);
        let phy = if settled { self.drives } else { self.drove };
        !self.host_pulls && phy != Some(false)
    }

    fn rise(&mut self) {
        if let Some(rose) = self.rose {
            assert!(self.now - rose >= 400, "a clock period of {} ns", self.now - rose);
        }
        assert!(self.now - self.fell >= 160, "clock low for {} ns", self.now - self.fell);
        assert!(self.now - self.host_changed >= 10, "setup time");
        let bit = self.line();
        self.rose = Some(self.now);
        self.bits.push(bit);
        self.drove = self.drives;
        self.drives = self.answer.pop().flatten();
        self.hear();
    }

    /// The PHY: a frame is 32 ones and what follows.
    fn hear(&mut self) {
        let bits = &self.bits;
        if self.absent || bits.len() < 46 {
            return;
        }
        let field = |from: usize, count: usize| {
            bits[from..from + count]
                .iter()
                .fold(0, |n, bit| n << 1 | u16::from(*bit))
        };
        let preamble = bits[bits.len() - 46..][..32].iter().all(|bit| *bit);
        let start = bits.len() - 14;
        if preamble && field(start, 4) == 0b0110 && field(start + 4, 5) == 1 {
            let value = self.registers[usize::from(field(start + 9, 5))];
            // Nothing in the first bit of the turnaround, zero in the second.
            self.answer = (0..16).map(|bit| Some(value >> bit & 1 != 0)).collect();
            self.answer.push(Some(false));
        }
        if bits.len() >= 64 {
            let start = bits.len() - 64;
            let header = field(start, 16) == u16::MAX && field(start + 16, 16) == u16::MAX;
            if header && field(start + 32, 4) == 0b0101 && field(start + 36, 5) == 1 && field(start + 46, 2) == 0b10 {
                let register = usize::from(field(start + 41, 5));
                self.registers[register] = field(start + 48, 16);
            }
        }
    }

    fn call(&mut self) -> Result<(), Broken> {
        match &mut self.calls_left {
            None => Ok(()),
            Some(0) => Err(Broken),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Broken;

impl Error for Broken {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

#[derive(Clone)]
struct Clock(Rc<RefCell<Bus>>);
#[derive(Clone)]
struct Data(Rc<RefCell<Bus>>);
#[derive(Clone)]
struct Delay(Rc<RefCell<Bus>>);

impl ErrorType for Clock {
    type Error = Broken;
}
impl ErrorType for Data {
    type Error = Broken;
}

impl OutputPin for Clock {
    fn set_low(&mut self) -> Result<(), Broken> {
        let mut bus = self.0.borrow_mut();
        bus.call()?;
        if bus.clock {
            assert!(bus.now - bus.rose.unwrap() >= 160, "clock high too short");
            bus.fell = bus.now;
        }
        bus.clock = false;
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Broken> {
        let mut bus = self.0.borrow_mut();
        bus.call()?;
        assert!(!bus.clock, "no edge");
        bus.clock = true;
        bus.rise();
        Ok(())
    }
}

impl Data {
    fn pull(&mut self, pull: bool) -> Result<(), Broken> {
        let mut bus = self.0.borrow_mut();
        bus.call()?;
        assert!(!bus.clock, "the line changes only while the clock is low");
        if bus.host_pulls != pull {
            bus.host_pulls = pull;
            bus.host_changed = bus.now;
        }
        Ok(())
    }
}

impl OutputPin for Data {
    fn set_low(&mut self) -> Result<(), Broken> {
        assert_eq!(self.0.borrow().drives, None, "host and PHY drive at once");
        self.pull(true)
    }

    fn set_high(&mut self) -> Result<(), Broken> {
        self.pull(false)
    }
}

impl InputPin for Data {
    fn is_high(&mut self) -> Result<bool, Broken> {
        let mut bus = self.0.borrow_mut();
        bus.call()?;
        assert!(!bus.host_pulls, "read while driven");
        Ok(bus.line())
    }

    fn is_low(&mut self) -> Result<bool, Broken> {
        self.is_high().map(|high| !high)
    }
}

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        self.0.borrow_mut().now += u64::from(ns);
    }
}

type Master = BitBang<Clock, OpenDrain<Data>, Delay>;

fn bus() -> (Rc<RefCell<Bus>>, Master) {
    let bus = Rc::new(RefCell::new(Bus::default()));
    bus.borrow_mut().now = 1_000;
    let master = BitBang::new(Clock(bus.clone()), OpenDrain(Data(bus.clone())), Delay(bus.clone()));
    (bus, master)
}

fn phy(address: u8) -> PhyAddress {
    PhyAddress::new(address).unwrap()
}

fn register(address: u8) -> RegisterAddress {
    RegisterAddress::new(address).unwrap()
}

fn text(bits: &[bool]) -> String {
    bits.iter().map(|bit| if *bit { '1' } else { '0' }).collect()
}

#[test]
fn a_read_is_these_64_bits() {
    let (bus, mut master) = bus();
    bus.borrow_mut().registers[2] = 0x0007;
    assert_eq!(master.read(phy(1), register(2)), Ok(0x0007));
    let expected = format!("{}01 10 00001 00010 10 0000000000000111", "1".repeat(32));
    assert_eq!(text(&bus.borrow().bits), expected.replace(' ', ""));
    assert!(!bus.borrow().clock && !bus.borrow().host_pulls, "the bus is left idle");
}

#[test]
fn a_write_is_these_64_bits() {
    let (bus, mut master) = bus();
    assert_eq!(master.write(phy(1), register(4), 0x01e1), Ok(()));
    let expected = format!("{}01 01 00001 00100 10 0000000111100001", "1".repeat(32));
    assert_eq!(text(&bus.borrow().bits), expected.replace(' ', ""));
    assert_eq!(bus.borrow().registers[4], 0x01e1);
    assert!(!bus.borrow().clock && !bus.borrow().host_pulls, "the bus is left idle");
}

#[test]
fn an_absent_phy_reads_all_ones() {
    let (bus, mut master) = bus();
    bus.borrow_mut().absent = true;
    assert_eq!(master.read(phy(1), register(0)), Ok(0xffff));
    assert_eq!(bus.borrow().bits.len(), 64, "the operation is ended all the same");
    // At another address than the one where a PHY is.
    bus.borrow_mut().absent = false;
    assert_eq!(master.read(phy(2), register(0)), Ok(0xffff));
}

#[test]
fn a_line_without_turnaround_is_no_answer_whatever_comes_after() {
    let (bus, mut master) = bus();
    bus.borrow_mut().absent = true;
    // Somebody pulls the line low in the data only: the turnaround stays high.
    bus.borrow_mut().answer = vec![Some(false); 10];
    bus.borrow_mut().answer.extend(vec![None; 54]);
    assert_eq!(master.read(phy(1), register(0)), Ok(0xffff));
}

#[test]
fn the_clock_is_as_slow_as_asked_and_never_faster_than_2_5_mhz() {
    for (asked, period) in [(0, 400), (200, 400), (1_000, 2_000)] {
        let (bus, master) = bus();
        let mut master = master.with_half_period_ns(asked);
        let began = bus.borrow().now;
        master.read(phy(1), register(0)).unwrap();
        assert_eq!(bus.borrow().now - began, 64 * period, "asked for {asked} ns");
    }
}

/// Every call of a pin fails once; the operation after it must be understood, whatever a PHY made of the torn one.
#[test]
fn pins_may_fail_at_any_call() {
    let mut failures = 0;
    for calls in 0.. {
        let (bus, mut master) = bus();
        bus.borrow_mut().registers[2] = 0x1234;
        bus.borrow_mut().calls_left = Some(calls);
        match master.read(phy(1), register(2)) {
            Ok(value) => {
                assert_eq!(value, 0x1234);
                break;
            }
            Err(BitBangError::Clock(Broken) | BitBangError::Data(Broken)) => failures += 1,
        }
        bus.borrow_mut().calls_left = None;
        let torn = bus.borrow().bits.len();
        // The PHY's share of the torn operation is over when it has seen the rest of its clocks.
        assert_eq!(master.read(phy(1), register(2)), Ok(0x1234), "after {calls} calls");
        assert_eq!(bus.borrow().bits.len() - torn, 96, "32 clocks more, once");
        master.read(phy(1), register(2)).unwrap();
        assert_eq!(bus.borrow().bits.len() - torn, 96 + 64);
    }
    // Two edges for each of 64 bits, 46 bits driven, one released, 17 read, and the end: nothing was left out.
    assert_eq!(failures, 2 * 64 + 46 + 1 + 17 + 2);
}

proptest! {
    #[test]
    fn what_is_written_is_read(registers in proptest::collection::vec((0_u8..32, any::<u16>()), 1..20)) {
        let (bus, mut master) = bus();
        for (address, value) in &registers {
            master.write(phy(1), register(*address), *value).unwrap();
            // Somebody else's.
            master.write(phy(3), register(*address), !*value).unwrap();
            prop_assert_eq!(master.read(phy(1), register(*address)), Ok(*value));
            prop_assert_eq!(bus.borrow().registers[usize::from(*address)], *value);
        }
    }
}
