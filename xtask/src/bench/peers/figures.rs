//! From samples to figures: ratios to Toy, their geometric means, and the targets.

use serde::Serialize;

use super::super::measure::Cost;
use super::runners::{GHOSTSCRIPT, LUA, Runner, TOY, TOY_OPTIMIZED};

/// All that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Peers {
    /// Runs of each program.
    pub(super) runs: usize,
    /// The columns; Toy's are the first.
    pub(super) columns: Vec<Column>,
    /// Interpreters that are not installed.
    pub(super) absent: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
    pub(super) targets: Vec<Target>,
}

/// What runs programs, over all of them.
#[derive(Debug, Serialize)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) version: String,
    pub(super) start: Start,
    /// The geometric mean of its CPU time as multiple of Toy's, over the programs that both ran.
    pub(super) mean: Option<f64>,
    /// The same of the times less what starting takes.
    pub(super) mean_without_start: Option<f64>,
}

/// What starting costs, in seconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Start {
    /// The median by the clock on the wall.
    pub(super) median: f64,
    /// The least by the clock on the wall.
    pub(super) minimum: f64,
    /// The median of the CPU time.
    pub(super) cpu: f64,
}

/// One program.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) program: String,
    /// CPU time of the best run, a column each; none where there is no such program.
    pub(super) seconds: Vec<Option<f64>>,
}

/// A figure that is to be reached.
#[derive(Debug, Serialize)]
pub(super) struct Target {
    pub(super) what: String,
    pub(super) bound: Bound,
    /// None when one of the two was not measured.
    pub(super) measured: Option<f64>,
}

/// How a target is meant.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) enum Bound {
    /// So many times as fast, or faster.
    Times(f64),
    /// Seconds, or fewer.
    Seconds(f64),
}

/// Who is to be how many times as fast as whom.
const SPEEDS: &[(&str, &str, f64)] = &[(TOY, GHOSTSCRIPT, 10.0), (TOY, LUA, 1.0), (TOY_OPTIMIZED, LUA, 2.0)];
/// The longest time from the start to the end of `hello`, in seconds.
const START: f64 = 0.002;

impl Peers {
    /// Sums up.
    pub(super) fn new(
        runs: usize,
        runners: &[Runner],
        absent: Vec<&'static str>,
        starts: Vec<Start>,
        rows: Vec<Row>,
    ) -> Self {
        let start = |column: usize| starts[column].cpu;
        let column = |(at, runner): (usize, &Runner)| Column {
            name: runner.name,
            version: runner.version.clone(),
            start: starts[at],
            mean: mean_ratio(&rows, at, 0, |_| 0.0),
            mean_without_start: mean_ratio(&rows, at, 0, start),
        };
        let columns = runners.iter().enumerate().map(column).collect();
        let targets = targets(runners, &starts, &rows);
        Self { runs, columns, absent, rows, targets }
    }
}

fn targets(runners: &[Runner], starts: &[Start], rows: &[Row]) -> Vec<Target> {
    let column = |name: &str| runners.iter().position(|runner| runner.name == name);
    let speed = |(who, whom, times): &(&str, &str, f64)| Target {
        what: format!("{who}, times as fast as {whom}"),
        bound: Bound::Times(*times),
        measured: column(whom).zip(column(who)).and_then(|(whom, who)| mean_ratio(rows, whom, who, |_| 0.0)),
    };
    let start = Target {
        what: format!("{TOY}, start to end of hello world"),
        bound: Bound::Seconds(START),
        measured: column(TOY).map(|toy| starts[toy].median),
    };
    SPEEDS.iter().map(speed).chain([start]).collect()
}

impl Target {
    /// Whether the target is reached.
    pub(super) fn verdict(&self) -> &'static str {
        let is_met = self.measured.map(|measured| match self.bound {
            Bound::Times(least) => measured >= least,
            Bound::Seconds(most) => measured <= most,
        });
        match is_met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "not measured",
        }
    }
}

impl Start {
    /// Sums up the starts, of which there is at least one.
    pub(super) fn new(costs: &[Cost]) -> Self {
        let sorted = |of: fn(&Cost) -> f64| {
            let mut seconds: Vec<_> = costs.iter().map(of).collect();
            seconds.sort_by(f64::total_cmp);
            seconds
        };
        let [time, cpu] = [sorted(|cost| cost.time.as_secs_f64()), sorted(|cost| cost.cpu.as_secs_f64())];
        let median = |seconds: &[f64]| seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN);
        Self { median: median(&time), minimum: time.first().copied().unwrap_or(f64::NAN), cpu: median(&cpu) }
    }
}

/// The geometric mean of one column's times as multiples of another's, each less what is subtracted.
fn mean_ratio(rows: &[Row], of: usize, to: usize, less: impl Fn(usize) -> f64) -> Option<f64> {
    let seconds = |row: &Row, column: usize| row.seconds[column].map(|seconds| seconds - less(column));
    let ratios = rows.iter().filter_map(|row| Some(seconds(row, of)? / seconds(row, to)?));
    geometric_mean(ratios.filter(|ratio| *ratio > 0.0 && ratio.is_finite()))
}

/// The geometric mean of numbers above zero; none of none.
fn geometric_mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = numbers.fold((0_u32, 0.0), |(count, sum), number| (count + 1, sum + number.ln()));
    (count > 0).then(|| (sum / f64::from(count)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn rows(seconds: &[[Option<f64>; 2]]) -> Vec<Row> {
        let row = |seconds: &[Option<f64>; 2]| Row { program: "p".into(), seconds: seconds.to_vec() };
        seconds.iter().map(row).collect()
    }

    fn is_near(one: Option<f64>, other: f64) -> bool {
        one.is_some_and(|one| (one - other).abs() < 1e-9)
    }

    #[test]
    fn geometric_means_are_of_ratios() {
        assert!(is_near(geometric_mean([2.0, 8.0].into_iter()), 4.0));
        assert!(is_near(geometric_mean([3.0].into_iter()), 3.0));
        assert_eq!(geometric_mean([].into_iter()), None);
    }

    #[test]
    fn programs_that_one_of_two_lacks_do_not_count() {
        let rows = rows(&[[Some(1.0), Some(4.0)], [Some(2.0), Some(2.0)], [Some(1.0), None]]);
        assert!(is_near(mean_ratio(&rows, 1, 0, |_| 0.0), 2.0));
        assert!(is_near(mean_ratio(&rows, 0, 1, |_| 0.0), 0.5));
        assert!(is_near(mean_ratio(&rows[..1], 1, 0, |column| column as f64), 3.0));
        assert_eq!(mean_ratio(&rows[2..], 1, 0, |_| 0.0), None);
    }

    #[test]
    fn verdicts_go_by_the_bound() {
        let verdict = |bound, measured| Target { what: String::new(), bound, measured }.verdict();
        assert_eq!(verdict(Bound::Times(10.0), Some(10.0)), "met");
        assert_eq!(verdict(Bound::Times(10.0), Some(9.9)), "missed");
        assert_eq!(verdict(Bound::Seconds(0.002), Some(0.001)), "met");
        assert_eq!(verdict(Bound::Seconds(0.002), Some(0.003)), "missed");
        assert_eq!(verdict(Bound::Times(1.0), None), "not measured");
    }

    #[test]
    fn starts_are_medians_and_the_least() {
        let costs = [3, 1, 2].map(|time| Cost {
            time: Duration::from_secs(time),
            cpu: Duration::from_secs(10 * time),
            peak: 0,
        });
        let Start { median, minimum, cpu } = Start::new(&costs);
        assert_eq!([median, minimum, cpu], [2.0, 1.0, 20.0]);
    }
}
