//! What a PHY costs and how fast a link is noticed, measured on the model of the chip: `cargo test -p ethdev-lan8720 --test phy_figures -- --nocapture`.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use ethdev::{Duplex, Speed};
use ethdev_lan8720::{Lan8720Phy, PhyConfig};
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::phy::{LinkModes, Phy, PhyEvent};
use ethdev_sim::{Clock, Wire, WireConfig};
use lan8720_model::{self as sim, Lan8720Chip, Part, Partner, SimMdio};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A PHY that is looked after by a host which does nothing but sleep until the driver wants it, or its line does.
struct Host {
    clock: Clock,
    wire: Wire,
    chip: Lan8720Chip,
    mdio: SimMdio,
    phy: Lan8720Phy,
    line: Rc<Cell<bool>>,
    /// When the wire's link changed last.
    turned: Duration,
    up: bool,
}

impl Host {
    fn new(partner: impl Into<Option<Partner>>, config: PhyConfig) -> Self {
        let clock = Clock::new();
        let (wire, port, _peer) = Wire::new(&clock, WireConfig::default());
        let chip = sim::PhyConfig::new(Part::Lan8720a)
            .with_straps(sim::PhyStraps::default().with_address(1))
            .with_partner(partner);
        let chip = Lan8720Chip::new(&clock, port, chip);
        let line = Rc::new(Cell::new(false));
        let flag = line.clone();
        chip.on_int_falling(move || flag.set(true));
        clock.advance(ms(30));
        let mut host = Self {
            mdio: chip.mdio(),
            phy: Lan8720Phy::new(PhyAddress::from_low_bits(1), config),
            clock,
            wire,
            chip,
            line,
            turned: Duration::ZERO,
            up: false,
        };
        host.phy
            .start(&mut host.mdio, LinkModes::ALL_MODES, host.clock.now())
            .unwrap();
        host
    }

    /// The first event within this time: how long after the wire's change it was told.
    fn event(&mut self, by: Duration) -> Option<(PhyEvent, Duration)> {
        let end = self.clock.now() + by;
        while self.clock.now() < end {
            let now = self.clock.now();
            if self.line.take() {
                self.phy.on_interrupt(&mut self.mdio, now).unwrap();
            }
            let pause = self.phy.next_poll(now);
            if pause.is_zero() {
                let event = self.phy.poll(&mut self.mdio, now).unwrap();
                self.watch();
                if event != PhyEvent::None {
                    return Some((event, self.clock.now() - self.turned));
                }
                continue;
            }
            let next = now.saturating_add(pause).min(end);
            self.clock
                .advance_to(self.clock.next_event().map_or(next, |event| next.min(event)));
            self.watch();
        }
        None
    }

    fn watch(&mut self) {
        let up = self.wire.link().is_up();
        if up != self.up {
            (self.up, self.turned) = (up, self.clock.now());
        }
    }

    fn accesses(&self) -> u64 {
        self.chip.mdio_counters().accesses()
    }
}

fn config(interrupt: bool) -> PhyConfig {
    PhyConfig::new().with_interrupt(interrupt)
}

fn named(interrupt: bool) -> &'static str {
    if interrupt { "with nINT" } else { "polled every 100 ms" }
}

/// The longest of many, the cable plugged and pulled at ever other moments between two polls.
#[test]
fn how_late_a_link_is_told() {
    for interrupt in [false, true] {
        let (mut up, mut down) = (Duration::ZERO, Duration::ZERO);
        for n in 0..60 {
            let mut host = Host::new(Partner::default(), config(interrupt));
            let Some((PhyEvent::Up(_), late)) = host.event(ms(5_000)) else {
                panic!("no link")
            };
            up = up.max(late);
            // Well after that, and never at the same phase of a poll.
            assert!(host.event(ms(300) + Duration::from_micros(n * 1_713)).is_none());
            host.wire.set_link(false);
            host.watch();
            let Some((PhyEvent::Down, late)) = host.event(ms(1_000)) else {
                panic!("a link")
            };
            down = down.max(late);
            assert!(host.event(ms(50) + Duration::from_micros(n * 1_713)).is_none());
            host.wire.set_link(true);
            let Some((PhyEvent::Up(_), late)) = host.event(ms(5_000)) else {
                panic!("no link")
            };
            up = up.max(late);
        }
        println!("{}: up told {up:?} late at most, down {down:?}", named(interrupt));
        // One poll, and the accesses of the look.
        let poll = if interrupt { Duration::ZERO } else { ms(100) };
        assert!(up <= poll + Duration::from_micros(500), "{up:?}");
        assert!(down <= poll + Duration::from_micros(500), "{down:?}");
    }
}

/// From the start of the driver to a link, beside what the chip and its partner need for it.
#[test]
fn how_long_a_link_takes() {
    for (what, partner, theirs) in [
        ("a partner that negotiates", Partner::default(), ms(1_800)),
        ("a slow one", Partner::default().with_delay(ms(3_000)), ms(4_800)),
        (
            "a hub at 10 Mbit/s",
            Partner::forced(Speed::MBPS_10, Duplex::Half),
            ms(2_200),
        ),
    ] {
        for interrupt in [false, true] {
            let mut host = Host::new(partner, config(interrupt));
            let began = host.clock.now();
            let Some((PhyEvent::Up(_), late)) = host.event(ms(10_000)) else {
                panic!("no link")
            };
            let took = host.clock.now() - began;
            println!(
                "{what}, {}: {took:?}, of which {late:?} after the link was there",
                named(interrupt)
            );
            // The reset takes 10 ms, and is looked at every millisecond.
            assert!(took <= theirs + ms(112), "{took:?}");
        }
    }
}

#[test]
fn what_it_costs_on_mdio() {
    for interrupt in [false, true] {
        let mut host = Host::new(Partner::default(), config(interrupt));
        assert!(host.event(ms(5_000)).is_some());
        let to_link = host.accesses();
        assert!(host.event(Duration::from_secs(3_600)).is_none());
        let idle = host.accesses() - to_link;
        println!(
            "{}: {to_link} accesses to the link, {idle} in the hour after it",
            named(interrupt)
        );
        if interrupt {
            assert_eq!(idle, 0);
        } else {
            // Three reads each time.
            assert!(idle <= 3 * 36_000);
        }
        assert!(to_link <= if interrupt { 50 } else { 130 }, "{to_link}");

        let mut host = Host::new(None, config(interrupt));
        assert!(host.event(ms(5_000)).is_none());
        let before = host.accesses();
        assert!(host.event(Duration::from_secs(3_600)).is_none());
        let idle = host.accesses() - before;
        println!("{}: {idle} accesses in an hour without a cable", named(interrupt));
        assert!(if interrupt { idle == 0 } else { idle <= 4 * 36_000 });
    }
    println!("{} bytes of RAM for a PHY on this host", size_of::<Lan8720Phy>());
}
