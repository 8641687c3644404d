//! What becomes of bodies, as listings on one line.

use super::*;
use crate::compile::Optimization;
use crate::compile::generate::Body;
use crate::isa::codec::{self, Decoder};
use crate::isa::listing;
use crate::syntax::parse;

/// The code of the first procedure; lines are separated by commas, and the indent is left out.
fn optimized(source: &str) -> String {
    let parsed = parse(source);
    assert_eq!(parsed.errors, [], "{source}");
    let (unit, optimization) = (parsed.unit, Optimization::With);
    let items = unit.body(&unit.procedures[0]);
    let body = Body { items, optimization, binding: Binding::of(&unit, optimization) };
    let fragment = body.fragment();
    let decoded = codec::decode(&fragment.text, fragment.fixups.as_slice().len() as u32).unwrap();
    assert_eq!(decoded.len(), body.places().len());
    assert!(body.places().is_sorted_by_key(|item| items[*item].span.start), "{source}");
    let mut listing = String::new();
    let text = |index| fragment.fixups.get(index).map(|fixup| &*fixup.target);
    listing::write(Decoder::new(&fragment.text), text, &mut listing).unwrap();
    listing.lines().map(str::trim_start).collect::<Vec<_>>().join(", ")
}

fn assert_optimized(cases: &[(&str, &str)]) {
    for (body, expected) in cases {
        assert_eq!(optimized(&format!("p {{ {body} }}")), *expected, "{body}");
    }
}

#[test]
fn operators_are_bound_and_other_names_are_not() {
    assert_optimized(&[
        ("x dup y", "call x, operator dup, call y"),
        ("[ ]", "operator [, operator ]"),
        ("{ x add }", "block 2, call x, operator add"),
        ("", ""),
    ]);
    assert_eq!(optimized("p { dup add } add { pop }"), "operator dup, call add");
    assert_eq!(
        optimized("p { 1 2 add { } if } add { } if { }"),
        "number 1.0, number 2.0, call add, block 0, call if"
    );
}

#[test]
fn blocks_are_compiled_in_place() {
    assert_optimized(&[
        ("x { y } if", "call x, if 1, call y"),
        ("x { y } { z { } if } ifelse", "call x, ifelse 1, call y, else 2, call z, if 0"),
        ("x { } { } ifelse", "call x, ifelse 0, else 0"),
        ("x { y } { } { z } ifelse", "call x, block 1, call y, ifelse 0, else 1, call z"),
        ("x { y } { z } if", "call x, block 1, call y, if 1, call z"),
        ("x { y } ifelse", "call x, block 1, call y, operator ifelse"),
        ("1 1 x { pop } for", "number 1.0, number 1.0, call x, for 1, operator pop"),
        ("2 { { x } loop } repeat", "number 2.0, repeat 2, loop 1, call x"),
        ("{ { x } } if", "if 2, block 1, call x"),
        ("x { y } dup if", "call x, block 1, call y, operator dup, operator if"),
        ("{ x } { y } { z } forall", "block 1, call x, block 1, call y, block 1, call z, operator forall"),
    ]);
}

#[test]
fn what_is_constant_is_calculated() {
    assert_optimized(&[
        ("1 2 add", "instead 3 1, number 1.0, number 2.0, operator add, number 3.0"),
        ("7 2 idiv neg", "instead 4 1, number 7.0, number 2.0, operator idiv, operator neg, number -3.0"),
        ("1 2 lt not", "instead 4 1, number 1.0, number 2.0, operator lt, operator not, boolean false"),
        ("5 3 xor", "instead 3 1, number 5.0, number 3.0, operator xor, number 6.0"),
        ("2 dup mul", "instead 3 1, number 2.0, operator dup, operator mul, number 4.0"),
        ("1 2 exch", "instead 3 2, number 1.0, number 2.0, operator exch, number 2.0, number 1.0"),
        ("x 1 add", "call x, number 1.0, operator add"),
        ("1 \"a\" dup", "number 1.0, string \"a\", operator dup"),
        ("1 x 2 add", "number 1.0, call x, number 2.0, operator add"),
        ("4 { 1 } pop", "number 4.0, block 1, number 1.0, operator pop"),
    ]);
}

#[test]
fn what_would_fail_is_left() {
    let left = |body: &str| {
        let code = optimized(&format!("p {{ {body} }}"));
        assert!(!code.contains("instead"), "{body}: {code}");
    };
    for body in [
        "1 0 div",
        "1 0 mod",
        "1.5 2 idiv",
        "1e308 10 mul",
        "-1 sqrt",
        "1 true add",
        "true 1 and",
        "1.5 not",
        "9007199254740992 1 or",
        "1 60 bitshift",
        "true 1 lt",
        "\"a\" neg",
        "1 add",
        "pop",
        "exch",
        "0 0 atan",
        // These are a matter of the processor.
        "2 0.5 exp",
        "30 sin",
        "10 ln",
    ] {
        left(body);
    }
}

#[test]
fn what_has_no_effect_is_left_out() {
    assert_optimized(&[
        ("1 pop", "instead 2 0, number 1.0, operator pop"),
        (
            "1 \"a\" pop 2 add",
            "instead 5 1, number 1.0, string \"a\", operator pop, number 2.0, operator add, number 3.0",
        ),
        (
            "false { x { } if } if",
            "instead 6 0, boolean false, block 3, call x, block 0, operator if, operator if",
        ),
        ("1 2 gt { x } if", "instead 6 0, number 1.0, number 2.0, operator gt, block 1, call x, operator if"),
        ("x dup pop", "call x, operator dup, operator pop"),
        ("x eq dup pop", "call x, operator eq, instead 2 0, operator dup, operator pop"),
        ("x eq not not", "call x, operator eq, instead 2 0, operator not, operator not"),
        ("x not not", "call x, operator not, operator not"),
        ("x add neg neg", "call x, operator add, instead 2 0, operator neg, operator neg"),
        ("x add exch exch", "call x, operator add, operator exch, operator exch"),
        ("x dup exch exch", "call x, operator dup, instead 2 0, operator exch, operator exch"),
        ("x add { dup pop } if", "call x, operator add, if 2, operator dup, operator pop"),
        ("x add { } dup pop", "call x, operator add, block 0, instead 2 0, operator dup, operator pop"),
    ]);
}

#[test]
fn deep_blocks_and_long_chains_take_no_stack_and_no_time() {
    let depth = 10_000;
    let deep = format!("p {{ {}{} }}", "true { ".repeat(depth), "} if ".repeat(depth));
    assert!(parse(&deep).errors.is_empty());
    assert_eq!(optimized(&deep).matches("if").count(), depth);
    let chain = format!("p {{ 0 {} }}", "1 add ".repeat(100_000));
    assert!(optimized(&chain).ends_with("number 100000.0"));
}
