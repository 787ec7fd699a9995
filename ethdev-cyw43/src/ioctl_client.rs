//! Requests to the firmware (IOCTL): one at a time, matched to the response by its id, with
//! timeouts.

use ethdev::ErrorKind;

use crate::bus::{Bus, TxWords};
use crate::chip::Chip;
use crate::error::{Error, Fault, WaitFor};
use crate::firmware::FirmwareSource;
use crate::gspi::{Function, Result};
use crate::ioctl::{self, Command, status};
use crate::network::ParamError;
use crate::rx::Fetched;
use crate::sdpcm;

/// How long after a request the answer is looked for first, and at most how long between two looks.
const FIRST_LOOK_US: u32 = 50;
const LAST_LOOK_US: u32 = 1000;
/// After so long the chip is asked over the bus, whatever its line says: a line that is stuck must
/// not make it mute.
const BLIND_US: u32 = 50_000;
/// However fast frames come, after so many without the answer it does not come any more.
const MOST_FRAMES: u32 = 10_000;
/// How long the firmware may be busy with earlier requests, in milliseconds. Setting the country
/// takes it some 50.
const BUSY_MS: u32 = 500;
const BUSY_STEP_MS: u32 = 10;
/// So many requests in a row without an answer are a firmware that stopped.
const MOST_UNANSWERED: u8 = 2;
/// Bytes that a variable's value is read with at most.
const VALUE: usize = 64;
/// What pads a request to the length of its answer.
const ZEROS: [u8; VALUE] = [0; VALUE];
/// Longest variable of a caller, name and value: the buffer for requests in other drivers.
const MOST_VARIABLE: usize = 1536;

/// A request that is a number, or nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Setting {
    /// Without a payload.
    Plain(Command),
    Command(Command, u32),
    Var(&'static str, u32),
    /// A variable of the first interface.
    BssVar(&'static str, u32),
}

impl<B: Bus, FW: FirmwareSource> Chip<'_, B, FW> {
    /// Only a chip that was started answers.
    pub(crate) fn require_firmware(&self) -> Result<(), B> {
        if self.takes_settings()? {
            Ok(())
        } else {
            Err(ErrorKind::Stopped.into())
        }
    }

    /// Waits for the next poll, or times out.
    async fn look_later(&mut self, since: u32, pause_us: &mut u32, what: WaitFor) -> Result<(), B> {
        let waited = self.port.elapsed_us().wrapping_sub(since);
        if waited / 1000 >= self.config.ioctl_timeout_ms {
            // Waited for to the end: the next request does not wait again.
            self.outstanding = None;
            self.unanswered = self.unanswered.saturating_add(1);
            // One that says what became of it need not be asked twice.
            self.check_health().await?;
            if self.unanswered >= MOST_UNANSWERED {
                return self.fail(Fault::FirmwareHalted);
            }
            return Err(Error::Timeout(what));
        }
        self.port.wait_us(*pause_us).await;
        *pause_us = (*pause_us * 2).min(LAST_LOOK_US);
        if waited >= BLIND_US {
            self.ask().await?;
        }
        Ok(())
    }

    /// One request at a time: where the answer to an earlier one is still to come, because nobody
    /// waited for it to the end, it is waited for, but not for ever.
    async fn let_earlier_end(&mut self) -> Result<(), B> {
        let since = self.port.elapsed_us();
        let mut pause_us = FIRST_LOOK_US;
        let mut frames = 0;
        while self.outstanding.is_some() {
            frames += 1;
            if self.port.elapsed_us().wrapping_sub(since) / 1000 >= self.config.ioctl_timeout_ms || frames > MOST_FRAMES
            {
                self.outstanding = None;
            } else if !self.absorb_one().await? {
                self.port.wait_us(pause_us).await;
                pause_us = (pause_us * 2).min(LAST_LOOK_US);
            }
        }
        Ok(())
    }

    /// Sends a request and waits for its answer, whose payload goes to `answer`; how much of that
    /// was written. Frames that come meanwhile are stored.
    async fn request_once(
        &mut self,
        command: Command,
        set: bool,
        parts: &[&[u8]],
        answer: &mut [u8],
    ) -> Result<usize, B> {
        self.let_earlier_end().await?;
        let mut since = self.port.elapsed_us();
        let mut pause_us = FIRST_LOOK_US;
        let mut frames = 0;
        while !self.credits.for_control() {
            if frames >= MOST_FRAMES || !self.absorb_one().await? {
                self.look_later(since, &mut pause_us, WaitFor::Credit).await?;
            }
            frames += 1;
        }
        self.request_id = self.request_id.wrapping_add(1);
        let id = self.request_id;
        self.outstanding = Some(id);
        let len = ethdev::frame::vectored_len(parts).unwrap_or(usize::MAX);
        let cdc = ioctl::request_header(command, set, id, len);
        let sdpcm = sdpcm::control_header(len.saturating_add(cdc.len()), self.credits.sequence());
        let mut head = [0; sdpcm::HEADER + ioctl::HEADER];
        let _ = ethdev::frame::copy_vectored(&[&sdpcm, &cdc], &mut head);
        let bytes = head.len().saturating_add(len).next_multiple_of(4);
        self.port
            .write(Function::Wlan, 0, bytes, TxWords::new(&head, parts))
            .await?;
        self.credits.spend();
        since = self.port.elapsed_us();
        pause_us = FIRST_LOOK_US;
        frames = 0;
        loop {
            match self.waiting().await? {
                Some(announced) if frames < MOST_FRAMES => {
                    frames += 1;
                    let Fetched::Reply(reply) = self.fetch(announced, None, answer).await? else {
                        continue;
                    };
                    // An answer that comes late is another request's.
                    if reply.id != id {
                        continue;
                    }
                    self.unanswered = 0;
                    if reply.status != 0 {
                        return Err(Error::Rejected {
                            request: command as u32,
                            status: reply.status,
                        });
                    }
                    return Ok(reply.len.min(answer.len()));
                }
                _ => self.look_later(since, &mut pause_us, WaitFor::Response).await?,
            }
        }
    }

    /// The same, again and again while the firmware says that it is busy.
    pub(crate) async fn request(
        &mut self,
        command: Command,
        set: bool,
        parts: &[&[u8]],
        answer: &mut [u8],
    ) -> Result<usize, B> {
        let mut waited_ms = 0;
        loop {
            match self.request_once(command, set, parts, answer).await {
                Err(Error::Rejected { status, .. }) if status::passes(status) && waited_ms < BUSY_MS => {
                    self.port.wait_us(BUSY_STEP_MS * 1000).await;
                    waited_ms += BUSY_STEP_MS;
                }
                result => return result,
            }
        }
    }

    /// A request without an answer but that it was done.
    pub(crate) async fn command(&mut self, command: Command, payload: &[u8]) -> Result<(), B> {
        self.request(command, true, &[payload], &mut []).await.map(|_| ())
    }

    /// One after another. They are listed, and not awaited one by one, because each await of a
    /// request takes some hundred bytes of flash.
    pub(crate) async fn set_all(&mut self, settings: &[Setting]) -> Result<(), B> {
        for setting in settings {
            let (command, name, interface, value) = match *setting {
                Setting::Plain(command) => (command, "", false, None),
                Setting::Command(command, value) => (command, "", false, Some(value)),
                Setting::Var(name, value) => (Command::SetVar, name, false, Some(value)),
                Setting::BssVar(name, value) => (Command::SetVar, name, true, Some(value)),
            };
            let end: &[u8] = if name.is_empty() { &[] } else { &[0] };
            let first: &[u8] = if interface { &[0; 4] } else { &[] };
            let bytes = value.unwrap_or(0).to_le_bytes();
            let value: &[u8] = if value.is_some() { &bytes } else { &[] };
            self.request(command, true, &[name.as_bytes(), end, first, value], &mut [])
                .await?;
        }
        Ok(())
    }

    /// Reads what a request of its own reads.
    pub(crate) async fn query<const N: usize>(&mut self, command: Command) -> Result<[u8; N], B> {
        let mut answer = [0; N];
        let zeros = ZEROS.get(..N).unwrap_or(&ZEROS);
        let len = self.request(command, false, &[zeros], &mut answer).await?;
        if len < N {
            return Err(Error::BadResponse {
                request: command as u32,
            });
        }
        Ok(answer)
    }

    pub(crate) async fn set_var(&mut self, name: &str, value: &[u8]) -> Result<(), B> {
        self.set_var_gather(name, &[value]).await
    }

    /// Writes a variable from at most three parts.
    pub(crate) async fn set_var_gather(&mut self, name: &str, value: &[&[u8]]) -> Result<(), B> {
        let mut parts = [&[][..]; 5];
        let all = [name.as_bytes(), &[0]].into_iter().chain(value.iter().copied());
        for (slot, part) in parts.iter_mut().zip(all) {
            *slot = part;
        }
        self.request(Command::SetVar, true, &parts, &mut []).await.map(|_| ())
    }

    /// Checks name and length of a caller's variable.
    fn check_iovar(name: &str, len: usize) -> Result<(), B> {
        if name.is_empty() || name.contains('\0') {
            return Err(ParamError::IovarName.into());
        }
        let len = name.len().saturating_add(1).saturating_add(len);
        if len > MOST_VARIABLE {
            let max = MOST_VARIABLE;
            return Err(ParamError::IovarLength { len, max }.into());
        }
        Ok(())
    }

    /// Writes a variable of the caller's.
    pub(crate) async fn iovar_set(&mut self, name: &str, value: &[u8]) -> Result<(), B> {
        Self::check_iovar(name, value.len())?;
        self.require_firmware()?;
        self.set_var(name, value).await
    }

    /// Reads one, with what the firmware takes to find it.
    pub(crate) async fn iovar_get(&mut self, name: &str, input: &[u8], value: &mut [u8]) -> Result<usize, B> {
        Self::check_iovar(name, input.len().max(value.len()))?;
        self.require_firmware()?;
        let mut parts = [&[][..]; 3 + MOST_VARIABLE / VALUE];
        let mut left = value.len().saturating_sub(name.len() + 1 + input.len());
        let [first, end, second, padding @ ..] = &mut parts;
        (*first, *end, *second) = (name.as_bytes(), &[0], input);
        for part in padding {
            *part = ZEROS.get(..left).unwrap_or(&ZEROS);
            left -= part.len();
        }
        self.request(Command::GetVar, false, &parts, value).await
    }

    pub(crate) async fn set_var_u32(&mut self, name: &'static str, value: u32) -> Result<(), B> {
        self.set_all(&[Setting::Var(name, value)]).await
    }

    pub(crate) async fn get_var<const N: usize>(&mut self, name: &str) -> Result<[u8; N], B> {
        let mut answer = [0; N];
        // The answer overwrites the name, so that there has to be room for the longer of the two.
        let padding = N.saturating_sub(name.len() + 1);
        let zeros = ZEROS.get(..padding).unwrap_or(&ZEROS);
        let parts = [name.as_bytes(), &[0], zeros];
        let len = self.request(Command::GetVar, false, &parts, &mut answer).await?;
        if len < N {
            return Err(Error::BadResponse {
                request: Command::GetVar as u32,
            });
        }
        Ok(answer)
    }
}
