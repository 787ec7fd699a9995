//! Opening, and the management API.

use core::time::Duration;

use ethdev::{Control, FilterOutcome, Interest, Link, MacAddress, RxFilter};

use crate::config::TapConfig;
use crate::error::TapError;
use crate::link_monitor::LinkMonitor;
use crate::open::{Opened, open, read_settings};
use crate::rx_filter::Filter;
use crate::tap::Tap;

impl Tap {
    /// Opens the TAP interface `name`, or creates it if it does not exist. Equivalent to
    /// [`with_config`](Self::with_config) with [`TapConfig::new`].
    ///
    /// # Errors
    ///
    /// As `with_config`.
    pub fn open(name: &str) -> Result<Self, TapError> {
        Self::with_config(TapConfig::new(name))
    }

    /// Opens a TAP interface.
    ///
    /// # Errors
    ///
    /// `InvalidName`, `InvalidMacAddress`, `PermissionDenied`, `NoDriver`, `NoSuchInterface`,
    /// `NotTap`, `InUse`, `NoQueue`, or `Io` for other failures of system calls.
    pub fn with_config(config: TapConfig) -> Result<Self, TapError> {
        let Opened {
            io,
            name,
            index,
            mac_address,
        } = open(&config)?;
        let settings = read_settings(&io, &name)?;
        let mut tap = Self::new(io, name, config, LinkMonitor::new(index));
        tap.mac_address = mac_address;
        tap.apply(&settings);
        tap.drop_detector.restart(tap.link_monitor.dropped);
        // Without announcements the link is known only after a poll.
        tap.poll_interface(Interest::ALL, Some(Duration::ZERO))?;
        // The initial state is not a change.
        tap.stats.link_changes = 0;
        tap.reported.link = tap.link;
        tap.reported.link_by_wait = tap.link;
        Ok(tap)
    }

    /// Opens the interface again after it was deleted.
    fn reopen(&mut self) -> Result<(), TapError> {
        let config = TapConfig {
            name: self.name.clone(),
            mac_address: Some(self.mac_address),
            ..self.config.clone()
        };
        let Opened { io, name, index, .. } = open(&config)?;
        let settings = read_settings(&io, &name)?;
        self.io = io;
        self.name = name;
        self.link_monitor = LinkMonitor::new(index);
        #[cfg(feature = "async-io")]
        self.registration.clear();
        self.reset_held();
        self.apply(&settings);
        self.drop_detector.restart(self.link_monitor.dropped);
        self.removed = false;
        Ok(())
    }
}

/// [`sleep`](Control::sleep) and [`wake`](Control::wake) are `Unsupported`.
///
/// A deleted interface is a fault, which [`recover`](Control::recover) and `start` end. Address and
/// filter are those of this device, not of the interface: they apply at once, in every state.
impl Control for Tap {
    /// Starts reception and transmission. Frames that arrived while the device was stopped are
    /// dropped without being counted. An interface that was deleted is opened again, as `recover`
    /// does. After an error the device is in its former state.
    fn start(&mut self) -> Result<(), TapError> {
        if self.removed {
            self.recover()?;
        }
        if self.running {
            return Ok(());
        }
        // `txqueuelen` may have become 0.
        read_settings(&self.io, &self.name)?;
        let before = self.stats.rx_reset;
        self.drain()?;
        self.stats.rx_reset = before;
        self.update_drops(false);
        self.running = true;
        let polled = self.poll_interface(Interest::ALL, Some(Duration::ZERO));
        self.running = polled.is_ok();
        polled.map(drop)
    }

    /// Stops reception and transmission. Pending frames are dropped, counted in `rx_reset`. The
    /// kernel's interface stays up, and its queue fills.
    ///
    /// # Errors
    ///
    /// `Io`: a frame cannot be read; the device is still running. A deleted interface is no error.
    fn stop(&mut self) -> Result<(), TapError> {
        if !self.running {
            return Ok(());
        }
        let drained = if self.removed { Ok(()) } else { self.drain() };
        if !self.removed {
            drained?;
        }
        self.update_drops(true);
        self.running = false;
        self.set_link(Link::Down);
        Ok(())
    }

    /// Changes the address of this device. Frames that the kernel has queued are filtered by the
    /// new address.
    ///
    /// # Errors
    ///
    /// `InvalidMacAddress`: a group address, all zeros, or the address of the kernel's interface.
    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), TapError> {
        let is_kernels = self.io.mac_address().is_ok_and(|kernel| kernel == address.octets());
        if !address.is_unicast() || is_kernels {
            return Err(TapError::InvalidMacAddress { address });
        }
        self.mac_address = address;
        Ok(())
    }

    /// Changes which frames are received. Always [`Exact`](FilterOutcome::Exact): the filter is in
    /// this device, not in the kernel, so a rejected frame costs a system call. It applies to
    /// frames that the kernel has queued.
    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, TapError> {
        self.filter = Filter::new(filter);
        Ok(FilterOutcome::Exact)
    }

    /// Opens the interface again if it was deleted, as it was first opened: by its name, and
    /// created if the configuration allows it. Reads the IP MTU and the queue length again in
    /// any case.
    ///
    /// An interface that exists stays open: closing one that this device created would delete it,
    /// with its IP addresses. Pending frames are dropped, counted in `rx_reset`.
    fn recover(&mut self) -> Result<(), TapError> {
        if self.removed {
            self.reopen()?;
        } else {
            let settings = read_settings(&self.io, &self.name)?;
            if self.running {
                self.drain()?;
            }
            self.apply(&settings);
        }
        self.poll_interface(Interest::ALL, Some(Duration::ZERO))?;
        self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
        Ok(())
    }
}
