//! lwIP on the TAP interface, through the C API: the kernel pings it, and exchanges data over UDP
//! and TCP.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use ethdev::EthernetDevice;
use ethdev_util::Erased;
use lwip_node::{Config, LwipNode};

use crate::testbed::{DEVICE_IP, TIMEOUT, assert_ping_succeeded, in_namespace_with_ping, ping, tap0};

/// Interval of polls: the node owns the device, whose file cannot be waited for.
const POLL_INTERVAL: Duration = Duration::from_micros(200);

#[test]
fn lwip_on_tap_replies_to_ping_and_echoes() {
    in_namespace_with_ping(|| {
        let mut tap = Erased::new(tap0());
        let begin = Instant::now();
        let config = Config {
            name: c"tap",
            address: DEVICE_IP,
            prefix_len: 24,
            gateway: None,
            seed: 1,
        };
        let mut node = LwipNode::new(&config, &mut tap, Duration::ZERO).unwrap();
        let mut poll_while = |condition: &mut dyn FnMut() -> bool| {
            while condition() {
                assert!(begin.elapsed() < TIMEOUT, "timed out waiting for the peer");
                node.poll(begin.elapsed()).unwrap();
                if node.poll_at().is_none_or(|at| at > begin.elapsed()) {
                    std::thread::sleep(POLL_INTERVAL);
                }
            }
        };

        let mut child = ping("-c 3 -i 0.01 -s 1472");
        poll_while(&mut || child.try_wait().unwrap().is_none());
        assert_ping_succeeded(child);

        let client = std::thread::spawn(|| {
            let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
            socket.set_read_timeout(Some(TIMEOUT)).unwrap();
            for len in [0, 1, 1472] {
                let (datagram, mut echoed) = (vec![len as u8; len], [0; 2000]);
                socket.send_to(&datagram, (DEVICE_IP, 7)).unwrap();
                assert_eq!(socket.recv(&mut echoed).unwrap(), len);
                assert_eq!(echoed[..len], datagram);
            }
            // From an echo port: no reply.
            let echo_port = UdpSocket::bind("0.0.0.0:7").unwrap();
            echo_port.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            echo_port.send_to(b"loop", (DEVICE_IP, 7)).unwrap();
            assert!(echo_port.recv(&mut [0; 10]).is_err());
        });
        poll_while(&mut || !client.is_finished());
        client.join().unwrap();

        let client = std::thread::spawn(|| {
            let mut stream = TcpStream::connect((DEVICE_IP, 7)).unwrap();
            let data: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
            let (mut writer, sent) = (stream.try_clone().unwrap(), data.clone());
            let writing = std::thread::spawn(move || {
                writer.write_all(&sent).unwrap();
                writer.shutdown(Shutdown::Write).unwrap();
            });
            let mut returned = Vec::new();
            stream.read_to_end(&mut returned).unwrap();
            writing.join().unwrap();
            assert!(returned == data, "{} bytes returned", returned.len());
        });
        poll_while(&mut || !client.is_finished());
        client.join().unwrap();

        let stats = node.stats();
        assert_eq!((stats.lost(), stats.filter_failed), (0, 0), "{stats:?}");
        drop(node);
        assert!(tap.stats().rx_frames > 100, "{:?}", tap.stats());
    });
}
