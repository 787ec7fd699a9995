use super::hardware::Hw;
#[derive(Debug, Default)]
pub(super) struct SoftAp;
impl Hw {
    pub(super) fn client_joins(&mut self, _mac: [u8; 6], _passphrase: Option<&str>) -> bool {
        false
    }
    pub(super) fn client_leaves(&mut self, _mac: [u8; 6]) {}
    pub(super) fn own_ap(&self) -> Option<(Vec<u8>, u8)> {
        None
    }
}
