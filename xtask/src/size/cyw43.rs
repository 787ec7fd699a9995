//! Flash and RAM of CYW43439 drivers on thumbv6m: an image of each, minus an empty image.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use object::{Object, ObjectSection, ObjectSymbol};

use super::elf::Image;
use super::{figure, symbol};
use crate::cross::{Preference, ToolChain};
use crate::figures::Figure;
use crate::image::Build;

const TARGET: &str = "thumbv6m-none-eabi";
/// The workspace of the images.
const MANIFEST: &str = "bench/cyw43-images/Cargo.toml";
/// The other driver.
const PEER: &str = "cyw43 0.7.0";

/// The measurements of a driver.
struct Driver {
    /// Size of the image minus that of the empty image, in bytes.
    flash: u64,
    /// Size of the variables, mostly frame buffers, in bytes.
    variables: u64,
    /// Size of the task, or of the state on the stack, in bytes.
    task: u64,
}

/// Builds the images, and returns the figures.
pub(crate) fn figures() -> Result<Vec<Figure>> {
    let tools = ToolChain::find(TARGET, Preference::Any)?;
    let build = |program: &'static str| {
        let build = Build {
            program,
            rustflags: super::NAMED,
            env: &[super::UNSTABLE],
            directory: "cyw43-images",
        };
        build.run_in(&tools, MANIFEST)
    };
    let empty = Image::read(&build("size_nothing")?)?;
    let measure = |program: &'static str| -> Result<Driver> {
        let path = build(program)?;
        let image = Image::read(&path)?;
        Ok(Driver {
            flash: image.flash.saturating_sub(empty.flash),
            variables: image.ram.saturating_sub(empty.ram),
            task: task(&path, program)?,
        })
    };
    let blocking = measure("size_ethdev_cyw43")?;
    let asynch = measure("size_ethdev_cyw43_async")?;
    let theirs = measure("size_cyw43")?;
    let row = |name: &str, what: fn(&Driver) -> u64, ours: &Driver| Figure {
        peers: BTreeMap::from([(PEER.to_owned(), what(&theirs) as f64)]),
        ..figure(&format!("{name}, {TARGET}, opt-level s"), what(ours))
    };
    let flash = |driver: &Driver| driver.flash;
    let ram = |driver: &Driver| driver.variables + driver.task;
    Ok(vec![
        row(
            "flash: start, join, echo, service, recovery, reconnect, access point; async (cyw43: start, join, echo)",
            flash,
            &asynch,
        ),
        row("flash: the same, blocking (cyw43: async)", flash, &blocking),
        row("RAM: frames, driver and task, async", ram, &asynch),
        row(
            "RAM: the same, blocking, without the stack of calls (cyw43: async)",
            ram,
            &blocking,
        ),
        row(
            "of that, variables: receive queue of four frames (cyw43: four each for receive and transmit)",
            |driver| driver.variables,
            &asynch,
        ),
        row(
            "of that, the task: state across waits, with a frame buffer in ethdev",
            |driver| driver.task,
            &asynch,
        ),
    ])
}

/// Reads the first word of the variable `SIZES` in an image.
fn task(image: &Path, program: &str) -> Result<u64> {
    let data = std::fs::read(image)?;
    let file = object::File::parse(&*data)?;
    let variable = format!("{program}::SIZES");
    let found = file
        .symbols()
        .find(|symbol| symbol.name().is_ok_and(|name| symbol::demangle(name) == variable));
    let symbol = found.with_context(|| format!("no {variable} in the image"))?;
    let section = file.section_by_index(symbol.section_index().context("SIZES has no section")?)?;
    let bytes = section
        .data_range(symbol.address(), symbol.size())?
        .and_then(|bytes| bytes.first_chunk::<4>())
        .context("SIZES is outside its section")?;
    Ok(u32::from_le_bytes(*bytes).into())
}
