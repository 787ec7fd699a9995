//! Defects that concern frames of certain contents only.

use ethdev::{EthernetDevice, RxMeta};

use crate::broken::{Answer, Defect};
use crate::mem::Mem;

/// Cuts zeros at the end of received frames off.
#[derive(Default)]
pub(crate) struct TrimsTrailingZeros;
impl Defect for TrimsTrailingZeros {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        let Some(meta) = nic.recv_frame(buf)? else {
            return Ok(None);
        };
        let end = buf[..meta.len]
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last + 1);
        let len = end.max(60).min(meta.len);
        nic.stats.rx_bytes -= (meta.len - len) as u32;
        Ok(Some(RxMeta::new(len)))
    }
}

/// Takes every value of the type field for a length.
#[derive(Default)]
pub(crate) struct TrimsToTheTypeField;
impl Defect for TrimsToTheTypeField {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        let Some(meta) = nic.recv_frame(buf)? else {
            return Ok(None);
        };
        let field = usize::from(u16::from_be_bytes([buf[12], buf[13]]));
        let len = if field <= 1500 {
            meta.len.min(14 + field)
        } else {
            meta.len
        };
        nic.stats.rx_bytes -= (meta.len - len) as u32;
        Ok(Some(RxMeta::new(len)))
    }
}

/// Removes the VLAN tag.
#[derive(Default)]
pub(crate) struct StripsVlanTag;
impl Defect for StripsVlanTag {
    fn recv(&mut self, nic: &mut Mem, buf: &mut [u8]) -> Answer<Option<RxMeta>> {
        let Some(meta) = nic.recv_frame(buf)? else {
            return Ok(None);
        };
        if buf[12..14] != [0x81, 0x00] {
            return Ok(Some(meta));
        }
        buf.copy_within(16..meta.len, 12);
        nic.stats.rx_bytes -= 4;
        Ok(Some(RxMeta::new(meta.len - 4)))
    }
}

/// Sends broadcasts to the address of one station.
#[derive(Default)]
pub(crate) struct SendsBroadcastsToOneStation;
impl Defect for SendsBroadcastsToOneStation {
    fn send(&mut self, nic: &mut Mem, frame: &[u8]) -> Answer<()> {
        let mut frame = frame.to_vec();
        if frame.starts_with(&[0xff; 6]) {
            frame[5] = 0xfe;
        }
        nic.send_frame(&frame)
    }
}

/// Has a list of twelve parts: the bytes of the others are zeros.
#[derive(Default)]
pub(crate) struct GathersTwelveParts;
impl Defect for GathersTwelveParts {
    fn send_parts(&mut self, nic: &mut Mem, parts: &[&[u8]]) -> Answer<()> {
        let mut frame = parts.concat();
        let parts = parts.iter().filter(|part| !part.is_empty());
        let gathered: usize = parts.take(12).map(|part| part.len()).sum();
        frame[gathered..].fill(0);
        nic.send_frame(&frame)
    }
}
