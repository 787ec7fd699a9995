//! The header in a C and a C++ compiler: warnings, layouts, and what its functions check.
#![cfg(not(miri))]

mod support;

use core::mem::{align_of, offset_of, size_of};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use ethdev_capi::abi;
use ethdev_sim::report_skip;
use support::codes::CODES;

const HEADER: &str = include_str!("../include/ethdev.h");
const C: &[&str] = &[
    "-std=c99",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-pedantic",
    "-Wshadow",
    "-Wconversion",
];
// Without -Wshadow: `ethdev_link` is a type and a function, as `stat` is.
const CPP: &[&str] = &["-x", "c++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-pedantic"];

/// Compiles a program and runs it; `None` if there is no compiler. Returns what it prints.
fn run(test: &str, source: &Path, language: &[&str]) -> Option<String> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    // Starts: cc, which starts as and ld
    let mut compile = Command::new("cc");
    compile
        .args(language)
        .arg(concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include"));
    let Ok(output) = compile.arg(source).arg("-o").arg(&program).output() else {
        report_skip(test, "the C compiler cc cannot be started");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Starts: the compiled program
    let output = Command::new(&program).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    Some(printed)
}

fn calls(test: &str, language: &[&str]) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/calls.c");
    if let Some(printed) = run(test, &source, language) {
        assert_eq!(printed, "0 failures\n");
    }
}

#[test]
fn calls_c99_check_version_size_and_member() {
    calls("calls_c99", C);
}

#[test]
fn calls_cpp_check_version_size_and_member() {
    calls("calls_cpp", CPP);
}

/// What a compiler says about a type or a constant: `struct ethdev_rx`, `ethdev_rx.len`,
/// `ETHDEV_OK`.
type Facts = BTreeMap<String, i64>;

/// Sizes, alignments and offsets of the types of the header, as Rust has them.
macro_rules! layouts {
    ($($c:literal: $rust:ty { $($field:ident),+ })+) => {{
        let mut facts = Facts::new();
        $(
            facts.insert(concat!("size ", $c).into(), size_of::<$rust>() as i64);
            facts.insert(concat!("align ", $c).into(), align_of::<$rust>() as i64);
            $(facts.insert(concat!($c, ".", stringify!($field)).into(), offset_of!($rust, $field) as i64);)+
        )+
        facts
    }};
}

fn rust_layouts() -> Facts {
    layouts! {
        "ethdev_iovec": abi::IoVec { base, len }
        "ethdev_rx": abi::Rx { len, flags, timestamp_ns }
        "ethdev_events": abi::Events { flags, tx_completed, tx_failed }
        "ethdev_link": abi::Link { speed_kbps, up, duplex, pause_rx, pause_tx }
        "ethdev_counters": abi::Counters {
            rx_frames, rx_bytes, rx_overrun, rx_bad_fcs, rx_bad_length, rx_error, rx_filtered, rx_discarded, rx_reset,
            tx_frames, tx_bytes, tx_aborted, tx_reset, faults, recoveries, link_changes
        }
        "ethdev_info": abi::Info {
            name, index, flags, mtu, rx_max_frame_len, tx_max_frame_len, tx_min_frame_len, rx_queue_frames,
            tx_queue_frames, service_interval_us, checksum_rx, checksum_tx, at_least_one, not_reported
        }
        "ethdev_rx_filter": abi::RxFilter { broadcast, multicast, promiscuous, reserved, group_count, groups }
        "ethdev_lock": abi::Lock { context, lock, unlock }
        "ethdev_signal": abi::Signal { context, signal }
        "ethdev_ops": abi::Ops {
            abi, size, recv, discard, send, tx_ready, service, link, counters, info, mac, set_mac, set_rx_filter,
            start, stop, sleep, wake, recover, set_lock, set_signal, interrupt, disarm, rearm
        }
        "ethdev": abi::Ethdev { ops }
    }
}

/// The constants of the header, as Rust has them.
fn rust_constants() -> Facts {
    let mut constants = vec![
        ("ETHDEV_ABI", abi::ABI.into()),
        ("ETHDEV_MAX_PARTS", abi::MAX_PARTS as i64),
        ("ETHDEV_MAX_GROUPS", abi::MAX_GROUPS.into()),
        ("ETHDEV_NAME_SIZE", abi::NAME_SIZE as i64),
        ("ETHDEV_QUEUE_UNKNOWN", abi::QUEUE_UNKNOWN.into()),
        ("ETHDEV_NO_SERVICE_INTERVAL", abi::NO_SERVICE_INTERVAL.into()),
        ("ETHDEV_RX_TIMESTAMP", abi::RX_TIMESTAMP.into()),
        ("ETHDEV_EVENT_LINK_CHANGED", abi::event::LINK_CHANGED.into()),
        ("ETHDEV_EVENT_RX_PENDING", abi::event::RX_PENDING.into()),
        ("ETHDEV_EVENT_RX_DROPPED", abi::event::RX_DROPPED.into()),
        ("ETHDEV_EVENT_TX_READY", abi::event::TX_READY.into()),
        ("ETHDEV_EVENT_RECOVERED", abi::event::RECOVERED.into()),
        ("ETHDEV_DUPLEX_UNKNOWN", abi::duplex::UNKNOWN.into()),
        ("ETHDEV_DUPLEX_HALF", abi::duplex::HALF.into()),
        ("ETHDEV_DUPLEX_FULL", abi::duplex::FULL.into()),
        ("ETHDEV_FLAG_UP", abi::flag::UP.into()),
        ("ETHDEV_FLAG_BROADCAST", abi::flag::BROADCAST.into()),
        ("ETHDEV_FLAG_MULTICAST", abi::flag::MULTICAST.into()),
        ("ETHDEV_FLAG_RUNNING", abi::flag::RUNNING.into()),
        ("ETHDEV_CHECKSUM_IPV4", abi::checksum::IPV4.into()),
        ("ETHDEV_CHECKSUM_UDP", abi::checksum::UDP.into()),
        ("ETHDEV_CHECKSUM_TCP", abi::checksum::TCP.into()),
        ("ETHDEV_CHECKSUM_ICMPV4", abi::checksum::ICMPV4.into()),
        ("ETHDEV_CHECKSUM_ICMPV6", abi::checksum::ICMPV6.into()),
        ("ETHDEV_LOSS_RX_OVERRUN", abi::loss::RX_OVERRUN.into()),
        ("ETHDEV_LOSS_RX_BAD_FCS", abi::loss::RX_BAD_FCS.into()),
        ("ETHDEV_LOSS_RX_BAD_LENGTH", abi::loss::RX_BAD_LENGTH.into()),
        ("ETHDEV_LOSS_RX_ERROR", abi::loss::RX_ERROR.into()),
        ("ETHDEV_LOSS_RX_FILTERED", abi::loss::RX_FILTERED.into()),
        ("ETHDEV_LOSS_RX_RESET", abi::loss::RX_RESET.into()),
        ("ETHDEV_LOSS_TX_ABORTED", abi::loss::TX_ABORTED.into()),
        ("ETHDEV_LOSS_TX_RESET", abi::loss::TX_RESET.into()),
        ("ETHDEV_MULTICAST_NONE", abi::multicast::NONE.into()),
        ("ETHDEV_MULTICAST_LIST", abi::multicast::LIST.into()),
        ("ETHDEV_MULTICAST_ALL", abi::multicast::ALL.into()),
        ("ETHDEV_FILTER_EXACT", abi::filter::EXACT.into()),
        ("ETHDEV_FILTER_SUPERSET", abi::filter::SUPERSET.into()),
        ("ETHDEV_WAIT_RX", abi::wait::RX.into()),
        ("ETHDEV_WAIT_TX", abi::wait::TX.into()),
        ("ETHDEV_WAIT_LINK", abi::wait::LINK.into()),
        ("ETHDEV_OK", 0),
    ];
    constants.extend(CODES.iter().map(|&(code, name)| (name, i64::from(code as i32))));
    constants
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect()
}

/// A program that prints the same facts, as C has them.
fn program(layouts: &Facts, constants: &Facts) -> String {
    let mut source = String::from("#include \"ethdev.h\"\n#include <stdio.h>\nint main(void) {\n");
    for (fact, expression) in layouts.keys().map(|fact| (fact, expression(fact))) {
        writeln!(source, "printf(\"{fact}=%lld\\n\", (long long)({expression}));").unwrap();
    }
    for name in constants.keys() {
        writeln!(source, "printf(\"{name}=%lld\\n\", (long long)({name}));").unwrap();
    }
    source + "return 0;\n}\n"
}

/// A fact of Rust as an expression of C.
fn expression(fact: &str) -> String {
    if let Some(name) = fact.strip_prefix("size ") {
        format!("sizeof(struct {name})")
    } else if let Some(name) = fact.strip_prefix("align ") {
        format!("offsetof(struct {{ char c; struct {name} s; }}, s)")
    } else {
        let (name, member) = fact.split_once('.').unwrap();
        format!("offsetof(struct {name}, {member})")
    }
}

#[test]
fn layouts_and_constants_are_those_of_c() {
    let (layouts, constants) = (rust_layouts(), rust_constants());
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join("layouts.c");
    std::fs::write(&source, program(&layouts, &constants)).unwrap();
    let Some(printed) = run("layouts", &source, C) else {
        return;
    };
    let of_c: Facts = printed
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .map(|(fact, value)| (fact.into(), value.parse().unwrap()))
        .collect();
    let of_rust: Facts = layouts.into_iter().chain(constants).collect();
    assert_eq!(of_c, of_rust);
}

/// Nothing was added to the header only.
#[test]
fn header_names_are_those_of_rust() {
    let words = |text: &'static str| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let constants = rust_constants();
    for line in HEADER.lines().map(str::trim_start) {
        let defined = line.strip_prefix("#define ").unwrap_or(line);
        let name = words(defined).next().unwrap();
        let is_macro = name == "ETHDEV_H" || name == "ETHDEV_CALL_";
        if defined.starts_with("ETHDEV_") && !is_macro {
            assert!(constants.contains_key(name), "{name}");
        }
    }
    let layouts = rust_layouts();
    let structs: Vec<&str> = HEADER
        .lines()
        .filter_map(|line| line.strip_prefix("struct ")?.strip_suffix(" {"))
        .collect();
    assert_eq!(
        structs.len(),
        layouts.keys().filter(|fact| fact.starts_with("size ")).count()
    );
    for name in structs {
        assert!(layouts.contains_key(&format!("size {name}")), "{name}");
    }
}
