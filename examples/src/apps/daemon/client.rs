//! The client that reports samples to a server, as a state machine.

use embassy_time::Instant;
use ethdev::Stats;
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::wire::IpEndpoint;

use crate::apps::Status;
use crate::apps::report::{Event, RETRY, SAMPLE_LEN, Sample, Samples, TIMEOUT};

/// Local ports: the dynamic ports of RFC 6335, section 6.
const FIRST_PORT: u16 = 49152;
const PORTS: u16 = u16::MAX - FIRST_PORT + 1;

#[derive(Debug)]
pub(super) struct Client {
    socket: SocketHandle,
    server: IpEndpoint,
    /// Number of the next local port.
    port: u16,
    state: State,
    /// The counters of the device at the last reply.
    at_last_reply: Stats,
}

/// Closed -> Connecting -> Idle <-> Waiting; from each to Closed.
#[derive(Debug, Clone, Copy)]
enum State {
    /// Until the next attempt.
    Closed(Instant),
    Connecting(Instant),
    Idle,
    Waiting(Sample, Instant),
}

impl Client {
    pub(super) const fn new(socket: SocketHandle, server: IpEndpoint, seed: u64) -> Self {
        Self {
            socket,
            server,
            port: (seed % PORTS as u64) as u16,
            state: State::Closed(Instant::MIN),
            at_last_reply: Stats::ZERO,
        }
    }

    /// Returns when to call [`serve`](Self::serve) without a change of the socket or of the link.
    pub(super) const fn deadline(&self, link_up: bool) -> Option<Instant> {
        match self.state {
            State::Idle => None,
            State::Closed(_) if !link_up => None,
            State::Closed(at) | State::Connecting(at) | State::Waiting(_, at) => Some(at),
        }
    }

    pub(super) const fn accepts_sample(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    pub(super) fn serve(
        &mut self,
        now: Instant,
        iface: &mut Interface,
        sockets: &mut SocketSet<'_>,
        samples: &Samples,
        status: &Status,
        log: &impl Fn(Event),
    ) {
        let stats = status.stats;
        let socket = sockets.get_mut::<tcp::Socket<'_>>(self.socket);
        match self.state {
            State::Closed(until) if now >= until && status.link.is_up() => {
                socket.set_nagle_enabled(false);
                let port = FIRST_PORT.saturating_add(self.port);
                self.port = (self.port + 1) % PORTS;
                self.state = match socket.connect(iface.context(), self.server, port) {
                    Ok(()) => State::Connecting(now + TIMEOUT),
                    // No address for this server yet.
                    Err(_) => State::Closed(now + RETRY),
                };
            }
            State::Connecting(_) if socket.may_send() => {
                self.replied(Event::Connected, stats, log);
            }
            State::Idle if socket.may_send() => {
                if let Ok(sample) = samples.queue().try_receive() {
                    // The buffer is empty and longer than a sample.
                    let _ = socket.send_slice(&sample.to_bytes());
                    self.state = State::Waiting(sample, now + TIMEOUT);
                }
            }
            State::Waiting(sample, _) if socket.recv_queue() >= SAMPLE_LEN => {
                let mut reply = [0; SAMPLE_LEN];
                let read = socket.recv_slice(&mut reply);
                if read == Ok(SAMPLE_LEN) && reply == sample.to_bytes() {
                    self.replied(Event::Acknowledged(sample), stats, log);
                } else {
                    self.fail(Event::Closed, now, socket, log);
                }
            }
            State::Idle => self.fail(Event::Closed, now, socket, log),
            State::Connecting(_) | State::Waiting(..)
                if !socket.is_open() || socket.state() == tcp::State::CloseWait =>
            {
                self.fail(Event::Closed, now, socket, log);
            }
            State::Connecting(until) | State::Waiting(_, until) if now >= until => {
                self.fail(Event::no_reply(stats, self.at_last_reply), now, socket, log);
            }
            State::Closed(_) | State::Connecting(_) | State::Waiting(..) => {}
        }
    }

    fn replied(&mut self, event: Event, stats: Stats, log: &impl Fn(Event)) {
        self.state = State::Idle;
        self.at_last_reply = stats;
        log(event);
    }

    /// Sends a reset: the server may listen again.
    fn fail(&mut self, event: Event, now: Instant, socket: &mut tcp::Socket<'_>, log: &impl Fn(Event)) {
        socket.abort();
        self.state = State::Closed(now + RETRY);
        log(event);
    }
}
