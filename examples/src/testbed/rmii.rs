//! Connects the RMII port model to the driver: the two ports that firmware for such hardware
//! implements, with the interrupt handler.

use core::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use ethdev::ErrorKind;
use ethdev_rmii::{PortInterrupt, Received, RxPort, TxPort};
use rmii_port_model::{Event, RmiiPort, RxDone};

/// A buffer for one frame.
pub type Buffer = Box<[u8]>;
/// The port model.
pub type Port = RmiiPort<Buffer>;

/// Number of queued buffers in each direction, besides the one in use.
const DEPTH: usize = 4;

/// State shared by the interrupt handler and the driver.
#[derive(Debug, Default)]
struct Queues {
    /// Buffers to receive into.
    empty: RefCell<VecDeque<Buffer>>,
    received: RefCell<VecDeque<RxDone<Buffer>>>,
    to_send: RefCell<VecDeque<(Buffer, usize)>>,
    rx_interrupt: Cell<bool>,
    tx_interrupt: Cell<bool>,
}

impl Queues {
    /// The borrow ends before the port is used: that may cause an interrupt.
    fn next_empty(&self) -> Option<Buffer> {
        self.empty.borrow_mut().pop_front()
    }

    fn next_to_send(&self) -> Option<(Buffer, usize)> {
        self.to_send.borrow_mut().pop_front()
    }

    /// Handles the end of a reception: starts the next one, then queues the received frame.
    fn receive_on(&self, port: &Port) {
        let Some(done) = port.rx_done() else { return };
        if let Some(buffer) = self.next_empty() {
            // Cannot fail: the receiver is idle, and the buffer is not empty.
            let _ = port.start_rx(buffer);
        }
        self.received.borrow_mut().push_back(done);
    }

    fn send_on(&self, port: &Port) {
        if !port.is_sending()
            && let Some((buffer, len)) = self.next_to_send()
        {
            port.start_tx(buffer, len);
        }
    }
}

/// The receive port.
#[derive(Debug)]
pub struct RmiiRx(Port, Rc<Queues>);

/// The transmit port.
#[derive(Debug)]
pub struct RmiiTx(Port, Rc<Queues>);

/// Splits `port`. Enabled interrupts call `on_interrupt`.
pub fn split(port: &Port, on_interrupt: impl Fn() + 'static) -> (RmiiRx, RmiiTx) {
    let queues = Rc::new(Queues::default());
    port.on_event({
        let (port, queues) = (port.clone(), queues.clone());
        move |event| {
            let enabled = match event {
                Event::Received => {
                    queues.receive_on(&port);
                    &queues.rx_interrupt
                }
                Event::Sent => {
                    queues.send_on(&port);
                    &queues.tx_interrupt
                }
            };
            if enabled.get() {
                on_interrupt();
            }
        }
    });
    (RmiiRx(port.clone(), queues.clone()), RmiiTx(port.clone(), queues))
}

impl RxPort for RmiiRx {
    type Buffer = Buffer;
    type Error = ErrorKind;

    fn depth(&self) -> usize {
        DEPTH + 1
    }

    fn has_capacity(&mut self) -> bool {
        self.1.empty.borrow().len() < DEPTH
    }

    fn start(&mut self, buffer: Buffer) -> Result<(), Buffer> {
        if !self.has_capacity() {
            return Err(buffer);
        }
        if self.0.is_receiving() || self.0.is_rx_done() {
            self.1.empty.borrow_mut().push_back(buffer);
            return Ok(());
        }
        self.0.start_rx(buffer)
    }

    fn done(&mut self) -> Result<Option<Received<Buffer>>, ErrorKind> {
        let done = self.1.received.borrow_mut().pop_front();
        Ok(done.map(|done| Received::new(done.buffer, done.len)))
    }

    fn stop(&mut self) -> Option<Buffer> {
        let received = self.1.received.borrow_mut().pop_front().map(|done| done.buffer);
        received
            .or_else(|| self.1.next_empty())
            .or_else(|| self.0.stop_rx())
            .or_else(|| self.0.rx_done().map(|done| done.buffer))
    }
}

impl TxPort for RmiiTx {
    type Buffer = Buffer;
    type Error = ErrorKind;

    fn depth(&self) -> usize {
        DEPTH + 1
    }

    fn has_capacity(&mut self) -> bool {
        self.1.to_send.borrow().len() < DEPTH
    }

    fn start(&mut self, buffer: Buffer, len: usize) -> Result<(), Buffer> {
        if !self.has_capacity() {
            return Err(buffer);
        }
        self.1.to_send.borrow_mut().push_back((buffer, len));
        self.1.send_on(&self.0);
        Ok(())
    }

    fn done(&mut self) -> Result<Option<Buffer>, ErrorKind> {
        Ok(self.0.tx_done())
    }

    fn abort(&mut self) -> Option<Buffer> {
        self.0.abort_tx();
        self.0
            .tx_done()
            .or_else(|| self.1.next_to_send().map(|(buffer, _)| buffer))
    }
}

impl PortInterrupt for RmiiRx {
    fn set_interrupt(&mut self, enabled: bool) {
        self.1.rx_interrupt.set(enabled);
    }
}

impl PortInterrupt for RmiiTx {
    fn set_interrupt(&mut self, enabled: bool) {
        self.1.tx_interrupt.set(enabled);
    }
}
