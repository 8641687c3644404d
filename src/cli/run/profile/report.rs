//! What is said of a profile: rows in the order in which they are shown, with names and places.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Lines, Profiling};
use crate::object::executable::Executable;
use crate::profile::{Cost, Line, Profile};

/// So many lines around one that took time are shown.
const AROUND: u32 = 6;

/// A profile with all that is known of the program.
#[derive(Debug)]
pub(super) struct Report {
    /// The program's file.
    pub(super) program: String,
    pub(super) profile: Profile,
    /// The procedures, the costliest first.
    pub(super) procedures: Vec<Row>,
    /// The lines that took time, the costliest first.
    pub(super) lines: Vec<Row>,
    /// The sources, the costliest first.
    pub(super) sources: Vec<Listing>,
    /// Why there are no lines, or not all.
    pub(super) note: Option<String>,
}

/// Something with its cost.
#[derive(Debug)]
pub(super) struct Row {
    /// The procedure's name, or what stands in the line.
    pub(super) name: Arc<str>,
    pub(super) cost: Cost,
    /// The source and the line.
    pub(super) place: Option<(Arc<str>, u32)>,
}

/// The parts of a source that took time.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) name: Arc<str>,
    pub(super) own: Duration,
    /// Lines in ascending order; some are left out.
    pub(super) lines: Vec<Listed>,
}

/// A line of a source.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) number: u32,
    pub(super) text: String,
    pub(super) cost: Cost,
}

impl Report {
    /// Finds names, places and sources.
    pub(super) fn new(
        Profiling { program, executable, sources, lines, note, .. }: &Profiling<'_>,
        profile: Profile,
    ) -> Self {
        let procedures = procedures(&profile, lines, executable);
        let sources = listings(&profile, lines, sources);
        let rows = sources.iter().flat_map(|source| {
            let row = |line: &Listed| Row {
                name: line.text.trim().into(),
                cost: line.cost,
                place: Some((source.name.clone(), line.number)),
            };
            source.lines.iter().filter(|line| line.cost != Cost::default()).map(row)
        });
        let mut rows = rows.collect::<Vec<_>>();
        sort(&mut rows);
        let note = lines.is_empty().then(|| note.to_owned());
        Self { program: program.clone(), profile, procedures, lines: rows, sources, note }
    }

    /// The report for programs.
    pub(super) fn json(&self) -> Value {
        let row = |row: &Row| {
            json!({
                "source": row.place.as_ref().map(|(source, _)| &**source), "line": row.place.as_ref().map(|(_, line)| line),
                "own": row.cost.own.as_secs_f64(), "total": row.cost.total.as_secs_f64(),
            })
        };
        let procedure = |procedure: &Row| {
            let mut value = row(procedure);
            value["name"] = json!(&*procedure.name);
            value
        };
        json!({
            "seconds": self.profile.time.as_secs_f64(), "samples": self.profile.samples,
            "procedures": self.procedures.iter().map(procedure).collect::<Vec<_>>(),
            "lines": self.lines.iter().map(row).collect::<Vec<_>>(), "note": self.note,
        })
    }

    /// The time that shares are of.
    pub(super) fn whole(&self) -> Duration {
        self.profile.nodes.iter().map(|node| node.own).sum()
    }
}

fn procedures(profile: &Profile, lines: &Lines, executable: &Executable) -> Vec<Row> {
    let place = |name: &str| {
        let symbol = executable.symbols.binary_search_by(|symbol| symbol.name.as_str().cmp(name)).ok()?;
        let Line { source, line } = lines.definition(symbol)?;
        Some((lines.source(source), line))
    };
    let row = |(name, cost): (Arc<str>, Cost)| Row { place: place(&name), name, cost };
    let mut rows = profile.procedures().into_iter().map(row).collect::<Vec<_>>();
    sort(&mut rows);
    rows
}

/// The costliest first; what costs the same stays in its order.
fn sort(rows: &mut [Row]) {
    rows.sort_by_key(|row| Reverse((row.cost.own, row.cost.total)));
}

fn listings(profile: &Profile, lines: &Lines, directories: &[PathBuf]) -> Vec<Listing> {
    let mut costs = BTreeMap::<u32, BTreeMap<u32, Cost>>::new();
    for (Line { source, line }, cost) in &profile.lines {
        costs.entry(*source).or_default().insert(*line, *cost);
    }
    let listing = |(source, costs): (u32, BTreeMap<u32, Cost>)| {
        let text = lines.text(source, directories).unwrap_or_default();
        let texts = text.lines().collect::<Vec<_>>();
        let listed = |number: u32| Listed {
            number,
            text: texts.get(number as usize - 1).copied().unwrap_or_default().to_owned(),
            cost: costs.get(&number).copied().unwrap_or_default(),
        };
        let mut shown = costs.keys().copied().collect::<BTreeSet<_>>();
        for line in costs.keys() {
            shown.extend(around(lines, Line { source, line: *line }, texts.len() as u32));
        }
        Listing {
            name: lines.source(source),
            own: costs.values().map(|cost| cost.own).sum(),
            lines: shown.into_iter().filter(|number| *number > 0).map(listed).collect(),
        }
    };
    let mut listings = costs.into_iter().map(listing).collect::<Vec<_>>();
    listings.sort_by_key(|listing| Reverse(listing.own));
    listings
}

/// The lines near one that are in the same procedure and in the text.
fn around(lines: &Lines, at: Line, last: u32) -> impl Iterator<Item = u32> {
    let (first, next) = lines.procedure(at).unwrap_or((at.line, None));
    let end = next.map_or(last, |next| next.saturating_sub(1).min(last));
    let from = first.max(at.line.saturating_sub(AROUND));
    (from..=end.min(at.line.saturating_add(AROUND)))
        .chain([first].into_iter().filter(move |first| *first <= end))
}

/// A part of the whole in percent.
pub(super) fn percent(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() { 0.0 } else { 100.0 * part.as_secs_f64() / whole.as_secs_f64() }
}

/// A time with the unit that fits it.
pub(super) fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 1e-3 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{:.0} µs", seconds * 1e6),
    }
}

/// A number with its thousands apart.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let groups = digits.as_bytes()[first..].chunks(3).map(String::from_utf8_lossy);
    let groups = [digits[..first].into()].into_iter().chain(groups).filter(|group| !group.is_empty());
    groups.collect::<Vec<_>>().join(",")
}
