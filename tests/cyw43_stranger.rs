//! The crate `cyw43`, unmodified from crates.io, on the model of the chip: a driver that knows nothing of it guards it against being fitted to ethdev's own.
//!
//! Where it misuses the chip, the model says so; the kinds of misuse are listed here with their reasons, and compared exactly.

use core::cell::RefCell;
use core::task::{Context, Waker};
use core::time::Duration;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cyw43::{A4, Aligned, Control, JoinAuth, JoinError, JoinOptions, NetDriver, PowerManagementMode, ScanOptions};
use cyw43439_model::{
    AccessPoint, Boot, ChipConfig, Cyw43Chip, EventOrder, Fault, Images, Refusal, Security, Spoil, ViolationKind,
    WordBus,
};
use embassy_net_driver::{Driver as _, LinkState, RxToken as _, TxToken as _};
use embassy_time_driver::Driver;
use ethdev_sim::{Clock, Deadlock, Peer, SimDelay, Wire, WireConfig, block_on_until};

const MAC: [u8; 6] = [0x28, 0xcd, 0xc1, 0x01, 0x02, 0x03];
const PASSPHRASE: &str = "correct horse battery staple";
/// The numbers of bytes that the images of a Pico W have.
const FIRMWARE_LEN: usize = 231_077;
const NVRAM_LEN: usize = 742;

thread_local! {
    /// The clock that embassy-time shows in this thread.
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

/// embassy-time on the virtual clock. A look at it takes a microsecond, so that a loop which waits for the time to pass comes to its end.
struct VirtualTime;

const TICK_NANOS: u128 = 1_000_000_000 / embassy_time_driver::TICK_HZ as u128;

fn clock() -> Clock {
    CLOCK.with_borrow(|clock| clock.clone().expect("the test has set the clock"))
}

impl Driver for VirtualTime {
    fn now(&self) -> u64 {
        let clock = clock();
        clock.advance(Duration::from_micros(1));
        u64::try_from(clock.now().as_nanos() / TICK_NANOS).expect("tests end within ages")
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        let at = u64::try_from(u128::from(at) * TICK_NANOS).map_or(Duration::MAX, Duration::from_nanos);
        let waker = waker.clone();
        clock().schedule_at(at, move || waker.wake());
    }
}

embassy_time_driver::time_driver_impl!(static TIME: VirtualTime = VirtualTime);

struct Bus(WordBus);

impl cyw43::SpiBusCyw43 for Bus {
    async fn cmd_write(&mut self, write: &[u32]) -> u32 {
        self.0.cmd_write(write).await.expect("nobody breaks this bus")
    }

    async fn cmd_read(&mut self, write: u32, read: &mut [u32]) -> u32 {
        self.0.cmd_read(write, read).await.expect("nobody breaks this bus")
    }

    async fn wait_for_event(&mut self) {
        self.0.wait_for_event().await;
    }
}

struct Lab {
    clock: Clock,
    chip: Cyw43Chip,
    peer: Peer,
    images: Images,
}

fn lab(config: ChipConfig) -> Lab {
    let clock = Clock::new();
    let (_, port, peer) = Wire::new(&clock, WireConfig::default());
    CLOCK.set(Some(clock.clone()));
    let images = Images::pseudo_random(43);
    Lab {
        chip: Cyw43Chip::new(&clock, port, config.with_images(images.clone())),
        peer: Peer::new(peer),
        clock,
        images,
    }
}

/// Bytes in a place that the driver accepts.
fn aligned<const N: usize>(bytes: Option<&[u8]>) -> Box<Aligned<A4, [u8; N]>> {
    let mut image = Box::new(Aligned([0; N]));
    image.copy_from_slice(bytes.expect("the lab has all images"));
    image
}

impl Lab {
    /// Boots, and runs an application beside the driver for up to two minutes.
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
        let clm = self.images.clm.clone().expect("the lab has all images");
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

/// Waits for the driver to see the link so, for up to five seconds.
async fn link(lab: &Lab, net: &mut NetDriver<'_>, expected: LinkState) -> bool {
    for _ in 0..500 {
        if net.link_state(&mut Context::from_waker(Waker::noop())) == expected {
            return true;
        }
        lab.sleep(Duration::from_millis(10)).await;
    }
    false
}

fn receive(net: &mut NetDriver<'_>) -> Option<Vec<u8>> {
    let (token, _) = net.receive(&mut Context::from_waker(Waker::noop()))?;
    Some(token.consume(|frame| frame.to_vec()))
}

async fn next_frame(lab: &Lab, net: &mut NetDriver<'_>) -> Option<Vec<u8>> {
    for _ in 0..5000 {
        if let Some(frame) = receive(net) {
            return Some(frame);
        }
        lab.sleep(Duration::from_micros(200)).await;
    }
    None
}

async fn send(lab: &Lab, net: &mut NetDriver<'_>, frame: &[u8]) {
    for _ in 0..5000 {
        if let Some(token) = net.transmit(&mut Context::from_waker(Waker::noop())) {
            token.consume(frame.len(), |buf| buf.copy_from_slice(frame));
            return;
        }
        lab.sleep(Duration::from_micros(200)).await;
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

/// All corners, in both directions, one frame at a time and in bursts of three.
async fn exchange(lab: &Lab, net: &mut NetDriver<'_>) {
    let lengths = [60, 61, 64, 128, 236, 237, 333, 1000, 1513, 1514];
    for (n, len) in lengths.into_iter().cycle().take(40).enumerate() {
        let there = frame(len, n as u8);
        lab.peer.send(&there);
        assert_eq!(next_frame(lab, net).await, Some(there), "frame {n}");
        let back = frame(len, !(n as u8));
        send(lab, net, &back).await;
        lab.sleep(Duration::from_millis(5)).await;
        assert_eq!(lab.peer.recv(), Some(back), "frame {n}");
    }
    for round in 0..20_u8 {
        for n in 0..3 {
            lab.peer.send(&frame(1514, round ^ n << 6));
            send(lab, net, &frame(1514, round ^ n << 6)).await;
        }
        for n in 0..3 {
            let expected = frame(1514, round ^ n << 6);
            assert_eq!(next_frame(lab, net).await.as_ref(), Some(&expected), "round {round}");
            lab.sleep(Duration::from_millis(5)).await;
            assert_eq!(lab.peer.recv(), Some(expected), "round {round}");
        }
    }
    let truth = lab.chip.stats();
    assert_eq!((truth.delivered, truth.transmitted), (100, 100), "{truth:?}");
    assert_eq!((truth.waiting(), truth.tx_waiting()), (0, 0), "{truth:?}");
}

fn options(auth: JoinAuth, passphrase: &str) -> JoinOptions<'_> {
    let mut options = JoinOptions::new(passphrase.as_bytes());
    options.auth = auth;
    options.cipher_tkip = matches!(auth, JoinAuth::Wpa);
    options
}

#[test]
fn boots_and_initialises() {
    let lab = lab(ChipConfig::default());
    lab.run(async |control, _| assert_eq!(control.address().await, MAC))
        .expect("no step hangs");
    assert_eq!(lab.chip.boot(), Boot::Running);
    assert_eq!(lab.chip.uploaded_clm(), lab.images.clm);
    assert_eq!(lab.kinds(), BTreeSet::new());
    // 231,077 bytes in pieces of 64, the last of which is shorter; and what it polls.
    assert!(lab.chip.bus().writes[1] > 3_611, "{:?}", lab.chip.bus());
}

#[test]
fn boots_whatever_the_core_did_before() {
    let lab = lab(ChipConfig::default().with_arm_running());
    lab.run(async |_, _| ()).expect("no step hangs");
    assert_eq!(lab.kinds(), BTreeSet::new());
}

/// It never reads its images back: without firmware that starts it polls for the clock for ever.
#[test]
fn a_wrong_image_never_starts() {
    let lab = lab(ChipConfig::default());
    lab.chip
        .expect_images(lab.images.clone().with_firmware(vec![0x55; FIRMWARE_LEN]));
    assert!(lab.run_for(Duration::from_secs(2), async |_, _| ()).is_err());
    assert_eq!(lab.chip.boot(), Boot::BusReady);
    assert_eq!(lab.chip.violations()[0].kind, ViolationKind::BadImage);
}

#[test]
fn joins_an_open_network_and_exchanges_frames() {
    let lab = lab(ChipConfig::default());
    lab.chip.add_ap(AccessPoint::open("lab"));
    lab.run(async |control, net| {
        control
            .join("lab", JoinOptions::new_open())
            .await
            .expect("an open network");
        assert!(link(&lab, net, LinkState::Up).await);
        exchange(&lab, net).await;
    })
    .expect("no step hangs");
    assert_eq!(lab.kinds(), BTreeSet::new());
}

#[test]
fn joins_networks_with_keys_and_exchanges_frames() {
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
            let lab = lab(ChipConfig::default().with_event_order(order));
            lab.chip
                .add_ap(AccessPoint::open("lab").with_security(security.clone()));
            lab.run(async |control, net| {
                let joined = control.join("lab", options(auth, PASSPHRASE)).await;
                joined.unwrap_or_else(|error| panic!("{auth:?} into {security:?}: {error:?}"));
                assert!(link(&lab, net, LinkState::Up).await, "{auth:?} into {security:?}");
                exchange(&lab, net).await;
            })
            .expect("no step hangs");
            assert_eq!(lab.kinds(), BTreeSet::new(), "{auth:?} into {security:?}");
        }
    }
}

#[test]
fn a_wrong_passphrase_does_not_get_in() {
    let cases = [
        (JoinAuth::Wpa2, AccessPoint::wpa2("lab", PASSPHRASE)),
        (JoinAuth::Wpa3, AccessPoint::wpa3("lab", PASSPHRASE)),
        (JoinAuth::Wpa2Wpa3, AccessPoint::wpa2_wpa3("lab", PASSPHRASE)),
    ];
    for (auth, ap) in cases {
        let lab = lab(ChipConfig::default());
        lab.chip.add_ap(ap);
        let joined = lab.run(async |control, net| {
            let joined = control.join("lab", options(auth, "correct horse?")).await;
            assert!(link(&lab, net, LinkState::Down).await);
            joined
        });
        let error = joined.expect("no step hangs").expect_err("the passphrase is wrong");
        assert!(matches!(error, JoinError::AuthenticationFailure), "{auth:?}: {error:?}");
        assert!(lab.chip.association().is_none_or(|association| !association.keyed));
        assert_eq!(lab.kinds(), BTreeSet::new());
    }
}

/// What each failure of a network looks like to this driver.
#[test]
fn joins_that_fail() {
    let ap = AccessPoint::wpa2("lab", PASSPHRASE);
    let join = |ap: AccessPoint, ssid: &'static str| {
        let lab = lab(ChipConfig::default());
        lab.chip.add_ap(ap);
        let joined = lab.run(async |control, _| control.join(ssid, options(JoinAuth::Wpa2, PASSPHRASE)).await);
        assert_eq!(lab.kinds(), BTreeSet::new());
        joined
    };
    let cases = [
        (ap.clone(), "nowhere", "NetworkNotFound"),
        (AccessPoint::open("lab"), "lab", "NetworkNotFound"),
        (ap.clone().with_refusal(Refusal::AuthTimeout), "lab", "JoinFailure(1)"),
        (
            ap.clone().with_refusal(Refusal::AuthRefused),
            "lab",
            "AuthenticationFailure",
        ),
        (
            ap.clone().with_refusal(Refusal::AssocRefused(17)),
            "lab",
            "JoinFailure(1)",
        ),
        (
            ap.clone().with_refusal(Refusal::ThirdKeyMessageLost),
            "lab",
            "AuthenticationFailure",
        ),
        (
            ap.clone().with_refusal(Refusal::GroupKeyLost),
            "lab",
            "AuthenticationFailure",
        ),
    ];
    for (ap, ssid, expected) in cases {
        let refusal = ap.refusal;
        let joined = join(ap, ssid).expect("no step hangs");
        let error = joined.expect_err("this cannot work");
        assert_eq!(format!("{error:?}"), expected, "{refusal:?}");
    }
    // It takes the status of the supplicant for "aborted", and waits for something better for ever; and so where nothing comes at all.
    for refusal in [Refusal::FirstKeyMessageLost, Refusal::Silence] {
        assert!(join(ap.clone().with_refusal(refusal), "lab").is_err(), "{refusal:?}");
    }
}

/// Bytes and transactions on the bus, as they were counted with this driver on other models of the chip: they depend on its padding of frames.
#[test]
fn frames_cost_what_they_did_elsewhere() {
    let lab = lab(ChipConfig::default().with_credit_window(20));
    lab.chip.add_ap(AccessPoint::open("lab"));
    lab.run(async |control, net| {
        control
            .join("lab", JoinOptions::new_open())
            .await
            .expect("an open network");
        lab.sleep(Duration::from_millis(100)).await;
        for (len, expected) in [(60, 88), (128, 156), (256, 284), (590, 616), (1000, 1028), (1514, 1540)] {
            let before = lab.chip.bus();
            send(&lab, net, &frame(len, 0)).await;
            lab.sleep(Duration::from_millis(5)).await;
            let after = lab.chip.bus();
            assert_eq!(
                after.write_bytes[2] - before.write_bytes[2],
                expected,
                "{len} bytes sent"
            );
            assert_eq!(after.writes[2] - before.writes[2], 1);
        }
        for (len, one, three) in [(60, 280, 816), (590, 632, 12 + 3 * 620), (1514, 1556, 4644)] {
            for (burst, bytes) in [(1, one), (3, three)] {
                let before = lab.chip.bus();
                for n in 0..burst {
                    lab.peer.send(&frame(len, n));
                }
                for n in 0..burst {
                    assert_eq!(next_frame(&lab, net).await, Some(frame(len, n)));
                }
                lab.sleep(Duration::from_millis(5)).await;
                let after = lab.chip.bus();
                // Frames that arrive after the driver has gone back to sleep cost it another look.
                let looks = after.reads[0] - before.reads[0];
                assert_eq!(
                    after.bytes - before.bytes,
                    bytes + 12 * (looks - 1),
                    "{burst} of {len} bytes received"
                );
                assert_eq!(after.reads[2] - before.reads[2], u64::from(burst));
            }
        }
    })
    .expect("no step hangs");
}

#[test]
fn scans_what_is_on_the_air() {
    let lab = lab(ChipConfig::default());
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
        lab.chip.add_ap(ap);
    }
    let found = lab.run(async |control, _| {
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
    assert_eq!(lab.kinds(), BTreeSet::new());
}

#[test]
fn leaves_and_comes_back_and_is_thrown_out() {
    let lab = lab(ChipConfig::default());
    let ap = lab.chip.add_ap(AccessPoint::wpa2("lab", PASSPHRASE).with_rssi(-61));
    lab.run(async |control, net| {
        let join = options(JoinAuth::Wpa2, PASSPHRASE);
        control
            .join("lab", join.clone())
            .await
            .expect("the passphrase is right");
        assert!(link(&lab, net, LinkState::Up).await);
        assert_eq!(control.get_rssi().await, -61);
        control.leave().await;
        assert!(link(&lab, net, LinkState::Down).await);
        assert_eq!(lab.chip.association(), None);

        control
            .join("lab", join.clone())
            .await
            .expect("the passphrase is right");
        assert!(link(&lab, net, LinkState::Up).await);
        lab.chip.deauthenticate(3);
        assert!(link(&lab, net, LinkState::Down).await);

        control.join("lab", join).await.expect("the passphrase is right");
        assert!(link(&lab, net, LinkState::Up).await);
        lab.chip.remove_ap(ap);
        assert!(link(&lab, net, LinkState::Down).await);
        assert_eq!(lab.chip.association(), None);
    })
    .expect("no step hangs");
    assert_eq!(lab.kinds(), BTreeSet::new());
}

#[test]
fn multicasts_pass_once_they_are_listed() {
    const GROUP: [u8; 6] = [0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb];
    let lab = lab(ChipConfig::default());
    lab.chip.add_ap(AccessPoint::open("lab"));
    lab.run(async |control, net| {
        control
            .join("lab", JoinOptions::new_open())
            .await
            .expect("an open network");
        lab.peer.send(&frame_to(GROUP, 100, 1));
        lab.peer.send(&frame_to([0xff; 6], 100, 2));
        lab.peer.send(&frame_to([2, 0, 0, 0, 0, 9], 100, 3));
        assert_eq!(next_frame(&lab, net).await, Some(frame_to([0xff; 6], 100, 2)));
        assert_eq!(control.add_multicast_address(GROUP).await.expect("there is room"), 1);
        lab.peer.send(&frame_to(GROUP, 100, 4));
        assert_eq!(next_frame(&lab, net).await, Some(frame_to(GROUP, 100, 4)));
        let mut listed = [[0; 6]; 10];
        assert_eq!(control.list_multicast_addresses(&mut listed).await, 1);
        assert_eq!(listed[0], GROUP);
    })
    .expect("no step hangs");
    let truth = lab.chip.stats();
    assert_eq!((truth.filtered_multicast, truth.filtered_unicast), (1, 1));
    assert_eq!(lab.chip.multicast_list(), [GROUP]);
    assert_eq!(lab.kinds(), BTreeSet::new());
}

#[test]
fn power_save_delays_what_arrives() {
    let latency = |mode: PowerManagementMode| {
        let lab = lab(ChipConfig::default());
        lab.chip.add_ap(AccessPoint::open("lab"));
        lab.run(async |control, net| {
            control.set_power_management(mode).await;
            control
                .join("lab", JoinOptions::new_open())
                .await
                .expect("an open network");
            lab.sleep(Duration::from_secs(3)).await;
            let sent = lab.clock.now();
            lab.peer.send(&frame(60, 1));
            next_frame(&lab, net).await.expect("it arrives after all");
            lab.clock.now() - sent
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
fn lights_the_led() {
    let lab = lab(ChipConfig::default());
    lab.run(async |control, _| {
        control.gpio_set(0, true).await;
        assert!(lab.chip.gpio(0));
        control.gpio_set(0, false).await;
        assert!(!lab.chip.gpio(0));
    })
    .expect("no step hangs");
    assert_eq!(lab.kinds(), BTreeSet::new());
}

#[test]
fn is_an_access_point_itself() {
    const CLIENT: [u8; 6] = [2, 0, 0, 0, 0, 9];
    for passphrase in [None, Some(PASSPHRASE)] {
        let lab = lab(ChipConfig::default());
        lab.run(async |control, net| {
            match passphrase {
                None => control.start_ap_open("own", 5).await,
                Some(phrase) => control.start_ap_wpa2("own", phrase, 5).await,
            }
            lab.sleep(Duration::from_millis(100)).await;
            assert_eq!(lab.chip.own_ap(), Some((b"own".to_vec(), 5)));
            assert!(!lab.chip.client_joins(CLIENT, Some("something else")));
            assert!(lab.chip.client_joins(CLIENT, passphrase));
            lab.peer.send(&frame(300, 1));
            assert_eq!(next_frame(&lab, net).await, Some(frame(300, 1)));
            send(&lab, net, &frame_to(CLIENT, 300, 2)).await;
            lab.sleep(Duration::from_millis(5)).await;
            assert_eq!(lab.peer.recv(), Some(frame_to(CLIENT, 300, 2)));
            control.close_ap().await;
            assert_eq!(lab.chip.own_ap(), None);
        })
        .expect("no step hangs");
        assert_eq!(lab.kinds(), BTreeSet::new());
    }
}

/// How a driver takes a fault.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    Well,
    Panics,
    Hangs,
}

/// Injects a fault into a driver that has joined a network, and sends frames to it, asks for the signal strength, and sends frames, in this order.
fn take(fault: impl Fn(&Cyw43Chip)) -> Taken {
    let taken = catch_unwind(AssertUnwindSafe(|| {
        let lab = lab(ChipConfig::default().with_seed(7));
        lab.chip.add_ap(AccessPoint::open("lab"));
        lab.run_for(Duration::from_secs(10), async |control, net| {
            control
                .join("lab", JoinOptions::new_open())
                .await
                .expect("an open network");
            fault(&lab.chip);
            lab.peer.send(&frame(60, 1));
            lab.peer.send(&frame(60, 2));
            while next_frame(&lab, net).await != Some(frame(60, 2)) {}
            control.get_rssi().await;
            for n in 0..30 {
                send(&lab, net, &frame(60, n)).await;
            }
            lab.sleep(Duration::from_millis(100)).await;
            let last = core::iter::from_fn(|| lab.peer.recv()).last();
            if last != Some(frame(60, 29)) {
                core::future::pending::<()>().await;
            }
        })
    }));
    match taken {
        Ok(Ok(())) => Taken::Well,
        Ok(Err(_)) => Taken::Hangs,
        Err(_) => Taken::Panics,
    }
}

/// What is known of this driver, from its issues and from other models of the chip.
#[test]
fn faults_are_taken_as_they_are_known_to_be() {
    let inject = |fault: Fault| move |chip: &Cyw43Chip| chip.inject(fault);
    assert_eq!(take(|_| ()), Taken::Well);
    let panics = [
        Fault::Reply(Spoil::ReplyLength(200)),
        Fault::Reply(Spoil::HeaderLength(11)),
        Fault::Reply(Spoil::OddHeaderLength),
        Fault::Reply(Spoil::ReplyStatus(-1)),
        Fault::RefuseIoctl(-22),
        Fault::DataFrame(Spoil::Oversize(1800)),
    ];
    for fault in panics {
        assert_eq!(take(inject(fault)), Taken::Panics, "{fault:?}");
    }
    let hangs = [Fault::Reply(Spoil::Lost), Fault::Reply(Spoil::ReplyId(0x7777))];
    for fault in hangs {
        assert_eq!(take(inject(fault)), Taken::Hangs, "{fault:?}");
    }
    assert_eq!(take(|chip| chip.freeze_credit(true)), Taken::Hangs);
    assert_eq!(take(Cyw43Chip::halt_firmware), Taken::Hangs);
    assert_eq!(take(|chip| chip.stick_irq(Some(false))), Taken::Hangs);
    let harmless = [
        Fault::DataFrame(Spoil::Complement),
        Fault::DataFrame(Spoil::DataOffset(200)),
        Fault::Frame(Spoil::LengthZero),
        Fault::DataFrame(Spoil::Garbage),
        Fault::Reply(Spoil::Duplicate),
        Fault::LateReply(Duration::from_secs(1)),
        Fault::DataFrame(Spoil::Channel(15)),
        Fault::DataFrame(Spoil::Sequence(9)),
        Fault::JunkFrame,
        Fault::CreditUpdate,
        Fault::SpuriousInterrupt,
    ];
    for fault in harmless {
        assert_eq!(take(inject(fault)), Taken::Well, "{fault:?}");
    }
}

/// Requests, as they were counted with this driver on other models of the chip.
#[test]
fn requests_are_as_many_as_elsewhere() {
    let lab = lab(ChipConfig::default());
    lab.chip.add_ap(AccessPoint::wpa2("lab", PASSPHRASE));
    lab.run(async |control, _| {
        // One for the database, one for its status, and one for each setting.
        assert_eq!(lab.chip.bus().ioctls, 14);
        let joined = control.join("lab", options(JoinAuth::Wpa2, PASSPHRASE)).await;
        joined.expect("the passphrase is right");
        assert_eq!(lab.chip.bus().ioctls, 14 + 11);
    })
    .expect("no step hangs");
}
