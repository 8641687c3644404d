//! Comments that allow what else is warned of: `# allow: underflow`.

use super::warning::{Lint, Warning};
use crate::source::LineIndex;
use crate::syntax::pieces::{PieceKind, pieces};

/// Removes the warnings that a comment of the source allows.
pub(super) fn remove(text: &str, warnings: &mut Vec<Warning>) {
    let allowed = Allowed::new(text);
    if allowed.lines.is_empty() {
        return;
    }
    let index = LineIndex::new(text);
    warnings.retain(|warning| !allowed.has(index.line(warning.span().start) as usize, warning.lint));
}

/// A set of lints, as bits.
type Lints = u16;

const _: () = assert!(Lint::ALL.len() <= Lints::BITS as usize);

/// What is allowed on each line, up to the last where anything is.
#[derive(Default)]
struct Allowed {
    lines: Vec<Lints>,
}

impl Allowed {
    /// A comment behind code is for its line; one on lines of its own is for the line of code below it, or for the
    /// whole definition that begins there.
    fn new(text: &str) -> Self {
        let mut allowed = Self::default();
        let (mut above, mut definition) = (0, (0, 0));
        let (mut line, mut line_of_code, mut depth) = (1, 0, 0_usize);
        for piece in pieces(text) {
            line += piece.breaks;
            if piece.kind == PieceKind::Comment {
                let lints = lints(piece.text);
                if line_of_code == line {
                    allowed.add(line, lints);
                } else {
                    above |= lints;
                }
                continue;
            }
            line_of_code = line;
            let lints = std::mem::take(&mut above);
            match piece.text {
                "{" => depth += 1,
                "}" => depth = depth.saturating_sub(1),
                _ if depth == 0 => definition = (line, lints),
                _ => {}
            }
            allowed.add(line, lints);
            if (depth, piece.text) == (0, "}") {
                let (from, lints) = definition;
                (from..=line).for_each(|line| allowed.add(line, lints));
            }
        }
        allowed
    }

    fn add(&mut self, line: usize, lints: Lints) {
        if lints != 0 {
            self.lines.resize(self.lines.len().max(line + 1), 0);
            self.lines[line] |= lints;
        }
    }

    fn has(&self, line: usize, lint: Lint) -> bool {
        self.lines.get(line).is_some_and(|lints| lints & (1 << lint as u32) != 0)
    }
}

/// What a comment allows.
fn lints(comment: &str) -> Lints {
    let names = comment.trim_start_matches(['#', ' ']).strip_prefix("allow:").unwrap_or_default();
    let bits = |name: &str| match name {
        "all" => Lints::MAX,
        _ => Lint::ALL.iter().find(|lint| lint.name() == name).map_or(0, |lint| 1 << *lint as u32),
    };
    names.split([' ', ',', '\t']).fold(0, |lints, name| lints | bits(name))
}
