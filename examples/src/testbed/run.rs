//! Attaches one NIC to a wire and measures it under one stack.

use std::io;
use std::path::{Path, PathBuf};

use ethdev_sim::{Capture, Clock, Wire, WireConfig};

use super::harness::{Harness, NODE_MAC, Slot};
use super::nics::Nic;
use super::report::Row;
use super::stack::Stack;

/// The settings of all rows.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Seed of all random values. The same seed gives the same table.
    pub seed: u64,
    /// Directory for a capture of each row's wire: `NIC.pcapng` for smoltcp, `NIC-STACK.pcapng` for
    /// another stack.
    pub pcap: Option<PathBuf>,
}

/// Attaches `nic` to a wire and measures it under `stack`. Calls `progress` with the part that is
/// done, from 0 to
/// 1.
///
/// # Errors
///
/// The capture cannot be written. Failures of the NIC are in the [`Row`].
pub fn run(nic: &Nic, stack: Stack, settings: &Settings, progress: &mut dyn FnMut(f64)) -> io::Result<Row> {
    let clock = Clock::new();
    let config = WireConfig::default()
        .with_speed(nic.speed)
        .with_seed(settings.seed)
        .with_name(nic.name);
    let (wire, port, peer) = Wire::new(&clock, config);
    let capture = settings
        .pcap
        .as_deref()
        .map(|dir| capture(dir, nic, stack))
        .transpose()?;
    if let Some(capture) = &capture {
        wire.capture(capture);
    }
    let mut row = Row::new(nic.name, stack, stack.api(nic.api));
    let harness = Harness::new(
        stack,
        clock.clone(),
        wire,
        peer,
        settings.seed,
        &mut row.figures,
        progress,
    );
    let slot = Slot {
        clock,
        port,
        mac_address: NODE_MAC,
    };
    row.failure = (nic.attach)(slot, harness).err().map(|failure| failure.0);
    if let Some(capture) = capture {
        capture.flush()?;
    }
    Ok(row)
}

fn capture(dir: &Path, nic: &Nic, stack: Stack) -> io::Result<Capture> {
    std::fs::create_dir_all(dir)?;
    let name = match stack {
        Stack::Smoltcp => nic.name.to_owned(),
        other => format!("{}-{other}", nic.name),
    };
    Capture::to_file(dir.join(name).with_extension("pcapng"))
}
