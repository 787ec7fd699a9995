//! The kernel's end of a TAP interface: a client that wants its datagrams back.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;

/// A client that runs until it is dropped.
pub(super) struct Client {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Client {
    /// Keeps `window` datagrams of `payload` bytes on their way to `server` and back.
    pub(super) fn start(local: &str, server: &str, payload: usize, window: usize) -> Result<Self> {
        let socket = UdpSocket::bind((local, 0))?;
        socket.connect(server)?;
        // Long enough for a server that is traced.
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let (datagram, mut answer) = (vec![0x5a; payload], vec![0; payload]);
            let mut missing = window;
            while !stopped.load(Ordering::Relaxed) {
                for _ in 0..missing {
                    // Nobody may be there yet, or no more.
                    let _ = socket.send(&datagram);
                }
                missing = match socket.recv(&mut answer) {
                    Ok(_) => 1,
                    // Lost, or never answered: all over again.
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

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
