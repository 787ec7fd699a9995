//! Memory that is shared with the model of a DMA engine, on a host.
#![allow(unsafe_code)]

extern crate std;

use core::cell::RefCell;
use core::ptr::NonNull;
use std::rc::Rc;
use std::vec::Vec;

use super::sys_dma::{Dma, DmaRange};

/// A [`Dma`] for tests on a host, where the engine is a model: it accesses the memory of the driver
/// at bus addresses by [`read`](Self::read) and [`write`](Self::write). Clones are the same bus.
///
/// Buffers are not coherent: the engine has a copy, and content is transferred only when the driver
/// cleans or invalidates. Descriptors are coherent, as non-cacheable memory is.
///
/// ```
/// use ethdev_phy::dma::HostMemory;
///
/// let memory = HostMemory::new();
/// // One goes to the driver (`Enet::with_dma`), the other to the model of its chip.
/// let bus = memory.clone();
/// // No driver has shared memory yet.
/// assert!(!bus.read(0x2000_0000, &mut [0; 8]));
/// ```
#[derive(Debug, Clone, Default)]
pub struct HostMemory(Rc<RefCell<Vec<Mapped>>>);

/// One shared range.
#[derive(Debug)]
struct Mapped {
    /// Its bus address.
    address: u32,
    /// Its address for the processor. The memory is `'static`, because only [`Ring`](super::Ring)
    /// creates ranges.
    start: NonNull<u8>,
    len: usize,
    /// The copy of the engine; `None` if it shares the memory of the processor.
    copy: Option<Vec<u8>>,
}

/// Bus address of the first range.
const FIRST: u32 = 0x2000_0000;
/// Distance between the ranges, so that an access beyond the end of one fails.
const GAP: u32 = 0x1_0000;

impl HostMemory {
    /// Creates a bus without shared memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads as the engine; `false` outside the shared ranges, or if an access to descriptors is
    /// not of whole words.
    #[must_use]
    pub fn read(&self, address: u32, into: &mut [u8]) -> bool {
        let regions = self.0.borrow();
        let Some((region, offset)) = find(&regions, address, into.len()) else {
            return false;
        };
        if let Some(from) = regions.get(region).and_then(|region| region.copy.as_ref()) {
            return from.get(offset..offset + into.len()).is_some_and(|from| {
                into.copy_from_slice(from);
                true
            });
        }
        regions.get(region).is_some_and(|region| {
            into.chunks_mut(4).enumerate().all(|(n, into)| {
                let word = region.word(offset + n * 4).filter(|_| into.len() == 4);
                word.is_some_and(|word| {
                    // SAFETY: an aligned word of descriptors: initialised, `'static`, without references to it. This
                    // type is not `Send`, so that no other thread accesses it.
                    into.copy_from_slice(&unsafe { word.read_volatile() }.to_ne_bytes());
                    true
                })
            })
        })
    }

    /// Writes as the engine; `false` outside the shared ranges, or if an access to descriptors is
    /// not of whole words.
    #[must_use]
    pub fn write(&self, address: u32, from: &[u8]) -> bool {
        let mut regions = self.0.borrow_mut();
        let Some((region, offset)) = find(&regions, address, from.len()) else {
            return false;
        };
        let Some(region) = regions.get_mut(region) else {
            return false;
        };
        if let Some(copy) = &mut region.copy {
            return copy.get_mut(offset..offset + from.len()).is_some_and(|into| {
                into.copy_from_slice(from);
                true
            });
        }
        from.chunks(4).enumerate().all(|(n, from)| {
            let word = region.word(offset + n * 4);
            word.zip(from.first_chunk::<4>()).is_some_and(|(word, from)| {
                // SAFETY: as in `read`.
                unsafe { word.write_volatile(u32::from_ne_bytes(*from)) };
                true
            })
        })
    }

    /// Returns bus address and length of every shared range, in the order of sharing.
    #[must_use]
    pub fn regions(&self) -> Vec<(u32, usize)> {
        self.0
            .borrow()
            .iter()
            .map(|region| (region.address, region.len))
            .collect()
    }

    /// Calls `f` with the engine's copy of a part of a buffer.
    fn with_copy(&self, part: &DmaRange, mut f: impl FnMut(&mut [u8])) {
        let begin = part.start().addr().get();
        for region in self.0.borrow_mut().iter_mut() {
            let first = region.start.addr().get();
            let Some(offset) = begin.checked_sub(first).filter(|offset| *offset < region.len) else {
                continue;
            };
            let copy = region.copy.as_mut();
            if let Some(copy) = copy.and_then(|copy| copy.get_mut(offset..offset + part.len())) {
                f(copy);
            }
        }
    }
}

/// Returns the index of the range that contains the access, and the offset in it.
fn find(regions: &[Mapped], address: u32, len: usize) -> Option<(usize, usize)> {
    regions.iter().enumerate().find_map(|(n, region)| {
        let offset = address.checked_sub(region.address)? as usize;
        (offset < region.len && len <= region.len - offset).then_some((n, offset))
    })
}

impl Mapped {
    /// Returns a word of descriptors.
    fn word(&self, offset: usize) -> Option<NonNull<u32>> {
        (offset % 4 == 0 && offset + 4 <= self.len).then(|| {
            // SAFETY: inside the range.
            unsafe { self.start.add(offset) }.cast()
        })
    }
}

// SAFETY: the engine accesses the ranges at the returned addresses by `read` and `write` only:
// buffers in a copy, which the methods below update, and descriptors in place.
unsafe impl Dma for HostMemory {
    fn bus_address(&self, range: &DmaRange) -> Option<u32> {
        let mut regions = self.0.borrow_mut();
        let end = regions
            .last()
            .map_or(FIRST, |last| last.address + last.len as u32 + GAP);
        let address = end.checked_next_multiple_of(64)?;
        address.checked_add(u32::try_from(range.len()).ok()?)?;
        regions.push(Mapped {
            address,
            start: range.start(),
            len: range.len(),
            copy: (!range.is_descriptors()).then(|| std::vec![0; range.len()]),
        });
        Some(address)
    }

    fn clean(&self, part: &DmaRange) {
        self.with_copy(part, |copy| {
            // SAFETY: initialised memory of the driver, of this length; no slice of it is lent during this
            // call.
            let from = unsafe { core::slice::from_raw_parts(part.start().as_ptr(), part.len()) };
            copy.copy_from_slice(from);
        });
    }

    fn clean_invalidate(&self, part: &DmaRange) {
        // The content is unspecified until the engine writes: a pattern shows drivers that rely on it.
        self.with_copy(part, |copy| copy.fill(0xdd));
    }

    fn invalidate(&self, part: &DmaRange) {
        self.with_copy(part, |copy| {
            // SAFETY: memory of the driver, of this length; no slice of it is lent during this call.
            let into = unsafe { core::slice::from_raw_parts_mut(part.start().as_ptr(), part.len()) };
            into.copy_from_slice(copy);
        });
    }
}
