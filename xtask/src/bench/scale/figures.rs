//! From samples to figures: medians of times, the most of everything else.

use serde::Serialize;

use crate::{Result, files};

use super::probe::Use;
use super::site::{FILE, Site, Store};
use super::verbs::{MAKE, Measured, Verb};

/// All that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Scale {
    /// Runs of each verb.
    pub(super) runs: usize,
    /// The repositories, by store and size.
    pub(super) repositories: Vec<Repository>,
    /// Ratios beside their targets, in the order of the table.
    pub(super) ratios: Vec<Ratio>,
}

/// What was measured on one repository.
#[derive(Debug, Serialize)]
pub(super) struct Repository {
    pub(super) store: Store,
    /// Fragments before anything was added.
    pub(super) fragments: usize,
    /// Fragments that were merged into it.
    pub(super) merged: usize,
    /// The size of its file.
    pub(super) bytes: u64,
    /// Bytes of its stripped copy for each digest in it.
    pub(super) stripped_bytes_per_digest: f64,
    /// The table.
    pub(super) rows: Vec<Row>,
}

/// One verb on one repository.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) verb: Verb,
    /// The shortest time, in seconds.
    pub(super) minimum: f64,
    /// The median time, and of everything else the most.
    #[serde(flatten)]
    pub(super) used: Use,
}

/// A figure with a target.
#[derive(Debug, Serialize)]
pub(super) struct Ratio {
    /// What is measured.
    pub(super) what: String,
    /// The most that the target allows.
    pub(super) limit: f64,
    pub(super) unit: &'static str,
    /// What was measured; none when it cannot be measured here.
    pub(super) measured: Option<f64>,
    /// Why not, or the two sides of a ratio.
    pub(super) note: String,
}

impl Ratio {
    /// Whether the target is reached.
    pub(super) fn verdict(&self) -> &'static str {
        match self.measured {
            Some(measured) if measured <= self.limit => "met",
            Some(_) => "missed",
            None => "–",
        }
    }
}

impl Repository {
    /// Sums up the runs of one repository.
    pub(super) fn new(site: &Site<'_>, samples: &[Measured]) -> Result<Self> {
        let first = samples.first().ok_or("nothing was measured")?;
        let made = Row { verb: MAKE, minimum: sum(&site.made).seconds, used: sum(&site.made) };
        let of_verb = |index: usize| samples.iter().map(|sample| sample[index].1).collect::<Vec<_>>();
        let rows = first.iter().enumerate().map(|(index, (verb, _))| row(verb, &of_verb(index)));
        let size = |name| files::size(&site.bench.path(&site.file(name)));
        Ok(Self {
            store: site.store,
            fragments: site.size,
            merged: site.new,
            bytes: size("base")?,
            stripped_bytes_per_digest: size("stripped")? as f64 / (site.size + FILE) as f64,
            rows: std::iter::once(made).chain(rows).collect(),
        })
    }

    /// The row of a verb.
    pub(super) fn row(&self, verb: Verb) -> Option<&Row> {
        self.rows.iter().find(|row| row.verb == verb)
    }
}

fn row(verb: Verb, samples: &[Use]) -> Row {
    let times: Vec<_> = samples.iter().map(|sample| sample.seconds).collect();
    let minimum = times.iter().copied().fold(f64::INFINITY, f64::min);
    let used = Use {
        seconds: median(times),
        read: most(samples, |sample| sample.read),
        written: most(samples, |sample| sample.written),
        anonymous: most(samples, |sample| sample.anonymous),
        mapped: most(samples, |sample| sample.mapped),
    };
    Row { verb, minimum, used }
}

/// Commands one after the other.
fn sum(samples: &[Use]) -> Use {
    let all = |of: fn(&Use) -> Option<u64>| samples.iter().map(of).sum();
    Use {
        seconds: samples.iter().map(|sample| sample.seconds).sum(),
        read: all(|sample| sample.read),
        written: all(|sample| sample.written),
        anonymous: most(samples, |sample| sample.anonymous),
        mapped: most(samples, |sample| sample.mapped),
    }
}

fn most(samples: &[Use], of: impl Fn(&Use) -> Option<u64>) -> Option<u64> {
    samples.iter().filter_map(of).max()
}

/// The middle of an odd number of figures, between the two middle ones of an even number.
pub(super) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(figures[middle - 1], figures[middle]),
        _ => figures[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seconds: f64, read: Option<u64>) -> Use {
        Use { seconds, read, written: Some(1), anonymous: None, mapped: Some(read.unwrap_or(9)) }
    }

    #[test]
    fn times_are_medians_and_everything_else_is_the_most() {
        let row = row("x", &[sample(3.0, Some(1)), sample(1.0, None), sample(2.0, Some(5))]);
        assert_eq!((row.used.seconds, row.minimum), (2.0, 1.0));
        assert_eq!((row.used.read, row.used.anonymous, row.used.mapped), (Some(5), None, Some(9)));
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
    }

    #[test]
    fn commands_add_up_but_for_their_memory() {
        let sum = sum(&[sample(3.0, Some(1)), sample(1.0, Some(4))]);
        assert_eq!((sum.seconds, sum.read, sum.written, sum.mapped), (4.0, Some(5), Some(2), Some(4)));
    }

    #[test]
    fn a_target_is_met_missed_or_open() {
        let ratio =
            |measured| Ratio { what: String::new(), limit: 2.0, unit: "", measured, note: String::new() };
        assert_eq!([Some(2.0), Some(2.1), None].map(|m| ratio(m).verdict()), ["met", "missed", "–"]);
    }
}
