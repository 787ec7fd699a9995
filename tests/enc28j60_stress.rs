//! A short run of `cargo xtask stress enc28j60`: the ENC28J60 driver on the model of its chip, with
//! all errata of each revision.

use enc28j60_model::Revision;
use ethdev_bench::enc28j60::stress::{
    OperationsPlan, OperationsScenario, Plan, RunStats, Scenario, run, run_operations,
};

const FRAMES: u64 = 8_000;

fn stress(scenario: Scenario, check: impl Fn(&RunStats)) {
    for revision in Revision::ALL {
        let plan = Plan {
            revision,
            scenario,
            frames: FRAMES,
            seed: 28,
        };
        let stats = run(plan, |_| {});
        assert_eq!(stats.violations, [""; 0], "{plan:?}: {stats:#?}");
        assert!(
            stats.rx_delivered > FRAMES / 3 && stats.tx_arrived > FRAMES / 3,
            "{plan:?}: {stats:#?}"
        );
        check(&stats);
    }
}

fn stress_flaps(scenario: Scenario) {
    stress(scenario, |stats| {
        assert!(stats.flaps > 3 && stats.model.overflowed > 0, "{stats:#?}");
        assert_eq!(stats.rx_unaccounted(), 0);
    });
}

fn stress_resets(scenario: Scenario) {
    stress(scenario, |stats| {
        assert!(stats.brownouts > 0 && stats.resets > 0, "{stats:#?}");
        assert!(
            u64::from(stats.driver.recoveries) >= stats.brownouts + stats.resets,
            "{stats:#?}"
        );
    });
}

#[test]
fn flaps_polled_half_duplex_every_frame_counted() {
    stress_flaps(Scenario::Flaps);
}

#[test]
fn flaps_edge_full_duplex_every_frame_counted() {
    stress_flaps(Scenario::FlapsEdge);
}

#[test]
fn flaps_async_half_duplex_every_frame_counted() {
    stress_flaps(Scenario::FlapsAsync);
}

#[test]
fn resets_polled_half_duplex_traffic_resumes() {
    stress_resets(Scenario::Resets);
}

#[test]
fn resets_async_full_duplex_traffic_resumes() {
    stress_resets(Scenario::ResetsAsync);
}

#[test]
fn resets_edge_half_duplex_traffic_resumes() {
    stress_resets(Scenario::ResetsEdge);
    stress_resets(Scenario::ResetsAsyncEdge);
}

/// Start, stop, sleep, wake, recover, address and filter at random moments, with faults inside them.
#[test]
fn management_calls_ok_only_with_effect() {
    for scenario in OperationsScenario::ALL {
        for revision in Revision::ALL {
            let plan = OperationsPlan {
                revision,
                scenario,
                operations: 400,
                seed: 60,
            };
            let stats = run_operations(plan, |_| {});
            assert_eq!(stats.violations, [""; 0], "{plan:?}: {stats:#?}");
            assert!(
                stats.verified > 200 && stats.revived > 10 && stats.bus_failures > 5,
                "{plan:?}: {stats:#?}"
            );
        }
    }
}
