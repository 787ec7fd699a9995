//! What the checks see of a device, the same for all surfaces.

use ethdev::{
    CallbackDevice, Capabilities, Control, ControlError, Error, ErrorKind, ErrorType, EthernetDevice, Events,
    FilterOutcome, FrameHandler, Interest, LendingDevice, Link, MacAddress, Polled, Rearm, RearmOutcome, RxFilter,
    RxFrame, RxHalf, RxMeta, Stats, Transmit, TxHalf,
};
use ethdev_util::Callback;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::subject_async::Futures;

/// Errors reduced to kinds. Every error of a device passes here, so that one whose `Debug` panics is found too.
pub(super) fn kind<E: Error>(error: E) -> ErrorKind {
    let _ = format!("{error:?}");
    error.kind()
}

/// What a surface can and cannot show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Features {
    /// Cached values and counters are there.
    pub cached: bool,
    /// There is a `tx_ready` that answers for the link too.
    pub ready_knows_link: bool,
    /// The caller has a buffer of its own, can discard, and can ask for room.
    pub caller: bool,
}

impl Features {
    pub(super) const ALL: Self = Self {
        cached: true,
        ready_knows_link: true,
        caller: true,
    };
}

pub(super) type Rx<'a> = dyn RxHalf<Error = ErrorKind> + 'a;
pub(super) type Tx<'a> = dyn TxHalf<Error = ErrorKind> + 'a;
/// What is done with both halves.
type WithHalves<'a> = &'a mut dyn FnMut(&mut Rx<'_>, &mut Tx<'_>);
pub(super) type AnyControl<'a> = Box<dyn Control<Error = ErrorKind> + 'a>;
type AnyRearm<'a> = Box<dyn Rearm<Error = ErrorKind> + 'a>;
pub(super) type Callbacks = dyn CallbackDevice<'static, dyn FrameHandler + 'static, Error = ErrorKind>;

/// A device behind one of its surfaces. The pull methods are there for all; the rest only where the surface has it.
pub(super) trait Subject: EthernetDevice<Error = ErrorKind> {
    fn features(&self) -> Features {
        Features::ALL
    }

    fn control(&mut self) -> Option<AnyControl<'_>> {
        None
    }

    fn rearm(&mut self) -> Option<AnyRearm<'_>> {
        None
    }

    /// Calls `f` with both halves. Does nothing where there are none.
    fn halves(&mut self, f: WithHalves<'_>) {
        let _ = f;
    }

    /// The pull surface of a lending device, beside its halves.
    fn pull(&mut self) -> Option<Box<dyn EthernetDevice<Error = ErrorKind> + '_>> {
        None
    }

    fn callbacks(&mut self) -> Option<&mut Callbacks> {
        None
    }

    fn futures(&mut self) -> Option<&mut dyn Futures> {
        None
    }
}

/// The cached methods of `$place`.
macro_rules! cached {
    (|$this:ident| $place:expr) => {
        fn mac_address(&self) -> MacAddress {
            let $this = self;
            $place.mac_address()
        }

        fn capabilities(&self) -> Capabilities {
            let $this = self;
            $place.capabilities()
        }

        fn link(&self) -> Link {
            let $this = self;
            $place.link()
        }

        fn stats(&self) -> Stats {
            let $this = self;
            $place.stats()
        }
    };
}
pub(super) use cached;

/// A device itself, or a layer around it, asked by the pull surface.
pub(super) struct Pulled<D> {
    device: D,
    hooks: Hooks<D>,
}

/// Erased access to the optional traits of `D`.
struct Hooks<D> {
    control: Option<fn(&mut D) -> AnyControl<'_>>,
    rearm: Option<fn(&mut D) -> AnyRearm<'_>>,
    halves: Option<fn(&mut D, WithHalves<'_>)>,
}

impl<D: EthernetDevice> Pulled<D> {
    pub(super) const fn new(device: D) -> Self {
        Self {
            device,
            hooks: Hooks {
                control: None,
                rearm: None,
                halves: None,
            },
        }
    }

    pub(super) fn with_control(mut self) -> Self
    where
        D: Control,
    {
        self.hooks.control = Some(|device| Box::new(Kinded(device)));
        self
    }

    pub(super) fn with_rearm(mut self) -> Self
    where
        D: Rearm,
    {
        self.hooks.rearm = Some(|device| Box::new(Kinded(device)));
        self
    }

    /// Frames that are lent are pulled, managed and told of like any other.
    pub(super) fn with_halves(mut self) -> Self
    where
        D: LendingDevice,
    {
        self.hooks.halves = Some(|device, f| {
            let (rx, tx) = device.split();
            f(&mut Kinded(rx), &mut Kinded(tx));
        });
        self
    }
}

impl<D: EthernetDevice> ErrorType for Pulled<D> {
    type Error = ErrorKind;
}

impl<D: EthernetDevice> EthernetDevice for Pulled<D> {
    cached!(|this| this.device);

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        self.device.recv_frame(buf).map_err(kind)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        self.device.tx_ready().map_err(kind)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        self.device.send_vectored(parts).map_err(kind)
    }

    fn send_frame(&mut self, frame: &[u8]) -> Result<(), ErrorKind> {
        self.device.send_frame(frame).map_err(kind)
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        self.device.discard_frame().map_err(kind)
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        self.device.service().map_err(kind)
    }
}

impl<D: EthernetDevice> Subject for Pulled<D> {
    fn control(&mut self) -> Option<AnyControl<'_>> {
        self.hooks.control.map(|hook| hook(&mut self.device))
    }

    fn rearm(&mut self) -> Option<AnyRearm<'_>> {
        self.hooks.rearm.map(|hook| hook(&mut self.device))
    }

    fn halves(&mut self, f: WithHalves<'_>) {
        if let Some(hook) = self.hooks.halves {
            hook(&mut self.device, f);
        }
    }
}

/// A trait object's view of a device or of a half: errors as kinds.
struct Kinded<T>(T);

impl<T> ErrorType for Kinded<T> {
    type Error = ErrorKind;
}

impl<D: Rearm> Rearm for Kinded<&mut D> {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        self.0.disarm().map_err(kind)
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, ErrorKind> {
        self.0.rearm(interest).map_err(kind)
    }
}

impl<D: Control> Control for Kinded<&mut D> {
    fn start(&mut self) -> Result<(), ControlError<ErrorKind>> {
        self.0.start().map_err(|e| e.map(kind))
    }

    fn stop(&mut self) -> Result<(), ControlError<ErrorKind>> {
        self.0.stop().map_err(|e| e.map(kind))
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<ErrorKind>> {
        self.0.set_mac_address(address).map_err(|e| e.map(kind))
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<ErrorKind>> {
        self.0.set_rx_filter(filter).map_err(|e| e.map(kind))
    }

    fn recover(&mut self) -> Result<(), ControlError<ErrorKind>> {
        self.0.recover().map_err(|e| e.map(kind))
    }

    fn sleep(&mut self) -> Result<(), ControlError<ErrorKind>> {
        self.0.sleep().map_err(|e| e.map(kind))
    }

    fn wake(&mut self) -> Result<(), ControlError<ErrorKind>> {
        self.0.wake().map_err(|e| e.map(kind))
    }
}

impl<R: RxHalf> RxHalf for Kinded<R> {
    type Error = ErrorKind;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, ErrorKind> {
        self.0.peek().map_err(kind)
    }

    fn release(&mut self) -> Result<(), ErrorKind> {
        self.0.release().map_err(kind)
    }

    fn discard(&mut self) -> Result<(), ErrorKind> {
        self.0.discard().map_err(kind)
    }
}

impl<T: TxHalf> TxHalf for Kinded<T> {
    type Error = ErrorKind;

    fn ready(&mut self) -> Result<bool, ErrorKind> {
        self.0.ready().map_err(kind)
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, ErrorKind> {
        self.0.reserve(len).map_err(kind)
    }

    fn commit(&mut self, len: usize) -> Result<(), ErrorKind> {
        self.0.commit(len).map_err(kind)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<bool, ErrorKind> {
        self.0.send_vectored(parts).map_err(kind)
    }
}

/// A lending device, asked through its halves: frames lent and copied, memory reserved, filled and committed.
pub(super) struct Lent<D>(pub D);

impl<D: LendingDevice> ErrorType for Lent<D> {
    type Error = ErrorKind;
}

impl<D: LendingDevice> EthernetDevice for Lent<D> {
    cached!(|this| this.0);

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        ethdev::lending::recv_by_copy(Kinded(self.0.split().0), buf, |needed| ErrorKind::BufferTooSmall {
            needed,
        })
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        ethdev::lending::discard(Kinded(self.0.split().0))
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        self.0.split().1.ready().map_err(kind)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        ethdev::lending::send_by_copy(Kinded(self.0.split().1), parts, || ErrorKind::Busy)
    }

    /// The other way to send: into lent memory.
    fn send_frame(&mut self, frame: &[u8]) -> Result<(), ErrorKind> {
        let mut tx = Kinded(self.0.split().1);
        let Some(memory) = tx.reserve(frame.len())? else {
            return Err(ErrorKind::Busy);
        };
        // Too little memory is what the check of the halves reports; here it is a panic that names the place.
        memory[..frame.len()].copy_from_slice(frame);
        tx.commit(frame.len())
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        self.0.service().map_err(kind)
    }
}

impl<D: LendingDevice> Subject for Lent<D> {
    fn features(&self) -> Features {
        Features {
            ready_knows_link: false,
            ..Features::ALL
        }
    }

    fn halves(&mut self, f: WithHalves<'_>) {
        let (rx, tx) = self.0.split();
        f(&mut Kinded(rx), &mut Kinded(tx));
    }

    fn pull(&mut self) -> Option<Box<dyn EthernetDevice<Error = ErrorKind> + '_>> {
        Some(Box::new(Pulled::new(&mut self.0)))
    }
}

/// Takes what a callback surface delivers.
struct Collector(Rc<RefCell<VecDeque<Vec<u8>>>>);

impl FrameHandler for Collector {
    fn on_frame(&mut self, frame: RxFrame<'_>, _: &mut dyn Transmit) {
        self.0.borrow_mut().push_back(frame.to_vec());
    }
}

/// A device that delivers into a handler. Frames are asked for one `poll(1)` at a time.
pub(super) struct Called<C> {
    device: C,
    collector: Option<&'static mut dyn FrameHandler>,
    frames: Rc<RefCell<VecDeque<Vec<u8>>>>,
    /// What was told while a frame was asked for, and is still to be passed on.
    told: Events,
}

/// What a callback surface has besides that trait.
pub(super) trait Around {
    fn features(&self) -> Features;
    fn cached(&self) -> (MacAddress, Capabilities, Link, Stats);
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind>;
}

impl<D: EthernetDevice> Around for Callback<'static, D> {
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

/// A driver's own callback device, of which nothing else is known.
pub(super) struct Bare<C>(pub C);

impl<C: ErrorType> ErrorType for Bare<C> {
    type Error = C::Error;
}

impl<C: CallbackDevice<'static>> CallbackDevice<'static> for Bare<C> {
    fn set_handler(&mut self, handler: &'static mut dyn FrameHandler) -> Option<&'static mut dyn FrameHandler> {
        self.0.set_handler(handler)
    }

    fn clear_handler(&mut self) -> Option<&'static mut dyn FrameHandler> {
        self.0.clear_handler()
    }

    fn poll(&mut self, budget: usize) -> Result<Polled, C::Error> {
        self.0.poll(budget)
    }
}

impl<C> Around for Bare<C> {
    fn features(&self) -> Features {
        Features {
            cached: false,
            ready_knows_link: false,
            caller: false,
        }
    }

    fn cached(&self) -> (MacAddress, Capabilities, Link, Stats) {
        // Frames for everybody reach a device whose address is not known.
        (
            MacAddress::BROADCAST,
            Capabilities::ETHERNET.with_queue_frames(4, 4),
            Link::UP,
            Stats::ZERO,
        )
    }

    fn send_vectored(&mut self, _: &[&[u8]]) -> Result<(), ErrorKind> {
        Err(ErrorKind::Unsupported)
    }
}

impl<C> Called<C> {
    /// Leaks a few bytes: a handler has to outlive every device that it may be given to.
    pub(super) fn new(device: C) -> Self {
        let frames = Rc::default();
        let collector = Box::leak(Box::new(Collector(Rc::clone(&frames))));
        Self {
            device,
            collector: Some(collector),
            frames,
            told: Events::NONE,
        }
    }
}

impl<C> ErrorType for Called<C> {
    type Error = ErrorKind;
}

impl<C: Around + CallbackDevice<'static>> EthernetDevice for Called<C> {
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
                self.device.set_handler(collector);
            }
            let polled = self.device.poll(1);
            self.collector = self.device.clear_handler();
            let events = polled.map_err(kind)?.events;
            self.told.rx_dropped |= events.rx_dropped;
            self.told.tx_completed += events.tx_completed;
            self.told.tx_failed += events.tx_failed;
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
        Around::send_vectored(&mut self.device, parts)
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        let events = self.device.poll(0).map_err(kind)?.events;
        Ok(events.merge(std::mem::take(&mut self.told)))
    }
}

impl<C: Around + CallbackDevice<'static> + 'static> Subject for Called<C> {
    fn features(&self) -> Features {
        self.device.features()
    }

    fn callbacks(&mut self) -> Option<&mut Callbacks> {
        Some(self)
    }
}

impl<C: CallbackDevice<'static>> CallbackDevice<'static> for Called<C> {
    fn set_handler(&mut self, handler: &'static mut dyn FrameHandler) -> Option<&'static mut dyn FrameHandler> {
        self.device.set_handler(handler)
    }

    fn clear_handler(&mut self) -> Option<&'static mut dyn FrameHandler> {
        self.device.clear_handler()
    }

    fn poll(&mut self, budget: usize) -> Result<Polled, ErrorKind> {
        self.device.poll(budget).map_err(kind)
    }
}
