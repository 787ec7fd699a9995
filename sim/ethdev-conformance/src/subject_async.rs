//! The async surface, and an executor that is as strict as one can be: it polls only what was woken.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ethdev::asynch;
use ethdev::{
    Capabilities, Control, ControlError, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link,
    MacAddress, RxFilter, RxMeta, Stats,
};
use ethdev_util::asynch as util_asynch;

use super::bench::Stop;
use super::fixture::LinkPeer;
use super::line;
use super::subject::{AnyControl, Subject, cached, kind};

/// How much simulated time a future may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much passes between two polls.
const STEP: Duration = Duration::from_micros(100);
/// How often a future may be polled without any time passing: one that wakes itself again and again.
const SPINS: usize = 10;

pub(super) type Pending<'s, T> = Pin<Box<dyn Future<Output = Result<T, ErrorKind>> + 's>>;

/// The async methods, as boxed futures. The device's own are called at once, so that what one does before it is polled is seen.
pub(super) trait Futures {
    fn recv_frame<'s>(&'s mut self, buf: &'s mut [u8]) -> Pending<'s, Option<RxMeta>>;
    fn send_frame<'s>(&'s mut self, frame: &'s [u8]) -> Pending<'s, ()>;
    fn ready(&mut self, interest: Interest) -> Pending<'_, Interest>;
    fn recv<'s>(&'s mut self, buf: &'s mut [u8]) -> Pending<'s, RxMeta>;
    fn send<'s>(&'s mut self, frame: &'s [u8]) -> Pending<'s, ()>;
}

/// Whether a future was woken.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// An executor for one future: polls it once, and then only when it was woken.
pub(super) struct Driver<'a> {
    far: &'a RefCell<dyn LinkPeer>,
    woken: Arc<Woken>,
    waker: Waker,
}

impl<'a> Driver<'a> {
    pub(super) fn new(far: &'a RefCell<dyn LinkPeer>) -> Self {
        // The first poll is due without a wake.
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self {
            far,
            waker: Waker::from(Arc::clone(&woken)),
            woken,
        }
    }

    /// Polls whenever it is due, lets time pass whenever it is not, and gives up after `limit`. Can be called again for the same future.
    pub(super) fn drive<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let (mut passed, mut spins) = (Duration::ZERO, 0);
        loop {
            if spins < SPINS && self.woken.0.swap(false, Ordering::AcqRel) {
                spins += 1;
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&self.waker)) {
                    return Some(output);
                }
            } else if passed >= limit {
                return None;
            } else {
                self.far.borrow_mut().advance(STEP);
                passed += STEP;
                spins = 0;
            }
        }
    }
}

/// [`Driver::drive`] for a future that is driven once.
pub(super) fn drive<T>(far: &RefCell<dyn LinkPeer>, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    Driver::new(far).drive(limit, future)
}

/// [`drive`] for what the contract says completes by itself. Where it does not, the check ends as failed.
fn block_on<T>(far: &RefCell<dyn LinkPeer>, what: &str, future: impl Future<Output = T>) -> T {
    drive(far, PATIENCE, future).unwrap_or_else(|| {
        // Not a panic of the device: no message is to be printed.
        std::panic::resume_unwind(Box::new(Stop::Fail {
            line: line::DEVICE_8,
            reason: format!(
                "the future of {what} did not complete, or was not woken, within {} s",
                PATIENCE.as_secs()
            ),
        }))
    })
}

/// An async device, each call driven to its end.
pub(super) struct Awaited<'a, A> {
    device: A,
    far: &'a RefCell<dyn LinkPeer>,
    control: Option<Hook<A>>,
}

type Hook<A> = for<'x> fn(&'x mut A, &'x RefCell<dyn LinkPeer>) -> AnyControl<'x>;

impl<'a, A: asynch::EthernetDevice> Awaited<'a, A> {
    pub(super) const fn new(device: A, far: &'a RefCell<dyn LinkPeer>) -> Self {
        Self {
            device,
            far,
            control: None,
        }
    }

    pub(super) fn with_control(mut self) -> Self
    where
        A: asynch::Control,
    {
        self.control = Some(|device, far| Box::new(Managed { device, far }));
        self
    }
}

impl<A> ErrorType for Awaited<'_, A> {
    type Error = ErrorKind;
}

impl<A: asynch::EthernetDevice> EthernetDevice for Awaited<'_, A> {
    cached!(|this| this.device);

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        block_on(self.far, "recv_frame", self.device.recv_frame(buf)).map_err(kind)
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        block_on(self.far, "discard_frame", self.device.discard_frame()).map_err(kind)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        block_on(self.far, "tx_ready", self.device.tx_ready()).map_err(kind)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        block_on(self.far, "send_vectored", self.device.send_vectored(parts)).map_err(kind)
    }

    fn send_frame(&mut self, frame: &[u8]) -> Result<(), ErrorKind> {
        block_on(self.far, "send_frame", self.device.send_frame(frame)).map_err(kind)
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        block_on(self.far, "service", self.device.service()).map_err(kind)
    }
}

impl<A: asynch::EthernetDevice> Subject for Awaited<'_, A> {
    fn control(&mut self) -> Option<AnyControl<'_>> {
        self.control.map(|hook| hook(&mut self.device, self.far))
    }

    fn futures(&mut self) -> Option<&mut dyn Futures> {
        Some(self)
    }
}

impl<A: asynch::EthernetDevice> Futures for Awaited<'_, A> {
    fn recv_frame<'s>(&'s mut self, buf: &'s mut [u8]) -> Pending<'s, Option<RxMeta>> {
        let future = self.device.recv_frame(buf);
        Box::pin(async move { future.await.map_err(kind) })
    }

    fn send_frame<'s>(&'s mut self, frame: &'s [u8]) -> Pending<'s, ()> {
        let future = self.device.send_frame(frame);
        Box::pin(async move { future.await.map_err(kind) })
    }

    fn ready(&mut self, interest: Interest) -> Pending<'_, Interest> {
        let future = self.device.ready(interest);
        Box::pin(async move { future.await.map_err(kind) })
    }

    fn recv<'s>(&'s mut self, buf: &'s mut [u8]) -> Pending<'s, RxMeta> {
        let future = self.device.recv(buf);
        Box::pin(async move { future.await.map_err(kind) })
    }

    fn send<'s>(&'s mut self, frame: &'s [u8]) -> Pending<'s, ()> {
        let future = self.device.send(frame);
        Box::pin(async move { future.await.map_err(kind) })
    }
}

/// The management of an async device, each call driven to its end.
struct Managed<'x, A> {
    device: &'x mut A,
    far: &'x RefCell<dyn LinkPeer>,
}

impl<A> ErrorType for Managed<'_, A> {
    type Error = ErrorKind;
}

impl<A: asynch::Control> Control for Managed<'_, A> {
    fn start(&mut self) -> Result<(), ControlError<ErrorKind>> {
        block_on(self.far, "start", self.device.start()).map_err(|e| e.map(kind))
    }

    fn stop(&mut self) -> Result<(), ControlError<ErrorKind>> {
        block_on(self.far, "stop", self.device.stop()).map_err(|e| e.map(kind))
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<ErrorKind>> {
        block_on(self.far, "set_mac_address", self.device.set_mac_address(address)).map_err(|e| e.map(kind))
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<ErrorKind>> {
        block_on(self.far, "set_rx_filter", self.device.set_rx_filter(filter)).map_err(|e| e.map(kind))
    }

    fn recover(&mut self) -> Result<(), ControlError<ErrorKind>> {
        block_on(self.far, "recover", self.device.recover()).map_err(|e| e.map(kind))
    }

    fn sleep(&mut self) -> Result<(), ControlError<ErrorKind>> {
        block_on(self.far, "sleep", self.device.sleep()).map_err(|e| e.map(kind))
    }

    fn wake(&mut self) -> Result<(), ControlError<ErrorKind>> {
        block_on(self.far, "wake", self.device.wake()).map_err(|e| e.map(kind))
    }
}

/// Looks at a blocking device at every turn of the executor: for devices without an interrupt line.
pub(super) struct EachTurn;

impl<D: EthernetDevice> util_asynch::Wake<D> for EachTurn {
    fn prepare(&mut self, _: &mut D) -> Result<(), D::Error> {
        Ok(())
    }

    async fn wait(&mut self, _: &mut D, _: Interest) -> Result<(), D::Error> {
        let mut turned = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut turned, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        Ok(())
    }
}
