//! Management and interrupts: those of the device, with the frames that the adapter holds taken
//! into account.

use ethdev::{Control, EthernetDevice, Interest, Rearm, RearmOutcome};

use crate::device::SmoltcpDevice;
use crate::mode::Mode;

/// Management of the device. After [`set_mac_address`](Control::set_mac_address) set the address of
/// the interface too (`Interface::set_hardware_addr`).
impl<D: EthernetDevice + Control, M: Mode<D>> Control for SmoltcpDevice<'_, D, M> {
    ethdev::forward_control!(|this| this.device; start, set_mac_address, set_rx_filter, recover, wake);

    /// Stops the device. A frame in the receive buffer is dropped and counted in
    /// [`rx_reset`](ethdev::Stats::rx_reset), a pending reply in
    /// [`DropStats::tx_reset`](crate::DropStats::tx_reset).
    fn stop(&mut self) -> Result<(), Self::Error> {
        self.device.stop()?;
        self.drop_held();
        Ok(())
    }

    /// Puts the device to sleep. Frames are dropped and counted as by [`stop`](Self::stop).
    fn sleep(&mut self) -> Result<(), Self::Error> {
        self.device.sleep()?;
        self.drop_held();
        Ok(())
    }
}

impl<D: EthernetDevice + Rearm, M: Mode<D>> Rearm for SmoltcpDevice<'_, D, M> {
    ethdev::forward_rearm!(|this| this.device; disarm);

    /// Unmasks the interrupt of the device. A frame in the receive buffer is pending work too.
    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        let outcome = self.device.rearm(interest)?;
        Ok(if interest.rx && self.mode.holds_frame() {
            RearmOutcome::WorkPending
        } else {
            outcome
        })
    }
}
