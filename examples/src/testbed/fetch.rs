//! Fetches the web page and checks it.

use core::time::Duration;

use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp;
use smoltcp::wire::Ipv4Address;

use super::failure::Failure;
use super::host::Host;
use super::simulation::Simulation;
use crate::apps::http::PORT;

const LIMIT: Duration = Duration::from_secs(10);

/// Fetches the page twice over one connection, and checks that both contain all of `expected`.
/// Returns the length of the second page in bytes.
pub(super) fn fetch<H: Host>(
    sim: &mut Simulation<'_, H>,
    node: Ipv4Address,
    expected: &[&str],
) -> Result<usize, Failure> {
    let connection = sim.peer.connect(node, PORT, 49_153)?;
    // In two segments: the second is the empty line that ends the request.
    send(sim, connection, &format!("GET / HTTP/1.1\r\nHost: {node}\r\n"))?;
    send(sim, connection, "\r\n")?;
    check(&receive(sim, connection)?, expected)?;
    send(
        sim,
        connection,
        &format!("GET / HTTP/1.1\r\nHost: {node}\r\nConnection: close\r\n\r\n"),
    )?;
    let page = receive(sim, connection)?;
    check(&page, expected)?;
    sim.run(LIMIT, |peer, _| {
        let socket = peer.socket::<tcp::Socket<'_>>(connection);
        if socket.state() == tcp::State::CloseWait {
            socket.close();
        }
        Ok((!socket.is_open()).then_some(()))
    })
    .map_err(|e| Failure(format!("closing: {e}")))?;
    Ok(page.len())
}

/// Sends `text` and waits until it is acknowledged.
fn send<H: Host>(sim: &mut Simulation<'_, H>, connection: SocketHandle, text: &str) -> Result<(), Failure> {
    let mut rest = text.as_bytes();
    sim.run(LIMIT, |peer, _| {
        let socket = peer.socket::<tcp::Socket<'_>>(connection);
        if socket.state() == tcp::State::Closed {
            return Err(Failure("connection refused or reset".into()));
        }
        if socket.can_send() {
            rest = &rest[socket.send_slice(rest).unwrap_or(0)..];
        }
        Ok((rest.is_empty() && socket.send_queue() == 0).then_some(()))
    })
    .map_err(|e| Failure(format!("request: {e}")))
}

/// Receives the body of the next response.
fn receive<H: Host>(sim: &mut Simulation<'_, H>, connection: SocketHandle) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    sim.run(LIMIT, |peer, _| {
        let socket = peer.socket::<tcp::Socket<'_>>(connection);
        while socket.can_recv() {
            let taken = socket.recv(|data| {
                bytes.extend_from_slice(data);
                (data.len(), ())
            });
            if taken.is_err() {
                break;
            }
        }
        body(&bytes)
    })
    .map_err(|e| Failure(format!("response: {e}")))
}

/// Returns the body if it is complete.
fn body(bytes: &[u8]) -> Result<Option<String>, Failure> {
    let mut fields = [httparse::EMPTY_HEADER; 16];
    let mut head = httparse::Response::new(&mut fields);
    let len = match head.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(e) => return Err(Failure(format!("not HTTP: {e}"))),
    };
    if head.code != Some(200) {
        return Err(Failure(format!("status {:?}", head.code)));
    }
    let content_length = head
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("content-length"))
        .and_then(|field| str::from_utf8(field.value).ok()?.parse::<usize>().ok())
        .ok_or_else(|| Failure("no Content-Length".into()))?;
    let body = &bytes[len..];
    if body.len() > content_length {
        return Err(Failure(format!(
            "body of {} bytes, Content-Length {content_length}",
            body.len()
        )));
    }
    if body.len() < content_length {
        return Ok(None);
    }
    String::from_utf8(body.to_vec())
        .map(Some)
        .map_err(|e| Failure(format!("page is not UTF-8: {e}")))
}

fn check(page: &str, expected: &[&str]) -> Result<(), Failure> {
    match expected.iter().find(|part| !page.contains(**part)) {
        Some(missing) => Err(Failure(format!("page does not contain {missing:?}"))),
        None => Ok(()),
    }
}
