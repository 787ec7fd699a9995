//! Copies `memory.x` to the search path of the linker, and the images of the chip to the output
//! directory.
//!
//! `CYW43_IMAGES` is the directory with the images. Without it, the program is built with stubs and
//! cannot start the chip.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The file names of the images.
const IMAGES: [&str; 3] = ["43439A0.bin", "nvram_rp2040.bin", "43439A0_clm.bin"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("memory.x"), include_bytes!("memory.x"))?;
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rerun-if-changed=build.rs");
    for script in ["link.x", "link-rp.x", "defmt.x"] {
        println!("cargo:rustc-link-arg-bins=-T{script}");
    }
    println!("cargo:rustc-link-arg-bins=--nmagic");
    images(&out)
}

fn images(out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-env-changed=CYW43_IMAGES");
    let Some(directory) = env::var_os("CYW43_IMAGES").map(PathBuf::from) else {
        println!("cargo:warning=CYW43_IMAGES is not set: built with stubs, the chip will not start");
        println!("cargo:rustc-cfg=stub_images");
        for name in IMAGES {
            fs::write(out.join(name), b"stub")?;
        }
        return Ok(());
    };
    for name in IMAGES {
        let from = directory.join(name);
        println!("cargo:rerun-if-changed={}", from.display());
        fs::copy(&from, out.join(name)).map_err(|e| format!("{}: {e}", from.display()))?;
    }
    Ok(())
}
