//! Warnings: what is surely wrong in a source that can be compiled all the same.
//!
//! A warning that is wrong does more harm than one that is missing. Names are bound late: so a name counts as the
//! operator's only where no source that is compiled with it has a procedure or a string of that name. Code is followed
//! from what is surely executed: bodies, and blocks that an operator executes or that `def` gives a name. Blocks that
//! go elsewhere may be data. Where the program may catch errors, it may want them, and is not told that there are any.
//!
//! Deliberately absent: what the linker knows, which sees all files; and any influence on code and its digests.

mod allow;
mod bound;
mod mentions;
mod slips;
mod state;
mod walk;
mod warning;

pub use mentions::{Binding, Mentions, Together};
pub use warning::{Lint, Warning};

use crate::syntax::ast::Unit;

/// The version of the warnings. It changes when the same source gets other ones.
pub const VERSION: u32 = 2;

/// The warnings for one source, in the order of their places, without those that its comments allow.
///
/// `mentions` are those of the unit, which was parsed from `text` without mistakes.
pub fn lint<'s>(
    unit: &Unit<'s>,
    text: &str,
    mentions: &Mentions<'s>,
    together: &Together<'_, 's>,
) -> Vec<Warning> {
    let mut warnings = walk::walk(unit, mentions, together);
    slips::add(unit, mentions, together, &mut warnings);
    bound::add(unit, together, &mut warnings);
    if !warnings.is_empty() {
        warnings.sort_by_key(Warning::span);
        allow::remove(text, &mut warnings);
    }
    warnings
}
