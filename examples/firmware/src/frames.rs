//! What a frame costs from the wire to the application and back: `cargo xtask qemu --figures` runs this under a clock that counts instructions.

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
/// Nothing here takes time: no timer of smoltcp's runs out.
const NOW: Instant = Instant::ZERO;
/// Frames of each kind.
const FRAMES: u32 = 2000;
/// Their lengths, without FCS.
const LENGTHS: [usize; 2] = [64, 1514];
/// Bytes before the payload: Ethernet, IPv4, UDP.
const HEADERS: usize = 14 + 20 + 8;
const LONGEST: usize = 1514 - HEADERS;
/// What a host that is busy does between two looks at what the device wants: as many frames as come with one interrupt.
const BETWEEN_SERVICES: usize = 16;
/// Instructions by which the clock is checked.
const CALIBRATION: u32 = 100_000;

static MEMORY: ConstStaticCell<[[u8; 2 * LONGEST]; 2]> = ConstStaticCell::new([[0; 2 * LONGEST]; 2]);
static PAYLOAD: [u8; LONGEST] = [0x5a; LONGEST];

/// Time in which so much was done.
#[derive(Debug, Default, Clone, Copy)]
struct Spent {
    ticks: u64,
    times: u32,
}

impl Spent {
    fn add(&mut self, ticks: u64) {
        self.ticks += ticks;
        self.times += 1;
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "times={} ticks={}", self.times, self.ticks)
    }
}

/// Receives and sends [`FRAMES`] of each length through `device`, says what that took, and ends the program. `service` is what the device wants from time to time.
pub fn run<D: Device>(device: &mut D, address: MacAddress, service: impl FnMut(&mut D)) -> ! {
    let Some([rx, tx]) = MEMORY.try_take() else {
        process::exit(1)
    };
    let (mut rx_meta, mut tx_meta) = ([udp::PacketMetadata::EMPTY; 2], [udp::PacketMetadata::EMPTY; 2]);
    let mut slots = [SocketStorage::EMPTY];
    let mut sockets = SocketSet::new(&mut slots[..]);
    let socket = sockets.add(udp::Socket::new(
        udp::PacketBuffer::new(&mut rx_meta[..], &mut rx[..]),
        udp::PacketBuffer::new(&mut tx_meta[..], &mut tx[..]),
    ));
    // A port, of a socket that is closed: it cannot fail.
    let _ = sockets.get_mut::<udp::Socket<'_>>(socket).bind(PORT);
    let mut iface = Interface::new(Config::new(EthernetAddress(address.octets()).into()), device, NOW);
    // The first address of an empty list: there is room.
    iface.update_ip_addrs(|addresses| addresses.push(ADDRESS).unwrap_or_default());
    let mut lab = Lab {
        device,
        service,
        iface,
        sockets,
        socket,
        serviced: Spent::default(),
        payload: &[],
        nothing: 0,
    };
    (lab.nothing, ()) = lab.timed(|_| ());
    lab.run();
    process::exit(0)
}

struct Lab<'a, D, S> {
    device: &'a mut D,
    service: S,
    iface: Interface,
    sockets: SocketSet<'a>,
    socket: SocketHandle,
    serviced: Spent,
    /// What is sent.
    payload: &'static [u8],
    /// What looking at the clock twice and calling something takes by itself.
    nothing: u64,
}

impl<D: Device, S: FnMut(&mut D)> Lab<'_, D, S> {
    fn run(&mut self) {
        let mut calibration = Spent::default();
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

    /// Does it once, and tells how many ticks of the clock that took.
    #[inline(never)]
    fn timed<T>(&mut self, what: fn(&mut Self) -> T) -> (u64, T) {
        let began = board::ticks();
        let result = what(self);
        let ended = board::ticks();
        ((ended - began).saturating_sub(self.nothing), result)
    }

    /// One look at what the device wants. Not part of what a frame costs: it is wanted once for many frames.
    fn service(&mut self) {
        let (ticks, ()) = self.timed(|lab| (lab.service)(lab.device));
        self.serviced.add(ticks);
    }

    fn receive(&mut self, payload: usize) -> Spent {
        let mut spent = Spent::default();
        while spent.times < FRAMES {
            self.service();
            for _ in 0..BETWEEN_SERVICES {
                let (ticks, received) = self.timed(Self::receive_one);
                // Turns without a frame, and with frames of other kinds, do not count.
                if received == Some(payload) {
                    spent.add(ticks);
                }
            }
        }
        spent
    }

    /// Takes a frame in, and its payload out of the stack. Its length.
    fn receive_one(&mut self) -> Option<usize> {
        self.iface.poll_ingress_single(NOW, self.device, &mut self.sockets);
        let socket = self.sockets.get_mut::<udp::Socket<'_>>(self.socket);
        let (data, _) = socket.recv().ok()?;
        Some(data.len())
    }

    fn transmit(&mut self, payload: usize) -> Spent {
        let mut spent = Spent::default();
        self.payload = PAYLOAD.get(..payload).unwrap_or_default();
        while spent.times < FRAMES {
            self.service();
            for _ in 0..BETWEEN_SERVICES {
                let (ticks, sent) = self.timed(Self::transmit_one);
                if !sent {
                    println!("failed: a frame was not sent");
                    process::exit(1);
                }
                spent.add(ticks);
            }
        }
        spent
    }

    /// Gives the stack a payload, and its frame to the device. Whether the device took it.
    fn transmit_one(&mut self) -> bool {
        let socket = self.sockets.get_mut::<udp::Socket<'_>>(self.socket);
        if socket.send_slice(self.payload, IpEndpoint::new(PEER, PORT)).is_err() {
            return false;
        }
        self.iface.poll_egress(NOW, self.device, &mut self.sockets);
        self.sockets.get_mut::<udp::Socket<'_>>(self.socket).send_queue() == 0
    }
}
