//! Opening interfaces: errors, settings and permissions.

use core::error::Error as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, IpMtu, MacAddress};
use ethdev_linux::{InterfaceError, Tap, TapConfig};

use crate::testbed::*;

/// Opens an interface, and repeats that while it is in use: a program that another test starts
/// holds the descriptors of this process between `fork` and `exec`, so that the kernel closes them
/// late.
fn open(config: &TapConfig) -> Result<Tap, InterfaceError> {
    let begin = Instant::now();
    loop {
        match Tap::with_config(config.clone()) {
            Err(InterfaceError::InUse { .. }) if begin.elapsed() < TIMEOUT => std::thread::yield_now(),
            result => return result,
        }
    }
}

fn open_error(config: &TapConfig) -> InterfaceError {
    match open(config) {
        Err(e) => e,
        Ok(tap) => panic!("{} was opened", tap.name()),
    }
}

fn assert_absent(name: &str) {
    let begin = Instant::now();
    loop {
        match open(&TapConfig::new(name).with_create(false)) {
            Err(InterfaceError::NoSuchInterface { .. }) => return,
            other => assert!(begin.elapsed() < TIMEOUT, "{other:?}"),
        }
    }
}

#[test]
fn open_existing_interface_is_unchanged() {
    in_namespace(|| {
        ip("tuntap add dev tap9 mode tap");
        ip("link set tap9 mtu 1400");
        let mut tap = Tap::with_config(TapConfig::new("tap9").with_create(false)).expect("not opened");
        assert_eq!((tap.name(), tap.link().is_up()), ("tap9", false));
        assert_eq!(tap.capabilities().ip_mtu(), IpMtu::new(1400));
        assert_eq!(tap.capabilities().tx_max_frame_len.bytes(), 1414);
        assert_eq!(tap.capabilities().tx_min_frame_len, 0);
        let error = Tap::open("tap9").expect_err("opened twice");
        assert!(matches!(error, InterfaceError::InUse { .. }), "{error:?}");
        ip("link set tap9 up");
        wait_for_link(&mut tap, true);
        drop(tap);
        // An interface that was not created here stays.
        ip("link show dev tap9");
    });
}

#[test]
fn open_missing_interface_created_and_deleted() {
    in_namespace(|| {
        assert_absent("tap9");
        let tap = Tap::open("tap9").expect("not created");
        assert!(!tap.link().is_up());
        drop(tap);
        assert_absent("tap9");
        // The kernel chooses two different names.
        let (a, b) = (Tap::open("").expect("not created"), Tap::open("").expect("not created"));
        assert_ne!(a.name(), b.name());
        assert_ne!(a.mac_address(), b.mac_address());
    });
}

#[test]
fn open_without_queue_is_rejected() {
    in_namespace_with_ping(|| {
        ip("tuntap add dev tap9 mode tap");
        ip("link set tap9 txqueuelen 0");
        let error = open_error(&TapConfig::new("tap9"));
        assert!(
            matches!(&error, InterfaceError::NoQueue { name } if name == "tap9"),
            "{error:?}"
        );
        assert_eq!(error.kind(), ErrorKind::InvalidInput);

        ip("link set tap9 txqueuelen 10");
        let mut tap = open(&TapConfig::new("tap9")).expect("not opened");
        tap.stop().expect("not stopped");
        ip("link set tap9 txqueuelen 0");
        for result in [tap.start(), tap.recover()] {
            assert!(matches!(result, Err(InterfaceError::NoQueue { .. })), "{result:?}");
        }
        ip("link set tap9 txqueuelen 1");
        tap.start().expect("not started");
        ip("addr add 10.99.0.1/24 dev tap9");
        ip("link set tap9 up");
        wait_for_link(&mut tap, true);
        // A queue of one frame delivers frames.
        let mut child = ping("-c 2 -i 0.2");
        reply_until_exit(&mut tap, &mut child);
        assert_ping_succeeded(child);
    });
}

#[test]
fn open_other_interface_is_not_tap() {
    in_namespace(|| {
        ip("tuntap add dev tun9 mode tun");
        ip("tuntap add dev many9 mode tap multi_queue");
        for name in ["lo", "tun9", "many9"] {
            let error = open_error(&TapConfig::new(name));
            assert!(matches!(error, InterfaceError::NotTap { .. }), "{name}: {error:?}");
            assert!(error.source().is_some());
        }
    });
}

#[test]
fn open_with_settings_applies_them() {
    in_namespace(|| {
        ip("tuntap add dev tap9 mode tap");
        ip("link set tap9 address 02:00:00:00:00:09");
        let config = TapConfig::new("tap9");
        let kernel = MacAddress::new([2, 0, 0, 0, 0, 9]);
        let error = open_error(&config.clone().with_mac_address(kernel));
        assert!(matches!(error, InterfaceError::InvalidMacAddress { .. }), "{error:?}");
        let derived = open(&config).expect("not opened").mac_address();
        assert!(derived.is_unicast() && derived.is_local() && derived != kernel);
        let again = open(&config).expect("not opened").mac_address();
        assert_eq!(derived, again);

        let own = MacAddress::new([2, 0, 0, 0, 0, 8]);
        let config_all = config
            .clone()
            .with_mac_address(own)
            .with_ip_mtu(IpMtu::new(9000))
            .with_up(true);
        let mut tap = open(&config_all).expect("not opened");
        assert_eq!(tap.mac_address(), own);
        for bad in [kernel, MacAddress::BROADCAST, MacAddress::UNSPECIFIED] {
            assert!(
                matches!(tap.set_mac_address(bad), Err(InterfaceError::InvalidMacAddress { .. })),
                "{bad}"
            );
        }
        tap.set_mac_address(derived).expect("not set");
        assert_eq!(tap.mac_address(), derived);
        assert_eq!(tap.capabilities().tx_max_frame_len.bytes(), 9014);
        assert!(ip("link show dev tap9").contains("mtu 9000"));
        drop(tap);
        for bytes in [20, 65_536] {
            let error = open_error(&config.clone().with_ip_mtu(IpMtu::new(bytes)));
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
        }
    });
}

/// Runs as the user nobody, in a process that the test below starts.
#[test]
#[ignore = "run by `open_as_other_user_requires_ownership`, as another user"]
fn open_as_nobody() {
    let mut tap = Tap::with_config(TapConfig::new("tap7")).expect("own interface not opened");
    assert!(tap.link().is_up());
    let sent = frame(tap.mac_address(), tap.mac_address(), 60, 1);
    tap.send_frame(&sent).expect("not sent");
    tap.service().expect("tap7 failed");
    for name in ["tap8", "tap6"] {
        let error = open_error(&TapConfig::new(name));
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
        assert!(error.source().is_some());
        let text = error.to_string();
        assert!(text.contains("CAP_NET_ADMIN"), "{text}");
    }
    let error = open_error(&TapConfig::new("tap5").with_up(true));
    assert!(
        error
            .to_string()
            .contains("bringing the interface up requires CAP_NET_ADMIN"),
        "{error}"
    );
}

#[test]
fn open_as_other_user_requires_ownership() {
    in_namespace(|| {
        for (name, owner) in [("tap5", "user 65534"), ("tap7", "user 65534"), ("tap8", "user 1")] {
            ip(&format!("tuntap add dev {name} mode tap {owner}"));
        }
        ip("link set tap7 up");
        // /dev/net/tun with its usual mode, visible to this process only: the mode on this host may
        // differ.
        let script = "mount -t tmpfs -o mode=755 none /dev/net && mknod -m 666 /dev/net/tun c 10 200 \
                      && exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \"$0\" \"$@\"";
        let binary = std::env::current_exe().expect("path of the test program is unknown");
        // Starts: sh, which starts mknod, mount, setpriv
        let output = Command::new("unshare")
            .args(["--mount", "sh", "-c", script])
            .arg(binary)
            .args(["--ignored", "--exact", "tap::open::open_as_nobody"])
            .stdin(Stdio::null())
            .output()
            .expect("unshare (util-linux) cannot be run");
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    });
}
