//! The state of the kernel's interface: up or down, its IP MTU, and the counter of dropped frames.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, socket,
};

use crate::netlink::{LinkMessage, messages, request};

/// Longest datagram that is read whole. Datagrams about one interface have 1 to 2 KiB; in a longer
/// one the fields that are needed come first.
const DATAGRAM_LEN: usize = 8192;
/// Limit of datagrams read by one call: more than fit the buffer of the socket.
const MAX_DATAGRAMS: usize = 4096;

/// Monitors the state of one interface.
///
/// The kernel announces each change on a netlink socket. While nothing changes, the cost is one
/// poll(2) over both descriptors, and a blocked waiter wakes when the link changes. An ioctl would
/// have to be repeated on every poll (four system calls in tun-rs); files in `/sys` show the
/// network namespace in which it was mounted.
///
/// Without the socket (forbidden by a sandbox, or the interface was deleted or moved to another
/// network namespace) nothing is known. For a TAP interface, the link is then taken from poll(2) on
/// its descriptor, which is writable only while the interface is up.
pub struct LinkMonitor {
    socket: Option<OwnedFd>,
    index: u32,
    datagram: Vec<u8>,
    /// Administratively up, and with carrier if that is known.
    pub(crate) up: bool,
    /// Frames that the kernel dropped since the creation of the interface, as last reported.
    pub(crate) dropped: Option<u64>,
    /// IP MTU in bytes, as last reported.
    pub(crate) ip_mtu: Option<u32>,
}

impl LinkMonitor {
    /// Monitors the interface `index` by a socket from [`subscribe`].
    pub(crate) fn new(index: u32, socket: Option<OwnedFd>) -> Self {
        let mut monitor = Self {
            socket,
            index,
            datagram: vec![0; DATAGRAM_LEN],
            up: false,
            dropped: None,
            ip_mtu: None,
        };
        monitor.refresh();
        monitor
    }

    /// Returns the descriptor that becomes readable on a change.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }

    /// Requests the present state and reads it.
    pub(crate) fn refresh(&mut self) {
        // Announcements are read first, so that the buffer of the socket has space for the reply.
        self.read_announcements();
        self.request();
        self.read_announcements();
    }

    /// Requests the state. The kernel puts the reply into the buffer of the socket before send(2)
    /// returns. If send(2) fails, the last known state remains.
    fn request(&self) {
        if let Some(socket) = &self.socket {
            let _ = send(socket.as_raw_fd(), &request(self.index), MsgFlags::MSG_DONTWAIT);
        }
    }

    /// Reads all pending announcements.
    pub(crate) fn read_announcements(&mut self) {
        let mut overflowed = false;
        for _ in 0..MAX_DATAGRAMS {
            let Some(socket) = &self.socket else { return };
            match recv(socket.as_raw_fd(), &mut self.datagram, MsgFlags::MSG_DONTWAIT) {
                Ok(len) => {
                    let datagram = self.datagram.get(..len).unwrap_or(&self.datagram);
                    let mut removed = false;
                    for message in messages(datagram, self.index) {
                        match message {
                            LinkMessage::State { up, tx_dropped, ip_mtu } => {
                                self.up = up;
                                self.dropped = tx_dropped.or(self.dropped);
                                self.ip_mtu = ip_mtu.or(self.ip_mtu);
                            }
                            LinkMessage::Removed => removed = true,
                        }
                    }
                    if removed {
                        self.socket = None;
                        self.up = false;
                    }
                }
                Err(Errno::EAGAIN) if overflowed => {
                    overflowed = false;
                    self.request();
                }
                Err(Errno::EAGAIN) => return,
                Err(Errno::EINTR) => {}
                // Announcements were lost because the buffer was full: after the remaining ones are
                // read, the state is requested.
                Err(Errno::ENOBUFS) => overflowed = true,
                Err(_) => self.socket = None,
            }
        }
    }
}

/// Opens a socket on which the kernel announces changes of interfaces.
pub(crate) fn subscribe() -> Result<OwnedFd, Errno> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        SockProtocol::NetlinkRoute,
    )?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, nix::libc::RTMGRP_LINK as u32))?;
    Ok(socket)
}
