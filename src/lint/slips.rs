//! Names that nothing defines and that look like a slip of the pen.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::mentions::{Mentions, Together};
use super::warning::{Lint, Warning};
use crate::isa::builtin::Builtin;
use crate::name::nearest;
use crate::syntax::ast::{ItemKind, Unit};

/// Warns of each name, once, that is executed, may have no value as far as the sources say, and is nearly one that has.
/// A name that is like no other is left to the linker: another file may define it.
pub(super) fn add(
    unit: &Unit<'_>,
    mentions: &Mentions<'_>,
    together: &Together<'_, '_>,
    warnings: &mut Vec<Warning>,
) {
    if !together.is_all {
        return;
    }
    let (mut looked_at, known) = (HashSet::new(), OnceLock::new());
    for (item, operator) in unit.items.iter().zip(&mentions.operators) {
        let ItemKind::Name(name) = item.kind else { continue };
        if operator.is_some() || together.defines(mentions, name) || !looked_at.insert(name) {
            continue;
        }
        if let Some(near) = known.get_or_init(|| Known::new(unit)).meant(name) {
            warnings.push(Warning {
                lint: Lint::UnknownName,
                message: format!("nothing here defines `{name}`"),
                labels: vec![(item.span, "executed here".to_owned())],
                help: format!("did you mean `{near}`?"),
                is_denied: false,
            });
        }
    }
}

/// The names that a source defines or has as strings, by the ends of their parts.
struct Known<'s>(HashMap<Vec<u8>, Vec<&'s str>>);

/// Of more names with the same ends, only the first are considered.
const MOST: usize = 64;

impl<'s> Known<'s> {
    fn new(unit: &Unit<'s>) -> Self {
        let strings = unit.items.iter().filter_map(|item| match item.kind {
            ItemKind::String(text) => Some(text),
            _ => None,
        });
        let mut known = HashMap::<_, Vec<_>>::new();
        for name in unit.procedures.iter().map(|procedure| procedure.name).chain(strings) {
            let alike = known.entry(ends(name)).or_default();
            if alike.len() < MOST {
                alike.push(name);
            }
        }
        Self(known)
    }

    /// The operator or name of the source that was likely meant.
    fn meant(&self, name: &str) -> Option<&'s str> {
        let limit = match name.len() {
            0..=2 => 0,
            3..=8 => 1,
            _ => 2,
        };
        let operators = Builtin::ALL.iter().map(|operator| operator.name());
        let names = self.0.get(&ends(name)).into_iter().flatten().copied();
        nearest(name, limit, operators.chain(names)).filter(|near| !is_relative(name, near))
    }
}

/// The first and last letters of all parts between underscores. Where they differ, as in `x_min` and `y_min`, two names
/// may well be those of two things.
fn ends(name: &str) -> Vec<u8> {
    let ends = |part: &str| [part.bytes().next(), part.bytes().next_back()].map(Option::unwrap_or_default);
    name.split('_').flat_map(ends).collect()
}

/// Whether two names may well be those of two things: `part1` and `part2`, `item` and `items`.
fn is_relative(name: &str, other: &str) -> bool {
    let letters = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
    let has_digits = |name: &str| name.contains(|c: char| c.is_ascii_digit());
    let is_plural = |one: &str, many: &str| many.strip_suffix('s') == Some(one);
    is_plural(name, other)
        || is_plural(other, name)
        || (has_digits(name) || has_digits(other)) && letters(name) == letters(other)
}
