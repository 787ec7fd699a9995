//! The logic of `Control`: start and stop, address and filter, sleep, recovery.

use ethdev::{ErrorKind, FilterOutcome, MacAddress, Multicast, RxFilter};

use crate::bus::Bus;
use crate::chip::{Chip, Joining, Mode};
use crate::error::{Error, Fault};
use crate::events;
use crate::firmware::FirmwareSource;
use crate::gspi::Result;
use crate::ioctl::{Command, status, var};
use crate::ioctl_client::Setting;
use crate::network::ParamError;

/// How many groups the firmware listens to one by one.
const GROUPS: usize = 10;
/// How long the firmware has to do with a new country at least.
const COUNTRY_MS: u32 = 30;
/// How many frames are fetched before a stop, so that they are counted.
const MOST_PENDING: usize = 256;

/// Which frames are asked for besides those to the own address and broadcasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter {
    groups: [MacAddress; GROUPS],
    count: usize,
    all: bool,
}

impl Filter {
    pub(crate) const fn new() -> Self {
        Self {
            groups: [MacAddress::UNSPECIFIED; GROUPS],
            count: 0,
            all: false,
        }
    }

    /// The nearest that the chip can do; `None` where that is not enough.
    fn nearest(asked: RxFilter<'_>) -> Option<(Self, FilterOutcome)> {
        if asked.promiscuous {
            // A station is sent nothing else.
            return None;
        }
        let mut filter = Self::new();
        // Broadcasts always come.
        let mut outcome = if asked.broadcast {
            FilterOutcome::Exact
        } else {
            FilterOutcome::Superset
        };
        match asked.multicast {
            Multicast::None => {}
            Multicast::All => filter.all = true,
            Multicast::List(groups) => match filter.groups.get_mut(..groups.len()) {
                Some(slots) => {
                    slots.copy_from_slice(groups);
                    filter.count = groups.len();
                }
                None => {
                    filter.all = true;
                    outcome = FilterOutcome::Superset;
                }
            },
        }
        Some((filter, outcome))
    }

    /// The list as the firmware takes it: a count, and room for ten.
    fn wire(&self) -> [u8; 4 + 6 * GROUPS] {
        let mut wire = [0; 4 + 6 * GROUPS];
        let (count, list) = wire.split_at_mut(4);
        count.copy_from_slice(&u32::try_from(self.count).unwrap_or(0).to_le_bytes());
        for (slot, group) in list.chunks_exact_mut(6).zip(self.groups.iter().take(self.count)) {
            slot.copy_from_slice(&group.octets());
        }
        wire
    }
}

impl<B: Bus, FW: FirmwareSource> Chip<'_, B, FW> {
    // Bringing up.

    /// From no power to a running interface, with everything that was set before. Whatever goes
    /// wrong, the next start begins again.
    async fn begin(&mut self) -> Result<(), B> {
        if self.config.mac_address.is_some_and(|address| !address.is_unicast()) {
            return Err(Error::Param(ParamError::MacAddress));
        }
        self.mode = Mode::Fault(Fault::NotStarted);
        self.joining = Joining::Idle;
        self.stats.rx_reset = self.stats.rx_reset.wrapping_add(self.rx_queue.clear());
        self.note_link();
        self.boot().await?;
        // Requests are answered from here on; frames are not yet received.
        self.mode = Mode::Stopped;
        let result = self.set_up().await;
        if result.is_err() {
            // Half set up is not started.
            if !matches!(self.mode, Mode::Fault(_)) {
                self.mode = Mode::Fault(Fault::NotStarted);
            }
            return result;
        }
        self.mode = Mode::Running;
        self.replay().await
    }

    /// What every start sets, and what was asked for before.
    async fn set_up(&mut self) -> Result<(), B> {
        self.load_clm().await?;
        self.set_all(&[Setting::Var(var::TXGLOM, 0), Setting::Var(var::APSTA, 1)])
            .await?;
        if let Some(address) = self.config.mac_address {
            self.set_var(var::CUR_ETHERADDR, &address.octets()).await?;
        }
        let address = MacAddress::new(self.get_var(var::CUR_ETHERADDR).await?);
        if !address.is_unicast() {
            return Err(Error::BadResponse {
                request: Command::GetVar as u32,
            });
        }
        self.mac = address;
        self.set_var(var::COUNTRY, &self.config.country.wire()).await?;
        // For a while the firmware refuses what comes next: not asked at first, then until it does
        // not.
        self.port.wait_us(COUNTRY_MS * 1000).await;
        self.set_all(&[
            Setting::Command(Command::SetAntDiv, 0),
            Setting::Var(var::AMPDU_BA_WSIZE, 8),
            Setting::Var(var::AMPDU_MPDU, 4),
        ])
        .await?;
        self.set_var(var::EVENT_MSGS, &events::mask()).await?;
        self.set_all(&[
            Setting::Plain(Command::Up),
            Setting::Command(Command::SetGmode, 1),
            Setting::Command(Command::SetBand, 0),
        ])
        .await?;
        self.apply_power_save().await?;
        self.apply_filter(Filter::new()).await
    }

    /// Restarts what ran before: the access point, or the network, which is up when `link` says
    /// so.
    async fn replay(&mut self) -> Result<(), B> {
        if self.ap.is_some() {
            return self.begin_ap().await;
        }
        if self.network.is_some() {
            self.attempts = 0;
            self.joining = Joining::Asking(0);
        }
        Ok(())
    }

    pub(crate) async fn start(&mut self) -> Result<(), B> {
        match self.mode {
            Mode::Running => Ok(()),
            Mode::Stopped => {
                self.command(Command::Up, &[]).await?;
                self.mode = Mode::Running;
                self.replay().await
            }
            Mode::Off | Mode::Asleep { .. } | Mode::Fault(_) => self.begin().await,
        }
    }

    pub(crate) async fn stop(&mut self) -> Result<(), B> {
        match self.mode {
            Mode::Running => {
                self.drain().await?;
                self.part().await?;
                self.command(Command::Down, &[]).await?;
                self.go_quiet(Mode::Stopped);
            }
            Mode::Asleep { .. } => self.mode = Mode::Asleep { running: false },
            Mode::Fault(_) => {
                self.power_off()?;
                self.go_quiet(Mode::Off);
            }
            Mode::Off | Mode::Stopped => {}
        }
        Ok(())
    }

    /// Fetches what waits, and counts it as lost.
    async fn drain(&mut self) -> Result<(), B> {
        for _ in 0..MOST_PENDING {
            let more = self.absorb_one().await?;
            self.stats.rx_reset = self.stats.rx_reset.wrapping_add(self.rx_queue.clear());
            if !more {
                break;
            }
        }
        Ok(())
    }

    /// Nothing is received any more.
    fn go_quiet(&mut self, mode: Mode) {
        self.mode = mode;
        self.joining = Joining::Idle;
        self.station.end();
        self.ap_up = false;
        self.stats.rx_reset = self.stats.rx_reset.wrapping_add(self.rx_queue.clear());
        self.note_link();
    }

    /// Says good-bye to the access point, or to the stations.
    async fn part(&mut self) -> Result<(), B> {
        self.joining = Joining::Idle;
        if self.ap.is_some() {
            self.end_ap().await
        } else {
            self.disassociate().await
        }
    }

    /// Ends an association, and attempts at one.
    pub(crate) async fn disassociate(&mut self) -> Result<(), B> {
        match self.command(Command::Disassoc, &[]).await {
            // There was none.
            Ok(()) | Err(Error::Rejected { .. }) => {}
            Err(e) => return Err(e),
        }
        self.station.end();
        self.note_link();
        Ok(())
    }

    pub(crate) async fn sleep(&mut self) -> Result<(), B> {
        let running = match self.mode {
            Mode::Running => {
                self.drain().await?;
                self.part().await?;
                true
            }
            Mode::Stopped => false,
            Mode::Off | Mode::Asleep { .. } => return Ok(()),
            Mode::Fault(fault) => return Err(Error::Fault(fault)),
        };
        self.power_off()?;
        self.go_quiet(Mode::Asleep { running });
        Ok(())
    }

    pub(crate) async fn wake(&mut self) -> Result<(), B> {
        match self.mode {
            Mode::Asleep { running: true } => self.begin().await,
            Mode::Asleep { running: false } => {
                // What was stopped is to be started.
                self.mode = Mode::Off;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn recover(&mut self) -> Result<(), B> {
        if self.mode == Mode::Running {
            // Whatever it still tells.
            let _ = self.drain().await;
        }
        self.begin().await?;
        self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
        Ok(())
    }

    /// Whether there is an association, where an event that ended it may have been lost.
    pub(crate) async fn look_at_link(&mut self) -> Result<(), B> {
        self.link_in_doubt = false;
        if self.ap.is_some() || !self.link_up {
            return Ok(());
        }
        match self.query::<6>(Command::GetBssid).await {
            Ok(_) => {}
            Err(Error::Rejected {
                status: status::NOT_ASSOCIATED,
                ..
            }) => {
                self.station.end();
                self.note_link();
            }
            Err(e) => {
                self.link_in_doubt = true;
                return Err(e);
            }
        }
        Ok(())
    }

    // Settings.

    pub(crate) async fn set_mac_address(&mut self, address: MacAddress) -> Result<(), B> {
        if !address.is_unicast() {
            return Err(ErrorKind::InvalidInput.into());
        }
        self.config.mac_address = Some(address);
        self.change_address(address).await
    }

    /// An access point knows a station by its address: a new one means a new association.
    async fn change_address(&mut self, address: MacAddress) -> Result<(), B> {
        let running = self.is_running()?;
        if running {
            self.drain().await?;
            self.part().await?;
            self.command(Command::Down, &[]).await?;
        }
        if running || self.mode == Mode::Stopped {
            self.set_var(var::CUR_ETHERADDR, &address.octets()).await?;
        }
        self.mac = address;
        if !running {
            return Ok(());
        }
        self.command(Command::Up, &[]).await?;
        match self.network {
            Some(network) if self.ap.is_none() => self.join(&network).await,
            _ => self.replay().await,
        }
    }

    pub(crate) async fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, B> {
        let (filter, outcome) = Filter::nearest(filter).ok_or(ErrorKind::Unsupported)?;
        let old = core::mem::replace(&mut self.filter, filter);
        if matches!(self.mode, Mode::Running | Mode::Stopped) {
            self.apply_filter(old).await?;
        }
        Ok(outcome)
    }

    /// Tells the firmware what is not as it was.
    async fn apply_filter(&mut self, old: Filter) -> Result<(), B> {
        let new = self.filter;
        if (new.groups, new.count) != (old.groups, old.count) {
            self.set_var(var::MCAST_LIST, &new.wire()).await?;
        }
        if new.all != old.all {
            self.set_var_u32(var::ALLMULTI, new.all.into()).await?;
        }
        Ok(())
    }

    pub(crate) async fn apply_power_save(&mut self) -> Result<(), B> {
        let settings = self.config.power_save.settings();
        let mode = Setting::Command(Command::SetPm, settings.mode);
        if settings.mode == 0 {
            return self.set_all(&[mode]).await;
        }
        self.set_all(&[
            Setting::Var(var::PM2_SLEEP_RET, settings.sleep_after_ms),
            Setting::Var(var::BCN_LI_BCN, settings.beacons),
            Setting::Var(var::BCN_LI_DTIM, settings.dtims),
            Setting::Var(var::ASSOC_LISTEN, settings.listen),
            mode,
        ])
        .await
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn nearest_ten_groups_exact_eleven_all() {
        let groups: std::vec::Vec<_> = (0..11).map(|n| MacAddress::new([1, 0, 0x5e, 0, 0, n])).collect();
        let list = |n: usize| RxFilter::DEFAULT.with_multicast(Multicast::List(&groups[..n]));
        let (filter, outcome) = Filter::nearest(list(10)).unwrap();
        assert_eq!((filter.count, filter.all, outcome), (10, false, FilterOutcome::Exact));
        let wire = filter.wire();
        assert_eq!(wire[..4], [10, 0, 0, 0]);
        assert_eq!(wire[58..], [1, 0, 0x5e, 0, 0, 9]);
        let (filter, outcome) = Filter::nearest(list(11)).unwrap();
        assert_eq!((filter.count, filter.all, outcome), (0, true, FilterOutcome::Superset));
        let (_, outcome) = Filter::nearest(list(1).with_broadcast(false)).unwrap();
        assert_eq!(outcome, FilterOutcome::Superset);
        assert_eq!(Filter::nearest(RxFilter::PROMISCUOUS), None);
    }
}
