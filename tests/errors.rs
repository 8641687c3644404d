//! Holds `docs/errors.md` to the sources: every code is described there, and is provoked by some fixture.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use toy::vm::trap::ErrorName;

/// Codes that nothing from outside provokes, each with the reason.
const NOT_PROVOKED: &[(&str, &str)] = &[
    ("toy::syntax::text_too_long", "needs a text of 4 GiB"),
    (
        "toy::store::immutable",
        "merge finds conflicts, and compile generates nothing, before they could store it",
    ),
    (
        "toy::link::not_recorded",
        "needs a user who may not write, and tests may run as one who may do anything",
    ),
    ("toy::store::busy", "needs a process that holds a database for minutes"),
    ("toy::store::unwritable", "every value has a form; the code is there so that nothing panics"),
    ("toy::store::not_run", "every backend runs the change; the code is there so that nothing panics"),
    (
        "toy::link::code",
        "a listing is read as code or refused; a repository that stores bytes could provoke it",
    ),
    ("toy::vm::code", "no tool writes an executable with a fitting build id that is so wrong"),
    ("toy::vm::call", "no tool writes an executable with a fitting build id that is so wrong"),
    ("toy::vm::section", "no tool writes an executable with a fitting build id that is so wrong"),
    ("toy::vm::order", "no tool writes an executable with a fitting build id that is so wrong"),
    ("toy::vm::entry", "no tool writes an executable with a fitting build id that is so wrong"),
    ("toy::vm::no_entry", "no tool writes an executable with a fitting build id that is so wrong"),
    ("toy::vm::size", "needs a program of 4,294,967,296 instructions"),
];

#[test]
fn every_code_is_documented_once() {
    let described = described();
    let documented: BTreeSet<String> = described.iter().cloned().collect();
    assert_eq!(documented.len(), described.len(), "docs/errors.md describes a code twice");
    assert_same(&codes(), &documented, "is not in docs/errors.md", "is in docs/errors.md and nowhere else");
}

#[test]
fn every_code_is_provoked() {
    let mut provoked = BTreeSet::new();
    for file in files_below(&root().join("fixtures")) {
        // Damaged files need not be text.
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        provoked.extend(found_in(&text, ""));
        if file.extension().is_some_and(|ending| ending == "trap") {
            provoked.extend(text.lines().filter_map(|line| line.strip_prefix("error: ")).map(of_trap));
        }
    }
    let excused: BTreeSet<String> = NOT_PROVOKED.iter().map(|(code, _)| (*code).to_owned()).collect();
    let all = codes();
    let expected = all.difference(&excused).cloned().collect();
    let provoked = provoked.intersection(&all).cloned().collect();
    assert_same(&expected, &provoked, "is provoked by no fixture", "is provoked, and need not be excused");
    assert!(excused.is_subset(&all), "an excuse is for a code that is gone");
}

#[test]
fn descriptions_are_sentences() {
    let text = document();
    for part in text.split("\n### ").skip(1) {
        let (code, rest) = part.split_once('\n').unwrap();
        let body = rest.split("\n## ").next().unwrap_or_default().trim();
        let ends = body.ends_with('.') || body.ends_with(".)");
        assert!(ends && body.starts_with(char::is_uppercase) || body.starts_with('`'), "{code}: {body}");
    }
}

/// All codes that the sources can give out.
fn codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for file in files_below(&root().join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        codes.extend(found_in(&text, "code("));
        codes.extend(found_in(&text, "\""));
    }
    codes.extend(ErrorName::ALL.iter().map(|error| error.code().to_owned()));
    codes
}

fn of_trap(name: &str) -> String {
    let error = ErrorName::ALL.iter().find(|error| error.name() == name);
    error.unwrap_or_else(|| panic!("there is no error `{name}`")).code().to_owned()
}

/// The codes in a text that stand behind `before`.
fn found_in(text: &str, before: &str) -> Vec<String> {
    let start = format!("{before}toy::");
    let is_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == ':';
    let found = text.match_indices(&start).map(|(at, _)| {
        let code = &text[at + before.len()..];
        &code[..code.find(|c| !is_code(c)).unwrap_or(code.len())]
    });
    let whole = found.filter(|code| code.split("::").count() == 3 && !code.ends_with(':'));
    whole.map(str::to_owned).collect()
}

fn described() -> Vec<String> {
    let text = document();
    let titles = text.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    titles.map(str::to_owned).collect()
}

fn document() -> String {
    fs::read_to_string(root().join("docs/errors.md")).unwrap().replace("\r\n", "\n")
}

fn assert_same(expected: &BTreeSet<String>, found: &BTreeSet<String>, missing: &str, extra: &str) {
    let missing = expected.difference(found).map(|code| format!("{code} {missing}"));
    let extra = found.difference(expected).map(|code| format!("{code} {extra}"));
    let wrong = missing.chain(extra).collect::<Vec<_>>();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(directory).sort_by_file_name().into_iter().map(Result::unwrap);
    files.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}
