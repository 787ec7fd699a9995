//! The testbed: one device under test, its link peer, and the accounting of their frames.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;
use std::time::Duration;

use ethdev::frame::MIN_FRAME_LEN;
use ethdev::{Capabilities, ChecksumOffload, ErrorKind, Events, LossReason, MacAddress, Stats};

use super::accounting::FrameAccount;
use super::dut::Dut;
use super::fixture::LinkPeer;
use super::frames::{FrameShape, difference, frame};
use super::observed::{EventRecord, Observed};
use super::outcome::{CheckError, CheckResult, ensure, fail};
use super::requirement::{self, Requirement};
use super::watchdog;

/// How long a link may take to come up, in simulated time.
const LINK_TIME: Duration = Duration::from_secs(10);
/// Time between two calls of `service` while the link changes.
const LINK_STEP: Duration = Duration::from_millis(10);
/// Up to this length every frame length is checked; above it, the maximum only.
const EVERY_LENGTH_TO: usize = ethdev::frame::MAX_VLAN_FRAME_LEN;
/// No transmit queue is longer than this many frames.
pub(super) const MAX_TX_QUEUE: usize = 4096;

pub(super) struct Testbed<'a> {
    pub dev: Box<dyn Dut + 'a>,
    events: Rc<RefCell<EventRecord>>,
    peer: &'a RefCell<dyn LinkPeer>,
    /// The requirement of the check that runs.
    pub requirement: Requirement,
    pub caps: Capabilities,
    /// Whether `service` has reported lost frames.
    pub drop_reported: bool,
    start: Stats,
    seq: u32,
    pub(super) rx: FrameAccount,
    pub(super) tx: FrameAccount,
    buf: Vec<u8>,
}

impl<'a> Testbed<'a> {
    /// Waits for the link and starts the accounting.
    pub(super) fn new(
        dev: &'a mut dyn Dut,
        peer: &'a RefCell<dyn LinkPeer>,
        requirement: Requirement,
    ) -> CheckResult<Self> {
        let caps = dev.capabilities();
        let longest = caps.rx_max_frame_len.bytes().max(peer.borrow().medium_max_frame_len());
        let events = Rc::default();
        let mut testbed = Self {
            start: Stats::ZERO,
            caps,
            drop_reported: false,
            requirement,
            seq: 0,
            rx: FrameAccount::default(),
            tx: FrameAccount::default(),
            buf: vec![0; longest + 64],
            dev: Box::new(Observed::new(dev, Rc::clone(&events))),
            events,
            peer,
        };
        testbed.wait_link(true)?;
        testbed.events.borrow_mut().start_accounting();
        testbed.start = testbed.dev.stats();
        Ok(testbed)
    }

    pub(super) fn peer(&self) -> RefMut<'_, dyn LinkPeer + 'static> {
        watchdog::step();
        self.peer.borrow_mut()
    }

    /// The peer, for closures that run while the device is borrowed.
    pub(super) const fn peer_cell(&self) -> &'a RefCell<dyn LinkPeer> {
        self.peer
    }

    pub(super) fn fail<T>(&self, reason: impl Into<String>) -> CheckResult<T> {
        Err(CheckError::Fail {
            requirement: self.requirement,
            reason: reason.into(),
        })
    }

    /// Returns the value, or fails the check with the name of the operation.
    pub(super) fn ok<T>(&self, what: &str, result: Result<T, ErrorKind>) -> CheckResult<T> {
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
        self.peer.borrow().medium_min_frame_len().min(self.rx_max())
    }

    /// Every length from `min` to `max`, but of lengths beyond a tagged frame's only the last.
    pub(super) fn lengths(min: usize, max: usize) -> impl Iterator<Item = usize> {
        (min..=max.min(EVERY_LENGTH_TO)).chain((max > EVERY_LENGTH_TO).then_some(max))
    }

    /// How many frames the peer may send without the device losing one.
    pub(super) fn rx_burst(&self) -> usize {
        self.rx_queue().clamp(1, 64)
    }

    /// The length of the receive queue in frames; 0 if unknown.
    pub(super) fn rx_queue(&self) -> usize {
        self.caps.rx_queue_frames.map_or(0, usize::from)
    }

    /// Starts the accounting again. Nothing is pending, in either direction.
    pub(super) fn restart_accounting(&mut self) {
        // Confirmations of frames that were sent before.
        let _ = self.dev.service();
        self.events.borrow_mut().start_accounting();
        // A recovery may have changed them.
        self.caps = self.dev.capabilities();
        self.start = self.dev.stats();
        self.rx = FrameAccount::default();
        self.tx = FrameAccount::default();
    }

    /// Returns the counters since the start of the accounting.
    pub(super) fn stats(&self) -> Stats {
        self.dev.stats().delta_since(&self.start)
    }

    pub(super) fn service(&mut self) -> CheckResult<Events> {
        let result = self.dev.service();
        let events = self.ok("service", result)?;
        self.drop_reported |= events.rx_dropped;
        Ok(events)
    }

    /// Lets the time of `frames` frames of maximum length pass.
    pub(super) fn advance_frames(&mut self, frames: usize) {
        let time = self.peer.borrow().frame_time();
        for _ in 0..frames {
            self.peer().advance(time);
        }
    }

    /// Calls `service` until the link is as expected.
    pub(super) fn wait_link(&mut self, up: bool) -> CheckResult {
        let mut passed = Duration::ZERO;
        loop {
            self.service()?;
            if !self.dev.features().cached || self.dev.link().is_up() == up {
                return Ok(());
            }
            ensure!(
                passed < LINK_TIME,
                requirement::DEVICE_7,
                "the link is not {} after {} s of service",
                if up { "up" } else { "down" },
                LINK_TIME.as_secs()
            );
            self.peer().advance(LINK_STEP);
            passed += LINK_STEP;
        }
    }

    // The peer sends, the device receives.

    /// The next frame of the peer, not sent.
    pub(super) fn peer_frame(&mut self, len: usize) -> Vec<u8> {
        self.seq += 1;
        frame(self.dev.mac_address(), self.seq, len, self.shape())
    }

    /// Notes that this frame was put on the medium and is to be delivered.
    pub(super) fn peer_sent(&mut self, frame: Vec<u8>) {
        self.rx.offered += 1;
        self.rx.expected.push_back(frame);
    }

    /// Notes that a frame was sent that must be counted under one of these reasons, not delivered.
    pub(super) fn peer_sent_bad(&mut self, reasons: &[LossReason]) {
        self.rx.offered += 1;
        self.rx.lose_for(0, reasons.to_vec());
    }

    pub(super) fn peer_sends(&mut self, len: usize) {
        let frame = self.peer_frame(len);
        self.peer().peer_send(&frame);
        self.peer_sent(frame);
    }

    /// The peer sends a frame, and it arrives.
    pub(super) fn peer_delivers(&mut self, len: usize) {
        self.peer_sends(len);
        self.advance_frames(1);
    }

    /// Receives once and compares the frame with the next expected one.
    pub(super) fn receive_if_any(&mut self) -> CheckResult<bool> {
        let result = self.try_receive()?;
        self.ok("recv_frame", result)
    }

    /// [`receive_if_any`](Self::receive_if_any) for devices that may fail.
    pub(super) fn try_receive(&mut self) -> CheckResult<Result<bool, ErrorKind>> {
        let meta = match self.dev.recv_frame(&mut self.buf) {
            Ok(Some(meta)) => meta,
            Ok(None) => return Ok(Ok(false)),
            Err(e) => return Ok(Err(e)),
        };
        ensure!(
            meta.len <= self.buf.len(),
            requirement::DEVICE_8,
            "{} bytes reported in a buffer of {}",
            meta.len,
            self.buf.len()
        );
        let got = self.buf[..meta.len].to_vec();
        self.received(&got)?;
        Ok(Ok(true))
    }

    /// Accounts for a delivered frame.
    pub(super) fn received(&mut self, got: &[u8]) -> CheckResult {
        self.check_not_duplicate(got)?;
        self.rx.delivered += 1;
        self.rx.bytes = self.rx.bytes.wrapping_add(got.len() as u32);
        self.rx.last = got.to_vec();
        while let Some(expected) = self.rx.expected.pop_front() {
            if expected == got {
                return Ok(());
            }
            if !self.rx.gaps {
                if self.rx.expected.iter().any(|later| later == got) {
                    fail!(
                        requirement::DEVICE_2,
                        "a frame came before one that was sent earlier, which is late or lost"
                    );
                }
                fail!(requirement::DEVICE_2, "received: {}", difference(got, &expected));
            }
            self.rx.lose(expected.len());
        }
        fail!(
            requirement::DEVICE_2,
            "a frame of {} bytes was delivered that was not sent, or late",
            got.len()
        );
    }

    /// No frame is delivered twice.
    pub(super) fn check_not_duplicate(&self, got: &[u8]) -> CheckResult {
        ensure!(
            got != self.rx.last,
            requirement::DEVICE_2,
            "a frame of {} bytes was delivered again",
            got.len()
        );
        Ok(())
    }

    /// The next expected frame must be delivered.
    pub(super) fn receive(&mut self) -> CheckResult {
        let time = self.peer.borrow().frame_time();
        for _ in 0..4 {
            if self.receive_if_any()? {
                return Ok(());
            }
            self.peer().advance(time);
            self.service()?;
        }
        fail!(requirement::DEVICE_2, "a frame from the peer is not delivered")
    }

    /// No frame may be delivered.
    pub(super) fn receive_nothing(&mut self) -> CheckResult {
        if self.receive_if_any()? {
            return self.fail("a frame is delivered where none is pending");
        }
        Ok(())
    }

    /// All expected frames must be delivered, and no others.
    pub(super) fn receive_all(&mut self) -> CheckResult {
        while !self.rx.expected.is_empty() {
            self.receive()?;
        }
        self.receive_nothing()
    }

    /// The next expected frame, for checks that compare frames themselves.
    pub(super) fn next_expected(&self) -> Option<&Vec<u8>> {
        self.rx.expected.front()
    }

    pub(super) fn pending(&self) -> usize {
        self.rx.expected.len()
    }

    /// Number of frames sent to the device.
    pub(super) const fn rx_offered(&self) -> u32 {
        self.rx.offered
    }

    /// Number of frames that the device delivered.
    pub(super) const fn rx_delivered(&self) -> u32 {
        self.rx.delivered
    }

    /// The next expected frame was lost for a reason that the check provoked: it must be counted,
    /// not delivered.
    pub(super) fn drop_expected(&mut self) {
        if let Some(frame) = self.rx.expected.pop_front() {
            self.rx.lose(frame.len());
        }
    }

    /// The caller discarded the next expected frame.
    pub(super) fn discard_expected(&mut self) {
        self.rx.expected.pop_front();
        self.rx.discarded += 1;
    }

    /// Records that the following steps may lose received frames for these reasons: only frames
    /// that are lost from here on may be counted under them. For each of those that the device
    /// declares as not exactly reported, a lost frame may also be missing in the counters.
    pub(super) fn provoke_rx(&mut self, reasons: &[LossReason]) {
        self.rx.provoked.extend(reasons);
    }

    /// [`provoke_rx`](Self::provoke_rx) for frames that the device accepted.
    pub(super) fn provoke_tx(&mut self, reasons: &[LossReason]) {
        self.tx.provoked.extend(reasons);
    }

    /// From here on frames may be missing for this reason; each must be counted.
    pub(super) fn allow_rx_gaps(&mut self, reason: LossReason) {
        self.rx.gaps = true;
        self.provoke_rx(&[reason]);
    }

    /// Receives all pending frames. Those that are missing then are lost. Bounded by the number of
    /// sent frames.
    pub(super) fn drain_with_gaps(&mut self) -> CheckResult {
        self.rx.gaps = true;
        for _ in 0..3 {
            for _ in 0..=self.rx.expected.len() {
                if !self.receive_if_any()? {
                    break;
                }
            }
            self.advance_frames(1);
            self.service()?;
        }
        self.rx.lose_expected();
        self.rx.gaps = false;
        Ok(())
    }

    // The device sends, the peer receives.

    /// The next frame of the device, not sent.
    pub(super) fn own_frame(&mut self, len: usize) -> Vec<u8> {
        self.seq += 1;
        let to = match self.seq % 7 {
            0 => MacAddress::BROADCAST,
            1 => MacAddress::new([0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa]),
            _ => MacAddress::new([0x02, 0x5e, 0xff, 0xff, 0xff, 0xfe]),
        };
        let shape = match self.shape() {
            FrameShape::Tagged if !self.peer().keeps_vlan_tags() => FrameShape::Experimental,
            shape => shape,
        };
        let mut frame = frame(to, self.seq, len, shape);
        // Where the device does not pad, the other end may: the last byte tells the frame from its
        // padding.
        if self.caps.tx_min_frame_len < MIN_FRAME_LEN && (15..=MIN_FRAME_LEN).contains(&len) {
            frame[len - 1] |= 1;
        }
        frame
    }

    /// The content of the next frame.
    fn shape(&self) -> FrameShape {
        if self.caps.checksum == ChecksumOffload::NONE {
            FrameShape::any(self.seq)
        } else {
            // A device that verifies or inserts checksums interprets the payload.
            FrameShape::Experimental
        }
    }

    /// Notes that the device accepted this frame.
    pub(super) fn accepted(&mut self, frame: Vec<u8>) {
        self.tx.offered += 1;
        self.tx.expected.push_back(frame);
    }

    /// Sends once.
    pub(super) fn try_send(&mut self, len: usize) -> Result<(), ErrorKind> {
        let frame = self.own_frame(len);
        self.dev.send_frame(&frame)?;
        self.accepted(frame);
        Ok(())
    }

    /// Sends, waiting for a free buffer.
    pub(super) fn send(&mut self, len: usize) -> CheckResult {
        for _ in 0..256 {
            match self.try_send(len) {
                Err(ErrorKind::Busy) => {
                    self.advance_frames(1);
                    self.service()?;
                }
                result => return self.ok("send of a legal frame", result),
            }
        }
        fail!(
            requirement::DEVICE_4,
            "the peer receives every frame: expected a free buffer, still Busy"
        )
    }

    /// Compares the frames that the peer received with the accepted ones.
    pub(super) fn peer_receives(&mut self) -> CheckResult {
        let min = self.caps.tx_min_frame_len;
        loop {
            let got = self.peer().peer_recv();
            let Some(got) = got else { return Ok(()) };
            self.tx.delivered += 1;
            loop {
                let Some(expected) = self.tx.expected.pop_front() else {
                    fail!(
                        requirement::DEVICE_2,
                        "the peer received a frame of {} bytes that was not accepted, or received it again",
                        got.len()
                    );
                };
                if got.starts_with(&expected) && got.len() == expected.len().max(min) {
                    ensure!(
                        got[expected.len()..].iter().all(|&b| b == 0),
                        requirement::DEVICE_6,
                        "a frame of {} bytes was padded to {}: expected zeros, found other bytes",
                        expected.len(),
                        got.len()
                    );
                    self.tx.bytes = self.tx.bytes.wrapping_add(expected.len() as u32);
                    break;
                }
                if self.tx.gaps && self.tx.expected.iter().any(|later| got.starts_with(later)) {
                    self.tx.lose(expected.len());
                    continue;
                }
                ensure!(
                    !(got.starts_with(&expected) && expected.len() < min && got.len() < min),
                    requirement::DEVICE_6,
                    "a frame of {} bytes went out as {}, the minimum is {min}",
                    expected.len(),
                    got.len()
                );
                fail!(requirement::DEVICE_2, "sent: {}", difference(&got, &expected));
            }
        }
    }

    /// Leaves the next frame lent, if the API lends frames.
    pub(super) fn lend_next(&mut self) -> CheckResult {
        let mut lent = Ok(());
        self.dev.halves(&mut |rx, _| lent = rx.peek().map(|_| ()));
        self.ok("peek", lent)
    }

    /// Everything accepted must reach the peer.
    pub(super) fn peer_receives_all(&mut self) -> CheckResult {
        self.peer_receives_all_counting(&mut 0)
    }

    /// `service`, with the confirmed frames added to `completed`.
    pub(super) fn peer_receives_all_counting(&mut self, completed: &mut usize) -> CheckResult {
        for _ in 0..self.tx.expected.len() + 3 {
            self.advance_frames(1);
            *completed += usize::from(self.service()?.tx_completed);
            self.peer_receives()?;
        }
        let missing = self.tx.expected.len();
        ensure!(
            missing == 0 || self.tx.gaps,
            requirement::DEVICE_2,
            "{missing} accepted frames did not reach the peer"
        );
        self.tx.lose_expected();
        Ok(())
    }

    /// [`allow_tx_gaps`](Self::allow_tx_gaps) while the cable is unplugged: a device that has not
    /// noticed that sends frames which nobody receives.
    pub(super) fn allow_tx_into_lost_link(&mut self) {
        self.allow_tx_gaps();
        self.tx.into_lost_link = true;
    }

    /// From here on accepted frames may be missing at the peer; each must be counted.
    pub(super) fn allow_tx_gaps(&mut self) {
        self.tx.gaps = true;
        self.provoke_tx(&[LossReason::TxAborted, LossReason::TxReset]);
    }

    /// Stalls the transmitter and sends until `Busy`. Returns the number of accepted frames.
    pub(super) fn fill_tx(&mut self, len: usize) -> CheckResult<usize> {
        self.peer().stall_tx(true)?;
        for sent in 0..MAX_TX_QUEUE {
            match self.try_send(len) {
                Ok(()) => {}
                Err(ErrorKind::Busy) => return Ok(sent),
                Err(e) => fail!(requirement::DEVICE_4, "transmit queue full: expected Busy, found {e:?}"),
            }
            self.advance_frames(1);
        }
        fail!(
            requirement::DEVICE_4,
            "{MAX_TX_QUEUE} frames were accepted while none is sent: dropped instead of Busy?"
        )
    }

    // Both.

    /// Two frames each way. A device that fails here is reported with the requirement it fails, not
    /// with that of the check.
    pub(super) fn warm_up(&mut self) -> CheckResult {
        for len in [self.rx_min(), self.rx_max().min(1000)] {
            self.peer_delivers(len);
            self.receive()?;
        }
        if self.receive_if_any()? {
            fail!(requirement::DEVICE_2, "a frame was delivered twice");
        }
        if self.dev.features().cached {
            for len in [100, 1000] {
                self.send(len.min(self.tx_max()))?;
            }
            self.peer_receives_all()?;
        }
        Ok(())
    }

    /// Ends the check: pending frames are transferred, and every other frame must be counted.
    pub(super) fn check_accounting(&mut self) -> CheckResult {
        self.peer_receives_all()?;
        while self.receive_if_any()? {}
        if !self.dev.features().cached {
            return Ok(());
        }
        let stats = self.stats();
        self.rx.check_rx(&stats, self.caps.coverage)?;
        self.tx.check_tx(&stats, self.caps.coverage)?;
        self.events.borrow().check_confirmations(&stats)?;
        // A check that provokes a fault provokes the losses of the recovery too.
        let resets = [LossReason::RxReset, LossReason::TxReset];
        let provoked = |reason| self.rx.provoked.contains(reason) || self.tx.provoked.contains(reason);
        ensure!(
            (stats.faults == 0 && (stats.recoveries == 0 || self.dev.control().is_some()))
                || resets.iter().any(provoked),
            requirement::DEVICE_9,
            "no fault: expected faults = 0 and recoveries = 0, found {} and {}",
            stats.faults,
            stats.recoveries
        );
        // A recovery may find other settings of an interface that is not the driver's own.
        let caps = self.dev.capabilities();
        ensure!(
            caps == self.caps || stats.recoveries > 0,
            requirement::CAPABILITIES,
            "expected constant capabilities {:?}, found {caps:?}",
            self.caps
        );
        Ok(())
    }
}
