//! The memory of a node. The caller owns it: a static in firmware, a local variable on a host.

use smoltcp::iface::SocketStorage;
use smoltcp::socket::udp::PacketMetadata;

/// Number of concurrent TCP echo connections.
pub(super) const ECHO_CONNECTIONS: usize = 2;
/// Default number of concurrent HTTP connections, for microcontrollers.
pub const HTTP_CONNECTIONS: usize = 3;

/// Returns the number of [`Slots`] for a node with `http_connections`: these, the TCP echo
/// connections, and one UDP socket.
#[must_use]
pub const fn socket_slots(http_connections: usize) -> usize {
    http_connections + ECHO_CONNECTIONS + 1
}

/// Number of buffered datagrams in each direction.
const UDP_DATAGRAMS: usize = 4;
/// Capacity for that many datagrams of the longest length (1472 bytes in a 1514-byte frame).
const UDP_BYTES: usize = UDP_DATAGRAMS * MAX_DATAGRAM;
/// Longest UDP payload in an unfragmented IPv4 packet of 1500 bytes.
const MAX_DATAGRAM: usize = 1500 - 20 - 8;
const HTTP_RX: usize = 1024;
const HTTP_TX: usize = 2048;
/// Longest request head. Browsers send some 500 to 1500 bytes.
pub(super) const HTTP_HEAD: usize = 2048;

/// Buffers for all sockets of one [`Node`](super::Node).
///
/// `TCP` is the size in bytes of each buffer of a TCP echo connection, one for each direction; it
/// limits the receive window and thus the throughput. `HTTP` is the number of concurrent HTTP
/// connections, of 5 KiB each. smoltcp has no backlog: it resets connections beyond that number.
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
    /// Creates the buffers for three HTTP connections. All zero: a static takes no flash.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_connections()
    }
}

impl<const TCP: usize, const HTTP: usize> Storage<TCP, HTTP> {
    /// Creates the buffers for `HTTP` connections. All zero, as [`new`](Storage::new).
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

/// Storage of the sockets, which refer to the buffers in a [`Storage`], and of other small data
/// whose initial value is not zero. It is separate so that the [`Storage`] takes no flash.
///
/// `SOCKETS` is [`socket_slots`] of the number of HTTP connections.
#[derive(Debug)]
pub struct Slots<'a, const SOCKETS: usize = { socket_slots(HTTP_CONNECTIONS) }> {
    pub(super) sockets: [SocketStorage<'a>; SOCKETS],
    pub(super) datagrams: [[PacketMetadata; UDP_DATAGRAMS]; 2],
}

impl Slots<'_> {
    /// Creates empty slots for three HTTP connections.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_sockets()
    }
}

impl<const SOCKETS: usize> Slots<'_, SOCKETS> {
    /// Creates `SOCKETS` empty slots.
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
