//! The driver against a model of its chip, and against chips that are none.

mod garbage;
mod model;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ethdev::{Control, Doorbell, Error as _, ErrorKind, EthernetDevice, RxMeta};
use ethdev_sim::conformance::{FarEnd, Fixture, Loss, Power};
use model::{Bus, Chip};

use super::Lan9118;

struct Peer(Rc<RefCell<Chip>>);

impl FarEnd for Peer {
    fn peer_send(&mut self, frame: &[u8]) {
        self.0.borrow_mut().arrive(&ethdev_sim::fcs::append(frame));
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        self.0.borrow_mut().wire.pop_front()
    }

    fn advance(&mut self, by: Duration) {
        self.0.borrow_mut().pass(by);
    }

    /// The chip does not count what its address filter refuses.
    fn unreported(&self) -> &'static [Loss] {
        &[Loss::Filtered]
    }

    fn set_link(&mut self, up: bool) -> Power {
        self.0.borrow_mut().set_link(up);
        Ok(())
    }

    fn stall_tx(&mut self, stalled: bool) -> Power {
        self.0.borrow_mut().set_stalled(stalled);
        Ok(())
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> Power {
        self.0.borrow_mut().arrive(bytes);
        Ok(())
    }

    fn forge_rx_length(&mut self, len: usize) -> Power {
        self.0.borrow_mut().forged = Some(len);
        Ok(())
    }

    fn inject_fault(&mut self) -> Power {
        self.0.borrow_mut().break_transmitter();
        Ok(())
    }

    fn now(&self) -> Power<Duration> {
        Ok(self.0.borrow().now())
    }

    fn accesses(&self) -> Power<u64> {
        Ok(self.0.borrow().accesses)
    }

    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> Power {
        let mut chip = self.0.borrow_mut();
        let at = chip.accesses + u64::from(nth);
        chip.timed.push((at, frame.to_vec()));
        Ok(())
    }

    fn doorbell(&self) -> Power<Arc<Doorbell>> {
        Ok(Arc::clone(&self.0.borrow().doorbell))
    }
}

struct OnTheBench;

impl Fixture for OnTheBench {
    type Device = Lan9118<Bus>;
    type FarEnd = Peer;

    fn new() -> (Self::Device, Peer) {
        let chip = Rc::new(RefCell::new(Chip::new()));
        let device = Lan9118::new(Bus(Rc::clone(&chip))).expect("a chip that works");
        (device, Peer(chip))
    }
}

ethdev_sim::conformance!(lan9118, OnTheBench; control, rearm);

#[test]
fn a_fault_lasts_until_the_recovery() {
    let (mut device, mut peer) = OnTheBench::new();
    let mut frame = [0; 60];
    frame[..6].copy_from_slice(&model::ADDRESS);
    peer.inject_fault().expect("it breaks");
    assert_eq!(device.service().map_err(|e| e.kind()), Err(ErrorKind::Fault));
    assert_eq!(device.send_frame(&frame).map_err(|e| e.kind()), Err(ErrorKind::Fault));
    assert_eq!(device.recv_frame(&mut []).map_err(|e| e.kind()), Err(ErrorKind::Fault));
    device.recover().expect("it comes back");
    assert_eq!((device.stats().faults, device.stats().recoveries), (1, 1));
    device.send_frame(&frame).expect("it sends again");
    assert_eq!(peer.peer_recv().as_deref(), Some(&frame[..]));
}

#[test]
fn lengths_that_are_not_the_data_s_are_noticed() {
    let (mut device, mut peer) = OnTheBench::new();
    let mut frame = [0; 400];
    frame[..6].copy_from_slice(&model::ADDRESS);
    for forged in [300, 396, 404, 1514] {
        let before = device.stats();
        peer.forge_rx_length(forged).expect("it lies");
        peer.peer_send(&frame);
        assert_eq!(device.recv_frame(&mut [0; 1514]), Ok(None));
        assert!(device.service().expect("it works").recovered);
        peer.peer_send(&frame);
        let mut buf = [0; 1514];
        assert_eq!(device.recv_frame(&mut buf), Ok(Some(RxMeta::new(400))));
        assert_eq!(buf[..400], frame);
        let since = device.stats().since(&before);
        assert_eq!(
            (since.rx_bad_length, since.rx_frames, since.recoveries),
            (1, 1, 1),
            "forged {forged}"
        );
    }
}
