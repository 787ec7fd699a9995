//! The ARP and ping responder: whatever frame comes in, what goes out is a legal frame to the one who asked.
#![no_main]

use core::net::Ipv4Addr;

use ethdev::{ErrorKind, FrameHandler, MacAddress, RxFrame, RxMeta, Transmit, frame};
use ethdev_examples::apps::responder::Responder;
use ethdev_fuzz::MAC;

struct Wire(Vec<Vec<u8>>);

impl Transmit for Wire {
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
    let question = memory.clone();
    let mut wire = Wire(Vec::new());
    let mut responder = Responder::new(Ipv4Addr::new(10, 0, 0, 1));
    let len = memory.len();
    if let Some(frame) = RxFrame::new(&mut memory, RxMeta::new(len)) {
        responder.on_frame(frame, &mut wire);
    }
    assert!(wire.0.len() <= 1, "one question, one answer");
    for answer in wire.0 {
        let header = frame::Header::parse(&answer).expect("an answer has a header");
        let asked = frame::Header::parse(&question).expect("what has no header is not answered");
        assert_eq!((header.source, header.destination), (MAC, asked.source));
        assert!(
            answer.len() <= question.len().max(frame::MIN_FRAME_LEN),
            "an answer is no amplifier"
        );
    }
});
