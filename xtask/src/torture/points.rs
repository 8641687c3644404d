//! Points: what can happen to a scene's command; visited evenly, by as many workers as there are cores.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crate::Result;

use super::disk;
use super::judge::{Exam, Outcome};
use super::site::Site;
use super::strace::{self, Call, FAULTS, Fault};
use super::worker::Worker;

/// A point of an exam.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    /// Which of the exams.
    pub(super) exam: usize,
    /// What happens.
    pub(super) trouble: Trouble,
}

/// What happens to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// A call is disturbed.
    Call(Call, Fault),
    /// Only so many pages of the disk are free.
    FullDisk(usize),
}

impl Trouble {
    /// What the table calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Call(call, _) => call.name,
            Self::FullDisk(_) => "(full disk)",
        }
    }
}

/// What came of a point.
#[derive(Debug)]
pub(super) struct Visit {
    /// The point.
    pub(super) point: Point,
    /// The outcome, or what is not as promised.
    pub(super) verdict: Result<Outcome>,
    /// The line of strace's log, if the call was made.
    pub(super) hit: Option<String>,
}

/// After so many findings nobody reads on.
const ENOUGH: usize = 10;

/// All points of an exam that are calls, and how many calls cannot be disturbed.
pub(super) fn of_calls(number: usize, exam: &Exam, home: &Path, toy: &Path) -> Result<(Vec<Point>, usize)> {
    let site = Site::new(&home.join("traced"), toy)?;
    site.reset(&exam.template)?;
    let (calls, hidden) = strace::calls(&site, &exam.scene.command(), &home.join("strace.log"))?;
    let point = |trouble| Point { exam: number, trouble };
    let at = |call| faults(exam).iter().map(move |fault| point(Trouble::Call(call, *fault)));
    Ok((calls.into_iter().flat_map(at).collect(), hidden))
}

/// What may happen at each call of an exam.
pub(super) fn faults(exam: &Exam) -> &'static [Fault] {
    if exam.scene.company().is_some() { &[Fault::Delay] } else { &FAULTS }
}

/// All points of an exam that are full disks.
pub(super) fn of_disks(number: usize, exam: &Exam) -> impl Iterator<Item = Point> + use<> {
    let alone = exam.scene.company().is_none();
    (0..=disk::MOST_PAGES)
        .filter(move |_| alone)
        .map(move |free| Point { exam: number, trouble: Trouble::FullDisk(free) })
}

/// The same points in an order of which each beginning is spread evenly.
pub(super) fn spread(points: &[Point]) -> Vec<Point> {
    let mut order: Vec<_> = (0..points.len()).collect();
    // Each half, quarter and so on of all numbers comes before what lies between them.
    order.sort_by_key(|at| at.reverse_bits());
    order.into_iter().map(|at| points[at]).collect()
}

/// Visits points until there are no more, the time is up, or enough is found to be wrong.
pub(super) fn visit(
    exams: &[Exam],
    points: &[Point],
    deadline: Option<Instant>,
    home: &Path,
    toy: &Path,
) -> Result<Vec<Visit>> {
    let (next, found, visits) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let with_disk = points.iter().any(|point| matches!(point.trouble, Trouble::FullDisk(_)));
    let work = |number: usize| -> Result<()> {
        let worker = Worker::new(&home.join(format!("worker {number}")), toy, with_disk)?;
        let on_time = || deadline.is_none_or(|deadline| Instant::now() < deadline);
        while on_time() && found.load(Ordering::Relaxed) < ENOUGH {
            let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let visit = worker.visit(&exams[point.exam], *point)?;
            found.fetch_add(usize::from(visit.verdict.is_err()), Ordering::Relaxed);
            visits.lock().unwrap_or_else(PoisonError::into_inner).push(visit);
        }
        Ok(())
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let work = &work;
        let handles: Vec<_> = (0..workers).map(|number| scope.spawn(move || work(number))).collect();
        let ended = |handle: thread::ScopedJoinHandle<'_, Result<()>>| {
            handle.join().unwrap_or_else(|_| Err("a worker of the torture panicked".into()))
        };
        handles.into_iter().try_for_each(ended)
    })?;
    Ok(visits.into_inner().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_point_comes_once_and_the_first_are_spread() {
        for total in 1..60 {
            let point = |exam| Point { exam, trouble: Trouble::FullDisk(0) };
            let points: Vec<_> = (0..total).map(point).collect();
            let mut order: Vec<_> = spread(&points).iter().map(|point| point.exam).collect();
            let half = order[..total.div_ceil(2)].iter().filter(|exam| **exam < total / 2).count();
            assert!(half.abs_diff(total / 4) <= 2, "{order:?}");
            order.sort_unstable();
            assert_eq!(order, (0..total).collect::<Vec<_>>());
        }
    }
}
