//! The fields of rtnetlink messages that are used here (rtnetlink(7), `linux/rtnetlink.h`,
//! `linux/if_link.h`), in host byte order.
//!
//! No netlink library is used: the flags of an interface are at a fixed offset, and a full decoder
//! would add failures in attributes that are not needed.

use nix::libc::{
    AF_UNSPEC, IFF_RUNNING, IFF_UP, IFLA_MTU, IFLA_STATS64, NLM_F_REQUEST, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK,
};

/// `struct nlmsghdr`: length, type, flags, sequence number, port.
const HEADER_LEN: usize = 16;
/// `struct ifinfomsg`: family, pad, hardware type, index, flags, change mask.
const INFO_LEN: usize = 16;
/// `struct rtattr`: length, type.
const ATTRIBUTE_HEADER_LEN: usize = 4;
/// The bits of an attribute type that are not flags (`NLA_TYPE_MASK`).
const ATTRIBUTE_TYPE_MASK: u16 = 0x3fff;
/// Offset of `tx_dropped` in `struct rtnl_link_stats64`: after seven 64-bit counters.
const TX_DROPPED_OFFSET: usize = 7 * 8;

/// The content of one message about an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkMessage {
    /// The interface exists.
    State {
        /// Administratively up, and with carrier.
        up: bool,
        /// Frames that the kernel dropped instead of sending them through the interface, since its
        /// creation.
        tx_dropped: Option<u64>,
        /// IP MTU in bytes.
        ip_mtu: Option<u32>,
    },
    /// The interface was deleted or moved to another network namespace.
    Removed,
}

/// Builds a request for the state of the interface `index`.
pub(crate) fn request(index: u32) -> [u8; HEADER_LEN + INFO_LEN] {
    let mut message = [0; HEADER_LEN + INFO_LEN];
    let fields = [
        (0, ((HEADER_LEN + INFO_LEN) as u32).to_ne_bytes()),
        (HEADER_LEN + 4, index.to_ne_bytes()),
    ];
    for (at, bytes) in fields {
        put(&mut message, at, &bytes);
    }
    put(&mut message, 4, &RTM_GETLINK.to_ne_bytes());
    put(&mut message, 6, &(NLM_F_REQUEST as u16).to_ne_bytes());
    message
}

/// Iterates over the messages of `datagram` about the interface `index`, oldest first. Skips other
/// messages; ends at a truncated header.
pub(crate) fn messages(datagram: &[u8], index: u32) -> impl Iterator<Item = LinkMessage> {
    let mut rest = datagram;
    core::iter::from_fn(move || {
        loop {
            let len = u32_at(rest, 0)? as usize;
            if len < HEADER_LEN {
                return None;
            }
            let message = rest.get(..len).unwrap_or(rest);
            rest = rest.get(aligned(len)..).unwrap_or(&[]);
            if let Some(found) = link_message(message, index) {
                return Some(found);
            }
        }
    })
}

fn link_message(message: &[u8], index: u32) -> Option<LinkMessage> {
    let kind = u16_at(message, 4)?;
    let info = message.get(HEADER_LEN..)?;
    let family = i32::from(*info.first()?);
    // Bridges announce their ports, and the removal of ports, with messages of another family.
    if family != AF_UNSPEC || u32_at(info, 4)? != index {
        return None;
    }
    match kind {
        RTM_DELLINK => Some(LinkMessage::Removed),
        RTM_NEWLINK => {
            let required = (IFF_UP | IFF_RUNNING) as u32;
            let attributes = info.get(INFO_LEN..).unwrap_or_default();
            let stats = attribute(attributes, IFLA_STATS64);
            Some(LinkMessage::State {
                up: u32_at(info, 8)? & required == required,
                tx_dropped: stats.and_then(|stats| u64_at(stats, TX_DROPPED_OFFSET)),
                ip_mtu: attribute(attributes, IFLA_MTU).and_then(|mtu| u32_at(mtu, 0)),
            })
        }
        _ => None,
    }
}

/// Returns the value of the first attribute of type `kind`.
fn attribute(attributes: &[u8], kind: u16) -> Option<&[u8]> {
    let mut rest = attributes;
    loop {
        let len = usize::from(u16_at(rest, 0)?);
        if len < ATTRIBUTE_HEADER_LEN {
            return None;
        }
        if u16_at(rest, 2)? & ATTRIBUTE_TYPE_MASK == kind {
            return rest.get(ATTRIBUTE_HEADER_LEN..len);
        }
        rest = rest.get(aligned(len)..)?;
    }
}

/// Rounds up to the alignment of messages and attributes (`NLMSG_ALIGNTO`, `NLA_ALIGNTO`).
const fn aligned(len: usize) -> usize {
    len.saturating_add(3) & !3
}

fn put(message: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, from) in message.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_ne_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_ne_bytes(*b))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|b| u64::from_ne_bytes(*b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UP: u32 = (IFF_UP | IFF_RUNNING) as u32;

    /// Builds a message in the layout of the kernel headers, without the code under test.
    fn message(kind: u16, family: u8, index: u32, flags: u32, attributes: &[u8]) -> Vec<u8> {
        let mut m = ((32 + attributes.len()) as u32).to_ne_bytes().to_vec();
        m.extend(kind.to_ne_bytes());
        m.extend([0; 10]);
        m.extend([family, 0, 1, 0]);
        m.extend(index.to_ne_bytes());
        m.extend(flags.to_ne_bytes());
        m.extend([0xff; 4]);
        m.extend(attributes);
        m.resize(m.len().next_multiple_of(4), 0);
        m
    }

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut a = ((4 + value.len()) as u16).to_ne_bytes().to_vec();
        a.extend(kind.to_ne_bytes());
        a.extend(value);
        a.resize(a.len().next_multiple_of(4), 0);
        a
    }

    fn state(up: bool) -> LinkMessage {
        LinkMessage::State {
            up,
            tx_dropped: None,
            ip_mtu: None,
        }
    }

    #[test]
    fn messages_up_requires_both_flags() {
        for (flags, up) in [
            (0, false),
            (IFF_UP as u32, false),
            (IFF_RUNNING as u32, false),
            (UP, true),
        ] {
            let datagram = message(RTM_NEWLINK, 0, 7, flags, &[]);
            assert_eq!(messages(&datagram, 7).collect::<Vec<_>>(), [state(up)]);
        }
    }

    #[test]
    fn messages_several_are_in_order_and_others_skipped() {
        let mut datagram = message(RTM_NEWLINK, 0, 7, UP, &attribute(3, b"tap7\0"));
        datagram.extend(message(RTM_NEWLINK, 0, 8, UP, &[]));
        datagram.extend(message(99, 0, 7, 0, &[]));
        datagram.extend(message(RTM_NEWLINK, 0, 7, 0, &[]));
        datagram.extend(message(RTM_DELLINK, 0, 7, 0, &[]));
        let found: Vec<_> = messages(&datagram, 7).collect();
        assert_eq!(found, [state(true), state(false), LinkMessage::Removed]);
    }

    #[test]
    fn messages_bridge_port_removed_is_skipped() {
        let bridge = nix::libc::AF_BRIDGE as u8;
        assert_eq!(messages(&message(RTM_DELLINK, bridge, 7, 0, &[]), 7).next(), None);
    }

    #[test]
    fn messages_attributes_are_found_in_any_order() {
        let counters: Vec<u8> = (100_u64..125).flat_map(u64::to_ne_bytes).collect();
        let mut attributes = attribute(3, b"tap7\0");
        attributes.extend(attribute(IFLA_STATS64, &counters));
        attributes.extend(attribute(IFLA_MTU, &1400_u32.to_ne_bytes()));
        let datagram = message(RTM_NEWLINK, 0, 7, UP, &attributes);
        assert_eq!(
            messages(&datagram, 7).next(),
            Some(LinkMessage::State {
                up: true,
                tx_dropped: Some(107),
                ip_mtu: Some(1400),
            })
        );
    }

    #[test]
    fn request_has_length_type_and_index() {
        let request = request(0x0102_0304);
        assert_eq!(u32_at(&request, 0), Some(32));
        assert_eq!(u16_at(&request, 4), Some(RTM_GETLINK));
        assert_eq!(u16_at(&request, 6), Some(NLM_F_REQUEST as u16));
        assert_eq!(u32_at(&request, 20), Some(0x0102_0304));
    }

    proptest! {
        #[test]
        fn messages_arbitrary_bytes_terminate(bytes: Vec<u8>, index: u32) {
            prop_assert!(messages(&bytes, index).count() <= bytes.len());
        }

        #[test]
        fn messages_truncated_report_nothing_else(cut in 0_usize..300) {
            let counters: Vec<u8> = (100_u64..125).flat_map(u64::to_ne_bytes).collect();
            let whole = message(RTM_NEWLINK, 0, 7, UP, &attribute(IFLA_STATS64, &counters));
            let part = &whole[..cut.min(whole.len())];
            for found in messages(part, 7) {
                let allowed = matches!(found, LinkMessage::State { up: true, tx_dropped: None | Some(107), ip_mtu: None });
                prop_assert!(allowed, "{:?}", found);
            }
        }
    }

    #[test]
    fn messages_after_empty_message_are_found() {
        // A header alone: `NLMSG_NOOP`.
        let mut datagram = 16_u32.to_ne_bytes().to_vec();
        datagram.extend(1_u16.to_ne_bytes());
        datagram.extend([0; 10]);
        datagram.extend(message(RTM_DELLINK, 0, 7, 0, &[]));
        assert_eq!(messages(&datagram, 7).collect::<Vec<_>>(), [LinkMessage::Removed]);
    }

    #[test]
    fn messages_tx_dropped_after_empty_attribute_is_found() {
        let counters: Vec<u8> = (0_u64..25).flat_map(u64::to_ne_bytes).collect();
        let mut attributes = attribute(3, &[]);
        attributes.extend(attribute(IFLA_STATS64, &counters));
        let found = messages(&message(RTM_NEWLINK, 0, 7, UP, &attributes), 7).next();
        assert_eq!(
            found,
            Some(LinkMessage::State {
                up: true,
                tx_dropped: Some(7),
                ip_mtu: None,
            })
        );
    }
}
