//! The baseline for the ENET: the minimum that works on the board. Memory that is shared with the
//! DMA engine requires unsafe code.
#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering, fence};

use ethdev::MacAddress;
use ethdev_phy::mmio::Registers;
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

const FRAME: usize = 1514;
const FCS: usize = 4;
const BUFFER: usize = 1536;
/// Ring lengths as in the driver.
const RX: usize = 8;
const TX: usize = 4;

// Offsets of registers (i.MX 6UltraLite reference manual, chapter of the ENET).
const RDAR: usize = 0x10;
const TDAR: usize = 0x14;
const ECR: usize = 0x24;
const RCR: usize = 0x84;
const TCR: usize = 0xc4;
const PALR: usize = 0xe4;
const PAUR: usize = 0xe8;
const TFWR: usize = 0x144;
const RDSR: usize = 0x180;
const TDSR: usize = 0x184;
const MRBR: usize = 0x188;
/// A ring has descriptors for the DMA engine.
const ACTIVE: u32 = 1 << 24;

// Bits of the first word of a descriptor: flags, and the length in the lower half.
const DEVICE: u32 = 1 << 31;
const WRAP: u32 = 1 << 29;
const LAST: u32 = 1 << 27;
const APPEND_FCS: u32 = 1 << 26;
/// Too long, not a number of whole bytes, wrong FCS, overrun, truncated.
const RX_ERROR: u32 = 0x37 << 16;

#[repr(C, align(64))]
struct Ring<const N: usize> {
    descriptors: [[u32; 2]; N],
    buffers: [Buffer; N],
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Buffer([u8; BUFFER]);

impl<const N: usize> Ring<N> {
    const NEW: Self = Self {
        descriptors: [[0; 2]; N],
        buffers: [Buffer([0; BUFFER]); N],
    };
}

struct Memory(UnsafeCell<(Ring<RX>, Ring<TX>)>);

// SAFETY: `TAKEN` ensures that one `Baseline` uses it.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new((Ring::NEW, Ring::NEW)));
static TAKEN: AtomicBool = AtomicBool::new(false);

/// A ring, and the position of the next descriptor, less than `N`.
#[derive(Debug)]
struct Cursor<const N: usize> {
    descriptors: *mut [u32; 2],
    buffers: *mut Buffer,
    at: usize,
}

impl<const N: usize> Cursor<N> {
    fn start(ring: *mut Ring<N>, control: u32) -> Self {
        // SAFETY: the ring is static; only addresses are taken.
        let (descriptors, buffers) = unsafe { (&raw mut (*ring).descriptors, &raw mut (*ring).buffers) };
        let mut cursor = Self {
            descriptors: descriptors.cast(),
            buffers: buffers.cast(),
            at: 0,
        };
        for at in 0..N {
            cursor.at = at;
            let address = cursor.buffers.wrapping_add(at).addr() as u32;
            // SAFETY: as in `control`.
            unsafe { cursor.word(1).write_volatile(address) };
            cursor.set_control(control);
        }
        cursor.at = 0;
        cursor
    }

    /// Returns a word of the next descriptor.
    fn word(&self, word: usize) -> *mut u32 {
        self.descriptors.wrapping_add(self.at).cast::<u32>().wrapping_add(word)
    }

    fn control(&self) -> u32 {
        // SAFETY: inside the ring, since `at` is less than N; no reference to a descriptor exists.
        unsafe { self.word(0).read_volatile() }
    }

    fn set_control(&mut self, control: u32) {
        let wrap = if self.at == N - 1 { WRAP } else { 0 };
        fence(Ordering::SeqCst);
        // SAFETY: as in `control`.
        unsafe { self.word(0).write_volatile(control | wrap) };
        fence(Ordering::SeqCst);
    }

    /// Returns the next buffer.
    fn buffer(&mut self) -> &mut [u8; BUFFER] {
        // SAFETY: inside the ring, since `at` is less than N; callers have checked that the DMA engine does
        // not own the descriptor, and pass it on only after this borrow.
        unsafe { &mut (*self.buffers.add(self.at)).0 }
    }

    fn next(&mut self) {
        self.at = (self.at + 1) % N;
    }
}

/// The MAC and its rings.
#[derive(Debug)]
pub struct Baseline<R> {
    registers: R,
    rx: Cursor<RX>,
    tx: Cursor<TX>,
}

impl<R: Registers> Baseline<R> {
    /// Resets and starts the MAC. The PHY negotiates by itself. Returns `None` on the second call.
    pub fn new(registers: R, address: MacAddress) -> Option<Self> {
        if TAKEN.swap(true, Ordering::Relaxed) {
            return None;
        }
        registers.write(ECR, 1);
        while registers.read(ECR) & 1 != 0 {}
        let memory = MEMORY.0.get();
        // SAFETY: static memory with one user; only addresses are taken.
        let (rx, tx) = unsafe { (&raw mut (*memory).0, &raw mut (*memory).1) };
        let chip = Self {
            rx: Cursor::start(rx, DEVICE),
            tx: Cursor::start(tx, 0),
            registers,
        };
        let [a, b, c, d, e, f] = address.octets();
        for (register, value) in [
            (PALR, u32::from_be_bytes([a, b, c, d])),
            (PAUR, u32::from_be_bytes([e, f, 0x88, 0x08])),
            // 1518 bytes, RMII, not looped back.
            (RCR, 1518 << 16 | 0x4104),
            // Full duplex.
            (TCR, 1 << 2),
            // Store and forward.
            (TFWR, 1 << 8),
            (MRBR, BUFFER as u32),
            (RDSR, rx.addr() as u32),
            (TDSR, tx.addr() as u32),
            // On, descriptors little-endian.
            (ECR, 1 << 8 | 1 << 1),
            (RDAR, ACTIVE),
        ] {
            chip.registers.write(register, value);
        }
        Some(chip)
    }
}

/// A received frame.
#[derive(Debug)]
pub struct RxToken<'a, R> {
    registers: &'a R,
    rx: &'a mut Cursor<RX>,
    len: usize,
}

/// A free transmit buffer.
#[derive(Debug)]
pub struct TxToken<'a, R> {
    registers: &'a R,
    tx: &'a mut Cursor<TX>,
}

impl<R: Registers> phy::RxToken for RxToken<'_, R> {
    fn consume<T, F: FnOnce(&[u8]) -> T>(self, f: F) -> T {
        let result = f(self.rx.buffer().get(..self.len).unwrap_or_default());
        self.rx.set_control(DEVICE);
        self.rx.next();
        self.registers.write(RDAR, ACTIVE);
        result
    }
}

impl<R: Registers> phy::TxToken for TxToken<'_, R> {
    fn consume<T, F: FnOnce(&mut [u8]) -> T>(self, len: usize, f: F) -> T {
        let result = f(self.tx.buffer().get_mut(..len).unwrap_or_default());
        self.tx.set_control(DEVICE | LAST | APPEND_FCS | len as u32);
        self.tx.next();
        self.registers.write(TDAR, ACTIVE);
        result
    }
}

impl<R: Registers> Device for Baseline<R> {
    type RxToken<'a>
        = RxToken<'a, R>
    where
        R: 'a;
    type TxToken<'a>
        = TxToken<'a, R>
    where
        R: 'a;

    fn receive(&mut self, _now: Instant) -> Option<(RxToken<'_, R>, TxToken<'_, R>)> {
        // A reply needs a free transmit buffer.
        if self.tx.control() & DEVICE != 0 {
            return None;
        }
        let control = self.rx.control();
        if control & DEVICE != 0 {
            return None;
        }
        fence(Ordering::SeqCst);
        let len = ((control & 0xffff) as usize).saturating_sub(FCS);
        if control & LAST == 0 || control & RX_ERROR != 0 || len > FRAME {
            self.rx.set_control(DEVICE);
            self.rx.next();
            self.registers.write(RDAR, ACTIVE);
            return None;
        }
        let registers = &self.registers;
        Some((
            RxToken {
                registers,
                rx: &mut self.rx,
                len,
            },
            TxToken {
                registers,
                tx: &mut self.tx,
            },
        ))
    }

    fn transmit(&mut self, _now: Instant) -> Option<TxToken<'_, R>> {
        (self.tx.control() & DEVICE == 0).then_some(TxToken {
            registers: &self.registers,
            tx: &mut self.tx,
        })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities
    }
}
