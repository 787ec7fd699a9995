//! What the drivers of the CYW43439 take on thumbv6m: an image of each, and one of nothing to take off it.

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
/// The driver that ours is shown beside.
const PEER: &str = "cyw43 0.7.0";

/// A driver, measured.
struct Driver {
    /// Bytes that its image is longer than the one of nothing.
    flash: u64,
    /// Bytes of variables: for frames, nearly all of them.
    variables: u64,
    /// Bytes of the task that runs it, or of what its program keeps on the stack.
    task: u64,
}

/// The figures, from images that are built for that.
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
    let nothing = Image::read(&build("size_nothing")?)?;
    let measure = |program: &'static str| -> Result<Driver> {
        let path = build(program)?;
        let image = Image::read(&path)?;
        Ok(Driver {
            flash: image.flash.saturating_sub(nothing.flash),
            variables: image.ram.saturating_sub(nothing.ram),
            task: task(&path, program)?,
        })
    };
    let blocking = measure("size_ethdev_cyw43")?;
    let awaited = measure("size_ethdev_cyw43_async")?;
    let theirs = measure("size_cyw43")?;
    let row = |name: &str, what: fn(&Driver) -> u64, ours: &Driver| Figure {
        peers: BTreeMap::from([(PEER.to_owned(), what(&theirs) as f64)]),
        ..figure(&format!("{name}, {TARGET}, opt-level s"), what(ours))
    };
    let flash = |driver: &Driver| driver.flash;
    let ram = |driver: &Driver| driver.variables + driver.task;
    Ok(vec![
        row(
            "flash: start, join, echo, service, recovery, joining again, own access point; async (theirs: start, join, echo)",
            flash,
            &awaited,
        ),
        row("flash: the same, blocking (theirs is async)", flash, &blocking),
        row("RAM: frames, driver and task, async", ram, &awaited),
        row(
            "RAM: the same, blocking, without what calls take of the stack (theirs is async)",
            ram,
            &blocking,
        ),
        row(
            "of that, variables: four frames for receiving (theirs: four, and four to send)",
            |driver| driver.variables,
            &awaited,
        ),
        row(
            "of that, the task: what the program keeps while it waits, with a frame of its own in ours",
            |driver| driver.task,
            &awaited,
        ),
    ])
}

/// The first word that the image says about itself in `SIZES`.
fn task(image: &Path, program: &str) -> Result<u64> {
    let data = std::fs::read(image)?;
    let file = object::File::parse(&*data)?;
    let variable = format!("{program}::SIZES");
    let found = file
        .symbols()
        .find(|symbol| symbol.name().is_ok_and(|name| symbol::demangle(name) == variable));
    let symbol = found.with_context(|| format!("no {variable} in the image"))?;
    let section = file.section_by_index(symbol.section_index().context("SIZES is nowhere")?)?;
    let bytes = section
        .data_range(symbol.address(), symbol.size())?
        .and_then(|bytes| bytes.first_chunk::<4>())
        .context("SIZES is outside its section")?;
    Ok(u32::from_le_bytes(*bytes).into())
}
