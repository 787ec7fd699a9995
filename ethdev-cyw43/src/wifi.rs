//! Wi-Fi: networks, scans, signal strength; and the pins of the chip.

use ethdev::{ErrorKind, MacAddress};

use crate::bus::Bus;
use crate::chip::{Chip, Joining};
use crate::error::{Error, WaitFor};
use crate::firmware::FirmwareSource;
use crate::gspi::Result;
use crate::ioctl::{Command, status, var, words};
use crate::ioctl_client::Setting;
use crate::join::JoinError;
use crate::network::{Network, Security};
use crate::scan::{AccessPoint, Scan, ScanOptions};

/// How long the firmware's supplicant waits for a key message of the access point, in milliseconds,
/// as in the vendor's driver. An access point repeats each for some 3 s (hostapd: after 0.1, 1.1
/// and 2.1 s, given up after 3.1 s), and is not to be given up before.
const SUPPLICANT_MS: u32 = 5000;
/// The radio is not ready for a key at once, and does not say so (the vendor waits as well).
const KEY_US: u32 = 3000;
/// The requests that begin an attempt, see `join_step`.
const JOIN_STEPS: u8 = 10;
/// Poll interval of an attempt, in milliseconds.
const LOOK_MS: u32 = 1;
/// Every N-th poll also checks that the chip is alive.
const HEALTH_LOOKS: u32 = 100;
/// After N polls of a silent line, the status is read over the bus.
const BLIND_LOOKS: u32 = 64;
/// How long a scan may take, in milliseconds: some 1.5 s are usual, and passive ones take longer.
const SCAN_MS: u32 = 15_000;

/// The access point that the device is associated with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct BssInfo {
    /// Address of the access point.
    pub bssid: MacAddress,
    /// Channel of the 2.4 GHz band, 1 to 14; `None` if the firmware does not report it.
    pub channel: Option<u8>,
    /// Signal strength in dBm.
    pub rssi_dbm: i16,
}

impl<B: Bus, FW: FirmwareSource> Chip<'_, B, FW> {
    pub(crate) fn require_running(&self) -> Result<(), B> {
        if self.is_running()? {
            Ok(())
        } else {
            Err(ErrorKind::Stopped.into())
        }
    }

    // Networks.

    /// One of the requests that begin an attempt; whether it was the last.
    async fn join_step(&mut self, step: u8, network: &Network) -> Result<bool, B> {
        const AUTH_OPEN: u32 = 0;
        const AUTH_SAE: u32 = 3;
        let security = network.security;
        let keyed = security.is_keyed();
        let setting = match step {
            0 => Setting::Command(Command::SetWsec, security.wsec()),
            1 => Setting::BssVar(var::SUP_WPA, keyed.into()),
            // As the access point has it.
            2 if keyed => Setting::BssVar(var::SUP_WPA2_EAPVER, u32::MAX),
            3 if keyed => Setting::BssVar(var::SUP_WPA_TMO, SUPPLICANT_MS),
            4 if keyed => {
                self.set_keys(network).await?;
                return Ok(false);
            }
            5 => Setting::Command(Command::SetInfra, 1),
            6 => Setting::Command(Command::SetAuth, if security.has_sae() { AUTH_SAE } else { AUTH_OPEN }),
            7 if keyed => Setting::Var(var::MFP, security.mfp()),
            8 => Setting::Command(
                Command::SetWpaAuth,
                match security {
                    // The firmware takes one: WPA3 where both are allowed.
                    Security::Wpa2Wpa3 => Security::Wpa3.wpa_auth(),
                    other => other.wpa_auth(),
                },
            ),
            9 => {
                // What is told from here on is of this attempt.
                self.station.begin(security);
                self.call(network).await?;
                return Ok(true);
            }
            _ => return Ok(step + 1 >= JOIN_STEPS),
        };
        self.set_all(&[setting]).await?;
        Ok(step + 1 >= JOIN_STEPS)
    }

    /// Gives the firmware the keys of a network, for a station or an access point.
    pub(crate) async fn set_keys(&mut self, network: &Network) -> Result<(), B> {
        /// Bytes of a request for a passphrase; for a password it has all of them.
        const PSK: usize = 64;
        /// A passphrase, or 64 hexadecimal digits: the length tells which.
        const IS_PASSPHRASE: u8 = 1;
        let Some(passphrase) = &network.passphrase else {
            return Ok(());
        };
        let (len, bytes) = (passphrase.len(), passphrase.bytes());
        if network.security.has_psk() {
            self.port.wait_us(KEY_US).await;
            let bytes = bytes.get(..PSK).unwrap_or_default();
            let parts: [&[u8]; 2] = [&[len, 0, IS_PASSPHRASE, 0], bytes];
            self.request(Command::SetWsecPmk, true, &parts, &mut []).await?;
        }
        if network.security.has_sae() {
            self.port.wait_us(KEY_US).await;
            self.set_var_gather(var::SAE_PASSWORD, &[&[len, 0], bytes]).await?;
        }
        Ok(())
    }

    /// Calls the network by its name, or one of its access points.
    async fn call(&mut self, network: &Network) -> Result<(), B> {
        let ssid = network.ssid.wire();
        let Some((bssid, channel)) = network.access_point else {
            return self.command(Command::SetSsid, &ssid).await;
        };
        const DEFAULT: [u8; 4] = [0xff; 4];
        const BANDWIDTH_20_MHZ: u16 = 0x1000;
        // No channel: all of them.
        let count = u32::from(channel.is_some());
        let chanspec = channel.map_or(0, |channel| u16::from(channel) | BANDWIDTH_20_MHZ);
        let mut wire = [0; 70];
        let fields: [&[u8]; 10] = [
            &ssid,
            // Actively.
            &[0; 4],
            &DEFAULT,
            &DEFAULT,
            &DEFAULT,
            &DEFAULT,
            &bssid.octets(),
            &[0; 2],
            &count.to_le_bytes(),
            &chanspec.to_le_bytes(),
        ];
        let _ = ethdev::frame::copy_vectored(&fields, &mut wire);
        self.set_var(var::JOIN, &wire).await
    }

    pub(crate) async fn join(&mut self, network: &Network) -> Result<(), B> {
        self.require_running()?;
        if self.ap.is_some() {
            self.stop_ap().await?;
        }
        self.network = None;
        self.attempt(network).await?;
        self.network = Some(*network);
        Ok(())
    }

    /// One attempt, to its end. Where it does not get there, `service` begins again if the network
    /// is the one to reconnect to.
    pub(crate) async fn attempt(&mut self, network: &Network) -> Result<(), B> {
        self.joining = Joining::Pausing(0);
        self.join_error = None;
        self.disassociate().await?;
        for step in 0..JOIN_STEPS {
            self.join_step(step, network).await?;
        }
        let outcome = self.await_outcome().await?;
        self.joining = Joining::Idle;
        self.end_attempt(outcome).await?;
        outcome.map_err(Error::Join)
    }

    async fn await_outcome(&mut self) -> Result<core::result::Result<(), JoinError>, B> {
        let since = self.port.elapsed_us();
        let mut looks = 0;
        loop {
            if let Some(outcome) = self.station.take_outcome() {
                return Ok(outcome);
            }
            if self.port.elapsed_us().wrapping_sub(since) / 1000 >= self.config.join_timeout_ms {
                return Ok(Err(self.station.time_out()));
            }
            if !self.absorb_one().await? {
                self.look_again(&mut looks).await?;
            }
        }
    }

    /// Waits for the poll interval; every N-th time reads the status over the bus.
    async fn look_again(&mut self, looks: &mut u32) -> Result<(), B> {
        self.port.wait_us(LOOK_MS * 1000).await;
        *looks = looks.wrapping_add(1);
        if *looks % BLIND_LOOKS == 0 {
            self.ask().await?;
        }
        if *looks % HEALTH_LOOKS == 0 {
            // A chip that is gone tells no outcome.
            self.check_health().await?;
        }
        Ok(())
    }

    /// An attempt is over. One that failed is ended in the chip too: left to itself, the firmware
    /// would retry indefinitely.
    async fn end_attempt(&mut self, outcome: core::result::Result<(), JoinError>) -> Result<(), B> {
        self.join_error = outcome.err();
        match outcome {
            Ok(()) => {
                self.attempts = 0;
                Ok(())
            }
            Err(_) => self.disassociate().await,
        }
    }

    /// How many milliseconds passed since this was asked last: by the caller's clock, or by waiting
    /// for one, so that time passes by a clock that the driver knows.
    async fn passed_ms(&mut self) -> u32 {
        if let Some(now_ms) = self.config.now_ms() {
            now_ms.wrapping_sub(core::mem::replace(&mut self.tended_ms, now_ms))
        } else {
            self.port.wait_us(LOOK_MS * 1000).await;
            LOOK_MS
        }
    }

    /// From here on time is counted.
    fn begin_to_count(&mut self, joining: Joining) {
        self.tended_ms = self.config.now_ms().unwrap_or(0);
        self.joining = joining;
    }

    /// Continues an attempt to reconnect: one request, or one poll.
    pub(crate) async fn tend_join(&mut self) -> Result<(), B> {
        let (Some(network), None) = (self.network, self.ap) else {
            self.joining = Joining::Idle;
            return Ok(());
        };
        match self.joining {
            Joining::Idle if !self.link_up && self.config.reconnect.is_some() => {
                self.attempts = 0;
                self.joining = Joining::Pausing(0);
                Ok(())
            }
            Joining::Idle => Ok(()),
            // The firmware did it by itself.
            Joining::Pausing(_) | Joining::GivenUp if self.link_up => {
                self.joining = Joining::Idle;
                Ok(())
            }
            Joining::GivenUp => Ok(()),
            Joining::Pausing(0) => {
                self.joining = Joining::Asking(0);
                self.disassociate().await
            }
            Joining::Pausing(left_ms) => {
                self.joining = Joining::Pausing(left_ms.saturating_sub(self.passed_ms().await));
                Ok(())
            }
            Joining::Asking(step) => match self.join_step(step, &network).await {
                Ok(last) => {
                    self.begin_to_count(if last {
                        Joining::Waiting(self.config.join_timeout_ms)
                    } else {
                        Joining::Asking(step + 1)
                    });
                    Ok(())
                }
                Err(Error::Rejected { status, .. }) => {
                    let status = u16::try_from(status.unsigned_abs()).unwrap_or(u16::MAX);
                    self.end_own_attempt(Err(JoinError::Failed { status })).await
                }
                Err(e) => Err(e),
            },
            Joining::Waiting(left_ms) => {
                if let Some(outcome) = self.station.take_outcome() {
                    self.end_own_attempt(outcome).await
                } else if left_ms == 0 {
                    self.end_own_attempt(Err(self.station.time_out())).await
                } else {
                    self.joining = Joining::Waiting(left_ms.saturating_sub(self.passed_ms().await));
                    Ok(())
                }
            }
        }
    }

    async fn end_own_attempt(&mut self, outcome: core::result::Result<(), JoinError>) -> Result<(), B> {
        self.joining = Joining::Idle;
        if let Err(why) = outcome {
            self.attempts = self.attempts.saturating_add(1);
            let policy = self.config.reconnect;
            let pause_ms = policy.and_then(|policy| policy.pause_after(self.attempts, why));
            self.begin_to_count(pause_ms.map_or(Joining::GivenUp, |ms| Joining::Pausing(ms.max(1))));
        }
        self.end_attempt(outcome).await
    }

    pub(crate) async fn disconnect(&mut self) -> Result<(), B> {
        self.require_running()?;
        if self.ap.is_some() {
            return Ok(());
        }
        self.network = None;
        self.joining = Joining::Idle;
        self.disassociate().await
    }

    pub(crate) async fn current_bss(&mut self) -> Result<Option<BssInfo>, B> {
        self.require_running()?;
        let bssid = match self.query::<6>(Command::GetBssid).await {
            Ok(bssid) => MacAddress::new(bssid),
            Err(Error::Rejected {
                status: status::NOT_ASSOCIATED,
                ..
            }) => return Ok(None),
            Err(e) => return Err(e),
        };
        if !bssid.is_unicast() {
            return Ok(None);
        }
        let channel = match self.query::<12>(Command::GetChannel).await {
            Ok([channel, 0, 0, 0, ..]) if (1..=14).contains(&channel) => Some(channel),
            Ok(_) | Err(Error::Rejected { .. }) => None,
            Err(e) => return Err(e),
        };
        Ok(Some(BssInfo {
            bssid,
            channel,
            rssi_dbm: self.rssi().await?,
        }))
    }

    pub(crate) async fn rssi(&mut self) -> Result<i16, B> {
        self.require_running()?;
        let dbm = i32::from_le_bytes(self.query(Command::GetRssi).await?);
        Ok(i16::try_from(dbm).unwrap_or(if dbm < 0 { i16::MIN } else { i16::MAX }))
    }

    // Scans.

    pub(crate) async fn start_scan(&mut self, options: &ScanOptions) -> Result<(), B> {
        self.require_running()?;
        self.scanning.begin();
        let wire = options.wire(self.scanning.id);
        self.set_var(var::ESCAN, &wire).await?;
        self.scanning.confirm();
        Ok(())
    }

    pub(crate) async fn next_result(&mut self) -> Result<Scan, B> {
        self.require_running()?;
        loop {
            match self.scanning.take() {
                // One at a time, so that none is lost behind the first.
                Scan::Pending if self.absorb_one().await? => {}
                step => return Ok(step),
            }
        }
    }

    pub(crate) async fn scan(&mut self, options: &ScanOptions, mut found: impl FnMut(AccessPoint)) -> Result<(), B> {
        self.start_scan(options).await?;
        let since = self.port.elapsed_us();
        let mut looks = 0;
        loop {
            match self.next_result().await? {
                Scan::Found(access_point) => found(access_point),
                Scan::Done { .. } => return Ok(()),
                Scan::Pending => {
                    if self.port.elapsed_us().wrapping_sub(since) / 1000 >= SCAN_MS {
                        self.scanning.abort();
                        return Err(Error::Timeout(WaitFor::Response));
                    }
                    self.look_again(&mut looks).await?;
                }
            }
        }
    }

    // Pins of the chip.

    pub(crate) async fn set_gpio(&mut self, pin: u8, high: bool) -> Result<(), B> {
        self.require_firmware()?;
        let mask = 1_u32.checked_shl(pin.into()).ok_or(ErrorKind::InvalidInput)?;
        self.set_var(var::GPIOOUT, &words(mask, if high { mask } else { 0 }))
            .await
    }

    pub(crate) async fn gpio(&mut self, pin: u8) -> Result<bool, B> {
        self.require_firmware()?;
        let mask = 1_u32.checked_shl(pin.into()).ok_or(ErrorKind::InvalidInput)?;
        Ok(u32::from_le_bytes(self.get_var(var::CCGPIOIN).await?) & mask != 0)
    }
}
