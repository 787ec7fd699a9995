//! Parsing of request heads.

/// Limit of header fields in a request.
const MAX_FIELDS: usize = 32;

/// Status codes (RFC 9110 section 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::apps) enum StatusCode {
    Ok,
    BadRequest,
    NotFound,
    MethodNotAllowed,
    UriTooLong,
    HeaderFieldsTooLarge,
    NotImplemented,
    VersionNotSupported,
}

impl StatusCode {
    pub(in crate::apps) const fn text(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::BadRequest => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::UriTooLong => "414 URI Too Long",
            Self::HeaderFieldsTooLarge => "431 Request Header Fields Too Large",
            Self::NotImplemented => "501 Not Implemented",
            Self::VersionNotSupported => "505 HTTP Version Not Supported",
        }
    }
}

/// The parts of a request on which the response depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::apps) struct Request {
    pub(in crate::apps) status: StatusCode,
    /// A HEAD request: the response has no body.
    pub(in crate::apps) head_only: bool,
    /// Whether another request may follow on the connection.
    pub(in crate::apps) keep_alive: bool,
}

impl Request {
    /// A request that ends the connection: the start of the next one is unknown.
    const fn reject(status: StatusCode) -> Self {
        Self {
            status,
            head_only: false,
            keep_alive: false,
        }
    }
}

/// The result of parsing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::apps) enum Parsed {
    /// The head is not complete.
    Partial,
    /// A request, and the length of its head in bytes.
    Complete(Request, usize),
}

/// Parses a request head at the start of `bytes`. `full`: the buffer is full, so an incomplete head
/// is too long.
pub(in crate::apps) fn parse(bytes: &[u8], full: bool) -> Parsed {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    match head.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => Parsed::Complete(classify(&head), len),
        Ok(httparse::Status::Partial) if !full => Parsed::Partial,
        Ok(httparse::Status::Partial) if head.version.is_none() => rejected(StatusCode::UriTooLong, bytes),
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            rejected(StatusCode::HeaderFieldsTooLarge, bytes)
        }
        Err(httparse::Error::Version) => rejected(StatusCode::VersionNotSupported, bytes),
        Err(_) => rejected(StatusCode::BadRequest, bytes),
    }
}

fn rejected(status: StatusCode, bytes: &[u8]) -> Parsed {
    Parsed::Complete(Request::reject(status), bytes.len())
}

fn classify(head: &httparse::Request<'_, '_>) -> Request {
    let (Some(method), Some(target), Some(version)) = (head.method, head.path, head.version) else {
        return Request::reject(StatusCode::BadRequest);
    };
    let fields = Fields::of(head.headers);
    // RFC 9112 section 3.2: without a Host, or with two, a request of HTTP/1.1 is malformed.
    if version == 1 && fields.hosts != 1 {
        return Request::reject(StatusCode::BadRequest);
    }
    let known = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    let status = if !known.contains(&method) {
        StatusCode::NotImplemented
    } else if !matches!(method, "GET" | "HEAD") {
        StatusCode::MethodNotAllowed
    } else if path(target) == "/" {
        StatusCode::Ok
    } else {
        StatusCode::NotFound
    };
    Request {
        status,
        head_only: method == "HEAD",
        // A body is not parsed, so the start of the next request is unknown.
        keep_alive: !fields.body && !fields.close && (version == 1 || fields.keep_alive),
    }
}

/// Returns the path of a request target in origin or absolute form (RFC 9112 section 3.2), without
/// query.
fn path(target: &str) -> &str {
    let target = match target.split_once("://") {
        Some((_, rest)) => rest.find(['/', '?']).and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => target,
    };
    match target.split_once('?') {
        Some(("", _)) => "/",
        Some((path, _)) => path,
        None => target,
    }
}

/// The evaluated header fields.
#[derive(Default)]
struct Fields {
    hosts: usize,
    body: bool,
    close: bool,
    keep_alive: bool,
}

impl Fields {
    fn of(headers: &[httparse::Header<'_>]) -> Self {
        let mut fields = Self::default();
        for header in headers {
            let value = header.value.trim_ascii();
            if header.name.eq_ignore_ascii_case("host") {
                fields.hosts += 1;
            } else if header.name.eq_ignore_ascii_case("content-length") {
                fields.body |= value != b"0";
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                fields.body = true;
            } else if header.name.eq_ignore_ascii_case("connection") {
                for option in value.split(|&byte| byte == b',') {
                    fields.close |= option.trim_ascii().eq_ignore_ascii_case(b"close");
                    fields.keep_alive |= option.trim_ascii().eq_ignore_ascii_case(b"keep-alive");
                }
            }
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(head: &str) -> (&'static str, bool) {
        match parse(head.as_bytes(), false) {
            Parsed::Complete(request, _) => (request.status.text(), request.keep_alive),
            Parsed::Partial => ("partial", true),
        }
    }

    #[test]
    fn parse_valid_request_is_ok() {
        for head in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /?x=1 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\nGET / HTTP/1.1\nhost:a\n\n",
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            assert_eq!(status_of(head), ("200 OK", true), "{head:?}");
        }
    }

    #[test]
    fn parse_close_or_body_ends_connection() {
        for head in [
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, Close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert_eq!(status_of(head), ("200 OK", false), "{head:?}");
        }
        assert_eq!(
            status_of("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            ("200 OK", true)
        );
    }

    #[test]
    fn parse_invalid_request_has_status() {
        for (head, status) in [
            ("GET / HTTP/1.1\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
            ("\x16\x03\x01\x02", "400"),
            ("GET /\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nHost a\r\n\r\n", "400"),
            ("GET /favicon.ico HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
            ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
            ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501"),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"),
        ] {
            assert_eq!(status_of(head).0.split(' ').next(), Some(status), "{head:?}");
        }
    }

    #[test]
    fn parse_incomplete_head_is_partial() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for len in 0..head.len() {
            assert_eq!(parse(&head[..len], false), Parsed::Partial, "{len}");
        }
        let Parsed::Complete(request, len) = parse(head, false) else {
            panic!()
        };
        assert_eq!((request.status, len), (StatusCode::Ok, head.len()));
    }

    #[test]
    fn parse_oversized_head_is_rejected() {
        let line = [b"GET /", &[b'a'; 2000][..]].concat();
        let field = [b"GET / HTTP/1.1\r\nHost: a\r\nX: ", &[b'a'; 2000][..]].concat();
        for (head, status) in [
            (line, StatusCode::UriTooLong),
            (field, StatusCode::HeaderFieldsTooLarge),
        ] {
            assert_eq!(
                parse(&head, true),
                Parsed::Complete(Request::reject(status), head.len())
            );
        }
        let many = ["GET / HTTP/1.1\r\n", &"X: y\r\n".repeat(MAX_FIELDS + 1), "\r\n"].concat();
        assert_eq!(status_of(&many), ("431 Request Header Fields Too Large", false));
    }
}
