//! What the firmware tells of its own accord.

use super::Fault;
use super::fifo::Parcel;
use super::hardware::Model;

/// Types of events.
pub(super) mod kind {
    pub(crate) const SET_SSID: u32 = 0;
    pub(crate) const JOIN: u32 = 1;
    pub(crate) const AUTH: u32 = 3;
    pub(crate) const DEAUTH_IND: u32 = 6;
    pub(crate) const ASSOC: u32 = 7;
    pub(crate) const ASSOC_IND: u32 = 8;
    pub(crate) const REASSOC: u32 = 9;
    pub(crate) const DISASSOC: u32 = 11;
    pub(crate) const DISASSOC_IND: u32 = 12;
    pub(crate) const LINK: u32 = 16;
    pub(crate) const ROAM: u32 = 19;
    pub(crate) const PSK_SUP: u32 = 46;
    pub(crate) const ESCAN_RESULT: u32 = 69;
    pub(crate) const ASSOC_REQ_IE: u32 = 87;
    pub(crate) const ASSOC_RESP_IE: u32 = 88;
}

/// How most events end.
pub(super) mod status {
    pub(crate) const SUCCESS: u32 = 0;
    pub(crate) const FAIL: u32 = 1;
    pub(crate) const TIMEOUT: u32 = 2;
    pub(crate) const NO_NETWORKS: u32 = 3;
    pub(crate) const ABORT: u32 = 4;
    pub(crate) const PARTIAL: u32 = 8;
}

/// The status of `PSK_SUP`: where the supplicant stands.
pub(super) mod supplicant {
    pub(crate) const WAIT_M1: u32 = 4;
    pub(crate) const KEYED: u32 = 6;
    pub(crate) const WAIT_M3: u32 = 8;
    pub(crate) const WAIT_GROUP_KEY: u32 = 10;
}

const ETHERTYPE: [u8; 2] = [0x88, 0x6c];

/// An event before it has a form.
#[derive(Debug, Clone, Default)]
pub(super) struct Event {
    pub(super) kind: u32,
    pub(super) flags: u16,
    pub(super) status: u32,
    pub(super) reason: u32,
    pub(super) auth_type: u32,
    pub(super) address: [u8; 6],
    pub(super) interface: u8,
    pub(super) data: Vec<u8>,
}

impl Event {
    pub(super) fn new(kind: u32, status: u32) -> Self {
        Self {
            kind,
            status,
            ..Self::default()
        }
    }

    pub(super) fn of(mut self, address: [u8; 6]) -> Self {
        self.address = address;
        self
    }

    pub(super) fn with_reason(mut self, reason: u32) -> Self {
        self.reason = reason;
        self
    }

    pub(super) fn with_data(mut self, data: Vec<u8>) -> Self {
        self.data = data;
        self
    }

    /// As an Ethernet frame to the chip's own address, big endian throughout.
    fn to_frame(&self, mac: [u8; 6]) -> Vec<u8> {
        let mut frame = Vec::with_capacity(72 + self.data.len());
        frame.extend(mac);
        frame.extend(mac);
        frame.extend(ETHERTYPE);
        // Vendor header: subtype, length, version, OUI, subtype of the user.
        frame.extend(0x8001_u16.to_be_bytes());
        frame.extend((0x34 + self.data.len() as u16).to_be_bytes());
        frame.extend([0x00, 0x00, 0x10, 0x18]);
        frame.extend(1_u16.to_be_bytes());
        // The message.
        frame.extend(2_u16.to_be_bytes());
        frame.extend(self.flags.to_be_bytes());
        for word in [
            self.kind,
            self.status,
            self.reason,
            self.auth_type,
            self.data.len() as u32,
        ] {
            frame.extend(word.to_be_bytes());
        }
        frame.extend(self.address);
        let mut name = [0; 16];
        name[..3].copy_from_slice(b"wl0");
        frame.extend(name);
        frame.extend([self.interface, self.interface]);
        frame.extend(&self.data);
        frame
    }
}

impl Model {
    /// Tells the host, if it wants to know.
    pub(super) fn tell(&mut self, event: Event) {
        let Some(firmware) = self.firmware.as_deref() else {
            return;
        };
        if firmware.settings.wants(event.kind) && !self.firmware_halted() {
            let frame = event.to_frame(firmware.settings.mac);
            self.push(Parcel::Event(frame));
        }
    }

    /// Something goes wrong once: at once, or as soon as it can.
    pub(super) fn inject(&mut self, fault: Fault) {
        let running = self.is_f2_ready();
        match fault {
            Fault::StrayEvent { kind, status, reason } if running => {
                self.tell(Event::new(kind, status).with_reason(reason));
            }
            Fault::EventFromAir { kind, status } if running => {
                let mac = self.own_address();
                self.stats.arrived += 1;
                let frame = Event::new(kind, status).to_frame(mac);
                self.push(Parcel::Data(0, frame));
            }
            Fault::JunkFrame if running => self.push(Parcel::Junk),
            Fault::CreditUpdate if running => self.push(Parcel::Credit),
            Fault::SpuriousInterrupt => {
                self.spurious_irq = true;
                self.later(core::time::Duration::from_micros(10), |chip| chip.spurious_irq = false);
            }
            Fault::StrayEvent { .. } | Fault::EventFromAir { .. } | Fault::JunkFrame | Fault::CreditUpdate => {}
            later => self.faults.push_back(later),
        }
    }

    /// The chip's address, as the host may have changed it.
    pub(super) fn own_address(&self) -> [u8; 6] {
        let firmware = self.firmware.as_deref();
        firmware.map_or(self.config.mac, |firmware| firmware.settings.mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event that was seen on a real chip, from its Ethernet header on.
    #[test]
    fn an_event_byte_for_byte() {
        let mac = [0x28, 0xcd, 0xc1, 1, 2, 3];
        let event = Event::new(kind::PSK_SUP, supplicant::KEYED).of([2, 0, 0, 0, 0, 1]);
        let mut expected = Vec::new();
        expected.extend(mac);
        expected.extend(mac);
        expected.extend([0x88, 0x6c, 0x80, 0x01, 0x00, 0x34, 0x00, 0x00, 0x10, 0x18, 0x00, 0x01]);
        expected.extend([
            0, 2, 0, 0, 0, 0, 0, 0x2e, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]);
        expected.extend([2, 0, 0, 0, 0, 1]);
        expected.extend(b"wl0");
        expected.extend([0; 13]);
        expected.extend([0, 0]);
        assert_eq!(event.to_frame(mac), expected);
        assert_eq!(expected.len(), 72);
    }
}
