use super::hardware::Hw;
use core::time::Duration;
#[derive(Debug, Default)]
pub(super) struct Traffic;
impl Hw {
    pub(super) fn air_time(&self, _len: usize) -> Duration {
        Duration::ZERO
    }
    pub(super) fn data_from_host(&mut self, _frame: Vec<u8>) {}
    pub(super) fn frame_from_wire(&mut self, _frame: &[u8]) {}
}
