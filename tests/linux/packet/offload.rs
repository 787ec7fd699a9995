//! What the kernel leaves to a packet socket: VLAN tags, checksums, merged frames.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Interest, RxFilter};
use ethdev_linux::PacketSocket;
use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};

use super::pair::*;
use super::sys_ignore_outgoing::IgnoreOutgoing;
use crate::testbed::*;

/// Receives frames until one has the IP protocol `protocol`, and returns it.
fn expect_packet(device: &mut PacketSocket, protocol: u8) -> Vec<u8> {
    let mut buf = [0; 1600];
    loop {
        let len = expect_frame(device, &mut buf);
        if buf[12..14] == [8, 0] && buf[23] == protocol {
            return buf[..len].to_vec();
        }
    }
}

/// Returns whether the checksum of the UDP datagram or TCP segment in an IPv4 frame is valid.
fn checksum_is_valid(frame: &[u8]) -> bool {
    let end = 14 + usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    let payload = &frame[34..end];
    let mut data = frame[26..34].to_vec();
    data.extend([0, frame[23]]);
    data.extend((payload.len() as u16).to_be_bytes());
    data.extend(payload);
    checksum(&data) == 0
}

#[test]
fn recv_frame_udp_from_kernel_has_checksum() {
    in_namespace(|| {
        let mut device = near_with_kernel();
        let socket = kernel_socket();
        for len in [0, 1, 2, 3, 17, 18, 19, 500, 1471, 1472] {
            let payload: Vec<u8> = (0..len).map(|at| (at * 7 + len) as u8).collect();
            socket.send_to(&payload, (DEVICE_IP, 7)).expect("not sent");
            let frame = expect_packet(&mut device, 17);
            assert_eq!(frame[42..42 + len], payload);
            assert!(checksum_is_valid(&frame), "{len} bytes: {frame:02x?}");
            // In two buffers.
            socket.send_to(&payload, (DEVICE_IP, 7)).expect("not sent");
            device.wait(Interest::RX, Some(TIMEOUT)).expect("near failed");
            let error = device.recv_frame(&mut [0; 21]).expect_err("buffer too small");
            assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed: 42 + len });
            assert_eq!(expect_packet(&mut device, 17)[42..], frame[42..], "{len} bytes");
        }
    });
}

#[test]
fn recv_frame_tcp_from_kernel_has_checksum() {
    in_namespace(|| {
        let mut device = near_with_kernel();
        let client = std::thread::spawn(|| {
            let address = (DEVICE_IP, 80).into();
            TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
        });
        let frame = expect_packet(&mut device, 6);
        assert!(checksum_is_valid(&frame), "{frame:02x?}");
        assert!(!client.join().expect("the client failed"), "nothing answers");
    });
}

#[test]
fn recv_frame_vlan_tag_is_kept() {
    in_namespace(|| {
        let mut a = near();
        let mut b = open("far");
        b.set_rx_filter(RxFilter::PROMISCUOUS).expect("refused");
        ip("link set near mtu 1504");
        a.recover().expect("not recovered");
        let mut buf = [0; 1600];
        // Priority 5, not eligible to drop, VLAN 291; then other types, and VLAN 0.
        for tag in [
            [0x81, 0x00, 0xa1, 0x23],
            [0x88, 0xa8, 0x0f, 0xff],
            [0x81, 0x00, 0x00, 0x00],
            [0x91, 0x00, 0x00, 0x05],
        ] {
            for len in [60, 64, 700, 1517, 1518] {
                let mut sent = frame(b.mac_address(), a.mac_address(), len, 3);
                sent.splice(12..16, tag);
                sent[16..18].copy_from_slice(&[0x88, 0xb5]);
                a.send_frame(&sent).expect("not sent");
                assert_eq!(expect_frame(&mut b, &mut buf), len);
                assert!(
                    buf[..len] == sent[..],
                    "tag {tag:02x?}, {len} bytes: {:02x?}",
                    &buf[..20]
                );
                // A buffer that holds the frame without its tag only, and one that holds less.
                for short in [len - 1, len - 4, len - 5, 15, 3, 0] {
                    a.send_frame(&sent).expect("not sent");
                    b.wait(Interest::RX, Some(TIMEOUT)).expect("far failed");
                    let error = b.recv_frame(&mut buf[..short]).expect_err("buffer too small");
                    assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed: len });
                    assert_eq!(expect_frame(&mut b, &mut buf[..len]), len);
                    assert!(buf[..len] == sent[..], "tag {tag:02x?}, {len} bytes, buffer of {short}");
                }
            }
        }
        assert_eq!(b.stats().rx_lost(), 0);
    });
}

#[test]
fn recv_frame_longer_than_limit_is_counted() {
    in_namespace(|| {
        let mut a = near();
        let mut b = open("far");
        ip("link set near mtu 9000");
        // The kernel forwards no frame that is longer than the IP MTU of the other end.
        ip("link set far mtu 9000");
        a.recover().expect("not recovered");
        let (to, from) = (b.mac_address(), a.mac_address());
        for len in [9014, 1519, 1518, 60] {
            a.send_frame(&frame(to, from, len, 5)).expect("not sent");
        }
        let mut buf = [0; 9100];
        assert_eq!(expect_frame(&mut b, &mut buf), 1518);
        assert_eq!(expect_frame(&mut b, &mut buf), 60);
        assert_eq!((b.stats().rx_bad_length, b.stats().rx_frames), (2, 2));
    });
}

/// Sends datagrams of 400 bytes as one packet, which the kernel leaves to the interface to divide.
fn send_merged(socket: &UdpSocket, datagrams: usize) {
    setsockopt(socket, UdpGsoSegment, &400).expect("no UDP segmentation");
    let payload: Vec<u8> = (0..datagrams * 400).map(|at| (at / 400) as u8).collect();
    socket.send_to(&payload, (DEVICE_IP, 7)).expect("not sent");
}

#[test]
fn recv_frame_merged_datagrams_are_counted() {
    in_namespace(|| {
        let mut device = near_with_kernel();
        let socket = kernel_socket();
        let marker = |device: &mut PacketSocket| {
            let socket = kernel_socket();
            socket.send_to(b"marker", (DEVICE_IP, 7)).expect("not sent");
            expect_packet(device, 17).len()
        };
        // Shorter than the limit, and longer: in both cases no such frame was on a wire.
        for (count, datagrams) in [(1, 3), (2, 40)] {
            send_merged(&socket, datagrams);
            assert_eq!(marker(&mut device), 48);
            assert_eq!(device.stats().rx_bad_length, count);
        }
        // As documented: the sender divides.
        ip("link set far gso_max_segs 1");
        send_merged(&socket, 3);
        for number in 0..3 {
            let frame = expect_packet(&mut device, 17);
            assert_eq!((frame.len(), frame[42]), (442, number));
            assert!(checksum_is_valid(&frame));
        }
        assert_eq!(device.stats().rx_bad_length, 2);
    });
}

/// Frames that this host sends through the interface are not received.
#[test]
fn recv_frame_outgoing_is_ignored() {
    in_namespace(|| {
        let mut device = near();
        ip("addr add 10.98.0.1/24 dev near");
        let socket = UdpSocket::bind("10.98.0.1:0").expect("no socket");
        socket.set_broadcast(true).expect("no broadcasts");
        let send = || socket.send_to(b"hello", "10.98.0.255:7").expect("not sent");
        let mut buf = [0; 1600];
        for by_type in [false, true] {
            if by_type {
                // As on kernels before 4.20, which deliver them.
                setsockopt(&device, IgnoreOutgoing, &0).expect("option not set");
            }
            let mut peer = open("far");
            let before = device.stats();
            for _ in 0..5 {
                send();
            }
            assert_eq!(expect_packet(&mut peer, 17).len(), 47);
            assert_eq!(device.recv_frame(&mut buf).expect("near failed"), None);
            assert_eq!(device.stats(), before);
        }
    });
}

#[test]
fn recv_frame_tcp_stream_is_complete() {
    use ethdev_smoltcp::{PollAt, SmoltcpDevice};
    use smoltcp::iface::{Config, Interface, SocketSet};
    use smoltcp::socket::tcp;
    use smoltcp::time::Instant;

    in_namespace(|| {
        let device = near_with_kernel();
        ip("link set far gso_max_segs 1");
        let (mut rx, mut reply) = ([0; 1518], [0; 1518]);
        let mut device = SmoltcpDevice::new(device, &mut rx, &mut reply);
        let config = Config::new(device.hardware_address());
        let mut interface = Interface::new(config, &mut device, Instant::now());
        interface.update_ip_addrs(|addresses| {
            let address = smoltcp::wire::IpCidr::new(DEVICE_IP.into(), 24);
            addresses.push(address).expect("no capacity");
        });
        let mut sockets = SocketSet::new(vec![]);
        let buffer = || tcp::SocketBuffer::new(vec![0; 32 * 1024]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        socket.listen(7).expect("not listening");
        let handle = sockets.add(socket);

        const LEN: usize = 300_000;
        let client = std::thread::spawn(|| {
            let mut stream = TcpStream::connect((DEVICE_IP, 7)).expect("not connected");
            stream.set_read_timeout(Some(TIMEOUT)).expect("no timeout");
            let mut reader = stream.try_clone().expect("not cloned");
            let sent: Vec<u8> = (0..LEN).map(|at| ((at * 31) >> 3) as u8).collect();
            let expected = sent.clone();
            let writer = std::thread::spawn(move || stream.write_all(&sent).expect("not sent"));
            let mut echoed = vec![0; LEN];
            reader.read_exact(&mut echoed).expect("no echo");
            writer.join().expect("the writer failed");
            assert!(echoed == expected);
        });
        let begin = std::time::Instant::now();
        while !client.is_finished() {
            assert!(begin.elapsed() < TIMEOUT, "timed out");
            interface.poll(Instant::now(), &mut device, &mut sockets);
            let socket = sockets.get_mut::<tcp::Socket<'_>>(handle);
            let mut data = [0; 4096];
            while socket.can_recv() && socket.send_capacity() - socket.send_queue() >= data.len() {
                let len = socket.recv_slice(&mut data).expect("not received");
                socket.send_slice(&data[..len]).expect("not sent");
            }
            if let PollAt::Wait { interest, .. } = device.poll_at(&mut interface, &sockets, Instant::now()) {
                device.inner_mut().wait_for(interest, Duration::from_millis(5));
            }
        }
        client.join().expect("the client failed");
        assert!(device.take_error().is_none());
        assert_eq!(device.inner().stats().rx_bad_length, 0);
    });
}
