//! Names that nothing defines and that look like a slip of the pen.

use std::collections::HashSet;

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
    let mut looked_at = HashSet::new();
    for (item, operator) in unit.items.iter().zip(&mentions.operators) {
        let ItemKind::Name(name) = item.kind else { continue };
        if operator.is_some() || together.defines(mentions, name) || !looked_at.insert(name) {
            continue;
        }
        if let Some(near) = meant(name, mentions) {
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

/// The operator or name of the source that was likely meant.
fn meant<'m>(name: &str, mentions: &'m Mentions<'_>) -> Option<&'m str> {
    let limit = match name.len() {
        0..=2 => 0,
        3..=8 => 1,
        _ => 2,
    };
    let operators = Builtin::ALL.iter().map(|operator| operator.name());
    let names = mentions.names.iter().copied().filter(|near| has_same_ends(name, near));
    let near = operators.chain(names).filter(|near| !is_relative(name, near));
    nearest(name, limit, near)
}

/// Whether two names may well be those of two things: `part1` and `part2`, `item` and `items`.
fn is_relative(name: &str, other: &str) -> bool {
    let letters = |name: &'_ str| name.replace(|c: char| c.is_ascii_digit(), "");
    let is_plural = |one: &str, many: &str| many.strip_suffix('s') == Some(one);
    let has_digits = |name: &str| name.contains(|c: char| c.is_ascii_digit());
    is_plural(name, other)
        || is_plural(other, name)
        || (has_digits(name) || has_digits(other)) && letters(name) == letters(other)
}

/// Whether all parts between underscores begin and end alike, which those of `x_min` and `y_min` do not.
fn has_same_ends(name: &str, other: &str) -> bool {
    let ends = |part: &str| (part.bytes().next(), part.bytes().next_back());
    name.len().abs_diff(other.len()) <= 2 && name.split('_').map(ends).eq(other.split('_').map(ends))
}
