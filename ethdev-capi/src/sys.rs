//! The handle and its functions. All unsafe code of the crate is in this file.
//!
//! The functions of the table dereference pointers from C. What the header requires of the caller
//! is the safety contract of each of them: the handle is NULL or one from `CDevice::handle`, and
//! any other pointer is NULL or valid for the access that the header describes, during the call.
#![allow(unsafe_code)]

use core::cell::{Cell, UnsafeCell};
use core::ffi::{CStr, c_char, c_void};
use core::num::NonZeroU32;
use core::ptr::{self, NonNull};
use core::task::{Context, RawWaker, RawWakerVTable, Waker};

use critical_section::Mutex;
use ethdev::{
    Control, Error, ErrorKind, EthernetDevice, FilterOutcome, MacAddress, Multicast, Rearm, RearmOutcome, RxFilter,
};
use ethdev_util::IrqSignal;

use crate::abi::{self, ErrorCode, Ethdev, IoVec, Ops};
use crate::convert;

type Result<T = (), E = ErrorCode> = core::result::Result<T, E>;

/// A device for C: a `struct ethdev` with a device of Rust behind it.
///
/// It must be `'static`, since C keeps the handle: a `static` cell, or memory of the caller that is
/// never reused. It accesses the device in one call at a time, whatever the caller does: see
/// *Threads* in the header.
///
/// ```
/// use core::num::NonZeroU32;
/// use ethdev_capi::CDevice;
/// # use ethdev::*;
/// # struct Nic;
/// # impl ErrorType for Nic { type Error = ErrorKind; }
/// # impl Control for Nic {}
/// # impl EthernetDevice for Nic {
/// #     fn mac_address(&self) -> MacAddress { MacAddress::new([2, 0, 0, 0, 0, 1]) }
/// #     fn capabilities(&self) -> Capabilities { Capabilities::ETHERNET }
/// #     fn link(&self) -> Link { Link::UP }
/// #     fn stats(&self) -> Stats { Stats::ZERO }
/// #     fn recv_frame(&mut self, _: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> { Ok(None) }
/// #     fn discard_frame(&mut self) -> Result<bool, ErrorKind> { Ok(false) }
/// #     fn tx_ready(&mut self) -> Result<bool, ErrorKind> { Ok(true) }
/// #     fn send_vectored(&mut self, _: &[&[u8]]) -> Result<(), ErrorKind> { Ok(()) }
/// #     fn service(&mut self) -> Result<Events, ErrorKind> { Ok(Events::NONE) }
/// # }
///
/// /// The constructor that the firmware in C calls: `struct ethdev *board_ethernet(void);`
/// extern "C" fn board_ethernet() -> *mut ethdev_capi::abi::Ethdev {
///     static NIC: CDevice<Nic> = CDevice::new(Nic, c"eth0", NonZeroU32::MIN);
///     NIC.handle().as_ptr()
/// }
/// assert_eq!(board_ethernet(), board_ethernet());
/// ```
#[repr(C)]
pub struct CDevice<D: 'static> {
    /// First: the handle is a pointer to it, with the provenance of the whole.
    handle: Ethdev,
    gate: Gate,
    signal: SignalCell,
    irq: Option<&'static IrqSignal>,
    name: [c_char; abi::NAME_SIZE],
    index: NonZeroU32,
    /// Accessed by a call that has entered the gate.
    state: UnsafeCell<State<D>>,
}

type SignalCell = Mutex<Cell<Option<abi::Signal>>>;

struct State<D> {
    device: D,
    /// The last lifecycle call, or the link, shows that the device was started.
    is_started: bool,
    is_asleep: bool,
}

// SAFETY: the handle points to a constant. The contexts of the two hooks are pointers of the
// caller, who passes them for use by the functions beside them in any thread (header,
// `ethdev_set_lock` and `ethdev_set_signal`). The rest is `Send` if the device is.
unsafe impl<D: Send> Send for CDevice<D> {}

// SAFETY: the hooks and the flag are accessed inside critical sections. A reference to `state` is
// made by `call` only, of which one at a time is behind the gate: so the device is used by one
// thread after another, which `Send` permits. The other fields are not changed, and `IrqSignal` is
// `Sync`.
unsafe impl<D: Send> Sync for CDevice<D> {}

impl<D: EthernetDevice + Control + Send> CDevice<D> {
    /// Creates a device without an interrupt: the stack polls it.
    ///
    /// `name` and `index` are those of an interface in Go's `net.Interface`: for example `eth0` and
    /// 1. Of a longer name the first 15 bytes are used.
    #[must_use]
    pub const fn new(device: D, name: &CStr, index: NonZeroU32) -> Self {
        Self::with_ops(device, name, index, None, Self::OPS)
    }

    /// Returns the handle for C: valid for as long as the program runs.
    #[must_use]
    pub fn handle(&'static self) -> NonNull<Ethdev> {
        // From the whole, not from the field: the functions access the other fields through it.
        NonNull::from(self).cast()
    }

    const OPS: &'static Ops = &Ops {
        abi: abi::ABI,
        size: size_of::<Ops>() as u32,
        recv: Some(Self::recv),
        discard: Some(Self::discard),
        send: Some(Self::send),
        tx_ready: Some(Self::tx_ready),
        service: Some(Self::service),
        link: Some(Self::link),
        counters: Some(Self::counters),
        info: Some(Self::info),
        mac: Some(Self::mac),
        set_mac: Some(Self::set_mac),
        set_rx_filter: Some(Self::set_rx_filter),
        start: Some(Self::start),
        stop: Some(Self::stop),
        sleep: Some(Self::sleep),
        wake: Some(Self::wake),
        recover: Some(Self::recover),
        set_lock: Some(Self::set_lock),
        set_signal: None,
        interrupt: None,
        disarm: None,
        rearm: None,
    };

    unsafe extern "C" fn recv(dev: *mut Ethdev, buf: *mut c_void, capacity: usize, rx: *mut abi::Rx) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                let rx = non_null(rx)?;
                // No frame is longer: a capacity beyond it, whatever its value, is not used.
                let max = state.device.capabilities().rx_max_frame_len.bytes();
                let len = capacity.min(max).min(isize::MAX as usize);
                let buf: &mut [u8] = match (NonNull::new(buf), len) {
                    (_, 0) => &mut [],
                    (None, _) => return Err(ErrorCode::InvalidInput),
                    // `buf` has `capacity >= len` bytes that nothing else accesses during the call.
                    // Memory from C has a value in each byte, initialized there or not.
                    (Some(buf), len) => core::slice::from_raw_parts_mut(buf.cast().as_ptr(), len),
                };
                match state.device.recv_frame(buf) {
                    Ok(Some(meta)) if meta.len <= len => {
                        rx.write(convert::rx(meta));
                        Ok(())
                    }
                    // A driver that violates its contract: C must not read behind its buffer.
                    Ok(Some(_)) => Err(ErrorCode::Other),
                    Ok(None) => Err(ErrorCode::NoFrame),
                    Err(e) => {
                        let kind = e.kind();
                        if let ErrorKind::BufferTooSmall { needed } = kind {
                            rx.write(convert::rx(ethdev::RxMeta::new(needed)));
                        }
                        Err(kind.into())
                    }
                }
            })
        }
    }

    unsafe extern "C" fn discard(dev: *mut Ethdev) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| match state.device.discard_frame() {
                Ok(true) => Ok(()),
                Ok(false) => Err(ErrorCode::NoFrame),
                Err(e) => Err(code(e)),
            })
        }
    }

    unsafe extern "C" fn send(dev: *mut Ethdev, parts: *const IoVec, count: usize) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                let vectors: &[IoVec] = match count {
                    0 => &[],
                    _ if count > abi::MAX_PARTS || parts.is_null() => return Err(ErrorCode::InvalidInput),
                    _ => core::slice::from_raw_parts(parts, count),
                };
                if vectors.iter().any(|v| v.base.is_null() && v.len != 0) {
                    return Err(ErrorCode::InvalidInput);
                }
                // Before a slice is formed: none is longer than a frame, whatever C says.
                let max = state.device.tx_max_frame_len().bytes().min(isize::MAX as usize);
                let total = vectors.iter().try_fold(0_usize, |sum, v| sum.checked_add(v.len));
                if total.is_none_or(|total| total > max) {
                    return Err(ErrorCode::FrameTooLong);
                }
                let mut parts: [&[u8]; abi::MAX_PARTS] = [&[]; abi::MAX_PARTS];
                for (part, v) in parts.iter_mut().zip(vectors) {
                    if v.len != 0 {
                        *part = core::slice::from_raw_parts(v.base.cast(), v.len);
                    }
                }
                // `count <= MAX_PARTS`.
                let parts = parts.get(..count).unwrap_or_default();
                state.device.send_vectored(parts).map_err(code)
            })
        }
    }

    unsafe extern "C" fn tx_ready(dev: *mut Ethdev, ready: *mut u8) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                let ready = non_null(ready)?;
                ready.write(state.device.tx_ready().map_err(code)?.into());
                Ok(())
            })
        }
    }

    unsafe extern "C" fn service(dev: *mut Ethdev, events: *mut abi::Events) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                let found = state.device.service().map_err(code)?;
                if let Some(events) = NonNull::new(events) {
                    events.write(convert::events(found));
                }
                Ok(())
            })
        }
    }

    unsafe extern "C" fn link(dev: *mut Ethdev, link: *mut abi::Link) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                non_null(link)?.write(convert::link(state.device.link()));
                Ok(())
            })
        }
    }

    unsafe extern "C" fn counters(dev: *mut Ethdev, counters: *mut abi::Counters) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                non_null(counters)?.write(convert::counters(&state.device.stats()));
                Ok(())
            })
        }
    }

    unsafe extern "C" fn info(dev: *mut Ethdev, info: *mut abi::Info) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            // `dev` is checked by `call`.
            let identity = dev.cast::<Self>().as_ref().map(|this| (this.name, this.index));
            Self::call(dev, |state| {
                let info = non_null(info)?;
                let (name, index) = identity.ok_or(ErrorCode::InvalidInput)?;
                let is_running = state.device.link().is_up();
                // The link of a device that is stopped or asleep is down.
                state.is_started |= is_running;
                let mut flags = abi::flag::BROADCAST | abi::flag::MULTICAST;
                if state.is_started && !state.is_asleep {
                    flags |= abi::flag::UP;
                }
                if is_running {
                    flags |= abi::flag::RUNNING;
                }
                info.write(abi::Info {
                    name,
                    index: index.get(),
                    flags,
                    ..convert::info(&state.device.capabilities())
                });
                Ok(())
            })
        }
    }

    unsafe extern "C" fn mac(dev: *mut Ethdev, mac: *mut u8) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                let mac: NonNull<[u8; 6]> = non_null(mac)?.cast();
                mac.write(state.device.mac_address().octets());
                Ok(())
            })
        }
    }

    unsafe extern "C" fn set_mac(dev: *mut Ethdev, mac: *const u8) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                let mac: NonNull<[u8; 6]> = non_null(mac.cast_mut())?.cast();
                let mac = MacAddress::new(mac.read());
                state.device.set_mac_address(mac).map_err(code)
            })
        }
    }

    unsafe extern "C" fn set_rx_filter(dev: *mut Ethdev, filter: *const abi::RxFilter, outcome: *mut u8) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                let filter = non_null(filter.cast_mut())?.read();
                if filter.reserved != 0 {
                    return Err(ErrorCode::InvalidInput);
                }
                let multicast = match filter.multicast {
                    abi::multicast::NONE => Multicast::None,
                    abi::multicast::ALL => Multicast::All,
                    abi::multicast::LIST if filter.group_count == 0 => Multicast::List(&[]),
                    abi::multicast::LIST if filter.group_count <= abi::MAX_GROUPS && !filter.groups.is_null() => {
                        // `MacAddress` is a transparent `[u8; 6]`.
                        let groups = filter.groups.cast::<MacAddress>();
                        Multicast::List(core::slice::from_raw_parts(groups, filter.group_count as usize))
                    }
                    _ => return Err(ErrorCode::InvalidInput),
                };
                let mut request = RxFilter::DEFAULT
                    .with_broadcast(filter.broadcast != 0)
                    .with_multicast(multicast);
                request.promiscuous = filter.promiscuous != 0;
                let applied = state.device.set_rx_filter(request).map_err(code)?;
                if let Some(outcome) = NonNull::new(outcome) {
                    outcome.write(match applied {
                        FilterOutcome::Exact => abi::filter::EXACT,
                        FilterOutcome::Superset => abi::filter::SUPERSET,
                    });
                }
                Ok(())
            })
        }
    }

    unsafe extern "C" fn start(dev: *mut Ethdev) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                state.device.start().map_err(code)?;
                (state.is_started, state.is_asleep) = (true, false);
                Ok(())
            })
        }
    }

    unsafe extern "C" fn stop(dev: *mut Ethdev) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                state.device.stop().map_err(code)?;
                (state.is_started, state.is_asleep) = (false, false);
                Ok(())
            })
        }
    }

    unsafe extern "C" fn sleep(dev: *mut Ethdev) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                // Afterwards the link is down, and does not show it any more.
                state.is_started |= state.device.link().is_up();
                state.device.sleep().map_err(code)?;
                state.is_asleep = true;
                Ok(())
            })
        }
    }

    unsafe extern "C" fn wake(dev: *mut Ethdev) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            Self::call(dev, |state| {
                state.device.wake().map_err(code)?;
                state.is_asleep = false;
                Ok(())
            })
        }
    }

    unsafe extern "C" fn recover(dev: *mut Ethdev) -> i32 {
        // SAFETY: the contract of the header.
        unsafe { Self::call(dev, |state| state.device.recover().map_err(code)) }
    }
}

impl<D: EthernetDevice + Control + Rearm + Send> CDevice<D> {
    /// Creates a device with an interrupt, whose handler signals `irq`: a handler in Rust does so
    /// itself, one in C calls `ethdev_interrupt`.
    ///
    /// Nothing else may wait on `irq`. Name and index: see [`new`](Self::new).
    #[must_use]
    pub const fn with_interrupt(device: D, irq: &'static IrqSignal, name: &CStr, index: NonZeroU32) -> Self {
        Self::with_ops(device, name, index, Some(irq), Self::IRQ_OPS)
    }

    const IRQ_OPS: &'static Ops = &Ops {
        set_signal: Some(Self::set_signal),
        interrupt: Some(Self::interrupt),
        disarm: Some(Self::disarm),
        rearm: Some(Self::rearm),
        ..*Self::OPS
    };

    unsafe extern "C" fn disarm(dev: *mut Ethdev) -> i32 {
        // SAFETY: the contract of the header.
        unsafe {
            let irq = dev.cast::<Self>().as_ref().and_then(|this| this.irq);
            Self::call(dev, |state| {
                // Before the stack checks the device: an interrupt after it sets the signal again.
                irq.map(IrqSignal::try_take);
                state.device.disarm().map_err(code)
            })
        }
    }

    unsafe extern "C" fn rearm(dev: *mut Ethdev, conditions: u32, pending: *mut u8) -> i32 {
        // SAFETY: the contract of the header. A handle has the lifetime `'static`.
        unsafe {
            let waiter = dev.cast::<Self>().as_ref().map(|this| (this.irq, &this.signal));
            Self::call(dev, |state| {
                let pending = non_null(pending)?;
                let interest = convert::interest(conditions).ok_or(ErrorCode::InvalidInput)?;
                let mut is_pending = state.device.rearm(interest).map_err(code)? == RearmOutcome::WorkPending;
                if let Some((Some(irq), signal)) = waiter {
                    // Registered also if work is pending: the interrupt is unmasked. If the first
                    // poll finds an interrupt since `disarm`, the second one registers.
                    let waker = waker(signal);
                    for _ in 0..2 {
                        if irq.poll_wait(&mut Context::from_waker(&waker)).is_pending() {
                            break;
                        }
                        is_pending = true;
                    }
                }
                pending.write(is_pending.into());
                Ok(())
            })
        }
    }
}

impl<D> CDevice<D> {
    const fn with_ops(
        device: D,
        name: &CStr,
        index: NonZeroU32,
        irq: Option<&'static IrqSignal>,
        ops: &'static Ops,
    ) -> Self {
        Self {
            handle: Ethdev { ops },
            gate: Gate {
                in_use: Mutex::new(Cell::new(false)),
                lock: Mutex::new(Cell::new(None)),
            },
            signal: Mutex::new(Cell::new(None)),
            irq,
            name: truncate(name),
            index,
            state: UnsafeCell::new(State {
                device,
                is_started: false,
                is_asleep: false,
            }),
        }
    }

    /// Calls `f` with the device, if no other call is inside it.
    ///
    /// # Safety
    ///
    /// `dev` is NULL, or the handle of a device of this type.
    unsafe fn call(dev: *mut Ethdev, f: impl FnOnce(&mut State<D>) -> Result) -> i32 {
        // SAFETY: the handle is a pointer to the whole `CDevice`, which is `'static`, and of which
        // only shared references exist.
        let Some(this) = (unsafe { dev.cast::<Self>().as_ref() }) else {
            return ErrorCode::InvalidInput as i32;
        };
        status(this.gate.enter().and_then(|_entered| {
            // SAFETY: this call is the only one behind the gate until `_entered` is dropped, and no
            // reference to the state leaves it.
            f(unsafe { &mut *this.state.get() })
        }))
    }

    unsafe extern "C" fn set_lock(dev: *mut Ethdev, lock: *const abi::Lock) -> i32 {
        // SAFETY: the contract of the header: NULL, or a handle; NULL, or a valid structure.
        let (this, lock) = unsafe { (dev.cast::<Self>().as_ref(), lock.as_ref()) };
        let Some(this) = this else {
            return ErrorCode::InvalidInput as i32;
        };
        if lock.is_some_and(|lock| lock.lock.is_none() || lock.unlock.is_none()) {
            return ErrorCode::InvalidInput as i32;
        }
        status(this.gate.set_lock(lock.copied()))
    }

    unsafe extern "C" fn set_signal(dev: *mut Ethdev, signal: *const abi::Signal) -> i32 {
        // SAFETY: the contract of the header: NULL, or a handle; NULL, or a valid structure.
        let (this, signal) = unsafe { (dev.cast::<Self>().as_ref(), signal.as_ref()) };
        let Some(this) = this else {
            return ErrorCode::InvalidInput as i32;
        };
        if signal.is_some_and(|signal| signal.signal.is_none()) {
            return ErrorCode::InvalidInput as i32;
        }
        critical_section::with(|cs| this.signal.borrow(cs).set(signal.copied()));
        status(Ok(()))
    }

    /// Runs in an interrupt handler, also while a call is inside the device: it uses `irq` only,
    /// which is shared.
    unsafe extern "C" fn interrupt(dev: *mut Ethdev) -> i32 {
        // SAFETY: the contract of the header: NULL, or a handle.
        let irq = unsafe { dev.cast::<Self>().as_ref() }.and_then(|this| this.irq);
        status(irq.map(IrqSignal::signal).ok_or(ErrorCode::InvalidInput))
    }
}

/// Lets one call at a time into the device.
struct Gate {
    in_use: Mutex<Cell<bool>>,
    lock: Mutex<Cell<Option<abi::Lock>>>,
}

/// A call behind the gate.
struct Entered<'a> {
    gate: &'a Gate,
    /// The lock that is held. Kept, because another one may be registered meanwhile.
    lock: Option<abi::Lock>,
}

impl Gate {
    // Once in the program, not in each function of the table.
    #[inline(never)]
    fn enter(&self) -> Result<Entered<'_>> {
        let lock = critical_section::with(|cs| self.lock.borrow(cs).get());
        if let Some(abi::Lock {
            context,
            lock: Some(lock),
            ..
        }) = lock
        {
            // SAFETY: the caller registered the function to be called with this context, in the
            // thread of each call.
            unsafe { lock(context) };
        }
        // Without a lock, or with one that does not exclude, the flag alone excludes.
        if critical_section::with(|cs| self.in_use.borrow(cs).replace(true)) {
            unlock(lock);
            return Err(ErrorCode::InUse);
        }
        Ok(Entered { gate: self, lock })
    }

    fn set_lock(&self, lock: Option<abi::Lock>) -> Result {
        critical_section::with(|cs| {
            if self.in_use.borrow(cs).get() {
                return Err(ErrorCode::InUse);
            }
            self.lock.borrow(cs).set(lock);
            Ok(())
        })
    }
}

impl Drop for Entered<'_> {
    #[inline(never)]
    fn drop(&mut self) {
        critical_section::with(|cs| self.gate.in_use.borrow(cs).set(false));
        unlock(self.lock);
    }
}

fn unlock(lock: Option<abi::Lock>) {
    if let Some(abi::Lock {
        context,
        unlock: Some(unlock),
        ..
    }) = lock
    {
        // SAFETY: as of `lock`, which was called before in this thread.
        unsafe { unlock(context) };
    }
}

/// A waker that calls the function of `ethdev_set_signal`.
fn waker(signal: &'static SignalCell) -> Waker {
    // SAFETY: the functions of the table satisfy the contract of `RawWaker`: they access the cell,
    // which is `static`, inside critical sections, and own nothing.
    unsafe { Waker::from_raw(RawWaker::new(ptr::from_ref(signal).cast(), &WAKER)) }
}

/// One for all types of devices: wakers of one device are the same waker, and do not displace each
/// other.
static WAKER: RawWakerVTable =
    RawWakerVTable::new(|data| RawWaker::new(data, &WAKER), call_signal, call_signal, |_| {});

/// # Safety
///
/// `data` is from `waker`.
unsafe fn call_signal(data: *const ()) {
    // SAFETY: `waker` made it from a reference of lifetime `'static`.
    let signal = unsafe { &*data.cast::<SignalCell>() };
    if let Some(abi::Signal {
        context,
        signal: Some(signal),
    }) = critical_section::with(|cs| signal.borrow(cs).get())
    {
        // SAFETY: the caller registered the function to be called with this context, in the handler
        // of an interrupt.
        unsafe { signal(context) };
    }
}

/// The first bytes of a name, with a zero behind them.
const fn truncate(name: &CStr) -> [c_char; abi::NAME_SIZE] {
    let mut truncated = [0; abi::NAME_SIZE];
    let (mut rest, mut target): (_, &mut [c_char]) = (name.to_bytes(), &mut truncated);
    while let ([byte, bytes @ ..], [place, places @ ..]) = (rest, target) {
        if places.is_empty() {
            break;
        }
        *place = *byte as c_char;
        rest = bytes;
        target = places;
    }
    truncated
}

fn non_null<T>(pointer: *mut T) -> Result<NonNull<T>> {
    NonNull::new(pointer).ok_or(ErrorCode::InvalidInput)
}

fn code(error: impl Error) -> ErrorCode {
    error.kind().into()
}

fn status(result: Result) -> i32 {
    match result {
        Ok(()) => 0,
        Err(code) => code as i32,
    }
}
