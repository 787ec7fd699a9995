//! The descriptor of a TAP interface.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd};

use ethdev::{IpMtu, LinkMode, MacAddress};
use nix::libc::{EAGAIN, EBADFD, EINTR, EIO, ENOBUFS, ENODEV, ENOMEM};
use tun_rs::SyncDevice;

use crate::error::InterfaceError;
use crate::link_monitor::{LinkMonitor, subscribe};
use crate::port::{Failure, Opened, Port, Received, Settings};
use crate::rx_filter::Filter;
use crate::tap::config::TapConfig;
use crate::tap::open::{self, open, read_settings};

/// The kernel's end of a [`Tap`](crate::Tap).
pub struct TapPort {
    io: SyncDevice,
}

impl AsFd for TapPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl Port for TapPort {
    type Config = TapConfig;

    const MIN_FRAME_LEN: usize = 0;
    const TX_PREFIX: &'static [u8] = &[];

    fn open(config: &TapConfig) -> Result<Opened<Self>, InterfaceError> {
        let open::Opened {
            io,
            name,
            index,
            mac_address,
        } = open(config)?;
        Ok(Opened {
            port: Self { io },
            name,
            // Without the socket only the carrier and the counter are unknown.
            link_monitor: LinkMonitor::new(index, subscribe().ok()),
            mac_address,
        })
    }

    fn reopen_config(config: &TapConfig, name: &str, address: MacAddress) -> TapConfig {
        TapConfig {
            name: name.to_owned(),
            mac_address: Some(address),
            ..config.clone()
        }
    }

    fn read_settings(&self, name: &str, _: &mut LinkMonitor) -> Result<Settings, InterfaceError> {
        read_settings(&self.io, name)
    }

    fn fits(&self, _: IpMtu) -> bool {
        true
    }

    fn recv(&mut self, buf: &mut [u8], rest: &mut [u8]) -> io::Result<Received> {
        let len = if rest.is_empty() {
            self.io.recv(buf)
        } else {
            self.io
                .recv_vectored(&mut [IoSliceMut::new(buf), IoSliceMut::new(rest)])
        };
        len.map(Received::whole)
    }

    fn send(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match parts {
            [frame] => self.io.send(frame),
            parts => self.io.send_vectored(parts),
        }
    }

    fn classify(error: &io::Error) -> Failure {
        match error.raw_os_error() {
            Some(EAGAIN | EINTR | ENOBUFS | ENOMEM) => Failure::Again,
            Some(EIO) => Failure::Down,
            Some(EBADFD | ENODEV) => Failure::Removed,
            _ => Failure::Other,
        }
    }

    fn polled_error(&mut self) -> bool {
        true
    }

    /// The descriptor works without announcements, also in another network namespace.
    fn is_removed(_: &LinkMonitor) -> bool {
        false
    }

    fn dropped(&mut self, monitor: &mut LinkMonitor) -> Option<u64> {
        monitor.refresh();
        monitor.dropped
    }

    fn link_mode(&self) -> LinkMode {
        LinkMode::UNKNOWN
    }

    /// The kernel passes every frame.
    fn configure(&mut self, address: MacAddress, _: &Filter) -> Result<(), InterfaceError> {
        if self.io.mac_address().is_ok_and(|kernel| kernel == address.octets()) {
            return Err(InterfaceError::InvalidMacAddress { address });
        }
        Ok(())
    }
}
