//! The cable pulled out and put in again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::account::{Account, START};
use super::client::{self, Page, Ports};
use super::machine::Qemu;
use super::{PATIENCE, SEED};

/// How long the cable is out while bytes wait to be sent: longer than a stack waits before it sends something again.
const OUT: Duration = Duration::from_millis(1500);
/// What is echoed meanwhile.
const BYTES: usize = 4 << 20;

/// With nothing else going on.
pub(super) fn idle(board: &mut Qemu, ports: Ports) -> Result<String> {
    let changes = Page::fetch(ports.http)?.number("link_changes")?;
    let (down, up) = out_and_in(board, Duration::ZERO)?;
    let after = Page::fetch(ports.http)?.number("link_changes")?;
    ensure!(after == changes + 2, "{changes} link changes, then {after}");
    Ok(format!(
        "seen after {} ms, up again after {} ms",
        down.as_millis(),
        up.as_millis()
    ))
}

/// While bytes are on their way in both directions: none is lost, and none is sent into the void.
pub(super) fn busy(board: &mut Qemu, ports: Ports) -> Result<String> {
    let echoed = AtomicUsize::new(0);
    thread::scope(|scope| {
        let echo = scope.spawn(|| client::tcp_echo_watched(ports.tcp_echo, BYTES, SEED, &echoed));
        let deadline = Instant::now() + PATIENCE;
        while echoed.load(Ordering::Relaxed) < BYTES / 8 {
            if Instant::now() > deadline || echo.is_finished() {
                bail!("no echo before the cable is pulled out");
            }
            thread::sleep(Duration::from_millis(5));
        }
        let at = echoed.load(Ordering::Relaxed);
        out_and_in(board, OUT)?;
        ensure!(at < BYTES, "the echo was over already");
        let echoed = echo
            .join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("the echo panicked")))?;
        Ok(format!("out for {} ms after {at} bytes; {echoed}", OUT.as_millis()))
    })
}

/// How long the board took to see either.
fn out_and_in(board: &mut Qemu, out: Duration) -> Result<(Duration, Duration)> {
    let (pulled, began) = (board.mark(), Instant::now());
    board.set_link(false)?;
    board.wait_for(pulled, "link down", PATIENCE)?;
    let down = began.elapsed();
    thread::sleep(out);
    // With the news comes an account, and others with frames, also those that wait in some queue.
    let said = board.said();
    let (mark, began) = (board.mark(), Instant::now());
    board.set_link(true)?;
    board.wait_for(mark, "link up", PATIENCE)?;
    let up = began.elapsed();
    let since = said
        .iter()
        .skip(pulled)
        .skip_while(|line| !line.starts_with("link down"));
    let sent: Vec<u64> = since
        .filter(|line| line.starts_with(START))
        .map(|line| Account(line.clone()).value("tx"))
        .collect::<Result<_>>()?;
    ensure!(
        sent.windows(2).all(|pair| pair[0] == pair[1]),
        "frames were sent without a link: {sent:?}"
    );
    Ok((down, up))
}
