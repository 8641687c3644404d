//! Bodies as link keeps them: the code, and what its fixups mean.
//!
//! Deliberately absent: the bytes that a store gave. What link needs of them is copied, once, many bodies to a piece of
//! memory.

use std::mem;
use std::sync::Arc;

use super::names::Search;
use super::resolve::Definitions;
use crate::digest::FragmentDigest;
use crate::isa::codec::Checker;
use crate::object::fixup::FixupKind;
use crate::object::fragment::{BodyError, Parts, is_each_once};
use crate::store::StoreError;
use crate::store::wire::executable::image;
use crate::store::wire::lines;

/// Bodies that were read together. A large program has a million fixups: they would be slow to keep one by one.
#[derive(Default)]
pub(super) struct Chunk {
    bodies: Vec<Body>,
    /// Their code, each as the section that it becomes.
    sections: Vec<u8>,
    /// What each fixup means: the number of a definition or operator; behind all of those, words of the chunk.
    targets: Vec<u32>,
    words: Vec<Word>,
}

/// A fragment in a chunk. What is its own begins where that of the body before ends.
struct Body {
    section_end: u32,
    targets_end: u32,
}

/// A text that nothing known has for a name.
pub(super) struct Word {
    pub text: Arc<str>,
    /// How it is used, by kind of fixup.
    pub kinds: [bool; 2],
}

impl Chunk {
    /// What the fixups of a body mean, by index.
    pub(super) fn targets(&self, body: u32) -> &[u32] {
        let (start, end) = self.range(body, |body| body.targets_end);
        &self.targets[start..end]
    }

    /// The same, to be changed.
    pub(super) fn targets_mut(&mut self, body: u32) -> &mut [u32] {
        let (start, end) = self.range(body, |body| body.targets_end);
        &mut self.targets[start..end]
    }

    /// The section that a body becomes, with indices of fixups for operands.
    pub(super) fn section(&self, body: u32) -> &[u8] {
        let (start, end) = self.range(body, |body| body.section_end);
        &self.sections[start..end]
    }

    /// Looks at a body, so that it is near when it is needed. What it gives depends on all that was looked at.
    pub(super) fn touch(&self, body: u32) -> usize {
        // As much as the processor fetches at once.
        let bytes = self.section(body).iter().step_by(64).map(|byte| usize::from(*byte));
        bytes.sum::<usize>().wrapping_add(self.touch_targets(body))
    }

    /// Looks at the targets of a body only.
    pub(super) fn touch_targets(&self, body: u32) -> usize {
        let targets = [self.targets(body).first(), self.targets(body).last()].into_iter().flatten();
        targets.map(|target| *target as usize).fold(0, usize::wrapping_add)
    }

    /// What is a body's own begins where that of the body before ends.
    fn range(&self, body: u32, end: impl Fn(&Body) -> u32) -> (usize, usize) {
        let before = (body as usize).checked_sub(1).map(|before| &self.bodies[before]);
        (before.map_or(0, |before| end(before) as usize), end(&self.bodies[body as usize]) as usize)
    }

    /// The word that a target is, where so many names are known.
    fn word(&self, known: usize, target: u32) -> Option<&Word> {
        self.words.get((target as usize).checked_sub(known)?)
    }

    /// The index of a word, which is noted when it is new.
    fn add<'h>(
        &mut self,
        words: &mut foldhash::HashMap<&'h [u8], u32>,
        kind: FixupKind,
        word: &'h [u8],
    ) -> Result<u32, BodyError> {
        let index = match words.get(word) {
            Some(index) => *index,
            None => {
                let text = str::from_utf8(word).map_err(|_| BodyError)?.into();
                self.words.push(Word { text, kinds: [false; 2] });
                *words.entry(word).or_insert(self.words.len() as u32 - 1)
            }
        };
        self.words[index as usize].kinds[kind as usize] = true;
        Ok(index)
    }

    /// Gives away the words that they refer to, each once.
    pub(super) fn take_words(&mut self) -> Vec<Word> {
        mem::take(&mut self.words)
    }
}

/// Makes a chunk of stored bodies.
pub(super) struct Decoder<'h, 'd> {
    definitions: &'d Definitions,
    chunk: Chunk,
    words: foldhash::HashMap<&'h [u8], u32>,
    /// Memory for the fixups of a body, and for what is done with them.
    fixups: Vec<(FixupKind, &'h [u8])>,
    searches: Vec<Search>,
    /// Twice the target of each fixup of a body, and one more for a string.
    meant: Vec<u32>,
    checker: Checker,
}

impl<'h, 'd> Decoder<'h, 'd> {
    /// Makes room for so many bytes of bodies.
    pub(super) fn new(definitions: &'d Definitions, bytes: usize) -> Self {
        Self {
            definitions,
            chunk: Chunk { sections: Vec::with_capacity(bytes), ..Chunk::default() },
            words: foldhash::HashMap::default(),
            fixups: Vec::new(),
            searches: Vec::new(),
            meant: Vec::new(),
            checker: Checker::default(),
        }
    }

    /// Checks a body and copies its code; of its fixups, only the words of which nothing is known. Gives its index.
    pub(super) fn add(&mut self, digest: FragmentDigest, body: &'h [u8]) -> Result<u32, StoreError> {
        let damaged = |reason| StoreError::Body { digest, reason };
        let odd = |error: BodyError| damaged(error.to_string());
        let parts = Parts::found(mem::take(&mut self.fixups), body).map_err(odd)?;
        self.resolve(&parts.fixups).map_err(odd)?;
        let Self { definitions, chunk, meant, checker, .. } = self;
        let fixup = |index: usize| {
            let kind = if meant[index] & 1 == 0 { FixupKind::Strong } else { FixupKind::Weak };
            (kind, chunk.word(definitions.known(), meant[index] >> 1).map(|word| &*word.text))
        };
        lines::check(checker, parts.text, meant.len(), fixup).map_err(damaged)?;
        let Chunk { bodies, sections, targets, .. } = chunk;
        targets.extend(meant.iter().map(|meant| meant >> 1));
        image::push_section(sections, &digest, parts.text);
        self.fixups = parts.fixups;
        bodies.push(Body { section_end: sections.len() as u32, targets_end: targets.len() as u32 });
        Ok(bodies.len() as u32 - 1)
    }

    /// Finds what fixups mean. What has a meaning is UTF-8, and no other text has it.
    fn resolve(&mut self, fixups: &[(FixupKind, &'h [u8])]) -> Result<(), BodyError> {
        let Self { definitions, chunk, words, searches, meant, .. } = self;
        definitions.search(fixups.iter().map(|(_, name)| *name), searches);
        meant.clear();
        for ((kind, name), search) in fixups.iter().zip(searches) {
            let target = match definitions.find(*search, name) {
                Some(known) => known,
                None => definitions.known() as u32 + chunk.add(words, *kind, name)?,
            };
            meant.push(target << 1 | *kind as u32);
        }
        if is_each_once(meant) { Ok(()) } else { Err(BodyError) }
    }

    pub(super) fn finish(mut self) -> Chunk {
        let Chunk { bodies, sections, targets, .. } = &mut self.chunk;
        // Chunks last: what was room for more is given back.
        bodies.shrink_to_fit();
        sections.shrink_to_fit();
        targets.shrink_to_fit();
        self.chunk
    }
}
