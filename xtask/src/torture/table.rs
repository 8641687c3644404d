//! The summary of the torture: a line for each scene and call.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::judge::{Exam, Outcome};
use super::points::Visit;

const OUTCOMES: [Outcome; 4] = [Outcome::Old, Outcome::New, Outcome::Partly, Outcome::Repaired];

#[derive(Debug, Default)]
struct Row {
    points: usize,
    /// The call was never made: another number of them than when they were counted.
    missed: usize,
    outcomes: BTreeMap<Outcome, usize>,
    findings: usize,
}

impl Row {
    fn add(&mut self, visit: &Visit) {
        self.points += 1;
        self.missed += usize::from(visit.hit.is_none());
        match &visit.verdict {
            Ok(outcome) => *self.outcomes.entry(*outcome).or_default() += 1,
            Err(_) => self.findings += 1,
        }
    }

    fn cells(&self) -> String {
        let mut text = format!("{:>8}", self.points);
        for outcome in OUTCOMES {
            let _ = write!(text, "{:>8}", self.outcomes.get(&outcome).copied().unwrap_or_default());
        }
        let _ = writeln!(text, "{:>8}{:>8}", self.missed, self.findings);
        text
    }
}

/// The table as text.
pub(super) fn render(exams: &[Exam], visits: &[Visit]) -> String {
    let mut rows = BTreeMap::<_, Row>::new();
    let mut total = Row::default();
    for visit in visits {
        let (exam, call) = (visit.point.exam, visit.point.trouble.name());
        rows.entry((exam, call)).or_default().add(visit);
        total.add(visit);
    }
    let mut text = format!(
        "{:<10}{:<22}{:<12}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}\n",
        "store", "verb", "call", "points", "old", "new", "partly", "mended", "missed", "WRONG"
    );
    for ((exam, call), row) in &rows {
        let scene = &exams[*exam].scene;
        let _ = write!(text, "{:<10}{:<22}{call:<12}{}", scene.store.name, scene.name, row.cells());
    }
    let _ = write!(text, "{:<44}{}", "all", total.cells());
    text
}
