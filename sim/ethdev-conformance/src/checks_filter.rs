//! Receive filters: what `Exact` promises, how many groups fit, changes of mode, pending frames.

use ethdev::{ErrorKind, FilterOutcome, LossReason, MacAddress, Multicast, RxFilter};
use ethdev_sim::fcs;

use super::frames::Random;
use super::outcome::{CheckError, CheckResult, ensure};
use super::testbed::Testbed;

const OTHER_STATION: MacAddress = MacAddress::new([0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0xee]);

/// Sets the filter; `None` if the device has no such mode. A device that cannot even set the default
/// filter skips the check.
fn set(testbed: &mut Testbed<'_>, filter: RxFilter<'_>) -> CheckResult<Option<FilterOutcome>> {
    let result = match testbed.dev.control() {
        Some(mut control) => control.set_rx_filter(filter),
        None => return Err(CheckError::Skip("the API has no management".into())),
    };
    match result {
        Err(ErrorKind::Unsupported) if filter == RxFilter::DEFAULT => {
            Err(CheckError::Skip("the device has no `set_rx_filter`".into()))
        }
        Err(ErrorKind::Unsupported) => Ok(None),
        result => testbed.ok("set_rx_filter", result).map(Some),
    }
}

/// Sends a frame to this address and compares whether it is delivered with what `filter` passes.
fn probe(testbed: &mut Testbed<'_>, filter: RxFilter<'_>, outcome: FilterOutcome, to: MacAddress) -> CheckResult {
    let mut frame = testbed.peer_frame(80);
    frame[..6].copy_from_slice(&to.octets());
    testbed.peer().peer_send(&frame);
    testbed.peer_sent(frame);
    testbed.advance_frames(1);
    testbed.service()?;
    let delivered = testbed.receive_if_any()?;
    if !delivered {
        testbed.drop_expected();
    }
    let passes = filter.passes(to, testbed.dev.mac_address());
    let what = match filter.multicast {
        Multicast::List(groups) => format!("a list of {} groups", groups.len()),
        other => format!("{other:?}"),
    };
    ensure!(
        delivered || !passes,
        testbed.requirement,
        "broadcast {}, {what}, promiscuous {}: expected a frame to {to} to be delivered, it was not",
        filter.broadcast,
        filter.promiscuous
    );
    ensure!(
        passes || !delivered || outcome == FilterOutcome::Superset,
        testbed.requirement,
        "broadcast {}, {what}, promiscuous {}, answered Exact: expected a frame to {to} to be dropped, it was delivered",
        filter.broadcast,
        filter.promiscuous
    );
    Ok(())
}

/// A group address that is made of random bytes.
fn group(random: &mut Random) -> MacAddress {
    let mut octets = [0; 6].map(|_: u8| random.between(0, 255) as u8);
    octets[0] |= 1;
    MacAddress::new(octets)
}

/// Bits of the CRC-32 of an address that hash filters of MACs in wide use select: six or nine bits
/// at either end, six in the middle, of the register and of its bitwise complement in either order.
fn hashes(address: MacAddress) -> [u32; 6] {
    let crc = u32::from_le_bytes(fcs::compute(&address.octets()));
    // The register before the final complement, the most significant bit first.
    let register = (!crc).reverse_bits();
    [
        register >> 26,
        register >> 23,
        (register >> 23) & 0x3f,
        crc >> 26,
        crc & 0x3f,
        crc & 0x1ff,
    ]
}

/// Group addresses outside `groups` that a hash filter cannot tell from one of them: for each hash
/// one address.
fn collisions(groups: &[MacAddress], random: &mut Random) -> Vec<MacAddress> {
    let listed = groups[random.between(0, groups.len() - 1)];
    (0..hashes(listed).len())
        .map(|hash| {
            loop {
                let candidate = group(random);
                if hashes(candidate)[hash] == hashes(listed)[hash] && !groups.contains(&candidate) {
                    return candidate;
                }
            }
        })
        .collect()
}

pub(super) fn set_rx_filter_many_groups_exact_is_exact(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    testbed.provoke_rx(&[LossReason::RxFiltered]);
    set(testbed, RxFilter::DEFAULT)?;
    let mut random = Random::new(0xf1);
    let all: Vec<_> = (0..130).map(|_| group(&mut random)).collect();
    for len in [
        1, 2, 3, 4, 5, 7, 8, 9, 10, 14, 15, 16, 17, 20, 31, 32, 33, 63, 64, 65, 130,
    ] {
        let groups = &all[..len];
        let filter = RxFilter::DEFAULT.with_multicast(Multicast::List(groups));
        let Some(outcome) = set(testbed, filter)? else {
            continue;
        };
        // The last ones are those that a table without capacity loses.
        for &listed in groups.iter().take(2).chain(groups.iter().rev().take(6)) {
            probe(testbed, filter, outcome, listed)?;
        }
        if outcome == FilterOutcome::Superset {
            continue;
        }
        let mut others = collisions(groups, &mut random);
        let [mut first, mut last] = [groups[0].octets(); 2];
        first[0] ^= 0x02;
        last[5] ^= 0x01;
        others.extend([MacAddress::new(first), MacAddress::new(last)]);
        others.extend(all[len..].iter().take(2));
        for other in others {
            probe(testbed, filter, outcome, other)?;
        }
    }
    testbed.check_accounting()
}

pub(super) fn set_rx_filter_after_any_other_applied(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    testbed.provoke_rx(&[LossReason::RxFiltered]);
    set(testbed, RxFilter::DEFAULT)?;
    let mut random = Random::new(0xf2);
    let [first, second] = [0; 2].map(|_| group(&mut random));
    let lists = [[first], [second]];
    let mut promiscuous = RxFilter::DEFAULT;
    promiscuous.promiscuous = true;
    let filters = [
        RxFilter::DEFAULT,
        RxFilter::DEFAULT.with_broadcast(false),
        RxFilter::DEFAULT.with_multicast(Multicast::List(&lists[0])),
        RxFilter::DEFAULT.with_multicast(Multicast::List(&lists[1])),
        RxFilter::DEFAULT.with_multicast(Multicast::All),
        promiscuous,
        RxFilter::PROMISCUOUS,
    ];
    for former in filters {
        for filter in filters {
            set(testbed, former)?;
            let Some(outcome) = set(testbed, filter)? else {
                continue;
            };
            for to in [first, second, OTHER_STATION, MacAddress::BROADCAST] {
                probe(testbed, filter, outcome, to)?;
            }
        }
    }
    let own = testbed.dev.mac_address();
    probe(testbed, RxFilter::DEFAULT, FilterOutcome::Superset, own)?;
    testbed.check_accounting()
}

pub(super) fn set_rx_filter_frames_pending_delivered_or_counted(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    testbed.provoke_rx(&[LossReason::RxReset]);
    testbed.allow_tx_gaps();
    let groups = [MacAddress::new([0x01, 0x00, 0x5e, 0, 0, 0x42])];
    let burst = testbed.rx_burst().min(4);
    let stalls = testbed.peer().stall_tx(false).is_ok();
    for filter in [
        RxFilter::DEFAULT,
        RxFilter::DEFAULT.with_multicast(Multicast::List(&groups)),
        RxFilter::DEFAULT.with_multicast(Multicast::All),
        RxFilter::PROMISCUOUS,
        RxFilter::PROMISCUOUS,
        RxFilter::DEFAULT,
    ] {
        for _ in 0..burst {
            testbed.peer_delivers(200);
        }
        if stalls {
            testbed.peer().stall_tx(true)?;
            for _ in 0..3 {
                if testbed.try_send(300).is_err() {
                    break;
                }
            }
        }
        set(testbed, filter)?;
        if stalls {
            testbed.peer().stall_tx(false)?;
        }
        testbed.wait_link(true)?;
        testbed.drain_with_gaps()?;
        testbed.peer_receives_all()?;
        testbed.warm_up()?;
    }
    testbed.check_accounting()
}
