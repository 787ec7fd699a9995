//! The built-in PHY of the model.

/// Interrupt sources (register 29): auto-negotiation complete, link down.
const COMPLETE: u16 = 0x0040;
const DOWN: u16 = 0x0010;

#[derive(Debug)]
pub(super) struct Phy {
    pub(super) link: bool,
    /// The link was down since register 1 was read last.
    was_down: bool,
    control: u16,
    advertised: u16,
    sources: u16,
    mask: u16,
}

impl Phy {
    pub(super) fn new() -> Self {
        Self {
            link: true,
            was_down: true,
            control: 0x3000,
            advertised: 0x01e1,
            sources: 0,
            mask: 0,
        }
    }

    pub(super) fn interrupts(&self) -> bool {
        self.sources & self.mask != 0
    }

    pub(super) fn set_link(&mut self, up: bool) {
        if up && !self.link {
            self.sources |= COMPLETE;
        } else if !up && self.link {
            self.sources |= DOWN;
            self.was_down = true;
        }
        self.link = up;
    }

    pub(super) fn read(&mut self, register: usize) -> u16 {
        match register {
            0 => self.control,
            1 => {
                let complete = if self.link { 0x0020 } else { 0 };
                let up = if self.link && !self.was_down { 0x0004 } else { 0 };
                self.was_down = !self.link;
                0x7809 | complete | up
            }
            2 => 0x0007,
            3 => 0xc0d1,
            4 => self.advertised,
            // The partner can do all four modes.
            5 => 0x41e1,
            29 => std::mem::take(&mut self.sources),
            30 => self.mask,
            _ => panic!("read of PHY register {register}, which the driver has no use for"),
        }
    }

    pub(super) fn write(&mut self, register: usize, value: u16) {
        match register {
            0 => {
                assert_eq!(
                    value & 0x9000,
                    0x1000,
                    "auto-negotiation switched off, or a reset that is not modelled"
                );
                self.control = value & !0x0200;
                if value & 0x0200 != 0 && self.link {
                    self.sources |= COMPLETE;
                }
            }
            4 => {
                assert_eq!(value & 0x1f, 1, "selector field");
                self.advertised = value;
            }
            30 => self.mask = value,
            _ => panic!("write to PHY register {register}, which the driver has no use for"),
        }
    }
}
