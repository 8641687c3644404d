//! Which names there are: tickets to compilations to definitions.

use std::collections::HashMap;
use std::sync::Arc;

use super::Input;
use super::error::{LinkError, Site};
use crate::digest::CompilationId;
use crate::isa::builtin::Builtin;
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

/// The definitions. Nothing depends on the order of the names.
#[derive(Default)]
pub(super) struct Definitions<'m> {
    all: Vec<Defined<'m>>,
    numbers: HashMap<&'m str, u32>,
}

/// What a name means to a program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// The definition with this number.
    Definition(u32),
    /// An operator.
    Operator(Builtin),
    /// Nothing that is known before the program runs.
    Other,
}

impl<'m> Definitions<'m> {
    /// What a name means: a definition goes before an operator.
    pub(super) fn target(&self, name: &str) -> Target {
        match self.numbers.get(name) {
            Some(number) => Target::Definition(*number),
            None => Builtin::lookup(name).map_or(Target::Other, Target::Operator),
        }
    }

    /// The definition with a number.
    pub(super) fn get(&self, number: u32) -> Option<Defined<'m>> {
        self.all.get(number as usize).copied()
    }

    /// How many there are: their numbers are less.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// All names, in no order.
    pub(super) fn names(&self) -> impl Iterator<Item = &'m str> {
        self.numbers.keys().copied()
    }
}

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
    let mut definitions = Definitions::default();
    let count = modules.iter().map(|module| module.compilation.definitions().len()).sum();
    definitions.all.reserve(count);
    definitions.numbers.reserve(count);
    let mut errors = Vec::new();
    for module in modules {
        for definition in module.compilation.definitions() {
            let new = Defined { module, definition };
            let next = definitions.all.len() as u32;
            let number = *definitions.numbers.entry(definition.name.as_str()).or_insert(next);
            if number == next {
                definitions.all.push(new);
            }
            let old = &mut definitions.all[number as usize];
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
