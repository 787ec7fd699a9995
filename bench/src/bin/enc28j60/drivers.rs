//! The drivers under test, behind one trait.

use core::time::Duration;

use enc28j60_model::{CsPin, Hal02, IntPin, ResetPin, SimSpi, SimSpiBus};
use ethdev::EthernetDevice;
use ethdev_bench::enc28j60::{CHIP, Testbed};
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_sim::SimDelay;
pub(crate) use ethdev_sim::embassy_time::set_clock;

/// The time until the link is up.
const LINK_TIME: Duration = Duration::from_millis(50);

/// A driver under test.
pub(crate) trait Dut: Sized {
    const NAME: &str;

    fn start(testbed: &Testbed) -> Self;

    fn recv(&mut self, buf: &mut [u8]) -> Option<usize>;

    /// Whether `send` accepts a frame without waiting, if the driver reports that.
    fn can_send(&mut self) -> bool {
        true
    }

    fn send(&mut self, frame: &[u8]);
}

pub(crate) type OurDriver = Enc28j60<SimSpi, SimDelay>;

/// ethdev's driver.
pub(crate) struct Ours(OurDriver);

impl Dut for Ours {
    const NAME: &str = "ethdev-enc28j60";

    fn start(testbed: &Testbed) -> Self {
        let mut nic = Enc28j60::new(testbed.chip.spi_device(), testbed.chip.delay(), Config::new(CHIP))
            .expect("the driver starts");
        testbed.clock.advance(LINK_TIME);
        nic.service().expect("the bus does not fail");
        Self(nic)
    }

    fn recv(&mut self, buf: &mut [u8]) -> Option<usize> {
        let meta = self.0.recv_frame(buf).expect("the bus does not fail");
        meta.map(|meta| meta.len)
    }

    fn can_send(&mut self) -> bool {
        self.0.tx_ready().expect("the bus does not fail")
    }

    fn send(&mut self, frame: &[u8]) {
        self.0.send_frame(frame).expect("the transmit queue is not full");
    }
}

/// The published `embassy-net-enc28j60`, by the methods that its `embassy_net_driver::Driver`
/// calls.
pub(crate) struct Embassy(pub(crate) embassy_net_enc28j60::Enc28j60<SimSpi, ResetPin>);

impl Dut for Embassy {
    const NAME: &str = "embassy-net-enc28j60";

    fn start(testbed: &Testbed) -> Self {
        let driver = embassy_net_enc28j60::Enc28j60::new(testbed.chip.spi_device(), None, CHIP.octets());
        testbed.clock.advance(LINK_TIME);
        Self(driver)
    }

    fn recv(&mut self, buf: &mut [u8]) -> Option<usize> {
        self.0.receive(buf)
    }

    fn send(&mut self, frame: &[u8]) {
        self.0.transmit(frame);
    }
}

/// The published `enc28j60`.
pub(crate) struct Japaric(
    pub(crate) enc28j60::Enc28j60<Hal02<SimSpiBus>, Hal02<CsPin>, Hal02<IntPin>, enc28j60::Unconnected>,
);

impl Dut for Japaric {
    const NAME: &str = "enc28j60";

    fn start(testbed: &Testbed) -> Self {
        let (bus, select) = testbed.chip.spi_bus();
        // The crate does not wait for the oscillator after power-on.
        testbed.clock.advance(Duration::from_millis(1));
        let int = Hal02(testbed.chip.int_pin());
        let delay = &mut Hal02(testbed.clock.clone());
        let reset = enc28j60::Unconnected;
        // The same receive memory as embassy-net-enc28j60; the rest holds one transmit frame.
        let mut driver = enc28j60::Enc28j60::new(Hal02(bus), Hal02(select), int, reset, delay, 0x1a00, CHIP.octets())
            .expect("the bus does not fail");
        driver.listen(enc28j60::Event::Pkt).expect("the bus does not fail");
        testbed.clock.advance(LINK_TIME);
        Self(driver)
    }

    fn recv(&mut self, buf: &mut [u8]) -> Option<usize> {
        // `receive` blocks until a frame is received.
        if self.0.pending_packets().expect("the bus does not fail") == 0 {
            return None;
        }
        Some(self.0.receive(buf).expect("the bus does not fail").into())
    }

    fn send(&mut self, frame: &[u8]) {
        self.0.transmit(frame).expect("nothing collides");
    }
}
