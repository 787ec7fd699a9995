//! A short run of `cargo xtask stress cyw43`: the CYW43439 driver on the model of its chip.

use ethdev_bench::cyw43::stress::{
    Failure, Family, FaultKind, ManagementPlan, Operation, Plan, RunStats, run_joins, run_management, run_power_cycles,
    run_traffic,
};

const FRAMES: u64 = 8_000;
const SEED: u64 = 43;

fn stress(family: Family, check: impl Fn(&RunStats)) {
    for has_irq_line in [true, false] {
        let plan = Plan {
            family,
            has_irq_line,
            frames: FRAMES,
            seed: SEED,
        };
        let stats = run_traffic(plan, |_| {});
        assert_eq!(stats.violations, [""; 0], "{plan:?}: {stats:#?}");
        assert!(
            stats.rx_delivered > FRAMES / 4 && stats.tx_arrived > FRAMES / 4,
            "{plan:?}: {stats:#?}"
        );
        check(&stats);
    }
}

#[test]
fn traffic_radio_faults_every_frame_counted() {
    stress(Family::Air, |stats| {
        assert!(stats.faults() > 10 && stats.driver.link_changes > 5, "{stats:#?}");
        assert_eq!(stats.rx_unaccounted(), 0);
        assert_eq!(stats.tx_accepted, stats.model.tx_accepted);
    });
}

#[test]
fn traffic_firmware_faults_recovers() {
    stress(Family::Firmware, |stats| {
        assert!(stats.faults() > 50 && stats.driver.rx_bad_length > 2, "{stats:#?}");
        assert_eq!(stats.tx_accepted, stats.model.tx_accepted);
    });
}

#[test]
fn traffic_bus_faults_recovers() {
    stress(Family::Bus, |stats| {
        assert!(
            stats.fault_count(FaultKind::DataNoise) > 0 && stats.driver.recoveries > 2,
            "{stats:#?}"
        );
    });
}

#[test]
fn traffic_power_faults_restarts_chip() {
    stress(Family::Power, |stats| {
        assert!(stats.faults() > 2, "{stats:#?}");
        assert_eq!(stats.tx_accepted, stats.model.tx_accepted);
    });
}

#[test]
fn power_cycles_every_frame_counted() {
    let cycles = run_power_cycles(40, SEED, || {});
    assert_eq!(cycles.stats.violations, [""; 0], "{cycles:#?}");
    assert_eq!(cycles.recoveries.len(), 7, "{cycles:#?}");
}

#[test]
fn joins_with_faults_known_errors_then_join_succeeds() {
    let joins = run_joins(Failure::ALL.len() as u64, SEED, || {});
    assert_eq!(joins.stats.violations, [""; 0], "{joins:#?}");
    assert_eq!(joins.outcomes.len(), Failure::ALL.len(), "{joins:#?}");
}

#[test]
fn management_calls_with_faults_have_their_effect() {
    for is_async in [false, true] {
        let plan = ManagementPlan {
            is_async,
            operations: 1_000,
            seed: SEED,
        };
        let results = run_management(plan, || {});
        assert_eq!(results.stats.violations, [""; 0], "{plan:?}: {results:#?}");
        for operation in Operation::ALL {
            let calls = results.calls.get(&operation).copied().unwrap_or_default();
            assert!(calls.succeeded > 20 && calls.failed > 0, "{operation}: {calls:?}");
            assert_eq!(calls.dropped > 0, is_async, "{operation}: {calls:?}");
        }
        assert!(results.exchanges > 20, "{results:#?}");
    }
}
