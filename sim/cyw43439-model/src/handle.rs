//! The chip as a test uses it.

use core::fmt;
use std::rc::Rc;

use ethdev_sim::{Clock, Port};

use crate::access_point::{AccessPoint, ApId, Association};
use crate::cell::{self, Cyw43439, Shared};
use crate::config::{ChipConfig, Images};
use crate::faults::{ChipFaults, DataLine, Fault};
use crate::firmware::Firmware;
use crate::model::Boot;
use crate::pins::{IrqPin, Pins, PowerPin};
use crate::soft_ap::ClientKey;
use crate::stats::{BusCounters, ModelStats, Transaction};
use crate::violations::{Violation, ViolationKind};
use crate::word_bus::WordBus;

/// A CYW43439 and the access points in its range, switched off. Clones are handles on the same
/// chip.
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
/// chip.add_ap(AccessPoint::wpa2("office", "correct horse"));
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
    ethdev_sim::model::methods!(ModelStats, Violation, ViolationKind);

    /// Creates a chip without power, whose access points bridge to this end of a wire.
    #[must_use]
    pub fn new(clock: &Clock, port: Port, config: ChipConfig) -> Self {
        Self(cell::without_power(clock, port, config))
    }

    /// The bus, for a host that transfers whole words.
    #[must_use]
    pub fn word_bus(&self) -> WordBus {
        WordBus::new(&self.0)
    }

    /// The bus, for a host that drives it bit by bit. From this call on, the level of the data line
    /// is checked when `WL_REG_ON` rises.
    #[must_use]
    pub fn pins(&self) -> Pins {
        Pins::new(&self.0)
    }

    /// `WL_REG_ON`. Low: the chip is off and loses all its state.
    #[must_use]
    pub fn power_pin(&self) -> PowerPin {
        PowerPin::new(&self.0)
    }

    /// The interrupt: the level of the data line between transactions.
    #[must_use]
    pub fn irq_pin(&self) -> IrqPin {
        IrqPin::new(&self.0)
    }

    /// Calls `handler` at each rising edge of the interrupt line that the host notices; for
    /// instance to signal an interrupt. Replaces the previous handler.
    ///
    /// Like an interrupt handler, it is called in the middle of what moves the clock or the bus.
    /// It must not use the bus.
    pub fn on_irq_rising(&self, handler: impl Fn() + 'static) {
        self.0.line.on_active(Rc::new(handler));
    }

    /// Counters of the bus.
    #[must_use]
    pub fn bus(&self) -> BusCounters {
        self.0.model().model.chip.bus
    }

    /// Starts or stops recording transactions. Both clear the record.
    pub fn record(&self, on: bool) {
        self.0.update(|chip| chip.gspi.trace = on.then(Vec::new));
    }

    /// Returns the recorded transactions, in order, and clears the record.
    pub fn take_record(&self) -> Vec<Transaction> {
        self.0
            .update(|chip| chip.gspi.trace.as_mut().map(core::mem::take))
            .unwrap_or_default()
    }

    /// Replaces the images that the host is expected to upload.
    pub fn expect_images(&self, images: Images) {
        self.0.update(|chip| chip.model.chip.cx.config.images = images);
    }

    /// State of the chip since power-on.
    #[must_use]
    pub fn boot(&self) -> Boot {
        self.0.model().model.boot()
    }

    /// Reads `len` bytes of the RAM without the bus; fewer where the RAM ends.
    #[must_use]
    pub fn peek_ram(&self, address: usize, len: usize) -> Vec<u8> {
        let ram = &self.0.model().model.backplane.ram;
        ram.iter().skip(address).take(len).copied().collect()
    }

    /// The level of one of the chip's GPIO pins: 0 is the LED of a Pico W.
    #[must_use]
    pub fn gpio(&self, pin: u8) -> bool {
        self.firmware(|firmware| firmware.settings.gpio(pin)).unwrap_or(false)
    }

    /// Drives an input pin of the chip's GPIO: 2 is the VBUS sense of a Pico W.
    pub fn drive_gpio(&self, pin: u8, high: bool) {
        self.0.with(|chip| {
            if let Some(firmware) = &mut chip.model.firmware {
                firmware.settings.drive_gpio(pin, high);
            }
        });
    }

    /// Whether the host has switched the radio on.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.firmware(|firmware| firmware.settings.up).unwrap_or(false)
    }

    /// The MAC address; without firmware that of the one-time programmable memory.
    #[must_use]
    pub fn mac_address(&self) -> [u8; 6] {
        let in_memory = self.0.model().model.chip.cx.config.mac;
        self.firmware(|firmware| firmware.settings.mac).unwrap_or(in_memory)
    }

    /// Whether the host has enabled all multicast frames.
    #[must_use]
    pub fn all_multicast(&self) -> bool {
        self.firmware(|firmware| firmware.settings.number("allmulti") != 0)
            .unwrap_or(false)
    }

    /// The multicast addresses that the host has enabled.
    #[must_use]
    pub fn multicast_list(&self) -> Vec<[u8; 6]> {
        self.firmware(|firmware| firmware.settings.multicast.clone())
            .unwrap_or_default()
    }

    /// The regulatory database that the host has uploaded, once it is complete.
    #[must_use]
    pub fn uploaded_clm(&self) -> Option<Vec<u8>> {
        self.firmware(|firmware| firmware.settings.uploaded_clm())?
    }

    /// Reads from the firmware, where it was started.
    fn firmware<R>(&self, read: impl FnOnce(&Firmware) -> R) -> Option<R> {
        self.0.model().model.firmware.as_deref().map(read)
    }
}

/// Networks.
impl Cyw43Chip {
    /// Adds an access point in range.
    pub fn add_ap(&self, ap: AccessPoint) -> ApId {
        self.0.with(|chip| chip.model.chip.air.add(ap))
    }

    /// An access point stops transmitting. A station detects that its beacons are missing.
    pub fn remove_ap(&self, ap: ApId) {
        self.0.with(|chip| chip.model.remove_ap(ap));
    }

    /// A removed access point transmits again. Stations that have detected its absence must join it
    /// again.
    pub fn restore_ap(&self, ap: ApId) {
        self.0.with(|chip| chip.model.chip.air.set_present(ap, true));
    }

    /// Changes an access point: its channel, signal strength, passphrase, fault. Stations that have
    /// joined it stay.
    pub fn change_ap(&self, ap: ApId, change: impl FnOnce(&mut AccessPoint)) {
        self.0.with(|chip| chip.model.chip.air.change(ap, change));
    }

    /// The access point deauthenticates the chip, with this reason (IEEE 802.11, table of reason
    /// codes). No effect where the chip has not joined.
    pub fn deauthenticate(&self, reason: u16) {
        self.end_association(true, reason);
    }

    /// As [`deauthenticate`](Self::deauthenticate), by ending the association only.
    pub fn disassociate(&self, reason: u16) {
        self.end_association(false, reason);
    }

    fn end_association(&self, deauthenticated: bool, reason: u16) {
        self.0.with(|chip| {
            if let Some((mut rt, station)) = chip.model.station() {
                station.deauthenticated(&mut rt, deauthenticated, reason);
            }
        });
    }

    /// The chip roams to another access point of the same network. No effect where the chip has not
    /// joined.
    pub fn roam_to(&self, ap: ApId) {
        self.0.with(|chip| {
            if let Some((mut rt, station)) = chip.model.station() {
                station.roam(&mut rt, ap);
            }
        });
    }

    /// The association of the chip with an access point.
    #[must_use]
    pub fn association(&self) -> Option<Association> {
        self.firmware(Firmware::association)?
    }

    /// A station joins the chip's own access point, without security or by WPA or WPA2 with this
    /// passphrase; 64 hexadecimal digits are the key itself. Returns whether it was accepted.
    pub fn connect_client(&self, mac: [u8; 6], passphrase: Option<&str>) -> bool {
        let key = passphrase.map_or(ClientKey::None, ClientKey::Psk);
        self.0.with(|chip| chip.model.connect_client(mac, key))
    }

    /// As [`connect_client`](Self::connect_client), by WPA3 with this password.
    pub fn connect_sae_client(&self, mac: [u8; 6], password: &str) -> bool {
        self.0
            .with(|chip| chip.model.connect_client(mac, ClientKey::Sae(password)))
    }

    /// A station leaves the chip's own access point.
    pub fn disconnect_client(&self, mac: [u8; 6]) {
        self.0.with(|chip| chip.model.disconnect_client(mac));
    }

    /// Name and channel of the chip's own access point, while it transmits.
    #[must_use]
    pub fn soft_ap(&self) -> Option<(Vec<u8>, u8)> {
        let chip = self.0.model();
        chip.model.firmware.as_ref()?.soft_ap(&chip.model.chip)
    }
}

/// Fault injection.
///
/// After a fault of the bus, violations are not reported until the host switches the chip off.
impl Cyw43Chip {
    /// Replaces the random faults.
    pub fn set_faults(&self, faults: ChipFaults) {
        self.0.update(|chip| chip.model.chip.cx.config.faults = faults);
    }

    /// Injects a fault once, at the next opportunity. Faults of one kind occur in the order in
    /// which they were injected.
    pub fn inject(&self, fault: Fault) {
        self.0.with(|chip| chip.model.inject(fault));
    }

    /// Number of injected faults that have not occurred yet.
    #[must_use]
    pub fn pending_faults(&self) -> usize {
        self.0.model().model.chip.faults.len()
    }

    /// Sets what the host reads from now on. Anything but [`DataLine::Connected`] is an absent
    /// chip: what the host writes does not reach it either.
    pub fn set_data_line(&self, line: DataLine) {
        self.0.with(|chip| {
            chip.model.chip.taint();
            chip.gspi.data_line = line;
        });
    }

    /// Sets the level of the interrupt line; `None` for the output of the chip.
    pub fn force_irq(&self, level: Option<bool>) {
        self.0.with(|chip| chip.forced_irq = level);
    }

    /// Fails the bus once, at the `n`-th transaction from now, counted from 0.
    pub fn fail_bus_at(&self, n: u64) {
        self.0.update(|chip| chip.gspi.fail_in = Some(n));
    }

    /// The firmware holds the data frames of the host, so that the host runs out of credit; or
    /// transmits them and goes on. It executes ioctls.
    pub fn hold_frames(&self, hold: bool) {
        self.0.with(|chip| chip.model.hold_frames(hold));
    }

    /// The firmware stops granting more credit, or resumes.
    pub fn freeze_credit(&self, freeze: bool) {
        self.0.with(|chip| {
            let model = &mut chip.model;
            model.fifo.freeze_credit(&mut model.chip, freeze);
        });
    }

    /// The firmware stops data frames of these priorities by flow control, one bit each; 0 resumes.
    pub fn set_flow_control(&self, priorities: u8) {
        self.0.with(|chip| {
            let model = &mut chip.model;
            model.fifo.set_flow_control(&mut model.chip, priorities);
        });
    }

    /// The firmware stops for good: it reports that through the mailbox, and does not respond any
    /// more.
    pub fn halt_firmware(&self) {
        self.0.with(|chip| chip.model.halt_firmware());
    }

    /// The supply fails for a moment: all state is lost, and the chip starts again while
    /// `WL_REG_ON` stays high.
    pub fn inject_brownout(&self) {
        self.0.with(Cyw43439::brownout);
    }
}

impl fmt::Debug for Cyw43Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chip = self.0.model();
        let cx = &chip.model.chip.cx;
        f.debug_struct("Cyw43Chip")
            .field("boot", &chip.model.boot())
            .field("bus", &chip.model.chip.bus)
            .field("stats", &cx.stats)
            .field("violations", &cx.violations.kept().len())
            .finish_non_exhaustive()
    }
}
