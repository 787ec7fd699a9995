//! System calls of packet sockets that no library offers: options of packet(7), recvmsg(2) without
//! an allocation for each frame, and one ioctl of netdevice(7).
#![allow(unsafe_code)]

use core::mem::{MaybeUninit, size_of};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::libc;

/// Length of `struct virtio_net_hdr` in bytes.
pub(super) const VNET_HEADER_LEN: usize = 10;

/// A received message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    /// Length of the packet in the kernel, without the virtio-net header, in bytes.
    pub(super) len: usize,
    pub(super) vnet_header: [u8; VNET_HEADER_LEN],
    /// `PACKET_AUXDATA`.
    pub(super) auxiliary: Option<Auxiliary>,
    /// `sll_pkttype`.
    pub(super) packet_type: u8,
}

/// The fields of `struct tpacket_auxdata` that are used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Auxiliary {
    pub(super) status: u32,
    pub(super) vlan_tci: u16,
    pub(super) vlan_tpid: u16,
}

/// Buffer for the only control message that is enabled: `CMSG_SPACE(sizeof(struct
/// tpacket_auxdata))`, of which both parts are multiples of `CMSG_ALIGN` or end the message.
#[repr(C)]
struct Control {
    header: libc::cmsghdr,
    auxiliary: libc::tpacket_auxdata,
}

/// Receives one packet into `buf`, and what does not fit it into `rest`. Does not wait if `socket`
/// is non-blocking. The socket must have the options `PACKET_VNET_HDR` and `PACKET_AUXDATA`.
pub(super) fn receive(socket: BorrowedFd<'_>, buf: &mut [u8], rest: &mut [u8]) -> io::Result<Message> {
    let mut vnet_header = [0; VNET_HEADER_LEN];
    let mut parts = [
        IoSliceMut::new(&mut vnet_header),
        IoSliceMut::new(buf),
        IoSliceMut::new(rest),
    ];
    // SAFETY: structures of integers and pointers, for which all zeros are valid: no address, no
    // buffers, no control message.
    let (mut address, mut control, mut header): (libc::sockaddr_ll, Control, libc::msghdr) =
        unsafe { (core::mem::zeroed(), core::mem::zeroed(), core::mem::zeroed()) };
    header.msg_name = (&raw mut address).cast();
    header.msg_namelen = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // `IoSliceMut` has the layout of `iovec`.
    header.msg_iov = parts.as_mut_ptr().cast();
    header.msg_iovlen = parts.len() as _;
    header.msg_control = (&raw mut control).cast();
    header.msg_controllen = size_of::<Control>() as _;
    // SAFETY: `header` points to a name, an array of `msg_iovlen` buffers and a control buffer of the
    // given lengths, which are borrowed exclusively and outlive the call. Any bytes are valid in
    // them. With `MSG_TRUNC` the kernel returns the length of the packet and still writes no more
    // than fits.
    let received = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_TRUNC) };
    let len = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    let has_auxiliary = header.msg_controllen >= size_of::<Control>() as _
        && control.header.cmsg_level == libc::SOL_PACKET
        && control.header.cmsg_type == libc::PACKET_AUXDATA;
    Ok(Message {
        len: len.saturating_sub(VNET_HEADER_LEN),
        vnet_header,
        auxiliary: has_auxiliary.then_some(Auxiliary {
            status: control.auxiliary.tp_status,
            vlan_tci: control.auxiliary.tp_vlan_tci,
            vlan_tpid: control.auxiliary.tp_vlan_tpid,
        }),
        packet_type: address.sll_pkttype,
    })
}

/// Binds `socket` to all protocols of the interface `index`. Returns the hardware type (`ARPHRD_*`)
/// and the MAC address of the interface.
pub(super) fn bind(socket: BorrowedFd<'_>, index: i32) -> io::Result<(u16, [u8; 6])> {
    let mut address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
        sll_ifindex: index,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let mut len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the kernel reads `len` bytes of an address that lives until the call returns.
    checked(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), len) })?;
    // SAFETY: the kernel writes at most `len` bytes into `address`, of which any are valid; both are
    // borrowed exclusively for the call.
    checked(unsafe { libc::getsockname(socket.as_raw_fd(), (&raw mut address).cast(), &raw mut len) })?;
    let [a, b, c, d, e, f, ..] = address.sll_addr;
    Ok((address.sll_hatype, [a, b, c, d, e, f]))
}

/// Switches an option of level `SOL_PACKET` on.
pub(super) fn enable(socket: BorrowedFd<'_>, option: i32) -> io::Result<()> {
    set_option(socket, option, &1_i32)
}

/// `PACKET_ADD_MEMBERSHIP`.
pub(super) fn add_membership(socket: BorrowedFd<'_>, index: i32, kind: i32, address: [u8; 6]) -> io::Result<()> {
    set_option(socket, libc::PACKET_ADD_MEMBERSHIP, &membership(index, kind, address))
}

/// `PACKET_DROP_MEMBERSHIP`.
pub(super) fn drop_membership(socket: BorrowedFd<'_>, index: i32, kind: i32, address: [u8; 6]) -> io::Result<()> {
    set_option(socket, libc::PACKET_DROP_MEMBERSHIP, &membership(index, kind, address))
}

fn membership(index: i32, kind: i32, address: [u8; 6]) -> libc::packet_mreq {
    let mut mr_address = [0; 8];
    for (to, from) in mr_address.iter_mut().zip(address) {
        *to = from;
    }
    libc::packet_mreq {
        mr_ifindex: index,
        mr_type: kind as u16,
        mr_alen: address.len() as u16,
        mr_address,
    }
}

/// Sets an option of level `SOL_PACKET`. `T` is the C type of its value.
fn set_option<T>(socket: BorrowedFd<'_>, option: i32, value: &T) -> io::Result<()> {
    // SAFETY: the kernel reads `size_of::<T>()` bytes of a value that is borrowed for the call. The
    // types of the callers have no padding.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            core::ptr::from_ref(value).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    checked(result)
}

/// Reads `PACKET_STATISTICS` and resets them. Returns the number of dropped packets.
pub(super) fn take_drops(socket: BorrowedFd<'_>) -> io::Result<u32> {
    let mut stats = libc::tpacket_stats {
        tp_packets: 0,
        tp_drops: 0,
    };
    let mut len = size_of::<libc::tpacket_stats>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into `stats`, of which any are valid; both are
    // borrowed exclusively for the call.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut stats).cast(),
            &raw mut len,
        )
    };
    checked(result)?;
    Ok(stats.tp_drops)
}

/// Request of `SIOCETHTOOL` for the settings of the link. Each driver supports it; its successor
/// `ETHTOOL_GLINKSETTINGS` adds only masks of modes.
const ETHTOOL_GSET: u32 = 1;

/// `struct ethtool_cmd` of `linux/ethtool.h`.
#[repr(C)]
#[derive(Default)]
struct EthtoolCmd {
    cmd: u32,
    supported: u32,
    advertising: u32,
    speed: u16,
    duplex: u8,
    port: u8,
    phy_address: u8,
    transceiver: u8,
    autoneg: u8,
    mdio_support: u8,
    maxtxpkt: u32,
    maxrxpkt: u32,
    speed_hi: u16,
    eth_tp_mdix: u8,
    eth_tp_mdix_ctrl: u8,
    lp_advertising: u32,
    reserved: [u32; 2],
}

/// Returns speed in Mbit/s and duplex mode of the link of the interface `name`, in the coding of
/// `linux/ethtool.h`.
pub(super) fn link_settings(socket: BorrowedFd<'_>, name: &str) -> io::Result<(u32, u8)> {
    let mut settings = EthtoolCmd {
        cmd: ETHTOOL_GSET,
        ..EthtoolCmd::default()
    };
    // SAFETY: integers and a union of such and a pointer, for which all zeros are valid.
    let mut request: libc::ifreq = unsafe { MaybeUninit::zeroed().assume_init() };
    // The last byte stays zero.
    let places = request.ifr_name.iter_mut().take(libc::IFNAMSIZ - 1);
    for (to, from) in places.zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_data = (&raw mut settings).cast();
    // SAFETY: `request` has a terminated name and points to a structure of the size that the kernel
    // reads and writes for `ETHTOOL_GSET`; both are borrowed exclusively for the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
    checked(result)?;
    Ok((
        u32::from(settings.speed_hi) << 16 | u32::from(settings.speed),
        settings.duplex,
    ))
}

fn checked(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
