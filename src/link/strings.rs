//! Numbers the strings of a program in the order in which its code first uses them, as reading the listing would.

use std::sync::Arc;

use super::chunk::Word;
use super::resolve::Definitions;
use crate::object::fixup::FixupKind;

/// What has a number so far. What a string means tells most of them apart without a look at their text.
pub(super) struct Strings {
    /// The meanings by number of string: definitions and operators, and behind all of those words.
    meanings: Vec<u32>,
    /// The number of strings when each got its own, by meaning; none has it where it is 0.
    counts: Vec<u32>,
    /// How many definitions and operators there are.
    known: usize,
    words: Vec<Word>,
    indices: foldhash::HashMap<Arc<str>, u32>,
}

impl Strings {
    /// No strings, in a program in which so many names have a meaning.
    pub(super) fn new(known: usize) -> Self {
        let (meanings, counts) = (Vec::with_capacity(known), vec![0; known]);
        Self { meanings, counts, known, words: Vec::new(), indices: foldhash::HashMap::default() }
    }

    /// Notes words without giving them numbers. Gives the meaning of each.
    pub(super) fn add(&mut self, words: Vec<Word>) -> Vec<u32> {
        words.into_iter().map(|word| self.known as u32 + self.index(word)).collect()
    }

    fn index(&mut self, word: Word) -> u32 {
        let index = *self.indices.entry(Arc::clone(&word.text)).or_insert(self.words.len() as u32);
        match self.words.get_mut(index as usize) {
            Some(known) => (0..2).for_each(|kind| known.kinds[kind] |= word.kinds[kind]),
            None => {
                self.words.push(word);
                self.counts.push(0);
            }
        }
        index
    }

    /// The number of the string with a meaning, and whether it is new.
    pub(super) fn number(&mut self, meaning: u32) -> (u32, bool) {
        let count = &mut self.counts[meaning as usize];
        let is_new = *count == 0;
        if is_new {
            self.meanings.push(meaning);
            *count = self.meanings.len() as u32;
        }
        (*count - 1, is_new)
    }

    /// The meanings by number of string.
    pub(super) fn meanings(&self) -> &[u32] {
        &self.meanings
    }

    /// The text of a string that means something.
    pub(super) fn text<'s>(&'s self, definitions: &'s Definitions, meaning: u32) -> &'s str {
        match self.word(meaning) {
            Some(word) => &word.text,
            None => definitions.name(meaning),
        }
    }

    /// Whether any word is missing.
    pub(super) fn has_missing(&self) -> bool {
        self.words.iter().any(Word::is_missing)
    }

    /// The text with a number, if it is a word that code executes and no code has for a string.
    pub(super) fn missing(&self, number: u32) -> Option<&Arc<str>> {
        let word = self.word(*self.meanings.get(number as usize)?)?;
        word.is_missing().then_some(&word.text)
    }

    fn word(&self, meaning: u32) -> Option<&Word> {
        self.words.get((meaning as usize).checked_sub(self.known)?)
    }
}

impl Word {
    /// Whether code executes it, and none has it for a string, with which it could be defined at run time.
    fn is_missing(&self) -> bool {
        self.kinds[FixupKind::Strong as usize] && !self.kinds[FixupKind::Weak as usize]
    }
}
