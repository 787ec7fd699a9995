//! Runs the checks of the pull API on two devices: the reference memory device, and one with a
//! defect: it cuts off the end of every twentieth frame that it receives.
//!
//! `cargo run -p ethdev-conformance --example report`

use ethdev::MacAddress;
use ethdev_conformance::{Fixture, Report, Suite, WirePeer};
use ethdev_sim::{Clock, FaultPlan, Faulty, RingConfig, RingNic, When, WireConfig};

/// Constructs the device and its link peer. The suite calls it for each check.
struct Reference;

impl Fixture for Reference {
    type Device = RingNic;
    type LinkPeer = WirePeer;

    fn new() -> (RingNic, WirePeer) {
        let clock = Clock::new();
        let config = RingConfig::new(MacAddress::new([0x02, 0, 0, 0, 0, 1]));
        let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
        // Checks that need a hook which the peer does not have are skipped. This one has one hook.
        let hardware = nic.hardware();
        let peer = WirePeer::new(clock, wire, peer).with_stall_tx(move |stalled| hardware.stall_tx(stalled));
        (nic, peer)
    }
}

/// The same device with a defect in front of it.
struct Truncating;

impl Fixture for Truncating {
    type Device = Faulty<RingNic>;
    type LinkPeer = WirePeer;

    fn new() -> (Faulty<RingNic>, WirePeer) {
        let (nic, peer) = Reference::new();
        (
            Faulty::new(nic, FaultPlan::new().with_rx_truncation(When::Every(20))),
            peer,
        )
    }
}

fn summary(name: &str, report: &Report) {
    let (failed, skipped) = (report.failures().count(), report.skips().count());
    println!(
        "{name}: {} checks, {failed} failed, {skipped} skipped",
        report.entries.len()
    );
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let report = Suite::<Reference>::new().pull().run();
    summary("reference", &report);
    for skip in report.skips() {
        println!("  {skip}");
    }
    if !report.passed() {
        return Err(report.to_string().into());
    }

    let report = Suite::<Truncating>::new().pull().run();
    summary("truncating", &report);
    let failed = report.failed_requirements().into_iter().collect::<Vec<_>>();
    println!("  violated: {}", failed.join(", "));
    println!(
        "  {}",
        report.failures().next().ok_or("the suite did not find the defect")?
    );
    Ok(())
}
