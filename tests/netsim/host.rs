//! A host with smoltcp on any device, on a virtual clock.

#![allow(dead_code, reason = "each test uses a part of it")]

use core::time::Duration;

use ethdev::EthernetDevice;
use ethdev_sim::Clock;
use ethdev_smoltcp::{Mode, PollAt, Pull, SmoltcpDevice};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, DeviceCapabilities};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{IpAddress, IpCidr, IpEndpoint};

/// Limit of polls at one instant: with more, the host would never sleep.
const MAX_POLLS: usize = 2000;

/// Frames between smoltcp and its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FrameCounts {
    /// Frames that smoltcp read.
    pub(crate) received: u64,
    /// Frames that smoltcp wrote.
    pub(crate) sent: u64,
    /// The length of the longest frame that smoltcp wrote.
    pub(crate) max_sent_len: usize,
}

/// A host with smoltcp.
pub(crate) struct Host<'b, D: EthernetDevice, M = Pull<'b>> {
    pub(crate) device: SmoltcpDevice<'b, D, M>,
    pub(crate) iface: Interface,
    pub(crate) sockets: SocketSet<'static>,
    pub(crate) counts: FrameCounts,
    /// The number of polls.
    pub(crate) polls: u64,
    number: u8,
    clock: Clock,
}

pub(crate) fn address(number: u8) -> IpAddress {
    IpAddress::v4(192, 168, 69, number)
}

impl<'b, D: EthernetDevice, M: Mode<D>> Host<'b, D, M> {
    /// Creates the host 192.168.69.`number`/24.
    pub(crate) fn new(clock: &Clock, mut device: SmoltcpDevice<'b, D, M>, number: u8) -> Self {
        let mut config = Config::new(device.hardware_address());
        config.random_seed = number.into();
        let mut iface = Interface::new(config, &mut device, Instant::ZERO);
        iface.update_ip_addrs(|addrs| addrs.push(IpCidr::new(address(number), 24)).unwrap());
        Self {
            device,
            iface,
            sockets: SocketSet::new(Vec::new()),
            counts: FrameCounts::default(),
            polls: 0,
            number,
            clock: clock.clone(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::from_micros(i64::try_from(self.clock.now().as_micros()).unwrap())
    }

    /// Services the device and polls once. The adapter stores errors.
    pub(crate) fn poll(&mut self) {
        let _ = self.device.service();
        self.polls += 1;
        let now = self.now();
        let mut counted = Counted {
            device: &mut self.device,
            counts: &mut self.counts,
        };
        self.iface.poll(now, &mut counted, &mut self.sockets);
    }

    pub(crate) fn poll_at(&mut self) -> PollAt {
        let now = self.now();
        self.device.poll_at(&mut self.iface, &self.sockets, now)
    }

    /// Polls, and lets `app` use the sockets, until there is nothing to do. Returns when to
    /// continue.
    pub(crate) fn settle(&mut self, app: &mut impl FnMut(&mut SocketSet<'static>)) -> Option<Duration> {
        for _ in 0..MAX_POLLS {
            self.poll();
            app(&mut self.sockets);
            if let PollAt::Wait { until, .. } = self.poll_at() {
                return until.map(|until| Duration::from_micros(u64::try_from(until.total_micros()).unwrap()));
            }
        }
        panic!("host {} never becomes idle", self.number);
    }

    pub(crate) fn add_udp(&mut self, port: u16) -> SocketHandle {
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 64], vec![0; 64 * 1500]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(port).unwrap();
        self.sockets.add(socket)
    }

    pub(crate) fn add_tcp(&mut self, buffer: usize) -> SocketHandle {
        let buffer = || tcp::SocketBuffer::new(vec![0; buffer]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        // smoltcp 0.14 does not retransmit after a closed window opens: its zero-window probe
        // replaces the retransmission timer. Replies to keep-alive segments restart it.
        socket.set_keep_alive(Some(smoltcp::time::Duration::from_millis(500)));
        self.sockets.add(socket)
    }

    pub(crate) fn listen(&mut self, socket: SocketHandle, port: u16) {
        self.sockets.get_mut::<tcp::Socket<'_>>(socket).listen(port).unwrap();
    }

    pub(crate) fn connect(&mut self, socket: SocketHandle, to: IpEndpoint) {
        let local = 49152 + u16::from(self.number);
        let tcp = self.sockets.get_mut::<tcp::Socket<'_>>(socket);
        tcp.connect(self.iface.context(), to, local).unwrap();
    }

    pub(crate) fn send_udp(&mut self, socket: SocketHandle, payload: &[u8], to: IpEndpoint) -> bool {
        let udp = self.sockets.get_mut::<udp::Socket<'_>>(socket);
        udp.send_slice(payload, to).is_ok()
    }

    pub(crate) fn recv_udp(&mut self, socket: SocketHandle) -> Option<Vec<u8>> {
        let udp = self.sockets.get_mut::<udp::Socket<'_>>(socket);
        udp.recv().ok().map(|(payload, _)| payload.to_vec())
    }
}

/// Advances the clock to the next event or the next deadline of a host. Returns `false` without
/// either.
pub(crate) fn sleep(clock: &Clock, deadlines: &[Option<Duration>]) -> bool {
    let first = deadlines.iter().copied().chain([clock.next_event()]).flatten().min();
    match first {
        Some(at) => {
            clock.advance_to(at);
            true
        }
        None => false,
    }
}

/// Counts the frames between smoltcp and its device.
struct Counted<'a, 'b, D: EthernetDevice, M> {
    device: &'a mut SmoltcpDevice<'b, D, M>,
    counts: &'a mut FrameCounts,
}

impl<'b, D: EthernetDevice, M: Mode<D>> phy::Device for Counted<'_, 'b, D, M> {
    type RxToken<'a>
        = CountedRx<'a, <SmoltcpDevice<'b, D, M> as phy::Device>::RxToken<'a>>
    where
        Self: 'a;
    type TxToken<'a>
        = CountedTx<'a, <SmoltcpDevice<'b, D, M> as phy::Device>::TxToken<'a>>
    where
        Self: 'a;

    fn receive(&mut self, now: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let (rx, tx) = self.device.receive(now)?;
        let FrameCounts {
            received,
            sent,
            max_sent_len,
        } = self.counts;
        Some((CountedRx(rx, received), CountedTx(tx, sent, max_sent_len)))
    }

    fn transmit(&mut self, now: Instant) -> Option<Self::TxToken<'_>> {
        let tx = self.device.transmit(now)?;
        Some(CountedTx(tx, &mut self.counts.sent, &mut self.counts.max_sent_len))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.device.capabilities()
    }
}

struct CountedRx<'a, T>(T, &'a mut u64);

impl<T: phy::RxToken> phy::RxToken for CountedRx<'_, T> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let Self(token, count) = self;
        token.consume(|frame| {
            *count += u64::from(!frame.is_empty());
            f(frame)
        })
    }
}

struct CountedTx<'a, T>(T, &'a mut u64, &'a mut usize);

impl<T: phy::TxToken> phy::TxToken for CountedTx<'_, T> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let Self(token, count, longest) = self;
        *count += 1;
        *longest = len.max(*longest);
        token.consume(len, f)
    }
}
