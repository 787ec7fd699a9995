//! `linux tap|packet ethdev|smoltcp NAME FRAMES`: echoes UDP datagrams on the TAP interface NAME, or
//! through a packet socket on the interface NAME, then prints the number per second and per second
//! of processor time.
//!
//! The interface must exist. The host has the address [`ethdev_bench::HOST`], the kernel another
//! one of the same network.

#![deny(clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    echo::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    ethdev_cli::failure("TAP interfaces and packet sockets are supported on Linux only")
}

#[cfg(target_os = "linux")]
mod echo {
    use std::error::Error;
    use std::os::fd::AsRawFd;
    use std::process::ExitCode;
    use std::time::{Duration, Instant};

    use ethdev::{EthernetDevice, Interest, MacAddress};
    use ethdev_bench::{HOST, Stack};
    use ethdev_cli as cli;
    use ethdev_linux::{InterfaceError, PacketConfig, PacketSocket, Tap, TapConfig};
    use ethdev_smoltcp::{PollAt, SmoltcpDevice};
    use smoltcp::phy::{Device, Medium, RawSocket, TunTapInterface, wait};
    use smoltcp::time::Instant as StackTime;

    /// The run is aborted after this time without a datagram.
    const TIMEOUT: Duration = Duration::from_secs(5);
    /// The longest wait, so that the timeout is checked.
    const MAX_WAIT: Duration = Duration::from_millis(500);

    type Result<T> = std::result::Result<T, Box<dyn Error>>;

    pub(super) fn main() -> ExitCode {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let [kind, device, name, frames] = words[..] else {
            return usage();
        };
        let Ok(frames) = frames.parse() else {
            return usage();
        };
        let echoed = match (kind, device) {
            ("tap", "ethdev") => open_tap(name).and_then(|tap| echo_ethdev(tap, frames)),
            ("packet", "ethdev") => open_packet(name).and_then(|socket| echo_ethdev(socket, frames)),
            ("tap", "smoltcp") => open_smoltcp_tap(name).and_then(|tap| echo_smoltcp(tap, frames)),
            ("packet", "smoltcp") => open_smoltcp_raw(name).and_then(|socket| echo_smoltcp(socket, frames)),
            _ => return usage(),
        };
        match echoed {
            Ok(Rate {
                per_second,
                per_cpu_second,
            }) => cli::finish(cli::print(format_args!("{per_second} {per_cpu_second}"))),
            Err(e) => cli::failure(cli::Causes(&*e)),
        }
    }

    fn usage() -> ExitCode {
        cli::usage_error("usage: linux tap|packet ethdev|smoltcp NAME FRAMES")
    }

    fn open_tap(name: &str) -> Result<Tap> {
        let config = TapConfig::new(name)
            .with_mac_address(MacAddress::new(HOST.mac.0))
            .with_create(false);
        Ok(Tap::with_config(config)?)
    }

    fn open_packet(name: &str) -> Result<PacketSocket> {
        let config = PacketConfig::new(name).with_mac_address(MacAddress::new(HOST.mac.0));
        Ok(PacketSocket::with_config(config)?)
    }

    fn open_smoltcp_tap(name: &str) -> Result<TunTapInterface> {
        Ok(TunTapInterface::new(name, Medium::Ethernet)?)
    }

    fn open_smoltcp_raw(name: &str) -> Result<RawSocket> {
        Ok(RawSocket::new(name, Medium::Ethernet)?)
    }

    /// A device of ethdev that can be waited for.
    trait Wait: EthernetDevice<Error = InterfaceError> {
        fn wait_for(&mut self, interest: Interest, timeout: Duration) -> Result<()>;
    }

    impl Wait for Tap {
        fn wait_for(&mut self, interest: Interest, timeout: Duration) -> Result<()> {
            self.wait(interest, Some(timeout))?;
            Ok(())
        }
    }

    impl Wait for PacketSocket {
        fn wait_for(&mut self, interest: Interest, timeout: Duration) -> Result<()> {
            self.wait(interest, Some(timeout))?;
            Ok(())
        }
    }

    fn echo_ethdev(nic: impl Wait, frames: usize) -> Result<Rate> {
        let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
        let mut device = SmoltcpDevice::new(nic, &mut rx, &mut tx);
        let mut host = Stack::new(&mut device, HOST);
        let mut progress = Progress::new(frames);
        loop {
            let now = StackTime::now();
            host.poll(now, &mut device);
            if let Some(error) = device.take_error() {
                return Err(error.into());
            }
            let echoed = host.echo_all();
            if let Some(rate) = progress.add(echoed)? {
                host.poll(now, &mut device);
                return Ok(rate);
            }
            if echoed > 0 {
                continue;
            }
            if let PollAt::Wait { until, interest } = device.poll_at(&mut host.iface, &host.sockets, now) {
                let until = until.map_or(MAX_WAIT, |until| (until - now).into());
                device.inner_mut().wait_for(interest, until.min(MAX_WAIT))?;
            }
        }
    }

    fn echo_smoltcp(mut device: impl Device + AsRawFd, frames: usize) -> Result<Rate> {
        let mut host = Stack::new(&mut device, HOST);
        let mut progress = Progress::new(frames);
        loop {
            let now = StackTime::now();
            host.poll(now, &mut device);
            let echoed = host.echo_all();
            if let Some(rate) = progress.add(echoed)? {
                host.poll(now, &mut device);
                return Ok(rate);
            }
            if echoed > 0 {
                continue;
            }
            let delay = host.iface.poll_delay(now, &host.sockets);
            let delay = delay.map_or(MAX_WAIT, |delay| Duration::from(delay).min(MAX_WAIT));
            wait(device.as_raw_fd(), Some(delay.into()))?;
        }
    }

    /// Datagrams per second.
    struct Rate {
        /// Of real time.
        per_second: f64,
        /// Of processor time.
        per_cpu_second: f64,
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

        /// Counts datagrams. Returns the rate after the last one.
        fn add(&mut self, echoed: usize) -> Result<Option<Rate>> {
            let now = Instant::now();
            if echoed == 0 {
                return if now - self.last > TIMEOUT {
                    Err(format!("no datagram for {TIMEOUT:?}, {} missing", self.left).into())
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
                per_second: frames / (now - begun).as_secs_f64(),
                per_cpu_second: frames / (processor_time()? - used).as_secs_f64(),
            }))
        }
    }

    /// The processor time of this process, which has one thread.
    fn processor_time() -> Result<Duration> {
        let text = std::fs::read_to_string("/proc/self/schedstat")?;
        let nanos = text.split_whitespace().next().unwrap_or_default().parse()?;
        Ok(Duration::from_nanos(nanos))
    }
}
