//! The interrupt line of a PHY, if it is not connected to the MAC.

use embedded_hal::digital::InputPin;

/// The interrupt line of the PHY of an [`EthernetPort`](crate::EthernetPort).
pub trait PhyIrq {
    /// Returns whether the line is active; `None` if there is no line.
    fn active(&mut self) -> Option<bool>;
}

/// No line of its own: the PHY's interrupt is connected to the MAC, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoIrq;

impl PhyIrq for NoIrq {
    #[inline]
    fn active(&mut self) -> Option<bool> {
        None
    }
}

/// A pin of the host that is low while the PHY requests service, as nINT of the LAN8720A is (data
/// sheet, section 3.6).
///
/// The interrupt handler of the pin signals the same interrupt signal as the handler of the MAC.
/// With a level-triggered pin it also masks the pin until the device has been serviced, because
/// only reading the cause from the PHY releases the line.
#[derive(Debug)]
pub struct IrqPin<INT>(pub INT);

impl<INT: InputPin> PhyIrq for IrqPin<INT> {
    /// A pin that cannot be read counts as active: the PHY is then polled more often than
    /// necessary.
    fn active(&mut self) -> Option<bool> {
        Some(self.0.is_low().unwrap_or(true))
    }
}
