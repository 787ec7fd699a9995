//! Frames: destination MAC to end of payload. Preamble and FCS never cross the traits.

use core::ops::{Deref, DerefMut};
use core::time::Duration;

use crate::MacAddress;

/// Length of an Ethernet header in bytes: destination, source, `EtherType` (IEEE 802.3 clause
/// 3.1.1).
pub const HEADER_LEN: usize = 14;
/// Shortest frame on an 802.3 medium in bytes, without FCS (IEEE 802.3 clause 4.2.3.3: 64 with it).
pub const MIN_FRAME_LEN: usize = 60;
/// Longest frame without a VLAN tag in bytes, without FCS.
pub const MAX_FRAME_LEN: usize = 1514;
/// Longest frame with one VLAN tag in bytes, without FCS.
pub const MAX_VLAN_FRAME_LEN: usize = 1518;
/// Length of the frame check sequence in bytes. It is on the wire and in chips, never in a
/// [`RxFrame`].
pub const FCS_LEN: usize = 4;

/// The metadata of a received frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct RxMeta {
    /// Length in bytes, without FCS, with the padding as received.
    pub len: usize,
    /// Time of arrival by the clock of the device, since an epoch that the device defines; `None`
    /// if it has no such clock.
    pub timestamp: Option<Duration>,
}

impl RxMeta {
    /// Creates the metadata of a frame of `len` bytes.
    #[must_use]
    pub const fn new(len: usize) -> Self {
        Self { len, timestamp: None }
    }

    /// Sets the time of arrival.
    #[must_use]
    pub const fn with_timestamp(mut self, timestamp: Duration) -> Self {
        self.timestamp = Some(timestamp);
        self
    }
}

/// A received frame in memory of the device or of a buffer, lent to the reader.
///
/// It dereferences to its bytes, destination MAC first. They may be changed in place (decrypted,
/// byte-swapped): the reader may use the memory until the frame is released.
#[derive(Debug)]
pub struct RxFrame<'a> {
    data: &'a mut [u8],
    meta: RxMeta,
}

impl<'a> RxFrame<'a> {
    /// Creates a frame from the first `meta.len` bytes of `memory`; `None` if it has fewer.
    #[must_use]
    pub fn new(memory: &'a mut [u8], meta: RxMeta) -> Option<Self> {
        Some(Self {
            data: memory.get_mut(..meta.len)?,
            meta,
        })
    }

    /// Returns the metadata.
    #[must_use]
    pub const fn meta(&self) -> RxMeta {
        self.meta
    }

    /// Returns the bytes for as long as the frame is lent.
    #[must_use]
    pub fn into_data(self) -> &'a mut [u8] {
        self.data
    }

    /// Parses the Ethernet header; `None` if the frame is shorter.
    #[must_use]
    pub fn header(&self) -> Option<Header> {
        Header::parse(self.data)
    }
}

impl Deref for RxFrame<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.data
    }
}

impl DerefMut for RxFrame<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.data
    }
}

/// An Ethernet header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    /// Destination address.
    pub destination: MacAddress,
    /// Source address.
    pub source: MacAddress,
    /// `EtherType`, or the length of the payload where it is at most 1500 (IEEE 802.3 clause
    /// 3.2.6).
    pub ethertype: u16,
}

impl Header {
    /// Parses the header at the start of `frame`; `None` if it is shorter than [`HEADER_LEN`].
    #[must_use]
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let (destination, rest) = frame.split_first_chunk::<6>()?;
        let (source, rest) = rest.split_first_chunk::<6>()?;
        let (ethertype, _) = rest.split_first_chunk::<2>()?;
        Some(Self {
            destination: MacAddress::new(*destination),
            source: MacAddress::new(*source),
            ethertype: u16::from_be_bytes(*ethertype),
        })
    }

    /// Returns the bytes of the header in network order.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let [d0, d1, d2, d3, d4, d5] = self.destination.octets();
        let [s0, s1, s2, s3, s4, s5] = self.source.octets();
        let [t0, t1] = self.ethertype.to_be_bytes();
        [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1]
    }
}

/// Returns the length of a frame that consists of `parts`; `None` if the sum overflows.
#[must_use]
pub fn vectored_len(parts: &[&[u8]]) -> Option<usize> {
    parts.iter().try_fold(0_usize, |sum, part| sum.checked_add(part.len()))
}

/// Copies `parts` one after another to the start of `buf` and returns their length; `None`, with
/// `buf` unspecified, if they do not fit.
#[must_use]
pub fn copy_vectored(parts: &[&[u8]], buf: &mut [u8]) -> Option<usize> {
    let mut at = 0_usize;
    for part in parts {
        let end = at.checked_add(part.len())?;
        buf.get_mut(at..end)?.copy_from_slice(part);
        at = end;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn header_to_bytes_round_trips(destination: [u8; 6], source: [u8; 6], ethertype: u16, tail: Vec<u8>) {
            let header = Header { destination: destination.into(), source: source.into(), ethertype };
            let mut frame = header.to_bytes().to_vec();
            frame.extend(tail);
            prop_assert_eq!(Header::parse(&frame), Some(header));
        }

        #[test]
        fn copy_vectored_any_parts_concatenates(parts: Vec<Vec<u8>>, space in 0_usize..2000) {
            let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let whole = parts.concat();
            let mut buf = std::vec![0; space];
            prop_assert_eq!(vectored_len(&slices), Some(whole.len()));
            match copy_vectored(&slices, &mut buf) {
                Some(len) => prop_assert_eq!(&buf[..len], &whole[..]),
                None => prop_assert!(whole.len() > space),
            }
        }
    }

    #[test]
    fn rx_frame_dereferences_to_its_bytes() {
        let mut memory = [0, 1, 2, 3];
        let meta = RxMeta::new(3).with_timestamp(Duration::from_micros(5));
        assert_eq!((meta.len, meta.timestamp), (3, Some(Duration::from_micros(5))));
        let mut frame = RxFrame::new(&mut memory, meta).unwrap();
        assert_eq!(frame.meta(), meta);
        frame[0] = 9;
        assert_eq!(*frame, [9, 1, 2]);
        assert_eq!(frame.into_data(), [9, 1, 2]);
        assert_eq!(memory, [9, 1, 2, 3]);
    }

    #[test]
    fn rx_frame_header_is_parsed() {
        let mut memory = *b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\xb5hello";
        let header = RxFrame::new(&mut memory, RxMeta::new(19)).unwrap().header().unwrap();
        assert_eq!(header.destination, MacAddress::new([2, 0, 0, 0, 0, 1]));
        assert_eq!(header.source, MacAddress::new([2, 0, 0, 0, 0, 2]));
        assert_eq!(header.ethertype, 0x88b5);
    }

    #[test]
    fn rx_frame_short_memory_is_none() {
        let mut memory = [0; 20];
        assert!(RxFrame::new(&mut memory, RxMeta::new(21)).is_none());
        assert!(RxFrame::new(&mut memory, RxMeta::new(13)).unwrap().header().is_none());
        assert!(RxFrame::new(&mut memory, RxMeta::new(14)).unwrap().header().is_some());
    }
}
