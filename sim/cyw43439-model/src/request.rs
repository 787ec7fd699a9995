//! Requests on the control channel, and how they fail.

/// Bytes of a request's header.
pub(crate) const HEADER: usize = 16;
const FLAG_SET: u16 = 2;

/// Status of requests that fail.
pub(crate) mod error {
    pub(crate) const BAD_ARGUMENT: i32 = -2;
    pub(crate) const NOT_UP: i32 = -4;
    pub(crate) const NOT_DOWN: i32 = -5;
    pub(crate) const BUFFER_TOO_SHORT: i32 = -14;
    pub(crate) const BUSY: i32 = -16;
    pub(crate) const NOT_ASSOCIATED: i32 = -17;
    pub(crate) const BAD_SSID_LENGTH: i32 = -18;
    pub(crate) const BAD_CHANNEL: i32 = -20;
    pub(crate) const NO_RESOURCE: i32 = -22;
    pub(crate) const UNSUPPORTED: i32 = -23;
    pub(crate) const BAD_LENGTH: i32 = -24;
    pub(crate) const RANGE: i32 = -29;
    pub(crate) const NOT_FOUND: i32 = -30;
}

/// The result of a request: the start of the reply's payload, or an error.
pub(crate) type Outcome = Result<Vec<u8>, i32>;

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) number: u32,
    pub(crate) set: bool,
    pub(crate) interface: u8,
    pub(crate) payload: Vec<u8>,
}

impl Request {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (header, payload) = bytes.split_at_checked(HEADER)?;
        let flags = u16::from_le_bytes([header[8], header[9]]);
        Some(Self {
            number: u32_at(header, 0)?,
            set: flags & FLAG_SET != 0,
            interface: (flags >> 12) as u8,
            payload: payload.to_vec(),
        })
    }

    /// The payload as one number.
    pub(crate) fn value(&self) -> Result<u32, i32> {
        match self.payload.len() {
            4 => u32_at(&self.payload, 0).ok_or(error::BAD_LENGTH),
            _ => Err(error::BAD_LENGTH),
        }
    }
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

/// Two numbers.
pub(crate) fn pair(value: &[u8]) -> Result<(u32, u32), i32> {
    match (u32_at(value, 0), u32_at(value, 4), value.len()) {
        (Some(first), Some(second), 8) => Ok((first, second)),
        _ => Err(error::BAD_LENGTH),
    }
}
