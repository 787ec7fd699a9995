//! System calls of packet sockets that no library offers: options of packet(7), and one ioctl of
//! netdevice(7).
#![allow(unsafe_code)]

use core::mem::{MaybeUninit, size_of};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::libc;

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
    // SAFETY: the kernel writes at most `len` bytes into `address`, of which any are valid; both
    // are borrowed exclusively for the call.
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
pub(super) fn set_option<T>(socket: BorrowedFd<'_>, option: i32, value: &T) -> io::Result<()> {
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
