//! A run with frames: traffic both ways, and one fault after another.

use core::time::Duration;

use cyw43439_model::{AccessPoint, ApId, Boot, BusFault, ChipConfig, EventOrder, ViolationKind};
use ethdev::{Error as _, ErrorKind};
use ethdev_cyw43::{Config, Error, Network, PowerSave};

use super::super::{Lab, PASSPHRASE, SSID};
use super::books::Books;
use super::host::{self, Host, is_fault};
use super::knobs::{End, Knob, Wants};
use super::ledger::Ledger;
use super::{Family, Plan};
use crate::enc28j60::{build, number};

/// After so long without traffic, the run is given up.
const HANG: Duration = Duration::from_secs(30);
/// How many frames one direction may be ahead of the other.
const AHEAD: u64 = 200;
/// How often the host looks after the chip.
const SERVICE: Duration = Duration::from_millis(1);
/// A link that is down for so long, with the access point there, is joined by the application.
const IMPATIENCE: Duration = Duration::from_secs(3);
/// How long the chip is given to deliver what it has when all was sent.
const DRAIN: Duration = Duration::from_secs(4);

/// A fault that the traffic has not got over yet.
struct Wound {
    knob: Knob,
    /// When it ended.
    since: Duration,
    rx: bool,
    tx: bool,
    link_lost: bool,
}

struct Run<'m> {
    plan: Plan,
    lab: &'m Lab,
    aps: [ApId; 2],
    host: Host<'m>,
    network: Network,
    random: fastrand::Rng,
    rx: Ledger,
    tx: Ledger,
    books: Books,
    knobs: Vec<Knob>,
    wound: Option<Wound>,
    /// A fault that lasts: until when, and what ends it.
    lasting: Option<(Duration, Knob, End)>,
    next_fault: Duration,
    /// Until when no burst starts.
    quiet_until: Duration,
    was_heard: bool,
    serviced: Duration,
    link_seen: Duration,
    last_delivery: Duration,
    last_arrival: Duration,
}

/// Runs the plan to its end. `progress` is told how many frames were offered since it was told last.
pub fn run(plan: Plan, mut progress: impl FnMut(u64)) -> Books {
    let order = if plan.sees_line {
        EventOrder::KeyedLast
    } else {
        EventOrder::KeyedFirst
    };
    let chip = ChipConfig::default().with_seed(plan.seed).with_event_order(order);
    let lab = Lab::new(chip);
    // Answers that are later than the driver waits for, twice, overlap with what it asks then.
    lab.chip.allow(ViolationKind::IoctlOverlap);
    let ap = AccessPoint::wpa2(SSID, PASSPHRASE);
    let other = ap.clone().with_bssid([0x02, 0xa9, 0, 0, 0, 0x02]).with_rssi(-60);
    let aps = [lab.chip.add_ap(ap), lab.chip.add_ap(other)];
    let mut memory = host::memory();
    let power_save = if plan.sees_line {
        PowerSave::Off
    } else {
        PowerSave::Fast
    };
    let config = host::config().with_power_save(power_save).with_join_timeout_ms(3000);
    let mut books = Books::default();
    let begun = begin(&lab, &mut memory, plan.sees_line, config);
    let (host, network) = match begun {
        Ok(begun) => begun,
        Err(e) => {
            books.violate(format!("the driver does not start: {e}"));
            return books;
        }
    };
    let now = lab.clock.now();
    let mut run = Run {
        plan,
        lab: &lab,
        aps,
        host,
        network,
        random: fastrand::Rng::with_seed(plan.seed ^ 0x5eed),
        rx: Ledger::default(),
        tx: Ledger::default(),
        books,
        knobs: Knob::of(plan.family).collect(),
        wound: None,
        lasting: None,
        next_fault: now + Duration::from_millis(50),
        quiet_until: now,
        was_heard: true,
        serviced: now,
        link_seen: now,
        last_delivery: now,
        last_arrival: now,
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

/// A driver that has joined the network.
fn begin<'m>(lab: &'m Lab, memory: &'m mut [u8], sees_line: bool, config: Config) -> host::Result<(Host<'m>, Network)> {
    let mut host = Host::new(lab, memory, sees_line, config)?;
    let network = Network::wpa2(SSID, PASSPHRASE).map_err(Error::Invalid)?;
    host.start()?;
    host.join(&network)?;
    Ok((host, network))
}

impl Run<'_> {
    fn offered(&self) -> u64 {
        self.rx.next() + self.tx.next()
    }

    fn now(&self) -> Duration {
        self.lab.clock.now()
    }

    fn half(&self) -> u64 {
        self.plan.frames.div_ceil(2)
    }

    fn is_settled(&self) -> bool {
        self.wound.is_none() && self.lasting.is_none()
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
            // The host is busy with something else: the firmware's queue overruns.
            0..4 => self.random.u64(5_000..40_000),
            4..50 => self.random.u64(1_000..3_000),
            _ => self.random.u64(20..400),
        };
        self.lab.clock.advance(Duration::from_micros(nap));
    }

    // What goes wrong.

    fn inject(&mut self) {
        let now = self.now();
        if let Some((_, knob, end)) = self.lasting.take_if(|(until, ..)| now >= *until) {
            end(self.lab);
            self.wound(knob);
        }
        // Faults need traffic behind them, to show that it flows.
        let enough = self.rx.next().max(self.tx.next()) + 400 < self.half();
        if !self.is_settled() || !enough || now < self.next_fault || !self.host.link().is_up() {
            return;
        }
        self.next_fault = now + self.plan.family.pause(&mut self.random);
        let knob = self.knobs[self.random.usize(..self.knobs.len())];
        let (wants, end) = knob.turn(self.lab, &self.aps, &mut self.random);
        match end {
            Some((time, end)) => self.lasting = Some((now + time, knob, end)),
            None => self.wound(knob),
        }
        if wants == Wants::Request
            && let Err(e) = self.host.ask()
        {
            self.take_error(&e);
        }
    }

    fn wound(&mut self, knob: Knob) {
        self.wound = Some(Wound {
            knob,
            since: self.now(),
            rx: false,
            tx: false,
            link_lost: false,
        });
    }

    fn heal(&mut self) {
        let now = self.now();
        let Some(wound) = self.wound.take_if(|wound| wound.rx && wound.tx) else {
            return;
        };
        let took = now.saturating_sub(wound.since);
        let healing = self.books.healing.entry(wound.knob).or_default();
        healing.times += 1;
        healing.total += took;
        healing.worst = healing.worst.max(took);
        healing.link_lost += u64::from(wound.link_lost);
        let limit = wound.knob.patience();
        if took > limit {
            self.books.violate(format!(
                "after \"{}\" at {:?} traffic flowed again only after {took:?}",
                wound.knob, wound.since
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
        let heard = self.is_heard();
        if heard && !self.was_heard {
            self.quiet_until = now;
        }
        self.was_heard = heard;
        // Both directions in step, except where they have to show that they flow.
        let ahead = self.wound.is_none() && self.rx.next() > self.tx.next() + AHEAD;
        if now < self.quiet_until || self.rx.next() >= self.half() || ahead {
            return;
        }
        let burst = match self.random.u32(..20) {
            // A frame now and then, until one gets through.
            _ if !heard => 1,
            // More than the firmware holds.
            0 => self.random.u64(20..60),
            _ => self.random.u64(1..8),
        };
        for _ in 0..burst.min(self.half() - self.rx.next()) {
            let frame = build(self.rx.next(), true, self.length());
            let last_bit = self.lab.station.send(&frame);
            self.rx.hand_over(last_bit, true);
        }
        let pause = if heard { 4_000 } else { 200_000 };
        self.quiet_until = self.lab.station.idle_at().max(now) + Duration::from_micros(self.random.u64(..pause));
    }

    /// Whether frames may get through.
    fn is_heard(&self) -> bool {
        let keyed = self.lab.chip.association().is_some_and(|association| association.keyed);
        keyed && self.lab.chip.boot() == Boot::Running && !self.is_gone()
    }

    /// Whether there is no access point.
    fn is_gone(&self) -> bool {
        matches!(self.lasting, Some((_, Knob::AccessPointGone, _)))
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

    fn take_error(&mut self, error: &Error<BusFault>) {
        self.books.error(error);
        if is_fault(error)
            && let Err(e) = self.host.recover()
        {
            // The next call meets the fault again, and ends here again.
            self.books.failed_recoveries += 1;
            self.books.error(&e);
        }
    }

    fn care(&mut self) {
        let now = self.now();
        if now.saturating_sub(self.serviced) < SERVICE {
            return;
        }
        self.serviced = now;
        if let Err(e) = self.host.service() {
            self.take_error(&e);
        }
        if self.host.link().is_up() || self.is_gone() {
            self.link_seen = now;
            return;
        }
        if let Some(wound) = &mut self.wound {
            wound.link_lost = true;
        }
        if now.saturating_sub(self.link_seen) > IMPATIENCE {
            self.link_seen = now;
            self.books.joins += 1;
            if let Err(e) = self.host.join(&self.network) {
                self.take_error(&e);
            }
        }
    }

    fn receive(&mut self) {
        let mut buf = [0; 1514];
        for _ in 0..32 {
            match self.host.recv(&mut buf) {
                Ok(Some(len)) => {
                    let sent = self.rx.arrive(buf.get(..len).and_then(|frame| number(frame, true)));
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
                    self.take_error(&e);
                    return;
                }
            }
        }
    }

    fn transmit(&mut self) {
        // Into the void, a frame now and then.
        let most = if self.is_heard() || self.random.u32(..100) == 0 {
            4
        } else {
            1
        };
        for _ in 0..self.random.u32(..most) {
            if self.wound.is_none() && self.tx.next() > self.rx.next() + AHEAD {
                return;
            }
            match self.host.tx_ready() {
                Ok(true) => {}
                Ok(false) => return,
                Err(e) => return self.take_error(&e),
            }
            let len = self.length() - self.random.usize(..30);
            let frame = build(self.tx.next(), false, len);
            let began = self.now();
            match self.host.send(&frame) {
                Ok(()) => self.tx.hand_over(began, true),
                Err(e) => {
                    if e.kind() == ErrorKind::Bus {
                        // It may be in the chip: its number is used up.
                        self.tx.hand_over(began, false);
                        self.books.tx_doubtful += 1;
                    }
                    if matches!(e, Error::Request(ErrorKind::Busy)) {
                        self.books
                            .violate("busy, after it had said that there is room".to_owned());
                    }
                    return self.take_error(&e);
                }
            }
        }
    }

    // The end.

    fn drain(&mut self) {
        if let Some((_, _, end)) = self.lasting.take() {
            end(self.lab);
        }
        let until = self.now() + DRAIN;
        while self.now() < until {
            self.care();
            self.receive();
            self.listen();
            self.lab.clock.advance(Duration::from_micros(500));
        }
    }

    fn close(mut self) -> Books {
        let mut books = core::mem::take(&mut self.books);
        books.rx_sent = self.rx.next();
        books.rx_delivered = self.rx.unique;
        books.rx_twice = self.rx.twice;
        books.rx_altered = self.rx.damaged;
        books.tx_taken = self.tx.taken;
        books.tx_arrived = self.tx.unique;
        books.tx_unexpected = self.tx.unexpected;
        books.tx_twice = self.tx.twice;
        books.tx_altered = self.tx.damaged;
        books.truth = self.lab.chip.stats();
        books.stats = self.host.stats();
        books.transactions = self.lab.chip.bus().transactions;
        books.longest = self.host.longest;
        books.elapsed = self.now();
        if let Some(wound) = &self.wound
            && self.now().saturating_sub(wound.since) > wound.knob.patience()
        {
            books.violate(format!(
                "after \"{}\" at {:?} traffic never flowed again",
                wound.knob, wound.since
            ));
        }
        if books.rx_sent + self.tx.next() < self.plan.frames {
            let silence = [self.last_delivery, self.last_arrival].map(|at| self.now().saturating_sub(at));
            books.violate(format!(
                "given up at {:?}: nothing came in for {:?}, nothing went out for {:?}",
                self.now(),
                silence[0],
                silence[1]
            ));
        }
        books.audit(self.plan.family);
        if self.plan.family != Family::Bus {
            for misuse in self.lab.chip.violations() {
                books.violate(format!("the driver misused the chip: {misuse}"));
            }
        }
        books
    }
}
