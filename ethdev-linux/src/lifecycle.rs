//! Opening, and the management API.

use core::time::Duration;

use ethdev::{Control, FilterOutcome, Interest, Link, MacAddress, RxFilter};

use crate::error::InterfaceError;
use crate::interface::Interface;
use crate::port::{Opened, Port};
use crate::rx_filter::Filter;

impl<P: Port> Interface<P> {
    /// Opens the interface of `config`. The errors depend on the kind of interface: see
    /// [`Tap`](crate::Tap) and [`PacketSocket`](crate::PacketSocket).
    ///
    /// # Errors
    ///
    /// `InvalidName`, `InvalidMacAddress`, `PermissionDenied`, `NoSuchInterface`, those of the
    /// kind, or `Io` for other failures of system calls.
    pub fn with_config(config: P::Config) -> Result<Self, InterfaceError> {
        let mut device = Self::new(P::open(&config)?, config);
        device.port.configure(device.mac_address, &device.filter)?;
        device.apply_settings()?;
        device.restart_drops();
        // Without announcements the link is known only after a poll.
        device.poll_interface(Interest::ALL, Some(Duration::ZERO))?;
        // The initial state is not a change.
        device.stats.link_changes = 0;
        device.reported.link = device.link;
        device.reported.link_by_wait = device.link;
        Ok(device)
    }

    /// Opens the interface again after it was deleted.
    fn reopen(&mut self) -> Result<(), InterfaceError> {
        let config = P::reopen_config(&self.config, &self.name, self.mac_address);
        let Opened {
            mut port,
            name,
            mut link_monitor,
            ..
        } = P::open(&config)?;
        port.configure(self.mac_address, &self.filter)?;
        port.read_settings(&name, &mut link_monitor)?;
        self.port = port;
        self.name = name;
        self.link_monitor = link_monitor;
        #[cfg(feature = "async-io")]
        self.registration.clear();
        self.reset_held();
        self.reset_unsent();
        self.apply_settings()?;
        self.restart_drops();
        self.removed = false;
        Ok(())
    }
}

/// [`sleep`](Control::sleep) and [`wake`](Control::wake) are `Unsupported`.
///
/// A deleted interface is a fault, which [`recover`](Control::recover) and `start` end. Address and
/// filter are those of this device, not of the interface: they apply at once, in every state.
/// (While the interface is deleted they are stored, and `recover` applies them.)
impl<P: Port> Control for Interface<P> {
    /// Starts reception and transmission. Frames that arrived while the device was stopped are
    /// dropped without being counted. An interface that was deleted is opened again, as `recover`
    /// does. After an error the device is in its former state.
    fn start(&mut self) -> Result<(), InterfaceError> {
        if self.removed {
            self.recover()?;
        }
        if self.running {
            return Ok(());
        }
        // The `txqueuelen` of a TAP interface may have become 0.
        self.port.read_settings(&self.name, &mut self.link_monitor)?;
        let before = self.stats.rx_reset;
        self.drain()?;
        self.stats.rx_reset = before;
        self.update_drops(false);
        self.running = true;
        let polled = self.poll_interface(Interest::ALL, Some(Duration::ZERO));
        self.running = polled.is_ok();
        polled.map(drop)
    }

    /// Stops reception and transmission. Pending frames are dropped, counted in `rx_reset` and
    /// `tx_reset`. The
    /// kernel's interface stays up, and its queue fills.
    ///
    /// # Errors
    ///
    /// `Io`: a frame cannot be read; the device is still running. A deleted interface is no error.
    fn stop(&mut self) -> Result<(), InterfaceError> {
        if !self.running {
            return Ok(());
        }
        let drained = if self.removed { Ok(()) } else { self.drain() };
        if !self.removed {
            drained?;
        }
        self.reset_unsent();
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
    /// `InvalidMacAddress`: a group address, all zeros, or, for a TAP interface, the address of the
    /// kernel's end. `Io`: the kernel does not add the address to the interface. The former address
    /// stays.
    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), InterfaceError> {
        if !address.is_unicast() {
            return Err(InterfaceError::InvalidMacAddress { address });
        }
        if !self.removed {
            self.port.configure(address, &self.filter)?;
        }
        self.mac_address = address;
        Ok(())
    }

    /// Changes which frames are received. Always [`Exact`](FilterOutcome::Exact): the filter is in
    /// this device, so a rejected frame costs a system call. It applies to frames that the kernel
    /// has queued. A packet socket also adds the groups to the interface.
    ///
    /// # Errors
    ///
    /// `Io`: the kernel does not add a group to the interface. The former filter stays.
    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, InterfaceError> {
        let filter = Filter::new(filter);
        if !self.removed {
            self.port.configure(self.mac_address, &filter)?;
        }
        self.filter = filter;
        Ok(FilterOutcome::Exact)
    }

    /// Opens the interface again if it was deleted, as it was first opened: by its name, and (a TAP
    /// interface) created if the configuration allows it. Reads the IP MTU and the queue length
    /// again in any case.
    ///
    /// An interface that exists stays open: closing a TAP interface that this device created would
    /// delete it, with its IP addresses. Pending frames are dropped, counted in `rx_reset`.
    fn recover(&mut self) -> Result<(), InterfaceError> {
        if self.removed {
            self.reopen()?;
        } else {
            if self.running {
                self.drain()?;
            }
            self.apply_settings()?;
            if !self.port.fits(self.capabilities.ip_mtu()) {
                self.reopen()?;
            }
        }
        self.poll_interface(Interest::ALL, Some(Duration::ZERO))?;
        self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
        Ok(())
    }
}
