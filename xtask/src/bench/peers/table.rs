//! The tables of the comparison.

use std::fmt::Write;

use super::super::table::time;
use super::figures::{Bound, Column, Peers, Row, Target};

const NOTES: &str = "\
CPU time in seconds, user and system together: the best run of each, where all take turns. Compiling and linking
Toy's programs is not in it, starting the process is. Behind it, how many times Toy's it is: above 1, Toy is faster.
";

/// All tables as text.
pub(super) fn render(peers: &Peers) -> String {
    let mut text = format!("{NOTES}Runs: {}.\n", peers.runs);
    for column in peers.columns.iter().filter(|column| !column.version.is_empty()) {
        let _ = writeln!(text, "{}: {}", column.name, column.version);
    }
    if !peers.absent.is_empty() {
        let _ = writeln!(text, "not installed: {}", peers.absent.join(", "));
    }
    text += &programs(peers);
    text += &starts(&peers.columns);
    text + &targets(&peers.targets)
}

fn programs(peers: &Peers) -> String {
    let mut text = format!("\n{:<22}", "program");
    peers.columns.iter().for_each(|column| text += &format!("{:>18}", column.name));
    text.push('\n');
    peers.rows.iter().for_each(|row| text += &line(row));
    text += &means("geometric mean", &peers.columns, |column| column.mean);
    text + &means("  less the start-up", &peers.columns, |column| column.mean_without_start)
}

fn line(row: &Row) -> String {
    let toy = row.seconds.first().copied().flatten();
    let cell = |seconds: &Option<f64>| match (seconds, toy) {
        (Some(seconds), Some(toy)) => format!("{seconds:>9.3}{:>9}", times(seconds / toy)),
        (Some(seconds), None) => format!("{seconds:>9.3}{:>9}", "–"),
        (None, _) => format!("{:>18}", "–"),
    };
    format!("{:<22}{}\n", row.program, row.seconds.iter().map(cell).collect::<String>())
}

fn means(name: &str, columns: &[Column], mean: impl Fn(&Column) -> Option<f64>) -> String {
    let cell = |column: &Column| format!("{:>18}", mean(column).map_or_else(|| "–".into(), times));
    format!("{name:<22}{}\n", columns.iter().map(cell).collect::<String>())
}

fn times(ratio: f64) -> String {
    format!("{ratio:.2}×")
}

fn starts(columns: &[Column]) -> String {
    let mut text = format!("\n{:<22}{:>12}{:>12}{:>12}\n", "hello world", "median", "minimum", "CPU");
    for Column { name, start, .. } in columns {
        let [median, minimum, cpu] = [start.median, start.minimum, start.cpu].map(time);
        let _ = writeln!(text, "{name:<22}{median:>12}{minimum:>12}{cpu:>12}");
    }
    text
}

fn targets(targets: &[Target]) -> String {
    let mut text = format!("\n{:<42}{:>12}{:>12}\n", "target", "bound", "measured");
    for target in targets {
        let (bound, measured) = match target.bound {
            Bound::Times(least) => (format!("≥ {least}×"), target.measured.map(times)),
            Bound::Seconds(most) => (format!("≤ {}", time(most)), target.measured.map(time)),
        };
        let measured = measured.unwrap_or_else(|| "–".into());
        let _ = writeln!(text, "{:<42}{bound:>12}{measured:>12}  {}", target.what, target.verdict());
    }
    text
}
