//! Runs the parser over `fixtures/syntax`: each text beside what is expected of it.
//!
//! `ok/*.toy` has its tree in `.ast`; `errors/*.toy` has its errors, as a terminal shows them, in `.err`.
//! `UPDATE=1 cargo test` writes the expectations anew; read them before they are committed.

#[path = "common/expected.rs"]
mod expected;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use expected::{compare, rendered, texts};
use libtest_mimic::{Arguments, Failed, Trial};
use toy::source::LineIndex;
use toy::syntax::ast::{ItemKind, Unit};
use toy::syntax::{Parsed, SyntaxError, parse};

fn main() -> io::Result<()> {
    let mut trials = Vec::new();
    for file in texts("fixtures/syntax/ok")? {
        trials.push(trial(&file, check_ok));
    }
    for file in texts("fixtures/syntax/errors")? {
        trials.push(trial(&file, check_errors));
    }
    trials.push(Trial::test("syntax::every_code_has_a_fixture", every_code_has_a_fixture));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trial(file: &Path, check: fn(&Path) -> Result<(), Failed>) -> Trial {
    let folder = file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("syntax::{folder}::{stem}");
    let file = file.to_owned();
    Trial::test(name, move || check(&file))
}

fn check_ok(file: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(file)?;
    let Parsed { unit, errors } = parse(&text);
    if !errors.is_empty() {
        return Err(rendered(file, &text, errors)?.into());
    }
    compare(&file.with_extension("ast"), &dump(&unit, &text))
}

fn check_errors(file: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(file)?;
    let errors = parse(&text).errors;
    if errors.is_empty() {
        return Err("the text has no errors".into());
    }
    compare(&file.with_extension("err"), &rendered(file, &text, errors)?)
}

/// The tree, one thing a line: its place, then what it is, indented by depth.
fn dump(unit: &Unit<'_>, text: &str) -> String {
    let index = LineIndex::new(text);
    let place = |offset| {
        let position = index.position(offset);
        format!("{}:{}", position.line, position.column)
    };
    let mut out = String::new();
    for procedure in &unit.procedures {
        let _ = writeln!(out, "{:<7}procedure {}", place(procedure.name_span.start), procedure.name);
        let mut ends = Vec::new();
        for (at, item) in unit.body(procedure).iter().enumerate() {
            ends.retain(|end| *end > at);
            let indent = "  ".repeat(ends.len() + 1);
            let _ = writeln!(out, "{:<7}{indent}{}", place(item.span.start), shown(item.kind));
            if let ItemKind::Block(inside) = item.kind {
                ends.push(at + 1 + inside as usize);
            }
        }
    }
    out
}

fn shown(kind: ItemKind<'_>) -> String {
    match kind {
        ItemKind::Number(value) => format!("number {value:?}"),
        ItemKind::String(inside) => format!("string {inside:?}"),
        ItemKind::Boolean(value) => format!("boolean {value}"),
        ItemKind::Name(name) => format!("name {name}"),
        ItemKind::Block(inside) => format!("block of {inside}"),
    }
}

/// The only code without a fixture is that of a text too long to be one.
fn every_code_has_a_fixture() -> Result<(), Failed> {
    let source = include_str!("../src/syntax/error.rs");
    let quoted = source.split('"').filter(|part| part.starts_with("toy::syntax::"));
    let mut codes: BTreeSet<&str> = quoted.collect();
    codes.remove("toy::syntax::text_too_long");
    let mut provoked = BTreeSet::new();
    for file in texts("fixtures/syntax/errors")? {
        let text = fs::read_to_string(file)?;
        provoked.extend(parse(&text).errors.iter().map(SyntaxError::code));
    }
    if codes == provoked { Ok(()) } else { Err(format!("{codes:?} are not {provoked:?}").into()) }
}
