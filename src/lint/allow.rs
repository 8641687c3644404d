//! Comments that allow what else is warned of: `# allow: underflow`.

use std::ops::RangeInclusive;

use super::warning::Warning;
use crate::source::LineIndex;
use crate::syntax::pieces::{PieceKind, pieces};

/// Removes the warnings that a comment of the source allows.
pub(super) fn remove(text: &str, warnings: &mut Vec<Warning>) {
    let allowances = allowances(text);
    if allowances.is_empty() {
        return;
    }
    let index = LineIndex::new(text);
    warnings.retain(|warning| {
        let line = index.line(warning.span().start) as usize;
        !allowances.iter().any(|allowance| allowance.covers(line, warning.lint.name()))
    });
}

/// What one comment allows.
struct Allowance<'s> {
    /// Names of lints, or `all`.
    names: &'s str,
    lines: RangeInclusive<usize>,
}

impl Allowance<'_> {
    fn covers(&self, line: usize, lint: &str) -> bool {
        let mut names = self.names.split([' ', ',', '\t']);
        self.lines.contains(&line) && names.any(|name| name == lint || name == "all")
    }

    fn until(self, line: usize) -> Self {
        Self { lines: *self.lines.start()..=line, ..self }
    }
}

/// The allowances of a text. One behind code is for its line; one on lines of its own is for the line of code below
/// it, or for the whole definition that begins there.
fn allowances(text: &str) -> Vec<Allowance<'_>> {
    let (mut found, mut above, mut definition) = (Vec::new(), Vec::new(), Vec::new());
    let (mut line, mut line_of_code, mut depth) = (1, 0, 0_usize);
    for piece in pieces(text) {
        line += piece.breaks;
        if piece.kind == PieceKind::Comment {
            match allowed(piece.text) {
                Some(names) if line_of_code == line => found.push(Allowance { names, lines: line..=line }),
                names => above.extend(names),
            }
            continue;
        }
        line_of_code = line;
        match piece.text {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_start = depth == 0 && piece.kind == PieceKind::Word;
        let allow = |names| Allowance { names, lines: line..=line };
        (if is_start { &mut definition } else { &mut found }).extend(above.drain(..).map(allow));
        if depth == 0 && !is_start {
            found.extend(definition.drain(..).map(|of: Allowance<'_>| of.until(line)));
        }
    }
    found
}

/// What a comment allows, if it is of that kind.
fn allowed(comment: &str) -> Option<&str> {
    comment.trim_start_matches(['#', ' ']).strip_prefix("allow:")
}
