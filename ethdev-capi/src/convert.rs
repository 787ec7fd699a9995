//! Values of `ethdev` as values of the header.

use core::time::Duration;

use ethdev::{
    Capabilities, ChecksumOffload, Counted, Coverage, Duplex, ErrorKind, Events, Interest, Link, LossReason, Offload,
    RxMeta, Stats,
};

use crate::abi::{self, ErrorCode};

impl From<ErrorKind> for ErrorCode {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::BufferTooSmall { .. } => Self::BufferTooSmall,
            ErrorKind::FrameTooLong { .. } => Self::FrameTooLong,
            ErrorKind::FrameTooShort => Self::FrameTooShort,
            ErrorKind::InvalidInput => Self::InvalidInput,
            ErrorKind::Stopped => Self::Stopped,
            ErrorKind::Unsupported => Self::Unsupported,
            ErrorKind::Busy => Self::QueueFull,
            ErrorKind::LinkDown => Self::LinkDown,
            ErrorKind::Bus => Self::Bus,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::Fault => Self::Fault,
            ErrorKind::NotPresent => Self::NotPresent,
            ErrorKind::PermissionDenied => Self::PermissionDenied,
            ErrorKind::BadFrame => Self::BadFrame,
            // `Other`, and kinds that are newer than this crate.
            _ => Self::Other,
        }
    }
}

pub(crate) fn rx(meta: RxMeta) -> abi::Rx {
    let nanoseconds = meta.timestamp.map(|time| saturate(time.as_nanos()));
    abi::Rx {
        len: meta.len,
        flags: if nanoseconds.is_some() { abi::RX_TIMESTAMP } else { 0 },
        timestamp_ns: nanoseconds.unwrap_or(0),
    }
}

pub(crate) fn events(events: Events) -> abi::Events {
    abi::Events {
        flags: bits([
            (events.link_changed, abi::event::LINK_CHANGED),
            (events.rx_pending, abi::event::RX_PENDING),
            (events.rx_dropped, abi::event::RX_DROPPED),
            (events.tx_ready, abi::event::TX_READY),
            (events.recovered, abi::event::RECOVERED),
        ]),
        tx_completed: events.tx_completed,
        tx_failed: events.tx_failed,
    }
}

pub(crate) fn link(link: Link) -> abi::Link {
    let Link::Up(mode) = link else {
        return abi::Link::default();
    };
    abi::Link {
        speed_kbps: mode.speed.map_or(0, ethdev::Speed::kbps),
        up: 1,
        duplex: match mode.duplex {
            None => abi::duplex::UNKNOWN,
            Some(Duplex::Half) => abi::duplex::HALF,
            Some(Duplex::Full) => abi::duplex::FULL,
        },
        pause_rx: mode.pause.rx.into(),
        pause_tx: mode.pause.tx.into(),
    }
}

pub(crate) fn counters(stats: &Stats) -> abi::Counters {
    abi::Counters {
        rx_frames: stats.rx_frames,
        rx_bytes: stats.rx_bytes,
        rx_overrun: stats.rx_overrun,
        rx_bad_fcs: stats.rx_bad_fcs,
        rx_bad_length: stats.rx_bad_length,
        rx_error: stats.rx_error,
        rx_filtered: stats.rx_filtered,
        rx_discarded: stats.rx_discarded,
        rx_reset: stats.rx_reset,
        tx_frames: stats.tx_frames,
        tx_bytes: stats.tx_bytes,
        tx_aborted: stats.tx_aborted,
        tx_reset: stats.tx_reset,
        faults: stats.faults,
        recoveries: stats.recoveries,
        link_changes: stats.link_changes,
    }
}

/// What the device can do. The caller adds name, index and flags.
pub(crate) fn info(capabilities: &Capabilities) -> abi::Info {
    abi::Info {
        name: Default::default(),
        index: 0,
        flags: 0,
        mtu: saturate(capabilities.ip_mtu().bytes()),
        rx_max_frame_len: saturate(capabilities.rx_max_frame_len.bytes()),
        tx_max_frame_len: saturate(capabilities.tx_max_frame_len.bytes()),
        tx_min_frame_len: saturate(capabilities.tx_min_frame_len),
        rx_queue_frames: capabilities.rx_queue_frames.map_or(abi::QUEUE_UNKNOWN, u32::from),
        tx_queue_frames: capabilities.tx_queue_frames.map_or(abi::QUEUE_UNKNOWN, u32::from),
        service_interval_us: capabilities
            .max_service_interval
            .map_or(abi::NO_SERVICE_INTERVAL, interval),
        checksum_rx: checksum(&capabilities.checksum, |offload| offload.rx),
        checksum_tx: checksum(&capabilities.checksum, |offload| offload.tx),
        at_least_one: coverage(capabilities.coverage, Counted::AtLeastOne),
        not_reported: coverage(capabilities.coverage, Counted::NotReported),
    }
}

/// The conditions of `bits`; `None` if there is another bit.
pub(crate) fn interest(bits: u32) -> Option<Interest> {
    let known = abi::wait::RX | abi::wait::TX | abi::wait::LINK;
    (bits & !known == 0).then_some(Interest {
        rx: bits & abi::wait::RX != 0,
        tx: bits & abi::wait::TX != 0,
        link: bits & abi::wait::LINK != 0,
    })
}

/// An interval in microseconds that is not `NO_SERVICE_INTERVAL`.
fn interval(interval: Duration) -> u32 {
    saturate::<u32>(interval.as_micros()).min(abi::NO_SERVICE_INTERVAL - 1)
}

fn checksum(offload: &ChecksumOffload, direction: fn(Offload) -> bool) -> u32 {
    bits([
        (direction(offload.ipv4), abi::checksum::IPV4),
        (direction(offload.udp), abi::checksum::UDP),
        (direction(offload.tcp), abi::checksum::TCP),
        (direction(offload.icmpv4), abi::checksum::ICMPV4),
        (direction(offload.icmpv6), abi::checksum::ICMPV6),
    ])
}

fn coverage(coverage: Coverage, counted: Counted) -> u32 {
    bits(
        [
            (LossReason::RxOverrun, abi::loss::RX_OVERRUN),
            (LossReason::RxBadFcs, abi::loss::RX_BAD_FCS),
            (LossReason::RxBadLength, abi::loss::RX_BAD_LENGTH),
            (LossReason::RxError, abi::loss::RX_ERROR),
            (LossReason::RxFiltered, abi::loss::RX_FILTERED),
            (LossReason::RxReset, abi::loss::RX_RESET),
            (LossReason::TxAborted, abi::loss::TX_ABORTED),
            (LossReason::TxReset, abi::loss::TX_RESET),
        ]
        .map(|(reason, bit)| (coverage.of(reason) == counted, bit)),
    )
}

/// The bits whose condition is true.
fn bits<const N: usize>(bits: [(bool, u32); N]) -> u32 {
    bits.into_iter()
        .fold(0, |set, (condition, bit)| if condition { set | bit } else { set })
}

/// `value`, or the largest value of `T`.
fn saturate<T: Bounded>(value: impl TryInto<T>) -> T {
    value.try_into().unwrap_or(T::MAX)
}

trait Bounded {
    const MAX: Self;
}

impl Bounded for u32 {
    const MAX: Self = Self::MAX;
}

impl Bounded for u64 {
    const MAX: Self = Self::MAX;
}
