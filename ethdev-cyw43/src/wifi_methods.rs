//! The Wi-Fi methods of both drivers: one list for the blocking and the async form.

/// The methods. `$run` polls the chip logic once, or awaits it.
macro_rules! wifi_methods {
    ($run:ident $(, $asyncness:ident)?) => {
        /// Joins a network. Returns when the link is up, or when the attempt failed, at most after
        /// [`join_timeout`](crate::Config::join_timeout). Disconnects from the previous network
        /// first.
        ///
        /// The driver remembers a network that was joined: `start`, `wake` and `recover` reconnect
        /// to it, and so does a [`ReconnectPolicy`](crate::ReconnectPolicy) when it is lost.
        ///
        /// # Errors
        ///
        /// [`Join`](crate::Error::Join) with the reason, `Stopped` before `start`, or the device
        /// failed.
        pub $($asyncness)? fn join(&mut self, network: &crate::Network) -> Result<(), crate::Error<BUS::Error>> {
            $run!(self.chip.join(network))
        }

        /// Disconnects from the network and forgets it. No effect in access point mode.
        ///
        /// # Errors
        ///
        /// `Stopped` before `start`, or the device failed.
        pub $($asyncness)? fn disconnect(&mut self) -> Result<(), crate::Error<BUS::Error>> {
            $run!(self.chip.disconnect())
        }

        /// Returns why the last attempt to join failed, including attempts to reconnect; `None`
        /// after a successful one.
        #[must_use]
        pub const fn last_join_error(&self) -> Option<crate::JoinError> {
            self.chip.join_error
        }

        /// Returns the access point that the device is associated with; `None` if it is not
        /// associated.
        ///
        /// # Errors
        ///
        /// `Stopped` before `start`, or the device failed.
        pub $($asyncness)? fn current_bss(
            &mut self,
        ) -> Result<Option<crate::BssInfo>, crate::Error<BUS::Error>> {
            $run!(self.chip.current_bss())
        }

        /// Returns the signal strength of the access point in dBm; 0 if the device is not
        /// associated.
        ///
        /// # Errors
        ///
        /// `Stopped` before `start`, or the device failed.
        pub $($asyncness)? fn rssi_dbm(&mut self) -> Result<i16, crate::Error<BUS::Error>> {
            $run!(self.chip.rssi())
        }

        /// Starts a scan. Fetch the results with [`next_result`](Self::next_result). Frames are
        /// still sent and received, with gaps.
        ///
        /// # Errors
        ///
        /// `Stopped` before `start`, or the device failed.
        pub $($asyncness)? fn start_scan(
            &mut self,
            options: &crate::ScanOptions,
        ) -> Result<(), crate::Error<BUS::Error>> {
            $run!(self.chip.start_scan(options))
        }

        /// Returns the next result of a scan. Does not wait for one.
        ///
        /// The driver holds eight results. Further results that arrive before one is fetched are
        /// counted in `missed`: call this until it returns [`Pending`](crate::Scan::Pending), every
        /// few milliseconds. A stop, a sleep, a recovery or a change of the address or the mode
        /// ends a scan early.
        ///
        /// # Errors
        ///
        /// `Stopped` before `start`, or the device failed.
        pub $($asyncness)? fn next_result(&mut self) -> Result<crate::Scan, crate::Error<BUS::Error>> {
            $run!(self.chip.next_result())
        }

        /// Scans and calls `found` for each result, which can repeat. Returns at the end of the
        /// scan, at most after 15 s.
        ///
        /// # Errors
        ///
        /// `Stopped` before `start`, `Timeout`, or the device failed.
        pub $($asyncness)? fn scan(
            &mut self,
            options: &crate::ScanOptions,
            found: impl FnMut(crate::AccessPoint),
        ) -> Result<(), crate::Error<BUS::Error>> {
            $run!(self.chip.scan(options, found))
        }

        /// Starts access point mode; the link is up from then on. Disconnects from a joined network
        /// and forgets it. `start`, `wake` and `recover` start it again.
        ///
        /// If the firmware rejects the configuration, the device is a station again, without a
        /// network. Another failure is a fault until the call is repeated, or `recover`.
        ///
        /// # Errors
        ///
        /// `Stopped` before `start`, [`Rejected`](crate::Error::Rejected), or the device failed.
        pub $($asyncness)? fn start_ap(&mut self, config: &crate::ApConfig) -> Result<(), crate::Error<BUS::Error>> {
            $run!(self.chip.start_ap(config))
        }

        /// Writes the addresses of the stations of the access point to `stations`, as many as fit,
        /// and returns how many these are: none outside access point mode. The firmware accepts ten
        /// stations unless its variable `maxassoc` has another number.
        ///
        /// # Errors
        ///
        /// `Stopped` before `start`, or the device failed.
        pub $($asyncness)? fn ap_stations(
            &mut self,
            stations: &mut [ethdev::MacAddress],
        ) -> Result<usize, crate::Error<BUS::Error>> {
            $run!(self.chip.ap_stations(stations))
        }

        /// Stops access point mode.
        ///
        /// # Errors
        ///
        /// `Stopped` before `start`, or the device failed.
        pub $($asyncness)? fn stop_ap(&mut self) -> Result<(), crate::Error<BUS::Error>> {
            $run!(self.chip.stop_ap())
        }

        /// Sets the country. On a device without firmware (before `start`, or asleep) it takes
        /// effect with `start` or `wake`.
        ///
        /// A country that is rejected changes nothing. After another failure, `service` sets it
        /// again.
        ///
        /// # Errors
        ///
        /// [`Rejected`](crate::Error::Rejected) if the CLM has no such country, or the device
        /// failed.
        pub $($asyncness)? fn set_country(&mut self, country: crate::Country) -> Result<(), crate::Error<BUS::Error>> {
            $run!(self.chip.set_country(country))
        }

        /// Sets the power-save mode. On a device without firmware (before `start`, or asleep) it
        /// takes effect with `start` or `wake`. After a failure, `service` sets it again.
        ///
        /// # Errors
        ///
        /// The device failed.
        pub $($asyncness)? fn set_power_save(
            &mut self,
            power_save: crate::PowerSave,
        ) -> Result<(), crate::Error<BUS::Error>> {
            $run!(self.chip.set_power_save(power_save))
        }

        /// Reads a variable of the firmware ("iovar") by its name. Its bytes, little-endian, are
        /// written to `value`; returns their number. The firmware fills the whole of `value`, with
        /// meaningless bytes after a shorter variable.
        ///
        /// `input` is what the firmware takes to find the value, usually empty; for names that
        /// begin with `bsscfg:` the number of the interface, 4 bytes, which is 0. Name, zero byte
        /// and the longer of `input` and `value` have at most 1,536 bytes.
        ///
        /// # Errors
        ///
        /// [`Param`](crate::Error::Param) for an invalid name or length, `Stopped` before `start`,
        /// [`Rejected`](crate::Error::Rejected) with the status of the firmware (-23: no such
        /// variable, -14: `value` is too short), or the device failed.
        pub $($asyncness)? fn iovar_get(
            &mut self,
            name: &str,
            input: &[u8],
            value: &mut [u8],
        ) -> Result<usize, crate::Error<BUS::Error>> {
            $run!(self.chip.iovar_get(name, input, value))
        }

        /// Writes a variable of the firmware ("iovar") by its name. The driver does not know of the
        /// value: `start`, `wake` and `recover` do not restore it, and a variable that the driver
        /// writes too keeps what was written last.
        ///
        /// # Errors
        ///
        /// As [`iovar_get`](Self::iovar_get).
        pub $($asyncness)? fn iovar_set(
            &mut self,
            name: &str,
            value: &[u8],
        ) -> Result<(), crate::Error<BUS::Error>> {
            $run!(self.chip.iovar_set(name, value))
        }

        /// Drives a GPIO pin of the chip, 0 to 31. On a Pico W, 0 is the LED, 1 the mode of the
        /// power supply.
        ///
        /// # Errors
        ///
        /// `Stopped` before `start`, `InvalidInput` for a pin above 31, or the device failed.
        pub $($asyncness)? fn set_gpio(&mut self, pin: u8, high: bool) -> Result<(), crate::Error<BUS::Error>> {
            $run!(self.chip.set_gpio(pin, high))
        }

        /// Reads a GPIO pin of the chip, 0 to 31. On a Pico W, 2 is high if USB power is present.
        ///
        /// # Errors
        ///
        /// As [`set_gpio`](Self::set_gpio).
        pub $($asyncness)? fn gpio(&mut self, pin: u8) -> Result<bool, crate::Error<BUS::Error>> {
            $run!(self.chip.gpio(pin))
        }

        /// Turns the LED of a Pico W on or off. Equivalent to [`set_gpio(0, on)`](Self::set_gpio).
        ///
        /// # Errors
        ///
        /// As [`set_gpio`](Self::set_gpio).
        pub $($asyncness)? fn set_led(&mut self, on: bool) -> Result<(), crate::Error<BUS::Error>> {
            $run!(self.chip.set_gpio(0, on))
        }
    };
}
pub(crate) use wifi_methods;
