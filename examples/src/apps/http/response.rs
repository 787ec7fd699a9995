//! A response that is generated piece by piece, and never in memory as a whole.

use core::fmt::{self, Write};

use super::Content;
use super::page;
use super::request::{Request, StatusCode};

/// A response, and how much of it was sent.
///
/// Its text is a function of constant values: it is generated from the start for each piece, of
/// which only the piece is stored.
#[derive(Debug, Clone, Copy)]
pub(in crate::apps) struct Response<'a> {
    request: Request,
    content: Content<'a>,
    body: usize,
    sent: usize,
    len: usize,
}

impl<'a> Response<'a> {
    pub(in crate::apps) fn new(request: Request, content: Content<'a>) -> Self {
        let mut response = Self {
            request,
            content,
            body: 0,
            sent: 0,
            len: 0,
        };
        response.body = length(|out| response.write_body(out));
        response.len = length(|out| response.write(out));
        response
    }

    /// Writes the next piece to the start of `out`. Returns its length.
    pub(in crate::apps) fn next_piece(&mut self, out: &mut [u8]) -> usize {
        let mut window = Window {
            skip: self.sent,
            out,
            filled: 0,
        };
        // An error means that the window is full.
        let _ = self.write(&mut window);
        self.sent += window.filled;
        window.filled
    }

    pub(in crate::apps) const fn is_sent(&self) -> bool {
        self.sent >= self.len
    }

    pub(in crate::apps) const fn keep_alive(&self) -> bool {
        self.request.keep_alive
    }

    fn write(&self, out: &mut impl Write) -> fmt::Result {
        let status = self.request.status;
        write!(out, "HTTP/1.1 {}\r\n", status.text())?;
        let media = if status == StatusCode::Ok {
            "text/html"
        } else {
            "text/plain"
        };
        write!(out, "Content-Type: {media}; charset=utf-8\r\n")?;
        write!(out, "Content-Length: {}\r\n", self.body)?;
        out.write_str("Cache-Control: no-store\r\n")?;
        if status == StatusCode::MethodNotAllowed {
            out.write_str("Allow: GET, HEAD\r\n")?;
        }
        let connection = if self.request.keep_alive { "keep-alive" } else { "close" };
        write!(out, "Connection: {connection}\r\n\r\n")?;
        if self.request.head_only {
            return Ok(());
        }
        self.write_body(out)
    }

    fn write_body(&self, out: &mut impl Write) -> fmt::Result {
        match self.request.status {
            StatusCode::Ok => page::write(&self.content, out),
            status => writeln!(out, "{}", status.text()),
        }
    }
}

/// Returns the number of bytes that `write` writes.
fn length(write: impl FnOnce(&mut Count) -> fmt::Result) -> usize {
    let mut count = Count(0);
    // `Count` does not fail.
    let _ = write(&mut count);
    count.0
}

struct Count(usize);

impl Write for Count {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// Skips the first `skip` bytes and stores the following ones until `out` is full.
struct Window<'a> {
    skip: usize,
    out: &'a mut [u8],
    filled: usize,
}

impl Write for Window<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let skipped = self.skip.min(text.len());
        self.skip -= skipped;
        let piece = text.as_bytes().get(skipped..).unwrap_or_default();
        let free = self.out.get_mut(self.filled..).unwrap_or_default();
        let len = piece.len().min(free.len());
        for (to, from) in free.iter_mut().zip(piece) {
            *to = *from;
        }
        self.filled += len;
        // The window is full: an error ends the formatting.
        if len < piece.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::Status;
    use core::time::Duration;
    use ethdev::{Link, MacAddress, Stats};

    const CONTENT: Content<'_> = Content {
        name: "a <test>",
        status: Status {
            mac_address: MacAddress::new([2, 0, 0, 0, 0, 1]),
            link: Link::UP,
            stats: Stats::ZERO,
            uptime: Duration::from_secs(90_061),
        },
    };

    fn whole(request: Request, piece: usize) -> String {
        let mut response = Response::new(request, CONTENT);
        let (mut text, mut window) = (Vec::new(), vec![0; piece]);
        while !response.is_sent() {
            let len = response.next_piece(&mut window);
            assert!(len > 0);
            text.extend_from_slice(&window[..len]);
        }
        assert_eq!(response.next_piece(&mut window), 0);
        String::from_utf8(text).unwrap()
    }

    fn request(status: StatusCode, head_only: bool) -> Request {
        Request {
            status,
            head_only,
            keep_alive: true,
        }
    }

    #[test]
    fn next_piece_any_size_gives_same_text() {
        let once = whole(request(StatusCode::Ok, false), 100_000);
        for piece in [1, 7, 64, 1460] {
            assert_eq!(whole(request(StatusCode::Ok, false), piece), once);
        }
    }

    #[test]
    fn content_length_get_and_head_are_equal() {
        for status in [StatusCode::Ok, StatusCode::NotFound, StatusCode::MethodNotAllowed] {
            let with = whole(request(status, false), 1000);
            let without = whole(request(status, true), 1000);
            let (head, body) = with.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
            assert_eq!(without, format!("{head}\r\n\r\n"));
        }
    }

    #[test]
    fn page_contains_status_and_escapes_name() {
        let text = whole(request(StatusCode::Ok, false), 1000);
        for part in [
            "a &lt;test&gt;",
            "02:00:00:00:00:01",
            "1 d 01:01:01",
            "rx_overrun",
            "up",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        assert!(!text.contains("<test>"));
    }
}
