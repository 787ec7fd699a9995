//! The web server and the echo services on a TAP interface, with the Linux kernel as link peer, or
//! on an interface of this machine.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use clap::builder::NonEmptyStringValueParser;
use ethdev::frame::MAX_VLAN_FRAME_LEN;
use ethdev::{Interest, Link, MacAddress};
use ethdev_cli::{self as cli, Causes};
use ethdev_examples::apps::{Config, Node, Slots, Status, Storage, socket_slots};
use ethdev_examples::serve::{Board, Modelled, ModelledError, Nic, Wired, Wireless};
use ethdev_linux::{InterfaceError, PacketConfig, PacketSocket, Tap, TapConfig};
use ethdev_smoltcp::{PollAt, SmoltcpDevice};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use smoltcp::wire::{IpCidr, Ipv4Address, Ipv4Cidr};

/// Serves a web page, ping and echo: on a TAP interface to the Linux kernel and the networks that
/// it forwards, or on an interface of this machine to its network.
///
/// The program is a host with an IP address of its own. On a TAP interface it is the link peer,
/// with a MAC address of its own; on an interface of this machine (packet socket) it has the MAC
/// address of the interface, unless --mac sets another, and this machine itself cannot reach it. It
/// sleeps while idle. SIGINT (Ctrl-C), SIGTERM and SIGHUP end it; it then prints its statistics. A
/// SIGHUP that is ignored at the start (nohup) stays ignored.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    link: LinkArgs,
    /// NIC between the TAP interface and the network stack
    #[arg(long, value_name = "NIC", value_enum, default_value_t = Kind::Tap, conflicts_with = "interface")]
    nic: Kind,
    /// IP address of this host, with prefix length; may be given twice
    #[arg(long, value_name = "ADDRESS/LENGTH", default_value = "192.168.69.1/24", value_parser = address)]
    ip: Vec<Ipv4Cidr>,
    /// Default gateway
    #[arg(long, value_name = "ADDRESS")]
    gateway: Option<Ipv4Address>,
    /// MAC address of this host [default: derived from the name of the TAP interface, or that of
    /// the interface]
    #[arg(long, value_name = "MAC")]
    mac: Option<MacAddress>,
    /// Inject a fault into the modelled chip every SECONDS (1 to 3600): a short supply failure and
    /// a single bus error, in turns
    #[arg(long, value_name = "SECONDS", value_parser = fault_interval)]
    inject_faults: Option<Duration>,
}

/// The interface to serve on.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct LinkArgs {
    /// TAP interface; created while the program runs if it does not exist (requires root)
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    tap: Option<String>,
    /// Interface of this machine, for example eth0 (requires the right to open raw sockets)
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    interface: Option<String>,
}

impl Cli {
    /// The name of the interface.
    fn name(&self) -> &str {
        let LinkArgs { tap, interface } = &self.link;
        tap.as_deref().or(interface.as_deref()).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// None: the interface is the NIC
    Tap,
    /// ENC28J60: driver, 20 MHz SPI bus, chip model and 10 Mbit/s wire, in real time
    Enc28j60,
    /// CYW43439: driver, 33 MHz gSPI bus, chip model and access point, in real time
    Cyw43,
}

const EXAMPLES: &str = "\
Examples:
  sudo ip tuntap add dev tap0 mode tap user $USER
  sudo ip addr add 192.168.69.100/24 dev tap0
  sudo ip link set tap0 up
  serve --tap tap0
  serve --tap tap0 --nic enc28j60      the same through a modelled chip
  serve --tap tap0 --nic cyw43         the same over modelled Wi-Fi: the access point bridges to the interface

  ping 192.168.69.1
  curl http://192.168.69.1/
  nc 192.168.69.1 7            echoes the input

On an interface of this machine, to the other hosts of its network, with a free address of it:
  sudo setcap cap_net_raw+ep serve     or run it as root
  serve --interface eth0 --ip 192.168.1.77/24 --gateway 192.168.1.1 --mac 02:00:00:00:00:77

Exit status: 0 after SIGINT, SIGTERM or SIGHUP, 1 failure, 2 usage error";

/// Longest frame from the interface in bytes, without FCS.
const FRAME: usize = MAX_VLAN_FRAME_LEN;
/// Number of concurrent HTTP connections. At least half of them listen: 64 clients may connect at
/// once.
const HTTP_CONNECTIONS: usize = 128;
/// Range of the interval of injected faults, in seconds.
const FAULT_INTERVALS: RangeInclusive<u64> = 1..=3600;
/// Longest wait: a signal that arrives just before a wait is noticed after it.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

type Device<'s, N> = SmoltcpDevice<'s, N>;

fn main() -> ExitCode {
    let cli = match cli::parse::<Cli>() {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    if let Some(name) = &cli.link.interface {
        let mut config = PacketConfig::new(name);
        config.mac_address = cli.mac;
        return PacketSocket::with_config(config).map_or_else(|e| open_failed(&e), |nic| run(&cli, nic));
    }
    let mut config = TapConfig::new(cli.name());
    config.mac_address = cli.mac;
    match cli.nic {
        Kind::Tap if cli.inject_faults.is_some() => {
            cli::usage_error("--inject-faults requires --nic enc28j60 or --nic cyw43")
        }
        Kind::Tap => Tap::with_config(config).map_or_else(|e| open_failed(&e), |nic| run(&cli, nic)),
        Kind::Enc28j60 => run_modelled(&cli, Wired::open(config)),
        Kind::Cyw43 => run_modelled(&cli, Wireless::open(config)),
    }
}

/// Runs on a modelled chip, with fault injection if requested.
fn run_modelled<D, B: Board, E: Error + 'static>(
    cli: &Cli,
    opened: Result<Modelled<D, B>, ModelledError<E>>,
) -> ExitCode
where
    Modelled<D, B>: Nic,
{
    match (opened, cli.inject_faults) {
        (Ok(nic), Some(interval)) => run(cli, nic.with_fault_injection(interval)),
        (Ok(nic), None) => run(cli, nic),
        (Err(ModelledError::Tap(e)), _) => open_failed(&e),
        (Err(e), _) => cli::failure(Causes(&e)),
    }
}

/// Reports that the interface cannot be opened.
fn open_failed(error: &InterfaceError) -> ExitCode {
    match error {
        InterfaceError::InvalidName { .. } | InterfaceError::InvalidMacAddress { .. } => {
            cli::usage_error(Causes(error))
        }
        _ => cli::failure(Causes(error)),
    }
}

fn run(cli: &Cli, nic: impl Nic) -> ExitCode {
    let (mut rx, mut reply) = ([0; FRAME], [0; FRAME]);
    let mut device = SmoltcpDevice::new(nic, &mut rx, &mut reply);
    let mut storage = Box::new(Storage::<{ 64 * 1024 }, HTTP_CONNECTIONS>::with_connections());
    let mut slots = Slots::<{ socket_slots(HTTP_CONNECTIONS) }>::with_sockets();
    let addresses: Vec<IpCidr> = cli.ip.iter().copied().map(IpCidr::Ipv4).collect();
    let config = Config {
        name: cli.name(),
        addresses: &addresses,
        gateway: cli.gateway,
        seed: RandomState::new().build_hasher().finish(),
    };
    let clock = Clock(Instant::now());
    let node = match Node::new(&config, &mut device, clock.now(), &mut storage, &mut slots) {
        Ok(node) => node,
        Err(e) => return cli::usage_error(Causes(&e)),
    };
    match serve(cli, node, &mut device, &clock) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => cli::failure(Causes(&*e)),
    }
}

fn fault_interval(text: &str) -> Result<Duration, String> {
    let (first, last) = (FAULT_INTERVALS.start(), FAULT_INTERVALS.end());
    text.parse()
        .ok()
        .filter(|seconds| FAULT_INTERVALS.contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| format!("expected a whole number of seconds from {first} to {last}"))
}

fn address(text: &str) -> Result<Ipv4Cidr, String> {
    text.parse()
        .map_err(|()| "expected an address with a prefix length, for example 192.168.69.1/24".to_owned())
}

/// Runs until a signal arrives, the device fails, or the greeting cannot be printed. Prints the
/// statistics in the first two cases.
fn serve<N: Nic>(
    cli: &Cli,
    mut node: Node<'_, HTTP_CONNECTIONS>,
    device: &mut Device<'_, N>,
    clock: &Clock,
) -> Result<(), Box<dyn Error>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if signal == SIGHUP && is_ignored(SIGHUP) {
            continue;
        }
        // A second signal ends the process immediately.
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.clone())?;
        signal_hook::flag::register(signal, stop.clone())?;
    }
    cli::print(greeting(cli, device))?;
    let mut reported = Reported {
        link: device.link(),
        error: String::new(),
    };
    if !reported.link.is_up() {
        reported.explain(cli.name());
    }
    let mut result = Ok(());
    while !stop.load(Ordering::Relaxed) && result.is_ok() {
        result = iterate(&mut node, device, clock).or_else(|e| recover(cli.name(), e, device));
        reported.update(cli.name(), device);
    }
    let printed = cli::print(statistics(&node, device, clock));
    result?;
    Ok(printed?)
}

/// Returns whether the process was started with `signal` ignored; false if the kernel does not
/// report it.
fn is_ignored(signal: i32) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignored_in(&status, signal))
}

/// Returns whether `signal` is in the mask `SigIgn` of this status file (proc(5)): hexadecimal,
/// signal 1 is bit 0.
fn ignored_in(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Recovers the NIC after an error, if possible.
fn recover<N: Nic>(name: &str, error: N::Error, device: &mut Device<'_, N>) -> Result<(), Box<dyn Error>> {
    let text = Causes(&error).to_string();
    device.inner_mut().recover_from(error)?;
    cli::note(format_args!("{name}: {text}; recovered"));
    Ok(())
}

/// Polls the node, then waits until the next poll is due.
fn iterate<N: Nic>(
    node: &mut Node<'_, HTTP_CONNECTIONS>,
    device: &mut Device<'_, N>,
    clock: &Clock,
) -> Result<(), N::Error> {
    node.poll(clock.now(), device)?;
    let poll_at = node.poll_at(clock.now(), device);
    let interest = match poll_at {
        PollAt::Now => Interest::NONE,
        PollAt::Wait { interest, .. } => interest,
    };
    let delay = poll_at.delay(clock.now()).map_or(LONGEST_SLEEP, Into::into);
    device.inner_mut().wait_for(interest, delay.min(LONGEST_SLEEP))
}

/// The messages printed so far.
struct Reported {
    link: Link,
    error: String,
}

impl Reported {
    fn update<N: Nic>(&mut self, name: &str, device: &mut Device<'_, N>) {
        if device.link() != self.link {
            self.link = device.link();
            cli::note(format_args!("{name}: link {}", self.link));
        }
        if let Some(e) = device.take_error() {
            let error = Causes(&e).to_string();
            if error != self.error {
                cli::note(format_args!("{name}: {error}"));
                self.error = error;
            }
        }
    }

    fn explain(&self, name: &str) {
        cli::note(format_args!("{name}: link {}: sudo ip link set {name} up", self.link));
    }
}

fn greeting<N: Nic>(cli: &Cli, device: &mut Device<'_, N>) -> String {
    let mut lines = vec![format!(
        "{} is {}, {}, serving; Ctrl-C ends it",
        cli.name(),
        device.inner().mac_address(),
        device.inner().about()
    )];
    for ip in &cli.ip {
        let ip = ip.address();
        lines.push(format!("  http://{ip}/   ping {ip}   nc {ip} 7"));
    }
    lines.join("\n")
}

fn statistics<N: Nic>(node: &Node<'_, HTTP_CONNECTIONS>, device: &mut Device<'_, N>, clock: &Clock) -> String {
    let status = Status::of(device.inner(), node.uptime(clock.now()));
    let served = node.served();
    let drops = device.drops();
    let mut lines = vec![format!("\nserved for {:.1} s:", status.uptime.as_secs_f64())];
    let mut line = |name: &str, value: u64| {
        if value > 0 {
            lines.push(format!("  {name:<20} {value:>10}"));
        }
    };
    line("http_answered", served.http_answered.into());
    line("tcp_echoed_bytes", served.tcp_echoed);
    line("udp_echoed", served.udp_echoed.into());
    line("udp_dropped", served.udp_dropped.into());
    for (name, value) in status.stats.iter() {
        line(name, value.into());
    }
    line("stack_tx_lost", drops.tx_lost().into());
    line("stack_rx_too_short", drops.rx_too_short.into());
    for (kind, value) in device.errors().iter() {
        line(&format!("errors_{kind}"), value.into());
    }
    for (name, value) in device.inner().counters() {
        line(name, value);
    }
    lines.push("  all other counters            0".to_owned());
    lines.join("\n")
}

/// A clock for smoltcp, which starts at zero.
struct Clock(Instant);

impl Clock {
    fn now(&self) -> smoltcp::time::Instant {
        let micros = self.0.elapsed().as_micros();
        smoltcp::time::Instant::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_in_reads_mask() {
        let status = "SigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001003\nSigCgt:\t0000000000000000\n";
        assert!(ignored_in(status, SIGHUP) && ignored_in(status, SIGINT));
        assert!(!ignored_in(status, SIGTERM));
        assert!(!ignored_in("", SIGHUP));
    }

    #[test]
    fn fault_interval_out_of_range_is_rejected() {
        assert_eq!(fault_interval("1"), Ok(Duration::from_secs(1)));
        assert_eq!(fault_interval("3600"), Ok(Duration::from_secs(3600)));
        for text in [
            "0",
            "3601",
            "18446744073709551615",
            "18446744073709551616",
            "-1",
            "1.5",
            "",
        ] {
            assert!(fault_interval(text).is_err_and(|e| e.contains("1 to 3600")), "{text}");
        }
    }
}
