//! What can go wrong with a file of ours.

use std::io;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use super::seal::Kind;
use crate::digest::{BuildId, CompilationId, FragmentDigest};
use crate::name::Name;

/// Why a repository, ticket or executable cannot be read or written.
#[derive(Debug, Error, Diagnostic)]
pub enum StoreError {
    /// There is no such file.
    #[error("there is no {what} at `{}`", path.display())]
    #[diagnostic(code(toy::store::not_found))]
    NotFound {
        /// What was looked for, such as `repository`.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What to do.
        #[help]
        help: &'static str,
    },

    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    #[diagnostic(code(toy::store::io))]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// Other processes did not let go of it.
    #[error("`{}` is in use by other processes, which did not let go of it for minutes", path.display())]
    #[diagnostic(code(toy::store::busy), help("look what they do; stop the one that hangs"))]
    Busy {
        /// The repository.
        path: PathBuf,
    },

    /// The file is not ours, or is ours but something else.
    #[error("`{}` is not {expected}: {}", path.display(), found_as(*.found))]
    #[diagnostic(code(toy::store::kind))]
    Kind {
        /// The file.
        path: PathBuf,
        /// What it is, if it is one of ours.
        found: Option<Kind>,
        /// What was wanted.
        expected: &'static str,
    },

    /// Something of ours would be replaced by something else of ours.
    #[error("`{}` is {found}: it is not replaced by {new}", path.display())]
    #[diagnostic(code(toy::store::overwrites), help("name another file with `-o`, or remove this one"))]
    Overwrites {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What was to be written.
        new: &'static str,
    },

    /// The file was written by a newer `toy`.
    #[error("`{}` has version {found} of its format; this toy reads version {expected}", path.display())]
    #[diagnostic(code(toy::store::version), help("use the toy that wrote it, or a newer one"))]
    Version {
        /// The file.
        path: PathBuf,
        /// The version that it says it has.
        found: String,
        /// The version that is understood.
        expected: u32,
    },

    /// The file is cut short, changed, or otherwise not as it was written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Damaged(Box<DamagedFile>),

    /// A stored body cannot be trusted.
    #[error("the body stored for fragment {digest:.16} is damaged: {reason}")]
    #[diagnostic(
        code(toy::store::body),
        help("`toy check --repair` drops what is damaged; the next compile makes it again")
    )]
    Body {
        /// The fragment.
        digest: FragmentDigest,
        /// What is wrong.
        reason: String,
    },

    /// A stored compilation cannot be trusted.
    #[error("compilation {id:.16} is damaged: {reason}")]
    #[diagnostic(
        code(toy::store::compilation),
        help("`toy check --repair` drops what is damaged; compile the source again")
    )]
    Compilation {
        /// The compilation.
        id: CompilationId,
        /// What is wrong.
        reason: String,
    },

    /// A second, different body for a digest.
    #[error("fragment {digest:.16} has a body already, and this one differs from it")]
    #[diagnostic(
        code(toy::store::immutable),
        help(
            "one of the two is wrong: run `toy check` on the repository; a compiler of another version could be at work"
        )
    )]
    Immutable {
        /// The digest.
        digest: FragmentDigest,
    },

    /// A compilation that names a fragment which is not there.
    #[error("`{name}` is made of fragment {digest:.16}, which the repository does not have")]
    #[diagnostic(code(toy::store::dangling), help("compile the source again"))]
    Dangling {
        /// The definition.
        name: Name,
        /// Its fragment.
        digest: FragmentDigest,
    },

    /// A link record that names a compilation which is not there.
    #[error("build {build:.16} names compilation {compilation:.16}, which the repository does not have")]
    #[diagnostic(code(toy::store::dangling_link), help("link the program again"))]
    DanglingLink {
        /// The executable.
        build: BuildId,
        /// The compilation.
        compilation: CompilationId,
    },

    /// Something of ours that has no spelling.
    #[error("`{}` cannot be written: {reason}", path.display())]
    #[diagnostic(code(toy::store::unwritable), help("this is a defect of toy"))]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },

    /// A backend that neither ran a change nor said why.
    #[error("`{origin}` did not run the change")]
    #[diagnostic(code(toy::store::not_run), help("this is a defect of toy"))]
    NotRun {
        /// The repository.
        origin: String,
    },
}

impl StoreError {
    /// The error for a repository that is not there.
    pub(super) fn no_repository(path: &Path) -> Self {
        Self::NotFound {
            what: "repository",
            path: path.to_owned(),
            help: "`toy compile` makes one; `-r FILE` or TOY_REPOSITORY names another",
        }
    }
}

/// What a file is in place of what was wanted.
fn found_as(found: Option<Kind>) -> String {
    match found {
        Some(kind) => format!("it is {}", kind.described()),
        None => "it does not begin like a file of toy's".to_owned(),
    }
}

/// Where and how a file is damaged.
#[derive(Debug, Error, Diagnostic)]
#[error("`{name}` is damaged: {message}")]
#[diagnostic(code(toy::store::damaged))]
pub struct DamagedFile {
    /// The file.
    pub name: String,
    /// What is wrong.
    pub message: String,
    /// The file's text, when it is text.
    #[source_code]
    pub source_code: Option<NamedSource<String>>,
    /// The place in it.
    #[label("here")]
    pub place: Option<SourceSpan>,
    /// What to do.
    #[help]
    pub help: &'static str,
}
