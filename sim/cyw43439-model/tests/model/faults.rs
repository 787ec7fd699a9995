//! Everything that can be made to go wrong does, and only that.

use std::time::Duration;

use cyw43439_model::{BusFault, ChipConfig, ChipFaults, DataLine, Fault, Spoil};
use embedded_hal::digital::OutputPin;

use crate::host::{Lab, MAC, command, ethernet, ms};

fn joined() -> Lab {
    let mut lab = Lab::joined(ChipConfig::default());
    lab.write(0, 0x04, 1, 0x01);
    lab
}

/// A frame of data on the bus, spoiled.
fn spoiled(spoil: Spoil) -> (Lab, Vec<u8>) {
    let mut lab = joined();
    lab.chip.inject(Fault::DataFrame(spoil));
    assert_eq!(lab.chip.faults_waiting(), 1);
    lab.peer.send(&ethernet(MAC, 60, 0));
    lab.clock.advance(ms(2));
    assert_eq!(lab.chip.faults_waiting(), 0);
    let len = (lab.status() >> 9 & 0x7ff) as usize;
    let bytes = lab.recv_bytes(len);
    (lab, bytes)
}

/// A reply on the bus, spoiled.
fn spoiled_reply(spoil: Spoil) -> (Lab, Vec<u8>) {
    let mut lab = joined();
    lab.chip.inject(Fault::Reply(spoil));
    lab.send_request(true, 2, &[]);
    lab.clock.advance(ms(2));
    let len = (lab.status() >> 9 & 0x7ff) as usize;
    let bytes = lab.recv_bytes(len);
    (lab, bytes)
}

/// How the same frame looks when nothing is wrong.
fn intact() -> Vec<u8> {
    let mut lab = joined();
    lab.peer.send(&ethernet(MAC, 60, 0));
    lab.clock.advance(ms(2));
    lab.recv_bytes(258)
}

#[test]
fn spoiled_frames() {
    let good = intact();
    type Change = fn(&mut Vec<u8>);
    let cases: [(Spoil, Change); 8] = [
        (Spoil::Complement, |frame| frame[2] ^= 0x10),
        (Spoil::HeaderLength(5), |frame| frame[7] = 5),
        (Spoil::DataOffset(99), |frame| frame[190 + 3] = 99),
        (Spoil::Channel(15), |frame| frame[5] = 15),
        (Spoil::Credit(200), |frame| frame[9] = 200),
        (Spoil::Sequence(77), |frame| frame[4] = 77),
        (Spoil::StatusLength(-8), |frame| frame.truncate(250)),
        (Spoil::StatusLength(8), |frame| frame.resize(266, 0)),
    ];
    for (spoil, change) in cases {
        let (lab, bytes) = spoiled(spoil);
        let mut expected = good.clone();
        change(&mut expected);
        assert_eq!(bytes, expected, "{spoil:?}");
        let stats = lab.chip.stats();
        assert_eq!(stats.delivered + stats.delivered_spoiled, 1, "{spoil:?}");
        lab.clean();
    }
}

#[test]
fn longer_frames() {
    let (lab, bytes) = spoiled(Spoil::Oversize(1800));
    assert_eq!(bytes.len(), 1800);
    assert_eq!(bytes[..4], [0x08, 0x07, 0xf7, 0xf8]);
    assert_eq!(lab.chip.stats().delivered_spoiled, 1);
    let (lab, bytes) = spoiled(Spoil::OddHeaderLength);
    assert_eq!((bytes.len(), bytes[7]), (259, 191));
    assert_eq!(Lab::parse(&bytes).ethernet(), ethernet(MAC, 60, 0));
    assert_eq!(lab.chip.stats().delivered, 1);
}

#[test]
fn a_length_of_zero_is_announced_once() {
    let mut lab = joined();
    lab.chip.inject(Fault::DataFrame(Spoil::LengthZero));
    lab.peer.send(&ethernet(MAC, 60, 0));
    lab.clock.advance(ms(2));
    assert_eq!(lab.status() >> 8, 1);
    lab.write(1, 0x1_000d, 1, 1);
    assert_eq!(lab.status() >> 9 & 0x7ff, 258);
    lab.drain();
    assert_eq!(lab.data, [ethernet(MAC, 60, 0)]);
    assert_eq!(lab.chip.stats().delivered, 1);
    lab.clean();
}

#[test]
fn frames_twice_or_never() {
    let mut lab = joined();
    lab.chip.inject(Fault::DataFrame(Spoil::Duplicate));
    lab.chip.inject(Fault::DataFrame(Spoil::Lost));
    lab.chip.inject(Fault::DataFrame(Spoil::Garbage));
    for n in 0..4 {
        lab.peer.send(&ethernet(MAC, 60, n));
    }
    lab.clock.advance(ms(5));
    let frames: Vec<Vec<u8>> = core::iter::from_fn(|| lab.recv()).map(|frame| frame.bytes).collect();
    assert_eq!(frames.len(), 4);
    assert_eq!(frames[0][190..], frames[1][190..]);
    assert_ne!(frames[2][190..], frames[0][190..]);
    let stats = lab.chip.stats();
    assert_eq!(
        (
            stats.arrived,
            stats.delivered,
            stats.delivered_spoiled,
            stats.lost_by_fault
        ),
        (5, 3, 1, 1)
    );
    lab.clean();
}

#[test]
fn spoiled_replies() {
    let field = |bytes: &[u8], at: usize| {
        let body = usize::from(bytes[7]);
        u32::from_le_bytes(bytes[body + at..body + at + 4].try_into().unwrap())
    };
    let (_, bytes) = spoiled_reply(Spoil::ReplyLength(0x1234));
    assert_eq!(field(&bytes, 4), 0x1234);
    let (_, bytes) = spoiled_reply(Spoil::ReplyId(0x4321));
    assert_eq!(field(&bytes, 8) >> 16, 0x4321);
    let (_, bytes) = spoiled_reply(Spoil::ReplyStatus(-5));
    assert_eq!(field(&bytes, 12) as i32, -5);
}

#[test]
fn replies_late_or_never() {
    let mut lab = joined();
    lab.chip.inject(Fault::Reply(Spoil::Lost));
    lab.send_request(true, 2, &[]);
    lab.pass(ms(1000));
    // Nobody blames the host for asking again.
    lab.chip.inject(Fault::LateReply(ms(700)));
    lab.send_request(true, 2, &[]);
    let first = lab.id;
    lab.pass(ms(600));
    lab.send_request(true, 2, &[]);
    lab.clock.advance(ms(50));
    let early = lab.drain().expect("the second one is in time");
    lab.clock.advance(ms(100));
    let late = lab.drain().expect("the first one comes after all");
    assert_eq!(early[10..12], lab.id.to_le_bytes());
    assert_eq!(late[10..12], first.to_le_bytes());
    assert_eq!(lab.chip.stats().control_lost, 1);
    lab.chip.inject(Fault::RefuseIoctl(-22));
    assert_eq!(lab.ioctl(true, 3, &[]), Err(-22));
    assert!(lab.chip.association().is_some(), "it was not carried out");
    lab.clean();
}

#[test]
fn events_that_lie() {
    let mut lab = joined();
    lab.chip.inject(Fault::Event(Spoil::EventLength(0xffff_ffff)));
    lab.chip.inject(Fault::StrayEvent {
        kind: 46,
        status: 8,
        reason: 15,
    });
    let frame = lab.recv().expect("it comes at once");
    assert_eq!(frame.ethernet()[44..48], [0xff; 4]);
    lab.chip.inject(Fault::StrayEvent {
        kind: 46,
        status: 8,
        reason: 15,
    });
    lab.drain();
    assert_eq!(lab.take_events(), [(46, 8, 15)]);
    // From the air, over the channel of data.
    lab.chip.inject(Fault::EventFromAir { kind: 16, status: 0 });
    let frame = lab.recv().expect("it comes at once");
    assert_eq!(frame.channel, 2);
    assert_eq!(frame.ethernet()[12..14], [0x88, 0x6c]);
    lab.clean();
}

#[test]
fn junk_and_credit() {
    let mut lab = joined();
    lab.chip.inject(Fault::JunkFrame);
    lab.chip.inject(Fault::CreditUpdate);
    let junk = lab.recv().expect("it comes at once");
    assert_eq!((junk.bytes.len(), junk.channel, junk.credit), (256, 1, 0));
    let update = lab.recv().expect("it comes at once");
    assert_eq!(update.bytes.len(), 12);
    assert_eq!(update.credit, lab.sequence + ChipConfig::default().credit_window);
    lab.clean();
}

#[test]
fn bits_flip() {
    let mut lab = joined();
    lab.chip.inject(Fault::ReadBit(31));
    assert_eq!(lab.read(0, 0x14, 4), 0xfeed_beac);
    assert_eq!(lab.read(0, 0x14, 4), 0xfeed_bead);
    lab.chip.set_faults(ChipFaults::NONE.with_read_bit_error(1.0));
    for _ in 0..50 {
        assert_eq!((lab.read(0, 0x14, 4) ^ 0xfeed_bead).count_ones(), 1);
    }
}

#[test]
fn invalid_status() {
    let mut lab = joined();
    lab.chip.inject(Fault::InvalidStatus(2));
    assert_eq!(lab.write(0, 0x18, 4, 0), 0xffff_ffff);
    assert_eq!(lab.status(), 0xffff_ffff);
    assert_eq!(lab.status(), 0x20);
    lab.chip.set_faults(ChipFaults::NONE.with_invalid_status(1.0));
    assert_eq!(lab.status(), 0xffff_ffff);
    assert_eq!(lab.read(0, 0x14, 4), 0xfeed_bead, "data stay what they are");
    lab.clean();
}

#[test]
fn the_bus_fails() {
    let mut lab = joined();
    let before = lab.chip.bus();
    lab.chip.fail_bus_at(1);
    assert_eq!(lab.status(), 0x20);
    let n = before.transactions + 1;
    let mut word = [0];
    let read = command(false, 0, 0x14, 4);
    assert_eq!(
        lab.bus.cmd_read_blocking(read, &mut word),
        Err(BusFault::AtTransaction(n))
    );
    assert!(lab.bus.cmd_read_blocking(read, &mut word).is_ok());
    lab.chip.set_faults(ChipFaults::NONE.with_bus_failure(1.0));
    assert!(lab.bus.cmd_write_blocking(&[command(true, 0, 0x18, 4), 1]).is_err());
}

/// A host that was deceived is not blamed, until it has switched the chip off.
#[test]
fn power_clears_the_blame() {
    let mut lab = joined();
    lab.chip.inject(Fault::ReadBit(3));
    lab.read(0, 0x14, 4);
    lab.write(0, 0x14, 4, 1);
    lab.clean();
    lab.chip.power_pin().set_low().unwrap();
    lab.clock.advance(ms(20));
    lab.power_on();
    lab.clean();
    lab.write(0, 0x14, 4, 1);
    assert_eq!(lab.kinds().len(), 1);
}

#[test]
fn an_absent_chip() {
    let mut lab = joined();
    lab.write(0, 0x18, 4, 0x1234_5678);
    for (line, expected) in [
        (DataLine::Stuck(0), Some(0)),
        (DataLine::Stuck(!0), Some(!0)),
        (DataLine::Random, None),
    ] {
        lab.chip.set_data_line(line);
        lab.write(0, 0x18, 4, 0x55);
        let read = lab.read(0, 0x18, 4);
        assert!(expected.is_none_or(|expected| expected == read), "{line:?}: {read:#x}");
        assert_ne!(read, 0x1234_5678);
    }
    lab.chip.set_data_line(DataLine::Connected);
    assert_eq!(lab.read(0, 0x18, 4), 0x1234_5678);
}

#[test]
fn the_line_sticks_and_fires() {
    let mut lab = joined();
    lab.chip.stick_irq(Some(true));
    assert!(lab.bus.event_pending());
    assert_eq!(lab.read(0, 0x04, 2) & 0x20, 0);
    lab.chip.stick_irq(Some(false));
    lab.peer.send(&ethernet(MAC, 60, 0));
    lab.clock.advance(ms(5));
    assert!(!lab.bus.event_pending());
    assert_eq!(lab.read(0, 0x04, 2) & 0x20, 0x20);
    lab.chip.stick_irq(None);
    assert!(lab.bus.event_pending());
    lab.drain();
    assert!(!lab.bus.event_pending());
    lab.chip.inject(Fault::SpuriousInterrupt);
    assert!(lab.bus.event_pending());
    lab.clock.advance(Duration::from_micros(10));
    assert!(!lab.bus.event_pending());
    lab.clean();
}

#[test]
fn edges_get_lost() {
    use std::cell::Cell;
    use std::rc::Rc;
    let mut lab = joined();
    let edges = Rc::new(Cell::new(0));
    lab.chip.on_irq_rising({
        let edges = edges.clone();
        move || edges.set(edges.get() + 1)
    });
    for (lost, expected) in [(0.0, 1), (1.0, 0)] {
        lab.chip.set_faults(ChipFaults::NONE.with_lost_edge(lost));
        edges.set(0);
        lab.peer.send(&ethernet(MAC, 60, 0));
        lab.clock.advance(ms(5));
        assert!(lab.bus.event_pending());
        assert_eq!(edges.get(), expected);
        lab.drain();
    }
}

#[test]
fn credit_freezes() {
    let mut lab = joined();
    lab.chip.freeze_credit(true);
    lab.ioctl(true, 2, &[]).unwrap();
    let frozen = lab.sequence - 1 + ChipConfig::default().credit_window;
    for _ in 0..3 {
        lab.peer.send(&ethernet(MAC, 60, 0));
        lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
        lab.clock.advance(ms(5));
        let credits: Vec<u8> = core::iter::from_fn(|| lab.recv()).map(|frame| frame.credit).collect();
        assert!(!credits.is_empty());
        assert!(credits.iter().all(|credit| *credit <= frozen + 1), "{credits:?}");
    }
    lab.chip.freeze_credit(false);
    let update = lab.recv().expect("it is told at once");
    assert_eq!(update.credit, lab.sequence + ChipConfig::default().credit_window);
    lab.clean();
}

#[test]
fn frames_are_held_back() {
    let mut lab = Lab::joined(ChipConfig::default().with_credit_window(4));
    lab.pass(ms(5));
    lab.chip.hold_frames(true);
    for n in 0..3 {
        lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n));
        lab.pass(ms(5));
    }
    lab.ioctl(true, 2, &[]).unwrap();
    lab.chip.inject(Fault::CreditUpdate);
    let update = lab.recv().expect("it comes at once");
    assert_eq!(update.credit, lab.sequence + 1, "three of four places are taken");
    assert_eq!(lab.peer.recv(), None);
    assert_eq!(lab.chip.stats().tx_waiting(), 3);
    lab.chip.hold_frames(false);
    lab.pass(ms(5));
    for n in 0..3 {
        assert_eq!(lab.peer.recv(), Some(ethernet([2, 0, 0, 0, 0, 7], 60, n)));
    }
    lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 9));
    lab.pass(ms(5));
    assert_eq!(lab.chip.stats().transmitted, 4);
    lab.clean();
}

#[test]
fn the_air_loses_frames() {
    let mut lab = joined();
    lab.chip.set_faults(ChipFaults::NONE.with_air_loss(0.5, 0.5));
    for n in 0..100 {
        lab.peer.send(&ethernet(MAC, 60, n));
        lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, n));
        lab.pass(ms(2));
    }
    let stats = lab.chip.stats();
    assert_eq!(stats.lost_in_air + stats.delivered, 100);
    assert_eq!(stats.tx_lost_in_air + stats.transmitted, 100);
    assert!((30..70).contains(&stats.lost_in_air) && (30..70).contains(&stats.tx_lost_in_air));
    lab.clean();
}

/// Random faults come from the seed alone.
#[test]
fn the_same_seed_the_same_faults() {
    let run = |seed: u64| {
        let faults = ChipFaults::NONE
            .with_spoiled_frame(0.3)
            .with_read_bit_error(0.01)
            .with_invalid_status(0.05)
            .with_air_loss(0.1, 0.1);
        let mut lab = Lab::joined(ChipConfig::default().with_seed(seed));
        lab.chip.set_faults(faults);
        let mut seen = Vec::new();
        for n in 0..60 {
            lab.peer.send(&ethernet(MAC, 60, n));
            lab.clock.advance(ms(2));
            let status = lab.status();
            seen.extend(status.to_le_bytes());
            seen.extend(lab.recv_bytes((status >> 9 & 0x7ff) as usize));
            assert!(lab.chip.stats().balanced());
        }
        (seen, lab.chip.stats(), lab.clock.now())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
}

/// Every knob at once, and a host that believes everything: the books balance, and the model goes on.
#[test]
fn all_at_once() {
    for seed in 0..8 {
        let faults = ChipFaults::NONE
            .with_spoiled_frame(0.2)
            .with_read_bit_error(0.02)
            .with_invalid_status(0.02)
            .with_bus_failure(0.01)
            .with_lost_edge(0.1)
            .with_replies(0.1, 0.1, 0.1)
            .with_refused_ioctl(0.1)
            .with_air_loss(0.1, 0.1);
        let mut lab = Lab::joined(ChipConfig::default().with_seed(seed).with_rx_queue(8));
        lab.chip.set_faults(faults);
        let write = |lab: &mut Lab, data: &[u32]| lab.bus.cmd_write_blocking(data).is_ok();
        for n in 0..2000_u32 {
            lab.peer.send(&ethernet(MAC, 60 + (n as usize * 37) % 1455, n as u8));
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
            write(&mut lab, &request);
            lab.clock.advance(Duration::from_micros(u64::from(n % 7) * 300));
            let mut status = [0];
            if lab.bus.cmd_read_blocking(command(false, 0, 8, 4), &mut status).is_ok() && status[0] & 0x100 != 0 {
                let len = (status[0] >> 9 & 0x7ff) as usize;
                let mut words = vec![0; len.div_ceil(4)];
                lab.bus.cmd_read_blocking(command(false, 2, 0, len), &mut words).ok();
            }
            assert!(lab.chip.stats().balanced(), "seed {seed}: {:?}", lab.chip.stats());
        }
        lab.chip.power_pin().set_low().unwrap();
        let stats = lab.chip.stats();
        assert_eq!((stats.waiting(), stats.tx_waiting()), (0, 0), "seed {seed}: {stats:?}");
        assert!(
            stats.delivered > 0 && stats.delivered_spoiled > 0 && stats.overflowed > 0,
            "seed {seed}: {stats:?}"
        );
    }
}
