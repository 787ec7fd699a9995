//! The TAP device: no simulation, the Linux kernel.
//!
//! Two of them on one bridge, each pair in a network namespace of its own. The far end is the other one; the checks on simulated wires say that the suite is
//! right, and the tests of the device itself that the kernel agrees. That takes root; where it cannot be had, the test says SKIPPED and why.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ethdev::{EthernetDevice, IpMtu, MacAddress, RxFilter};
use ethdev_linux::{Tap, TapConfig};
use ethdev_sim::conformance::{FarEnd, Fixture, Power, Suite};
use nix::sched::{CloneFlags, unshare};

/// Shorter waits are for frames, which are there as soon as they are sent; longer ones are for the link, whose changes are announced.
const WORTH_SLEEPING: Duration = Duration::from_millis(5);

struct OnABridge;

/// The other device on the bridge.
struct Peer(Tap);

/// Many commands in one process.
fn ip(commands: &str) {
    let mut child = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("ip (iproute2) cannot be run");
    child
        .stdin
        .take()
        .expect("no pipe")
        .write_all(commands.as_bytes())
        .expect("ip does not listen");
    assert!(child.wait().expect("no ip").success(), "{commands}");
}

impl Fixture for OnABridge {
    type Device = Tap;
    type FarEnd = Peer;

    /// Each check has a thread of its own, and so a namespace; the kernel clears it away when the thread ends.
    fn new() -> (Tap, Peer) {
        unshare(CloneFlags::CLONE_NEWNET).expect("no namespace");
        // A kernel that has no IPv6 says nothing by itself.
        std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").ok();
        let tap = |name, last, ip_mtu| {
            let address = MacAddress::new([0x02, 0xbb, 0, 0, 0, last]);
            let config = TapConfig::new(name).with_mac_address(address).with_up(true);
            Tap::with_config(config.with_ip_mtu(IpMtu::new(ip_mtu))).expect("no TAP")
        };
        // The device receives frames with a VLAN tag too: the peer has to be able to send as much.
        let (device, mut peer) = (tap("tapa", 1, 1500), tap("tapb", 2, 1504));
        // Bit 14 of the mask: LLDP's group is one that the suite sends to, and that a bridge keeps to itself otherwise.
        ip("link add br0 type bridge mcast_snooping 0 group_fwd_mask 0x4000
            link set br0 up
            link set tapa master br0
            link set tapb master br0");
        ethdev::Control::set_rx_filter(&mut peer, RxFilter::PROMISCUOUS).expect("no filter");
        for _ in 0..1000 {
            peer.service().expect("the peer failed");
            if peer.link().is_up() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        (device, Peer(peer))
    }
}

impl FarEnd for Peer {
    fn peer_send(&mut self, frame: &[u8]) {
        // A frame that the bridge drops because the other queue is full was sent all the same.
        self.0.send_frame(frame).expect("the peer cannot send");
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        let mut buf = [0; 1600];
        let meta = self.0.recv_frame(&mut buf).expect("the peer failed")?;
        Some(buf[..meta.len].to_vec())
    }

    fn advance(&mut self, by: Duration) {
        if by >= WORTH_SLEEPING {
            std::thread::sleep(by);
        }
    }

    fn medium_min_frame_len(&self) -> usize {
        14
    }

    fn set_link(&mut self, up: bool) -> Power {
        ip(if up { "link set tapa up" } else { "link set tapa down" });
        Ok(())
    }
}

#[test]
fn tap_itself() {
    run("tap_itself", Suite::new().pull());
}

#[test]
fn tap_behind_layers() {
    run("tap_behind_layers", Suite::new().layers());
}

#[test]
fn tap_managed() {
    run("tap_managed", Suite::new().control().control_layers());
}

fn run(test: &str, suite: Suite<OnABridge>) {
    let why = if !Path::new("/dev/net/tun").exists() {
        "there is no /dev/net/tun".to_owned()
    } else if let Err(e) = std::thread::spawn(|| unshare(CloneFlags::CLONE_NEWNET))
        .join()
        .expect("unshare panicked")
    {
        format!("a network namespace takes root: {e}")
    } else {
        let report = suite.run();
        println!("{report}");
        return report.assert_passed();
    };
    writeln!(std::io::stderr(), "SKIPPED {test}: {why}").expect("no stderr");
}
