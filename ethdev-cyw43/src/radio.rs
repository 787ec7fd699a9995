//! What only a radio has, as methods of both drivers: one list for the blocking and the async form.

/// The methods, each of which `$run` completes: at once, or by awaiting.
macro_rules! radio_methods {
    ($run:ident $(, $asyncness:ident)?) => {
        /// Joins a network, and waits until frames cross or it is known that they will not: at most
        /// [`join_timeout_ms`](crate::Config::join_timeout_ms). Whatever was joined before is left first.
        ///
        /// A network that was joined is kept in mind: `start`, `wake` and `recover` join it again, and so does a
        /// [`ReconnectPolicy`](crate::ReconnectPolicy) policy when it is lost.
        ///
        /// # Errors
        ///
        /// [`Join`](crate::Error::Join) with the reason, [`Request(Stopped)`](crate::Error::Request) before `start`, or the device failed.
        pub $($asyncness)? fn join(&mut self, network: &crate::Network) -> Result<(), crate::Error<GSPI::Error>> {
            $run!(self.chip.join(network))
        }

        /// Leaves the network, and forgets it.
        ///
        /// # Errors
        ///
        /// `Request(Stopped)` before `start`, or the device failed.
        pub $($asyncness)? fn leave(&mut self) -> Result<(), crate::Error<GSPI::Error>> {
            $run!(self.chip.leave())
        }

        /// Why the last attempt to join failed, the caller's or the driver's own; `None` after one that did not.
        #[must_use]
        pub const fn last_join_error(&self) -> Option<crate::JoinError> {
            self.chip.join_error
        }

        /// The access point that the station is associated with; `None` where it is with none.
        ///
        /// # Errors
        ///
        /// `Request(Stopped)` before `start`, or the device failed.
        pub $($asyncness)? fn association(
            &mut self,
        ) -> Result<Option<crate::Association>, crate::Error<GSPI::Error>> {
            $run!(self.chip.association())
        }

        /// How strongly the access point is heard, in dBm. Where there is none, the firmware's answer to that, 0.
        ///
        /// # Errors
        ///
        /// `Request(Stopped)` before `start`, or the device failed.
        pub $($asyncness)? fn rssi_dbm(&mut self) -> Result<i16, crate::Error<GSPI::Error>> {
            $run!(self.chip.rssi())
        }

        /// Begins a scan. Its results are fetched with [`next_result`](Self::next_result); frames go on meanwhile, with gaps.
        ///
        /// # Errors
        ///
        /// `Request(Stopped)` before `start`, or the device failed.
        pub $($asyncness)? fn start_scan(
            &mut self,
            options: &crate::ScanOptions,
        ) -> Result<(), crate::Error<GSPI::Error>> {
            $run!(self.chip.start_scan(options))
        }

        /// The next result of a scan. Does not wait for one.
        ///
        /// The driver holds one result: those that come while frames are received or `service` is called, and not asked for in between, are counted in
        /// `missed`.
        ///
        /// # Errors
        ///
        /// `Request(Stopped)` before `start`, or the device failed.
        pub $($asyncness)? fn next_result(&mut self) -> Result<crate::Scan, crate::Error<GSPI::Error>> {
            $run!(self.chip.next_result())
        }

        /// A whole scan: calls `found` for each result, the same access point several times perhaps, and returns at its end, after 15 seconds at most.
        ///
        /// # Errors
        ///
        /// `Request(Stopped)` before `start`, `Timeout`, or the device failed.
        pub $($asyncness)? fn scan(
            &mut self,
            options: &crate::ScanOptions,
            found: impl FnMut(crate::AccessPoint),
        ) -> Result<(), crate::Error<GSPI::Error>> {
            $run!(self.chip.scan(options, found))
        }

        /// Becomes the access point of a network, which the link then says is up. A network that was joined is left and forgotten.
        ///
        /// # Errors
        ///
        /// `Request(Stopped)` before `start`, or the device failed.
        pub $($asyncness)? fn start_ap(&mut self, config: &crate::ApConfig) -> Result<(), crate::Error<GSPI::Error>> {
            $run!(self.chip.start_ap(config))
        }

        /// Ceases to be an access point.
        ///
        /// # Errors
        ///
        /// `Request(Stopped)` before `start`, or the device failed.
        pub $($asyncness)? fn stop_ap(&mut self) -> Result<(), crate::Error<GSPI::Error>> {
            $run!(self.chip.stop_ap())
        }

        /// Changes the country. Before `start`, it takes effect there.
        ///
        /// # Errors
        ///
        /// The CLM has no such country, or the device failed.
        pub $($asyncness)? fn set_country(&mut self, country: crate::Country) -> Result<(), crate::Error<GSPI::Error>> {
            $run!(self.chip.set_country(country))
        }

        /// Changes the power save. Before `start`, it takes effect there.
        ///
        /// # Errors
        ///
        /// The device failed.
        pub $($asyncness)? fn set_power_save(
            &mut self,
            power_save: crate::PowerSave,
        ) -> Result<(), crate::Error<GSPI::Error>> {
            $run!(self.chip.set_power_save(power_save))
        }

        /// Drives one of the chip's own pins: 0 is the LED of a Pico W, 1 the mode of its power supply.
        ///
        /// # Errors
        ///
        /// `Request(Stopped)` before `start`, `Request(InvalidInput)` for a pin above 31, or the device failed.
        pub $($asyncness)? fn set_gpio(&mut self, pin: u8, high: bool) -> Result<(), crate::Error<GSPI::Error>> {
            $run!(self.chip.set_gpio(pin, high))
        }

        /// Reads one of the chip's own pins: 2 tells whether a Pico W has USB power.
        ///
        /// # Errors
        ///
        /// As [`set_gpio`](Self::set_gpio).
        pub $($asyncness)? fn gpio(&mut self, pin: u8) -> Result<bool, crate::Error<GSPI::Error>> {
            $run!(self.chip.gpio(pin))
        }

        /// Turns the LED of a Pico W on or off: [`set_gpio(0, on)`](Self::set_gpio).
        ///
        /// # Errors
        ///
        /// As [`set_gpio`](Self::set_gpio).
        pub $($asyncness)? fn set_led(&mut self, on: bool) -> Result<(), crate::Error<GSPI::Error>> {
            $run!(self.chip.set_gpio(0, on))
        }
    };
}
pub(crate) use radio_methods;
