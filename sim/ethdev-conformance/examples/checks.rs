//! Writes the page of the checks, `CHECKS.md`.
//!
//! `cargo run -p ethdev-conformance --example checks`

fn main() -> std::io::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/CHECKS.md");
    std::fs::write(path, ethdev_conformance::checks_page())
}
