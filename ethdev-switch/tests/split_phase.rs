//! The transcript of the split-phase example.

#[allow(unreachable_pub, reason = "the example is a program of its own, too")]
#[path = "../examples/split_phase.rs"]
mod example;

#[test]
fn split_phase_transcript_as_expected() {
    let transcript = std::cell::RefCell::new(String::new());
    example::run(|line| {
        let mut transcript = transcript.borrow_mut();
        transcript.push_str(line);
        transcript.push('\n');
    })
    .unwrap();
    assert_eq!(*transcript.borrow(), include_str!("split_phase.txt"));
}
