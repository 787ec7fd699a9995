//! The async driver on misbehaving chips. A bus whose futures are always ready never yields to the
//! executor: the driver must.

use core::cell::RefCell;
use core::convert::Infallible;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_hal::digital::ErrorType;
use embedded_hal::spi::Operation;
use embedded_hal_async::digital::Wait;
use enc28j60_model::MisoFault;
use ethdev::asynch::EthernetDevice;
use ethdev::{Error as _, ErrorKind, Interest};
use ethdev_enc28j60::asynch::{EdgeIrq, Enc28j60, Interrupt, LevelIrq, Polled};
use ethdev_enc28j60::{Config, Error};
use ethdev_sim::block_on_until;

use super::spi::{Failed, FaultInjector, FaultyChip, Host};
use super::{LONGEST, MAC, MOST_TRANSACTIONS, Rng, testbed};

impl<O: FaultInjector> embedded_hal_async::spi::SpiDevice for Host<'_, O> {
    async fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Failed> {
        embedded_hal::spi::SpiDevice::transaction(self, operations)
    }
}

impl<O: FaultInjector> embedded_hal_async::delay::DelayNs for Host<'_, O> {
    async fn delay_ns(&mut self, ns: u32) {
        embedded_hal::delay::DelayNs::delay_ns(self, ns);
    }
}

/// An INT line that is shorted to ground, or endless edges.
struct Shorted;

impl ErrorType for Shorted {
    type Error = Infallible;
}

impl Wait for Shorted {
    async fn wait_for_high(&mut self) -> Result<(), Infallible> {
        core::future::pending().await
    }

    async fn wait_for_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn wait_for_rising_edge(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn wait_for_falling_edge(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn wait_for_any_edge(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Polls a future until it is ready or was pending `turns` times; the chip's limit holds for each
/// turn.
fn turns<O: FaultInjector, T>(
    chip: &RefCell<FaultyChip<O>>,
    turns: usize,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..turns {
        chip.borrow_mut().begin();
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(output);
        }
    }
    None
}

fn wait_without_frames(interrupt: impl Interrupt, rng: Rng) {
    let seed = rng.state;
    let (register, memory, failure) = (rng.register, rng.memory, rng.failure);
    let fault_free = Rng {
        register: 0,
        memory: 0,
        failure: 0,
        ..rng
    };
    let chip = RefCell::new(FaultyChip::new(fault_free, MOST_TRANSACTIONS));
    let start = Enc28j60::new(Host(&chip), Host(&chip), interrupt, Config::new(MAC));
    let mut nic = turns(&chip, 10, start).expect("it ends").expect("no faults yet");
    {
        let injector = &mut chip.borrow_mut().injector;
        (injector.register, injector.memory, injector.failure) = (register, memory, failure);
    }
    let mut buf = [0; 1514];
    for _ in 0..20 {
        let waited = turns(&chip, 20, nic.ready(Interest::RX));
        if let Some(Err(e)) = waited {
            assert_ne!(e.kind(), ErrorKind::Other, "seed {seed}: {e}");
        }
        turns(&chip, 20, nic.recv_frame(&mut buf));
    }
}

#[test]
fn ready_int_stuck_low_yields() {
    let fault_free = || Rng {
        state: 0,
        register: 0,
        memory: 0,
        failure: 0,
    };
    wait_without_frames(LevelIrq(Shorted), fault_free());
    wait_without_frames(EdgeIrq(Shorted), fault_free());
}

#[test]
fn ready_random_faults_yield() {
    for seed in 0..60 {
        let rng = || Rng {
            state: seed,
            register: [2, 30, 300, 1024][seed as usize % 4],
            memory: [0, 16, 1024][seed as usize % 3],
            failure: [0, 10, 200][seed as usize / 4 % 3],
        };
        wait_without_frames(LevelIrq(Shorted), rng());
        wait_without_frames(EdgeIrq(Shorted), rng());
    }
}

#[test]
fn new_absent_chip_is_not_responding() {
    for stuck in [0x00, 0xff] {
        let testbed = testbed(0);
        testbed.chip.set_miso(MisoFault::Stuck(stuck));
        let start = Enc28j60::new(
            testbed.chip.spi_device(),
            testbed.chip.delay(),
            Polled,
            Config::new(MAC),
        );
        let error = block_on_until(&testbed.clock, LONGEST, start).expect("in time");
        assert_eq!(
            error.expect_err("there is no chip"),
            Error::NotResponding { read: stuck }
        );
    }
}
