//! What the applets report with `--json`: the fields that the demo reads.

use serde::Deserialize;

/// The report of `toycc`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Compiled {
    /// Procedures in the sources.
    pub(super) procedures: u64,
    /// Procedures that were turned into code.
    pub(super) generated: u64,
    /// Procedures whose digest was known.
    pub(super) reused: u64,
    /// The tickets that were written.
    pub(super) tickets: Vec<CompiledTicket>,
}

/// One ticket of a compilation.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CompiledTicket {
    /// The ticket's file.
    pub(super) ticket: String,
    /// The digest of what was compiled.
    pub(super) compilation: String,
}

/// The report of `toystrip`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Stripped {
    /// Digests in the stripped repository.
    pub(super) fragments: u64,
}

/// The report of `toymerge`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Merged {
    /// Fragments that the target did not have.
    pub(super) added: u64,
    /// Fragments of which the target had only the digest.
    pub(super) filled: u64,
    /// Fragments that both had.
    pub(super) identical: u64,
    /// Digests with two different bodies.
    pub(super) conflicts: u64,
}

/// The report of `toyld`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Linked {
    /// Names in the executable.
    pub(super) symbols: u64,
    /// Fragments in the executable.
    pub(super) fragments: u64,
}

/// The report of `toy dump --definitions`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Dumped {
    /// The compilations in the repository.
    pub(super) compilations: Vec<DumpedCompilation>,
}

/// One compilation in a repository.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct DumpedCompilation {
    /// Its digest, as tickets name it.
    pub(super) id: String,
    /// The procedures of the source.
    pub(super) definitions: Vec<Definition>,
}

/// A procedure, and the digest under which its code is kept.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Definition {
    /// The procedure's name.
    pub(super) name: String,
    /// The digest.
    pub(super) fragment: String,
}

/// The report of `toy check`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Checked {
    /// All damage that was found.
    pub(super) problems: Vec<serde_json::Value>,
}
