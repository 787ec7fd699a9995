//! The async driver on bad chips. A bus whose futures are always ready gives the executor no turn by itself: the driver has to.

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
use ethdev_enc28j60::asynch::{Edge, Enc28j60, Interrupt, Level, Polled};
use ethdev_enc28j60::{Config, Error};
use ethdev_sim::block_on_until;

use super::liar::{Failed, Host, Liar, Oracle};
use super::{LONGEST, MAC, MOST_TRANSACTIONS, Rng, lab};

impl<O: Oracle> embedded_hal_async::spi::SpiDevice for Host<'_, O> {
    async fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Failed> {
        embedded_hal::spi::SpiDevice::transaction(self, operations)
    }
}

impl<O: Oracle> embedded_hal_async::delay::DelayNs for Host<'_, O> {
    async fn delay_ns(&mut self, ns: u32) {
        embedded_hal::delay::DelayNs::delay_ns(self, ns);
    }
}

/// An INT line that is shorted to ground, or noise that never ends.
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

/// Polls a future until it is ready or was pending `turns` times; the chip's limit holds for each turn.
fn turns<O: Oracle, T>(chip: &RefCell<Liar<O>>, turns: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..turns {
        chip.borrow_mut().begin();
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(output);
        }
    }
    None
}

fn waits_for_frames_in_vain(interrupt: impl Interrupt, rng: Rng) {
    let seed = rng.state;
    let (register, memory, failure) = (rng.register, rng.memory, rng.failure);
    let honest = Rng {
        register: 0,
        memory: 0,
        failure: 0,
        ..rng
    };
    let chip = RefCell::new(Liar::new(honest, MOST_TRANSACTIONS));
    let start = Enc28j60::new(Host(&chip), Host(&chip), interrupt, Config::new(MAC));
    let mut nic = turns(&chip, 10, start).expect("it ends").expect("honest so far");
    {
        let oracle = &mut chip.borrow_mut().oracle;
        (oracle.register, oracle.memory, oracle.failure) = (register, memory, failure);
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
fn an_int_line_that_never_rises_leaves_others_their_turn() {
    let honest = || Rng {
        state: 0,
        register: 0,
        memory: 0,
        failure: 0,
    };
    waits_for_frames_in_vain(Level(Shorted), honest());
    waits_for_frames_in_vain(Edge(Shorted), honest());
}

#[test]
fn lies_and_failures_end_every_turn() {
    for seed in 0..60 {
        let rng = || Rng {
            state: seed,
            register: [2, 30, 300, 1024][seed as usize % 4],
            memory: [0, 16, 1024][seed as usize % 3],
            failure: [0, 10, 200][seed as usize / 4 % 3],
        };
        waits_for_frames_in_vain(Level(Shorted), rng());
        waits_for_frames_in_vain(Edge(Shorted), rng());
    }
}

#[test]
fn an_absent_chip_is_told_at_once() {
    for stuck in [0x00, 0xff] {
        let lab = lab(0);
        lab.chip.set_miso(MisoFault::Stuck(stuck));
        let start = Enc28j60::new(lab.chip.spi_device(), lab.chip.delay(), Polled, Config::new(MAC));
        let error = block_on_until(&lab.clock, LONGEST, start).expect("in time");
        assert_eq!(
            error.expect_err("there is no chip"),
            Error::NotResponding { read: stuck }
        );
    }
}
