//! The summary of a profile for a terminal: the costliest procedures and lines.

use std::fmt::Write as _;
use std::time::Duration;

use super::report::{Report, Row, percent, thousands, time};
use crate::profile::Cost;

/// So many procedures and lines are shown.
const MOST: usize = 12;

/// So many characters of a line are shown.
const LONGEST: usize = 60;

/// Some lines of text.
pub(super) fn summary(report: &Report) -> String {
    let profile = &report.profile;
    let mut text = format!(
        "profile: {} of CPU time, {} steps, {} samples\n",
        time(profile.time),
        thousands(profile.steps),
        thousands(profile.samples)
    );
    text += &table("procedure", &report.procedures, report.whole());
    if !report.lines.is_empty() {
        text += &table("line", &report.lines, report.whole());
    }
    if let Some(note) = &report.note {
        _ = writeln!(text, "{note}");
    }
    text
}

fn table(title: &str, rows: &[Row], whole: Duration) -> String {
    let mut text = format!("{:>17}  {:>17}  {title}\n", "own", "total");
    for Row { name, cost: Cost { own, total }, place } in rows.iter().take(MOST) {
        let share = |part| format!("{:>9} {:>5.1} %", time(part), percent(part, whole));
        let place = place.as_ref().map(|(source, line)| format!("{source}:{line}")).unwrap_or_default();
        let words = if title == "line" { [&*place, name] } else { [&**name, &place] }.join("  ");
        let words = words.trim_end().chars().take(LONGEST).collect::<String>();
        _ = writeln!(text, "{}  {}  {words}", share(*own), share(*total));
    }
    if rows.len() > MOST {
        _ = writeln!(text, "{:>36}  and {} more", "", rows.len() - MOST);
    }
    text
}
