//! Sources: read, formatted, compiled, linked, and executed for a while.

use toy::compile::{Compiled, Known, LineTables, Optimization, Options, compile, prepare};
use toy::link::{self, Input, Unresolved};
use toy::name::Name;
use toy::object::compilation::Ticket;
use toy::source::SourceFile;
use toy::store::{Entry, Repository, View};
use toy::syntax::parse;

use super::assert_coded;
use super::executables::{assert_spelled, body};
use super::formatted;

/// A text has mistakes, each with a place in it; or it is compiled, once, to code that is kept as it is.
pub fn source(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = |text: &str| SourceFile { name: "a.toy".into(), text: text.into() };
    let repository = Repository::in_memory();
    let compiled = run(&repository, &file(text));
    let unit = match &compiled.units[0] {
        Ok(unit) => unit,
        Err(errors) => return assert_mistakes(text, errors),
    };
    assert_eq!(parse(text).errors, []);
    assert_eq!(compiled.procedures, unit.procedures.len());
    let view = repository.read().unwrap();
    let compilation = view.compilation(&unit.ticket.compilation).unwrap().unwrap();
    for procedure in &unit.procedures {
        assert_eq!(compilation.definition(&procedure.name).unwrap().fragment, procedure.fragment);
        match view.fragment(&procedure.fragment).unwrap() {
            Some(Entry::Present(fragment)) => body(fragment.bytes()),
            other => panic!("{other:?} is what was generated for {}", procedure.name),
        }
    }
    assert_warnings(text, &file(text));
    assert_again(&repository, unit.ticket, &file(text), &file(&format!("# moved\n{}", without_mark(text))));
    link_and_run(&*view, unit.ticket);
}

/// A text is refused with its mistakes; or formatted once and for all, and means the same.
pub fn format(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        formatted::check(text);
    }
}

fn run(repository: &Repository, source: &SourceFile) -> Compiled {
    let options =
        Options { line_tables: LineTables::With, known: Known::Reuse, optimization: Optimization::Without };
    compile(repository, std::slice::from_ref(source), options).unwrap()
}

/// What is warned of has a place.
fn assert_warnings(text: &str, source: &SourceFile) {
    let options = Options {
        line_tables: LineTables::Without,
        known: Known::Reuse,
        optimization: Optimization::Without,
    };
    let repository = Repository::in_memory();
    let prepared = prepare(&repository, std::slice::from_ref(source), options).unwrap();
    for warning in prepared.warnings().iter().flatten() {
        for (span, _) in &warning.labels {
            assert!(text.get(span.start as usize..span.end as usize).is_some(), "{warning:?}");
        }
        assert_coded(warning);
    }
}

/// A byte order mark may stand only at the start.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn assert_mistakes(text: &str, errors: &[toy::syntax::SyntaxError]) {
    assert!(!errors.is_empty());
    for error in errors.iter().take(20) {
        for label in miette::Diagnostic::labels(error).into_iter().flatten() {
            assert!(text.get(label.offset()..label.offset() + label.len()).is_some(), "{error}: {label:?}");
        }
        assert_coded(error);
    }
}

/// Compiled again, or moved, nothing is generated; compiled elsewhere, the ticket is the same.
fn assert_again(repository: &Repository, ticket: Ticket, source: &SourceFile, moved: &SourceFile) {
    for source in [source, moved] {
        let again = run(repository, source);
        assert_eq!(again.generated, 0);
    }
    let elsewhere = run(&Repository::in_memory(), source);
    assert_eq!(elsewhere.units[0].as_ref().unwrap().ticket, ticket);
}

fn link_and_run(view: &dyn View, ticket: Ticket) {
    let inputs = [Input { origin: "a.to".into(), ticket }];
    let options = link::Options {
        entries: Name::new("main").into_iter().collect(),
        unresolved: Unresolved::Ignore,
        map: false,
    };
    match link::link(view, &inputs, &options) {
        Ok(linked) => assert_spelled(&linked.image.executable().expect("a linked program is one")),
        Err(errors) => errors.iter().for_each(|error| assert_coded(error)),
    }
}
