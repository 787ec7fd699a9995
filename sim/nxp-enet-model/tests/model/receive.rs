//! Receiving.

use nxp_enet_model::{ChipConfig, hash_index};

use crate::host::{ECR, EIR, Host, OWN, RCR, RDAR, RXF, frame};

const L: u16 = 0x0800;

#[test]
fn rx_frame_includes_fcs() {
    let host = Host::new();
    let sent = frame(OWN, 60);
    host.peer.send(&sent);
    host.pass(100);
    let (flags, len, bytes) = host.rx(0);
    assert_eq!((flags, len), (L, 64));
    assert_eq!(ethdev_sim::fcs::check(&bytes), Some(&sent[..]));
    assert_eq!(host.read(EIR) & RXF, RXF);
    assert_eq!((host.read(0x284), host.read(0x2cc)), (1, 1));
    assert_eq!(host.violations(), []);
}

/// Flags of what is wrong with it, and of whom it was for.
#[test]
fn rx_flags_match_frame() {
    let bad = |len: usize| {
        let mut frame = frame(OWN, len);
        frame.extend([0; 4]);
        frame
    };
    let good = |frame: &[u8]| ethdev_sim::fcs::append(frame);
    for (promiscuous, bytes, expected) in [
        (false, good(&frame([0xff; 6], 100)), Some(L | 0x80)),
        (false, bad(100), Some(L | 0x04)),
        (false, good(&frame(OWN, 1515)), Some(L | 0x20)),
        (false, bad(1515), Some(L | 0x24)),
        (false, good(&frame([2, 0, 0, 0, 0, 7], 100)), None),
        (true, good(&frame([2, 0, 0, 0, 0, 7], 100)), Some(L | 0x100)),
        (false, good(&frame([1, 0, 0x5e, 0, 0, 7], 100)), None),
        (true, good(&frame([1, 0, 0x5e, 0, 0, 7], 100)), Some(L | 0x140)),
        (true, good(&frame(OWN, 59)), None),
    ] {
        let host = Host::new();
        host.write(RCR, host.read(RCR) | if promiscuous { 8 } else { 0 });
        host.peer.send_raw(&bytes);
        host.pass(200);
        let (flags, len, _) = host.rx(0);
        assert_eq!((flags & 0x8000 == 0).then_some(flags), expected);
        assert!(expected.is_none() || usize::from(len) == bytes.len());
        assert_eq!(host.violations(), []);
    }
}

#[test]
fn rx_hash_table_passes_groups() {
    let group = [0x01, 0x00, 0x5e, 0, 0, 0xfb];
    let index = hash_index(group.into());
    for (register, bit) in [(0x120, index.wrapping_sub(32)), (0x124, index)] {
        let host = Host::new();
        if bit < 32 {
            host.write(register, 1 << bit);
        }
        host.peer.send(&frame(group, 60));
        host.pass(100);
        assert_eq!(host.rx(0).0 == L | 0x40, bit < 32, "{register:#x}");
    }
}

/// Runts are counted and never seen.
#[test]
fn rx_runts_are_counted() {
    let host = Host::new();
    host.peer.send_raw(&ethdev_sim::fcs::append(&frame(OWN, 59)));
    host.peer.send_raw(&[0; 30]);
    host.pass(100);
    assert_eq!((host.read(0x294), host.read(0x29c)), (1, 1));
    assert_eq!(host.chip.stats().rx_runts, 2);
}

/// RDAR says whether there is an empty descriptor; one that comes back without a word to RDAR is
/// not seen.
#[test]
fn rx_without_empty_descriptor_stops_until_rdar() {
    let host = Host::new();
    for n in 0..5 {
        assert_eq!(host.read(RDAR) != 0, n < 4);
        host.peer.send(&frame(OWN, 60 + n));
        host.pass(100);
    }
    host.set_rx(0, 0x8000);
    host.pass(1000);
    assert_eq!(host.rx(0).0, 0x8000);
    host.write(RDAR, 1 << 24);
    assert_eq!((host.rx(0).0, host.rx(0).1), (L, 64 + 4));
    assert_eq!(host.violations(), []);
}

/// A FIFO of 1000 bytes: one frame of 600, 400 bytes of the next with the overrun flag, nothing of
/// the one after it.
#[test]
fn rx_fifo_full_counts_overruns() {
    let host = Host::with(ChipConfig::default().with_rx_fifo_bytes(1000));
    for n in 0..4 {
        host.set_rx(n, 0);
    }
    host.write(ECR, 0x100);
    host.write(ECR, 0x102);
    host.write(RDAR, 1 << 24);
    for _ in 0..3 {
        host.peer.send(&frame(OWN, 596));
    }
    host.pass(1000);
    assert_eq!((host.read(0x2d8), host.chip.stats().rx_overruns), (2, 2));
    for n in 0..4 {
        host.set_rx(n, 0x8000);
    }
    host.write(RDAR, 1 << 24);
    assert_eq!((host.rx(0).0, host.rx(0).1), (L, 600));
    assert_eq!((host.rx(1).0, host.rx(1).1), (L | 0x02, 400));
    assert_eq!(host.rx(2).0, 0x8000);
}

/// A frame longer than a buffer takes more than one; only the last has its length. Longer than
/// FTRL, and it is cut off.
#[test]
fn rx_long_frame_takes_several_buffers() {
    let host = Host::new();
    host.peer.send(&frame(OWN, 2000));
    host.pass(1000);
    assert_eq!((host.rx(0).0, host.rx(0).1), (0, 1536));
    let (flags, bytes) = (host.rx(1).0, host.read(EIR));
    assert_eq!((flags, bytes & 1 << 24), (L | 0x20, 1 << 24));
    host.peer.send(&frame(OWN, 2100));
    host.pass(1000);
    // 0x7ff bytes of it.
    assert_eq!(host.rx(3).0, L | 0x21);
    assert_eq!(host.violations(), []);
}

/// Disabled, the MAC receives nothing and clears its FIFO; enabled again, it starts at the first
/// descriptor.
#[test]
fn disable_enable_restarts_ring() {
    let host = Host::new();
    for _ in 0..6 {
        host.peer.send(&frame(OWN, 100));
    }
    host.pass(200);
    host.write(ECR, 0x100);
    assert_eq!(host.chip.stats().rx_fifo_lost, 2);
    host.peer.send(&frame(OWN, 100));
    host.pass(200);
    assert_eq!(host.chip.stats().rx_disabled, 1);
    host.set_rx(0, 0x8000);
    host.write(ECR, 0x102);
    host.write(RDAR, 1 << 24);
    host.peer.send(&frame(OWN, 200));
    host.pass(200);
    assert_eq!((host.rx(0).0, host.rx(0).1), (L, 204));
}
