//! What a packet socket adds to the receive filter of the interface (packet(7),
//! `PACKET_ADD_MEMBERSHIP`).

use std::io;
use std::os::fd::BorrowedFd;

use ethdev::{MacAddress, Multicast};
use nix::libc::{PACKET_MR_ALLMULTI, PACKET_MR_MULTICAST, PACKET_MR_PROMISC, PACKET_MR_UNICAST};

use super::sys;
use crate::rx_filter::Filter;

/// One addition. It ends with the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Membership {
    kind: i32,
    address: MacAddress,
}

/// The additions that the kernel has.
#[derive(Debug, Default)]
pub(super) struct Memberships(Vec<Membership>);

impl Memberships {
    /// Adds what is missing for `filter` and the own address, then removes what is left over, so
    /// that no wanted frame is missed meanwhile. After an error nothing has changed.
    ///
    /// `interface`: the address of the interface, which needs no addition.
    pub(super) fn replace(
        &mut self,
        socket: BorrowedFd<'_>,
        index: i32,
        (address, interface): (MacAddress, MacAddress),
        filter: &Filter,
    ) -> io::Result<()> {
        let wanted = wanted(address, interface, filter);
        let old = self.0.len();
        for membership in &wanted {
            if self.0.contains(membership) {
                continue;
            }
            if let Err(e) = sys::add_membership(socket, index, membership.kind, membership.address.octets()) {
                self.0.drain(old..).for_each(|added| drop_one(socket, index, added));
                return Err(e);
            }
            self.0.push(*membership);
        }
        self.0.retain(|membership| {
            let keep = wanted.contains(membership);
            if !keep {
                drop_one(socket, index, *membership);
            }
            keep
        });
        Ok(())
    }
}

/// Removes an addition. An error would mean that the kernel does not have it.
fn drop_one(socket: BorrowedFd<'_>, index: i32, membership: Membership) {
    let _ = sys::drop_membership(socket, index, membership.kind, membership.address.octets());
}

/// Returns what the interface must pass in addition to its own address and broadcasts.
fn wanted(address: MacAddress, interface: MacAddress, filter: &Filter) -> Vec<Membership> {
    let mut wanted = Vec::new();
    let mut add = |kind, address| wanted.push(Membership { kind, address });
    if address != interface {
        add(PACKET_MR_UNICAST, address);
    }
    if filter.setting.promiscuous {
        add(PACKET_MR_PROMISC, MacAddress::UNSPECIFIED);
    }
    if filter.setting.multicast == Multicast::All {
        add(PACKET_MR_ALLMULTI, MacAddress::UNSPECIFIED);
    }
    for group in &filter.groups {
        add(PACKET_MR_MULTICAST, *group);
    }
    wanted
}
