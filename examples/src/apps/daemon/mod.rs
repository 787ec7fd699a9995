//! smoltcp and its services in one async function, for a task of its own.
//!
//! The task waits for the device, by [`PollReady`], for the timers of the stack, and for samples to
//! report.

mod client;

use core::convert::Infallible;
use core::future::{pending, poll_fn};

use embassy_futures::select::{Either3, select3};
use embassy_futures::yield_now;
use embassy_time::{Instant, Timer};
use ethdev::{EthernetDevice, Interest, PollReady};
use ethdev_smoltcp::{Mode, PollAt, SmoltcpDevice};
use smoltcp::iface::{Interface, SocketSet, SocketStorage};
use smoltcp::wire::IpEndpoint;

use super::Status;
use super::echo::TcpEcho;
use super::node::{Config, ConfigError, add_tcp, interface};
use super::report::{Event, Samples};
use client::Client;

/// Size in bytes of each buffer of the echo service.
const ECHO_BUFFER: usize = 1024;
/// Size in bytes of each buffer of the client.
const CLIENT_BUFFER: usize = 64;

/// The buffers of a daemon. All zero: a static takes no flash.
#[derive(Debug)]
pub struct Memory {
    echo: [[u8; ECHO_BUFFER]; 2],
    client: [[u8; CLIENT_BUFFER]; 2],
    scratch: [u8; ECHO_BUFFER],
}

impl Memory {
    /// Creates the buffers.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            echo: [[0; ECHO_BUFFER]; 2],
            client: [[0; CLIENT_BUFFER]; 2],
            scratch: [0; ECHO_BUFFER],
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// The sockets of a daemon.
pub type Slots<'a> = [SocketStorage<'a>; 2];

/// smoltcp with TCP echo on port 7 and the client that reports samples.
pub struct Daemon<'a> {
    iface: Interface,
    sockets: SocketSet<'a>,
    echo: TcpEcho<1>,
    scratch: &'a mut [u8],
    client: Client,
}

impl<'a> Daemon<'a> {
    /// Creates the stack on `device`. [`run`](Self::run) it with the same device.
    ///
    /// The MAC address of the interface is that of the device, also after it was changed there.
    ///
    /// # Errors
    ///
    /// An address is not unicast, or there are too many.
    pub fn new<D: EthernetDevice, M: Mode<D>>(
        config: &Config<'_>,
        server: IpEndpoint,
        device: &mut SmoltcpDevice<'_, D, M>,
        memory: &'a mut Memory,
        slots: &'a mut Slots<'a>,
    ) -> Result<Self, ConfigError> {
        let iface = interface(config, device, smoltcp_time(Instant::now()))?;
        let mut sockets = SocketSet::new(&mut slots[..]);
        let [rx, tx] = &mut memory.echo;
        let echo = TcpEcho::new([add_tcp(&mut sockets, rx, tx)]);
        let [rx, tx] = &mut memory.client;
        let socket = add_tcp(&mut sockets, rx, tx);
        Ok(Self {
            iface,
            sockets,
            echo,
            scratch: &mut memory.scratch,
            client: Client::new(socket, server, config.seed),
        })
    }

    /// Runs until the device fails. `log` is called with each event of the client.
    ///
    /// # Errors
    ///
    /// The device failed. After its recovery, `run` may be called again: connections remain.
    pub async fn run<D: EthernetDevice + PollReady, M: Mode<D>>(
        &mut self,
        device: &mut SmoltcpDevice<'_, D, M>,
        samples: &Samples,
        log: impl Fn(Event),
    ) -> Result<Infallible, D::Error> {
        loop {
            let now = Instant::now();
            if device.service()?.link_changed {
                // Empties the cache of neighbors.
                self.iface.update_ip_addrs(|_| {});
            }
            // The address of the device may have been changed: that of the stack never differs.
            self.iface.set_hardware_addr(device.hardware_address());
            self.iface.poll(smoltcp_time(now), device, &mut self.sockets);
            if let Some(e) = device.take_error() {
                return Err(e);
            }
            self.echo.listen(&mut self.sockets);
            self.echo.serve(&mut self.sockets, self.scratch);
            let status = Status::of(device.inner(), now.duration_since(Instant::MIN).into());
            self.client
                .serve(now, &mut self.iface, &mut self.sockets, samples, &status, &log);
            match device.poll_at(&mut self.iface, &self.sockets, smoltcp_time(now)) {
                PollAt::Now => yield_now().await,
                PollAt::Wait { until, interest } => {
                    self.wait(device, until.map(embassy_time), interest, samples).await?;
                }
            }
        }
    }

    /// Waits for the device, the first of the timers, or a sample that can be sent.
    async fn wait<D: EthernetDevice + PollReady, M: Mode<D>>(
        &self,
        device: &mut SmoltcpDevice<'_, D, M>,
        until: Option<Instant>,
        interest: Interest,
        samples: &Samples,
    ) -> Result<(), D::Error> {
        let service = device.inner().capabilities().max_service_interval;
        let service = service.and_then(|interval| Instant::now().checked_add(interval.try_into().ok()?));
        let client = self.client.deadline(device.link().is_up());
        let first = [until, service, client].into_iter().flatten().min();
        let ready = poll_fn(|cx| device.inner_mut().poll_ready(interest | Interest::LINK, cx));
        let timer = async {
            match first {
                Some(at) => Timer::at(at).await,
                None => pending().await,
            }
        };
        let sample = async {
            if self.client.accepts_sample() {
                samples.queue().ready_to_receive().await;
            } else {
                pending::<()>().await;
            }
        };
        match select3(ready, timer, sample).await {
            Either3::First(ready) => ready.map(drop),
            _ => Ok(()),
        }
    }
}

fn smoltcp_time(at: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(i64::try_from(at.as_micros()).unwrap_or(i64::MAX))
}

fn embassy_time(at: smoltcp::time::Instant) -> Instant {
    Instant::from_micros(u64::try_from(at.total_micros()).unwrap_or(0))
}
