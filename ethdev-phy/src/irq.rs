//! The PHY's interrupt line, where it does not end in the MAC.

use embedded_hal::digital::InputPin;

/// Where a [`EthernetPort`](crate::EthernetPort) learns that its PHY asks for attention.
pub trait PhyIrq {
    /// Whether the line is active; `None` where there is no line.
    fn active(&mut self) -> Option<bool>;
}

/// No line of its own: the MAC has it, or nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoIrq;

impl PhyIrq for NoIrq {
    #[inline]
    fn active(&mut self) -> Option<bool> {
        None
    }
}

/// A pin of the host, low while the PHY asks: nINT of the LAN8720A (data sheet, section 3.6).
///
/// The pin's handler rings the interrupt signal that the MAC's rings too. With a level-triggered pin it also masks the pin until the task has looked after the
/// device: the look at the PHY releases the line.
#[derive(Debug)]
pub struct IrqPin<I>(pub I);

impl<I: InputPin> PhyIrq for IrqPin<I> {
    /// A pin that cannot be read counts as active: the PHY is looked at once too often rather than never.
    fn active(&mut self) -> Option<bool> {
        Some(self.0.is_low().unwrap_or(true))
    }
}
