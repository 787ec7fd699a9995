//! How a PHY is built and wired.

use core::time::Duration;

use super::{MdioFaults, Partner, ViolationKind};

/// Which PHY it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Part {
    /// LAN8720A: RMII. The one that the model is made for.
    Lan8720a,
    /// LAN8710A: the same with MII as well.
    Lan8710a,
    /// LAN8740A: with Energy Efficient Ethernet and wake on LAN.
    Lan8740a,
    /// LAN8742A: with wake on LAN.
    Lan8742a,
    /// LAN8700: the predecessor.
    Lan8700,
    /// The PHY inside the LAN9118 and its relatives: of the vendor's registers it has the interrupts only, the others read 0.
    Lan911x,
    /// The PHY of another maker (a Micrel KSZ8051, by its identity): the standard's registers, and none of the vendor's.
    Foreign,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Lan8720a,
        Self::Lan8710a,
        Self::Lan8740a,
        Self::Lan8742a,
        Self::Lan8700,
        Self::Lan911x,
        Self::Foreign,
    ];

    /// What registers 2 (upper half) and 3 read: revision 1 of the parts that count revisions here.
    #[must_use]
    pub const fn id(self) -> u32 {
        match self {
            Self::Lan8720a | Self::Lan8710a => 0x0007_c0f1,
            Self::Lan8740a => 0x0007_c111,
            Self::Lan8742a => 0x0007_c131,
            Self::Lan8700 => 0x0007_c0c1,
            Self::Lan911x => 0x0007_c0d1,
            Self::Foreign => 0x0022_1550,
        }
    }

    /// Whether it has registers 16 to 27 and 31.
    pub(super) const fn has_vendor_registers(self) -> bool {
        !matches!(self, Self::Lan911x | Self::Foreign)
    }

    pub(super) const fn has_interrupts(self) -> bool {
        !matches!(self, Self::Foreign)
    }

    /// Whether it has registers 7 to 15, 16, 24, 25 and 28.
    pub(super) const fn has_mmd(self) -> bool {
        matches!(self, Self::Lan8740a | Self::Lan8742a)
    }
}

/// What the MODE strap asks for (DS00002165B section 3.7.2), and SMR keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// 000: 10BASE-T half duplex, without auto-negotiation. What a MAC's pull-downs make of it.
    T10Half = 0,
    /// 001: 10BASE-T full duplex, without auto-negotiation.
    T10Full = 1,
    /// 010: 100BASE-TX half duplex, without auto-negotiation.
    Tx100Half = 2,
    /// 011: 100BASE-TX full duplex, without auto-negotiation.
    Tx100Full = 3,
    /// 100: 100BASE-TX half duplex is advertised.
    AdvertiseTx100Half = 4,
    /// 101: the same, as a repeater.
    Repeater = 5,
    /// 110: in power-down, and there to stay until SMR says otherwise.
    PowerDown = 6,
    /// 111: everything is advertised. The strap's default, by pull-ups inside the chip.
    #[default]
    AllCapable = 7,
}

/// What the pins say when nRST rises (DS00002165B section 3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PhyStraps {
    /// `MODE[2:0]`.
    pub mode: Mode,
    /// The MDIO address: 0 or 1 on the LAN8720A, which has one pin for it; 0 to 7 on those with three; any for a PHY inside a MAC.
    pub address: u8,
    /// nINTSEL: the pin nINT/REFCLKO is the 50 MHz output, and there is no interrupt. The PHY then has its own crystal.
    pub ref_clk_out: bool,
}

impl Default for PhyStraps {
    /// As the pull resistors inside the chip have it: all capable, address 0, `REF_CLK` in, nINT out.
    fn default() -> Self {
        Self {
            mode: Mode::AllCapable,
            address: 0,
            ref_clk_out: false,
        }
    }
}

impl PhyStraps {
    /// The same with this mode.
    #[must_use]
    pub const fn with_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// The same at this address.
    ///
    /// # Panics
    ///
    /// Above 31.
    #[must_use]
    pub const fn with_address(mut self, address: u8) -> Self {
        assert!(address < 32, "an MDIO address has five bits");
        self.address = address;
        self
    }

    /// The same as a source of `REF_CLK`.
    #[must_use]
    pub const fn with_ref_clk_out(mut self) -> Self {
        self.ref_clk_out = true;
        self
    }
}

/// What takes how long. The default where the sources are silent is a guess, and said to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhyTimes {
    /// A soft reset: 0.5 s at most (DS00002165B section 3.8.5.2). The default, 10 ms, is a guess. `None`: it never ends.
    pub soft_reset: Option<Duration>,
    /// From the rise of nRST until the registers answer: 800 ns, within which the outputs are driven (table 5-7).
    pub hard_reset: Duration,
    /// How long nothing is sent before auto-negotiation begins: about 1.2 s (section 3.2.2).
    pub break_link: Duration,
    /// The exchange of fast link pulses, until the link is up. The default, 0.6 s, is a guess.
    pub negotiation: Duration,
    /// How long it takes to see that a partner does not negotiate, until the link is up: `autoneg_wait_timer` (IEEE 802.3 table 28-9, 0.5 s to 1 s) and what
    /// comes before. The default is 1 s.
    pub parallel_detection: Duration,
    /// How long a forced mode takes to find its link. The default, 10 ms, is a guess.
    pub forced_link: Duration,
    /// How long 10BASE-T keeps its link without hearing anything: `link_loss_timer` (IEEE 802.3 clause 14.2.1.7, 50 ms to 150 ms). 100BASE-TX loses it at once.
    pub link_loss_10: Duration,
    /// Until ENERGYON falls without energy: 256 ms (DS00002165B section 3.8.3.2).
    pub energy_off: Duration,
    /// From energy until ENERGYON rises. The default, 1 ms, is a guess; where EDPD was just switched off, boards were seen to need up to 1.5 s.
    pub energy_on: Duration,
    /// From the rising edge of MDC until MDIO is valid: 300 ns at most (table 5-9).
    pub mdio_valid: Duration,
    /// How long MDIO takes to rise where nobody drives it: the pull-up against the line's capacity. 0 by default.
    pub mdio_rise: Duration,
    /// What the host takes to set or read one of the MDIO pins. 0 by default.
    pub pin: Duration,
    /// How long a whole-frame MDIO bus waits for an operation that never completes.
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
    /// The same with ENERGYON falling so long after the last energy, and rising so long after the first.
    #[must_use]
    pub const fn with_energy(mut self, off: Duration, on: Duration) -> Self {
        self.energy_off = off;
        self.energy_on = on;
        self
    }

    /// The same with MDIO valid so long after MDC's rising edge, and rising in this time where nobody drives it.
    #[must_use]
    pub const fn with_mdio(mut self, valid: Duration, rise: Duration) -> Self {
        self.mdio_valid = valid;
        self.mdio_rise = rise;
        self
    }

    /// The same with each access to an MDIO pin taking this long.
    #[must_use]
    pub const fn with_pin(mut self, pin: Duration) -> Self {
        self.pin = pin;
        self
    }

    /// The same with an exchange of this length, for those that negotiate and for those that are detected.
    #[must_use]
    pub const fn with_exchange(mut self, negotiation: Duration, parallel_detection: Duration) -> Self {
        self.negotiation = negotiation;
        self.parallel_detection = parallel_detection;
        self
    }
}

/// What silicon does that its data sheet does not say. The default is what was seen on LAN8720A boards.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Flaws {
    /// In power-down BMSR reads 0x780D: the link bit is set.
    pub power_down_lie: bool,
    /// The probability that a chip asleep by EDPD does not notice a cable that is plugged in. It then sleeps on until EDPD is switched off, or the cable is
    /// plugged in again.
    pub missed_wake: f64,
    /// A reset pulse shorter than this leaves a chip whose link goes down once per second. 100 µs are asked for, and 150 µs are needed by some.
    pub zombie_below: Duration,
    /// Forced to 10 Mbit/s by SMR, the chip does not notice that its cable is pulled.
    pub forced_10_sticks: bool,
    /// What ANAR holds after a reset instead of what it should: after a cold boot, chips were seen that advertised less.
    pub anar_after_reset: Option<u16>,
    /// The probability that a received frame is damaged between PHY and MAC, with a symbol error counted: what a wrong phase of `REF_CLK` looks like.
    pub symbol_errors: f64,
}

impl Flaws {
    /// None: the data sheet's chip.
    pub const NONE: Self = Self {
        power_down_lie: false,
        missed_wake: 0.0,
        zombie_below: Duration::ZERO,
        forced_10_sticks: false,
        anar_after_reset: None,
        symbol_errors: 0.0,
    };
}

impl Default for Flaws {
    fn default() -> Self {
        Self {
            power_down_lie: true,
            ..Self::NONE
        }
    }
}

impl Flaws {
    /// The same with this probability that EDPD sleeps through a plugged cable.
    ///
    /// # Panics
    ///
    /// Where the number is no probability; so for the others.
    #[must_use]
    pub fn with_missed_wake(mut self, p: f64) -> Self {
        self.missed_wake = ethdev_sim::random::probability(p);
        self
    }

    /// The same with this probability of symbol errors, per received frame.
    #[must_use]
    pub fn with_symbol_errors(mut self, p: f64) -> Self {
        self.symbol_errors = ethdev_sim::random::probability(p);
        self
    }

    /// The same, not noticing that its cable is pulled while SMR forces it to 10 Mbit/s.
    #[must_use]
    pub const fn with_forced_10_sticking(mut self) -> Self {
        self.forced_10_sticks = true;
        self
    }

    /// The same with this in ANAR after each reset.
    #[must_use]
    pub const fn with_anar_after_reset(mut self, anar: u16) -> Self {
        self.anar_after_reset = Some(anar);
        self
    }

    /// The same, needing this long a reset pulse.
    #[must_use]
    pub const fn with_zombie_below(mut self, pulse: Duration) -> Self {
        self.zombie_below = pulse;
        self
    }
}

/// Who releases the PHY from reset after power-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ResetWiring {
    /// The board did, at time zero: by an RC element or a supervisor. The pin can be driven all the same.
    #[default]
    Board,
    /// The host has to: the pin is pulled up, and nobody has pulled it down yet. A hardware reset after power-up is required, 25 ms after the supplies came
    /// up at time zero (DS00002165B sections 3.8.5.1 and 5.6.3).
    Host,
}

/// How a PHY is built, wired, and what is at the other end of its cable.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PhyConfig {
    /// Which PHY.
    pub part: Part,
    /// What its pins say at reset.
    pub straps: PhyStraps,
    /// Who drives nRST.
    pub reset: ResetWiring,
    /// Whether the 50 MHz of `REF_CLK` are there from the start, where the PHY does not make them itself.
    pub ref_clk: bool,
    /// Who is at the other end of the cable; `None`: nobody yet.
    pub partner: Option<Partner>,
    /// What takes how long.
    pub times: PhyTimes,
    /// What the data sheet does not say.
    pub flaws: Flaws,
    /// The MDC clock of the whole-frame bus in Hz: one access takes 64 periods. At most 2.5 MHz.
    pub mdc_hz: u32,
    /// What goes wrong on MDIO, from the start.
    pub faults: MdioFaults,
    /// Whether it answers at every MDIO address, as the PHY in some models of MACs does.
    pub answers_everywhere: bool,
    /// Seed of everything random.
    pub seed: u64,
    /// Kinds of misuse that are not reported.
    pub allowed: Vec<ViolationKind>,
}

impl PhyConfig {
    /// This part, its straps left alone, released from reset by the board, with `REF_CLK`, and a partner that negotiates all modes.
    #[must_use]
    pub fn new(part: Part) -> Self {
        Self {
            part,
            straps: PhyStraps::default(),
            reset: ResetWiring::Board,
            ref_clk: true,
            partner: Some(Partner::default()),
            times: PhyTimes::default(),
            flaws: Flaws::default(),
            mdc_hz: 2_500_000,
            faults: MdioFaults::NONE,
            answers_everywhere: false,
            seed: 0,
            allowed: Vec::new(),
        }
    }

    /// The same with these straps.
    #[must_use]
    pub const fn with_straps(mut self, straps: PhyStraps) -> Self {
        self.straps = straps;
        self
    }

    /// The same with nRST in the host's hands.
    #[must_use]
    pub const fn with_reset_by_host(mut self) -> Self {
        self.reset = ResetWiring::Host;
        self
    }

    /// The same without `REF_CLK` until [`set_ref_clk`](super::Lan8720Chip::set_ref_clk).
    #[must_use]
    pub const fn without_ref_clk(mut self) -> Self {
        self.ref_clk = false;
        self
    }

    /// The same with this partner, or none.
    #[must_use]
    pub fn with_partner(mut self, partner: impl Into<Option<Partner>>) -> Self {
        self.partner = partner.into();
        self
    }

    /// The same with these times.
    #[must_use]
    pub const fn with_times(mut self, times: PhyTimes) -> Self {
        self.times = times;
        self
    }

    /// The same with a soft reset that takes this long; `None`: it never ends.
    #[must_use]
    pub const fn with_soft_reset(mut self, time: Option<Duration>) -> Self {
        self.times.soft_reset = time;
        self
    }

    /// The same with auto-negotiation taking this long from its start to the link: the break before it, and the exchange.
    #[must_use]
    pub const fn with_negotiation(mut self, break_link: Duration, exchange: Duration) -> Self {
        self.times.break_link = break_link;
        self.times.negotiation = exchange;
        self
    }

    /// The same with these flaws.
    #[must_use]
    pub const fn with_flaws(mut self, flaws: Flaws) -> Self {
        self.flaws = flaws;
        self
    }

    /// The same with this MDC clock on the whole-frame bus.
    ///
    /// # Panics
    ///
    /// At 0 Hz.
    #[must_use]
    pub const fn with_mdc_hz(mut self, hz: u32) -> Self {
        assert!(hz > 0, "a clock that stands still moves no bits");
        self.mdc_hz = hz;
        self
    }

    /// The same with these faults on MDIO from the start.
    #[must_use]
    pub const fn with_faults(mut self, faults: MdioFaults) -> Self {
        self.faults = faults;
        self
    }

    /// The same, answering at every address.
    #[must_use]
    pub const fn answering_everywhere(mut self) -> Self {
        self.answers_everywhere = true;
        self
    }

    /// The same with this seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same, not reporting this kind of misuse.
    #[must_use]
    pub fn allowing(mut self, kind: ViolationKind) -> Self {
        self.allowed.push(kind);
        self
    }
}
