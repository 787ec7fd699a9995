use super::hardware::Hw;
#[derive(Debug, Default)]
pub(super) struct Ioctls;
impl Hw {
    pub(super) fn check_ioctl(&mut self, _request: &[u8]) {}
    pub(super) fn ioctl_later(&mut self, _request: Vec<u8>) {}
    pub(super) fn reply_over(&mut self) {}
}
