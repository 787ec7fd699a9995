//! The access points in range, and the time that frames take in the air.

use core::time::Duration;

use crate::access_point::{AccessPoint, ApId};

/// Time of a frame in the air beside its bytes: contention, preamble, acknowledgement.
const OVERHEAD: Duration = Duration::from_micros(50);

/// Time of a frame of `len` bytes in the air, at `bps` bits per second.
pub(crate) fn frame_time(bps: u64, len: usize) -> Duration {
    let nanos = len as u128 * 8 * 1_000_000_000 / u128::from(bps.max(1));
    OVERHEAD + Duration::from_nanos(nanos as u64)
}

#[derive(Debug)]
struct OnAir {
    ap: AccessPoint,
    present: bool,
}

/// The access points.
#[derive(Debug, Default)]
pub(crate) struct Air(Vec<OnAir>);

impl Air {
    pub(crate) fn add(&mut self, ap: AccessPoint) -> ApId {
        self.0.push(OnAir { ap, present: true });
        ApId(self.0.len() - 1)
    }

    pub(crate) fn change(&mut self, id: ApId, change: impl FnOnce(&mut AccessPoint)) {
        if let Some(on_air) = self.0.get_mut(id.0) {
            change(&mut on_air.ap);
        }
    }

    pub(crate) fn set_present(&mut self, id: ApId, present: bool) {
        if let Some(on_air) = self.0.get_mut(id.0) {
            on_air.present = present;
        }
    }

    /// The access points that transmit.
    pub(crate) fn present(&self) -> impl Iterator<Item = (ApId, &AccessPoint)> {
        let all = self.0.iter().enumerate();
        all.filter(|(_, on_air)| on_air.present)
            .map(|(at, on_air)| (ApId(at), &on_air.ap))
    }

    pub(crate) fn get(&self, id: ApId) -> Option<&AccessPoint> {
        self.0.get(id.0).map(|on_air| &on_air.ap)
    }

    pub(crate) fn is_present(&self, id: ApId) -> bool {
        self.0.get(id.0).is_some_and(|on_air| on_air.present)
    }
}
