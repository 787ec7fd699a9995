//! Frames between the MAC and the cable (DS00002165B sections 3.4 and 3.8).

use core::time::Duration;

use ethdev::Speed;
use ethdev_sim::random::Rng;
use ethdev_sim::{INTER_FRAME_GAP, PREAMBLE_LEN};

use crate::context::{Effect, Timer};
use crate::phy::Phy;
use crate::registers::bmcr;
use crate::violations::ViolationKind;

/// The path of a frame of the MAC.
#[derive(Debug)]
pub(crate) enum TxPath {
    /// It goes to the cable.
    Cable(Vec<u8>),
    /// It goes nowhere else; the MAC is busy with it until then.
    Until(Duration),
}

/// The MII, or RMII.
#[derive(Debug)]
pub(crate) struct Mii {
    /// When the MAC can send next, where its frames do not reach the cable.
    idle_at: Duration,
    symbol_rng: Rng,
}

impl Mii {
    pub(crate) const fn new(symbol_rng: Rng) -> Self {
        Self {
            idle_at: Duration::ZERO,
            symbol_rng,
        }
    }

    pub(crate) const fn idle_at(&self) -> Duration {
        self.idle_at
    }

    /// The MAC sends a frame.
    pub(crate) fn transmit(&mut self, phy: &mut Phy, frame: Vec<u8>) -> TxPath {
        phy.context.stats.tx_frames += 1;
        if is_connected(phy) && phy.registers.is_loopback() {
            return TxPath::Until(self.loop_back(phy, frame));
        }
        let Some(agreement) = phy.link.agreement().copied().filter(|_| is_connected(phy)) else {
            phy.context.stats.tx_no_link += 1;
            let (speed, _) = phy.registers.forced_mode();
            return TxPath::Until(self.occupy(phy, frame.len(), speed));
        };
        if phy.registers.is_far_loopback() {
            phy.context.stats.tx_no_link += 1;
            return TxPath::Until(self.occupy(phy, frame.len(), agreement.speed));
        }
        let mac = phy.link.mac();
        let report = |phy: &mut Phy, kind| {
            let speed = mac.and_then(|mac| mac.speed);
            let duplex = mac.map(|mac| mac.duplex);
            let detail = format!("MAC {speed:?} {duplex:?}, link {:?}", agreement.mode);
            phy.context.violation(kind, detail);
        };
        if speed_differs(phy, agreement.speed) {
            phy.context.stats.tx_wrong_speed += 1;
            report(phy, ViolationKind::WrongSpeed);
            return TxPath::Until(self.occupy(phy, frame.len(), agreement.speed));
        }
        if mac.is_some_and(|mac| mac.duplex != agreement.duplex) {
            report(phy, ViolationKind::WrongDuplex);
        }
        phy.context.stats.tx_sent += 1;
        TxPath::Cable(frame)
    }

    /// Keeps the MAC busy for as long as a frame takes. Returns the end of the frame.
    fn occupy(&mut self, phy: &Phy, len: usize, phy_speed: Speed) -> Duration {
        let speed = phy.link.mac().and_then(|mac| mac.speed).unwrap_or(phy_speed);
        let time = |bytes: usize| {
            let bits = bytes as u64 * 8;
            Duration::from_nanos((bits * 1_000_000).div_ceil(u64::from(speed.kbps().max(1))))
        };
        let begins = self.idle_at.max(phy.context.now());
        let ends = begins + time(PREAMBLE_LEN + len);
        self.idle_at = ends + time(INTER_FRAME_GAP);
        ends
    }

    fn loop_back(&mut self, phy: &mut Phy, frame: Vec<u8>) -> Duration {
        let (speed, _) = phy.registers.forced_mode();
        let ends = self.occupy(phy, frame.len(), speed);
        if speed_differs(phy, speed) {
            phy.context.stats.tx_wrong_speed += 1;
        } else {
            phy.context.stats.tx_looped += 1;
            phy.context.timer_at(ends, Timer::LoopBack(frame));
        }
        ends
    }

    /// A frame came from the cable. `attached`: a MAC receives frames.
    pub(crate) fn receive(&mut self, phy: &mut Phy, frame: &[u8], attached: bool) {
        phy.context.stats.rx_frames += 1;
        let Some(agreement) = phy.link.agreement().copied().filter(|_| phy.is_running()) else {
            phy.context.stats.rx_dropped += 1;
            return;
        };
        if phy.registers.is_far_loopback() {
            phy.context.stats.far_looped += 1;
            phy.context.stats.rx_dropped += 1;
            phy.context.effect(Effect::SendBack(frame.to_vec()));
            return;
        }
        if !is_connected(phy) || phy.registers.is_loopback() || !attached {
            phy.context.stats.rx_dropped += 1;
            return;
        }
        if speed_differs(phy, agreement.speed) {
            phy.context.stats.rx_wrong_speed += 1;
            return;
        }
        let mut frame = frame.to_vec();
        let probability = phy.context.config.quirks.symbol_errors;
        if probability > 0.0 && agreement.speed == Speed::MBPS_100 && self.symbol_rng.chance(probability) {
            phy.context.stats.rx_symbol_errors += 1;
            phy.registers.secr = phy.registers.secr.wrapping_add(1);
            if !frame.is_empty() {
                let at = self.symbol_rng.below(frame.len());
                frame[at] ^= 0x11;
            }
        }
        phy.context.stats.rx_delivered += 1;
        phy.context.effect(Effect::Deliver(frame));
    }

    /// Carrier without a frame ends now; it lasted for `length`.
    pub(crate) fn false_carrier(phy: &mut Phy, length: Duration) {
        if phy.link.is_up() && is_connected(phy) {
            phy.context.effect(Effect::FalseCarrier(length));
        }
    }

    /// Invalid symbols came in `packets` packets.
    pub(crate) fn symbol_errors(phy: &mut Phy, packets: u16) {
        if phy.link.agreement().is_some_and(|a| a.speed == Speed::MBPS_100) {
            phy.registers.secr = phy.registers.secr.wrapping_add(packets);
        }
    }
}

/// Whether frames pass between the MAC and the transceiver.
fn is_connected(phy: &Phy) -> bool {
    phy.is_running() && phy.registers.bmcr & bmcr::ISOLATE == 0
}

/// Whether the MAC is set to another speed.
fn speed_differs(phy: &Phy, speed: Speed) -> bool {
    phy.link
        .mac()
        .is_some_and(|mac| mac.speed.is_some_and(|mac| mac != speed))
}
