//! The link of a wire: a cable that is in, and a mode that the ends agreed on.

use std::rc::Rc;

use ethdev::{Link, LinkMode};

use super::side::Side;
use super::state::Inner;

pub(super) const fn link(plugged: bool, mode: Option<LinkMode>) -> Link {
    match mode {
        Some(mode) if plugged => Link::Up(mode),
        _ => Link::Down,
    }
}

impl Inner {
    pub(super) fn is_plugged(&self) -> bool {
        self.state.borrow().plugged
    }

    /// Plugs the cable in, or pulls it out.
    pub(super) fn plug(self: &Rc<Self>, plugged: bool) {
        self.state.borrow_mut().plugged = plugged;
        self.link_follows();
        self.notify_cable(Side::A);
        self.notify_cable(Side::B);
    }

    /// The ends agreed on something else.
    pub(super) fn set_mode(&self, mode: Option<LinkMode>) {
        if let Some(speed) = mode.and_then(|mode| mode.speed) {
            assert!(speed.kbps() > 0, "the speed of a wire must not be 0");
        }
        self.state.borrow_mut().mode = mode;
        self.link_follows();
    }

    fn link_follows(&self) {
        {
            let mut state = self.state.borrow_mut();
            let link = link(state.plugged, state.mode);
            if state.link == link {
                return;
            }
            state.era += u64::from(state.link.is_up());
            state.link = link;
            // Neither what was cut nor what was sent into the void keeps the new link waiting.
            for lane in &mut state.lanes {
                lane.idle_at = self.clock.now();
                lane.slots.clear();
            }
            if let Some(speed) = link.mode().and_then(|mode| mode.speed) {
                self.speed.set(speed);
            }
        }
        self.notify(Side::A);
        self.notify(Side::B);
    }

    /// Notifies `side` of the link until it has the current state.
    fn notify(&self, side: Side) {
        loop {
            let (mut watcher, turn, link) = {
                let mut state = self.state.borrow_mut();
                let link = state.link;
                let end = &mut state.ends[side.index()];
                if end.notifying || end.reported == link {
                    return;
                }
                end.reported = link;
                let Some(watcher) = end.link_watcher.take() else { return };
                end.notifying = true;
                (watcher, end.link_watchers, link)
            };
            watcher(link);
            let mut state = self.state.borrow_mut();
            let end = &mut state.ends[side.index()];
            end.notifying = false;
            if end.link_watchers == turn {
                end.link_watcher = Some(watcher);
            }
        }
    }

    /// Notifies `side` of the cable.
    fn notify_cable(&self, side: Side) {
        loop {
            let (mut watcher, turn, plugged) = {
                let mut state = self.state.borrow_mut();
                let plugged = state.plugged;
                let end = &mut state.ends[side.index()];
                if end.notifying_cable || end.reported_cable == plugged {
                    return;
                }
                end.reported_cable = plugged;
                let Some(watcher) = end.cable_watcher.take() else {
                    return;
                };
                end.notifying_cable = true;
                (watcher, end.cable_watchers, plugged)
            };
            watcher(plugged);
            let mut state = self.state.borrow_mut();
            let end = &mut state.ends[side.index()];
            end.notifying_cable = false;
            if end.cable_watchers == turn {
                end.cable_watcher = Some(watcher);
            }
        }
    }
}
