//! Registers, interrupts, MDIO.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use nxp_enet_model::ChipConfig;

use crate::host::{ECR, EIMR, EIR, Host, OWN, RDAR, RXF, frame};

/// Memory map of the reference manual, column "reset value".
#[test]
fn registers_after_reset_match_manual() {
    let host = Host::off(ChipConfig::default());
    for (register, value) in [
        (0x004, 0),
        (0x024, 0xf000_0000),
        (0x044, 0),
        (0x064, 0xc000_0000),
        (0x084, 0x05ee_0001),
        (0x0c4, 0),
        (0x0e8, 0x0000_8808),
        (0x0ec, 0x0001_0000),
        (0x188, 0),
        (0x198, 4),
        (0x1b0, 0x7ff),
    ] {
        assert_eq!(host.read(register), value, "{register:#x}");
    }
    assert_eq!(host.violations(), []);
}

#[test]
fn reset_takes_eight_cycles_and_clears_registers() {
    let host = Host::new();
    host.write(ECR, 1);
    assert_eq!(host.read(ECR) & 1, 1);
    host.clock.advance(Duration::from_nanos(8 * 16));
    assert_eq!(host.read(ECR), 0xf000_0000);
    assert_eq!((host.read(0x84), host.read(0x180)), (0x05ee_0001, 0));
}

/// The line is a level: it follows events and mask, and every rise is signaled once.
#[test]
fn irq_events_and_mask_set_line() {
    let host = Host::new();
    let rises = Rc::new(Cell::new(0));
    host.chip.on_interrupt({
        let rises = rises.clone();
        move || rises.set(rises.get() + 1)
    });
    host.chip.inject_rx(&frame(OWN, 60));
    assert_eq!((host.read(EIR) & RXF, rises.get()), (RXF, 0));
    // Unmasked with an event there: a rise.
    host.write(EIMR, RXF);
    assert_eq!(rises.get(), 1);
    // It is up already.
    host.chip.inject_rx(&frame(OWN, 60));
    assert_eq!(rises.get(), 1);
    // A 1 clears, a 0 does not.
    host.write(EIR, !RXF);
    assert_eq!(host.read(EIR) & RXF, RXF);
    host.write(EIR, RXF);
    assert_eq!(host.read(EIR) & RXF, 0);
    host.chip.inject_rx(&frame(OWN, 60));
    assert_eq!(rises.get(), 2);
    host.write(EIMR, 0);
    host.write(EIMR, RXF);
    assert_eq!(rises.get(), 3);
}

#[test]
fn mdio_frame_takes_64_cycles() {
    let host = Host::off(ChipConfig::default());
    let seen = Rc::new(RefCell::new(Vec::new()));
    host.chip.on_mdio({
        let seen = seen.clone();
        move |phy, register, write| {
            seen.borrow_mut().push((phy, register, write));
            Some(0xbeef)
        }
    });
    // 66 MHz / 28 = 2.36 MHz: 27.2 us.
    host.write(0x44, 13 << 1);
    host.write(0x40, 0x6000_0000 | 5 << 23 | 17 << 18 | 2 << 16);
    host.pass(27);
    assert_eq!(host.read(EIR) & 1 << 23, 0);
    host.pass(1);
    assert_eq!((host.read(EIR) & 1 << 23, host.read(0x40) & 0xffff), (1 << 23, 0xbeef));
    host.write(EIR, 1 << 23);
    host.write(0x40, 0x5000_0000 | 5 << 23 | 4 << 18 | 2 << 16 | 0x01e1);
    host.pass(28);
    assert_eq!(*seen.borrow(), [(5, 17, None), (5, 4, Some(0x01e1))]);
    assert_eq!(host.violations(), []);
    // With MDC off no frame ends.
    host.write(EIR, 1 << 23);
    host.write(0x44, 0);
    host.write(0x40, 0x6000_0000);
    host.pass(1_000_000);
    assert_eq!(host.read(EIR) & 1 << 23, 0);
}

#[test]
fn bus_error_halts_mac() {
    let host = Host::new();
    host.write(ECR, 0x100);
    host.write(0x180, 0x80_0000);
    host.write(ECR, 0x102);
    host.write(RDAR, 1 << 24);
    assert_eq!(host.read(EIR) & 1 << 22, 1 << 22);
    assert_eq!(host.read(ECR) & 2, 0);
    assert_eq!(host.violations(), []);
}
