//! The example in `docs/lan8720.md` is the one that runs.

#[path = "../examples/own_mac/main.rs"]
mod own_mac;

#[test]
fn own_mac_example_runs() {
    own_mac::main().unwrap();
}

#[test]
fn lan8720_page_contains_own_mac() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/lan8720.md");
    // The page is not part of the published crate.
    let Ok(page) = std::fs::read_to_string(page) else {
        return;
    };
    assert!(
        page.contains(include_str!("../examples/own_mac/mac.rs").trim_end()),
        "docs/lan8720.md differs from examples/own_mac/mac.rs"
    );
}
