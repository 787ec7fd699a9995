//! One run: traffic both ways, faults, and what is true at its end.

use core::time::Duration;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use enc28j60_model::{ChipConfig, ChipFaults, ViolationKind};
use ethdev::Interest;
use ethdev_enc28j60::Config;

use super::super::{CHIP, Lab, build, number};
use super::audit::Faults;
use super::books::Books;
use super::host::Host;
use super::ledger::Ledger;
use super::{HostKind, Plan};

/// How soon traffic has to flow again after a fault.
const RECOVERY: Duration = Duration::from_millis(100);
/// After so long without, the run is given up.
const HANG: Duration = Duration::from_secs(2);
/// How many frames one direction may be ahead of the other.
const AHEAD: u64 = 200;
/// How often a host that is not told of anything looks after the chip, and one that is.
const SERVICE: Duration = Duration::from_millis(1);
const SERVICE_TOLD: Duration = Duration::from_millis(10);
/// For how long a host sleeps that is told.
const SLEEP: Duration = Duration::from_millis(3);
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
    faults: Faults,
    /// How long the PHYs take to find each other.
    link_time: Duration,
    /// When the chip was reset, in the order of time.
    resets: Rc<RefCell<Vec<Duration>>>,
    /// How many recoveries there were when the driver was asked last, and when it had the last one.
    recoveries: u32,
    recovered: Duration,
}

/// Runs the plan to its end. `progress` is told how many frames were offered since it was told last.
pub fn run(plan: Plan, mut progress: impl FnMut(u64)) -> Books {
    // Erratum 12 strikes after an abort.
    let collisions = ChipFaults::NONE.with_collisions(0.02, 0.002, 0.002);
    let chip = ChipConfig::new(plan.revision)
        .with_seed(plan.seed)
        .with_faults(collisions);
    let link_time = chip.link_time;
    let lab = Lab::new(chip);
    let kind = plan.scenario.host();
    if matches!(kind, HostKind::AwaitsLevel | HostKind::AwaitsEdge) {
        // Futures are dropped: an instruction that is cut off is the drop's, not the driver's.
        lab.chip.allow(ViolationKind::Incomplete);
        lab.chip.allow(ViolationKind::ShortHold);
    }
    let config = Config::new(CHIP).with_duplex(plan.scenario.duplex());
    let host = match Host::start(&lab.chip, kind, config) {
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
        faults: Faults::default(),
        link_time,
        resets: Rc::default(),
        recoveries: 0,
        recovered: Duration::ZERO,
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
    progress(plan.frames.saturating_sub(told));
    run.close()
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
        if self.is_told() && nap < 400 {
            return self.sleep();
        }
        self.lab.clock.advance(Duration::from_micros(nap));
    }

    fn is_told(&self) -> bool {
        self.plan.scenario.host() != HostKind::Polling
    }

    /// Sleeps until the chip tells of something, or until there is something to send.
    fn sleep(&mut self) {
        let may_send = self.tx.next() < self.half() && !self.is_tx_ahead();
        // Room is waited for, or made use of before long.
        let (interest, at_most) = if may_send && self.random.bool() {
            (Interest::ALL, SLEEP)
        } else {
            (
                Interest::RX | Interest::LINK,
                Duration::from_micros(self.random.u64(20..2_000)),
            )
        };
        if let Err(e) = self.call(|host| host.sleep(interest, at_most)) {
            self.books.error(&e);
        }
    }

    /// A call of the driver. What it decides about frames is put down.
    fn call<T>(&mut self, call: impl FnOnce(&mut Host) -> T) -> T {
        let before = self.host.stats();
        let result = call(&mut self.host);
        let now = self.host.stats();
        self.tx.judge(&before, &now, self.lab.clock.now());
        if now.recoveries != self.recoveries {
            self.recoveries = now.recoveries;
            self.recovered = self.lab.clock.now();
        }
        result
    }

    /// Whether the chip was reset and the driver does not know yet.
    fn is_reset_unnoticed(&self) -> bool {
        let now = self.now();
        self.resets
            .borrow()
            .iter()
            .any(|at| *at <= now && *at >= self.recovered)
    }

    // What goes wrong.

    fn inject(&mut self) {
        let now = self.now();
        if self.link_back.is_some_and(|at| now >= at) {
            self.link_back = None;
            self.lab.wire.set_link(true);
            self.faults.link_is_back(now + self.link_time);
            self.wound = Some(Wound::new("link flap", now));
        }
        let settled = self.wound.is_none() && self.link_back.is_none();
        // Faults need traffic behind them, to show that it flows.
        let enough = self.rx.next().max(self.tx.next()) + 1000 < self.half();
        if !settled || !enough || now < self.next_fault {
            return;
        }
        self.next_fault = now + Duration::from_micros(self.random.u64(50_000..400_000));
        let kinds = if self.plan.scenario.resets() { 3 } else { 1 };
        let kind = self.random.u32(..kinds);
        if kind == 0 {
            self.books.flaps += 1;
            self.lab.wire.set_link(false);
            self.faults.link_is_gone(now);
            self.link_back = Some(now + Duration::from_micros(self.random.u64(10..50_000)));
            return;
        }
        // At any instant: in the middle of a transaction as well.
        let at = now + Duration::from_nanos(self.random.u64(..2_000_000));
        let (chip, vanished) = (self.lab.chip.clone(), self.vanished.clone());
        let resets = self.resets.clone();
        let is_brown_out = kind == 1;
        self.lab.clock.schedule_at(at, move || {
            let before = chip.stats().lost_in_reset;
            if is_brown_out {
                chip.inject_brownout();
            } else {
                chip.spontaneous_reset();
            }
            vanished.set(vanished.get() + chip.stats().lost_in_reset - before);
            resets.borrow_mut().push(at);
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
            self.rx.hand_over(last_bit, frame.len());
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
        let pause = match self.host.is_signaled() {
            _ if !self.host.needs_service() => return,
            Some(true) => Duration::ZERO,
            Some(false) => SERVICE_TOLD,
            None => SERVICE,
        };
        if self.now().saturating_sub(self.serviced) < pause {
            return;
        }
        self.serviced = self.now();
        if let Err(e) = self.call(Host::service) {
            self.books.error(&e);
        }
    }

    fn receive(&mut self) {
        let mut buf = [0; 1518];
        for _ in 0..32 {
            match self.call(|host| host.recv(&mut buf)) {
                Ok(Some(len)) => {
                    let number = number(&buf[..len], true);
                    // It was in flight when the chip was reset.
                    if number.is_none() && self.is_reset_unnoticed() {
                        self.books.rx_damaged_in_reset += 1;
                        continue;
                    }
                    let sent = self.rx.arrive(number);
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
                Err(e) => return self.books.error(&e),
            }
        }
    }

    fn is_tx_ahead(&self) -> bool {
        self.wound.is_none() && self.tx.next() > self.rx.next() + AHEAD
    }

    fn transmit(&mut self) {
        for _ in 0..self.random.u32(..4) {
            if self.is_tx_ahead() {
                return;
            }
            match self.call(Host::tx_ready) {
                Ok(true) => {}
                Ok(false) => return,
                Err(e) => return self.books.error(&e),
            }
            let len = self.length() - self.random.usize(..30);
            let frame = build(self.tx.next(), false, len);
            let began = self.now();
            match self.call(|host| host.send(&frame)) {
                Ok(()) => self.tx.hand_over(began, frame.len()),
                Err(e) => return self.books.error(&e),
            }
        }
    }

    // The end.

    fn drain(&mut self) {
        let until = self.now() + DRAIN;
        while self.now() < until {
            self.care();
            self.receive();
            if !self.host.needs_service() {
                // It sees to what it sends while it is waited for.
                self.sleep();
            }
            self.listen();
            self.lab.clock.advance(Duration::from_micros(500));
        }
    }

    fn close(mut self) -> Books {
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
        books.truth = self.lab.chip.stats();
        books.stats = self.host.stats();
        books.transactions = bus.transactions;
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
        self.faults.resets = self.resets.take();
        books.judge(&self.tx, &self.faults);
        books.audit(self.plan.scenario);
        for misuse in self.lab.chip.violations() {
            books.violate(format!("the driver misused the chip: {misuse}"));
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
