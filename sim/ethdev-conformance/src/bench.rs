//! One device on the bench: frames with sequence numbers, and the books of what crossed.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::time::Duration;

use ethdev::{Capabilities, ErrorKind, Events, MacAddress, Stats};

use super::fixture::{LinkPeer, Unsupported};
use super::line::{self, Line};
use super::subject::Subject;
use ethdev_sim::random::Rng;

/// Why a check ended early.
#[derive(Debug)]
pub(super) enum Stop {
    Fail { line: Line, reason: String },
    Skip(String),
}

pub(super) type Verdict<T = ()> = Result<T, Stop>;

/// Names another line where a frame is lost, late or wrong: the line of what was done to it.
pub(super) fn blame<T>(line: Line, verdict: Verdict<T>) -> Verdict<T> {
    verdict.map_err(|stop| match stop {
        Stop::Fail { line: found, reason } if found == line::DEVICE_2 => Stop::Fail { line, reason },
        stop => stop,
    })
}

impl From<Unsupported> for Stop {
    fn from(power: Unsupported) -> Self {
        Self::Skip(power.to_string())
    }
}

/// Ends the check as failed: on the line of the check, or on the one given.
macro_rules! fail {
    ($line:expr, $($reason:tt)+) => {
        return Err($crate::bench::Stop::Fail { line: $line, reason: format!($($reason)+) })
    };
}
pub(super) use fail;

/// Ends the check as failed unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $line:expr, $($reason:tt)+) => {
        if !$condition {
            $crate::bench::fail!($line, $($reason)+);
        }
    };
}
pub(super) use ensure;

/// The station at the far end. Its last four octets are the sequence number, so that even a bare header has one.
const PEER: [u8; 2] = [0x02, 0x5e];
/// `EtherType` for local experiments (IEEE 802 clause 9.2.4).
const ETHERTYPE: [u8; 2] = [0x88, 0xb5];
/// How long a link may take to come up, in simulated time.
const LINK_TIME: Duration = Duration::from_secs(10);
/// How long the device is given to notice a link that went down.
const LINK_STEP: Duration = Duration::from_millis(10);
/// Longest frame of which every length is tried. Longer maxima are tried as such.
const EVERY_LENGTH_TO: usize = ethdev::frame::MAX_VLAN_FRAME_LEN;
/// No transmit queue is longer than this.
pub(super) const ENDLESS: usize = 4096;

/// What the peer sent and the device has not delivered, what the device accepted and the peer has not received.
#[derive(Debug, Default)]
pub(super) struct Book {
    expected: VecDeque<Vec<u8>>,
    /// Frames that entered: put on the medium, or accepted.
    pub(super) entered: u32,
    /// Frames that came out.
    pub(super) left: u32,
    pub(super) bytes: u32,
    /// What came out last.
    last: Vec<u8>,
    /// Whether frames may be missing. Those that are must be counted.
    gaps: bool,
}

pub(super) struct Bench<'a> {
    pub dev: &'a mut dyn Subject,
    far: &'a RefCell<dyn LinkPeer>,
    /// The line of the check that runs.
    pub line: Line,
    pub caps: Capabilities,
    /// Whether `service` said so far that frames were lost.
    pub loss_told: bool,
    start: Stats,
    seq: u32,
    pub(super) rx: Book,
    pub(super) tx: Book,
    buf: Vec<u8>,
}

/// The frame with this sequence number.
fn frame(to: MacAddress, seq: u32, len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len.max(14));
    bytes.extend(to.octets());
    bytes.extend(PEER);
    bytes.extend(seq.to_be_bytes());
    bytes.extend(ETHERTYPE);
    let mut random = Random::new(u64::from(seq));
    while bytes.len() < len {
        // No zero: zeros are what padding is told by.
        bytes.push(random.between(1, 255) as u8);
    }
    bytes.truncate(len);
    bytes
}

/// Both begin alike: where do they part?
fn difference(got: &[u8], expected: &[u8]) -> String {
    if got.len() == expected.len() + 4 && got.starts_with(expected) {
        return format!("a frame of {} bytes came with 4 more: its FCS?", expected.len());
    }
    let at = got.iter().zip(expected).take_while(|(a, b)| a == b).count();
    format!(
        "a frame of {} bytes came as {} bytes, the same up to byte {at}",
        expected.len(),
        got.len()
    )
}

impl<'a> Bench<'a> {
    /// Waits for the link and opens the books.
    pub(super) fn new(dev: &'a mut dyn Subject, far: &'a RefCell<dyn LinkPeer>, line: Line) -> Verdict<Self> {
        let caps = dev.capabilities();
        let longest = caps.rx_max_frame_len.bytes().max(far.borrow().medium_max_frame_len());
        let mut bench = Self {
            start: Stats::ZERO,
            caps,
            loss_told: false,
            line,
            seq: 0,
            rx: Book::default(),
            tx: Book::default(),
            buf: vec![0; longest + 64],
            dev,
            far,
        };
        bench.wait_link(true)?;
        bench.start = bench.dev.stats();
        Ok(bench)
    }

    pub(super) fn far(&self) -> RefMut<'_, dyn LinkPeer + 'static> {
        self.far.borrow_mut()
    }

    /// The far end, for closures that run while the device is borrowed.
    pub(super) const fn far_cell(&self) -> &'a RefCell<dyn LinkPeer> {
        self.far
    }

    pub(super) fn fail<T>(&self, reason: impl Into<String>) -> Verdict<T> {
        Err(Stop::Fail {
            line: self.line,
            reason: reason.into(),
        })
    }

    /// The value, or the check failed with what was being done.
    pub(super) fn ok<T>(&self, what: &str, result: Result<T, ErrorKind>) -> Verdict<T> {
        match result {
            Ok(value) => Ok(value),
            Err(e) => self.fail(format!("{what} failed: {e}")),
        }
    }

    pub(super) fn rx_max(&self) -> usize {
        self.caps.rx_max_frame_len.bytes()
    }

    pub(super) fn tx_max(&self) -> usize {
        self.caps.tx_max_frame_len.bytes()
    }

    /// Shortest frame that the peer may send.
    pub(super) fn rx_min(&self) -> usize {
        self.far.borrow().medium_min_frame_len().min(self.rx_max())
    }

    /// Every length from `min` to `max`, but of lengths beyond a tagged frame's only the last.
    pub(super) fn lengths(min: usize, max: usize) -> impl Iterator<Item = usize> {
        (min..=max.min(EVERY_LENGTH_TO)).chain((max > EVERY_LENGTH_TO).then_some(max))
    }

    /// How many frames the peer may send without the device losing one.
    pub(super) fn rx_burst(&self) -> usize {
        usize::from(self.caps.rx_queue_frames).clamp(1, 64)
    }

    /// What was counted since the books were opened.
    pub(super) fn stats(&self) -> Stats {
        self.dev.stats().delta_since(&self.start)
    }

    pub(super) fn service(&mut self) -> Verdict<Events> {
        let result = self.dev.service();
        let events = self.ok("service", result)?;
        self.loss_told |= events.rx_dropped;
        Ok(events)
    }

    /// Lets `frames` frames of the greatest length cross.
    pub(super) fn pass(&mut self, frames: usize) {
        let time = self.far.borrow().frame_time();
        for _ in 0..frames {
            self.far().advance(time);
        }
    }

    /// Serves the device until the link is as wanted.
    pub(super) fn wait_link(&mut self, up: bool) -> Verdict {
        let mut passed = Duration::ZERO;
        loop {
            self.service()?;
            if !self.dev.features().cached || self.dev.link().is_up() == up {
                return Ok(());
            }
            ensure!(
                passed < LINK_TIME,
                line::DEVICE_7,
                "the link is not {} after {} s of service",
                if up { "up" } else { "down" },
                LINK_TIME.as_secs()
            );
            self.far().advance(LINK_STEP);
            passed += LINK_STEP;
        }
    }

    // The peer sends, the device receives.

    /// The next frame of the peer, not sent.
    pub(super) fn peer_frame(&mut self, len: usize) -> Vec<u8> {
        self.seq += 1;
        frame(self.dev.mac_address(), self.seq, len)
    }

    /// Notes that this frame was put on the medium and is to be delivered.
    pub(super) fn peer_sent(&mut self, frame: Vec<u8>) {
        self.rx.entered += 1;
        self.rx.expected.push_back(frame);
    }

    /// Notes that something was put on the medium that must not be delivered, but counted.
    pub(super) fn peer_sent_in_vain(&mut self) {
        self.rx.entered += 1;
    }

    pub(super) fn peer_sends(&mut self, len: usize) {
        let frame = self.peer_frame(len);
        self.far().peer_send(&frame);
        self.peer_sent(frame);
    }

    /// The peer sends, and the frame arrives.
    pub(super) fn peer_delivers(&mut self, len: usize) {
        self.peer_sends(len);
        self.pass(1);
    }

    /// Asks once. What comes is compared with what is expected next.
    pub(super) fn receive_if_any(&mut self) -> Verdict<bool> {
        let result = self.dev.recv_frame(&mut self.buf);
        let Some(meta) = self.ok("recv_frame", result)? else {
            return Ok(false);
        };
        ensure!(
            meta.len <= self.buf.len(),
            line::DEVICE_8,
            "{} bytes reported in a buffer of {}",
            meta.len,
            self.buf.len()
        );
        let got = self.buf[..meta.len].to_vec();
        self.received(&got)?;
        Ok(true)
    }

    /// Enters a delivered frame into the books.
    pub(super) fn received(&mut self, got: &[u8]) -> Verdict {
        self.not_again(got)?;
        self.rx.left += 1;
        self.rx.bytes = self.rx.bytes.wrapping_add(got.len() as u32);
        self.rx.last = got.to_vec();
        while let Some(expected) = self.rx.expected.pop_front() {
            if expected == got {
                return Ok(());
            }
            if !self.rx.gaps {
                if self.rx.expected.iter().any(|later| later == got) {
                    fail!(
                        line::DEVICE_2,
                        "a frame came before one that was sent earlier, which is late or lost"
                    );
                }
                fail!(line::DEVICE_2, "received: {}", difference(got, &expected));
            }
        }
        fail!(
            line::DEVICE_2,
            "a frame of {} bytes was delivered that was not sent, or late",
            got.len()
        );
    }

    /// No frame is delivered twice.
    pub(super) fn not_again(&self, got: &[u8]) -> Verdict {
        ensure!(
            got != self.rx.last,
            line::DEVICE_2,
            "a frame of {} bytes was delivered again",
            got.len()
        );
        Ok(())
    }

    /// The frame that is next must come.
    pub(super) fn receive(&mut self) -> Verdict {
        let time = self.far.borrow().frame_time();
        for _ in 0..4 {
            if self.receive_if_any()? {
                return Ok(());
            }
            self.far().advance(time);
            self.service()?;
        }
        fail!(line::DEVICE_2, "a frame from the peer is not delivered")
    }

    /// Nothing may come.
    pub(super) fn receive_nothing(&mut self) -> Verdict {
        if self.receive_if_any()? {
            return self.fail("a frame is delivered where none is pending");
        }
        Ok(())
    }

    /// All that is expected must come, and nothing more.
    pub(super) fn receive_all(&mut self) -> Verdict {
        while !self.rx.expected.is_empty() {
            self.receive()?;
        }
        self.receive_nothing()
    }

    /// What is next, for checks that look at frames themselves.
    pub(super) fn next_expected(&self) -> Option<&Vec<u8>> {
        self.rx.expected.front()
    }

    pub(super) fn pending(&self) -> usize {
        self.rx.expected.len()
    }

    /// How many frames came to the device.
    pub(super) const fn rx_entered(&self) -> u32 {
        self.rx.entered
    }

    /// How many frames the device delivered.
    pub(super) const fn rx_left(&self) -> u32 {
        self.rx.left
    }

    /// The next expected frame was thrown away on purpose, or lost where that is allowed: it must be counted, not delivered.
    pub(super) fn give_up_next(&mut self) {
        self.rx.expected.pop_front();
    }

    /// From here on frames may be missing; each must be counted.
    pub(super) fn allow_rx_gaps(&mut self) {
        self.rx.gaps = true;
    }

    /// Takes all that is there still; what is missing is lost for good. Bounded by what was sent.
    pub(super) fn drain_with_gaps(&mut self) -> Verdict {
        self.rx.gaps = true;
        for _ in 0..3 {
            for _ in 0..=self.rx.expected.len() {
                if !self.receive_if_any()? {
                    break;
                }
            }
            self.pass(1);
            self.service()?;
        }
        self.rx.expected.clear();
        self.rx.gaps = false;
        Ok(())
    }

    // The device sends, the peer receives.

    /// The next frame of the device, not sent.
    pub(super) fn own_frame(&mut self, len: usize) -> Vec<u8> {
        self.seq += 1;
        frame(MacAddress::new([0x02, 0x5e, 0xff, 0xff, 0xff, 0xfe]), self.seq, len)
    }

    /// Notes that the device accepted this frame.
    pub(super) fn accepted(&mut self, frame: Vec<u8>) {
        self.tx.entered += 1;
        self.tx.bytes = self.tx.bytes.wrapping_add(frame.len() as u32);
        self.tx.expected.push_back(frame);
    }

    /// One try.
    pub(super) fn try_send(&mut self, len: usize) -> Result<(), ErrorKind> {
        let frame = self.own_frame(len);
        self.dev.send_frame(&frame)?;
        self.accepted(frame);
        Ok(())
    }

    /// Sends, waiting for room as long as that can take.
    pub(super) fn send(&mut self, len: usize) -> Verdict {
        for _ in 0..256 {
            match self.try_send(len) {
                Err(ErrorKind::Busy) => {
                    self.pass(1);
                    self.service()?;
                }
                result => return self.ok("send of a legal frame", result),
            }
        }
        fail!(line::DEVICE_4, "Busy for ever, though the peer takes every frame")
    }

    /// Looks at what has come to the peer.
    pub(super) fn peer_receives(&mut self) -> Verdict {
        let min = self.caps.tx_min_frame_len;
        loop {
            let got = self.far().peer_recv();
            let Some(got) = got else { return Ok(()) };
            self.tx.left += 1;
            loop {
                let Some(expected) = self.tx.expected.pop_front() else {
                    fail!(
                        line::DEVICE_2,
                        "the peer received a frame of {} bytes that was not accepted, or received it again",
                        got.len()
                    );
                };
                if got.starts_with(&expected) && got.len() == expected.len().max(min) {
                    ensure!(
                        got[expected.len()..].iter().all(|&b| b == 0),
                        line::DEVICE_6,
                        "a frame of {} bytes was padded to {} with something else than zeros",
                        expected.len(),
                        got.len()
                    );
                    break;
                }
                if self.tx.gaps && self.tx.expected.iter().any(|later| got.starts_with(later)) {
                    continue;
                }
                ensure!(
                    !(got.starts_with(&expected) && expected.len() < min && got.len() < min),
                    line::DEVICE_6,
                    "a frame of {} bytes went out as {}, the minimum is {min}",
                    expected.len(),
                    got.len()
                );
                fail!(line::DEVICE_2, "sent: {}", difference(&got, &expected));
            }
        }
    }

    /// Where frames can be lent, leaves the next one lent.
    pub(super) fn lend_next(&mut self) -> Verdict {
        let mut lent = Ok(());
        self.dev.halves(&mut |rx, _| lent = rx.peek().map(|_| ()));
        self.ok("peek", lent)
    }

    /// Everything accepted must reach the peer.
    pub(super) fn peer_receives_all(&mut self) -> Verdict {
        self.peer_receives_all_counting(&mut 0)
    }

    /// The same, with what `service` confirms added to `completed`.
    pub(super) fn peer_receives_all_counting(&mut self, completed: &mut usize) -> Verdict {
        for _ in 0..self.tx.expected.len() + 3 {
            self.pass(1);
            *completed += usize::from(self.service()?.tx_completed);
            self.peer_receives()?;
        }
        let missing = self.tx.expected.len();
        ensure!(
            missing == 0 || self.tx.gaps,
            line::DEVICE_2,
            "{missing} accepted frames did not reach the peer"
        );
        self.tx.expected.clear();
        Ok(())
    }

    /// From here on accepted frames may be missing at the peer; each must be counted.
    pub(super) fn allow_tx_gaps(&mut self) {
        self.tx.gaps = true;
    }

    /// Stalls the transmitter and sends until there is no room. How many frames that took.
    pub(super) fn fill_tx(&mut self, len: usize) -> Verdict<usize> {
        self.far().stall_tx(true)?;
        for sent in 0..ENDLESS {
            match self.try_send(len) {
                Ok(()) => {}
                Err(ErrorKind::Busy) => return Ok(sent),
                Err(e) => fail!(line::DEVICE_4, "with no room, send is {e:?} instead of Busy"),
            }
            self.pass(1);
        }
        fail!(
            line::DEVICE_4,
            "{ENDLESS} frames were accepted while none goes out: dropped instead of Busy?"
        )
    }

    // Both.

    /// Two frames each way: what is broken so thoroughly that this fails is reported as what it is, not as what the check looks for.
    pub(super) fn warm_up(&mut self) -> Verdict {
        for len in [self.rx_min(), self.rx_max().min(1000)] {
            self.peer_delivers(len);
            self.receive()?;
        }
        if self.receive_if_any()? {
            fail!(line::DEVICE_2, "a frame was delivered twice");
        }
        if self.dev.features().cached {
            for len in [100, 1000] {
                self.send(len.min(self.tx_max()))?;
            }
            self.peer_receives_all()?;
        }
        Ok(())
    }
}

/// Seeded, so that every run is the same.
#[derive(Debug)]
pub(super) struct Random(Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(Rng::new(seed, 0))
    }

    /// From `min` to `max`, both included.
    pub(super) fn between(&mut self, min: usize, max: usize) -> usize {
        min + self.0.below(max - min + 1)
    }
}
