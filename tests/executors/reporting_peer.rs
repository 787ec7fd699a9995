//! The peer of a daemon: a server for its reports and a client of its echo service, on the
//! independent stack of the testbed. It runs in events of the clock, independent of the executor.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ethdev_examples::apps::report::{Event, PORT, SAMPLE_LEN};
use ethdev_examples::testbed::StackPeer;
use ethdev_sim::{Clock, Peer, Port, Wire, WireFaults};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address};

use crate::tasks::End;

pub(crate) const NODE: Ipv4Address = Ipv4Address::new(192, 168, 69, 1);
pub(crate) const PEER: Ipv4Address = Ipv4Address::new(192, 168, 69, 2);
const PEER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
const POLL_INTERVAL: Duration = Duration::from_micros(100);
/// When the peer connects to the echo service, and with how many bytes.
const ECHO_AT: Duration = Duration::from_millis(300);
const ECHO_LEN: usize = 3000;
/// After this number of samples there is an outage of this length.
const OUTAGE_AFTER: u32 = 8;
const OUTAGE: Duration = Duration::from_secs(2);
/// The scenario ends after this number of samples.
const SAMPLES: u32 = 16;

/// What fails for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    /// The wire loses all frames.
    Silence,
    /// The link is down.
    LinkDown,
}

impl Outage {
    fn begin(self, wire: &Wire) {
        match self {
            Self::Silence => wire.set_faults(WireFaults::NONE.with_loss(1.0)),
            Self::LinkDown => wire.set_link(false),
        }
    }

    fn end(self, wire: &Wire) {
        wire.set_faults(WireFaults::NONE);
        wire.set_link(true);
    }
}

/// What happened, each line with its simulated time, to 0.1 ms: reading the time takes 1 µs, and
/// executors poll tasks that are ready at the same time in different orders.
#[derive(Clone)]
pub(crate) struct Transcript {
    clock: Clock,
    outage: Outage,
    lines: Rc<RefCell<Vec<String>>>,
}

impl Transcript {
    pub(crate) fn new(clock: &Clock, outage: Outage) -> Self {
        Self {
            clock: clock.clone(),
            outage,
            lines: Rc::default(),
        }
    }

    pub(crate) fn note(&self, what: impl core::fmt::Display) {
        let now = self.clock.now();
        let line = format!("{}.{:04} {what}\n", now.as_secs(), now.subsec_micros() / 100);
        self.lines.borrow_mut().push(line);
    }

    /// Notes an event of the client. A peer that is silent is visible in the counters of the
    /// device.
    pub(crate) fn note_event(&self, event: Event) {
        if let Event::NoReply { sent, received } = event {
            assert_eq!(received, 0, "{event}");
            assert!(sent > 0 || self.outage == Outage::LinkDown, "{event}");
        }
        self.note(event);
    }

    pub(crate) fn text(&self) -> String {
        self.lines.borrow().concat()
    }
}

pub(crate) struct ReportingPeer {
    clock: Clock,
    wire: Rc<Wire>,
    outage: Outage,
    stack: StackPeer,
    server: SocketHandle,
    samples: u32,
    echo: Option<SocketHandle>,
    sent: usize,
    echoed: usize,
    transcript: Transcript,
    end: End,
}

impl ReportingPeer {
    /// Starts the peer at its end of the wire.
    pub(crate) fn start(clock: &Clock, wire: &Rc<Wire>, port: Port, transcript: &Transcript, end: &End) {
        let mut stack = StackPeer::new(clock, Peer::new(port), PEER_MAC, IpCidr::new(PEER.into(), 24), 7);
        let buffer = || tcp::SocketBuffer::new(vec![0; 4096]);
        let mut server = tcp::Socket::new(buffer(), buffer());
        // It may listen again when the client is gone.
        server.set_timeout(Some(smoltcp::time::Duration::from_millis(800)));
        server.set_keep_alive(Some(smoltcp::time::Duration::from_millis(300)));
        server.set_nagle_enabled(false);
        let server = stack.add(server);
        let peer = Self {
            clock: clock.clone(),
            wire: wire.clone(),
            outage: transcript.outage,
            stack,
            server,
            samples: 0,
            echo: None,
            sent: 0,
            echoed: 0,
            transcript: transcript.clone(),
            end: end.clone(),
        };
        peer.run_again();
    }

    fn run_again(mut self) {
        let clock = self.clock.clone();
        clock.schedule_in(POLL_INTERVAL, move || {
            self.poll();
            if !self.end.is_signaled() {
                self.run_again();
            }
        });
    }

    fn poll(&mut self) {
        let now = Instant::from_micros(i64::try_from(self.clock.now().as_micros()).expect("the simulated time fits"));
        self.stack.poll(now);
        self.serve();
        self.use_echo();
        self.stack.poll(now);
    }

    fn serve(&mut self) {
        let socket: &mut tcp::Socket<'_> = self.stack.socket(self.server);
        if !socket.is_open() {
            socket.listen(PORT).expect("a closed socket");
        }
        if socket.state() == tcp::State::CloseWait {
            socket.close();
        }
        while socket.recv_queue() >= SAMPLE_LEN && socket.can_send() {
            let mut sample = [0; SAMPLE_LEN];
            socket.recv_slice(&mut sample).expect("data is pending");
            socket.send_slice(&sample).expect("the buffer is longer than the queue");
            self.samples += 1;
            if self.samples == OUTAGE_AFTER + 1 {
                let (outage, wire, transcript) = (self.outage, self.wire.clone(), self.transcript.clone());
                transcript.note(format_args!("outage: {outage:?}"));
                outage.begin(&wire);
                self.clock.schedule_in(OUTAGE, move || {
                    transcript.note("end of the outage");
                    outage.end(&wire);
                });
            }
            if self.samples == SAMPLES {
                self.end.signal();
            }
        }
    }

    fn use_echo(&mut self) {
        let byte = |at: usize| (at * 31 + at / 251) as u8;
        let Some(handle) = self.echo else {
            if self.clock.now() >= ECHO_AT {
                self.echo = Some(self.stack.connect(NODE, 7, 50_000).expect("a valid address"));
            }
            return;
        };
        let socket: &mut tcp::Socket<'_> = self.stack.socket(handle);
        while self.sent < ECHO_LEN && socket.can_send() {
            let data: Vec<u8> = (self.sent..ECHO_LEN).map(byte).collect();
            self.sent += socket.send_slice(&data).expect("the connection is open");
        }
        while socket.can_recv() {
            self.echoed += socket
                .recv(|data| {
                    for (i, got) in data.iter().enumerate() {
                        assert_eq!(*got, byte(self.echoed + i), "byte {}", self.echoed + i);
                    }
                    (data.len(), data.len())
                })
                .expect("the connection is open");
            if self.echoed == ECHO_LEN {
                self.transcript.note(format_args!("{ECHO_LEN} bytes echoed"));
                socket.close();
            }
        }
    }
}
