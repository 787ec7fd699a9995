//! The async mirror: waiting, waking, and futures that are dropped.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ethdev::{ErrorKind, Interest};

use super::bench::{Bench, Stop, Verdict, ensure};
use super::fixture::{LinkPeer, Unsupported};
use super::line;
use super::subject_async::{Driver, Futures, drive};

/// How long a future that must not complete is watched, in simulated time.
const WATCH: Duration = Duration::from_millis(50);
/// How long one may take that must complete.
const PATIENCE: Duration = Duration::from_secs(10);
/// How far apart two polls of a future that is going to be dropped are: finer than any operation of a chip.
const INSTANT: Duration = Duration::from_micros(1);

fn futures<'b>(bench: &'b mut Bench<'_>) -> Verdict<&'b mut dyn Futures> {
    bench
        .dev
        .futures()
        .ok_or_else(|| Stop::Skip("not an async surface".into()))
}

/// Polls at most `polls` times, a little time between.
fn poll_some<T>(
    far: &RefCell<dyn LinkPeer>,
    polls: usize,
    mut future: Pin<&mut (impl Future<Output = T> + ?Sized)>,
) -> Option<T> {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        far.borrow_mut().advance(INSTANT);
    }
    None
}

/// How many polls before the drop are tried.
fn cuts() -> impl Iterator<Item = usize> {
    (1..12).chain([16, 24, 48, 100, 300])
}

pub(super) fn a_dropped_ready_takes_nothing(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let (far, time, line) = (bench.far_cell(), bench.far().frame_time(), bench.line);
    for polls in cuts() {
        for before in [true, false] {
            let frame = bench.peer_frame(200);
            let arrive = || {
                far.borrow_mut().peer_send(&frame);
                far.borrow_mut().advance(time);
            };
            {
                let mut ready = futures(bench)?.ready(Interest::ALL & Interest::RX);
                if before {
                    arrive();
                    let _ = poll_some(far, polls, ready.as_mut());
                } else {
                    let early = poll_some(far, polls.min(3), ready.as_mut());
                    ensure!(
                        early.is_none(),
                        line::ASYNC_5,
                        "ready(RX) completed with nothing pending: {early:?}"
                    );
                    arrive();
                    let _ = poll_some(far, polls, ready.as_mut());
                }
            }
            bench.peer_sent(frame);
            let told = drive(far, PATIENCE, futures(bench)?.ready(Interest::RX));
            ensure!(
                told == Some(Ok(Interest::RX)),
                line,
                "a frame came, a ready was dropped after {polls} polls, and the next one is {told:?}"
            );
            if !bench.receive_if_any()? {
                return bench.fail(format!(
                    "a ready that was dropped after {polls} polls took a frame with it"
                ));
            }
        }
    }
    bench.audit()
}

pub(super) fn a_dropped_ready_keeps_the_link_change(bench: &mut Bench<'_>) -> Verdict {
    bench.far().set_link(true)?;
    by_link(bench)?;
    bench.warm_up()?;
    let far = bench.far_cell();
    let mut up = true;
    for polls in [0, 1, 2, 3, 5, 30] {
        up = !up;
        bench.far().set_link(up)?;
        {
            let mut other = futures(bench)?.ready(Interest::RX);
            let _ = poll_some(far, polls, other.as_mut());
        }
        bench.wait_link(up)?;
        let told = drive(far, PATIENCE, futures(bench)?.ready(Interest::LINK));
        ensure!(
            told == Some(Ok(Interest::LINK)),
            bench.line,
            "the link changed, a ready for frames was dropped after {polls} polls, and ready for the link is {told:?}"
        );
    }
    bench.audit()
}

fn by_link(bench: &Bench<'_>) -> Verdict {
    if bench.far().irq_signal().is_ok() && !bench.far().link_interrupts() {
        return Err(Unsupported("link changes cause no interrupt (`link_interrupts`)").into());
    }
    Ok(())
}

pub(super) fn unpolled_futures_do_nothing(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    bench.peer_delivers(200);
    let frame = bench.own_frame(100);
    let mut buf = vec![0; 2048];
    for _ in 0..3 {
        let device = futures(bench)?;
        drop(device.recv_frame(&mut buf));
        drop(device.recv(&mut buf));
        drop(device.ready(Interest::ALL));
        drop(device.send_frame(&frame));
        drop(device.send(&frame));
    }
    bench.pass(2);
    bench.service()?;
    ensure!(
        bench.far().peer_recv().is_none(),
        bench.line,
        "a send that was never polled went out"
    );
    if !bench.receive_if_any()? {
        return bench.fail("a recv_frame that was never polled took the frame");
    }
    bench.audit()
}

pub(super) fn a_dropped_recv_is_accounted(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let far = bench.far_cell();
    let burst = bench.rx_burst().min(2);
    for polls in cuts() {
        for wait in [false, true] {
            for _ in 0..burst {
                bench.peer_sends(200);
            }
            bench.pass(burst);
            let mut buf = vec![0; 2048];
            let done = {
                let device = futures(bench)?;
                if wait {
                    let mut future = device.recv(&mut buf);
                    poll_some(far, polls, future.as_mut()).map(|result| result.map(Some))
                } else {
                    let mut future = device.recv_frame(&mut buf);
                    poll_some(far, polls, future.as_mut())
                }
            };
            match done {
                Some(Ok(Some(meta))) => bench.received(&buf[..meta.len])?,
                Some(other) => return bench.fail(format!("a frame is pending, and receiving it is {other:?}")),
                None => {}
            }
            bench.drain_with_gaps()?;
            let stats = bench.stats();
            ensure!(
                stats.rx_frames == bench.rx_left(),
                bench.line,
                "a receive that was dropped after {polls} polls delivered nothing, and is counted in rx_frames"
            );
            ensure!(
                stats.rx_frames + stats.rx_lost() == bench.rx_entered(),
                bench.line,
                "a receive that was dropped after {polls} polls lost a frame that is not counted"
            );
        }
    }
    bench.warm_up()?;
    bench.audit()
}

pub(super) fn a_dropped_send_is_whole_or_nothing(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let far = bench.far_cell();
    for polls in cuts() {
        let frame = bench.own_frame(300);
        let done = {
            let mut future = futures(bench)?.send_frame(&frame);
            poll_some(far, polls, future.as_mut())
        };
        ensure!(
            matches!(done, None | Some(Ok(()))),
            bench.line,
            "an empty transmit queue, and send is {done:?}"
        );
        let mut out = vec![];
        for _ in 0..4 {
            bench.pass(1);
            bench.service()?;
            while let Some(frame) = { bench.far().peer_recv() } {
                out.push(frame);
            }
        }
        ensure!(
            out.is_empty() || out == [frame.clone()],
            bench.line,
            "a send was dropped after {polls} polls, and {} frames of {:?} bytes went out",
            out.len(),
            out.iter().map(Vec::len).collect::<Vec<_>>()
        );
        ensure!(
            done.is_none() || out.len() == 1,
            line::DEVICE_2,
            "a frame was accepted and did not reach the peer"
        );
        // Whatever came of it, the next one goes.
        let next = bench.own_frame(200);
        let result = bench.dev.send_frame(&next);
        bench.ok("the send after one that was dropped", result)?;
        bench.pass(2);
        bench.service()?;
        let got = bench.far().peer_recv();
        ensure!(
            got.as_ref() == Some(&next),
            bench.line,
            "after a send that was dropped after {polls} polls, the next frame is not sent right"
        );
    }
    Ok(())
}

pub(super) fn ready_waits_for_a_frame(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let (far, line) = (bench.far_cell(), bench.line);
    for _ in 0..5 {
        let frame = bench.peer_frame(200);
        {
            let mut ready = futures(bench)?.ready(Interest::RX);
            let driver = Driver::new(far);
            let early = driver.drive(WATCH, ready.as_mut());
            ensure!(
                early.is_none(),
                line,
                "ready(RX) completed with nothing pending: {early:?}"
            );
            far.borrow_mut().peer_send(&frame);
            let told = driver.drive(PATIENCE, ready.as_mut());
            ensure!(
                told == Some(Ok(Interest::RX)),
                line,
                "a frame came, and ready(RX) is {told:?}"
            );
        }
        bench.peer_sent(frame);
        bench.receive()?;
    }
    bench.audit()
}

/// A frame that arrives before each of the accesses that a `ready` makes before it sleeps.
pub(super) fn ready_misses_no_frame(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let far = bench.far_cell();
    for nth in 0..100 {
        let before = bench.far().accesses()?;
        let frame = bench.peer_frame(200);
        bench.far().peer_send_before_access(nth, &frame)?;
        bench.peer_sent(frame);
        let (told, accesses) = {
            let mut ready = futures(bench)?.ready(Interest::RX);
            let driver = Driver::new(far);
            let mut told = driver.drive(WATCH, ready.as_mut());
            let accesses = far.borrow_mut().accesses()? - before;
            if told.is_none() && accesses > u64::from(nth) {
                // A device that looks at intervals may have let the frame in at the end of the watch, after it looked.
                told = driver.drive(WATCH, ready.as_mut());
            }
            (told, accesses)
        };
        if accesses <= u64::from(nth) {
            // It sleeps, and the frame has not arrived: whatever is accessed next lets it in.
            for _ in 0..=nth {
                bench.service()?;
            }
            bench.receive_all()?;
            return bench.audit();
        }
        ensure!(
            told == Some(Ok(Interest::RX)),
            bench.line,
            "a frame arrived before access {nth} of {accesses}, and ready(RX) is {told:?}: deaf"
        );
        bench.receive_all()?;
    }
    bench.audit()
}

pub(super) fn ready_waits_for_room(bench: &mut Bench<'_>) -> Verdict {
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    let (far, line) = (bench.far_cell(), bench.line);
    for _ in 0..3 {
        let told = drive(far, WATCH, futures(bench)?.ready(Interest::TX));
        ensure!(
            told == Some(Ok(Interest::TX)),
            line,
            "there is room, and ready(TX) is {told:?}"
        );
        bench.fill_tx(300)?;
        {
            let mut ready = futures(bench)?.ready(Interest::TX);
            let driver = Driver::new(far);
            let early = driver.drive(WATCH, ready.as_mut());
            ensure!(early.is_none(), line, "ready(TX) completed without room: {early:?}");
            far.borrow_mut().stall_tx(false)?;
            let told = driver.drive(PATIENCE, ready.as_mut());
            ensure!(
                told == Some(Ok(Interest::TX)),
                line,
                "room came, and ready(TX) is {told:?}"
            );
        }
        let result = bench.try_send(300);
        ensure!(result.is_ok(), line, "ready(TX) completed, and send is {result:?}");
        bench.peer_receives_all()?;
    }
    bench.audit()
}

pub(super) fn ready_waits_for_the_link(bench: &mut Bench<'_>) -> Verdict {
    bench.far().set_link(true)?;
    by_link(bench)?;
    bench.warm_up()?;
    let (far, line) = (bench.far_cell(), bench.line);
    // The link may have come up since the device was made: that is told once.
    let _ = drive(far, WATCH, futures(bench)?.ready(Interest::LINK));
    for up in [false, true, false, true] {
        {
            let mut ready = futures(bench)?.ready(Interest::LINK);
            let driver = Driver::new(far);
            let early = driver.drive(WATCH, ready.as_mut());
            ensure!(
                early.is_none(),
                line,
                "the link did not change, and ready(LINK) completed: {early:?}"
            );
            far.borrow_mut().set_link(up)?;
            let told = driver.drive(PATIENCE, ready.as_mut());
            ensure!(
                told == Some(Ok(Interest::LINK)),
                line,
                "the link changed, and ready(LINK) is {told:?}"
            );
        }
        ensure!(
            bench.dev.link().is_up() == up,
            line,
            "ready(LINK) completed, and link() is {}",
            bench.dev.link()
        );
    }
    bench.audit()
}

pub(super) fn ready_for_nothing_waits_for_ever(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let far = bench.far_cell();
    bench.peer_delivers(200);
    let told = drive(far, WATCH, futures(bench)?.ready(Interest::NONE));
    ensure!(told.is_none(), bench.line, "ready(NONE) completed: {told:?}");
    bench.receive_all()?;
    bench.audit()
}

pub(super) fn recv_and_send_wait(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let (far, line) = (bench.far_cell(), bench.line);
    let mut buf = vec![0; 2048];
    for _ in 0..3 {
        let frame = bench.peer_frame(200);
        let meta = {
            let mut recv = futures(bench)?.recv(&mut buf);
            let driver = Driver::new(far);
            let early = driver.drive(WATCH, recv.as_mut());
            ensure!(early.is_none(), line, "recv completed with nothing pending: {early:?}");
            far.borrow_mut().peer_send(&frame);
            driver.drive(PATIENCE, recv.as_mut())
        };
        bench.peer_sent(frame);
        match meta {
            Some(Ok(meta)) => bench.received(&buf[..meta.len])?,
            other => return bench.fail(format!("a frame came, and recv is {other:?}")),
        }
    }
    if bench.far().stall_tx(false).is_ok() {
        for _ in 0..3 {
            bench.fill_tx(300)?;
            let frame = bench.own_frame(300);
            {
                let mut send = futures(bench)?.send(&frame);
                let driver = Driver::new(far);
                let early = driver.drive(WATCH, send.as_mut());
                ensure!(early.is_none(), line, "send completed without room: {early:?}");
                far.borrow_mut().stall_tx(false)?;
                let sent = driver.drive(PATIENCE, send.as_mut());
                ensure!(sent == Some(Ok(())), line, "room came, and send is {sent:?}");
            }
            bench.accepted(frame);
            bench.peer_receives_all()?;
        }
    }
    if bench.far().set_link(false).is_ok() {
        bench.wait_link(false)?;
        let frame = bench.own_frame(100);
        let sent = drive(far, WATCH, futures(bench)?.send(&frame));
        ensure!(
            sent == Some(Err(ErrorKind::LinkDown)),
            line,
            "link down, and send is {sent:?} instead of LinkDown at once"
        );
        bench.far().set_link(true)?;
        bench.wait_link(true)?;
    }
    bench.audit()
}
