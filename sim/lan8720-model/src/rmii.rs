//! The RMII, or MII, for models of MACs.

use core::fmt;
use core::time::Duration;
use std::rc::Rc;

use ethdev::{Duplex, Link, Speed};
use ethdev_sim::{Clock, LinkWatcher, MediaSide, Receiver};

use crate::link::MacMode;
use crate::mii::TxPath;
use crate::model::{Cell, Model};

/// The RMII (or MII) of a PHY, for the model of a MAC.
///
/// The PHY passes frames on as they are: FCS and length are up to the MACs. Clones are the same
/// interface.
#[derive(Clone)]
pub struct Rmii(Rc<Cell>);

impl Rmii {
    pub(crate) fn new(cell: &Rc<Cell>) -> Self {
        Self(cell.clone())
    }

    fn set_mac(&self, speed: Option<Speed>, duplex: Duplex) {
        self.0.with(|model| model.phy.set_mac(MacMode { speed, duplex }));
    }
}

impl fmt::Debug for Rmii {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rmii")
            .field("link", &self.link())
            .finish_non_exhaustive()
    }
}

impl MediaSide for Rmii {
    fn clock(&self) -> Clock {
        self.0.clock().clone()
    }

    fn link(&self) -> Link {
        let model = self.0.model();
        model
            .phy
            .link
            .agreement()
            .map_or(Link::Down, |agreement| Link::Up(agreement.mode))
    }

    fn is_clocked(&self) -> bool {
        self.0.model().phy.clocks_mac()
    }

    fn set_mac_mode(&self, speed: Speed, duplex: Duplex) {
        self.set_mac(Some(speed), duplex);
    }

    fn set_mac_duplex(&self, duplex: Duplex) {
        self.set_mac(None, duplex);
    }

    fn transmit(&self, frame_with_fcs: Vec<u8>) -> Duration {
        match self.0.with(|model: &mut Model| model.transmit(frame_with_fcs)) {
            TxPath::Cable(frame) => self.0.port.transmit(frame),
            TxPath::Until(end) => end,
        }
    }

    fn idle_at(&self) -> Duration {
        let local = self.0.model().mii.idle_at();
        self.0.port.idle_at().max(local)
    }

    fn break_off(&self) {
        self.0.port.break_off();
    }

    fn incoming_since(&self) -> Option<Duration> {
        self.0.port.incoming_since().filter(|_| self.link().is_up())
    }

    fn on_receive(&self, mut receiver: Receiver) {
        self.0.receiver.set(Box::new(move |frame| receiver(&frame)));
    }

    fn on_link_change(&self, watcher: LinkWatcher) {
        self.0.link_watcher.set(watcher);
    }

    fn on_false_carrier(&self, watcher: Box<dyn FnMut(Duration)>) {
        self.0.false_carrier.set(watcher);
    }
}
