//! What can be wrong with a program as a whole.

use std::fmt;
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;

use crate::digest::{CompilationId, FragmentDigest};
use crate::store::StoreError;

/// A place in the sources, as far as the repository knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The source file's name, without directories.
    pub source: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, when the source was compiled with `-g` and the place is inside a procedure.
    pub column: Option<u32>,
    /// The name that stands there.
    pub name: Arc<str>,
    /// The ticket that brought it into the link.
    pub ticket: Arc<str>,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.line)?;
        self.column.map_or(Ok(()), |column| write!(f, ":{column}"))
    }
}

/// Why a program cannot be linked.
#[derive(Debug, Error, Diagnostic)]
pub enum LinkError {
    /// The repository cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),

    /// A ticket names a compilation that the repository does not have.
    #[error("the repository does not have the compilation that `{ticket}` names ({compilation:.16})")]
    #[diagnostic(
        code(toy::link::compilation),
        help("merge the repository of the agent that made the ticket, or compile the source again")
    )]
    Compilation {
        /// The ticket's file.
        ticket: Arc<str>,
        /// The compilation.
        compilation: CompilationId,
    },

    /// One name, two different procedures.
    #[error("`{name}` is defined twice, and not alike")]
    #[diagnostic(code(toy::link::duplicate), help("rename one of the two, or link only one of their files"))]
    Duplicate {
        /// The name.
        name: Arc<str>,
        /// Both places.
        sites: Box<[Site; 2]>,
    },

    /// A name that code executes and nobody defines.
    #[error("`{name}` is executed but nothing defines it")]
    #[diagnostic(code(toy::link::undefined))]
    Undefined {
        /// The name.
        name: Arc<str>,
        /// The procedures that execute it, the first of them first.
        sites: Vec<Site>,
        /// What to do.
        #[help]
        help: String,
    },

    /// An entry point that nobody defines.
    #[error("the entry point `{name}` is defined by none of the tickets")]
    #[diagnostic(code(toy::link::entry))]
    Entry {
        /// The name.
        name: Arc<str>,
        /// What to do.
        #[help]
        help: String,
    },

    /// A fragment of which only the digest is there.
    #[error("the body of `{name}` was stripped: only its digest is known ({digest:.16})")]
    #[diagnostic(
        code(toy::link::stripped),
        help("merge the repository that has it, or compile its source again with `--fill`")
    )]
    Stripped {
        /// The procedure.
        name: Arc<str>,
        /// Its fragment.
        digest: FragmentDigest,
        /// Where it is defined.
        site: Box<Site>,
    },

    /// A fragment that is not there at all.
    #[error("the repository does not have the body of `{name}` ({digest:.16})")]
    #[diagnostic(
        code(toy::link::missing),
        help("compile its source again, after `toy check --repair` if that does not help")
    )]
    Missing {
        /// The procedure.
        name: Arc<str>,
        /// Its fragment.
        digest: FragmentDigest,
        /// Where it is defined.
        site: Box<Site>,
    },

    /// A text section that is none.
    #[error("the body of fragment {digest:.16} is not code: {reason}")]
    #[diagnostic(code(toy::link::code), help("`toy check --repair` drops it; then compile its source again"))]
    Code {
        /// The fragment.
        digest: FragmentDigest,
        /// What is wrong.
        reason: String,
    },
}

/// Without a column the place is the procedure's name, which is not the one that is not defined.
fn undefined_label(name: &str, site: &Site) -> String {
    match site.column {
        Some(_) => "not defined in any linked file".to_owned(),
        None => format!("`{name}` is executed in this procedure"),
    }
}

impl LinkError {
    /// The places in the sources that the error is about, each with what to say there.
    pub fn sites(&self) -> Vec<(&Site, String)> {
        match self {
            Self::Duplicate { sites, .. } => sites
                .iter()
                .zip(["one definition", "another, which differs"])
                .map(|(site, label)| (site, format!("{label} (linked through `{}`)", site.ticket)))
                .collect(),
            Self::Undefined { name, sites, .. } => {
                sites.iter().map(|site| (site, undefined_label(name, site))).collect()
            }
            Self::Stripped { site, .. } | Self::Missing { site, .. } => {
                vec![(site, format!("defined here (linked through `{}`)", site.ticket))]
            }
            Self::Store(_) | Self::Compilation { .. } | Self::Entry { .. } | Self::Code { .. } => Vec::new(),
        }
    }
}
