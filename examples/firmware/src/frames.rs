//! Instructions per frame between the MAC and the application: `cargo xtask qemu --figures` runs
//! this with a clock that counts instructions.

use core::fmt;

use ethdev::MacAddress;
use semihosting::{println, process};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::Device;
use smoltcp::socket::udp;
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, IpEndpoint, Ipv4Address};
use static_cell::ConstStaticCell;

use crate::board;

const ADDRESS: IpCidr = IpCidr::new(IpAddress::Ipv4(Ipv4Address::new(10, 0, 2, 15)), 24);
const PEER: IpAddress = IpAddress::Ipv4(Ipv4Address::new(10, 0, 2, 2));
/// The discard service (RFC 863).
const PORT: u16 = 9;
/// The time of every poll: no timer of smoltcp expires.
const NOW: Instant = Instant::ZERO;
/// Frames per measurement.
const FRAMES: u32 = 2000;
/// Frame lengths, without FCS.
const LENGTHS: [usize; 2] = [64, 1514];
/// Length of the Ethernet, IPv4 and UDP headers.
const HEADERS: usize = 14 + 20 + 8;
const MAX_PAYLOAD: usize = 1514 - HEADERS;
/// Frames between two calls of `service`, as for one interrupt of a busy host.
const FRAMES_PER_SERVICE: usize = 16;
/// Instructions with which the clock is calibrated.
const CALIBRATION: u32 = 100_000;

/// Memory that is aligned in all images alike: the instructions of a copy depend on its alignment, which
/// the linker would choose.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Aligned<T>(pub T);

static MEMORY: ConstStaticCell<[Aligned<[u8; 2 * MAX_PAYLOAD]>; 2]> =
    ConstStaticCell::new([const { Aligned([0; 2 * MAX_PAYLOAD]) }; 2]);
static PAYLOAD: Aligned<[u8; MAX_PAYLOAD]> = Aligned([0x5a; MAX_PAYLOAD]);

/// The sum of measured times.
#[derive(Debug, Default, Clone, Copy)]
struct Total {
    ticks: u64,
    times: u32,
}

impl Total {
    fn add(&mut self, ticks: u64) {
        self.ticks += ticks;
        self.times += 1;
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "times={} ticks={}", self.times, self.ticks)
    }
}

/// Receives and sends [`FRAMES`] of each length through `device`, prints the times, and ends the
/// program. `service` is called periodically.
pub fn run<D: Device>(device: &mut D, address: MacAddress, service: impl FnMut(&mut D)) -> ! {
    let Some([Aligned(rx), Aligned(tx)]) = MEMORY.try_take() else {
        process::exit(1)
    };
    let (mut rx_meta, mut tx_meta) = ([udp::PacketMetadata::EMPTY; 2], [udp::PacketMetadata::EMPTY; 2]);
    let mut slots = [SocketStorage::EMPTY];
    let mut sockets = SocketSet::new(&mut slots[..]);
    let socket = sockets.add(udp::Socket::new(
        udp::PacketBuffer::new(&mut rx_meta[..], &mut rx[..]),
        udp::PacketBuffer::new(&mut tx_meta[..], &mut tx[..]),
    ));
    // The port is not 0 and the socket is closed, so it does not fail.
    let _ = sockets.get_mut::<udp::Socket<'_>>(socket).bind(PORT);
    let mut iface = Interface::new(Config::new(EthernetAddress(address.octets()).into()), device, NOW);
    // The list is empty, so it is not full.
    iface.update_ip_addrs(|addresses| addresses.push(ADDRESS).unwrap_or_default());
    let mut bench = Measurement {
        device,
        service,
        iface,
        sockets,
        socket,
        serviced: Total::default(),
        payload: &[],
        overhead: 0,
    };
    (bench.overhead, ()) = bench.timed(|_| ());
    bench.run();
    process::exit(0)
}

struct Measurement<'a, D, S> {
    device: &'a mut D,
    service: S,
    iface: Interface,
    sockets: SocketSet<'a>,
    socket: SocketHandle,
    serviced: Total,
    /// The payload to send.
    payload: &'static [u8],
    /// The time of two clock reads and a call.
    overhead: u64,
}

impl<D: Device, S: FnMut(&mut D)> Measurement<'_, D, S> {
    fn run(&mut self) {
        let mut calibration = Total::default();
        calibration.add(self.timed(|_| board::spin(CALIBRATION)).0);
        println!(
            "clock hz={} instructions={CALIBRATION} {calibration}",
            board::ticks_per_second()
        );
        for len in LENGTHS {
            println!("receiving {len}");
            println!("rx length={len} {}", self.receive(len - HEADERS));
        }
        for len in LENGTHS {
            println!("sending {len}");
            println!("tx length={len} {}", self.transmit(len - HEADERS));
        }
        println!("service {}", self.serviced);
    }

    /// Calls `operation`. Returns its time in ticks, and its result.
    #[inline(never)]
    fn timed<T>(&mut self, operation: fn(&mut Self) -> T) -> (u64, T) {
        let began = board::ticks();
        let result = operation(self);
        let ended = board::ticks();
        ((ended - began).saturating_sub(self.overhead), result)
    }

    /// Services the device. It is measured apart, because one call serves many frames.
    fn service(&mut self) {
        let (ticks, ()) = self.timed(|this| (this.service)(this.device));
        self.serviced.add(ticks);
    }

    fn receive(&mut self, payload: usize) -> Total {
        let mut total = Total::default();
        while total.times < FRAMES {
            self.service();
            for _ in 0..FRAMES_PER_SERVICE {
                let (ticks, received) = self.timed(Self::receive_one);
                // Polls without a frame, or with another frame, are not counted.
                if received == Some(payload) {
                    total.add(ticks);
                }
            }
        }
        total
    }

    /// Receives a frame. Returns the length of its payload.
    fn receive_one(&mut self) -> Option<usize> {
        self.iface.poll_ingress_single(NOW, self.device, &mut self.sockets);
        let socket = self.sockets.get_mut::<udp::Socket<'_>>(self.socket);
        let (data, _) = socket.recv().ok()?;
        Some(data.len())
    }

    fn transmit(&mut self, payload: usize) -> Total {
        let mut total = Total::default();
        self.payload = PAYLOAD.0.get(..payload).unwrap_or_default();
        while total.times < FRAMES {
            self.service();
            for _ in 0..FRAMES_PER_SERVICE {
                let (ticks, sent) = self.timed(Self::transmit_one);
                if !sent {
                    println!("failed: frame not sent");
                    process::exit(1);
                }
                total.add(ticks);
            }
        }
        total
    }

    /// Sends a frame. Returns whether the device accepted it.
    fn transmit_one(&mut self) -> bool {
        let socket = self.sockets.get_mut::<udp::Socket<'_>>(self.socket);
        if socket.send_slice(self.payload, IpEndpoint::new(PEER, PORT)).is_err() {
            return false;
        }
        self.iface.poll_egress(NOW, self.device, &mut self.sockets);
        self.sockets.get_mut::<udp::Socket<'_>>(self.socket).send_queue() == 0
    }
}
