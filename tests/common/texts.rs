//! Random texts: any, nearly right ones, and right programs with blanks and comments of all kinds.

use std::fmt::Write as _;

use proptest::prelude::*;

/// Pieces of texts, right and wrong.
const FRAGMENTS: &[&str] = &[
    "main",
    "a",
    "x_1",
    "true",
    "false",
    "e",
    "1",
    "-3",
    "+5",
    "1.",
    ".5",
    "1e3",
    "1E+3",
    "1e-3",
    "1e999",
    "{",
    "{",
    "{",
    "}",
    "}",
    "}",
    "[",
    "]",
    "\"",
    "\"a b\"",
    "\"\"",
    "# c",
    " ",
    " ",
    "\n",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "main {",
    "\nother {",
    "\nother { 1 }",
    "-",
    "+",
    ".",
    "--1",
    "1.2.3",
    "1e+",
    "_",
    "é",
    "“",
    "”",
    "’",
    "'",
    "`",
    "//",
    "/*",
    "*/",
    "/x",
    "/",
    "%",
    ";",
    "(",
    ")",
    ",",
    "=",
    "<=",
    "$",
    "\u{a0}",
    "\u{feff}",
    "\u{200b}",
    "\0",
    "→",
    "😀",
];

/// Texts of any characters, and texts of fragments.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    let fragments = prop::collection::vec(prop::sample::select(FRAGMENTS), 0..60);
    prop_oneof![any::<String>(), fragments.prop_map(|fragments| fragments.concat())]
}

/// What may stand between two words.
const BLANKS: &[&str] = &[
    " ",
    "  ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\n\n\n",
    "\n \r\n\t",
    " # c } \" {\n",
    "\n# [ é\u{a0} \t\r\n\n",
    "#!\x0c\r",
    "\x0c",
];

/// One thing of a body.
#[derive(Debug, Clone)]
pub(crate) enum Thing {
    Leaf(String),
    Block(Vec<Thing>),
}

/// The bodies of a program, with less than so many things in each.
pub(crate) fn bodies(things: usize) -> impl Strategy<Value = Vec<Vec<Thing>>> {
    let number = any::<f64>().prop_filter("numbers are finite", |value| value.is_finite());
    let name = "[a-zA-Z][a-zA-Z0-9_]{0,5}";
    let leaf = prop_oneof![
        number.prop_map(|value| format!("{value:?}")),
        any::<i32>().prop_map(|value| value.to_string()),
        "\"[^\"\r\n]{0,8}\"",
        name,
        prop::sample::select(&["[", "]", "true", "false"][..]).prop_map(str::to_owned),
    ];
    let thing = leaf
        .prop_map(Thing::Leaf)
        .prop_recursive(6, 40, 6, |inner| prop::collection::vec(inner, 0..6).prop_map(Thing::Block));
    prop::collection::vec(prop::collection::vec(thing, 0..things), 0..5)
}

/// Blanks and comments, to be written between words in turn.
pub(crate) fn blanks() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop::sample::select(BLANKS).prop_map(str::to_owned), 1..8)
}

/// Blanks of which few end lines.
#[allow(dead_code, reason = "only the formatter cares for long lines")]
pub(crate) fn narrow_blanks() -> impl Strategy<Value = Vec<String>> {
    let blank = prop_oneof![40 => Just(" "), 1 => prop::sample::select(BLANKS)];
    prop::collection::vec(blank.prop_map(str::to_owned), 1..200)
}

/// A right program: bodies printed with blanks between all that is in them.
pub(crate) fn program(bodies: &[Vec<Thing>], blanks: &[String]) -> String {
    let mut blanks = blanks.iter().map(String::as_str).cycle();
    let mut text = String::new();
    for (number, body) in bodies.iter().enumerate() {
        let _ = write!(text, "p{number}{}", blanks.next().unwrap_or(" "));
        print_block(body, &mut blanks, &mut text);
    }
    text
}

fn print_block<'b>(things: &[Thing], blanks: &mut impl Iterator<Item = &'b str>, text: &mut String) {
    text.push('{');
    for thing in things {
        text.push_str(blanks.next().unwrap_or(" "));
        match thing {
            Thing::Leaf(leaf) => text.push_str(leaf),
            Thing::Block(inner) => print_block(inner, blanks, text),
        }
    }
    text.push('}');
}
