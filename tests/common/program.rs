//! Programs made at random, and every way to spell one.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use toy::source::SourceFile;

/// One thing in a body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Number(f64),
    Text(String),
    Boolean(bool),
    Name(String),
    Block(Vec<Item>),
}

/// A procedure's body.
pub(crate) type Body = Vec<Item>;

/// The names that programs use for their procedures; the last is where they start.
pub(crate) const NAMES: [&str; 7] = ["p0", "p1", "p2", "p3", "add", "n_4", "main"];

/// Two bodies that are the same look the same, and others do not: `-0.0` is not `0.0`.
pub(crate) fn same(a: &Body, b: &Body) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

fn number() -> impl Strategy<Value = f64> {
    let odd = prop::sample::select(vec![
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.1,
        1e21,
        1e-7,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
    ]);
    prop_oneof![odd, prop::num::f64::NORMAL]
}

/// Strings that a source can hold, many of them names, some of them hard to write down.
fn text() -> impl Strategy<Value = String> {
    let odd = [
        "",
        " ",
        "\\",
        "\\u{41}",
        "'",
        "# no comment",
        "- a",
        "a: b",
        "é😀",
        "\t",
        "\u{85}",
        "\u{2028}",
        "\u{feff}x",
        "{",
        "~",
    ];
    prop_oneof![
        prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned),
        prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        "[^\"\r\n]{0,6}",
    ]
}

fn name() -> impl Strategy<Value = String> {
    let operators = ["pop", "print", "dup", "exec", "undefined_name"];
    let names = NAMES.into_iter().chain(operators).map(str::to_owned).collect::<Vec<_>>();
    prop::sample::select(names)
}

/// A body with blocks in it.
pub(crate) fn body() -> impl Strategy<Value = Body> {
    let leaf = prop_oneof![
        number().prop_map(Item::Number),
        text().prop_map(Item::Text),
        any::<bool>().prop_map(Item::Boolean),
        name().prop_map(Item::Name),
    ];
    let item = leaf.prop_recursive(3, 12, 4, |item| prop::collection::vec(item, 0..4).prop_map(Item::Block));
    prop::collection::vec(item, 0..6)
}

/// The procedures of programs that are run.
pub(crate) const PROCEDURES: [&str; 3] = ["p0", "p1", "main"];

/// A body that does something when it runs: operands and operators that often fit, and operators with their blocks.
/// `operators` are those that it may name besides.
pub(crate) fn working_body(operators: Vec<&'static str>) -> impl Strategy<Value = Body> {
    let numbers = vec![0.0, -0.0, 1.0, 2.0, 3.0, 7.0, -1.0, 2.5, 1e308, 9007199254740991.0];
    let name = |name: &'static str| vec![Item::Name(name.to_owned())];
    let names = |names: &[&'static str]| prop::sample::select(names.to_vec()).prop_map(name);
    let small = prop::sample::select(numbers).prop_map(|number| vec![Item::Number(number)]);
    let leaf = prop_oneof![
        6 => small,
        2 => any::<bool>().prop_map(|value| vec![Item::Boolean(value)]),
        1 => prop::sample::select(vec!["x", "y", "p0", "a b"]).prop_map(|text| vec![Item::Text(text.to_owned())]),
        4 => names(&["add", "sub", "mul", "div", "idiv", "mod", "neg", "not", "and", "bitshift", "sqrt", "round"]),
        3 => names(&["dup", "pop", "exch", "eq", "lt", "ge", "print", "exec", "x", "y", "p0", "p1"]),
        1 => prop::sample::select(operators).prop_map(name),
    ];
    let part = leaf.prop_recursive(4, 40, 4, |part| {
        let block = prop::collection::vec(part, 0..4).prop_map(|parts| Item::Block(parts.concat()));
        (block.clone(), block, 0..10_u8).prop_map(|(first, second, kind)| with_blocks(first, second, kind))
    });
    prop::collection::vec(part, 0..10).prop_map(|parts| parts.concat())
}

/// Blocks and an operator for them; sometimes with operands, sometimes with nothing around them.
fn with_blocks(first: Item, second: Item, kind: u8) -> Body {
    let number = |number| Item::Number(number);
    let name = |name: &str| Item::Name(name.to_owned());
    match kind {
        0 => vec![first],
        1 => vec![first, name("if")],
        2 => vec![Item::Boolean(false), first, name("if")],
        3 => vec![number(1.0), number(2.0), name("lt"), first, name("if")],
        4 => vec![first, second, name("ifelse")],
        5 => vec![Item::Boolean(true), first, second, name("ifelse")],
        6 => vec![number(3.0), number(-1.0), number(1.0), first, name("for")],
        7 => vec![number(2.0), first, name("repeat")],
        8 => vec![first, name("loop")],
        _ => vec![first, second, name("forall")],
    }
}

/// A program: a body for each name, and files that each define some of the names, every name in one of them at least.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) bodies: BTreeMap<&'static str, Body>,
    pub(crate) files: Vec<File>,
}

/// A file: its name and the names that it defines.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) defines: BTreeSet<&'static str>,
}

/// A program in at most three files, which may define the same names alike; some names may have the same body.
pub(crate) fn program() -> impl Strategy<Value = Program> {
    let bodies = prop::collection::vec((body(), prop::option::weighted(0.3, 0..NAMES.len())), NAMES.len());
    let masks = prop::collection::vec(1_u8..8, NAMES.len());
    (bodies, masks).prop_map(|(drawn, masks)| {
        let body = |(own, like): &(Body, Option<usize>)| like.map_or(own, |like| &drawn[like].0).clone();
        let bodies = NAMES.into_iter().zip(drawn.iter().map(body)).collect();
        let files = (0..3).map(|file| {
            let defined = NAMES.into_iter().zip(&masks).filter(|(_, mask)| **mask & (1 << file) != 0);
            File { name: format!("file{file}.toy"), defines: defined.map(|(name, _)| name).collect() }
        });
        Program { bodies, files: files.filter(|file| !file.defines.is_empty()).collect() }
    })
}

impl Program {
    /// The source texts in one spelling.
    pub(crate) fn sources(&self, style: &Style) -> Vec<SourceFile> {
        self.files.iter().map(|file| self.source(file, style)).collect()
    }

    /// One file's source text.
    pub(crate) fn source(&self, file: &File, style: &Style) -> SourceFile {
        let procedures = file.defines.iter().map(|name| (*name, &self.bodies[name])).collect::<Vec<_>>();
        SourceFile { name: file.name.as_str().into(), text: spell(&procedures, style).into() }
    }

    /// How many different bodies the files have.
    pub(crate) fn distinct<'f>(&self, files: impl IntoIterator<Item = &'f File>) -> BTreeSet<String> {
        let names = files.into_iter().flat_map(|file| &file.defines);
        names.map(|name| format!("{:?}", self.bodies[name])).collect()
    }

    /// Everything that `start` needs, found in the most naive way.
    pub(crate) fn reachable(&self, start: &str) -> BTreeSet<&'static str> {
        fn words<'b>(body: &'b Body, into: &mut Vec<&'b str>) {
            for item in body {
                match item {
                    Item::Text(text) | Item::Name(text) => into.push(text),
                    Item::Block(block) => words(block, into),
                    Item::Number(_) | Item::Boolean(_) => {}
                }
            }
        }
        let mut reached = BTreeSet::from([NAMES.into_iter().find(|name| *name == start).unwrap()]);
        loop {
            let mut all = Vec::new();
            reached.iter().for_each(|name| words(&self.bodies[name], &mut all));
            let next = NAMES.into_iter().filter(|name| all.contains(name)).chain(reached.iter().copied());
            let next = next.collect::<BTreeSet<_>>();
            if next == reached {
                return reached;
            }
            reached = next;
        }
    }
}

/// How a program is spelled: what stands between tokens, and in which order procedures come.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    seed: u64,
}

/// One blank between tokens, a procedure a line, by name.
pub(crate) const PLAIN: Style = Style { seed: 0 };

/// Any spelling.
pub(crate) fn style() -> impl Strategy<Value = Style> {
    (1..u64::MAX).prop_map(|seed| Style { seed })
}

const BLANKS: [&str; 6] = [" ", "\n", "\t ", "\r\n  ", " # a comment { \" }\n", "\n# é\n\n# two\n"];

/// The text of a file with these procedures.
pub(crate) fn spell(procedures: &[(&str, &Body)], style: &Style) -> String {
    let mut blanks = Blanks(style.seed);
    let mut procedures = procedures.to_vec();
    if style.seed > 0 {
        let at = blanks.below(procedures.len());
        procedures.rotate_left(at);
    }
    let mut text = String::new();
    for (name, body) in procedures {
        text.push_str(name);
        text.push_str(blanks.next());
        text.push('{');
        items(body, &mut blanks, &mut text);
        text.push_str("}\n");
        text.push_str(blanks.next());
    }
    text
}

fn items(body: &Body, blanks: &mut Blanks, text: &mut String) {
    text.push_str(blanks.next());
    for item in body {
        match item {
            Item::Number(value) => text.push_str(&format!("{value:?}")),
            Item::Boolean(value) => text.push_str(&value.to_string()),
            Item::Name(name) => text.push_str(name),
            Item::Text(string) => {
                text.push('"');
                text.push_str(string);
                text.push('"');
            }
            Item::Block(block) => {
                text.push('{');
                items(block, blanks, text);
                text.push('}');
            }
        }
        text.push_str(blanks.next());
    }
}

/// Draws from a small generator; its zero always draws the first.
struct Blanks(u64);

impl Blanks {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d);
        (self.0 >> 33) as usize % limit.max(1)
    }

    fn next(&mut self) -> &'static str {
        BLANKS[self.below(BLANKS.len())]
    }
}
