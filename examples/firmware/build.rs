//! Sets the board, and copies its linker scripts to the search path of the linker.

use std::path::PathBuf;
use std::{env, fs};

/// The board of each target. Its name is that of its directory.
const BOARDS: [(&str, &str); 2] = [("thumbv7m-none-eabi", "mps2_an385"), ("armv7a-none-eabi", "imx6ul_evk")];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    let names: Vec<String> = BOARDS.iter().map(|(_, board)| format!("{board:?}")).collect();
    println!("cargo:rustc-check-cfg=cfg(board, values({}))", names.join(", "));
    let target = env::var("TARGET")?;
    // Host builds have no board.
    let Some((_, board)) = BOARDS.iter().find(|(name, _)| *name == target) else {
        return Ok(());
    };
    println!("cargo:rustc-cfg=board={board:?}");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for entry in fs::read_dir(format!("src/board/{board}"))? {
        let script = entry?.path();
        if let (Some(name), Some("x")) = (script.file_name(), script.extension().and_then(|x| x.to_str())) {
            fs::copy(&script, out.join(name))?;
            println!("cargo:rerun-if-changed={}", script.display());
        }
    }
    println!("cargo:rustc-link-search={}", out.display());
    // The script of the runtime crate, which includes the one of the board.
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    Ok(())
}
