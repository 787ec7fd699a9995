//! A stack's side of the handle: calls through the table of functions, as C makes them.

use core::ffi::c_void;
use core::ptr::{NonNull, null, null_mut};
use std::sync::Arc;
use std::time::Duration;

use ethdev::{
    Capabilities, ChecksumOffload, Control, Counted, Coverage, Duplex, ErrorKind, ErrorType, EthernetDevice, Events,
    FilterOutcome, Interest, Link, LinkMode, LossReason, MacAddress, MaxFrameLen, Multicast, Offload, Pause, Rearm,
    RearmOutcome, RxFilter, RxMeta, Speed, Stats,
};
use ethdev_capi::abi::{self, ErrorCode, Ethdev, IoVec, Ops};
use ethdev_util::IrqSignal;

use super::codes::{code, kind};

/// A device of the C header as a device of Rust.
pub(crate) struct Handle(NonNull<Ethdev>);

// SAFETY: the functions of a handle may be called in any thread.
unsafe impl Send for Handle {}
// SAFETY: as above; also at once, which they answer with an error code.
unsafe impl Sync for Handle {}

/// Calls a function of the table, which must be there.
macro_rules! call {
    ($handle:expr, $name:ident $(, $argument:expr)*) => {{
        let (dev, ops) = ($handle.dev(), $handle.ops());
        let function = ops.$name.expect(stringify!($name));
        // SAFETY: the handle is valid, and so is each pointer that the tests pass.
        unsafe { function(dev $(, $argument)*) }
    }};
}

impl Handle {
    pub(crate) const fn new(dev: NonNull<Ethdev>) -> Self {
        Self(dev)
    }

    pub(crate) const fn dev(&self) -> *mut Ethdev {
        self.0.as_ptr()
    }

    pub(crate) const fn ops(&self) -> &'static Ops {
        // SAFETY: a handle points to a valid device with a constant table.
        unsafe { &*(*self.dev()).ops }
    }

    /// Calls every function with a handle that is NULL, and arguments that are valid otherwise.
    pub(crate) fn call_each_with_null(&self) -> Vec<(&'static str, i32)> {
        let ops = self.ops();
        let (mut byte, mut mac, mut info) = (0, [0; 6], abi::Info::default());
        let (mut rx, mut events, mut link) = (abi::Rx::default(), abi::Events::default(), abi::Link::default());
        let (mut counters, mut buf) = (abi::Counters::default(), [0; 60]);
        let part = iovec(&[0; 60]);
        let filter = abi::RxFilter {
            broadcast: 1,
            multicast: abi::multicast::NONE,
            promiscuous: 0,
            reserved: 0,
            group_count: 0,
            groups: null(),
        };
        macro_rules! each {
            ($($name:ident($($argument:expr),*);)*) => {
                // SAFETY: the handle may be NULL; the other pointers are valid.
                unsafe { vec![$((stringify!($name), ops.$name.unwrap()(null_mut() $(, $argument)*)),)*] }
            };
        }
        each! {
            recv(buf.as_mut_ptr().cast(), 60, &mut rx);
            discard();
            send(&part, 1);
            tx_ready(&mut byte);
            service(&mut events);
            link(&mut link);
            counters(&mut counters);
            info(&mut info);
            mac(mac.as_mut_ptr());
            set_mac(mac.as_ptr());
            set_rx_filter(&filter, &mut byte);
            start();
            stop();
            sleep();
            wake();
            recover();
            set_lock(null());
            set_signal(null());
            interrupt();
            disarm();
            rearm(abi::wait::RX, &mut byte);
        }
    }

    pub(crate) fn recv(&self, buf: *mut c_void, capacity: usize, rx: *mut abi::Rx) -> i32 {
        call!(self, recv, buf, capacity, rx)
    }

    pub(crate) fn recv_into(&self, buf: &mut [u8]) -> Result<abi::Rx, (ErrorCode, abi::Rx)> {
        let mut rx = abi::Rx::default();
        match self.recv(buf.as_mut_ptr().cast(), buf.len(), &mut rx) {
            0 => Ok(rx),
            result => Err((code(result), rx)),
        }
    }

    pub(crate) fn discard(&self) -> i32 {
        call!(self, discard)
    }

    pub(crate) fn send(&self, parts: *const IoVec, count: usize) -> i32 {
        call!(self, send, parts, count)
    }

    pub(crate) fn send_parts(&self, parts: &[&[u8]]) -> i32 {
        let parts: Vec<IoVec> = parts.iter().map(|part| iovec(part)).collect();
        self.send(parts.as_ptr(), parts.len())
    }

    pub(crate) fn tx_ready(&self, ready: *mut u8) -> i32 {
        call!(self, tx_ready, ready)
    }

    pub(crate) fn service(&self, events: *mut abi::Events) -> i32 {
        call!(self, service, events)
    }

    pub(crate) fn link(&self, link: *mut abi::Link) -> i32 {
        call!(self, link, link)
    }

    pub(crate) fn counters(&self, counters: *mut abi::Counters) -> i32 {
        call!(self, counters, counters)
    }

    pub(crate) fn info(&self, info: *mut abi::Info) -> i32 {
        call!(self, info, info)
    }

    pub(crate) fn mac(&self, mac: *mut u8) -> i32 {
        call!(self, mac, mac)
    }

    pub(crate) fn set_mac(&self, mac: *const u8) -> i32 {
        call!(self, set_mac, mac)
    }

    pub(crate) fn set_rx_filter(&self, filter: *const abi::RxFilter, outcome: *mut u8) -> i32 {
        call!(self, set_rx_filter, filter, outcome)
    }

    pub(crate) fn start(&self) -> i32 {
        call!(self, start)
    }

    pub(crate) fn stop(&self) -> i32 {
        call!(self, stop)
    }

    pub(crate) fn sleep(&self) -> i32 {
        call!(self, sleep)
    }

    pub(crate) fn wake(&self) -> i32 {
        call!(self, wake)
    }

    pub(crate) fn recover(&self) -> i32 {
        call!(self, recover)
    }

    pub(crate) fn set_lock(&self, lock: Option<&abi::Lock>) -> i32 {
        call!(self, set_lock, lock.map_or(null(), core::ptr::from_ref))
    }

    pub(crate) fn set_signal(&self, signal: Option<&abi::Signal>) -> i32 {
        call!(self, set_signal, signal.map_or(null(), core::ptr::from_ref))
    }

    pub(crate) fn interrupt(&self) -> i32 {
        call!(self, interrupt)
    }

    pub(crate) fn disarm(&self) -> i32 {
        call!(self, disarm)
    }

    pub(crate) fn rearm(&self, conditions: u32, pending: *mut u8) -> i32 {
        call!(self, rearm, conditions, pending)
    }

    /// Registers a function that signals `irq`.
    pub(crate) fn signal_to(&self, irq: Arc<IrqSignal>) {
        unsafe extern "C" fn signal(context: *mut c_void) {
            // SAFETY: `context` is from the `Arc` below, which is leaked.
            unsafe { &*context.cast_const().cast::<IrqSignal>() }.signal();
        }
        let hook = abi::Signal {
            context: Arc::into_raw(irq).cast_mut().cast(),
            signal: Some(signal),
        };
        assert_eq!(self.set_signal(Some(&hook)), 0);
    }

    pub(crate) fn read_info(&self) -> abi::Info {
        let mut info = abi::Info::default();
        assert_eq!(self.info(&mut info), 0);
        info
    }

    pub(crate) fn read_counters(&self) -> abi::Counters {
        let mut counters = abi::Counters::default();
        assert_eq!(self.counters(&mut counters), 0);
        counters
    }

    fn check(&self, result: i32) -> Result<(), ErrorKind> {
        match result {
            0 => Ok(()),
            result => Err(kind(code(result), 0, self.read_info().tx_max_frame_len as usize)),
        }
    }
}

pub(crate) fn iovec(part: &[u8]) -> IoVec {
    IoVec {
        base: part.as_ptr().cast(),
        len: part.len(),
    }
}

impl ErrorType for Handle {
    type Error = ErrorKind;
}

impl EthernetDevice for Handle {
    fn mac_address(&self) -> MacAddress {
        let mut octets = [0; 6];
        assert_eq!(self.mac(octets.as_mut_ptr()), 0);
        MacAddress::new(octets)
    }

    fn capabilities(&self) -> Capabilities {
        let info = self.read_info();
        let queue = |frames| (frames != abi::QUEUE_UNKNOWN).then(|| u16::try_from(frames).unwrap());
        let offload = |bit| Offload {
            rx: info.checksum_rx & bit != 0,
            tx: info.checksum_tx & bit != 0,
        };
        let mut checksum = ChecksumOffload::NONE;
        checksum.ipv4 = offload(abi::checksum::IPV4);
        checksum.udp = offload(abi::checksum::UDP);
        checksum.tcp = offload(abi::checksum::TCP);
        checksum.icmpv4 = offload(abi::checksum::ICMPV4);
        checksum.icmpv6 = offload(abi::checksum::ICMPV6);
        let coverage = [
            (LossReason::RxOverrun, abi::loss::RX_OVERRUN),
            (LossReason::RxBadFcs, abi::loss::RX_BAD_FCS),
            (LossReason::RxBadLength, abi::loss::RX_BAD_LENGTH),
            (LossReason::RxError, abi::loss::RX_ERROR),
            (LossReason::RxFiltered, abi::loss::RX_FILTERED),
            (LossReason::RxReset, abi::loss::RX_RESET),
            (LossReason::TxAborted, abi::loss::TX_ABORTED),
            (LossReason::TxReset, abi::loss::TX_RESET),
        ]
        .into_iter()
        .fold(Coverage::EXACT, |coverage, (reason, bit)| {
            if info.not_reported & bit != 0 {
                coverage.with(reason, Counted::NotReported)
            } else if info.at_least_one & bit != 0 {
                coverage.with(reason, Counted::AtLeastOne)
            } else {
                coverage
            }
        });
        let mut capabilities = Capabilities::ETHERNET
            .with_rx_max_frame_len(MaxFrameLen::new(info.rx_max_frame_len as usize))
            .with_tx_max_frame_len(MaxFrameLen::new(info.tx_max_frame_len as usize))
            .with_tx_min_frame_len(info.tx_min_frame_len as usize)
            .with_queue_frames(queue(info.rx_queue_frames), queue(info.tx_queue_frames))
            .with_checksum(checksum)
            .with_coverage(coverage);
        if info.service_interval_us != abi::NO_SERVICE_INTERVAL {
            capabilities.max_service_interval = Some(Duration::from_micros(info.service_interval_us.into()));
        }
        capabilities
    }

    fn link(&self) -> Link {
        let mut link = abi::Link::default();
        assert_eq!(Self::link(self, &mut link), 0);
        if link.up == 0 {
            return Link::Down;
        }
        let mut mode = LinkMode::UNKNOWN.with_pause(Pause {
            rx: link.pause_rx != 0,
            tx: link.pause_tx != 0,
        });
        mode.speed = (link.speed_kbps != 0).then(|| Speed::from_kbps(link.speed_kbps));
        mode.duplex = match link.duplex {
            abi::duplex::UNKNOWN => None,
            abi::duplex::HALF => Some(Duplex::Half),
            abi::duplex::FULL => Some(Duplex::Full),
            duplex => panic!("duplex {duplex}"),
        };
        Link::Up(mode)
    }

    fn stats(&self) -> Stats {
        let counters = self.read_counters();
        let mut stats = Stats::ZERO;
        stats.rx_frames = counters.rx_frames;
        stats.rx_bytes = counters.rx_bytes;
        stats.rx_overrun = counters.rx_overrun;
        stats.rx_bad_fcs = counters.rx_bad_fcs;
        stats.rx_bad_length = counters.rx_bad_length;
        stats.rx_error = counters.rx_error;
        stats.rx_filtered = counters.rx_filtered;
        stats.rx_discarded = counters.rx_discarded;
        stats.rx_reset = counters.rx_reset;
        stats.tx_frames = counters.tx_frames;
        stats.tx_bytes = counters.tx_bytes;
        stats.tx_aborted = counters.tx_aborted;
        stats.tx_reset = counters.tx_reset;
        stats.faults = counters.faults;
        stats.recoveries = counters.recoveries;
        stats.link_changes = counters.link_changes;
        stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        match self.recv_into(buf) {
            Ok(rx) => {
                let meta = RxMeta::new(rx.len);
                let is_stamped = rx.flags & abi::RX_TIMESTAMP != 0;
                Ok(Some(if is_stamped {
                    meta.with_timestamp(Duration::from_nanos(rx.timestamp_ns))
                } else {
                    meta
                }))
            }
            Err((ErrorCode::NoFrame, _)) => Ok(None),
            Err((code, rx)) => Err(kind(code, rx.len, 0)),
        }
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        match self.discard() {
            result if result == ErrorCode::NoFrame as i32 => Ok(false),
            result => self.check(result).map(|()| true),
        }
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        let mut ready = 0;
        let result = Self::tx_ready(self, &mut ready);
        self.check(result).map(|()| ready != 0)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        // The header limits the number of parts; the traits do not.
        match parts.split_at_checked(abi::MAX_PARTS - 1) {
            Some((first, rest)) if rest.len() > 1 => {
                let rest = rest.concat();
                self.check(self.send_parts(&[first, &[&rest[..]]].concat()))
            }
            _ => self.check(self.send_parts(parts)),
        }
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        let mut found = abi::Events::default();
        let result = Self::service(self, &mut found);
        self.check(result)?;
        let mut events = Events::NONE;
        events.link_changed = found.flags & abi::event::LINK_CHANGED != 0;
        events.rx_pending = found.flags & abi::event::RX_PENDING != 0;
        events.rx_dropped = found.flags & abi::event::RX_DROPPED != 0;
        events.tx_ready = found.flags & abi::event::TX_READY != 0;
        events.recovered = found.flags & abi::event::RECOVERED != 0;
        events.tx_completed = found.tx_completed;
        events.tx_failed = found.tx_failed;
        Ok(events)
    }
}

impl Control for Handle {
    fn start(&mut self) -> Result<(), ErrorKind> {
        self.check(Self::start(self))
    }

    fn stop(&mut self) -> Result<(), ErrorKind> {
        self.check(Self::stop(self))
    }

    fn sleep(&mut self) -> Result<(), ErrorKind> {
        self.check(Self::sleep(self))
    }

    fn wake(&mut self) -> Result<(), ErrorKind> {
        self.check(Self::wake(self))
    }

    fn recover(&mut self) -> Result<(), ErrorKind> {
        self.check(Self::recover(self))
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ErrorKind> {
        self.check(self.set_mac(address.octets().as_ptr()))
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ErrorKind> {
        let groups: Vec<[u8; 6]> = match filter.multicast {
            Multicast::List(groups) => groups.iter().map(|group| group.octets()).collect(),
            Multicast::None | Multicast::All => Vec::new(),
        };
        let request = abi::RxFilter {
            broadcast: filter.broadcast.into(),
            multicast: match filter.multicast {
                Multicast::None => abi::multicast::NONE,
                Multicast::List(_) => abi::multicast::LIST,
                Multicast::All => abi::multicast::ALL,
            },
            promiscuous: filter.promiscuous.into(),
            reserved: 0,
            group_count: groups.len() as u32,
            groups: if groups.is_empty() { null_mut() } else { groups.as_ptr() },
        };
        let mut outcome = u8::MAX;
        let result = Self::set_rx_filter(self, &request, &mut outcome);
        self.check(result)?;
        Ok(match outcome {
            abi::filter::EXACT => FilterOutcome::Exact,
            abi::filter::SUPERSET => FilterOutcome::Superset,
            outcome => panic!("outcome {outcome}"),
        })
    }
}

impl Rearm for Handle {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        self.check(Self::disarm(self))
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, ErrorKind> {
        let conditions = (u32::from(interest.rx) * abi::wait::RX)
            | (u32::from(interest.tx) * abi::wait::TX)
            | (u32::from(interest.link) * abi::wait::LINK);
        let mut pending = u8::MAX;
        let result = Self::rearm(self, conditions, &mut pending);
        self.check(result)?;
        Ok(match pending {
            0 => RearmOutcome::Armed,
            1 => RearmOutcome::WorkPending,
            pending => panic!("pending {pending}"),
        })
    }
}
