//! The web server: valid, invalid and missing requests.

use core::time::Duration;

use ethdev_sim::WireConfig;
use smoltcp::socket::tcp;

use super::{NODE_IP, RingSimulation, simulate};
use crate::apps::http::PORT;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: node\r\n\r\n";
const LAST_GET: &[u8] = b"GET / HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n";

fn count(text: &[u8], what: &str) -> usize {
    String::from_utf8_lossy(text).matches(what).count()
}

/// Sends `request` on a new connection. Returns the bytes received until the node closes it.
fn fetch(sim: &mut RingSimulation<'_, '_, '_>, local_port: u16, request: &[u8]) -> String {
    let handle = sim.connect(PORT, local_port);
    sim.send(handle, request);
    let response = sim.recv_until(handle, |_| false);
    sim.tcp(handle).close();
    String::from_utf8(response).unwrap()
}

fn status(response: &str) -> &str {
    response.split(' ').nth(1).unwrap_or("none")
}

#[test]
fn fourth_connection_is_reset() {
    simulate(WireConfig::default(), |sim, _| {
        let open: Vec<_> = (0..3).map(|n| sim.connect(PORT, 50_000 + n)).collect();
        let fourth = sim.peer.connect(NODE_IP, PORT, 50_010).unwrap();
        sim.until(Duration::from_secs(5), |peer| {
            peer.socket::<tcp::Socket<'_>>(fourth).state() == tcp::State::Closed
        });
        for &handle in &open {
            sim.tcp(handle).send_slice(GET).unwrap();
        }
        for &handle in &open {
            let page = sim.recv_until(handle, |got| count(got, "</html>") == 1);
            assert_eq!(status(&String::from_utf8(page).unwrap()), "200");
        }
        sim.tcp(open[1]).close();
        sim.settle(Duration::from_millis(100)).unwrap();
        assert_eq!(status(&fetch(sim, 50_011, LAST_GET)), "200");
    });
}

#[test]
fn request_byte_by_byte_and_pipelined_is_answered() {
    simulate(WireConfig::default(), |sim, _| {
        let handle = sim.connect(PORT, 50_000);
        for byte in GET {
            sim.send(handle, &[*byte]);
        }
        let page = sim.recv_until(handle, |got| count(got, "</html>") == 1);
        assert_eq!(count(&page, "200 OK"), 1);
        // More pipelined requests than the node buffers: they are answered in sequence.
        let three = [
            GET,
            b"GET /nowhere HTTP/1.1\r\nHost: node\r\n\r\n",
            b"BREW / HTTP/1.1\r\nHost: node\r\n\r\n",
        ]
        .concat();
        let many = [&three.repeat(20)[..], LAST_GET].concat();
        sim.tcp(handle).send_slice(&many).unwrap();
        let answers = String::from_utf8(sim.recv_until(handle, |_| false)).unwrap();
        let codes: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
        assert_eq!(codes, [&["200", "404", "501"].repeat(20)[..], &["200"]].concat());
        assert_eq!(sim.host.node.served().http_answered, 62);
    });
}

#[test]
fn page_contains_current_status() {
    simulate(WireConfig::default(), |sim, _| {
        sim.settle(Duration::from_secs(65)).unwrap();
        let page = fetch(sim, 50_000, LAST_GET);
        let before = sim.host.device.stats().rx_frames;
        for part in [
            "up 100 Mbit/s full duplex",
            "02:00:00:00:00:01",
            "00:01:05",
            "<title>test</title>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let row = page.lines().find(|line| line.contains("rx_frames")).unwrap();
        let digits: String = row.chars().filter(char::is_ascii_digit).collect();
        let shown: u32 = digits.parse().unwrap();
        assert!(shown > 0 && shown <= before, "{row}");
    });
}

#[test]
fn request_kinds_have_status() {
    simulate(WireConfig::default(), |sim, _| {
        let long_line = [b"GET /", &[b'a'; 5000][..]].concat();
        let long_field = [&GET[..GET.len() - 2], b"X: ", &[b'a'; 5000]].concat();
        let body = [
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n",
            &[b'a'; 30_000][..],
        ]
        .concat();
        let cases: &[(&[u8], &str)] = &[
            (LAST_GET, "200"),
            (b"GET / HTTP/1.0\r\n\r\n", "200"),
            (b"GET / HTTP/1.1\r\n\r\n", "400"),
            (b"HEAD / HTTP/1.0\r\n\r\n", "200"),
            (b"GET /x HTTP/1.0\r\n\r\n", "404"),
            (b"POST / HTTP/1.0\r\n\r\n", "405"),
            (b"BREW / HTTP/1.0\r\n\r\n", "501"),
            (b"GET / HTTP/3.0\r\n\r\n", "505"),
            (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1", "400"),
            (&long_line, "414"),
            (&long_field, "431"),
            (&[0; 3000], "400"),
            (&body, "200"),
        ];
        for (port, (request, expected)) in (50_000..).zip(cases) {
            let answer = fetch(sim, port, request);
            assert_eq!(&status(&answer), expected, "{answer}");
            assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        }
        let head = fetch(sim, 50_100, b"HEAD / HTTP/1.0\r\n\r\n");
        assert!(
            head.ends_with("\r\n\r\n") && !head.contains("Content-Length: 0"),
            "{head}"
        );
        assert!(fetch(sim, 50_101, b"PUT / HTTP/1.0\r\n\r\n").contains("Allow: GET, HEAD\r\n"));
    });
}

#[test]
fn connection_without_progress_is_aborted() {
    simulate(WireConfig::default(), |sim, _| {
        let silent = sim.connect(PORT, 50_000);
        let halfway = sim.connect(PORT, 50_001);
        sim.send(halfway, b"GET / HTTP/1.1\r\nHost:");
        let unread = sim.connect(PORT, 50_002);
        // More responses than the buffers of both ends hold, and none is read.
        sim.tcp(unread).send_slice(&GET.repeat(2000)).unwrap();
        for _ in 0..40 {
            sim.settle(Duration::from_secs(1)).unwrap();
        }
        for handle in [silent, halfway, unread] {
            assert_eq!(sim.tcp(handle).state(), tcp::State::Closed);
        }
        for port in 50_010..50_013 {
            assert_eq!(status(&fetch(sim, port, LAST_GET)), "200");
        }
    });
}

#[test]
fn connection_half_closed_times_out() {
    simulate(WireConfig::default(), |sim, _| {
        let handle = sim.connect(PORT, 50_000);
        sim.send(handle, LAST_GET);
        assert_eq!(count(&sim.recv_until(handle, |_| false), "</html>"), 1);
        // No segment is in flight: only the timeout of the server ends the connection.
        sim.until(Duration::from_secs(20), |peer| {
            peer.socket::<tcp::Socket<'_>>(handle).state() == tcp::State::Closed
        });
    });
}

#[test]
fn request_too_slow_is_aborted() {
    simulate(WireConfig::default(), |sim, _| {
        let handle = sim.connect(PORT, 50_000);
        sim.tcp(handle).send_slice(b"GET / HTTP/1.1\r\nX: ").unwrap();
        for _ in 0..30 {
            sim.settle(Duration::from_secs(1)).unwrap();
            let _ = sim.tcp(handle).send_slice(b"a");
        }
        assert_eq!(sim.tcp(handle).state(), tcp::State::Closed);
    });
}

#[test]
fn request_incomplete_and_half_closed_ends_without_response() {
    simulate(WireConfig::default(), |sim, _| {
        for port in 50_000..50_010 {
            let handle = sim.connect(PORT, port);
            sim.tcp(handle).send_slice(b"GET / HT").unwrap();
            sim.tcp(handle).close();
            assert_eq!(sim.recv_until(handle, |_| false), b"");
        }
        // A complete request is answered although the peer closed its half.
        let handle = sim.connect(PORT, 50_020);
        sim.tcp(handle).send_slice(GET).unwrap();
        sim.tcp(handle).close();
        assert_eq!(count(&sim.recv_until(handle, |_| false), "</html>"), 1);
    });
}
