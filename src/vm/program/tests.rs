//! What loading accepts and refuses.

use super::*;
use crate::digest::{CompilationId, FragmentDigest, Hasher};
use crate::isa::codec::encode;
use crate::object::executable::Symbol;

fn section(instructions: &[Instruction]) -> Section {
    let mut text = Vec::new();
    instructions.iter().for_each(|instruction| encode(*instruction, &mut text));
    Section { fragment: FragmentDigest::new(Hasher::new("test", 1).finish()), text }
}

fn symbol(name: &str, section: u32) -> Symbol {
    let compilation = CompilationId::new(Hasher::new("test", 1).finish());
    Symbol { name: Name::new(name).unwrap(), section, compilation }
}

/// `a { "x" { } }` and `main { "y" print }`.
fn executable() -> Executable {
    let [a, main] = [
        section(&[Instruction::String(0), Instruction::Block(0)]),
        section(&[Instruction::String(1), Instruction::Call(2)]),
    ];
    Executable {
        entries: vec![Name::new("main").unwrap()],
        symbols: vec![symbol("a", 0), symbol("main", 1)],
        sections: vec![a, main],
        strings: ["x", "y", "print"].map(Arc::from).to_vec(),
    }
}

fn refusal(change: impl FnOnce(&mut Executable)) -> LoadError {
    let mut executable = executable();
    change(&mut executable);
    Program::load(&executable).unwrap_err()
}

#[test]
fn a_loaded_program_has_its_symbols_and_instructions() {
    let program = Program::load(&executable()).unwrap();
    let main = program.symbol("main").unwrap();
    assert_eq!(program.entries(), [main]);
    assert_eq!(program.symbol("b"), None);
    assert_eq!((program.symbol_name(main).as_str(), program.symbol_section(main)), ("main", 1));
    let &[Instruction::String(y), Instruction::Call(print)] = program.instructions(main) else { panic!() };
    assert_eq!((&**program.operand(y), &**program.operand(print)), ("y", "print"));
    assert_eq!(program.instructions(program.symbol("a").unwrap()).len(), 2);
}

#[test]
fn damage_is_refused_with_its_place() {
    let error = DecodeError::Short { at: 0 };
    let cut = refusal(|executable| executable.sections[1].text.truncate(3));
    assert_eq!(cut, LoadError::Code { section: 1, error });

    let error = DecodeError::Index { ordinal: 1, index: 2 };
    let short_table = refusal(|executable| executable.strings.truncate(2));
    assert_eq!(short_table, LoadError::Code { section: 1, error });

    let no_name = refusal(|executable| executable.strings[2] = "no name".into());
    assert_eq!(no_name, LoadError::Call { section: 1, ordinal: 1, text: "no name".to_owned() });

    let name = |text| Name::new(text).unwrap();
    let no_section = refusal(|executable| executable.symbols[0].section = 2);
    assert_eq!(no_section, LoadError::Section { name: name("a"), section: 2 });

    let disorder = refusal(|executable| executable.symbols.reverse());
    assert_eq!(disorder, LoadError::Order { name: name("a") });

    let twice = refusal(|executable| executable.symbols[1] = symbol("a", 1));
    assert_eq!(twice, LoadError::Order { name: name("a") });

    let no_symbol = refusal(|executable| executable.entries.push(name("b")));
    assert_eq!(no_symbol, LoadError::Entry { name: name("b") });

    assert_eq!(refusal(|executable| executable.entries.clear()), LoadError::NoEntry);
}
