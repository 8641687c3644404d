//! Damaged repositories in `fixtures/damaged`: beside each stands what check finds in it, and what a repair leaves.
//!
//! `UPDATE=1` rewrites the expectations. Each repository is thought out; its name says what happened to it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use miette::Diagnostic as _;
use toy::check::{check, repair};
use toy::compile::LineTables;
use toy::object::executable::Executable;
use toy::source::SourceFile;
use toy::store::{Entry, Repository};

use crate::kit::{compile_with, everything, link, tickets};

/// What check says, and what is left after a repair.
fn findings(path: &Path) -> String {
    let repository = Repository::open(path);
    let mut text = String::new();
    match check(&repository) {
        Err(error) => writeln!(text, "{}: {error}", error.code().unwrap()).unwrap(),
        Ok(report) => {
            for problem in &report.problems {
                let line = problem.line.map(|line| format!(" line {line}:")).unwrap_or_default();
                writeln!(text, "{}:{line} {}", problem.code, problem.message).unwrap();
            }
            let repaired = repair(&repository).unwrap();
            assert_eq!(repaired.problems, report.problems);
            let left = check(&repository).unwrap();
            assert_eq!(left.problems, []);
            let (fragments, compilations, links) = (left.fragments, left.compilations, left.links);
            let entries = everything(&repository).fragments;
            let bodies = entries.iter().filter(|(_, entry)| matches!(entry, Entry::Present(_))).count();
            let fragments = format!("{fragments} fragments, {bodies} with a body");
            writeln!(text, "left: {fragments}; {compilations} compilations, {links} link records").unwrap();
            assert!(build(&repository) == build(&Repository::in_memory()), "{text}");
        }
    }
    text.replace(&path.display().to_string(), "repo.yaml")
}

/// Compiles and links the sources that the repositories were made of.
fn build(repository: &Repository) -> Executable {
    let source = |name: &str, text: &str| [SourceFile { name: name.into(), text: text.into() }];
    let main = source("main.toy", "main {\n  \"hello\" print\n  helper\n}\n");
    let helper = source("helper.toy", "helper { 2 { print } exec }\n");
    let mut made = tickets(&compile_with(repository, &main, LineTables::With));
    made.extend(tickets(&compile_with(repository, &helper, LineTables::Without)));
    link(repository, &made).unwrap()
}

#[test]
fn every_damaged_repository_has_the_problems_beside_it() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/damaged");
    let scratch = tempfile::tempdir().unwrap();
    let mut different = Vec::new();
    let mut files = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    assert!(files.len() >= 15);
    for file in files {
        let copy = scratch.path().join("repo.yaml");
        fs::copy(&file, &copy).unwrap();
        assert!(
            Repository::open(&copy).read().is_err()
                || !check(&Repository::open(&copy)).unwrap().problems.is_empty()
        );
        let found = findings(&copy);
        let expectation = file.with_extension("problems");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expectation, &found).unwrap();
        }
        if fs::read_to_string(&expectation).unwrap_or_default() != found {
            different.push(format!("{}:\n{found}", file.display()));
        }
    }
    assert!(different.is_empty(), "not as expected (UPDATE=1 rewrites):\n{}", different.join("\n"));
}
