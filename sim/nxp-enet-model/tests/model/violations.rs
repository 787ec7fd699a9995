//! Protocol violations are reported.

use nxp_enet_model::{ChipConfig, ViolationKind as Kind};

use crate::host::{ECR, Host, RCR, TCR, TDAR, frame};

/// What is done, how, and what is reported of it.
type Case = (&'static str, fn(&Host), &'static [Kind]);

#[test]
fn violations_each_kind_is_reported() {
    let cases: [Case; 12] = [
        ("nothing", |_| {}, &[]),
        ("no such register", |host| host.write(0x700, 0), &[Kind::NoRegister]),
        (
            "an odd address",
            |host| assert_eq!(host.read(0x85), 0),
            &[Kind::NoRegister],
        ),
        (
            "a reserved bit",
            |host| host.write(RCR, host.read(RCR) | 1 << 11),
            &[Kind::ReservedBits],
        ),
        (
            "duplex while enabled",
            |host| host.write(TCR, 0),
            &[Kind::ChangedWhileEnabled],
        ),
        ("filter while enabled", |host| host.write(RCR, host.read(RCR) | 8), &[]),
        (
            "padding removed",
            |host| {
                host.write(ECR, 0x100);
                host.write(RCR, host.read(RCR) | 1 << 12);
                host.write(ECR, 0x102);
            },
            &[Kind::PadRemoval],
        ),
        (
            "a ring that is not aligned",
            |host| {
                host.write(ECR, 0x100);
                host.write(0x180, 0x1008);
                host.write(ECR, 0x102);
            },
            &[Kind::Misaligned],
        ),
        (
            "no FCS",
            |host| {
                host.set_tx(0, 0x8800, &frame([0xff; 6], 60));
                host.write(TDAR, 1 << 24);
            },
            &[Kind::NoFcs],
        ),
        (
            "too long a frame",
            |host| {
                host.set_tx(0, 0x8c00, &frame([0xff; 6], 1515));
                host.write(TDAR, 1 << 24);
            },
            &[Kind::BadLength],
        ),
        (
            "a descriptor that was taken back",
            |host| {
                host.set_tx(0, 0x8c00, &frame([0xff; 6], 60));
                host.write(TDAR, 1 << 24);
                host.set_tx(0, 0, &[]);
                host.pass(10);
            },
            &[Kind::TakenBack],
        ),
        (
            "two management frames at once, too fast",
            |host| {
                host.write(0x44, 2);
                host.write(0x40, 0x6002_0000);
                host.write(0x40, 0x6002_0000);
            },
            &[Kind::MdcTooFast, Kind::MiiBusy, Kind::MdcTooFast],
        ),
    ];
    for (what, act, expected) in cases {
        let host = Host::new();
        act(&host);
        assert_eq!(host.violations(), expected, "{what}");
    }
}

#[test]
fn violations_allowed_kind_is_not_reported() {
    let host = Host::with(ChipConfig::default().with_allowed_violation(Kind::NoRegister));
    host.write(0x700, 0);
    assert_eq!(host.violations(), []);
}
