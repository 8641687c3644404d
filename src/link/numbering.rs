//! Numbers the strings of a program in the order in which its code first uses them, as reading the listing would.
//!
//! Deliberately absent: the strings. They are spelled when all are known.

use std::sync::Arc;

use super::chunk::Word;
use super::resolve::Definitions;
use crate::isa::builtin::Builtin;

/// How a string is spelled.
pub(super) enum Spelling {
    /// As the name of a definition, by number.
    Definition(u32),
    /// As the name of an operator.
    Operator(Builtin),
    /// Like this.
    Word(Arc<str>),
}

/// What has a number so far. Most strings are looked up without a look at their text.
pub(super) struct Numbering {
    strings: Vec<Spelling>,
    definitions: Vec<Option<u32>>,
    operators: Vec<Option<u32>>,
    words: foldhash::HashMap<Arc<str>, u32>,
}

impl Numbering {
    /// For a program that could have so many definitions.
    pub(super) fn new(definitions: usize) -> Self {
        let [definitions, operators] = [definitions, 256].map(|count| vec![None; count]);
        Self { strings: Vec::new(), definitions, operators, words: foldhash::HashMap::default() }
    }

    /// The number of a definition's name.
    pub(super) fn definition(&mut self, number: u32) -> u32 {
        let known = &mut self.definitions[number as usize];
        *known.get_or_insert_with(|| add(&mut self.strings, Spelling::Definition(number)))
    }

    /// The number of an operator's name.
    pub(super) fn operator(&mut self, operator: Builtin) -> u32 {
        let known = &mut self.operators[operator as usize];
        *known.get_or_insert_with(|| add(&mut self.strings, Spelling::Operator(operator)))
    }

    /// The number of a word, which other chunks may have too.
    pub(super) fn word(&mut self, word: &mut Word) -> u32 {
        let (words, strings) = (&mut self.words, &mut self.strings);
        *word.number.get_or_insert_with(|| {
            let new = || add(strings, Spelling::Word(Arc::clone(&word.text)));
            *words.entry(Arc::clone(&word.text)).or_insert_with(new)
        })
    }

    /// The strings by number.
    pub(super) fn finish(self) -> Vec<Spelling> {
        self.strings
    }
}

fn add(strings: &mut Vec<Spelling>, new: Spelling) -> u32 {
    strings.push(new);
    strings.len() as u32 - 1
}

impl Spelling {
    /// The string.
    pub(super) fn text(&self, definitions: &Definitions<'_>) -> Arc<str> {
        match self {
            Self::Definition(number) => Arc::clone(definitions.get(*number).definition.name.shared()),
            Self::Operator(operator) => operator.name().into(),
            Self::Word(text) => Arc::clone(text),
        }
    }
}
