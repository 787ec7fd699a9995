//! Clients of the firmware: HTTP and echo.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

/// Longer than the retransmission timeouts of TCP.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Attempts per datagram, which may be lost.
const TRIES: usize = 3;

/// Ports of this host that QEMU forwards to the board.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) http: u16,
    pub(super) tcp_echo: u16,
    pub(super) udp_echo: u16,
}

impl Ports {
    /// Finds unused ports.
    pub(super) fn free() -> Result<Self> {
        let http = TcpListener::bind(loopback(0))?;
        let tcp_echo = TcpListener::bind(loopback(0))?;
        let udp_echo = UdpSocket::bind(loopback(0))?;
        Ok(Self {
            http: http.local_addr()?.port(),
            tcp_echo: tcp_echo.local_addr()?.port(),
            udp_echo: udp_echo.local_addr()?.port(),
        })
    }
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The rows of the page, by name.
#[derive(Debug)]
pub(super) struct Page(BTreeMap<String, String>);

impl Page {
    /// Fetches the page with curl.
    pub(super) fn fetch(port: u16) -> Result<Self> {
        let url = format!("http://{}/", loopback(port));
        let out = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--max-time", "10", &url])
            .output()
            .context("cannot start curl")?;
        ensure!(
            out.status.success(),
            "curl: {}",
            String::from_utf8_lossy(&out.stderr).trim()
        );
        let page = String::from_utf8(out.stdout).context("the page is not UTF-8")?;
        ensure!(page.ends_with("</html>\n"), "page truncated after {} bytes", page.len());
        Ok(Self(page.lines().filter_map(row).collect()))
    }

    /// Returns the value of a row.
    pub(super) fn text(&self, name: &str) -> Result<&str> {
        let value = self
            .0
            .get(name)
            .with_context(|| format!("no row {name:?} on the page"))?;
        Ok(value)
    }

    /// Returns the value of a row as a number.
    pub(super) fn number(&self, name: &str) -> Result<u32> {
        let text = self.text(name)?;
        text.parse().with_context(|| format!("{name} is {text:?}"))
    }
}

/// `<tr ...><th>NAME</th><td>VALUE</td></tr>`
fn row(line: &str) -> Option<(String, String)> {
    let (_, rest) = line.split_once("<th>")?;
    let (name, rest) = rest.split_once("</th><td>")?;
    let (value, _) = rest.split_once("</td>")?;
    Some((name.to_owned(), value.to_owned()))
}

/// Sends `len` bytes and reads the echo, in both directions at once.
pub(super) fn tcp_echo(port: u16, len: usize, seed: u64) -> Result<String> {
    tcp_echo_watched(port, len, seed, &AtomicUsize::new(0))
}

/// As [`tcp_echo`], with a counter of the echoed bytes.
pub(super) fn tcp_echo_watched(port: u16, len: usize, seed: u64, progress: &AtomicUsize) -> Result<String> {
    let mut data = vec![0; len];
    fastrand::Rng::with_seed(seed).fill(&mut data);
    let began = Instant::now();
    let mut stream = TcpStream::connect_timeout(&loopback(port), TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let sent = Sha256::digest(&data);
    let mut writer = stream.try_clone()?;
    let writing = thread::spawn(move || {
        writer.write_all(&data)?;
        writer.shutdown(Shutdown::Write)
    });
    let mut back = Vec::with_capacity(len);
    let mut chunk = [0; 4096];
    // Detects an extra byte.
    while back.len() <= len {
        let read = stream
            .read(&mut chunk)
            .with_context(|| format!("after {} bytes", back.len()))?;
        if read == 0 {
            break;
        }
        back.extend_from_slice(&chunk[..read]);
        progress.store(back.len(), Ordering::Relaxed);
    }
    let time = began.elapsed();
    writing.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    ensure!(back.len() == len, "sent {len} bytes, received {}", back.len());
    let received = Sha256::digest(&back);
    ensure!(sent == received, "wrong echo data (seed {seed})");
    let hash: String = received.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{len} bytes in {} ms, sha256 {hash}...", time.as_millis()))
}

/// Sends datagrams of these lengths, one at a time, and waits for each echo.
pub(super) fn udp_echo(port: u16, lengths: &[usize], seed: u64) -> Result<String> {
    let socket = UdpSocket::bind(loopback(0))?;
    socket.connect(loopback(port))?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut repeated = 0;
    for &len in lengths {
        let mut data = vec![0; len];
        random.fill(&mut data);
        let mut tries = 0;
        while !echoed(&socket, &data)? {
            tries += 1;
            if tries == TRIES {
                bail!("no echo of a datagram of {len} bytes (seed {seed})");
            }
        }
        repeated += tries;
    }
    let longest = lengths.iter().max().copied().unwrap_or(0);
    Ok(format!(
        "{} datagrams of up to {longest} bytes, {repeated} sent again",
        lengths.len()
    ))
}

fn echoed(socket: &UdpSocket, data: &[u8]) -> Result<bool> {
    socket.send(data)?;
    let mut back = [0; 2048];
    loop {
        match socket.recv(&mut back) {
            Ok(len) if &back[..len] == data => return Ok(true),
            // A late echo of an earlier attempt.
            Ok(_) => {}
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(false),
            Err(e) => return Err(e.into()),
        }
    }
}

/// Sends `count` datagrams as fast as possible, without reading echoes. Returns the socket: if it
/// were closed, echoes would be rejected.
pub(super) fn flood(port: u16, count: usize) -> Result<UdpSocket> {
    let socket = UdpSocket::bind(loopback(0))?;
    socket.connect(loopback(port))?;
    let data = [0x55; 1400];
    for _ in 0..count {
        // A full send buffer is ignored.
        let _ = socket.send(&data);
    }
    Ok(socket)
}
