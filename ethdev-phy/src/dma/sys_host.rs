//! Memory that is shared with a model of a DMA engine, on a host.
#![allow(unsafe_code)]

extern crate std;

use core::cell::RefCell;
use core::ptr::NonNull;
use std::rc::Rc;
use std::vec::Vec;

use super::sys_dma::{Dma, DmaRange};

/// A [`Dma`] for tests on a host, where the engine is a model: it sees what the driver shares at bus addresses of its own, by [`read`](Self::read) and
/// [`write`](Self::write). Clones are the same bus.
///
/// Buffers are as incoherent as can be: the engine has a copy of its own, and content crosses only when the driver cleans and invalidates. What a driver forgets
/// does not arrive. Descriptors are the same for both, as uncached memory is.
///
/// ```
/// use ethdev_phy::dma::HostMemory;
///
/// let memory = HostMemory::new();
/// // One goes to the driver (`Enet::with_dma`), the other to the model of its chip.
/// let bus = memory.clone();
/// // Nothing is shared yet.
/// assert!(!bus.read(0x2000_0000, &mut [0; 8]));
/// ```
#[derive(Debug, Clone, Default)]
pub struct HostMemory(Rc<RefCell<Vec<Mapped>>>);

/// One region.
#[derive(Debug)]
struct Mapped {
    /// Where the engine sees it.
    address: u32,
    /// Where the processor sees it: memory that stays the driver's for ever, since only drivers make regions.
    start: NonNull<u8>,
    len: usize,
    /// What the engine sees; `None` where it sees the processor's memory.
    copy: Option<Vec<u8>>,
}

/// Where the first region is.
const FIRST: u32 = 0x2000_0000;
/// The space between the end of a region and the beginning of the next one: an engine that runs off an end finds nothing.
const GAP: u32 = 0x1_0000;

impl HostMemory {
    /// A bus with nothing on it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The engine reads; `false` where there is nothing, or where words of descriptors are not read as such.
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
                    // SAFETY: an aligned word of descriptors, which are initialised memory that is never freed, to which no reference exists; this type is not
                    // `Send`, so that no other thread is at it.
                    into.copy_from_slice(&unsafe { word.read_volatile() }.to_ne_bytes());
                    true
                })
            })
        })
    }

    /// The engine writes; `false` where there is nothing, or where words of descriptors are not written as such.
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

    /// The bus addresses and lengths of everything that is shared, in the order in which it was.
    #[must_use]
    pub fn regions(&self) -> Vec<(u32, usize)> {
        self.0
            .borrow()
            .iter()
            .map(|region| (region.address, region.len))
            .collect()
    }

    /// Where the engine sees a part of a buffer, and the copy that it is in.
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

/// The region that has all of this, and where in it.
fn find(regions: &[Mapped], address: u32, len: usize) -> Option<(usize, usize)> {
    regions.iter().enumerate().find_map(|(n, region)| {
        let offset = address.checked_sub(region.address)? as usize;
        (offset < region.len && len <= region.len - offset).then_some((n, offset))
    })
}

impl Mapped {
    /// A word of descriptors.
    fn word(&self, offset: usize) -> Option<NonNull<u32>> {
        (offset % 4 == 0 && offset + 4 <= self.len).then(|| {
            // SAFETY: inside the region.
            unsafe { self.start.add(offset) }.cast()
        })
    }
}

// SAFETY: the engine sees the regions at the addresses that are told, by `read` and `write` alone: buffers by a copy, which the methods below bring up to date,
// and descriptors as they are.
unsafe impl Dma for HostMemory {
    fn bus_address(&self, region: &DmaRange) -> Option<u32> {
        let mut regions = self.0.borrow_mut();
        let end = regions
            .last()
            .map_or(FIRST, |last| last.address + last.len as u32 + GAP);
        let address = end.checked_next_multiple_of(64)?;
        address.checked_add(u32::try_from(region.len()).ok()?)?;
        regions.push(Mapped {
            address,
            start: region.start(),
            len: region.len(),
            copy: (!region.is_descriptors()).then(|| std::vec![0; region.len()]),
        });
        Some(address)
    }

    fn clean(&self, part: &DmaRange) {
        self.with_copy(part, |copy| {
            // SAFETY: initialised memory of the driver's, of this length; it calls this while no slice of it is lent.
            let from = unsafe { core::slice::from_raw_parts(part.start().as_ptr(), part.len()) };
            copy.copy_from_slice(from);
        });
    }

    fn invalidate_before_write(&self, part: &DmaRange) {
        // Nothing of what the processor had written arrives here later.
        self.with_copy(part, |copy| copy.fill(0xdd));
    }

    fn invalidate(&self, part: &DmaRange) {
        self.with_copy(part, |copy| {
            // SAFETY: memory of the driver's, of this length, which it calls this for while no slice of it is lent.
            let into = unsafe { core::slice::from_raw_parts_mut(part.start().as_ptr(), part.len()) };
            into.copy_from_slice(copy);
        });
    }
}
