//! Runs a check in its own thread, so that a driver that hangs fails it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// How long one call may take, in real time. Simulated time costs none, so only a driver that hangs
/// exceeds it.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// How long a check may take, as a multiple of the limit of a call: for one that calls for ever.
const CHECK_LIMIT: u32 = 18;
/// Seconds that replace [`CALL_LIMIT`].
const VARIABLE: &str = "ETHDEV_CONFORMANCE_WATCHDOG";

/// What the thread of a check is doing.
#[derive(Default)]
struct Progress {
    /// Grows with each step of the check.
    steps: AtomicU64,
    /// The call that began last.
    call: Mutex<&'static str>,
}

thread_local! {
    static PROGRESS: RefCell<Option<Arc<Progress>>> = const { RefCell::new(None) };
}

/// Notes that a call of the driver begins.
pub(super) fn calling(what: &'static str) {
    PROGRESS.with_borrow(|progress| {
        if let Some(progress) = progress {
            *progress.call.lock().unwrap_or_else(PoisonError::into_inner) = what;
        }
    });
    step();
}

/// Notes that the check goes on.
pub(super) fn step() {
    PROGRESS.with_borrow(|progress| {
        if let Some(progress) = progress {
            progress.steps.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// The limit of a call: the environment variable, or ten seconds.
pub(super) fn call_limit() -> Duration {
    let Ok(seconds) = std::env::var(VARIABLE) else {
        return CALL_LIMIT;
    };
    match seconds.parse() {
        Ok(seconds @ 1..) => Duration::from_secs(seconds),
        _ => panic!("{VARIABLE} is {seconds:?}, expected a number of seconds"),
    }
}

/// Why [`run`] has no result.
#[derive(Debug)]
pub(super) enum Hang {
    /// This call did not return.
    Call(&'static str),
    /// All calls returned, but the check does not end.
    Check(Duration),
    /// No thread.
    NoThread(std::io::Error),
}

/// Runs `f` in a thread. If it hangs, the thread is left behind.
pub(super) fn run<T: Send + 'static>(
    limit: Duration,
    name: &str,
    f: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Hang> {
    let (sender, receiver) = mpsc::channel();
    let progress = Arc::new(Progress::default());
    let shared = Arc::clone(&progress);
    std::thread::Builder::new()
        .name(format!("check {name}"))
        .spawn(move || {
            PROGRESS.set(Some(shared));
            // The receiver is gone if the watchdog was faster.
            let _ = sender.send(f());
        })
        .map_err(Hang::NoThread)?;
    let begin = Instant::now();
    let (mut steps, mut since) = (0, begin);
    loop {
        if let Ok(result) = receiver.recv_timeout(limit / 4) {
            return Ok(result);
        }
        let now = progress.steps.load(Ordering::Relaxed);
        if now != steps {
            (steps, since) = (now, Instant::now());
        } else if since.elapsed() >= limit {
            return Err(Hang::Call(
                *progress.call.lock().unwrap_or_else(PoisonError::into_inner),
            ));
        }
        if begin.elapsed() >= limit * CHECK_LIMIT {
            return Err(Hang::Check(limit * CHECK_LIMIT));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(200);

    #[test]
    fn run_result_returned() {
        assert_eq!(run(LIMIT, "", || 7).unwrap(), 7);
    }

    #[test]
    fn run_call_hangs_names_call() {
        let result = run(LIMIT, "", || {
            calling("recv_frame");
            std::thread::sleep(LIMIT * 20);
        });
        assert!(matches!(result, Err(Hang::Call("recv_frame"))), "{result:?}");
    }

    #[test]
    fn run_steps_longer_than_limit_returned() {
        let result = run(LIMIT, "", || {
            for _ in 0..30 {
                step();
                std::thread::sleep(LIMIT / 10);
            }
        });
        assert!(result.is_ok(), "{result:?}");
    }

    #[test]
    fn run_calls_for_ever_ends() {
        let begin = Instant::now();
        let result = run(LIMIT, "", move || {
            while begin.elapsed() < LIMIT * 20 {
                calling("service");
            }
        });
        assert!(matches!(result, Err(Hang::Check(_))), "{result:?}");
    }
}
