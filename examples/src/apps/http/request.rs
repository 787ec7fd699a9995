//! From the bytes of a request head to what is to be done about it.

/// More header fields than this are refused.
const MAX_FIELDS: usize = 32;

/// What the status line of an answer says (RFC 9110 section 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusCode {
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
    pub(super) const fn text(self) -> &'static str {
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

/// A request as far as the answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) status: StatusCode,
    /// A HEAD request: the answer has no body.
    pub(super) head_only: bool,
    /// Whether another request may follow on the connection.
    pub(super) keep_alive: bool,
}

impl Request {
    /// Nothing that follows on the connection could be understood.
    const fn refuse(status: StatusCode) -> Self {
        Self {
            status,
            head_only: false,
            keep_alive: false,
        }
    }
}

/// What the bytes so far amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed {
    /// The head is not complete.
    Partial,
    /// A request whose head has this many bytes.
    Complete(Request, usize),
}

/// Looks at the start of `bytes`. `full`: there is no room for more, so that an incomplete head will never be complete.
pub(super) fn parse(bytes: &[u8], full: bool) -> Parsed {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    match head.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => Parsed::Complete(judge(&head), len),
        Ok(httparse::Status::Partial) if !full => Parsed::Partial,
        Ok(httparse::Status::Partial) if head.version.is_none() => refused(StatusCode::UriTooLong, bytes),
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            refused(StatusCode::HeaderFieldsTooLarge, bytes)
        }
        Err(httparse::Error::Version) => refused(StatusCode::VersionNotSupported, bytes),
        Err(_) => refused(StatusCode::BadRequest, bytes),
    }
}

fn refused(status: StatusCode, bytes: &[u8]) -> Parsed {
    Parsed::Complete(Request::refuse(status), bytes.len())
}

fn judge(head: &httparse::Request<'_, '_>) -> Request {
    let (Some(method), Some(target), Some(version)) = (head.method, head.path, head.version) else {
        return Request::refuse(StatusCode::BadRequest);
    };
    let fields = Fields::of(head.headers);
    // RFC 9112 section 3.2: without a Host, or with two, a request of HTTP/1.1 is malformed.
    if version == 1 && fields.hosts != 1 {
        return Request::refuse(StatusCode::BadRequest);
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
        // A body is not read: where it ends is not known then, and neither is where the next request begins.
        keep_alive: !fields.body && !fields.close && (version == 1 || fields.keep_alive),
    }
}

/// The path of a request target in origin or absolute form (RFC 9112 section 3.2), without query.
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

/// The header fields that matter.
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

    fn answer(head: &str) -> (&'static str, bool) {
        match parse(head.as_bytes(), false) {
            Parsed::Complete(request, _) => (request.status.text(), request.keep_alive),
            Parsed::Partial => ("partial", true),
        }
    }

    #[test]
    fn requests_for_the_page() {
        for head in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /?x=1 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\nGET / HTTP/1.1\nhost:a\n\n",
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            assert_eq!(answer(head), ("200 OK", true), "{head:?}");
        }
    }

    #[test]
    fn what_ends_the_connection() {
        for head in [
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, Close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert_eq!(answer(head), ("200 OK", false), "{head:?}");
        }
        assert_eq!(
            answer("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            ("200 OK", true)
        );
    }

    #[test]
    fn refusals() {
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
            assert_eq!(answer(head).0.split(' ').next(), Some(status), "{head:?}");
        }
    }

    #[test]
    fn a_head_in_pieces_is_awaited_and_then_the_same() {
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
    fn heads_that_will_never_fit() {
        let line = [b"GET /", &[b'a'; 2000][..]].concat();
        let field = [b"GET / HTTP/1.1\r\nHost: a\r\nX: ", &[b'a'; 2000][..]].concat();
        for (head, status) in [
            (line, StatusCode::UriTooLong),
            (field, StatusCode::HeaderFieldsTooLarge),
        ] {
            assert_eq!(
                parse(&head, true),
                Parsed::Complete(Request::refuse(status), head.len())
            );
        }
        let many = ["GET / HTTP/1.1\r\n", &"X: y\r\n".repeat(MAX_FIELDS + 1), "\r\n"].concat();
        assert_eq!(answer(&many), ("431 Request Header Fields Too Large", false));
    }
}
