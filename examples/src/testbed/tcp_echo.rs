//! Sends 1 MiB through the TCP echo service.

use core::time::Duration;

use ethdev_sim::Clock;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use smoltcp::socket::tcp;
use smoltcp::wire::Ipv4Address;

use super::failure::Failure;
use super::host::Host;
use super::simulation::Simulation;
use crate::apps::echo::PORT;

/// Number of bytes that are sent and must be returned.
pub const ECHO_LEN: usize = 1 << 20;

/// Corresponds to 0.14 Mbit/s, retransmissions included.
const LIMIT: Duration = Duration::from_secs(60);

/// The result of an echo.
pub(super) struct Echoed {
    pub(super) sha256: String,
    /// Time from the first SYN to the last byte.
    pub(super) took: Duration,
}

/// Sends random bytes to the echo service, closes the transmit half, and reads until the peer
/// closes.
///
/// Calls `progress` with the number of returned bytes.
pub(super) fn tcp_echo<H: Host>(
    sim: &mut Simulation<'_, H>,
    node: Ipv4Address,
    seed: u64,
    mut progress: impl FnMut(usize),
) -> Result<Echoed, Failure> {
    let mut data = vec![0; ECHO_LEN];
    Pcg64::seed_from_u64(seed).fill_bytes(&mut data);
    let begin = sim.clock.now();
    let handle = sim.peer.connect(node, PORT, 49_152)?;
    let mut client = Client {
        to_send: &data,
        received: 0,
        hash: Sha256::new(),
        last_byte: begin,
    };
    sim.run(LIMIT, |peer, clock| {
        let ended = client.step(peer.socket(handle), clock)?;
        progress(client.received);
        Ok(ended.then_some(()))
    })?;
    let (got, expected) = (hex(client.hash), hex(Sha256::new_with_prefix(&data)));
    if client.received != ECHO_LEN || got != expected {
        return Err(Failure(format!(
            "{} of {ECHO_LEN} bytes returned, SHA-256 {got}, expected {expected}",
            client.received
        )));
    }
    Ok(Echoed {
        sha256: got,
        took: client.last_byte - begin,
    })
}

struct Client<'a> {
    to_send: &'a [u8],
    received: usize,
    hash: Sha256,
    last_byte: Duration,
}

impl Client<'_> {
    /// Sends and receives what is possible now. Returns whether the connection was closed in order.
    fn step(&mut self, socket: &mut tcp::Socket<'_>, clock: &Clock) -> Result<bool, Failure> {
        if !self.to_send.is_empty() && socket.can_send() {
            let sent = socket.send_slice(self.to_send).unwrap_or(0);
            self.to_send = &self.to_send[sent..];
            if self.to_send.is_empty() {
                socket.close();
            }
        }
        while socket.can_recv() {
            let len = socket.recv(|data| {
                self.hash.update(&*data);
                (data.len(), data.len())
            });
            self.received += len.unwrap_or(0);
            self.last_byte = clock.now();
        }
        match socket.state() {
            tcp::State::TimeWait => Ok(true),
            tcp::State::Closed => Err(Failure(format!(
                "connection reset with {} bytes unsent and {} returned",
                self.to_send.len(),
                self.received
            ))),
            _ => Ok(false),
        }
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
