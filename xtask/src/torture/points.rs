//! Points: a call of a scene's command and what happens there; visited evenly, by as many workers as there are cores.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::{Result, files};

use super::judge::{Exam, Outcome};
use super::site::Site;
use super::strace::{self, Call, FAULTS, Fault, Injection};

/// A point of an exam.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    /// Which of the exams.
    pub(super) exam: usize,
    /// The call.
    pub(super) call: Call,
    /// What happens there.
    pub(super) fault: Fault,
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

/// All points of an exam, and how many calls cannot be disturbed.
pub(super) fn of(number: usize, exam: &Exam, home: &Path, toy: &Path) -> Result<(Vec<Point>, usize)> {
    let site = Site::new(&home.join("traced"), toy)?;
    site.reset(&exam.template)?;
    let (calls, hidden) = strace::calls(&site, &exam.scene.command(), &home.join("strace.log"))?;
    let at = |call| FAULTS.into_iter().map(move |fault| Point { exam: number, call, fault });
    Ok((calls.into_iter().flat_map(at).collect(), hidden))
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
    let work = |worker: usize| -> Result<()> {
        let home = home.join(format!("worker {worker}"));
        let site = Site::new(&home.join("site"), toy)?;
        while deadline.is_none_or(|deadline| Instant::now() < deadline)
            && found.load(Ordering::Relaxed) < ENOUGH
        {
            let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let visit = one(&exams[point.exam], *point, &site, &home.join("strace.log"))?;
            found.fetch_add(usize::from(visit.verdict.is_err()), Ordering::Relaxed);
            visits.lock().unwrap_or_else(PoisonError::into_inner).push(visit);
        }
        Ok(())
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        let ended = |handle: std::thread::ScopedJoinHandle<'_, Result<()>>| {
            handle.join().unwrap_or_else(|_| Err("a worker of the torture panicked".into()))
        };
        handles.into_iter().try_for_each(ended)
    })?;
    Ok(visits.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn one(exam: &Exam, point: Point, site: &Site, log: &Path) -> Result<Visit> {
    site.reset(&exam.template)?;
    let injection = Injection(point.call, point.fault);
    let (ended, hit) = strace::disturb(site, &exam.scene.command(), &injection, log)?;
    // What could not be written to standard error cannot be asked for.
    let mute =
        files::read_text(log)?.lines().any(|line| line.contains("write(2,") && line.contains("(INJECTED)"));
    let verdict = exam.judge(site, &ended, point.fault, mute);
    Ok(Visit { point, verdict, hit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_point_comes_once_and_the_first_are_spread() {
        for total in 1..60 {
            let point =
                |ordinal| Point { exam: 0, call: Call { name: "write", ordinal }, fault: Fault::Kill };
            let points: Vec<_> = (0..total).map(point).collect();
            let mut order: Vec<_> = spread(&points).iter().map(|point| point.call.ordinal).collect();
            let half = order[..total.div_ceil(2)].iter().filter(|ordinal| **ordinal < total / 2).count();
            assert!(half.abs_diff(total / 4) <= 2, "{order:?}");
            order.sort_unstable();
            assert_eq!(order, (0..total).collect::<Vec<_>>());
        }
    }
}
