//! One run: traffic in both directions and one fault after another.

use core::time::Duration;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use enc28j60_model::{ChipConfig, ChipFaults, ViolationKind};
use ethdev::Interest;
use ethdev_enc28j60::Config;

use super::super::{CHIP, Testbed, build, number};
use super::audit::Faults;
use super::frame_log::FrameLog;
use super::host::Host;
use super::scenario::{HostKind, Plan};
use super::stats::RunStats;

/// The time after its end within which frames must flow again.
const RECOVERY_LIMIT: Duration = Duration::from_millis(100);
/// The run is aborted after this time without traffic.
const HANG: Duration = Duration::from_secs(2);
/// The maximum difference between the frames of the two directions.
const MAX_AHEAD: u64 = 200;
/// The interval between calls of `service` by a host that polls.
const SERVICE_INTERVAL: Duration = Duration::from_millis(1);
/// The interval between calls of `service` by a host that uses the interrupt.
const SERVICE_INTERVAL_WITH_IRQ: Duration = Duration::from_millis(10);
/// The interval between calls of `service` by a host whose driver does that while it waits.
const ASYNC_SERVICE_INTERVAL: Duration = Duration::from_millis(500);
/// The longest sleep of a host that uses the interrupt.
const MAX_SLEEP: Duration = Duration::from_millis(3);
/// The time to deliver the remaining frames at the end.
const DRAIN: Duration = Duration::from_millis(300);

/// A fault after which frames do not flow in both directions yet.
struct PendingRecovery {
    kind: &'static str,
    since: Duration,
    rx: bool,
    tx: bool,
}

struct Run {
    plan: Plan,
    testbed: Testbed,
    host: Host,
    random: fastrand::Rng,
    rx: FrameLog,
    tx: FrameLog,
    stats: RunStats,
    pending: Option<PendingRecovery>,
    next_fault: Duration,
    link_back: Option<Duration>,
    /// No burst starts before this time.
    quiet_until: Duration,
    last_service: Duration,
    last_delivery: Duration,
    last_arrival: Duration,
    lost_in_reset: Rc<Cell<u64>>,
    faults: Faults,
    /// The time that the PHYs need to establish the link.
    link_time: Duration,
    /// When the chip was reset, in chronological order.
    resets: Rc<RefCell<Vec<Duration>>>,
    /// The recoveries of the driver so far, and the time of the last one.
    recoveries: u32,
    last_recovery: Duration,
    /// Frames that the chip lost by overruns, and `rx_overrun`, when `service` returned last.
    overruns: (u64, u32),
    /// The recoveries until then.
    overruns_since: u32,
}

/// Executes a plan. `progress` is called with the number of frames sent since its last call.
pub fn run(plan: Plan, mut progress: impl FnMut(u64)) -> RunStats {
    // Erratum 12 occurs after an aborted transmission.
    let collisions = ChipFaults::NONE.with_collisions(0.02, 0.002, 0.002);
    let chip = ChipConfig::new(plan.revision)
        .with_seed(plan.seed)
        .with_faults(collisions);
    let link_time = chip.link_time;
    let testbed = Testbed::new(chip);
    let kind = plan.scenario.host();
    if matches!(kind, HostKind::AsyncLevel | HostKind::AsyncEdge) {
        // The harness drops futures, which cuts off instructions.
        testbed.chip.allow_violation(ViolationKind::Incomplete);
        testbed.chip.allow_violation(ViolationKind::ShortHold);
    }
    let config = Config::new(CHIP).with_duplex(plan.scenario.duplex());
    let host = match Host::start(&testbed.chip, kind, config) {
        Ok(host) => host,
        Err(e) => {
            let mut stats = RunStats::default();
            stats.violation(format!("start failed: {e}"));
            return stats;
        }
    };
    let mut run = Run {
        plan,
        host,
        random: fastrand::Rng::with_seed(plan.seed ^ 0x5eed),
        rx: FrameLog::default(),
        tx: FrameLog::default(),
        stats: RunStats::default(),
        pending: None,
        next_fault: Duration::from_millis(100),
        link_back: None,
        quiet_until: Duration::from_millis(50),
        last_service: Duration::ZERO,
        last_delivery: Duration::ZERO,
        last_arrival: Duration::ZERO,
        lost_in_reset: Rc::default(),
        faults: Faults::default(),
        link_time,
        resets: Rc::default(),
        recoveries: 0,
        last_recovery: Duration::ZERO,
        overruns: (0, 0),
        overruns_since: 0,
        testbed,
    };
    let mut reported = 0;
    while run.sent() < plan.frames && !run.is_hung() {
        run.step();
        if run.sent() > reported + 500 {
            progress(run.sent() - reported);
            reported = run.sent();
        }
    }
    run.drain();
    progress(plan.frames.saturating_sub(reported));
    run.finish()
}

impl Run {
    fn sent(&self) -> u64 {
        self.rx.next() + self.tx.next()
    }

    fn now(&self) -> Duration {
        self.testbed.clock.now()
    }

    fn half(&self) -> u64 {
        self.plan.frames.div_ceil(2)
    }

    /// Whether to abort the run.
    fn is_hung(&self) -> bool {
        let since = |at: Duration| self.now().saturating_sub(at);
        let not_recovered = self.pending.as_ref().is_some_and(|pending| since(pending.since) > HANG);
        let rx_stalled = self.rx.next() < self.half() && since(self.last_delivery) > HANG;
        let tx_stalled = self.tx.next() < self.half() && since(self.last_arrival) > HANG;
        not_recovered || rx_stalled || tx_stalled
    }

    fn step(&mut self) {
        self.inject();
        self.peer_send();
        self.service_if_due();
        self.receive();
        if self.tx.next() < self.half() {
            self.transmit();
        }
        self.peer_recv();
        let pause = match self.random.u32(..1000) {
            // The host is busy: the FIFO overruns.
            0..4 => self.random.u64(5_000..30_000),
            4..50 => self.random.u64(1_000..3_000),
            _ => self.random.u64(20..400),
        };
        if self.uses_interrupt() && pause < 400 {
            return self.sleep();
        }
        self.testbed.clock.advance(Duration::from_micros(pause));
    }

    fn uses_interrupt(&self) -> bool {
        self.plan.scenario.host() != HostKind::Polling
    }

    /// Sleeps until the chip interrupts, or until there is something to send.
    fn sleep(&mut self) {
        let may_send = self.tx.next() < self.half() && !self.is_tx_ahead();
        // Waits for transmit capacity, or checks for it soon.
        let (interest, timeout) = if may_send && self.random.bool() {
            (Interest::ALL, MAX_SLEEP)
        } else {
            (
                Interest::RX | Interest::LINK,
                Duration::from_micros(self.random.u64(20..2_000)),
            )
        };
        if let Err(e) = self.call(|host| host.sleep(interest, timeout)) {
            self.stats.count_error(&e);
        }
    }

    /// Calls the driver, and records the outcomes of frames that it counts.
    fn call<T>(&mut self, call: impl FnOnce(&mut Host) -> T) -> T {
        let before = self.host.stats();
        let result = call(&mut self.host);
        let now = self.host.stats();
        self.tx.classify(&before, &now, self.testbed.clock.now());
        if now.recoveries != self.recoveries {
            self.recoveries = now.recoveries;
            self.last_recovery = self.testbed.clock.now();
        }
        result
    }

    /// Whether the chip was reset and the driver has not recovered since.
    fn is_reset_unnoticed(&self) -> bool {
        let now = self.now();
        self.resets
            .borrow()
            .iter()
            .any(|at| *at <= now && *at >= self.last_recovery)
    }

    fn inject(&mut self) {
        let now = self.now();
        if self.link_back.is_some_and(|at| now >= at) {
            self.link_back = None;
            self.testbed.wire.set_link(true);
            self.faults.record_link_up(now + self.link_time);
            self.pending = Some(PendingRecovery::new("link flap", now));
        }
        let settled = self.pending.is_none() && self.link_back.is_none();
        // Enough frames must remain after a fault to show that they flow again.
        let enough = self.rx.next().max(self.tx.next()) + 1000 < self.half();
        if !settled || !enough || now < self.next_fault {
            return;
        }
        self.next_fault = now + Duration::from_micros(self.random.u64(50_000..400_000));
        let kinds = if self.plan.scenario.has_resets() { 3 } else { 1 };
        let kind = self.random.u32(..kinds);
        if kind == 0 {
            self.stats.flaps += 1;
            self.testbed.wire.set_link(false);
            self.faults.record_link_down(now);
            self.link_back = Some(now + Duration::from_micros(self.random.u64(10..50_000)));
            return;
        }
        // At any time, also in the middle of a transaction.
        let at = now + Duration::from_nanos(self.random.u64(..2_000_000));
        let (chip, lost_in_reset) = (self.testbed.chip.clone(), self.lost_in_reset.clone());
        let resets = self.resets.clone();
        let is_brownout = kind == 1;
        self.testbed.clock.schedule_at(at, move || {
            let before = chip.stats().lost_in_reset;
            if is_brownout {
                chip.inject_brownout();
            } else {
                chip.inject_reset();
            }
            lost_in_reset.set(lost_in_reset.get() + chip.stats().lost_in_reset - before);
            resets.borrow_mut().push(at);
        });
        if is_brownout {
            self.stats.brownouts += 1;
            self.pending = Some(PendingRecovery::new("brownout", at));
        } else {
            self.stats.resets += 1;
            self.pending = Some(PendingRecovery::new("chip reset", at));
        }
    }

    fn check_recovery(&mut self) {
        let Some(pending) = self.pending.take_if(|pending| pending.rx && pending.tx) else {
            return;
        };
        let took = self.now().saturating_sub(pending.since);
        self.stats.max_recovery = self.stats.max_recovery.max(took);
        if took > RECOVERY_LIMIT {
            self.stats.violation(format!(
                "frames flowed again {took:?} after a {} at {:?}",
                pending.kind, pending.since
            ));
        }
    }

    fn length(&mut self) -> usize {
        match self.random.u32(..10) {
            0..4 => self.random.usize(60..128),
            4..6 => 1514,
            _ => self.random.usize(60..=1514),
        }
    }

    fn peer_send(&mut self) {
        let now = self.now();
        // Both directions progress together, except while a recovery is pending.
        let ahead = self.pending.is_none() && self.rx.next() > self.tx.next() + MAX_AHEAD;
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
            let last_bit = self.testbed.peer.send(&frame);
            self.rx.record(last_bit, frame.len());
        }
        self.quiet_until = self.testbed.peer.idle_at().max(now) + Duration::from_micros(self.random.u64(..3_000));
    }

    fn peer_recv(&mut self) {
        while let Some((at, frame)) = self.testbed.peer.recv_timed() {
            let sent = self.tx.arrive(number(&frame, false));
            self.last_arrival = at;
            if let (Some(pending), Some(sent)) = (&mut self.pending, sent) {
                pending.tx |= sent >= pending.since && at >= pending.since;
            }
        }
        self.check_recovery();
    }

    fn service_if_due(&mut self) {
        let pause = match self.host.is_signaled() {
            // The async driver services the chip while it waits.
            _ if !self.host.needs_service() => ASYNC_SERVICE_INTERVAL,
            Some(true) => Duration::ZERO,
            Some(false) => SERVICE_INTERVAL_WITH_IRQ,
            None => SERVICE_INTERVAL,
        };
        if self.now().saturating_sub(self.last_service) < pause {
            return;
        }
        self.last_service = self.now();
        self.service();
    }

    /// Calls `service`. Where frames were overrun since the last call, it counts at least one.
    fn service(&mut self) {
        let lost = self.lost_by_overruns();
        let recoveries = self.host.stats().recoveries;
        if let Err(e) = self.call(Host::service) {
            return self.stats.count_error(&e);
        }
        let driver = self.host.stats();
        let (lost_before, counted_before) = self.overruns;
        // A reset clears the flag.
        let may_compare = driver.recoveries == recoveries && self.overruns_since == recoveries;
        if may_compare && lost > lost_before && driver.rx_overrun == counted_before {
            let frames = lost - lost_before;
            self.stats
                .violation(format!("{frames} frames overrun until {:?}, not counted", self.now()));
        }
        self.overruns = (lost, driver.rx_overrun);
        self.overruns_since = driver.recoveries;
    }

    fn lost_by_overruns(&self) -> u64 {
        let model = self.testbed.chip.stats();
        model.overflowed + model.packet_count_full + model.lost_to_errata
    }

    fn receive(&mut self) {
        let mut buf = [0; 1518];
        for _ in 0..32 {
            match self.call(|host| host.recv(&mut buf)) {
                Ok(Some(len)) => {
                    let number = number(&buf[..len], true);
                    // The frame was in flight when the chip was reset.
                    if number.is_none() && self.is_reset_unnoticed() {
                        self.stats.rx_corrupt_in_reset += 1;
                        continue;
                    }
                    let sent = self.rx.arrive(number);
                    let now = self.now();
                    if let Some(sent) = sent {
                        let silent = now.saturating_sub(self.last_delivery.max(sent));
                        self.stats.max_silence = self.stats.max_silence.max(silent);
                        self.last_delivery = now;
                    }
                    if let (Some(pending), Some(sent)) = (&mut self.pending, sent) {
                        pending.rx |= sent >= pending.since;
                    }
                }
                Ok(None) => return,
                Err(e) => return self.stats.count_error(&e),
            }
        }
    }

    fn is_tx_ahead(&self) -> bool {
        self.pending.is_none() && self.tx.next() > self.rx.next() + MAX_AHEAD
    }

    fn transmit(&mut self) {
        for _ in 0..self.random.u32(..4) {
            if self.is_tx_ahead() {
                return;
            }
            match self.call(Host::tx_ready) {
                Ok(true) => {}
                Ok(false) => return,
                Err(e) => return self.stats.count_error(&e),
            }
            let len = self.length() - self.random.usize(..30);
            let frame = build(self.tx.next(), false, len);
            let began = self.now();
            match self.call(|host| host.send(&frame)) {
                Ok(()) => self.tx.record(began, frame.len()),
                Err(e) => return self.stats.count_error(&e),
            }
        }
    }

    fn drain(&mut self) {
        let until = self.now() + DRAIN;
        while self.now() < until {
            self.service_if_due();
            self.receive();
            if !self.host.needs_service() {
                // The async driver completes transmissions while it waits.
                self.sleep();
            }
            self.peer_recv();
            self.testbed.clock.advance(Duration::from_micros(500));
        }
    }

    fn finish(mut self) -> RunStats {
        let here = self.testbed.wire.stats(self.testbed.chip_side);
        let there = self.testbed.wire.stats(self.testbed.chip_side.other());
        let bus = self.testbed.chip.bus();
        let mut stats = core::mem::take(&mut self.stats);
        stats.rx_sent = self.rx.next();
        stats.rx_delivered = self.rx.unique;
        stats.rx_duplicates = self.rx.duplicates;
        stats.rx_corrupt = self.rx.corrupt;
        stats.rx_cut = there.cut;
        stats.rx_lost_in_reset = self.lost_in_reset.get();
        stats.tx_accepted = self.tx.next();
        stats.tx_arrived = self.tx.unique;
        stats.tx_duplicates = self.tx.duplicates;
        stats.tx_corrupt = self.tx.corrupt;
        stats.tx_cut = here.cut;
        stats.tx_bad_fcs = self.testbed.peer.bad_frames();
        stats.model = self.testbed.chip.stats();
        stats.driver = self.host.stats();
        stats.transactions = bus.transactions;
        stats.max_call = self.host.max_call;
        stats.elapsed = self.now();
        if let Some(pending) = &self.pending
            && self.now().saturating_sub(pending.since) > RECOVERY_LIMIT
        {
            stats.violation(format!(
                "no frames flow after a {} at {:?}",
                pending.kind, pending.since
            ));
        }
        if stats.rx_sent + stats.tx_accepted < self.plan.frames {
            let silence = [self.last_delivery, self.last_arrival].map(|at| self.now().saturating_sub(at));
            stats.violation(format!(
                "aborted at {:?}: nothing received for {:?}, nothing sent for {:?}",
                self.now(),
                silence[0],
                silence[1]
            ));
        }
        self.faults.resets = self.resets.take();
        stats.classify(&self.tx, &self.faults);
        stats.audit(self.plan.scenario);
        for violation in self.testbed.chip.violations() {
            stats.violation(format!("protocol violation: {violation}"));
        }
        stats
    }
}

impl PendingRecovery {
    fn new(kind: &'static str, since: Duration) -> Self {
        Self {
            kind,
            since,
            rx: false,
            tx: false,
        }
    }
}
