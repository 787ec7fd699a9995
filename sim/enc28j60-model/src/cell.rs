//! The chip behind its SPI interface, in the cell that its handles and pins share.

use std::rc::Rc;

use ethdev_sim::model::{ChipModel, Context, Line, ModelCell};
use ethdev_sim::{Clock, Port};

use crate::chip::Types;
use crate::config::ChipConfig;
use crate::error::SpiFault;
use crate::faults::MisoFault;
use crate::instruction::Spi;
use crate::model::Model;
use crate::timer::Timer;

/// What the chip's handles and pins share.
pub(crate) type Shared = ModelCell<Enc28j60>;

/// The chip: its SPI interface, and the rest.
pub(crate) struct Enc28j60 {
    pub(crate) spi: Spi,
    pub(crate) model: Model,
}

/// What the chip is connected to.
pub(crate) struct Board {
    /// The INT line.
    pub(crate) line: Line,
}

impl ChipModel for Enc28j60 {
    type Types = Types;
    type Board = Board;

    fn context(&self) -> &Context<Types> {
        &self.model.chip.cx
    }

    fn context_mut(&mut self) -> &mut Context<Types> {
        &mut self.model.chip.cx
    }

    fn expire(&mut self, timer: Timer) {
        self.model.expire(timer);
    }

    fn settle(cell: &Shared) {
        let (low, lost_edge) = {
            let chip = cell.model();
            let low = chip.spi.miso == MisoFault::Connected && chip.model.int_is_low();
            (low, chip.model.chip.cx.config.faults.lost_edge)
        };
        let falls = low && !cell.line.is_active();
        let lost = falls && lost_edge > 0.0 && cell.update(|chip| chip.model.chip.rng.edge.chance(lost_edge));
        cell.line.set(low, !lost);
    }
}

/// A chip that was just powered on, attached to its wire.
///
/// # Panics
///
/// Where the wire is up at another speed than 10 Mbit/s.
pub(crate) fn power_on(clock: &Clock, port: Port, config: ChipConfig) -> Rc<Shared> {
    if let ethdev::Link::Up(mode) = port.link() {
        assert_eq!(
            mode.speed,
            Some(ethdev::Speed::MBPS_10),
            "an ENC28J60 needs a wire of 10 Mbit/s"
        );
    }
    let chip = Enc28j60 {
        spi: Spi::default(),
        model: Model::new(clock, port, config),
    };
    let line = Line::active_low();
    let cell = ModelCell::new(chip, Board { line });
    {
        let chip = cell.model();
        let port = &chip.model.chip.port;
        let weak = cell.weak();
        port.on_receive(Box::new(move |frame| {
            weak.with(|chip| chip.model.receive(frame));
        }));
        let weak = cell.weak();
        port.on_link_change(Box::new(move |_| {
            weak.with(|chip| chip.model.cable_changed());
        }));
    }
    cell
}

/// The SPI bus.
impl Enc28j60 {
    pub(crate) fn select(&mut self) {
        self.spi.select(&mut self.model.chip);
    }

    pub(crate) fn deselect(&mut self) {
        self.spi.deselect(&mut self.model);
    }

    pub(crate) fn reentered(&mut self) {
        Spi::reentered(&mut self.model.chip);
    }

    pub(crate) fn draw_corruption(&mut self, len: usize) {
        self.spi.draw_corruption(&mut self.model.chip, len);
    }

    pub(crate) const fn take_corruption(&mut self) -> Option<u8> {
        self.spi.take_corruption()
    }

    pub(crate) fn is_undisturbed_stream(&self) -> bool {
        self.spi.is_undisturbed_stream(&self.model.chip)
    }

    pub(crate) fn stream_out(&mut self, bytes: &mut [u8]) {
        self.spi.stream_out(&mut self.model.chip, bytes);
    }

    pub(crate) fn stream_in(&mut self, bytes: &[u8]) {
        self.spi.stream_in(&mut self.model.chip, bytes);
    }

    pub(crate) fn clock_byte(&mut self, mosi: u8) -> Result<u8, SpiFault> {
        self.spi.clock_byte(&mut self.model, mosi)
    }

    /// Duration of a byte on the bus.
    pub(crate) fn byte_time(&self) -> core::time::Duration {
        let hz = self.model.chip.cx.config.sck_hz;
        core::time::Duration::from_nanos(8_000_000_000_u64.div_ceil(hz.into()))
    }

    /// Suspends the reporting of violations, and changes the chip: an injected fault.
    pub(crate) fn inject<R>(&mut self, act: impl FnOnce(&mut Self) -> R) -> R {
        self.model.chip.taint();
        act(self)
    }
}
