//! Each fault takes effect, and no other.

use std::time::Duration;

use cyw43439_model::{BusFault, ChipConfig, ChipFaults, Corruption, DataLine, Fault};
use embedded_hal::digital::OutputPin;

use crate::host::{MAC, Testbed, command, ethernet, ms};

fn joined() -> Testbed {
    let mut bed = Testbed::joined(ChipConfig::default());
    bed.write(0, 0x04, 1, 0x01);
    bed
}

/// A corrupted data frame on the bus.
fn corrupted(corruption: Corruption) -> (Testbed, Vec<u8>) {
    let mut bed = joined();
    bed.chip.inject(Fault::DataFrame(corruption));
    assert_eq!(bed.chip.pending_faults(), 1);
    bed.peer.send(&ethernet(MAC, 60, 0));
    bed.clock.advance(ms(2));
    assert_eq!(bed.chip.pending_faults(), 0);
    let len = (bed.status() >> 9 & 0x7ff) as usize;
    let bytes = bed.recv_bytes(len);
    (bed, bytes)
}

/// A corrupted reply on the bus.
fn corrupted_reply(corruption: Corruption) -> (Testbed, Vec<u8>) {
    let mut bed = joined();
    bed.chip.inject(Fault::Reply(corruption));
    bed.send_request(true, 2, &[]);
    bed.clock.advance(ms(2));
    let len = (bed.status() >> 9 & 0x7ff) as usize;
    let bytes = bed.recv_bytes(len);
    (bed, bytes)
}

/// The same frame without corruption.
fn intact() -> Vec<u8> {
    let mut bed = joined();
    bed.peer.send(&ethernet(MAC, 60, 0));
    bed.clock.advance(ms(2));
    bed.recv_bytes(258)
}

#[test]
fn corruption_of_headers_is_applied() {
    let good = intact();
    type Change = fn(&mut Vec<u8>);
    let cases: [(Corruption, Change); 8] = [
        (Corruption::Complement, |frame| frame[2] ^= 0x10),
        (Corruption::HeaderLength(5), |frame| frame[7] = 5),
        (Corruption::DataOffset(99), |frame| frame[190 + 3] = 99),
        (Corruption::Channel(15), |frame| frame[5] = 15),
        (Corruption::Credit(200), |frame| frame[9] = 200),
        (Corruption::Sequence(77), |frame| frame[4] = 77),
        (Corruption::StatusLength(-8), |frame| frame.truncate(250)),
        (Corruption::StatusLength(8), |frame| frame.resize(266, 0)),
    ];
    for (corruption, change) in cases {
        let (bed, bytes) = corrupted(corruption);
        let mut expected = good.clone();
        change(&mut expected);
        assert_eq!(bytes, expected, "{corruption:?}");
        let stats = bed.chip.stats();
        assert_eq!(stats.delivered + stats.delivered_corrupted, 1, "{corruption:?}");
        bed.clean();
    }
}

#[test]
fn corruption_of_length_makes_frames_longer() {
    let (bed, bytes) = corrupted(Corruption::Oversize(1800));
    assert_eq!(bytes.len(), 1800);
    assert_eq!(bytes[..4], [0x08, 0x07, 0xf7, 0xf8]);
    assert_eq!(bed.chip.stats().delivered_corrupted, 1);
    let (bed, bytes) = corrupted(Corruption::OddHeaderLength);
    assert_eq!((bytes.len(), bytes[7]), (259, 191));
    assert_eq!(Testbed::parse(&bytes).ethernet(), ethernet(MAC, 60, 0));
    assert_eq!(bed.chip.stats().delivered, 1);
}

#[test]
fn corruption_length_zero_is_announced_once() {
    let mut bed = joined();
    bed.chip.inject(Fault::DataFrame(Corruption::LengthZero));
    bed.peer.send(&ethernet(MAC, 60, 0));
    bed.clock.advance(ms(2));
    assert_eq!(bed.status() >> 8, 1);
    bed.write(1, 0x1_000d, 1, 1);
    assert_eq!(bed.status() >> 9 & 0x7ff, 258);
    bed.drain();
    assert_eq!(bed.data, [ethernet(MAC, 60, 0)]);
    assert_eq!(bed.chip.stats().delivered, 1);
    bed.clean();
}

#[test]
fn corruption_duplicate_or_lost_changes_count() {
    let mut bed = joined();
    bed.chip.inject(Fault::DataFrame(Corruption::Duplicate));
    bed.chip.inject(Fault::DataFrame(Corruption::Lost));
    bed.chip.inject(Fault::DataFrame(Corruption::Garbage));
    for n in 0..4 {
        bed.peer.send(&ethernet(MAC, 60, n));
    }
    bed.clock.advance(ms(5));
    let frames: Vec<Vec<u8>> = core::iter::from_fn(|| bed.recv()).map(|frame| frame.bytes).collect();
    assert_eq!(frames.len(), 4);
    assert_eq!(frames[0][190..], frames[1][190..]);
    assert_ne!(frames[2][190..], frames[0][190..]);
    let stats = bed.chip.stats();
    assert_eq!(
        (
            stats.arrived,
            stats.delivered,
            stats.delivered_corrupted,
            stats.lost_by_fault
        ),
        (5, 3, 1, 1)
    );
    bed.clean();
}

#[test]
fn corruption_of_replies_is_applied() {
    let field = |bytes: &[u8], at: usize| {
        let body = usize::from(bytes[7]);
        u32::from_le_bytes(bytes[body + at..body + at + 4].try_into().unwrap())
    };
    let (_, bytes) = corrupted_reply(Corruption::ReplyLength(0x1234));
    assert_eq!(field(&bytes, 4), 0x1234);
    let (_, bytes) = corrupted_reply(Corruption::ReplyId(0x4321));
    assert_eq!(field(&bytes, 8) >> 16, 0x4321);
    let (_, bytes) = corrupted_reply(Corruption::ReplyStatus(-5));
    assert_eq!(field(&bytes, 12) as i32, -5);
}

#[test]
fn replies_are_late_or_lost() {
    let mut bed = joined();
    bed.chip.inject(Fault::Reply(Corruption::Lost));
    bed.send_request(true, 2, &[]);
    bed.pass(ms(1000));
    // A repeated request is no violation.
    bed.chip.inject(Fault::LateReply(ms(700)));
    bed.send_request(true, 2, &[]);
    let first = bed.id;
    bed.pass(ms(600));
    bed.send_request(true, 2, &[]);
    bed.clock.advance(ms(50));
    let early = bed.drain().expect("the second reply is in time");
    bed.clock.advance(ms(100));
    let late = bed.drain().expect("the late reply");
    assert_eq!(early[10..12], bed.id.to_le_bytes());
    assert_eq!(late[10..12], first.to_le_bytes());
    assert_eq!(bed.chip.stats().control_lost, 1);
    bed.chip.inject(Fault::RefuseIoctl(-22));
    assert_eq!(bed.ioctl(true, 3, &[]), Err(-22));
    assert!(bed.chip.association().is_some(), "the ioctl was not executed");
    bed.clean();
}

#[test]
fn corruption_of_events_is_applied() {
    let mut bed = joined();
    bed.chip.inject(Fault::Event(Corruption::EventLength(0xffff_ffff)));
    bed.chip.inject(Fault::StrayEvent {
        kind: 46,
        status: 8,
        reason: 15,
    });
    let frame = bed.recv().expect("the reply is not late");
    assert_eq!(frame.ethernet()[44..48], [0xff; 4]);
    bed.chip.inject(Fault::StrayEvent {
        kind: 46,
        status: 8,
        reason: 15,
    });
    bed.drain();
    assert_eq!(bed.take_events(), [(46, 8, 15)]);
    // From the air, on the data channel.
    bed.chip.inject(Fault::EventFromAir { kind: 16, status: 0 });
    let frame = bed.recv().expect("the reply is not late");
    assert_eq!(frame.channel, 2);
    assert_eq!(frame.ethernet()[12..14], [0x88, 0x6c]);
    bed.clean();
}

#[test]
fn junk_frame_and_credit_update_are_queued() {
    let mut bed = joined();
    bed.chip.inject(Fault::JunkFrame);
    bed.chip.inject(Fault::CreditUpdate);
    let junk = bed.recv().expect("the reply is not late");
    assert_eq!((junk.bytes.len(), junk.channel, junk.credit), (256, 1, 0));
    let update = bed.recv().expect("the reply is not late");
    assert_eq!(update.bytes.len(), 12);
    assert_eq!(update.credit, bed.sequence + ChipConfig::default().credit_window);
    bed.clean();
}

#[test]
fn read_bit_error_flips_one_bit() {
    let mut bed = joined();
    bed.chip.inject(Fault::ReadBit(31));
    assert_eq!(bed.read(0, 0x14, 4), 0xfeed_beac);
    assert_eq!(bed.read(0, 0x14, 4), 0xfeed_bead);
    bed.chip.set_faults(ChipFaults::NONE.with_read_bit_error(1.0));
    for _ in 0..50 {
        assert_eq!((bed.read(0, 0x14, 4) ^ 0xfeed_bead).count_ones(), 1);
    }
}

#[test]
fn invalid_status_reads_all_ones() {
    let mut bed = joined();
    bed.chip.inject(Fault::InvalidStatus(2));
    assert_eq!(bed.write(0, 0x18, 4, 0), 0xffff_ffff);
    assert_eq!(bed.status(), 0xffff_ffff);
    assert_eq!(bed.status(), 0x20);
    bed.chip.set_faults(ChipFaults::NONE.with_invalid_status(1.0));
    assert_eq!(bed.status(), 0xffff_ffff);
    assert_eq!(bed.read(0, 0x14, 4), 0xfeed_bead, "data are unchanged");
    bed.clean();
}

#[test]
fn fail_bus_at_transaction_returns_error() {
    let mut bed = joined();
    let before = bed.chip.bus();
    bed.chip.fail_bus_at(1);
    assert_eq!(bed.status(), 0x20);
    let n = before.transactions + 1;
    let mut word = [0];
    let read = command(false, 0, 0x14, 4);
    assert_eq!(
        bed.bus.cmd_read_blocking(read, &mut word),
        Err(BusFault::AtTransaction(n))
    );
    assert!(bed.bus.cmd_read_blocking(read, &mut word).is_ok());
    bed.chip.set_faults(ChipFaults::NONE.with_bus_failure(1.0));
    assert!(bed.bus.cmd_write_blocking(&[command(true, 0, 0x18, 4), 1]).is_err());
}

/// After a bus fault violations are not reported until the host has switched the chip off.
#[test]
fn power_cycle_resumes_violations() {
    let mut bed = joined();
    bed.chip.inject(Fault::ReadBit(3));
    bed.read(0, 0x14, 4);
    bed.write(0, 0x14, 4, 1);
    bed.clean();
    bed.chip.power_pin().set_low().unwrap();
    bed.clock.advance(ms(20));
    bed.power_on();
    bed.clean();
    bed.write(0, 0x14, 4, 1);
    assert_eq!(bed.kinds().len(), 1);
}

#[test]
fn data_line_stuck_reads_constant_words() {
    let mut bed = joined();
    bed.write(0, 0x18, 4, 0x1234_5678);
    for (line, expected) in [
        (DataLine::Stuck(0), Some(0)),
        (DataLine::Stuck(!0), Some(!0)),
        (DataLine::Random, None),
    ] {
        bed.chip.set_data_line(line);
        bed.write(0, 0x18, 4, 0x55);
        let read = bed.read(0, 0x18, 4);
        assert!(expected.is_none_or(|expected| expected == read), "{line:?}: {read:#x}");
        assert_ne!(read, 0x1234_5678);
    }
    bed.chip.set_data_line(DataLine::Connected);
    assert_eq!(bed.read(0, 0x18, 4), 0x1234_5678);
}

#[test]
fn irq_forced_or_spurious_changes_line() {
    let mut bed = joined();
    bed.chip.force_irq(Some(true));
    assert!(bed.bus.event_pending());
    assert_eq!(bed.read(0, 0x04, 2) & 0x20, 0);
    bed.chip.force_irq(Some(false));
    bed.peer.send(&ethernet(MAC, 60, 0));
    bed.clock.advance(ms(5));
    assert!(!bed.bus.event_pending());
    assert_eq!(bed.read(0, 0x04, 2) & 0x20, 0x20);
    bed.chip.force_irq(None);
    assert!(bed.bus.event_pending());
    bed.drain();
    assert!(!bed.bus.event_pending());
    bed.chip.inject(Fault::SpuriousInterrupt);
    assert!(bed.bus.event_pending());
    bed.clock.advance(Duration::from_micros(10));
    assert!(!bed.bus.event_pending());
    bed.clean();
}

#[test]
fn lost_edge_keeps_irq_level() {
    use std::cell::Cell;
    use std::rc::Rc;
    let mut bed = joined();
    let edges = Rc::new(Cell::new(0));
    bed.chip.on_irq_rising({
        let edges = edges.clone();
        move || edges.set(edges.get() + 1)
    });
    for (lost, expected) in [(0.0, 1), (1.0, 0)] {
        bed.chip.set_faults(ChipFaults::NONE.with_lost_edge(lost));
        edges.set(0);
        bed.peer.send(&ethernet(MAC, 60, 0));
        bed.clock.advance(ms(5));
        assert!(bed.bus.event_pending());
        assert_eq!(edges.get(), expected);
        bed.drain();
    }
}

#[test]
fn freeze_credit_stops_credit() {
    let mut bed = joined();
    bed.chip.freeze_credit(true);
    bed.ioctl(true, 2, &[]).unwrap();
    let frozen = bed.sequence - 1 + ChipConfig::default().credit_window;
    for _ in 0..3 {
        bed.peer.send(&ethernet(MAC, 60, 0));
        bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
        bed.clock.advance(ms(5));
        let credits: Vec<u8> = core::iter::from_fn(|| bed.recv()).map(|frame| frame.credit).collect();
        assert!(!credits.is_empty());
        assert!(credits.iter().all(|credit| *credit <= frozen + 1), "{credits:?}");
    }
    bed.chip.freeze_credit(false);
    let update = bed.recv().expect("reported at once");
    assert_eq!(update.credit, bed.sequence + ChipConfig::default().credit_window);
    bed.clean();
}

#[test]
fn hold_frames_uses_up_credit() {
    let mut bed = Testbed::joined(ChipConfig::default().with_credit_window(4));
    bed.pass(ms(5));
    bed.chip.hold_frames(true);
    for n in 0..3 {
        bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n));
        bed.pass(ms(5));
    }
    bed.ioctl(true, 2, &[]).unwrap();
    bed.chip.inject(Fault::CreditUpdate);
    let update = bed.recv().expect("the reply is not late");
    assert_eq!(update.credit, bed.sequence + 1, "three of four credits are used");
    assert_eq!(bed.peer.recv(), None);
    assert_eq!(bed.chip.stats().tx_waiting(), 3);
    bed.chip.hold_frames(false);
    bed.pass(ms(5));
    for n in 0..3 {
        assert_eq!(bed.peer.recv(), Some(ethernet([2, 0, 0, 0, 0, 7], 60, n)));
    }
    bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 9));
    bed.pass(ms(5));
    assert_eq!(bed.chip.stats().transmitted, 4);
    bed.clean();
}

#[test]
fn air_loss_drops_frames() {
    let mut bed = joined();
    bed.chip.set_faults(ChipFaults::NONE.with_air_loss(0.5, 0.5));
    for n in 0..100 {
        bed.peer.send(&ethernet(MAC, 60, n));
        bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n));
        bed.pass(ms(2));
    }
    let stats = bed.chip.stats();
    assert_eq!(stats.lost_in_air + stats.delivered, 100);
    assert_eq!(stats.tx_lost_in_air + stats.transmitted, 100);
    assert!((30..70).contains(&stats.lost_in_air) && (30..70).contains(&stats.tx_lost_in_air));
    bed.clean();
}

/// Random faults depend on the seed only.
#[test]
fn faults_with_same_seed_repeat() {
    let run = |seed: u64| {
        let faults = ChipFaults::NONE
            .with_corrupted_frame(0.3)
            .with_read_bit_error(0.01)
            .with_invalid_status(0.05)
            .with_air_loss(0.1, 0.1);
        let mut bed = Testbed::joined(ChipConfig::default().with_seed(seed));
        bed.chip.set_faults(faults);
        let mut seen = Vec::new();
        for n in 0..60 {
            bed.peer.send(&ethernet(MAC, 60, n));
            bed.clock.advance(ms(2));
            let status = bed.status();
            seen.extend(status.to_le_bytes());
            seen.extend(bed.recv_bytes((status >> 9 & 0x7ff) as usize));
            assert!(bed.chip.stats().balanced());
        }
        (seen, bed.chip.stats(), bed.clock.now())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
}

/// All faults at once, with a host that checks nothing: the counters stay consistent, and the model
/// does not panic.
#[test]
fn faults_combined_keep_counters_consistent() {
    for seed in 0..8 {
        let faults = ChipFaults::NONE
            .with_corrupted_frame(0.2)
            .with_read_bit_error(0.02)
            .with_invalid_status(0.02)
            .with_bus_failure(0.01)
            .with_lost_edge(0.1)
            .with_replies(0.1, 0.1, 0.1)
            .with_refused_ioctl(0.1)
            .with_air_loss(0.1, 0.1);
        let mut bed = Testbed::joined(ChipConfig::default().with_seed(seed).with_rx_queue(8));
        bed.chip.set_faults(faults);
        let write = |bed: &mut Testbed, data: &[u32]| bed.bus.cmd_write_blocking(data).is_ok();
        for n in 0..2000_u32 {
            bed.peer.send(&ethernet(MAC, 60 + (n as usize * 37) % 1455, n as u8));
            let request = [
                command(true, 2, 0, 28),
                0xffe3_001c,
                0x0c00_0000 | n & 0xff,
                0,
                2,
                0,
                (n & 0xffff) << 16 | 2,
                0,
            ];
            write(&mut bed, &request);
            bed.clock.advance(Duration::from_micros(u64::from(n % 7) * 300));
            let mut status = [0];
            if bed.bus.cmd_read_blocking(command(false, 0, 8, 4), &mut status).is_ok() && status[0] & 0x100 != 0 {
                let len = (status[0] >> 9 & 0x7ff) as usize;
                let mut words = vec![0; len.div_ceil(4)];
                bed.bus.cmd_read_blocking(command(false, 2, 0, len), &mut words).ok();
            }
            assert!(bed.chip.stats().balanced(), "seed {seed}: {:?}", bed.chip.stats());
        }
        bed.chip.power_pin().set_low().unwrap();
        let stats = bed.chip.stats();
        assert_eq!((stats.waiting(), stats.tx_waiting()), (0, 0), "seed {seed}: {stats:?}");
        assert!(
            stats.delivered > 0 && stats.delivered_corrupted > 0 && stats.overflowed > 0,
            "seed {seed}: {stats:?}"
        );
    }
}
