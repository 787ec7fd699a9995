//! Protocol violations are reported, and the model continues.

use lan9118_model::{ChipConfig, Part, ViolationKind};

use crate::host::{ADDRESS, BYTE_TEST, Host, frame};

/// What `act` is reported for on a chip that runs.
fn reported(act: impl FnOnce(&Host)) -> Vec<ViolationKind> {
    let host = Host::new();
    host.assert_clean();
    host.pass(1);
    act(&host);
    host.violations()
}

#[test]
fn access_undefined_or_wrong_direction_reports_violation() {
    use ViolationKind::{NotModelled, ReservedBits, UndefinedRegister, WrongDirection};

    for offset in [0x60, 0x94, 0xb8, 0x100, 0x55] {
        assert_eq!(
            reported(|host| {
                host.read(offset);
            }),
            [UndefinedRegister],
            "{offset:#x}"
        );
        assert_eq!(
            reported(|host| host.write(offset, 0)),
            [UndefinedRegister],
            "{offset:#x}"
        );
    }
    assert_eq!(reported(|host| host.write(0x50, 0)), [WrongDirection]);
    assert_eq!(
        reported(|host| {
            host.read(0x20);
        }),
        [WrongDirection]
    );
    assert_eq!(reported(|host| host.write(0x5c, 1 << 22)), [ReservedBits]);
    assert_eq!(reported(|host| host.write(0x74, 0x0005_0000)), [ReservedBits]);
    assert_eq!(reported(|host| host.write(0x78, 1 << 31)), [NotModelled]);
}

#[test]
fn access_gap_too_short_reports_violation() {
    use ViolationKind::TooSoon;

    // Table 6.1: three dummy reads between a write and TX_FIFO_INF.
    for dummies in 0..4 {
        let reported = reported(|host| {
            host.write(0x5c, 0);
            for _ in 0..dummies {
                let _ = host.bus.read(BYTE_TEST);
            }
            let _ = host.bus.read(0x80);
        });
        assert_eq!(reported.is_empty(), dummies >= 3, "{dummies} dummy reads: {reported:?}");
    }
    // Table 6.2: the same between a status and RX_FIFO_INF.
    let soon = |dummies: usize| {
        reported(|host| {
            host.peer.send(&frame(ADDRESS, 60));
            host.pass(20);
            host.read(0x40);
            for _ in 0..dummies {
                let _ = host.bus.read(BYTE_TEST);
            }
            let _ = host.bus.read(0x7c);
        })
    };
    assert_eq!((soon(2), soon(3)), (vec![TooSoon], vec![]));
    // A chip whose cycle is longer needs one.
    let host = Host::started(ChipConfig::new(Part::Lan9220));
    host.write(0x5c, 0);
    let _ = host.bus.read(BYTE_TEST);
    let _ = host.bus.read(0x80);
    host.assert_clean();
}

#[test]
fn access_before_ready_reports_violation() {
    let host = Host::cold(ChipConfig::new(Part::Lan9118));
    host.read(BYTE_TEST);
    assert_eq!(host.violations(), [ViolationKind::NotReady]);
    host.pass(1000);
    host.write(0x5c, 8);
    assert_eq!(host.violations(), [ViolationKind::WriteBeforeRead]);
    assert_eq!(host.read(0x5c), 0, "a write before the first read has no effect");
    host.write(0x5c, 8);
    assert_eq!(host.read(0x5c), 8);
    host.assert_clean();
}

#[test]
fn mac_register_overlap_reports_violation() {
    use ViolationKind::{DuplexMismatch, MacRegister, MiiBusy, NotModelled, ReservedBits};

    assert_eq!(reported(|host| host.write(0xa4, 1)), [MacRegister]);
    assert_eq!(reported(|host| host.write(0xa4, 1 << 31 | 0x20)), [MacRegister]);
    let twice = reported(|host| {
        host.bus.write(0xa4, 1 << 31 | 1 << 30 | 1);
        host.bus.write(0xa4, 1 << 31 | 1 << 30 | 2);
    });
    assert_eq!(twice, [MacRegister]);
    assert_eq!(reported(|host| host.write_csr(1, 0x0010_000d)), [ReservedBits]);
    assert_eq!(reported(|host| host.write_csr(1, 0x0090_000c)), [DuplexMismatch]);
    assert_eq!(reported(|host| host.write_csr(1, 0x8010_000c)), [NotModelled]);
    let mdio_twice = reported(|host| {
        host.write_csr(6, 0x801);
        host.write_csr(6, 0x801);
    });
    assert_eq!(mdio_twice, [MiiBusy]);
}

#[test]
fn fifo_wrong_use_reports_violation() {
    use ViolationKind::{BadFifoSize, FifoInUse, RxUnderrun, TxStatusUnderrun};

    assert_eq!(
        reported(|host| {
            host.read(0x00);
        }),
        [RxUnderrun]
    );
    assert_eq!(
        reported(|host| {
            host.read(0x40);
        }),
        [RxUnderrun]
    );
    assert_eq!(
        reported(|host| {
            host.read(0x48);
        }),
        [TxStatusUnderrun]
    );
    assert_eq!(reported(|host| host.write(0x6c, 1 << 15)), [FifoInUse]);
    assert_eq!(reported(|host| host.write(0x70, 1 << 14 | 2)), [FifoInUse]);
    assert_eq!(reported(|host| host.write(0x74, 0x0016_0000)), [FifoInUse]);
    assert_eq!(reported(|host| host.write(0x74, 0x001f_0000)), [BadFifoSize]);
}

#[test]
fn tx_command_mismatch_reports_violation() {
    use ViolationKind::{TxOverrun, TxProtocol};

    let data = [0x5a; 100];
    assert_eq!(
        reported(|host| host.segment(0x1000, 0, 0, 100, &data)),
        [TxProtocol],
        "no first segment"
    );
    // The lengths of the commands, and of the data.
    assert_eq!(reported(|host| host.segment(0x3000, 0, 0, 99, &data)), [TxProtocol]);
    let middle = reported(|host| {
        host.segment(0x2000, 0, 1, 63, &data[..30]);
        host.segment(0x0000, 0, 1, 63, &data[..3]);
        host.segment(0x1000, 0, 1, 63, &data[..30]);
    });
    assert_eq!(middle, [TxProtocol], "a middle segment of three bytes");
    let tags = reported(|host| {
        host.segment(0x2000, 0, 1, 60, &data[..30]);
        host.segment(0x1000, 0, 2, 60, &data[..30]);
    });
    assert_eq!(tags, [TxProtocol], "command B differs");
    let flood = reported(|host| {
        host.chip.stall_tx(true);
        for _ in 0..6 {
            host.send(0, &frame(ADDRESS, 1514));
        }
    });
    assert_eq!(flood.first(), Some(&TxOverrun));
    // TXE reports the error to the host.
    let host = Host::new();
    host.segment(0x3000, 0, 0, 99, &data);
    assert_eq!(host.read(0x58) & 1 << 13, 1 << 13);
}
