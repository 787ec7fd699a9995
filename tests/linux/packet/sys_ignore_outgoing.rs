//! The socket option `PACKET_IGNORE_OUTGOING`, which `nix` does not have.
#![allow(unsafe_code)]

use std::os::fd::AsRawFd as _;

/// `PACKET_IGNORE_OUTGOING`.
#[derive(Debug, Clone)]
pub(super) struct IgnoreOutgoing;

impl nix::sys::socket::SetSockOpt for IgnoreOutgoing {
    type Val = i32;

    fn set<F: std::os::fd::AsFd>(&self, fd: &F, value: &i32) -> nix::Result<()> {
        let len = size_of::<i32>() as nix::libc::socklen_t;
        // SAFETY: the kernel reads `len` bytes of an integer that is borrowed for the call.
        let result = unsafe {
            nix::libc::setsockopt(
                fd.as_fd().as_raw_fd(),
                nix::libc::SOL_PACKET,
                nix::libc::PACKET_IGNORE_OUTGOING,
                std::ptr::from_ref(value).cast(),
                len,
            )
        };
        nix::errno::Errno::result(result).map(drop)
    }
}
