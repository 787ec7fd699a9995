//! The program of the README.

include!("../../readme/linux_reflect.rs");

use super::pair::*;
use crate::testbed::*;

#[test]
fn reflect_is_in_readme() {
    assert!(include_str!("../../../ethdev-linux/README.md").contains(include_str!("../../readme/linux_reflect.rs")));
}

#[test]
fn reflect_returns_frames_until_the_interface_is_deleted() {
    in_namespace(|| {
        let own = near().mac_address();
        // Without an interface it ends with a message.
        main();
        let program = std::thread::spawn(|| reflect("near").map_err(|e| e.kind()));
        let mut peer = open("far");
        let sent = frame(own, peer.mac_address(), 100, 1);
        let mut buf = [0; 1518];
        let begin = std::time::Instant::now();
        // The program may not have opened its socket yet.
        let len = loop {
            peer.send_frame(&sent).expect("not sent");
            peer.wait_for(Interest::RX, Duration::from_millis(100));
            match peer.recv_frame(&mut buf).expect("far failed") {
                Some(meta) => break meta.len,
                None => assert!(begin.elapsed() < TIMEOUT, "timed out waiting for a frame"),
            }
        };
        assert_eq!(buf[..6], peer.mac_address().octets());
        assert_eq!(
            (buf[6..12].to_vec(), &buf[12..len]),
            (own.octets().to_vec(), &sent[12..])
        );
        ip("link del near");
        let ended = program.join().expect("the program failed");
        assert_eq!(ended, Err(ErrorKind::NotPresent));
    });
}
