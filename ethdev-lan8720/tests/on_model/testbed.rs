//! A driver, the chip model, a wire and a virtual clock.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use ethdev_lan8720::{Lan8720Phy, PhyConfig};
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent};
use ethdev_sim::{Clock, Wire, WireConfig};
use lan8720_model::{self as sim, Lan8720Chip, MdioFault, Part, Partner, SimMdio};

pub(crate) const ADDRESS: PhyAddress = PhyAddress::from_low_bits(1);
pub(crate) const POLL: Duration = Duration::from_millis(100);
/// Upper bound of the time of the accesses of one poll and of a link that comes up: 24 accesses.
pub(crate) const POLL_TIME: Duration = Duration::from_micros(24 * 26);

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A LAN8720A at address 1 with this link partner.
pub(crate) fn chip(partner: impl Into<Option<Partner>>) -> sim::PhyConfig {
    sim::PhyConfig::new(Part::Lan8720a)
        .with_straps(sim::PhyStraps::default().with_address(1))
        .with_partner(partner)
}

pub(crate) struct Testbed {
    pub(crate) clock: Clock,
    pub(crate) wire: Wire,
    pub(crate) chip: Lan8720Chip,
    pub(crate) mdio: SimMdio,
    pub(crate) phy: Lan8720Phy,
    interrupt: Rc<Cell<bool>>,
    pub(crate) events: Vec<(Duration, PhyEvent)>,
    pub(crate) errors: Vec<(Duration, PhyError<MdioFault>)>,
    /// When the link of the wire changed last.
    pub(crate) changed_at: Duration,
    up: bool,
}

impl Testbed {
    pub(crate) fn new(chip: sim::PhyConfig, config: PhyConfig) -> Self {
        let clock = Clock::new();
        let (wire, port, _peer) = Wire::new(&clock, WireConfig::default());
        let chip = Lan8720Chip::new(&clock, port, chip);
        let interrupt = Rc::new(Cell::new(false));
        let flag = interrupt.clone();
        chip.on_int_falling(move || flag.set(true));
        // The supplies are stable and the reset is released.
        clock.advance(ms(30));
        Self {
            mdio: chip.mdio(),
            clock,
            wire,
            chip,
            phy: Lan8720Phy::new(ADDRESS, config),
            interrupt,
            events: Vec::new(),
            errors: Vec::new(),
            changed_at: Duration::ZERO,
            up: false,
        }
    }

    pub(crate) fn start(&mut self, advertise: LinkModes) -> Result<(), PhyError<MdioFault>> {
        let now = self.clock.now();
        self.phy.start(&mut self.mdio, advertise, now)
    }

    /// Returns a testbed that has run for `by`.
    pub(crate) fn started(chip: sim::PhyConfig, config: PhyConfig, by: Duration) -> Self {
        let mut testbed = Self::new(chip, config);
        testbed.start(LinkModes::ALL_MODES).unwrap();
        testbed.run(by);
        testbed
    }

    /// Advances the clock by `by`. The driver is called when a poll is due and at interrupts only.
    pub(crate) fn run(&mut self, by: Duration) {
        let end = self.clock.now() + by;
        let mut polls = 0;
        while self.clock.now() < end {
            if self.interrupt.take() {
                let now = self.clock.now();
                if let Err(error) = self.phy.on_interrupt(&mut self.mdio, now) {
                    self.errors.push((now, error));
                }
            }
            let now = self.clock.now();
            let wait = self.phy.next_poll(now);
            if wait.is_zero() {
                match self.phy.poll(&mut self.mdio, now) {
                    Ok(PhyEvent::None) => {}
                    Ok(event) => self.events.push((self.clock.now(), event)),
                    Err(error) => self.errors.push((self.clock.now(), error)),
                }
                self.watch();
                polls += 1;
                assert!(polls < 100_000, "a poll is always due");
                continue;
            }
            let next = now.saturating_add(wait).min(end);
            let next = self.clock.next_event().map_or(next, |event| next.min(event));
            self.clock.advance_to(next);
            self.watch();
        }
    }

    fn watch(&mut self) {
        let up = self.wire.link().is_up();
        if up != self.up {
            (self.up, self.changed_at) = (up, self.clock.now());
        }
    }

    pub(crate) fn take_events(&mut self) -> Vec<PhyEvent> {
        std::mem::take(&mut self.events)
            .into_iter()
            .map(|(_, event)| event)
            .collect()
    }

    pub(crate) fn take_errors(&mut self) -> Vec<PhyError<MdioFault>> {
        std::mem::take(&mut self.errors)
            .into_iter()
            .map(|(_, error)| error)
            .collect()
    }

    pub(crate) fn accesses(&self) -> u64 {
        self.chip.mdio_counters().accesses()
    }

    /// Asserts that the driver did not violate the data sheet.
    pub(crate) fn assert_no_violations(&self) {
        assert_eq!(self.chip.violations(), []);
    }
}
