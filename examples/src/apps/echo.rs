//! What is sent here comes back (RFC 862), over UDP and over TCP.

use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Duration;

/// The port of the echo service, UDP and TCP.
pub const PORT: u16 = 7;

/// A peer that does not answer for so long is given up.
const TIMEOUT: Duration = Duration::from_secs(30);
/// An idle connection is asked this often whether its peer is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The UDP service.
#[derive(Debug)]
pub(super) struct UdpEcho {
    socket: SocketHandle,
    /// Datagrams sent back.
    pub(super) echoed: u32,
    /// Datagrams not sent back: see [`serve`](Self::serve).
    pub(super) refused: u32,
}

impl UdpEcho {
    pub(super) const fn new(socket: SocketHandle) -> Self {
        Self {
            socket,
            echoed: 0,
            refused: 0,
        }
    }

    pub(super) fn listen(&self, sockets: &mut SocketSet<'_>) {
        let socket = sockets.get_mut::<udp::Socket<'_>>(self.socket);
        if !socket.is_open() {
            // Port 7 of a closed socket: neither of the errors of `bind` can occur.
            let _ = socket.bind(PORT);
        }
    }

    /// Sends back what has come, as long as there is room. What finds no room waits in the receive buffer.
    ///
    /// Datagrams from an echo port are refused: two services that answer each other would never stop.
    pub(super) fn serve(&mut self, iface: &Interface, sockets: &mut SocketSet<'_>, scratch: &mut [u8]) {
        let socket = sockets.get_mut::<udp::Socket<'_>>(self.socket);
        while socket.can_recv() && socket.can_send() {
            let sent = match socket.recv_slice(scratch) {
                Ok((len, mut meta)) if meta.endpoint.port != PORT => {
                    // A datagram to a broadcast address is answered from our own.
                    meta.local_address = meta.local_address.filter(|&address| iface.has_ip_addr(address));
                    scratch.get(..len).map(|data| socket.send_slice(data, meta))
                }
                _ => None,
            };
            match sent {
                Some(Ok(())) => self.echoed = self.echoed.wrapping_add(1),
                _ => self.refused = self.refused.wrapping_add(1),
            }
        }
    }
}

/// The TCP service, on `N` connections at a time.
#[derive(Debug)]
pub(super) struct TcpEcho<const N: usize> {
    sockets: [SocketHandle; N],
    /// Bytes sent back.
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
                socket.set_timeout(Some(TIMEOUT));
                socket.set_keep_alive(Some(KEEP_ALIVE));
                socket.set_nagle_enabled(false);
                // Port 7 of a socket that is not open: neither of the errors of `listen` can occur.
                let _ = socket.listen(PORT);
            }
        }
    }

    pub(super) fn serve(&mut self, sockets: &mut SocketSet<'_>, scratch: &mut [u8]) {
        for &handle in &self.sockets {
            let socket = sockets.get_mut::<tcp::Socket<'_>>(handle);
            self.echoed = self.echoed.wrapping_add(echo(socket, scratch) as u64);
            // The peer has sent its last byte and all is on its way back: our half closes when the transmit buffer is empty.
            if socket.state() == tcp::State::CloseWait && !socket.can_recv() {
                socket.close();
            }
        }
    }
}

/// Moves what fits from the receive to the transmit buffer. Where the peer does not read, its bytes stay here and its window closes.
fn echo(socket: &mut tcp::Socket<'_>, scratch: &mut [u8]) -> usize {
    let mut moved = 0;
    while socket.can_recv() && socket.can_send() {
        let room = socket.send_capacity().saturating_sub(socket.send_queue());
        let chunk = room.min(scratch.len());
        let Some(chunk) = scratch.get_mut(..chunk) else { break };
        let Ok(len) = socket.recv_slice(chunk) else { break };
        let Some(chunk) = chunk.get(..len) else { break };
        // All of it fits: `room` was asked just before.
        let Ok(sent) = socket.send_slice(chunk) else { break };
        moved += sent;
    }
    moved
}
