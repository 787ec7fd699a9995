//! The drivers under measurement, behind one face.

use core::cell::RefCell;
use core::task::Waker;
use core::time::Duration;

use embassy_time_driver::Driver;
use enc28j60_model::{CsPin, Hal02, IntPin, ResetPin, SimSpi, SimSpiBus};
use ethdev::EthernetDevice;
use ethdev_bench::enc28j60::{CHIP, Lab};
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_sim::{Clock, SimDelay};

/// Until the link is there, and everything has settled.
const SETTLING: Duration = Duration::from_millis(50);

thread_local! {
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

/// embassy-time on the virtual clock. A look at it takes a microsecond, so that a loop which waits for the time to pass comes to its end.
struct VirtualTime;

impl Driver for VirtualTime {
    fn now(&self) -> u64 {
        CLOCK.with_borrow(|clock| {
            let clock = clock.as_ref().expect("the laboratory has set the clock");
            clock.advance(Duration::from_micros(1));
            let ticks = clock.now().as_nanos() * u128::from(embassy_time_driver::TICK_HZ) / 1_000_000_000;
            u64::try_from(ticks).unwrap_or(u64::MAX)
        })
    }

    fn schedule_wake(&self, _: u64, _: &Waker) {
        unreachable!("the driver only ever blocks");
    }
}

embassy_time_driver::time_driver_impl!(static TIME: VirtualTime = VirtualTime);

/// embassy-time shows this clock from now on.
pub(crate) fn show_time(clock: &Clock) {
    CLOCK.set(Some(clock.clone()));
}

/// A driver, started on a laboratory's chip.
pub(crate) trait Subject: Sized {
    const NAME: &str;

    fn start(lab: &Lab) -> Self;

    fn recv(&mut self, buf: &mut [u8]) -> Option<usize>;

    /// Whether `send` takes a frame at once, where the driver can tell.
    fn can_send(&mut self) -> bool {
        true
    }

    fn send(&mut self, frame: &[u8]);
}

pub(crate) type OurDriver = Enc28j60<SimSpi, SimDelay>;

/// ethdev's.
pub(crate) struct Ours(OurDriver);

impl Subject for Ours {
    const NAME: &str = "ethdev-enc28j60";

    fn start(lab: &Lab) -> Self {
        let mut nic = Enc28j60::new(lab.chip.spi_device(), lab.chip.delay(), Config::new(CHIP)).expect("it starts");
        lab.clock.advance(SETTLING);
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
        self.0.send_frame(frame).expect("there is room");
    }
}

/// `embassy-net-enc28j60` as published, by the methods that its `embassy_net_driver::Driver` calls.
pub(crate) struct Embassy(pub(crate) embassy_net_enc28j60::Enc28j60<SimSpi, ResetPin>);

impl Subject for Embassy {
    const NAME: &str = "embassy-net-enc28j60";

    fn start(lab: &Lab) -> Self {
        let driver = embassy_net_enc28j60::Enc28j60::new(lab.chip.spi_device(), None, CHIP.octets());
        lab.clock.advance(SETTLING);
        Self(driver)
    }

    fn recv(&mut self, buf: &mut [u8]) -> Option<usize> {
        self.0.receive(buf)
    }

    fn send(&mut self, frame: &[u8]) {
        self.0.transmit(frame);
    }
}

/// `enc28j60` as published.
pub(crate) struct Japaric(
    pub(crate) enc28j60::Enc28j60<Hal02<SimSpiBus>, Hal02<CsPin>, Hal02<IntPin>, enc28j60::Unconnected>,
);

impl Subject for Japaric {
    const NAME: &str = "enc28j60";

    fn start(lab: &Lab) -> Self {
        let (bus, select) = lab.chip.spi_bus();
        // The crate leaves the oscillator's start after power-on to its user.
        lab.clock.advance(Duration::from_millis(1));
        let int = Hal02(lab.chip.int_pin());
        let delay = &mut Hal02(lab.clock.clone());
        let reset = enc28j60::Unconnected;
        // As much for receiving as embassy's: the rest holds one frame to send.
        let mut driver = enc28j60::Enc28j60::new(Hal02(bus), Hal02(select), int, reset, delay, 0x1a00, CHIP.octets())
            .expect("the bus does not fail");
        driver.listen(enc28j60::Event::Pkt).expect("the bus does not fail");
        lab.clock.advance(SETTLING);
        Self(driver)
    }

    fn recv(&mut self, buf: &mut [u8]) -> Option<usize> {
        // `receive` alone blocks until a frame comes.
        if self.0.pending_packets().expect("the bus does not fail") == 0 {
            return None;
        }
        Some(self.0.receive(buf).expect("the bus does not fail").into())
    }

    fn send(&mut self, frame: &[u8]) {
        self.0.transmit(frame).expect("nothing collides");
    }
}
