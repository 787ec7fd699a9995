use super::hardware::Hw;
use super::{ApId, Association};
#[derive(Debug, Default)]
pub(super) struct Station;
impl Hw {
    pub(super) fn ap_vanishes(&mut self, _ap: ApId) {}
    pub(super) fn ap_returns(&mut self, _ap: ApId) {}
    pub(super) fn thrown_out(&mut self, _deauth: bool, _reason: u16) {}
    pub(super) fn roam(&mut self, _ap: ApId) {}
    pub(super) fn association(&self) -> Option<Association> {
        None
    }
}
