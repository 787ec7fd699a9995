//! Transactions, registers, modes.

use std::time::Duration;

use cyw43439_model::{ChipConfig, ViolationKind};
use ethdev_sim::{SimDelay, block_on};
use proptest::prelude::*;

use crate::host::{Lab, MAC, command, ethernet, ms};

#[test]
fn registers_as_after_power_up() {
    let mut lab = Lab::off(ChipConfig::default().with_power_up(ms(50), 0));
    embedded_hal::digital::OutputPin::set_high(&mut lab.chip.power_pin()).unwrap();
    lab.clock.advance(ms(50));
    assert_eq!(lab.swapped_read(0x14), 0xfeed_bead);
    assert_eq!(lab.swapped_read(0x00), 0x0001_0030);
    assert_eq!(lab.swapped_read(0x08), 0);
    lab.swapped_write(0x18, 0x1234_5678);
    assert_eq!(lab.swapped_read(0x18), 0x1234_5678);
    lab.clean();
}

/// A raw read in 32-bit order shows the halves exchanged.
#[test]
fn the_test_register_without_swapping() {
    let mut lab = Lab::off(ChipConfig::default().with_power_up(ms(50), 0));
    embedded_hal::digital::OutputPin::set_high(&mut lab.chip.power_pin()).unwrap();
    lab.clock.advance(ms(50));
    let mut word = [0];
    lab.bus.cmd_read_blocking(0xa004_4000, &mut word).unwrap();
    assert_eq!(word, [0xbead_feed]);
}

#[test]
fn the_first_read_is_garbage_and_looks_shifted() {
    let mut lab = Lab::off(ChipConfig::default().with_power_up(ms(50), 2));
    embedded_hal::digital::OutputPin::set_high(&mut lab.chip.power_pin()).unwrap();
    assert_eq!(lab.swapped_read(0x14), 0, "too early");
    lab.clock.advance(ms(50));
    assert_ne!(lab.swapped_read(0x14), 0xfeed_bead);
    assert_ne!(lab.swapped_read(0x14), 0xfeed_bead);
    assert_eq!(lab.swapped_read(0x14), 0xfeed_bead);
    lab.clean();
}

#[test]
fn words_of_32_bits_in_both_orders() {
    let mut lab = Lab::on(ChipConfig::default());
    lab.write(0, 0x18, 4, 0x1234_5678);
    assert_eq!(lab.read(0, 0x18, 4), 0x1234_5678);
    assert_eq!(lab.read(0, 0x18, 1), 0x78);
    assert_eq!(lab.read(0, 0x1a, 2), 0x1234);
    lab.clean();
    // Big endian: words as they lie in memory, commands too.
    lab.write(0, 0x00, 1, 0xb3);
    let mut word = [0];
    lab.bus
        .cmd_read_blocking(command(false, 0, 0x18, 4).swap_bytes(), &mut word)
        .unwrap();
    assert_eq!(word, [0x7856_3412]);
    lab.clean();
}

#[test]
fn time_on_the_bus_is_that_of_its_bits() {
    let mut lab = Lab::on(
        ChipConfig::default()
            .with_bus_hz(32_000_000)
            .with_overhead(Duration::from_micros(3)),
    );
    let before = (lab.clock.now(), lab.chip.bus());
    lab.read(0, 0x14, 4);
    lab.backplane_read(0x1800_0000, 4);
    let after = lab.chip.bus();
    // Command, data, status; three writes for the window; command, padding, data, status.
    assert_eq!(after.transactions - before.1.transactions, 5);
    assert_eq!(after.bytes - before.1.bytes, 12 + 3 * 12 + 16);
    assert_eq!(lab.clock.now() - before.0, Duration::from_micros(5 * 3 + 64 / 4));
    assert_eq!(after.selected - before.1.selected, lab.clock.now() - before.0);
    assert_eq!(after.read_bytes[1] - before.1.read_bytes[1], 16);
}

#[test]
fn status_words_can_be_switched_off() {
    let mut lab = Lab::on(ChipConfig::default());
    lab.write(0, 0x02, 1, 0);
    let (before, began) = (lab.chip.bus().bytes, lab.clock.now());
    lab.read(0, 0x14, 4);
    assert_eq!(lab.chip.bus().bytes - before, 8);
    let config = ChipConfig::default();
    let words = Duration::from_nanos(32_000_000_000 / u64::from(config.bus_hz)) * 2;
    assert_eq!(lab.clock.now() - began, config.overhead + words);
    lab.clean();
}

#[test]
fn blocking_and_async_take_the_same_time() {
    let time = |blocking: bool| {
        let mut lab = Lab::on(ChipConfig::default());
        let before = lab.clock.now();
        let mut word = [0];
        if blocking {
            lab.bus
                .cmd_read_blocking(command(false, 0, 0x14, 4), &mut word)
                .unwrap();
        } else {
            let clock = lab.clock.clone();
            block_on(&clock, lab.bus.cmd_read(command(false, 0, 0x14, 4), &mut word))
                .unwrap()
                .unwrap();
        }
        assert_eq!(word, [0xfeed_bead]);
        lab.clock.now() - before
    };
    assert_eq!(time(true), time(false));
}

/// What was over when the future was dropped has happened, and nothing after that.
#[test]
fn a_dropped_transaction_is_cut_off() {
    for (micros, written, kind) in [(1, 0, None), (2, 0, Some(ViolationKind::CutOff)), (4, 0x55, None)] {
        let config = ChipConfig::default().with_bus_hz(32_000_000);
        let mut lab = Lab::on(config.with_overhead(Duration::ZERO));
        lab.write(0, 0x18, 4, 0);
        let clock = lab.clock.clone();
        let words = [command(true, 0, 0x18, 4), 0x55];
        let dropped = block_on(&clock, async {
            let sleep = SimDelay::new(&clock).until(clock.now() + Duration::from_nanos(micros * 1000 - 500));
            futures_lite_or(lab.bus.cmd_write(&words), sleep).await
        });
        assert_eq!(dropped, Ok(micros < 4));
        assert_eq!(
            lab.chip.violations().first().map(|violation| violation.kind),
            kind,
            "{micros} µs"
        );
        assert_eq!(lab.read(0, 0x18, 4), written);
    }
}

/// Whether the second future ended before the first one.
async fn futures_lite_or(first: impl Future, second: impl Future) -> bool {
    let mut first = core::pin::pin!(first);
    let mut second = core::pin::pin!(second);
    core::future::poll_fn(|cx| {
        if first.as_mut().poll(cx).is_ready() {
            return core::task::Poll::Ready(false);
        }
        second.as_mut().poll(cx).map(|_| true)
    })
    .await
}

#[test]
fn interrupts_are_cleared_by_ones_and_packets_are_not() {
    let mut lab = Lab::running(ChipConfig::default().without_junk_frames());
    assert_eq!(lab.read(0, 0x04, 2) & 1, 1, "data unavailable, as on every chip");
    assert!(!lab.bus.event_pending(), "it is not enabled");
    lab.write(0, 0x04, 1, 0x01);
    assert_eq!(lab.read(0, 0x04, 2) & 1, 0);
    lab.send_request(true, 2, &[]);
    lab.clock.advance(ms(1));
    assert_eq!(lab.read(0, 0x04, 2) & 0x20, 0x20);
    assert!(lab.bus.event_pending());
    lab.write(0, 0x04, 1, 0x20);
    assert_eq!(lab.read(0, 0x04, 2) & 0x20, 0x20, "a frame still waits");
    assert!(lab.recv().is_some());
    assert_eq!(lab.read(0, 0x04, 2) & 0x20, 0);
    assert!(!lab.bus.event_pending());
    lab.clean();
}

/// During a transaction the data line is no interrupt: an edge is one of what is pending.
#[test]
fn a_frame_raises_the_line_once() {
    use std::cell::Cell;
    use std::rc::Rc;
    let mut lab = Lab::joined(ChipConfig::default());
    let edges = Rc::new(Cell::new(0));
    lab.chip.on_irq_rising({
        let edges = edges.clone();
        move || edges.set(edges.get() + 1)
    });
    lab.peer.send(&ethernet(MAC, 60, 0));
    lab.clock.advance(ms(5));
    for _ in 0..5 {
        lab.status();
    }
    assert_eq!(edges.get(), 1);
    assert!(lab.recv().is_some());
    lab.peer.send(&ethernet(MAC, 60, 0));
    lab.clock.advance(ms(5));
    assert_eq!(edges.get(), 2);
}

#[test]
fn transactions_are_noted_on_demand() {
    let mut lab = Lab::on(ChipConfig::default());
    lab.chip.record(true);
    let began = lab.clock.now();
    lab.read(0, 0x14, 4);
    lab.write(1, 0x1_000e, 1, 8);
    let noted: Vec<_> = lab
        .chip
        .take_record()
        .iter()
        .map(|noted| (noted.write, noted.function, noted.address, noted.len, noted.words))
        .collect();
    assert_eq!(noted, [(false, 0, 0x14, 4, 3), (true, 1, 0x1_000e, 1, 3)]);
    lab.read(0, 0x14, 4);
    let again = lab.chip.take_record();
    assert!(again.len() == 1 && again[0].at > began);
    lab.chip.record(false);
    lab.read(0, 0x14, 4);
    assert_eq!(lab.chip.take_record(), []);
}

#[test]
fn polling_is_counted() {
    let mut lab = Lab::joined(ChipConfig::default());
    let before = lab.chip.bus().idle_looks;
    lab.status();
    lab.read(0, 0x04, 2);
    lab.read(0, 0x14, 4);
    assert_eq!(lab.chip.bus().idle_looks - before, 2);
    lab.peer.send(&ethernet(MAC, 60, 0));
    lab.clock.advance(ms(5));
    lab.status();
    assert_eq!(lab.chip.bus().idle_looks - before, 2);
}

#[test]
fn the_line_can_be_active_low() {
    let mut lab = Lab::running(ChipConfig::default().without_junk_frames());
    lab.write(0, 0x00, 1, 0x91);
    assert!(lab.bus.event_pending(), "nothing is pending");
    lab.send_request(true, 2, &[]);
    lab.clock.advance(ms(1));
    assert!(!lab.bus.event_pending());
}

#[test]
fn waiting_for_the_line() {
    let mut lab = Lab::running(ChipConfig::default().without_junk_frames());
    lab.send_request(true, 2, &[]);
    let clock = lab.clock.clone();
    let before = clock.now();
    block_on(&clock, lab.bus.wait_for_event()).unwrap();
    assert_eq!(
        clock.now() - before,
        ChipConfig::default().tx_time + ChipConfig::default().ioctl_time
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever a host does on the bus, the model goes on.
    #[test]
    fn no_words_break_the_model(transactions in proptest::collection::vec((proptest::collection::vec(any::<u32>(), 1..80), 0_usize..80), 1..40)) {
        for ready in [false, true] {
            let mut lab = if ready { Lab::running(ChipConfig::default()) } else { Lab::off(ChipConfig::default()) };
            for (out, count) in &transactions {
                let mut read = vec![0; *count];
                if *count == 0 {
                    lab.bus.cmd_write_blocking(out).unwrap();
                } else {
                    lab.bus.cmd_read_blocking(out[0], &mut read).unwrap();
                }
                lab.clock.advance(ms(1));
            }
            prop_assert!(lab.chip.stats().balanced());
        }
    }
}
