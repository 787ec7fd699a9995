//! The fault injector.

use ethdev::{
    Capabilities, ErrorKind, ErrorType, EthernetDevice, Events, Link, MacAddress, RxMeta, Stats, validate_tx_len,
};

use super::plan::{FaultPlan, Injected, Knob};
use super::state::{Held, RxState, Shared, TxState};

/// Injects faults into any device by a seeded [`FaultPlan`], to test drivers, layers and stacks
/// above it.
///
/// Every injected fault is counted in [`injected`](Self::injected), and lost frames in
/// [`stats`](EthernetDevice::stats) too: lost received frames in `rx_error`, lost sent ones in
/// `tx_aborted`. Errors that it injects are of the kinds `Bus` and `Fault`, without a cause.
///
/// A lending device still lends. Frames to send are then written to this layer's memory and copied;
/// received frames are corrupted in place.
///
/// ```
/// use ethdev::{Error, ErrorKind, EthernetDevice, MacAddress};
/// use ethdev_sim::{Clock, FaultPlan, Faulty, RingConfig, RingNic, When, WireConfig};
///
/// let config = RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, 1]));
/// let (_wire, nic, _peer) = RingNic::with_peer(&Clock::new(), WireConfig::default(), config);
/// let mut device = Faulty::new(nic, FaultPlan::new().with_bus_error(When::Nth(1)));
/// assert_eq!(device.send_frame(&[0xff; 60]).unwrap_err().kind(), ErrorKind::Bus);
/// assert!(device.send_frame(&[0xff; 60]).is_ok());
/// assert_eq!(device.injected().bus_errors, 1);
/// ```
///
/// # Guarantees
///
/// A send after `tx_ready() == Ok(true)` is not `Busy`, cached values stay cached, illegal frames
/// are rejected, and every frame is counted. The exceptions are those of the plan: a duplicated
/// frame is delivered twice, a corrupted one differs from the sent one. The device counts the
/// copies that are sent.
///
/// A flapping link is up again after [`flap_services`](FaultPlan::flap_services) calls of
/// `service`; no interrupt reports it.
#[derive(Debug)]
pub struct Faulty<D> {
    pub(super) device: D,
    pub(super) shared: Shared,
    pub(super) rx: RxState,
    pub(super) tx: TxState,
    pub(super) link_flap: Knob,
    pub(super) flap_services: u32,
    /// Calls of `service` until the link is back.
    pub(super) flap_left: u32,
    pub(super) reported_link: Option<Link>,
    pub(super) link_changes: u32,
}

impl<D> Faulty<D> {
    /// Puts the faults in front of `device`.
    ///
    /// # Panics
    ///
    /// Where the plan has a chance that is no probability, or a count of 0.
    #[must_use]
    pub fn new(device: D, plan: FaultPlan) -> Self {
        Self {
            device,
            shared: Shared::default(),
            rx: RxState::new(&plan),
            tx: TxState::new(&plan),
            link_flap: Knob::new(plan.link_flap, plan.seed, 13),
            flap_services: plan.flap_services,
            flap_left: 0,
            reported_link: None,
            link_changes: 0,
        }
    }

    /// How often each fault has struck.
    #[must_use]
    pub fn injected(&self) -> Injected {
        self.shared.injected.get()
    }

    /// The device behind.
    pub const fn inner(&self) -> &D {
        &self.device
    }

    /// The device behind. Frames taken from it directly are not seen here.
    pub const fn inner_mut(&mut self) -> &mut D {
        &mut self.device
    }

    /// Gives the device back. Frames that are withheld are dropped.
    pub fn into_inner(self) -> D {
        self.device
    }
}

impl<D: ErrorType> ErrorType for Faulty<D> {
    type Error = D::Error;
}

impl<D: EthernetDevice> Faulty<D> {
    /// Delivers a frame that this layer keeps.
    fn recv_held(&mut self, buf: &mut [u8]) -> Option<Result<RxMeta, D::Error>> {
        let Held { data, meta, .. } = self.rx.held.front()?;
        let meta = *meta;
        Some(match buf.get_mut(..meta.len) {
            Some(place) => {
                place.copy_from_slice(data);
                self.rx.let_go(true);
                Ok(meta)
            }
            None => Err(ErrorKind::BufferTooSmall { needed: meta.len }.into()),
        })
    }
}

impl<D: EthernetDevice> EthernetDevice for Faulty<D> {
    fn mac_address(&self) -> MacAddress {
        self.device.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    fn link(&self) -> Link {
        if self.shared.link_forced_down.get() {
            Link::Down
        } else {
            self.device.link()
        }
    }

    fn stats(&self) -> Stats {
        let mut stats = self.device.stats().delta_since(&self.rx.less);
        stats.faults = stats.faults.wrapping_add(self.shared.faults.get());
        stats.link_changes = stats.link_changes.wrapping_add(self.link_changes);
        stats.wrapping_add(&self.rx.more).wrapping_add(&self.tx.more)
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        self.shared.enter(&mut self.rx.bus)?;
        loop {
            if let Some(held) = self.recv_held(buf) {
                return held.map(Some);
            }
            let Some(mut meta) = self.device.recv_frame(buf)? else {
                return Ok(None);
            };
            let decided = self.rx.faults.take();
            let faults = decided.unwrap_or_else(|| self.rx.decide());
            if faults.lost {
                self.rx.less.count_rx(meta.len);
                self.rx.count_lost(&self.shared);
                continue;
            }
            let Some(frame) = buf.get_mut(..meta.len) else {
                return Ok(Some(meta));
            };
            let counted_len = meta.len;
            meta.len = match self.rx.cut_to.take() {
                // Truncated before, when it was lent.
                Some(len) => len,
                None => self.rx.apply(faults, frame, &self.shared),
            };
            let frame = &frame[..meta.len];
            if faults.withheld {
                self.rx.withhold(frame, meta, counted_len, &self.shared);
            }
            if faults.duplicated {
                self.rx.hold_copy(frame, meta, &self.shared);
            }
            if faults.withheld {
                return Ok(None);
            }
            // The reader has fewer bytes of it than the device has counted.
            self.rx.less.count_rx(counted_len);
            self.rx.more.count_rx(meta.len);
            return Ok(Some(meta));
        }
    }

    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        self.shared.enter(&mut self.rx.bus)?;
        if !self.rx.held.is_empty() {
            self.rx.let_go(false);
            return Ok(true);
        }
        self.rx.faults = None;
        self.rx.cut_to = None;
        self.device.discard_frame()
    }

    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        self.shared.enter(&mut self.tx.bus)?;
        if self.shared.link_forced_down.get() {
            return Ok(self.tx.promise(false));
        }
        let ready = self.device.tx_ready()?;
        let refused = ready && self.tx.refuses(&self.shared);
        Ok(self.tx.promise(ready && !refused))
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.shared.enter(&mut self.tx.bus)?;
        // A frame that the device itself would reject is not an opportunity for a loss. The device
        // is polled first: its own fault takes precedence.
        let ready = self.device.tx_ready()?;
        validate_tx_len(parts, self.device.tx_max_frame_len())?;
        if self.shared.link_forced_down.get() {
            return Err(ErrorKind::LinkDown.into());
        }
        if ready && self.tx.refuses_send(&self.shared) {
            return Err(ErrorKind::Busy.into());
        }
        if ready && self.tx.loss.strikes() {
            self.tx.count_lost(&self.shared);
            return Ok(());
        }
        let corrupted;
        let mut parts = parts;
        let whole: [&[u8]; 1];
        let mut flipped = false;
        if ready && self.tx.corruption.strikes() {
            let mut frame = parts.concat();
            flipped = self.tx.corruption.flip(&mut frame);
            corrupted = frame;
            whole = [&corrupted];
            parts = &whole;
        }
        self.device.send_vectored(parts)?;
        if flipped {
            self.shared.count(|injected| injected.tx_corrupted += 1);
        }
        if self.tx.duplication.strikes() && self.device.send_vectored(parts).is_ok() {
            self.shared.count(|injected| injected.tx_duplicated += 1);
        }
        Ok(())
    }

    fn service(&mut self) -> Result<Events, Self::Error> {
        self.shared.enter(&mut self.rx.bus)?;
        let reported = self.reported_link.unwrap_or_else(|| self.link());
        let mut events = self.device.service()?;
        if self.flap_left > 0 {
            self.flap_left -= 1;
            if self.flap_left == 0 {
                self.shared.link_forced_down.set(false);
                self.link_changes = self.link_changes.wrapping_add(1);
            }
        } else if self.device.link().is_up() && self.link_flap.strikes() {
            self.flap_left = self.flap_services;
            self.shared.link_forced_down.set(true);
            self.link_changes = self.link_changes.wrapping_add(1);
            self.shared.count(|injected| injected.link_flaps += 1);
        }
        let link = self.link();
        self.reported_link = Some(link);
        events.link_changed = link != reported;
        events.tx_ready = events.tx_ready && !self.shared.link_forced_down.get();
        events.tx_ready = events.tx_ready && !self.tx.refuses(&self.shared);
        self.tx.promise(events.tx_ready);
        events.rx_pending |= !self.rx.held.is_empty();
        Ok(events)
    }
}
