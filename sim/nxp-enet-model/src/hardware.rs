//! The chip behind its registers.

use core::cell::RefCell;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::rc::{Rc, Weak};

use ethdev::{Duplex, Speed};

use super::map::{ACTIVE, REGISTERS, at, ecr, eir, mib, rcr, tcr};
use super::rx::RxFifo;
use super::tx::{Sender, TxFate};
use super::{BusMemory, ChipConfig, ModelStats, Violation, ViolationKind};
use ethdev_sim::model::Hook;
use ethdev_sim::model::keep;
use ethdev_sim::{Clock, MediaSide, SimDelay};

/// A management frame, for whoever is on MDIO. `Some` of 16 bits to be written, `None` for a read.
pub(super) struct Management {
    pub(super) phy: u8,
    pub(super) register: u8,
    pub(super) write: Option<u16>,
}

type MdioBus = Box<dyn Fn(&Management) -> Option<u16>>;

/// The chip, and what is called without it being borrowed.
pub(super) struct Shared {
    pub(super) core: RefCell<Model>,
    pub(super) clock: Clock,
    /// Called at each rising edge of the interrupt line.
    pub(super) interrupt: Hook<()>,
    /// Called before each access of the host to a register.
    pub(super) access: Hook<()>,
    pub(super) mdio: RefCell<Option<MdioBus>>,
}

/// The chip itself.
pub(super) struct Model {
    pub(super) me: Weak<Shared>,
    pub(super) clock: Clock,
    pub(super) media: Box<dyn MediaSide>,
    pub(super) memory: Box<dyn BusMemory>,
    pub(super) config: ChipConfig,
    pub(super) registers: BTreeMap<usize, u32>,
    pub(super) statistics: BTreeMap<usize, u32>,
    /// When the reset that goes on is over.
    pub(super) reset_until: Duration,
    /// The reset goes on for ever.
    pub(super) reset_hangs: bool,
    /// Counts resets and disablings: what was begun before is void.
    pub(super) era: u64,
    line: bool,
    /// Counts management frames; the latest is the one that counts.
    pub(super) management: u64,
    pub(super) management_busy: bool,
    pub(super) rx_at: u32,
    pub(super) tx_at: u32,
    pub(super) rx_fifo: RxFifo,
    pub(super) forged_len: Option<u16>,
    pub(super) sender: Sender,
    pub(super) tx_stalled: bool,
    pub(super) paused_until: Duration,
    pub(super) fates: VecDeque<TxFate>,
    /// How many writes to TDAR get lost (ERR006358).
    pub(super) doorbells_to_lose: u32,
    pub(super) stats: ModelStats,
    pub(super) violations: Vec<Violation>,
}

impl Shared {
    pub(super) fn new(media: Box<dyn MediaSide>, memory: Box<dyn BusMemory>, config: ChipConfig) -> Rc<Self> {
        let clock = media.clock();
        let shared = Rc::new_cyclic(|me: &Weak<Self>| Self {
            core: RefCell::new(Model::new(me.clone(), clock.clone(), media, memory, config)),
            clock,
            interrupt: Hook::default(),
            access: Hook::default(),
            mdio: RefCell::new(None),
        });
        let me = Rc::downgrade(&shared);
        shared.core.borrow().media.on_receive(Box::new(move |frame| {
            if let Some(shared) = me.upgrade() {
                shared.with(|chip| chip.receive(frame));
            }
        }));
        shared
    }

    /// Something happens to the chip; then the interrupt line does what follows from it.
    pub(super) fn with<T>(&self, happen: impl FnOnce(&mut Model) -> T) -> T {
        let (result, rose) = {
            let mut chip = self.core.borrow_mut();
            let result = happen(&mut chip);
            let level = chip.level();
            let was = core::mem::replace(&mut chip.line, level);
            (result, level && !was)
        };
        if rose {
            self.interrupt.call(());
        }
        result
    }

    pub(super) fn delay(&self) -> SimDelay {
        SimDelay::new(&self.clock)
    }

    pub(super) fn read(&self, offset: usize) -> u32 {
        self.access.call(());
        self.with(|chip| chip.read(offset))
    }

    pub(super) fn write(&self, offset: usize, value: u32) {
        self.access.call(());
        self.with(|chip| chip.write(offset, value));
    }

    /// The end of a management frame.
    fn management_ends(&self, number: u64, frame: &Management) {
        let answer = self.mdio.borrow().as_ref().map_or(Some(0xffff), |bus| bus(frame));
        self.with(|chip| {
            if chip.management != number {
                return;
            }
            let Some(answer) = answer else { return };
            if frame.write.is_none() {
                let register = chip.registers.entry(at::MMFR).or_default();
                *register = (*register & !0xffff) | u32::from(answer);
            }
            chip.management_busy = false;
            chip.raise(eir::MII);
        });
    }
}

impl Model {
    fn new(
        me: Weak<Shared>,
        clock: Clock,
        media: Box<dyn MediaSide>,
        memory: Box<dyn BusMemory>,
        config: ChipConfig,
    ) -> Self {
        let mut chip = Self {
            me,
            clock,
            media,
            memory,
            config,
            registers: BTreeMap::new(),
            statistics: BTreeMap::new(),
            reset_until: Duration::ZERO,
            reset_hangs: false,
            era: 0,
            line: false,
            management: 0,
            management_busy: false,
            rx_at: 0,
            tx_at: 0,
            rx_fifo: RxFifo::default(),
            forged_len: None,
            sender: Sender::Idle,
            tx_stalled: false,
            paused_until: Duration::ZERO,
            fates: VecDeque::new(),
            doorbells_to_lose: 0,
            stats: ModelStats::default(),
            violations: Vec::new(),
        };
        chip.power_on();
        chip
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Runs `event` after `delay`, unless the chip is reset or disabled before.
    pub(super) fn after(&self, delay: Duration, event: impl FnOnce(&mut Self) + 'static) {
        let (me, era) = (self.me.clone(), self.era);
        self.clock.schedule_in(delay, move || {
            if let Some(shared) = me.upgrade() {
                shared.with(|chip| {
                    if chip.era == era {
                        event(chip);
                    }
                });
            }
        });
    }

    pub(super) fn violation(&mut self, kind: ViolationKind, detail: String) {
        if !self.config.allowed.contains(&kind) {
            keep(&mut self.violations, Violation::new(self.clock.now(), kind, detail));
        }
    }

    pub(super) fn get(&self, offset: usize) -> u32 {
        self.registers.get(&offset).copied().unwrap_or(0)
    }

    pub(super) fn set(&mut self, offset: usize, value: u32) {
        self.registers.insert(offset, value);
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.get(at::ECR) & ecr::ETHEREN != 0
    }

    pub(super) fn is_little_endian(&self) -> bool {
        self.get(at::ECR) & ecr::DBSWP != 0
    }

    pub(super) fn max_frame_len(&self) -> usize {
        ((self.get(at::RCR) & rcr::MAX_FL) >> 16) as usize
    }

    fn level(&self) -> bool {
        self.get(at::EIR) & self.get(at::EIMR) != 0
    }

    pub(super) fn raise(&mut self, events: u32) {
        *self.registers.entry(at::EIR).or_default() |= events;
    }

    pub(super) fn count(&mut self, statistic: usize) {
        self.count_by(statistic, 1);
    }

    pub(super) fn count_by(&mut self, statistic: usize, by: u32) {
        // Bit 31: the counters stand still.
        if self.get(at::MIBC) & 0x8000_0000 != 0 {
            return;
        }
        let counter = self.statistics.entry(statistic).or_default();
        *counter = counter.wrapping_add(by);
        if !mib::WIDE.contains(&statistic) {
            *counter &= 0xffff;
        }
    }

    /// As after power-on.
    pub(super) fn power_on(&mut self) {
        self.stand_still();
        self.registers = REGISTERS.iter().map(|r| (r.at, r.reset)).collect();
        self.management += 1;
        self.management_busy = false;
        self.paused_until = Duration::ZERO;
    }

    /// ECR\[ETHEREN\] is cleared: uDMA, FIFOs and the frame that is going out are gone.
    pub(super) fn stand_still(&mut self) {
        self.era += 1;
        if self.sender != Sender::Idle {
            self.media.break_off();
            self.sender = Sender::Idle;
        }
        self.stats.rx_fifo_lost += self.rx_fifo.clear();
        self.set(at::RDAR, 0);
        self.set(at::TDAR, 0);
    }

    /// The uDMA met a bus error: the MAC halts.
    pub(super) fn bus_error(&mut self) {
        self.raise(eir::EBERR);
        self.stand_still();
        let control = self.get(at::ECR) & !ecr::ETHEREN;
        self.set(at::ECR, control);
    }

    fn read(&mut self, offset: usize) -> u32 {
        if offset % 4 == 0 && mib::ALL.contains(&offset) {
            return self.statistics.get(&offset).copied().unwrap_or(0);
        }
        if !self.registers.contains_key(&offset) {
            self.violation(ViolationKind::NoRegister, format!("{offset:#x} was read"));
            return 0;
        }
        let value = self.get(offset);
        match offset {
            at::ECR if self.reset_hangs || self.now() < self.reset_until => value | ecr::RESET,
            // Idle.
            at::MIBC => (value & 0xa000_0000) | 0x4000_0000,
            _ => value,
        }
    }

    fn write(&mut self, offset: usize, value: u32) {
        let Some(register) = REGISTERS.iter().find(|r| r.at == offset) else {
            self.violation(
                ViolationKind::NoRegister,
                format!("{value:#x} was written to {offset:#x}"),
            );
            return;
        };
        if self.reset_hangs || self.now() < self.reset_until {
            self.violation(
                ViolationKind::BadSettings,
                format!("{value:#x} was written to {offset:#x} during a reset"),
            );
            return;
        }
        match offset {
            at::EIR => {
                let events = self.get(at::EIR) & !value;
                self.set(at::EIR, events);
            }
            at::RDAR => self.ring_rx(),
            at::TDAR => self.ring_tx(),
            at::ECR => self.write_control(value),
            at::MMFR => self.begin_management(value),
            at::MIBC => {
                self.set(at::MIBC, value & register.keeps);
                if value & 0x2000_0000 != 0 {
                    self.statistics.clear();
                }
            }
            _ => self.write_plain(offset, register.keeps, value),
        }
    }

    fn write_plain(&mut self, offset: usize, keeps: u32, value: u32) {
        let before = self.get(offset);
        let after = (value & keeps) | (before & !keeps);
        if value & !keeps & !before != 0 {
            self.violation(
                ViolationKind::ReservedBits,
                format!("{value:#x} was written to {offset:#x}, which keeps {keeps:#x}"),
            );
        }
        let frozen = match offset {
            at::RCR => rcr::FROZEN,
            at::TCR => tcr::FDEN,
            at::RDSR | at::TDSR | at::MRBR | at::FTRL => u32::MAX,
            _ => 0,
        };
        if self.is_enabled() && (before ^ after) & frozen != 0 {
            self.violation(
                ViolationKind::ChangedWhileEnabled,
                format!("{offset:#x} went from {before:#x} to {after:#x}"),
            );
        }
        self.set(offset, after);
        if offset == at::TCR {
            self.control_sender(before, after);
        }
    }

    fn write_control(&mut self, value: u32) {
        if value & ecr::RESET != 0 {
            self.power_on();
            let cycle = Duration::from_secs(1) / self.config.module_clock_hz.max(1);
            self.reset_until = self.now() + 8 * cycle;
            return;
        }
        let was = self.is_enabled();
        let kept = self.get(at::ECR) & 0xf000_0000;
        self.set(at::ECR, (value & 0x176) | kept);
        match (was, self.is_enabled()) {
            (false, true) => self.enable(),
            (true, false) => self.stand_still(),
            _ => {}
        }
    }

    fn enable(&mut self) {
        let (control, receive) = (self.get(at::ECR), self.get(at::RCR));
        let (max, cut, buffer) = (self.max_frame_len(), self.get(at::FTRL), self.get(at::MRBR));
        let mut wrong = Vec::new();
        if receive & rcr::MII_MODE == 0 {
            wrong.push("RCR[MII_MODE] is not set");
        }
        if control & ecr::EN1588 != 0 {
            wrong.push("enhanced descriptors are not modelled");
        }
        if control & ecr::DBSWP == 0 {
            wrong.push("a little-endian host, and big-endian descriptors");
        }
        if (cut as usize) < max {
            wrong.push("FTRL is less than RCR[MAX_FL]");
        }
        if buffer == 0 || receive & rcr::LOOP != 0 {
            wrong.push("MRBR is 0, or RCR[LOOP] is set");
        }
        for what in wrong {
            self.violation(ViolationKind::BadSettings, what.into());
        }
        for (name, value) in [
            ("RDSR", self.get(at::RDSR)),
            ("TDSR", self.get(at::TDSR)),
            ("MRBR", buffer),
        ] {
            if value % 64 != 0 {
                self.violation(ViolationKind::Misaligned, format!("{name} is {value:#x}"));
            }
        }
        if receive & rcr::PADEN != 0 {
            self.violation(ViolationKind::PadRemoval, format!("RCR is {receive:#x}"));
        }
        (self.rx_at, self.tx_at) = (self.get(at::RDSR), self.get(at::TDSR));
        let speed = if receive & rcr::RMII_10T != 0 {
            Speed::MBPS_10
        } else {
            Speed::MBPS_100
        };
        let full = self.get(at::TCR) & tcr::FDEN != 0;
        let duplex = if full { Duplex::Full } else { Duplex::Half };
        self.media.set_mac_mode(speed, duplex);
    }

    fn begin_management(&mut self, value: u32) {
        if self.management_busy {
            self.violation(ViolationKind::MiiBusy, format!("MMFR was written with {value:#x}"));
        }
        self.set(at::MMFR, value);
        let divider = self.get(at::MSCR) >> 1 & 0x3f;
        if divider == 0 {
            // MDC stands still.
            return;
        }
        let mdc = self.config.module_clock_hz / (2 * (divider + 1));
        if mdc > 2_500_000 {
            self.violation(ViolationKind::MdcTooFast, format!("MDC runs at {mdc} Hz"));
        }
        let write = match value >> 28 {
            0b0110 => None,
            0b0101 => Some(value as u16),
            _ => {
                self.violation(ViolationKind::BadSettings, format!("MMFR was written with {value:#x}"));
                return;
            }
        };
        let frame = Management {
            phy: (value >> 23 & 0x1f) as u8,
            register: (value >> 18 & 0x1f) as u8,
            write,
        };
        self.management += 1;
        self.management_busy = true;
        let (me, number) = (self.me.clone(), self.management);
        let time = Duration::from_nanos(64 * 1_000_000_000 / u64::from(mdc.max(1)));
        self.clock.schedule_in(time, move || {
            if let Some(shared) = me.upgrade() {
                shared.management_ends(number, &frame);
            }
        });
    }

    pub(super) const fn active(yes: bool) -> u32 {
        if yes { ACTIVE } else { 0 }
    }
}
