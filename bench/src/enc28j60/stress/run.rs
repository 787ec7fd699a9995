//! One run: traffic both ways, faults, and what is true at its end.

use core::time::Duration;
use std::cell::Cell;
use std::rc::Rc;

use ethdev_enc28j60::Config;
use ethdev_sim::chip::enc28j60::{ChipConfig, ChipFaults};

use super::super::{CHIP, Lab, NoisySpi, build, number};
use super::books::{Books, Ledger};
use super::host::Host;
use super::{Plan, Scenario};

/// How soon traffic has to flow again after a fault.
const RECOVERY: Duration = Duration::from_millis(100);
/// After so long without, the run is given up.
const HANG: Duration = Duration::from_secs(2);
/// A call that takes longer hangs.
const LONGEST_CALL: Duration = Duration::from_millis(100);
/// How many frames one direction may be ahead of the other.
const AHEAD: u64 = 200;
/// Over a noisy bus, a frame that comes twice is excused for so many damaged transactions: towards the caller, and towards the wire.
const RX_PER_DAMAGE: u64 = 1000;
const TX_PER_DAMAGE: u64 = 100;
/// How often the host looks after the chip.
const SERVICE: Duration = Duration::from_millis(1);
/// How long the chip is given to deliver what it has when all was sent.
const DRAIN: Duration = Duration::from_millis(300);

/// A fault that the traffic has not got over yet.
struct Wound {
    kind: &'static str,
    since: Duration,
    rx: bool,
    tx: bool,
}

struct Run {
    plan: Plan,
    lab: Lab,
    host: Host,
    random: fastrand::Rng,
    rx: Ledger,
    tx: Ledger,
    books: Books,
    wound: Option<Wound>,
    next_fault: Duration,
    link_back: Option<Duration>,
    /// Until when no burst starts.
    quiet_until: Duration,
    serviced: Duration,
    last_delivery: Duration,
    last_arrival: Duration,
    vanished: Rc<Cell<u64>>,
}

/// Runs the plan to its end. `progress` is told how many frames were offered since it was told last.
pub fn run(plan: Plan, mut progress: impl FnMut(u64)) -> Books {
    // Erratum 12 strikes after an abort.
    let collisions = ChipFaults::NONE.with_collisions(0.02, 0.002, 0.002);
    let chip = ChipConfig::new(plan.revision)
        .with_seed(plan.seed)
        .with_faults(collisions);
    let lab = Lab::new(chip);
    let config = Config::new(CHIP).with_fcs_in_software(plan.scenario != Scenario::Flaps);
    let mut seed = plan.seed;
    let mut hits = Rc::default();
    let started = Host::start(&lab.chip, config, || {
        seed = seed.wrapping_add(1);
        let (spi, counted) = NoisySpi::new(lab.chip.spi_device(), plan.scenario.noise(), seed);
        hits = counted;
        spi
    });
    let host = match started {
        Ok(host) => host,
        Err(e) => {
            let mut books = Books::default();
            books.violate(format!("the driver does not start: {e}"));
            return books;
        }
    };
    let mut run = Run {
        plan,
        host,
        random: fastrand::Rng::with_seed(plan.seed ^ 0x5eed),
        rx: Ledger::default(),
        tx: Ledger::default(),
        books: Books::default(),
        wound: None,
        next_fault: Duration::from_millis(100),
        link_back: None,
        quiet_until: Duration::from_millis(50),
        serviced: Duration::ZERO,
        last_delivery: Duration::ZERO,
        last_arrival: Duration::ZERO,
        vanished: Rc::default(),
        lab,
    };
    let mut told = 0;
    while run.offered() < plan.frames && !run.is_hung() {
        run.turn();
        if run.offered() > told + 500 {
            progress(run.offered() - told);
            told = run.offered();
        }
    }
    run.drain();
    progress(plan.frames - told);
    run.close(hits.get())
}

impl Run {
    fn offered(&self) -> u64 {
        self.rx.next() + self.tx.next()
    }

    fn now(&self) -> Duration {
        self.lab.clock.now()
    }

    fn half(&self) -> u64 {
        self.plan.frames.div_ceil(2)
    }

    /// Whether it is given up.
    fn is_hung(&self) -> bool {
        let since = |at: Duration| self.now().saturating_sub(at);
        let wounded = self.wound.as_ref().is_some_and(|wound| since(wound.since) > HANG);
        let deaf = self.rx.next() < self.half() && since(self.last_delivery) > HANG;
        let mute = self.tx.next() < self.half() && since(self.last_arrival) > HANG;
        wounded || deaf || mute
    }

    fn turn(&mut self) {
        self.inject();
        self.offer();
        self.care();
        self.receive();
        if self.tx.next() < self.half() {
            self.transmit();
        }
        self.listen();
        let nap = match self.random.u32(..1000) {
            // The host is busy with something else: the FIFO overruns.
            0..4 => self.random.u64(5_000..30_000),
            4..50 => self.random.u64(1_000..3_000),
            _ => self.random.u64(20..400),
        };
        self.lab.clock.advance(Duration::from_micros(nap));
    }

    // What goes wrong.

    fn inject(&mut self) {
        let now = self.now();
        if self.link_back.is_some_and(|at| now >= at) {
            self.link_back = None;
            self.lab.wire.set_link(true);
            self.wound = Some(Wound::new("link flap", now));
        }
        let settled = self.wound.is_none() && self.link_back.is_none();
        // Faults need traffic behind them, to show that it flows.
        let enough = self.rx.next().max(self.tx.next()) + 1000 < self.half();
        if self.plan.scenario == Scenario::Bus || !settled || !enough || now < self.next_fault {
            return;
        }
        self.next_fault = now + Duration::from_micros(self.random.u64(50_000..400_000));
        let kinds = if self.plan.scenario == Scenario::Resets { 3 } else { 1 };
        let kind = self.random.u32(..kinds);
        if kind == 0 {
            self.books.flaps += 1;
            self.lab.wire.set_link(false);
            self.link_back = Some(now + Duration::from_micros(self.random.u64(10..50_000)));
            return;
        }
        // At any instant: in the middle of a transaction as well.
        let at = now + Duration::from_nanos(self.random.u64(..2_000_000));
        let (chip, vanished) = (self.lab.chip.clone(), self.vanished.clone());
        let is_brown_out = kind == 1;
        self.lab.clock.schedule_at(at, move || {
            let before = chip.truth().lost_in_reset;
            if is_brown_out {
                chip.brown_out();
            } else {
                chip.spontaneous_reset();
            }
            vanished.set(vanished.get() + chip.truth().lost_in_reset - before);
        });
        if is_brown_out {
            self.books.brown_outs += 1;
            self.wound = Some(Wound::new("brown-out", at));
        } else {
            self.books.resets += 1;
            self.wound = Some(Wound::new("chip reset", at));
        }
    }

    fn heal(&mut self) {
        let Some(wound) = self.wound.take_if(|wound| wound.rx && wound.tx) else {
            return;
        };
        let took = self.now().saturating_sub(wound.since);
        self.books.slowest_recovery = self.books.slowest_recovery.max(took);
        if took > RECOVERY {
            self.books.violate(format!(
                "after a {} at {:?} traffic flowed again only after {took:?}",
                wound.kind, wound.since
            ));
        }
    }

    // The station.

    fn length(&mut self) -> usize {
        match self.random.u32(..10) {
            0..4 => self.random.usize(60..128),
            4..6 => 1514,
            _ => self.random.usize(60..=1514),
        }
    }

    fn offer(&mut self) {
        let now = self.now();
        // Both directions in step, except where they have to show that they flow.
        let ahead = self.wound.is_none() && self.rx.next() > self.tx.next() + AHEAD;
        if now < self.quiet_until || self.rx.next() >= self.half() || ahead {
            return;
        }
        let burst = match self.random.u32(..20) {
            // More than the FIFO holds.
            0 => self.random.u64(20..100),
            _ => self.random.u64(1..8),
        };
        for _ in 0..burst.min(self.half() - self.rx.next()) {
            let frame = build(self.rx.next(), true, self.length());
            let last_bit = self.lab.station.send(&frame);
            self.rx.hand_over(last_bit);
        }
        self.quiet_until = self.lab.station.idle_at().max(now) + Duration::from_micros(self.random.u64(..3_000));
    }

    fn listen(&mut self) {
        while let Some((at, frame)) = self.lab.station.recv_timed() {
            let sent = self.tx.arrive(number(&frame, false));
            self.last_arrival = at;
            if let (Some(wound), Some(sent)) = (&mut self.wound, sent) {
                wound.tx |= sent >= wound.since && at >= wound.since;
            }
        }
        self.heal();
    }

    // The host.

    fn care(&mut self) {
        if self.now().saturating_sub(self.serviced) < SERVICE {
            return;
        }
        self.serviced = self.now();
        if let Err(e) = self.host.service() {
            self.books.error(&e);
        }
    }

    fn receive(&mut self) {
        let mut buf = [0; 1518];
        for _ in 0..32 {
            match self.host.recv(&mut buf) {
                Ok(Some(len)) => {
                    let sent = self.rx.arrive(number(&buf[..len], true));
                    let now = self.now();
                    if let Some(sent) = sent {
                        let silent = now.saturating_sub(self.last_delivery.max(sent));
                        self.books.longest_silence = self.books.longest_silence.max(silent);
                        self.last_delivery = now;
                    }
                    if let (Some(wound), Some(sent)) = (&mut self.wound, sent) {
                        wound.rx |= sent >= wound.since;
                    }
                }
                Ok(None) => return,
                Err(e) => {
                    self.books.error(&e);
                    return;
                }
            }
        }
    }

    fn transmit(&mut self) {
        for _ in 0..self.random.u32(..4) {
            if self.wound.is_none() && self.tx.next() > self.rx.next() + AHEAD {
                return;
            }
            match self.host.tx_ready() {
                Ok(true) => {}
                Ok(false) => return,
                Err(e) => {
                    self.books.error(&e);
                    return;
                }
            }
            let len = self.length() - self.random.usize(..30);
            let frame = build(self.tx.next(), false, len);
            let began = self.now();
            match self.host.send(&frame) {
                Ok(()) => self.tx.hand_over(began),
                Err(e) => {
                    self.books.error(&e);
                    return;
                }
            }
        }
    }

    // The end.

    fn drain(&mut self) {
        let until = self.now() + DRAIN;
        while self.now() < until {
            self.care();
            self.receive();
            self.listen();
            self.lab.clock.advance(Duration::from_micros(500));
        }
    }

    fn close(mut self, hits: u64) -> Books {
        let here = self.lab.wire.stats(self.lab.chip_side);
        let there = self.lab.wire.stats(self.lab.chip_side.other());
        let bus = self.lab.chip.bus();
        let mut books = core::mem::take(&mut self.books);
        books.rx_sent = self.rx.next();
        books.rx_delivered = self.rx.unique;
        books.rx_twice = self.rx.twice;
        books.rx_damaged = self.rx.damaged;
        books.rx_cut = there.cut;
        books.rx_vanished = self.vanished.get();
        books.tx_accepted = self.tx.next();
        books.tx_arrived = self.tx.unique;
        books.tx_twice = self.tx.twice;
        books.tx_damaged = self.tx.damaged;
        books.tx_cut = here.cut;
        books.tx_bad_fcs = self.lab.station.bad_frames();
        books.truth = self.lab.chip.truth();
        books.stats = self.host.stats();
        books.transactions = bus.transactions;
        books.damaged_transactions = hits;
        books.longest_call = self.host.longest_call;
        books.elapsed = self.now();
        if let Some(wound) = &self.wound
            && self.now().saturating_sub(wound.since) > RECOVERY
        {
            books.violate(format!(
                "after a {} at {:?} traffic never flowed again",
                wound.kind, wound.since
            ));
        }
        if books.rx_sent + books.tx_accepted < self.plan.frames {
            let silence = [self.last_delivery, self.last_arrival].map(|at| self.now().saturating_sub(at));
            books.violate(format!(
                "given up at {:?}: nothing came in for {:?}, nothing went out for {:?}",
                self.now(),
                silence[0],
                silence[1]
            ));
        }
        books.audit(self.plan.scenario);
        if self.plan.scenario != Scenario::Bus {
            for misuse in self.lab.chip.violations() {
                books.violate(format!("the driver misused the chip: {misuse}"));
            }
        }
        books
    }
}

impl Wound {
    fn new(kind: &'static str, since: Duration) -> Self {
        Self {
            kind,
            since,
            rx: false,
            tx: false,
        }
    }
}

impl Books {
    fn audit(&mut self, scenario: Scenario) {
        let (stats, truth) = (self.stats, self.truth);
        let mut wrong = Vec::new();
        let mut check = |holds: bool, what: &str, figures: String| {
            if !holds {
                wrong.push(format!("{what}: {figures}"));
            }
        };
        // One bit on a noisy bus can start a transmission anew, and no driver hinders that.
        let noisy = scenario == Scenario::Bus;
        let excused = if noisy { self.damaged_transactions } else { 0 };
        let (rx_excused, tx_excused) = (excused / RX_PER_DAMAGE, excused / TX_PER_DAMAGE);
        check(
            self.rx_twice <= rx_excused,
            "delivered twice",
            self.rx_twice.to_string(),
        );
        check(self.rx_damaged == 0, "delivered damaged", self.rx_damaged.to_string());
        check(self.tx_twice <= tx_excused, "sent twice", self.tx_twice.to_string());
        check(
            self.tx_damaged <= tx_excused,
            "sent damaged, with a right FCS",
            self.tx_damaged.to_string(),
        );
        check(
            self.longest_call <= LONGEST_CALL,
            "a call hung",
            format!("{:?}", self.longest_call),
        );
        check(truth.balanced(), "the model's books", format!("{truth:?}"));
        check(
            self.rx_sent == truth.arrived + self.rx_cut,
            "frames that the wire lost",
            format!("{} sent, {} arrived, {} cut", self.rx_sent, truth.arrived, self.rx_cut),
        );
        check(
            u64::from(stats.rx_frames) == self.rx_delivered + self.rx_twice + self.rx_damaged,
            "rx_frames is not what was delivered",
            format!("{} and {}", stats.rx_frames, self.rx_delivered),
        );
        check(
            u64::from(stats.tx_frames) + u64::from(stats.tx_lost()) == self.tx_accepted,
            "frames accepted and not accounted for",
            format!("{} accepted, {stats:?}", self.tx_accepted),
        );
        if noisy {
            // Damaged instructions make the chip do what nobody asked for: only what the caller sees is claimed.
            self.violations.extend(wrong);
            return;
        }
        check(
            self.tx_unaccounted() <= 0,
            "frames sent that never arrived and are not counted",
            self.tx_unaccounted().to_string(),
        );
        let lost = truth.overflowed + truth.packet_count_full + truth.killed;
        check(
            u64::from(stats.rx_overrun) <= lost && (lost == 0 || stats.rx_overrun > 0),
            "overruns",
            format!("{lost} frames, {} noticed", stats.rx_overrun),
        );
        let injected = (self.brown_outs + self.resets) as i64;
        let unaccounted = self.rx_unaccounted();
        check(
            (-injected..=self.rx_vanished as i64).contains(&unaccounted),
            "frames received and not accounted for",
            format!("{unaccounted}, {} vanished in resets", self.rx_vanished),
        );
        check(
            scenario != Scenario::Flaps || self.errors.is_empty(),
            "errors of calls",
            format!("{:?}", self.errors),
        );
        self.violations.extend(wrong);
    }
}
