//! Events of the firmware.

/// Types of events.
pub(crate) mod kind {
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

/// The status of most events.
pub(crate) mod status {
    pub(crate) const SUCCESS: u32 = 0;
    pub(crate) const FAIL: u32 = 1;
    pub(crate) const TIMEOUT: u32 = 2;
    pub(crate) const NO_NETWORKS: u32 = 3;
    pub(crate) const ABORT: u32 = 4;
    pub(crate) const PARTIAL: u32 = 8;
}

/// The status of `PSK_SUP`: the state of the supplicant.
pub(crate) mod supplicant {
    pub(crate) const WAIT_M1: u32 = 4;
    pub(crate) const KEYED: u32 = 6;
    pub(crate) const WAIT_M3: u32 = 8;
    pub(crate) const WAIT_GROUP_KEY: u32 = 10;
}

const ETHERTYPE: [u8; 2] = [0x88, 0x6c];

/// An event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Event {
    pub(crate) kind: u32,
    pub(crate) flags: u16,
    pub(crate) status: u32,
    pub(crate) reason: u32,
    pub(crate) auth_type: u32,
    pub(crate) address: [u8; 6],
    pub(crate) interface: u8,
    pub(crate) data: Vec<u8>,
}

impl Event {
    pub(crate) fn new(kind: u32, status: u32) -> Self {
        Self {
            kind,
            status,
            ..Self::default()
        }
    }

    pub(crate) fn of(mut self, address: [u8; 6]) -> Self {
        self.address = address;
        self
    }

    pub(crate) fn with_reason(mut self, reason: u32) -> Self {
        self.reason = reason;
        self
    }

    pub(crate) fn with_data(mut self, data: Vec<u8>) -> Self {
        self.data = data;
        self
    }

    /// The event as an Ethernet frame to the chip's own address, in big endian.
    pub(crate) fn to_frame(&self, mac: [u8; 6]) -> Vec<u8> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// An event of a real chip, from its Ethernet header on.
    #[test]
    fn event_to_frame_matches_real_chip() {
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
