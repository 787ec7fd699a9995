//! The capabilities of a driver, in the terms of ethdev.

use embassy_net_driver::Checksum;
use ethdev::{Capabilities, ChecksumOffload, Counted, Coverage, LossReason, MaxFrameLen, Offload};

/// The driver drops frames silently, and does not report what becomes of a frame that it has taken.
const COVERAGE: Coverage = Coverage::EXACT
    .with(LossReason::RxOverrun, Counted::NotReported)
    .with(LossReason::RxBadFcs, Counted::NotReported)
    .with(LossReason::RxBadLength, Counted::NotReported)
    .with(LossReason::RxError, Counted::NotReported)
    .with(LossReason::RxFiltered, Counted::NotReported)
    .with(LossReason::RxReset, Counted::NotReported)
    .with(LossReason::TxAborted, Counted::NotReported)
    .with(LossReason::TxReset, Counted::NotReported);

/// `max_burst_size` is not used: it is a limit of the stack, not the length of a queue.
pub(super) fn of(driver: &embassy_net_driver::Capabilities) -> Capabilities {
    let checksum = &driver.checksum;
    let mut offload = ChecksumOffload::NONE;
    offload.ipv4 = offload_of(checksum.ipv4);
    offload.udp = offload_of(checksum.udp);
    offload.tcp = offload_of(checksum.tcp);
    offload.icmpv4 = offload_of(checksum.icmpv4);
    offload.icmpv6 = offload_of(checksum.icmpv6);
    Capabilities::ETHERNET
        // A frame length, as in ethdev, not an IP MTU.
        .with_max_frame_len(MaxFrameLen::new(driver.max_transmission_unit))
        .with_coverage(COVERAGE)
        .with_checksum(offload)
}

/// embassy-net names what the stack does, ethdev what the device does.
const fn offload_of(stack: Checksum) -> Offload {
    match stack {
        Checksum::Both => Offload::NONE,
        Checksum::Rx => Offload { rx: false, tx: true },
        Checksum::Tx => Offload { rx: true, tx: false },
        Checksum::None => Offload::BOTH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_checksum_is_what_the_stack_does_not_do() {
        let mut driver = embassy_net_driver::Capabilities::default();
        driver.checksum.ipv4 = Checksum::None;
        driver.checksum.udp = Checksum::Rx;
        driver.checksum.tcp = Checksum::Tx;
        let offload = of(&driver).checksum;
        assert_eq!(offload.ipv4, Offload::BOTH);
        assert_eq!(offload.udp, Offload { rx: false, tx: true });
        assert_eq!(offload.tcp, Offload { rx: true, tx: false });
        assert_eq!((offload.icmpv4, offload.icmpv6), (Offload::NONE, Offload::NONE));
    }

    #[test]
    fn of_max_transmission_unit_is_a_frame_length() {
        let mut driver = embassy_net_driver::Capabilities::default();
        driver.max_transmission_unit = 1518;
        let capabilities = of(&driver);
        assert_eq!(capabilities.rx_max_frame_len, MaxFrameLen::VLAN);
        assert_eq!(capabilities.ip_mtu().bytes(), 1504);
        assert_eq!(
            (capabilities.rx_queue_frames, capabilities.tx_queue_frames),
            (None, None)
        );
    }
}
