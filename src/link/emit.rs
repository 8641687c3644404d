//! The executable: sections relocated, symbols, entry points.

use rayon::prelude::*;

use super::chunk::{BodyIndex, Chunk};
use super::error::LinkError;
use super::numbering::Spelling;
use super::reach::{Program, Reached};
use super::resolve::Definitions;
use crate::name::Name;
use crate::object::executable::{Executable, Symbol};

pub(super) fn emit(
    chunks: Vec<Chunk>,
    program: &Program<'_>,
    symbols: &[&Reached<'_>],
    entries: &[Name],
    definitions: &Definitions<'_>,
) -> Result<Executable, Vec<LinkError>> {
    let chunks = chunks.into_par_iter().map(Chunk::relocate).collect::<Vec<_>>();
    let (mut sections, mut errors) = (Vec::with_capacity(chunks.len()), Vec::new());
    for chunk in chunks {
        match chunk {
            Ok(chunk) => sections.push(chunk),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let section = |index: &BodyIndex| sections[index.chunk as usize][index.body as usize].clone();
    let text = |string: &Spelling| string.text(definitions);
    let mut distinct = Vec::with_capacity(entries.len());
    entries.iter().for_each(|entry| {
        if !distinct.contains(entry) {
            distinct.push(entry.clone())
        }
    });
    Ok(Executable {
        entries: distinct,
        symbols: symbols.par_iter().with_min_len(FEW).map(|symbol| self::symbol(symbol)).collect(),
        sections: program.bodies.par_iter().with_min_len(FEW).map(section).collect(),
        strings: program.strings.par_iter().with_min_len(FEW).map(text).collect(),
    })
}

/// Fewer of anything are not worth another thread.
const FEW: usize = 2048;

fn symbol(Reached { defined, body, .. }: &Reached<'_>) -> Symbol {
    Symbol { name: defined.definition.name.clone(), section: *body, compilation: defined.module.id }
}
