//! Bodies as link keeps them: the code, and what its fixups mean.
//!
//! Deliberately absent: the bytes that a store gave. What link needs of them is copied, once, many bodies to a piece of
//! memory.

use std::sync::Arc;

use super::resolve::{Definitions, Meaning};
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
    targets: Vec<Target>,
    /// The numbers of the definitions among the targets, which a walk follows.
    callees: Vec<u32>,
    words: Vec<Word>,
}

/// A fragment in a chunk. What is its own begins where that of the body before ends.
struct Body {
    digest: FragmentDigest,
    code_end: u32,
    targets_end: u32,
    callees_end: u32,
}

/// Which body of which chunk.
#[derive(Clone, Copy)]
pub(super) struct BodyIndex {
    pub chunk: u32,
    pub body: u32,
}

/// What a fixup means to a program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// What its name means.
    Known(Meaning),
    /// Nothing that is known before the program runs: a word of the chunk, by index.
    Other(FixupKind, u32),
}

/// A text that nothing known has for a name.
pub(super) struct Word {
    pub text: Arc<str>,
    /// How it is used, by kind of fixup.
    kinds: [bool; 2],
}

impl Word {
    /// Whether code refers to it so.
    pub(super) fn is(&self, kind: FixupKind) -> bool {
        self.kinds[kind as usize]
    }
}

impl Chunk {
    /// What the fixups of a body mean, by index.
    pub(super) fn targets(&self, body: u32) -> &[Target] {
        self.part(&self.targets, body, |body| body.targets_end)
    }

    /// The numbers of the definitions that a body refers to, in the order of their first use.
    pub(super) fn callees(&self, body: u32) -> &[u32] {
        self.part(&self.callees, body, |body| body.callees_end)
    }

    /// The code of a body.
    pub(super) fn code(&self, body: u32) -> &[u8] {
        self.part(&self.code, body, |body| body.code_end)
    }

    /// Looks at a body, so that it is near when it is needed. What it gives depends on all that was looked at.
    pub(super) fn touch(&self, body: u32) -> usize {
        let code = self.code(body);
        let bytes = [code.first(), code.last()].into_iter().flatten().map(|byte| usize::from(*byte));
        let targets = [self.targets(body).first(), self.targets(body).last()].into_iter().flatten();
        bytes.chain(targets.map(|target| usize::from(matches!(target, Target::Other(..))))).sum()
    }

    /// The digest of a body's fragment.
    pub(super) fn digest(&self, body: u32) -> FragmentDigest {
        self.bodies[body as usize].digest
    }

    /// What is a body's own begins where that of the body before ends.
    fn part<'c, T>(&self, all: &'c [T], body: u32, end: impl Fn(&Body) -> u32) -> &'c [T] {
        let start = self.before(body).map_or(0, |before| end(before) as usize);
        &all[start..end(&self.bodies[body as usize]) as usize]
    }

    fn before(&self, body: u32) -> Option<&Body> {
        self.bodies.get((body as usize).checked_sub(1)?)
    }

    /// The words that they refer to, each once.
    pub(super) fn words(&self) -> &[Word] {
        &self.words
    }
}

/// Makes a chunk of stored bodies.
pub(super) struct Decoder<'h, 'd, 'm> {
    definitions: &'d Definitions<'m>,
    chunk: Chunk,
    words: foldhash::HashMap<&'h str, u32>,
    /// Memory for the fixups of a body.
    fixups: Vec<(FixupKind, &'h str)>,
}

impl<'h, 'd, 'm> Decoder<'h, 'd, 'm> {
    /// Makes room for so many bytes of bodies.
    pub(super) fn new(definitions: &'d Definitions<'m>, bytes: usize) -> Self {
        let chunk = Chunk { code: Vec::with_capacity(bytes), ..Chunk::default() };
        Self { definitions, chunk, words: foldhash::HashMap::default(), fixups: Vec::new() }
    }

    /// Checks a body and copies its code; of its fixups, only the words of which nothing is known. Gives its index.
    pub(super) fn add(&mut self, digest: FragmentDigest, body: &'h [u8]) -> Result<u32, StoreError> {
        let damaged = |reason| StoreError::Body { digest, reason };
        let fixups = std::mem::take(&mut self.fixups);
        let parts = Parts::reusing(fixups, body).map_err(|error| damaged(error.to_string()))?;
        let first = self.chunk.targets.len();
        for (kind, name) in &parts.fixups {
            let target = self.target(*kind, name);
            self.chunk.targets.push(target);
        }
        let targets = &self.chunk.targets[first..];
        let checked = lines::check(&parts, |index| matches!(targets[index], Target::Known(_)));
        if let Err(reason) = checked {
            // What is the next body's begins where that of the last intact one ends.
            self.chunk.targets.truncate(first);
            return Err(damaged(reason));
        }
        // Strong or weak: a procedure that is named is kept.
        self.chunk.callees.extend(targets.iter().filter_map(|target| match target {
            Target::Known(Meaning::Definition(number)) => Some(*number),
            Target::Known(Meaning::Operator(_)) | Target::Other(..) => None,
        }));
        self.chunk.code.extend_from_slice(parts.text);
        self.fixups = parts.fixups;
        let Chunk { bodies, code, targets, callees, .. } = &mut self.chunk;
        let [code_end, targets_end, callees_end] =
            [code.len(), targets.len(), callees.len()].map(|end| end as u32);
        bodies.push(Body { digest, code_end, targets_end, callees_end });
        Ok(bodies.len() as u32 - 1)
    }

    pub(super) fn finish(mut self) -> Chunk {
        let Chunk { bodies, code, targets, callees, .. } = &mut self.chunk;
        // Chunks last: what was room for more is given back.
        bodies.shrink_to_fit();
        code.shrink_to_fit();
        targets.shrink_to_fit();
        callees.shrink_to_fit();
        self.chunk
    }

    fn target(&mut self, kind: FixupKind, name: &'h str) -> Target {
        if let Some(meaning) = self.definitions.meaning(name) {
            return Target::Known(meaning);
        }
        let words = &mut self.chunk.words;
        let word = *self.words.entry(name).or_insert_with(|| {
            words.push(Word { text: name.into(), kinds: [false; 2] });
            words.len() as u32 - 1
        });
        words[word as usize].kinds[kind as usize] = true;
        Target::Other(kind, word)
    }
}
