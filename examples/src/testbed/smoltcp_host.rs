//! The host on smoltcp.

use core::time::Duration;

use ethdev::{Coverage, Error as _, ErrorKind, EthernetDevice, Link, Stats};
use ethdev_smoltcp::{Mode, PollAt, SmoltcpDevice};

use super::failure::Failure;
use super::host::Host;
use super::{micros, simulated_time};
use crate::apps::Node;

/// A [`Node`] and its device.
pub(super) struct SmoltcpHost<'n, 's, D: EthernetDevice, M> {
    pub(super) node: Node<'n>,
    pub(super) device: SmoltcpDevice<'s, D, M>,
}

impl<D: EthernetDevice, M: Mode<D>> SmoltcpHost<'_, '_, D, M> {
    /// Returns whether a frame is pending. An empty buffer leaves it pending, and is cheaper on a
    /// bus than `service`.
    fn is_pending(&mut self) -> bool {
        let result = self.device.inner_mut().recv_frame(&mut []);
        result.is_err_and(|e| matches!(e.kind(), ErrorKind::BufferTooSmall { .. }))
    }
}

impl<D: EthernetDevice, M: Mode<D>> Host for SmoltcpHost<'_, '_, D, M> {
    fn poll(&mut self, now: Duration) -> Result<(), Failure> {
        self.node
            .poll(micros(now), &mut self.device)
            .map_err(|e| Failure::device(&e))?;
        match self.device.take_error() {
            None => Ok(()),
            Some(e) => Err(Failure::device(&e)),
        }
    }

    fn poll_at(&mut self, now: Duration) -> Option<Duration> {
        match self.node.poll_at(micros(now), &mut self.device) {
            PollAt::Now => Some(now),
            PollAt::Wait { .. } if self.is_pending() => Some(now),
            PollAt::Wait { until, .. } => until.map(simulated_time),
        }
    }

    fn link(&self) -> Link {
        self.device.link()
    }

    fn stats(&self) -> Stats {
        self.device.stats()
    }

    fn coverage(&self) -> Coverage {
        self.device.inner().capabilities().coverage
    }

    fn dropped(&self) -> u32 {
        let drops = self.device.drops();
        drops.tx_lost() + drops.rx_too_short
    }
}
