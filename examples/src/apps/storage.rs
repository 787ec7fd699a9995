//! The memory of a node. The caller owns it: a static on a board, a local variable on a host.

use smoltcp::iface::SocketStorage;
use smoltcp::socket::udp::PacketMetadata;

/// TCP echo connections at a time.
pub(super) const ECHO_CONNECTIONS: usize = 2;
/// HTTP connections at a time.
pub(super) const HTTP_CONNECTIONS: usize = 3;
/// One UDP socket besides the TCP ones.
const SOCKETS: usize = ECHO_CONNECTIONS + HTTP_CONNECTIONS + 1;
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
/// influence on what the node can do, only on how fast.)
#[derive(Debug)]
pub struct Storage<const TCP: usize> {
    pub(super) echo: [[[u8; TCP]; 2]; ECHO_CONNECTIONS],
    pub(super) http: [HttpStorage; HTTP_CONNECTIONS],
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
    /// Zeros: costs no flash as a static.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            echo: [[[0; TCP]; 2]; ECHO_CONNECTIONS],
            http: [const {
                HttpStorage {
                    rx: [0; HTTP_RX],
                    tx: [0; HTTP_TX],
                    head: [0; HTTP_HEAD],
                }
            }; HTTP_CONNECTIONS],
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
#[derive(Debug)]
pub struct Slots<'a> {
    pub(super) sockets: [SocketStorage<'a>; SOCKETS],
    pub(super) datagrams: [[PacketMetadata; UDP_DATAGRAMS]; 2],
}

impl Slots<'_> {
    /// All empty.
    #[must_use]
    pub const fn new() -> Self {
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
