//! From samples to figures: medians, minima, sums, and the targets.

use std::time::Duration;

use serde::Serialize;

use crate::Result;

use super::generate::Shape;
use super::workflow::{EDITED, FIRST, STRIP, Sample, Step};

/// The row that adds up a build's steps.
pub(super) const SUM: &str = "all steps";
/// The same, when the slower agent is the one that counts.
const PARALLEL: &str = "all steps, agents in parallel";

/// One row of the table.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    /// The build.
    pub(super) build: &'static str,
    /// The step.
    pub(super) step: &'static str,
    /// The median time of the runs, in seconds.
    pub(super) median: f64,
    /// The shortest time, in seconds.
    pub(super) minimum: f64,
    /// The largest resident set of any run, in bytes.
    pub(super) peak: u64,
    /// Bytes written; in the rows that add up, bytes moved between the machines.
    pub(super) bytes: u64,
}

/// What was measured for one size.
#[derive(Debug, Serialize)]
pub(super) struct Size {
    /// Procedures in the program.
    pub(super) procedures: usize,
    /// Files, without the one that holds `main`.
    pub(super) files: usize,
    /// Bytes of source.
    pub(super) source_bytes: u64,
    /// Bytes of a stripped repository for each of its digests.
    pub(super) stripped_bytes_per_digest: f64,
    /// The table.
    pub(super) rows: Vec<Row>,
}

impl Size {
    /// Sums up the runs of one size.
    pub(super) fn new(procedures: usize, shape: Shape, samples: &[Sample]) -> Result<Self> {
        let first = samples.first().ok_or("nothing was measured")?;
        let mut rows = Vec::new();
        for build in builds(first) {
            let steps = first.steps.iter().enumerate().filter(|(_, step)| step.build == build);
            rows.extend(steps.map(|(index, _)| step_row(samples, index)));
            rows.extend(sums(samples, first, build));
        }
        let stripped = first.steps.iter().find(|step| step.name == STRIP).map_or(0, |step| step.bytes);
        Ok(Self {
            procedures,
            files: shape.files,
            source_bytes: shape.bytes,
            stripped_bytes_per_digest: stripped as f64 / first.digests.max(1) as f64,
            rows,
        })
    }

    fn median(&self, build: &str, step: &str) -> Option<f64> {
        self.rows.iter().find(|row| row.build == build && row.step == step).map(|row| row.median)
    }
}

/// The builds, in the order of their first steps.
fn builds(sample: &Sample) -> Vec<&'static str> {
    let mut builds: Vec<_> = sample.steps.iter().map(|step| step.build).collect();
    builds.dedup();
    builds
}

fn step_row(samples: &[Sample], index: usize) -> Row {
    let steps: Vec<_> = samples.iter().map(|sample| sample.steps[index]).collect();
    let times = steps.iter().map(|step| step.cost.time).collect();
    let (median, minimum) = middle_and_least(times);
    let peak = steps.iter().map(|step| step.cost.peak).max().unwrap_or(0);
    Row { build: steps[0].build, step: steps[0].name, median, minimum, peak, bytes: steps[0].bytes }
}

/// The rows that add up a build: all steps, and, with two agents, the slower agent only.
fn sums(samples: &[Sample], first: &Sample, build: &'static str) -> Vec<Row> {
    let steps = |sample: &Sample| -> Vec<Step> {
        sample.steps.iter().filter(|step| step.build == build).copied().collect()
    };
    let peak = samples.iter().flat_map(steps).map(|step| step.cost.peak).max().unwrap_or(0);
    let moved = first.moved.iter().find(|(name, _)| *name == build).map_or(0, |(_, bytes)| *bytes);
    let row = |step, time: fn(&[Step]) -> Duration| {
        let (median, minimum) = middle_and_least(samples.iter().map(|sample| time(&steps(sample))).collect());
        Row { build, step, median, minimum, peak, bytes: moved }
    };
    let mut rows = vec![row(SUM, sum)];
    if steps(first).iter().any(Step::on_agent) {
        rows.push(row(PARALLEL, parallel));
    }
    rows
}

fn sum(steps: &[Step]) -> Duration {
    steps.iter().map(|step| step.cost.time).sum()
}

fn parallel(steps: &[Step]) -> Duration {
    let (agents, host): (Vec<Step>, Vec<Step>) = steps.iter().partition(|step| step.on_agent());
    sum(&host) + agents.iter().map(|step| step.cost.time).max().unwrap_or_default()
}

fn middle_and_least(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort();
    let [lower, upper] = [times[(times.len() - 1) / 2], times[times.len() / 2]];
    ((lower + upper).as_secs_f64() / 2.0, times[0].as_secs_f64())
}

/// A figure to stay below.
#[derive(Debug, Serialize)]
pub(super) struct Target {
    /// What is measured.
    pub(super) what: &'static str,
    /// The figure to stay below.
    pub(super) limit: f64,
    /// Its unit.
    pub(super) unit: &'static str,
    /// What was measured, if it was.
    pub(super) measured: Option<f64>,
}

impl Target {
    /// Whether the target is reached.
    pub(super) fn verdict(&self) -> &'static str {
        match self.measured {
            Some(measured) if measured <= self.limit => "ok",
            Some(_) => "miss",
            None => "not measured",
        }
    }
}

/// All that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// Runs of each size.
    pub(super) runs: usize,
    /// The sizes, as they were asked for.
    pub(super) sizes: Vec<Size>,
    /// The targets.
    pub(super) targets: Vec<Target>,
}

impl Summary {
    /// Puts the figures beside the targets; `front` is in seconds for 100 MB.
    pub(super) fn new(runs: usize, sizes: Vec<Size>, front: f64) -> Self {
        let large = sizes.iter().find(|size| size.procedures == 10_000);
        // The agents' times are added, though two agents are two machines: a target is not reached by counting.
        let median = |build| large.and_then(|size| size.median(build, SUM));
        let digest = sizes.last().map(|size| size.stripped_bytes_per_digest);
        let target = |what, limit, unit, measured| Target { what, limit, unit, measured };
        let targets = vec![
            target("lex, parse and digest 100 MB on one core", 1.0, "s", Some(front)),
            target("10,000 procedures, first build, all steps", 3.0, "s", median(FIRST)),
            target("10,000 procedures, one edited, all steps", 1.0, "s", median(EDITED)),
            target("stripped repository, bytes a digest", 70.0, "B", digest),
        ];
        Self { runs, sizes, targets }
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Cost;
    use super::*;

    fn step(name: &'static str, milliseconds: u64) -> Step {
        let time = Duration::from_millis(milliseconds);
        let cost = Cost { time, cpu: time, peak: milliseconds };
        Step { build: FIRST, name, cost, bytes: 7 }
    }

    fn sample(first: u64, second: u64) -> Sample {
        let steps =
            vec![step("compile on agent 1", first), step("compile on agent 2", second), step("merge", 5)];
        Sample { steps, moved: vec![(FIRST, 99)], digests: 1 }
    }

    #[test]
    fn agents_count_both_and_as_the_slower_one() {
        let samples = [sample(10, 20), sample(30, 40), sample(20, 10)];
        let size = Size::new(100, Shape { files: 2, bytes: 1 }, &samples).unwrap();
        let row = |step| size.rows.iter().find(|row| row.step == step).unwrap();
        assert_eq!((row(SUM).median, row(SUM).minimum), (0.035, 0.035));
        assert_eq!((row(PARALLEL).median, row(PARALLEL).minimum), (0.025, 0.025));
        assert_eq!((row("merge").bytes, row(SUM).bytes), (7, 99));
        assert_eq!(row("compile on agent 1").peak, 30);
    }
}
