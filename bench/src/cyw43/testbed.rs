//! A chip, its access points, the wire behind them, and a peer on that wire.

use cyw43439_model::{ChipConfig, Cyw43Chip, Images};
use ethdev_cyw43::FirmwareImages;
use ethdev_sim::{Clock, Peer, Side, Wire, WireConfig};

/// The SSID of the network.
pub const SSID: &str = "testbed";
/// The passphrase of the network.
pub const PASSPHRASE: &str = "correct horse battery staple";
/// The MAC address in the fuses of the chip: numbered frames are sent to it.
pub const MAC: ethdev::MacAddress = crate::enc28j60::CHIP;

/// A chip, its access points, the wire behind them, and a peer on that wire.
#[derive(Debug)]
pub struct Testbed {
    /// The virtual clock.
    pub clock: Clock,
    /// The 100 Mbit/s wire between the access points and the peer.
    pub wire: Wire,
    /// The end of the access points.
    pub chip_side: Side,
    /// The peer at the other end.
    pub peer: Peer,
    /// The chip, powered off, without access points.
    pub chip: Cyw43Chip,
    /// The images that the chip expects.
    pub images: Images,
}

impl Testbed {
    /// Creates a testbed. The images have the sizes of those of a Pico W.
    #[must_use]
    pub fn new(config: ChipConfig) -> Self {
        Self::with_images(config, Images::pseudo_random(43))
    }

    /// Creates a testbed whose chip expects these images.
    #[must_use]
    pub fn with_images(config: ChipConfig, images: Images) -> Self {
        let clock = Clock::new();
        let wire_config = WireConfig::default().with_seed(config.seed);
        let (wire, port, far) = Wire::new(&clock, wire_config);
        let chip_side = port.side();
        let config = config.with_mac(MAC.octets()).with_images(images.clone());
        Self {
            chip: Cyw43Chip::new(&clock, port, config),
            peer: Peer::new(far),
            clock,
            wire,
            chip_side,
            images,
        }
    }

    /// The images for the driver.
    #[must_use]
    pub fn driver_images(&self) -> FirmwareImages<'_> {
        let [firmware, nvram, clm] = [&self.images.firmware, &self.images.nvram, &self.images.clm].map(bytes);
        FirmwareImages::new(firmware, nvram, clm)
    }
}

fn bytes(image: &Option<Vec<u8>>) -> &[u8] {
    image.as_deref().unwrap_or_default()
}
