//! Bodies as link keeps them: the code, and what its fixups mean.
//!
//! Deliberately absent: the bytes that a store gave. What link needs of them is copied, once, many bodies to a piece of
//! memory.

use std::sync::Arc;

use super::names::Search;
use super::resolve::Definitions;
use crate::digest::FragmentDigest;
use crate::object::fixup::FixupKind;
use crate::object::fragment::Parts;
use crate::store::StoreError;
use crate::store::wire::lines;

/// Bodies that were read together. A large program has a million fixups: they would be slow to keep one by one.
#[derive(Default)]
pub(super) struct Chunk {
    bodies: Vec<Body>,
    code: Vec<u8>,
    /// What each fixup means: the number of a definition or operator; behind all of those, words of the chunk.
    targets: Vec<u32>,
    words: Vec<Word>,
}

/// A fragment in a chunk. What is its own begins where that of the body before ends.
struct Body {
    code_end: u32,
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

    /// The code of a body.
    pub(super) fn code(&self, body: u32) -> &[u8] {
        let (start, end) = self.range(body, |body| body.code_end);
        &self.code[start..end]
    }

    /// Looks at a body, so that it is near when it is needed. What it gives depends on all that was looked at.
    pub(super) fn touch(&self, body: u32) -> usize {
        let code = self.code(body);
        let bytes = [code.first(), code.last()].into_iter().flatten().map(|byte| usize::from(*byte));
        bytes.sum::<usize>() + self.touch_targets(body)
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

    /// Gives away the words that they refer to, each once.
    pub(super) fn take_words(&mut self) -> Vec<Word> {
        std::mem::take(&mut self.words)
    }
}

/// Makes a chunk of stored bodies.
pub(super) struct Decoder<'h, 'd> {
    definitions: &'d Definitions,
    chunk: Chunk,
    words: foldhash::HashMap<&'h str, u32>,
    /// Memory for the fixups of a body.
    fixups: Vec<(FixupKind, &'h str)>,
    searches: Vec<Search>,
}

impl<'h, 'd> Decoder<'h, 'd> {
    /// Makes room for so many bytes of bodies.
    pub(super) fn new(definitions: &'d Definitions, bytes: usize) -> Self {
        let chunk = Chunk { code: Vec::with_capacity(bytes), ..Chunk::default() };
        let words = foldhash::HashMap::default();
        Self { definitions, chunk, words, fixups: Vec::new(), searches: Vec::new() }
    }

    /// Checks a body and copies its code; of its fixups, only the words of which nothing is known. Gives its index.
    pub(super) fn add(&mut self, digest: FragmentDigest, body: &'h [u8]) -> Result<u32, StoreError> {
        let damaged = |reason| StoreError::Body { digest, reason };
        let fixups = std::mem::take(&mut self.fixups);
        let parts = Parts::reusing(fixups, body).map_err(|error| damaged(error.to_string()))?;
        let first = self.chunk.targets.len();
        self.resolve(&parts.fixups);
        let (targets, known) = (&self.chunk.targets[first..], self.definitions.known());
        let checked = lines::check(&parts, |index| (targets[index] as usize) < known);
        if let Err(reason) = checked {
            // What is the next body's begins where that of the last intact one ends.
            self.chunk.targets.truncate(first);
            return Err(damaged(reason));
        }
        self.chunk.code.extend_from_slice(parts.text);
        self.fixups = parts.fixups;
        let Chunk { bodies, code, targets, .. } = &mut self.chunk;
        bodies.push(Body { code_end: code.len() as u32, targets_end: targets.len() as u32 });
        Ok(bodies.len() as u32 - 1)
    }

    /// Adds what fixups mean.
    fn resolve(&mut self, fixups: &[(FixupKind, &'h str)]) {
        let Self { definitions, chunk, words, searches, .. } = self;
        searches.clear();
        searches.extend(fixups.iter().map(|(_, name)| definitions.search(name)));
        for ((kind, name), search) in fixups.iter().zip(searches) {
            let target = definitions.find(*search, name).unwrap_or_else(|| {
                let all = &mut chunk.words;
                let word = *words.entry(name).or_insert_with(|| {
                    all.push(Word { text: (*name).into(), kinds: [false; 2] });
                    all.len() as u32 - 1
                });
                all[word as usize].kinds[*kind as usize] = true;
                definitions.known() as u32 + word
            });
            chunk.targets.push(target);
        }
    }

    pub(super) fn finish(mut self) -> Chunk {
        let Chunk { bodies, code, targets, .. } = &mut self.chunk;
        // Chunks last: what was room for more is given back.
        bodies.shrink_to_fit();
        code.shrink_to_fit();
        targets.shrink_to_fit();
        self.chunk
    }
}
