//! An optimised program does what it does without: it writes the same, and fails with the same error at the same place.

use proptest::prelude::*;
use toy::compile::{Known, LineTables, Optimization, Options};
use toy::isa::builtin::Builtin;
use toy::isa::codec::Decoder;
use toy::object::compilation::Compilation;
use toy::source::{Position, SourceFile};
use toy::store::Repository;
use toy::vm::machine::{self, Limits, Machine, Stop, Streams};
use toy::vm::program::Program;
use toy::vm::trap::ErrorName;

use crate::kit::{cases, everything, link, tickets};
use crate::program::{Body, Item, PROCEDURES, spell, style, working_body};

/// All operators, but for those that can tell how a program was compiled, or change what operators mean.
fn operators() -> Vec<&'static str> {
    let telling = [Builtin::CountExecStack, Builtin::CurrentTrace, Builtin::SystemDict, Builtin::Trace];
    Builtin::ALL
        .iter()
        .filter(|operator| !telling.contains(operator))
        .map(|operator| operator.name())
        .collect()
}

/// What running a program has shown.
#[derive(Debug)]
struct Seen {
    output: Vec<u8>,
    error: Option<ErrorName>,
    /// What failed, and where; not of what has a block in place, which is at the block then.
    failed: Option<(String, Position)>,
}

const IN_PLACE: [&str; 5] = ["if", "ifelse", "for", "repeat", "loop"];

fn run(text: &str, optimization: Optimization) -> Seen {
    let repository = Repository::in_memory();
    let sources = [SourceFile { name: "main.toy".into(), text: text.into() }];
    let options = Options { line_tables: LineTables::With, known: Known::Reuse, optimization };
    let compiled = toy::compile::compile(&repository, &sources, options).unwrap();
    let linked = link(&repository, &tickets(&compiled)).unwrap();
    let program = Program::load(&linked).unwrap();
    let limits = Limits { max_steps: Some(5000), max_stack: 20_000, max_memory: 1_000_000 };
    let options = machine::Options { limits, ..machine::Options::default() };
    let mut machine = Machine::new(&program, program.entries()[0], &options);
    let (mut output, mut trace) = (Vec::new(), Vec::new());
    let mut streams = Streams { input: &mut &b"a line\n"[..], output: &mut output, trace: &mut trace };
    let trap = match machine.run(&mut streams) {
        Ok(()) => None,
        Err(Stop::Trap(trap)) => Some(trap),
        Err(other) => panic!("{other}"),
    };
    let all = everything(&repository);
    assert_tables(&all.compilations[0], &repository);
    let failed = trap.as_ref().filter(|trap| !IN_PLACE.contains(&&*trap.operator)).map(|trap| {
        let call = trap.place().unwrap();
        let definitions = all.compilations[0].definitions();
        let definition = definitions.iter().find(|definition| definition.name == call.symbol).unwrap();
        (trap.operator.to_string(), definition.lines.as_ref().unwrap().rows()[call.ordinal as usize])
    });
    Seen { output, error: trap.map(|trap| trap.error), failed }
}

/// Every instruction has its place.
fn assert_tables(compilation: &Compilation, repository: &Repository) {
    let view = repository.read().unwrap();
    for definition in compilation.definitions() {
        let Some(toy::store::Entry::Present(body)) = view.fragment(&definition.fragment).unwrap() else {
            panic!()
        };
        let instructions = Decoder::new(body.parts().unwrap().text).count();
        assert_eq!(definition.lines.as_ref().unwrap().rows().len(), instructions);
    }
}

/// A program whose `main` has operands for each of several bodies, and shows what they leave unless they fail.
fn bodies() -> impl Strategy<Value = [Body; 3]> {
    let body = || working_body(operators());
    (body(), body(), prop::collection::vec(body(), 1..6)).prop_map(|(p0, p1, parts)| {
        let name = |name: &str| Item::Name(name.to_owned());
        let text = |text: &str| Item::Text(text.to_owned());
        let define = [
            text("x"),
            Item::Number(5.0),
            name("def"),
            text("y"),
            Item::Block(vec![name("dup")]),
            name("def"),
        ];
        let show = |part| {
            let operands = [7.0, 2.0, -3.0, 1.0, 4.0, 2.0].map(Item::Number);
            let failed = Item::Block(vec![text("failed"), name("print")]);
            let left = Item::Block(vec![name("stack")]);
            let after = [Item::Block(part), name("stopped"), failed, left, name("ifelse"), name("clear")];
            [&operands[..], &after].concat()
        };
        [p0, p1, [define.to_vec(), parts.into_iter().flat_map(show).collect()].concat()]
    })
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn nothing_can_tell_that_a_program_is_optimized(bodies in bodies(), style in style()) {
        let procedures = PROCEDURES.into_iter().zip(&bodies).collect::<Vec<_>>();
        let text = spell(&procedures, &style);
        let [plain, optimized] = [Optimization::Without, Optimization::With].map(|with| run(&text, with));
        // Without optimisation it takes more steps to come as far.
        if plain.error == Some(ErrorName::LimitCheck) {
            prop_assert!(optimized.output.starts_with(&plain.output), "{}", text);
            return Ok(());
        }
        prop_assert_eq!(&optimized.output, &plain.output, "{}", text);
        prop_assert_eq!(optimized.error, plain.error, "{}", text);
        prop_assert_eq!(optimized.failed, plain.failed, "{}", text);
    }
}
