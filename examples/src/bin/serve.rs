//! The web server and the echo services on a TAP interface: the peer is the Linux kernel.

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
use ethdev::{EthernetDevice, Interest, LayerError, Link, MacAddress};
use ethdev_cli::{self as cli, Causes};
use ethdev_examples::apps::{Config, Node, Slots, Status, Storage, socket_slots};
use ethdev_examples::serve::{Board, Modelled, ModelledError, Nic, Wired, Wireless};
use ethdev_linux::{Tap, TapConfig, TapError};
use ethdev_smoltcp::{PollAt, SmoltcpDevice};
use ethdev_util::Buffered;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use smoltcp::wire::{IpCidr, Ipv4Address, Ipv4Cidr};

/// Serves a web page, ping and echo on a TAP interface, to the Linux kernel and to whatever it forwards.
///
/// It is a host of its own, with its own MAC and IP address, at the other end of the interface's wire. It sleeps when there is nothing to do. SIGINT
/// (Ctrl-C), SIGTERM and SIGHUP end it; it prints its statistics then. A SIGHUP that is ignored when it starts (nohup) stays ignored.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Cli {
    /// The TAP interface; created for as long as this runs if there is none (that needs root)
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    tap: String,
    /// What is between the interface and the network stack
    #[arg(long, value_name = "NIC", value_enum, default_value_t = Kind::Tap)]
    nic: Kind,
    /// This host's address with the length of the network's prefix; may be given twice
    #[arg(long, value_name = "ADDRESS/LENGTH", default_value = "192.168.69.1/24", value_parser = address)]
    ip: Vec<Ipv4Cidr>,
    /// Where packets for other networks go
    #[arg(long, value_name = "ADDRESS")]
    gateway: Option<Ipv4Address>,
    /// This host's MAC address [default: one made from the interface's name]
    #[arg(long, value_name = "MAC")]
    mac: Option<MacAddress>,
    /// Inject a fault into the modelled chip every SECONDS (1 to 3600): its supply fails for a moment, or its bus once, in turns
    #[arg(long, value_name = "SECONDS", value_parser = fault_interval)]
    inject_faults: Option<Duration>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// Nothing: the interface is the NIC
    Tap,
    /// A wire at 10 Mbit/s, a model of the ENC28J60, its SPI bus at 20 MHz and its driver, at the speed of real hardware
    Enc28j60,
    /// An access point, a model of the CYW43439 that has joined it, its bus at 33 MHz and its driver, at the speed of real hardware
    Cyw43,
}

const EXAMPLES: &str = "\
Examples:
  sudo ip tuntap add dev tap0 mode tap user $USER
  sudo ip addr add 192.168.69.100/24 dev tap0
  sudo ip link set tap0 up
  serve --tap tap0
  serve --tap tap0 --nic enc28j60      the same through the model of a chip
  serve --tap tap0 --nic cyw43         the same over Wi-Fi: the modelled access point bridges to the interface

  ping 192.168.69.1
  curl http://192.168.69.1/
  nc 192.168.69.1 7            what you type comes back

Exit status: 0 after SIGINT, SIGTERM or SIGHUP, 1 it did not work, 2 called in a wrong way";

/// Longest frame that the interface sends us in bytes, without FCS.
const FRAME: usize = MAX_VLAN_FRAME_LEN;
/// HTTP connections at a time, half of which listen at least: 64 browsers may come at once.
const HTTP_CONNECTIONS: usize = 128;
/// Seconds between two injected faults.
const FAULT_INTERVALS: RangeInclusive<u64> = 1..=3600;
/// A signal that comes just before going to sleep is noticed after so long.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

type Device<'s, N> = SmoltcpDevice<'s, Buffered<N, FRAME>>;

fn main() -> ExitCode {
    let cli = match cli::parse::<Cli>() {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    let mut config = TapConfig::new(&cli.tap);
    config.mac_address = cli.mac;
    match cli.nic {
        Kind::Tap if cli.inject_faults.is_some() => {
            cli::misuse("--inject-faults needs a modelled chip: --nic enc28j60 or --nic cyw43")
        }
        Kind::Tap => Tap::with_config(config).map_or_else(|e| refuse(&e), |nic| run(&cli, nic)),
        Kind::Enc28j60 => run_modelled(&cli, Wired::open(config)),
        Kind::Cyw43 => run_modelled(&cli, Wireless::open(config)),
    }
}

/// Runs on a modelled chip, into which faults are injected where that is asked for.
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
        (Err(ModelledError::Tap(e)), _) => refuse(&e),
        (Err(e), _) => cli::failure(Causes(&e)),
    }
}

/// The interface cannot be had.
fn refuse(error: &TapError) -> ExitCode {
    match error {
        TapError::InvalidName { .. } | TapError::InvalidMacAddress { .. } => cli::misuse(Causes(error)),
        _ => cli::failure(Causes(error)),
    }
}

fn run(cli: &Cli, nic: impl Nic) -> ExitCode {
    let mut spare = [0; FRAME];
    let mut device = SmoltcpDevice::new(Buffered::new(nic), &mut spare);
    let mut storage = Box::new(Storage::<{ 64 * 1024 }, HTTP_CONNECTIONS>::with_connections());
    let mut slots = Slots::<{ socket_slots(HTTP_CONNECTIONS) }>::with_sockets();
    let addresses: Vec<IpCidr> = cli.ip.iter().copied().map(IpCidr::Ipv4).collect();
    let config = Config {
        name: &cli.tap,
        addresses: &addresses,
        gateway: cli.gateway,
        seed: RandomState::new().build_hasher().finish(),
    };
    let clock = Clock(Instant::now());
    let node = match Node::new(&config, &mut device, clock.now(), &mut storage, &mut slots) {
        Ok(node) => node,
        Err(e) => return cli::misuse(Causes(&e)),
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
        .ok_or_else(|| format!("a whole number of seconds from {first} to {last} is needed"))
}

fn address(text: &str) -> Result<Ipv4Cidr, String> {
    text.parse()
        .map_err(|()| "an address with the length of its network's prefix is needed, like 192.168.69.1/24".to_owned())
}

/// Runs until a signal ends it, or the device fails, or the greeting cannot be printed; the statistics are printed in the first two cases.
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
        // A second one ends it the hard way, should the first not do.
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.clone())?;
        signal_hook::flag::register(signal, stop.clone())?;
    }
    cli::print(greeting(cli, device))?;
    let mut told = Told {
        link: device.link(),
        error: String::new(),
    };
    if !told.link.is_up() {
        told.explain(&cli.tap);
    }
    let mut result = Ok(());
    while !stop.load(Ordering::Relaxed) && result.is_ok() {
        result = turn(&mut node, device, clock).or_else(|e| get_over(&cli.tap, e, device));
        told.tell(&cli.tap, device);
    }
    let printed = cli::print(statistics(&node, device, clock));
    result?;
    Ok(printed?)
}

/// Whether this process was started with `signal` ignored. Where the kernel does not say so, it was not.
fn is_ignored(signal: i32) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignored_in(&status, signal))
}

/// Whether `signal` is in the mask `SigIgn` of this status file (proc(5)): hexadecimal, signal 1 is bit 0.
fn ignored_in(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Recovers the NIC after an error, where it can be.
fn get_over<N: Nic>(name: &str, error: LayerError<N::Error>, device: &mut Device<'_, N>) -> Result<(), Box<dyn Error>> {
    let LayerError::Device(error) = error else {
        return Err(error.into());
    };
    let text = Causes(&error).to_string();
    let nic = device.inner_mut().inner_mut();
    nic.get_over(error)?;
    cli::note(format_args!("{name}: {text}; recovered"));
    Ok(())
}

/// Does what there is to do, then sleeps until there is more.
fn turn<N: Nic>(
    node: &mut Node<'_, HTTP_CONNECTIONS>,
    device: &mut Device<'_, N>,
    clock: &Clock,
) -> Result<(), LayerError<N::Error>> {
    node.poll(clock.now(), device)?;
    let wakeup = node.wakeup(clock.now(), device);
    let interest = match wakeup {
        PollAt::Now => Interest::NONE,
        PollAt::Wait { interest, .. } => interest,
    };
    let delay = wakeup.delay(clock.now()).map_or(LONGEST_SLEEP, Into::into);
    let nic = device.inner_mut().inner_mut();
    nic.sleep(interest, delay.min(LONGEST_SLEEP))
        .map_err(LayerError::Device)
}

/// What the user knows already.
struct Told {
    link: Link,
    error: String,
}

impl Told {
    fn tell<N: Nic>(&mut self, name: &str, device: &mut Device<'_, N>) {
        if device.link() != self.link {
            self.link = device.link();
            cli::note(format_args!("{name}: link {}", self.link));
        }
        if let Some(e) = device.take_error() {
            let error = match &e {
                LayerError::Device(e) => Causes(e).to_string(),
                e => e.to_string(),
            };
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
        cli.tap,
        device.inner().mac_address(),
        device.inner_mut().inner_mut().about()
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
    line("udp_refused", served.udp_refused.into());
    for (name, value) in status.stats.iter() {
        line(name, value.into());
    }
    line("stack_tx_lost", drops.tx_lost().into());
    line("stack_rx_too_short", drops.rx_too_short.into());
    for (kind, value) in device.errors().iter() {
        line(&format!("errors_{kind}"), value.into());
    }
    for (name, value) in device.inner_mut().inner_mut().counters() {
        line(name, value);
    }
    lines.push("  everything else               0".to_owned());
    lines.join("\n")
}

/// The time since it was made, as smoltcp wants it.
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
    fn ignored_signals_are_read_from_the_mask() {
        let status = "SigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001003\nSigCgt:\t0000000000000000\n";
        assert!(ignored_in(status, SIGHUP) && ignored_in(status, SIGINT));
        assert!(!ignored_in(status, SIGTERM));
        assert!(!ignored_in("", SIGHUP));
    }

    #[test]
    fn fault_interval_outside_its_range_is_refused() {
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
