//! An application on the async API without a stack.

use std::rc::Rc;
use std::time::Duration;

use ethdev::MacAddress;
use ethdev::asynch::EthernetDevice;
use ethdev_sim::{Clock, Peer, RingConfig, RingNic, SimDelay, WireConfig};
use ethdev_util::IrqSignal;
use ethdev_util::asynch::BlockingAsync;

use crate::hosts::Host;
use crate::tasks::{End, time};

const FRAMES: usize = 40;
const MAC: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);

/// Echoes every frame.
async fn echo<D: EthernetDevice>(mut device: D) {
    let mut buf = [0; 1514];
    loop {
        let meta = device.recv(&mut buf).await.expect("the device works");
        device.send(&buf[..meta.len]).await.expect("the device works");
    }
}

fn frame(n: usize) -> Vec<u8> {
    let mut frame = MAC.octets().to_vec();
    frame.resize(60 + 36 * n, n as u8);
    frame
}

/// Sends bursts that are longer than the rings of the device, and waits for the echoes.
async fn peer(clock: Clock, remote: Peer, end: End) {
    let delay = SimDelay::new(&clock);
    for burst in 0..FRAMES / 4 {
        for n in burst * 4..burst * 4 + 4 {
            remote.send(&frame(n));
        }
        while remote.pending() < burst * 4 + 4 {
            delay.until(clock.now() + Duration::from_micros(100)).await;
        }
    }
    for n in 0..FRAMES {
        assert_eq!(remote.recv(), Some(frame(n)), "frame {n}");
    }
    end.signal();
}

pub(crate) fn with_interrupt(run: Host) {
    let (clock, end) = (Clock::new(), End::default());
    let irq: &'static IrqSignal = Box::leak(Box::new(IrqSignal::new()));
    let config = RingConfig::new(MAC).with_slots(4, 1).with_irq_signal(irq);
    let (wire, nic, remote) = RingNic::with_peer(&clock, WireConfig::default(), config);
    run(vec![
        end.until(echo(BlockingAsync::with_interrupt(nic, irq))),
        end.until(peer(clock.clone(), remote, end.clone())),
        Box::pin(time(clock, end)),
    ]);
    drop(wire);
}

pub(crate) fn with_polling(run: Host) {
    let (clock, end) = (Clock::new(), End::default());
    // The interrupt line is not connected.
    let config = RingConfig::new(MAC)
        .with_slots(4, 1)
        .with_irq_signal(Rc::new(IrqSignal::new()));
    let (wire, nic, remote) = RingNic::with_peer(&clock, WireConfig::default(), config);
    run(vec![
        end.until(echo(BlockingAsync::with_polling(
            nic,
            SimDelay::new(&clock),
            Duration::from_micros(50),
        ))),
        end.until(peer(clock.clone(), remote, end.clone())),
        Box::pin(time(clock, end)),
    ]);
    drop(wire);
}
