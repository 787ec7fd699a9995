//! The SMSC (Microchip) LAN8720A: a 10/100 PHY between RMII and copper, with its relatives, and the partner at the other end of the cable.
//!
//! Sources: the data sheet DS00002165B, those of its relatives where they differ, IEEE 802.3 clauses 22 and 28, and what users of the chip found out.
//!
//! # Units and conventions
//!
//! Time is the clock's: each bit on MDIO, a reset, auto-negotiation, each frame. The PHY sits on the first port of a [`Wire`](ethdev_sim::Wire), which is up at the
//! speed that was agreed on, and only then; the cable is the wire's ([`Wire::set_link`](ethdev_sim::Wire::set_link)), and who is at its other end is a [`Partner`]. A
//! model of a MAC sits on the PHY's [`Rmii`]; MDIO comes in whole frames ([`SimMdio`]) or bit by bit ([`MdcPin`], [`MdioPin`]).
//!
//! # Where the sources are silent
//!
//! What takes how long is in [`PhyTimes`], guesses named as such. Register 5 keeps the partner's old page until the next one comes. Without a common mode
//! auto-negotiation never completes, as in the standard, and begins again. Parallel detection finds 10 and 100 Mbit/s, whatever is advertised. A PHY in its
//! `break_link` time, asleep or powered down sends nothing; a partner that sleeps hears nothing then.
//!
//! # Not modelled
//!
//! LEDs, collision test, jabber, the wake-on-LAN and cable diagnostics of the LAN8740A and LAN8742A (their registers keep what is written to them), and the
//! interrupt by ENERGYON that silicon repeats a second after it was masked.

#![forbid(unsafe_code)]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod bits;
mod config;
mod counters;
mod energy;
mod faults;
mod hardware;
mod link;
mod media;
mod partner;
mod pins;
mod power;
mod registers;
mod smi;
mod status;
mod violations;

use core::fmt;
use core::time::Duration;
use std::rc::Rc;

pub use config::{Flaws, Mode, Part, PhyConfig, PhyStraps, PhyTimes, ResetWiring};
pub use counters::{MdioCounters, ModelStats};
pub use faults::{MdioFault, MdioFaults, MdioLine};
pub use media::Rmii;
pub use partner::{Partner, Setting};
pub use pins::{IntPin, MdcPin, MdioPin, ResetPin};
pub use smi::SimMdio;
pub use violations::{Violation, ViolationKind};

use ethdev_sim::{Clock, Port, SimDelay};
use hardware::Shared;

/// A LAN8720A, or one of its relatives, on its cable. Clones are the same PHY.
///
/// ```
/// use ethdev_phy::mdio::{Mdio, PhyAddress};
/// use ethdev_phy::phy::reg;
/// use lan8720_model::{Lan8720Chip, Partner, PhyStraps};
/// use ethdev_sim::{Clock, Wire, WireConfig};
/// use std::time::Duration;
///
/// let clock = Clock::new();
/// let (wire, port, _peer) = Wire::new(&clock, WireConfig::default());
/// let phy = Lan8720Chip::with_partner(&clock, port, PhyStraps::default().with_address(1), Partner::default());
/// let (mut mdio, address) = (phy.mdio(), PhyAddress::new(1).unwrap());
/// assert_eq!(mdio.read(address, reg::PHYID2), Ok(0xc0f1));
/// assert_eq!(clock.now(), Duration::from_nanos(25_600)); // 64 bits of 400 ns
/// assert!(!wire.link().is_up());
/// clock.advance(Duration::from_secs(2)); // auto-negotiation
/// assert!(wire.link().is_up());
/// // The link bit latches low: the first read tells of the past.
/// assert_eq!(mdio.read(address, reg::BMSR), Ok(0x7829));
/// assert_eq!(mdio.read(address, reg::BMSR), Ok(0x782d));
/// assert_eq!(phy.violations(), []);
/// ```
#[derive(Clone)]
pub struct Lan8720Chip(Rc<Shared>);

impl Lan8720Chip {
    /// A PHY at power-up, on the near end of its cable.
    ///
    /// From now on it decides the mode of the wire; what the wire's configuration says of its speed does not matter.
    #[must_use]
    pub fn new(clock: &Clock, port: Port, config: PhyConfig) -> Self {
        Self(Shared::new(clock, port, config))
    }

    /// A LAN8720A with these straps and this partner: for those who want a PHY to put a MAC on, and nothing special.
    #[must_use]
    pub fn with_partner(clock: &Clock, port: Port, straps: PhyStraps, partner: Partner) -> Self {
        let config = PhyConfig::new(Part::Lan8720a).with_straps(straps).with_partner(partner);
        Self::new(clock, port, config)
    }

    /// The MAC's side of the PHY.
    #[must_use]
    pub fn rmii(&self) -> Rmii {
        Rmii(self.0.clone())
    }

    /// An MDIO bus with this PHY on it.
    #[must_use]
    pub fn mdio(&self) -> SimMdio {
        SimMdio::new(&self.0)
    }

    /// What a read frame that ends now gives to an MDIO block which takes care of the time itself: a part of a model of a MAC. `None`: it never completes.
    #[must_use]
    pub fn mdio_read(&self, address: u8, register: u8) -> Option<u16> {
        self.0.access.call(());
        self.0.with(|phy| {
            (phy.smi.line != MdioLine::Hung).then(|| phy.answer(address, register & 0x1f).unwrap_or(0xffff))
        })
    }

    /// The same for a write frame; `false`: it never completes.
    pub fn mdio_write(&self, address: u8, register: u8, value: u16) -> bool {
        self.0.access.call(());
        self.0.with(|phy| {
            phy.take(address, register & 0x1f, value);
            phy.smi.line != MdioLine::Hung
        })
    }

    /// MDC and MDIO as pins, MDIO as open drain.
    #[must_use]
    pub fn mdio_pins(&self) -> (MdcPin, MdioPin) {
        (MdcPin::new(&self.0), MdioPin::new(&self.0, true))
    }

    /// MDC and MDIO as pins, MDIO with a direction.
    #[must_use]
    pub fn mdio_pins_push_pull(&self) -> (MdcPin, MdioPin) {
        (MdcPin::new(&self.0), MdioPin::new(&self.0, false))
    }

    /// nINT.
    #[must_use]
    pub fn int_pin(&self) -> IntPin {
        IntPin::new(&self.0)
    }

    /// Calls `handler` at each falling edge of nINT; for instance to ring a interrupt signal. Takes the place of the one before.
    ///
    /// It is called with nothing borrowed, in the middle of whatever moved the clock or the bus: like an interrupt handler. It must not use the bus.
    pub fn on_int_falling(&self, handler: impl Fn() + 'static) {
        self.0.line.on_active(Rc::new(handler));
    }

    /// nRST.
    #[must_use]
    pub fn reset_pin(&self) -> ResetPin {
        ResetPin::new(&self.0)
    }

    /// Calls `handler` before each access on MDIO in whole frames. Takes the place of the one before.
    pub fn on_access(&self, mut handler: impl FnMut() + 'static) {
        self.0.access.set(Box::new(move |()| handler()));
    }

    /// Delays on the PHY's clock.
    #[must_use]
    pub fn delay(&self) -> SimDelay {
        SimDelay::new(&self.0.clock)
    }

    /// The PHY's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.clock.clone()
    }

    /// Puts another partner at the other end of the cable, or nobody. A link that was up is lost, however fast it was done.
    pub fn set_partner(&self, partner: impl Into<Option<Partner>>) {
        let partner = partner.into();
        self.0.with(|phy| phy.set_partner(partner));
    }

    /// Starts or stops the 50 MHz of `REF_CLK`. In `REF_CLK` out mode they are the PHY's own, and this does nothing.
    pub fn set_ref_clk(&self, present: bool) {
        self.0.with(|phy| phy.set_ref_clk(present));
    }

    /// Carrier of this length, which ends now and brought no frame. The MAC sees it while there is a link.
    pub fn false_carrier(&self, length: Duration) {
        self.0.with(|phy| phy.false_carrier(length));
    }

    /// Symbol errors in so many packets: SECR counts them, at 100 Mbit/s.
    pub fn symbol_errors(&self, packets: u16) {
        self.0.with(|phy| phy.symbol_errors(packets));
    }

    /// Other flaws from now on.
    pub fn set_flaws(&self, flaws: Flaws) {
        self.0.core.borrow_mut().config.flaws = flaws;
    }

    /// Other times from now on: for what begins after this.
    pub fn set_times(&self, times: PhyTimes) {
        self.0.core.borrow_mut().config.times = times;
    }

    /// Other random faults on MDIO from now on.
    pub fn set_faults(&self, faults: MdioFaults) {
        self.0.core.borrow_mut().config.faults = faults;
    }

    /// Another state of the MDIO line. While it is not connected, what the host writes does not arrive.
    pub fn set_mdio_line(&self, line: MdioLine) {
        self.0.with(|phy| {
            phy.tainted = true;
            phy.smi.line = line;
        });
    }

    /// Fails the bus once, at the `n`-th access in whole frames from now, counted from 0. May be called again for others.
    pub fn fail_mdio_at(&self, n: u64) {
        self.0.core.borrow_mut().smi.fail_in.push_back(n);
    }

    /// Flips these bits in the `n`-th read from now that this PHY answers, counted from 0.
    pub fn corrupt_read_at(&self, n: u64, bits: u16) {
        self.0.core.borrow_mut().smi.corrupt_in = Some((n, bits));
    }

    /// The traffic on MDIO so far.
    #[must_use]
    pub fn mdio_counters(&self) -> MdioCounters {
        self.0.core.borrow().mdio
    }

    /// What became of every frame and of the link so far.
    #[must_use]
    pub fn stats(&self) -> ModelStats {
        self.0.core.borrow().stats
    }

    /// The misuse so far, in order, up to a thousand.
    ///
    /// What a host does after a fault that was injected and before the next reset of the PHY is not held against it.
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

    /// Looks at a register, 0 to 31, without a bus, and without what a read clears.
    #[must_use]
    pub fn peek(&self, register: u8) -> u16 {
        self.0.core.borrow().peek(register & 0x1f)
    }
}

impl fmt::Debug for Lan8720Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phy = self.0.core.borrow();
        f.debug_struct("Lan8720Chip")
            .field("part", &phy.config.part)
            .field("link", &phy.link.agreement().map(|agreement| agreement.mode))
            .field("mdio", &phy.mdio)
            .field("stats", &phy.stats)
            .field("violations", &phy.violations.len())
            .finish_non_exhaustive()
    }
}
