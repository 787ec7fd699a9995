//! The port as a whole: its parts, and how it acts on the medium.

use std::rc::Rc;

use ethdev::{Duplex, Speed};
use ethdev_sim::MediaSide;
use ethdev_sim::model::{ChipModel, Hook, ModelCell};

use crate::config::RmiiPortConfig;
use crate::context::{Context, Effect, MediaState, Timer, Types};
use crate::event::{Event, Interrupts};
use crate::rx::{Rx, RxDone};
use crate::tx::Tx;

/// The port's medium and handlers.
pub(crate) struct Board {
    pub(crate) media: Box<dyn MediaSide>,
    pub(crate) event: Hook<Event>,
    pub(crate) access: Hook<()>,
}

impl Board {
    pub(crate) fn media_state(&self) -> MediaState {
        MediaState {
            link: self.media.link(),
            is_clocked: self.media.is_clocked(),
        }
    }
}

/// The port.
pub(crate) struct Model<B> {
    pub(crate) context: Context,
    pub(crate) interrupts: Interrupts,
    rx: Rx<B>,
    tx: Tx<B>,
}

pub(crate) type Cell<B> = ModelCell<Model<B>>;

impl<B: AsRef<[u8]> + AsMut<[u8]> + 'static> ChipModel for Model<B> {
    type Types = Types;
    type Board = Board;

    fn context(&self) -> &Context {
        &self.context
    }

    fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }

    fn expire(&mut self, timer: Timer) {
        match timer {
            Timer::RxEnd { generation } => {
                self.rx.event_due(&mut self.context, &mut self.interrupts, generation);
            }
            Timer::TxEnd { generation } => {
                self.tx.gap_over(&mut self.context, &mut self.interrupts, generation);
            }
        }
    }

    fn settle(cell: &ModelCell<Self>) {
        loop {
            match cell.next_effect() {
                Some(Effect::BreakOff) => cell.media.break_off(),
                Some(Effect::Transmit(frame)) => {
                    let last_bit = cell.media.transmit(frame);
                    cell.update(|port| port.tx.transmitting_until(&mut port.context, last_bit));
                }
                None => match cell.update(|port| port.interrupts.take()) {
                    Some(event) => cell.event.call(event),
                    None => return,
                },
            }
        }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]> + 'static> Model<B> {
    /// A port on this medium.
    pub(crate) fn attach(media: Box<dyn MediaSide>, config: RmiiPortConfig) -> Rc<Cell<B>> {
        media.set_mac_mode(Speed::MBPS_100, Duplex::Full);
        let (seed, allowed) = (config.seed, config.allowed_violations.clone());
        let model = Self {
            context: Context::new(&media.clock(), config, allowed),
            interrupts: Interrupts::default(),
            rx: Rx::new(seed),
            tx: Tx::default(),
        };
        let board = Board {
            media,
            event: Hook::default(),
            access: Hook::default(),
        };
        let cell = ModelCell::new(model, board);
        let (receiver, carrier) = (cell.weak(), cell.weak());
        cell.media.on_receive(Box::new(move |frame| {
            receiver.with(|port| port.rx.frame_ends(&mut port.context, frame));
        }));
        cell.media.on_false_carrier(Box::new(move |length| {
            carrier.with(|port| port.rx.false_carrier_ends(&mut port.context, length));
        }));
        cell
    }

    pub(crate) fn start_rx(&mut self, buffer: B) -> Result<(), B> {
        self.rx.start(&mut self.context, buffer)
    }

    pub(crate) fn stop_rx(&mut self) -> Option<B> {
        self.rx.stop(&mut self.context)
    }

    pub(crate) fn take_rx(&mut self) -> Option<RxDone<B>> {
        self.rx.take()
    }

    pub(crate) const fn is_receiving(&self) -> bool {
        self.rx.is_receiving()
    }

    pub(crate) const fn is_rx_done(&self) -> bool {
        self.rx.is_done()
    }

    pub(crate) const fn override_rx_len(&mut self, len: usize) {
        self.rx.override_len(len);
    }

    pub(crate) fn inject_rx(&mut self, frame: &[u8]) {
        self.rx.inject(&mut self.context, &mut self.interrupts, frame);
    }

    pub(crate) fn start_tx(&mut self, buffer: B, len: usize, media: MediaState) {
        self.tx.start(&mut self.context, buffer, len, media);
    }

    pub(crate) fn abort_tx(&mut self) {
        self.tx.abort(&mut self.context);
    }

    pub(crate) fn hold_tx(&mut self, hold: bool, media: MediaState) {
        self.tx.hold(&mut self.context, hold, media);
    }

    pub(crate) const fn hang_next_tx(&mut self) {
        self.tx.hang_next();
    }

    pub(crate) fn take_tx(&mut self) -> Option<B> {
        self.tx.take()
    }

    pub(crate) const fn is_sending(&self) -> bool {
        self.tx.is_sending()
    }

    pub(crate) fn is_fetching(&self) -> bool {
        self.tx.is_fetching(&self.context)
    }
}
