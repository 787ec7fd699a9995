//! Round trips.

use core::time::Duration;

use ethdev::LendingDevice;
use smoltcp::iface::SocketHandle;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::icmp;
use smoltcp::wire::{Icmpv4Packet, Icmpv4Repr, Ipv4Address};

use super::peer::StackPeer;
use super::world::{Failure, World};

/// Pings that are measured.
const PINGS: u16 = 10;
/// What is in a ping: as many bytes as the usual program sends.
const DATA: [u8; 56] = [0x5a; 56];
const IDENT: u16 = 0x6574;
/// A ping without an answer for so long is lost.
const LIMIT: Duration = Duration::from_secs(1);

/// Mean round trip, without the first, which has to wait for ARP.
pub(super) fn ping<D: LendingDevice<Error: core::error::Error>>(
    world: &mut World<'_, '_, '_, D>,
    node: Ipv4Address,
) -> Result<Duration, Failure> {
    let socket = world.peer.ping_socket(IDENT)?;
    let mut total = Duration::ZERO;
    for seq_no in 0..=PINGS {
        let sent = world.clock.now();
        ask(&mut world.peer, socket, node, seq_no)?;
        let answered = world
            .run(LIMIT, |peer, clock| {
                Ok(is_answered(peer, socket, seq_no)?.then(|| clock.now()))
            })
            .map_err(|e| Failure(format!("ping {seq_no}: {e}")))?;
        if seq_no > 0 {
            total += answered - sent;
        }
    }
    Ok(total / u32::from(PINGS))
}

fn ask(peer: &mut StackPeer, socket: SocketHandle, node: Ipv4Address, seq_no: u16) -> Result<(), Failure> {
    let request = Icmpv4Repr::EchoRequest {
        ident: IDENT,
        seq_no,
        data: &DATA,
    };
    let memory = peer
        .socket::<icmp::Socket<'_>>(socket)
        .send(request.buffer_len(), node.into())
        .map_err(|e| Failure(format!("ping {seq_no}: {e}")))?;
    request.emit(
        &mut Icmpv4Packet::new_unchecked(memory),
        &ChecksumCapabilities::default(),
    );
    Ok(())
}

fn is_answered(peer: &mut StackPeer, socket: SocketHandle, expected: u16) -> Result<bool, Failure> {
    let Ok((message, _)) = peer.socket::<icmp::Socket<'_>>(socket).recv() else {
        return Ok(false);
    };
    let right = Icmpv4Repr::EchoReply {
        ident: IDENT,
        seq_no: expected,
        data: &DATA,
    };
    let packet = Icmpv4Packet::new_unchecked(message);
    match Icmpv4Repr::parse(&packet, &ChecksumCapabilities::default()) {
        Ok(reply) if reply == right => Ok(true),
        other => Err(Failure(format!("wrong answer: {other:?}"))),
    }
}
