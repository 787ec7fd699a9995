//! Flash and RAM that each adapter adds on thumbv7m, `opt-level` s: an image of the ENC28J60's
//! driver with the adapter, minus one without. RAM is without buffers and queues. The image of the
//! C API has all functions of the header.

use anyhow::Result;

use super::elf::Image;
use super::enc28j60::MANIFEST;
use super::{TARGET, figure, words};
use crate::cross::{Preference, ToolChain};
use crate::figures::Figure;
use crate::image::Build;

/// The images, and what is in them besides the driver.
const ADAPTERS: [(&str, &str); 4] = [
    ("size_adapter_capi", "capi"),
    ("size_adapter_smoltcp", "smoltcp"),
    ("size_adapter_embassy", "embassy + IrqDevice + Buffered"),
    ("size_adapter_switch", "switch (2 ports) + Buffered"),
];

/// Builds the images. Returns the figures.
pub(crate) fn figures() -> Result<Vec<Figure>> {
    let tools = ToolChain::find(TARGET, Preference::Any)?;
    let build = |program: &str| {
        let build = Build {
            program,
            rustflags: super::NAMED,
            env: &[super::UNSTABLE],
            directory: "enc28j60-images",
        };
        build.run_in(&tools, MANIFEST)
    };
    let driver = Image::read(&build("size_ethdev_enc28j60")?)?;
    let mut rows = Vec::new();
    for (program, what) in ADAPTERS {
        let path = build(program)?;
        let image = Image::read(&path)?;
        let [whole, inner] = words(&std::fs::read(&path)?, &format!("{program}::SIZES"))?;
        rows.push(figure(
            &format!("flash, {what}"),
            image.flash.saturating_sub(driver.flash),
        ));
        rows.push(figure(&format!("RAM, {what}"), whole - inner));
    }
    Ok(rows)
}
