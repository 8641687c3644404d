//! Which names there are: tickets to compilations to definitions.

use std::hint;
use std::sync::Arc;

use rayon::prelude::*;

use super::Input;
use super::error::{LinkError, Site};
use super::names::{Names, Search};
use crate::digest::{CompilationId, FragmentDigest};
use crate::isa::builtin::Builtin;
use crate::object::line_table::LineTable;
use crate::object::outline::{Outline, Outlined};
use crate::store::View;

/// A compilation that takes part in the link.
#[derive(Debug)]
pub(super) struct Module {
    pub ticket: Arc<str>,
    pub id: CompilationId,
    pub outline: Outline,
}

/// The definitions of all modules and the operators, by number: first the definitions, in their order. Nothing depends on the
/// numbers.
pub(super) struct Definitions {
    homes: Homes,
    names: Names,
    /// The fragments, each once, in ascending order.
    fragments: Vec<FragmentDigest>,
    /// The place of each definition's fragment among them.
    ranks: Vec<u32>,
}

/// Where each definition is.
struct Homes {
    modules: Vec<Module>,
    /// The number of the first definition of each module.
    firsts: Vec<u32>,
    /// The index of each definition's module.
    indices: Vec<u32>,
}

impl Homes {
    fn of(modules: Vec<Module>) -> Self {
        let count = modules.iter().map(|module| module.outline.definitions().len()).sum();
        let (mut firsts, mut indices) = (Vec::with_capacity(modules.len()), Vec::with_capacity(count));
        for (Module { outline, .. }, index) in modules.iter().zip(0..) {
            firsts.push(indices.len() as u32);
            indices.extend(outline.definitions().iter().map(|_| index));
        }
        Self { modules, firsts, indices }
    }

    /// The number of definitions.
    const fn count(&self) -> usize {
        self.indices.len()
    }

    fn module(&self, number: u32) -> &Module {
        &self.modules[self.indices[number as usize] as usize]
    }

    fn outlined(&self, number: u32) -> &Outlined {
        let first = self.firsts[self.indices[number as usize] as usize];
        &self.module(number).outline.definitions()[(number - first) as usize]
    }

    fn site(&self, number: u32, name: &str) -> Site {
        let Module { ticket, outline, .. } = self.module(number);
        let (source, line) = (Arc::clone(outline.source()), self.outlined(number).line);
        Site { source, line, column: None, name: name.into(), ticket: Arc::clone(ticket) }
    }
}

impl Definitions {
    /// How many definitions there are: their numbers are less. A name that is defined several times has one that stands for
    /// all.
    pub(super) const fn len(&self) -> usize {
        self.homes.count()
    }

    /// How many names have a meaning: definitions and operators.
    pub(super) const fn known(&self) -> usize {
        self.names.len()
    }

    /// Begins to look for what each of several names means. Each is somewhere else in memory, and the processor can wait for all
    /// together.
    pub(super) fn search<'n>(&self, names: impl Iterator<Item = &'n [u8]>, searches: &mut Vec<Search>) {
        searches.clear();
        searches.extend(names.map(|name| self.names.search(name)));
        hint::black_box(searches.iter().fold(0, |sum, search| sum ^ self.names.touch(search)));
    }

    /// The number of the definition or operator that a name means, if it means one.
    pub(super) fn find(&self, search: Search, name: &[u8]) -> Option<u32> {
        self.names.find(search, name)
    }

    /// The definition that a name means.
    pub(super) fn definition(&self, name: &str) -> Option<u32> {
        self.find(self.names.search(name.as_bytes()), name.as_bytes())
            .filter(|number| (*number as usize) < self.len())
    }

    /// The name of a definition or operator.
    pub(super) fn name(&self, number: u32) -> &str {
        self.names.get(number)
    }

    /// All names of definitions.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        (0..self.len() as u32).map(|number| self.name(number))
    }

    /// The modules.
    pub(super) fn modules(&self) -> &[Module] {
        &self.homes.modules
    }

    /// The index of a definition's module.
    pub(super) fn home(&self, number: u32) -> u32 {
        self.homes.indices[number as usize]
    }

    /// The module of a definition.
    pub(super) fn module(&self, number: u32) -> &Module {
        self.homes.module(number)
    }

    /// What a definition's module says about it.
    pub(super) fn outlined(&self, number: u32) -> &Outlined {
        self.homes.outlined(number)
    }

    /// The place of a definition's fragment among all fragments in ascending order, which is less than [`Self::len`].
    pub(super) fn rank(&self, number: u32) -> u32 {
        self.ranks[number as usize]
    }

    /// The fragments, each once, in ascending order.
    pub(super) fn fragments(&self) -> &[FragmentDigest] {
        &self.fragments
    }

    /// The place of a definition's name.
    pub(super) fn site(&self, number: u32) -> Site {
        self.homes.site(number, self.name(number))
    }

    /// The place of the instruction of a definition with this ordinal, where the name `name` stands; without a line
    /// table the place of the definition.
    pub(super) fn site_of(
        &self,
        number: u32,
        lines: Option<&LineTable>,
        ordinal: u32,
        name: &Arc<str>,
    ) -> Site {
        let site = self.site(number);
        match lines.and_then(|lines| lines.rows().get(ordinal as usize)) {
            None => site,
            Some(row) => Site {
                line: site.line.saturating_add(row.line),
                column: Some(row.column),
                name: Arc::clone(name),
                ..site
            },
        }
    }
}

/// Finds the compilation of each ticket.
pub(super) fn load(view: &dyn View, inputs: &[Input]) -> Result<Vec<Module>, Vec<LinkError>> {
    let mut modules = Vec::with_capacity(inputs.len());
    let mut errors = Vec::new();
    let ids = inputs.iter().map(|input| input.ticket.compilation).collect::<Vec<_>>();
    let found = view.outlines(&ids).map_err(|error| vec![error.into()])?;
    for ((Input { origin, .. }, id), found) in inputs.iter().zip(ids).zip(found) {
        match found {
            Ok(Some(outline)) => modules.push(Module { ticket: Arc::clone(origin), id, outline }),
            Ok(None) => errors.push(LinkError::Compilation { ticket: Arc::clone(origin), compilation: id }),
            Err(error) => errors.push(error.into()),
        }
    }
    if errors.is_empty() { Ok(modules) } else { Err(errors) }
}

/// Collects the definitions.
pub(super) fn define(modules: Vec<Module>) -> Result<Definitions, Vec<LinkError>> {
    let homes = Homes::of(modules);
    let (names, (fragments, ranks)) = rayon::join(|| name(&homes), || rank(&homes));
    Ok(Definitions { names: names?, homes, fragments, ranks })
}

/// Makes all definitions known by their names, and the operators whose names no definition has.
fn name(homes: &Homes) -> Result<Names, Vec<LinkError>> {
    let outlines = homes.modules.iter().map(|module| &module.outline);
    let bytes = outlines.clone().map(|outline| outline.names().len()).sum::<usize>();
    let mut names = Names::with_capacity(homes.count() + Builtin::ALL.len(), bytes + 1024);
    for outline in outlines {
        names.extend(outline.names(), outline.definitions().iter().map(|outlined| outlined.end as usize));
    }
    for operator in Builtin::ALL {
        names.extend(operator.name(), [operator.name().len()].into_iter());
    }
    let (definitions, operators) = (0..homes.count() as u32, homes.count() as u32..names.len() as u32);
    let errors = definitions.filter_map(|number| enter(&mut names, homes, number).err()).collect::<Vec<_>>();
    operators.for_each(|number| _ = names.enter(number));
    if errors.is_empty() { Ok(names) } else { Err(errors) }
}

/// Makes a definition known by its name. A name may be defined several times, if always by the same code; then the
/// compilation with the smallest id stands for all.
fn enter(names: &mut Names, homes: &Homes, new: u32) -> Result<(), LinkError> {
    let Some(old) = names.enter(new) else { return Ok(()) };
    if homes.outlined(old).fragment != homes.outlined(new).fragment {
        let name = names.get(new);
        let sites = Box::new([homes.site(old, name), homes.site(new, name)]);
        return Err(LinkError::Duplicate { name: name.into(), sites });
    }
    if homes.module(new).id < homes.module(old).id {
        names.replace(old, new);
    }
    Ok(())
}

/// The fragments of all definitions, each once, in ascending order, and the place of each definition's among them. Most are
/// told apart by how they begin.
fn rank(homes: &Homes) -> (Vec<FragmentDigest>, Vec<u32>) {
    let count = homes.count();
    let definitions = homes.modules.iter().flat_map(|module| module.outline.definitions());
    let mut order = Vec::with_capacity(count);
    order.extend(
        definitions
            .zip(0..)
            .map(|(outlined, number)| (outlined.fragment.digest().prefix(), number, &outlined.fragment)),
    );
    order.par_sort_unstable_by(|(a, _, left), (b, _, right)| a.cmp(b).then_with(|| left.cmp(right)));
    let (mut ranks, mut distinct) = (vec![0; count], Vec::with_capacity(count));
    for same in order.chunk_by(|(a, _, left), (b, _, right)| a == b && left == right) {
        same.iter()
            .for_each(|(_, number, _): &(u64, u32, _)| ranks[*number as usize] = distinct.len() as u32);
        distinct.push(*same[0].2);
    }
    (distinct, ranks)
}
