//! Polling and waiting: poll(2) over the descriptor of the interface and the link announcements.

use std::time::{Duration, Instant};

use ethdev::{Error as _, Interest};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use crate::error::InterfaceError;
use crate::interface::Interface;
use crate::port::Port;

/// Longest timeout of one system call. A longer wait repeats it.
const LONGEST_POLL: Duration = Duration::from_secs(3600);

/// Poll interval of the link if its changes are not announced. (The kernel wakes a waiter for
/// writability when the interface comes up, but shortly before the interface is writable: the
/// waiter would sleep again.)
pub(crate) const UNANNOUNCED_INTERVAL: Duration = Duration::from_millis(100);

/// The result of polling the interface.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found {
    /// A frame is pending.
    pub(crate) rx: bool,
    /// The kernel accepts a frame.
    pub(crate) tx: bool,
    /// A signal ended the wait.
    interrupted: bool,
}

impl<P: Port> Interface<P> {
    /// Waits until something of `interest` holds, and returns what holds; [`Interest::NONE`] after
    /// `timeout` or after a signal was handled (Ctrl-C).
    ///
    /// It includes the housekeeping of [`service`](ethdev::EthernetDevice::service): an event loop
    /// that calls `wait` needs no `service`, and costs one poll(2) per iteration.
    ///
    /// - `link`: the link changed since `wait` or `poll_ready` last reported it, or since the
    ///   device was opened.
    /// - `tx`: never while the link is down.
    /// - A `timeout` of `None` waits indefinitely. An empty interest waits for a signal, or until
    ///   the interface is deleted.
    ///
    /// ```no_run
    /// # use ethdev::{EthernetDevice, Interest};
    /// # use std::time::Duration;
    /// # fn f(tap: &mut ethdev_linux::Tap, buf: &mut [u8]) -> Result<(), ethdev_linux::InterfaceError> {
    /// while let Some(meta) = tap.recv_frame(buf)? { /* ... */ }
    /// tap.wait(Interest::RX | Interest::LINK, Some(Duration::from_millis(100)))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// - `InterfaceRemoved`: the interface was deleted. Returned without waiting, also on every
    ///   further call.
    /// - `Io`: poll(2) failed.
    pub fn wait(&mut self, interest: Interest, timeout: Option<Duration>) -> Result<Interest, InterfaceError> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut left = timeout;
        loop {
            let link_changed = interest.link && self.reported.link_by_wait != self.link;
            let ready_already = interest.rx && self.is_held() || link_changed;
            let found = self.poll_interface(interest, if ready_already { Some(Duration::ZERO) } else { left })?;
            let ready = self.ready_of(interest, found);
            if !ready.is_none() || found.interrupted {
                return Ok(ready);
            }
            if let Some(deadline) = deadline {
                let now = Instant::now();
                if now >= deadline {
                    return Ok(ready);
                }
                left = Some(deadline - now);
            }
        }
    }

    /// Returns the part of `interest` that holds. A reported link change is not reported again.
    pub(crate) fn ready_of(&mut self, interest: Interest, found: Found) -> Interest {
        Interest {
            rx: interest.rx && found.rx,
            tx: interest.tx && found.tx && self.link.is_up(),
            link: interest.link && core::mem::replace(&mut self.reported.link_by_wait, self.link) != self.link,
        }
    }

    /// Returns whether to wait for the descriptor to become readable, and writable.
    ///
    /// A condition that holds permanently without being of interest is excluded: it would make a
    /// busy loop.
    pub(crate) fn awaited_events(&self, interest: Interest) -> (bool, bool) {
        if !self.running {
            return (false, false);
        }
        // Without carrier the descriptor is writable although frames cannot be sent; the
        // announcement of the link ends that wait. Without announcements, writability is how a link
        // that is up is recognized.
        let awaited = interest.tx || self.is_unsent();
        let writable = awaited && (self.link.is_up() || self.link_monitor.fd().is_none());
        (interest.rx, writable)
    }

    /// Polls the interface, for at most `timeout`, and does the housekeeping.
    pub(crate) fn poll_interface(
        &mut self,
        interest: Interest,
        timeout: Option<Duration>,
    ) -> Result<Found, InterfaceError> {
        self.check_present()?;
        let waits = timeout != Some(Duration::ZERO);
        // A poll that does not wait can include the conditions that hold permanently.
        let (readable, writable) = if waits {
            self.awaited_events(interest)
        } else {
            (interest.rx, true)
        };
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::POLLIN, readable);
        flags.set(PollFlags::POLLOUT, writable);
        let unannounced = waits && self.link_monitor.fd().is_none();
        let limit = if unannounced {
            UNANNOUNCED_INTERVAL
        } else {
            LONGEST_POLL
        };
        let limited = timeout.unwrap_or(limit).min(limit);
        let mut result = self.poll_descriptors(flags, limited);
        if !waits && result == Err(Errno::EINTR) {
            // A pending signal interrupts even a poll that does not wait. It is handled by now.
            result = self.poll_descriptors(flags, limited);
        }
        let (found, announced) = match result {
            // The wait covered only a part of the conditions: poll all of them.
            Ok(_) if unannounced => return self.poll_interface(interest, Some(Duration::ZERO)),
            Ok(found) => found,
            Err(Errno::EINTR) => {
                return Ok(Found {
                    interrupted: true,
                    ..Found::default()
                });
            }
            Err(e) => {
                return Err(InterfaceError::Io {
                    what: "polling the interface",
                    source: e.into(),
                });
            }
        };
        if announced {
            self.link_monitor.read_announcements();
        }
        let failed = found.intersects(PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL);
        if failed && self.port.polled_error() || P::is_removed(&self.link_monitor) {
            return Err(self.set_removed(None));
        }
        if self.link_monitor.fd().is_none() && writable {
            self.link_monitor.up = found.contains(PollFlags::POLLOUT);
        }
        if readable {
            self.drop_detector.polled(found.contains(PollFlags::POLLIN));
        }
        if self.drop_detector.suspected() {
            self.update_drops(self.running);
        }
        if announced || !self.link.is_up() {
            self.read_link_mode();
        }
        self.update_link();
        if self.running && found.contains(PollFlags::POLLOUT) {
            match self.flush() {
                Err(e) if !e.kind().is_transient() => return Err(e),
                _ => {}
            }
        }
        Ok(Found {
            rx: self.running && (found.contains(PollFlags::POLLIN) || self.is_held()),
            tx: self.running && found.contains(PollFlags::POLLOUT) && !self.is_unsent(),
            interrupted: false,
        })
    }

    /// Returns the events of the descriptor, and whether link announcements are pending.
    fn poll_descriptors(&self, flags: PollFlags, timeout: Duration) -> Result<(PollFlags, bool), Errno> {
        let timeout = Some(TimeSpec::from(timeout));
        let port = PollFd::new(self.port.as_fd(), flags);
        if let Some(link) = self.link_monitor.fd() {
            let mut fds = [port, PollFd::new(link, PollFlags::POLLIN)];
            ppoll(&mut fds, timeout, None)?;
            let [port, link] = fds;
            Ok((events(&port), !events(&link).is_empty()))
        } else {
            let mut fds = [port];
            ppoll(&mut fds, timeout, None)?;
            let [port] = fds;
            Ok((events(&port), false))
        }
    }
}

fn events(fd: &PollFd<'_>) -> PollFlags {
    fd.revents().unwrap_or(PollFlags::empty())
}
