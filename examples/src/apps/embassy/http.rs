//! The web server.

use embassy_net::Stack;
use embassy_net::tcp::{Error, TcpSocket};
use embassy_time::{Duration, TimeoutError, with_timeout};

use crate::apps::Status;
use crate::apps::http::{Content, MAX_DRAIN, PORT, Parsed, Request, Response, TIMEOUT, parse};
use crate::apps::storage::HttpStorage;

/// Serves the page, one connection at a time. `name` is its title; `status` returns the status of
/// the device.
pub(super) async fn http(stack: Stack<'_>, name: &str, status: impl Fn() -> Status, memory: &mut HttpStorage) -> ! {
    let timeout = Duration::from_secs(TIMEOUT.as_secs());
    loop {
        let mut socket = TcpSocket::new(stack, &mut memory.rx, &mut memory.tx);
        socket.set_timeout(Some(timeout));
        socket.set_nagle_enabled(false);
        // Cannot fail: the port is not 0, and the socket is closed.
        let _ = socket.accept(PORT).await;
        let mut connection = Connection {
            socket,
            head: &mut memory.head,
            filled: 0,
            timeout,
        };
        let content = || Content { name, status: status() };
        if connection.serve(content).await.is_err() {
            connection.socket.abort();
        }
        // Until the peer has acknowledged everything, or the reset is sent. A failure is a reset
        // by the peer or the timeout.
        let _ = connection.socket.flush().await;
    }
}

/// A connection ended without an orderly close: by the peer, or because it made no progress.
struct Aborted;

impl From<Error> for Aborted {
    fn from(_: Error) -> Self {
        Self
    }
}

impl From<TimeoutError> for Aborted {
    fn from(_: TimeoutError) -> Self {
        Self
    }
}

struct Connection<'a> {
    socket: TcpSocket<'a>,
    /// The first `filled` bytes were received and not consumed.
    head: &'a mut [u8],
    filled: usize,
    /// Limit of the time for a complete request, and for a byte of the response to be accepted.
    timeout: Duration,
}

impl Connection<'_> {
    /// Answers requests until the last one, then closes.
    async fn serve<'c>(&mut self, content: impl Fn() -> Content<'c>) -> Result<(), Aborted> {
        while let Some(request) = with_timeout(self.timeout, self.request()).await?? {
            let mut response = Response::new(request, content());
            while !response.is_sent() {
                let piece = self.socket.write_with(|buffer| {
                    let len = response.next_piece(buffer);
                    (len, ())
                });
                with_timeout(self.timeout, piece).await??;
            }
            if !response.keep_alive() {
                break;
            }
        }
        self.socket.close();
        with_timeout(self.timeout, self.drain()).await?
    }

    /// Receives the next request; `None` if the peer has closed its half.
    async fn request(&mut self) -> Result<Option<Request>, Error> {
        loop {
            let head = self.head.get(..self.filled).unwrap_or_default();
            if let Parsed::Complete(request, len) = parse(head, self.filled == self.head.len()) {
                let len = len.min(self.filled);
                self.head.copy_within(len..self.filled, 0);
                self.filled -= len;
                return Ok(Some(request));
            }
            let free = self.head.get_mut(self.filled..).unwrap_or_default();
            let len = self.socket.read(free).await?;
            if len == 0 {
                return Ok(None);
            }
            self.filled += len;
        }
    }

    /// Drops received bytes until the peer closes its half, so that it reads the response instead
    /// of a reset.
    async fn drain(&mut self) -> Result<(), Aborted> {
        let mut drained = 0;
        while drained <= MAX_DRAIN {
            let len = self.socket.read(self.head).await?;
            if len == 0 {
                return Ok(());
            }
            drained += len;
        }
        Err(Aborted)
    }
}
