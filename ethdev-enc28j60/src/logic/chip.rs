//! The chip's state as the driver knows it, and how it is brought up, watched, and brought up
//! again.

use super::{Bus, bisync};
use ethdev::{Capabilities, Counted, Coverage, ErrorKind, Events, FilterOutcome, LossReason, MacAddress, RxFilter};

use super::rx::Rx;
use super::spi::Spi;
use super::tx::Tx;
use crate::config::{Config, Settings};
use crate::errata::Revision;
use crate::error::{Error, WaitFor};
use crate::regs::{self, Mac, econ1, econ2, eie, eir, erxfcon, estat, macon1, macon3, macon4, txcontrol};
use crate::ring::{FCS, HEADER, RX_END, RX_FRAMES, RX_START, TX_SLOTS};
use crate::stats::{Counters, count};
use crate::trace::warning;

pub(crate) type Result<T, B> = core::result::Result<T, Error<<B as Bus>::SpiError>>;

/// How often a running receiver is looked at until the frame that was arriving is over,
/// [`RX_IDLE_LOOK_US`] apart: the longest takes 1.24 ms.
const RX_IDLE_LOOKS: usize = 20;
const RX_IDLE_LOOK_US: u32 = 100;
/// At every N-th thorough check, registers that nothing changes are compared with what was written.
const DEEP_CHECK: u8 = 32;
/// Every N-th check of a host with an interrupt line is thorough.
const THOROUGH_CHECK: u8 = 8;
/// After so many looks at the same frame on its way, `service` waits a little, so that time passes
/// by a clock that the driver knows: [`LOOK_US`], and as much longer each time, up to
/// [`LOOK_US_MAX`].
const PATIENT_LOOKS: u8 = 8;
const LOOK_US: u32 = 100;
const LOOK_US_MAX: u32 = 1000;

/// What the chip reports of lost frames. It drops frames with a wrong FCS, giants and filtered
/// frames silently. RXERIF reports an overrun, not how many frames it cost; a reset of the chip
/// clears EPKTCNT.
const COVERAGE: Coverage = Coverage::EXACT
    .with(LossReason::RxOverrun, Counted::AtLeastOne)
    .with(LossReason::RxBadFcs, Counted::NotReported)
    .with(LossReason::RxBadLength, Counted::NotReported)
    .with(LossReason::RxFiltered, Counted::NotReported)
    .with(LossReason::RxReset, Counted::AtLeastOne);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Running,
    Stopped,
    /// In power save; what it was before.
    Asleep {
        running: bool,
    },
    /// It could not be brought up.
    Fault,
}

/// How closely the chip is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Whether it is alive, what happened, and now and then whether it is set as it should be.
    Thorough,
    /// What happened: its interrupt line says that something did. Whether it is alive, now and
    /// then.
    Told,
    /// Nothing, mostly: its interrupt line would say if something had happened.
    Seldom,
}

/// The chip logic, written once. The blocking and the async driver are thin shells around it.
#[derive(Debug)]
pub(crate) struct Chip<B> {
    pub(crate) spi: Spi<B>,
    pub(crate) settings: Settings,
    pub(crate) revision: Revision,
    pub(crate) rx: Rx,
    pub(crate) tx: Tx,
    pub(crate) counters: Counters,
    hash: [u8; 8],
    filter: u8,
    pub(crate) mode: Mode,
    pub(crate) link_up: bool,
    /// `link_up` as of the end of the last `service`.
    link_reported: bool,
    /// The chip told of a change and may have forgotten it, and what changed was not read: a look
    /// at it failed or was dropped.
    pub(crate) link_in_doubt: bool,
    /// EIE as it was written; `None` where that is not known.
    pub(crate) enabled: Option<u8>,
    services: u8,
    recovered: bool,
    /// A received frame was lost since that was told last.
    pub(crate) rx_dropped: bool,
}

#[bisync]
impl<B: Bus> Chip<B> {
    /// The chip as it will be: nothing is sent.
    pub(crate) const fn new(bus: B, config: &Config) -> Self {
        Self {
            spi: Spi::new(bus),
            settings: Settings::new(config),
            revision: Revision::B7,
            rx: Rx::new(),
            tx: Tx::new(),
            counters: Counters::ZERO,
            hash: [0; 8],
            filter: erxfcon::UCEN | erxfcon::CRCEN | erxfcon::BCEN,
            mode: Mode::Stopped,
            link_up: false,
            link_reported: false,
            link_in_doubt: false,
            enabled: None,
            services: 0,
            recovered: false,
            rx_dropped: false,
        }
    }

    pub(crate) const fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET
            .with_max_frame_len(self.settings.max_frame_len())
            .with_queue_frames(Some(RX_FRAMES), Some(TX_SLOTS.len() as u16))
            .with_coverage(COVERAGE)
    }

    /// Longest frame with FCS.
    pub(crate) const fn max_count(&self) -> u16 {
        self.settings.max_frame_len().bytes() as u16 + FCS
    }

    /// Whether to go on: `Ok(false)` where nothing is received because nothing runs.
    pub(crate) fn is_running(&self) -> Result<bool, B> {
        match self.mode {
            Mode::Running => Ok(true),
            Mode::Stopped | Mode::Asleep { .. } => Ok(false),
            Mode::Fault => Err(ErrorKind::Fault.into()),
        }
    }

    // Bringing up.

    /// What the MAC is set to, in any order (section 6.5).
    fn mac_settings(&self) -> [(Mac, u8); 15] {
        let full = self.settings.is_full_duplex();
        let by_duplex = |half, in_full| if full { in_full } else { half };
        let [a, b, c, d, e, f] = self.settings.mac_address.octets();
        let [a_reg, b_reg, c_reg, d_reg, e_reg, f_reg] = regs::MAADR;
        let [max_low, max_high] = self.max_count().to_le_bytes();
        let macon3 = macon3::PAD_60 | macon3::TXCRCEN | macon3::FRMLNEN;
        [
            (
                regs::MACON1,
                by_duplex(macon1::MARXEN, macon1::MARXEN | macon1::RXPAUS | macon1::TXPAUS),
            ),
            (regs::MACON3, by_duplex(macon3, macon3 | macon3::FULDPX)),
            (regs::MACON4, by_duplex(macon4::DEFER, 0)),
            // 9.6 µs between frames (register 6-4).
            (regs::MABBIPG, by_duplex(0x12, 0x15)),
            (regs::MAIPGL, 0x12),
            (regs::MAIPGH, 0x0c),
            // The collision window as long as it can be: fewer collisions count as late (erratum
            // 13).
            (regs::MACLCON2, 63),
            (regs::MAMXFLL, max_low),
            (regs::MAMXFLH, max_high),
            (a_reg, a),
            (b_reg, b),
            (c_reg, c),
            (d_reg, d),
            (e_reg, e),
            (f_reg, f),
        ]
    }

    /// Resets the chip and sets up all of it but the receiver, which stays off.
    pub(crate) async fn bring_up(&mut self) -> Result<(), B> {
        self.rx = Rx::new();
        self.tx = Tx::new();
        self.enabled = None;
        self.reset().await?;
        let revision = self.spi.read(regs::EREVID).await?;
        self.revision = match (Revision::from_erevid(revision), revision) {
            (Some(revision), _) => revision,
            (None, 0x00 | 0xff) => return Err(Error::NotResponding { read: revision }),
            (None, _) => return Err(Error::WrongChip { revision }),
        };
        self.set_up_buffer().await?;
        self.write_filter().await?;
        for (reg, value) in self.mac_settings() {
            self.spi.write_mac(reg, value).await?;
        }
        if let Some((reg, expected, found)) = self.mac_differs().await? {
            return Err(Error::RegisterMismatch {
                register: (reg.bank, reg.address),
                expected: expected.into(),
                found: found.into(),
            });
        }
        // CLKOUT off.
        self.spi.write(regs::ECOCON, 0).await?;
        self.set_up_phy().await?;
        let stale = eir::DMAIF | eir::TXIF | eir::TXERIF | eir::RXERIF;
        self.spi.clear(regs::EIR, stale).await?;
        self.enabled = Some(0);
        Ok(())
    }

    async fn set_up_buffer(&mut self) -> Result<(), B> {
        self.spi.write_pair(regs::ERXST, RX_START).await?;
        self.spi.write_pair(regs::ERXND, RX_END).await?;
        self.set_up_read_pointer().await?;
        // What was received before the reset is not received again, whatever EPKTCNT says: no
        // header is all ones.
        self.spi.write_pair(regs::EWRPT, RX_START).await?;
        self.spi
            .write_buffer(core::iter::once(&[0xff; HEADER as usize][..]))
            .await?;
        // Once: neither the chip nor the driver overwrites it.
        for slot in TX_SLOTS {
            self.spi.write_pair(regs::EWRPT, slot).await?;
            self.spi
                .write_buffer(core::iter::once(&[txcontrol::BY_MACON3][..]))
                .await?;
        }
        Ok(())
    }

    async fn mac_differs(&mut self) -> Result<Option<(Mac, u8, u8)>, B> {
        for (reg, expected) in self.mac_settings() {
            let found = self.spi.read_mac(reg).await?;
            if found != expected {
                return Ok(Some((reg, expected, found)));
            }
        }
        Ok(None)
    }

    async fn write_filter(&mut self) -> Result<(), B> {
        if self.filter & erxfcon::HTEN != 0 {
            for (address, byte) in (regs::EHT0.address..).zip(self.hash) {
                let reg = regs::Eth {
                    bank: regs::EHT0.bank,
                    address,
                };
                self.spi.write(reg, byte).await?;
            }
        }
        self.spi.write(regs::ERXFCON, self.filter).await
    }

    /// From reset to receiving. Whatever goes wrong, the next call of `recover` or `service` begins
    /// again.
    pub(crate) async fn begin(&mut self) -> Result<(), B> {
        self.mode = Mode::Fault;
        self.bring_up().await?;
        self.look_at_link().await?;
        self.spi.set(regs::ECON1, econ1::RXEN).await?;
        self.mode = Mode::Running;
        Ok(())
    }

    /// Everything again, after what was lost by it is counted. `trusted`: what EPKTCNT says can be
    /// believed.
    async fn replay(&mut self, trusted: bool) -> Result<(), B> {
        if self.mode == Mode::Running {
            self.count_losses(trusted).await;
        }
        self.begin().await?;
        count(&mut self.counters.recoveries);
        Ok(())
    }

    /// The chip is not as it should be: the driver recovers by itself.
    pub(crate) async fn resync(&mut self, trusted: bool) -> Result<(), B> {
        warning!("ENC28J60 state lost, reinitialized");
        count(&mut self.counters.faults);
        self.replay(trusted).await?;
        self.recovered = true;
        Ok(())
    }

    /// Counts what a reset takes from the chip. If `trusted`, that is exact. If not, the chip was
    /// reset already: what was known to wait is gone, and so is what came since, and what comes
    /// until it is set up again; how many those are it cannot tell, so that one is counted at
    /// least.
    async fn count_losses(&mut self, trusted: bool) {
        let known = self.rx.pending();
        let waiting = if trusted {
            self.packets_waiting().await.map_or(known, |count| count.max(known))
        } else {
            known.max(1)
        };
        // One in doubt is among those that wait, and is counted already.
        let counted = self.rx.in_doubt();
        self.rx = Rx::new();
        self.counters.rx_reset = self
            .counters
            .rx_reset
            .wrapping_add(waiting.into())
            .wrapping_sub(counted.into());
        self.rx_dropped |= waiting > 0;
        self.counters.tx_reset = self.counters.tx_reset.wrapping_add(self.tx.forget());
    }

    // Management.

    pub(crate) async fn start(&mut self) -> Result<(), B> {
        match self.mode {
            Mode::Running => Ok(()),
            _ => self.begin().await,
        }
    }

    pub(crate) async fn stop(&mut self) -> Result<(), B> {
        match self.mode {
            Mode::Running => {
                self.go_quiet().await?;
                self.mode = Mode::Stopped;
            }
            Mode::Asleep { .. } => self.mode = Mode::Asleep { running: false },
            Mode::Stopped => {}
            Mode::Fault => self.mode = Mode::Stopped,
        }
        Ok(())
    }

    /// Ends receiving and sending. What that loses is counted.
    async fn go_quiet(&mut self) -> Result<(), B> {
        self.poll_tx().await?;
        self.spi.clear(regs::EIE, eie::INTIE).await?;
        self.enabled = None;
        self.stop_receiver().await?;
        self.reset_transmitter().await?;
        self.count_losses(true).await;
        if self.link_up {
            self.link_up = false;
            count(&mut self.counters.link_changes);
        }
        Ok(())
    }

    /// Turns the receiver off, and waits for the end of the frame that is arriving (section 14.0).
    async fn stop_receiver(&mut self) -> Result<(), B> {
        self.spi.clear(regs::ECON1, econ1::RXEN).await?;
        for _ in 0..RX_IDLE_LOOKS {
            if self.spi.look(regs::ESTAT).await? & estat::RXBUSY == 0 {
                return Ok(());
            }
            self.spi.wait_us(RX_IDLE_LOOK_US).await;
        }
        Err(Error::Timeout(WaitFor::RxIdle))
    }

    pub(crate) async fn sleep(&mut self) -> Result<(), B> {
        let running = match self.mode {
            Mode::Running => {
                self.go_quiet().await?;
                self.mode = Mode::Stopped;
                true
            }
            Mode::Stopped => false,
            Mode::Asleep { .. } => return Ok(()),
            Mode::Fault => return Err(ErrorKind::Fault.into()),
        };
        self.spi.set(regs::ECON2, econ2::VRPS).await?;
        self.spi.set(regs::ECON2, econ2::PWRSV).await?;
        self.mode = Mode::Asleep { running };
        Ok(())
    }

    pub(crate) async fn wake(&mut self) -> Result<(), B> {
        match self.mode {
            Mode::Asleep { running: true } => self.begin().await,
            Mode::Asleep { running: false } => {
                self.bring_up().await?;
                self.mode = Mode::Stopped;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn recover(&mut self) -> Result<(), B> {
        let trusted = match self.spi.look(regs::ECON1).await {
            Ok(econ1) => econ1 & (econ1::RXEN | econ1::RXRST) == econ1::RXEN,
            Err(_) => false,
        };
        self.spi.forget_bank();
        self.replay(trusted).await
    }

    pub(crate) async fn set_mac_address(&mut self, address: MacAddress) -> Result<(), B> {
        self.settings.mac_address = address;
        if !self.is_running()? {
            return Ok(());
        }
        // Changed with the receiver off (section 8).
        self.stop_receiver().await?;
        for (reg, octet) in regs::MAADR.into_iter().zip(address.octets()) {
            self.spi.write_mac(reg, octet).await?;
        }
        self.spi.set(regs::ECON1, econ1::RXEN).await
    }

    pub(crate) async fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, B> {
        let (bits, hash, outcome) = crate::filter::settings(filter);
        (self.filter, self.hash) = (bits, hash.to_le_bytes());
        if self.is_running()? {
            self.stop_receiver().await?;
            self.write_filter().await?;
            self.spi.set(regs::ECON1, econ1::RXEN).await?;
        }
        Ok(outcome)
    }

    // Watching.

    pub(crate) async fn service(&mut self) -> Result<Events, B> {
        self.attend(Look::Thorough).await?;
        let mut events = Events::NONE;
        if self.mode == Mode::Running {
            events.rx_pending = self.is_rx_pending().await?;
            events.tx_ready = self.has_room();
        }
        events.link_changed = core::mem::replace(&mut self.link_reported, self.link_up) != self.link_up;
        events.rx_dropped = core::mem::take(&mut self.rx_dropped);
        (events.tx_completed, events.tx_failed) = self.tx.take_told();
        events.recovered = core::mem::take(&mut self.recovered);
        Ok(events)
    }

    /// Looks after the chip, from whatever state.
    pub(crate) async fn attend(&mut self, look: Look) -> Result<(), B> {
        match self.mode {
            Mode::Running => self.watch(look).await,
            Mode::Fault => self.resync(false).await,
            Mode::Stopped | Mode::Asleep { .. } => Ok(()),
        }
    }

    async fn watch(&mut self, look: Look) -> Result<(), B> {
        self.services = self.services.wrapping_add(1);
        let (thorough, deep) = match look {
            Look::Thorough => (true, self.services % DEEP_CHECK == 0),
            // Who is told knows that the chip is alive.
            Look::Told | Look::Seldom => (self.services % THOROUGH_CHECK == 0, self.services == 0),
        };
        if look == Look::Seldom && !thorough {
            return Ok(());
        }
        if thorough && !self.is_alive().await? {
            // A brown-out, or a reset by another party.
            return self.resync(false).await;
        }
        let flags = self.spi.look(regs::EIR).await?;
        self.note_overrun(flags).await?;
        if flags & eir::LINKIF != 0 || self.link_in_doubt || deep {
            self.look_at_link().await?;
        }
        self.go_on_sending(flags, thorough).await?;
        let impatience = self.tx.looked_at().saturating_sub(PATIENT_LOOKS);
        // Only half duplex gets stuck (errata 12 and 13).
        if impatience > 0 && !self.settings.is_full_duplex() {
            self.spi.wait_us(LOOK_US_MAX.min(LOOK_US * u32::from(impatience))).await;
        }
        // Twice: the bus may have corrupted the value.
        if deep && self.settings_differ().await? && self.settings_differ().await? {
            return self.resync(false).await;
        }
        Ok(())
    }

    /// Whether the chip receives, and is not being reset. Takes note of a bank that is not the one
    /// it should be.
    pub(crate) async fn is_alive(&mut self) -> Result<bool, B> {
        // Twice: the bus may have corrupted the value.
        for _ in 0..2 {
            let econ1 = self.spi.look(regs::ECON1).await?;
            if econ1 & (econ1::TXRST | econ1::RXRST | econ1::RXEN) == econ1::RXEN {
                if self.spi.bank().is_some_and(|bank| bank != econ1 & econ1::BSEL) {
                    self.spi.forget_bank();
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether what nothing changes has changed.
    async fn settings_differ(&mut self) -> Result<bool, B> {
        if self.rx.free_to().is_none() {
            self.free().await?;
        }
        let start = self.spi.read_pair(regs::ERXST).await?;
        let end = self.spi.read_pair(regs::ERXND).await?;
        let free_to = self.spi.read_pair(regs::ERXRDPT).await?;
        let filter = self.spi.read(regs::ERXFCON).await?;
        let mac = self.mac_differs().await?;
        let right = (RX_START, RX_END, self.rx.free_to(), self.filter);
        Ok((start, end, Some(free_to), filter) != right || mac.is_some())
    }

    pub(crate) async fn note_overrun(&mut self, flags: u8) -> Result<(), B> {
        if flags & eir::RXERIF != 0 {
            // At least one frame; the chip does not say how many.
            count(&mut self.counters.rx_overrun);
            self.rx_dropped = true;
            self.spi.clear(regs::EIR, eir::RXERIF).await?;
            self.spi.clear(regs::ESTAT, estat::BUFER).await?;
        }
        Ok(())
    }

    /// Takes note of the link; whether that changed.
    pub(crate) async fn set_link(&mut self, up: bool) -> Result<bool, B> {
        if self.link_up == up {
            return Ok(false);
        }
        self.link_up = up;
        count(&mut self.counters.link_changes);
        if !up {
            self.abandon_tx().await?;
        }
        Ok(true)
    }

    /// Refuses what cannot be sent now, whatever the frame.
    pub(crate) fn may_send(&self) -> Result<(), B> {
        if !self.is_running()? {
            Err(ErrorKind::Stopped.into())
        } else if !self.link_up {
            Err(ErrorKind::LinkDown.into())
        } else {
            Ok(())
        }
    }
}
