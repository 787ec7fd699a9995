//! One connection of the HTTP server.

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;

use super::request::{Parsed, parse};
use super::response::Response;
use super::{Content, MAX_DRAIN, PORT, TIMEOUT};

/// Limit of steps of the state machine per poll, so that pipelined requests do not starve other
/// connections.
const STEPS_PER_POLL: usize = 8;

/// ```text
///           accepted            head complete             all sent, more may follow
///   Idle ------------> Request ---------------> Response ---------------------------> Request
///    ^                    |                         | all sent, last one
///    |      peer closed   v                         v
///    +----------------- Drain <---------------------+
/// ```
#[derive(Debug)]
enum Phase<'a> {
    /// Not connected.
    Idle,
    /// Waiting for a request head.
    Request,
    /// Sending a response.
    Response(Response<'a>),
    /// The transmit half is closed. Further bytes from the peer, counted here, are dropped, so that
    /// the peer reads the response instead of a reset.
    Drain(usize),
}

/// One connection.
#[derive(Debug)]
pub(in crate::apps) struct Connection<'a> {
    socket: SocketHandle,
    phase: Phase<'a>,
    /// The first `filled` bytes were received and not consumed.
    head: &'a mut [u8],
    filled: usize,
    deadline: Instant,
    /// Requests answered.
    pub(super) answered: u32,
}

impl<'a> Connection<'a> {
    pub(in crate::apps) const fn new(socket: SocketHandle, head: &'a mut [u8]) -> Self {
        Self {
            socket,
            phase: Phase::Idle,
            head,
            filled: 0,
            deadline: Instant::ZERO,
            answered: 0,
        }
    }

    pub(super) fn socket<'s, 'b>(&self, sockets: &'s mut SocketSet<'b>) -> &'s mut tcp::Socket<'b> {
        sockets.get_mut(self.socket)
    }

    pub(super) fn listen(&mut self, sockets: &mut SocketSet<'_>) {
        let socket = self.socket(sockets);
        socket.set_timeout(Some(TIMEOUT.into()));
        socket.set_nagle_enabled(false);
        // Cannot fail: the port is not 0, and the socket is not open.
        let _ = socket.listen(PORT);
    }

    /// Advances the state machine.
    pub(super) fn serve(&mut self, now: Instant, sockets: &mut SocketSet<'_>, content: &Content<'a>) {
        let socket = sockets.get_mut::<tcp::Socket<'_>>(self.socket);
        // During the handshake `may_recv` is false although the peer has closed nothing.
        if !socket.is_active() || socket.state() == tcp::State::SynReceived {
            self.phase = Phase::Idle;
            return;
        }
        if matches!(self.phase, Phase::Idle) {
            self.filled = 0;
            self.enter(Phase::Request, now);
        }
        if now >= self.deadline {
            socket.abort();
            self.phase = Phase::Idle;
            return;
        }
        for _ in 0..STEPS_PER_POLL {
            match &mut self.phase {
                Phase::Idle => break,
                Phase::Request => {
                    let received = self.receive(socket);
                    let head = self.head.get(..self.filled).unwrap_or_default();
                    match parse(head, self.filled == self.head.len()) {
                        Parsed::Complete(request, len) => {
                            self.consume(len);
                            self.enter(Phase::Response(Response::new(request, *content)), now);
                        }
                        Parsed::Partial if !socket.may_recv() => {
                            socket.close();
                            self.enter(Phase::Drain(0), now);
                        }
                        Parsed::Partial if received => {}
                        Parsed::Partial => break,
                    }
                }
                Phase::Response(response) => {
                    if send(socket, response) {
                        self.deadline = now + TIMEOUT.into();
                    }
                    if !response.is_sent() {
                        break;
                    }
                    self.answered = self.answered.wrapping_add(1);
                    if response.keep_alive() {
                        self.enter(Phase::Request, now);
                    } else {
                        socket.close();
                        self.enter(Phase::Drain(0), now);
                    }
                }
                Phase::Drain(drained) => {
                    *drained = drained.saturating_add(drain(socket));
                    if *drained > MAX_DRAIN {
                        socket.abort();
                        self.phase = Phase::Idle;
                    }
                    break;
                }
            }
        }
    }

    fn enter(&mut self, phase: Phase<'a>, now: Instant) {
        self.phase = phase;
        self.deadline = now + TIMEOUT.into();
    }

    /// Receives into the head. Returns whether any bytes were received.
    fn receive(&mut self, socket: &mut tcp::Socket<'_>) -> bool {
        let free = self.head.get_mut(self.filled..).unwrap_or_default();
        let len = socket.recv_slice(free).unwrap_or(0);
        self.filled += len;
        len > 0
    }

    /// Removes the first `len` bytes.
    fn consume(&mut self, len: usize) {
        let len = len.min(self.filled);
        self.head.copy_within(len..self.filled, 0);
        self.filled -= len;
    }
}

/// Sends what the socket accepts. Returns whether it accepted any bytes.
fn send(socket: &mut tcp::Socket<'_>, response: &mut Response<'_>) -> bool {
    let mut any = false;
    while !response.is_sent() && socket.can_send() {
        let sent = socket.send(|buffer| {
            let len = response.next_piece(buffer);
            (len, len)
        });
        match sent {
            Ok(len) if len > 0 => any = true,
            _ => break,
        }
    }
    any
}

/// Drops received bytes. Returns their number.
fn drain(socket: &mut tcp::Socket<'_>) -> usize {
    let mut drained: usize = 0;
    while let Ok(len) = socket.recv(|data| (data.len(), data.len())) {
        if len == 0 {
            break;
        }
        drained = drained.saturating_add(len);
    }
    drained
}
