//! The logic of `Control`: start and stop, address and filter, sleep, recovery.

use ethdev::{ErrorKind, FilterOutcome, MacAddress, Multicast, RxFilter};

use crate::bus::Bus;
use crate::chip::{Chip, Joining, Mode};
use crate::config::PowerSave;
use crate::error::{Error, Fault};
use crate::events;
use crate::firmware::FirmwareSource;
use crate::gspi::Result;
use crate::ioctl::{Command, status, var};
use crate::ioctl_client::Setting;
use crate::network::{Country, ParamError};

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

/// Settings that the firmware may not have: a call that sets one failed or was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stale {
    country: bool,
    filter: bool,
    power_save: bool,
}

impl Stale {
    pub(crate) const NOTHING: Self = Self {
        country: false,
        filter: false,
        power_save: false,
    };
}

impl<B: Bus, FW: FirmwareSource> Chip<'_, B, FW> {
    // Transitions. Until the last step of one, `mode` is a fault, so that one which fails or is
    // dropped leaves a fault. `running` and `asleep` change with the last step.

    /// A transition begins: no traffic until `mode` is set again.
    pub(crate) fn unsettle(&mut self) {
        self.mode = Mode::Fault(Fault::Incomplete);
        self.joining = Joining::Idle;
        self.scanning.abort();
        self.note_link();
    }

    /// Ends what failed half way, by a restart.
    pub(crate) async fn settle(&mut self) -> Result<(), B> {
        if self.mode == Mode::Fault(Fault::Incomplete) {
            return self.begin(self.running).await;
        }
        Ok(())
    }

    /// From no power to firmware with everything that is requested, running or stopped.
    async fn begin(&mut self, running: bool) -> Result<(), B> {
        if self.config.mac_address.is_some_and(|address| !address.is_unicast()) {
            return Err(Error::Param(ParamError::MacAddress));
        }
        self.unsettle();
        self.mode = Mode::Fault(Fault::NotStarted);
        self.drop_queue();
        self.boot().await?;
        self.set_up().await?;
        if running {
            return self.enter_running().await;
        }
        self.command(Command::Down, &[]).await?;
        self.running = false;
        self.asleep = false;
        self.go_quiet(Mode::Stopped);
        Ok(())
    }

    /// What every start sets.
    async fn set_up(&mut self) -> Result<(), B> {
        self.load_clm().await?;
        self.set_all(&[Setting::Var(var::TXGLOM, 0), Setting::Var(var::APSTA, 1)])
            .await?;
        self.apply_address().await?;
        self.stale = Stale {
            country: true,
            ..Stale::NOTHING
        };
        self.apply_stale().await?;
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
        self.stale.power_save = true;
        // The firmware starts with the default.
        self.stale.filter = self.filter != Filter::new();
        self.apply_stale().await
    }

    /// The last steps to a running interface: the access point, or the first step to the network,
    /// which is up when `link` says so.
    pub(crate) async fn enter_running(&mut self) -> Result<(), B> {
        self.begin_ap().await?;
        self.running = true;
        self.asleep = false;
        self.mode = Mode::Running;
        self.note_link();
        if self.network.is_some() && self.ap.is_none() {
            self.attempts = 0;
            self.joining = Joining::Asking(0);
        }
        Ok(())
    }

    pub(crate) async fn start(&mut self) -> Result<(), B> {
        match self.mode {
            Mode::Running => self.apply_stale().await,
            Mode::Stopped => {
                self.unsettle();
                self.command(Command::Up, &[]).await?;
                self.apply_stale().await?;
                self.enter_running().await
            }
            Mode::Off | Mode::Fault(_) => self.begin(true).await,
        }
    }

    pub(crate) async fn stop(&mut self) -> Result<(), B> {
        match self.mode {
            Mode::Running => {
                self.unsettle();
                self.part().await?;
                self.command(Command::Down, &[]).await?;
                self.go_quiet(Mode::Stopped);
            }
            Mode::Off | Mode::Stopped => {}
            Mode::Fault(_) => self.power_down()?,
        }
        self.running = false;
        self.asleep = false;
        Ok(())
    }

    pub(crate) async fn sleep(&mut self) -> Result<(), B> {
        if self.mode == Mode::Running {
            self.unsettle();
            self.part().await?;
        }
        self.power_down()?;
        self.asleep = true;
        Ok(())
    }

    pub(crate) async fn wake(&mut self) -> Result<(), B> {
        if self.asleep {
            if self.running {
                return self.begin(true).await;
            }
            self.power_down()?;
            self.asleep = false;
            return Ok(());
        }
        // Of a device that is not asleep: a `sleep` that failed is no state to wake from, and a
        // setting that failed is applied.
        if self.takes_settings()? {
            self.apply_stale().await?;
        }
        Ok(())
    }

    pub(crate) async fn recover(&mut self) -> Result<(), B> {
        if self.mode == Mode::Running {
            self.unsettle();
            // Whatever it still tells.
            let _ = self.drain().await;
        }
        if self.asleep {
            self.power_down()?;
        } else {
            self.begin(self.running).await?;
        }
        self.stats.recoveries = self.stats.recoveries.wrapping_add(1);
        Ok(())
    }

    /// Cuts the power. The chip forgets everything.
    fn power_down(&mut self) -> Result<(), B> {
        self.port.power(false)?;
        self.go_quiet(Mode::Off);
        Ok(())
    }

    fn drop_queue(&mut self) {
        self.stats.rx_reset = self.stats.rx_reset.wrapping_add(self.rx_queue.clear());
    }

    /// Fetches what waits. In a transition, frames are counted as lost.
    async fn drain(&mut self) -> Result<(), B> {
        self.drop_queue();
        for _ in 0..MOST_PENDING {
            if !self.absorb_one().await? {
                break;
            }
        }
        Ok(())
    }

    /// Nothing is received any more.
    fn go_quiet(&mut self, mode: Mode) {
        self.mode = mode;
        self.joining = Joining::Idle;
        self.scanning.abort();
        self.station.end();
        self.ap_up = false;
        self.drop_queue();
        self.note_link();
    }

    /// Drops what waits, and leaves the access point, or the stations.
    async fn part(&mut self) -> Result<(), B> {
        self.drain().await?;
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

    /// Whether there is an association, where an event that ended it may have been lost.
    pub(crate) async fn look_at_link(&mut self) -> Result<(), B> {
        if self.ap.is_none() && self.link_up {
            match self.query::<6>(Command::GetBssid).await {
                Ok(_) => {}
                Err(Error::Rejected {
                    status: status::NOT_ASSOCIATED,
                    ..
                }) => {
                    self.station.end();
                    self.note_link();
                }
                Err(e) => return Err(e),
            }
        }
        self.link_in_doubt = false;
        Ok(())
    }

    // Settings: requested at once, applied while the firmware runs.

    /// Whether a setting is sent now. A chip without power takes it when it starts.
    pub(crate) const fn takes_settings(&self) -> Result<bool, B> {
        match self.mode {
            Mode::Running | Mode::Stopped => Ok(true),
            Mode::Off => Ok(false),
            Mode::Fault(fault) => Err(Error::Fault(fault)),
        }
    }

    /// Sends what the firmware may not have.
    pub(crate) async fn apply_stale(&mut self) -> Result<(), B> {
        if self.stale.country {
            self.set_var(var::COUNTRY, &self.config.country.wire()).await?;
            self.stale.country = false;
        }
        if self.stale.filter {
            self.set_var(var::MCAST_LIST, &self.filter.wire()).await?;
            self.set_all(&[Setting::Var(var::ALLMULTI, self.filter.all.into())])
                .await?;
            self.stale.filter = false;
        }
        if self.stale.power_save {
            let settings = self.config.power_save.settings();
            let all = [
                Setting::Var(var::PM2_SLEEP_RET, settings.sleep_after_ms),
                Setting::Var(var::BCN_LI_BCN, settings.beacons),
                Setting::Var(var::BCN_LI_DTIM, settings.dtims),
                Setting::Var(var::ASSOC_LISTEN, settings.listen),
                Setting::Command(Command::SetPm, settings.mode),
            ];
            // Always on: only the mode has a meaning.
            let first = if settings.mode == 0 { all.len() - 1 } else { 0 };
            self.set_all(all.get(first..).unwrap_or_default()).await?;
            self.stale.power_save = false;
        }
        Ok(())
    }

    pub(crate) async fn set_mac_address(&mut self, address: MacAddress) -> Result<(), B> {
        if !address.is_unicast() {
            return Err(ErrorKind::InvalidInput.into());
        }
        let is_new = self.mac != address;
        self.config.mac_address = Some(address);
        self.mac = address;
        if self.mode == Mode::Fault(Fault::Incomplete) {
            self.settle().await?;
        } else if self.takes_settings()? && is_new {
            self.change_address(self.mode).await?;
        }
        match self.network {
            Some(network) if self.mode == Mode::Running && self.ap.is_none() && !self.link_up => {
                self.attempt(&network).await
            }
            _ => Ok(()),
        }
    }

    /// An access point knows a station by its address: a new one means a new association.
    async fn change_address(&mut self, mode: Mode) -> Result<(), B> {
        let running = mode == Mode::Running;
        self.unsettle();
        if running {
            self.part().await?;
            self.command(Command::Down, &[]).await?;
        }
        self.apply_address().await?;
        if running {
            self.command(Command::Up, &[]).await?;
            return self.enter_running().await;
        }
        self.mode = mode;
        Ok(())
    }

    /// Sets the requested address, or takes the one of the chip.
    async fn apply_address(&mut self) -> Result<(), B> {
        let requested = self.config.mac_address;
        if let Some(address) = requested {
            self.set_var(var::CUR_ETHERADDR, &address.octets()).await?;
        }
        let address = MacAddress::new(self.get_var(var::CUR_ETHERADDR).await?);
        if !address.is_unicast() || requested.is_some_and(|requested| requested != address) {
            return Err(Error::BadResponse {
                request: Command::GetVar as u32,
            });
        }
        self.mac = address;
        Ok(())
    }

    pub(crate) async fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, B> {
        let (filter, outcome) = Filter::nearest(filter).ok_or(ErrorKind::Unsupported)?;
        let is_new = core::mem::replace(&mut self.filter, filter) != filter;
        if self.takes_settings()? {
            self.stale.filter |= is_new;
            self.apply_stale().await?;
        }
        Ok(outcome)
    }

    pub(crate) async fn set_country(&mut self, country: Country) -> Result<(), B> {
        let old = core::mem::replace(&mut self.config.country, country);
        if !self.takes_settings()? {
            return Ok(());
        }
        let was_stale = core::mem::replace(&mut self.stale.country, true);
        let result = self.apply_stale().await;
        if self.stale.country && matches!(result, Err(Error::Rejected { .. })) {
            // The CLM does not have it. The firmware keeps the old one.
            self.config.country = old;
            self.stale.country = was_stale;
        }
        result
    }

    pub(crate) async fn set_power_save(&mut self, power_save: PowerSave) -> Result<(), B> {
        self.config.power_save = power_save;
        if self.takes_settings()? {
            self.stale.power_save = true;
            self.apply_stale().await?;
        }
        Ok(())
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
