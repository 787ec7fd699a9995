//! The SPI bus as the host uses it.

use core::fmt;
use core::future::Future;
use core::ops::Range;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::rc::Rc;

use embedded_hal::spi::{ErrorType, Operation};

use ethdev_sim::SimDelay;

use crate::cell::{Enc28j60, Shared};
use crate::error::SpiFault;

/// How time passes during a transfer.
#[derive(Clone, Copy)]
enum Pace {
    /// The transfer advances the clock.
    Blocking,
    /// The transfer waits for the clock, which the executor advances.
    Async,
}

impl Pace {
    async fn until(self, bus: &Shared, at: Duration) {
        match self {
            Self::Blocking => bus.clock().advance_to(at),
            Self::Async => SimDelay::new(bus.clock()).until(at).await,
        }
    }

    async fn wait(self, bus: &Shared, time: Duration) {
        if !time.is_zero() {
            self.until(bus, bus.clock().now() + time).await;
        }
    }
}

/// Polls a future that does not wait.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a blocking transfer advances the clock and does not wait"),
    }
}

/// Raises chip select when a transaction ends, is dropped, or fails.
struct Selected<'a>(&'a Shared);

impl Drop for Selected<'_> {
    fn drop(&mut self) {
        self.0.with(Enc28j60::deselect);
    }
}

async fn assert_select(bus: &Shared, pace: Pace) -> Result<Selected<'_>, SpiFault> {
    let (gap, overhead, setup) = {
        let chip = bus.model();
        let gap = chip.spi.deselected_at + chip.model.chip.cx.config.cs_gap;
        (
            gap.saturating_sub(bus.clock().now()),
            chip.model.chip.cx.config.overhead,
            chip.model.chip.cx.config.cs_setup,
        )
    };
    pace.wait(bus, gap.max(overhead)).await;
    if bus.model().spi.is_selected() {
        bus.with(Enc28j60::reentered);
        return Err(SpiFault::Busy);
    }
    bus.with(Enc28j60::select);
    // Before the first wait: the transaction may be dropped in it.
    let selected = Selected(bus);
    pace.wait(bus, setup).await;
    Ok(selected)
}

/// Clocks the bytes of one operation.
async fn exchange(bus: &Shared, pace: Pace, operation: &mut Operation<'_, u8>) -> Result<(), SpiFault> {
    if let Operation::DelayNs(ns) = operation {
        pace.wait(bus, Duration::from_nanos((*ns).into())).await;
        return Ok(());
    }
    let len = len_of(operation);
    let byte_time = bus.model().byte_time();
    let mut done = 0;
    while done < len {
        let bytes = quiet_bytes(bus, byte_time, len - done);
        pace.wait(bus, byte_time * bytes as u32).await;
        bus.with(|chip| clock_bytes(chip, operation, done..done + bytes))?;
        done += bytes;
    }
    Ok(())
}

/// How many of the next `wanted` bytes may be transferred at once: those of a memory access that
/// end before the next event of the clock.
fn quiet_bytes(bus: &Shared, byte_time: Duration, wanted: usize) -> usize {
    if !bus.model().spi.is_streaming() {
        return 1;
    }
    let Some(next) = bus.clock().next_event() else {
        return wanted;
    };
    let quiet = next.saturating_sub(bus.clock().now());
    let bytes = quiet.as_nanos() / byte_time.as_nanos();
    usize::try_from(bytes).unwrap_or(usize::MAX).clamp(1, wanted)
}

async fn transaction(bus: &Shared, pace: Pace, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiFault> {
    let selected = assert_select(bus, pace).await?;
    let len = operations.iter().map(len_of).sum();
    bus.with(|chip| chip.draw_corruption(len));
    for operation in operations.iter_mut() {
        exchange(bus, pace, operation).await?;
    }
    let hold = bus.model().model.chip.cx.config.cs_hold;
    pace.wait(bus, hold).await;
    drop(selected);
    let corruption = bus.with(Enc28j60::take_corruption);
    if let (Some(mask), Some(byte)) = (corruption, last_read(operations)) {
        *byte ^= mask;
    }
    Ok(())
}

/// How many bytes an operation transfers.
fn len_of(operation: &Operation<'_, u8>) -> usize {
    match operation {
        Operation::Read(words) => words.len(),
        Operation::Write(words) => words.len(),
        Operation::Transfer(read, write) => read.len().max(write.len()),
        Operation::TransferInPlace(words) => words.len(),
        Operation::DelayNs(_) => 0,
    }
}

/// Transfers these bytes of an operation.
fn clock_bytes(chip: &mut Enc28j60, operation: &mut Operation<'_, u8>, range: Range<usize>) -> Result<(), SpiFault> {
    if chip.is_undisturbed_stream() {
        match operation {
            Operation::Read(words) if chip.spi.is_reading() => {
                chip.stream_out(&mut words[range]);
                return Ok(());
            }
            Operation::Write(words) if !chip.spi.is_reading() => {
                chip.stream_in(&words[range]);
                return Ok(());
            }
            _ => {}
        }
    }
    for at in range {
        let mosi = match operation {
            Operation::Write(words) => words[at],
            Operation::Transfer(_, write) => write.get(at).copied().unwrap_or(0),
            Operation::TransferInPlace(words) => words[at],
            Operation::Read(_) | Operation::DelayNs(_) => 0,
        };
        let miso = chip.clock_byte(mosi)?;
        match operation {
            Operation::Read(words) | Operation::TransferInPlace(words) => words[at] = miso,
            Operation::Transfer(read, _) => {
                if let Some(word) = read.get_mut(at) {
                    *word = miso;
                }
            }
            Operation::Write(_) | Operation::DelayNs(_) => {}
        }
    }
    Ok(())
}

/// The last byte that the host read.
fn last_read<'a>(operations: &'a mut [Operation<'_, u8>]) -> Option<&'a mut u8> {
    operations.iter_mut().rev().find_map(|operation| match operation {
        Operation::Read(words) | Operation::TransferInPlace(words) => words.last_mut(),
        Operation::Transfer(read, _) => read.last_mut(),
        Operation::Write(_) | Operation::DelayNs(_) => None,
    })
}

/// The chip alone on an SPI bus: embedded-hal's `SpiDevice`, blocking and async. Clones share the
/// bus.
///
/// The blocking form advances the clock, and so runs all events that are due meanwhile. The async
/// form waits for the clock.
///
/// # Cancellation
///
/// A dropped async transaction raises chip select at once, which cuts off the instruction.
#[derive(Clone)]
pub struct SimSpi(Rc<Shared>);

impl SimSpi {
    pub(crate) fn new(shared: &Rc<Shared>) -> Self {
        Self(shared.clone())
    }
}

impl fmt::Debug for SimSpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimSpi").finish_non_exhaustive()
    }
}

impl ErrorType for SimSpi {
    type Error = SpiFault;
}

impl embedded_hal::spi::SpiDevice for SimSpi {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiFault> {
        at_once(transaction(&self.0, Pace::Blocking, operations))
    }
}

impl embedded_hal_async::spi::SpiDevice for SimSpi {
    async fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiFault> {
        transaction(&self.0, Pace::Async, operations).await
    }
}

/// The bus of the chip without its chip select: embedded-hal's `SpiBus`, blocking and async.
///
/// Bytes that are transferred while chip select is high do not reach the chip and read 0xFF.
pub struct SimSpiBus(Rc<Shared>);

impl SimSpiBus {
    pub(crate) fn new(shared: &Rc<Shared>) -> Self {
        Self(shared.clone())
    }

    async fn run(&self, pace: Pace, mut operation: Operation<'_, u8>) -> Result<(), SpiFault> {
        exchange(&self.0, pace, &mut operation).await
    }
}

impl fmt::Debug for SimSpiBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimSpiBus").finish_non_exhaustive()
    }
}

impl ErrorType for SimSpiBus {
    type Error = SpiFault;
}

impl embedded_hal::spi::SpiBus for SimSpiBus {
    fn read(&mut self, words: &mut [u8]) -> Result<(), SpiFault> {
        at_once(self.run(Pace::Blocking, Operation::Read(words)))
    }

    fn write(&mut self, words: &[u8]) -> Result<(), SpiFault> {
        at_once(self.run(Pace::Blocking, Operation::Write(words)))
    }

    fn transfer(&mut self, read: &mut [u8], write: &[u8]) -> Result<(), SpiFault> {
        at_once(self.run(Pace::Blocking, Operation::Transfer(read, write)))
    }

    fn transfer_in_place(&mut self, words: &mut [u8]) -> Result<(), SpiFault> {
        at_once(self.run(Pace::Blocking, Operation::TransferInPlace(words)))
    }

    fn flush(&mut self) -> Result<(), SpiFault> {
        Ok(())
    }
}

impl embedded_hal_async::spi::SpiBus for SimSpiBus {
    async fn read(&mut self, words: &mut [u8]) -> Result<(), SpiFault> {
        self.run(Pace::Async, Operation::Read(words)).await
    }

    async fn write(&mut self, words: &[u8]) -> Result<(), SpiFault> {
        self.run(Pace::Async, Operation::Write(words)).await
    }

    async fn transfer(&mut self, read: &mut [u8], write: &[u8]) -> Result<(), SpiFault> {
        self.run(Pace::Async, Operation::Transfer(read, write)).await
    }

    async fn transfer_in_place(&mut self, words: &mut [u8]) -> Result<(), SpiFault> {
        self.run(Pace::Async, Operation::TransferInPlace(words)).await
    }

    async fn flush(&mut self) -> Result<(), SpiFault> {
        Ok(())
    }
}

/// Drives chip select by its pin, without a transaction of the bus.
pub(crate) fn drive_select(bus: &Shared, low: bool) {
    let is_low = bus.model().spi.is_selected();
    if low && !is_low {
        // The pin stays low until it is driven high.
        core::mem::forget(at_once(assert_select(bus, Pace::Blocking)));
    } else if !low && is_low {
        let hold = bus.model().model.chip.cx.config.cs_hold;
        at_once(Pace::Blocking.wait(bus, hold));
        bus.with(Enc28j60::deselect);
    }
}
