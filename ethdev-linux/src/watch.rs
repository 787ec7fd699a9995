//! What the kernel says about its end of the wire: up or down, and frames dropped.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, socket,
};

use crate::netlink::{LinkMessage, messages, request};

/// Longest datagram that is read whole. The kernel's about one interface have 1 to 2 KiB; of a longer one the part that matters comes first.
const DATAGRAM_LEN: usize = 8192;
/// How many datagrams one call reads at most: more than the socket's buffer holds.
const MAX_DATAGRAMS: usize = 4096;

/// Follows the state of one interface.
///
/// A netlink socket brings every change by itself: as long as nothing changes, one poll(2) over both descriptors is all it costs, and a sleeper wakes
/// when the link changes. An ioctl would have to be repeated (four system calls each time in tun-rs), a file in `/sys` shows the interfaces of whichever
/// network namespace it was mounted in.
///
/// Where there is no such socket (the sandbox forbids it, or the interface was moved to another network namespace), poll(2) on the TAP itself has to do: it
/// reports room for a frame only while the interface is up. The carrier and the dropped frames are then unknown.
pub(crate) struct LinkMonitor {
    socket: Option<OwnedFd>,
    index: u32,
    datagram: Vec<u8>,
    /// Administratively up, and with carrier where that is known.
    pub(crate) up: bool,
    /// Frames that the kernel dropped since the interface exists, as last reported.
    pub(crate) dropped: Option<u64>,
}

impl LinkMonitor {
    pub(crate) fn new(index: u32) -> Self {
        let mut watch = Self {
            // What is refused here costs the carrier's state, not the device.
            socket: subscribe().ok(),
            index,
            datagram: vec![0; DATAGRAM_LEN],
            up: false,
            dropped: None,
        };
        watch.ask();
        watch
    }

    /// What to wait on for changes.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }

    /// Asks for the state now.
    pub(crate) fn ask(&mut self) {
        // An answer needs room in the socket's buffer: make some.
        self.follow();
        self.request();
        self.follow();
    }

    /// The answer is in the socket's buffer when this returns. Where that fails, the state stays as last known.
    fn request(&self) {
        if let Some(socket) = &self.socket {
            let _ = send(socket.as_raw_fd(), &request(self.index), MsgFlags::MSG_DONTWAIT);
        }
    }

    /// Takes in what was announced.
    pub(crate) fn follow(&mut self) {
        let mut lost = false;
        for _ in 0..MAX_DATAGRAMS {
            let Some(socket) = &self.socket else { return };
            match recv(socket.as_raw_fd(), &mut self.datagram, MsgFlags::MSG_DONTWAIT) {
                Ok(len) => {
                    let datagram = self.datagram.get(..len).unwrap_or(&self.datagram);
                    let mut left = false;
                    for message in messages(datagram, self.index) {
                        match message {
                            LinkMessage::Is { up, tx_dropped } => {
                                self.up = up;
                                self.dropped = tx_dropped.or(self.dropped);
                            }
                            LinkMessage::Left => left = true,
                        }
                    }
                    if left {
                        self.socket = None;
                        self.up = false;
                    }
                }
                Err(Errno::EAGAIN) if lost => {
                    lost = false;
                    self.request();
                }
                Err(Errno::EAGAIN) => return,
                Err(Errno::EINTR) => {}
                // The buffer was full. What is still in it is to be read, and what was lost to be asked for.
                Err(Errno::ENOBUFS) => lost = true,
                Err(_) => self.socket = None,
            }
        }
    }
}

fn subscribe() -> Result<OwnedFd, Errno> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        SockProtocol::NetlinkRoute,
    )?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, nix::libc::RTMGRP_LINK as u32))?;
    Ok(socket)
}
