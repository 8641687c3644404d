//! Native code does what the interpreter does: programs made at random, of what programs are made of, with limits that
//! are met anywhere.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use proptest::prelude::*;
use toy::compile::{self, Known, LineTables, Optimization};
use toy::link::{self, Unresolved};
use toy::name::Name;
use toy::object::executable::Executable;
use toy::source::SourceFile;
use toy::store::Repository;
use toy::vm::machine::{Limits, Machine, Native, Options, Stop, Streams};
use toy::vm::program::Program;

/// What comes before all: objects that are shared, and every name as a key of a dictionary that was begun.
const BEGINNING: &str = r#"
buffer { "buffer_" load }
half { 2 div }
f { dict begin "x" exch def "y" x 1 add def x y add end }
g { dict begin "a" exch def a 0 gt { a 1 sub g 1 add } { "b" 7 def b } ifelse end }
p { x }
s { dict begin "y" exch def "x" 0 def 1 1 y { "n" exch def "x" x n add def n 2 gt { "c" x store exit } if } for x end }
t { dict begin "y" exch def "x" exch def x 0 gt { "a" x 1 sub y t def x 1 eq { "b" y store } if a x add } { y } ifelse end }
begun { dict begin "a" 1 def "b" 2 def "c" 3 def "x" 4 def "y" 5 def "n" 6 def end }
"#;

const OBJECTS: &str = r#"
    begun
    "a" 1 def "b" 2 def "c" 3 def "x" 4 def "n" 5 def
    "buffer_" 12 string def
    "array_" [ 1 2 3 "s" 5 ] def
    "object" dict def
    "table" dict def
    object "x" 1 put object "a" 2 put object "p" { x 1 add } put
    "alias" object def
    "k" "x" def
"#;

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "x", "y", "n"])
}

/// Code that pushes a key for a table: numbers near and far, and texts, some of which change.
fn key() -> impl Strategy<Value = String> {
    let keys = ["0", "1", "2", "7", "39", "40", "41", "-1", "-0.0", "0.5", "1e9", "\"a\"", "buffer"];
    prop_oneof![
        4 => prop::sample::select(keys.to_vec()).prop_map(str::to_owned),
        1 => name().prop_map(|name| format!("\"{name}\"")),
        1 => name().prop_map(str::to_owned),
        1 => Just("buffer 0 3 getinterval".to_owned()),
    ]
}

/// Numbers where something ends: what is whole, what is exact, and what has a sign.
fn number() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "-0.0",
        "7",
        "10",
        "64",
        "-3",
        "1000003",
        "2.5",
        "-0.5",
        "2147483647",
        "2147483648",
        "-2147483649",
        "1e15",
        "1125899906842623",
        "-1125899906842625",
        "9007199254740991",
        "-9007199254740993",
        "4e18",
    ])
}

/// Operators on two numbers.
fn of_two() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["sub", "mul", "add", "mod", "idiv", "div", "and", "xor", "bitshift"])
}

/// Operators on a number.
fn of_one() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["neg", "abs", "sqrt", "cvi", "floor", "ceiling", "round", "truncate", "not"])
}

/// Code that pushes any value, to be compared.
fn any() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => value(),
        2 => number().prop_map(str::to_owned),
        1 => name().prop_map(|name| format!("\"{name}\"")),
        3 => prop::sample::select(vec![
            "null", "true", "{ 1 }", "array_", "array_ 0 5 getinterval", "object", "alias", "buffer", "\"ab\"",
            "\"p\" load", "mark", "\"abc\" 0 1 getinterval",
        ]).prop_map(str::to_owned),
    ]
}

/// Loops that change numbers on the operand stack; the number that is pushed is taken, and another pushed.
fn counting() -> impl Strategy<Value = String> {
    let turn = || {
        prop_oneof![
            (number(), of_two()).prop_map(|(number, operator)| format!("{number} {operator}")),
            (name(), of_two()).prop_map(|(name, operator)| format!("{name} {operator}")),
            of_one().prop_map(str::to_owned),
            Just("dup 2 mod 0 eq { 2 idiv } { 3 mul 1 add } ifelse".to_owned()),
            Just("dup 4 gt { pop 1 } if".to_owned()),
            name().prop_map(|name| format!("dup \"{name}\" exch def")),
            name().prop_map(|name| format!("array_ {name} 4 mod get add")),
        ]
    };
    let body = (turn(), turn()).prop_map(|(a, b)| format!("{a} {b}"));
    let count = prop::sample::select(vec!["4", "9", "30"]);
    let step = prop::sample::select(vec!["1 1", "1 2", "9 -1", "9 -3", "0 0.5", "-2 1", "0.5 1", "-0.0 1"]);
    let limit = prop::sample::select(vec!["5", "5.5", "-0.5", "-3", "x", "x sqrt", "1e18"]);
    prop_oneof![
        (body.clone(), count.clone()).prop_map(|(body, count)| format!("{count} {{ {body} }} repeat")),
        (body.clone(), step.clone(), of_two())
            .prop_map(|(body, step, of)| format!("{step} 7 {{ {of} {body} }} for")),
        (body.clone(), step, limit).prop_map(|(body, step, limit)| {
            format!("{step} {limit} {{ 12 gt {{ exit }} if {body} }} for")
        }),
        (body, count).prop_map(|(body, count)| {
            format!("0 {{ 1 add dup {count} gt {{ pop exit }} if exch {body} exch }} loop")
        }),
    ]
}

/// Code that pushes one value, most likely a number.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => prop::sample::select(vec!["0", "1", "2", "3", "-1", "0.5", "1e308"]).prop_map(str::to_owned),
        1 => number().prop_map(str::to_owned),
        6 => name().prop_map(str::to_owned),
        1 => name().prop_map(|name| format!("\"{name}\" load")),
        1 => name().prop_map(|name| format!("object \"{name}\" get")),
        2 => prop::sample::select(vec!["object k get", "alias k get", "alias k known { 1 } { 2 } ifelse"])
            .prop_map(str::to_owned),
        1 => name().prop_map(|name| format!("object \"{name}\" get null eq {{ 1 }} {{ 2 }} ifelse")),
        1 => Just("array_ 1 get".to_owned()),
        1 => Just("buffer 0 get".to_owned()),
        1 => Just("object begin \"p\" load exec end".to_owned()),
        1 => Just("buffer 1 3 getinterval length".to_owned()),
        1 => Just("currentdict length".to_owned()),
        2 => key().prop_map(|key| format!("table {key} get")),
        1 => key().prop_map(|key| format!("table {key} known {{ 1 }} {{ 2 }} ifelse")),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b} add")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b} mul")),
            (inner.clone(), inner.clone(), of_two())
                .prop_map(|(a, b, operator)| format!("{a} {b} {operator}")),
            (inner.clone(), number(), of_two()).prop_map(|(a, b, operator)| format!("{a} {b} {operator}")),
            (inner.clone(), of_one()).prop_map(|(a, operator)| format!("{a} {operator}")),
            inner.clone().prop_map(|a| format!("{a} half")),
            inner.clone().prop_map(|a| format!("{a} f")),
            inner.clone().prop_map(|a| format!("{a} g")),
            inner.clone().prop_map(|a| format!("{a} s")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{a} {b} t")),
        ]
    })
}

/// Code that leaves the operand stack as it is, most likely.
fn statement() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        8 => (name(), value()).prop_map(|(name, value)| format!("\"{name}\" {value} def")),
        2 => (name(), value()).prop_map(|(name, value)| format!("{value} \"{name}\" exch def")),
        1 => (name(), value()).prop_map(|(name, value)| format!("\"{name}\" {{ {value} }} def")),
        3 => (name(), value()).prop_map(|(name, value)| format!("\"{name}\" {value} store")),
        1 => name().prop_map(|name| format!("\"k\" \"{name}\" def")),
        1 => name().prop_map(|name| format!("\"k\" \"{name}\" store")),
        2 => value().prop_map(|value| format!("alias k {value} put")),
        1 => value().prop_map(|value| format!("object k {value} put")),
        1 => (name(), value()).prop_map(|(name, value)| format!("object \"{name}\" {value} put")),
        1 => Just("currentdict { pop write } forall".to_owned()),
        1 => Just("\"a\" null def".to_owned()),
        2 => (name(), value()).prop_map(|(name, value)| format!("alias \"{name}\" {value} put")),
        1 => name().prop_map(|name| format!("currentdict \"{name}\" undef")),
        1 => name().prop_map(|name| format!("alias \"{name}\" known pop")),
        2 => Just("\"alias\" currentdict def".to_owned()),
        1 => name().prop_map(|name| format!("\"{name}\" where {{ \"alias\" exch def }} if")),
        1 => value().prop_map(|value| format!("buffer 1 {value} put")),
        3 => (key(), value()).prop_map(|(key, value)| format!("table {key} {value} put")),
        1 => key().prop_map(|key| format!("table {key} undef")),
        1 => Just("0 1 40 { table exch dup put } for".to_owned()),
        1 => value().prop_map(|value| format!("table {value} 20 string cvs 7 put")),
        1 => value().prop_map(|value| format!("{value} buffer cvs pop")),
        1 => value().prop_map(|value| format!("buffer {value} \"xy\" putinterval")),
        1 => value().prop_map(|value| format!("buffer {value} 2 getinterval pop")),
        1 => Just("\"a b c\" \" \" search { pop pop pop } { pop } ifelse".to_owned()),
        1 => Just("10 array 5 string pop pop".to_owned()),
        2 => value().prop_map(|value| format!("{value} print")),
        3 => (value(), counting(), name()).prop_map(|(value, counting, name)| {
            format!("{value} {counting} \"{name}\" exch def")
        }),
        2 => (any(), any(), prop::sample::select(vec!["eq", "ne"])).prop_map(|(a, b, operator)| {
            format!("{a} {b} {operator} print")
        }),
        1 => Just("stop".to_owned()),
        1 => Just("exit".to_owned()),
        1 => Just("end".to_owned()),
        1 => Just("pop".to_owned()),
        1 => Just("\"half\" { 3 mul } def".to_owned()),
        1 => Just("\"add\" { sub } def".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let part = proptest::collection::vec(inner, 1..4).prop_map(|parts| parts.join(" "));
        prop_oneof![
            3 => part.clone().prop_map(|part| format!("dict begin {part} end")),
            1 => part.clone().prop_map(|part| format!("object begin {part} end")),
            1 => part.clone().prop_map(|part| format!("dict begin {part} currentdict end \"object\" exch def")),
            2 => (value(), part.clone(), part.clone())
                .prop_map(|(value, a, b)| format!("{value} 2 gt {{ {a} }} {{ {b} }} ifelse")),
            1 => part.clone().prop_map(|part| format!("{{ {part} }} exec")),
            1 => part.clone().prop_map(|part| format!("3 {{ {part} }} repeat")),
            1 => part.clone().prop_map(|part| format!("0 1 3 {{ \"n\" exch def {part} }} for")),
            1 => part.clone().prop_map(|part| format!("0 {{ 1 add dup 4 gt {{ exit }} if {part} }} loop pop")),
            2 => part.clone().prop_map(|part| format!("array_ {{ \"n\" exch def {part} }} forall")),
            1 => part.clone().prop_map(|part| format!("[ 1 2 3 ] {{ \"n\" exch def {part} }} forall")),
            1 => part.clone().prop_map(|part| format!("buffer {{ \"n\" exch def {part} }} forall")),
            1 => part.clone().prop_map(|part| format!("\"text\" {{ \"n\" exch def {part} }} forall")),
            1 => part.clone().prop_map(|part| format!("object {{ \"n\" exch def pop {part} }} forall")),
            3 => part.prop_map(|part| format!("{{ {part} }} stopped {{ \"n\" 1 def }} if")),
        ]
    })
}

fn program() -> impl Strategy<Value = String> {
    let part = || proptest::collection::vec(statement(), 1..5).prop_map(|parts| parts.join("\n    "));
    (part(), part(), value()).prop_map(|(h, main, end)| {
        format!("{BEGINNING}h {{ {h} }}\nmain {{ {OBJECTS} 9 {{ {main} h }} repeat {end} print stack }}\n")
    })
}

fn link(source: &str, optimization: Optimization) -> Executable {
    let repository = Repository::in_memory();
    let sources = [SourceFile { name: "main.toy".into(), text: source.into() }];
    let options = compile::Options { line_tables: LineTables::Without, known: Known::Reuse, optimization };
    let mut compiled = compile::compile(&repository, &sources, options).unwrap();
    let unit = compiled.units.remove(0).unwrap();
    let inputs = [link::Input { origin: "main.to".into(), ticket: unit.ticket }];
    let entries = Name::new("main").into_iter().collect();
    let options = link::Options { entries, unresolved: Unresolved::Ignore, map: false };
    link::link(&*repository.read().unwrap(), &inputs, &options).unwrap().image.executable().unwrap()
}

/// What it writes, how it ends, how many steps it makes, and what is left on the operand stack.
fn outcome(
    program: &Program,
    limits: Limits,
    native: Native,
    slice: u64,
) -> (String, String, u64, Vec<String>) {
    let options = Options { limits, native, ..Options::default() };
    let mut machine = Machine::new(program, program.entries()[0], &options);
    let (mut output, mut trace) = (Vec::new(), Vec::new());
    let mut streams = Streams { input: &mut &b""[..], output: &mut output, trace: &mut trace };
    let stop = loop {
        match machine.run_for(slice, &mut streams) {
            Ok(toy::vm::machine::Status::Running) => {}
            Ok(toy::vm::machine::Status::Done) => break String::new(),
            Err(Stop::Trap(trap)) => break trap.summary(),
            Err(other) => break other.to_string(),
        }
    };
    let operands = machine.operands().iter().map(|value| machine.text(value.unpack()).brief()).collect();
    (String::from_utf8_lossy(&output).into_owned(), stop, machine.steps(), operands)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 300, ..ProptestConfig::default() })]
    #[test]
    fn native_code_does_what_the_interpreter_does(
        source in program(),
        steps in prop_oneof![3 => Just(20_000u64), 1 => 50u64..3000],
        max_memory in prop_oneof![3 => Just(1_000_000usize), 1 => 1_000usize..6_000],
        max_stack in prop_oneof![3 => Just(500usize), 1 => 10usize..40],
    ) {
        let limits = || Limits { max_steps: Some(steps), max_stack, max_memory };
        for optimization in [Optimization::Without, Optimization::With] {
            let executable = link(&source, optimization);
            let program = Program::load(&executable).unwrap();
            let interpreted = outcome(&program, limits(), Native::Never, u64::MAX);
            for (native, slice) in [(Native::Always, u64::MAX), (Native::Auto, u64::MAX), (Native::Always, 333)] {
                prop_assert_eq!(&interpreted, &outcome(&program, limits(), native, slice), "{}", source);
            }
        }
    }
}
