//! A UDP client at the kernel end of an interface, which expects echoes.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use nix::sys::socket::MsgFlags;

/// A client that runs until it is dropped.
pub(super) struct Client {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Client {
    /// Keeps `window` datagrams of `payload` bytes in flight.
    pub(super) fn start(local: &str, server: &str, payload: usize, window: usize) -> Result<Self> {
        let socket = UdpSocket::bind((local, 0))?;
        socket.connect(server)?;
        // Long enough for a server under strace.
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let (datagram, mut reply) = (vec![0x5a; payload], vec![0; payload]);
            let mut missing = window;
            while !stopped.load(Ordering::Relaxed) {
                for _ in 0..missing {
                    // The server may not run yet, or no longer.
                    let _ = send(&socket, &datagram);
                }
                missing = match socket.recv(&mut reply) {
                    Ok(_) => 1,
                    // Datagrams were lost: fill the window again.
                    Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => window,
                    Err(_) => {
                        std::thread::sleep(Duration::from_millis(20));
                        window
                    }
                };
            }
        });
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

/// Sends a datagram in two parts: the kernel then computes the checksum, which it otherwise leaves
/// to a virtual interface. smoltcp's raw socket would drop the datagram.
fn send(socket: &UdpSocket, datagram: &[u8]) -> nix::Result<()> {
    let (first, rest) = datagram.split_at(1);
    let more = [
        (first, MsgFlags::from_bits_retain(nix::libc::MSG_MORE)),
        (rest, MsgFlags::empty()),
    ];
    more.into_iter()
        .try_for_each(|(part, flags)| nix::sys::socket::send(socket.as_raw_fd(), part, flags).map(drop))
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
