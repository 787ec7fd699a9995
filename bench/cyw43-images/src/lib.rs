//! The common part of the images: a host that is opaque to the optimizer, so that no driver is
//! optimized away.
//!
//! Each image has one driver and the same program: it starts the chip with firmware images that
//! are not in the binary, sets the power-save mode, joins a WPA2 network, and echoes frames
//! indefinitely.
#![no_std]

use core::convert::Infallible;
use core::hint::black_box;
use core::task::Poll;

use cyw43::SpiBusCyw43;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{self, OutputPin};
use ethdev_cyw43::{Gspi, RxWords, TxWords, asynch};

/// The longest frame, without FCS.
pub const FRAME: usize = 1514;
/// The network.
pub const SSID: &str = "network";
/// Its passphrase.
pub const PASSPHRASE: &str = "passphrase";

/// A gSPI bus, a delay and a pin that take no memory and almost no code.
#[derive(Debug)]
pub struct Host;

/// An image whose length and content the optimizer does not know.
#[must_use]
pub fn image<T: ?Sized>(empty: &'static T) -> &'static T {
    black_box(empty)
}

/// Returns the size of a task: everything that it keeps while it waits.
#[must_use]
pub const fn task_size<F>(_: &impl Fn() -> F) -> usize {
    size_of::<F>()
}

/// Waits for a time that the optimizer does not know.
async fn wait() {
    core::future::poll_fn(|_| black_box(Poll::Ready(()))).await;
}

impl Gspi for Host {
    type Error = Infallible;

    fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, Infallible> {
        black_box(command);
        for word in data {
            black_box(word);
        }
        Ok(black_box(0))
    }

    fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, Infallible> {
        black_box(command);
        for _ in 0..data.words_left() {
            data.push(black_box(0));
        }
        Ok(black_box(0))
    }

    fn set_strap(&mut self, low: bool) -> Result<(), Infallible> {
        black_box(low);
        Ok(())
    }

    fn interrupt(&mut self) -> Result<Option<bool>, Infallible> {
        Ok(Some(black_box(false)))
    }
}

impl asynch::Gspi for Host {
    type Error = Infallible;
    const CAN_WAIT: bool = true;

    async fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, Infallible> {
        wait().await;
        Gspi::write(self, command, data)
    }

    async fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, Infallible> {
        wait().await;
        Gspi::read(self, command, data)
    }

    async fn set_strap(&mut self, low: bool) -> Result<(), Infallible> {
        black_box(low);
        Ok(())
    }

    fn interrupt(&mut self) -> Result<Option<bool>, Infallible> {
        Ok(Some(black_box(false)))
    }

    async fn wait_for_interrupt(&mut self) -> Result<(), Infallible> {
        wait().await;
        Ok(())
    }
}

impl SpiBusCyw43 for Host {
    async fn cmd_write(&mut self, write: &[u32]) -> u32 {
        wait().await;
        black_box(write);
        black_box(0)
    }

    async fn cmd_read(&mut self, write: u32, read: &mut [u32]) -> u32 {
        wait().await;
        black_box((write, read));
        black_box(0)
    }

    async fn wait_for_event(&mut self) {
        wait().await;
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

impl digital::ErrorType for Host {
    type Error = Infallible;
}

impl OutputPin for Host {
    fn set_low(&mut self) -> Result<(), Infallible> {
        black_box(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        black_box(true);
        Ok(())
    }
}
