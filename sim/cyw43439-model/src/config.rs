//! Configuration of the chip, its firmware and its host.

use core::time::Duration;

use crate::faults::ChipFaults;
use crate::violations::ViolationKind;

/// The images that the host is expected to upload. `None` is not compared.
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
    /// Pseudo-random images of the sizes of those for the Pico W.
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

    /// Sets the firmware.
    #[must_use]
    pub fn with_firmware(mut self, image: impl Into<Vec<u8>>) -> Self {
        self.firmware = Some(image.into());
        self
    }

    /// Sets the NVRAM.
    #[must_use]
    pub fn with_nvram(mut self, image: impl Into<Vec<u8>>) -> Self {
        self.nvram = Some(image.into());
        self
    }

    /// Sets the regulatory database.
    #[must_use]
    pub fn with_clm(mut self, image: impl Into<Vec<u8>>) -> Self {
        self.clm = Some(image.into());
        self
    }
}

/// The order of the last events of a join to a network with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventOrder {
    /// `JOIN` and `SET_SSID`, then `PSK_SUP` with the keys installed.
    #[default]
    KeyedLast,
    /// `PSK_SUP` with the keys installed, then `JOIN` and `SET_SSID`.
    KeyedFirst,
}

/// The chip, the timing of its parts, and the timing of its host on the bus.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChipConfig {
    /// The clock of the bus in Hz, for hosts that do not drive it bit by bit.
    pub bus_hz: u32,
    /// Time that the host spends on each transaction beside its bits.
    pub overhead: Duration,
    /// Time that the host spends on each read and each change of a pin, where it drives the bus bit
    /// by bit.
    pub pin_time: Duration,
    /// Seed of all random faults.
    pub seed: u64,
    /// The images that the host is expected to upload.
    pub images: Images,
    /// The MAC address in the chip's one-time programmable memory.
    pub mac: [u8; 6],

    /// From `WL_REG_ON` high until the bus responds.
    pub power_up: Duration,
    /// How many reads after that return garbage.
    pub garbage_reads: u32,
    /// Whether the ARM core and the RAM run after power-up, or are held in reset.
    pub arm_runs_at_power_up: bool,
    /// From the request for the ALP clock until it is available.
    pub alp_time: Duration,
    /// From the start of the firmware until the HT clock is available.
    pub ht_time: Duration,
    /// From the start of the firmware until it takes frames.
    pub f2_time: Duration,

    /// How many unprocessed frames from the host the firmware holds: the window of credits.
    pub credit_window: u8,
    /// Time that the firmware takes for each frame from the host, before it returns the credit.
    pub tx_time: Duration,
    /// How many frames for the host the firmware queues. Further ones are dropped.
    pub rx_queue: usize,
    /// Whether two junk frames precede the reply to the first ioctl, as on real chips.
    pub junk_frames: bool,
    /// From an ioctl to its reply.
    pub ioctl_time: Duration,
    /// How long ioctls fail with "busy" after the country was set.
    pub country_time: Duration,
    /// How long the radio is not ready for a key after the security was set: the firmware confirms
    /// the key and discards it.
    pub key_lead_time: Duration,

    /// Duration of the search for a network, and of a scan.
    pub scan_time: Duration,
    /// From the start of authentication to its end.
    pub auth_time: Duration,
    /// From that to the end of association.
    pub assoc_time: Duration,
    /// From that to the end of the exchange of keys.
    pub key_time: Duration,
    /// Whether the keys are installed before the end of the join or after it.
    pub event_order: EventOrder,
    /// Whether a host that requests WPA3 and has set a WPA2 key as well can join a WPA2 network.
    pub sae_falls_back: bool,
    /// How long beacons are missing before the chip leaves the network.
    pub beacon_loss_time: Duration,
    /// Bit rate in the air in bits per second. The wire behind the access points has its own.
    pub air_bps: u64,

    /// Random faults.
    pub faults: ChipFaults,
    /// Kinds of protocol violations that are not reported.
    pub allowed_violations: Vec<ViolationKind>,
}

impl Default for ChipConfig {
    /// A chip on a bus of 33.25 MHz, as on a Pico W; images are not compared; seed 0.
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
            allowed_violations: Vec::new(),
        }
    }
}

impl ChipConfig {
    /// Sets the images that the host is expected to upload.
    #[must_use]
    pub fn with_images(mut self, images: Images) -> Self {
        self.images = images;
        self
    }

    /// Sets the bus clock in Hz.
    ///
    /// # Panics
    ///
    /// At 0 Hz.
    #[must_use]
    pub const fn with_bus_hz(mut self, hz: u32) -> Self {
        assert!(hz > 0, "the bus clock must not be 0 Hz");
        self.bus_hz = hz;
        self
    }

    /// Sets the overhead per transaction.
    #[must_use]
    pub const fn with_overhead(mut self, overhead: Duration) -> Self {
        self.overhead = overhead;
        self
    }

    /// Sets the seed of all random faults.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the MAC address.
    #[must_use]
    pub const fn with_mac(mut self, mac: [u8; 6]) -> Self {
        self.mac = mac;
        self
    }

    /// Sets the time from power-on until the bus responds, and the number of reads after that that
    /// return garbage.
    #[must_use]
    pub const fn with_power_up(mut self, time: Duration, garbage_reads: u32) -> Self {
        self.power_up = time;
        self.garbage_reads = garbage_reads;
        self
    }

    /// Sets the ARM core and the RAM to run after power-up.
    #[must_use]
    pub const fn with_arm_running(mut self) -> Self {
        self.arm_runs_at_power_up = true;
        self
    }

    /// Sets the window of credits, in frames.
    #[must_use]
    pub const fn with_credit_window(mut self, frames: u8) -> Self {
        self.credit_window = frames;
        self
    }

    /// Sets the time that the firmware takes for each frame from the host.
    #[must_use]
    pub const fn with_tx_time(mut self, time: Duration) -> Self {
        self.tx_time = time;
        self
    }

    /// Sets the length of the queue of frames for the host.
    #[must_use]
    pub const fn with_rx_queue(mut self, frames: usize) -> Self {
        self.rx_queue = frames;
        self
    }

    /// Sets the first ioctl to have no junk frames before its reply.
    #[must_use]
    pub const fn without_junk_frames(mut self) -> Self {
        self.junk_frames = false;
        self
    }

    /// Sets the order of the last events of a join.
    #[must_use]
    pub const fn with_event_order(mut self, order: EventOrder) -> Self {
        self.event_order = order;
        self
    }

    /// Sets the random faults.
    #[must_use]
    pub fn with_faults(mut self, faults: ChipFaults) -> Self {
        self.faults = faults;
        self
    }

    /// Sets a kind of protocol violation that is not reported. May be repeated.
    #[must_use]
    pub fn with_allowed_violation(mut self, kind: ViolationKind) -> Self {
        self.allowed_violations.push(kind);
        self
    }
}
