//! Looking and waiting: poll(2) over the TAP and its link announcements.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use ethdev::{EthernetDevice, Interest, Link};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use crate::tap::State;
use crate::{Tap, TapError};

/// One system call waits no longer than this; who waits longer calls again.
const LONGEST_POLL: Duration = Duration::from_secs(3600);

/// How often the link is looked at where nobody announces its changes. (The kernel does wake those who wait to write when the interface comes up, but
/// shortly before it lets them: such a waiter would fall asleep again.)
pub(crate) const UNANNOUNCED_INTERVAL: Duration = Duration::from_millis(100);

/// What a look at the interface found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// A frame is pending.
    pub(crate) rx: bool,
    /// The kernel takes a frame.
    pub(crate) tx: bool,
    /// A signal ended the wait.
    interrupted: bool,
}

impl Tap {
    /// Waits until something of `interest` is so, and tells what is; nothing when `timeout` has passed, or a signal was handled (Ctrl-C).
    ///
    /// For loops of their own. It does the housekeeping of [`service`](EthernetDevice::service) on the way: a loop that waits here between two turns needs
    /// no `service`, and costs one poll(2) a turn.
    ///
    /// - `link`: the link is another than at the last call that told so, or than on opening.
    /// - `tx`: never while the link is down.
    /// - `None` waits for ever. With an empty interest it waits for a signal, or for the interface's end.
    ///
    /// ```no_run
    /// # use ethdev::{EthernetDevice, Interest};
    /// # use std::time::Duration;
    /// # fn f(tap: &mut ethdev_linux::Tap, buf: &mut [u8]) -> Result<(), ethdev_linux::TapError> {
    /// while let Some(meta) = tap.recv_frame(buf)? { /* ... */ }
    /// tap.wait(Interest::RX | Interest::LINK, Some(Duration::from_millis(100)))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// `InterfaceRemoved` where the interface was deleted, at once: a loop that goes on all the same is not slowed down by it.
    pub fn wait(&mut self, interest: Interest, timeout: Option<Duration>) -> Result<Interest, TapError> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut left = timeout;
        loop {
            let ready_already = interest.rx && self.is_held();
            let seen = self.look(interest, if ready_already { Some(Duration::ZERO) } else { left })?;
            let ready = Interest {
                rx: interest.rx && seen.rx,
                tx: interest.tx && seen.tx && self.link().is_up(),
                link: interest.link && self.link_changed_for_wait(),
            };
            if !ready.is_none() || seen.interrupted {
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

    /// What of the TAP itself can become so that `interest` wants: readable, writable.
    ///
    /// Nothing that would be so all the time, and yet not wanted, is waited for: that would be a busy loop.
    pub(crate) fn watched(&self, interest: Interest) -> (bool, bool) {
        if self.state == State::Stopped {
            return (false, false);
        }
        // Without carrier it is writable, and yet of no use. The announcement ends that wait; where there is none, writable is how it is known to be up.
        let writable = interest.tx && (self.link().is_up() || self.link_fd().is_none());
        (interest.rx, writable)
    }

    /// Housekeeping around one poll(2) of at most `timeout`.
    pub(crate) fn look(&mut self, interest: Interest, timeout: Option<Duration>) -> Result<Seen, TapError> {
        if self.state == State::InterfaceRemoved {
            return Err(self.gone(None));
        }
        let waits = timeout != Some(Duration::ZERO);
        // One who only looks can look at everything.
        let (readable, writable) = if waits {
            self.watched(interest)
        } else {
            (interest.rx, true)
        };
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::POLLIN, readable);
        flags.set(PollFlags::POLLOUT, writable);
        let unannounced = waits && self.watch.fd().is_none();
        let limit = if unannounced {
            UNANNOUNCED_INTERVAL
        } else {
            LONGEST_POLL
        };
        let limited = timeout.unwrap_or(limit).min(limit);
        let mut result = self.poll(flags, limited);
        if !waits && result == Err(Errno::EINTR) {
            // A signal that was pending ends even a poll that would not wait. By now it is handled.
            result = self.poll(flags, limited);
        }
        let (found, announced) = match result {
            // What it was woken for, or not, is not all there is to know.
            Ok(_) if unannounced => return self.look(interest, Some(Duration::ZERO)),
            Ok(found) => found,
            Err(Errno::EINTR) => {
                return Ok(Seen {
                    interrupted: true,
                    ..Seen::default()
                });
            }
            Err(e) => {
                return Err(TapError::Io {
                    what: "waiting for the interface",
                    source: e.into(),
                });
            }
        };
        if announced {
            self.watch.follow();
        }
        if found.intersects(PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL) {
            return Err(self.gone(None));
        }
        if self.watch.fd().is_none() && writable {
            self.watch.up = found.contains(PollFlags::POLLOUT);
        }
        if readable {
            self.overruns.looked(found.contains(PollFlags::POLLIN));
        }
        if self.overruns.suspected() {
            self.look_for_overruns(self.state == State::Running);
        }
        let running = self.state == State::Running;
        self.set_link(if running && self.watch.up { Link::UP } else { Link::Down });
        Ok(Seen {
            rx: running && (found.contains(PollFlags::POLLIN) || self.is_held()),
            tx: running && found.contains(PollFlags::POLLOUT),
            interrupted: false,
        })
    }

    fn poll(&self, flags: PollFlags, timeout: Duration) -> Result<(PollFlags, bool), Errno> {
        let timeout = Some(TimeSpec::from(timeout));
        let tap = PollFd::new(self.io.as_fd(), flags);
        if let Some(link) = self.watch.fd() {
            let mut fds = [tap, PollFd::new(link, PollFlags::POLLIN)];
            ppoll(&mut fds, timeout, None)?;
            let [tap, link] = fds;
            Ok((found(&tap), !found(&link).is_empty()))
        } else {
            let mut fds = [tap];
            ppoll(&mut fds, timeout, None)?;
            let [tap] = fds;
            Ok((found(&tap), false))
        }
    }
}

fn found(fd: &PollFd<'_>) -> PollFlags {
    fd.revents().unwrap_or(PollFlags::empty())
}
