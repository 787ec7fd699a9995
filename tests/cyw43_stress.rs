//! A small run of `cargo xtask stress cyw43`: the driver of the CYW43439 on the model of its chip.

use ethdev_bench::cyw43::stress::{Books, Failure, Family, Knob, Plan, run_frames, run_joins, run_power};

const FRAMES: u64 = 8_000;
const SEED: u64 = 43;

fn stress(family: Family, show: impl Fn(&Books)) {
    for sees_line in [true, false] {
        let plan = Plan {
            family,
            sees_line,
            frames: FRAMES,
            seed: SEED,
        };
        let books = run_frames(plan, |_| {});
        assert_eq!(books.violations, [""; 0], "{plan:?}: {books:#?}");
        assert!(
            books.rx_delivered > FRAMES / 4 && books.tx_arrived > FRAMES / 4,
            "{plan:?}: {books:#?}"
        );
        show(&books);
    }
}

#[test]
fn a_network_that_comes_and_goes_costs_no_frame_its_place_in_the_books() {
    stress(Family::Air, |books| {
        assert!(books.faults() > 10 && books.stats.link_changes > 5, "{books:#?}");
        assert_eq!(books.rx_unaccounted(), 0);
        assert_eq!(books.tx_taken, books.truth.tx_accepted);
    });
}

#[test]
fn a_firmware_that_lies_is_got_over() {
    stress(Family::Firmware, |books| {
        assert!(books.faults() > 50 && books.stats.rx_bad_length > 2, "{books:#?}");
        assert_eq!(books.tx_taken, books.truth.tx_accepted);
    });
}

#[test]
fn a_bus_that_fails_is_got_over() {
    stress(Family::Bus, |books| {
        assert!(
            books.times(Knob::DataNoise) > 0 && books.stats.recoveries > 2,
            "{books:#?}"
        );
    });
}

#[test]
fn a_chip_that_dies_is_started_again() {
    stress(Family::Power, |books| {
        assert!(books.faults() > 2, "{books:#?}");
        assert_eq!(books.tx_taken, books.truth.tx_accepted);
    });
}

#[test]
fn power_cycles_lose_no_frame_without_a_trace() {
    let cycles = run_power(40, SEED, || {});
    assert_eq!(cycles.books.violations, [""; 0], "{cycles:#?}");
    assert_eq!(cycles.healing.len(), 7, "{cycles:#?}");
}

#[test]
fn joins_that_fail_say_why_and_the_next_one_works() {
    let joins = run_joins(Failure::ALL.len() as u64, SEED, || {});
    assert_eq!(joins.books.violations, [""; 0], "{joins:#?}");
    assert_eq!(joins.outcomes.len(), Failure::ALL.len(), "{joins:#?}");
}
