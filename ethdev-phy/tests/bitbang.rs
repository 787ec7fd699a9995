//! `BitBang` on a simulated PHY that checks the timing of every edge.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{Error, ErrorKind, ErrorType, InputPin, OutputPin};
use ethdev_phy::mdio::{BitBang, BitBangError, Mdio, OpenDrain, PhyAddress, RegisterAddress};
use proptest::prelude::*;

/// Two wires, a pull-up and a PHY at address 1. Times in nanoseconds, from IEEE 802.3 clauses
/// 22.2.2.11 and 22.3.4.
#[derive(Default)]
struct Bus {
    now: u64,
    clock: bool,
    host_pulls: bool,
    host_changed: u64,
    rose: Option<u64>,
    fell: u64,
    /// The level of the line at each rising edge of the clock.
    bits: Vec<bool>,
    /// The bits that the PHY drives next, in reverse order: `None` does not drive the line.
    answer: Vec<Option<bool>>,
    drives: Option<bool>,
    drove: Option<bool>,
    registers: [u16; 32],
    absent: bool,
    /// Number of pin calls until they fail.
    calls_left: Option<usize>,
}

impl Bus {
    /// The PHY drives its bit 300 ns after the rising edge.
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
        self.decode();
    }

    /// Decodes operations in the PHY: 32 ones start one.
    fn decode(&mut self) {
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
            // The turnaround: released, then zero.
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

    fn call(&mut self) -> Result<(), PinError> {
        match &mut self.calls_left {
            None => Ok(()),
            Some(0) => Err(PinError),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct PinError;

impl Error for PinError {
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
    type Error = PinError;
}
impl ErrorType for Data {
    type Error = PinError;
}

impl OutputPin for Clock {
    fn set_low(&mut self) -> Result<(), PinError> {
        let mut bus = self.0.borrow_mut();
        bus.call()?;
        if bus.clock {
            assert!(bus.now - bus.rose.unwrap() >= 160, "clock high too short");
            bus.fell = bus.now;
        }
        bus.clock = false;
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), PinError> {
        let mut bus = self.0.borrow_mut();
        bus.call()?;
        assert!(!bus.clock, "clock is high already");
        bus.clock = true;
        bus.rise();
        Ok(())
    }
}

impl Data {
    fn pull(&mut self, pull: bool) -> Result<(), PinError> {
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
    fn set_low(&mut self) -> Result<(), PinError> {
        assert_eq!(self.0.borrow().drives, None, "host and PHY drive at once");
        self.pull(true)
    }

    fn set_high(&mut self) -> Result<(), PinError> {
        self.pull(false)
    }
}

impl InputPin for Data {
    fn is_high(&mut self) -> Result<bool, PinError> {
        let mut bus = self.0.borrow_mut();
        bus.call()?;
        assert!(!bus.host_pulls, "read while driven by the host");
        Ok(bus.line())
    }

    fn is_low(&mut self) -> Result<bool, PinError> {
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
fn read_bits_as_clause_22() {
    let (bus, mut master) = bus();
    bus.borrow_mut().registers[2] = 0x0007;
    assert_eq!(master.read(phy(1), register(2)), Ok(0x0007));
    let expected = format!("{}01 10 00001 00010 10 0000000000000111", "1".repeat(32));
    assert_eq!(text(&bus.borrow().bits), expected.replace(' ', ""));
    assert!(!bus.borrow().clock && !bus.borrow().host_pulls, "bus is idle");
}

#[test]
fn write_bits_as_clause_22() {
    let (bus, mut master) = bus();
    assert_eq!(master.write(phy(1), register(4), 0x01e1), Ok(()));
    let expected = format!("{}01 01 00001 00100 10 0000000111100001", "1".repeat(32));
    assert_eq!(text(&bus.borrow().bits), expected.replace(' ', ""));
    assert_eq!(bus.borrow().registers[4], 0x01e1);
    assert!(!bus.borrow().clock && !bus.borrow().host_pulls, "bus is idle");
}

#[test]
fn read_absent_phy_all_ones() {
    let (bus, mut master) = bus();
    bus.borrow_mut().absent = true;
    assert_eq!(master.read(phy(1), register(0)), Ok(0xffff));
    assert_eq!(bus.borrow().bits.len(), 64, "the operation is complete");
    // A PHY is present, at another address.
    bus.borrow_mut().absent = false;
    assert_eq!(master.read(phy(2), register(0)), Ok(0xffff));
}

#[test]
fn read_without_turnaround_all_ones() {
    let (bus, mut master) = bus();
    bus.borrow_mut().absent = true;
    // The line is low in the data only: the turnaround stays high.
    bus.borrow_mut().answer = vec![Some(false); 10];
    bus.borrow_mut().answer.extend(vec![None; 54]);
    assert_eq!(master.read(phy(1), register(0)), Ok(0xffff));
}

#[test]
fn with_half_period_any_at_most_2_5_mhz() {
    for (half_period, period) in [(0, 400), (200, 400), (1_000, 2_000), (u64::MAX, 2_000_000)] {
        let (bus, master) = bus();
        let mut master = master.with_half_period(Duration::from_nanos(half_period));
        let start = bus.borrow().now;
        master.read(phy(1), register(0)).unwrap();
        assert_eq!(bus.borrow().now - start, 64 * period, "half period {half_period} ns");
    }
}

/// Each pin call fails once. The next operation must succeed, whatever state the interrupted one
/// left the PHY in.
#[test]
fn read_pin_error_next_operation_succeeds() {
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
            Err(BitBangError::Clock(PinError) | BitBangError::Data(PinError)) => failures += 1,
            Err(e) => panic!("{e}"),
        }
        bus.borrow_mut().calls_left = None;
        let bits = bus.borrow().bits.len();
        // 32 more clock periods complete the interrupted operation in the PHY.
        assert_eq!(master.read(phy(1), register(2)), Ok(0x1234), "after {calls} calls");
        assert_eq!(bus.borrow().bits.len() - bits, 96, "32 clock periods more, once");
        master.read(phy(1), register(2)).unwrap();
        assert_eq!(bus.borrow().bits.len() - bits, 96 + 64);
    }
    // Two edges for each of 64 bits, 46 bits driven, one released, 17 read, two calls at the end: every
    // call failed once.
    assert_eq!(failures, 2 * 64 + 46 + 1 + 17 + 2);
}

proptest! {
    #[test]
    fn write_read_round_trips(registers in proptest::collection::vec((0_u8..32, any::<u16>()), 1..20)) {
        let (bus, mut master) = bus();
        for (address, value) in &registers {
            master.write(phy(1), register(*address), *value).unwrap();
            // A write to another PHY.
            master.write(phy(3), register(*address), !*value).unwrap();
            prop_assert_eq!(master.read(phy(1), register(*address)), Ok(*value));
            prop_assert_eq!(bus.borrow().registers[usize::from(*address)], *value);
        }
    }
}
