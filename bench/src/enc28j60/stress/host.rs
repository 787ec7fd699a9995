//! The host: the driver, and how long its calls take.

use core::time::Duration;

use ethdev::{EthernetDevice, Events, Stats};
use ethdev_enc28j60::{Config, Enc28j60, Error};
use ethdev_sim::chip::enc28j60::{Enc28j60Chip, SpiFault};
use ethdev_sim::{Clock, SimDelay};

use super::super::NoisySpi;

type Result<T> = core::result::Result<T, Error<SpiFault>>;

/// How often the driver is made anew where it does not start on a bad bus.
const STARTS: usize = 10;

/// The driver, and how long its calls take.
pub(super) struct Host {
    nic: Enc28j60<NoisySpi, SimDelay>,
    clock: Clock,
    pub(super) longest_call: Duration,
}

impl Host {
    pub(super) fn start(chip: &Enc28j60Chip, config: Config, mut spi: impl FnMut() -> NoisySpi) -> Result<Self> {
        let mut tries = 0;
        let nic = loop {
            tries += 1;
            match Enc28j60::new(spi(), chip.delay(), config) {
                Ok(nic) => break nic,
                Err(e) if tries == STARTS => return Err(e),
                Err(_) => {}
            }
        };
        Ok(Self {
            nic,
            clock: chip.clock(),
            longest_call: Duration::ZERO,
        })
    }

    fn timed<T>(&mut self, call: impl FnOnce(&mut Enc28j60<NoisySpi, SimDelay>) -> T) -> T {
        let began = self.clock.now();
        let result = call(&mut self.nic);
        self.longest_call = self.longest_call.max(self.clock.now() - began);
        result
    }

    pub(super) fn service(&mut self) -> Result<Events> {
        self.timed(EthernetDevice::service)
    }

    pub(super) fn recv(&mut self, buf: &mut [u8]) -> Result<Option<usize>> {
        self.timed(|nic| nic.recv_frame(buf).map(|meta| meta.map(|meta| meta.len)))
    }

    pub(super) fn tx_ready(&mut self) -> Result<bool> {
        self.timed(EthernetDevice::tx_ready)
    }

    pub(super) fn send(&mut self, frame: &[u8]) -> Result<()> {
        self.timed(|nic| nic.send_gather(&[frame]))
    }

    pub(super) fn stats(&self) -> Stats {
        self.nic.stats()
    }
}
