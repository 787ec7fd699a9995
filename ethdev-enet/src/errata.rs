//! Errata, each with its workaround.

/// **ERR006358** (i.MX 6): a write to `TDAR` is lost when the uDMA clears it in the same moment, having found no more frames to send. The frame stays in its
/// descriptor until the next write.
///
/// Workaround: [`service`](ethdev::EthernetDevice::service) writes `TDAR` again where frames wait and the register says that the uDMA does not look for them.
/// Sending the next frame has the same effect. Covered by `tests/enet/faults.rs`, `a_doorbell_that_is_lost_is_rung_again`.
pub const ERR006358: &str = "ERR006358";
