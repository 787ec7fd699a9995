//! The host's side of the SPI bus.

use core::fmt;
use core::future::Future;
use core::ops::Range;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::rc::Rc;

use embedded_hal::spi::{ErrorKind, ErrorType, Operation};

use super::hardware::{Model, Shared};
use ethdev_sim::SimDelay;

/// The host's SPI block reports an error, because it was told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpiFault {
    /// At this byte of all that went over the bus.
    AtByte(u64),
    /// The bus is in the middle of another transaction.
    Busy,
}

impl fmt::Display for SpiFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtByte(n) => write!(f, "the SPI bus failed at byte {n}"),
            Self::Busy => f.write_str("the SPI bus is busy"),
        }
    }
}

impl core::error::Error for SpiFault {}

impl embedded_hal::spi::Error for SpiFault {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

/// How time passes during a transfer.
#[derive(Clone, Copy)]
enum Pace {
    /// The caller spins: the clock is moved.
    Blocking,
    /// The caller sleeps: whoever runs the executor moves the clock.
    Async,
}

impl Pace {
    async fn until(self, bus: &Shared, at: Duration) {
        match self {
            Self::Blocking => bus.clock.advance_to(at),
            Self::Async => SimDelay::new(&bus.clock).until(at).await,
        }
    }

    async fn wait(self, bus: &Shared, time: Duration) {
        if !time.is_zero() {
            self.until(bus, bus.clock.now() + time).await;
        }
    }
}

/// Runs what never waits.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a blocking transfer moves the clock and waits for nobody"),
    }
}

/// Raises chip select where a transaction ends, is dropped, or fails.
struct Selected<'a>(&'a Shared);

impl Drop for Selected<'_> {
    fn drop(&mut self) {
        self.0.with(Model::deselect);
    }
}

impl Shared {
    async fn assert_select(&self, pace: Pace) -> Result<Selected<'_>, SpiFault> {
        let (gap, overhead, setup) = {
            let chip = self.core.borrow();
            let gap = chip.deselected_at + chip.config.cs_gap;
            (
                gap.saturating_sub(self.clock.now()),
                chip.config.overhead,
                chip.config.cs_setup,
            )
        };
        pace.wait(self, gap.max(overhead)).await;
        if self.core.borrow().is_selected() {
            self.with(Model::reentered);
            return Err(SpiFault::Busy);
        }
        self.with(Model::select);
        // From here on: a transaction can be dropped before its first bit.
        let selected = Selected(self);
        pace.wait(self, setup).await;
        Ok(selected)
    }

    /// Clocks the bytes of one operation.
    async fn exchange(&self, pace: Pace, operation: &mut Operation<'_, u8>) -> Result<(), SpiFault> {
        if let Operation::DelayNs(ns) = operation {
            pace.wait(self, Duration::from_nanos((*ns).into())).await;
            return Ok(());
        }
        let len = len_of(operation);
        let byte_time = self.core.borrow().byte_time();
        let mut done = 0;
        while done < len {
            let bytes = self.uneventful(byte_time, len - done);
            pace.wait(self, byte_time * bytes as u32).await;
            self.with(|chip| clock_bytes(chip, operation, done..done + bytes))?;
            done += bytes;
        }
        Ok(())
    }

    /// How many of the next `wanted` bytes may be clocked in one go: while a stream runs and nothing happens.
    fn uneventful(&self, byte_time: Duration, wanted: usize) -> usize {
        if !self.core.borrow().is_streaming() {
            return 1;
        }
        let Some(next) = self.clock.next_event() else {
            return wanted;
        };
        let quiet = next.saturating_sub(self.clock.now());
        let bytes = quiet.as_nanos() / byte_time.as_nanos();
        usize::try_from(bytes).unwrap_or(usize::MAX).clamp(1, wanted)
    }

    async fn transaction(&self, pace: Pace, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiFault> {
        let selected = self.assert_select(pace).await?;
        let len = operations.iter().map(len_of).sum();
        self.with(|chip| chip.aim(len));
        for operation in operations.iter_mut() {
            self.exchange(pace, operation).await?;
        }
        let hold = self.core.borrow().config.cs_hold;
        pace.wait(self, hold).await;
        drop(selected);
        let garbled = self.with(Model::take_garbled);
        if let (Some(mask), Some(byte)) = (garbled, last_read(operations)) {
            *byte ^= mask;
        }
        Ok(())
    }
}

/// How many bytes an operation clocks.
fn len_of(operation: &Operation<'_, u8>) -> usize {
    match operation {
        Operation::Read(words) => words.len(),
        Operation::Write(words) => words.len(),
        Operation::Transfer(read, write) => read.len().max(write.len()),
        Operation::TransferInPlace(words) => words.len(),
        Operation::DelayNs(_) => 0,
    }
}

/// Passes these bytes of an operation between host and chip.
fn clock_bytes(chip: &mut Model, operation: &mut Operation<'_, u8>, range: Range<usize>) -> Result<(), SpiFault> {
    if chip.is_undisturbed_stream() {
        match operation {
            Operation::Read(words) if chip.is_reading() => {
                chip.stream_out(&mut words[range]);
                return Ok(());
            }
            Operation::Write(words) if !chip.is_reading() => {
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

/// The chip on an SPI bus of its own: embedded-hal's `SpiDevice`, blocking and async. Clones share the bus.
///
/// The blocking form moves the clock, and so runs everything that falls due meanwhile. The async form waits for the clock.
///
/// # Cancellation
///
/// A dropped async transaction raises chip select where it stands: the instruction is cut off.
#[derive(Clone)]
pub struct SimSpi(Rc<Shared>);

impl SimSpi {
    pub(super) fn new(shared: &Rc<Shared>) -> Self {
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
        at_once(self.0.transaction(Pace::Blocking, operations))
    }
}

impl embedded_hal_async::spi::SpiDevice for SimSpi {
    async fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiFault> {
        self.0.transaction(Pace::Async, operations).await
    }
}

/// The bus of the chip without its chip select: embedded-hal's `SpiBus`, blocking and async.
///
/// Bytes that are clocked while chip select is high reach nobody and read 0xFF.
pub struct SimSpiBus(Rc<Shared>);

impl SimSpiBus {
    pub(super) fn new(shared: &Rc<Shared>) -> Self {
        Self(shared.clone())
    }

    async fn run(&self, pace: Pace, mut operation: Operation<'_, u8>) -> Result<(), SpiFault> {
        self.0.exchange(pace, &mut operation).await
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

impl super::pins::CsPin {
    pub(super) fn drive(shared: &Shared, low: bool) {
        let is_low = shared.core.borrow().is_selected();
        if low && !is_low {
            // The pin stays low until it is driven high.
            core::mem::forget(at_once(shared.assert_select(Pace::Blocking)));
        } else if !low && is_low {
            let hold = shared.core.borrow().config.cs_hold;
            at_once(Pace::Blocking.wait(shared, hold));
            shared.with(Model::deselect);
        }
    }
}
