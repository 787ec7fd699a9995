//! A small run of `cargo xtask stress enc28j60`: the driver of the ENC28J60 on the model of its chip, with all errata of each revision.

use enc28j60_model::Revision;
use ethdev_bench::enc28j60::stress::{Books, Plan, Scenario, run};

const FRAMES: u64 = 8_000;

fn stress(scenario: Scenario, show: impl Fn(&Books)) {
    for revision in Revision::ALL {
        let plan = Plan {
            revision,
            scenario,
            frames: FRAMES,
            seed: 28,
        };
        let books = run(plan, |_| {});
        assert_eq!(books.violations, [""; 0], "{plan:?}: {books:#?}");
        assert!(
            books.rx_delivered > FRAMES / 3 && books.tx_arrived > FRAMES / 3,
            "{plan:?}: {books:#?}"
        );
        show(&books);
    }
}

/// The driver says of each frame what became of it.
fn stress_flaps(scenario: Scenario) {
    stress(scenario, |books| {
        assert!(books.flaps > 3 && books.truth.overflowed > 0, "{books:#?}");
        assert_eq!(books.rx_unaccounted(), 0);
    });
}

fn stress_resets(scenario: Scenario) {
    stress(scenario, |books| {
        assert!(books.brown_outs > 0 && books.resets > 0, "{books:#?}");
        assert!(
            u64::from(books.stats.recoveries) >= books.brown_outs + books.resets,
            "{books:#?}"
        );
    });
}

#[test]
fn every_frame_is_delivered_once_or_counted_through_link_flaps_and_overruns() {
    stress_flaps(Scenario::Flaps);
}

#[test]
fn so_in_full_duplex_by_interrupts() {
    stress_flaps(Scenario::FlapsByEdge);
}

#[test]
fn so_with_the_async_driver() {
    stress_flaps(Scenario::FlapsAwaited);
}

#[test]
fn resets_at_any_instant_are_got_over() {
    stress_resets(Scenario::Resets);
}

#[test]
fn so_with_the_async_driver_in_full_duplex() {
    stress_resets(Scenario::ResetsAwaited);
}

#[test]
fn resets_by_edge_traffic_resumes() {
    stress_resets(Scenario::ResetsByEdge);
    stress_resets(Scenario::ResetsAwaitedByEdge);
}
