//! Laws of the parser, held against random texts.

#[path = "common/texts.rs"]
mod texts;

use std::fmt::Write as _;

use proptest::prelude::*;
use texts::{blanks, bodies, program, texts};
use toy::source::Span;
use toy::syntax::ast::{ItemKind, Unit};
use toy::syntax::{Parsed, parse};

/// The text of a tree, in one line for each procedure.
fn print_unit(unit: &Unit<'_>) -> String {
    let mut text = String::new();
    for procedure in &unit.procedures {
        let _ = write!(text, "{} {{", procedure.name);
        let mut ends = Vec::new();
        for (at, item) in unit.body(procedure).iter().enumerate() {
            close(&mut ends, at, &mut text);
            let _ = match item.kind {
                ItemKind::Number(value) => write!(text, " {value:?}"),
                ItemKind::String(inside) => write!(text, " \"{inside}\""),
                ItemKind::Boolean(value) => write!(text, " {value}"),
                ItemKind::Name(name) => write!(text, " {name}"),
                ItemKind::Block(inside) => {
                    ends.push(at + 1 + inside as usize);
                    write!(text, " {{")
                }
            };
        }
        close(&mut ends, usize::MAX, &mut text);
        text.push_str(" }\n");
    }
    text
}

/// Closes the blocks that end at or before the item `at`.
fn close(ends: &mut Vec<usize>, at: usize, text: &mut String) {
    while ends.pop_if(|end| *end <= at).is_some() {
        text.push_str(" }");
    }
}

/// A tree without its places.
fn shape<'u>(unit: &'u Unit<'_>) -> Vec<(&'u str, Vec<ItemKind<'u>>)> {
    let body = |procedure| unit.body(procedure).iter().map(|item| item.kind).collect();
    unit.procedures.iter().map(|procedure| (procedure.name, body(procedure))).collect()
}

fn check_span(text: &str, span: Span) {
    assert!(span.start <= span.end, "{span:?} is backwards");
    assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} is not in the text");
}

/// Checks what holds of every result, right or wrong.
fn check_parsed(text: &str, parsed: &Parsed<'_>) {
    let mut end = 0;
    let mut item_end = 0;
    for procedure in &parsed.unit.procedures {
        assert!(toy::name::is_name(procedure.name));
        assert_eq!(procedure.body.start, item_end);
        item_end = procedure.body.end;
        let items = parsed.unit.body(procedure);
        for span in std::iter::once(procedure.name_span).chain(items.iter().map(|item| item.span)) {
            check_span(text, span);
            assert!(end <= span.start && span.start < span.end);
            end = span.end;
        }
        check_blocks(items.iter().map(|item| item.kind));
    }
    assert_eq!(item_end, parsed.unit.items.len());
    let mut start = 0;
    for error in &parsed.errors {
        let Some(span) = error.span() else { unreachable!("{error} has no place") };
        check_span(text, span);
        assert!(start <= span.start);
        start = span.start;
        check_labels(text, error);
    }
}

/// Every block ends within the one around it.
fn check_blocks<'u>(kinds: impl ExactSizeIterator<Item = ItemKind<'u>>) {
    let mut ends = vec![kinds.len()];
    for (at, kind) in kinds.enumerate() {
        while ends.len() > 1 && ends[ends.len() - 1] <= at {
            ends.pop();
        }
        if let ItemKind::Block(inside) = kind {
            let end = at + 1 + inside as usize;
            assert!(end <= ends[ends.len() - 1]);
            ends.push(end);
        }
    }
}

/// Every error says where, what and what next.
fn check_labels(text: &str, error: &dyn miette::Diagnostic) {
    assert!(error.code().is_some() && error.help().is_some() && !error.to_string().is_empty());
    let labels: Vec<_> = error.labels().into_iter().flatten().collect();
    assert!(!labels.is_empty());
    for label in labels {
        assert!(text.get(label.offset()..label.offset() + label.len()).is_some());
        assert!(label.label().is_some_and(|remark| !remark.is_empty()));
    }
}

proptest! {
    #[test]
    fn any_text_gives_a_sound_result(text in texts()) {
        check_parsed(&text, &parse(&text));
    }

    #[test]
    fn what_is_saved_of_any_text_prints_as_a_right_program(text in texts()) {
        let saved = parse(&text).unit;
        let printed = print_unit(&saved);
        let again = parse(&printed);
        let twice = again.errors.iter().all(|error| error.code() == "toy::syntax::duplicate_name");
        prop_assert!(twice, "{:?}", again.errors);
        prop_assert_eq!(shape(&saved), shape(&again.unit));
    }

    #[test]
    fn right_programs_have_no_errors_and_print_the_same(bodies in bodies(12), blanks in blanks()) {
        let text = program(&bodies, &blanks);
        let parsed = parse(&text);
        prop_assert_eq!(&parsed.errors, &[]);
        check_parsed(&text, &parsed);
        let printed = print_unit(&parsed.unit);
        let again = parse(&printed);
        prop_assert_eq!(&again.errors, &[]);
        prop_assert_eq!(shape(&parsed.unit), shape(&again.unit));
    }

    #[test]
    fn numbers_are_those_of_the_standard_library(text in "[+-]?([0-9]{1,20}[.]?[0-9]{0,5}|[.][0-9]{1,9})([eE][+-]?[0-9]{1,2})?") {
        let program = format!("p{{{text}}}");
        let parsed = parse(&program);
        let value: f64 = text.parse().expect("it is a number");
        prop_assert_eq!(&parsed.errors, &[]);
        let bits: Vec<_> = parsed.unit.items.iter().map(|item| match item.kind {
            ItemKind::Number(value) => value.to_bits(),
            other => panic!("{other:?} is no number"),
        }).collect();
        prop_assert_eq!(bits, [value.to_bits()]);
    }

    #[test]
    fn one_brace_too_few_is_one_error(bodies in prop::collection::vec(0..4_usize, 1..6), lost in any::<prop::sample::Index>()) {
        let lost = lost.index(bodies.len());
        let mut text = String::new();
        for (number, depth) in bodies.iter().enumerate() {
            let closing = depth - usize::from(number == lost && *depth > 0);
            let end = if number == lost && *depth == 0 { "" } else { "}" };
            let _ = write!(text, "p{number} {{ {}{} 1\n{end}\n", "{ ".repeat(*depth), "} ".repeat(closing));
        }
        let codes: Vec<_> = parse(&text).errors.iter().map(|error| error.code()).collect();
        prop_assert_eq!(codes, ["toy::syntax::unclosed_block"]);
    }
}
