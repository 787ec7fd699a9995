use super::hardware::Hw;
#[derive(Debug, Default)]
pub(super) struct Settings;
impl Settings {
    pub(super) fn new(_mac: [u8; 6]) -> Self {
        Self
    }
}
impl Hw {
    pub(super) fn gpio(&self, _pin: u8) -> bool {
        false
    }
    pub(super) fn drive_gpio(&mut self, _pin: u8, _high: bool) {}
    pub(super) fn multicast_list(&self) -> Vec<[u8; 6]> {
        Vec::new()
    }
    pub(super) fn uploaded_clm(&self) -> Option<Vec<u8>> {
        None
    }
}
