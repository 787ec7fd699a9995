//! In which order the driver does things, where time is what counts.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use ethdev::{Control, ErrorKind, EthernetDevice};
use ethdev_rmii::{Received, RxPort, SoftMac};

use crate::line::{Nobody, OWN, frame, sealed, stopped};

type Notes = Rc<RefCell<Vec<&'static str>>>;

/// A buffer that writes down when somebody looks into it.
struct Watched(Vec<u8>, Notes);

impl AsMut<[u8]> for Watched {
    fn as_mut(&mut self) -> &mut [u8] {
        self.1.borrow_mut().push("look");
        &mut self.0
    }
}

/// One buffer at a time, and no room before the last one was taken.
struct Rx {
    armed: Option<Watched>,
    filled: Rc<RefCell<VecDeque<Vec<u8>>>>,
    notes: Notes,
}

impl RxPort for Rx {
    type Buffer = Watched;
    type Error = ErrorKind;

    fn has_room(&mut self) -> bool {
        self.armed.is_none()
    }

    fn start(&mut self, buffer: Watched) -> Result<(), Watched> {
        self.notes.borrow_mut().push("armed");
        self.armed = Some(buffer);
        Ok(())
    }

    fn done(&mut self) -> Result<Option<Received<Watched>>, ErrorKind> {
        let Some(bytes) = self.filled.borrow_mut().pop_front() else {
            return Ok(None);
        };
        self.notes.borrow_mut().push("done");
        let mut buffer = self.armed.take().unwrap();
        buffer.0[..bytes.len()].copy_from_slice(&bytes);
        Ok(Some(Received::new(buffer, bytes.len())))
    }

    fn stop(&mut self) -> Option<Watched> {
        self.armed.take()
    }
}

/// To check an FCS takes longer than the gap between two frames.
#[test]
fn the_port_has_its_next_buffer_before_anybody_looks_into_the_last() {
    let notes = Notes::default();
    let filled = Rc::new(RefCell::new(VecDeque::new()));
    let rx = Rx {
        armed: None,
        filled: filled.clone(),
        notes: notes.clone(),
    };
    // The sending half is another test's.
    let parts = stopped(1).0.release();
    let buffers = [(); 2].map(|()| Watched(vec![0; 1536], notes.clone()));
    let clock = || Duration::ZERO;
    let mut nic = SoftMac::<_, _, _, _, 2, 2>::new(
        (rx, parts.tx),
        Nobody,
        clock,
        OWN,
        buffers,
        parts.tx_buffers.map(Option::unwrap),
    )
    .unwrap();
    nic.start().unwrap();
    notes.borrow_mut().clear();
    for bytes in [sealed(&frame(60, 0)), vec![], vec![0; 100], sealed(&frame(60, 1))] {
        filled.borrow_mut().push_back(bytes);
        let mut buf = [0; 1518];
        let received = nic.recv_frame(&mut buf).unwrap();
        let notes = notes.take();
        assert_eq!(notes[..3], ["done", "armed", "look"], "{received:?}");
    }
    assert_eq!(nic.stats().rx_frames, 2);
}
