//! Management passes through every layer: the results and the states are those of the device.
#![cfg(feature = "critical-section")]

mod support;

use ethdev::{Control, ErrorKind, EthernetDevice, FilterOutcome, Link, MacAddress, Multicast, RxFilter, asynch};
use ethdev_sim::{Clock, RingConfig, RingHandle, RingNic, WireConfig};
use ethdev_util::asynch::BlockingAsync;
use ethdev_util::{Buffered, Callback, Erased, IrqDevice, IrqSignal};
use support::buffer;

const OWN: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);
const OTHER: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 2]);
const GROUP: MacAddress = MacAddress::new([1, 0, 0x5e, 0, 0, 7]);
const GROUPS: RxFilter<'_> = RxFilter::DEFAULT.with_multicast(Multicast::List(&[GROUP]));

/// Address and link of a layer.
type State<L> = fn(&L) -> (MacAddress, Link);

fn kind<T, E: ethdev::Error>(result: Result<T, E>) -> Result<T, ErrorKind> {
    result.map_err(|e| e.kind())
}

/// The lifecycle of a device behind a layer, with faults.
fn check<L: Control>(wrap: impl FnOnce(RingNic) -> L, state: State<L>) {
    let clock = Clock::new();
    let (_wire, nic, _peer) = RingNic::with_peer(&clock, WireConfig::default(), RingConfig::new(OWN));
    let hardware: RingHandle = nic.hardware();
    let mut layer = wrap(nic);
    let up = |layer: &L| state(layer).1.is_up();

    // Settings of a stopped device are applied by `start`.
    layer.stop().unwrap();
    assert_eq!(layer.set_rx_filter(GROUPS).unwrap(), FilterOutcome::Exact);
    layer.set_mac_address(OTHER).unwrap();
    assert_eq!(state(&layer), (OTHER, Link::Down));
    layer.recover().unwrap();
    assert!(!up(&layer));
    layer.start().unwrap();
    assert!(up(&layer));

    // In a fault they are stored, and each transition ends it.
    hardware.inject_fault();
    assert_eq!(kind(layer.set_mac_address(OWN)), Err(ErrorKind::Fault));
    assert_eq!(kind(layer.set_rx_filter(RxFilter::DEFAULT)), Err(ErrorKind::Fault));
    assert_eq!(kind(layer.wake()), Err(ErrorKind::Fault));
    layer.recover().unwrap();
    assert_eq!((state(&layer).0, up(&layer)), (OWN, true));
    hardware.inject_fault();
    layer.sleep().unwrap();
    assert!(!up(&layer));
    hardware.inject_fault();
    layer.wake().unwrap();
    assert!(up(&layer));
    hardware.inject_fault();
    layer.stop().unwrap();
    assert!(!up(&layer));
    hardware.inject_fault();
    layer.start().unwrap();
    assert!(up(&layer));

    // A transition that failed is repeated.
    hardware.inject_fault();
    hardware.set_dead(true);
    for _ in 0..2 {
        assert_eq!(kind(layer.stop()), Err(ErrorKind::Fault));
        assert_eq!(kind(layer.recover()), Err(ErrorKind::Fault));
    }
    hardware.set_dead(false);
    layer.stop().unwrap();
    assert!(!up(&layer));
}

#[test]
fn control_buffered_reaches_device() {
    check(
        |nic| Buffered::new(nic, buffer(1514), buffer(1514)),
        |layer| (layer.mac_address(), layer.link()),
    );
}

#[test]
fn control_erased_reaches_device() {
    check(Erased::new, |layer| (layer.mac_address(), layer.link()));
}

#[test]
fn control_callback_reaches_device() {
    check(Callback::new, |layer| (layer.mac_address(), layer.link()));
}

#[test]
fn control_irq_device_reaches_device() {
    static IRQ: IrqSignal = IrqSignal::new();
    check(
        |nic| IrqDevice::new(nic, &IRQ),
        |layer| (layer.mac_address(), layer.link()),
    );
}

#[test]
fn control_blocking_async_reaches_device() {
    static IRQ: IrqSignal = IrqSignal::new();
    check(
        |nic| BlockingAsync::with_interrupt(nic, &IRQ),
        |layer| {
            (
                asynch::EthernetDevice::mac_address(layer),
                asynch::EthernetDevice::link(layer),
            )
        },
    );
}

/// What the buffers hold is lost only when the device has stopped.
#[test]
fn stop_buffered_failed_keeps_frames_until_repeated() {
    use ethdev::{LendingDevice as _, RxHalf as _};
    let mut device = support::buffered(support::Scripted::with_incoming([support::frame(1, 60)]), 1514);
    assert!(device.split().0.peek().unwrap().is_some());
    device.inner_mut().fail_next = Some(support::Cause(ErrorKind::Bus, "no answer"));
    assert!(device.stop().is_err());
    assert_eq!(device.stats().rx_reset, 0);
    assert!(device.split().0.peek().unwrap().is_some());
    device.stop().unwrap();
    device.stop().unwrap();
    assert_eq!((device.stats().rx_reset, device.stats().rx_frames), (1, 0));
}
