//! A device under test behind the callback API.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use ethdev::{
    CallbackDevice, Capabilities, Error, ErrorKind, ErrorType, EthernetDevice, Events, FrameHandler, Link, MacAddress,
    Polled, RxFrame, RxMeta, Stats, Transmit,
};
use ethdev_util::Callback;

use super::dut::{Callbacks, Dut, Features, Handler, kind};
use super::outcome::{CheckError, raise};
use super::requirement;
use super::watchdog;

/// Holds a handler of the checks while the device uses it.
type HandlerSlot = Rc<RefCell<Option<Handler>>>;

/// A handler for a device with any error that calls one of the checks' handlers.
struct Adapter(HandlerSlot);

impl<E: Error> FrameHandler<E> for Adapter {
    fn on_frame(&mut self, frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = E>) {
        if let Some(handler) = &mut *self.0.borrow_mut() {
            handler.on_frame(frame, &mut KindTransmit(tx));
        }
    }
}

/// The transmit handle of a handler: errors as kinds.
struct KindTransmit<'a, E>(&'a mut dyn Transmit<Error = E>);

impl<E: Error> Transmit for KindTransmit<'_, E> {
    type Error = ErrorKind;

    fn mac_address(&self) -> MacAddress {
        self.0.mac_address()
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        self.0.send_vectored(parts).map_err(kind)
    }

    fn send_frame(&mut self, frame: &[u8]) -> Result<(), ErrorKind> {
        self.0.send_frame(frame).map_err(kind)
    }
}

/// Stores the frames that a callback API delivers.
struct Collector(Rc<RefCell<VecDeque<Vec<u8>>>>);

impl FrameHandler<ErrorKind> for Collector {
    fn on_frame(&mut self, frame: RxFrame<'_>, _: &mut dyn Transmit<Error = ErrorKind>) {
        self.0.borrow_mut().push_back(frame.to_vec());
    }
}

/// A device that delivers to a handler. Each `recv_frame` is one `poll(1)`.
pub(super) struct CallbackDut<C> {
    device: C,
    /// The handlers that were set, by the addresses of their adapters.
    slots: Vec<(*const (), HandlerSlot)>,
    collector: Option<Handler>,
    frames: Rc<RefCell<VecDeque<Vec<u8>>>>,
    /// Events of `poll` that the next `service` reports.
    reported: Events,
    /// The link as of the last `poll`; `None` if it failed.
    polled_link: Option<Link>,
    /// Whether the last `poll` did not report that the link is another one than `polled_link`.
    late_change: bool,
    /// The link as of the last `service`.
    serviced_link: Link,
}

/// The parts of a callback API besides the trait.
pub(super) trait CallbackExtras {
    fn features(&self) -> Features;
    fn cached(&self) -> (MacAddress, Capabilities, Link, Stats);
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind>;
}

impl<D: EthernetDevice> CallbackExtras for Callback<'static, D> {
    fn features(&self) -> Features {
        Features {
            ready_knows_link: false,
            caller: false,
            ..Features::ALL
        }
    }

    fn cached(&self) -> (MacAddress, Capabilities, Link, Stats) {
        (self.mac_address(), self.capabilities(), self.link(), self.stats())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        self.send_vectored(parts).map_err(kind)
    }
}

/// A handler of such a device.
type OwnHandler<C> = &'static mut dyn FrameHandler<<C as ErrorType>::Error>;

/// A driver's own callback device, without other APIs.
pub(super) struct CallbackOnly<C>(pub C);

impl<C: ErrorType> ErrorType for CallbackOnly<C> {
    type Error = C::Error;
}

impl<C: CallbackDevice<'static, dyn FrameHandler<<C as ErrorType>::Error> + 'static> + 'static>
    CallbackDevice<'static, dyn FrameHandler<C::Error> + 'static> for CallbackOnly<C>
{
    fn set_handler(&mut self, handler: OwnHandler<C>) -> Option<OwnHandler<C>> {
        self.0.set_handler(handler)
    }

    fn clear_handler(&mut self) -> Option<OwnHandler<C>> {
        self.0.clear_handler()
    }

    fn poll(&mut self, budget: usize) -> Result<Polled, C::Error> {
        watchdog::calling("poll");
        self.0.poll(budget)
    }
}

impl<C> CallbackExtras for CallbackOnly<C> {
    fn features(&self) -> Features {
        Features {
            cached: false,
            ready_knows_link: false,
            caller: false,
        }
    }

    fn cached(&self) -> (MacAddress, Capabilities, Link, Stats) {
        // The address is unknown: broadcast frames reach the device.
        (
            MacAddress::BROADCAST,
            Capabilities::ETHERNET.with_queue_frames(Some(4), Some(4)),
            Link::UP,
            Stats::ZERO,
        )
    }

    fn send_vectored(&mut self, _: &[&[u8]]) -> Result<(), ErrorKind> {
        Err(ErrorKind::Unsupported)
    }
}

impl<C: CallbackExtras> CallbackDut<C> {
    /// Leaks a few bytes: a handler must outlive every device that has it.
    pub(super) fn new(device: C) -> Self {
        let frames = Rc::default();
        let collector = Box::leak(Box::new(Collector(Rc::clone(&frames))));
        let link = device.cached().2;
        Self {
            polled_link: Some(link),
            late_change: false,
            serviced_link: link,
            device,
            slots: vec![],
            collector: Some(collector),
            frames,
            reported: Events::NONE,
        }
    }
}

impl<C: CallbackDevice<'static, dyn FrameHandler<<C as ErrorType>::Error> + 'static> + 'static> CallbackDut<C> {
    /// Notes the events of one `poll` for the next `service`. A `poll` reports a change of the link
    /// since the last one.
    fn note(&mut self, polled: Result<Polled, C::Error>) -> Result<Events, ErrorKind>
    where
        C: CallbackExtras,
    {
        let last = self.polled_link.take();
        let late = std::mem::take(&mut self.late_change);
        let events = polled.map_err(kind)?.events;
        let link = self.device.cached().2;
        self.polled_link = Some(link);
        match last {
            Some(last) if events.link_changed != (link != last) && self.device.features().cached => {
                // The device may see the change while it delivers frames, after its housekeeping: the
                // next poll reports it.
                if late || events.link_changed {
                    raise::<()>(Err(CheckError::Fail {
                        requirement: requirement::EVENTS,
                        reason: format!(
                            "link {last} at the last poll, now {link}: found link_changed = {}",
                            events.link_changed
                        ),
                    }));
                }
                (self.polled_link, self.late_change) = (Some(last), true);
            }
            _ => {}
        }
        self.reported.rx_dropped |= events.rx_dropped;
        self.reported.recovered |= events.recovered;
        self.reported.tx_completed += events.tx_completed;
        self.reported.tx_failed += events.tx_failed;
        Ok(events)
    }

    /// A handler for the device that calls `handler`.
    fn adapt(&mut self, handler: Handler) -> OwnHandler<C> {
        let slot = Rc::new(RefCell::new(Some(handler)));
        let adapter = Box::leak(Box::new(Adapter(Rc::clone(&slot))));
        self.slots.push((std::ptr::from_ref(adapter).cast(), slot));
        adapter
    }

    /// The handler that `adapter` calls.
    fn unadapt(&self, adapter: OwnHandler<C>) -> Handler {
        let address: *const () = std::ptr::from_mut(adapter).cast_const().cast();
        let slot = self.slots.iter().find(|(of, _)| *of == address);
        slot.and_then(|(_, slot)| slot.borrow_mut().take()).unwrap_or_else(|| {
            raise(Err(CheckError::Fail {
                requirement: requirement::CALLBACK_2,
                reason: "expected the handler that was set, found another one".into(),
            }))
        })
    }
}

impl<C> ErrorType for CallbackDut<C> {
    type Error = ErrorKind;
}

impl<C: CallbackExtras + CallbackDevice<'static, dyn FrameHandler<<C as ErrorType>::Error> + 'static> + 'static>
    EthernetDevice for CallbackDut<C>
{
    fn mac_address(&self) -> MacAddress {
        self.device.cached().0
    }

    fn capabilities(&self) -> Capabilities {
        self.device.cached().1
    }

    fn link(&self) -> Link {
        self.device.cached().2
    }

    fn stats(&self) -> Stats {
        self.device.cached().3
    }

    /// `buf` has to be long enough: a handler gets the whole frame.
    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        if self.frames.borrow().is_empty() {
            if let Some(collector) = self.collector.take() {
                self.set_handler(collector);
            }
            let polled = self.device.poll(1);
            self.collector = self.clear_handler();
            self.note(polled)?;
        }
        let frame = self.frames.borrow_mut().pop_front();
        Ok(frame.map(|frame| {
            buf[..frame.len()].copy_from_slice(&frame);
            RxMeta::new(frame.len())
        }))
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        Err(ErrorKind::Unsupported)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        Err(ErrorKind::Unsupported)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        CallbackExtras::send_vectored(&mut self.device, parts)
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        let polled = self.device.poll(0);
        let mut events = self.note(polled)?;
        let link = self.link();
        events.link_changed = link != self.serviced_link;
        self.serviced_link = link;
        // Of this poll and of those before it.
        let reported = std::mem::take(&mut self.reported);
        events.rx_dropped = reported.rx_dropped;
        events.recovered = reported.recovered;
        (events.tx_completed, events.tx_failed) = (reported.tx_completed, reported.tx_failed);
        Ok(events)
    }
}

impl<C: CallbackExtras + CallbackDevice<'static, dyn FrameHandler<<C as ErrorType>::Error> + 'static> + 'static> Dut
    for CallbackDut<C>
{
    fn features(&self) -> Features {
        self.device.features()
    }

    fn kind_of_error_from(&self, from: ErrorKind) -> ErrorKind {
        kind(C::Error::from(from))
    }

    fn callbacks(&mut self) -> Option<&mut dyn Callbacks> {
        Some(self)
    }
}

impl<C: CallbackExtras + CallbackDevice<'static, dyn FrameHandler<<C as ErrorType>::Error> + 'static> + 'static>
    Callbacks for CallbackDut<C>
{
    fn set_handler(&mut self, handler: Handler) -> Option<Handler> {
        let adapter = self.adapt(handler);
        let former = self.device.set_handler(adapter);
        former.map(|former| self.unadapt(former))
    }

    fn clear_handler(&mut self) -> Option<Handler> {
        let former = self.device.clear_handler();
        former.map(|former| self.unadapt(former))
    }

    fn poll(&mut self, budget: usize) -> Result<Polled, ErrorKind> {
        watchdog::calling("poll");
        let polled = self.device.poll(budget).map_err(kind);
        // The check has the events.
        let link = self.device.cached().2;
        self.polled_link = polled.is_ok().then_some(link);
        self.serviced_link = link;
        polled
    }
}
