//! The table of NICs. A new driver takes one line here.

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::rc::Rc;
use std::sync::Arc;

use ethdev::asynch::Async;
use ethdev::pump::Pump;
use ethdev::{Doorbell, Erased, ErasedDevice, Speed};
use ethdev_sim::{Port, RingConfig, RingNic};

use super::bench::Bench;
use super::flag::Flag;
use super::world::Failure;

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Nic {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What the application uses it through.
    pub surface: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Speed of its wire.
    pub(super) speed: Speed,
    /// Makes the device on its end of the wire, and hands it to the bench.
    pub(super) plug: fn(Bench<'_>, Port) -> Result<(), Failure>,
}

const fn nic(
    name: &'static str,
    speed: Speed,
    surface: &'static str,
    about: &'static str,
    plug: fn(Bench<'_>, Port) -> Result<(), Failure>,
) -> Nic {
    Nic {
        name,
        surface,
        about,
        speed,
        plug,
    }
}

/// Every NIC that the workspace has.
#[rustfmt::skip]
pub const NICS: &[Nic] = &[
    nic("ring", Speed::MBPS_100, "lent", "memory NIC: frames are lent where they lie", |b, port| { let nic = ring(&b, port); b.lent(nic) }),
    nic("ring-10", Speed::MBPS_10, "lent", "the same at 10 Mbit/s", |b, port| { let nic = ring(&b, port); b.lent(nic) }),
    nic("ring-pull", Speed::MBPS_100, "pull", "the same, asked for each frame, with buffers in front, as devices behind a bus are", |b, port| { let nic = ring(&b, port); b.pulled(nic) }),
    nic("ring-dyn", Speed::MBPS_100, "dyn", "the same, chosen at run time: `&mut dyn ErasedDevice`", dynamic),
    nic("ring-pump", Speed::MBPS_100, "async pump", "the same, async by interrupt, in a task of its own behind frame queues", pumped),
];

fn ring(bench: &Bench<'_>, port: Port) -> RingNic {
    RingNic::new(bench.clock(), port, RingConfig::new(bench.mac_address()))
}

fn dynamic(bench: Bench<'_>, port: Port) -> Result<(), Failure> {
    let mut nic = Erased::new(ring(&bench, port));
    let nic: &mut dyn ErasedDevice = &mut nic;
    bench.pulled(nic)
}

fn pumped(bench: Bench<'_>, port: Port) -> Result<(), Failure> {
    let doorbell = Rc::new(Doorbell::new());
    let config = RingConfig::new(bench.mac_address()).with_doorbell(doorbell.clone());
    let nic = RingNic::new(bench.clock(), port, config);
    let device = Async::by_interrupt(bench.meter(nic), &doorbell);
    let (mut rx, mut tx) = ([[0; 1514]; 16], [[0; 1514]; 16]);
    let mut pump = Pump::new();
    let (mut runner, stack) = pump.split(device, &mut rx, &mut tx);
    let mut run = pin!(runner.run());
    let woken = Arc::new(Flag::raised());
    let waker = Waker::from(woken.clone());
    // Run only when it was woken: a wake-up that is lost stalls it, as it would on an executor.
    let mut background = || {
        if woken.take()
            && let Poll::Ready(Err(e)) = run.as_mut().poll(&mut Context::from_waker(&waker))
        {
            return Err(Failure(format!("the pump stopped: {e}")));
        }
        Ok(woken.is_raised())
    };
    bench.metered(stack, &mut background)
}
