//! Measures round-trip times by ping.

use core::time::Duration;

use smoltcp::iface::SocketHandle;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::icmp;
use smoltcp::wire::{Icmpv4Packet, Icmpv4Repr, Ipv4Address};

use super::failure::Failure;
use super::host::Host;
use super::peer::StackPeer;
use super::simulation::Simulation;

/// Number of measured pings.
const PINGS: u16 = 10;
/// Data of a ping: 56 bytes, as ping(8) sends.
const DATA: [u8; 56] = [0x5a; 56];
const IDENT: u16 = 0x6574;
/// Timeout of one ping.
const LIMIT: Duration = Duration::from_secs(1);

/// Returns the mean round-trip time, without the first ping, which waits for ARP.
pub(super) fn ping<H: Host>(sim: &mut Simulation<'_, H>, node: Ipv4Address) -> Result<Duration, Failure> {
    let socket = sim.peer.ping_socket(IDENT)?;
    let mut total = Duration::ZERO;
    for seq_no in 0..=PINGS {
        let sent = sim.clock.now();
        send_request(&mut sim.peer, socket, node, seq_no)?;
        let answered = sim
            .run(LIMIT, |peer, clock| {
                Ok(reply_received(peer, socket, seq_no)?.then(|| clock.now()))
            })
            .map_err(|e| Failure(format!("ping {seq_no}: {e}")))?;
        if seq_no > 0 {
            total += answered - sent;
        }
    }
    Ok(total / u32::from(PINGS))
}

fn send_request(peer: &mut StackPeer, socket: SocketHandle, node: Ipv4Address, seq_no: u16) -> Result<(), Failure> {
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

fn reply_received(peer: &mut StackPeer, socket: SocketHandle, expected: u16) -> Result<bool, Failure> {
    let Ok((message, _)) = peer.socket::<icmp::Socket<'_>>(socket).recv() else {
        return Ok(false);
    };
    let expected_reply = Icmpv4Repr::EchoReply {
        ident: IDENT,
        seq_no: expected,
        data: &DATA,
    };
    let packet = Icmpv4Packet::new_unchecked(message);
    match Icmpv4Repr::parse(&packet, &ChecksumCapabilities::default()) {
        Ok(reply) if reply == expected_reply => Ok(true),
        other => Err(Failure(format!("wrong reply: {other:?}"))),
    }
}
