//! Access point mode.

use ethdev::{ErrorKind, MacAddress};

use crate::bus::Bus;
use crate::chip::{Chip, Mode};
use crate::error::Error;
use crate::firmware::FirmwareSource;
use crate::gspi::Result;
use crate::ioctl::{Command, var};
use crate::ioctl_client::Setting;
use crate::network::{Network, ParamError, Security};

/// More stations than the firmware accepts.
const MOST_STATIONS: usize = 16;
/// How long the firmware may take to be on the air, and how far apart two looks are.
const ON_AIR_MS: u32 = 1000;
const LOOK_US: u32 = 1000;

/// The configuration of an access point: open, WPA2, WPA3, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ApConfig {
    network: Network,
    channel: u8,
}

impl ApConfig {
    /// Creates a configuration for a network of any security but WPA, on a channel, 1 to 14.
    ///
    /// In transition mode ([`Network::wpa2_wpa3`]) the stations choose. WPA3 needs a firmware with
    /// SAE for access points; one without it rejects the password.
    ///
    /// # Errors
    ///
    /// [`ParamError::ApSecurity`], [`ParamError::Channel`].
    pub const fn new(network: Network, channel: u8) -> core::result::Result<Self, ParamError> {
        if matches!(network.security, Security::Wpa) {
            return Err(ParamError::ApSecurity);
        }
        if channel < 1 || channel > 14 {
            return Err(ParamError::Channel { channel });
        }
        Ok(Self { network, channel })
    }
}

impl<B: Bus, FW: FirmwareSource> Chip<'_, B, FW> {
    pub(crate) async fn start_ap(&mut self, config: &ApConfig) -> Result<(), B> {
        self.settle().await?;
        self.require_running()?;
        let was_ap = self.ap.replace(config.channel).is_some();
        self.network = Some(config.network);
        self.unsettle();
        if was_ap {
            self.end_ap().await?;
        } else {
            self.disassociate().await?;
        }
        let result = self.enter_running().await;
        if matches!(result, Err(Error::Rejected { .. })) {
            // Not with this configuration: a station again. What went wrong first is told.
            let _ = self.leave_ap().await;
        }
        result
    }

    /// Begins what `network` and `ap` say, if they say so.
    pub(crate) async fn begin_ap(&mut self) -> Result<(), B> {
        /// Of beacons and broadcasts: 11 Mbit/s, in units of 500 kbit/s.
        const BASIC_RATE: u32 = 22;
        /// Limit of the search for a password element, as in the vendor's driver.
        const SAE_LOOPS: u32 = 5;
        let (Some(network), Some(channel)) = (self.network, self.ap) else {
            return Ok(());
        };
        let security = network.security;
        self.set_all(&[
            Setting::Plain(Command::Down),
            Setting::Var(var::APSTA, 0),
            Setting::Plain(Command::Up),
            Setting::Command(Command::SetAuth, 0),
            Setting::Command(Command::SetAp, 1),
        ])
        .await?;
        self.set_var_gather(var::SSID, &[&[0; 4], &network.ssid.wire()]).await?;
        self.set_all(&[
            Setting::Command(Command::SetChannel, channel.into()),
            Setting::BssVar(var::WSEC, security.wsec()),
            Setting::Var(var::MFP, if security.has_sae() { security.mfp() } else { 0 }),
            Setting::BssVar(var::WPA_AUTH, security.wpa_auth()),
        ])
        .await?;
        self.set_keys(&network).await?;
        if security.has_sae() {
            self.set_var_u32(var::SAE_MAX_PWE_LOOP, SAE_LOOPS).await?;
        }
        self.set_all(&[Setting::Var(var::MRATE_2G, BASIC_RATE), Setting::BssVar(var::BSS, 1)])
            .await?;
        // The firmware tells when it is on the air. Where it does not, it is believed to be.
        let since = self.port.elapsed_us();
        while !self.ap_up && self.port.elapsed_us().wrapping_sub(since) < ON_AIR_MS * 1000 {
            if !self.absorb_one().await? {
                self.port.wait_us(LOOK_US).await;
            }
        }
        self.ap_up = true;
        Ok(())
    }

    /// Ends it in the chip.
    pub(crate) async fn end_ap(&mut self) -> Result<(), B> {
        self.ap_up = false;
        self.set_all(&[
            Setting::BssVar(var::BSS, 0),
            Setting::Command(Command::SetAp, 0),
            Setting::Plain(Command::Down),
            Setting::Var(var::APSTA, 1),
            Setting::Plain(Command::Up),
        ])
        .await
    }

    /// From an access point to a station.
    async fn leave_ap(&mut self) -> Result<(), B> {
        self.ap = None;
        self.network = None;
        self.unsettle();
        self.end_ap().await?;
        self.enter_running().await
    }

    /// The stations of the access point, as many as fit; how many these are.
    pub(crate) async fn ap_stations(&mut self, stations: &mut [MacAddress]) -> Result<usize, B> {
        self.require_running()?;
        if self.ap.is_none() {
            return Ok(0);
        }
        let capacity = (MOST_STATIONS as u32).to_le_bytes();
        let mut answer = [0; 4 + 6 * MOST_STATIONS];
        let len = self
            .request(
                Command::GetAssocList,
                false,
                &[&capacity, &[0; 6 * MOST_STATIONS]],
                &mut answer,
            )
            .await?;
        let answer = answer.get(..len).unwrap_or_default();
        let parsed = answer.split_first_chunk::<4>().and_then(|(count, list)| {
            let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
            Some((count, list.get(..count.checked_mul(6)?)?))
        });
        let Some((count, list)) = parsed else {
            return Err(Error::BadResponse {
                request: Command::GetAssocList as u32,
            });
        };
        for (slot, station) in stations.iter_mut().zip(list.chunks_exact(6)) {
            if let Some(station) = station.first_chunk() {
                *slot = MacAddress::new(*station);
            }
        }
        Ok(count.min(stations.len()))
    }

    pub(crate) async fn stop_ap(&mut self) -> Result<(), B> {
        if matches!(self.mode, Mode::Off | Mode::Stopped) {
            return Err(ErrorKind::Stopped.into());
        }
        let was_ap = self.ap.take().is_some();
        if was_ap {
            self.network = None;
        }
        self.settle().await?;
        self.require_running()?;
        if was_ap {
            self.leave_ap().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_invalid_channel_or_security_is_rejected() {
        let wpa2 = Network::wpa2("net", "passphrase").unwrap();
        assert!(ApConfig::new(wpa2, 6).is_ok());
        assert_eq!(ApConfig::new(wpa2, 0), Err(ParamError::Channel { channel: 0 }));
        assert_eq!(ApConfig::new(wpa2, 15), Err(ParamError::Channel { channel: 15 }));
        let wpa3 = Network::wpa3("net", "passphrase").unwrap();
        assert!(ApConfig::new(wpa3, 6).is_ok());
        let wpa = Network::wpa("net", "passphrase").unwrap();
        assert_eq!(ApConfig::new(wpa, 6), Err(ParamError::ApSecurity));
    }
}
