//! Receiving: headers read with the frame before them, frames read where ERDPT stands already.
//!
//! In steady state ERDPT is never written: after header, frame, FCS and padding it points at the
//! next packet. A frame leaves the chip last: until PKTDEC is sent it is still next, whatever fails
//! or is dropped.

use super::{Bus, bisync};
use ethdev::ErrorKind;

use super::chip::{Chip, Result};
use crate::errata;
use crate::regs::{self, econ2};
use crate::ring::{self, FCS, HEADER, Header, Quality};
use crate::stats::count;

/// A pointer of which it is not known where it points.
pub(crate) const NOWHERE: u16 = 0xffff;
/// Added to a page. None has so high a number.
const IN_DOUBT: u8 = 0x80;

/// What is known of the receive buffer.
#[derive(Debug)]
pub(crate) struct Rx {
    /// Where the packet that is next begins.
    next: u16,
    /// Where ERDPT points, or [`NOWHERE`].
    read_at: u16,
    /// The header at `next`, once it was read.
    header: Option<Header>,
    /// The page up to whose end the chip was told that it may write; with [`IN_DOUBT`], it may have
    /// been told of a later one.
    freed: u8,
    /// How many packets are known to wait, `next` included.
    pending: u8,
    /// Whether it is not known if the last PKTDEC was carried out: its transaction failed or was
    /// dropped.
    doubt: bool,
    /// Whether the chip forgets the low byte of ERXRDPT once it has taken effect, so that it is
    /// written each time.
    forgets_low: bool,
}

impl Rx {
    pub(crate) const fn new() -> Self {
        Self {
            next: ring::RX_START,
            read_at: NOWHERE,
            header: None,
            freed: ring::LAST_PAGE,
            pending: 0,
            doubt: false,
            forgets_low: false,
        }
    }

    pub(crate) const fn pending(&self) -> u8 {
        self.pending
    }

    pub(crate) const fn in_doubt(&self) -> bool {
        self.doubt
    }

    /// What ERXRDPT is, if that is known.
    pub(crate) const fn free_to(&self) -> Option<u16> {
        if self.freed & IN_DOUBT == 0 {
            Some(errata::receive_read_pointer(self.freed))
        } else {
            None
        }
    }

    /// Something else was read from the chip's memory.
    pub(crate) const fn lost_place(&mut self) {
        self.read_at = NOWHERE;
    }
}

#[bisync]
impl<B: Bus> Chip<B> {
    /// Moves the next good frame to the start of `buf`.
    pub(crate) async fn receive(&mut self, buf: &mut [u8]) -> Result<Option<usize>, B> {
        let Some(header) = self.next_good().await? else {
            return Ok(None);
        };
        let needed = usize::from(header.len());
        let Some(frame) = buf.get_mut(..needed) else {
            return Err(ErrorKind::BufferTooSmall { needed }.into());
        };
        let is_last = self.rx.pending <= 1;
        let following = self.read_frame(header, frame).await?;
        if !is_last && following.is_none() && !self.is_alive().await? {
            // The chip was reset while the frame was read: what was read is not what was there.
            self.resync().await?;
            return Ok(None);
        }
        self.release(header, following).await?;
        self.counters.count_rx(needed);
        Ok(Some(needed))
    }

    /// Drops the next good frame.
    pub(crate) async fn discard(&mut self) -> Result<bool, B> {
        let Some(header) = self.next_good().await? else {
            return Ok(false);
        };
        self.release(header, None).await?;
        count(&mut self.counters.rx_discarded);
        self.rx_dropped = true;
        Ok(true)
    }

    /// Whether it is known without a look that a packet waits.
    pub(crate) fn knows_of_frames(&self) -> bool {
        self.runs() && self.rx.pending > 0 && !self.rx.doubt
    }

    /// Whether a packet waits, good or bad.
    pub(crate) async fn is_rx_pending(&mut self) -> Result<bool, B> {
        if !self.is_running()? {
            return Ok(false);
        }
        self.settle().await?;
        if self.rx.pending == 0 {
            self.rx.pending = self.packets_waiting().await?;
        }
        Ok(self.rx.pending > 0)
    }

    /// The header of the next good frame. Others are released and counted on the way, as many as
    /// waited at most.
    async fn next_good(&mut self) -> Result<Option<Header>, B> {
        if !self.is_running()? {
            return Ok(None);
        }
        if self.tx.needs_care() {
            self.poll_tx().await?;
        }
        for _ in 0..=u8::MAX {
            let Some(header) = self.find_header().await? else {
                break;
            };
            let quality = header.quality(self.max_count());
            if quality == Quality::Good {
                return Ok(Some(header));
            }
            self.release(header, None).await?;
            count(match quality {
                Quality::BadLength => &mut self.counters.rx_bad_length,
                Quality::Error | Quality::Good => &mut self.counters.rx_error,
            });
            self.rx_dropped = true;
        }
        Ok(None)
    }

    async fn find_header(&mut self) -> Result<Option<Header>, B> {
        self.settle().await?;
        if self.rx.header.is_some() {
            return Ok(self.rx.header);
        }
        // Twice: the bus may have corrupted the header.
        for again in [false, true] {
            if self.rx.pending == 0 || again {
                self.rx.pending = self.packets_waiting().await?;
                if self.rx.pending == 0 {
                    return Ok(None);
                }
            }
            self.rx.header = self.read_header(self.rx.next).await?;
            if self.rx.header.is_some() {
                return Ok(self.rx.header);
            }
            self.rx.lost_place();
        }
        // The chain is broken: this frame has no length, and the position of the others is unknown.
        count(&mut self.counters.rx_bad_length);
        self.counters.rx_reset = self.counters.rx_reset.wrapping_sub(1);
        self.resync().await?;
        Ok(None)
    }

    async fn read_header(&mut self, at: u16) -> Result<Option<Header>, B> {
        self.seek(at).await?;
        let mut bytes = [0; HEADER as usize];
        self.rx.lost_place();
        self.spi.read_buffer(&mut bytes, &mut []).await?;
        self.rx.read_at = ring::advance(at, HEADER);
        Ok(Header::parse(bytes, at))
    }

    /// Reads the frame behind `header`, and on the way the header that follows, if there is one.
    async fn read_frame(&mut self, header: Header, frame: &mut [u8]) -> Result<Option<Header>, B> {
        let begin = ring::advance(self.rx.next, HEADER);
        let next = header.next(self.rx.next);
        let rest = header.body() - header.len();
        let more = if self.rx.pending > 1 { HEADER } else { 0 };
        self.seek(begin).await?;
        let mut tail = [0; (FCS + 1 + HEADER) as usize];
        let tail = tail.get_mut(..usize::from(rest + more)).unwrap_or_default();
        self.rx.lost_place();
        self.spi.read_buffer(frame, tail).await?;
        self.rx.read_at = ring::advance(next, more);
        let following = tail.last_chunk().filter(|_| more > 0);
        Ok(following.and_then(|bytes| Header::parse(*bytes, next)))
    }

    /// Frees the packet. From here on the next one is first.
    async fn release(&mut self, header: Header, following: Option<Header>) -> Result<(), B> {
        // Counted as lost until the caller has it: this call can fail or be dropped at any
        // instruction.
        count(&mut self.counters.rx_reset);
        self.rx.doubt = true;
        self.spi.set(regs::ECON2, econ2::PKTDEC).await?;
        self.rx.doubt = false;
        self.rx.pending = self.rx.pending.saturating_sub(1);
        self.rx.next = header.next(self.rx.next);
        self.rx.header = following;
        self.free().await?;
        self.counters.rx_reset = self.counters.rx_reset.wrapping_sub(1);
        Ok(())
    }

    /// Gives what was read back to the chip, once that is so much that the buffer no longer takes
    /// what it should.
    pub(crate) async fn free(&mut self) -> Result<(), B> {
        let most = ring::may_keep(self.rx.pending, self.rx.header);
        let in_doubt = self.rx.freed & IN_DOUBT != 0;
        if !in_doubt && ring::kept(self.rx.freed, self.rx.next) <= most {
            return Ok(());
        }
        let page = ring::page_before(self.rx.next);
        let [low, high] = errata::receive_read_pointer(page).to_le_bytes();
        self.rx.freed |= IN_DOUBT;
        if self.rx.forgets_low || in_doubt {
            self.spi.write(regs::ERXRDPT.low, low).await?;
        }
        self.spi.write(regs::ERXRDPT.high, high).await?;
        self.rx.freed = page;
        Ok(())
    }

    /// ERXRDPT takes effect when its high byte is written, with the low byte that was written last
    /// (section 6.1). Whether the chip still has that one, which never changes, when only the
    /// high byte is written again, the data sheet does not say: it is tried, before anything is
    /// received.
    pub(crate) async fn set_up_read_pointer(&mut self) -> Result<(), B> {
        let end = errata::receive_read_pointer(ring::LAST_PAGE);
        let other = errata::receive_read_pointer(ring::LAST_PAGE - 1);
        self.spi.write_pair(regs::ERXRDPT, end).await?;
        let [_, high] = other.to_le_bytes();
        self.spi.write(regs::ERXRDPT.high, high).await?;
        self.rx.forgets_low = self.spi.read_pair(regs::ERXRDPT).await? != other;
        self.spi.write_pair(regs::ERXRDPT, end).await
    }

    async fn seek(&mut self, at: u16) -> Result<(), B> {
        if self.rx.read_at != at {
            self.rx.lost_place();
            self.spi.write_pair(regs::ERDPT, at).await?;
            self.rx.read_at = at;
        }
        Ok(())
    }

    /// Finds out whether the PKTDEC in doubt was carried out, and goes on from there.
    async fn settle(&mut self) -> Result<(), B> {
        let (true, Some(header)) = (self.rx.doubt, self.rx.header) else {
            return Ok(());
        };
        let Some((released, waiting)) = self.was_released().await? else {
            return self.resync().await;
        };
        self.rx.doubt = false;
        self.rx.pending = waiting;
        if released {
            // The frame stays counted as lost.
            self.rx.next = header.next(self.rx.next);
            self.rx.header = None;
            self.rx_dropped = true;
        } else {
            self.counters.rx_reset = self.counters.rx_reset.wrapping_sub(1);
        }
        Ok(())
    }

    /// Whether the PKTDEC in doubt was carried out, by counting the packets behind it, and how many
    /// wait. `None` where their chain is broken.
    pub(crate) async fn was_released(&mut self) -> Result<Option<(bool, u8)>, B> {
        let Some(header) = self.rx.header else {
            return Ok(None);
        };
        let (mut waiting, mut written) = (0, 0);
        for _ in 0..4 {
            waiting = self.packets_waiting().await?;
            written = self.spi.read_pair(regs::ERXWRPT).await?;
            // ERXWRPT is two reads: a packet may have come between.
            if self.packets_waiting().await? == waiting {
                break;
            }
        }
        // One more than EPKTCNT can say: a chain without an end is left behind, too.
        let (mut at, mut behind, waiting_for) = (header.next(self.rx.next), 0_u16, u16::from(waiting));
        while at != written && behind <= waiting_for {
            let Some(next) = self.read_header(at).await? else {
                return Ok(None);
            };
            at = next.next(at);
            behind += 1;
        }
        self.rx.lost_place();
        Ok(Some((behind == waiting_for, waiting)))
    }
}
