//! The bench's tables.

use std::fmt::Write;

use crate::text::thousands;

use super::summary::{Row, Size, Summary};

const NOTES: &str = "\
Each command is a process of its own, and is measured from its start to its end; copying files is not measured.
bytes: what a step wrote; beside sums, what moved between host and agents.
";
const MEGABYTE: f64 = 1e6;

/// All tables as text.
pub(super) fn render(summary: &Summary) -> String {
    let mut text = String::from(NOTES);
    summary.sizes.iter().for_each(|size| text += &table(size, summary.runs));
    text += &growth(summary);
    text + &targets(summary)
}

fn table(size: &Size, runs: usize) -> String {
    let mut text = format!(
        "\n{} procedures in {} files and main, {:.2} MB of source, runs: {runs}\n{:<42}{:>11}{:>11}{:>10}{:>14}\n",
        thousands(size.procedures as u64),
        size.files,
        size.source_bytes as f64 / MEGABYTE,
        "",
        "median",
        "minimum",
        "peak",
        "bytes"
    );
    let mut build = "";
    for row in &size.rows {
        if row.build != build {
            build = row.build;
            let _ = writeln!(text, "{build}");
        }
        text += &line(row);
    }
    let _ = writeln!(text, "stripped repository: {:.1} bytes a digest", size.stripped_bytes_per_digest);
    text
}

fn line(row: &Row) -> String {
    let bytes = if row.bytes == 0 { String::new() } else { thousands(row.bytes) };
    format!(
        "  {:<40}{:>11}{:>11}{:>7.1} MB{bytes:>14}\n",
        row.step,
        time(row.median),
        time(row.minimum),
        row.peak as f64 / MEGABYTE
    )
}

/// A time as people read it.
pub(super) fn time(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
}

/// How the median time grows from size to size.
fn growth(summary: &Summary) -> String {
    let pairs: Vec<_> = summary.sizes.windows(2).collect();
    let (Some(first), false) = (summary.sizes.first(), pairs.is_empty()) else { return String::new() };
    let mut text = format!("\n{:<52}", "growth of the median time");
    for pair in &pairs {
        let [from, to] = [&pair[0], &pair[1]].map(|size| thousands(size.procedures as u64));
        let _ = write!(text, "{:>18}", format!("{from} → {to}"));
    }
    let _ = write!(text, "\n{:<52}", "procedures");
    for pair in &pairs {
        let _ = write!(text, "{:>18}", times(pair[1].procedures as f64, pair[0].procedures as f64));
    }
    text.push('\n');
    for (index, row) in first.rows.iter().enumerate() {
        let _ = write!(text, "{:<52}", format!("{}: {}", row.build.replace(", two agents", ""), row.step));
        for pair in &pairs {
            let _ = write!(text, "{:>18}", times(pair[1].rows[index].median, pair[0].rows[index].median));
        }
        text.push('\n');
    }
    text
}

fn times(to: f64, from: f64) -> String {
    format!("{:.1} ×", to / from.max(f64::MIN_POSITIVE))
}

fn targets(summary: &Summary) -> String {
    let mut text = String::from("\ntargets\n");
    for target in &summary.targets {
        let unit = target.unit;
        let measured = target.measured.map_or("–".into(), |measured| format!("{measured:.2} {unit}"));
        let limit = format!("at most {} {unit}", target.limit);
        let _ = writeln!(text, "  {:<44}{measured:>12}   {limit:<16}{}", target.what, target.verdict());
    }
    text
}
