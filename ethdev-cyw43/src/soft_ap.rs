//! Access point mode.

use crate::bus::Bus;
use crate::chip::{Chip, Joining};
use crate::firmware::FirmwareSource;
use crate::gspi::Result;
use crate::ioctl::{Command, var};
use crate::ioctl_client::Setting;
use crate::network::{Network, ParamError, Security};
use crate::wifi::{WPA2_PSK, WSEC_AES};

/// How long the firmware may take to be on the air, and how far apart two looks are.
const ON_AIR_MS: u32 = 1000;
const LOOK_US: u32 = 1000;

/// The configuration of an access point: open, or WPA2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ApConfig {
    network: Network,
    channel: u8,
}

impl ApConfig {
    /// Creates a configuration for a network ([`Network::open`] or [`Network::wpa2`]) on a channel,
    /// 1 to 14.
    ///
    /// # Errors
    ///
    /// [`ParamError::ApSecurity`], [`ParamError::Channel`].
    pub const fn new(network: Network, channel: u8) -> core::result::Result<Self, ParamError> {
        if !matches!(network.security, Security::Open | Security::Wpa2) {
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
        if !self.is_running()? {
            return Err(ethdev::ErrorKind::Stopped.into());
        }
        if self.ap.is_some() {
            self.stop_ap().await?;
        }
        self.network = None;
        self.joining = Joining::Idle;
        self.disassociate().await?;
        self.ap = Some(*config);
        let result = self.begin_ap().await;
        if result.is_err() {
            // Back to a station; what went wrong first is what is told.
            let _ = self.end_ap().await;
            self.ap = None;
        }
        result
    }

    /// Begins what `ap` says.
    pub(crate) async fn begin_ap(&mut self) -> Result<(), B> {
        /// Of beacons and broadcasts: 11 Mbit/s, in units of 500 kbit/s.
        const BASIC_RATE: u32 = 22;
        let Some(ApConfig { network, channel }) = self.ap else {
            return Ok(());
        };
        let keyed = network.security.is_keyed();
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
            Setting::BssVar(var::WSEC, if keyed { WSEC_AES } else { 0 }),
            Setting::Var(var::MFP, 0),
            Setting::BssVar(var::WPA_AUTH, if keyed { WPA2_PSK } else { 0 }),
        ])
        .await?;
        if keyed {
            self.set_psk(&network).await?;
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
        self.note_link();
        Ok(())
    }

    /// Ends it in the chip.
    pub(crate) async fn end_ap(&mut self) -> Result<(), B> {
        self.ap_up = false;
        self.note_link();
        self.set_all(&[
            Setting::BssVar(var::BSS, 0),
            Setting::Command(Command::SetAp, 0),
            Setting::Plain(Command::Down),
            Setting::Var(var::APSTA, 1),
            Setting::Plain(Command::Up),
        ])
        .await
    }

    pub(crate) async fn stop_ap(&mut self) -> Result<(), B> {
        if !self.is_running()? {
            return Err(ethdev::ErrorKind::Stopped.into());
        }
        if self.ap.is_some() {
            self.end_ap().await?;
            self.ap = None;
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
        assert_eq!(ApConfig::new(wpa3, 6), Err(ParamError::ApSecurity));
    }
}
