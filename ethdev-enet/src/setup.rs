//! Setting the MAC up, and starting and stopping it in the order that the reference manual asks for.

use embedded_hal::delay::DelayNs;
use ethdev::frame::{FCS_LEN, MAX_FRAME_LEN, MAX_VLAN_FRAME_LEN};
use ethdev::{Duplex, Link, LinkMode, Speed, Stats};

use super::counters::{self, RxCounters};
use super::filter::Filter;
use super::regs::{self, ecr, event, rcr, tcr};
use super::rx::RxSide;
use super::tx::TxSide;
use super::{Config, Enet, Error, Interface, Io, State, Tables};
use ethdev_phy::dma::{BUFFER_LEN, Ring};
use ethdev_phy::dma::{Dma, NonCacheable, RingStorage};
use ethdev_phy::mmio::Registers;

/// How long the reset of the MAC may take, in microseconds. It takes eight cycles of the module's clock (description of `ECR[RESET]`).
const RESET_US: u32 = 100;
/// How long the frame that is going out may take, in microseconds: 1522 bytes with preamble at 10 Mbit/s are 1224. One that collides over and over is cut off.
const LAST_FRAME_US: u32 = 1300;
/// How long the uDMA takes to empty the receive FIFO into a ring with room, in microseconds: at most 8 KiB, at no less than 400 MB/s.
const EMPTY_FIFO_US: u32 = 20;
/// How often a register is looked at, in microseconds.
const LOOK_US: u32 = 10;

impl<R: Registers, D: DelayNs> Enet<R, D> {
    /// Resets the MAC, sets it up and starts it, with its link down: [`set_link`](ethdev_phy::Mac::set_link) or a PHY in front of it
    /// ([`EthernetPort`](ethdev_phy::EthernetPort)) brings it up.
    ///
    /// The module's clocks are on, and its pins are multiplexed. `memory` is a `&'static mut` to [`Rings`](super::Rings), or what
    /// [`RingStorage::from_parts`] makes.
    ///
    /// # Errors
    ///
    /// `InvalidAddress`, `Unreachable`, or the MAC does not come out of its reset.
    pub fn new<M: Into<RingStorage>>(registers: R, memory: M, delay: D, config: Config) -> Result<Self, Error> {
        Self::with_dma(registers, memory, delay, NonCacheable, config)
    }
}

impl<R: Registers, D: DelayNs, C: Dma> Enet<R, D, C> {
    /// As [`new`](Enet::new), with memory that is cached, or that the uDMA sees at other addresses than the processor.
    ///
    /// # Errors
    ///
    /// As [`new`](Enet::new).
    pub fn with_dma<M: Into<RingStorage>>(
        registers: R,
        memory: M,
        delay: D,
        dma: C,
        config: Config,
    ) -> Result<Self, Error> {
        if !config.mac_address.is_unicast() {
            return Err(Error::InvalidAddress);
        }
        let memory = memory.into();
        let (rx, rx_table) = Ring::new(memory.rx, &dma).map_err(|_| Error::Unreachable)?;
        let (tx, tx_table) = Ring::new(memory.tx, &dma).map_err(|_| Error::Unreachable)?;
        let max = if config.vlan { MAX_VLAN_FRAME_LEN } else { MAX_FRAME_LEN };
        let mut enet = Self {
            io: Io { registers, dma },
            delay,
            rx: RxSide::new(rx, max),
            tx: TxSide::new(tx, max),
            tables: Tables {
                rx: rx_table,
                tx: tx_table,
            },
            config,
            filter: Filter::new(ethdev::RxFilter::DEFAULT).0,
            state: State::Stopped,
            link: Link::Down,
            mode: LinkMode::UNKNOWN,
            link_told: Link::Down,
            counters: RxCounters::default(),
            stats: Stats::ZERO,
            lost_told: 0,
        };
        enet.reset()?;
        enet.begin();
        Ok(enet)
    }

    /// Stops the MAC and gives everything back.
    pub fn release(mut self) -> (R, RingStorage, D, C) {
        self.io.registers.write(regs::EIMR, 0);
        self.halt();
        let memory = RingStorage {
            rx: self.rx.ring.into_memory(),
            tx: self.tx.ring.into_memory(),
        };
        (self.io.registers, memory, self.delay, self.io.dma)
    }

    /// The state after power-on, and every setting. The MAC stands still then, with empty rings.
    pub(super) fn reset(&mut self) -> Result<(), Error> {
        self.io.registers.write(regs::ECR, ecr::RESET);
        let registers = &self.io.registers;
        if !wait(&mut self.delay, RESET_US, || {
            registers.read(regs::ECR) & ecr::RESET == 0
        }) {
            return Err(Error::ResetTimeout);
        }
        let registers = &self.io.registers;
        registers.write(regs::EIMR, 0);
        registers.write(regs::EIR, u32::MAX);
        registers.write(regs::MSCR, self.config.mscr());
        counters::clear(registers);
        self.counters.forget(registers);
        self.tx.counters.forget(registers);
        registers.write(regs::OPD, regs::OPD_PAUSE);
        // A frame that is as long as a buffer is cut off: it never takes two.
        registers.write(regs::FTRL, BUFFER_LEN as u32);
        registers.write(regs::MRBR, BUFFER_LEN as u32);
        registers.write(regs::TFWR, regs::TFWR_STRFWD);
        registers.write(regs::RACC, 0);
        registers.write(regs::TACC, 0);
        registers.write(regs::RDSR, self.tables.rx);
        registers.write(regs::TDSR, self.tables.tx);
        // No unicast address but the own one.
        registers.write(regs::IAUR, 0);
        registers.write(regs::IALR, 0);
        self.write_address();
        self.write_mode();
        self.rx.reset(&self.io.dma);
        self.tx.reset(&self.io.registers);
        Ok(())
    }

    pub(super) fn write_address(&self) {
        let [a, b, c, d, e, f] = self.config.mac_address.octets();
        self.io.registers.write(regs::PALR, u32::from_be_bytes([a, b, c, d]));
        self.io.registers.write(regs::PAUR, u32::from_be_bytes([e, f, 0, 0]));
    }

    /// What a mode asks of the receive and transmit control registers, and of the PAUSE threshold.
    pub(super) fn settings(&self, mode: LinkMode) -> (u32, u32, u32) {
        let half = mode.duplex == Some(Duplex::Half);
        let max = self.tx.max() + FCS_LEN;
        let mut receive = (max as u32) << rcr::MAX_FL | rcr::MII_MODE;
        if self.config.interface == Interface::Rmii {
            receive |= rcr::RMII_MODE;
            if mode.speed == Some(Speed::MBPS_10) {
                receive |= rcr::RMII_10T;
            }
        }
        if half {
            receive |= rcr::DRT;
        }
        if mode.pause.rx {
            receive |= rcr::FCE;
        }
        let transmit = if half { 0 } else { tcr::FDEN };
        (receive, transmit, if mode.pause.tx { regs::RSEM_PAUSE } else { 0 })
    }

    /// What the link's mode asks for. The MAC stands still.
    pub(super) fn write_mode(&mut self) {
        let (_, transmit, pause) = self.settings(self.mode);
        self.tx.set_half_duplex(transmit & tcr::FDEN == 0);
        self.io.registers.write(regs::RSEM, pause);
        self.io.registers.write(regs::TCR, transmit);
        self.write_filter();
    }

    /// The filter. The MAC may be working.
    pub(super) fn write_filter(&self) {
        let (receive, _, _) = self.settings(self.mode);
        self.io.registers.write(regs::GAUR, (self.filter.groups >> 32) as u32);
        self.io.registers.write(regs::GALR, self.filter.groups as u32);
        self.io.registers.write(regs::RCR, receive | self.filter.control);
    }

    /// Lets the MAC work, from the first descriptors on.
    pub(super) fn begin(&mut self) {
        self.set_state(State::Running);
        // The rings were written, and the uDMA reads them next.
        self.io.dma.barrier_before_doorbell();
        self.io.registers.write(regs::ECR, ecr::ETHEREN | ecr::DBSWP);
        self.io.registers.write(regs::RDAR, regs::ACTIVE);
    }

    /// Stops the MAC after the frame that is going out. The frame that is coming in is lost.
    pub(super) fn halt(&mut self) {
        let (_, transmit, _) = self.settings(self.mode);
        self.io.registers.write(regs::EIR, event::GRA);
        self.io.registers.write(regs::TCR, transmit | tcr::GTS);
        let registers = &self.io.registers;
        // Whether it ends or not: what has not gone out by then is counted as lost.
        let _ = wait(&mut self.delay, LAST_FRAME_US, || {
            registers.read(regs::EIR) & event::GRA != 0
        });
        self.io.registers.write(regs::ECR, ecr::DBSWP);
        self.io.registers.write(regs::TCR, transmit);
        self.io.registers.write(regs::EIR, event::GRA);
        // What the uDMA wrote last is seen from here on.
        self.io.dma.barrier();
    }

    /// Brings frames that wait in the FIFO into the ring, and throws them away with those that wait there.
    pub(super) fn flush_rx(&mut self) {
        let starved = self.io.registers.read(regs::RDAR) == 0;
        self.rx.flush(&self.io);
        if starved {
            self.delay.delay_us(EMPTY_FIFO_US);
            self.rx.flush(&self.io);
        }
    }
}

/// Looks whether it is `done` until that or the time has passed; whether it is.
fn wait<D: DelayNs>(delay: &mut D, us: u32, mut done: impl FnMut() -> bool) -> bool {
    for _ in 0..us / LOOK_US {
        if done() {
            return true;
        }
        delay.delay_us(LOOK_US);
    }
    done()
}
