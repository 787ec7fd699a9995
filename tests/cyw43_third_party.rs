//! The published crate `cyw43`, unmodified, on the model of the chip: an independent driver, to
//! which the model is not adapted.
//!
//! The kinds of protocol violations that the model reports are compared exactly.

use core::task::{Context, Waker};
use core::time::Duration;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cyw43::{A4, Aligned, Control, JoinAuth, JoinError, JoinOptions, NetDriver, PowerManagementMode, ScanOptions};
use cyw43439_model::{
    AccessPoint, Boot, ChipConfig, Corruption, Cyw43Chip, EventOrder, Fault, Images, JoinFault, Security,
    ViolationKind, WordBus,
};
use embassy_net_driver::{Driver as _, LinkState, RxToken as _, TxToken as _};
use ethdev_sim::{Clock, Deadlock, Peer, SimDelay, Wire, WireConfig, block_on_until, embassy_time};

const MAC: [u8; 6] = [0x28, 0xcd, 0xc1, 0x01, 0x02, 0x03];
const PASSPHRASE: &str = "correct horse battery staple";
/// The lengths of the images of a Pico W, in bytes.
const FIRMWARE_LEN: usize = 231_077;
const NVRAM_LEN: usize = 742;

struct Bus(WordBus);

impl cyw43::SpiBusCyw43 for Bus {
    async fn cmd_write(&mut self, write: &[u32]) -> u32 {
        self.0.cmd_write(write).await.expect("no bus failure is injected")
    }

    async fn cmd_read(&mut self, write: u32, read: &mut [u32]) -> u32 {
        self.0.cmd_read(write, read).await.expect("no bus failure is injected")
    }

    async fn wait_for_event(&mut self) {
        self.0.wait_for_event().await;
    }
}

struct Testbed {
    clock: Clock,
    chip: Cyw43Chip,
    peer: Peer,
    images: Images,
}

fn testbed(config: ChipConfig) -> Testbed {
    let clock = Clock::new();
    let (_, port, peer) = Wire::new(&clock, WireConfig::default());
    embassy_time::set_clock(&clock);
    let images = Images::pseudo_random(43);
    Testbed {
        chip: Cyw43Chip::new(&clock, port, config.with_images(images.clone())),
        peer: Peer::new(peer),
        clock,
        images,
    }
}

/// Copies an image to aligned memory, as the driver requires.
fn aligned<const N: usize>(bytes: Option<&[u8]>) -> Box<Aligned<A4, [u8; N]>> {
    let mut image = Box::new(Aligned([0; N]));
    image.copy_from_slice(bytes.expect("the testbed has all images"));
    image
}

impl Testbed {
    /// Boots the chip, and runs an application beside the driver for up to 2 min.
    fn run<T>(&self, app: impl AsyncFnOnce(&mut Control<'_>, &mut NetDriver<'_>) -> T) -> Result<T, Deadlock> {
        self.run_for(Duration::from_secs(120), app)
    }

    fn run_for<T>(
        &self,
        time: Duration,
        app: impl AsyncFnOnce(&mut Control<'_>, &mut NetDriver<'_>) -> T,
    ) -> Result<T, Deadlock> {
        let firmware = aligned::<FIRMWARE_LEN>(self.images.firmware.as_deref());
        let nvram = aligned::<NVRAM_LEN>(self.images.nvram.as_deref());
        let clm = self.images.clm.clone().expect("the testbed has all images");
        let mut state = cyw43::State::new();
        let bus = Bus(self.chip.word_bus());
        block_on_until(&self.clock, self.clock.now() + time, async {
            let (mut net, mut control, runner) =
                cyw43::new(&mut state, self.chip.power_pin(), bus, &*firmware, &*nvram).await;
            let app = async {
                control.init(&clm).await;
                app(&mut control, &mut net).await
            };
            futures_lite::future::or(async { runner.run().await }, app).await
        })
    }

    fn kinds(&self) -> BTreeSet<ViolationKind> {
        self.chip.violations().iter().map(|violation| violation.kind).collect()
    }

    async fn sleep(&self, time: Duration) {
        SimDelay::new(&self.clock).until(self.clock.now() + time).await;
    }
}

/// Waits for a link state, for up to 5 s. Returns whether it was reached.
async fn link(testbed: &Testbed, net: &mut NetDriver<'_>, expected: LinkState) -> bool {
    for _ in 0..500 {
        if net.link_state(&mut Context::from_waker(Waker::noop())) == expected {
            return true;
        }
        testbed.sleep(Duration::from_millis(10)).await;
    }
    false
}

fn receive(net: &mut NetDriver<'_>) -> Option<Vec<u8>> {
    let (token, _) = net.receive(&mut Context::from_waker(Waker::noop()))?;
    Some(token.consume(|frame| frame.to_vec()))
}

async fn next_frame(testbed: &Testbed, net: &mut NetDriver<'_>) -> Option<Vec<u8>> {
    for _ in 0..5000 {
        if let Some(frame) = receive(net) {
            return Some(frame);
        }
        testbed.sleep(Duration::from_micros(200)).await;
    }
    None
}

async fn send(testbed: &Testbed, net: &mut NetDriver<'_>, frame: &[u8]) {
    for _ in 0..5000 {
        if let Some(token) = net.transmit(&mut Context::from_waker(Waker::noop())) {
            token.consume(frame.len(), |buf| buf.copy_from_slice(frame));
            return;
        }
        testbed.sleep(Duration::from_micros(200)).await;
    }
    core::future::pending::<()>().await;
}

fn frame_to(to: [u8; 6], len: usize, n: u8) -> Vec<u8> {
    let mut frame = to.to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 0x01, 0x08, 0x00]);
    frame.extend((14..len).map(|at| (at as u8).wrapping_mul(7) ^ n));
    frame
}

fn frame(len: usize, n: u8) -> Vec<u8> {
    frame_to(MAC, len, n)
}

/// Exchanges frames of many lengths in both directions, one at a time and in bursts of three.
async fn exchange(testbed: &Testbed, net: &mut NetDriver<'_>) {
    let lengths = [60, 61, 64, 128, 236, 237, 333, 1000, 1513, 1514];
    for (n, len) in lengths.into_iter().cycle().take(40).enumerate() {
        let there = frame(len, n as u8);
        testbed.peer.send(&there);
        assert_eq!(next_frame(testbed, net).await, Some(there), "frame {n}");
        let back = frame(len, !(n as u8));
        send(testbed, net, &back).await;
        testbed.sleep(Duration::from_millis(5)).await;
        assert_eq!(testbed.peer.recv(), Some(back), "frame {n}");
    }
    for round in 0..20_u8 {
        for n in 0..3 {
            testbed.peer.send(&frame(1514, round ^ n << 6));
            send(testbed, net, &frame(1514, round ^ n << 6)).await;
        }
        for n in 0..3 {
            let expected = frame(1514, round ^ n << 6);
            assert_eq!(
                next_frame(testbed, net).await.as_ref(),
                Some(&expected),
                "round {round}"
            );
            testbed.sleep(Duration::from_millis(5)).await;
            assert_eq!(testbed.peer.recv(), Some(expected), "round {round}");
        }
    }
    let stats = testbed.chip.stats();
    assert_eq!((stats.delivered, stats.transmitted), (100, 100), "{stats:?}");
    assert_eq!((stats.waiting(), stats.tx_waiting()), (0, 0), "{stats:?}");
}

fn options(auth: JoinAuth, passphrase: &str) -> JoinOptions<'_> {
    let mut options = JoinOptions::new(passphrase.as_bytes());
    options.auth = auth;
    options.cipher_tkip = matches!(auth, JoinAuth::Wpa);
    options
}

#[test]
fn init_chip_running() {
    let testbed = testbed(ChipConfig::default());
    testbed
        .run(async |control, _| assert_eq!(control.address().await, MAC))
        .expect("no step hangs");
    assert_eq!(testbed.chip.boot(), Boot::Running);
    assert_eq!(testbed.chip.uploaded_clm(), testbed.images.clm);
    assert_eq!(testbed.kinds(), BTreeSet::new());
    // 231,077 bytes in blocks of 64 or fewer, and polls.
    assert!(testbed.chip.bus().writes[1] > 3_611, "{:?}", testbed.chip.bus());
}

#[test]
fn init_core_running_before_succeeds() {
    let testbed = testbed(ChipConfig::default().with_arm_running());
    testbed.run(async |_, _| ()).expect("no step hangs");
    assert_eq!(testbed.kinds(), BTreeSet::new());
}

/// The driver does not verify the images: without working firmware it polls the clock indefinitely.
#[test]
fn init_wrong_image_never_completes() {
    let testbed = testbed(ChipConfig::default());
    testbed
        .chip
        .expect_images(testbed.images.clone().with_firmware(vec![0x55; FIRMWARE_LEN]));
    assert!(testbed.run_for(Duration::from_secs(2), async |_, _| ()).is_err());
    assert_eq!(testbed.chip.boot(), Boot::BusReady);
    assert_eq!(testbed.chip.violations()[0].kind, ViolationKind::BadImage);
}

#[test]
fn join_open_network_frames_exchanged() {
    let testbed = testbed(ChipConfig::default());
    testbed.chip.add_ap(AccessPoint::open("testbed"));
    testbed
        .run(async |control, net| {
            control
                .join("testbed", JoinOptions::new_open())
                .await
                .expect("an open network");
            assert!(link(&testbed, net, LinkState::Up).await);
            exchange(&testbed, net).await;
        })
        .expect("no step hangs");
    assert_eq!(testbed.kinds(), BTreeSet::new());
}

#[test]
fn join_secured_networks_frames_exchanged() {
    let phrase = || String::from(PASSPHRASE);
    let cases = [
        (JoinAuth::Wpa, Security::Wpa(phrase())),
        (JoinAuth::Wpa2, Security::Wpa2(phrase())),
        (JoinAuth::Wpa2, Security::Wpa2Wpa3(phrase())),
        (JoinAuth::Wpa3, Security::Wpa3(phrase())),
        (JoinAuth::Wpa3, Security::Wpa2Wpa3(phrase())),
        (JoinAuth::Wpa2Wpa3, Security::Wpa2(phrase())),
        (JoinAuth::Wpa2Wpa3, Security::Wpa3(phrase())),
        (JoinAuth::Wpa2Wpa3, Security::Wpa2Wpa3(phrase())),
    ];
    for order in [EventOrder::KeyedFirst, EventOrder::KeyedLast] {
        for (auth, security) in cases.clone() {
            let testbed = testbed(ChipConfig::default().with_event_order(order));
            testbed
                .chip
                .add_ap(AccessPoint::open("testbed").with_security(security.clone()));
            testbed
                .run(async |control, net| {
                    let joined = control.join("testbed", options(auth, PASSPHRASE)).await;
                    joined.unwrap_or_else(|error| panic!("{auth:?} into {security:?}: {error:?}"));
                    assert!(link(&testbed, net, LinkState::Up).await, "{auth:?} into {security:?}");
                    exchange(&testbed, net).await;
                })
                .expect("no step hangs");
            assert_eq!(testbed.kinds(), BTreeSet::new(), "{auth:?} into {security:?}");
        }
    }
}

#[test]
fn join_wrong_passphrase_fails() {
    let cases = [
        (JoinAuth::Wpa2, AccessPoint::wpa2("testbed", PASSPHRASE)),
        (JoinAuth::Wpa3, AccessPoint::wpa3("testbed", PASSPHRASE)),
        (JoinAuth::Wpa2Wpa3, AccessPoint::wpa2_wpa3("testbed", PASSPHRASE)),
    ];
    for (auth, ap) in cases {
        let testbed = testbed(ChipConfig::default());
        testbed.chip.add_ap(ap);
        let joined = testbed.run(async |control, net| {
            let joined = control.join("testbed", options(auth, "correct horse?")).await;
            assert!(link(&testbed, net, LinkState::Down).await);
            joined
        });
        let error = joined.expect("no step hangs").expect_err("the passphrase is wrong");
        assert!(matches!(error, JoinError::AuthenticationFailure), "{auth:?}: {error:?}");
        assert!(testbed.chip.association().is_none_or(|association| !association.keyed));
        assert_eq!(testbed.kinds(), BTreeSet::new());
    }
}

/// The errors of this driver for each fault of a network.
#[test]
fn join_faulty_network_known_errors() {
    let ap = AccessPoint::wpa2("testbed", PASSPHRASE);
    let join = |ap: AccessPoint, ssid: &'static str| {
        let testbed = testbed(ChipConfig::default());
        testbed.chip.add_ap(ap);
        let joined = testbed.run(async |control, _| control.join(ssid, options(JoinAuth::Wpa2, PASSPHRASE)).await);
        assert_eq!(testbed.kinds(), BTreeSet::new());
        joined
    };
    let cases = [
        (ap.clone(), "nowhere", "NetworkNotFound"),
        (AccessPoint::open("testbed"), "testbed", "NetworkNotFound"),
        (
            ap.clone().with_join_fault(JoinFault::AuthTimeout),
            "testbed",
            "JoinFailure(1)",
        ),
        (
            ap.clone().with_join_fault(JoinFault::AuthRefused),
            "testbed",
            "AuthenticationFailure",
        ),
        (
            ap.clone().with_join_fault(JoinFault::AssocRefused(17)),
            "testbed",
            "JoinFailure(1)",
        ),
        (
            ap.clone().with_join_fault(JoinFault::ThirdKeyMessageLost),
            "testbed",
            "AuthenticationFailure",
        ),
        (
            ap.clone().with_join_fault(JoinFault::GroupKeyLost),
            "testbed",
            "AuthenticationFailure",
        ),
    ];
    for (ap, ssid, expected) in cases {
        let join_fault = ap.join_fault;
        let joined = join(ap, ssid).expect("no step hangs");
        let error = joined.expect_err("the join must fail");
        assert_eq!(format!("{error:?}"), expected, "{join_fault:?}");
    }
    // The driver ignores this status of the supplicant, and waits indefinitely; likewise without
    // events.
    for join_fault in [JoinFault::FirstKeyMessageLost, JoinFault::Silence] {
        assert!(
            join(ap.clone().with_join_fault(join_fault), "testbed").is_err(),
            "{join_fault:?}"
        );
    }
}

/// Bytes and transactions on the bus as measured with this driver on other models of the chip. They
/// depend on its padding of frames.
#[test]
fn bus_traffic_per_frame_as_on_other_models() {
    let testbed = testbed(ChipConfig::default().with_credit_window(20));
    testbed.chip.add_ap(AccessPoint::open("testbed"));
    testbed
        .run(async |control, net| {
            control
                .join("testbed", JoinOptions::new_open())
                .await
                .expect("an open network");
            testbed.sleep(Duration::from_millis(100)).await;
            for (len, expected) in [(60, 88), (128, 156), (256, 284), (590, 616), (1000, 1028), (1514, 1540)] {
                let before = testbed.chip.bus();
                send(&testbed, net, &frame(len, 0)).await;
                testbed.sleep(Duration::from_millis(5)).await;
                let after = testbed.chip.bus();
                assert_eq!(
                    after.write_bytes[2] - before.write_bytes[2],
                    expected,
                    "{len} bytes sent"
                );
                assert_eq!(after.writes[2] - before.writes[2], 1);
            }
            for (len, one, three) in [(60, 280, 816), (590, 632, 12 + 3 * 620), (1514, 1556, 4644)] {
                for (burst, bytes) in [(1, one), (3, three)] {
                    let before = testbed.chip.bus();
                    for n in 0..burst {
                        testbed.peer.send(&frame(len, n));
                    }
                    for n in 0..burst {
                        assert_eq!(next_frame(&testbed, net).await, Some(frame(len, n)));
                    }
                    testbed.sleep(Duration::from_millis(5)).await;
                    let after = testbed.chip.bus();
                    // Frames that arrive after the driver has begun to wait cost another read of
                    // the status.
                    let polls = after.reads[0] - before.reads[0];
                    assert_eq!(
                        after.bytes - before.bytes,
                        bytes + 12 * (polls - 1),
                        "{burst} of {len} bytes received"
                    );
                    assert_eq!(after.reads[2] - before.reads[2], u64::from(burst));
                }
            }
        })
        .expect("no step hangs");
}

#[test]
fn scan_finds_all_access_points() {
    let testbed = testbed(ChipConfig::default());
    let aps = [
        AccessPoint::open("one")
            .with_channel(1)
            .with_bssid([2, 0, 0, 0, 0, 1])
            .with_rssi(-70),
        AccessPoint::wpa2("six", PASSPHRASE)
            .with_channel(6)
            .with_bssid([2, 0, 0, 0, 0, 6])
            .with_rssi(-40),
        AccessPoint::wpa3("eleven", PASSPHRASE)
            .with_channel(11)
            .with_bssid([2, 0, 0, 0, 0, 11])
            .with_rssi(-90),
    ];
    for ap in aps.clone() {
        testbed.chip.add_ap(ap);
    }
    let found = testbed.run(async |control, _| {
        let mut found = Vec::new();
        let mut scanner = control.scan(ScanOptions::default()).await;
        while let Some(bss) = scanner.next().await {
            let ssid = bss.ssid[..usize::from(bss.ssid_len)].to_vec();
            found.push((ssid, bss.bssid, bss.chanspec & 0xff, bss.rssi));
        }
        found
    });
    let expected = aps.map(|ap| (ap.ssid, ap.bssid, u16::from(ap.channel), ap.rssi));
    assert_eq!(found.expect("no step hangs"), expected);
    assert_eq!(testbed.kinds(), BTreeSet::new());
}

#[test]
fn leave_rejoin_deauthenticate_link_follows() {
    let testbed = testbed(ChipConfig::default());
    let ap = testbed
        .chip
        .add_ap(AccessPoint::wpa2("testbed", PASSPHRASE).with_rssi(-61));
    testbed
        .run(async |control, net| {
            let join = options(JoinAuth::Wpa2, PASSPHRASE);
            control
                .join("testbed", join.clone())
                .await
                .expect("the passphrase is right");
            assert!(link(&testbed, net, LinkState::Up).await);
            assert_eq!(control.get_rssi().await, -61);
            control.leave().await;
            assert!(link(&testbed, net, LinkState::Down).await);
            assert_eq!(testbed.chip.association(), None);

            control
                .join("testbed", join.clone())
                .await
                .expect("the passphrase is right");
            assert!(link(&testbed, net, LinkState::Up).await);
            testbed.chip.deauthenticate(3);
            assert!(link(&testbed, net, LinkState::Down).await);

            control.join("testbed", join).await.expect("the passphrase is right");
            assert!(link(&testbed, net, LinkState::Up).await);
            testbed.chip.remove_ap(ap);
            assert!(link(&testbed, net, LinkState::Down).await);
            assert_eq!(testbed.chip.association(), None);
        })
        .expect("no step hangs");
    assert_eq!(testbed.kinds(), BTreeSet::new());
}

#[test]
fn multicast_group_listed_frames_delivered() {
    const GROUP: [u8; 6] = [0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb];
    let testbed = testbed(ChipConfig::default());
    testbed.chip.add_ap(AccessPoint::open("testbed"));
    testbed
        .run(async |control, net| {
            control
                .join("testbed", JoinOptions::new_open())
                .await
                .expect("an open network");
            testbed.peer.send(&frame_to(GROUP, 100, 1));
            testbed.peer.send(&frame_to([0xff; 6], 100, 2));
            testbed.peer.send(&frame_to([2, 0, 0, 0, 0, 9], 100, 3));
            assert_eq!(next_frame(&testbed, net).await, Some(frame_to([0xff; 6], 100, 2)));
            assert_eq!(
                control
                    .add_multicast_address(GROUP)
                    .await
                    .expect("the list is not full"),
                1
            );
            testbed.peer.send(&frame_to(GROUP, 100, 4));
            assert_eq!(next_frame(&testbed, net).await, Some(frame_to(GROUP, 100, 4)));
            let mut listed = [[0; 6]; 10];
            assert_eq!(control.list_multicast_addresses(&mut listed).await, 1);
            assert_eq!(listed[0], GROUP);
        })
        .expect("no step hangs");
    let stats = testbed.chip.stats();
    assert_eq!((stats.filtered_multicast, stats.filtered_unicast), (1, 1));
    assert_eq!(testbed.chip.multicast_list(), [GROUP]);
    assert_eq!(testbed.kinds(), BTreeSet::new());
}

#[test]
fn power_save_receive_latency_up_to_beacon_interval() {
    let latency = |mode: PowerManagementMode| {
        let testbed = testbed(ChipConfig::default());
        testbed.chip.add_ap(AccessPoint::open("testbed"));
        testbed
            .run(async |control, net| {
                control.set_power_management(mode).await;
                control
                    .join("testbed", JoinOptions::new_open())
                    .await
                    .expect("an open network");
                testbed.sleep(Duration::from_secs(3)).await;
                let sent = testbed.clock.now();
                testbed.peer.send(&frame(60, 1));
                next_frame(&testbed, net).await.expect("the frame arrives");
                testbed.clock.now() - sent
            })
            .expect("no step hangs")
    };
    assert!(latency(PowerManagementMode::None) < Duration::from_millis(1));
    let saving = latency(PowerManagementMode::PowerSave);
    assert!(
        saving > Duration::from_millis(1) && saving < Duration::from_millis(110),
        "{saving:?}"
    );
}

#[test]
fn gpio_set_led_pin_changes() {
    let testbed = testbed(ChipConfig::default());
    testbed
        .run(async |control, _| {
            control.gpio_set(0, true).await;
            assert!(testbed.chip.gpio(0));
            control.gpio_set(0, false).await;
            assert!(!testbed.chip.gpio(0));
        })
        .expect("no step hangs");
    assert_eq!(testbed.kinds(), BTreeSet::new());
}

#[test]
fn soft_ap_client_frames_exchanged() {
    const CLIENT: [u8; 6] = [2, 0, 0, 0, 0, 9];
    for passphrase in [None, Some(PASSPHRASE)] {
        let testbed = testbed(ChipConfig::default());
        testbed
            .run(async |control, net| {
                match passphrase {
                    None => control.start_ap_open("own", 5).await,
                    Some(phrase) => control.start_ap_wpa2("own", phrase, 5).await,
                }
                testbed.sleep(Duration::from_millis(100)).await;
                assert_eq!(testbed.chip.soft_ap(), Some((b"own".to_vec(), 5)));
                assert!(!testbed.chip.connect_client(CLIENT, Some("something else")));
                assert!(testbed.chip.connect_client(CLIENT, passphrase));
                testbed.peer.send(&frame(300, 1));
                assert_eq!(next_frame(&testbed, net).await, Some(frame(300, 1)));
                send(&testbed, net, &frame_to(CLIENT, 300, 2)).await;
                testbed.sleep(Duration::from_millis(5)).await;
                assert_eq!(testbed.peer.recv(), Some(frame_to(CLIENT, 300, 2)));
                control.close_ap().await;
                assert_eq!(testbed.chip.soft_ap(), None);
            })
            .expect("no step hangs");
        assert_eq!(testbed.kinds(), BTreeSet::new());
    }
}

/// The reaction of a driver to a fault.
#[derive(Debug, PartialEq, Eq)]
enum Reaction {
    Recovers,
    Panics,
    Hangs,
}

/// Injects a fault after a join, then receives frames, reads the signal strength, and sends frames.
fn react(fault: impl Fn(&Cyw43Chip)) -> Reaction {
    let reaction = catch_unwind(AssertUnwindSafe(|| {
        let testbed = testbed(ChipConfig::default().with_seed(7));
        testbed.chip.add_ap(AccessPoint::open("testbed"));
        testbed.run_for(Duration::from_secs(10), async |control, net| {
            control
                .join("testbed", JoinOptions::new_open())
                .await
                .expect("an open network");
            fault(&testbed.chip);
            testbed.peer.send(&frame(60, 1));
            testbed.peer.send(&frame(60, 2));
            while next_frame(&testbed, net).await != Some(frame(60, 2)) {}
            control.get_rssi().await;
            for n in 0..30 {
                send(&testbed, net, &frame(60, n)).await;
            }
            testbed.sleep(Duration::from_millis(100)).await;
            let last = core::iter::from_fn(|| testbed.peer.recv()).last();
            if last != Some(frame(60, 29)) {
                core::future::pending::<()>().await;
            }
        })
    }));
    match reaction {
        Ok(Ok(())) => Reaction::Recovers,
        Ok(Err(_)) => Reaction::Hangs,
        Err(_) => Reaction::Panics,
    }
}

/// Known reactions of this driver, from its issues and from other models of the chip.
#[test]
fn injected_faults_known_reactions() {
    let inject = |fault: Fault| move |chip: &Cyw43Chip| chip.inject(fault);
    assert_eq!(react(|_| ()), Reaction::Recovers);
    let panics = [
        Fault::Reply(Corruption::ReplyLength(200)),
        Fault::Reply(Corruption::HeaderLength(11)),
        Fault::Reply(Corruption::OddHeaderLength),
        Fault::Reply(Corruption::ReplyStatus(-1)),
        Fault::RefuseIoctl(-22),
        Fault::DataFrame(Corruption::Oversize(1800)),
    ];
    for fault in panics {
        assert_eq!(react(inject(fault)), Reaction::Panics, "{fault:?}");
    }
    let hangs = [
        Fault::Reply(Corruption::Lost),
        Fault::Reply(Corruption::ReplyId(0x7777)),
    ];
    for fault in hangs {
        assert_eq!(react(inject(fault)), Reaction::Hangs, "{fault:?}");
    }
    assert_eq!(react(|chip| chip.freeze_credit(true)), Reaction::Hangs);
    assert_eq!(react(Cyw43Chip::halt_firmware), Reaction::Hangs);
    assert_eq!(react(|chip| chip.force_irq(Some(false))), Reaction::Hangs);
    let harmless = [
        Fault::DataFrame(Corruption::Complement),
        Fault::DataFrame(Corruption::DataOffset(200)),
        Fault::Frame(Corruption::LengthZero),
        Fault::DataFrame(Corruption::Garbage),
        Fault::Reply(Corruption::Duplicate),
        Fault::LateReply(Duration::from_secs(1)),
        Fault::DataFrame(Corruption::Channel(15)),
        Fault::DataFrame(Corruption::Sequence(9)),
        Fault::JunkFrame,
        Fault::CreditUpdate,
        Fault::SpuriousInterrupt,
    ];
    for fault in harmless {
        assert_eq!(react(inject(fault)), Reaction::Recovers, "{fault:?}");
    }
}

/// The number of requests as measured with this driver on other models of the chip.
#[test]
fn init_and_join_request_count_as_on_other_models() {
    let testbed = testbed(ChipConfig::default());
    testbed.chip.add_ap(AccessPoint::wpa2("testbed", PASSPHRASE));
    testbed
        .run(async |control, _| {
            // One for the CLM, one for its status, and one for each setting.
            assert_eq!(testbed.chip.bus().ioctls, 14);
            let joined = control.join("testbed", options(JoinAuth::Wpa2, PASSPHRASE)).await;
            joined.expect("the passphrase is right");
            assert_eq!(testbed.chip.bus().ioctls, 14 + 11);
        })
        .expect("no step hangs");
}
