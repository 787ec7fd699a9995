//! Several clients of a split-phase kernel on one NIC, in the shape of Tock's Ethernet HIL.
//!
//! A client passes its buffer to `transmit` and gets it back in `transmit_done`; `received` lends
//! it a frame for the time of the call. Nothing blocks, nothing is allocated, and no callback runs
//! inside of a call of the client. Each client has an adapter like this on a port of the switch; in
//! Tock it would be a capsule.
//!
//! `cargo run -p ethdev-switch --example split_phase` prints what happens on a simulated wire.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use ethdev::{Error, ErrorKind, EthernetDevice, MacAddress};
use ethdev_sim::{Clock, RingConfig, RingNic, WireConfig};
use ethdev_switch::Switch;

/// A client of an [`Adapter`].
trait Client {
    /// A transmission has ended: the buffer is the client's again. The time stamp is that of the
    /// transmission, where the hardware takes one.
    fn transmit_done(
        &self,
        result: Result<(), ErrorKind>,
        buffer: &'static mut [u8],
        len: usize,
        id: usize,
        timestamp: Option<Duration>,
    );

    /// A frame was received. The time stamp is that of its arrival, where the hardware takes one.
    fn received(&self, frame: &[u8], timestamp: Option<Duration>);
}

/// The split-phase API as an object: what clients call.
trait Transmit {
    /// Sends the first `len` bytes of `buffer`. `transmit_done` returns it with the same `id`.
    ///
    /// # Errors
    ///
    /// `Busy` while another transmission is in progress; `FrameTooLong` and `FrameTooShort`. The
    /// buffer is returned at once, and no `transmit_done` follows.
    fn transmit(&self, buffer: &'static mut [u8], len: usize, id: usize) -> Result<(), (ErrorKind, &'static mut [u8])>;
}

/// A transmission in progress.
struct Transmission {
    buffer: &'static mut [u8],
    len: usize,
    id: usize,
}

/// Split-phase calls on any device.
struct Adapter<'a, D> {
    device: RefCell<D>,
    rx: RefCell<&'a mut [u8]>,
    client: Cell<Option<&'a dyn Client>>,
    transmission: Cell<Option<Transmission>>,
}

/// Frames that one `poll` delivers.
const RX_BUDGET: usize = 8;

impl<'a, D: EthernetDevice> Adapter<'a, D> {
    fn new(device: D, rx: &'a mut [u8]) -> Self {
        Self {
            device: RefCell::new(device),
            rx: RefCell::new(rx),
            client: Cell::new(None),
            transmission: Cell::new(None),
        }
    }

    fn set_client(&self, client: &'a dyn Client) {
        self.client.set(Some(client));
    }

    /// The deferred call of the kernel: all callbacks run here.
    fn poll(&self) -> Result<(), D::Error> {
        self.device.borrow_mut().service()?;
        if let Some(transmission) = self.transmission.take() {
            self.finish(transmission);
        }
        for _ in 0..RX_BUDGET {
            let mut rx = self.rx.borrow_mut();
            // The device is free again when the client is called, so that it may transmit.
            let received = self.device.borrow_mut().recv_frame(&mut rx);
            match received {
                Ok(None) => break,
                Ok(Some(meta)) => {
                    if let (Some(client), Some(frame)) = (self.client.get(), rx.get(..meta.len)) {
                        client.received(frame, meta.timestamp);
                    }
                }
                // Longer than the buffer of the kernel.
                Err(e) if matches!(e.kind(), ErrorKind::BufferTooSmall { .. }) => {
                    self.device.borrow_mut().discard_frame()?;
                }
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn finish(&self, transmission: Transmission) {
        let frame = transmission.buffer.get(..transmission.len).unwrap_or_default();
        let result = self.device.borrow_mut().send_frame(frame).map_err(|e| e.kind());
        if result == Err(ErrorKind::Busy) {
            self.transmission.set(Some(transmission));
        } else if let Some(client) = self.client.get() {
            // No device of ethdev reports when a frame left, so far.
            client.transmit_done(result, transmission.buffer, transmission.len, transmission.id, None);
        }
    }
}

impl<D: EthernetDevice> Transmit for Adapter<'_, D> {
    fn transmit(&self, buffer: &'static mut [u8], len: usize, id: usize) -> Result<(), (ErrorKind, &'static mut [u8])> {
        let max = self.device.borrow().tx_max_frame_len();
        let valid = ethdev::validate_tx_len(&[buffer.get(..len).unwrap_or_default()], max);
        if let Err(kind) = valid {
            return Err((kind, buffer));
        }
        let former = self.transmission.take();
        if former.is_some() {
            self.transmission.set(former);
            return Err((ErrorKind::Busy, buffer));
        }
        self.transmission.set(Some(Transmission { buffer, len, id }));
        Ok(())
    }
}

/// Answers each frame to its address with the same content, and sends announcements to all.
struct Node<'a> {
    name: &'static str,
    address: MacAddress,
    adapter: Cell<Option<&'a dyn Transmit>>,
    /// The transmit buffer, while it is the client's.
    buffer: Cell<Option<&'static mut [u8]>>,
    next_id: Cell<usize>,
    log: &'a dyn Fn(String),
}

/// `EtherType` for local experiments (IEEE 802 clause 9.2.4).
const ETHERTYPE: [u8; 2] = [0x88, 0xb5];
const ANNOUNCEMENT: &[u8] = b"hello";

impl Node<'_> {
    fn log(&self, what: &str) {
        (self.log)(format!("{}: {what}", self.name));
    }

    fn send(&self, to: MacAddress, payload: &[u8]) {
        let (Some(adapter), Some(buffer)) = (self.adapter.get(), self.buffer.take()) else {
            self.log("no free buffer, nothing is sent");
            return;
        };
        let parts = [&to.octets(), &self.address.octets(), &ETHERTYPE[..], payload];
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        let len = ethdev::frame::copy_vectored(&parts, buffer).unwrap_or(0);
        match adapter.transmit(buffer, len, id) {
            Ok(()) => self.log(&format!("transmit {id}: {len} bytes to {to}")),
            Err((kind, buffer)) => {
                self.log(&format!("transmit {id} refused: {kind}"));
                self.buffer.set(Some(buffer));
            }
        }
    }
}

impl Client for Node<'_> {
    fn transmit_done(
        &self,
        result: Result<(), ErrorKind>,
        buffer: &'static mut [u8],
        len: usize,
        id: usize,
        timestamp: Option<Duration>,
    ) {
        self.buffer.set(Some(buffer));
        let result = result.map_or_else(|kind| kind.to_string(), |()| "sent".into());
        self.log(&format!(
            "transmit_done {id}: {result}, {len} bytes, time {timestamp:?}"
        ));
    }

    fn received(&self, frame: &[u8], timestamp: Option<Duration>) {
        let Some(header) = ethdev::frame::Header::parse(frame) else {
            return;
        };
        let text = String::from_utf8_lossy(&frame[14..]);
        let text = text.trim_end_matches('\0');
        self.log(&format!("received {text:?} from {}, time {timestamp:?}", header.source));
        // The frame is lent for the time of this call: the answer is a copy.
        if text.as_bytes() == ANNOUNCEMENT {
            self.send(header.source, b"welcome");
        }
    }
}

const ALICE: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0xa]);
const BOB: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0xb]);
const PEER: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0xe]);

/// Runs two clients and a peer on the wire. Calls `print` with each line of the transcript.
pub fn run(print: impl Fn(&str)) -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::new();
    let config = RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, 9])).with_slots(8, 1);
    let (_wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
    let chip = nic.hardware();
    let log = |line: String| print(&format!("{:>4} us  {line}", clock.now().as_micros()));

    // Two ports with queues of four frames. No addresses behind them are learned.
    let (mut queues, mut table) = ([[[0; 1514]; 4]; 2], []);
    let mut switch = Switch::new(nic, [ALICE, BOB], &mut queues, &mut table);
    switch.open()?;
    let ([alice_port, bob_port], _runner) = switch.split()?;

    let node = |name, address| Node {
        name,
        address,
        adapter: Cell::new(None),
        // In firmware a static.
        buffer: Cell::new(Some(Box::leak(Box::new([0; 1514])))),
        next_id: Cell::new(1),
        log: &log,
    };
    let (alice, bob) = (node("alice", ALICE), node("bob", BOB));
    let (mut rx_a, mut rx_b) = ([0; 1514], [0; 1514]);
    let (a, b) = (Adapter::new(alice_port, &mut rx_a), Adapter::new(bob_port, &mut rx_b));
    for (adapter, client) in [(&a, &alice), (&b, &bob)] {
        adapter.set_client(client);
        client.adapter.set(Some(adapter));
    }
    // The kernel polls when an interrupt has signaled work; here 50 us pass between two rounds.
    let rounds = |n: usize| -> Result<(), Box<dyn std::error::Error>> {
        for _ in 0..n {
            a.poll()?;
            b.poll()?;
            clock.advance(Duration::from_micros(50));
            while let Some(frame) = peer.recv() {
                let text = String::from_utf8_lossy(&frame[14..]);
                log(format!("wire: {:?}", text.trim_end_matches('\0')));
            }
        }
        Ok(())
    };

    log("-- alice announces herself to all; only bob answers her".into());
    alice.send(MacAddress::BROADCAST, ANNOUNCEMENT);
    rounds(3)?;

    log("-- the peer announces itself to bob; alice does not see it".into());
    peer.send(&[&BOB.octets(), &PEER.octets(), &ETHERTYPE[..], ANNOUNCEMENT, &[0; 41]].concat());
    rounds(3)?;

    log("-- the transmit queue of the NIC is full: buffers come back later".into());
    chip.stall_tx(true);
    alice.send(PEER, b"first");
    bob.send(PEER, b"second");
    rounds(2)?;
    bob.send(PEER, b"third");
    chip.stall_tx(false);
    rounds(3)?;
    Ok(())
}

#[cfg(not(test))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(|line| println!("{line}"))
}
