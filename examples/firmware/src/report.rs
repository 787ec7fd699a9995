//! Reports of the link and of the counters.

use core::time::Duration;

use ethdev::{Link, Stats};
use semihosting::println;

use crate::board::CpuStats;

/// The shortest interval between two reports of the counters.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);

/// What was reported last.
#[derive(Debug, Default)]
pub struct Report {
    link: Option<Link>,
    next: Duration,
    frames: (u32, u32),
}

impl Report {
    /// Prints the link if it has changed, and the counters if the link or they have changed, at
    /// most once per interval. `errors` is the number of errors of the device.
    pub fn print(&mut self, now: Duration, link: Link, stats: &Stats, errors: u32) {
        let changed = self.link != Some(link);
        if changed {
            self.link = Some(link);
            println!("link {link}");
        }
        let frames = (stats.rx_frames, stats.tx_frames);
        if !changed && (now < self.next || frames == self.frames) {
            return;
        }
        self.next = now + REPORT_INTERVAL;
        self.frames = frames;
        let cpu = CpuStats::now();
        println!(
            "t_ms={} asleep_ms={} sleeps={} interrupts={} rx={} tx={} rx_dropped={} tx_lost={} errors={}",
            now.as_millis(),
            cpu.asleep.as_millis(),
            cpu.sleeps,
            cpu.interrupts,
            frames.0,
            frames.1,
            stats.rx_lost(),
            stats.tx_lost(),
            errors,
        );
    }
}
