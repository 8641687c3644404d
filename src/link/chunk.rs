//! Bodies as link keeps them: the code, and what its fixups mean.
//!
//! Deliberately absent: the bytes that a store gave. What link needs of them is copied, each text once a chunk.

use std::ops::Range;
use std::sync::Arc;

use super::resolve::{Definitions, Meaning};
use crate::digest::FragmentDigest;
use crate::object::fixup::FixupKind;
use crate::object::fragment::Parts;

/// A fragment without its fixups.
pub(super) struct Body {
    pub digest: FragmentDigest,
    pub text: Vec<u8>,
    /// Index of what its fixups mean in [`Program::chunks`].
    pub chunk: u32,
    /// The targets there.
    targets: Range<u32>,
}

/// What the fixups of many bodies mean. Link has millions of them: one by one they would be slow to keep.
#[derive(Default)]
pub(super) struct Chunk {
    targets: Vec<Target>,
    texts: Vec<Text>,
}

/// What a fixup means to a program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// What its name means.
    Known(Meaning),
    /// Nothing that is known before the program runs: a text of the chunk, by index.
    Other(FixupKind, u32),
}

/// A text that nothing known has for a name.
pub(super) struct Text {
    pub text: Arc<str>,
    /// How it is used, by kind of fixup.
    kinds: [bool; 2],
}

impl Text {
    /// Whether code refers to it so.
    pub(super) fn is(&self, kind: FixupKind) -> bool {
        self.kinds[kind as usize]
    }
}

impl Body {
    /// Which targets of its chunk are its own.
    pub(super) fn range(&self) -> Range<usize> {
        self.targets.start as usize..self.targets.end as usize
    }
}

impl Chunk {
    /// What the fixups of a body mean, by index.
    pub(super) fn targets(&self, body: &Body) -> &[Target] {
        &self.targets[body.range()]
    }

    /// What the fixups of all its bodies mean.
    pub(super) fn all_targets(&self) -> &[Target] {
        &self.targets
    }

    /// The texts that they refer to, each once.
    pub(super) fn texts(&self) -> &[Text] {
        &self.texts
    }
}

/// Makes a chunk of stored bodies.
pub(super) struct Decoder<'e, 'm> {
    definitions: &'e Definitions<'m>,
    chunk: Chunk,
    texts: foldhash::HashMap<&'e str, u32>,
}

impl<'e, 'm> Decoder<'e, 'm> {
    pub(super) fn new(definitions: &'e Definitions<'m>) -> Self {
        Self { definitions, chunk: Chunk::default(), texts: foldhash::HashMap::default() }
    }

    /// Copies the code of a fragment; of its fixups, only the texts of which nothing is known.
    pub(super) fn add(&mut self, digest: FragmentDigest, parts: &Parts<'e>) -> Body {
        let start = self.chunk.targets.len() as u32;
        for (kind, name) in &parts.fixups {
            let target = self.target(*kind, name);
            self.chunk.targets.push(target);
        }
        let targets = start..self.chunk.targets.len() as u32;
        Body { digest, text: parts.text.to_vec(), chunk: 0, targets }
    }

    pub(super) fn finish(self) -> Chunk {
        self.chunk
    }

    fn target(&mut self, kind: FixupKind, name: &'e str) -> Target {
        let known = self.texts.get(name).copied();
        let text = match known {
            Some(text) => text,
            None => match self.definitions.meaning(name) {
                Some(meaning) => return Target::Known(meaning),
                None => self.keep(name),
            },
        };
        self.chunk.texts[text as usize].kinds[kind as usize] = true;
        Target::Other(kind, text)
    }

    fn keep(&mut self, text: &'e str) -> u32 {
        let index = self.chunk.texts.len() as u32;
        self.chunk.texts.push(Text { text: text.into(), kinds: [false; 2] });
        self.texts.insert(text, index);
        index
    }
}
