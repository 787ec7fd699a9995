//! The order of calls where it matters for timing.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use ethdev::{Control, ErrorKind, EthernetDevice};
use ethdev_rmii::{Received, RxPort, SoftMac};

use crate::mock::{NoPhy, OWN, frame, stopped, with_fcs};

type Notes = Rc<RefCell<Vec<&'static str>>>;

/// A buffer that records accesses.
struct RecordedBuffer(Vec<u8>, Notes);

impl AsMut<[u8]> for RecordedBuffer {
    fn as_mut(&mut self) -> &mut [u8] {
        self.1.borrow_mut().push("access");
        &mut self.0
    }
}

/// Takes one buffer at a time, and the next one only after the last one was returned.
struct Rx {
    armed: Option<RecordedBuffer>,
    filled: Rc<RefCell<VecDeque<Vec<u8>>>>,
    notes: Notes,
}

impl RxPort for Rx {
    type Buffer = RecordedBuffer;
    type Error = ErrorKind;

    fn has_capacity(&mut self) -> bool {
        self.armed.is_none()
    }

    fn start(&mut self, buffer: RecordedBuffer) -> Result<(), RecordedBuffer> {
        self.notes.borrow_mut().push("armed");
        self.armed = Some(buffer);
        Ok(())
    }

    fn done(&mut self) -> Result<Option<Received<RecordedBuffer>>, ErrorKind> {
        let Some(bytes) = self.filled.borrow_mut().pop_front() else {
            return Ok(None);
        };
        self.notes.borrow_mut().push("done");
        let mut buffer = self.armed.take().unwrap();
        buffer.0[..bytes.len()].copy_from_slice(&bytes);
        Ok(Some(Received::new(buffer, bytes.len())))
    }

    fn stop(&mut self) -> Option<RecordedBuffer> {
        self.armed.take()
    }
}

/// Checking an FCS takes longer than the gap between two frames.
#[test]
fn recv_frame_port_refilled_before_frame_is_checked() {
    let notes = Notes::default();
    let filled = Rc::new(RefCell::new(VecDeque::new()));
    let rx = Rx {
        armed: None,
        filled: filled.clone(),
        notes: notes.clone(),
    };
    // The transmit port is not used.
    let parts = stopped(1).0.release();
    let buffers = [(); 2].map(|()| RecordedBuffer(vec![0; 1536], notes.clone()));
    let clock = || Duration::ZERO;
    let mut nic = SoftMac::<_, _, _, _, 2, 2>::new(
        (rx, parts.tx),
        NoPhy,
        clock,
        OWN,
        buffers,
        parts.tx_buffers.map(Option::unwrap),
    )
    .unwrap();
    nic.start().unwrap();
    notes.borrow_mut().clear();
    for bytes in [with_fcs(&frame(60, 0)), vec![], vec![0; 100], with_fcs(&frame(60, 1))] {
        filled.borrow_mut().push_back(bytes);
        let mut buf = [0; 1518];
        let received = nic.recv_frame(&mut buf).unwrap();
        let notes = notes.take();
        assert_eq!(notes[..3], ["done", "armed", "access"], "{received:?}");
    }
    assert_eq!(nic.stats().rx_frames, 2);
}
