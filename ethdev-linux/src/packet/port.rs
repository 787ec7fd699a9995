//! The descriptor of a packet socket.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use ethdev::frame::MIN_FRAME_LEN;
use ethdev::{Duplex, IpMtu, LinkMode, MacAddress, MaxFrameLen, Speed};
use nix::errno::Errno;
use nix::libc;
use nix::net::if_::if_indextoname;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, getsockopt, sendmsg, socket, sockopt};

use super::config::PacketConfig;
use super::memberships::Memberships;
use super::sys;
use super::sys_ring::{Message, Ring, VNET_HEADER_LEN};
use crate::checksum::PartialChecksum;
use crate::error::InterfaceError;
use crate::link_monitor::{LinkMonitor, subscribe};
use crate::lookup::index_of;
use crate::port::{Failure, Opened, Port, Received, Settings, TAG_LEN};
use crate::rx_filter::Filter;

/// What opening a packet socket requires.
const REQUIRES: &str = "CAP_NET_RAW: run as root, or setcap cap_net_raw+ep PROGRAM";
/// The kernel's end of a [`PacketSocket`](crate::PacketSocket).
pub struct PacketPort {
    /// Unmapped before the socket is closed.
    ring: Ring,
    socket: OwnedFd,
    index: u32,
    /// The address of the interface.
    interface_address: MacAddress,
    memberships: Memberships,
    /// Packets that the kernel dropped since the socket was opened.
    dropped: u64,
}

impl AsFd for PacketPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Port for PacketPort {
    type Config = PacketConfig;

    /// Hardware pads by itself, virtual interfaces do not.
    const MIN_FRAME_LEN: usize = MIN_FRAME_LEN;
    /// A virtio-net header: no checksum and no segmentation is left to the kernel.
    const TX_PREFIX: &'static [u8] = &[0; VNET_HEADER_LEN];

    fn open(config: &PacketConfig) -> Result<Opened<Self>, InterfaceError> {
        let name = &config.name;
        let failed = |what| move |e: io::Error| InterfaceError::of(what, REQUIRES, name, e);
        let index = index_of(name)?;
        // Without a protocol it receives nothing until it is bound.
        let socket = socket(
            AddressFamily::Packet,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            None,
        )
        .map_err(|e| failed("opening a packet socket")(e.into()))?;
        sys::enable(socket.as_fd(), libc::PACKET_VNET_HDR).map_err(failed("setting an option of the packet socket"))?;
        // Kernels before 4.20 do not know it; such frames are then dropped by their type.
        let _ = sys::enable(socket.as_fd(), libc::PACKET_IGNORE_OUTGOING);
        // Opened before it is bound, so that no later change is missed.
        let announcements = subscribe().map_err(|e| failed("subscribing to link changes")(e.into()))?;
        let mut link_monitor = LinkMonitor::new(index, Some(announcements));
        let ring = ip_mtu(&mut link_monitor)
            .and_then(|ip_mtu| Ring::new(socket.as_fd(), max_frame_len(ip_mtu)))
            .map_err(failed("creating the receive ring"))?;
        // Succeeds also while the interface is down.
        let bound = sys::bind(socket.as_fd(), index as i32);
        let (hardware_type, address) = bound.map_err(|e| match e.raw_os_error() {
            Some(libc::ENODEV | libc::ENXIO) => InterfaceError::NoSuchInterface { name: name.clone() },
            _ => failed("binding the packet socket")(e),
        })?;
        if hardware_type != libc::ARPHRD_ETHER {
            return Err(InterfaceError::NotEthernet {
                name: name.clone(),
                hardware_type,
            });
        }
        let interface_address = MacAddress::new(address);
        let mac_address = config.mac_address.unwrap_or(interface_address);
        Ok(Opened {
            port: Self {
                ring,
                socket,
                index,
                interface_address,
                memberships: Memberships::default(),
                dropped: 0,
            },
            name: name.clone(),
            link_monitor,
            mac_address,
        })
    }

    fn reopen_config(config: &PacketConfig, name: &str, address: MacAddress) -> PacketConfig {
        let mut config = config.clone();
        name.clone_into(&mut config.name);
        config.mac_address = Some(address);
        config
    }

    fn read_settings(&self, name: &str, monitor: &mut LinkMonitor) -> Result<Settings, InterfaceError> {
        let ip_mtu = ip_mtu(monitor).map_err(|e| InterfaceError::of("reading the IP MTU", REQUIRES, name, e))?;
        let slots = u32::try_from(self.ring.slots()).unwrap_or(u32::MAX);
        Ok(Settings {
            ip_mtu,
            queue_frames: slots,
            drain_limit: slots.saturating_mul(2),
        })
    }

    fn fits(&self, ip_mtu: IpMtu) -> bool {
        self.ring.fits(max_frame_len(ip_mtu))
    }

    fn recv(&mut self, buf: &mut [u8], rest: &mut [u8]) -> io::Result<Received> {
        let message = self.ring.receive(buf, rest);
        message.map_or_else(|| Err(Errno::EAGAIN.into()), |message| Ok(received(&message)))
    }

    fn send(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(sendmsg::<()>(
            self.socket.as_raw_fd(),
            parts,
            &[],
            MsgFlags::empty(),
            None,
        )?)
    }

    fn classify(error: &io::Error) -> Failure {
        match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EINTR | libc::ENOBUFS | libc::ENOMEM) => Failure::Again,
            Some(libc::ENETDOWN) => Failure::Down,
            Some(libc::ENODEV | libc::ENXIO) => Failure::Removed,
            Some(libc::EMSGSIZE) => Failure::TooLong,
            _ => Failure::Other,
        }
    }

    /// An interface that goes down is no reason to end: its state is announced.
    fn polled_error(&mut self) -> bool {
        // Clears the error, which would end every wait.
        getsockopt(&self.socket, sockopt::SocketError).is_err()
    }

    fn is_removed(monitor: &LinkMonitor) -> bool {
        monitor.fd().is_none()
    }

    fn dropped(&mut self, _: &mut LinkMonitor) -> Option<u64> {
        self.dropped = self.dropped.wrapping_add(sys::take_drops(self.as_fd()).ok()?.into());
        Some(self.dropped)
    }

    fn link_mode(&self) -> LinkMode {
        // The interface may have been renamed.
        let settings = if_indextoname(self.index)
            .ok()
            .and_then(|name| sys::link_settings(self.as_fd(), name.to_str().ok()?).ok());
        settings.map_or(LinkMode::UNKNOWN, |(mbps, duplex)| {
            let mut mode = LinkMode::UNKNOWN;
            // `SPEED_UNKNOWN` is -1, of which old drivers report 16 bits.
            mode.speed = (!matches!(mbps, 0 | 0xffff | u32::MAX)).then_some(Speed::from_mbps(mbps));
            mode.duplex = match duplex {
                0 => Some(Duplex::Half),
                1 => Some(Duplex::Full),
                _ => None,
            };
            mode
        })
    }

    fn configure(&mut self, address: MacAddress, filter: &Filter) -> Result<(), InterfaceError> {
        if !address.is_unicast() {
            return Err(InterfaceError::InvalidMacAddress { address });
        }
        let addresses = (address, self.interface_address);
        self.memberships
            .replace(self.socket.as_fd(), self.index as i32, addresses, filter)
            .map_err(|source| InterfaceError::Io {
                what: "changing the receive filter of the interface",
                source,
            })
    }
}

/// Returns the present IP MTU of the interface.
fn ip_mtu(monitor: &mut LinkMonitor) -> io::Result<IpMtu> {
    monitor.refresh();
    let bytes = monitor.ip_mtu.ok_or(Errno::ENODEV)?;
    Ok(IpMtu::new(bytes as usize))
}

/// Returns the length of the longest frame with a VLAN tag, in bytes.
fn max_frame_len(ip_mtu: IpMtu) -> usize {
    MaxFrameLen::from_ip_mtu(ip_mtu).bytes() + TAG_LEN
}

/// Interprets what the kernel reports about a frame.
fn received(message: &Message) -> Received {
    let vnet = VnetHeader::parse(message.vnet_header);
    Received {
        len: message.len,
        vlan_tag: vlan_tag(message),
        checksum: vnet.checksum,
        is_merged: vnet.is_merged || message.is_cut,
        is_outgoing: message.packet_type == libc::PACKET_OUTGOING,
    }
}

/// Returns the VLAN tag in network byte order, if one was removed from the frame.
fn vlan_tag(message: &Message) -> Option<[u8; TAG_LEN]> {
    if message.status & libc::TP_STATUS_VLAN_VALID == 0 {
        return None;
    }
    let tpid = if message.status & libc::TP_STATUS_VLAN_TPID_VALID == 0 {
        libc::ETH_P_8021Q as u16
    } else {
        message.vlan_tpid
    };
    let ([a, b], [c, d]) = (tpid.to_be_bytes(), message.vlan_tci.to_be_bytes());
    Some([a, b, c, d])
}

/// The fields of `struct virtio_net_hdr` (`linux/virtio_net.h`) that are used, in host byte order.
struct VnetHeader {
    checksum: Option<PartialChecksum>,
    is_merged: bool,
}

impl VnetHeader {
    const NEEDS_CSUM: u8 = 1;
    /// Where SCTP alone stores its checksum, which is a CRC.
    const SCTP_OFFSET: usize = 8;
    /// Without the flag for congestion marks (ECN).
    const GSO_MASK: u8 = 0x7f;
    const GSO_UDP_L4: u8 = 5;

    fn parse(bytes: [u8; VNET_HEADER_LEN]) -> Self {
        let [flags, gso_type, _, _, _, _, s0, s1, o0, o1] = bytes;
        let offset = u16::from_ne_bytes([o0, o1]).into();
        Self {
            checksum: (flags & Self::NEEDS_CSUM != 0 && offset != Self::SCTP_OFFSET).then_some(PartialChecksum {
                start: u16::from_ne_bytes([s0, s1]).into(),
                offset,
            }),
            // Segments of TCP make one longer segment; datagrams do not.
            is_merged: gso_type & Self::GSO_MASK == Self::GSO_UDP_L4,
        }
    }
}
