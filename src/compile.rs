//! Compile: turns sources into compilations, and generates only the code that the repository does not have.
//!
//! Deliberately absent: files. Sources come in as text and tickets go out as values.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use rayon::prelude::*;
use thiserror::Error;

use self::binding::Binding;
use self::generate::Body;
use crate::digest::{CompilationId, FragmentDigest, SourceDigest};
use crate::lint::{self, Mentions, Together, Warning};
use crate::name::Name;
use crate::object::compilation::{Compilation, CompilationError, Definition, Ticket};
use crate::object::fragment::Fragment;
use crate::object::line_table::LineTable;
use crate::source::{LineIndex, Position, SourceFile, lines};
use crate::store::{Company, Entry, Repository, State, StoreError, View};
use crate::syntax::ast::{Procedure, Unit};
use crate::syntax::{self, Parsed, SyntaxError};

mod binding;
mod fingerprint;
mod generate;
mod optimize;

pub use fingerprint::{Fingerprinter, GENERATOR_VERSION};

/// Whether compilations get line tables (`-g`). The code is the same either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineTables {
    /// Procedures know only the line of their name.
    Without,
    /// Every instruction knows its line and column.
    With,
}

/// What is done for a digest that is known without a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing: somebody has the body.
    Reuse,
    /// Its body is generated and stored.
    Fill,
}

/// Whether code is optimised (`-O`). Optimised code has digests of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Optimization {
    /// An instruction for each thing in the source.
    #[default]
    Without,
    /// Operators are bound early, and what is certain is done at once.
    With,
}

impl Optimization {
    /// When names of operators get their meaning.
    const fn binding(self) -> lint::Binding {
        match self {
            Self::Without => lint::Binding::Late,
            Self::With => lint::Binding::Early,
        }
    }
}

/// How to compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether to make line tables.
    pub line_tables: LineTables,
    /// What to do for stripped digests.
    pub known: Known,
    /// Whether to optimise.
    pub optimization: Optimization,
}

/// What compiling did.
#[derive(Debug)]
pub struct Compiled {
    /// For each source in the order given, its ticket or what is wrong with it.
    pub units: Vec<Result<CompiledUnit, Vec<SyntaxError>>>,
    /// The number of procedures in all sources without errors.
    pub procedures: usize,
    /// The number of fragments that were generated.
    pub generated: usize,
}

/// What became of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompiledUnit {
    /// Names the compilation, which is in the repository.
    pub ticket: Ticket,
    /// Its procedures in source order.
    pub procedures: Vec<CompiledProcedure>,
}

/// What became of one procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompiledProcedure {
    /// Its name.
    pub name: String,
    /// The digest of its meaning.
    pub fragment: FragmentDigest,
    /// Whether code was generated for it; false also for the second of two equal procedures.
    pub generated: bool,
}

/// Why sources cannot be compiled at all; what is wrong inside one source is a [`SyntaxError`].
#[derive(Debug, Error, Diagnostic)]
pub enum CompileError {
    /// The repository cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),

    /// A source without a usable name.
    #[error(transparent)]
    #[diagnostic(code(toy::compile::source), help("`--source-name` names what comes from standard input"))]
    Source(#[from] CompilationError),
}

/// Compiles sources into a repository. What is right is stored even when other sources have errors.
/// When this returns, fragments and compilations are stored for good; tickets may be written.
pub fn compile(
    repository: &Repository,
    sources: &[SourceFile],
    options: Options,
) -> Result<Compiled, CompileError> {
    let prepared = prepare(repository, sources, options)?;
    prepared.commit(repository)?;
    Ok(prepared.report())
}

/// What compiling made, before it is stored.
#[derive(Debug)]
pub struct Prepared<'s> {
    parsed: Vec<Result<KeyedUnit<'s>, Vec<SyntaxError>>>,
    compilations: Vec<Compilation>,
    /// The ids of the compilations.
    ids: Vec<CompilationId>,
    fragments: BTreeMap<FragmentDigest, Fragment>,
    /// Whether the repository lacks any of it.
    is_new: bool,
    optimization: Optimization,
}

/// The first half of [`compile`]: all that can be done on many threads, and waits for no other process.
pub fn prepare<'s>(
    repository: &Repository,
    sources: &'s [SourceFile],
    options: Options,
) -> Result<Prepared<'s>, CompileError> {
    let parsed = sources.par_iter().map(|source| parse(source, options)).collect::<Vec<_>>();
    let units = right(&parsed);
    let compilations =
        units.par_iter().map(|unit| unit.compilation(options)).collect::<Result<Vec<_>, _>>()?;
    let ids = compilations.par_iter().map(Compilation::id).collect::<Vec<_>>();
    let view = repository.read()?;
    let is_stored = stored(&*view, &ids)?;
    // Where a compilation is, all is that it names: its fragments need not be asked for, unless bodies are wanted.
    let asked =
        units.iter().zip(&is_stored).filter(|(_, is_stored)| !**is_stored || options.known == Known::Fill);
    let procedures = distinct(asked.map(|(unit, _)| *unit));
    let missing = missing(&*view, &procedures, options.known)?;
    let fragments = generate(&missing, &procedures);
    let is_new = !fragments.is_empty() || is_stored.contains(&false);
    Ok(Prepared { parsed, compilations, ids, fragments, is_new, optimization: options.optimization })
}

impl Prepared<'_> {
    /// The second half of [`compile`]: stores what is new when its turn has come.
    pub fn commit(&self, repository: &Repository) -> Result<(), StoreError> {
        if self.is_new { self.store(repository) } else { Ok(()) }
    }

    /// For each source in the order given its ticket, unless something is wrong with it.
    pub fn tickets(&self) -> impl Iterator<Item = Option<Ticket>> {
        let mut ids = self.ids.iter();
        // There is a compilation for each unit that was parsed, in the same order.
        let mut ticket = move |unit: &KeyedUnit<'_>| {
            Some(Ticket { compilation: *ids.next()?, source: unit.source_digest })
        };
        self.parsed.iter().map(move |unit| unit.as_ref().ok().and_then(&mut ticket))
    }

    /// Stores again what garbage collection took away before the tickets were there to keep it.
    /// When this returns, tickets that were written before are good, and keep what they name.
    pub fn settle(&self, repository: &Repository) -> Result<(), StoreError> {
        // Where the gate has no lock, nobody collects: garbage collection needs it.
        let _gate = repository.enter(Company::Shared).ok();
        if repository.is_unchanged() {
            return Ok(());
        }
        let is_lost = stored(&*repository.read()?, &self.ids)?.contains(&false);
        if is_lost { self.store(repository) } else { Ok(()) }
    }

    /// For each source in the order given what is surely wrong in it, although it can be compiled. Works on many threads,
    /// and depends on the sources and whether they are optimised, not on what was generated.
    pub fn warnings(&self) -> Vec<Vec<Warning>> {
        let units = right(&self.parsed);
        if let ([unit], 1) = (&*units, self.parsed.len()) {
            return vec![unit.alone.clone()];
        }
        let mentions = units.iter().map(|unit| &unit.mentions).collect::<Vec<_>>();
        let binding = self.optimization.binding();
        let together = Together::new(&mentions, binding, units.len() == self.parsed.len());
        // What others define, or catch, only takes warnings away; operators that they bind early add some.
        let only_fewer = binding == lint::Binding::Late;
        let warnings = units.par_iter().map(|unit| {
            if only_fewer && unit.alone.is_empty() { Vec::new() } else { unit.warnings(&together) }
        });
        let mut warnings = warnings.collect::<Vec<_>>().into_iter();
        let of = |unit: &Result<_, _>| unit.as_ref().ok().and_then(|_: &KeyedUnit<'_>| warnings.next());
        self.parsed.iter().map(of).map(Option::unwrap_or_default).collect()
    }

    /// Publishes fragments and compilations together.
    fn store(&self, repository: &Repository) -> Result<(), StoreError> {
        let bodies = distinct(right(&self.parsed).into_iter());
        repository.write(|transaction| {
            transaction.add_fragments(&entries(&self.fragments))?;
            // What was there when we asked may have been collected since: then it is generated after all. On this
            // thread: it is little, and no others are ours now.
            let collected = missing(transaction.view(), &bodies, Known::Reuse)?;
            let again = collected.iter().filter_map(|digest| Some((*digest, bodies.get(digest)?.fragment())));
            transaction.add_fragments(&entries(&again.collect()))?;
            transaction.add_compilations(&self.compilations).map(drop)
        })
    }

    /// What became of the sources.
    pub fn report(self) -> Compiled {
        let tickets = self.tickets().collect::<Vec<_>>();
        let mut told = BTreeSet::new();
        let mut compiled = Compiled { units: Vec::new(), procedures: 0, generated: self.fragments.len() };
        for (parsed, ticket) in self.parsed.into_iter().zip(tickets) {
            let unit = parsed.and_then(|keyed| {
                compiled.procedures += keyed.digests.len();
                let procedures = keyed.procedures().map(|(procedure, fragment)| CompiledProcedure {
                    name: procedure.name.to_owned(),
                    fragment,
                    generated: self.fragments.contains_key(&fragment) && told.insert(fragment),
                });
                Ok(CompiledUnit { procedures: procedures.collect(), ticket: ticket.ok_or_else(Vec::new)? })
            });
            compiled.units.push(unit);
        }
        compiled
    }
}

/// A source whose procedures have their digests.
#[derive(Debug)]
struct KeyedUnit<'s> {
    source: &'s SourceFile,
    unit: Unit<'s>,
    digests: Vec<FragmentDigest>,
    optimization: Optimization,
    binding: Binding,
    mentions: Mentions<'s>,
    /// What is to be said of it when it is compiled alone.
    alone: Vec<Warning>,
    /// What its ticket says of the source: a function of the source alone, whatever it is compiled with.
    source_digest: Option<SourceDigest>,
}

fn parse(source: &SourceFile, options: Options) -> Result<KeyedUnit<'_>, Vec<SyntaxError>> {
    let Parsed { unit, errors } = syntax::parse(&source.text);
    if !errors.is_empty() {
        return Err(errors);
    }
    let optimization = options.optimization;
    let digests = Fingerprinter::new(optimization).unit(&unit);
    let binding = Binding::of(&unit, optimization);
    let mentions = Mentions::new(&unit);
    let (alone, source_digest) = (Vec::new(), None);
    let mut keyed =
        KeyedUnit { source, unit, digests, optimization, binding, mentions, alone, source_digest };
    keyed.alone = keyed.warnings(&Together::new(&[&keyed.mentions], optimization.binding(), true));
    keyed.source_digest = keyed.alone.is_empty().then(|| fingerprint::source_digest(source, options));
    Ok(keyed)
}

/// A source for which nothing is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unchanged {
    /// The number of its procedures, for who asked for it.
    pub procedures: Option<usize>,
}

/// What compiling one source would do where a ticket was made of the very same source, with the same options, and what
/// it names is in the repository: nothing, and there is nothing to be said. `None` where that is not certain.
///
/// To count its procedures, the compilation is read too.
pub fn unchanged(
    repository: &Repository,
    source: &SourceFile,
    options: Options,
    ticket: &Ticket,
    is_counted: bool,
) -> Result<Option<Unchanged>, StoreError> {
    if options.known == Known::Fill || ticket.source != Some(fingerprint::source_digest(source, options)) {
        return Ok(None);
    }
    let view = repository.read()?;
    if !view.has_whole(&ticket.compilation)? {
        return Ok(None);
    }
    if !is_counted {
        return Ok(Some(Unchanged { procedures: None }));
    }
    let found = view.records(&[ticket.compilation])?.pop().and_then(Result::ok).flatten();
    Ok(found.map(|record| Unchanged { procedures: Some(record.fragments().len()) }))
}

/// Whether what a ticket names is in the repository still, now that the ticket is there to keep it.
pub fn is_kept(repository: &Repository, ticket: &Ticket) -> Result<bool, StoreError> {
    // Where the gate has no lock, nobody collects: garbage collection needs it.
    let _gate = repository.enter(Company::Shared).ok();
    Ok(repository.is_unchanged() || repository.read()?.has_whole(&ticket.compilation)?)
}

impl<'s> KeyedUnit<'s> {
    fn warnings(&self, together: &Together<'_, 's>) -> Vec<Warning> {
        lint::lint(&self.unit, &self.source.text, &self.mentions, together)
    }

    fn procedures(&self) -> impl Iterator<Item = (&Procedure<'s>, FragmentDigest)> {
        self.unit.procedures.iter().zip(self.digests.iter().copied())
    }

    fn body(&self, procedure: &Procedure<'s>) -> Body<'_> {
        let Self { optimization, binding, .. } = *self;
        Body { items: self.unit.body(procedure), optimization, binding }
    }

    fn compilation(&self, options: Options) -> Result<Compilation, CompilationError> {
        let text = &self.source.text;
        let index = (options.line_tables == LineTables::With).then(|| LineIndex::new(text));
        let starts = self.unit.procedures.iter().map(|procedure| procedure.name_span.start);
        let definition = |((procedure, fragment), line): ((&Procedure<'s>, FragmentDigest), u32)| {
            let name = procedure.name;
            let lines = index.as_ref().and_then(|index| line_table(index, procedure, self.body(procedure)));
            let name = Name::new(name).ok_or_else(|| CompilationError::Name(name.to_owned()))?;
            Ok(Definition { name, fragment, line, lines })
        };
        let definitions = self.procedures().zip(lines(text, starts)).map(definition);
        let definitions = definitions.collect::<Result<_, _>>()?;
        Compilation::new(&self.source.name, definitions)
    }
}

/// Where each instruction stands.
fn line_table(index: &LineIndex<'_>, procedure: &Procedure<'_>, body: Body<'_>) -> Option<LineTable> {
    let first = index.line(procedure.name_span.start);
    let offsets = body.places().into_iter().map(|item| body.items[item].span.start);
    let positions = index.positions(offsets);
    LineTable::new(positions.map(|place| Position { line: place.line - first, ..place }).collect())
}

/// The units of the sources without errors.
fn right<'p, 's>(parsed: &'p [Result<KeyedUnit<'s>, Vec<SyntaxError>>]) -> Vec<&'p KeyedUnit<'s>> {
    parsed.iter().filter_map(|unit| unit.as_ref().ok()).collect()
}

/// The body behind each digest; equal procedures, in one file or in several, have one.
type Bodies<'u> = BTreeMap<FragmentDigest, Body<'u>>;

fn distinct<'u, 's: 'u>(units: impl Iterator<Item = &'u KeyedUnit<'s>>) -> Bodies<'u> {
    let bodies =
        units.flat_map(|unit| unit.procedures().map(|(procedure, digest)| (digest, unit.body(procedure))));
    bodies.collect()
}

/// Asks the store, once, which of the digests have to be generated.
fn missing(view: &dyn View, bodies: &Bodies<'_>, known: Known) -> Result<Vec<FragmentDigest>, StoreError> {
    let digests = bodies.keys().copied().collect::<Vec<_>>();
    let states = view.states(&digests)?;
    let is_missing = |state| match state {
        Some(State::Present(_)) => false,
        // Somebody has it: the reason why an agent gets a stripped repository.
        Some(State::Known) => known == Known::Fill,
        None => true,
    };
    let digests = digests.into_iter().zip(states).filter(|(_, state)| is_missing(*state));
    Ok(digests.map(|(digest, _)| digest).collect())
}

/// Generates the code of the missing digests, and of no others.
fn generate(missing: &[FragmentDigest], bodies: &Bodies<'_>) -> BTreeMap<FragmentDigest, Fragment> {
    let generate = |digest: &FragmentDigest| Some((*digest, bodies.get(digest)?.fragment()));
    missing.par_iter().filter_map(generate).collect()
}

/// Of each compilation, whether it is in the repository with all that it names.
fn stored(view: &dyn View, compilations: &[CompilationId]) -> Result<Vec<bool>, StoreError> {
    compilations.iter().map(|id| view.has_whole(id)).collect()
}

fn entries(fragments: &BTreeMap<FragmentDigest, Fragment>) -> Vec<(FragmentDigest, Entry)> {
    fragments.iter().map(|(digest, fragment)| (*digest, Entry::Present(fragment.body()))).collect()
}
