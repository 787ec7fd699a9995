//! A device whose every answer the test sets. It can be used in any thread.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use ethdev::{
    Capabilities, Control, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link, MacAddress,
    Multicast, Rearm, RearmOutcome, RxFilter, RxMeta, Stats, validate_tx_len,
};

/// A device, and what the test sees and sets of it.
#[derive(Clone)]
pub(crate) struct Stub(Arc<Mutex<State>>);

pub(crate) struct State {
    pub(crate) mac: MacAddress,
    pub(crate) capabilities: Capabilities,
    pub(crate) link: Link,
    pub(crate) stats: Stats,
    pub(crate) rx: VecDeque<Vec<u8>>,
    pub(crate) tx: Vec<Vec<u8>>,
    /// The filter that was set last: broadcast, groups or all of them, promiscuous.
    pub(crate) filter: Option<(bool, Option<Vec<MacAddress>>, bool)>,
    /// What each call returns instead.
    pub(crate) error: Option<ErrorKind>,
    /// What `recv_frame` reports instead.
    pub(crate) reported: Option<RxMeta>,
    /// The longest buffer that was passed to `recv_frame`.
    pub(crate) longest_buf: usize,
    /// Called inside `service`.
    pub(crate) in_service: Option<Box<dyn FnMut() + Send>>,
    pub(crate) events: Events,
}

impl Stub {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            mac: MacAddress::new([2, 0, 0, 0, 0, 1]),
            capabilities: Capabilities::ETHERNET,
            link: Link::UP,
            stats: Stats::ZERO,
            rx: VecDeque::new(),
            tx: Vec::new(),
            filter: None,
            error: None,
            reported: None,
            longest_buf: 0,
            in_service: None,
            events: Events::NONE,
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn checked(&self) -> Result<MutexGuard<'_, State>, ErrorKind> {
        let state = self.state();
        state.error.map_or(Ok(state), Err)
    }
}

impl ErrorType for Stub {
    type Error = ErrorKind;
}

impl EthernetDevice for Stub {
    fn mac_address(&self) -> MacAddress {
        self.state().mac
    }

    fn capabilities(&self) -> Capabilities {
        self.state().capabilities
    }

    fn link(&self) -> Link {
        self.state().link
    }

    fn stats(&self) -> Stats {
        self.state().stats
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        let mut state = self.checked()?;
        state.longest_buf = state.longest_buf.max(buf.len());
        let Some(needed) = state.rx.front().map(Vec::len) else {
            return Ok(None);
        };
        let buf = buf.get_mut(..needed).ok_or(ErrorKind::BufferTooSmall { needed })?;
        buf.copy_from_slice(&state.rx.pop_front().unwrap());
        Ok(Some(state.reported.unwrap_or(RxMeta::new(needed))))
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.checked()?.rx.pop_front().is_some())
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        self.checked().map(|_| true)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        let mut state = self.checked()?;
        validate_tx_len(parts, state.capabilities.tx_max_frame_len)?;
        state.tx.push(parts.concat());
        Ok(())
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        // Taken out: it may access the stub.
        let in_service = self.checked()?.in_service.take();
        if let Some(mut in_service) = in_service {
            in_service();
            self.state().in_service = Some(in_service);
        }
        Ok(self.state().events)
    }
}

impl Control for Stub {
    fn start(&mut self) -> Result<(), ErrorKind> {
        self.checked().map(|mut state| state.link = Link::UP)
    }

    fn stop(&mut self) -> Result<(), ErrorKind> {
        self.checked().map(|mut state| state.link = Link::Down)
    }

    fn sleep(&mut self) -> Result<(), ErrorKind> {
        self.checked().map(|mut state| state.link = Link::Down)
    }

    fn wake(&mut self) -> Result<(), ErrorKind> {
        self.checked().map(drop)
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ErrorKind> {
        self.checked().map(|mut state| state.mac = address)
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ErrorKind> {
        let mut state = self.checked()?;
        let groups = match filter.multicast {
            Multicast::None => Some(Vec::new()),
            Multicast::List(groups) => Some(groups.to_vec()),
            Multicast::All => None,
        };
        state.filter = Some((filter.broadcast, groups, filter.promiscuous));
        Ok(if filter.promiscuous {
            FilterOutcome::Superset
        } else {
            FilterOutcome::Exact
        })
    }
}

impl Rearm for Stub {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        self.checked().map(drop)
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, ErrorKind> {
        let state = self.checked()?;
        Ok(if interest.rx && !state.rx.is_empty() {
            RearmOutcome::WorkPending
        } else {
            RearmOutcome::Armed
        })
    }
}
