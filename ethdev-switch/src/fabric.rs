//! The switching: which frame goes where.

use core::cell::RefCell;
use core::task::Waker;

use crate::port_state::PortState;
use crate::table::Table;
use ethdev::frame::Header;
use ethdev::{
    Error, ErrorKind, EthernetDevice, Interest, LendingDevice, Link, MacAddress, RxHalf, RxMeta, Stats, validate_tx_len,
};

/// Number of frames that one call takes from the device, so that a flood of frames for other ports
/// does not hold it.
const MAX_FRAMES_PER_CALL: usize = 64;

/// What ports and runner share.
///
/// No two borrows of a cell overlap: what runs while one is borrowed are methods of the device,
/// which has no access to the switch. Wakers are called after the borrow.
pub(crate) struct Fabric<'b, D, const N: usize, const Q: usize> {
    pub(crate) uplink: RefCell<Uplink<'b, D>>,
    pub(crate) ports: [RefCell<PortState<'b, Q>>; N],
}

pub(crate) struct Uplink<'b, D> {
    pub(crate) device: D,
    pub(crate) table: Table<'b>,
    /// The link that the ports were last notified of.
    link: Link,
    /// The last error of the device, until the runner finds that the device works.
    pub(crate) failed: Option<ErrorKind>,
    pub(crate) runner: Option<Waker>,
    /// Whether the runner is to be woken.
    pub(crate) wake_runner: bool,
}

/// What is left after frames were taken from the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    /// Nothing: the device has no frame.
    Drained,
    /// Unknown: there may be more frames.
    MaybeMore,
}

impl<'b, D: EthernetDevice> Uplink<'b, D> {
    pub(crate) fn new(device: D, table: Table<'b>) -> Self {
        let link = device.link();
        Self {
            device,
            table,
            link,
            failed: None,
            runner: None,
            wake_runner: false,
        }
    }

    /// The counters of the device that each port includes: all but those of delivered and sent
    /// frames.
    pub(crate) fn losses(&self) -> Stats {
        let mut stats = self.device.stats();
        (stats.rx_frames, stats.rx_bytes) = (0, 0);
        (stats.tx_frames, stats.tx_bytes, stats.tx_aborted, stats.tx_reset) = (0, 0, 0, 0);
        stats
    }
}

impl<D: LendingDevice, const N: usize, const Q: usize> Fabric<'_, D, N, Q> {
    /// Runs `f`, then wakes the clients that it notified.
    pub(crate) fn call<R>(&self, f: impl FnOnce(&mut Uplink<'_, D>) -> R) -> R {
        let (result, runner) = {
            let uplink = &mut *self.uplink.borrow_mut();
            let result = f(uplink);
            let link = uplink.device.link();
            if core::mem::replace(&mut uplink.link, link) != link {
                self.notify(Interest::LINK | Interest::TX);
            }
            let wake_runner = core::mem::replace(&mut uplink.wake_runner, false);
            (result, uplink.runner.take_if(|_| wake_runner))
        };
        for port in &self.ports {
            let woken = port.borrow_mut().take_woken();
            if let Some(waker) = woken {
                waker.wake();
            }
        }
        if let Some(waker) = runner {
            waker.wake();
        }
        result
    }

    /// [`call`](Self::call) of methods of the device that fail: other clients and the owner are
    /// notified of a failure.
    pub(crate) fn try_call<R>(&self, f: impl FnOnce(&mut Uplink<'_, D>) -> Result<R, D::Error>) -> Result<R, D::Error> {
        self.call(|uplink| {
            f(uplink).inspect_err(|e| {
                let kind = e.kind();
                if !kind.is_transient() && !kind.is_rejection() {
                    uplink.failed = Some(kind);
                    uplink.wake_runner = true;
                    self.notify(Interest::ALL);
                }
            })
        })
    }

    /// Notifies the clients that wait for some of `found`.
    pub(crate) fn notify(&self, found: Interest) {
        for port in &self.ports {
            port.borrow_mut().notify(found);
        }
    }

    /// Takes frames from the device and queues them at their ports, until `stop` returns true. It
    /// is called before each frame, with whether the frame before it took the last buffer of a
    /// port.
    ///
    /// # Errors
    ///
    /// The device failed. `BadFrame` is skipped: the device has counted the frame.
    pub(crate) fn fill(
        &self,
        uplink: &mut Uplink<'_, D>,
        mut stop: impl FnMut(bool) -> bool,
    ) -> Result<Filled, D::Error> {
        let (mut rx, _) = uplink.device.split();
        let mut full = false;
        for _ in 0..MAX_FRAMES_PER_CALL {
            if stop(full) {
                return Ok(Filled::MaybeMore);
            }
            match rx.peek() {
                Ok(None) => return Ok(Filled::Drained),
                Ok(Some(frame)) => {
                    full = self.distribute(&mut uplink.table, &frame, frame.meta());
                    rx.release()?;
                }
                Err(e) if e.kind() == ErrorKind::BadFrame => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Filled::MaybeMore)
    }

    /// The port of this address: its own, or a learned one behind it.
    fn owner(&self, table: &Table<'_>, address: MacAddress) -> Option<usize> {
        self.port_of(address).or_else(|| table.find(address))
    }

    /// The port whose own address this is.
    pub(crate) fn port_of(&self, address: MacAddress) -> Option<usize> {
        self.ports.iter().position(|port| port.borrow().address == address)
    }

    /// Offers a frame from the wire to each port. Returns whether it took the last buffer of one.
    fn distribute(&self, table: &mut Table<'_>, frame: &[u8], meta: RxMeta) -> bool {
        let Some(header) = Header::parse(frame) else {
            for port in &self.ports {
                port.borrow_mut().count_bad_length();
            }
            return false;
        };
        // The sender is on the wire, wherever it was before.
        table.forget(header.source);
        let owner = self.owner(table, header.destination);
        let mut full = false;
        for (index, port) in self.ports.iter().enumerate() {
            let mut port = port.borrow_mut();
            let passes = owner == Some(index) || port.passes(header.destination);
            full |= port.offer(passes, &[frame], meta);
        }
        full
    }

    /// Sends a frame of the running port `from` to the wire, to other ports, or both.
    ///
    /// # Errors
    ///
    /// As `send_vectored`. No port has got the frame then.
    pub(crate) fn send(&self, uplink: &mut Uplink<'_, D>, from: usize, parts: &[&[u8]]) -> Result<usize, D::Error> {
        let len = validate_tx_len(parts, uplink.device.tx_max_frame_len())?;
        let mut bytes = parts.iter().flat_map(|part| part.iter().copied());
        // The frame has a header, so no octet is missing.
        let mut address = || MacAddress::new([(); 6].map(|()| bytes.next().unwrap_or(0)));
        let (destination, source) = (address(), address());
        let owner = self.owner(&uplink.table, destination);
        if owner.is_none_or(|owner| owner == from) {
            uplink.device.send_vectored(parts)?;
        } else if !uplink.device.link().is_up() {
            return Err(ErrorKind::LinkDown.into());
        }
        if source.is_unicast() && self.port_of(source).is_none() {
            uplink.table.learn(source, from);
        }
        for (index, port) in self.ports.iter().enumerate().filter(|(index, _)| *index != from) {
            let mut port = port.borrow_mut();
            let passes = owner == Some(index) || port.passes(destination);
            if passes || destination.is_multicast() {
                port.offer(passes, parts, RxMeta::new(len));
            }
        }
        Ok(len)
    }
}
