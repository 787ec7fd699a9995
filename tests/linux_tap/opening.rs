//! Interfaces that cannot be opened, and who may open them.

use core::error::Error as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use ethdev::{Control, ControlError, Error as _, ErrorKind, EthernetDevice, IpMtu, MacAddress};
use ethdev_linux::{Tap, TapConfig, TapError};

use crate::rig::*;

/// A program that another test starts has our descriptors for the moment between `fork` and `exec`: what was closed here is closed a little later.
fn open(config: &TapConfig) -> Result<Tap, TapError> {
    let begin = Instant::now();
    loop {
        match Tap::with_config(config.clone()) {
            Err(TapError::InUse { .. }) if begin.elapsed() < PATIENCE => std::thread::yield_now(),
            result => return result,
        }
    }
}

fn refused(config: &TapConfig) -> TapError {
    match open(config) {
        Err(e) => e,
        Ok(tap) => panic!("{} was opened", tap.name()),
    }
}

fn absent(name: &str) {
    let begin = Instant::now();
    loop {
        match open(&TapConfig::new(name).with_create(false)) {
            Err(TapError::NoSuchInterface { .. }) => return,
            other => assert!(begin.elapsed() < PATIENCE, "{other:?}"),
        }
    }
}

#[test]
fn what_is_there_is_opened_as_it_is() {
    in_namespace(|| {
        ip("tuntap add dev tap9 mode tap");
        ip("link set tap9 mtu 1400");
        let mut tap = Tap::with_config(TapConfig::new("tap9").with_create(false)).expect("not opened");
        assert_eq!((tap.name(), tap.link().is_up()), ("tap9", false));
        assert_eq!(tap.capabilities().ip_mtu(), IpMtu::new(1400));
        assert_eq!(tap.capabilities().tx_max_frame_len.bytes(), 1414);
        assert_eq!(tap.capabilities().tx_min_frame_len, 0);
        let error = Tap::open("tap9").expect_err("opened twice");
        assert!(matches!(error, TapError::InUse { .. }), "{error:?}");
        ip("link set tap9 up");
        wait_for_link(&mut tap, true);
        drop(tap);
        // Made by another, it stays.
        ip("link show dev tap9");
    });
}

#[test]
fn what_is_not_there_is_made_and_goes_away() {
    in_namespace(|| {
        absent("tap9");
        let tap = Tap::open("tap9").expect("not made");
        assert!(!tap.link().is_up());
        drop(tap);
        absent("tap9");
        // The kernel chooses names, and two of them are two.
        let (a, b) = (Tap::open("").expect("not made"), Tap::open("").expect("not made"));
        assert_ne!(a.name(), b.name());
        assert_ne!(a.mac_address(), b.mac_address());
    });
}

#[test]
fn interface_without_a_queue_is_refused() {
    in_namespace(|| {
        ip("tuntap add dev tap9 mode tap");
        ip("link set tap9 txqueuelen 0");
        let error = refused(&TapConfig::new("tap9"));
        assert!(
            matches!(&error, TapError::NoQueue { name } if name == "tap9"),
            "{error:?}"
        );
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("ip link set tap9 txqueuelen"), "{error}");

        ip("link set tap9 txqueuelen 10");
        let mut tap = open(&TapConfig::new("tap9")).expect("not opened");
        tap.stop().expect("not stopped");
        ip("link set tap9 txqueuelen 0");
        for result in [tap.start(), tap.recover()] {
            assert!(
                matches!(result, Err(ControlError::Device(TapError::NoQueue { .. }))),
                "{result:?}"
            );
        }
        ip("link set tap9 txqueuelen 1");
        tap.start().expect("not started");
        ip("addr add 10.99.0.1/24 dev tap9");
        ip("link set tap9 up");
        wait_for_link(&mut tap, true);
        // A queue of one frame delivers.
        let mut child = ping("-c 2 -i 0.2");
        serve(&mut tap, &mut child);
        assert_answered(child);
    });
}

#[test]
fn what_is_no_tap() {
    in_namespace(|| {
        ip("tuntap add dev tun9 mode tun");
        ip("tuntap add dev many9 mode tap multi_queue");
        for name in ["lo", "tun9", "many9"] {
            let error = refused(&TapConfig::new(name));
            assert!(matches!(error, TapError::NotTap { .. }), "{name}: {error:?}");
            assert!(error.source().is_some());
        }
    });
}

#[test]
fn addresses_and_settings() {
    in_namespace(|| {
        ip("tuntap add dev tap9 mode tap");
        ip("link set tap9 address 02:00:00:00:00:09");
        let config = TapConfig::new("tap9");
        let kernels = MacAddress::new([2, 0, 0, 0, 0, 9]);
        let error = refused(&config.clone().with_mac_address(kernels));
        assert!(matches!(error, TapError::InvalidMacAddress { .. }), "{error:?}");
        let made_up = open(&config).expect("not opened").mac_address();
        assert!(made_up.is_unicast() && made_up.is_local() && made_up != kernels);
        let again = open(&config).expect("not opened").mac_address();
        assert_eq!(made_up, again);

        let ours = MacAddress::new([2, 0, 0, 0, 0, 8]);
        let wanted = config
            .clone()
            .with_mac_address(ours)
            .with_ip_mtu(IpMtu::new(9000))
            .with_up(true);
        let mut tap = open(&wanted).expect("not opened");
        assert_eq!(tap.mac_address(), ours);
        for bad in [kernels, MacAddress::BROADCAST, MacAddress::UNSPECIFIED] {
            assert!(
                matches!(tap.set_mac_address(bad), Err(ControlError::InvalidInput)),
                "{bad}"
            );
        }
        tap.set_mac_address(made_up).expect("not set");
        assert_eq!(tap.mac_address(), made_up);
        assert_eq!(tap.capabilities().tx_max_frame_len.bytes(), 9014);
        assert!(ip("link show dev tap9").contains("mtu 9000"));
        drop(tap);
        for bytes in [20, 65_536] {
            let error = refused(&config.clone().with_ip_mtu(IpMtu::new(bytes)));
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
        }
    });
}

/// Runs as nobody, in a process of its own, started by the test below.
#[test]
#[ignore = "run by `who_may_open_it`, as another user"]
fn as_nobody() {
    let mut tap = Tap::with_config(TapConfig::new("tap7")).expect("an interface of one's own can be opened");
    assert!(tap.link().is_up());
    let sent = frame(tap.mac_address(), tap.mac_address(), 60, 1);
    tap.send_frame(&sent).expect("not sent");
    tap.service().expect("tap7 failed");
    for name in ["tap8", "tap6"] {
        let error = refused(&TapConfig::new(name));
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
        assert!(error.source().is_some());
        let text = error.to_string();
        assert!(
            text.contains(&format!("ip tuntap add dev {name} mode tap user $USER")),
            "{text}"
        );
    }
    let error = refused(&TapConfig::new("tap5").with_up(true));
    assert!(
        error.to_string().starts_with("tap5: bringing it up is not permitted"),
        "{error}"
    );
}

#[test]
fn who_may_open_it() {
    in_namespace(|| {
        for (name, owner) in [("tap5", "user 65534"), ("tap7", "user 65534"), ("tap8", "user 1")] {
            ip(&format!("tuntap add dev {name} mode tap {owner}"));
        }
        ip("link set tap7 up");
        // A /dev/net/tun with its usual mode, for this process alone: here it may be another.
        let script = "mount -t tmpfs -o mode=755 none /dev/net && mknod -m 666 /dev/net/tun c 10 200 \
                      && exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \"$0\" \"$@\"";
        let binary = std::env::current_exe().expect("no program");
        // Starts: sh, which starts mknod, mount, setpriv
        let output = Command::new("unshare")
            .args(["--mount", "sh", "-c", script])
            .arg(binary)
            .args(["--ignored", "--exact", "opening::as_nobody"])
            .stdin(Stdio::null())
            .output()
            .expect("unshare (util-linux) cannot be run");
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    });
}
