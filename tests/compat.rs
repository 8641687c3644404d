//! Files that an older `toy` wrote, in `fixtures/compat`, are read, run, linked and compiled against. They are never
//! made again: a version that cannot read them has broken its promise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use std::path::{Path, PathBuf};
use std::{fs, io};

use toy::compile::{self, Known, LineTables, Optimization};
use toy::link::{self, Input, Unresolved};
use toy::name::Name;
use toy::object::compilation::Ticket;
use toy::source::SourceFile;
use toy::store::Repository;
use toy::store::wire::{executable, ticket};
use toy::vm::machine::{Machine, Options, Streams};
use toy::vm::program::Program;

/// The sources of version 1, and whether they were compiled with `-g`.
const SOURCES: [(&str, LineTables); 4] = [
    ("main", LineTables::With),
    ("factorial", LineTables::With),
    ("sieve", LineTables::Without),
    ("odd", LineTables::Without),
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/compat/v1").join(name)
}

/// The repository in its two forms, and with young tables.
const REPOSITORIES: [&str; 3] = ["repo.yaml", "repo.tdb", "../v2/repo.tdb"];

/// A copy of a repository: nothing may change the files.
fn repository(name: &str) -> (tempfile::TempDir, Repository) {
    let directory = tempfile::tempdir().unwrap();
    let copy = place(&directory, name);
    fs::copy(path(name), &copy).unwrap();
    let repository = Repository::open(&copy);
    (directory, repository)
}

fn place(directory: &tempfile::TempDir, name: &str) -> PathBuf {
    directory.path().join(Path::new(name).file_name().unwrap())
}

fn read_ticket(stem: &str) -> Ticket {
    ticket::read(&path(&format!("{stem}.to"))).unwrap()
}

#[test]
fn the_repository_is_whole() {
    for name in REPOSITORIES {
        let (_directory, repository) = repository(name);
        let report = toy::check::check(&repository).unwrap();
        assert_eq!(report.problems, [], "{name}");
        assert_eq!((report.fragments, report.compilations, report.links), (9, 4, 1), "{name}");
    }
}

#[test]
fn the_executable_runs() {
    run("main.tx");
    run("main_binary.tx");
}

fn run(name: &str) {
    let program = Program::load(&executable::read(&path(name)).unwrap()).unwrap();
    let mut machine = Machine::new(&program, program.entries()[0], &Options::default());
    let (mut out, mut trace) = (Vec::new(), Vec::new());
    machine.run(&mut Streams { input: &mut io::empty(), output: &mut out, trace: &mut trace }).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), fs::read_to_string(path("main.out")).unwrap());
}

#[test]
fn the_same_is_linked() {
    REPOSITORIES.into_iter().for_each(assert_links);
}

fn assert_links(name: &str) {
    let (_directory, repository) = repository(name);
    let input = |stem: &str| Input { origin: stem.into(), ticket: read_ticket(stem) };
    let inputs = ["main", "factorial", "sieve"].map(input);
    let entries = ["main", "factorial"].map(|name| Name::new(name).unwrap()).to_vec();
    let options = link::Options { entries, unresolved: Unresolved::Error, map: false };
    let linked = link::link(&*repository.read().unwrap(), &inputs, &options).unwrap();
    let linked = linked.image.executable().unwrap();
    assert_eq!(executable::to_yaml(&linked).unwrap(), fs::read_to_string(path("main.tx")).unwrap());
    assert_eq!(executable::to_binary(&linked).unwrap(), fs::read(path("main_binary.tx")).unwrap());
}

#[test]
fn nothing_is_generated_again() {
    REPOSITORIES.into_iter().for_each(assert_reuses);
}

fn assert_reuses(name: &str) {
    let (directory, repository) = repository(name);
    for (stem, line_tables) in SOURCES {
        let name = format!("{stem}.toy");
        let text = fs::read_to_string(path(&name)).unwrap();
        let sources = [SourceFile { name: name.into(), text: text.into() }];
        let options =
            compile::Options { line_tables, known: Known::Reuse, optimization: Optimization::Without };
        let compiled = compile::compile(&repository, &sources, options).unwrap();
        assert_eq!(compiled.generated, 0, "{stem}");
        let ticket = compiled.units[0].as_ref().unwrap().ticket;
        // A ticket of version 1 need not know its source.
        assert_eq!(Ticket { source: None, ..ticket }, read_ticket(stem));
        assert!(ticket.source.is_some());
        assert_eq!(
            ticket::to_yaml(&read_ticket(stem)),
            fs::read_to_string(path(&format!("{stem}.to"))).unwrap()
        );
    }
    assert_eq!(fs::read(place(&directory, name)).unwrap(), fs::read(path(name)).unwrap(), "{name}");
    // Written anew, from what was read, not a byte differs.
    let anew = directory.path().join("anew.yaml");
    let target = Repository::open_or_empty(&anew);
    toy::merge::merge(&target, &[repository]).unwrap();
    // But for the place of the executable, which does not travel.
    let body = |path: &Path| fs::read_to_string(path).unwrap().split("trailer:").next().unwrap().to_owned();
    let there = body(&path("repo.yaml")).replace("    places:\n    - main.tx\n", "    elsewhere: true\n");
    assert_eq!(body(&anew), there);
}
