//! The RMII of the PHY: frames between the MAC and the cable (DS00002165B sections 3.4 and 3.8).

use core::fmt;
use core::time::Duration;
use std::rc::Rc;

use ethdev::{Duplex, Link, Speed};

use super::ViolationKind;
use super::hardware::{Effect, Model, Shared};
use super::registers::{bmcr, mcsr};
use ethdev_sim::{Clock, INTER_FRAME_GAP, LinkWatcher, MediaSide, PREAMBLE_LEN, Receiver};

/// The RMII (or MII) of a PHY, for a model of a MAC to be attached to.
///
/// The PHY does not look into frames: their FCS and their length are the MACs' business. Clones are the same interface.
#[derive(Clone)]
pub struct Rmii(pub(super) Rc<Shared>);

impl fmt::Debug for Rmii {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rmii")
            .field("link", &self.link())
            .finish_non_exhaustive()
    }
}

impl MediaSide for Rmii {
    fn clock(&self) -> Clock {
        self.0.clock.clone()
    }

    fn link(&self) -> Link {
        let phy = self.0.core.borrow();
        phy.link
            .agreement()
            .map_or(Link::Down, |agreement| Link::Up(agreement.mode))
    }

    fn is_clocked(&self) -> bool {
        self.0.core.borrow().is_clocked()
    }

    fn set_mac_mode(&self, speed: Speed, duplex: Duplex) {
        self.0.with(|phy| {
            phy.mac = Some((Some(speed), duplex));
            phy.duplex_follows();
        });
    }

    fn set_mac_duplex(&self, duplex: Duplex) {
        self.0.with(|phy| {
            phy.mac = Some((None, duplex));
            phy.duplex_follows();
        });
    }

    fn transmit(&self, frame_with_fcs: Vec<u8>) -> Duration {
        self.0.with(|phy| phy.transmit(frame_with_fcs))
    }

    fn idle_at(&self) -> Duration {
        let local = self.0.core.borrow().idle_at;
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

impl Model {
    /// Whether the MAC has a clock: held in reset, a PHY that is to make it does not.
    fn is_clocked(&self) -> bool {
        if self.config.straps.ref_clk_out {
            self.is_powered()
        } else {
            self.has_ref_clk()
        }
    }

    const fn is_far_loopback(&self) -> bool {
        self.registers.mcsr & mcsr::FARLOOPBACK != 0
    }

    /// Near-end loopback; it needs a forced mode.
    const fn is_loopback(&self) -> bool {
        self.registers.bmcr & bmcr::LOOPBACK != 0 && !self.is_negotiating()
    }

    /// Whether frames pass between the MAC and the PHY's inside.
    fn is_connected(&self) -> bool {
        self.is_running() && self.registers.bmcr & bmcr::ISOLATE == 0
    }

    /// Whether the MAC is set to another speed.
    fn speed_differs(&self, speed: Speed) -> bool {
        self.mac.is_some_and(|(mac, _)| mac.is_some_and(|mac| mac != speed))
    }

    /// The MAC sends a frame; the time of its last bit.
    fn transmit(&mut self, frame: Vec<u8>) -> Duration {
        self.stats.tx_frames += 1;
        if self.is_connected() && self.is_loopback() {
            return self.loop_back(frame);
        }
        let Some(agreement) = self.link.agreement().copied().filter(|_| self.is_connected()) else {
            self.stats.tx_no_link += 1;
            return self.occupy(frame.len(), self.forced().0);
        };
        if self.is_far_loopback() {
            self.stats.tx_no_link += 1;
            return self.occupy(frame.len(), agreement.speed);
        }
        if self.speed_differs(agreement.speed) {
            self.stats.tx_wrong_speed += 1;
            self.violation(
                ViolationKind::WrongSpeed,
                format!("the MAC is set to {:?}, the link is {:?}", self.mac, agreement.mode),
            );
            return self.occupy(frame.len(), agreement.speed);
        }
        if self.mac.is_some_and(|(_, duplex)| duplex != agreement.duplex) {
            self.violation(
                ViolationKind::WrongDuplex,
                format!("the MAC is set to {:?}, the link is {:?}", self.mac, agreement.mode),
            );
        }
        self.stats.tx_sent += 1;
        self.on_port(|port| port.transmit(frame)).unwrap_or_default()
    }

    /// The MAC is busy for as long as a frame takes, and nothing gets out.
    fn occupy(&mut self, len: usize, phy_speed: Speed) -> Duration {
        let speed = self.mac.and_then(|(speed, _)| speed).unwrap_or(phy_speed);
        let time = |bytes: usize| {
            let bits = bytes as u64 * 8;
            Duration::from_nanos((bits * 1_000_000).div_ceil(u64::from(speed.kbps().max(1))))
        };
        let begins = self.idle_at.max(self.now());
        let ends = begins + time(PREAMBLE_LEN + len);
        self.idle_at = ends + time(INTER_FRAME_GAP);
        ends
    }

    fn loop_back(&mut self, frame: Vec<u8>) -> Duration {
        let (speed, _) = self.forced();
        let ends = self.occupy(frame.len(), speed);
        if self.speed_differs(speed) {
            self.stats.tx_wrong_speed += 1;
        } else {
            self.stats.tx_looped += 1;
            self.after(ends - self.now(), move |phy| phy.effect(Effect::Deliver(frame)));
        }
        ends
    }

    /// A frame came from the cable.
    pub(super) fn receive(&mut self, frame: &[u8]) {
        self.stats.rx_frames += 1;
        let Some(agreement) = self.link.agreement().copied().filter(|_| self.is_running()) else {
            self.stats.rx_unheard += 1;
            return;
        };
        if self.is_far_loopback() {
            self.stats.far_looped += 1;
            self.stats.rx_unheard += 1;
            self.on_port(|port| port.transmit(frame));
            return;
        }
        let listened = self.me.upgrade().is_some_and(|shared| shared.receiver.is_set());
        if !self.is_connected() || self.is_loopback() || !listened {
            self.stats.rx_unheard += 1;
            return;
        }
        if self.speed_differs(agreement.speed) {
            self.stats.rx_wrong_speed += 1;
            return;
        }
        let mut frame = frame.to_vec();
        let odds = self.config.flaws.symbol_errors;
        if odds > 0.0 && agreement.speed == Speed::MBPS_100 && self.rng.symbol.chance(odds) {
            self.stats.rx_symbol_errors += 1;
            self.registers.secr = self.registers.secr.wrapping_add(1);
            if let Some(len) = core::num::NonZeroUsize::new(frame.len()) {
                let at = self.rng.symbol.below(len.get());
                frame[at] ^= 0x11;
            }
        }
        self.stats.rx_delivered += 1;
        self.effect(Effect::Deliver(frame));
    }

    /// Carrier without a frame ends now; it lasted for `length`.
    pub(super) fn false_carrier(&mut self, length: Duration) {
        if self.link.is_up() && self.is_connected() {
            self.effect(Effect::FalseCarrier(length));
        }
    }

    /// Symbols that are none came in, in `packets` packets.
    pub(super) fn symbol_errors(&mut self, packets: u16) {
        if self.link.agreement().is_some_and(|a| a.speed == Speed::MBPS_100) {
            self.registers.secr = self.registers.secr.wrapping_add(packets);
        }
    }
}
