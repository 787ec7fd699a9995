//! A template for a new driver: copy the three files, and replace the model by that of your chip,
//! then the driver. The fixture needs few changes.

mod chip;
#[allow(unreachable_pub, reason = "in a crate of its own these items are its API")]
mod driver;

use std::cell::RefCell;
use std::rc::Rc;

use chip::Chip;
use driver::MinimalNic;
use embedded_hal::spi::{self, Operation, SpiDevice};
use ethdev::MacAddress;
use ethdev_conformance::{AccessEvents, Arrival, Fixture, WirePeer, conformance};
use ethdev_sim::{Clock, Peer, Wire, WireConfig};

/// The bus of the chip: it fails, and frames arrive, before the accesses that the checks choose.
struct Spi {
    chip: Rc<RefCell<Chip>>,
    events: Rc<AccessEvents>,
    arrive: Box<dyn Fn(Arrival)>,
}

/// The bus failed.
#[derive(Debug)]
struct SpiFailed;

impl spi::Error for SpiFailed {
    fn kind(&self) -> spi::ErrorKind {
        spi::ErrorKind::Other
    }
}

impl spi::ErrorType for Spi {
    type Error = SpiFailed;
}

impl SpiDevice for Spi {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiFailed> {
        self.events.next(&self.arrive).map_err(|_| SpiFailed)?;
        let mut chip = self.chip.borrow_mut();
        chip.settle();
        let mut command = vec![];
        for operation in operations {
            match operation {
                Operation::Write(bytes) => command.extend_from_slice(bytes),
                Operation::Read(bytes) => {
                    let mut response = chip.respond(&command);
                    response.resize(bytes.len(), 0);
                    bytes.copy_from_slice(&response);
                }
                _ => panic!("the chip does not read and write at once"),
            }
        }
        chip.execute(&command);
        Ok(())
    }
}

struct Minimal;

impl Fixture for Minimal {
    type Device = MinimalNic<Spi>;
    type LinkPeer = WirePeer;
    // What the chip does not have.
    const MISSING: Option<&'static [&'static str]> = Some(&["set_rx_filter", "sleep", "wake"]);

    fn new() -> (MinimalNic<Spi>, WirePeer) {
        let clock = Clock::new();
        let (wire, port, end) = Wire::new(&clock, WireConfig::default());
        let chip = Chip::new(&clock, port);
        let [stall, fault, length] = [(); 3].map(|()| Rc::clone(&chip));
        let events = Rc::new(AccessEvents::default());
        let peer = WirePeer::new(clock, wire, Peer::new(end))
            .with_stall_tx(move |stalled| stall.borrow_mut().stall_tx(stalled))
            .with_inject_fault(move || fault.borrow_mut().fault = true)
            .with_override_rx_len(move |len| length.borrow_mut().next_len = Some(len))
            .with_bus(Rc::clone(&events));
        let arrive = Box::new(peer.arrivals());
        let address = MacAddress::new([0x02, 0, 0, 0, 0, 0x01]);
        let nic = MinimalNic::new(Spi { chip, events, arrive }, address).expect("the chip starts");
        (nic, peer)
    }
}

conformance!(minimal_spi_nic, Minimal; control);

/// Blank lines and comments are not counted.
#[test]
fn template_lines_of_code_few() {
    for (name, source, max) in [
        ("main.rs", include_str!("main.rs"), 100),
        ("driver.rs", include_str!("driver.rs"), 250),
        ("chip.rs", include_str!("chip.rs"), 180),
    ] {
        let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        let lines = source.lines().filter(code).count();
        assert!(
            lines < max,
            "{name}: expected less than {max} lines of code, found {lines}"
        );
    }
}
