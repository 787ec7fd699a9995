//! The system bus, on which the uDMA is a master, and the descriptors that lie behind it.

/// The system bus as the chip's uDMA sees it: the host's memory.
///
/// Addresses are the bus', not the processor's. What is written is seen by the host in the way that its caches allow; that is the implementor's business.
pub trait BusMemory {
    /// Reads; `false` where nothing answers.
    fn read(&self, address: u32, into: &mut [u8]) -> bool;

    /// Writes; `false` where nothing answers.
    fn write(&self, address: u32, from: &[u8]) -> bool;
}

/// A buffer descriptor in the legacy layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub(super) flags: u16,
    pub(super) len: u16,
    pub(super) buffer: u32,
}

/// Length of a descriptor in bytes.
pub(super) const DESCRIPTOR_LEN: u32 = 8;

impl Descriptor {
    /// Fetches it.
    pub(super) fn fetch(memory: &dyn BusMemory, at: u32, little_endian: bool) -> Option<Self> {
        let mut bytes = [0; DESCRIPTOR_LEN as usize];
        if !memory.read(at, &mut bytes) {
            return None;
        }
        let [a, b, c, d, e, f, g, h] = bytes;
        // Without the byte swap, flags come first.
        Some(if little_endian {
            Self {
                len: u16::from_le_bytes([a, b]),
                flags: u16::from_le_bytes([c, d]),
                buffer: u32::from_le_bytes([e, f, g, h]),
            }
        } else {
            Self {
                flags: u16::from_be_bytes([a, b]),
                len: u16::from_be_bytes([c, d]),
                buffer: u32::from_be_bytes([e, f, g, h]),
            }
        })
    }

    /// Writes flags and length back.
    pub(super) fn close(self, memory: &dyn BusMemory, at: u32, little_endian: bool) -> bool {
        let ([a, b], [c, d]) = if little_endian {
            (self.len.to_le_bytes(), self.flags.to_le_bytes())
        } else {
            (self.flags.to_be_bytes(), self.len.to_be_bytes())
        };
        memory.write(at, &[a, b, c, d])
    }

    pub(super) const fn has(self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}
