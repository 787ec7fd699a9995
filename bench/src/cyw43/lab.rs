//! A chip among access points, the wire behind those, and a station on it.

use cyw43439_model::{ChipConfig, Cyw43Chip, Images};
use ethdev_sim::{Clock, Peer, Side, Wire, WireConfig};

/// The name of the network.
pub const SSID: &str = "laboratory";
/// What it is secured with.
pub const PASSPHRASE: &str = "correct horse battery staple";
/// The address in the chip's fuses: the one that numbered frames are for.
pub const MAC: ethdev::MacAddress = crate::enc28j60::CHIP;

/// A chip among access points, the wire behind those, and a station on it.
#[derive(Debug)]
pub struct Lab {
    /// The time.
    pub clock: Clock,
    /// 100 Mbit/s, between the access points and the station.
    pub wire: Wire,
    /// The access points' end of it.
    pub chip_side: Side,
    /// What is at the other end.
    pub station: Peer,
    /// The chip, without power, and without access points.
    pub chip: Cyw43Chip,
    /// What the chip expects to be uploaded.
    pub images: Images,
}

impl Lab {
    /// Such a chip. Images are the sizes of those of a Pico W.
    #[must_use]
    pub fn new(config: ChipConfig) -> Self {
        let clock = Clock::new();
        let at = WireConfig::default().with_seed(config.seed);
        let (wire, port, far) = Wire::new(&clock, at);
        let chip_side = port.side();
        let images = Images::pseudo_random(43);
        let config = config.with_mac(MAC.octets()).with_images(images.clone());
        Self {
            chip: Cyw43Chip::new(&clock, port, config),
            station: Peer::new(far),
            clock,
            wire,
            chip_side,
            images,
        }
    }

    /// The images as the driver takes them.
    #[must_use]
    pub fn driver_images(&self) -> ethdev_cyw43::Images<'_> {
        let [firmware, nvram, clm] = [&self.images.firmware, &self.images.nvram, &self.images.clm].map(bytes);
        ethdev_cyw43::Images::new(firmware, nvram, clm)
    }
}

fn bytes(image: &Option<Vec<u8>>) -> &[u8] {
    image.as_deref().unwrap_or_default()
}
