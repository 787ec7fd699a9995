//! The echo service (RFC 862) over UDP and TCP.

use embassy_net::Stack;
use embassy_net::tcp::{Error, TcpSocket};
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_time::Duration;

use crate::apps::echo::{KEEP_ALIVE, PORT, TIMEOUT};

/// Number of buffered datagrams in each direction.
const DATAGRAMS: usize = 4;
/// Bytes that are moved at a time from the receive to the transmit buffer.
const CHUNK: usize = 512;

/// Echoes UDP datagrams, of at most the length of `datagram`. `buffers` are those of the socket,
/// for receiving and sending.
///
/// Datagrams from an echo port are dropped: two echo services would loop indefinitely.
pub async fn udp_echo(stack: Stack<'_>, [rx, tx]: &mut [impl AsMut<[u8]>; 2], datagram: &mut [u8]) -> ! {
    let mut slots = [[PacketMetadata::EMPTY; DATAGRAMS]; 2];
    let [rx_slots, tx_slots] = &mut slots;
    let mut socket = UdpSocket::new(stack, rx_slots, rx.as_mut(), tx_slots, tx.as_mut());
    // Cannot fail: the port is not 0, and the socket is closed.
    let _ = socket.bind(PORT);
    loop {
        let Ok((len, mut from)) = socket.recv_from(datagram).await else {
            continue;
        };
        if from.endpoint.port == PORT {
            continue;
        }
        // The stack selects the source: the request may have been a broadcast.
        from.local_address = None;
        if let Some(reply) = datagram.get(..len) {
            // Fails for a source that cannot be replied to.
            let _ = socket.send_to(reply, from).await;
        }
    }
}

/// Echoes TCP, one connection at a time. `buffers` are those of the socket, for receiving and
/// sending; their size limits the throughput.
pub async fn tcp_echo(stack: Stack<'_>, [rx, tx]: &mut [impl AsMut<[u8]>; 2]) -> ! {
    loop {
        let mut socket = TcpSocket::new(stack, rx.as_mut(), tx.as_mut());
        socket.set_timeout(Some(Duration::from_secs(TIMEOUT.as_secs())));
        socket.set_keep_alive(Some(Duration::from_secs(KEEP_ALIVE.as_secs())));
        socket.set_nagle_enabled(false);
        // Cannot fail: the port is not 0, and the socket is closed.
        let _ = socket.accept(PORT).await;
        if echo(&mut socket).await.is_ok() {
            socket.close();
        } else {
            socket.abort();
        }
        // Until the peer has acknowledged everything, or the reset is sent. A failure is a reset
        // by the peer or the timeout.
        let _ = socket.flush().await;
    }
}

/// Returns when the peer has closed its half and everything is echoed.
async fn echo(socket: &mut TcpSocket<'_>) -> Result<(), Error> {
    let mut chunk = [0; CHUNK];
    loop {
        let len = socket.read(&mut chunk).await?;
        let Some(mut rest) = chunk.get(..len).filter(|read| !read.is_empty()) else {
            return Ok(());
        };
        while !rest.is_empty() {
            let sent = socket.write(rest).await?;
            rest = rest.get(sent..).unwrap_or_default();
        }
    }
}
