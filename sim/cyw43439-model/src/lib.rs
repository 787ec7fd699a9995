//! The Infineon CYW43439: a Wi-Fi chip behind gSPI, with its firmware, and the air around it.
//!
//! Sources: what public drivers of the chip do (`cyw43`, `cyw43439`, `cyw43-driver`, WHD, brcmfmac), logs of real chips in their issues, and CVE-2019-9500 and
//! CVE-2019-9503. There is no public data sheet of the firmware's interface.
//!
//! # Units and conventions
//!
//! Time is the clock's: each bit on the bus, each step of the boot, each frame in the air. A transaction takes effect when its last bit is over. Access points
//! bridge between the air and the wire that the chip was given; frames on the wire carry their FCS, frames in the air take their time at
//! [`air_bps`](ChipConfig::air_bps).
//!
//! The chip changes its output with the rising edge of the clock in high-speed mode, and with the falling edge otherwise: a host that drives the bus bit by bit
//! samples while the clock is low, before it raises it.
//!
//! # Where the sources are silent
//!
//! - In big-endian mode command and status words are swapped like data.
//! - The ALP clock stays once it was there.
//! - Unknown iovars fail with -23, questions about a network that is not there with -17, lengths that do not fit with -24. The chip's address can be set while
//!   the radio is down only, the country at any time.
//! - Without its regulatory database the radio hears nothing. Power save is off at first.
//! - A station that does not find a matching network reports that there is none, whatever does not match. A key that was given too early is confirmed and
//!   forgotten. Wrong keys show again and again until the host leaves.
//! - A host that runs out of credit gets a header without contents as soon as there is more than it knows of, where nothing else brings it the news.
//! - An access point that is back before its beacons were missed goes on as if nothing had been.
//!
//! # Not modelled
//!
//! Bluetooth (function 3 swallows writes and reads 0), the SDIO bus, the firmware's console, encryption in the air, rates, and sleep of the bus.

#![forbid(unsafe_code)]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod access_point;
mod air;
mod backplane;
mod bus_registers;
mod command;
mod config;
mod counters;
mod data;
mod events;
mod faults;
mod fifo;
mod firmware;
mod framing;
mod gspi;
mod hardware;
mod ioctl;
mod iovar;
mod join;
mod pins;
mod power;
mod scan;
mod soft_ap;
mod violations;
mod word_bus;

use core::fmt;
use std::rc::Rc;

pub use access_point::{AccessPoint, ApId, Association, Refusal, Security};
pub use config::{ChipConfig, EventOrder, Images};
pub use counters::{BusCounters, ModelStats, Transaction};
pub use faults::{ChipFaults, DataLine, Fault, Spoil};
pub use firmware::Boot;
pub use pins::{ClockPin, DataPin, IrqPin, Pins, PowerPin, SelectPin};
pub use violations::{Violation, ViolationKind};
pub use word_bus::{BusFault, WordBus};

use ethdev_sim::{Clock, Port, SimDelay};
use hardware::{Model, Shared};

/// A CYW43439 among its access points, switched off. Clones are the same chip.
///
/// ```
/// use core::time::Duration;
/// use embedded_hal::digital::OutputPin;
/// use cyw43439_model::{AccessPoint, ChipConfig, Cyw43Chip};
/// use ethdev_sim::{Clock, Wire, WireConfig};
///
/// let clock = Clock::new();
/// let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default());
/// let chip = Cyw43Chip::new(&clock, port, ChipConfig::default().with_power_up(Duration::from_millis(50), 0));
/// chip.add_ap(AccessPoint::wpa2("lab", "correct horse"));
///
/// chip.power_pin().set_high().unwrap();
/// clock.advance(Duration::from_millis(50));
/// // A read of the test register, in the mode of 16-bit words.
/// let mut word = [0];
/// chip.word_bus().cmd_read_blocking(0xa004_4000, &mut word).unwrap();
/// assert_eq!(word, [0xbead_feed]);
/// assert_eq!(chip.violations(), []);
/// ```
#[derive(Clone)]
pub struct Cyw43Chip(Rc<Shared>);

impl Cyw43Chip {
    /// A chip without power, whose access points bridge to this end of a wire.
    #[must_use]
    pub fn new(clock: &Clock, port: Port, config: ChipConfig) -> Self {
        Self(Shared::new(clock, port, config))
    }

    /// The bus, for a host that moves whole words.
    #[must_use]
    pub fn word_bus(&self) -> WordBus {
        WordBus::new(&self.0)
    }

    /// The bus, for a host that drives it bit by bit: from now on the level of the data line counts as `WL_REG_ON` rises.
    #[must_use]
    pub fn pins(&self) -> Pins {
        Pins::new(&self.0)
    }

    /// `WL_REG_ON`: low, the chip is off and loses all its state.
    #[must_use]
    pub fn power_pin(&self) -> PowerPin {
        PowerPin::new(&self.0)
    }

    /// The data line as an interrupt: what it shows between transactions.
    #[must_use]
    pub fn irq_pin(&self) -> IrqPin {
        IrqPin::new(&self.0)
    }

    /// Calls `handler` at each rise of the interrupt line that the host notices; for instance to ring a interrupt signal. Takes the place of the one before.
    ///
    /// It is called with nothing borrowed, in the middle of whatever moved the clock or the bus: like an interrupt handler. It must not use the bus.
    pub fn on_irq_rising(&self, handler: impl Fn() + 'static) {
        self.0.line.on_active(Rc::new(handler));
    }

    /// Delays on the chip's clock.
    #[must_use]
    pub fn delay(&self) -> SimDelay {
        SimDelay::new(&self.0.clock)
    }

    /// The chip's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.clock.clone()
    }

    /// The traffic on the bus so far.
    #[must_use]
    pub fn bus(&self) -> BusCounters {
        self.0.core.borrow().bus
    }

    /// Notes every transaction from now on, or no more.
    pub fn record(&self, on: bool) {
        self.0.core.borrow_mut().trace = on.then(Vec::new);
    }

    /// The transactions that were noted so far, in order; and forgets them.
    pub fn take_record(&self) -> Vec<Transaction> {
        let mut chip = self.0.core.borrow_mut();
        chip.trace.as_mut().map(core::mem::take).unwrap_or_default()
    }

    /// What became of every frame so far.
    #[must_use]
    pub fn stats(&self) -> ModelStats {
        self.0.core.borrow().stats
    }

    /// The misuse so far, in order, up to a thousand.
    ///
    /// What a host does after a fault of the bus was injected, and before it switches the chip off, is not held against it.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.0.core.borrow().violations.clone()
    }

    /// As [`violations`](Self::violations), and forgets them.
    pub fn take_violations(&self) -> Vec<Violation> {
        core::mem::take(&mut self.0.core.borrow_mut().violations)
    }

    /// Reports this kind of misuse no longer.
    pub fn allow(&self, kind: ViolationKind) {
        self.0.core.borrow_mut().config.allowed.push(kind);
    }

    /// Other images are expected from now on.
    pub fn expect_images(&self, images: Images) {
        self.0.core.borrow_mut().config.images = images;
    }

    /// How far the chip has come since its power was switched on.
    #[must_use]
    pub fn boot(&self) -> Boot {
        self.0.core.borrow().boot()
    }

    /// Looks at `len` bytes of the RAM without a bus; at fewer where the RAM ends.
    #[must_use]
    pub fn peek_ram(&self, address: usize, len: usize) -> Vec<u8> {
        let chip = self.0.core.borrow();
        chip.backplane.ram.iter().skip(address).take(len).copied().collect()
    }
}

/// What is on the air.
impl Cyw43Chip {
    /// Puts an access point on the air.
    pub fn add_ap(&self, ap: AccessPoint) -> ApId {
        self.0.with(|chip| chip.air.add(ap))
    }

    /// An access point falls silent. A station notices that its beacons are missing.
    pub fn remove_ap(&self, ap: ApId) {
        self.0.with(|chip| chip.ap_vanishes(ap));
    }

    /// An access point that fell silent is back. Stations have to join it anew.
    pub fn restore_ap(&self, ap: ApId) {
        self.0.with(|chip| chip.ap_returns(ap));
    }

    /// Changes an access point: its channel, how strongly it is received, its passphrase, what it refuses. Those who have joined it stay.
    pub fn change_ap(&self, ap: ApId, change: impl FnOnce(&mut AccessPoint)) {
        self.0.with(|chip| chip.air.change(ap, change));
    }

    /// The access point throws the chip out, with this reason (IEEE 802.11, table of reason codes). Without effect where the chip has not joined.
    pub fn deauthenticate(&self, reason: u16) {
        self.0.with(|chip| chip.thrown_out(true, reason));
    }

    /// As [`deauthenticate`](Self::deauthenticate), by ending the association only.
    pub fn disassociate(&self, reason: u16) {
        self.0.with(|chip| chip.thrown_out(false, reason));
    }

    /// The chip moves to another access point of the same network. Without effect where it has not joined.
    pub fn roam_to(&self, ap: ApId) {
        self.0.with(|chip| chip.roam(ap));
    }

    /// To which access point the chip belongs.
    #[must_use]
    pub fn association(&self) -> Option<Association> {
        self.0.core.borrow().association()
    }

    /// A station joins the chip's own access point, with this passphrase. Whether it gets in.
    pub fn client_joins(&self, mac: [u8; 6], passphrase: Option<&str>) -> bool {
        self.0.with(|chip| chip.client_joins(mac, passphrase))
    }

    /// A station leaves the chip's own access point.
    pub fn client_leaves(&self, mac: [u8; 6]) {
        self.0.with(|chip| chip.client_leaves(mac));
    }

    /// Name and channel of the chip's own access point, while that is on the air.
    #[must_use]
    pub fn own_ap(&self) -> Option<(Vec<u8>, u8)> {
        self.0.core.borrow().own_ap()
    }

    /// The level of one of the chip's GPIO pins: 0 is the LED of a Pico W.
    #[must_use]
    pub fn gpio(&self, pin: u8) -> bool {
        self.0.core.borrow().gpio(pin)
    }

    /// What an input pin of the chip's GPIO is driven to: 2 is the sense of VBUS on a Pico W.
    pub fn drive_gpio(&self, pin: u8, high: bool) {
        self.0.with(|chip| chip.drive_gpio(pin, high));
    }

    /// The multicast addresses that the chip lets through.
    #[must_use]
    pub fn multicast_list(&self) -> Vec<[u8; 6]> {
        self.0.core.borrow().multicast_list()
    }

    /// The regulatory database as it was uploaded, from its first part to its last.
    #[must_use]
    pub fn uploaded_clm(&self) -> Option<Vec<u8>> {
        self.0.core.borrow().uploaded_clm()
    }
}

/// What goes wrong.
impl Cyw43Chip {
    /// Other random faults from now on.
    pub fn set_faults(&self, faults: ChipFaults) {
        self.0.core.borrow_mut().config.faults = faults;
    }

    /// Lets this happen once, to the next thing that it fits; faults of one kind happen in the order in which they were asked for.
    pub fn inject(&self, fault: Fault) {
        self.0.with(|chip| chip.inject(fault));
    }

    /// Faults that were asked for and did not happen yet.
    #[must_use]
    pub fn faults_waiting(&self) -> usize {
        self.0.core.borrow().faults.len()
    }

    /// What the host reads from now on. Anything but [`DataLine::Connected`] is an absent chip: what it is told does not arrive.
    pub fn set_data_line(&self, line: DataLine) {
        self.0.with(|chip| {
            chip.taint();
            chip.data_line = line;
        });
    }

    /// The interrupt line stays at this level; `None` for the stats.
    pub fn stick_irq(&self, level: Option<bool>) {
        self.0.with(|chip| chip.stuck_irq = level);
    }

    /// Fails the bus once, at the `n`-th transaction from now, counted from 0.
    pub fn fail_bus_at(&self, n: u64) {
        self.0.core.borrow_mut().fail_in = Some(n);
    }

    /// The firmware keeps the frames that it is to send, so that the host runs out of credit; or sends them after all, and goes on. Requests it carries out.
    pub fn hold_frames(&self, hold: bool) {
        self.0.with(|chip| chip.hold_frames(hold));
    }

    /// The firmware gives no more credit than it has given, or does so again.
    pub fn freeze_credit(&self, freeze: bool) {
        self.0.with(|chip| chip.freeze_credit(freeze));
    }

    /// The firmware asks the host to hold back frames of these priorities, one bit each; 0 lets it go on.
    pub fn set_flow_control(&self, priorities: u8) {
        self.0.with(|chip| chip.set_flow_control(priorities));
    }

    /// The firmware stops for good: it tells through the mailbox, and answers nothing any more.
    pub fn halt_firmware(&self) {
        self.0.with(Model::halt_firmware);
    }

    /// The supply fails for a moment: everything is lost, and the chip comes up anew while `WL_REG_ON` stays high.
    pub fn inject_brownout(&self) {
        self.0.with(|chip| {
            if chip.power.is_on() {
                chip.switch_off();
                chip.taint();
                chip.drive_power(true, None);
            }
        });
    }
}

impl fmt::Debug for Cyw43Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chip = self.0.core.borrow();
        f.debug_struct("Cyw43Chip")
            .field("boot", &chip.boot())
            .field("bus", &chip.bus)
            .field("stats", &chip.stats)
            .field("violations", &chip.violations.len())
            .finish_non_exhaustive()
    }
}
