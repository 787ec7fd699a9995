//! The memory of a node. The caller owns it: a static on a board, a local variable on a host.

use smoltcp::iface::SocketStorage;
use smoltcp::socket::udp::PacketMetadata;

/// TCP echo connections at a time.
pub(super) const ECHO_CONNECTIONS: usize = 2;
/// HTTP connections at a time where nothing else is said: what a microcontroller has memory for.
pub const HTTP_CONNECTIONS: usize = 3;

/// How many [`Slots`] a node with this many HTTP connections needs: besides them there are TCP echo connections, and one UDP socket.
#[must_use]
pub const fn socket_slots(http_connections: usize) -> usize {
    http_connections + ECHO_CONNECTIONS + 1
}

/// Datagrams that wait in each direction.
const UDP_DATAGRAMS: usize = 4;
/// Room for that many datagrams of the longest length (1472 bytes in a 1514-byte frame).
const UDP_BYTES: usize = UDP_DATAGRAMS * MAX_DATAGRAM;
/// Longest UDP payload in an unfragmented IPv4 packet of 1500 bytes.
const MAX_DATAGRAM: usize = 1500 - 20 - 8;
const HTTP_RX: usize = 1024;
const HTTP_TX: usize = 2048;
/// Longest request head. Browsers send some 500 to 1500 bytes.
pub(super) const HTTP_HEAD: usize = 2048;

/// Buffers for all sockets of one [`Node`](super::Node).
///
/// `TCP` is the size in bytes of each buffer of a TCP echo connection, one for either direction: its receive window, and so its throughput. (It has no
/// influence on what the node can do, only on how fast.) `HTTP` is how many HTTP connections there can be at a time, of 5 KiB each. smoltcp has no backlog: each
/// connection that arrives while all are taken is refused.
#[derive(Debug)]
pub struct Storage<const TCP: usize, const HTTP: usize = HTTP_CONNECTIONS> {
    pub(super) echo: [[[u8; TCP]; 2]; ECHO_CONNECTIONS],
    pub(super) http: [HttpStorage; HTTP],
    pub(super) udp: [[u8; UDP_BYTES]; 2],
    pub(super) scratch: [u8; MAX_DATAGRAM],
}

#[derive(Debug)]
pub(super) struct HttpStorage {
    pub(super) rx: [u8; HTTP_RX],
    pub(super) tx: [u8; HTTP_TX],
    pub(super) head: [u8; HTTP_HEAD],
}

impl<const TCP: usize> Storage<TCP> {
    /// For three HTTP connections. Zeros: costs no flash as a static.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_connections()
    }
}

impl<const TCP: usize, const HTTP: usize> Storage<TCP, HTTP> {
    /// For `HTTP` connections. Zeros, as [`new`](Storage::new).
    #[must_use]
    pub const fn with_connections() -> Self {
        Self {
            echo: [[[0; TCP]; 2]; ECHO_CONNECTIONS],
            http: [const {
                HttpStorage {
                    rx: [0; HTTP_RX],
                    tx: [0; HTTP_TX],
                    head: [0; HTTP_HEAD],
                }
            }; HTTP],
            udp: [[0; UDP_BYTES]; 2],
            scratch: [0; MAX_DATAGRAM],
        }
    }
}

impl<const TCP: usize> Default for Storage<TCP> {
    fn default() -> Self {
        Self::new()
    }
}

/// Places for the sockets themselves, which refer to the buffers in a [`Storage`], and for what else is small and not zero when it is empty. Were it in the
/// [`Storage`], all of that would be initial data in flash.
///
/// `SOCKETS` is [`socket_slots`] of the [`Storage`]'s HTTP connections.
#[derive(Debug)]
pub struct Slots<'a, const SOCKETS: usize = { socket_slots(HTTP_CONNECTIONS) }> {
    pub(super) sockets: [SocketStorage<'a>; SOCKETS],
    pub(super) datagrams: [[PacketMetadata; UDP_DATAGRAMS]; 2],
}

impl Slots<'_> {
    /// All empty, for three HTTP connections.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_sockets()
    }
}

impl<const SOCKETS: usize> Slots<'_, SOCKETS> {
    /// All empty, `SOCKETS` of them.
    #[must_use]
    pub const fn with_sockets() -> Self {
        Self {
            sockets: [SocketStorage::EMPTY; SOCKETS],
            datagrams: [[PacketMetadata::EMPTY; UDP_DATAGRAMS]; 2],
        }
    }
}

impl Default for Slots<'_> {
    fn default() -> Self {
        Self::new()
    }
}
