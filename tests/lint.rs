//! Holds the warnings for each text in `fixtures/lint` against `NAME.warnings` beside it, as a terminal shows them.
//!
//! `NAME.other` is a second source of the same command; then both are optimised.
//! A text without the first of these files gets no warning; nor does any program in `fixtures/programs` that ends without an error.
//! `UPDATE=1 cargo test --test lint` writes the expectations anew; read them before they are committed.

#[path = "common/expected.rs"]
mod expected;
#[path = "common/warned.rs"]
mod warned;

use std::path::Path;
use std::{fs, io};

use expected::{compare, rendered, texts};
use libtest_mimic::{Arguments, Failed, Trial};
use toy::compile::Optimization;
use toy::lint::{Lint, Warning};
use warned::{warnings_of, warnings_when};

fn main() -> io::Result<()> {
    let mut trials = vec![
        Trial::test("lint::the_manual_is_right", the_manual_is_right),
        Trial::test("lint::every_kind_has_a_fixture", every_kind_has_a_fixture),
        Trial::test("lint::sources_know_each_other", sources_know_each_other),
        Trial::test("lint::operators_are_bound_by_source", operators_are_bound_by_source),
        Trial::test("lint::a_broken_source_may_define_any_name", a_broken_source_may_define_any_name),
    ];
    for file in texts("fixtures/lint")? {
        let is_expected = file.with_extension("warnings").exists();
        trials.push(trial("lint", &file, if is_expected { check } else { check_quiet }));
    }
    let is_right = |file: &&std::path::PathBuf| !file.with_extension("trap").exists();
    for file in texts("fixtures/programs")?.iter().filter(is_right) {
        trials.push(trial("programs", file, check_quiet));
    }
    for file in texts("fixtures/sample")? {
        trials.push(trial("sample", &file, check_quiet));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trial(folder: &str, file: &Path, check: fn(&Path) -> Result<(), Failed>) -> Trial {
    let name = format!("{folder}::{}", file.file_stem().unwrap_or_default().to_string_lossy());
    let file = file.to_owned();
    Trial::test(name, move || check(&file))
}

fn check(file: &Path) -> Result<(), Failed> {
    compare(&file.with_extension("warnings"), &warnings(file)?)
}

fn check_quiet(file: &Path) -> Result<(), Failed> {
    let warnings = warnings(file)?;
    if warnings.is_empty() { Ok(()) } else { Err(warnings.into()) }
}

fn warnings(file: &Path) -> Result<String, Failed> {
    let text = fs::read_to_string(file)?;
    rendered(file, &text, found(file, &text)?)
}

/// The warnings for a text, with the other source beside it if there is one.
fn found(file: &Path, text: &str) -> io::Result<Vec<Warning>> {
    let other = file.with_extension("other");
    if !other.exists() {
        return Ok(warnings_of(&[text]).remove(0));
    }
    Ok(warnings_when(Optimization::With, &[text, &fs::read_to_string(other)?]).remove(0))
}

/// No example in the manual gets a warning, unless it ends with an error.
fn the_manual_is_right() -> Result<(), Failed> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/language.md");
    let manual = fs::read_to_string(&file)?.replace("\r\n", "\n");
    let mut examples = 0;
    for example in manual.split("\n```toy\n").skip(1).filter(|example| !example.contains("\n```trap\n")) {
        let source = example.split("\n```").next().unwrap_or_default();
        let warnings = warnings_of(&[source]).remove(0);
        if !warnings.is_empty() {
            return Err(rendered(&file, source, warnings)?.into());
        }
        examples += 1;
    }
    if examples > 100 { Ok(()) } else { Err("the manual has lost its examples".into()) }
}

/// Whether each kind of warning is given for the fixture of its name, and no other kind.
fn every_kind_has_a_fixture() -> Result<(), Failed> {
    for lint in Lint::ALL {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/lint/{}.toy", lint.name()));
        let warnings = found(&file, &fs::read_to_string(&file)?)?;
        if warnings.is_empty() || warnings.iter().any(|warning| warning.lint != *lint) {
            return Err(format!("{}: {warnings:?}", lint.code()).into());
        }
    }
    Ok(())
}

/// What one source of a command defines is known in the others.
fn sources_know_each_other() -> Result<(), Failed> {
    let counts = |texts: &[&str]| warnings_of(texts).iter().map(Vec::len).collect::<Vec<_>>();
    let pairs = [
        ("main { show_all }\nshow_al { }", "show_all { }", [1, 0]),
        ("main { show_all }\nshow_al { }", "define { \"show_all\" { } def }", [1, 0]),
        ("main { 1 \"a\" add }", "add { }", [1, 0]),
        ("main { add }", "again { main }", [1, 0]),
        ("f { 1 \"a\" add }", "main { { f } stopped }", [1, 0]),
    ];
    for (text, other, [alone, together]) in pairs {
        if counts(&[text]) != [alone] || counts(&[text, other]) != [together, 0] {
            return Err(
                format!("{text} / {other}: {:?}, {:?}", counts(&[text]), counts(&[text, other])).into()
            );
        }
    }
    Ok(())
}

/// Only optimised code of another source passes a procedure with the name of an operator by.
fn operators_are_bound_by_source() -> Result<(), Failed> {
    let count =
        |optimization, texts: &[&str]| warnings_when(optimization, texts).iter().map(Vec::len).sum::<usize>();
    for (texts, expected) in [
        (["print { pop }", "main { 1 print }"], 1),
        (["print { pop } f { 1 print }", "main { f }"], 0),
        (["print { pop }", "main { 1 print } print { pop }"], 0),
        (["print { pop }", "main { \"print\" pop }"], 0),
        (["show { pop }", "main { 1 show }"], 0),
        (["# allow: bound_early\nprint { pop }", "main { 1 print }"], 0),
    ] {
        let counts = [Optimization::With, Optimization::Without].map(|how| count(how, &texts));
        if counts != [expected, 0] {
            return Err(format!("{texts:?}: {counts:?}").into());
        }
    }
    Ok(())
}

fn a_broken_source_may_define_any_name() -> Result<(), Failed> {
    let warnings = warnings_of(&["main { show_all }\nshow_al { 1 \"a\" add }", "show_all { "]);
    let lints = warnings.iter().map(|of| of.iter().map(|warning| warning.lint).collect::<Vec<_>>());
    assert_eq!(lints.collect::<Vec<_>>(), [vec![Lint::Type], vec![]]);
    Ok(())
}
