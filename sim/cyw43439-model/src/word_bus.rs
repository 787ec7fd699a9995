//! The bus in whole transactions of 32-bit words, as a host with a state machine in hardware drives
//! it.

use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::rc::Rc;

use ethdev_sim::SimDelay;
use ethdev_sim::model::Until;

use crate::cell::{Cyw43439, Shared};
use crate::error::BusFault;

/// How time passes during a transaction.
#[derive(Clone, Copy)]
enum Pace {
    /// The transaction advances the clock.
    Blocking,
    /// The transaction waits for the clock, which the executor advances.
    Async,
}

impl Pace {
    async fn wait(self, bus: &Shared, time: Duration) {
        let at = bus.clock().now() + time;
        match self {
            Self::Blocking => bus.clock().advance_to(at),
            Self::Async => SimDelay::new(bus.clock()).until(at).await,
        }
    }
}

/// Polls a future that does not wait.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a blocking transaction advances the clock and does not wait"),
    }
}

/// The bus, in transactions of whole words as they are on it, most significant bit first.
///
/// Its methods are those of hosts with a state machine in hardware, such as the PIO block of an
/// RP2040: a command word and data out, then data in, then the status word; 0 where the chip sends
/// none. Each method has an async form, which waits for the clock, and a blocking form, which
/// advances it and so runs all events that are due meanwhile. Words are not converted: in the mode
/// of 16-bit words, and in big-endian mode, the host must swap them.
///
/// Clones share the bus. A transaction takes effect at its last bit.
///
/// # Cancellation
///
/// A dropped transaction raises chip select at once: complete words have reached the chip, and the
/// rest is cut off.
#[derive(Clone)]
pub struct WordBus(Rc<Shared>);

impl WordBus {
    pub(crate) fn new(shared: &Rc<Shared>) -> Self {
        Self(shared.clone())
    }

    /// Writes: `words[0]` is the command, the rest the data. Returns the status word.
    ///
    /// # Errors
    ///
    /// [`BusFault`].
    ///
    /// # Panics
    ///
    /// Where `words` is empty.
    pub async fn cmd_write(&mut self, words: &[u32]) -> Result<u32, BusFault> {
        self.run(Pace::Async, words, &mut []).await
    }

    /// Fills `words`, response delay included. Returns the status word.
    ///
    /// # Errors
    ///
    /// [`BusFault`].
    pub async fn cmd_read(&mut self, command: u32, words: &mut [u32]) -> Result<u32, BusFault> {
        self.run(Pace::Async, &[command], words).await
    }

    /// As [`cmd_write`](Self::cmd_write), advancing the clock.
    ///
    /// # Errors
    ///
    /// [`BusFault`].
    ///
    /// # Panics
    ///
    /// Where `words` is empty.
    pub fn cmd_write_blocking(&mut self, words: &[u32]) -> Result<u32, BusFault> {
        at_once(self.run(Pace::Blocking, words, &mut []))
    }

    /// As [`cmd_read`](Self::cmd_read), advancing the clock.
    ///
    /// # Errors
    ///
    /// [`BusFault`].
    pub fn cmd_read_blocking(&mut self, command: u32, words: &mut [u32]) -> Result<u32, BusFault> {
        at_once(self.run(Pace::Blocking, &[command], words))
    }

    /// Waits until the interrupt line is high.
    ///
    /// # Cancellation
    ///
    /// Safe.
    pub async fn wait_for_event(&mut self) {
        self.0.line.wait(Until::High).await;
    }

    /// Whether the interrupt line is high.
    #[must_use]
    pub fn event_pending(&self) -> bool {
        self.0.line.is_high()
    }

    async fn run(&self, pace: Pace, out: &[u32], read: &mut [u32]) -> Result<u32, BusFault> {
        assert!(!out.is_empty(), "a transaction starts with its command");
        if self.0.model().gspi.is_selected() {
            self.0.with(Cyw43439::reentered);
            return Err(BusFault::Busy);
        }
        self.0.with(Cyw43439::draw_bus_failure)?;
        let (overhead, word_time, status) = {
            let chip = self.0.model();
            let status = usize::from(chip.model.chip.registers.status_enabled());
            (chip.model.chip.cx.config.overhead, chip.word_time(), status)
        };
        self.0.with(Cyw43439::select);
        let mut running = Running {
            bus: &self.0,
            began: self.0.clock().now() + overhead,
            word_time,
            out,
            done: false,
        };
        let words = out.len() + read.len() + status;
        pace.wait(&self.0, overhead + word_time * words as u32).await;
        running.done = true;
        Ok(self.0.with(|chip| {
            for word in out {
                chip.shift_out(*word);
            }
            for word in read.iter_mut() {
                *word = chip.shift_in();
            }
            let status = chip.shift_status();
            chip.deselect();
            status
        }))
    }
}

impl fmt::Debug for WordBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordBus").finish_non_exhaustive()
    }
}

/// A transaction that runs. Dropped before its end, it is cut off.
struct Running<'a> {
    bus: &'a Shared,
    began: Duration,
    word_time: Duration,
    out: &'a [u32],
    done: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let elapsed = self.bus.clock().now().saturating_sub(self.began);
        let mut words = (elapsed.as_nanos() / self.word_time.as_nanos().max(1)) as usize;
        self.bus.with(|chip| {
            for word in self.out.iter().take(words) {
                chip.shift_out(*word);
                words -= 1;
            }
            for _ in 0..words {
                let _: u32 = chip.shift_in();
            }
            chip.deselect();
        });
    }
}
