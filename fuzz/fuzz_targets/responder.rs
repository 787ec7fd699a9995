//! The ARP and ping responder: for any received frame, at most one valid reply to its sender, no
//! longer than the frame.
#![no_main]

use core::net::Ipv4Addr;

use ethdev::{ErrorKind, FrameHandler, MacAddress, RxFrame, RxMeta, Transmit, frame};
use ethdev_examples::apps::responder::Responder;
use ethdev_fuzz::MAC;

struct Sent(Vec<Vec<u8>>);

impl Transmit for Sent {
    type Error = ErrorKind;

    fn mac_address(&self) -> MacAddress {
        MAC
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        self.0.push(parts.concat());
        Ok(())
    }
}

libfuzzer_sys::fuzz_target!(|bytes: Vec<u8>| {
    let mut memory = bytes;
    let request = memory.clone();
    let mut sent = Sent(Vec::new());
    let mut responder = Responder::new(Ipv4Addr::new(10, 0, 0, 1));
    let len = memory.len();
    if let Some(frame) = RxFrame::new(&mut memory, RxMeta::new(len)) {
        responder.on_frame(frame, &mut sent);
    }
    assert!(sent.0.len() <= 1, "more than one reply");
    for reply in sent.0 {
        let header = frame::Header::parse(&reply).expect("the reply has a header");
        let requester = frame::Header::parse(&request)
            .expect("a reply to a frame without a header")
            .source;
        assert_eq!((header.source, header.destination), (MAC, requester));
        assert!(
            reply.len() <= request.len().max(frame::MIN_FRAME_LEN),
            "reply longer than the request"
        );
    }
});
