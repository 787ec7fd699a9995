//! The echo service (RFC 862) over UDP and TCP.

use core::time::Duration;

use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::{tcp, udp};

/// The port of the echo service, UDP and TCP.
pub const PORT: u16 = 7;

/// A connection whose peer does not respond for this time is aborted.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
/// Keep-alive interval of an idle connection.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The UDP service.
#[derive(Debug)]
pub(super) struct UdpEcho {
    socket: SocketHandle,
    /// Datagrams echoed.
    pub(super) echoed: u32,
    /// Datagrams dropped: see [`serve`](Self::serve).
    pub(super) dropped: u32,
}

impl UdpEcho {
    pub(super) const fn new(socket: SocketHandle) -> Self {
        Self {
            socket,
            echoed: 0,
            dropped: 0,
        }
    }

    pub(super) fn listen(&self, sockets: &mut SocketSet<'_>) {
        let socket = sockets.get_mut::<udp::Socket<'_>>(self.socket);
        if !socket.is_open() {
            // Cannot fail: the port is not 0, and the socket is closed.
            let _ = socket.bind(PORT);
        }
    }

    /// Echoes received datagrams while the transmit buffer has capacity. Others stay in the receive
    /// buffer.
    ///
    /// Datagrams from an echo port are dropped: two echo services would loop indefinitely.
    pub(super) fn serve(&mut self, iface: &Interface, sockets: &mut SocketSet<'_>, scratch: &mut [u8]) {
        let socket = sockets.get_mut::<udp::Socket<'_>>(self.socket);
        while socket.can_recv() && socket.can_send() {
            let sent = match socket.recv_slice(scratch) {
                Ok((len, mut meta)) if meta.endpoint.port != PORT => {
                    // The reply to a broadcast is sent from the address of the interface.
                    meta.local_address = meta.local_address.filter(|&address| iface.has_ip_addr(address));
                    scratch.get(..len).map(|data| socket.send_slice(data, meta))
                }
                _ => None,
            };
            match sent {
                Some(Ok(())) => self.echoed = self.echoed.wrapping_add(1),
                _ => self.dropped = self.dropped.wrapping_add(1),
            }
        }
    }
}

/// The TCP service, with up to `N` connections.
#[derive(Debug)]
pub(super) struct TcpEcho<const N: usize> {
    sockets: [SocketHandle; N],
    /// Bytes echoed.
    pub(super) echoed: u64,
}

impl<const N: usize> TcpEcho<N> {
    pub(super) const fn new(sockets: [SocketHandle; N]) -> Self {
        Self { sockets, echoed: 0 }
    }

    pub(super) fn listen(&self, sockets: &mut SocketSet<'_>) {
        for &handle in &self.sockets {
            let socket = sockets.get_mut::<tcp::Socket<'_>>(handle);
            if !socket.is_open() {
                socket.set_timeout(Some(TIMEOUT.into()));
                socket.set_keep_alive(Some(KEEP_ALIVE.into()));
                socket.set_nagle_enabled(false);
                // Cannot fail: the port is not 0, and the socket is not open.
                let _ = socket.listen(PORT);
            }
        }
    }

    pub(super) fn serve(&mut self, sockets: &mut SocketSet<'_>, scratch: &mut [u8]) {
        for &handle in &self.sockets {
            let socket = sockets.get_mut::<tcp::Socket<'_>>(handle);
            self.echoed = self.echoed.wrapping_add(echo(socket, scratch) as u64);
            // The peer closed its half, and every byte is in the transmit buffer. The socket closes
            // when that is empty.
            if socket.state() == tcp::State::CloseWait && !socket.can_recv() {
                socket.close();
            }
        }
    }
}

/// Moves bytes from the receive to the transmit buffer. If the peer does not read, they stay here
/// and its window closes.
fn echo(socket: &mut tcp::Socket<'_>, scratch: &mut [u8]) -> usize {
    let mut moved = 0;
    while socket.can_recv() && socket.can_send() {
        let free = socket.send_capacity().saturating_sub(socket.send_queue());
        let chunk = free.min(scratch.len());
        let Some(chunk) = scratch.get_mut(..chunk) else { break };
        let Ok(len) = socket.recv_slice(chunk) else { break };
        let Some(chunk) = chunk.get(..len) else { break };
        // Sent completely: at most `free` bytes.
        let Ok(sent) = socket.send_slice(chunk) else { break };
        moved += sent;
    }
    moved
}
