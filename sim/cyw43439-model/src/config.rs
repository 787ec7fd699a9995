//! How a chip is built, wired and programmed.

use core::time::Duration;

use super::{ChipFaults, ViolationKind};

/// What a host is expected to upload. An image that is `None` is not compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Images {
    /// The firmware, at address 0 of the RAM.
    pub firmware: Option<Vec<u8>>,
    /// The NVRAM, below the footer at the end of the RAM.
    pub nvram: Option<Vec<u8>>,
    /// The regulatory database (CLM), through the iovar `clmload`.
    pub clm: Option<Vec<u8>>,
}

impl Images {
    /// Images of the sizes that hosts of the Pico W upload, of bytes that no code compresses, shifts or repeats unnoticed.
    #[must_use]
    pub fn pseudo_random(seed: u64) -> Self {
        let image = |number: u64, len: usize| {
            let mut rng = ethdev_sim::random::Rng::new(seed, 0x4343_9000 + number);
            Some((0..len).map(|_| rng.below(0x100) as u8).collect())
        };
        Self {
            firmware: image(0, 231_077),
            nvram: image(1, 742),
            clm: image(2, 984),
        }
    }

    /// The same with this firmware.
    #[must_use]
    pub fn with_firmware(mut self, image: impl Into<Vec<u8>>) -> Self {
        self.firmware = Some(image.into());
        self
    }

    /// The same with this NVRAM.
    #[must_use]
    pub fn with_nvram(mut self, image: impl Into<Vec<u8>>) -> Self {
        self.nvram = Some(image.into());
        self
    }

    /// The same with this regulatory database.
    #[must_use]
    pub fn with_clm(mut self, image: impl Into<Vec<u8>>) -> Self {
        self.clm = Some(image.into());
        self
    }
}

/// In which order a join to a network with a key ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventOrder {
    /// `JOIN` and `SET_SSID`, then `PSK_SUP` with the keys in place.
    #[default]
    KeyedLast,
    /// `PSK_SUP` with the keys in place, then `JOIN` and `SET_SSID`.
    KeyedFirst,
}

/// How a chip is built, how long its parts take, and how its host drives the bus.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChipConfig {
    /// The clock of the bus in Hz, for hosts that do not drive it bit by bit.
    pub bus_hz: u32,
    /// What the host spends on each transaction beside its bits.
    pub overhead: Duration,
    /// What the host spends on each look at a pin and each change of one, where it drives the bus bit by bit.
    pub pin_time: Duration,
    /// Seed of everything random.
    pub seed: u64,
    /// What the host is expected to upload.
    pub images: Images,
    /// The address in the chip's one-time programmable memory.
    pub mac: [u8; 6],

    /// From `WL_REG_ON` high until the bus answers.
    pub power_up: Duration,
    /// How many transactions after that read garbage.
    pub garbage_reads: u32,
    /// Whether the ARM core runs after power-up, or is held in reset.
    pub arm_runs_at_power_up: bool,
    /// From the request for the ALP clock until it is there.
    pub alp_time: Duration,
    /// From the start of the firmware until the HT clock is there.
    pub ht_time: Duration,
    /// From the start of the firmware until it takes frames.
    pub f2_time: Duration,

    /// How many frames the firmware takes from the host before it gives more credit, counted from the latest frame that it has worked off.
    pub credit_window: u8,
    /// How long the firmware takes for each frame from the host before it gives the credit back.
    pub tx_time: Duration,
    /// Frames for the host that the firmware holds. What comes beyond is lost.
    pub rx_queue: usize,
    /// Whether two frames of garbage precede the reply to the first ioctl, as they do in the field.
    pub junk_frames: bool,
    /// From an ioctl to its reply.
    pub ioctl_time: Duration,
    /// For how long ioctls fail with "busy" after the country was set.
    pub country_time: Duration,
    /// For how long the radio is not ready for a key after the security was set up: the firmware then forgets the key that it confirms.
    pub key_lead_time: Duration,

    /// How long a search for a network takes, and each scan.
    pub scan_time: Duration,
    /// From the start of authentication to its end.
    pub auth_time: Duration,
    /// From that to the end of association.
    pub assoc_time: Duration,
    /// From that to the end of the exchange of keys.
    pub key_time: Duration,
    /// Whether the keys come before the end of the join or after it.
    pub event_order: EventOrder,
    /// Whether a host that asks for WPA3 and has given the key of WPA2 as well gets into a network of WPA2.
    pub sae_falls_back: bool,
    /// How long the chip does without beacons before it gives a network up.
    pub beacon_loss_time: Duration,
    /// Whether a frame goes through the air at this many bits per second. The wire behind the access points has a speed of its own.
    pub air_bps: u64,

    /// What else goes wrong, from the start.
    pub faults: ChipFaults,
    /// Kinds of misuse that are not reported.
    pub allowed: Vec<ViolationKind>,
}

impl Default for ChipConfig {
    /// A chip on a bus of 33.25 MHz, as on a Pico W; a host without overhead; images that are not compared; seed 0.
    fn default() -> Self {
        Self {
            bus_hz: 33_250_000,
            overhead: Duration::from_micros(1),
            pin_time: Duration::from_nanos(50),
            seed: 0,
            images: Images::default(),
            mac: [0x28, 0xcd, 0xc1, 0x01, 0x02, 0x03],
            power_up: Duration::from_millis(50),
            garbage_reads: 1,
            arm_runs_at_power_up: false,
            alp_time: Duration::from_micros(500),
            ht_time: Duration::from_millis(20),
            f2_time: Duration::from_millis(84),
            credit_window: 10,
            tx_time: Duration::from_micros(50),
            rx_queue: 32,
            junk_frames: true,
            ioctl_time: Duration::from_micros(500),
            country_time: Duration::from_millis(32),
            key_lead_time: Duration::from_millis(2),
            scan_time: Duration::from_millis(120),
            auth_time: Duration::from_millis(20),
            assoc_time: Duration::from_millis(10),
            key_time: Duration::from_millis(30),
            event_order: EventOrder::KeyedLast,
            sae_falls_back: true,
            beacon_loss_time: Duration::from_millis(1_024),
            air_bps: 30_000_000,
            faults: ChipFaults::NONE,
            allowed: Vec::new(),
        }
    }
}

impl ChipConfig {
    /// The same expecting these images.
    #[must_use]
    pub fn with_images(mut self, images: Images) -> Self {
        self.images = images;
        self
    }

    /// The same with this clock on the bus.
    ///
    /// # Panics
    ///
    /// At 0 Hz.
    #[must_use]
    pub const fn with_bus_hz(mut self, hz: u32) -> Self {
        assert!(hz > 0, "a clock that stands still moves no bits");
        self.bus_hz = hz;
        self
    }

    /// The same with this overhead per transaction.
    #[must_use]
    pub const fn with_overhead(mut self, overhead: Duration) -> Self {
        self.overhead = overhead;
        self
    }

    /// The same with this seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same with this address.
    #[must_use]
    pub const fn with_mac(mut self, mac: [u8; 6]) -> Self {
        self.mac = mac;
        self
    }

    /// The same with the bus answering this long after power was switched on, and garbage in this many transactions after that.
    #[must_use]
    pub const fn with_power_up(mut self, time: Duration, garbage_reads: u32) -> Self {
        self.power_up = time;
        self.garbage_reads = garbage_reads;
        self
    }

    /// The same with the ARM core running after power-up.
    #[must_use]
    pub const fn with_arm_running(mut self) -> Self {
        self.arm_runs_at_power_up = true;
        self
    }

    /// The same with this window of credits.
    #[must_use]
    pub const fn with_credit_window(mut self, frames: u8) -> Self {
        self.credit_window = frames;
        self
    }

    /// The same with the firmware taking this long for each frame from the host.
    #[must_use]
    pub const fn with_tx_time(mut self, time: Duration) -> Self {
        self.tx_time = time;
        self
    }

    /// The same with room for this many frames for the host.
    #[must_use]
    pub const fn with_rx_queue(mut self, frames: usize) -> Self {
        self.rx_queue = frames;
        self
    }

    /// The same without the two frames of garbage.
    #[must_use]
    pub const fn without_junk_frames(mut self) -> Self {
        self.junk_frames = false;
        self
    }

    /// The same with joins ending in this order.
    #[must_use]
    pub const fn with_event_order(mut self, order: EventOrder) -> Self {
        self.event_order = order;
        self
    }

    /// The same with these faults from the start.
    #[must_use]
    pub fn with_faults(mut self, faults: ChipFaults) -> Self {
        self.faults = faults;
        self
    }

    /// The same, not reporting this kind of misuse.
    #[must_use]
    pub fn allowing(mut self, kind: ViolationKind) -> Self {
        self.allowed.push(kind);
        self
    }
}
