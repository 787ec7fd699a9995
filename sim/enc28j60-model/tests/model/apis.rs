//! The APIs of the chip: SPI device, SPI bus, pins, blocking and async.

use core::time::Duration;

use embedded_hal::digital::OutputPin;
use embedded_hal::spi::Operation;
use embedded_hal_async::digital::Wait;
use ethdev_sim::block_on;

use crate::host::*;

#[test]
fn spi_transaction_advances_clock_exactly() {
    use embedded_hal::spi::SpiDevice;
    for (hz, byte) in [(20_000_000, 400), (10_000_000, 800), (8_000_000, 1000)] {
        let mut host = Host::new(ideal().with_sck_hz(hz).with_overhead(Duration::from_micros(2)));
        let began = host.clock.now();
        let mut bytes = [0; 100];
        host.spi
            .transaction(&mut [
                Operation::Write(&[0x3a]),
                Operation::Read(&mut bytes),
                Operation::DelayNs(7),
            ])
            .unwrap();
        // Overhead, set-up, 101 bytes, the delay, hold.
        let expected = Duration::from_nanos(2000 + 50 + 101 * byte + 7 + 250);
        assert_eq!(host.clock.now() - began, expected);
        let bus = host.chip.bus();
        assert_eq!((bus.transactions, bus.bytes, bus.rbm, bus.rbm_bytes), (1, 101, 1, 100));
        assert_eq!(bus.selected, expected - Duration::from_micros(2));
    }
}

#[test]
fn async_spi_takes_same_time_as_blocking() {
    use embedded_hal_async::spi::SpiDevice;
    let mut host = Host::new(ideal());
    let clock = host.clock.clone();
    let began = clock.now();
    let id = block_on(&clock, async {
        host.spi.write(&[0x9f, 0x03]).await.unwrap();
        let mut id = [0x12, 0];
        host.spi.transfer_in_place(&mut id).await.unwrap();
        id[1]
    });
    assert_eq!(id, Ok(6));
    // Two transactions of two bytes, with the gap between them.
    assert_eq!(clock.now() - began, Duration::from_nanos(2 * (50 + 800 + 250) + 50));
    host.assert_clean();
}

#[test]
fn async_spi_dropped_raises_chip_select() {
    use core::future::Future;
    use core::pin::pin;
    use core::task::{Context, Waker};
    let mut host = Host::new(ideal());
    {
        let mut spi = host.spi.clone();
        let mut bytes = [0; 100];
        let mut operations = [Operation::Write(&[0x3a]), Operation::Read(&mut bytes)];
        let mut transfer = pin!(embedded_hal_async::spi::SpiDevice::transaction(
            &mut spi,
            &mut operations
        ));
        for _ in 0..3 {
            assert!(
                transfer
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_pending()
            );
            host.us(10);
        }
    }
    assert_eq!(host.get(EREVID), 6);
    host.assert_clean();
}

#[test]
fn spi_reentered_returns_busy() {
    use core::future::{Future, poll_fn};
    use core::pin::pin;
    use core::task::Poll;
    use embedded_hal_async::spi::SpiDevice;
    use enc28j60_model::{SpiFault, ViolationKind};
    let host = Host::new(ideal());
    let (mut a, mut b) = (host.spi.clone(), host.spi.clone());
    let results = block_on(&host.clock, async {
        let (mut a, mut b) = (pin!(a.write(&[0x42, 1])), pin!(b.write(&[0x42, 2])));
        let mut results = Vec::new();
        poll_fn(|cx| {
            if let Poll::Ready(result) = b.as_mut().poll(cx) {
                results.push(result);
                return Poll::Ready(());
            }
            if results.is_empty() {
                if let Poll::Ready(result) = a.as_mut().poll(cx) {
                    results.push(result);
                }
            }
            Poll::Pending
        })
        .await;
        results
    })
    .unwrap();
    assert!(results.contains(&Err(SpiFault::Busy)), "{results:?}");
    assert_eq!(host.kinds(), [ViolationKind::BusReentered]);
}

#[test]
fn spi_bus_with_pin_equals_device() {
    use embedded_hal::spi::SpiBus;
    let mut host = Host::new(ideal());
    let (mut bus, mut select) = host.chip.spi_bus();
    let mut bytes = [0x55; 2];
    bus.transfer_in_place(&mut bytes).unwrap();
    assert_eq!(bytes, [0xff; 2], "no chip is selected");
    host.set16(EWRPT, 0x0600);
    host.write(&[1, 2, 3]);
    host.set16(ERDPT, 0x0600);
    select.set_low().unwrap();
    bus.write(&[0x3a]).unwrap();
    let mut bytes = [0; 3];
    bus.read(&mut bytes).unwrap();
    bus.flush().unwrap();
    select.set_high().unwrap();
    assert_eq!(bytes, [1, 2, 3]);
    host.set(MACON3, 0);
    select.set_low().unwrap();
    bus.write(&[0x42, 0x32]).unwrap();
    select.set_high().unwrap();
    assert_eq!(host.chip.peek(2, 2), 0x32);
    host.assert_clean();
}

#[test]
fn int_pin_wait_wakes_on_levels_and_edges() {
    let mut host = Host::started(ideal());
    host.set(EIE, 0xc0);
    let clock = host.clock.clone();
    for edge in [true, false] {
        let sent = host.peer.send(&frame(60));
        let mut pin = host.chip.int_pin();
        block_on(&clock, async {
            if edge {
                pin.wait_for_falling_edge().await.unwrap();
            } else {
                pin.wait_for_low().await.unwrap();
            }
        })
        .unwrap();
        assert_eq!(clock.now(), sent);
        host.receive().unwrap();
        block_on(&clock, pin.wait_for_high()).unwrap().unwrap();
    }
    let mut pin = host.chip.int_pin();
    assert!(
        block_on(&clock, pin.wait_for_any_edge()).is_err(),
        "no event is scheduled"
    );
    host.assert_clean();
}
