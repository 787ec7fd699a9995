//! `tap ours|smoltcp NAME FRAMES`: echoes so many UDP datagrams that come out of the TAP interface NAME, then prints how many it echoed a second, and how many
//! a second of processor time.
//!
//! The interface must exist. The host has the address that [`ethdev_bench::HOST`] is made of, the kernel has another of the same network.

#![deny(clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    echo::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    ethdev_cli::failure("there are no TAP interfaces here")
}

#[cfg(target_os = "linux")]
mod echo {
    use std::error::Error;
    use std::os::fd::AsRawFd;
    use std::process::ExitCode;
    use std::time::{Duration, Instant};

    use ethdev::{LayerError, MacAddress};
    use ethdev_bench::{HOST, Stack};
    use ethdev_cli as cli;
    use ethdev_linux::{Tap, TapConfig};
    use ethdev_smoltcp::{PollAt, SmoltcpDevice};
    use ethdev_util::Buffered;
    use smoltcp::phy::{Medium, TunTapInterface, wait};
    use smoltcp::time::Instant as StackTime;

    /// So long without a datagram, and it is over.
    const PATIENCE: Duration = Duration::from_secs(5);
    /// The longest wait, so that patience can end.
    const NAP: Duration = Duration::from_millis(500);

    type Result<T> = std::result::Result<T, Box<dyn Error>>;

    pub(super) fn main() -> ExitCode {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let (which, name, frames) = match words[..] {
            [which @ ("ours" | "smoltcp"), name, frames] if frames.parse::<usize>().is_ok() => {
                (which, name, frames.parse().unwrap_or(0))
            }
            _ => {
                return cli::misuse("usage: tap ours|smoltcp NAME FRAMES");
            }
        };
        let echoed = if which == "ours" {
            ours(name, frames)
        } else {
            smoltcps(name, frames)
        };
        match echoed {
            Ok(Rate { by_clock, by_processor }) => cli::finish(cli::print(format_args!("{by_clock} {by_processor}"))),
            Err(e) => cli::failure(cli::Causes(&*e)),
        }
    }

    fn ours(name: &str, frames: usize) -> Result<Rate> {
        let config = TapConfig::new(name)
            .with_mac_address(MacAddress::new(HOST.mac.0))
            .with_create(false);
        let mut spare = [0; 1514];
        let mut device = SmoltcpDevice::new(Buffered::<_, 1536>::new(Tap::with_config(config)?), &mut spare);
        let mut host = Stack::new(&mut device, HOST);
        let mut progress = Progress::new(frames);
        loop {
            let now = StackTime::now();
            host.poll(now, &mut device);
            if let Some(error) = device.take_error() {
                return Err(match error {
                    LayerError::Device(error) => Box::new(error),
                    error => Box::new(error),
                });
            }
            let echoed = host.echo_all();
            if let Some(rate) = progress.more(echoed)? {
                host.poll(now, &mut device);
                return Ok(rate);
            }
            if echoed > 0 {
                continue;
            }
            if let PollAt::Wait { until, interest } = device.poll_at(&mut host.iface, &host.sockets, now) {
                let until = until.map_or(NAP, |until| (until - now).into());
                device.inner_mut().inner_mut().wait(interest, Some(until.min(NAP)))?;
            }
        }
    }

    fn smoltcps(name: &str, frames: usize) -> Result<Rate> {
        let mut device = TunTapInterface::new(name, Medium::Ethernet)?;
        let mut host = Stack::new(&mut device, HOST);
        let mut progress = Progress::new(frames);
        loop {
            let now = StackTime::now();
            host.poll(now, &mut device);
            let echoed = host.echo_all();
            if let Some(rate) = progress.more(echoed)? {
                host.poll(now, &mut device);
                return Ok(rate);
            }
            if echoed > 0 {
                continue;
            }
            let delay = host.iface.poll_delay(now, &host.sockets);
            let delay = delay.map_or(NAP, |delay| Duration::from(delay).min(NAP));
            wait(device.as_raw_fd(), Some(delay.into()))?;
        }
    }

    /// Datagrams a second.
    struct Rate {
        by_clock: f64,
        by_processor: f64,
    }

    struct Progress {
        left: usize,
        frames: usize,
        begun: Option<(Instant, Duration)>,
        last: Instant,
    }

    impl Progress {
        fn new(frames: usize) -> Self {
            Self {
                left: frames,
                frames,
                begun: None,
                last: Instant::now(),
            }
        }

        /// So many more; the rate when that was all.
        fn more(&mut self, echoed: usize) -> Result<Option<Rate>> {
            let now = Instant::now();
            if echoed == 0 {
                return if now - self.last > PATIENCE {
                    Err(format!("nothing came for {PATIENCE:?}, {} datagrams are missing", self.left).into())
                } else {
                    Ok(None)
                };
            }
            self.last = now;
            let (begun, used) = match self.begun {
                Some(begun) => begun,
                None => *self.begun.insert((now, processor_time()?)),
            };
            self.left = self.left.saturating_sub(echoed);
            if self.left > 0 {
                return Ok(None);
            }
            let frames = self.frames as f64;
            Ok(Some(Rate {
                by_clock: frames / (now - begun).as_secs_f64(),
                by_processor: frames / (processor_time()? - used).as_secs_f64(),
            }))
        }
    }

    /// What this process, which has one thread, has had of the processor.
    fn processor_time() -> Result<Duration> {
        let text = std::fs::read_to_string("/proc/self/schedstat")?;
        let nanos = text.split_whitespace().next().unwrap_or_default().parse()?;
        Ok(Duration::from_nanos(nanos))
    }
}
