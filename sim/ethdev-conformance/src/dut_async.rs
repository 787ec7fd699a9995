//! A device under test behind the async API.

use std::cell::RefCell;
use std::future::Future;

use ethdev::asynch;
use ethdev::{
    Capabilities, Control, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link, MacAddress,
    PollReady, RxFilter, RxMeta, Stats,
};
use ethdev_util::asynch as util_asynch;

use super::control_call::ControlCall;
use super::dut::{AnyControl, Dut, Futures, Pending, kind};
use super::executor::block_on;
use super::fixture::LinkPeer;
use super::watchdog;

/// An async device, each call driven to its end.
pub(super) struct AsyncDut<'a, A> {
    device: A,
    peer: &'a RefCell<dyn LinkPeer>,
    control: Option<Hook<A>>,
    control_future: Option<FutureHook<A>>,
}

type FutureHook<A> = for<'x> fn(&'x mut A, ControlCall) -> Pending<'x, FilterOutcome>;
type Hook<A> = for<'x> fn(&'x mut A, &'x RefCell<dyn LinkPeer>) -> AnyControl<'x>;

impl<'a, A: asynch::EthernetDevice> AsyncDut<'a, A> {
    pub(super) const fn new(device: A, peer: &'a RefCell<dyn LinkPeer>) -> Self {
        Self {
            device,
            peer,
            control: None,
            control_future: None,
        }
    }

    pub(super) fn with_control(mut self) -> Self
    where
        A: asynch::Control,
    {
        self.control = Some(|device, peer| Box::new(Managed { device, peer }));
        self.control_future = Some(|device, call| {
            watched(call.name(), async move {
                match call {
                    ControlCall::Start => device.start().await,
                    ControlCall::Stop => device.stop().await,
                    ControlCall::Sleep => device.sleep().await,
                    ControlCall::Wake => device.wake().await,
                    ControlCall::Recover => device.recover().await,
                    ControlCall::SetMacAddress(address) => device.set_mac_address(address).await,
                    ControlCall::SetRxFilter(filter) => return device.set_rx_filter(filter).await,
                }
                .map(|()| FilterOutcome::Superset)
            })
        });
        self
    }
}

impl<A> ErrorType for AsyncDut<'_, A> {
    type Error = ErrorKind;
}

impl<A: asynch::EthernetDevice> EthernetDevice for AsyncDut<'_, A> {
    fn mac_address(&self) -> MacAddress {
        self.device.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    fn link(&self) -> Link {
        self.device.link()
    }

    fn stats(&self) -> Stats {
        self.device.stats()
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        block_on(self.peer, "recv_frame", self.device.recv_frame(buf)).map_err(kind)
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        block_on(self.peer, "discard_frame", self.device.discard_frame()).map_err(kind)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        block_on(self.peer, "tx_ready", self.device.tx_ready()).map_err(kind)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        block_on(self.peer, "send_vectored", self.device.send_vectored(parts)).map_err(kind)
    }

    fn send_frame(&mut self, frame: &[u8]) -> Result<(), ErrorKind> {
        block_on(self.peer, "send_frame", self.device.send_frame(frame)).map_err(kind)
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        block_on(self.peer, "service", self.device.service()).map_err(kind)
    }
}

impl<A: asynch::EthernetDevice> Dut for AsyncDut<'_, A> {
    fn kind_of_error_from(&self, from: ErrorKind) -> ErrorKind {
        kind(A::Error::from(from))
    }

    fn control(&mut self) -> Option<AnyControl<'_>> {
        self.control.map(|hook| hook(&mut self.device, self.peer))
    }

    fn futures(&mut self) -> Option<&mut dyn Futures> {
        Some(self)
    }
}

impl<A: asynch::EthernetDevice> Futures for AsyncDut<'_, A> {
    fn recv_frame<'s>(&'s mut self, buf: &'s mut [u8]) -> Pending<'s, Option<RxMeta>> {
        let future = self.device.recv_frame(buf);
        watched("recv_frame", future)
    }

    fn send_frame<'s>(&'s mut self, frame: &'s [u8]) -> Pending<'s, ()> {
        let future = self.device.send_frame(frame);
        watched("send_frame", future)
    }

    fn discard_frame(&mut self) -> Pending<'_, bool> {
        watched("discard_frame", self.device.discard_frame())
    }

    fn tx_ready(&mut self) -> Pending<'_, bool> {
        watched("tx_ready", self.device.tx_ready())
    }

    fn service(&mut self) -> Pending<'_, Events> {
        watched("service", self.device.service())
    }

    fn control(&mut self, call: ControlCall) -> Option<Pending<'_, FilterOutcome>> {
        self.control_future.map(|hook| hook(&mut self.device, call))
    }

    fn ready(&mut self, interest: Interest) -> Pending<'_, Interest> {
        let future = self.device.ready(interest);
        watched("ready", future)
    }

    fn recv<'s>(&'s mut self, buf: &'s mut [u8]) -> Pending<'s, RxMeta> {
        let future = self.device.recv(buf);
        watched("recv", future)
    }

    fn send<'s>(&'s mut self, frame: &'s [u8]) -> Pending<'s, ()> {
        let future = self.device.send(frame);
        watched("send", future)
    }
}

/// A future of the driver, for the checks.
fn watched<'s, T: 's, E: ethdev::Error>(
    what: &'static str,
    future: impl Future<Output = Result<T, E>> + 's,
) -> Pending<'s, T> {
    let mut future = Box::pin(future);
    Box::pin(std::future::poll_fn(move |cx| {
        watchdog::calling(what);
        future.as_mut().poll(cx).map_err(kind)
    }))
}

/// The management of an async device, each call driven to its end.
struct Managed<'x, A> {
    device: &'x mut A,
    peer: &'x RefCell<dyn LinkPeer>,
}

impl<A> ErrorType for Managed<'_, A> {
    type Error = ErrorKind;
}

impl<A: asynch::Control> Control for Managed<'_, A> {
    fn start(&mut self) -> Result<(), ErrorKind> {
        block_on(self.peer, "start", self.device.start()).map_err(kind)
    }

    fn stop(&mut self) -> Result<(), ErrorKind> {
        block_on(self.peer, "stop", self.device.stop()).map_err(kind)
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ErrorKind> {
        block_on(self.peer, "set_mac_address", self.device.set_mac_address(address)).map_err(kind)
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ErrorKind> {
        block_on(self.peer, "set_rx_filter", self.device.set_rx_filter(filter)).map_err(kind)
    }

    fn recover(&mut self) -> Result<(), ErrorKind> {
        block_on(self.peer, "recover", self.device.recover()).map_err(kind)
    }

    fn sleep(&mut self) -> Result<(), ErrorKind> {
        block_on(self.peer, "sleep", self.device.sleep()).map_err(kind)
    }

    fn wake(&mut self) -> Result<(), ErrorKind> {
        block_on(self.peer, "wake", self.device.wake()).map_err(kind)
    }
}

/// Polls a blocking device at every turn of the executor: for devices without an interrupt line.
pub(super) struct PollEveryTurn;

impl<D: EthernetDevice> util_asynch::Wake<D> for PollEveryTurn {
    fn prepare(&mut self, _: &mut D) -> Result<(), D::Error> {
        Ok(())
    }

    async fn wait(&mut self, _: &mut D, _: Interest) -> Result<(), D::Error> {
        asynch::yield_once().await;
        Ok(())
    }
}

/// The async API of a device that keeps a waker.
pub(super) struct PollReadyAsync<D>(pub D);

impl<D: ErrorType> ErrorType for PollReadyAsync<D> {
    type Error = D::Error;
}

impl<D: EthernetDevice + PollReady> asynch::EthernetDevice for PollReadyAsync<D> {
    fn mac_address(&self) -> MacAddress {
        self.0.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn link(&self) -> Link {
        self.0.link()
    }

    fn stats(&self) -> Stats {
        self.0.stats()
    }

    async fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, D::Error> {
        self.0.recv_frame(buf)
    }

    async fn discard_frame(&mut self) -> Result<bool, D::Error> {
        self.0.discard_frame()
    }

    async fn tx_ready(&mut self) -> Result<bool, D::Error> {
        self.0.tx_ready()
    }

    async fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), D::Error> {
        self.0.send_vectored(parts)
    }

    async fn send_frame(&mut self, frame: &[u8]) -> Result<(), D::Error> {
        self.0.send_frame(frame)
    }

    async fn service(&mut self) -> Result<Events, D::Error> {
        self.0.service()
    }

    async fn ready(&mut self, interest: Interest) -> Result<Interest, D::Error> {
        std::future::poll_fn(|cx| self.0.poll_ready(interest, cx)).await
    }
}
