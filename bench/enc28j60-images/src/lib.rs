//! The common part of the images: a host that is opaque to the optimizer, so that no driver is
//! optimized away.
#![no_std]

use core::hint::black_box;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{self, OutputPin};
use embedded_hal::spi::{self, ErrorType, Operation, SpiDevice};
use embedded_hal_async::digital::Wait;

/// The longest frame, without FCS.
pub const FRAME: usize = 1514;
/// The MAC address.
pub const MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x28];

/// An SPI device, a delay and a pin that take no memory and almost no code.
#[derive(Debug)]
pub struct Host;

/// The error of the bus.
#[derive(Debug)]
pub struct Failed;

impl spi::Error for Failed {
    fn kind(&self) -> spi::ErrorKind {
        spi::ErrorKind::Other
    }
}

impl digital::Error for Failed {
    fn kind(&self) -> digital::ErrorKind {
        digital::ErrorKind::Other
    }
}

impl ErrorType for Host {
    type Error = Failed;
}

impl digital::ErrorType for Host {
    type Error = Failed;
}

impl SpiDevice for Host {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Failed> {
        black_box(operations);
        black_box(Ok(()))
    }
}

impl embedded_hal_async::spi::SpiDevice for Host {
    async fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Failed> {
        wait().await;
        SpiDevice::transaction(self, operations)
    }
}

impl DelayNs for Host {
    fn delay_ns(&mut self, ns: u32) {
        black_box(ns);
    }
}

impl embedded_hal_async::delay::DelayNs for Host {
    async fn delay_ns(&mut self, ns: u32) {
        black_box(ns);
        wait().await;
    }
}

impl OutputPin for Host {
    fn set_low(&mut self) -> Result<(), Failed> {
        black_box(Ok(()))
    }

    fn set_high(&mut self) -> Result<(), Failed> {
        black_box(Ok(()))
    }
}

impl Wait for Host {
    async fn wait_for_high(&mut self) -> Result<(), Failed> {
        wait().await;
        black_box(Ok(()))
    }

    async fn wait_for_low(&mut self) -> Result<(), Failed> {
        wait().await;
        black_box(Ok(()))
    }

    async fn wait_for_rising_edge(&mut self) -> Result<(), Failed> {
        wait().await;
        black_box(Ok(()))
    }

    async fn wait_for_falling_edge(&mut self) -> Result<(), Failed> {
        wait().await;
        black_box(Ok(()))
    }

    async fn wait_for_any_edge(&mut self) -> Result<(), Failed> {
        wait().await;
        black_box(Ok(()))
    }
}

/// Waits for a time that the optimizer does not know.
async fn wait() {
    core::future::poll_fn(|_| black_box(core::task::Poll::Ready(()))).await;
}

/// A placeholder for a driver.
#[derive(Debug)]
pub struct Nothing;

impl Nothing {
    /// Receives a frame.
    pub fn receive(&mut self, buf: &mut [u8]) -> Option<usize> {
        black_box(buf);
        black_box(None)
    }

    /// Sends a frame.
    pub fn send(&mut self, frame: &[u8]) {
        black_box(frame);
    }
}
