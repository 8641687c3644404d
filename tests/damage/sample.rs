//! A small repository with everything in it, its tickets and its executable; and all that can be done with them.

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use tempfile::TempDir;
use toy::check::{check, repair};
use toy::compile::LineTables;
use toy::gc::{Caution, Reasons, Roots};
use toy::isa::codec::encode;
use toy::isa::instruction::Instruction;
use toy::merge::merge;
use toy::object::compilation::Ticket;
use toy::object::executable::Executable;
use toy::object::link_record::{LinkRecord, Place};
use toy::source::SourceFile;
use toy::store::seal::{Kind, unseal};
use toy::store::wire::{executable, ticket};
use toy::store::{Member, Repository, StoreError};
use toy::strip::strip;
use toy::vm::program::Program;

use crate::kit::{compile_with, everything, link, tickets};

const SOURCES: [(&str, &str); 2] = [
    ("main.toy", "main {\n  1 { \"é \\\" print } if # shown\n  helper\n}\n"),
    ("helper.toy", "helper { 2 print }\n\nunused { -0.5 }\n"),
];

/// A directory with a repository, and what the intact files hold.
pub(crate) struct Sample {
    directory: TempDir,
    name: &'static str,
    pub(crate) repository: Vec<u8>,
    pub(crate) ticket: Vec<u8>,
    pub(crate) executable: Vec<u8>,
    /// The same executable in its binary form.
    pub(crate) binary: Vec<u8>,
    tickets: Vec<Ticket>,
}

impl Sample {
    /// Known digests, bodies, compilations with and without line tables, and link records with and without a place.
    pub(crate) fn new() -> Self {
        Self::in_file("repo.yaml")
    }

    /// The same in a file of this name.
    pub(crate) fn in_file(name: &'static str) -> Self {
        // Thousands of files are written and flushed: where files can be in memory, they are.
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let repository = Repository::open_or_empty(&directory.path().join(name));
        let elsewhere = Repository::in_memory();
        let other = SourceFile { name: "other.toy".into(), text: "other { 3 print }".into() };
        compile_with(&elsewhere, &[other], LineTables::Without);
        strip(&elsewhere, &repository).unwrap();
        let mut compiled = tickets(&compile_with(&repository, &sources()[..1], LineTables::With));
        compiled.extend(tickets(&compile_with(&repository, &sources()[1..], LineTables::Without)));
        let program = link(&repository, &compiled).unwrap();
        let record = |place, tickets: &[Ticket]| {
            let mut compilations = tickets.iter().map(|ticket| ticket.compilation).collect::<Vec<_>>();
            compilations.sort();
            LinkRecord::new(program.build_id(), place, compilations)
        };
        let elsewhere = LinkRecord {
            build: "0123456789abcdef".repeat(4).parse().unwrap(),
            ..record(None, &compiled[..1])
        };
        let recorded = repository.write(|transaction| {
            transaction.add_link(record(Place::new("out/main.tx"), &compiled))?;
            transaction.add_link(elsewhere)
        });
        recorded.map_err(|error: StoreError| error).unwrap();
        let executable = executable::to_yaml(&program).unwrap().into_bytes();
        let binary = executable::to_binary(&program).unwrap();
        fs::create_dir(directory.path().join("out")).unwrap();
        fs::write(directory.path().join("out/main.tx"), &executable).unwrap();
        let bytes = fs::read(directory.path().join(name)).unwrap();
        let ticket = ticket::to_yaml(&compiled[0]).into_bytes();
        Self { directory, name, repository: bytes, ticket, executable, binary, tickets: compiled }
    }

    /// The repository's YAML without header and trailer, and how many entries it has.
    pub(crate) fn body(&self) -> (String, usize) {
        body(Kind::Repository, &self.repository)
    }

    /// The same of the executable.
    pub(crate) fn executable_body(&self) -> (String, usize) {
        body(Kind::Executable, &self.executable)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join(self.name)
    }

    /// The repository, with these bytes in its file.
    pub(crate) fn with(&self, bytes: &[u8]) -> Repository {
        fs::write(self.path(), bytes).unwrap();
        Repository::open(&self.path())
    }

    /// The bytes of the executable linked from the repository.
    pub(crate) fn link(&self, repository: &Repository) -> Result<Vec<u8>, Vec<toy::link::LinkError>> {
        Ok(executable::to_yaml(&link(repository, &self.tickets)?).unwrap().into_bytes())
    }

    /// Fails unless check finds the damage, and a repair and a normal build then give the same executable.
    pub(crate) fn assert_mended(&self, repository: &Repository, what: &dyn Debug) {
        match check(repository) {
            Ok(report) => assert_ne!(report.problems, [], "{what:?}: check finds nothing"),
            Err(error) => assert_coded(&error),
        }
        match repair(repository) {
            Ok(report) => {
                assert_ne!(report.problems, [], "{what:?}");
                assert_eq!(check(repository).unwrap().problems, [], "{what:?}");
                everything(repository);
            }
            // Nothing says that it is a repository: the user puts it away.
            Err(error) => {
                assert_coded(&error);
                fs::remove_file(self.path()).unwrap();
            }
        }
        self.build(what);
    }

    /// Compiles and links, with the same result as always.
    pub(crate) fn build(&self, what: &dyn Debug) {
        let repository = Repository::open_or_empty(&self.path());
        let mut compiled = tickets(&compile_with(&repository, &sources()[..1], LineTables::With));
        compiled.extend(tickets(&compile_with(&repository, &sources()[1..], LineTables::Without)));
        assert_eq!(compiled, self.tickets, "{what:?}");
        assert!(self.link(&repository).unwrap() == self.executable, "{what:?}: another executable");
    }

    /// Every verb but check on the repository; each must fail, with a code.
    pub(crate) fn assert_refused(&self, repository: &Repository, what: &dyn Debug) {
        let none = Repository::in_memory;
        let options = toy::compile::Options {
            line_tables: LineTables::Without,
            known: toy::compile::Known::Reuse,
            optimization: Default::default(),
        };
        let failed = |error: Option<&dyn Diagnostic>| {
            let error = error.unwrap_or_else(|| panic!("{what:?}: read as if nothing were wrong"));
            assert!(!shown(error).is_empty());
        };
        failed(repository.read().err().as_ref().map(|error| error as &dyn Diagnostic));
        let compiled = toy::compile::compile(repository, &sources(), options);
        failed(compiled.err().as_ref().map(|error| error as &dyn Diagnostic));
        failed(strip(repository, &none()).err().as_ref().map(|error| error as &dyn Diagnostic));
        failed(merge(repository, &[none()]).err().as_ref().map(|error| error as &dyn Diagnostic));
        let source = [Repository::open(&self.path())];
        failed(merge(&none(), &source).err().as_ref().map(|error| error as &dyn Diagnostic));
        let linked = link(repository, &self.tickets).err().unwrap_or_default();
        failed(linked.first().map(|error| error as &dyn Diagnostic));
        let roots = Roots::find(repository, &self.path(), &[], Caution::Careful);
        failed(roots.err().as_ref().map(|error| error as &dyn Diagnostic));
        let roots = toy::gc::gc(repository, &Roots::default(), Caution::Forced, Reasons::Untold);
        failed(roots.err().as_ref().map(|error| error as &dyn Diagnostic));
    }

    /// Every verb on a repository whose seal is right: each does its work or fails with a code, and what is linked
    /// is right or nothing.
    pub(crate) fn assert_harmless(&self, repository: &Repository, what: &dyn Debug) {
        let into = Repository::in_memory();
        let verbs = [
            check(repository).err().map(report),
            strip(repository, &into).err().map(report),
            merge(&into, &[Repository::open(&self.path())]).err().map(report),
            Roots::find(repository, &self.path(), &[], Caution::Careful).err().map(report),
            toy::gc::dry_run(repository, &Roots::default(), Caution::Forced, Reasons::Untold)
                .err()
                .map(report),
        ];
        verbs.iter().flatten().for_each(|report| assert!(report.code().is_some(), "{what:?}: {report}"));
        match self.link(repository) {
            Ok(bytes) => assert!(bytes == self.executable, "{what:?}: another executable"),
            Err(errors) => errors.iter().for_each(|error| _ = shown(error)),
        }
        if let Ok(view) = repository.read() {
            let read = |member: Result<Member, StoreError>| {
                let digest = member?.digest;
                view.fragment(&digest)?.map(|entry| entry.fragment(&digest)).transpose().map(drop)
            };
            let fragments = view.fragments().map(read);
            let all = fragments.chain(view.links().map(|link| link.map(drop)));
            all.filter_map(Result::err).for_each(|error| assert_coded(&error));
        }
    }
}

fn body(kind: Kind, bytes: &[u8]) -> (String, usize) {
    let unsealed = unseal(kind, Path::new("intact"), bytes).unwrap();
    (unsealed.body.to_owned(), unsealed.entries)
}

fn report(error: impl Diagnostic + Send + Sync + 'static) -> miette::Report {
    error.into()
}

fn sources() -> Vec<SourceFile> {
    SOURCES.map(|(name, text)| SourceFile { name: name.into(), text: text.into() }).to_vec()
}

/// The code of an error.
pub(crate) fn code_of(error: &dyn Diagnostic) -> String {
    error.code().map(|code| code.to_string()).unwrap_or_default()
}

/// Fails unless an error has a code of ours.
pub(crate) fn assert_coded(error: &dyn Diagnostic) {
    let code = code_of(error);
    assert!(code.starts_with("toy::"), "`{error}` has the code `{code}`");
}

/// Fails unless an error has a code of ours and can be shown; gives the text shown.
pub(crate) fn shown(error: &dyn Diagnostic) -> String {
    assert_coded(error);
    let mut shown = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
    handler.render_report(&mut shown, error).unwrap();
    shown
}

/// Reads a ticket as `link` and `gc` do it.
pub(crate) fn read_ticket(bytes: &[u8]) -> Result<Ticket, StoreError> {
    ticket::from_yaml(Path::new("a.to"), bytes)
}

/// Reads and loads an executable of either form as `run` does it; gives its readable spelling.
pub(crate) fn read_executable(bytes: &[u8]) -> Result<Vec<u8>, miette::Report> {
    let read = executable::from_bytes(Path::new("a.tx"), bytes)?;
    Program::load(&read)?;
    Ok(executable::to_yaml(&read).unwrap().into_bytes())
}

/// Adds an instruction to the second section.
pub(crate) fn append(program: &mut Executable, instruction: Instruction) {
    let mut text = program.sections[1].text.to_vec();
    encode(instruction, &mut text);
    program.sections[1].text = text;
}
