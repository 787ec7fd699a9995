//! Interrupts without a race between "drained" and "unmasked".

/// A device whose interrupt can be masked at the device.
///
/// # Contract
///
/// The race: the host drains the device, a frame arrives, the host unmasks the interrupt. With an
/// edge-triggered line no edge follows, and the host misses all further interrupts.
/// [`rearm`](Self::rearm) unmasks *first* and then checks for pending work. It returns
/// [`Armed`](RearmOutcome::Armed) only if work that arrives after the call began causes an
/// interrupt.
///
/// # For stack and executor authors
///
/// ```text
/// interrupt handler:   irq.signal()
///
/// task:   loop {
///             irq.try_take();
///             device.disarm()?;
///             drain the device;
///             if device.rearm(Interest::RX)? == RearmOutcome::WorkPending { continue }
///             sleep until irq.is_signaled();        // checked with interrupts masked, or by awaiting irq.wait()
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
/// // The interrupt handler of `nic` signals IRQ_SIGNAL; `peer` is the other end of its wire.
/// assert_eq!(nic.rearm(Interest::RX)?, RearmOutcome::Armed);
/// assert!(!IRQ_SIGNAL.try_take());
///
/// peer.send_vectored(&[&[2, 0, 0, 0, 0, 2], &peer.mac_address().octets(), b"\x88\xb5hello"])?;
/// clock.advance(core::time::Duration::from_micros(10));
/// assert!(IRQ_SIGNAL.try_take());
///
/// // Armed without being drained: no interrupt may follow for the frame that is pending, so it is reported.
/// nic.disarm()?;
/// assert_eq!(nic.rearm(Interest::RX)?, RearmOutcome::WorkPending);
/// # Ok::<(), RingError>(())
/// ```
///
/// # For driver authors
///
/// Support edge- and level-triggered hosts: unmask so that pending work makes a new edge where the
/// chip can do that, and return `WorkPending` in any case. Devices without an interrupt line do not
/// implement this trait; they are polled.
pub trait Rearm: crate::ErrorType {
    /// Masks the interrupt at the device. Idempotent.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn disarm(&mut self) -> Result<(), Self::Error>;

    /// Unmasks the interrupt at the device for the sources in `interest`, then checks for pending
    /// work. Idempotent.
    ///
    /// Other sources stay masked where the chip distinguishes them: a host that waits for transmit
    /// capacity with its receive queue full must not be woken by frames that it cannot take.
    ///
    /// # Errors
    ///
    /// The device failed; whether the interrupt is unmasked is then unknown.
    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error>;
}

/// A set of conditions to wait for. Combine them with `|` and `&`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Interest {
    /// A frame is pending.
    pub rx: bool,
    /// The next legal frame is not `Busy`.
    pub tx: bool,
    /// The link state changed.
    pub link: bool,
}

impl Interest {
    /// No condition.
    pub const NONE: Self = Self {
        rx: false,
        tx: false,
        link: false,
    };
    /// A frame is pending.
    pub const RX: Self = Self { rx: true, ..Self::NONE };
    /// The next legal frame is not `Busy`.
    pub const TX: Self = Self { tx: true, ..Self::NONE };
    /// The link state changed.
    pub const LINK: Self = Self {
        link: true,
        ..Self::NONE
    };
    /// All three conditions.
    pub const ALL: Self = Self {
        rx: true,
        tx: true,
        link: true,
    };

    /// Returns whether the set is empty.
    #[must_use]
    #[inline]
    pub const fn is_none(self) -> bool {
        !(self.rx | self.tx | self.link)
    }

    /// Returns whether every condition of `other` is in `self`.
    #[must_use]
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        (self.rx | !other.rx) & (self.tx | !other.tx) & (self.link | !other.link)
    }
}

/// The union.
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

/// The intersection.
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

/// The result of [`Rearm::rearm`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "sleeping while work is pending misses it"]
pub enum RearmOutcome {
    /// The interrupt is unmasked and nothing is pending: the host may sleep.
    Armed,
    /// Something of the interest is pending already: drain again first. The interrupt is unmasked.
    WorkPending,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The set whose members are the bits of `n`.
    fn set(n: u8) -> Interest {
        Interest {
            rx: n & 1 != 0,
            tx: n & 2 != 0,
            link: n & 4 != 0,
        }
    }

    #[test]
    fn constants_name_their_conditions() {
        let constants = [
            Interest::NONE,
            Interest::RX,
            Interest::TX,
            Interest::LINK,
            Interest::ALL,
        ];
        assert_eq!(constants, [0, 1, 2, 4, 7].map(set));
        assert_eq!(Interest::default(), Interest::NONE);
    }

    #[test]
    fn operators_are_those_of_sets() {
        for a in 0..8 {
            assert_eq!(set(a).is_none(), a == 0, "{a}");
            for b in 0..8 {
                assert_eq!(set(a) | set(b), set(a | b), "{a} {b}");
                assert_eq!(set(a) & set(b), set(a & b), "{a} {b}");
                assert_eq!(set(a).contains(set(b)), a & b == b, "{a} {b}");
            }
        }
    }
}
