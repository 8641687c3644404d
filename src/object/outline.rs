//! Outlines: which definitions a compilation has, and of what.
//!
//! Deliberately absent: line tables, which only messages need; and memory for each definition of its own.

use std::sync::Arc;

use super::compilation::Compilation;
use crate::digest::FragmentDigest;

/// The definitions of a compilation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    source: Arc<str>,
    /// The names, one behind the other.
    names: String,
    definitions: Vec<Outlined>,
}

/// A definition. Its name begins where that of the one before ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlined {
    /// Where its name ends among all names.
    pub end: u32,
    /// The line of the source, from 1, on which its name stands.
    pub line: u32,
    /// Its code.
    pub fragment: FragmentDigest,
}

impl Outline {
    /// Makes room for so many more definitions.
    pub fn reserve(&mut self, definitions: usize) {
        // Names are most often shorter.
        self.names.reserve(24 * definitions);
        self.definitions.reserve(definitions);
    }

    /// Adds a definition behind the others.
    pub fn push(&mut self, name: &str, fragment: FragmentDigest, line: u32) {
        self.names.push_str(name);
        self.definitions.push(Outlined { end: self.names.len() as u32, line, fragment });
    }

    /// The outline of a compilation.
    pub fn of(compilation: &Compilation) -> Self {
        let definitions = compilation.definitions();
        let mut outline = Self::default();
        outline.reserve(definitions.len());
        for definition in definitions {
            outline.push(definition.name.as_str(), definition.fragment, definition.line);
        }
        outline.of_source(compilation.source())
    }

    /// The same definitions as those of a source.
    pub fn of_source(self, source: &str) -> Self {
        Self { source: source.into(), ..self }
    }

    /// The name of the source file, without directories.
    pub const fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// The names of the definitions, one behind the other.
    pub fn names(&self) -> &str {
        &self.names
    }

    /// The definitions, by name in ascending order.
    pub fn definitions(&self) -> &[Outlined] {
        &self.definitions
    }
}
