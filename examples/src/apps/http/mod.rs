//! A small HTTP/1.1 server (RFC 9110, RFC 9112): one page, generated for each request.

mod connection;
mod page;
mod request;
mod response;

pub(super) use connection::Connection;
#[cfg(feature = "embassy")]
pub(super) use request::{Parsed, Request, parse};
#[cfg(feature = "embassy")]
pub(super) use response::Response;

use core::time::Duration;

use smoltcp::iface::SocketSet;
use smoltcp::socket::tcp;
use smoltcp::time::Instant;

use super::Status;

/// The port of the service.
pub const PORT: u16 = 80;

/// A connection without progress (a complete request, or a byte of the response accepted) for this
/// time is aborted.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);
/// Number of bytes after the last response that are read and dropped before the connection is
/// aborted.
pub(super) const MAX_DRAIN: usize = 64 * 1024;

/// The service, with up to `N` connections.
#[derive(Debug)]
pub(super) struct Http<'a, const N: usize> {
    connections: [Connection<'a>; N],
}

impl<'a, const N: usize> Http<'a, N> {
    pub(super) const fn new(connections: [Connection<'a>; N]) -> Self {
        Self { connections }
    }

    pub(super) fn serve(&mut self, now: Instant, sockets: &mut SocketSet<'_>, content: &Content<'a>) {
        for connection in &mut self.connections {
            connection.serve(now, sockets, content);
        }
    }

    /// Makes closed connections listen. While fewer than half of all connections listen, those in
    /// TIME-WAIT do too: many peers may connect between two polls.
    pub(super) fn listen(&mut self, sockets: &mut SocketSet<'_>) {
        let mut listening = 0;
        for connection in &mut self.connections {
            let socket = connection.socket(sockets);
            if socket.state() == tcp::State::Closed {
                connection.listen(sockets);
            }
            listening += usize::from(connection.socket(sockets).is_listening());
        }
        for connection in &mut self.connections {
            if listening >= N.div_ceil(2) {
                break;
            }
            if connection.socket(sockets).state() == tcp::State::TimeWait {
                connection.listen(sockets);
                listening += 1;
            }
        }
    }

    /// Returns the number of requests answered, with any status.
    pub(super) fn answered(&self) -> u32 {
        self.connections.iter().fold(0, |sum, c| sum.wrapping_add(c.answered))
    }
}

/// The content of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content<'a> {
    /// Title of the page.
    pub(super) name: &'a str,
    /// Status of the device.
    pub(super) status: Status,
}
