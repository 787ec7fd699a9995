//! What the drivers of the ENC28J60 take on thumbv7m: an image of each, and one of nothing to take off it.

use anyhow::Result;

use super::elf::Image;
use super::{TARGET, figure, peer, words};
use crate::cross::{Preference, ToolChain};
use crate::figures::Figure;
use crate::image::Build;

/// The workspace of the images.
const MANIFEST: &str = "bench/enc28j60-images/Cargo.toml";
/// The driver that ours is shown beside.
const PEER: &str = "embassy-net-enc28j60";
/// Bytes that the driver is to take without buffers.
const RAM_GOAL: u64 = 64;

/// A driver, measured.
struct Driver {
    /// Bytes that its image is longer than the one of nothing.
    flash: u64,
    /// Bytes of variables.
    buffers: u64,
    /// The driver's own, with counters; and the counters.
    ram: u64,
    counters: u64,
}

/// The figures, and the tool chain that made them.
pub(crate) fn figures(preference: Preference) -> Result<(Vec<Figure>, String)> {
    let tools = ToolChain::find(TARGET, preference)?;
    let build = |program: &str| {
        let build = Build {
            program,
            rustflags: super::NAMED,
            env: &[super::UNSTABLE],
            directory: "enc28j60-images",
        };
        build.run_in(&tools, MANIFEST)
    };
    let nothing = Image::read(&build("size_nothing")?)?;
    let measure = |program: &str| -> Result<Driver> {
        let path = build(program)?;
        let image = Image::read(&path)?;
        let [ram, counters] = words(&std::fs::read(&path)?, &format!("{program}::SIZES"))?;
        Ok(Driver {
            flash: image.flash.saturating_sub(nothing.flash),
            buffers: image.ram.saturating_sub(nothing.ram),
            ram,
            counters,
        })
    };
    let ours = measure("size_ethdev_enc28j60")?;
    let awaited = measure("size_ethdev_enc28j60_async")?;
    let embassy = measure("size_embassy_net_enc28j60")?;
    let smoltcp = "size_ethdev_enc28j60_smoltcp";
    let [device, buffers] = words(&std::fs::read(build(smoltcp)?)?, &format!("{smoltcp}::SIZES"))?;
    let mut rows = rows(&ours, &awaited, &embassy);
    rows.push(figure(
        "RAM of driver, smoltcp adapter and their frame buffers, no sockets",
        device + buffers,
    ));
    rows.push(figure("of that, frame buffers", buffers));
    Ok((rows, tools.name()))
}

fn rows(ours: &Driver, awaited: &Driver, embassy: &Driver) -> Vec<Figure> {
    let beside = |name: &str, ours: u64, theirs: u64| Figure {
        peers: peer(PEER, theirs),
        ..figure(&format!("{name}, {TARGET}, opt-level s"), ours)
    };
    let goal = |bytes: u64, row: Figure| Figure {
        goal: format!("<= {RAM_GOAL}"),
        ok: Some(bytes <= RAM_GOAL),
        ..row
    };
    let state = ours.ram - ours.counters;
    vec![
        beside("flash of driver and traits, blocking", ours.flash, embassy.flash),
        figure(
            &format!("flash of driver and traits, async, {TARGET}, opt-level s"),
            awaited.flash,
        ),
        goal(
            ours.ram,
            beside("RAM of the driver, buffers not counted", ours.ram, embassy.ram),
        ),
        goal(
            state,
            beside("of that, its state", state, embassy.ram - embassy.counters),
        ),
        beside(
            "of that, its counters: 32 bits for each that the contract names and the chip can move",
            ours.counters,
            embassy.counters,
        ),
        figure(
            &format!("RAM of the async driver, buffers not counted, {TARGET}, opt-level s"),
            awaited.ram,
        ),
        beside("static buffers", ours.buffers, embassy.buffers),
    ]
}
