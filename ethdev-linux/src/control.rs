//! Management.

use core::time::Duration;

use ethdev::{Control, ControlError, FilterOutcome, Interest, Link, MacAddress, Multicast, RxFilter};

use crate::open::{Opened, facts, open};
use crate::tap::State;
use crate::watch::LinkMonitor;
use crate::{Tap, TapConfig, TapError};

/// A receive filter of our own: the kernel delivers whatever it sends.
#[derive(Debug)]
pub(crate) struct Filter {
    /// Without the list of groups, which it would borrow.
    setting: RxFilter<'static>,
    groups: Vec<MacAddress>,
}

impl Filter {
    pub(crate) fn new(filter: RxFilter<'_>) -> Self {
        let (multicast, groups) = match filter.multicast {
            Multicast::None => (Multicast::None, &[][..]),
            Multicast::All => (Multicast::All, &[][..]),
            Multicast::List(groups) => (Multicast::None, groups),
        };
        let mut setting = RxFilter::DEFAULT
            .with_broadcast(filter.broadcast)
            .with_multicast(multicast);
        setting.promiscuous = filter.promiscuous;
        let is_group = |address: &MacAddress| address.is_multicast() && !address.is_broadcast();
        Self {
            setting,
            groups: groups.iter().copied().filter(is_group).collect(),
        }
    }

    pub(crate) fn passes(&self, destination: MacAddress, own: MacAddress) -> bool {
        self.setting.passes(destination, own) || self.groups.contains(&destination)
    }
}

fn failed(error: TapError) -> ControlError<TapError> {
    ControlError::Device(error)
}

impl Control for Tap {
    /// Delivers again. What came while it was stopped is thrown away, uncounted. Goes on as stopped where that fails.
    fn start(&mut self) -> Result<(), ControlError<TapError>> {
        match self.state {
            State::Running => return Ok(()),
            State::InterfaceRemoved => return Err(failed(self.gone(None))),
            State::Stopped => {}
        }
        // Its queue length may have become 0 meanwhile.
        facts(&self.io, &self.name).map_err(failed)?;
        let before = self.stats;
        self.drain().map_err(failed)?;
        self.stats = before;
        self.look_for_overruns(false);
        self.state = State::Running;
        self.look(Interest::ALL, Some(Duration::ZERO)).map_err(failed)?;
        Ok(())
    }

    /// Delivers and sends no more. The kernel does not notice: its interface stays up, and its queue fills.
    fn stop(&mut self) -> Result<(), ControlError<TapError>> {
        if self.state != State::Running {
            return Ok(());
        }
        let drained = self.drain();
        self.look_for_overruns(true);
        if self.state == State::Running {
            self.state = State::Stopped;
        }
        self.set_link(Link::Down);
        drained.map_err(failed)
    }

    /// Gives our end another address. The kernel's interface keeps its own, and that one is `InvalidInput` here.
    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<TapError>> {
        let is_kernels = self.io.mac_address().is_ok_and(|kernels| kernels == address.octets());
        if !address.is_unicast() || is_kernels {
            return Err(ControlError::InvalidInput);
        }
        self.mac_address = address;
        Ok(())
    }

    /// Always [`Exact`](FilterOutcome::Exact). The filter is here, not in the kernel: a frame that it refuses has cost a system call.
    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<TapError>> {
        self.filter = Filter::new(filter);
        Ok(FilterOutcome::Exact)
    }

    /// Opens the interface again if it was deleted, as it was opened first: by its name, created if that was allowed. Reads the IP MTU anew in any case.
    ///
    /// An interface that is there stays open: closing one that this device created would delete it, with its addresses.
    fn recover(&mut self) -> Result<(), ControlError<TapError>> {
        if self.state == State::InterfaceRemoved {
            self.reopen().map_err(failed)?;
        } else {
            self.start()?;
            self.drain().map_err(failed)?;
            let facts = facts(&self.io, &self.name).map_err(failed)?;
            self.apply(&facts);
        }
        self.state = State::Running;
        self.look(Interest::ALL, Some(Duration::ZERO)).map_err(failed)?;
        self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
        Ok(())
    }
}

impl Tap {
    fn reopen(&mut self) -> Result<(), TapError> {
        let config = TapConfig {
            name: self.name.clone(),
            mac_address: Some(self.mac_address),
            ..self.config.clone()
        };
        let Opened { io, name, index, .. } = open(&config)?;
        let facts = facts(&io, &name)?;
        self.io = io;
        self.name = name;
        self.watch = LinkMonitor::new(index);
        self.lose_held();
        self.apply(&facts);
        self.overruns.begin(self.watch.dropped);
        self.generation = self.generation.wrapping_add(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address() -> impl Strategy<Value = MacAddress> {
        // Few enough to meet, and of every kind.
        prop_oneof![
            Just(MacAddress::BROADCAST),
            (0_u8..4, 0_u8..3).prop_map(|(first, last)| MacAddress::new([first, 0, 0, 0, 0, last])),
        ]
    }

    proptest! {
        #[test]
        fn the_filter_is_exact(
            own in address(),
            destination in address(),
            list in prop::collection::vec(address(), 0..4),
            (broadcast, promiscuous, kind) in (any::<bool>(), any::<bool>(), 0..3),
        ) {
            let multicast = match kind {
                0 => Multicast::None,
                1 => Multicast::List(&list),
                _ => Multicast::All,
            };
            let mut asked = RxFilter::DEFAULT.with_broadcast(broadcast).with_multicast(multicast);
            asked.promiscuous = promiscuous;
            prop_assert_eq!(Filter::new(asked).passes(destination, own), asked.passes(destination, own));
        }
    }
}
