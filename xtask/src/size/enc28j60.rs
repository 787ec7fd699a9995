//! Flash and RAM of ENC28J60 drivers on thumbv7m: an image of each, minus an empty image.

use anyhow::Result;

use super::elf::Image;
use super::{TARGET, figure, peer, words};
use crate::cross::{Preference, ToolChain};
use crate::figures::Figure;
use crate::image::Build;

/// The workspace of the images.
pub(super) const MANIFEST: &str = "bench/enc28j60-images/Cargo.toml";
/// The other driver.
const PEER: &str = "embassy-net-enc28j60";
/// Limit of the RAM of the driver without buffers, in bytes.
const RAM_GOAL: u64 = 64;

/// The measurements of a driver.
struct Driver {
    /// Size of the image minus that of the empty image, in bytes.
    flash: u64,
    /// Size of the variables, in bytes.
    buffers: u64,
    /// RAM of the driver with its counters, and RAM of the counters, in bytes.
    ram: u64,
    counters: u64,
}

/// Builds the images. Returns the figures, and the tool chain.
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
    let empty = Image::read(&build("size_nothing")?)?;
    let measure = |program: &str| -> Result<Driver> {
        let path = build(program)?;
        let image = Image::read(&path)?;
        let [ram, counters] = words(&std::fs::read(&path)?, &format!("{program}::SIZES"))?;
        Ok(Driver {
            flash: image.flash.saturating_sub(empty.flash),
            buffers: image.ram.saturating_sub(empty.ram),
            ram,
            counters,
        })
    };
    let ours = measure("size_ethdev_enc28j60")?;
    let asynch = measure("size_ethdev_enc28j60_async")?;
    let embassy = measure("size_embassy_net_enc28j60")?;
    let smoltcp = "size_ethdev_enc28j60_smoltcp";
    let [device, buffers] = words(&std::fs::read(build(smoltcp)?)?, &format!("{smoltcp}::SIZES"))?;
    let mut rows = rows(&ours, &asynch, &embassy);
    rows.push(figure(
        "RAM of driver, smoltcp adapter and their frame buffers, no sockets",
        device + buffers,
    ));
    rows.push(figure("of that, frame buffers", buffers));
    Ok((rows, tools.name()))
}

fn rows(ours: &Driver, asynch: &Driver, embassy: &Driver) -> Vec<Figure> {
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
            asynch.flash,
        ),
        goal(
            ours.ram,
            beside("RAM of the driver without buffers", ours.ram, embassy.ram),
        ),
        goal(
            state,
            beside("of that, its state", state, embassy.ram - embassy.counters),
        ),
        beside(
            "of that, its counters: 32 bits for each counter that the chip can increment",
            ours.counters,
            embassy.counters,
        ),
        figure(
            &format!("RAM of the async driver without buffers, {TARGET}, opt-level s"),
            asynch.ram,
        ),
        beside("static buffers", ours.buffers, embassy.buffers),
    ]
}
