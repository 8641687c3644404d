//! Which names there are: tickets to compilations to definitions.

use std::collections::HashMap;
use std::sync::Arc;

use super::Input;
use super::error::{LinkError, Site};
use crate::digest::CompilationId;
use crate::object::compilation::{Compilation, Definition};
use crate::store::View;

/// A compilation that takes part in the link.
pub(super) struct Module {
    pub ticket: Arc<str>,
    pub id: CompilationId,
    pub compilation: Compilation,
}

/// A definition and the module that it is from.
#[derive(Clone, Copy)]
pub(super) struct Defined<'m> {
    pub module: &'m Module,
    pub definition: &'m Definition,
}

impl Defined<'_> {
    /// The place of the definition's name.
    pub(super) fn site(&self) -> Site {
        Site {
            source: Arc::clone(self.module.compilation.source()),
            line: self.definition.line,
            column: None,
            name: self.definition.name.as_str().into(),
            ticket: Arc::clone(&self.module.ticket),
        }
    }

    /// The place of the instruction with this ordinal, where the name `name` stands; without a line table the
    /// place of the definition.
    pub(super) fn site_of(&self, ordinal: u32, name: &Arc<str>) -> Site {
        let rows = self.definition.lines.as_ref().map(|lines| lines.rows()).unwrap_or_default();
        let Some(row) = rows.get(ordinal as usize) else { return self.site() };
        Site {
            line: self.definition.line.saturating_add(row.line),
            column: Some(row.column),
            name: Arc::clone(name),
            ..self.site()
        }
    }
}

/// The definitions by name. Nothing depends on the order of its entries.
pub(super) type Definitions<'m> = HashMap<&'m str, Defined<'m>>;

/// Finds the compilation of each ticket.
pub(super) fn load(view: &dyn View, inputs: &[Input]) -> Result<Vec<Module>, Vec<LinkError>> {
    let mut modules = Vec::with_capacity(inputs.len());
    let mut errors = Vec::new();
    let ids = inputs.iter().map(|input| input.ticket.compilation).collect::<Vec<_>>();
    let found = view.find_compilations(&ids).map_err(|error| vec![error.into()])?;
    for ((Input { origin, .. }, id), found) in inputs.iter().zip(ids).zip(found) {
        match found {
            Ok(Some(compilation)) => modules.push(Module { ticket: Arc::clone(origin), id, compilation }),
            Ok(None) => errors.push(LinkError::Compilation { ticket: Arc::clone(origin), compilation: id }),
            Err(error) => errors.push(error.into()),
        }
    }
    if errors.is_empty() { Ok(modules) } else { Err(errors) }
}

/// Collects the definitions. A name may be defined several times, if always by the same code; then the
/// compilation with the smallest id stands for all.
pub(super) fn define(modules: &[Module]) -> Result<Definitions<'_>, Vec<LinkError>> {
    let mut definitions = Definitions::new();
    let mut errors = Vec::new();
    for module in modules {
        for definition in module.compilation.definitions() {
            let new = Defined { module, definition };
            let old = definitions.entry(definition.name.as_str()).or_insert(new);
            if old.definition.fragment != definition.fragment {
                let sites = Box::new([old.site(), new.site()]);
                errors.push(LinkError::Duplicate { name: definition.name.clone(), sites });
            } else if module.id < old.module.id {
                *old = new;
            }
        }
    }
    if errors.is_empty() { Ok(definitions) } else { Err(errors) }
}
