//! The modelled one-shot port as the two ports that the driver asks for: what firmware for such hardware writes, its interrupt handler included.

use core::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use ethdev::ErrorKind;
use ethdev_rmii::{PortInterrupt, Received, RxPort, TxPort};
use rmii_port_model::{Event, RmiiPort, RxDone};

/// Memory for one frame.
pub type Buffer = Box<[u8]>;
/// The port of the model.
pub type Port = RmiiPort<Buffer>;

/// How many buffers wait behind the one in use, in each direction.
const DEPTH: usize = 4;

/// What the interrupt handler and the driver share.
#[derive(Debug, Default)]
struct Queues {
    /// To receive into.
    empty: RefCell<VecDeque<Buffer>>,
    received: RefCell<VecDeque<RxDone<Buffer>>>,
    to_send: RefCell<VecDeque<(Buffer, usize)>>,
    rings_rx: Cell<bool>,
    rings_tx: Cell<bool>,
}

impl Queues {
    /// Each borrow ends before the port is used: using it may interrupt.
    fn next_empty(&self) -> Option<Buffer> {
        self.empty.borrow_mut().pop_front()
    }

    fn next_to_send(&self) -> Option<(Buffer, usize)> {
        self.to_send.borrow_mut().pop_front()
    }

    /// The end of a reception: the next begins before anybody looks at this one.
    fn receive_on(&self, port: &Port) {
        let Some(done) = port.rx_done() else { return };
        if let Some(buffer) = self.next_empty() {
            // The receiver is idle and the buffer is not empty, so it is taken.
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

/// The receiving end.
#[derive(Debug)]
pub struct RxEnd(Port, Rc<Queues>);

/// The sending end.
#[derive(Debug)]
pub struct TxEnd(Port, Rc<Queues>);

/// Both ends of `port`. `bell` is what their interrupts ring, where they are enabled.
pub fn ends(port: &Port, bell: impl Fn() + 'static) -> (RxEnd, TxEnd) {
    let queues = Rc::new(Queues::default());
    port.on_event({
        let (port, queues) = (port.clone(), queues.clone());
        move |event| {
            let rings = match event {
                Event::Received => {
                    queues.receive_on(&port);
                    &queues.rings_rx
                }
                Event::Sent => {
                    queues.send_on(&port);
                    &queues.rings_tx
                }
            };
            if rings.get() {
                bell();
            }
        }
    });
    (RxEnd(port.clone(), queues.clone()), TxEnd(port.clone(), queues))
}

impl RxPort for RxEnd {
    type Buffer = Buffer;
    type Error = ErrorKind;

    fn depth(&self) -> usize {
        DEPTH + 1
    }

    fn has_room(&mut self) -> bool {
        self.1.empty.borrow().len() < DEPTH
    }

    fn start(&mut self, buffer: Buffer) -> Result<(), Buffer> {
        if !self.has_room() {
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

impl TxPort for TxEnd {
    type Buffer = Buffer;
    type Error = ErrorKind;

    fn depth(&self) -> usize {
        DEPTH + 1
    }

    fn has_room(&mut self) -> bool {
        self.1.to_send.borrow().len() < DEPTH
    }

    fn start(&mut self, buffer: Buffer, len: usize) -> Result<(), Buffer> {
        if !self.has_room() {
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

impl PortInterrupt for RxEnd {
    fn set_interrupt(&mut self, enabled: bool) {
        self.1.rings_rx.set(enabled);
    }
}

impl PortInterrupt for TxEnd {
    fn set_interrupt(&mut self, enabled: bool) {
        self.1.rings_tx.set(enabled);
    }
}
