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
    BeginNew,
    End,
    Define(usize, f64),
    Store(usize, usize, f64),
    Replace(usize, f64),
    Remove(usize, usize),
    Find(usize),
    Trust(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        // systemdict, the program's dictionary, and three others.
        (0usize..5).prop_map(Act::Begin),
        Just(Act::BeginNew),
        Just(Act::End),
        (0..NAMES.len(), 0.0..1.0).prop_map(|(name, value)| Act::Define(name, value)),
        (1usize..5, 0..NAMES.len(), 0.0..1.0).prop_map(|(at, name, value)| Act::Store(at, name, value)),
        (0..NAMES.len(), 0.0..1.0).prop_map(|(name, value)| Act::Replace(name, value)),
        (1usize..5, 0..NAMES.len()).prop_map(|(at, name)| Act::Remove(at, name)),
        (0..NAMES.len()).prop_map(Act::Find),
        (0..NAMES.len()).prop_map(Act::Trust),
    ];
    proptest::collection::vec(act, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    #[test]
    fn a_name_means_what_a_search_finds(acts in acts()) {
        let program = program();
        let mut heap = Heap::new(usize::MAX);
        let mut scope = Scope::new(&program, &mut heap);
        let mut dictionaries = scope.dictionaries().to_vec();
        dictionaries.extend([(); 3].map(|()| heap.new_dictionary()));
        let name = |at: usize| program.names().get(NAMES[at]).unwrap();
        let search = |scope: &Scope, heap: &Heap, at: usize| {
            let key = Key::name(name(at));
            scope.dictionaries().iter().rev().find_map(|id| heap.dictionary(*id).get(key))
        };
        let mut trusted = vec![None; NAMES.len()];
        for act in acts {
            match act {
                Act::Begin(at) => scope.begin(&mut heap, dictionaries[at]),
                Act::BeginNew => _ = scope.begin_new(&mut heap),
                Act::End => _ = scope.end(&mut heap),
                Act::Define(key, value) => {
                    let key = name(key);
                    if scope.current() != scope.system() && !scope.is_trusted(key) {
                        scope.define(&mut heap, key, Packed::number(value));
                    }
                }
                Act::Store(at, key, value) => {
                    let before = heap.dictionary(dictionaries[at]).entries().len();
                    let key = Key::name(name(key));
                    let is_new = scope.store(&mut heap, dictionaries[at], key, Packed::number(value));
                    prop_assert_eq!(is_new, heap.dictionary(dictionaries[at]).entries().len() > before);
                }
                Act::Replace(key, value) => {
                    let key = name(key);
                    let is_there = scope.replace(&mut heap, key, Packed::number(value));
                    let found = heap.dictionary(scope.current()).get(Key::name(key));
                    prop_assert!(!is_there || found == Some(Packed::number(value)));
                    prop_assert!(scope.current() != scope.system() || !is_there);
                }
                Act::Remove(at, key) => scope.remove(&mut heap, dictionaries[at], Key::name(name(key))),
                Act::Find(at) => {
                    let found = search(&scope, &heap, at);
                    prop_assert_eq!(scope.find(&heap, name(at)), found.unwrap_or(Packed::NOTHING));
                }
                Act::Trust(at) => {
                    if let Some(value) = scope.trusted(name(at)) {
                        trusted[at] = Some(value);
                    }
                }
            }
            while let Some(changed) = scope.take_changed() {
                trusted[NAMES.iter().position(|text| name_is(&program, changed, text)).unwrap()] = None;
            }
            for (at, value) in trusted.iter().enumerate() {
                prop_assert!(value.is_none() || value.map(Packed::from) == search(&scope, &heap, at), "code relies on what is not so");
            }
        }
    }
}

fn name_is(program: &Program, name: NameId, text: &str) -> bool {
    &**program.names().text(name) == text
}
