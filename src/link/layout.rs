//! Where everything goes: a section for each body, a symbol for each definition.

use super::reach::{Program, Reached};

/// The symbols of a program by name. Sections lie in the order of its bodies: as the program reaches them.
pub(super) fn layout<'p, 'm>(program: &'p Program<'m>) -> Vec<&'p Reached<'m>> {
    let mut symbols = program.definitions.iter().collect::<Vec<_>>();
    symbols.sort_unstable_by(|a, b| a.defined.definition.name.cmp(&b.defined.definition.name));
    symbols
}
