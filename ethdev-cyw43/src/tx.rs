//! Transmission: frames, as far as there are credits.

use ethdev::{ErrorKind, MaxFrameLen, validate_tx_len};

use crate::bus::{Bus, TxWords};
use crate::chip::Chip;
use crate::error::Error;
use crate::firmware::FirmwareSource;
use crate::gspi::{Function, Result};
use crate::regs::status;
use crate::rx::MOST_FRAMES;
use crate::sdpcm;

impl<B: Bus, FW: FirmwareSource> Chip<'_, B, FW> {
    /// Whether the next frame finds room. Credits come with whatever is received.
    pub(crate) async fn make_room(&mut self) -> Result<bool, B> {
        for _ in 0..MOST_FRAMES {
            if self.has_room() {
                return Ok(true);
            }
            if !self.absorb_one().await? {
                break;
            }
        }
        Ok(self.has_room())
    }

    pub(crate) const fn has_room(&self) -> bool {
        self.link_up && self.credits.for_data()
    }

    pub(crate) async fn tx_ready(&mut self) -> Result<bool, B> {
        Ok(self.is_running()? && self.link_up && self.make_room().await?)
    }

    pub(crate) async fn send(&mut self, parts: &[&[u8]]) -> Result<(), B> {
        let running = self.is_running()?;
        let len = validate_tx_len(parts, MaxFrameLen::ETHERNET)?;
        if !running {
            return Err(ErrorKind::Stopped.into());
        }
        if !self.link_up {
            return Err(ErrorKind::LinkDown.into());
        }
        if !self.make_room().await? {
            let kind = if self.link_up {
                ErrorKind::Busy
            } else {
                ErrorKind::LinkDown
            };
            return Err(kind.into());
        }
        let header = sdpcm::data_header(len, self.credits.sequence());
        let bytes = (header.len() + len).next_multiple_of(4);
        self.port
            .write(Function::Wlan, 0, bytes, TxWords::new(&header, parts))
            .await?;
        self.credits.spend();
        if self
            .port
            .status()
            .is_none_or(|status| status & status::F2_RX_READY == 0)
        {
            // Full for a moment, or gone, and the frame with it.
            match self.check_health().await {
                Ok(()) => {}
                Err(Error::Fault(fault)) => return Err(Error::Fault(fault)),
                Err(_) => self.suspect = true,
            }
        }
        self.stats.count_tx(len);
        Ok(())
    }
}
