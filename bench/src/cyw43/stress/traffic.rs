//! A run with continuous traffic in both directions and one fault after another.

use core::time::Duration;

use cyw43439_model::{AccessPoint, ApId, Boot, BusFault, ChipConfig, EventOrder, ViolationKind};
use ethdev::{Error as _, ErrorKind};
use ethdev_cyw43::{Config, Error, Network, PowerSave};

use super::super::{PASSPHRASE, SSID, Testbed};
use super::faults::{End, Family, FaultKind, Trigger};
use super::frame_log::FrameLog;
use super::host::{self, Host};
use super::stats::RunStats;
use crate::enc28j60::{build, number};

/// The run is aborted after this time without traffic.
const HANG: Duration = Duration::from_secs(30);
/// The maximum difference between the frames of the two directions.
const MAX_AHEAD: u64 = 200;
/// The interval between calls of `service`.
const SERVICE_INTERVAL: Duration = Duration::from_millis(1);
/// The application joins after the link was down for this time with the access point on.
const LINK_TIMEOUT: Duration = Duration::from_secs(3);
/// The time to deliver the remaining frames at the end.
const DRAIN: Duration = Duration::from_secs(4);

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The faults.
    pub family: Family,
    /// Whether the host sees the interrupt line, and the radio does not save power; or the host
    /// polls, and the radio saves power.
    pub has_irq_line: bool,
    /// The total number of frames, half of them in each direction.
    pub frames: u64,
    /// The random seed.
    pub seed: u64,
}

/// A fault after which frames do not flow in both directions yet.
struct PendingRecovery {
    fault: FaultKind,
    /// When the fault ended.
    since: Duration,
    /// Whether a frame that was sent since then was received.
    rx: bool,
    /// Whether a frame that was sent since then arrived at the peer.
    tx: bool,
    link_lost: bool,
}

struct Run<'m> {
    plan: Plan,
    testbed: &'m Testbed,
    aps: [ApId; 2],
    host: Host<'m>,
    network: Network,
    random: fastrand::Rng,
    rx: FrameLog,
    tx: FrameLog,
    stats: RunStats,
    faults: Vec<FaultKind>,
    pending: Option<PendingRecovery>,
    /// A fault that lasts: its end, its kind, and how to end it.
    lasting: Option<(Duration, FaultKind, End)>,
    next_fault: Duration,
    /// No burst starts before this time.
    quiet_until: Duration,
    was_reachable: bool,
    last_service: Duration,
    last_link_up: Duration,
    last_delivery: Duration,
    last_arrival: Duration,
}

/// Executes a plan. `progress` is called with the number of frames sent since its last call.
pub fn run(plan: Plan, mut progress: impl FnMut(u64)) -> RunStats {
    let order = if plan.has_irq_line {
        EventOrder::KeyedLast
    } else {
        EventOrder::KeyedFirst
    };
    let chip = ChipConfig::default().with_seed(plan.seed).with_event_order(order);
    let testbed = Testbed::new(chip);
    // A response that is late by more than two timeouts overlaps with the next request.
    testbed.chip.allow_violation(ViolationKind::IoctlOverlap);
    let ap = AccessPoint::wpa2(SSID, PASSPHRASE);
    let other = ap.clone().with_bssid([0x02, 0xa9, 0, 0, 0, 0x02]).with_rssi(-60);
    let aps = [testbed.chip.add_ap(ap), testbed.chip.add_ap(other)];
    let mut rx_queue = host::rx_queue();
    let power_save = if plan.has_irq_line {
        PowerSave::Off
    } else {
        PowerSave::Fast
    };
    let config = host::config()
        .with_power_save(power_save)
        .with_join_timeout(Duration::from_secs(3));
    let mut stats = RunStats::default();
    let started = start(&testbed, &mut rx_queue, plan.has_irq_line, config);
    let (host, network) = match started {
        Ok(started) => started,
        Err(e) => {
            stats.violation(format!("start or join failed: {e}"));
            return stats;
        }
    };
    let now = testbed.clock.now();
    let mut run = Run {
        plan,
        testbed: &testbed,
        aps,
        host,
        network,
        random: fastrand::Rng::with_seed(plan.seed ^ 0x5eed),
        rx: FrameLog::default(),
        tx: FrameLog::default(),
        stats,
        faults: FaultKind::of(plan.family).collect(),
        pending: None,
        lasting: None,
        next_fault: now + Duration::from_millis(50),
        quiet_until: now,
        was_reachable: true,
        last_service: now,
        last_link_up: now,
        last_delivery: now,
        last_arrival: now,
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

/// Creates a driver and joins the network.
fn start<'m>(
    testbed: &'m Testbed,
    rx_queue: &'m mut [u8],
    has_irq_line: bool,
    config: Config,
) -> host::Result<(Host<'m>, Network)> {
    let mut host = Host::new(testbed, rx_queue, has_irq_line, config)?;
    let network = Network::wpa2(SSID, PASSPHRASE)?;
    host.start()?;
    host.join(&network)?;
    Ok((host, network))
}

impl Run<'_> {
    fn sent(&self) -> u64 {
        self.rx.next() + self.tx.next()
    }

    fn now(&self) -> Duration {
        self.testbed.clock.now()
    }

    fn half(&self) -> u64 {
        self.plan.frames.div_ceil(2)
    }

    fn is_settled(&self) -> bool {
        self.pending.is_none() && self.lasting.is_none()
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
            // The host is busy: the queue of the firmware overruns.
            0..4 => self.random.u64(5_000..40_000),
            4..50 => self.random.u64(1_000..3_000),
            _ => self.random.u64(20..400),
        };
        self.testbed.clock.advance(Duration::from_micros(pause));
    }

    fn inject(&mut self) {
        let now = self.now();
        if let Some((_, fault, end)) = self.lasting.take_if(|(until, ..)| now >= *until) {
            end(self.testbed);
            self.await_recovery(fault);
        }
        // Enough frames must remain after a fault to show that they flow again.
        let enough = self.rx.next().max(self.tx.next()) + 400 < self.half();
        if !self.is_settled() || !enough || now < self.next_fault || !self.host.link().is_up() {
            return;
        }
        self.next_fault = now + self.plan.family.pause(&mut self.random);
        let fault = self.faults[self.random.usize(..self.faults.len())];
        let (trigger, end) = fault.inject(self.testbed, &self.aps, &mut self.random);
        match end {
            Some((time, end)) => self.lasting = Some((now + time, fault, end)),
            None => self.await_recovery(fault),
        }
        if trigger == Trigger::Request
            && let Err(e) = self.host.request()
        {
            self.handle_error(&e);
        }
    }

    fn await_recovery(&mut self, fault: FaultKind) {
        self.pending = Some(PendingRecovery {
            fault,
            since: self.now(),
            rx: false,
            tx: false,
            link_lost: false,
        });
    }

    fn check_recovery(&mut self) {
        let now = self.now();
        let Some(pending) = self.pending.take_if(|pending| pending.rx && pending.tx) else {
            return;
        };
        let took = now.saturating_sub(pending.since);
        let times = self.stats.recoveries.entry(pending.fault).or_default();
        times.add(took, pending.link_lost);
        let limit = pending.fault.recovery_limit();
        if took > limit {
            self.stats.violation(format!(
                "frames flowed again {took:?} after \"{}\" at {:?}",
                pending.fault, pending.since
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
        let reachable = self.is_reachable();
        if reachable && !self.was_reachable {
            self.quiet_until = now;
        }
        self.was_reachable = reachable;
        // Both directions progress together, except while a recovery is pending.
        let ahead = self.pending.is_none() && self.rx.next() > self.tx.next() + MAX_AHEAD;
        if now < self.quiet_until || self.rx.next() >= self.half() || ahead {
            return;
        }
        let burst = match self.random.u32(..20) {
            // Single frames until one is received.
            _ if !reachable => 1,
            // More than the queue of the firmware holds.
            0 => self.random.u64(20..60),
            _ => self.random.u64(1..8),
        };
        for _ in 0..burst.min(self.half() - self.rx.next()) {
            let frame = build(self.rx.next(), true, self.length());
            let last_bit = self.testbed.peer.send(&frame);
            self.rx.record(last_bit, true);
        }
        let pause = if reachable { 4_000 } else { 200_000 };
        self.quiet_until = self.testbed.peer.idle_at().max(now) + Duration::from_micros(self.random.u64(..pause));
    }

    /// Whether the chip may receive frames.
    fn is_reachable(&self) -> bool {
        let keyed = self
            .testbed
            .chip
            .association()
            .is_some_and(|association| association.keyed);
        keyed && self.testbed.chip.boot() == Boot::Running && !self.is_ap_off()
    }

    /// Whether the access points are off.
    fn is_ap_off(&self) -> bool {
        matches!(self.lasting, Some((_, FaultKind::AccessPointGone, _)))
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

    fn handle_error(&mut self, error: &Error<BusFault>) {
        self.host.handle_error(error, &mut self.stats);
    }

    fn service_if_due(&mut self) {
        let now = self.now();
        if now.saturating_sub(self.last_service) < SERVICE_INTERVAL {
            return;
        }
        self.last_service = now;
        if let Err(e) = self.host.service() {
            self.handle_error(&e);
        }
        if self.host.link().is_up() || self.is_ap_off() {
            self.last_link_up = now;
            return;
        }
        if let Some(pending) = &mut self.pending {
            pending.link_lost = true;
        }
        if now.saturating_sub(self.last_link_up) > LINK_TIMEOUT {
            self.last_link_up = now;
            self.stats.joins += 1;
            if let Err(e) = self.host.join(&self.network) {
                self.handle_error(&e);
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
                        self.stats.max_silence = self.stats.max_silence.max(silent);
                        self.last_delivery = now;
                    }
                    if let (Some(pending), Some(sent)) = (&mut self.pending, sent) {
                        pending.rx |= sent >= pending.since;
                    }
                }
                Ok(None) => return,
                Err(e) => {
                    self.handle_error(&e);
                    return;
                }
            }
        }
    }

    fn transmit(&mut self) {
        // Few frames while the chip cannot send them.
        let max = if self.is_reachable() || self.random.u32(..100) == 0 {
            4
        } else {
            1
        };
        for _ in 0..self.random.u32(..max) {
            if self.pending.is_none() && self.tx.next() > self.rx.next() + MAX_AHEAD {
                return;
            }
            match self.host.tx_ready() {
                Ok(true) => {}
                Ok(false) => return,
                Err(e) => return self.handle_error(&e),
            }
            let len = self.length() - self.random.usize(..30);
            let frame = build(self.tx.next(), false, len);
            let began = self.now();
            match self.host.send(&frame) {
                Ok(()) => self.tx.record(began, true),
                Err(e) => {
                    if e.kind() == ErrorKind::Bus {
                        // The chip may have the frame: its number is not used again.
                        self.tx.record(began, false);
                        self.stats.tx_unknown += 1;
                    }
                    if e.kind() == ErrorKind::Busy {
                        self.stats.violation("busy after tx_ready returned true".to_owned());
                    }
                    return self.handle_error(&e);
                }
            }
        }
    }

    fn drain(&mut self) {
        if let Some((_, _, end)) = self.lasting.take() {
            end(self.testbed);
        }
        let until = self.now() + DRAIN;
        while self.now() < until {
            self.service_if_due();
            self.receive();
            self.peer_recv();
            self.testbed.clock.advance(Duration::from_micros(500));
        }
    }

    fn finish(mut self) -> RunStats {
        let mut stats = core::mem::take(&mut self.stats);
        stats.rx_sent = self.rx.next();
        stats.rx_delivered = self.rx.unique;
        stats.rx_duplicates = self.rx.duplicates;
        stats.rx_corrupt = self.rx.corrupt;
        stats.tx_accepted = self.tx.accepted;
        stats.tx_arrived = self.tx.unique;
        stats.tx_unexpected = self.tx.unexpected;
        stats.tx_duplicates = self.tx.duplicates;
        stats.tx_corrupt = self.tx.corrupt;
        stats.model = self.testbed.chip.stats();
        stats.driver = self.host.stats();
        stats.transactions = self.testbed.chip.bus().transactions;
        stats.max_durations = self.host.max_durations;
        stats.elapsed = self.now();
        stats.pending_fault = self.pending.as_ref().map(|pending| pending.fault);
        if let Some(pending) = &self.pending
            && self.now().saturating_sub(pending.since) > pending.fault.recovery_limit()
        {
            stats.violation(format!(
                "no frames flow after \"{}\" at {:?}",
                pending.fault, pending.since
            ));
        }
        if stats.rx_sent + self.tx.next() < self.plan.frames {
            let silence = [self.last_delivery, self.last_arrival].map(|at| self.now().saturating_sub(at));
            stats.violation(format!(
                "aborted at {:?}: nothing received for {:?}, nothing sent for {:?}",
                self.now(),
                silence[0],
                silence[1]
            ));
        }
        stats.audit(self.plan.family);
        if self.plan.family != Family::Bus {
            for violation in self.testbed.chip.violations() {
                stats.violation(format!("protocol violation: {violation}"));
            }
        }
        stats
    }
}
