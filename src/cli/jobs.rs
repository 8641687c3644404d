//! How many threads work: as many as there are cores, or as `-j` says, or as the make around us has left.
//!
//! Deliberately absent: what they do. A verb works with the threads it finds itself on, and knows nothing of make.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use clap::Args;
use jobserver::{Acquired, Client, FromEnvErrorKind};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// How many threads may work at once.
#[derive(Debug, Clone, Copy, Args)]
pub struct Threads {
    /// Use at most so many threads; 0 for all cores. Below `make -j`, no more than make has jobs left
    #[arg(short = 'j', long = "jobs", value_name = "N", default_value_t = 0)]
    most: usize,
}

impl Threads {
    /// Does work that falls into so many parts, on no more threads than there are parts.
    ///
    /// What make lends for it is given back before this returns, or when the work panics. Work that waits for other
    /// processes is better done outside.
    pub fn run<T: Send>(self, parts: usize, work: impl FnOnce() -> T + Send) -> T {
        let share = if parts > 1 { Share::take(parts.min(self.most())) } else { Share::ALONE };
        share.run(work)
    }

    fn most(self) -> usize {
        if self.most > 0 { self.most } else { available_parallelism().map_or(1, NonZeroUsize::get) }
    }
}

/// The part of the machine that is ours for a while.
struct Share {
    threads: usize,
    /// Each goes back to make when it is dropped.
    _tokens: Vec<Acquired>,
}

impl Share {
    /// The thread that every process may have.
    const ALONE: Self = Self { threads: 1, _tokens: Vec::new() };

    /// As many threads as may be had now, at most `wanted`. Waits for none.
    fn take(wanted: usize) -> Self {
        if wanted <= 1 {
            return Self::ALONE;
        }
        match jobserver() {
            Jobserver::None => Self { threads: wanted, ..Self::ALONE },
            // Make told the others how many jobs there may be, but not us: more than one could be too many.
            Jobserver::Unreachable => Self::ALONE,
            Jobserver::Reachable(client) => Self::borrow(&client, wanted - 1),
        }
    }

    fn borrow(client: &Client, most: usize) -> Self {
        let tokens = std::iter::from_fn(|| client.try_acquire().ok().flatten()).take(most);
        let tokens = tokens.collect::<Vec<_>>();
        Self { threads: 1 + tokens.len(), _tokens: tokens }
    }

    fn run<T: Send>(self, work: impl FnOnce() -> T + Send) -> T {
        match self.pool() {
            Some(pool) => pool.install(work),
            None => alone(work),
        }
    }

    /// The threads; `None` for the one that is there already, and where the system has no more.
    fn pool(&self) -> Option<ThreadPool> {
        let threads = Some(self.threads).filter(|threads| *threads > 1)?;
        ThreadPoolBuilder::new().num_threads(threads).build().ok()
    }
}

/// Works on the current thread, and starts no other.
fn alone<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match ThreadPoolBuilder::new().num_threads(1).use_current_thread().build() {
        Ok(pool) => pool.install(work),
        // The thread is the one of such a pool already.
        Err(_) => work(),
    }
}

/// Who says how many jobs there may be on the whole.
enum Jobserver {
    None,
    Unreachable,
    Reachable(Client),
}

fn jobserver() -> Jobserver {
    // SAFETY: the numbers of files in MAKEFLAGS are taken only if they are those of a pipe. We open no pipe and give
    // no file of ours away, so such a pipe is one that we were started with; and of that, make is the owner.
    #[allow(unsafe_code, reason = "inherited files are known by their number only")]
    let found = unsafe { Client::from_env_ext(true) };
    match found.client {
        Ok(client) => Jobserver::Reachable(client),
        Err(error) => match error.kind() {
            FromEnvErrorKind::NoEnvVar | FromEnvErrorKind::NoJobserver => Jobserver::None,
            _ => Jobserver::Unreachable,
        },
    }
}

#[cfg(test)]
mod tests;
