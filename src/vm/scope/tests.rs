//! The meaning kept beside each name against a search of the dictionary stack.

use proptest::prelude::*;

use super::*;
use crate::digest::{CompilationId, FragmentDigest, Hasher};
use crate::name::Name;
use crate::object::executable::{Executable, Section, Symbol};

/// A program with the procedures `add` and `f`, and the string `x`.
fn program() -> Program {
    let digest = Hasher::new("test", 1).finish();
    let symbol = |name: &str| Symbol {
        name: Name::new(name).unwrap(),
        section: 0,
        compilation: CompilationId::new(digest),
    };
    let sections = vec![Section { fragment: FragmentDigest::new(digest), text: Vec::new() }];
    let symbols = vec![symbol("add"), symbol("f")];
    let executable =
        Executable { entries: vec![symbols[1].name.clone()], symbols, sections, strings: vec!["x".into()] };
    Program::load(&executable).unwrap()
}

const NAMES: [&str; 4] = ["add", "sub", "f", "x"];

#[derive(Debug, Clone)]
enum Act {
    Begin(usize),
    End,
    Define(usize, f64),
    Find(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        // systemdict, the program's dictionary, and three others.
        (0usize..5).prop_map(Act::Begin),
        Just(Act::End),
        (0..NAMES.len(), 0.0..1.0).prop_map(|(name, value)| Act::Define(name, value)),
        (0..NAMES.len()).prop_map(Act::Find),
    ];
    proptest::collection::vec(act, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_name_means_what_a_search_finds(acts in acts()) {
        let program = program();
        let mut heap = Heap::new();
        let mut scope = Scope::new(&program, &mut heap);
        let mut dictionaries = scope.dictionaries().to_vec();
        dictionaries.extend([(); 3].map(|()| heap.allocate()));
        let name = |at: usize| program.names().get(NAMES[at]).unwrap();
        for act in acts {
            match act {
                Act::Begin(at) => scope.begin(dictionaries[at], &program),
                Act::End => _ = scope.end(),
                Act::Define(..) if scope.current() == scope.system() => {}
                Act::Define(at, value) => scope.define(&mut heap, Value::String(name(at)), Value::Number(value)),
                Act::Find(at) => {
                    let key = Key::from(Value::String(name(at)));
                    let found = scope.dictionaries().iter().rev().find_map(|id| heap.get(*id).get(key));
                    prop_assert_eq!(scope.find(&heap, name(at)), found);
                }
            }
        }
    }
}
