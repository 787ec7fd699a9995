//! How a ring NIC is built.

use core::fmt;
use core::ops::Deref;
use std::rc::Rc;

use ethdev::{MacAddress, MaxFrameLen};
use ethdev_util::IrqSignal;

/// How a [`RingNic`](super::RingNic) is built.
#[derive(Clone)]
#[non_exhaustive]
pub struct RingConfig {
    /// The address burnt in.
    pub mac_address: MacAddress,
    /// Receive descriptors: frames that wait for the host before the chip overruns.
    pub rx_slots: usize,
    /// Transmit descriptors: frames that the chip accepts before it is busy.
    pub tx_slots: usize,
    /// Longest frame both ways, without FCS.
    pub max_frame_len: MaxFrameLen,
    /// Whether the device is started on construction.
    pub started: bool,
    /// What the interrupt line does to the host.
    pub interrupt: Option<Rc<dyn Fn()>>,
    /// When it does.
    pub trigger: Trigger,
}

/// When the device causes an interrupt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trigger {
    /// On an event while its source is unmasked. Events before the unmasking cause no interrupt, so
    /// a host that unmasks without checking again misses them. The default, because it is the
    /// stricter one.
    #[default]
    Edge,
    /// Also when a source is unmasked whose event is pending.
    Level,
}

impl RingConfig {
    /// 16 descriptors each way, 1514-byte frames, started, no interrupt line.
    #[must_use]
    pub const fn new(mac_address: MacAddress) -> Self {
        Self {
            mac_address,
            rx_slots: 16,
            tx_slots: 16,
            max_frame_len: MaxFrameLen::ETHERNET,
            started: true,
            interrupt: None,
            trigger: Trigger::Edge,
        }
    }

    /// Sets the numbers of descriptors.
    #[must_use]
    pub const fn with_slots(mut self, rx: usize, tx: usize) -> Self {
        self.rx_slots = rx;
        self.tx_slots = tx;
        self
    }

    /// Sets the longest frame.
    #[must_use]
    pub const fn with_max_frame_len(mut self, len: MaxFrameLen) -> Self {
        self.max_frame_len = len;
        self
    }

    /// Sets whether the device is started on construction.
    #[must_use]
    pub const fn with_started(mut self, started: bool) -> Self {
        self.started = started;
        self
    }

    /// Sets what the interrupt calls. It must not use the device: an interrupt handler only
    /// signals.
    #[must_use]
    pub fn with_interrupt(mut self, handler: Rc<dyn Fn()>) -> Self {
        self.interrupt = Some(handler);
        self
    }

    /// Sets the signal that the interrupt signals: a `&'static IrqSignal` or an `Rc<IrqSignal>`.
    ///
    /// ```
    /// use ethdev_util::{IrqSignal, asynch::BlockingAsync};
    /// use ethdev::MacAddress;
    /// use ethdev_sim::{Clock, RingConfig, RingNic, WireConfig};
    /// use std::rc::Rc;
    ///
    /// let irq_signal = Rc::new(IrqSignal::new());
    /// let config = RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, 1])).with_irq_signal(irq_signal.clone());
    /// let (_wire, nic, _peer) = RingNic::with_peer(&Clock::new(), WireConfig::default(), config);
    /// let _device = BlockingAsync::with_interrupt(nic, &irq_signal);
    /// ```
    #[must_use]
    pub fn with_irq_signal(self, irq_signal: impl Deref<Target = IrqSignal> + 'static) -> Self {
        self.with_interrupt(Rc::new(move || irq_signal.signal()))
    }

    /// Sets the trigger.
    #[must_use]
    pub const fn with_trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = trigger;
        self
    }
}

impl fmt::Debug for RingConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingConfig")
            .field("mac_address", &self.mac_address)
            .field("rx_slots", &self.rx_slots)
            .field("tx_slots", &self.tx_slots)
            .field("max_frame_len", &self.max_frame_len)
            .field("started", &self.started)
            .field("interrupt", &self.interrupt.is_some())
            .field("trigger", &self.trigger)
            .finish()
    }
}
