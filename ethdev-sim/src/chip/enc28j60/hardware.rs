//! The chip's state, and how everything outside gets at it.

use core::cell::RefCell;
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use super::int_line::Line;
use super::{BusCounters, ChipConfig, Miso, SpiFault, Truth, TxFate, Violation, ViolationKind};
use crate::{Clock, Port};

/// The chip and its INT line.
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) core: RefCell<Hw>,
    pub(super) line: Line,
}

/// The chip.
pub(super) struct Hw {
    clock: Clock,
    _me: Weak<Shared>,
    _port: Port,
    pub(super) config: ChipConfig,
    pub(super) bus: BusCounters,
    pub(super) truth: Truth,
    pub(super) violations: Vec<Violation>,
    pub(super) fates: VecDeque<TxFate>,
    pub(super) miso: Miso,
    pub(super) stuck_packet_count: Option<u8>,
    pub(super) fail_in: Option<u64>,
    pub(super) deselected_at: Duration,
    pub(super) reset_at: Duration,
    pub(super) ram: Ram,
    selected: bool,
}

pub(super) struct Ram;

impl Ram {
    pub(super) fn peek(&self, _: u16) -> u8 {
        0
    }
}

impl Shared {
    pub(super) fn new(clock: &Clock, port: Port, config: ChipConfig) -> Rc<Self> {
        Rc::new_cyclic(|me| Self {
            clock: clock.clone(),
            core: RefCell::new(Hw {
                clock: clock.clone(),
                _me: me.clone(),
                _port: port,
                config,
                bus: BusCounters::default(),
                truth: Truth::default(),
                violations: Vec::new(),
                fates: VecDeque::new(),
                miso: Miso::Connected,
                stuck_packet_count: None,
                fail_in: None,
                deselected_at: Duration::ZERO,
                reset_at: Duration::ZERO,
                ram: Ram,
                selected: false,
            }),
            line: Line::default(),
        })
    }

    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Hw) -> R) -> R {
        let result = act(&mut self.core.borrow_mut());
        self.line.set(false, true);
        result
    }
}

impl Hw {
    pub(super) fn taint(&mut self) {}
    pub(super) fn power_on_reset(&mut self) {}
    pub(super) fn system_reset(&mut self) {}
    pub(super) fn drive_reset(&mut self, _low: bool) {}
    pub(super) fn peek(&self, _bank: u8, _address: u8) -> u8 {
        0
    }
    pub(super) fn peek_phy(&self, _address: u8) -> u16 {
        0
    }
    pub(super) fn is_selected(&self) -> bool {
        self.selected
    }
    pub(super) fn is_streaming(&self) -> bool {
        false
    }
    pub(super) fn select(&mut self) {
        self.selected = true;
    }
    pub(super) fn deselect(&mut self) {
        self.selected = false;
        self.deselected_at = self.clock.now();
    }
    pub(super) fn reentered(&mut self) {
        let _ = ViolationKind::BusReentered;
    }
    pub(super) fn take_garbled(&mut self) -> Option<u8> {
        None
    }
    pub(super) fn byte_time(&self) -> Duration {
        Duration::from_nanos(8_000_000_000_u64.div_ceil(self.config.sck_hz.into()))
    }
    pub(super) fn clock_byte(&mut self, _mosi: u8) -> Result<u8, SpiFault> {
        self.bus.bytes += 1;
        Ok(0)
    }
}
