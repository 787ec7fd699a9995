//! Transactions, registers, modes.

use std::time::Duration;

use cyw43439_model::{ChipConfig, ViolationKind};
use ethdev_sim::{SimDelay, block_on};
use proptest::prelude::*;

use crate::host::{MAC, Testbed, command, ethernet, ms};

#[test]
fn bus_registers_after_power_up_match_reset_values() {
    let mut bed = Testbed::off(ChipConfig::default().with_power_up(ms(50), 0));
    embedded_hal::digital::OutputPin::set_high(&mut bed.chip.power_pin()).unwrap();
    bed.clock.advance(ms(50));
    assert_eq!(bed.swapped_read(0x14), 0xfeed_bead);
    assert_eq!(bed.swapped_read(0x00), 0x0001_0030);
    assert_eq!(bed.swapped_read(0x08), 0);
    bed.swapped_write(0x18, 0x1234_5678);
    assert_eq!(bed.swapped_read(0x18), 0x1234_5678);
    bed.clean();
}

/// A raw read in 32-bit order has its halves swapped.
#[test]
fn test_register_in_16_bit_mode_is_swapped() {
    let mut bed = Testbed::off(ChipConfig::default().with_power_up(ms(50), 0));
    embedded_hal::digital::OutputPin::set_high(&mut bed.chip.power_pin()).unwrap();
    bed.clock.advance(ms(50));
    let mut word = [0];
    bed.bus.cmd_read_blocking(0xa004_4000, &mut word).unwrap();
    assert_eq!(word, [0xbead_feed]);
}

#[test]
fn first_read_after_power_up_is_shifted() {
    let mut bed = Testbed::off(ChipConfig::default().with_power_up(ms(50), 2));
    embedded_hal::digital::OutputPin::set_high(&mut bed.chip.power_pin()).unwrap();
    assert_eq!(bed.swapped_read(0x14), 0, "too early");
    bed.clock.advance(ms(50));
    assert_ne!(bed.swapped_read(0x14), 0xfeed_bead);
    assert_ne!(bed.swapped_read(0x14), 0xfeed_bead);
    assert_eq!(bed.swapped_read(0x14), 0xfeed_bead);
    bed.clean();
}

#[test]
fn bus_in_32_bit_mode_follows_byte_order() {
    let mut bed = Testbed::on(ChipConfig::default());
    bed.write(0, 0x18, 4, 0x1234_5678);
    assert_eq!(bed.read(0, 0x18, 4), 0x1234_5678);
    assert_eq!(bed.read(0, 0x18, 1), 0x78);
    assert_eq!(bed.read(0, 0x1a, 2), 0x1234);
    bed.clean();
    // Big endian: words in the order of memory, commands as well.
    bed.write(0, 0x00, 1, 0xb3);
    let mut word = [0];
    bed.bus
        .cmd_read_blocking(command(false, 0, 0x18, 4).swap_bytes(), &mut word)
        .unwrap();
    assert_eq!(word, [0x7856_3412]);
    bed.clean();
}

#[test]
fn bus_transaction_advances_clock_exactly() {
    let mut bed = Testbed::on(
        ChipConfig::default()
            .with_bus_hz(32_000_000)
            .with_overhead(Duration::from_micros(3)),
    );
    let before = (bed.clock.now(), bed.chip.bus());
    bed.read(0, 0x14, 4);
    bed.backplane_read(0x1800_0000, 4);
    let after = bed.chip.bus();
    // Command, data, status; three writes for the window; command, padding, data, status.
    assert_eq!(after.transactions - before.1.transactions, 5);
    assert_eq!(after.bytes - before.1.bytes, 12 + 3 * 12 + 16);
    assert_eq!(bed.clock.now() - before.0, Duration::from_micros(5 * 3 + 64 / 4));
    assert_eq!(after.selected - before.1.selected, bed.clock.now() - before.0);
    assert_eq!(after.read_bytes[1] - before.1.read_bytes[1], 16);
}

#[test]
fn status_word_disabled_is_not_sent() {
    let mut bed = Testbed::on(ChipConfig::default());
    bed.write(0, 0x02, 1, 0);
    let (before, began) = (bed.chip.bus().bytes, bed.clock.now());
    bed.read(0, 0x14, 4);
    assert_eq!(bed.chip.bus().bytes - before, 8);
    let config = ChipConfig::default();
    let words = Duration::from_nanos(32_000_000_000 / u64::from(config.bus_hz)) * 2;
    assert_eq!(bed.clock.now() - began, config.overhead + words);
    bed.clean();
}

#[test]
fn async_bus_takes_same_time_as_blocking() {
    let time = |blocking: bool| {
        let mut bed = Testbed::on(ChipConfig::default());
        let before = bed.clock.now();
        let mut word = [0];
        if blocking {
            bed.bus
                .cmd_read_blocking(command(false, 0, 0x14, 4), &mut word)
                .unwrap();
        } else {
            let clock = bed.clock.clone();
            block_on(&clock, bed.bus.cmd_read(command(false, 0, 0x14, 4), &mut word))
                .unwrap()
                .unwrap();
        }
        assert_eq!(word, [0xfeed_bead]);
        bed.clock.now() - before
    };
    assert_eq!(time(true), time(false));
}

/// Words that were complete when the future was dropped have reached the chip, no others.
#[test]
fn async_bus_dropped_cuts_transaction_off() {
    for (micros, written, kind) in [(1, 0, None), (2, 0, Some(ViolationKind::CutOff)), (4, 0x55, None)] {
        let config = ChipConfig::default().with_bus_hz(32_000_000);
        let mut bed = Testbed::on(config.with_overhead(Duration::ZERO));
        bed.write(0, 0x18, 4, 0);
        let clock = bed.clock.clone();
        let words = [command(true, 0, 0x18, 4), 0x55];
        let dropped = block_on(&clock, async {
            let sleep = SimDelay::new(&clock).until(clock.now() + Duration::from_nanos(micros * 1000 - 500));
            futures_lite_or(bed.bus.cmd_write(&words), sleep).await
        });
        assert_eq!(dropped, Ok(micros < 4));
        assert_eq!(
            bed.chip.violations().first().map(|violation| violation.kind),
            kind,
            "{micros} µs"
        );
        assert_eq!(bed.read(0, 0x18, 4), written);
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
fn interrupt_flags_are_cleared_by_ones() {
    let mut bed = Testbed::running(ChipConfig::default().without_junk_frames());
    assert_eq!(bed.read(0, 0x04, 2) & 1, 1, "data unavailable, as on every chip");
    assert!(!bed.bus.event_pending(), "it is not enabled");
    bed.write(0, 0x04, 1, 0x01);
    assert_eq!(bed.read(0, 0x04, 2) & 1, 0);
    bed.send_request(true, 2, &[]);
    bed.clock.advance(ms(1));
    assert_eq!(bed.read(0, 0x04, 2) & 0x20, 0x20);
    assert!(bed.bus.event_pending());
    bed.write(0, 0x04, 1, 0x20);
    assert_eq!(bed.read(0, 0x04, 2) & 0x20, 0x20, "a frame is queued");
    assert!(bed.recv().is_some());
    assert_eq!(bed.read(0, 0x04, 2) & 0x20, 0);
    assert!(!bed.bus.event_pending());
    bed.clean();
}

/// During a transaction the data line is no interrupt: an edge is one of what is pending.
#[test]
fn irq_line_rises_once_per_frame() {
    use std::cell::Cell;
    use std::rc::Rc;
    let mut bed = Testbed::joined(ChipConfig::default());
    let edges = Rc::new(Cell::new(0));
    bed.chip.on_irq_rising({
        let edges = edges.clone();
        move || edges.set(edges.get() + 1)
    });
    bed.peer.send(&ethernet(MAC, 60, 0));
    bed.clock.advance(ms(5));
    for _ in 0..5 {
        bed.status();
    }
    assert_eq!(edges.get(), 1);
    assert!(bed.recv().is_some());
    bed.peer.send(&ethernet(MAC, 60, 0));
    bed.clock.advance(ms(5));
    assert_eq!(edges.get(), 2);
}

#[test]
fn record_keeps_transactions() {
    let mut bed = Testbed::on(ChipConfig::default());
    bed.chip.record(true);
    let began = bed.clock.now();
    bed.read(0, 0x14, 4);
    bed.write(1, 0x1_000e, 1, 8);
    let noted: Vec<_> = bed
        .chip
        .take_record()
        .iter()
        .map(|noted| (noted.write, noted.function, noted.address, noted.len, noted.words))
        .collect();
    assert_eq!(noted, [(false, 0, 0x14, 4, 3), (true, 1, 0x1_000e, 1, 3)]);
    bed.read(0, 0x14, 4);
    let again = bed.chip.take_record();
    assert!(again.len() == 1 && again[0].at > began);
    bed.chip.record(false);
    bed.read(0, 0x14, 4);
    assert_eq!(bed.chip.take_record(), []);
}

#[test]
fn idle_polls_count_reads_without_frame() {
    let mut bed = Testbed::joined(ChipConfig::default());
    let before = bed.chip.bus().idle_polls;
    bed.status();
    bed.read(0, 0x04, 2);
    bed.read(0, 0x14, 4);
    assert_eq!(bed.chip.bus().idle_polls - before, 2);
    bed.peer.send(&ethernet(MAC, 60, 0));
    bed.clock.advance(ms(5));
    bed.status();
    assert_eq!(bed.chip.bus().idle_polls - before, 2);
}

#[test]
fn irq_line_active_low_is_inverted() {
    let mut bed = Testbed::running(ChipConfig::default().without_junk_frames());
    bed.write(0, 0x00, 1, 0x91);
    assert!(bed.bus.event_pending(), "nothing is pending");
    bed.send_request(true, 2, &[]);
    bed.clock.advance(ms(1));
    assert!(!bed.bus.event_pending());
}

#[test]
fn irq_pin_wait_wakes_on_levels_and_edges() {
    let mut bed = Testbed::running(ChipConfig::default().without_junk_frames());
    bed.send_request(true, 2, &[]);
    let clock = bed.clock.clone();
    let before = clock.now();
    block_on(&clock, bed.bus.wait_for_event()).unwrap();
    assert_eq!(
        clock.now() - before,
        ChipConfig::default().tx_time + ChipConfig::default().ioctl_time
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// No sequence of words makes the model panic.
    #[test]
    fn bus_with_random_words_does_not_panic(transactions in proptest::collection::vec((proptest::collection::vec(any::<u32>(), 1..80), 0_usize..80), 1..40)) {
        for ready in [false, true] {
            let mut bed = if ready { Testbed::running(ChipConfig::default()) } else { Testbed::off(ChipConfig::default()) };
            for (out, count) in &transactions {
                let mut read = vec![0; *count];
                if *count == 0 {
                    bed.bus.cmd_write_blocking(out).unwrap();
                } else {
                    bed.bus.cmd_read_blocking(out[0], &mut read).unwrap();
                }
                bed.clock.advance(ms(1));
            }
            prop_assert!(bed.chip.stats().balanced());
        }
    }
}
