//! Clocks: CPU time of this thread, and an alarm that another thread sets again and again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::sampler::Random;

/// The least time between two alarms, and how much more it may be: so it is in step with nothing that a program does.
const PERIOD: [u32; 2] = [250, 500];

/// The CPU time that this thread has used, as far as the system tells; else the time on the wall.
pub(super) fn now() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
    }
    #[cfg(not(unix))]
    {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed()
    }
}

/// Does some work while the alarm is set about two thousand times a second.
pub(super) fn with_alarm<R>(alarm: &AtomicBool, work: impl FnOnce() -> R) -> R {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let clock = thread::Builder::new().spawn_scoped(scope, || {
            let mut random = Random::default();
            while !is_over.load(Ordering::Relaxed) {
                let [least, more] = PERIOD;
                thread::sleep(Duration::from_micros(u64::from(least + random.below(more))));
                alarm.store(true, Ordering::Relaxed);
            }
        });
        // Without a thread to be had, there is one alarm, which nobody turns off for long.
        alarm.store(clock.is_err(), Ordering::Relaxed);
        let result = work();
        is_over.store(true, Ordering::Relaxed);
        result
    })
}
