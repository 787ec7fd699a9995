use super::Fault;
use super::hardware::Hw;
impl Hw {
    pub(super) fn inject(&mut self, fault: Fault) {
        self.faults.push_back(fault);
    }
}
