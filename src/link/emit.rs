//! The executable: sections relocated, symbols, entry points.

use rayon::prelude::*;

use super::error::LinkError;
use super::numbering::{Relocated, relocate};
use super::reach::{Program, Reached};
use super::resolve::Definitions;
use crate::name::Name;
use crate::object::executable::{Executable, Symbol};

pub(super) fn emit(
    program: &Program<'_>,
    symbols: &[&Reached<'_>],
    entries: &[Name],
    definitions: &Definitions<'_>,
) -> Result<Executable, Vec<LinkError>> {
    let Relocated { sections, strings } = relocate(program, definitions)?;
    let mut distinct = Vec::with_capacity(entries.len());
    entries.iter().for_each(|entry| {
        if !distinct.contains(entry) {
            distinct.push(entry.clone())
        }
    });
    let symbols = symbols.par_iter().with_min_len(FEW).map(|symbol| self::symbol(symbol)).collect();
    Ok(Executable { entries: distinct, symbols, sections, strings })
}

/// Fewer symbols are not worth another thread.
const FEW: usize = 2048;

fn symbol(Reached { defined, body, .. }: &Reached<'_>) -> Symbol {
    Symbol { name: defined.definition.name.clone(), section: *body, compilation: defined.module.id }
}
