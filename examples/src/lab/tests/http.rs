//! The web server: good requests, bad ones, and none at all.

use core::time::Duration;

use ethdev_sim::WireConfig;
use smoltcp::socket::tcp;

use super::{NODE_IP, RingWorld, in_world};
use crate::apps::http::PORT;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: node\r\n\r\n";
const LAST_GET: &[u8] = b"GET / HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n";

fn count(text: &[u8], what: &str) -> usize {
    String::from_utf8_lossy(text).matches(what).count()
}

/// Sends `request` on a connection of its own and returns all that comes back until the node closes it.
fn ask(world: &mut RingWorld<'_, '_, '_>, local_port: u16, request: &[u8]) -> String {
    let handle = world.connected(PORT, local_port);
    world.send(handle, request);
    let answer = world.recv_until(handle, |_| false);
    world.tcp(handle).close();
    String::from_utf8(answer).unwrap()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[test]
fn three_at_once_and_no_fourth() {
    in_world(WireConfig::default(), |world, _| {
        let open: Vec<_> = (0..3).map(|n| world.connected(PORT, 50_000 + n)).collect();
        let fourth = world.peer.connect(NODE_IP, PORT, 50_010).unwrap();
        world.until(Duration::from_secs(5), |peer| {
            peer.socket::<tcp::Socket<'_>>(fourth).state() == tcp::State::Closed
        });
        for &handle in &open {
            world.tcp(handle).send_slice(GET).unwrap();
        }
        for &handle in &open {
            let page = world.recv_until(handle, |got| count(got, "</html>") == 1);
            assert_eq!(status(&String::from_utf8(page).unwrap()), "200");
        }
        world.tcp(open[1]).close();
        world.settle(Duration::from_millis(100)).unwrap();
        assert_eq!(status(&ask(world, 50_011, LAST_GET)), "200");
    });
}

#[test]
fn byte_by_byte_and_all_at_once() {
    in_world(WireConfig::default(), |world, _| {
        let handle = world.connected(PORT, 50_000);
        for byte in GET {
            world.send(handle, &[*byte]);
        }
        let page = world.recv_until(handle, |got| count(got, "</html>") == 1);
        assert_eq!(count(&page, "200 OK"), 1);
        // Many different requests in one go, more than the node buffers: they are answered one after another.
        let three = [
            GET,
            b"GET /nowhere HTTP/1.1\r\nHost: node\r\n\r\n",
            b"BREW / HTTP/1.1\r\nHost: node\r\n\r\n",
        ]
        .concat();
        let many = [&three.repeat(20)[..], LAST_GET].concat();
        world.tcp(handle).send_slice(&many).unwrap();
        let answers = String::from_utf8(world.recv_until(handle, |_| false)).unwrap();
        let codes: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
        assert_eq!(codes, [&["200", "404", "501"].repeat(20)[..], &["200"]].concat());
        assert_eq!(world.node.served().http_answered, 62);
    });
}

#[test]
fn the_page_tells_what_is() {
    in_world(WireConfig::default(), |world, _| {
        world.settle(Duration::from_secs(65)).unwrap();
        let page = ask(world, 50_000, LAST_GET);
        let before = world.device.stats().rx_frames;
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
fn each_kind_of_request_has_its_answer() {
    in_world(WireConfig::default(), |world, _| {
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
            let answer = ask(world, port, request);
            assert_eq!(&status(&answer), expected, "{answer}");
            assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        }
        let head = ask(world, 50_100, b"HEAD / HTTP/1.0\r\n\r\n");
        assert!(
            head.ends_with("\r\n\r\n") && !head.contains("Content-Length: 0"),
            "{head}"
        );
        assert!(ask(world, 50_101, b"PUT / HTTP/1.0\r\n\r\n").contains("Allow: GET, HEAD\r\n"));
    });
}

#[test]
fn who_says_nothing_or_reads_nothing_is_shown_out() {
    in_world(WireConfig::default(), |world, _| {
        let silent = world.connected(PORT, 50_000);
        let halfway = world.connected(PORT, 50_001);
        world.send(halfway, b"GET / HTTP/1.1\r\nHost:");
        let deaf = world.connected(PORT, 50_002);
        // More answers than the buffers of both sides hold, and nobody reads one.
        world.tcp(deaf).send_slice(&GET.repeat(2000)).unwrap();
        for _ in 0..40 {
            world.settle(Duration::from_secs(1)).unwrap();
        }
        for handle in [silent, halfway, deaf] {
            assert_eq!(world.tcp(handle).state(), tcp::State::Closed);
        }
        for port in 50_010..50_013 {
            assert_eq!(status(&ask(world, port, LAST_GET)), "200");
        }
    });
}

#[test]
fn who_never_closes_its_half_is_shown_out() {
    in_world(WireConfig::default(), |world, _| {
        let handle = world.connected(PORT, 50_000);
        world.send(handle, LAST_GET);
        assert_eq!(count(&world.recv_until(handle, |_| false), "</html>"), 1);
        // Nothing is under way in either direction: only the server's patience ends this.
        world.until(Duration::from_secs(20), |peer| {
            peer.socket::<tcp::Socket<'_>>(handle).state() == tcp::State::Closed
        });
    });
}

#[test]
fn who_trickles_is_shown_out() {
    in_world(WireConfig::default(), |world, _| {
        let handle = world.connected(PORT, 50_000);
        world.tcp(handle).send_slice(b"GET / HTTP/1.1\r\nX: ").unwrap();
        for _ in 0..30 {
            world.settle(Duration::from_secs(1)).unwrap();
            let _ = world.tcp(handle).send_slice(b"a");
        }
        assert_eq!(world.tcp(handle).state(), tcp::State::Closed);
    });
}

#[test]
fn half_a_request_and_a_closed_half_end_quietly() {
    in_world(WireConfig::default(), |world, _| {
        for port in 50_000..50_010 {
            let handle = world.connected(PORT, port);
            world.tcp(handle).send_slice(b"GET / HT").unwrap();
            world.tcp(handle).close();
            assert_eq!(world.recv_until(handle, |_| false), b"");
        }
        // A whole one is answered, closed half or not.
        let handle = world.connected(PORT, 50_020);
        world.tcp(handle).send_slice(GET).unwrap();
        world.tcp(handle).close();
        assert_eq!(count(&world.recv_until(handle, |_| false), "</html>"), 1);
    });
}
