//! The chip's state, and how everything outside gets at it.

use core::cell::RefCell;
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use super::instruction::Spi;
use super::phy::Phy;
use super::power::Power;
use super::ram::{Fifo, Ram};
use super::registers::{
    ECON1, EIE, EIR, EPKTCNT, EREVID, ERXND, ERXST, ESTAT, MACON3, Reg, Registers, econ1, eir, estat,
};
use super::rx::Receiver;
use super::tx::Transmitter;
use super::{BusCounters, ChipConfig, MisoFault, ModelStats, TxFate, Violation, ViolationKind};
use ethdev_sim::model::Line;
use ethdev_sim::model::keep;
use ethdev_sim::random::Rng;
use ethdev_sim::{Clock, Port};

/// The chip and its INT line.
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) core: RefCell<Model>,
    pub(super) line: Line,
}

/// The random streams, one for each kind of accident, so that one switch does not reshuffle the others.
pub(super) struct FaultRngs {
    pub(super) memory: Rng,
    pub(super) bus: Rng,
    pub(super) edge: Rng,
    pub(super) mac: Rng,
    pub(super) rx_pointer: Rng,
    pub(super) packet_flag: Rng,
    pub(super) loopback: Rng,
    pub(super) tx: Rng,
    pub(super) rx: Rng,
    pub(super) strap: Rng,
}

impl FaultRngs {
    fn new(seed: u64) -> Self {
        let mut next = Rng::streams(seed, 0xe28_0001);
        Self {
            memory: next(),
            bus: next(),
            edge: next(),
            mac: next(),
            rx_pointer: next(),
            packet_flag: next(),
            loopback: next(),
            tx: next(),
            rx: next(),
            strap: next(),
        }
    }
}

/// The chip.
pub(super) struct Model {
    pub(super) me: Weak<Shared>,
    pub(super) clock: Clock,
    pub(super) port: Port,
    pub(super) config: ChipConfig,
    pub(super) rng: FaultRngs,
    pub(super) registers: Registers,
    pub(super) ram: Ram,
    pub(super) spi: Spi,
    pub(super) rx: Receiver,
    pub(super) tx: Transmitter,
    pub(super) phy: Phy,
    pub(super) power: Power,
    /// Counts DMA operations, so that one that was cancelled does not end.
    pub(super) dma_turn: u64,
    /// When the latest DMA checksum ran.
    pub(super) checksum_ran: Option<(Duration, Duration)>,

    pub(super) bus: BusCounters,
    pub(super) stats: ModelStats,
    pub(super) violations: Vec<Violation>,
    /// A fault was injected and the host has not reset the chip since.
    pub(super) tainted: bool,
    pub(super) fates: VecDeque<TxFate>,
    pub(super) miso: MisoFault,
    pub(super) stuck_packet_count: Option<u8>,
    /// The byte count of the next packet's header.
    pub(super) forged_count: Option<u16>,
    pub(super) fail_in: Option<u64>,
    /// A bit flips at the byte after this many.
    pub(super) flip_in: Option<usize>,
    pub(super) deselected_at: Duration,
    pub(super) reset_at: Duration,
}

impl Shared {
    pub(super) fn new(clock: &Clock, port: Port, config: ChipConfig) -> Rc<Self> {
        if let ethdev::Link::Up(mode) = port.link() {
            assert_eq!(
                mode.speed,
                Some(ethdev::Speed::MBPS_10),
                "an ENC28J60 needs a wire of 10 Mbit/s"
            );
        }
        let shared = Rc::new_cyclic(|me: &Weak<Self>| {
            let mut rng = FaultRngs::new(config.seed);
            let mut hw = Model {
                me: me.clone(),
                clock: clock.clone(),
                port,
                registers: Registers::reset(),
                ram: Ram::random(&mut rng.memory),
                spi: Spi::default(),
                rx: Receiver::default(),
                tx: Transmitter::default(),
                phy: Phy::default(),
                power: Power::default(),
                dma_turn: 0,
                checksum_ran: None,
                config,
                rng,
                bus: BusCounters::default(),
                stats: ModelStats::default(),
                violations: Vec::new(),
                tainted: false,
                fates: VecDeque::new(),
                miso: MisoFault::Connected,
                stuck_packet_count: None,
                forged_count: None,
                fail_in: None,
                flip_in: None,
                deselected_at: Duration::ZERO,
                reset_at: Duration::ZERO,
            };
            hw.power_on_reset();
            Self {
                clock: clock.clone(),
                core: RefCell::new(hw),
                line: Line::active_low(),
            }
        });
        {
            let chip = shared.core.borrow();
            let me = chip.me.clone();
            chip.port
                .on_receive(Box::new(move |frame| Self::event(&me, |chip| chip.receive(frame))));
            let me = chip.me.clone();
            chip.port
                .on_link_change(Box::new(move |_| Self::event(&me, Model::cable_changed)));
        }
        shared
    }

    /// Does something to the chip; then the INT line follows, with nothing borrowed.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Model) -> R) -> R {
        let (result, low, noticed) = {
            let mut chip = self.core.borrow_mut();
            let result = act(&mut chip);
            let low = chip.int_is_low();
            let lost = chip.config.faults.lost_edge;
            let noticed = !low || self.line.is_active() || lost == 0.0 || !chip.rng.edge.chance(lost);
            (result, low, noticed)
        };
        self.line.set(low, noticed);
        result
    }

    /// Something happens to a chip that may be gone.
    pub(super) fn event(me: &Weak<Self>, happen: impl FnOnce(&mut Model)) {
        if let Some(chip) = me.upgrade() {
            chip.with(happen);
        }
    }
}

impl Model {
    /// Lets something happen to the chip at a later time.
    pub(super) fn later(&self, at: Duration, happen: impl FnOnce(&mut Self) + 'static) {
        let me = self.me.clone();
        self.clock.schedule_at(at, move || Shared::event(&me, happen));
    }

    /// Notes a misuse.
    pub(super) fn violation(&mut self, kind: ViolationKind, detail: impl Into<String>) {
        if self.tainted || self.stuck_packet_count.is_some() || self.config.allowed.contains(&kind) {
            return;
        }
        let (instruction, decoded) = self.spi.describe(self.registers.get(ECON1) & econ1::BSEL);
        let violation = Violation {
            at: self.clock.now(),
            instruction,
            decoded,
            kind,
            detail: detail.into(),
        };
        keep(&mut self.violations, violation);
    }

    /// A fault was injected: the host cannot know what state the chip is in until it resets it.
    pub(super) fn taint(&mut self) {
        self.tainted = true;
    }

    /// The interrupts that are pending, true ones.
    pub(super) fn interrupts(&self) -> u8 {
        let mut flags = self.registers.get(EIR) & !(eir::PKTIF | eir::LINKIF);
        if self.registers.get(EPKTCNT) != 0 {
            flags |= eir::PKTIF;
        }
        if self.phy.link_interrupt() {
            flags |= eir::LINKIF;
        }
        flags
    }

    fn int_is_low(&self) -> bool {
        let enabled = self.registers.get(EIE);
        enabled & eir::INTIE != 0 && self.interrupts() & enabled != 0 && self.miso == MisoFault::Connected
    }

    /// What a host reads from a control register.
    pub(super) fn value(&self, bank: usize, addr: usize) -> u8 {
        let stored = self.registers.at(bank, addr);
        match (Reg {
            bank: if addr >= super::registers::COMMON { 0 } else { bank },
            addr,
        }) {
            EIR => self.interrupts(),
            ESTAT => {
                let flag = |bit: u8, set: bool| if set { bit } else { 0 };
                stored & !(estat::INT | estat::RXBUSY)
                    | flag(
                        estat::INT,
                        self.registers.get(EIE) & self.interrupts() & !eir::INTIE != 0,
                    )
                    | flag(estat::RXBUSY, self.is_receiving())
            }
            EPKTCNT => self.stuck_packet_count.unwrap_or(stored),
            EREVID => self.config.revision.id(),
            super::registers::MISTAT => self.phy.status(),
            super::registers::EFLOCON => stored & !0x04 | if self.is_full_duplex() { 0x04 } else { 0 },
            _ => stored,
        }
    }

    pub(super) fn peek(&self, bank: u8, address: u8) -> u8 {
        self.value(usize::from(bank % 4), usize::from(address % 32))
    }

    pub(super) fn fifo(&self) -> Fifo {
        Fifo {
            start: self.registers.word(ERXST),
            end: self.registers.word(ERXND),
        }
    }

    /// What the MAC was told.
    pub(super) fn is_full_duplex(&self) -> bool {
        self.registers.has(MACON3, 0x01)
    }

    pub(super) fn is_receive_enabled(&self) -> bool {
        self.registers.has(ECON1, econ1::RXEN)
    }

    pub(super) fn is_transmitting(&self) -> bool {
        self.registers.has(ECON1, econ1::TXRTS)
    }
}
