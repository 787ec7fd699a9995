//! Interrupts without the race between "drained" and "unmasked".

/// A device whose interrupt line can be masked at the device.
///
/// # Contract
///
/// The classic race: the host drains the device, a frame arrives, the host unmasks; with an edge-triggered line nobody is told, and the host is deaf for
/// ever. [`rearm`](Self::rearm) closes it by unmasking *first* and then looking again. It returns [`Armed`](RearmOutcome::Armed) only if work that comes
/// after the call began will cause an interrupt.
///
/// # For stack and executor authors
///
/// ```text
/// interrupt handler:   irq_signal.signal()
///
/// task:   loop {
///             irq_signal.try_take();
///             device.disarm()?;
///             drain the device;
///             if device.rearm(Interest::RX)? == RearmOutcome::WorkPending { continue }
///             sleep until irq_signal.is_signaled();        // decided with interrupts off, or by awaiting irq_signal.wait()
///         }
/// ```
///
/// ```
/// use ethdev_util::IrqSignal;
/// use ethdev::{EthernetDevice, Interest, MacAddress, Rearm, RearmOutcome};
/// # use ethdev_sim::{Clock, RingConfig, RingError, RingNic, WireConfig};
/// # static IRQ_SIGNAL: IrqSignal = IrqSignal::new();
/// # let clock = Clock::new();
/// # let [a, b] = [1, 2].map(|n| RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, n])).with_irq_signal(&IRQ_SIGNAL));
/// # let (_wire, mut peer, mut nic) = RingNic::pair(&clock, WireConfig::default(), a, b);
/// // `nic` rings IRQ_SIGNAL; `peer` is the other end of its wire.
/// assert_eq!(nic.rearm(Interest::RX)?, RearmOutcome::Armed);
/// assert!(!IRQ_SIGNAL.try_take());
///
/// peer.send_vectored(&[&[2, 0, 0, 0, 0, 2], &peer.mac_address().octets(), b"\x88\xb5hello"])?;
/// clock.advance(core::time::Duration::from_micros(10));
/// assert!(IRQ_SIGNAL.try_take());
///
/// // Not drained, and armed again: no interrupt may come for what is there already, so it has to be said.
/// nic.disarm()?;
/// assert_eq!(nic.rearm(Interest::RX)?, RearmOutcome::WorkPending);
/// # Ok::<(), RingError>(())
/// ```
///
/// # For driver authors
///
/// Edge- and level-triggered hosts are both to be served: unmask so that work already pending makes a new edge where the chip can do that, and report
/// `WorkPending` in any case. Devices without a line do not implement this trait: they are polled.
pub trait Rearm: crate::ErrorType {
    /// Masks the interrupt at the device. Idempotent.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn disarm(&mut self) -> Result<(), Self::Error>;

    /// Unmasks the interrupt at the device for what is of interest, then looks whether there is such work already. Idempotent.
    ///
    /// Sources of no interest stay masked where the chip can tell them apart: a host that waits for room to transmit with its receive queue full must not be
    /// woken by the frames that it cannot take.
    ///
    /// # Errors
    ///
    /// The device failed; whether it is armed is then not known.
    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error>;
}

/// What to be woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Interest {
    /// A frame is pending.
    pub rx: bool,
    /// There is room to transmit.
    pub tx: bool,
    /// The link changed.
    pub link: bool,
}

impl Interest {
    /// Nothing.
    pub const NONE: Self = Self {
        rx: false,
        tx: false,
        link: false,
    };
    /// A frame is pending.
    pub const RX: Self = Self { rx: true, ..Self::NONE };
    /// There is room to transmit.
    pub const TX: Self = Self { tx: true, ..Self::NONE };
    /// The link changed.
    pub const LINK: Self = Self {
        link: true,
        ..Self::NONE
    };
    /// All three.
    pub const ALL: Self = Self {
        rx: true,
        tx: true,
        link: true,
    };

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_none(self) -> bool {
        !(self.rx | self.tx | self.link)
    }
}

/// What is in either.
impl core::ops::BitOr for Interest {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self {
            rx: self.rx | other.rx,
            tx: self.tx | other.tx,
            link: self.link | other.link,
        }
    }
}

/// What is in both.
impl core::ops::BitAnd for Interest {
    type Output = Self;

    #[inline]
    fn bitand(self, other: Self) -> Self {
        Self {
            rx: self.rx & other.rx,
            tx: self.tx & other.tx,
            link: self.link & other.link,
        }
    }
}

/// Whether it is safe to sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "sleeping with work pending makes a deaf device"]
pub enum RearmOutcome {
    /// The interrupt is unmasked and nothing is pending: sleep.
    Armed,
    /// Something of interest is pending already: drain again first. The interrupt is unmasked all the same.
    WorkPending,
}
