//! The scale part's tables.

use std::fmt::Write;

use crate::text::thousands;

use super::super::table::time;
use super::figures::{Ratio, Repository, Row, Scale};
use super::verbs::MERGE;

const NOTES: &str = "\
Each command is a process of its own, measured from its start to its end, on files that the system has in memory;
what was written before it is on the disk when it starts.
median, minimum  time on the wall
read, written    bytes that passed through system calls that read or write (rchar, wchar of /proc/PID/io), whatever
                 the disk saw of them; what is read by way of mapped pages passes through none
own              peak anonymous memory: the most of samples, one a millisecond (RssAnon of /proc/PID/status)
mapped           peak of mapped pages of files, the executable's own among them, sampled likewise (RssFile)
Of several runs the most of read, written, own and mapped is shown.
";

const RATIO_NOTES: &str = "
The two sides of a ratio take turns, and the ratio is the median of those of neighbours; behind it are the median times.
ccache: a hit on a C file of 100 functions (gcc -c -O1), by its own count
cp: of the repository that is merged, which holds the new fragments, in the page cache; `sync` of the copy
mold: objects of 100 functions, a section each, with as many bytes of code and the same calls as the procedures have;
      with --gc-sections, since toy links only what is reachable; it leaves flushing to the system, toy does not
";

/// All tables as text.
pub(super) fn render(scale: &Scale) -> String {
    let mut text = String::from(NOTES);
    scale.repositories.iter().for_each(|repository| text += &table(repository, scale.runs));
    text + RATIO_NOTES + &ratios(&scale.ratios)
}

fn table(repository: &Repository, runs: usize) -> String {
    let fragments = thousands(repository.fragments as u64);
    let mut text = format!(
        "\n{fragments} fragments, {}: {}, {:.0} bytes a fragment; stripped {:.1} bytes a digest; runs: {runs}\n\
         {:<40}{:>11}{:>11}{:>13}{:>13}{:>13}{:>13}\n",
        repository.store.name(),
        megabytes(Some(repository.bytes)),
        repository.bytes as f64 / repository.fragments as f64,
        repository.stripped_bytes_per_digest,
        "",
        "median",
        "minimum",
        "read",
        "written",
        "own",
        "mapped"
    );
    repository.rows.iter().for_each(|row| text += &line(row, repository.merged));
    text
}

fn line(row: &Row, merged: usize) -> String {
    let used = &row.used;
    let verb = if row.verb == MERGE {
        format!("merge of {} new fragments", thousands(merged as u64))
    } else {
        row.verb.to_owned()
    };
    format!(
        "  {verb:<38}{:>11}{:>11}{:>13}{:>13}{:>13}{:>13}\n",
        time(used.seconds),
        time(row.minimum),
        megabytes(used.read),
        megabytes(used.written),
        megabytes(used.anonymous),
        megabytes(used.mapped)
    )
}

fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "–".into(), |bytes| format!("{:.2} MB", bytes as f64 / 1e6))
}

fn ratios(ratios: &[Ratio]) -> String {
    let mut text = format!("\n{:<76}{:>10}{:>12}\n", "measure", "target", "measured");
    for ratio in ratios {
        let Ratio { what, limit, unit, measured, note } = ratio;
        let measured = measured.map_or_else(|| "–".into(), |measured| format!("{measured:.2} {unit}"));
        let limit = format!("≤ {limit} {unit}");
        let _ = writeln!(text, "{what:<76}{limit:>10}{measured:>12}  {:<8}{note}", ratio.verdict());
    }
    text
}
