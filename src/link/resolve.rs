//! Which names there are: tickets to compilations to definitions.

use std::sync::Arc;

use rayon::prelude::*;

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
    numbers: foldhash::HashMap<&'m str, u32>,
    /// The definitions that have the name of an operator, by operator.
    operators: Vec<Option<u32>>,
    /// The place of each definition's fragment among all fragments in ascending order.
    ranks: Vec<u32>,
}

/// What a name means to a program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The definition with this number.
    Definition(u32),
    /// An operator.
    Operator(Builtin),
}

impl<'m> Definitions<'m> {
    /// What a name means, if anything: a definition goes before an operator.
    pub(super) fn meaning(&self, name: &str) -> Option<Meaning> {
        match Builtin::lookup(name) {
            Some(operator) => match self.operators.get(operator as usize) {
                Some(Some(number)) => Some(Meaning::Definition(*number)),
                _ => Some(Meaning::Operator(operator)),
            },
            None => self.numbers.get(name).copied().map(Meaning::Definition),
        }
    }

    /// The place of a definition's fragment among all fragments in ascending order, which is less than [`Self::len`].
    pub(super) fn rank(&self, number: u32) -> u32 {
        self.ranks[number as usize]
    }

    /// Notes what is looked up by number.
    fn index(&mut self) {
        let number = |operator: &Builtin| self.numbers.get(operator.name()).copied();
        self.operators = Builtin::ALL.iter().map(number).collect();
        let fragments = self.all.iter().map(|defined| defined.definition.fragment).zip(0..);
        let mut fragments = fragments.collect::<Vec<(_, u32)>>();
        fragments.par_sort_unstable();
        self.ranks = vec![0; fragments.len()];
        for (rank, same) in fragments.chunk_by(|(a, _), (b, _)| a == b).enumerate() {
            same.iter().for_each(|(_, number)| self.ranks[*number as usize] = rank as u32);
        }
    }

    /// The definition with a number.
    pub(super) fn get(&self, number: u32) -> Defined<'m> {
        self.all[number as usize]
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
    definitions.index();
    if errors.is_empty() { Ok(definitions) } else { Err(errors) }
}
