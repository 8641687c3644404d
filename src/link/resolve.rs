//! Which names there are: tickets to compilations to definitions.

use std::sync::Arc;

use rayon::prelude::*;

use super::Input;
use super::error::{LinkError, Site};
use crate::digest::{CompilationId, FragmentDigest};
use crate::isa::builtin::Builtin;
use crate::object::compilation::{Compilation, Definition};
use crate::store::View;

/// A compilation that takes part in the link.
#[derive(Debug)]
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
    /// The number of each definition; behind them, those of the operators whose names no definition has.
    numbers: foldhash::HashMap<&'m str, u32>,
    /// The fragments, each once, in ascending order.
    fragments: Vec<FragmentDigest>,
    /// The place of each definition's fragment among them.
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
    /// What a name means, if anything.
    pub(super) fn meaning(&self, name: &str) -> Option<Meaning> {
        let number = *self.numbers.get(name)?;
        match Builtin::ALL.get((number as usize).wrapping_sub(self.all.len())) {
            Some(operator) => Some(Meaning::Operator(*operator)),
            None => Some(Meaning::Definition(number)),
        }
    }

    /// The place of a definition's fragment among all fragments in ascending order, which is less than [`Self::len`].
    pub(super) fn rank(&self, number: u32) -> u32 {
        self.ranks[number as usize]
    }

    /// The fragments, each once, in ascending order.
    pub(super) fn fragments(&self) -> &[FragmentDigest] {
        &self.fragments
    }

    /// Ranks the fragments. Most are told apart by how they begin.
    fn rank_fragments(&mut self) {
        let digest = |number: u32| self.all[number as usize].definition.fragment;
        let start = |defined: &Defined<'_>| start(&defined.definition.fragment);
        let mut fragments = self.all.iter().map(start).zip(0..).collect::<Vec<(u64, u32)>>();
        fragments.par_sort_unstable_by(|(a, left), (b, right)| {
            a.cmp(b).then_with(|| digest(*left).cmp(&digest(*right)))
        });
        let is_same = |a: &(u64, u32), b: &(u64, u32)| a.0 == b.0 && digest(a.1) == digest(b.1);
        let (mut ranks, mut distinct) = (vec![0; fragments.len()], Vec::with_capacity(fragments.len()));
        for same in fragments.chunk_by(is_same) {
            same.iter().for_each(|(_, number)| ranks[*number as usize] = distinct.len() as u32);
            distinct.push(digest(same[0].1));
        }
        (self.ranks, self.fragments) = (ranks, distinct);
    }

    /// The definition with a number.
    pub(super) fn get(&self, number: u32) -> Defined<'m> {
        self.all[number as usize]
    }

    /// How many there are: their numbers are less.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'m str> {
        self.all.iter().map(|defined| defined.definition.name.as_str())
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
    definitions.numbers.reserve(count + Builtin::ALL.len());
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
    for (operator, number) in Builtin::ALL.iter().zip(definitions.all.len() as u32..) {
        definitions.numbers.entry(operator.name()).or_insert(number);
    }
    definitions.rank_fragments();
    if errors.is_empty() { Ok(definitions) } else { Err(errors) }
}

/// How a digest begins, as a number that sorts as it does.
fn start(fragment: &FragmentDigest) -> u64 {
    let (start, _) = fragment.digest().as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
    u64::from_be_bytes(*start)
}
