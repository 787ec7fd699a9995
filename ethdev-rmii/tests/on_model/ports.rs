//! The two ports of the driver over the simulated port, polled and interrupt-driven, as in
//! firmware.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use ethdev::ErrorKind;
use ethdev_rmii::{PortInterrupt, Received, RxPort, TxPort};
use rmii_port_model::{Event, RmiiPort};

pub(crate) type Buffer = Box<[u8]>;
pub(crate) type Hardware = RmiiPort<Buffer>;

pub(crate) fn buffers<const N: usize>(len: usize) -> [Buffer; N] {
    std::array::from_fn(|_| vec![0xa5; len].into_boxed_slice())
}

/// The state that the interrupt handler shares with both ports.
#[derive(Default)]
pub(crate) struct Shared {
    /// Number of buffers queued behind the one in use; 0 without an interrupt handler.
    depth: usize,
    empty: RefCell<VecDeque<Buffer>>,
    received: RefCell<VecDeque<Received<Buffer>>>,
    waiting: RefCell<VecDeque<(Buffer, usize)>>,
    sent: RefCell<VecDeque<Buffer>>,
    signals: [Cell<bool>; 2],
    /// Number of missed frames that the driver has read.
    missed: Cell<u64>,
    /// Number of buffers that were returned by `stop` with a frame in them.
    dropped: Cell<u64>,
    /// Every call fails until the port is reset.
    pub(crate) broken: Cell<bool>,
}

impl Shared {
    fn check(&self) -> Result<(), ErrorKind> {
        if self.broken.get() {
            Err(ErrorKind::Fault)
        } else {
            Ok(())
        }
    }

    fn receive(&self, hardware: &Hardware) {
        let Some(done) = hardware.rx_done() else { return };
        let next = self.empty.borrow_mut().pop_front();
        if let Some(next) = next {
            hardware.start_rx(next).unwrap();
        }
        self.received
            .borrow_mut()
            .push_back(Received::new(done.buffer, done.len));
    }

    fn send(&self, hardware: &Hardware) {
        while let Some(buffer) = hardware.tx_done() {
            self.sent.borrow_mut().push_back(buffer);
        }
        if hardware.is_sending() {
            return;
        }
        let next = self.waiting.borrow_mut().pop_front();
        if let Some((buffer, len)) = next {
            hardware.start_tx(buffer, len);
        }
    }
}

pub(crate) struct Rx(Hardware, Rc<Shared>);
pub(crate) struct Tx(Hardware, Rc<Shared>);

/// Polled: one buffer in each direction, no interrupt handler.
pub(crate) fn polled(hardware: &Hardware, signal: impl Fn() + 'static) -> (Rx, Tx, Rc<Shared>) {
    ports(hardware, 0, signal)
}

/// With an interrupt handler, and `depth` buffers queued behind the one in use.
pub(crate) fn queued(hardware: &Hardware, depth: usize, signal: impl Fn() + 'static) -> (Rx, Tx, Rc<Shared>) {
    ports(hardware, depth, signal)
}

fn ports(hardware: &Hardware, depth: usize, signal: impl Fn() + 'static) -> (Rx, Tx, Rc<Shared>) {
    let shared = Rc::new(Shared {
        depth,
        ..Shared::default()
    });
    let (port, handler) = (hardware.clone(), shared.clone());
    hardware.on_event(move |event| {
        if handler.depth > 0 {
            match event {
                Event::Received => handler.receive(&port),
                Event::Sent => handler.send(&port),
            }
        }
        if handler.signals[event as usize].get() {
            signal();
        }
    });
    (
        Rx(hardware.clone(), shared.clone()),
        Tx(hardware.clone(), shared.clone()),
        shared,
    )
}

impl Rx {
    fn take(&mut self) -> Option<Received<Buffer>> {
        let queued = self.1.received.borrow_mut().pop_front();
        queued.or_else(|| self.0.rx_done().map(|done| Received::new(done.buffer, done.len)))
    }
}

impl RxPort for Rx {
    type Buffer = Buffer;
    type Error = ErrorKind;

    // A port with a counter on CRS_DV can count.
    const COUNTS_MISSED: bool = true;

    fn depth(&self) -> usize {
        1 + self.1.depth
    }

    fn has_capacity(&mut self) -> bool {
        let idle = !self.0.is_receiving() && !self.0.is_rx_done();
        idle || self.1.empty.borrow().len() < self.1.depth
    }

    fn start(&mut self, buffer: Buffer) -> Result<(), Buffer> {
        if !self.0.is_receiving() && !self.0.is_rx_done() {
            return self.0.start_rx(buffer);
        }
        if self.1.empty.borrow().len() == self.1.depth {
            return Err(buffer);
        }
        self.1.empty.borrow_mut().push_back(buffer);
        Ok(())
    }

    fn done(&mut self) -> Result<Option<Received<Buffer>>, ErrorKind> {
        self.1.check()?;
        Ok(self.take())
    }

    fn stop(&mut self) -> Option<Buffer> {
        if let Some(received) = self.take() {
            self.1.dropped.set(self.1.dropped.get() + 1);
            return Some(received.buffer);
        }
        let waiting = self.1.empty.borrow_mut().pop_front();
        waiting.or_else(|| self.0.stop_rx())
    }

    fn missed(&mut self) -> u32 {
        let stats = self.0.stats();
        let missed = stats.unarmed + stats.stopped + self.1.dropped.get();
        (missed - self.1.missed.replace(missed)) as u32
    }

    fn reset(&mut self) -> Result<(), ErrorKind> {
        self.1.broken.set(false);
        Ok(())
    }
}

impl TxPort for Tx {
    type Buffer = Buffer;
    type Error = ErrorKind;

    fn depth(&self) -> usize {
        1 + self.1.depth
    }

    fn has_capacity(&mut self) -> bool {
        !self.0.is_sending() || self.1.waiting.borrow().len() < self.1.depth
    }

    fn start(&mut self, buffer: Buffer, len: usize) -> Result<(), Buffer> {
        if !self.has_capacity() {
            return Err(buffer);
        }
        self.1.waiting.borrow_mut().push_back((buffer, len));
        self.1.send(&self.0);
        Ok(())
    }

    fn done(&mut self) -> Result<Option<Buffer>, ErrorKind> {
        self.1.check()?;
        self.1.send(&self.0);
        Ok(self.1.sent.borrow_mut().pop_front())
    }

    fn abort(&mut self) -> Option<Buffer> {
        let waiting = self.1.waiting.borrow_mut().pop_back();
        if let Some((buffer, _)) = waiting {
            return Some(buffer);
        }
        self.0.abort_tx();
        self.1.sent.borrow_mut().pop_front().or_else(|| self.0.tx_done())
    }

    fn reset(&mut self) -> Result<(), ErrorKind> {
        self.1.broken.set(false);
        Ok(())
    }
}

impl PortInterrupt for Rx {
    fn set_interrupt(&mut self, enabled: bool) {
        self.1.signals[Event::Received as usize].set(enabled);
    }
}

impl PortInterrupt for Tx {
    fn set_interrupt(&mut self, enabled: bool) {
        self.1.signals[Event::Sent as usize].set(enabled);
    }
}
