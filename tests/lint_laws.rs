//! Laws of the warnings, held against random programs: what is said to fail fails, and any program is gone through.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[path = "common/kit.rs"]
mod kit;
#[path = "common/texts.rs"]
mod texts;
#[path = "common/warned.rs"]
mod warned;

use proptest::prelude::*;
use proptest::sample::select;
use texts::{blanks, bodies, program, texts};
use toy::isa::builtin::Builtin;
use toy::lint::{Binding, Lint, Mentions, Together, Warning, lint};
use toy::name::nearest;
use toy::source::SourceFile;
use toy::store::Repository;
use toy::syntax::ast::ItemKind;
use toy::syntax::parse;
use toy::vm::machine::{Limits, Machine, Options, Streams};
use toy::vm::program::Program;
use warned::warnings_of;

/// Kinds of warnings that say that the program fails there.
const FAILURES: [Lint; 6] =
    [Lint::Underflow, Lint::Type, Lint::NoProcedure, Lint::Value, Lint::UnmatchedMark, Lint::NoLoop];

/// Operators and literals; the strings are such that code may redefine an operator.
fn word() -> impl Strategy<Value = String> {
    let literals = [
        "0",
        "1",
        "2",
        "3",
        "-1",
        "2.5",
        "\"\"",
        "\"ab\"",
        "\"add\"",
        "\"7\"",
        "true",
        "false",
        "{ }",
        "{ 1 }",
        "{ pop }",
        "{ exit }",
        "{ 1 add }",
        "{ \"a\" 1 add }",
        "{ stop }",
        "{ dup exec }",
        "{ 1 3 index }",
        "{ { 1 } if }",
        "{ mark }",
    ];
    // That a program ends early makes what follows no lie.
    let operators = Builtin::ALL.iter().filter(|operator| **operator != Builtin::Quit);
    let operators = operators.map(|operator| operator.name()).collect::<Vec<_>>();
    prop_oneof![3 => select(literals.to_vec()), 2 => select(operators)].prop_map(str::to_owned)
}

fn straight() -> impl Strategy<Value = String> {
    prop::collection::vec(word(), 1..14).prop_map(|words| format!("main {{ {} }}", words.join(" ")))
}

/// The warnings of a failure that stand in the body of `main` itself.
fn failures(text: &str) -> Vec<Warning> {
    let parsed = parse(text);
    let items = &parsed.unit.items;
    let mut outer = Vec::new();
    let mut at = 0;
    while let Some(item) = items.get(at) {
        outer.push(item.span);
        at += 1 + if let ItemKind::Block(inside) = item.kind { inside as usize } else { 0 };
    }
    let is_failure = |warning: &Warning| FAILURES.contains(&warning.lint) && outer.contains(&warning.span());
    warnings_of(&[text]).remove(0).into_iter().filter(is_failure).collect()
}

/// Whether a program ends without an error.
fn succeeds(text: &str) -> bool {
    let repository = Repository::in_memory();
    let source = SourceFile { name: "main.toy".into(), text: text.into() };
    let tickets = kit::tickets(&kit::compile(&repository, &[source]));
    let executable = kit::link(&repository, &tickets).unwrap();
    let program = Program::load(&executable).unwrap();
    let limits = Limits { max_steps: Some(20_000), ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let mut machine = Machine::new(&program, program.entries()[0], &options);
    let (mut input, mut output, mut trace) = (&b""[..], Vec::new(), Vec::new());
    machine.run(&mut Streams { input: &mut input, output: &mut output, trace: &mut trace }).is_ok()
}

proptest! {
    #![proptest_config(kit::cases(4000))]

    #[test]
    fn what_surely_fails_fails(text in straight()) {
        let failures = failures(&text);
        prop_assert!(failures.is_empty() || !succeeds(&text), "{text}\n{failures:?}");
    }
}

proptest! {
    /// So a source of which nothing is said alone need not be gone through again in company.
    #[test]
    fn company_only_takes_warnings_away(mut texts in prop::collection::vec(straight(), 1..4)) {
        let others = texts.iter_mut().skip(1).zip(1..);
        others.for_each(|(text, number)| *text = text.replacen("main", &format!("p{number}"), 1));
        let units = texts.iter().map(|text| parse(text).unit).collect::<Vec<_>>();
        let mentions = units.iter().map(Mentions::new).collect::<Vec<_>>();
        let all = mentions.iter().collect::<Vec<_>>();
        for ((unit, mentions), text) in units.iter().zip(&mentions).zip(&texts) {
            let places = |together: &[&Mentions<'_>], is_all| {
                let together = Together::new(together, Binding::Late, is_all);
                let warnings = lint(unit, text, mentions, &together).into_iter();
                warnings.map(|warning| (warning.lint, warning.span())).collect::<Vec<_>>()
            };
            let alone = places(&[mentions], true);
            for is_all in [true, false] {
                prop_assert!(places(&all, is_all).iter().all(|place| alone.contains(place)), "{text}");
            }
        }
    }
}

/// Holds of the warnings for any text.
fn check_warnings(text: &str) {
    let warnings = warnings_of(&[text]).remove(0);
    assert!(warnings.is_sorted_by_key(Warning::span));
    for (span, words) in warnings.iter().flat_map(|warning| &warning.labels) {
        assert!(text.get(span.start as usize..span.end as usize).is_some() && !words.is_empty());
    }
}

proptest! {
    #[test]
    fn any_program_is_gone_through(bodies in bodies(12), blanks in blanks()) {
        check_warnings(&program(&bodies, &blanks));
    }

    #[test]
    fn any_text_is_gone_through(text in texts()) {
        check_warnings(&text);
    }

    #[test]
    fn warnings_are_the_same_however_the_text_is_spaced(text in straight()) {
        let lints = |text: &str| {
            let warnings = warnings_of(&[text]).remove(0);
            warnings.iter().map(|warning| (warning.lint, warning.message.clone())).collect::<Vec<_>>()
        };
        prop_assert_eq!(lints(&text), lints(&text.replace(' ', " # allow: nothing\n\t")));
    }
}

proptest! {
    #[test]
    fn the_nearest_name_is_found(
        name in "[a-d_]{1,7}", names in prop::collection::vec("[a-d_]{1,7}", 0..8), limit in 0..4_usize,
    ) {
        let near = names.iter().map(|other| (strsim::damerau_levenshtein(&name, other), other.as_str()));
        let near = near.filter(|(distance, other)| *distance <= limit && *distance < other.len()).min();
        let found = nearest(&name, limit, names.iter().map(String::as_str));
        prop_assert_eq!(found, near.map(|(_, other)| other));
    }
}

/// None of these would end if a block were gone through more than once, or by recursion.
#[test]
fn deep_and_wide_programs_are_gone_through() {
    let nested = |depth, open: &str, inside: &str, close: &str| {
        format!("main {{ {}{inside}{} }}", open.repeat(depth), close.repeat(depth))
    };
    let programs = [
        nested(100_000, "{ ", "1", " } exec"),
        nested(100_000, "1 1 eq { ", "1", " } if"),
        nested(100_000, "\"f\" { ", "1", " } def"),
        nested(1000, "{ ", "1", " } 1 1 eq { exec } { exec } ifelse"),
        nested(1000, "{ ", "1", " } dup exec dup exec exec"),
        format!("main {{ {} }}", "1 ".repeat(100_000) + &"1 1 eq { } if ".repeat(100_000)),
        format!("main {{ {} }}", "nothing_like_it ".repeat(100_000)),
        format!(
            "# allow: all\n{}main {{ {} }}",
            "# allow: all\n".repeat(100_000),
            "clear pop\n".repeat(100_000)
        ),
        (0..50_000).map(|n| format!("a{n:06}c {{ b{n:06}d }}\n")).collect::<String>(),
    ];
    for program in programs {
        assert_eq!(warnings_of(&[&program]), [vec![]], "{:.80}", program);
    }
}
