//! lwIP, through the C API and the shim.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ethdev_sim::{RingConfig, RingNic};

use super::super::nics::Nic;
use super::super::run::{Settings, run};

/// One test at a time: lwIP's state is global.
static LWIP: Mutex<()> = Mutex::new(());

fn exclusive() -> MutexGuard<'static, ()> {
    LWIP.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn run_memory_nic_passes_twice() {
    let _lwip = exclusive();
    let nic = Nic::new(
        "ring",
        ethdev::Speed::MBPS_100,
        "pull",
        "memory NIC",
        |slot, harness| {
            let nic = RingNic::new(&slot.clock, slot.port, RingConfig::new(slot.mac_address));
            let nic = harness.meter(nic);
            harness.measure_lwip(nic, &mut || Ok(false))
        },
    );
    let row = || run(&nic, &Settings::default(), &mut |_| ()).unwrap();
    let first = row();
    assert_eq!(first.failure, None, "{first:?}");
    assert_eq!(first, row(), "the same seed gave another row");
}
