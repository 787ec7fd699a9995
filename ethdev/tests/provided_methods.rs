//! The provided methods of the traits, on devices that implement the required ones only.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ethdev::lending::{count_release, discard, recv_by_copy};
use ethdev::{
    Capabilities, Control, ErrorKind, ErrorType, EthernetDevice, Events, FrameHandler, Interest, Link, MacAddress,
    MaxFrameLen, RxFilter, RxFrame, RxHalf, RxMeta, Stats, Transmit, TxHalf, asynch,
};

const ADDRESS: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);
const FRAME: [u8; 60] = [0x5a; 60];

/// A device with queues in memory.
#[derive(Default)]
struct Minimal {
    received: VecDeque<Vec<u8>>,
    sent: Vec<Vec<u8>>,
    /// The results of the next calls of `send_vectored`; then `Ok`.
    refusals: VecDeque<ErrorKind>,
    /// The frames that arrive in the next calls of `ready`.
    arrivals: VecDeque<Option<Vec<u8>>>,
    /// The interests of the calls of `ready`.
    waits: Vec<Interest>,
}

impl ErrorType for Minimal {
    type Error = ErrorKind;
}

impl EthernetDevice for Minimal {
    fn mac_address(&self) -> MacAddress {
        ADDRESS
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET.with_tx_max_frame_len(MaxFrameLen::VLAN)
    }
    fn link(&self) -> Link {
        Link::UP
    }
    fn stats(&self) -> Stats {
        Stats::ZERO
    }
    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        let Some(frame) = self.received.pop_front() else {
            return Ok(None);
        };
        buf[..frame.len()].copy_from_slice(&frame);
        Ok(Some(RxMeta::new(frame.len())))
    }
    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.received.pop_front().is_some())
    }
    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.refusals.is_empty())
    }
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        if let Some(refusal) = self.refusals.pop_front() {
            return Err(refusal);
        }
        self.sent.push(parts.concat());
        Ok(())
    }
    fn service(&mut self) -> Result<Events, ErrorKind> {
        Ok(Events::NONE)
    }
}

impl Control for Minimal {}
impl asynch::Control for Minimal {}

impl asynch::EthernetDevice for Minimal {
    fn mac_address(&self) -> MacAddress {
        ADDRESS
    }
    fn capabilities(&self) -> Capabilities {
        EthernetDevice::capabilities(self)
    }
    fn link(&self) -> Link {
        Link::UP
    }
    fn stats(&self) -> Stats {
        Stats::ZERO
    }
    async fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        EthernetDevice::recv_frame(self, buf)
    }
    async fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        EthernetDevice::discard_frame(self)
    }
    async fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        EthernetDevice::tx_ready(self)
    }
    async fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        EthernetDevice::send_vectored(self, parts)
    }
    async fn service(&mut self) -> Result<Events, ErrorKind> {
        Ok(Events::NONE)
    }
    async fn ready(&mut self, interest: Interest) -> Result<Interest, ErrorKind> {
        self.waits.push(interest);
        match self.arrivals.pop_front() {
            Some(frame) => {
                self.received.extend(frame);
                Ok(interest)
            }
            None => std::future::pending().await,
        }
    }
}

impl Transmit for Minimal {
    type Error = ErrorKind;
    fn mac_address(&self) -> MacAddress {
        ADDRESS
    }
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        EthernetDevice::send_vectored(self, parts)
    }
}

/// Polls a future at most `polls` times. Returns its result and the number of polls.
fn poll<T>(future: impl Future<Output = T>, polls: usize) -> (Option<T>, usize) {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for n in 1..=polls {
        if let Poll::Ready(result) = future.as_mut().poll(&mut cx) {
            return (Some(result), n);
        }
    }
    (None, polls)
}

fn now<T>(future: impl Future<Output = T>) -> T {
    poll(future, 1).0.expect("completes at once")
}

#[test]
fn control_defaults_return_unsupported() {
    let mut device = Minimal::default();
    let unsupported = Err(ErrorKind::Unsupported);
    assert_eq!(Control::start(&mut device), unsupported);
    assert_eq!(Control::stop(&mut device), unsupported);
    assert_eq!(Control::set_mac_address(&mut device, ADDRESS), unsupported);
    assert_eq!(
        Control::set_rx_filter(&mut device, RxFilter::DEFAULT),
        Err(ErrorKind::Unsupported)
    );
    assert_eq!(Control::recover(&mut device), unsupported);
    assert_eq!(Control::sleep(&mut device), unsupported);
    assert_eq!(Control::wake(&mut device), unsupported);
}

#[test]
fn async_control_defaults_return_unsupported() {
    let mut device = Minimal::default();
    let unsupported = Err(ErrorKind::Unsupported);
    assert_eq!(now(asynch::Control::start(&mut device)), unsupported);
    assert_eq!(now(asynch::Control::stop(&mut device)), unsupported);
    assert_eq!(now(asynch::Control::set_mac_address(&mut device, ADDRESS)), unsupported);
    assert_eq!(
        now(asynch::Control::set_rx_filter(&mut device, RxFilter::DEFAULT)),
        Err(ErrorKind::Unsupported)
    );
    assert_eq!(now(asynch::Control::recover(&mut device)), unsupported);
    assert_eq!(now(asynch::Control::sleep(&mut device)), unsupported);
    assert_eq!(now(asynch::Control::wake(&mut device)), unsupported);
}

#[test]
fn send_frame_default_sends_the_frame() {
    let mut device = Minimal::default();
    assert_eq!(EthernetDevice::send_frame(&mut device, &FRAME), Ok(()));
    assert_eq!(now(asynch::EthernetDevice::send_frame(&mut device, &FRAME)), Ok(()));
    assert_eq!(Transmit::send_frame(&mut device, &FRAME), Ok(()));
    assert_eq!(device.sent, [FRAME; 3]);
    device.refusals.push_back(ErrorKind::LinkDown);
    assert_eq!(
        EthernetDevice::send_frame(&mut device, &FRAME),
        Err(ErrorKind::LinkDown)
    );
}

#[test]
fn tx_max_frame_len_default_is_that_of_capabilities() {
    assert_eq!(Minimal::default().tx_max_frame_len(), MaxFrameLen::VLAN);
}

#[test]
fn recv_nothing_pending_waits_for_the_frame() {
    let mut device = Minimal::default();
    let mut buf = [0; 1514];
    assert_eq!(poll(asynch::EthernetDevice::recv(&mut device, &mut buf), 3).0, None);
    assert_eq!(device.waits, [Interest::RX]);

    device.arrivals.push_back(Some(FRAME.to_vec()));
    let (meta, polls) = poll(asynch::EthernetDevice::recv(&mut device, &mut buf), 3);
    assert_eq!((meta, polls), (Some(Ok(RxMeta::new(60))), 1));
    assert_eq!(buf[..60], FRAME);
}

#[test]
fn recv_ready_without_frame_yields() {
    let mut device = Minimal::default();
    device.arrivals.extend([None, None, Some(FRAME.to_vec())]);
    let mut buf = [0; 1514];
    let (meta, polls) = poll(asynch::EthernetDevice::recv(&mut device, &mut buf), 10);
    assert_eq!(meta, Some(Ok(RxMeta::new(60))));
    assert_eq!(polls, 3, "yielded after each wrong report but the first");
}

#[test]
fn send_busy_waits_for_capacity_or_link() {
    let mut device = Minimal::default();
    device.refusals.push_back(ErrorKind::Busy);
    device.arrivals.push_back(None);
    let (sent, polls) = poll(asynch::EthernetDevice::send(&mut device, &FRAME), 10);
    assert_eq!((sent, polls), (Some(Ok(())), 1));
    assert_eq!(device.sent, [FRAME]);
    let both = Interest {
        rx: false,
        tx: true,
        link: true,
    };
    assert_eq!(device.waits, [both]);
}

#[test]
fn send_busy_after_ready_yields() {
    let mut device = Minimal::default();
    device.refusals.extend([ErrorKind::Busy; 3]);
    device.arrivals.extend([None, None, None]);
    let (sent, polls) = poll(asynch::EthernetDevice::send(&mut device, &FRAME), 10);
    assert_eq!((sent, polls), (Some(Ok(())), 3));
    assert_eq!(device.sent, [FRAME]);
}

#[test]
fn send_other_error_returns_it() {
    let mut device = Minimal::default();
    device.refusals.push_back(ErrorKind::LinkDown);
    assert_eq!(
        now(asynch::EthernetDevice::send(&mut device, &FRAME)),
        Err(ErrorKind::LinkDown)
    );
    assert!(device.waits.is_empty() && device.sent.is_empty());
}

#[test]
fn closure_on_frame_is_called() {
    let mut device = Minimal::default();
    let mut seen = Vec::new();
    let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = ErrorKind>| {
        seen.push(frame.len());
        tx.send_frame(&frame).expect("a free queue");
    };
    let mut memory = FRAME;
    let frame = RxFrame::new(&mut memory, RxMeta::new(60)).expect("a frame");
    handler.on_frame(frame, &mut device);
    assert_eq!(seen, [60]);
    assert_eq!(device.sent, [FRAME]);
}

/// Halves of one receive and one transmit buffer.
struct Half {
    memory: [u8; 60],
    /// Length of the pending frame, or of the reservation.
    len: Option<usize>,
    /// Length of the memory that is reserved; `None` if no buffer is free.
    capacity: Option<usize>,
    stats: Stats,
}

impl Half {
    fn new(len: Option<usize>) -> Self {
        Self {
            memory: FRAME,
            len,
            capacity: Some(60),
            stats: Stats::ZERO,
        }
    }
}

impl RxHalf for &mut Half {
    type Error = ErrorKind;
    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, ErrorKind> {
        let meta = self.len.map(RxMeta::new);
        Ok(meta.and_then(|meta| RxFrame::new(&mut self.memory, meta)))
    }
    fn release(&mut self) -> Result<(), ErrorKind> {
        if let Some(len) = self.len.take() {
            count_release(&mut self.stats, len, true);
        }
        Ok(())
    }
    fn discard(&mut self) -> Result<(), ErrorKind> {
        if let Some(len) = self.len.take() {
            count_release(&mut self.stats, len, false);
        }
        Ok(())
    }
}

impl TxHalf for Half {
    type Error = ErrorKind;
    fn ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.capacity.is_some())
    }
    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, ErrorKind> {
        if len > 1514 {
            return Err(ErrorKind::FrameTooLong { max: 1514 });
        }
        Ok(self.capacity.map(|capacity| &mut self.memory[..capacity.min(len)]))
    }
    fn commit(&mut self, len: usize) -> Result<(), ErrorKind> {
        self.len = Some(len);
        Ok(())
    }
}

#[test]
fn pending_default_follows_peek() {
    assert_eq!(RxHalf::pending(&mut &mut Half::new(Some(60))), Ok(true));
    assert_eq!(RxHalf::pending(&mut &mut Half::new(None)), Ok(false));
}

#[test]
fn recv_by_copy_short_buffer_keeps_frame() {
    let mut half = Half::new(Some(20));
    let mut buf = [0; 60];
    assert_eq!(
        recv_by_copy(&mut half, &mut buf[..19]),
        Err(ErrorKind::BufferTooSmall { needed: 20 })
    );
    assert_eq!(recv_by_copy(&mut half, &mut buf), Ok(Some(RxMeta::new(20))));
    assert_eq!((&buf[..20], &buf[20..]), (&FRAME[..20], &[0; 40][..]));
    assert_eq!(recv_by_copy(&mut half, &mut buf), Ok(None));
    assert_eq!(
        (half.stats.rx_frames, half.stats.rx_bytes, half.stats.rx_discarded),
        (1, 20, 0)
    );
}

#[test]
fn discard_pending_frame_counts_it_once() {
    let mut half = Half::new(Some(20));
    assert_eq!(discard(&mut half), Ok(true));
    assert_eq!(discard(&mut half), Ok(false));
    assert_eq!(
        (half.stats.rx_frames, half.stats.rx_bytes, half.stats.rx_discarded),
        (0, 0, 1)
    );
}

#[test]
fn half_send_vectored_default_copies_and_commits() {
    let mut half = Half::new(None);
    assert_eq!(half.send_vectored(&[&[1; 14], &[], &[2; 6]]), Ok(()));
    assert_eq!(half.len, Some(20));
    assert_eq!(half.memory[..21], [[1; 14].as_slice(), &[2; 6], &[0x5a]].concat());
}

#[test]
fn half_send_vectored_default_refused_commits_nothing() {
    let mut half = Half::new(None);
    half.capacity = None;
    assert_eq!(half.send_vectored(&[&FRAME]), Err(ErrorKind::Busy));
    half.capacity = Some(59); // less than requested
    assert_eq!(half.send_vectored(&[&FRAME]), Err(ErrorKind::Busy));
    assert_eq!(
        half.send_vectored(&[&[0; 1515]]),
        Err(ErrorKind::FrameTooLong { max: 1514 })
    );
    assert_eq!(half.len, None);
}
