//! Threads that have what one of them reads, as it alone may.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::Scope;

/// How much work waits for the other threads.
#[derive(Debug)]
pub struct Crew {
    waiting: AtomicUsize,
    enough: usize,
}

impl Crew {
    /// The other threads of the pool that this one works in. None of them has anything to do.
    pub fn others() -> Self {
        Self { waiting: AtomicUsize::new(0), enough: 2 * (rayon::current_num_threads() - 1) }
    }

    /// Gives some work to the others, or does it here, when two pieces wait for each of them: so nobody waits, and little piles
    /// up.
    pub fn give<'s>(&'s self, scope: &Scope<'s>, work: impl FnOnce() + Send + 's) {
        if self.waiting.load(Ordering::Relaxed) >= self.enough {
            return work();
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        scope.spawn(move |_| {
            work();
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        });
    }
}
