//! The chip's state as the driver knows it, and how it is brought up, watched, and brought up
//! again.

use super::{Bus, bisync};
use ethdev::{Capabilities, Counted, Coverage, ErrorKind, Events, FilterOutcome, LossReason, MacAddress, RxFilter};

use super::rx::Rx;
use super::spi::Spi;
use super::tx::Tx;
use crate::config::{Config, Settings};
use crate::errata::{self, Revision};
use crate::error::{Error, WaitFor};
use crate::regs::{self, Eth, Mac, econ1, econ2, eie, eir, erxfcon, estat, macon1, macon3, macon4, txcontrol};
use crate::ring::{FCS, HEADER, MAX_COUNT, RX_END, RX_FRAMES, RX_START, TX_SLOTS};
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

/// What the chip reports of lost frames. It drops frames with a wrong FCS, of more than 1518 bytes
/// without FCS, and filtered frames silently. RXERIF reports an overrun, not how many frames it
/// cost; a reset of the chip clears EPKTCNT.
const COVERAGE: Coverage = Coverage::EXACT
    .with(LossReason::RxOverrun, Counted::AtLeastOne)
    .with(LossReason::RxBadFcs, Counted::NotReported)
    .with(LossReason::RxBadLength, Counted::NotReported)
    .with(LossReason::RxFiltered, Counted::NotReported)
    .with(LossReason::RxReset, Counted::AtLeastOne);

/// The state that was reached last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Running,
    Stopped,
    /// In power save; what it was before.
    Asleep {
        running: bool,
    },
}

/// Whether the chip is in its [`Mode`], with address, filter and duplex mode as requested.
///
/// It is not from before the first instruction of a change until after the last: the call can fail
/// or be dropped at any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Applied {
    Yes,
    No,
    /// No, and counted in `faults`.
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
    /// Requested.
    hash: [u8; 8],
    filter: u8,
    mode: Mode,
    applied: Applied,
    /// The receiver was on: frames may wait in the chip that are in no counter.
    uncounted: bool,
    pub(crate) link_up: bool,
    /// `link_up` as of the end of the last `service`.
    pub(crate) link_reported: bool,
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

/// Compares what a register was read as with what it should be.
fn check<E>(register: (u8, u8), expected: u16, found: u16) -> core::result::Result<(), Error<E>> {
    if found == expected {
        return Ok(());
    }
    Err(Error::RegisterMismatch {
        register,
        expected,
        found,
    })
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
            mode: Mode::Running,
            applied: Applied::No,
            uncounted: false,
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
        let common = Capabilities::ETHERNET
            .with_max_frame_len(self.settings.max_frame_len())
            .with_queue_frames(Some(RX_FRAMES), Some(TX_SLOTS.len() as u16))
            .with_coverage(COVERAGE);
        if self.settings.is_full_duplex() {
            common
        } else {
            common.with_max_service_interval(errata::SERVICE_INTERVAL)
        }
    }

    /// Longest frame with FCS.
    pub(crate) const fn max_count(&self) -> u16 {
        self.settings.max_frame_len().bytes() as u16 + FCS
    }

    /// Whether to go on: `Ok(false)` where nothing is received because nothing runs.
    pub(crate) fn is_running(&self) -> Result<bool, B> {
        match self.applied {
            Applied::Yes => Ok(self.mode == Mode::Running),
            Applied::No | Applied::Fault => Err(ErrorKind::Fault.into()),
        }
    }

    /// The same where a fault is no error.
    pub(crate) fn runs(&self) -> bool {
        self.applied == Applied::Yes && self.mode == Mode::Running
    }

    // Bringing up.

    /// What the MAC is set to, in any order (section 6.5).
    fn mac_settings(&self) -> [(Mac, u8); 15] {
        let full = self.settings.is_full_duplex();
        let by_duplex = |half, in_full| if full { in_full } else { half };
        let [a, b, c, d, e, f] = self.settings.mac_address.octets();
        let [a_reg, b_reg, c_reg, d_reg, e_reg, f_reg] = regs::MAADR;
        // With a VLAN tag, whatever was asked for: the chip drops what is longer silently, the
        // driver counts it.
        let [max_low, max_high] = MAX_COUNT.to_le_bytes();
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
    async fn bring_up(&mut self) -> Result<(), B> {
        self.rx = Rx::new();
        self.tx.restart();
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
        self.verify(false).await?;
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

    async fn verify_mac(&mut self) -> Result<(), B> {
        for (reg, expected) in self.mac_settings() {
            let mut found = self.spi.read_mac(reg).await?;
            if found != expected {
                // A transaction that was cut off corrupts the next read of a MAC register.
                found = self.spi.read_mac(reg).await?;
            }
            check((reg.bank, reg.address), expected.into(), found.into())?;
        }
        Ok(())
    }

    fn hash_registers(&self) -> impl Iterator<Item = (Eth, u8)> + use<B> {
        let used = if self.filter & erxfcon::HTEN != 0 {
            self.hash.len()
        } else {
            0
        };
        let bank = regs::EHT0.bank;
        (regs::EHT0.address..)
            .map(move |address| Eth { bank, address })
            .zip(self.hash)
            .take(used)
    }

    async fn write_filter(&mut self) -> Result<(), B> {
        for (reg, byte) in self.hash_registers() {
            self.spi.write(reg, byte).await?;
        }
        self.spi.write(regs::ERXFCON, self.filter).await
    }

    /// Turns the receiver on, and checks that the chip was not reset on the way here: with RXEN it
    /// would pass for alive.
    async fn start_receiver(&mut self) -> Result<(), B> {
        self.uncounted = true;
        self.spi.set(regs::ECON1, econ1::RXEN).await?;
        self.verify(true).await
    }

    /// Compares the chip with what was written to it, all of which a reset clears. The receiver is
    /// on or off.
    async fn verify(&mut self, receiving: bool) -> Result<(), B> {
        let checked = self.verify_once(receiving).await;
        if matches!(checked, Err(Error::RegisterMismatch { .. })) {
            // The bus may have corrupted a value.
            self.spi.forget_bank();
            return self.verify_once(receiving).await;
        }
        checked
    }

    async fn verify_or_resync(&mut self) -> Result<(), B> {
        match self.verify(true).await {
            Err(Error::RegisterMismatch { .. }) => self.resync().await,
            checked => checked,
        }
    }

    async fn verify_once(&mut self, receiving: bool) -> Result<(), B> {
        let mut pairs = [(regs::ERXST, RX_START), (regs::ERXND, RX_END), (regs::ERXRDPT, 0)];
        if receiving {
            if self.rx.free_to().is_none() {
                self.free().await?;
            }
            let [.., (_, free_to)] = &mut pairs;
            *free_to = self.rx.free_to().unwrap_or_default();
        }
        for (pair, expected) in pairs.into_iter().take(if receiving { 3 } else { 2 }) {
            let found = self.spi.read_pair(pair).await?;
            check((pair.low.bank, pair.low.address), expected, found)?;
        }
        for (reg, expected) in self.hash_registers().chain([(regs::ERXFCON, self.filter)]) {
            let found = self.spi.read(reg).await?;
            check((reg.bank, reg.address), expected.into(), found.into())?;
        }
        self.verify_mac().await?;
        // Last: a reset before this cleared it.
        let (state, expected) = if receiving {
            (!econ1::TXRTS, econ1::RXEN)
        } else {
            (u8::MAX, 0)
        };
        let econ1 = self.spi.look(regs::ECON1).await?;
        let bank = self.spi.bank().unwrap_or_default();
        check((0, regs::ECON1.0), (expected | bank).into(), (econ1 & state).into())
    }

    /// Resets the chip and brings it into `mode`, with all that was requested. What is lost by that
    /// is counted, and what was armed stays armed.
    async fn set_up(&mut self, mode: Mode) -> Result<(), B> {
        if self.applied == Applied::Yes {
            self.applied = Applied::No;
        }
        let armed = self.enabled.filter(|bits| bits & eie::INTIE != 0);
        self.count_losses().await?;
        self.bring_up().await?;
        if mode == Mode::Running {
            self.look_at_link().await?;
            if let Some(bits) = armed {
                self.enable(bits).await?;
            }
            self.start_receiver().await?;
        } else {
            self.set_link(false).await?;
            self.verify(false).await?;
            self.power_down_for(mode).await?;
        }
        (self.mode, self.applied) = (mode, Applied::Yes);
        Ok(())
    }

    /// From power-on to receiving.
    pub(crate) async fn begin(&mut self) -> Result<(), B> {
        self.set_up(Mode::Running).await
    }

    /// The chip is not as it should be: the driver recovers by itself.
    pub(crate) async fn resync(&mut self) -> Result<(), B> {
        if self.applied != Applied::Fault {
            warning!("ENC28J60 state lost, reinitialized");
            count(&mut self.counters.faults);
            self.applied = Applied::Fault;
        }
        self.set_up(self.mode).await?;
        count(&mut self.counters.recoveries);
        self.recovered = true;
        Ok(())
    }

    /// Counts what a reset takes from the chip. That is exact, unless the chip was reset already:
    /// what was known to wait is gone then, and so is what came since, and what comes until it is
    /// set up again; how many those are it cannot tell, so that one is counted at least.
    async fn count_losses(&mut self) -> Result<(), B> {
        if !self.uncounted {
            return Ok(());
        }
        let known = self.rx.pending();
        // Nothing comes after what is counted.
        match self.stop_receiver().await {
            Ok(()) | Err(Error::Timeout(_)) => {}
            Err(e) => return Err(e),
        }
        self.spi.forget_bank();
        let reported = self.packets_waiting().await?;
        // A frame in doubt is counted already. Does it still wait?
        let doubt = self.rx.in_doubt();
        let found = if doubt { self.was_released().await? } else { None };
        // Afterwards: a reset before this cleared EPKTCNT.
        let (waiting, counted) = if self.was_reset().await? {
            (known.max(1), doubt)
        } else if let Some((true, _)) = found {
            (reported, false)
        } else {
            (known.max(reported), doubt)
        };
        self.rx = Rx::new();
        self.uncounted = false;
        self.counters.rx_reset = self
            .counters
            .rx_reset
            .wrapping_add(waiting.into())
            .wrapping_sub(counted.into());
        self.rx_dropped |= waiting > 0;
        self.counters.tx_reset = self.counters.tx_reset.wrapping_add(self.tx.forget());
        Ok(())
    }

    /// Whether the chip was reset since it was set up. Also where nothing responds.
    async fn was_reset(&mut self) -> Result<bool, B> {
        self.spi.forget_bank();
        Ok(self.spi.read_pair(regs::ERXND).await? != RX_END)
    }

    // Management.

    pub(crate) async fn start(&mut self) -> Result<(), B> {
        self.change_to(Mode::Running).await
    }

    pub(crate) async fn stop(&mut self) -> Result<(), B> {
        self.change_to(Mode::Stopped).await
    }

    pub(crate) async fn sleep(&mut self) -> Result<(), B> {
        let running = match self.mode {
            Mode::Running => true,
            Mode::Stopped => false,
            Mode::Asleep { running } => running,
        };
        self.change_to(Mode::Asleep { running }).await
    }

    pub(crate) async fn wake(&mut self) -> Result<(), B> {
        let mode = match self.mode {
            Mode::Asleep { running: true } => Mode::Running,
            Mode::Asleep { running: false } => Mode::Stopped,
            mode => mode,
        };
        self.change_to(mode).await
    }

    pub(crate) async fn recover(&mut self) -> Result<(), B> {
        self.set_up(self.mode).await?;
        count(&mut self.counters.recoveries);
        Ok(())
    }

    async fn change_to(&mut self, mode: Mode) -> Result<(), B> {
        if self.applied == Applied::Yes {
            if self.mode == mode {
                return if mode == Mode::Running {
                    self.verify_or_resync().await
                } else {
                    Ok(())
                };
            }
            if self.mode == Mode::Running {
                // What was sent is counted as sent.
                self.poll_tx().await?;
            }
            if mode != Mode::Running && self.go_quiet().await? {
                self.power_down_for(mode).await?;
                (self.mode, self.applied) = (mode, Applied::Yes);
                return Ok(());
            }
        }
        self.set_up(mode).await
    }

    /// Ends receiving and sending without a reset. What that loses is counted. `Ok(false)` if that
    /// takes a reset.
    async fn go_quiet(&mut self) -> Result<bool, B> {
        match self.mode {
            Mode::Running => {
                self.applied = Applied::No;
                self.enabled = None;
                self.spi.clear(regs::EIE, eie::INTIE).await?;
                self.reset_transmitter().await?;
                self.count_losses().await?;
                self.set_link(false).await?;
            }
            Mode::Stopped => self.applied = Applied::No,
            Mode::Asleep { .. } => return Ok(false),
        }
        match self.verify(false).await {
            Ok(()) => Ok(true),
            Err(Error::RegisterMismatch { .. }) => Ok(false),
            Err(e) => Err(e),
        }
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

    /// Enters power save if `mode` is asleep (section 14.0).
    async fn power_down_for(&mut self, mode: Mode) -> Result<(), B> {
        if !matches!(mode, Mode::Asleep { .. }) {
            return Ok(());
        }
        self.spi.set(regs::ECON2, econ2::VRPS).await?;
        self.spi.set(regs::ECON2, econ2::PWRSV).await?;
        let expected = econ2::AUTOINC | econ2::PWRSV | econ2::VRPS;
        let found = self.spi.look(regs::ECON2).await?;
        check((0, regs::ECON2.0), expected.into(), found.into())?;
        let found = self.spi.read_pair(regs::ERXND).await?;
        check((regs::ERXND.low.bank, regs::ERXND.low.address), RX_END, found)
    }

    pub(crate) async fn set_mac_address(&mut self, address: MacAddress) -> Result<(), B> {
        self.settings.mac_address = address;
        self.reconfigure().await
    }

    pub(crate) async fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, B> {
        let (bits, hash, outcome) = crate::filter::settings(filter);
        (self.filter, self.hash) = (bits, hash.to_le_bytes());
        self.reconfigure().await?;
        Ok(outcome)
    }

    /// Writes address and filter to a chip that runs.
    async fn reconfigure(&mut self) -> Result<(), B> {
        if self.mode != Mode::Running {
            return Ok(());
        }
        if self.applied != Applied::Yes {
            return self.resync().await;
        }
        self.applied = Applied::No;
        // Both are changed with the receiver off (section 8).
        self.stop_receiver().await?;
        for (reg, octet) in regs::MAADR.into_iter().zip(self.settings.mac_address.octets()) {
            self.spi.write_mac(reg, octet).await?;
        }
        self.write_filter().await?;
        match self.start_receiver().await {
            Ok(()) => {
                self.applied = Applied::Yes;
                Ok(())
            }
            Err(Error::RegisterMismatch { .. }) => self.resync().await,
            Err(e) => Err(e),
        }
    }

    // Watching.

    pub(crate) async fn service(&mut self) -> Result<Events, B> {
        self.attend(Look::Thorough).await?;
        let mut events = Events::NONE;
        if self.runs() {
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
        match (self.applied, self.mode) {
            (Applied::Yes, Mode::Running) => self.watch(look).await,
            (Applied::Yes, Mode::Stopped | Mode::Asleep { .. }) => Ok(()),
            (Applied::No | Applied::Fault, _) => self.resync().await,
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
            return self.resync().await;
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
        if deep {
            self.verify_or_resync().await?;
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
