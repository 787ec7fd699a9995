//! The handle on a PHY.

use core::fmt;
use core::time::Duration;
use std::rc::Rc;

use ethdev_sim::model::PhyModel;
use ethdev_sim::{Clock, MediaSide, Port, model};

use crate::config::{Part, PhyConfig, PhyStraps, PhyTimes, Quirks};
use crate::faults::{MdioFaults, MdioLine};
use crate::mdio_bus::SimMdio;
use crate::mii::Mii;
use crate::model::{Cell, Model};
use crate::partner::Partner;
use crate::pins::{IntPin, MdcPin, MdioPin, ResetPin};
use crate::rmii::Rmii;
use crate::stats::{MdioCounters, ModelStats};
use crate::violations::{Violation, ViolationKind};

/// A LAN8720A, or a relative, on its cable. Clones are the same PHY.
#[derive(Clone)]
pub struct Lan8720Chip(Rc<Cell>);

impl Lan8720Chip {
    /// Creates a PHY at power-up, on the near end of its cable.
    ///
    /// It sets the mode of the wire from now on; the speed of the wire's configuration has no
    /// effect.
    #[must_use]
    pub fn new(clock: &Clock, port: Port, config: PhyConfig) -> Self {
        Self(Model::attach(clock, port, config))
    }

    /// Creates a LAN8720A with these straps and this partner.
    #[must_use]
    pub fn with_partner(clock: &Clock, port: Port, straps: PhyStraps, partner: Partner) -> Self {
        let config = PhyConfig::new(Part::Lan8720a).with_straps(straps).with_partner(partner);
        Self::new(clock, port, config)
    }

    /// The MAC's side of the PHY.
    #[must_use]
    pub fn rmii(&self) -> Rmii {
        Rmii::new(&self.0)
    }

    /// An MDIO bus with this PHY on it.
    #[must_use]
    pub fn mdio(&self) -> SimMdio {
        SimMdio::new(&self.0)
    }

    /// Ends a read frame of an MDIO block that keeps the time itself. Returns the value on the bus;
    /// `None`: the frame never completes.
    #[must_use]
    pub fn mdio_read(&self, address: u8, register: u8) -> Option<u16> {
        self.0.access.call(());
        self.0.with(|model| {
            let completes = model.mdio.line() != MdioLine::Hung;
            completes.then(|| model.mdio_read(address, register & 0x1f).unwrap_or(0xffff))
        })
    }

    /// Ends a write frame of an MDIO block that keeps the time itself. Returns `false` where the
    /// frame never completes.
    pub fn mdio_write(&self, address: u8, register: u8, value: u16) -> bool {
        self.0.access.call(());
        self.0.with(|model| {
            model.mdio_write(address, register & 0x1f, value);
            model.mdio.line() != MdioLine::Hung
        })
    }

    /// MDC and MDIO as pins, MDIO as open drain.
    #[must_use]
    pub fn mdio_pins(&self) -> (MdcPin, MdioPin) {
        (MdcPin::new(&self.0), MdioPin::new(&self.0, true))
    }

    /// MDC and MDIO as pins, MDIO as push-pull with a direction.
    #[must_use]
    pub fn mdio_pins_push_pull(&self) -> (MdcPin, MdioPin) {
        (MdcPin::new(&self.0), MdioPin::new(&self.0, false))
    }

    /// nINT.
    #[must_use]
    pub fn int_pin(&self) -> IntPin {
        IntPin::new(&self.0)
    }

    /// Sets a handler that is called at each falling edge of nINT. Replaces the handler before.
    ///
    /// It is called like an interrupt handler, within the call that moved the clock or used the
    /// bus. It must not use the bus.
    pub fn on_int_falling(&self, handler: impl Fn() + 'static) {
        self.0.line.on_active(Rc::new(handler));
    }

    /// nRST.
    #[must_use]
    pub fn reset_pin(&self) -> ResetPin {
        ResetPin::new(&self.0)
    }

    /// Sets a handler that is called before each access on MDIO in whole frames. Replaces the
    /// handler before.
    pub fn on_access(&self, mut handler: impl FnMut() + 'static) {
        self.0.access.set(Box::new(move |()| handler()));
    }

    /// Replaces the partner at the other end of the cable; `None`: there is no partner. A link that
    /// was up is lost.
    pub fn set_partner(&self, partner: impl Into<Option<Partner>>) {
        let partner = partner.into();
        self.0.with(|model| model.phy.set_partner(partner));
    }

    /// Starts or stops the 50 MHz of `REF_CLK`. In `REF_CLK` out mode the PHY provides them itself,
    /// and this has no effect.
    pub fn set_ref_clk(&self, present: bool) {
        self.0.with(|model| model.phy.set_ref_clk(present));
    }

    /// Injects carrier of this length without a frame, which ends now. The MAC sees it while there
    /// is a link.
    pub fn false_carrier(&self, length: Duration) {
        self.0.with(|model| Mii::false_carrier(&mut model.phy, length));
    }

    /// Injects symbol errors in `packets` packets: SECR counts them, at 100 Mbit/s.
    pub fn symbol_errors(&self, packets: u16) {
        self.0.with(|model| Mii::symbol_errors(&mut model.phy, packets));
    }

    /// Sets the quirks of the silicon.
    pub fn set_quirks(&self, quirks: Quirks) {
        self.0.update(|model| model.phy.context.config.quirks = quirks);
    }

    /// Sets the times of what begins after this call.
    pub fn set_times(&self, times: PhyTimes) {
        self.0.update(|model| model.phy.context.config.times = times);
    }

    /// Sets the random faults of MDIO.
    pub fn set_faults(&self, faults: MdioFaults) {
        self.0.update(|model| model.phy.context.config.faults = faults);
    }

    /// Sets the state of the MDIO line. Violations are not reported until the next reset.
    pub fn set_mdio_line(&self, line: MdioLine) {
        self.0.with(|model| model.mdio.set_line(&mut model.phy, line));
    }

    /// Fails the bus once, at the `n`-th access in whole frames from now, counted from 0. May be
    /// called again for others.
    pub fn fail_mdio_at(&self, n: u64) {
        self.0.update(|model| model.mdio.fail_at(n));
    }

    /// Flips these bits in the `n`-th read from now that this PHY answers, counted from 0.
    pub fn corrupt_read_at(&self, n: u64, bits: u16) {
        self.0.update(|model| model.mdio.corrupt_at(n, bits));
    }

    /// The traffic on MDIO so far.
    #[must_use]
    pub fn mdio_counters(&self) -> MdioCounters {
        self.0.model().mdio.counters
    }

    /// Reads a register, 0 to 31, without a bus, and without the side effects of a read.
    #[must_use]
    pub fn peek(&self, register: u8) -> u16 {
        self.0.model().phy.peek(register & 0x1f)
    }

    model::methods!(ModelStats, Violation, ViolationKind);
}

impl PhyModel for Lan8720Chip {
    fn media(&self) -> Box<dyn MediaSide> {
        Box::new(self.rmii())
    }

    fn mdio_read(&self, address: u8, register: u8) -> Option<u16> {
        self.mdio_read(address, register)
    }

    fn mdio_write(&self, address: u8, register: u8, value: u16) -> bool {
        self.mdio_write(address, register, value)
    }
}

impl SimMdio {
    /// Adds another PHY to the bus. Injected faults are those of the first PHY.
    #[must_use]
    pub fn with(mut self, phy: &Lan8720Chip) -> Self {
        self.push(&phy.0);
        self
    }
}

impl fmt::Debug for Lan8720Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.0.model();
        let context = &model.phy.context;
        f.debug_struct("Lan8720Chip")
            .field("part", &context.config.part)
            .field("link", &model.phy.link.agreement().map(|agreement| agreement.mode))
            .field("mdio", &model.mdio.counters)
            .field("stats", &context.stats)
            .field("violations", &context.violations.kept().len())
            .finish_non_exhaustive()
    }
}
