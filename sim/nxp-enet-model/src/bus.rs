//! The system bus, on which the uDMA is a master, and the descriptors in its memory.

/// The system bus as the uDMA sees it: the host's memory.
///
/// Addresses are those of the bus, not of the processor. How the host sees what is written, with
/// its caches, is up to the implementor.
pub trait BusMemory {
    /// Reads; `false` is a bus error.
    fn read(&self, address: u32, into: &mut [u8]) -> bool;

    /// Writes; `false` is a bus error.
    fn write(&self, address: u32, from: &[u8]) -> bool;
}

/// The uDMA met a bus error: the MAC halts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BusError;

/// The host's memory with errors as a type.
pub(crate) struct Memory(Box<dyn BusMemory>);

impl Memory {
    pub(crate) fn new(bus: Box<dyn BusMemory>) -> Self {
        Self(bus)
    }

    pub(crate) fn read(&self, address: u32, into: &mut [u8]) -> Result<(), BusError> {
        self.0.read(address, into).then_some(()).ok_or(BusError)
    }

    pub(crate) fn write(&self, address: u32, from: &[u8]) -> Result<(), BusError> {
        self.0.write(address, from).then_some(()).ok_or(BusError)
    }
}

/// A buffer descriptor of the legacy layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Descriptor {
    pub(crate) flags: u16,
    pub(crate) len: u16,
    pub(crate) buffer: u32,
}

/// Length of a descriptor in bytes.
pub(crate) const DESCRIPTOR_LEN: u32 = 8;

impl Descriptor {
    /// Fetches the descriptor at `at`.
    pub(crate) fn fetch(memory: &Memory, at: u32, little_endian: bool) -> Result<Self, BusError> {
        let mut bytes = [0; DESCRIPTOR_LEN as usize];
        memory.read(at, &mut bytes)?;
        let [a, b, c, d, e, f, g, h] = bytes;
        // Without the byte swap, flags come first.
        Ok(if little_endian {
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
    pub(crate) fn close(self, memory: &Memory, at: u32, little_endian: bool) -> Result<(), BusError> {
        let ([a, b], [c, d]) = if little_endian {
            (self.len.to_le_bytes(), self.flags.to_le_bytes())
        } else {
            (self.flags.to_be_bytes(), self.len.to_be_bytes())
        };
        memory.write(at, &[a, b, c, d])
    }

    pub(crate) const fn has(self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}
