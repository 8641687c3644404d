//! Where everything goes: a section for each fragment, a symbol for each definition.

use std::collections::HashMap;

use super::reach::Program;
use super::resolve::Defined;
use crate::digest::FragmentDigest;

/// The order of an executable's parts.
pub(super) struct Layout<'m> {
    /// Fragments in address order: the order in which the program reaches them.
    pub sections: Vec<FragmentDigest>,
    /// Symbols by name, each with the index of its section.
    pub symbols: Vec<(Defined<'m>, u32)>,
}

pub(super) fn layout<'m>(program: &Program<'m>) -> Layout<'m> {
    let mut sections = Vec::new();
    let mut indices = HashMap::new();
    let mut symbols = Vec::with_capacity(program.definitions.len());
    for defined in &program.definitions {
        let digest = defined.definition.fragment;
        // Definitions with the same code share it.
        let index = *indices.entry(digest).or_insert_with(|| {
            sections.push(digest);
            sections.len() as u32 - 1
        });
        symbols.push((*defined, index));
    }
    symbols.sort_by(|(a, _), (b, _)| a.definition.name.cmp(&b.definition.name));
    Layout { sections, symbols }
}
