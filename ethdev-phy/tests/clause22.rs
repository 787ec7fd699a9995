//! The state machine of `Clause22` on mock registers.

use std::ops::Range;
use std::time::Duration;

use ethdev::{Duplex, ErrorKind, Link, LinkMode, Pause, Speed};
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::phy::{Clause22, LinkModes, Phy, PhyError, PhyEvent, PhyId, PhyOps, PhyRegisters, PhyState};

const ADDRESS: PhyAddress = PhyAddress::from_low_bits(3);
const NO_PHY: PhyError<ErrorKind> = PhyError::NotResponding(ADDRESS);
const FULL_100: LinkMode = LinkMode::new(Speed::MBPS_100, Duplex::Full);
const HALF_100: LinkMode = LinkMode::new(Speed::MBPS_100, Duplex::Half);
const FULL_10: LinkMode = LinkMode::new(Speed::MBPS_10, Duplex::Full);
const HALF_10: LinkMode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
const EVERY_MODE: u16 = 0x01e1;

/// Registers 0 to 6 as clause 22 describes them.
struct Registers {
    control: u16,
    id: [u16; 2],
    advertised: u16,
    partner: u16,
    expansion: u16,
    link: bool,
    complete: bool,
    /// The link was down since register 1 was read last.
    lost: bool,
    /// Reads of register 0 until a reset ends.
    reset_reads: u32,
    in_reset: u32,
    /// Every read, while set; nothing is written then.
    stuck_at: Option<u16>,
    /// Reads are good, and nothing is written.
    loses_writes: bool,
    accesses: usize,
    failing: Range<usize>,
    writes: Vec<(u8, u16)>,
}

impl Registers {
    fn new() -> Self {
        Self {
            control: 0x3000,
            id: [0x0022, 0x1550],
            advertised: EVERY_MODE,
            partner: 0,
            expansion: 0,
            link: false,
            complete: false,
            lost: true,
            reset_reads: 2,
            in_reset: 0,
            stuck_at: None,
            loses_writes: false,
            accesses: 0,
            failing: 0..0,
            writes: Vec::new(),
        }
    }

    fn reset(&mut self) {
        (self.control, self.advertised) = (0x3000, EVERY_MODE);
        self.link_down();
    }

    /// The link comes up by auto-negotiation with a partner that advertises this.
    fn link_up(&mut self, partner: u16) {
        (self.partner, self.expansion) = (partner, 1);
        (self.link, self.complete) = (true, true);
    }

    fn link_down(&mut self) {
        (self.link, self.complete, self.lost) = (false, false, true);
        (self.partner, self.expansion) = (0, 0);
    }

    fn access(&mut self) -> Result<(), ErrorKind> {
        self.accesses += 1;
        if self.failing.contains(&(self.accesses - 1)) {
            return Err(ErrorKind::Timeout);
        }
        Ok(())
    }
}

impl Mdio for Registers {
    type Error = ErrorKind;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, ErrorKind> {
        assert_eq!(phy, ADDRESS);
        self.access()?;
        if let Some(value) = self.stuck_at {
            return Ok(value);
        }
        Ok(match register.get() {
            0 if self.in_reset > 0 => {
                self.in_reset -= 1;
                self.control | 0x8000
            }
            0 => self.control,
            1 => {
                let up = self.link && !self.lost;
                self.lost = !self.link;
                0x7809 | u16::from(self.complete) << 5 | u16::from(up) << 2
            }
            2 => self.id[0],
            3 => self.id[1],
            4 => self.advertised,
            5 => self.partner,
            6 => self.expansion,
            other => panic!("register {other} is read"),
        })
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), ErrorKind> {
        assert_eq!(phy, ADDRESS);
        self.access()?;
        self.writes.push((register.get(), value));
        if self.stuck_at.is_some() || self.loses_writes || self.in_reset > 0 {
            return Ok(());
        }
        match register.get() {
            0 if value & 0x8000 != 0 => {
                self.reset();
                self.in_reset = self.reset_reads;
            }
            0 => {
                if value & 0x0200 != 0 {
                    self.link_down();
                }
                self.control = value & !0x0200;
            }
            4 => self.advertised = value,
            other => panic!("{value:#06x} is written to register {other}"),
        }
        Ok(())
    }
}

/// No operations of its own, with or without an interrupt line.
#[derive(Default)]
struct Ops {
    interrupts: bool,
    down_poll: Option<Duration>,
}

impl PhyOps for Ops {
    fn matches(&mut self, _: PhyId) -> bool {
        true
    }

    fn link_down_poll<M: Mdio + ?Sized>(
        &mut self,
        _: &mut PhyRegisters<'_, M>,
        _: Duration,
    ) -> Result<Duration, M::Error> {
        Ok(self.down_poll.unwrap_or(Duration::MAX))
    }

    fn uses_interrupt(&self) -> bool {
        self.interrupts
    }
}

struct Harness {
    phy: Clause22<Ops>,
    chip: Registers,
    now: Duration,
    events: Vec<PhyEvent>,
    errors: Vec<PhyError<ErrorKind>>,
}

impl Harness {
    fn new(phy: Clause22<Ops>) -> Self {
        Self {
            phy,
            chip: Registers::new(),
            now: Duration::from_secs(5),
            events: Vec::new(),
            errors: Vec::new(),
        }
    }

    fn started() -> Self {
        Self::started_with(Clause22::new(ADDRESS, Ops::default()))
    }

    /// Past the reset.
    fn started_with(phy: Clause22<Ops>) -> Self {
        let mut harness = Self::new(phy);
        harness.start(LinkModes::ALL_MODES).unwrap();
        harness.run(20);
        assert_eq!(harness.phy.state(), PhyState::Down);
        harness
    }

    fn up() -> Self {
        let mut harness = Self::started();
        harness.chip.link_up(EVERY_MODE);
        harness.run(150);
        assert_eq!(harness.take(), (vec![PhyEvent::Up(FULL_100)], vec![]));
        harness
    }

    fn start(&mut self, advertise: LinkModes) -> Result<(), PhyError<ErrorKind>> {
        self.phy.start(&mut self.chip, advertise, self.now)
    }

    fn poll(&mut self) {
        match self.phy.poll(&mut self.chip, self.now) {
            Ok(PhyEvent::None) => {}
            Ok(event) => self.events.push(event),
            Err(error) => self.errors.push(error),
        }
    }

    /// Advances the clock, and polls whenever that is due.
    fn run(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        for _ in 0..100_000 {
            let wait = self.phy.next_poll(self.now);
            if wait > end - self.now {
                self.now = end;
                return;
            }
            self.now += wait;
            self.poll();
        }
        panic!("a poll is always due");
    }

    /// Polls once, when that is due.
    fn poll_due(&mut self) {
        self.now += self.phy.next_poll(self.now);
        self.poll();
    }

    fn set_forced_mode(&mut self, mode: Option<(Speed, Duplex)>) -> Result<(), PhyError<ErrorKind>> {
        self.phy.set_forced_mode(&mut self.chip, mode, self.now)
    }

    fn set_advertise(&mut self, modes: LinkModes) -> Result<(), PhyError<ErrorKind>> {
        self.phy.set_advertise(&mut self.chip, modes, self.now)
    }

    fn set_loopback(&mut self, mode: Option<(Speed, Duplex)>) -> Result<(), PhyError<ErrorKind>> {
        self.phy.set_loopback(&mut self.chip, mode, self.now)
    }

    fn take(&mut self) -> (Vec<PhyEvent>, Vec<PhyError<ErrorKind>>) {
        (std::mem::take(&mut self.events), std::mem::take(&mut self.errors))
    }
}

const FORCED: Option<(Speed, Duplex)> = Some((Speed::MBPS_10, Duplex::Full));

#[test]
fn start_resets_then_advertises() {
    let mut harness = Harness::new(Clause22::new(ADDRESS, Ops::default()));
    assert_eq!((harness.phy.address(), harness.phy.id()), (ADDRESS, None));
    assert_eq!(harness.phy.next_poll(harness.now), Duration::MAX);
    harness.start(LinkModes::ALL_MODES).unwrap();
    assert_eq!(harness.phy.state(), PhyState::Resetting);
    assert_eq!(harness.phy.next_poll(harness.now), Duration::from_millis(1));
    assert_eq!(harness.chip.writes, [(0, 0x8000)]);
    // Two reads show the reset, the third its end.
    harness.run(2);
    assert_eq!(harness.phy.state(), PhyState::Resetting);
    harness.run(1);
    assert_eq!(harness.phy.state(), PhyState::Down);
    assert_eq!(harness.chip.writes, [(0, 0x8000), (4, EVERY_MODE), (0, 0x1200)]);
    assert_eq!(harness.phy.id().map(PhyId::raw), Some(0x0022_1550));
    assert_eq!(harness.phy.next_poll(harness.now), Clause22::<Ops>::POLL_INTERVAL);
}

#[test]
fn poll_link_up_then_down_reported_within_interval() {
    let mut harness =
        Harness::started_with(Clause22::new(ADDRESS, Ops::default()).with_poll_interval(Duration::from_millis(30)));
    harness.chip.link_up(EVERY_MODE);
    harness.poll_due();
    assert_eq!(harness.take(), (vec![PhyEvent::Up(FULL_100)], vec![]));
    assert_eq!(
        (harness.phy.link(), harness.phy.state()),
        (Link::Up(FULL_100), PhyState::Up)
    );
    let accesses = harness.chip.accesses;
    harness.run(29);
    assert_eq!(harness.chip.accesses, accesses, "not due");
    harness.run(1);
    assert_eq!(harness.chip.accesses, accesses + 3, "a poll is three reads");
    harness.chip.link_down();
    harness.run(30);
    assert_eq!(harness.take(), (vec![PhyEvent::Down], vec![]));
    assert_eq!((harness.phy.link(), harness.phy.state()), (Link::Down, PhyState::Down));
}

#[test]
fn poll_short_loss_down_then_up() {
    let mut harness = Harness::up();
    harness.chip.lost = true;
    harness.chip.link_up(0x0021);
    harness.now += harness.phy.next_poll(harness.now);
    harness.poll();
    assert_eq!(
        (&harness.events[..], harness.phy.link()),
        (&[PhyEvent::Down][..], Link::Down)
    );
    assert_eq!(harness.phy.next_poll(harness.now), Duration::ZERO);
    harness.poll();
    assert_eq!(harness.events, [PhyEvent::Down, PhyEvent::Up(HALF_10)]);
}

/// The bus fails after the read that reported the loss: the second read shows a link.
#[test]
fn poll_bus_failed_after_loss_was_read_down_then_up() {
    let mut harness = Harness::up();
    harness.chip.lost = true;
    harness.chip.failing = harness.chip.accesses + 1..harness.chip.accesses + 2;
    harness.poll_due();
    assert_eq!(harness.take(), (vec![], vec![PhyError::Mdio(ErrorKind::Timeout)]));
    harness.run(150);
    assert_eq!(harness.take(), (vec![PhyEvent::Down, PhyEvent::Up(FULL_100)], vec![]));
}

/// The failed read may have cleared the report of a loss, and of another mode.
#[test]
fn poll_bus_failed_mode_read_again() {
    let mut harness = Harness::up();
    harness.chip.failing = harness.chip.accesses..harness.chip.accesses + 1;
    harness.chip.link_up(0x0041);
    harness.run(250);
    assert_eq!(
        harness.take(),
        (vec![PhyEvent::Up(FULL_10)], vec![PhyError::Mdio(ErrorKind::Timeout)])
    );
}

#[test]
fn poll_bus_failures_in_a_row_down_at_the_third() {
    let mut harness = Harness::up();
    harness.chip.failing = harness.chip.accesses..harness.chip.accesses + 2;
    for _ in 0..3 {
        harness.poll_due();
        assert!(harness.phy.link().is_up());
    }
    assert_eq!(harness.take(), (vec![], vec![PhyError::Mdio(ErrorKind::Timeout); 2]));
    // The count starts again after a success.
    harness.chip.failing = harness.chip.accesses..harness.chip.accesses + 3;
    for up in [true, true, false] {
        harness.poll_due();
        assert_eq!(harness.phy.link().is_up(), up);
    }
    assert_eq!(harness.phy.state(), PhyState::Down);
    harness.run(200);
    assert_eq!(
        harness.take(),
        (
            vec![PhyEvent::Down, PhyEvent::Up(FULL_100)],
            vec![PhyError::Mdio(ErrorKind::Timeout); 3]
        )
    );
}

#[test]
fn poll_silent_phy_reported_once_until_it_responds() {
    for value in [0, u16::MAX] {
        let mut harness = Harness::up();
        harness.chip.stuck_at = Some(value);
        harness.run(1000);
        assert_eq!(harness.take(), (vec![PhyEvent::Down], vec![NO_PHY]), "{value:#x}");
        assert_eq!(harness.phy.state(), PhyState::NotResponding);
        harness.chip.stuck_at = None;
        harness.chip.link_up(EVERY_MODE);
        harness.run(120);
        // It was reset, which ended the link.
        assert_eq!(harness.phy.state(), PhyState::Down);
        harness.chip.link_up(EVERY_MODE);
        harness.run(120);
        assert_eq!(harness.take(), (vec![PhyEvent::Up(FULL_100)], vec![]), "{value:#x}");
        // Reported again.
        harness.chip.stuck_at = Some(value);
        harness.run(1000);
        assert_eq!(harness.take(), (vec![PhyEvent::Down], vec![NO_PHY]), "{value:#x}");
    }
}

#[test]
fn start_silent_phy_error_then_polled() {
    for value in [0, u16::MAX] {
        let mut harness = Harness::new(Clause22::new(ADDRESS, Ops::default()));
        harness.chip.stuck_at = Some(value);
        assert_eq!(harness.start(LinkModes::ALL_MODES), Err(NO_PHY));
        assert!(harness.chip.writes.is_empty());
        // Reported by each start.
        assert_eq!(harness.start(LinkModes::ALL_MODES), Err(NO_PHY));
        harness.run(500);
        assert_eq!(harness.take(), (vec![], vec![]));
        harness.chip.stuck_at = None;
        harness.run(200);
        assert_eq!(harness.phy.state(), PhyState::Down);
    }
}

#[test]
fn start_endless_reset_timeout() {
    let mut harness = Harness::new(Clause22::new(ADDRESS, Ops::default()));
    harness.chip.reset_reads = u32::MAX;
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.run(499);
    assert_eq!(harness.phy.state(), PhyState::Resetting);
    harness.run(1);
    assert_eq!(harness.take(), (vec![], vec![PhyError::ResetTimeout]));
    assert_eq!(harness.phy.state(), PhyState::NotResponding);
    // A PHY that disappears during its reset.
    harness.chip.reset_reads = 0;
    harness.chip.in_reset = 0;
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.chip.stuck_at = Some(u16::MAX);
    harness.run(600);
    assert_eq!(harness.take(), (vec![], vec![NO_PHY]));
}

#[test]
fn start_bus_failure_at_each_access_comes_up() {
    let count = {
        let mut harness = Harness::up();
        harness.run(0);
        harness.chip.accesses
    };
    for access in 0..count {
        let mut harness = Harness::new(Clause22::new(ADDRESS, Ops::default()));
        harness.chip.failing = access..access + 1;
        let started = harness.start(LinkModes::ALL_MODES);
        assert_eq!(started.is_err(), access < 3, "access {access}");
        harness.run(250);
        harness.chip.link_up(EVERY_MODE);
        harness.run(450);
        let (events, errors) = harness.take();
        assert_eq!(events, [PhyEvent::Up(FULL_100)], "access {access}");
        assert_eq!(errors.len() + usize::from(started.is_err()), 1, "access {access}");
    }
}

#[test]
fn poll_bus_failure_during_reset_polls_soon() {
    let mut harness = Harness::new(Clause22::new(ADDRESS, Ops::default()));
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.chip.failing = harness.chip.accesses..harness.chip.accesses + 1;
    harness.poll_due();
    assert_eq!(harness.take(), (vec![], vec![PhyError::Mdio(ErrorKind::Timeout)]));
    assert_eq!(harness.phy.next_poll(harness.now), Duration::from_millis(1));
}

#[test]
fn poll_mode_from_both_advertisements() {
    for (ours, partner, expansion, mode) in [
        (LinkModes::ALL_MODES, 0x01e1, 1, Some(FULL_100)),
        (LinkModes::ALL_MODES, 0x00e1, 1, Some(HALF_100)),
        (LinkModes::ALL_MODES, 0x0061, 1, Some(FULL_10)),
        (LinkModes::ALL_MODES, 0x0021, 1, Some(HALF_10)),
        (LinkModes::T10_FULL, 0x01e1, 1, Some(FULL_10)),
        // Parallel detection: half duplex.
        (LinkModes::ALL_MODES, 0x0081, 0, Some(HALF_100)),
        (LinkModes::ALL_MODES, 0x0181, 0, Some(HALF_100)),
        (LinkModes::ALL_MODES, 0x0061, 0, Some(HALF_10)),
        (LinkModes::TX100_FULL, 0x0081, 0, None),
        (LinkModes::TX100_FULL, 0x0061, 1, None),
    ] {
        let mut harness = Harness::new(Clause22::new(ADDRESS, Ops::default()));
        harness.start(ours).unwrap();
        harness.run(20);
        harness.chip.link_up(partner);
        harness.chip.expansion = expansion;
        harness.run(1000);
        let case = format!("{ours:?} {partner:#06x} {expansion}");
        match mode {
            Some(mode) => assert_eq!(harness.take(), (vec![PhyEvent::Up(mode)], vec![]), "{case}"),
            None => {
                assert_eq!(harness.take(), (vec![], vec![PhyError::NoCommonMode]), "{case}");
                assert_eq!(harness.phy.state(), PhyState::NoCommonMode, "{case}");
            }
        }
    }
}

#[test]
fn poll_pause_negotiated_if_both_offer_it() {
    let pause = Pause { rx: true, tx: true };
    for (partner, expected) in [(0x05e1, pause), (0x01e1, Pause::default()), (0x04a1, Pause::default())] {
        let mut harness = Harness::new(Clause22::new(ADDRESS, Ops::default()));
        harness.start(LinkModes::ALL_MODES.union(LinkModes::PAUSE)).unwrap();
        harness.run(20);
        assert_eq!(harness.chip.advertised, 0x05e1);
        harness.chip.link_up(partner);
        harness.run(150);
        assert_eq!(
            harness.phy.link().mode().map(|mode| mode.pause),
            Some(expected),
            "{partner:#06x}"
        );
    }
}

#[test]
fn poll_not_negotiated_powered_down_or_isolated_down() {
    let mut harness = Harness::started();
    harness.chip.link_up(EVERY_MODE);
    harness.chip.complete = false;
    harness.run(500);
    assert_eq!(harness.phy.link(), Link::Down);
    for bit in [0x0800, 0x0400] {
        let mut harness = Harness::up();
        harness.chip.control |= bit;
        harness.run(150);
        assert_eq!(harness.take(), (vec![PhyEvent::Down], vec![]), "{bit:#x}");
        harness.chip.control &= !bit;
        harness.run(150);
        assert_eq!(harness.take(), (vec![PhyEvent::Up(FULL_100)], vec![]), "{bit:#x}");
    }
}

#[test]
fn poll_settings_lost_resets_and_configures_again() {
    // Reset by another master, in loopback, without auto-negotiation.
    for control in [0x9000, 0x5000, 0x2100] {
        let mut harness = Harness::up();
        harness.chip.control = control;
        harness.chip.writes.clear();
        harness.run(150);
        assert_eq!(harness.take(), (vec![PhyEvent::Down], vec![]), "{control:#x}");
        assert_eq!(
            harness.chip.writes,
            [(0, 0x8000), (4, EVERY_MODE), (0, 0x1200)],
            "{control:#x}"
        );
    }
    // Another advertisement is detected when the link comes up.
    let mut harness = Harness::new(Clause22::new(ADDRESS, Ops::default()));
    harness.start(LinkModes::T10_FULL).unwrap();
    harness.run(20);
    harness.chip.advertised = EVERY_MODE;
    harness.chip.link_up(EVERY_MODE);
    harness.run(150);
    assert_eq!((harness.take(), harness.chip.advertised), ((vec![], vec![]), 0x0041));
}

#[test]
fn set_forced_mode_link_without_negotiation() {
    let mut harness = Harness::up();
    harness.set_forced_mode(FORCED).unwrap();
    assert_eq!((harness.phy.link(), harness.chip.control), (Link::Down, 0x0100));
    harness.chip.complete = false;
    harness.run(150);
    assert_eq!(harness.take(), (vec![PhyEvent::Down, PhyEvent::Up(FULL_10)], vec![]));
    harness.set_forced_mode(None).unwrap();
    assert_eq!((harness.chip.control, harness.chip.link), (0x1000, false));
    assert_eq!(
        harness.set_forced_mode(Some((Speed::MBPS_1000, Duplex::Full))),
        Err(PhyError::NoCommonMode)
    );
}

#[test]
fn settings_while_stopped_applied_by_start() {
    let mut harness = Harness::started();
    harness.phy.stop(&mut harness.chip).unwrap();
    harness.chip.writes.clear();
    harness.set_forced_mode(FORCED).unwrap();
    assert_eq!(harness.phy.state(), PhyState::Stopped);
    assert!(harness.chip.writes.is_empty());
    // Only now is it known what the MAC can do.
    assert_eq!(harness.start(LinkModes::TX100_FULL), Err(PhyError::NoCommonMode));
    assert_eq!(harness.phy.state(), PhyState::Stopped);
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.run(20);
    assert_eq!(harness.chip.control, 0x0100);
    harness.phy.stop(&mut harness.chip).unwrap();
    harness.set_forced_mode(None).unwrap();
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.run(20);
    assert_eq!(harness.chip.control, 0x1000);
}

/// A bus on which nothing arrives, at the moment of the call only: the PHY keeps its settings.
#[test]
fn settings_not_stored_error_then_applied() {
    type Call = fn(&mut Harness) -> Result<(), PhyError<ErrorKind>>;
    let calls: [(&str, Call, (u16, u16)); 2] = [
        ("forced", |h| h.set_forced_mode(FORCED), (0x0100, EVERY_MODE)),
        ("advertise", |h| h.set_advertise(LinkModes::T10_FULL), (0x1000, 0x0041)),
    ];
    for (name, call, expected) in calls {
        for value in [Some(0), Some(u16::MAX), None] {
            let case = format!("{name}, reads {value:?}");
            let mut harness = Harness::up();
            harness.chip.stuck_at = value;
            harness.chip.loses_writes = true;
            assert_eq!(call(&mut harness), Err(NO_PHY), "{case}");
            assert_eq!(harness.phy.link(), Link::Down, "{case}");
            harness.chip.stuck_at = None;
            harness.chip.loses_writes = false;
            harness.run(150);
            assert_eq!(
                (harness.chip.control, harness.chip.advertised),
                expected,
                "{case}: not applied later"
            );
            harness.chip.link_up(EVERY_MODE);
            harness.run(150);
            assert_eq!(
                harness.take(),
                (vec![PhyEvent::Down, PhyEvent::Up(FULL_10)], vec![]),
                "{case}"
            );
        }
    }
}

#[test]
fn settings_bus_failure_at_each_access_applied_later() {
    for access in 0..5 {
        let mut harness = Harness::up();
        harness.chip.failing = harness.chip.accesses + access..harness.chip.accesses + access + 1;
        let failed = harness.set_advertise(LinkModes::T10_FULL);
        assert_eq!(
            failed,
            if access < 4 {
                Err(PhyError::Mdio(ErrorKind::Timeout))
            } else {
                Ok(())
            }
        );
        if failed.is_err() {
            assert_eq!(harness.phy.state(), PhyState::Configuring);
            assert_eq!(harness.phy.next_poll(harness.now), Duration::ZERO);
        }
        harness.run(120);
        assert_eq!(
            (harness.chip.control, harness.chip.advertised),
            (0x1000, 0x0041),
            "{access}"
        );
    }
}

#[test]
fn set_loopback_link_up_without_cable_until_left() {
    let mut harness = Harness::started();
    harness.set_loopback(FORCED).unwrap();
    assert_eq!((harness.phy.link(), harness.chip.control), (Link::Up(FULL_10), 0x4100));
    harness.run(500);
    assert_eq!(harness.take(), (vec![PhyEvent::Up(FULL_10)], vec![]));
    assert_eq!(harness.phy.state(), PhyState::Loopback);
    harness.set_loopback(None).unwrap();
    assert_eq!((harness.phy.link(), harness.chip.control), (Link::Down, 0x1000));
    // Without loopback there is nothing to leave.
    harness.chip.writes.clear();
    harness.set_loopback(None).unwrap();
    assert!(harness.chip.writes.is_empty());

    harness.set_loopback(FORCED).unwrap();
    harness.run(10);
    harness.chip.control = 0x1000;
    harness.run(150);
    assert_eq!(harness.phy.link(), Link::Down, "a reset ended the loopback");
    harness.run(20);
    harness.set_loopback(FORCED).unwrap();
    harness.run(10);
    harness.take();
    harness.chip.stuck_at = Some(u16::MAX);
    harness.run(150);
    assert_eq!(harness.take(), (vec![PhyEvent::Down], vec![NO_PHY]));

    assert_eq!(harness.set_loopback(FORCED), Err(PhyError::NotStarted));
    let mut harness = Harness::started();
    assert_eq!(
        harness.set_loopback(Some((Speed::MBPS_1000, Duplex::Full))),
        Err(PhyError::NoCommonMode)
    );
    let mut harness = Harness::new(Clause22::new(ADDRESS, Ops::default()));
    assert_eq!(harness.set_loopback(FORCED), Err(PhyError::NotStarted));
    harness.start(LinkModes::ALL_MODES).unwrap();
    assert_eq!(harness.set_loopback(FORCED), Err(PhyError::NotStarted), "in the reset");
}

#[test]
fn set_loopback_not_stored_error_link_down() {
    for value in [Some(0), Some(u16::MAX), None] {
        let mut harness = Harness::started();
        harness.chip.stuck_at = value;
        harness.chip.loses_writes = true;
        assert_eq!(harness.set_loopback(FORCED), Err(NO_PHY), "{value:?}");
        assert_eq!(harness.phy.link(), Link::Down, "{value:?}");
    }
    let mut harness = Harness::started();
    harness.chip.failing = harness.chip.accesses..harness.chip.accesses + 1;
    assert_eq!(harness.set_loopback(FORCED), Err(PhyError::Mdio(ErrorKind::Timeout)));
    assert_eq!((harness.phy.link(), harness.phy.state()), (Link::Down, PhyState::Down));
}

#[test]
fn stop_powers_down_until_start() {
    let mut harness = Harness::up();
    harness.phy.stop(&mut harness.chip).unwrap();
    assert_eq!((harness.chip.control, harness.phy.state()), (0x0800, PhyState::Stopped));
    let accesses = harness.chip.accesses;
    harness.run(10_000);
    assert_eq!(harness.take(), (vec![PhyEvent::Down], vec![]));
    assert_eq!(harness.phy.next_poll(harness.now), Duration::MAX);
    // An interrupt makes no poll due.
    harness.phy.on_interrupt(&mut harness.chip, harness.now).unwrap();
    harness.poll();
    assert_eq!(harness.chip.accesses, accesses);
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.run(20);
    assert_eq!(harness.chip.control, 0x1000);
}

#[test]
fn stop_during_reset_waits_for_its_end() {
    let mut harness = Harness::new(Clause22::new(ADDRESS, Ops::default()));
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.phy.stop(&mut harness.chip).unwrap();
    assert_eq!(harness.chip.control, 0x0800);
}

#[test]
fn stop_reset_never_ends_error() {
    let mut harness = Harness::new(Clause22::new(ADDRESS, Ops::default()));
    harness.chip.reset_reads = u32::MAX;
    harness.start(LinkModes::ALL_MODES).unwrap();
    let stopped = harness.phy.stop(&mut harness.chip);
    assert_eq!(stopped, Err(PhyError::ResetTimeout));
    assert_eq!(harness.chip.writes, [(0, 0x8000)]);
}

#[test]
fn stop_not_stored_error() {
    for value in [Some(0), Some(u16::MAX), None] {
        let mut harness = Harness::up();
        harness.chip.stuck_at = value;
        harness.chip.loses_writes = true;
        for _ in 0..2 {
            assert_eq!(harness.phy.stop(&mut harness.chip), Err(NO_PHY), "{value:?}");
            assert_eq!(harness.phy.link(), Link::Down);
        }
        harness.chip.stuck_at = None;
        harness.chip.loses_writes = false;
        harness.phy.stop(&mut harness.chip).unwrap();
        assert_eq!(harness.chip.control, 0x0800);
    }
}

#[test]
fn poll_with_interrupt_line_only_when_needed() {
    let ops = Ops {
        interrupts: true,
        down_poll: None,
    };
    let watchdog = Duration::from_secs(10);
    let mut harness = Harness::started_with(Clause22::new(ADDRESS, ops).with_watchdog_interval(watchdog));
    // Auto-negotiation completes with an interrupt.
    harness.poll_due();
    assert_eq!(harness.phy.next_poll(harness.now), watchdog);
    harness.chip.complete = true;
    harness.phy.on_interrupt(&mut harness.chip, harness.now).unwrap();
    assert_eq!(harness.phy.next_poll(harness.now), Duration::ZERO);
    harness.run(0);
    // The link comes up without one.
    assert_eq!(harness.phy.next_poll(harness.now), Clause22::<Ops>::POLL_INTERVAL);
    harness.chip.link_up(EVERY_MODE);
    harness.run(100);
    assert_eq!(harness.take(), (vec![PhyEvent::Up(FULL_100)], vec![]));
    assert_eq!(harness.phy.next_poll(harness.now), watchdog);
    // Forced: there is no auto-negotiation that could complete.
    harness.set_forced_mode(FORCED).unwrap();
    harness.chip.link_down();
    harness.run(200);
    assert!(harness.phy.next_poll(harness.now) <= Clause22::<Ops>::POLL_INTERVAL);
}

#[test]
fn poll_while_down_not_later_than_ops_require() {
    let ops = Ops {
        interrupts: true,
        down_poll: Some(Duration::from_millis(7)),
    };
    let mut harness = Harness::started_with(Clause22::new(ADDRESS, ops));
    harness.run(150);
    assert!(harness.phy.next_poll(harness.now) <= Duration::from_millis(7));
    harness.phy.ops_mut().down_poll = Some(Duration::from_secs(60));
    harness.run(7);
    assert!(harness.phy.next_poll(harness.now) > Duration::from_millis(59_000));
}

#[test]
fn poll_clock_that_stands_still_is_bounded() {
    let mut harness = Harness::new(Clause22::new(ADDRESS, Ops::default()));
    harness.start(LinkModes::ALL_MODES).unwrap();
    for _ in 0..1000 {
        harness.poll();
    }
    // Nothing becomes due.
    assert_eq!((harness.phy.state(), harness.chip.accesses), (PhyState::Resetting, 3));
    harness.now = Duration::MAX;
    for _ in 0..1000 {
        harness.poll();
    }
    assert_eq!(harness.take(), (vec![], vec![PhyError::ResetTimeout]));
}
