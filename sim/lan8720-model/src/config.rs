//! How a PHY is built and wired.

use core::time::Duration;

use crate::faults::MdioFaults;
use crate::partner::Partner;
use crate::violations::ViolationKind;

/// The part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Part {
    /// LAN8720A: RMII.
    Lan8720a,
    /// LAN8710A: RMII and MII.
    Lan8710a,
    /// LAN8740A: RMII and MII, Energy Efficient Ethernet, wake on LAN.
    Lan8740a,
    /// LAN8742A: RMII, wake on LAN.
    Lan8742a,
    /// LAN8700: the predecessor.
    Lan8700,
    /// The PHY inside the LAN9118 and its relatives: of the vendor's registers it has only those of
    /// the interrupts; the others read 0.
    Lan911x,
    /// A PHY of another vendor, with the identifier of a Micrel KSZ8051: only the registers of the
    /// standard.
    OtherVendor,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 7] = [
        Self::Lan8720a,
        Self::Lan8710a,
        Self::Lan8740a,
        Self::Lan8742a,
        Self::Lan8700,
        Self::Lan911x,
        Self::OtherVendor,
    ];

    /// The identifier in registers 2 (upper half) and 3, of revision 1 where the part has
    /// revisions.
    #[must_use]
    pub const fn id(self) -> u32 {
        match self {
            Self::Lan8720a | Self::Lan8710a => 0x0007_c0f1,
            Self::Lan8740a => 0x0007_c111,
            Self::Lan8742a => 0x0007_c131,
            Self::Lan8700 => 0x0007_c0c1,
            Self::Lan911x => 0x0007_c0d1,
            Self::OtherVendor => 0x0022_1550,
        }
    }

    /// Whether it has registers 16 to 27 and 31.
    pub(crate) const fn has_vendor_registers(self) -> bool {
        !matches!(self, Self::Lan911x | Self::OtherVendor)
    }

    pub(crate) const fn has_interrupts(self) -> bool {
        !matches!(self, Self::OtherVendor)
    }

    /// Whether it has registers 7 to 15, 16, 24, 25 and 28.
    pub(crate) const fn has_mmd(self) -> bool {
        matches!(self, Self::Lan8740a | Self::Lan8742a)
    }
}

/// The mode of the MODE straps (DS00002165B section 3.7.2), which SMR stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// 000: 10BASE-T half duplex, without auto-negotiation. The mode where a MAC pulls the straps
    /// down.
    T10Half = 0,
    /// 001: 10BASE-T full duplex, without auto-negotiation.
    T10Full = 1,
    /// 010: 100BASE-TX half duplex, without auto-negotiation.
    Tx100Half = 2,
    /// 011: 100BASE-TX full duplex, without auto-negotiation.
    Tx100Full = 3,
    /// 100: 100BASE-TX half duplex is advertised.
    AdvertiseTx100Half = 4,
    /// 101: 100BASE-TX half duplex is advertised, as a repeater.
    Repeater = 5,
    /// 110: power-down, until SMR is written.
    PowerDown = 6,
    /// 111: all modes are advertised. The default of the straps, by the pull-ups inside the chip.
    #[default]
    AllCapable = 7,
}

/// The levels of the strap pins when nRST rises (DS00002165B section 3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PhyStraps {
    /// `MODE[2:0]`.
    pub mode: Mode,
    /// The MDIO address: 0 or 1 on the LAN8720A, which has one strap for it; 0 to 7 on parts with
    /// three; 0 to 31 for a PHY inside a MAC.
    pub address: u8,
    /// nINTSEL: the pin nINT/REFCLKO is the 50 MHz output, and there is no interrupt. The PHY has
    /// its own crystal.
    pub ref_clk_out: bool,
}

impl Default for PhyStraps {
    /// The straps that the pull resistors inside the chip set: all capable, address 0, `REF_CLK`
    /// in, nINT out.
    fn default() -> Self {
        Self {
            mode: Mode::AllCapable,
            address: 0,
            ref_clk_out: false,
        }
    }
}

impl PhyStraps {
    /// Sets the mode.
    #[must_use]
    pub const fn with_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the MDIO address.
    ///
    /// # Panics
    ///
    /// Above 31.
    #[must_use]
    pub const fn with_address(mut self, address: u8) -> Self {
        assert!(address < 32, "an MDIO address is 0 to 31");
        self.address = address;
        self
    }

    /// Sets the pin nINT/REFCLKO to the 50 MHz output.
    #[must_use]
    pub const fn with_ref_clk_out(mut self) -> Self {
        self.ref_clk_out = true;
        self
    }
}

/// Times of the PHY. Defaults that no source gives are marked as estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhyTimes {
    /// A soft reset: 0.5 s at most (DS00002165B section 3.8.5.2). 10 ms by default, an
    /// estimate. `None`: it never ends.
    pub soft_reset: Option<Duration>,
    /// From the rising edge of nRST until the registers answer: 800 ns, within which the outputs
    /// are driven (table 5-7).
    pub hard_reset: Duration,
    /// Silence before auto-negotiation begins: about 1.2 s (section 3.2.2).
    pub break_link: Duration,
    /// The exchange of fast link pulses, until the link is up. 0.6 s by default, an estimate.
    pub negotiation: Duration,
    /// Detection of a partner that does not negotiate, until the link is up: `autoneg_wait_timer`
    /// (IEEE 802.3 table 28-9, 0.5 s to 1 s) and the time before it. 1 s by default.
    pub parallel_detection: Duration,
    /// Link detection in a forced mode. 10 ms by default, an estimate.
    pub forced_link: Duration,
    /// Time without a signal after which 10BASE-T loses its link: `link_loss_timer` (IEEE 802.3
    /// clause 14.2.1.7, 50 ms to 150 ms). 100BASE-TX loses it at once.
    pub link_loss_10: Duration,
    /// Until ENERGYON falls without energy: 256 ms (DS00002165B section 3.8.3.2).
    pub energy_off: Duration,
    /// From energy until ENERGYON rises. 1 ms by default, an estimate; boards were seen to need up
    /// to 1.5 s after EDPD was disabled.
    pub energy_on: Duration,
    /// From the rising edge of MDC until MDIO is valid: 300 ns at most (table 5-9).
    pub mdio_valid: Duration,
    /// Rise time of MDIO where it is not driven: the pull-up against the line's capacity. 0 by
    /// default.
    pub mdio_rise: Duration,
    /// Time of the host to set or read one of the MDIO pins. 0 by default.
    pub pin: Duration,
    /// Timeout of a whole-frame MDIO bus for an access that never completes.
    pub mdio_timeout: Duration,
}

impl Default for PhyTimes {
    fn default() -> Self {
        Self {
            soft_reset: Some(Duration::from_millis(10)),
            hard_reset: Duration::from_nanos(800),
            break_link: Duration::from_millis(1200),
            negotiation: Duration::from_millis(600),
            parallel_detection: Duration::from_secs(1),
            forced_link: Duration::from_millis(10),
            link_loss_10: Duration::from_millis(100),
            energy_off: Duration::from_millis(256),
            energy_on: Duration::from_millis(1),
            mdio_valid: Duration::from_nanos(300),
            mdio_rise: Duration::ZERO,
            pin: Duration::ZERO,
            mdio_timeout: Duration::from_millis(1),
        }
    }
}

impl PhyTimes {
    /// Sets the times after which ENERGYON falls and rises.
    #[must_use]
    pub const fn with_energy(mut self, off: Duration, on: Duration) -> Self {
        self.energy_off = off;
        self.energy_on = on;
        self
    }

    /// Sets the time from MDC's rising edge until MDIO is valid, and its rise time where it is not
    /// driven.
    #[must_use]
    pub const fn with_mdio(mut self, valid: Duration, rise: Duration) -> Self {
        self.mdio_valid = valid;
        self.mdio_rise = rise;
        self
    }

    /// Sets the time of the host to set or read an MDIO pin.
    #[must_use]
    pub const fn with_pin(mut self, pin: Duration) -> Self {
        self.pin = pin;
        self
    }

    /// Sets the times of the exchange with a partner that negotiates, and of parallel detection.
    #[must_use]
    pub const fn with_exchange(mut self, negotiation: Duration, parallel_detection: Duration) -> Self {
        self.negotiation = negotiation;
        self.parallel_detection = parallel_detection;
        self
    }
}

/// Behaviour of the silicon that is not in the data sheet. The default is what was seen on LAN8720A
/// boards.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Quirks {
    /// In power-down BMSR reads 0x780D, with the link bit set.
    pub power_down_link_up: bool,
    /// Probability that a chip in EDPD misses a cable that is plugged in. It then stays powered
    /// down until EDPD is disabled or the cable is plugged in again.
    pub missed_wake: f64,
    /// After a shorter reset pulse the link goes down once per second. The data sheet requires 100
    /// µs; some chips need 150 µs.
    pub stable_reset_pulse: Duration,
    /// Forced to 10 Mbit/s by SMR, the link stays up when the cable is pulled.
    pub forced_10_link_sticks: bool,
    /// Value of ANAR after a reset instead of the documented one: chips were seen that advertise
    /// less after a cold boot.
    pub anar_after_reset: Option<u16>,
    /// Probability that a received frame is corrupted between PHY and MAC, with a symbol error
    /// counted, as with a wrong phase of `REF_CLK`.
    pub symbol_errors: f64,
}

impl Quirks {
    /// No quirks: the chip of the data sheet.
    pub const NONE: Self = Self {
        power_down_link_up: false,
        missed_wake: 0.0,
        stable_reset_pulse: Duration::ZERO,
        forced_10_link_sticks: false,
        anar_after_reset: None,
        symbol_errors: 0.0,
    };
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            power_down_link_up: true,
            ..Self::NONE
        }
    }
}

impl Quirks {
    /// Sets the probability that EDPD misses a cable that is plugged in.
    ///
    /// # Panics
    ///
    /// Where `p` is not between 0 and 1.
    #[must_use]
    pub fn with_missed_wake(mut self, p: f64) -> Self {
        self.missed_wake = ethdev_sim::random::probability(p);
        self
    }

    /// Sets the probability of a symbol error, per received frame.
    ///
    /// # Panics
    ///
    /// Where `p` is not between 0 and 1.
    #[must_use]
    pub fn with_symbol_errors(mut self, p: f64) -> Self {
        self.symbol_errors = ethdev_sim::random::probability(p);
        self
    }

    /// Sets that a link forced to 10 Mbit/s by SMR stays up when the cable is pulled.
    #[must_use]
    pub const fn with_forced_10_link_sticking(mut self) -> Self {
        self.forced_10_link_sticks = true;
        self
    }

    /// Sets the value of ANAR after a reset.
    #[must_use]
    pub const fn with_anar_after_reset(mut self, anar: u16) -> Self {
        self.anar_after_reset = Some(anar);
        self
    }

    /// Sets the shortest reset pulse after which the link is stable.
    #[must_use]
    pub const fn with_stable_reset_pulse(mut self, pulse: Duration) -> Self {
        self.stable_reset_pulse = pulse;
        self
    }
}

/// What releases the PHY from reset after power-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ResetWiring {
    /// The board, at time zero: an RC element or a supervisor. The host can drive the pin too.
    #[default]
    Board,
    /// The host: the pin is pulled up, and was not low yet. A hardware reset is required, 25 ms
    /// after the supplies came up at time zero (DS00002165B sections 3.8.5.1 and 5.6.3).
    Host,
}

/// How a PHY is built and wired, and its link partner.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PhyConfig {
    /// The part.
    pub part: Part,
    /// Its straps.
    pub straps: PhyStraps,
    /// What drives nRST after power-up.
    pub reset: ResetWiring,
    /// Whether the 50 MHz of `REF_CLK` are present from the start, where the PHY does not provide
    /// them.
    pub ref_clk: bool,
    /// The link partner; `None`: none yet.
    pub partner: Option<Partner>,
    /// Times.
    pub times: PhyTimes,
    /// Behaviour that is not in the data sheet.
    pub quirks: Quirks,
    /// Frequency of MDC on the whole-frame bus in hertz, at most 2.5 MHz. One access takes 64
    /// periods.
    pub mdc_hz: u32,
    /// Random faults of MDIO.
    pub faults: MdioFaults,
    /// Whether it answers at every MDIO address, as the PHY in some models of MACs does.
    pub answers_any_address: bool,
    /// Seed of everything random.
    pub seed: u64,
    /// Kinds of protocol violations that are not reported.
    pub allowed_violations: Vec<ViolationKind>,
}

impl PhyConfig {
    /// Creates the configuration of this part with default straps, released from reset by the
    /// board, with `REF_CLK`, and with a partner that negotiates all modes.
    #[must_use]
    pub fn new(part: Part) -> Self {
        Self {
            part,
            straps: PhyStraps::default(),
            reset: ResetWiring::Board,
            ref_clk: true,
            partner: Some(Partner::default()),
            times: PhyTimes::default(),
            quirks: Quirks::default(),
            mdc_hz: 2_500_000,
            faults: MdioFaults::NONE,
            answers_any_address: false,
            seed: 0,
            allowed_violations: Vec::new(),
        }
    }

    /// Sets the straps.
    #[must_use]
    pub const fn with_straps(mut self, straps: PhyStraps) -> Self {
        self.straps = straps;
        self
    }

    /// Sets that the host releases the PHY from reset.
    #[must_use]
    pub const fn with_reset_by_host(mut self) -> Self {
        self.reset = ResetWiring::Host;
        self
    }

    /// Sets that there is no `REF_CLK` until [`set_ref_clk`](crate::Lan8720Chip::set_ref_clk).
    #[must_use]
    pub const fn without_ref_clk(mut self) -> Self {
        self.ref_clk = false;
        self
    }

    /// Sets the link partner, or none.
    #[must_use]
    pub fn with_partner(mut self, partner: impl Into<Option<Partner>>) -> Self {
        self.partner = partner.into();
        self
    }

    /// Sets the times.
    #[must_use]
    pub const fn with_times(mut self, times: PhyTimes) -> Self {
        self.times = times;
        self
    }

    /// Sets the time of a soft reset; `None`: it never ends.
    #[must_use]
    pub const fn with_soft_reset(mut self, time: Option<Duration>) -> Self {
        self.times.soft_reset = time;
        self
    }

    /// Sets the times of auto-negotiation: the silence before it, and the exchange.
    #[must_use]
    pub const fn with_negotiation(mut self, break_link: Duration, exchange: Duration) -> Self {
        self.times.break_link = break_link;
        self.times.negotiation = exchange;
        self
    }

    /// Sets the quirks.
    #[must_use]
    pub const fn with_quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// Sets the frequency of MDC on the whole-frame bus in hertz.
    ///
    /// # Panics
    ///
    /// At 0 Hz.
    #[must_use]
    pub const fn with_mdc_hz(mut self, hz: u32) -> Self {
        assert!(hz > 0, "MDC is 0 Hz");
        self.mdc_hz = hz;
        self
    }

    /// Sets the random faults of MDIO.
    #[must_use]
    pub const fn with_faults(mut self, faults: MdioFaults) -> Self {
        self.faults = faults;
        self
    }

    /// Sets that the PHY answers at every MDIO address.
    #[must_use]
    pub const fn with_any_address(mut self) -> Self {
        self.answers_any_address = true;
        self
    }

    /// Sets the seed of everything random.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets a kind of protocol violation that is not reported. May be repeated.
    #[must_use]
    pub fn with_allowed_violation(mut self, kind: ViolationKind) -> Self {
        self.allowed_violations.push(kind);
        self
    }
}
