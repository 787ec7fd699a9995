//! The access points around the chip.

use super::{AccessPoint, ApId};

#[derive(Debug)]
struct OnAir {
    ap: AccessPoint,
    present: bool,
}

/// The surroundings.
#[derive(Debug, Default)]
pub(super) struct Air(Vec<OnAir>);

impl Air {
    pub(super) fn add(&mut self, ap: AccessPoint) -> ApId {
        self.0.push(OnAir { ap, present: true });
        ApId(self.0.len() - 1)
    }

    pub(super) fn change(&mut self, id: ApId, change: impl FnOnce(&mut AccessPoint)) {
        if let Some(on_air) = self.0.get_mut(id.0) {
            change(&mut on_air.ap);
        }
    }

    pub(super) fn set_present(&mut self, id: ApId, present: bool) {
        if let Some(on_air) = self.0.get_mut(id.0) {
            on_air.present = present;
        }
    }

    /// Those that can be heard.
    pub(super) fn present(&self) -> impl Iterator<Item = (ApId, &AccessPoint)> {
        let all = self.0.iter().enumerate();
        all.filter(|(_, on_air)| on_air.present)
            .map(|(at, on_air)| (ApId(at), &on_air.ap))
    }

    pub(super) fn get(&self, id: ApId) -> Option<&AccessPoint> {
        self.0.get(id.0).map(|on_air| &on_air.ap)
    }

    pub(super) fn is_present(&self, id: ApId) -> bool {
        self.0.get(id.0).is_some_and(|on_air| on_air.present)
    }
}
