//! Compilations and the tickets that name them.

use std::sync::Arc;

use super::line_table::LineTable;
use crate::digest::{CompilationId, FragmentDigest, Hasher, SourceDigest};
use crate::name::Name;
use crate::source::is_visible;

/// What one run of the compiler made of one source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compilation {
    source: Arc<str>,
    definitions: Vec<Definition>,
}

/// One procedure of a compilation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The procedure's name.
    pub name: Name,
    /// Its code.
    pub fragment: FragmentDigest,
    /// The line of the source, from 1, on which its name stands.
    pub line: u32,
    /// Where each instruction came from, when compiled with `-g`.
    pub lines: Option<LineTable>,
}

/// Why definitions make no compilation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompilationError {
    /// The same name twice.
    #[error("`{0}` is defined twice in one compilation")]
    Duplicate(Name),
    /// A procedure's name that is none.
    #[error("`{0}` cannot be the name of a procedure")]
    Name(String),
    /// A source name with directories or characters that nobody sees in it, or none.
    #[error("`{0}` is not the name of a file without directories")]
    Source(String),
}

impl Compilation {
    /// Sorts the definitions by name. `source` is the file's name without directories.
    pub fn new(source: &str, mut definitions: Vec<Definition>) -> Result<Self, CompilationError> {
        if !is_source_name(source) {
            return Err(CompilationError::Source(source.escape_debug().to_string()));
        }
        definitions.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = definitions.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(CompilationError::Duplicate(twice[0].name.clone()));
        }
        Ok(Self { source: source.into(), definitions })
    }

    /// The name of the source file, without directories.
    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// The definitions, by name in ascending order.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// The definition of this name.
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        let at = self.definitions.binary_search_by(|definition| definition.name.as_str().cmp(name));
        at.ok().map(|at| &self.definitions[at])
    }

    /// The digest of everything in the compilation.
    pub fn id(&self) -> CompilationId {
        let mut hasher = hasher();
        hasher.text(&self.source);
        hasher.u32(self.definitions.len() as u32);
        for definition in &self.definitions {
            hasher.text(definition.name.as_str());
            hasher.digest(definition.fragment.digest());
            hasher.u32(definition.line);
            match &definition.lines {
                None => hasher.tag(0),
                Some(lines) => {
                    hasher.tag(1);
                    hasher.u32(lines.rows().len() as u32);
                    for row in lines.rows() {
                        hasher.u32(row.line);
                        hasher.u32(row.column);
                    }
                }
            }
        }
        CompilationId::new(hasher.finish())
    }
}

fn hasher() -> Hasher {
    Hasher::new("toy.compilation", 1)
}

/// The id of the compilation that these bytes describe, as they are hashed.
pub fn id_of(canonical: &[u8]) -> CompilationId {
    let mut hasher = hasher();
    hasher.canonical_bytes(canonical);
    CompilationId::new(hasher.finish())
}

/// Whether this can be the name of a source: without directories and characters that nobody sees.
pub fn is_source_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(['/', '\\']) && text.chars().all(is_visible)
}

/// The object file: names one compilation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// The compilation that the ticket stands for.
    pub compilation: CompilationId,
    /// The source that it was made of, if there is nothing to be said about it: whoever has the same need not look again.
    pub source: Option<SourceDigest>,
}
