//! Link losses.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::account::{CpuStats, START};
use super::client::{self, Page, Ports};
use super::machine::Qemu;
use super::{SEED, TIMEOUT};

/// The duration of the link loss during an echo, longer than a retransmission timeout.
const OUT: Duration = Duration::from_millis(1500);
/// The bytes that are echoed meanwhile.
const BYTES: usize = 4 << 20;

/// A link loss without traffic.
pub(super) fn idle(board: &mut Qemu, ports: Ports) -> Result<String> {
    let changes = Page::fetch(ports.http)?.number("link_changes")?;
    let (down, up) = out_and_in(board, Duration::ZERO)?;
    let after = Page::fetch(ports.http)?.number("link_changes")?;
    ensure!(after == changes + 2, "{changes} link changes, then {after}");
    Ok(format!(
        "down after {} ms, up after {} ms",
        down.as_millis(),
        up.as_millis()
    ))
}

/// A link loss with data in flight in both directions: no data is lost, and no frame is sent
/// meanwhile.
pub(super) fn busy(board: &mut Qemu, ports: Ports) -> Result<String> {
    let echoed = AtomicUsize::new(0);
    thread::scope(|scope| {
        let echo = scope.spawn(|| client::tcp_echo_watched(ports.tcp_echo, BYTES, SEED, &echoed));
        let deadline = Instant::now() + TIMEOUT;
        while echoed.load(Ordering::Relaxed) < BYTES / 8 {
            if Instant::now() > deadline || echo.is_finished() {
                bail!("no echo before the link loss");
            }
            thread::sleep(Duration::from_millis(5));
        }
        let at = echoed.load(Ordering::Relaxed);
        out_and_in(board, OUT)?;
        ensure!(at < BYTES, "the echo ended before the link loss");
        let echoed = echo
            .join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("the echo client panicked")))?;
        Ok(format!("down for {} ms after {at} bytes; {echoed}", OUT.as_millis()))
    })
}

/// The times until the board reports link down and link up.
fn out_and_in(board: &mut Qemu, out: Duration) -> Result<(Duration, Duration)> {
    let (pulled, began) = (board.mark(), Instant::now());
    board.set_link(false)?;
    board.wait_for(pulled, "link down", TIMEOUT)?;
    let down = began.elapsed();
    thread::sleep(out);
    // A report follows the link change, and others follow frames, also frames from queues.
    let said = board.said();
    let (mark, began) = (board.mark(), Instant::now());
    board.set_link(true)?;
    board.wait_for(mark, "link up", TIMEOUT)?;
    let up = began.elapsed();
    let since = said
        .iter()
        .skip(pulled)
        .skip_while(|line| !line.starts_with("link down"));
    let sent: Vec<u64> = since
        .filter(|line| line.starts_with(START))
        .map(|line| CpuStats(line.clone()).value("tx"))
        .collect::<Result<_>>()?;
    ensure!(
        sent.windows(2).all(|pair| pair[0] == pair[1]),
        "frames sent without a link: {sent:?}"
    );
    Ok((down, up))
}
