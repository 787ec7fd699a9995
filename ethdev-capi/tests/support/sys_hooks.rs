//! Functions that a stack registers, with a context of Rust.

use core::ffi::c_void;
use std::sync::{Condvar, Mutex};

use ethdev_capi::abi;

/// A mutex with `lock` and `unlock`, as an operating system has it.
#[derive(Default)]
pub(crate) struct OsMutex {
    is_locked: Mutex<bool>,
    unlocked: Condvar,
}

impl OsMutex {
    /// The functions of a mutex that is `static`.
    pub(crate) fn hooks(&'static self) -> abi::Lock {
        abi::Lock {
            context: core::ptr::from_ref(self).cast_mut().cast(),
            lock: Some(lock),
            unlock: Some(unlock),
        }
    }
}

/// # Safety
///
/// `context` is from `hooks`.
unsafe fn mutex(context: *mut c_void) -> &'static OsMutex {
    // SAFETY: `hooks` made it from a reference of lifetime `'static`.
    unsafe { &*context.cast_const().cast() }
}

unsafe extern "C" fn lock(context: *mut c_void) {
    // SAFETY: only the hooks of a mutex have this function.
    let mutex = unsafe { mutex(context) };
    let mut is_locked = mutex.is_locked.lock().unwrap();
    while *is_locked {
        is_locked = mutex.unlocked.wait(is_locked).unwrap();
    }
    *is_locked = true;
}

unsafe extern "C" fn unlock(context: *mut c_void) {
    // SAFETY: as in `lock`.
    let mutex = unsafe { mutex(context) };
    let was_locked = core::mem::replace(&mut *mutex.is_locked.lock().unwrap(), false);
    assert!(was_locked, "unlocked twice");
    mutex.unlocked.notify_one();
}

/// A lock that excludes no thread.
pub(crate) fn broken_lock() -> abi::Lock {
    unsafe extern "C" fn nothing(_: *mut c_void) {}
    abi::Lock {
        context: core::ptr::null_mut(),
        lock: Some(nothing),
        unlock: Some(nothing),
    }
}
