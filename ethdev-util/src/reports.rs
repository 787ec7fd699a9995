//! Events that a layer has found and not reported to its caller yet.

use ethdev::{Events, Link};

/// A layer that calls `service` of its device for purposes of its own keeps the events here, for
/// the next report.
#[derive(Debug)]
pub(crate) struct Reports {
    events: Events,
    /// The link at the last report; `None` before the first, if it was not known.
    link: Option<Link>,
}

impl Reports {
    pub(crate) const fn new(link: Option<Link>) -> Self {
        Self {
            events: Events::NONE,
            link,
        }
    }

    /// Adds what `service` of the device returned.
    pub(crate) fn add(&mut self, events: Events) {
        self.events = self.events.merge(events);
        // States, not events: the last one holds.
        (self.events.rx_pending, self.events.tx_ready) = (events.rx_pending, events.tx_ready);
    }

    /// Takes the events since the last report.
    pub(crate) fn take(&mut self, link: Link) -> Events {
        let mut events = core::mem::take(&mut self.events);
        if let Some(reported) = self.link.replace(link) {
            events.link_changed = reported != link;
        }
        events
    }
}
