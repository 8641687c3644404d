//! Early binding (`-O`): which names of a file mean operators, whatever other files define when it runs.

use super::Optimization;
use crate::isa::builtin::Builtin;
use crate::syntax::ast::{ItemKind, Unit};

/// The operators that code executes without looking up their names: with optimisation all, but for those that have the
/// name of a procedure in the same file, or the text of a string, as of `count` in `"count" 0 def`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Binding {
    /// A bit for each operator.
    bound: u128,
}

const _: () = assert!(Builtin::ALL.len() <= 128);

impl Binding {
    /// Binds nothing.
    pub(super) const NONE: Self = Self { bound: 0 };

    /// What is bound in a file.
    pub(super) fn of(unit: &Unit<'_>, optimization: Optimization) -> Self {
        match optimization {
            Optimization::Without => Self::NONE,
            Optimization::With => {
                let texts = unit.items.iter().filter_map(|item| match item.kind {
                    ItemKind::String(text) => Some(text),
                    _ => None,
                });
                let names = unit.procedures.iter().map(|procedure| procedure.name).chain(texts);
                let own = names.filter_map(Builtin::lookup).fold(0, |own, operator| own | bit(operator));
                Self { bound: !own }
            }
        }
    }

    /// The operator that a name is bound to.
    pub(super) fn operator(self, name: &str) -> Option<Builtin> {
        let is_bound = |operator: &Builtin| self.bound & bit(*operator) != 0;
        if self == Self::NONE { None } else { Builtin::lookup(name).filter(is_bound) }
    }
}

const fn bit(operator: Builtin) -> u128 {
    1 << operator as u32
}
