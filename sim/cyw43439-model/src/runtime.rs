//! What the parts of the firmware share.

use crate::chip::Chip;
use crate::events::Event;
use crate::fifo::Fifo;
use crate::framing::Parcel;
use crate::settings::Settings;

/// The surroundings of a part of the firmware. Each part is handed them by its caller.
pub(crate) struct Runtime<'a> {
    pub(crate) chip: &'a mut Chip,
    pub(crate) fifo: &'a mut Fifo,
    pub(crate) settings: &'a mut Settings,
}

impl Runtime<'_> {
    /// Queues an event for the host, where it has enabled events of this type.
    pub(crate) fn report(&mut self, event: &Event) {
        if self.settings.wants(event.kind) && self.chip.firmware.runs() {
            let frame = event.to_frame(self.settings.mac);
            self.fifo.push(self.chip, Parcel::Event(frame));
        }
    }
}
