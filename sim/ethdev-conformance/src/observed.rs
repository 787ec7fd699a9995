//! The device under test, with its events compared with its counters and its link.

use std::cell::RefCell;
use std::rc::Rc;

use ethdev::{ErrorKind, ErrorType, EthernetDevice, Events, Link, Polled, Stats};

use super::dut::{AnyControl, AnyRearm, Callbacks, Dut, Features, Futures, Handler, WithHalves};
use super::outcome::{CheckResult, ensure, raise};
use super::requirement;

/// What a `service` returned with.
#[derive(Debug, Clone, Copy)]
struct Last {
    link: Link,
    stats: Stats,
    /// The counters before and after the last `service` that reported `rx_dropped`.
    reported: (Stats, Stats),
}

/// The events of a device.
#[derive(Debug, Default)]
pub(super) struct EventRecord {
    /// What the last `service` returned with; `None` if it failed, or if a future has serviced the
    /// device since.
    last: Option<Last>,
    completed: u32,
    failed: u32,
    /// Whether futures have serviced the device: they do not report confirmed frames.
    incomplete: bool,
}

impl EventRecord {
    /// Forgets the confirmations so far.
    pub(super) const fn start_accounting(&mut self) {
        (self.completed, self.failed) = (0, 0);
    }

    /// Compares the confirmations with the counters. A device that confirms no frame at all does
    /// not learn the outcome from its hardware.
    pub(super) fn check_confirmations(&self, stats: &Stats) -> CheckResult {
        let (completed, failed) = (self.completed, self.failed);
        ensure!(
            completed == stats.tx_frames || completed == 0 || (completed < stats.tx_frames && self.incomplete),
            requirement::EVENTS,
            "expected tx_completed = {} in all, as in tx_frames, found {completed}",
            stats.tx_frames
        );
        // The caller of a reset knows that it loses frames.
        let (least, most) = (stats.tx_aborted, stats.tx_lost());
        ensure!(
            failed <= most && (failed >= least || self.incomplete),
            requirement::EVENTS,
            "expected tx_failed = {least} in all, as in tx_aborted, and at most {most} with tx_reset; found {failed}"
        );
        Ok(())
    }

    /// Notes what a `service` returned. The counters before it and after it differ also by events
    /// that it did not yet see.
    fn note(&mut self, events: Events, link: Link, before: Stats, after: Stats) -> CheckResult {
        self.completed += u32::from(events.tx_completed);
        self.failed += u32::from(events.tx_failed);
        let last = self.last;
        self.last = Some(Last {
            link,
            stats: after,
            reported: match last {
                Some(last) if !events.rx_dropped => last.reported,
                _ => (before, after),
            },
        });
        let Some(last) = last else {
            return Ok(());
        };
        ensure!(
            events.link_changed == (link != last.link),
            requirement::EVENTS,
            "link {} at the last service, now {link}: expected link_changed = {}, found {}",
            last.link,
            link != last.link,
            events.link_changed
        );
        let delta = after.delta_since(&last.stats);
        ensure!(
            link == last.link || delta.link_changes > 0,
            requirement::DEVICE_9,
            "link {} at the last service, now {link}: expected link_changes to grow, it did not",
            last.link
        );
        ensure!(
            !events.recovered || delta.recoveries > 0,
            requirement::EVENTS,
            "recovered: expected recoveries to grow, it did not"
        );
        ensure!(
            !events.rx_dropped || after.delta_since(&last.reported.0).rx_lost() > 0,
            requirement::EVENTS,
            "no loss since the last service: expected no rx_dropped, service reports it"
        );
        // The caller of a reset, or of `discard_frame`, knows that it loses frames.
        let due = before.delta_since(&last.reported.1);
        let due = due.rx_overrun + due.rx_bad_fcs + due.rx_bad_length + due.rx_error;
        ensure!(
            due == 0 || events.rx_dropped,
            requirement::EVENTS,
            "{due} frames were counted as lost since the last service: expected rx_dropped, service does not report it"
        );
        Ok(())
    }
}

/// Passes every call on, and compares each result of `service` with the link and the counters.
pub(super) struct Observed<'a> {
    device: &'a mut dyn Dut,
    record: Rc<RefCell<EventRecord>>,
}

impl<'a> Observed<'a> {
    pub(super) fn new(device: &'a mut dyn Dut, record: Rc<RefCell<EventRecord>>) -> Self {
        Self { device, record }
    }

    fn note(&self, events: Result<Events, ErrorKind>, before: Stats) {
        if !self.device.features().cached {
            return;
        }
        let mut record = self.record.borrow_mut();
        match events {
            Ok(events) => {
                let result = record.note(events, self.device.link(), before, self.device.stats());
                drop(record);
                raise(result);
            }
            Err(_) => record.last = None,
        }
    }
}

impl ErrorType for Observed<'_> {
    type Error = ErrorKind;
}

impl EthernetDevice for Observed<'_> {
    ethdev::forward_ethernet_device!(|this| this.device; mac_address, capabilities, tx_max_frame_len, link, stats,
        recv_frame, discard_frame, tx_ready, send_vectored, send_frame);

    fn service(&mut self) -> Result<Events, ErrorKind> {
        let before = self.device.stats();
        let result = self.device.service();
        self.note(result, before);
        result
    }
}

impl Dut for Observed<'_> {
    fn features(&self) -> Features {
        self.device.features()
    }

    fn kind_of_error_from(&self, kind: ErrorKind) -> ErrorKind {
        self.device.kind_of_error_from(kind)
    }

    fn control(&mut self) -> Option<AnyControl<'_>> {
        self.device.control()
    }

    fn rearm(&mut self) -> Option<AnyRearm<'_>> {
        self.device.rearm()
    }

    fn halves(&mut self, f: WithHalves<'_>) {
        self.device.halves(f);
    }

    fn pull(&mut self) -> Option<Box<dyn EthernetDevice<Error = ErrorKind> + '_>> {
        self.device.pull()
    }

    fn callbacks(&mut self) -> Option<&mut dyn Callbacks> {
        self.device.callbacks()?;
        Some(self)
    }

    fn futures(&mut self) -> Option<&mut dyn Futures> {
        let mut record = self.record.borrow_mut();
        (record.last, record.incomplete) = (None, true);
        self.device.futures()
    }
}

/// Only returned by [`Dut::callbacks`] if the device has callbacks.
impl Callbacks for Observed<'_> {
    fn set_handler(&mut self, handler: Handler) -> Option<Handler> {
        self.device.callbacks()?.set_handler(handler)
    }

    fn clear_handler(&mut self) -> Option<Handler> {
        self.device.callbacks()?.clear_handler()
    }

    fn poll(&mut self, budget: usize) -> Result<Polled, ErrorKind> {
        let before = self.device.stats();
        let device = self.device.callbacks().ok_or(ErrorKind::Unsupported)?;
        let result = device.poll(budget);
        self.note(result.map(|polled| polled.events), before);
        result
    }
}
