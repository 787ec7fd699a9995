//! The async form of blocking devices.

use crate::reports::Reports;
use ethdev::asynch::EthernetDevice;
use ethdev::{
    Capabilities, ErrorType, EthernetDevice as BlockingDevice, Events, Interest, Link, MacAddress, RxMeta, Stats,
};

/// A source of wake-ups for [`BlockingAsync`].
#[allow(
    async_fn_in_trait,
    reason = "whether the futures are Send depends on the device: see the documentation of `ethdev::asynch`"
)]
pub trait Wake<D: BlockingDevice> {
    /// Called before every check of the device. An event after this call must end the next
    /// [`wait`](Self::wait).
    ///
    /// # Errors
    ///
    /// The device failed.
    fn prepare(&mut self, device: &mut D) -> Result<(), D::Error>;

    /// Waits until something of `interest` may have happened since the last
    /// [`prepare`](Self::prepare). May return spuriously.
    ///
    /// # Errors
    ///
    /// The device failed.
    ///
    /// # Cancellation
    ///
    /// Must be safe.
    async fn wait(&mut self, device: &mut D, interest: Interest) -> Result<(), D::Error>;
}

/// The async form of a blocking device whose methods return immediately. It awaits only `W`, and
/// does not access the device between two wake-ups.
#[derive(Debug)]
pub struct BlockingAsync<D, W> {
    device: D,
    wake: W,
    /// The link as last reported by `ready`.
    link: Link,
    /// What `service` inside `ready` found.
    reports: Reports,
}

impl<D: BlockingDevice, W: Wake<D>> BlockingAsync<D, W> {
    /// Wraps `device`; `wake` decides when to check it.
    #[must_use]
    pub fn new(device: D, wake: W) -> Self {
        let link = device.link();
        Self {
            device,
            wake,
            link,
            reports: Reports::new(Some(link)),
        }
    }

    /// Returns the device, for its specific functions.
    pub const fn inner_mut(&mut self) -> &mut D {
        &mut self.device
    }

    /// Returns the device.
    pub fn into_inner(self) -> D {
        self.device
    }
}

impl<D: ErrorType, W> ErrorType for BlockingAsync<D, W> {
    type Error = D::Error;
}

impl<D: BlockingDevice, W: Wake<D>> EthernetDevice for BlockingAsync<D, W> {
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

    async fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, D::Error> {
        self.device.recv_frame(buf)
    }

    async fn discard_frame(&mut self) -> Result<bool, D::Error> {
        self.device.discard_frame()
    }

    async fn tx_ready(&mut self) -> Result<bool, D::Error> {
        self.device.tx_ready()
    }

    async fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), D::Error> {
        self.device.send_vectored(parts)
    }

    async fn send_frame(&mut self, frame: &[u8]) -> Result<(), D::Error> {
        self.device.send_frame(frame)
    }

    async fn service(&mut self) -> Result<Events, D::Error> {
        self.reports.add(self.device.service()?);
        Ok(self.reports.take(self.device.link()))
    }

    async fn ready(&mut self, interest: Interest) -> Result<Interest, D::Error> {
        loop {
            self.wake.prepare(&mut self.device)?;
            let ready = check(&mut self.device, &mut self.link, &mut self.reports, interest)?;
            if !ready.is_none() {
                return Ok(ready);
            }
            self.wake.wait(&mut self.device, interest).await?;
        }
    }
}

impl<D: ethdev::Control, W> ethdev::Control for BlockingAsync<D, W> {
    ethdev::forward_control!(|this| this.device);
}

/// Services the device and returns what of `interest` holds. `reported` is the link that the caller
/// knows; it is updated once a change is part of the result. The events are kept in `reports`.
pub(crate) fn check<D: BlockingDevice>(
    device: &mut D,
    reported: &mut Link,
    reports: &mut Reports,
    interest: Interest,
) -> Result<Interest, D::Error> {
    let events = device.service()?;
    reports.add(events);
    let link = device.link();
    let holds = Interest {
        rx: events.rx_pending,
        tx: events.tx_ready,
        link: link != *reported,
    };
    let ready = holds & interest;
    if ready.link {
        *reported = link;
    }
    Ok(ready)
}
