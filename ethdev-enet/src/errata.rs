//! Errata, each with its workaround.

/// **ERR006358** (i.MX 6): a write to `TDAR` is lost if the DMA engine clears the register at the
/// same time, because it found no more frames to send. The frame stays in its descriptor until the
/// next write.
///
/// Workaround: [`service`](ethdev::EthernetDevice::service) writes `TDAR` again if frames are
/// queued and the register reads as inactive. Sending the next frame has the same effect. Test:
/// `tests/driver/faults.rs`, `service_lost_tdar_write_sends_frame`.
pub const ERR006358: &str = "ERR006358";
