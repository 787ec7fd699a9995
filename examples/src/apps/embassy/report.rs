//! The client that reports samples to a server.

use core::convert::Infallible;

use embassy_net::tcp::{ConnectError, Error, TcpSocket};
use embassy_net::{IpEndpoint, Stack};
use embassy_time::{TimeoutError, Timer, with_timeout};
use ethdev::Stats;

use crate::apps::report::{Event, RETRY, SAMPLE_LEN, Sample, Samples, TIMEOUT};

/// Sends samples to the server, one at a time, and connects again when that fails.
///
/// `buffers` are those of the socket, for receiving and sending. `stats` returns the counters of
/// the device; `log` is called with each event.
pub async fn report(
    stack: Stack<'_>,
    server: IpEndpoint,
    [rx, tx]: &mut [impl AsMut<[u8]>; 2],
    samples: &Samples,
    stats: impl Fn() -> Stats,
    log: impl Fn(Event),
) -> ! {
    let mut at_last_reply = stats();
    loop {
        stack.wait_link_up().await;
        stack.wait_config_up().await;
        let mut socket = TcpSocket::new(stack, rx.as_mut(), tx.as_mut());
        socket.set_nagle_enabled(false);
        let replied = |sample: Option<Sample>| {
            at_last_reply = stats();
            log(sample.map_or(Event::Connected, Event::Acknowledged));
        };
        let Err(failure) = exchange(&mut socket, server, samples, replied).await;
        log(match failure {
            Failure::Closed => Event::Closed,
            Failure::NoReply => Event::no_reply(stats(), at_last_reply),
        });
        // Sends a reset: the server may listen again.
        socket.abort();
        let _ = with_timeout(RETRY, socket.flush()).await;
        drop(socket);
        Timer::after(RETRY).await;
    }
}

enum Failure {
    Closed,
    NoReply,
}

impl From<TimeoutError> for Failure {
    fn from(_: TimeoutError) -> Self {
        Self::NoReply
    }
}

impl From<Error> for Failure {
    fn from(_: Error) -> Self {
        Self::Closed
    }
}

impl From<ConnectError> for Failure {
    fn from(_: ConnectError) -> Self {
        Self::Closed
    }
}

/// Sends samples until that fails. Calls `replied` when the connection is open, and with each
/// sample that the server returned.
async fn exchange(
    socket: &mut TcpSocket<'_>,
    server: IpEndpoint,
    samples: &Samples,
    mut replied: impl FnMut(Option<Sample>),
) -> Result<Infallible, Failure> {
    with_timeout(TIMEOUT, socket.connect(server)).await??;
    replied(None);
    loop {
        let sample = samples.queue().receive().await;
        with_timeout(TIMEOUT, echoed(socket, sample.to_bytes())).await??;
        replied(Some(sample));
    }
}

/// Sends the bytes, and returns when the server has returned as many.
async fn echoed(socket: &mut TcpSocket<'_>, bytes: [u8; SAMPLE_LEN]) -> Result<(), Error> {
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let sent = socket.write(rest).await?;
        rest = rest.get(sent..).unwrap_or_default();
    }
    let mut reply = [0; SAMPLE_LEN];
    let mut received = 0;
    while let Some(free) = reply.get_mut(received..).filter(|free| !free.is_empty()) {
        match socket.read(free).await? {
            0 => return Err(Error::ConnectionReset),
            len => received += len,
        }
    }
    // Another sample is none of this protocol.
    if reply == bytes {
        Ok(())
    } else {
        Err(Error::ConnectionReset)
    }
}
