//! What tests of the whole do again and again: make repositories, compile, link, look at everything.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::cell::Cell;
use std::path::{Path, PathBuf};

use proptest::prelude::ProptestConfig;
use tempfile::TempDir;
use toy::compile::{self, Compiled, Known, LineTables, Optimization};
use toy::digest::FragmentDigest;
use toy::link::{self, Input, LinkError, Unresolved};
use toy::name::Name;
use toy::object::compilation::{Compilation, Ticket};
use toy::object::executable::Executable;
use toy::object::link_record::LinkRecord;
use toy::source::SourceFile;
use toy::store::wire::executable;
use toy::store::{Entry, Repository};

/// So many cases, and no file about those that failed.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Every kind of repository.
pub(crate) const BACKENDS: [Backend; 3] = [Backend::Memory, Backend::Yaml, Backend::Database];

/// A kind of repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Memory,
    Yaml,
    Database,
}

/// Repositories of one kind, which go when this goes.
pub(crate) struct Shelf {
    backend: Backend,
    directory: TempDir,
    next: Cell<u32>,
}

impl Backend {
    pub(crate) fn shelf(self) -> Shelf {
        Shelf { backend: self, directory: tempfile::tempdir().unwrap(), next: Cell::new(0) }
    }
}

impl Shelf {
    /// The directory that the repositories are in, if they are in files.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Where a repository of this name is, or would be.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        let ending = if self.backend == Backend::Database { "tdb" } else { "yaml" };
        self.path().join(format!("{name}.{ending}"))
    }

    /// A number that was not given before, for names.
    pub(crate) fn next(&self) -> u32 {
        self.next.set(self.next.get() + 1);
        self.next.get()
    }

    /// A repository; in memory, always a new one.
    pub(crate) fn repository(&self, name: &str) -> Repository {
        match self.backend {
            Backend::Memory => Repository::in_memory(),
            Backend::Yaml | Backend::Database => Repository::open_or_empty(&self.file(name)),
        }
    }
}

/// All that a repository holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Everything {
    pub(crate) fragments: Vec<(FragmentDigest, Entry)>,
    pub(crate) compilations: Vec<Compilation>,
    pub(crate) links: Vec<LinkRecord>,
}

/// Reads all that a repository holds; of one in a file, its bytes too must be a function of that.
pub(crate) fn everything(repository: &Repository) -> Everything {
    let view = repository.read().unwrap();
    let fragment = |digest| (digest, view.fragment(&digest).unwrap().unwrap());
    Everything {
        fragments: view.fragments().map(|member| fragment(member.unwrap().digest)).collect(),
        compilations: view
            .compilations()
            .map(|id| view.compilation(&id.unwrap()).unwrap().unwrap())
            .collect(),
        links: view.links().map(Result::unwrap).collect(),
    }
}

/// Puts all of it into a repository.
pub(crate) fn store(all: &Everything, repository: &Repository) {
    let stored = repository.write(|transaction| {
        for (digest, entry) in &all.fragments {
            transaction.add_fragment(*digest, entry)?;
        }
        for compilation in &all.compilations {
            transaction.add_compilation(compilation)?;
        }
        all.links.iter().try_for_each(|link| transaction.add_link(link.clone()))
    });
    stored.map_err(|error: toy::store::StoreError| error).unwrap();
}

/// The bytes of a repository that holds this.
pub(crate) fn bytes_of(all: &Everything) -> Vec<u8> {
    let shelf = Backend::Yaml.shelf();
    store(all, &shelf.repository("copy"));
    std::fs::read(shelf.file("copy")).unwrap()
}

/// Compiles without line tables.
pub(crate) fn compile(repository: &Repository, sources: &[SourceFile]) -> Compiled {
    compile_with(repository, sources, LineTables::Without)
}

pub(crate) fn compile_with(
    repository: &Repository,
    sources: &[SourceFile],
    line_tables: LineTables,
) -> Compiled {
    let options = compile::Options { line_tables, known: Known::Reuse, optimization: Optimization::Without };
    compile::compile(repository, sources, options).unwrap()
}

/// The tickets of sources that were right.
pub(crate) fn tickets(compiled: &Compiled) -> Vec<Ticket> {
    compiled.units.iter().map(|unit| unit.as_ref().unwrap().ticket).collect()
}

/// Links with `main` as the entry; names that nobody defines are left to run time.
pub(crate) fn link(repository: &Repository, tickets: &[Ticket]) -> Result<Executable, Vec<LinkError>> {
    link_from(repository, tickets, &["main"], Unresolved::Ignore)
}

pub(crate) fn link_from(
    repository: &Repository,
    tickets: &[Ticket],
    entries: &[&str],
    unresolved: Unresolved,
) -> Result<Executable, Vec<LinkError>> {
    let input = |(at, ticket): (usize, &Ticket)| Input { origin: format!("{at}.to").into(), ticket: *ticket };
    let inputs = tickets.iter().enumerate().map(input).collect::<Vec<_>>();
    let entries = entries.iter().map(|entry| Name::new(entry).unwrap()).collect();
    let options = link::Options { entries, unresolved, map: true };
    let view = repository.read().map_err(|error| vec![error.into()])?;
    Ok(link::link(&*view, &inputs, &options)?.image.executable().unwrap())
}

/// The bytes of the executable's file.
pub(crate) fn linked(repository: &Repository, tickets: &[Ticket]) -> String {
    executable::to_yaml(&link(repository, tickets).unwrap()).unwrap()
}

/// Fails unless check finds nothing.
pub(crate) fn assert_clean(repository: &Repository) {
    assert_eq!(toy::check::check(repository).unwrap().problems, []);
}
