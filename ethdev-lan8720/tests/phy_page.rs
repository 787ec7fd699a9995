//! What `docs/lan8720.md` shows is what runs.

#[path = "../examples/own_mac/main.rs"]
mod own_mac;

#[test]
fn the_mac_on_the_page_carries_frames() {
    own_mac::main().unwrap();
}

#[test]
fn the_page_shows_the_mac_that_runs() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/lan8720.md");
    // It is not part of the published crate.
    let Ok(page) = std::fs::read_to_string(page) else {
        return;
    };
    assert!(
        page.contains(include_str!("../examples/own_mac/mac.rs").trim_end()),
        "the page shows another MAC"
    );
}
