//! One connection of the HTTP server.

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};

use super::request::{Parsed, parse};
use super::response::Response;
use super::{Content, PORT};

/// A connection on which nothing is achieved for so long is broken off: no complete request, no byte of the answer taken.
const PATIENCE: Duration = Duration::from_secs(15);
/// How much of what follows the last answer is read and thrown away, before the connection is broken off.
const MAX_DRAIN: usize = 64 * 1024;
/// Steps of the state machine in one turn: a peer that pipelines requests does not keep the others waiting.
const STEPS_PER_TURN: usize = 8;

/// ```text
///           accepted            head complete             all sent, more may follow
///   Idle ------------> Request ---------------> Response ---------------------------> Request
///    ^                    |                         | all sent, last one
///    |      peer closed   v                         v
///    +----------------- Drain <---------------------+
/// ```
#[derive(Debug)]
enum Phase<'a> {
    /// Nobody is connected.
    Idle,
    /// Waits for a request head.
    Request,
    /// Sends an answer.
    Response(Response<'a>),
    /// Our half is closed. What the peer still sends is thrown away, so that it gets to read the answer instead of a reset. Bytes so far.
    Drain(usize),
}

/// One connection.
#[derive(Debug)]
pub(in crate::apps) struct Connection<'a> {
    socket: SocketHandle,
    phase: Phase<'a>,
    /// Bytes that were received and not yet used are the first `filled` of these.
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
        socket.set_timeout(Some(PATIENCE));
        socket.set_nagle_enabled(false);
        // Port 80 of a socket that is not open: neither of the errors of `listen` can occur.
        let _ = socket.listen(PORT);
    }

    /// Does what can be done now.
    pub(super) fn serve(&mut self, now: Instant, sockets: &mut SocketSet<'_>, content: &Content<'a>) {
        let socket = sockets.get_mut::<tcp::Socket<'_>>(self.socket);
        // Before the handshake is done, nobody is there who could have closed the connection.
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
        for _ in 0..STEPS_PER_TURN {
            match &mut self.phase {
                Phase::Idle => break,
                Phase::Request => {
                    let received = self.receive(socket);
                    let head = self.head.get(..self.filled).unwrap_or_default();
                    match parse(head, self.filled == self.head.len()) {
                        Parsed::Complete(request, len) => {
                            self.use_up(len);
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
                        self.deadline = now + PATIENCE;
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
        self.deadline = now + PATIENCE;
    }

    /// Fills up the head. Returns whether anything came.
    fn receive(&mut self, socket: &mut tcp::Socket<'_>) -> bool {
        let room = self.head.get_mut(self.filled..).unwrap_or_default();
        let len = socket.recv_slice(room).unwrap_or(0);
        self.filled += len;
        len > 0
    }

    /// Removes the first `len` bytes.
    fn use_up(&mut self, len: usize) {
        let len = len.min(self.filled);
        self.head.copy_within(len..self.filled, 0);
        self.filled -= len;
    }
}

/// Hands over what the socket takes. Returns whether that was anything.
fn send(socket: &mut tcp::Socket<'_>, response: &mut Response<'_>) -> bool {
    let mut any = false;
    while !response.is_sent() && socket.can_send() {
        let sent = socket.send(|room| {
            let len = response.next_piece(room);
            (len, len)
        });
        match sent {
            Ok(len) if len > 0 => any = true,
            _ => break,
        }
    }
    any
}

/// Throws away what has come. Returns how much that was.
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
