//! Latency of link changes and number of MDIO accesses, measured on the chip model:
//! `cargo test -p ethdev-lan8720 --test figures -- --nocapture`.

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

/// A host that calls the driver when a poll is due or the interrupt line falls, and sleeps
/// otherwise.
struct Host {
    clock: Clock,
    wire: Wire,
    chip: Lan8720Chip,
    mdio: SimMdio,
    phy: Lan8720Phy,
    irq: Rc<Cell<bool>>,
    /// When the link of the wire changed last.
    changed_at: Duration,
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
        let irq = Rc::new(Cell::new(false));
        let flag = irq.clone();
        chip.on_int_falling(move || flag.set(true));
        clock.advance(ms(30));
        let mut host = Self {
            mdio: chip.mdio(),
            phy: Lan8720Phy::new(PhyAddress::from_low_bits(1), config),
            clock,
            wire,
            chip,
            irq,
            changed_at: Duration::ZERO,
            up: false,
        };
        host.phy
            .start(&mut host.mdio, LinkModes::ALL_MODES, host.clock.now())
            .unwrap();
        host
    }

    /// Returns the first event within this time, and its latency after the change of the wire.
    fn event(&mut self, by: Duration) -> Option<(PhyEvent, Duration)> {
        let end = self.clock.now() + by;
        let mut polls = 0;
        while self.clock.now() < end {
            let now = self.clock.now();
            if self.irq.take() {
                self.phy.on_interrupt(&mut self.mdio, now).unwrap();
            }
            let wait = self.phy.next_poll(now);
            if wait.is_zero() {
                let event = self.phy.poll(&mut self.mdio, now).unwrap();
                self.watch();
                if event != PhyEvent::None {
                    return Some((event, self.clock.now() - self.changed_at));
                }
                polls += 1;
                assert!(polls < 100_000, "a poll is always due");
                continue;
            }
            let next = now.saturating_add(wait).min(end);
            self.clock
                .advance_to(self.clock.next_event().map_or(next, |event| next.min(event)));
            self.watch();
        }
        None
    }

    fn watch(&mut self) {
        let up = self.wire.link().is_up();
        if up != self.up {
            (self.up, self.changed_at) = (up, self.clock.now());
        }
    }

    fn accesses(&self) -> u64 {
        self.chip.mdio_counters().accesses()
    }
}

fn config(interrupt: bool) -> PhyConfig {
    PhyConfig::new().with_interrupt(interrupt)
}

fn name(interrupt: bool) -> &'static str {
    if interrupt { "with nINT" } else { "polled every 100 ms" }
}

/// The maximum of 60 runs, with changes at different times between two polls.
#[test]
fn link_change_latency_within_interval() {
    for interrupt in [false, true] {
        let (mut up, mut down) = (Duration::ZERO, Duration::ZERO);
        for n in 0..60 {
            let mut host = Host::new(Partner::default(), config(interrupt));
            let Some((PhyEvent::Up(_), late)) = host.event(ms(5_000)) else {
                panic!("no link")
            };
            up = up.max(late);
            // Each time at another phase of the poll interval.
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
        println!(
            "{}: up reported after at most {up:?}, down after {down:?}",
            name(interrupt)
        );
        // One interval and the accesses of the poll.
        let poll = if interrupt { Duration::ZERO } else { ms(100) };
        assert!(up <= poll + Duration::from_micros(500), "{up:?}");
        assert!(down <= poll + Duration::from_micros(500), "{down:?}");
    }
}

/// Time from the start of the driver to a link, compared with that of the chip and its partner.
#[test]
fn link_up_time_within_bound() {
    for (what, partner, theirs) in [
        ("auto-negotiation", Partner::default(), ms(1_800)),
        (
            "slow auto-negotiation",
            Partner::default().with_delay(ms(3_000)),
            ms(4_800),
        ),
        (
            "hub at 10 Mbit/s",
            Partner::forced(Speed::MBPS_10, Duplex::Half),
            ms(2_200),
        ),
    ] {
        for interrupt in [false, true] {
            let mut host = Host::new(partner, config(interrupt));
            let start = host.clock.now();
            let Some((PhyEvent::Up(_), late)) = host.event(ms(10_000)) else {
                panic!("no link")
            };
            let took = host.clock.now() - start;
            println!(
                "{what}, {}: {took:?}, of which {late:?} after the link was up",
                name(interrupt)
            );
            // The reset takes 10 ms and is polled every millisecond.
            assert!(took <= theirs + ms(112), "{took:?}");
        }
    }
}

#[test]
fn mdio_accesses_within_bound() {
    for interrupt in [false, true] {
        let mut host = Host::new(Partner::default(), config(interrupt));
        assert!(host.event(ms(5_000)).is_some());
        let to_link = host.accesses();
        assert!(host.event(Duration::from_secs(3_600)).is_none());
        let idle = host.accesses() - to_link;
        println!(
            "{}: {to_link} accesses until the link, {idle} in the hour after it",
            name(interrupt)
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
        println!("{}: {idle} accesses in an hour without a cable", name(interrupt));
        assert!(if interrupt { idle == 0 } else { idle <= 4 * 36_000 });
    }
    println!("size of Lan8720Phy on this host: {} bytes", size_of::<Lan8720Phy>());
}
