//! A virtual port.

use core::cell::RefCell;
use core::task::{Context, Poll};

use crate::fabric::{Fabric, Filled, Uplink};
use crate::port_state::PortState;
use ethdev::lending::count_release;
use ethdev::{
    Capabilities, ChecksumOffload, Control, Counted, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome,
    Interest, LendingDevice, Link, LossReason, MacAddress, MaxFrameLen, PollReady, RxFilter, RxMeta, Stats,
    validate_tx_len,
};

/// A virtual port of a [`Switch`](crate::Switch): one client's device, with an address, a filter,
/// a receive queue and counters of its own.
///
/// It is an [`EthernetDevice`] with [`Control`] and [`PollReady`]. `ethdev_util::Buffered` makes it
/// a lending device, `ethdev_util::Erased` hides its type. It is running, and receives frames to
/// its address and broadcast, from the start.
///
/// # What is received
///
/// Frames from the wire and from the other ports whose destination is
///
/// - the address of this port, or an address behind it: one that this port has sent from, and that
///   has not been the source of a frame from elsewhere since;
/// - broadcast or a group, if the filter passes it;
/// - any other, if the filter is promiscuous. That includes frames between two other ports.
///
/// A frame from another port comes as it was sent: without padding and without a timestamp.
///
/// # What is sent where
///
/// - A frame to an address of another port goes to that port and not to the wire. If its queue is
///   full, the frame is counted in *its* [`rx_overrun`](Stats::rx_overrun); if it is stopped, the
///   frame is lost, as on a wire without a receiver. It is sent in either case.
/// - Broadcast and groups go to the wire and to each other port.
/// - All other frames go to the wire only.
///
/// If the wire does not take the frame (`Busy`, `LinkDown`, a failure), no other port gets it, so
/// that a repeated call delivers nothing twice.
///
/// # Link
///
/// The link of the device. While it is down, nothing is sent between the ports either: `LinkDown`.
/// A port that is stopped or asleep has link down.
///
/// # Transmit capacity
///
/// The transmit queue of the device is shared. After [`tx_ready`](EthernetDevice::tx_ready) the
/// next frame is not `Busy` unless another port sends in between.
///
/// # Errors of the device
///
/// A call that meets one returns it. Clients that wait are woken, and `poll_ready` returns the kind
/// until the runner finds that the device works. The runner checks the device then, and ends with
/// the error and its cause if it fails again. Only the owner of the [`Runner`](crate::Runner) can
/// reset the device: [`recover`](Control::recover) of a port is `Unsupported`.
///
/// # Frame accounting
///
/// Each frame that arrived on the wire while the port was running, each broadcast or group frame of
/// another port, and each frame of another port that is for this one, is in
/// [`rx_frames`](Stats::rx_frames), in exactly one of the other `rx_` counters, or pending. So
/// frames on the wire for others are in [`rx_filtered`](Stats::rx_filtered), and what the device
/// lost before the switch saw it is counted at every port. `tx_frames` counts frames that the
/// device or a port has accepted; what the device lost afterwards is in its own counters, and
/// [`coverage`](Capabilities::coverage) declares it.
pub struct Port<'s, 'b, D, const N: usize, const Q: usize> {
    fabric: &'s Fabric<'b, D, N, Q>,
    index: usize,
    own: &'s RefCell<PortState<'b, Q>>,
    /// The link that `link()` returns: as of the last call.
    link: Link,
    /// The link and the counters as of the last `service`.
    link_serviced: Link,
    stats_serviced: Stats,
    /// The link as last reported by `poll_ready`.
    link_polled: Link,
}

impl<'s, 'b, D: LendingDevice, const N: usize, const Q: usize> Port<'s, 'b, D, N, Q> {
    pub(crate) fn new(fabric: &'s Fabric<'b, D, N, Q>, index: usize, own: &'s RefCell<PortState<'b, Q>>) -> Self {
        let mut port = Self {
            fabric,
            index,
            own,
            link: Link::Down,
            link_serviced: Link::Down,
            stats_serviced: Stats::ZERO,
            link_polled: Link::Down,
        };
        let link = port.refresh_link();
        (port.link_serviced, port.link_polled) = (link, link);
        port.stats_serviced = port.stats();
        port
    }

    fn refresh_link(&mut self) -> Link {
        let running = self.own.borrow().is_running();
        let link = self.fabric.uplink.borrow().device.link();
        self.link = if running { link } else { Link::Down };
        self.link
    }

    /// Calls the device.
    fn call<R>(&mut self, f: impl FnOnce(&mut Uplink<'_, D>) -> Result<R, D::Error>) -> Result<R, D::Error> {
        let result = self.fabric.try_call(f);
        self.refresh_link();
        result
    }

    /// Takes frames from the device until one for this port is in the queue.
    fn fill(&mut self) -> Result<Filled, D::Error> {
        let (fabric, own) = (self.fabric, self.own);
        self.call(|uplink| fabric.fill(uplink, |_| !own.borrow().queue.is_empty()))
    }

    /// Enters a state of the table of `Control`.
    fn set_state(&mut self, started: Option<bool>, asleep: bool) {
        let own = self.own;
        self.fabric.call(|uplink| {
            let started = started.unwrap_or(own.borrow().is_started());
            if own.borrow().is_running() != (started && !asleep) {
                // The device holds frames that arrived in the former state. If it fails here, the
                // port changes its state all the same, and the next call meets the error.
                let _ = self.fabric.fill(uplink, |_| {
                    own.borrow_mut().reset_queue();
                    false
                });
                if uplink.device.link().is_up() {
                    own.borrow_mut().count_link_change();
                }
            }
            let mut own = own.borrow_mut();
            own.set_state(started, asleep, uplink.losses());
            if !own.is_running() {
                uplink.table.forget_port(self.index);
            }
        });
        self.refresh_link();
    }

    /// Returns whether the next frame is accepted.
    fn is_tx_ready(own: &RefCell<PortState<'b, Q>>, device: &mut D) -> Result<bool, D::Error> {
        Ok(own.borrow().is_running() && device.tx_ready()?)
    }
}

impl<D: ErrorType, const N: usize, const Q: usize> ErrorType for Port<'_, '_, D, N, Q> {
    type Error = D::Error;
}

impl<D: LendingDevice, const N: usize, const Q: usize> EthernetDevice for Port<'_, '_, D, N, Q> {
    fn mac_address(&self) -> MacAddress {
        self.own.borrow().address
    }

    /// Those of the device, without checksum offload, because frames between ports do not pass the
    /// device. The transmit queue is shared, so its length for one port is unknown.
    fn capabilities(&self) -> Capabilities {
        let capabilities = self.fabric.uplink.borrow().device.capabilities();
        let buffer_len = self.own.borrow().queue.buffer_len();
        let queue = u16::try_from(Q).unwrap_or(u16::MAX);
        capabilities
            .with_rx_max_frame_len(capabilities.rx_max_frame_len.min(MaxFrameLen::new(buffer_len)))
            .with_queue_frames(capabilities.rx_queue_frames.map(|frames| frames.min(queue)), None)
            .with_checksum(ChecksumOffload::NONE)
            .with_coverage(
                capabilities
                    .coverage
                    .with(LossReason::TxAborted, Counted::NotReported)
                    .with(LossReason::TxReset, Counted::NotReported),
            )
    }

    fn tx_max_frame_len(&self) -> MaxFrameLen {
        self.fabric.uplink.borrow().device.tx_max_frame_len()
    }

    fn link(&self) -> Link {
        self.link
    }

    fn stats(&self) -> Stats {
        self.own.borrow().stats_with(self.fabric.uplink.borrow().losses())
    }

    /// Takes frames from the device, up to 64, until one for this port is found.
    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, D::Error> {
        if !self.own.borrow().is_running() {
            return Ok(None);
        }
        self.fill()?;
        let mut own = self.own.borrow_mut();
        let Some((frame, meta)) = own.queue.front() else {
            return Ok(None);
        };
        let needed = frame.len();
        buf.get_mut(..needed)
            .ok_or(ErrorKind::BufferTooSmall { needed })?
            .copy_from_slice(frame);
        own.queue.pop();
        count_release(&mut own.stats, needed, true);
        Ok(Some(meta))
    }

    fn discard_frame(&mut self) -> Result<bool, D::Error> {
        if !self.own.borrow().is_running() {
            return Ok(false);
        }
        self.fill()?;
        let mut own = self.own.borrow_mut();
        let pending = own.queue.pop();
        if pending {
            count_release(&mut own.stats, 0, false);
        }
        Ok(pending)
    }

    fn tx_ready(&mut self) -> Result<bool, D::Error> {
        let own = self.own;
        self.call(|uplink| Self::is_tx_ready(own, &mut uplink.device))
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), D::Error> {
        let (fabric, index, own) = (self.fabric, self.index, self.own);
        self.call(|uplink| {
            if !own.borrow().is_running() {
                validate_tx_len(parts, uplink.device.tx_max_frame_len())?;
                return Err(ErrorKind::Stopped.into());
            }
            let len = fabric.send(uplink, index, parts)?;
            own.borrow_mut().stats.count_tx(len);
            Ok(())
        })
    }

    /// Services the device, for all ports. `tx_completed` counts accepted frames.
    fn service(&mut self) -> Result<Events, D::Error> {
        self.call(|uplink| uplink.device.service())?;
        let running = self.own.borrow().is_running();
        let more = running && self.fill()? == Filled::MaybeMore;
        let tx_ready = self.tx_ready()?;
        // Last, because each of these calls may have noticed a change.
        let (link, stats) = (self.link, self.stats());
        let delta = stats.delta_since(&self.stats_serviced);
        let mut events = Events::NONE;
        events.link_changed = link != self.link_serviced;
        events.rx_pending = more;
        events.rx_dropped = delta.rx_lost() != delta.rx_filtered.wrapping_add(delta.rx_discarded);
        events.tx_ready = tx_ready;
        events.tx_completed = u16::try_from(delta.tx_frames).unwrap_or(u16::MAX);
        events.recovered = delta.recoveries != 0;
        (self.link_serviced, self.stats_serviced) = (link, stats);
        Ok(events)
    }
}

/// The state of this port. The device and the other ports are not affected.
impl<D: LendingDevice, const N: usize, const Q: usize> Control for Port<'_, '_, D, N, Q> {
    fn start(&mut self) -> Result<(), D::Error> {
        self.set_state(Some(true), false);
        Ok(())
    }

    fn stop(&mut self) -> Result<(), D::Error> {
        self.set_state(Some(false), false);
        Ok(())
    }

    /// Frames in the queue stay there.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a group address, all zeros, or the address of another port.
    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), D::Error> {
        let other = self.fabric.port_of(address).is_some_and(|port| port != self.index);
        if !address.is_unicast() || other {
            return Err(ErrorKind::InvalidInput.into());
        }
        self.own.borrow_mut().address = address;
        self.fabric.call(|uplink| uplink.table.forget(address));
        Ok(())
    }

    /// Applies from the next frame on. Frames in the queue stay there. Exact up to eight groups;
    /// with more, all groups pass.
    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, D::Error> {
        Ok(self.own.borrow_mut().set_filter(filter))
    }

    /// Stops the port until `wake`.
    fn sleep(&mut self) -> Result<(), D::Error> {
        self.set_state(None, true);
        Ok(())
    }

    fn wake(&mut self) -> Result<(), D::Error> {
        self.set_state(None, false);
        Ok(())
    }
}

/// Works while [`Runner::run`](crate::Runner::run) is polled: it moves the frames.
impl<D: LendingDevice, const N: usize, const Q: usize> PollReady for Port<'_, '_, D, N, Q> {
    fn poll_ready(&mut self, interest: Interest, cx: &mut Context<'_>) -> Poll<Result<Interest, D::Error>> {
        let waker = cx.waker().clone();
        let link = self.refresh_link();
        let (poll, former) = self.fabric.call(|uplink| {
            if let Some(kind) = uplink.failed {
                return (Poll::Ready(Err(kind.into())), None);
            }
            // A client that waits for capacity already is notified when there is some.
            let check_tx = interest.tx && !self.own.borrow().waiting.tx;
            let tx = match check_tx
                .then(|| Self::is_tx_ready(self.own, &mut uplink.device))
                .transpose()
            {
                Ok(tx) => tx.unwrap_or(false),
                Err(e) => return (Poll::Ready(Err(e)), None),
            };
            let mut own = self.own.borrow_mut();
            let found = Interest {
                rx: !own.queue.is_empty(),
                tx,
                link: link != self.link_polled,
            } & interest;
            if !found.is_none() {
                own.waiting = Interest::NONE;
                return (Poll::Ready(Ok(found)), own.waker.take());
            }
            own.waiting = interest;
            uplink.wake_runner |= check_tx;
            (Poll::Pending, own.waker.replace(waker))
        });
        drop(former);
        if matches!(poll, Poll::Ready(Ok(found)) if found.link) {
            self.link_polled = link;
        }
        poll
    }
}

impl<D: LendingDevice, const N: usize, const Q: usize> core::fmt::Debug for Port<'_, '_, D, N, Q> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Port")
            .field("mac_address", &self.mac_address())
            .field("link", &self.link())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
