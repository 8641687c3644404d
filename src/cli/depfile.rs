//! The file that tells make or ninja which source each ticket is made from.
//!
//! Deliberately absent: the repository. It is what all compilers share, and no ticket is older for its changes.

use std::iter::repeat_n;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::ui::Failure;
use crate::store::StoreError;
use crate::store::file::{self, Mode};
use crate::store::seal::refuse_to_overwrite;

#[derive(Debug, Error, Diagnostic)]
#[error("a depfile cannot name `{}`", path.display())]
#[diagnostic(
    code(toy::compile::depfile),
    help("make has no spelling for a line break, or for `\\` at the end; give it another name")
)]
struct NoSpelling {
    path: PathBuf,
}

/// A depfile that is not yet written.
#[derive(Debug)]
pub struct Depfile<'p> {
    path: &'p Path,
    rules: Vec<u8>,
}

impl<'p> Depfile<'p> {
    /// The rules for tickets, each with the source that it is made from; one from standard input has none.
    pub fn new<'f>(
        path: &'p Path,
        tickets: impl IntoIterator<Item = (&'f Path, Option<&'f Path>)>,
    ) -> Result<Self, Failure> {
        refuse_to_overwrite(path, None)?;
        let mut rules = Vec::new();
        for (ticket, source) in tickets {
            rules.extend(spelled(ticket)?);
            rules.push(b':');
            if let Some(source) = source {
                rules.push(b' ');
                rules.extend(spelled(source)?);
            }
            rules.push(b'\n');
        }
        Ok(Self { path, rules })
    }

    /// Writes the file.
    pub fn write(&self) -> Result<(), StoreError> {
        // It might have the name of a ticket.
        refuse_to_overwrite(self.path, None)?;
        file::replace(self.path, &self.rules, Mode::Plain)
    }
}

/// A path as make reads it. Ninja does too, but for tabs, and for backslashes before `#` and `:`.
fn spelled(path: &Path) -> Result<Vec<u8>, NoSpelling> {
    let bytes = path.as_os_str().as_encoded_bytes();
    if bytes.ends_with(b"\\") || bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return Err(NoSpelling { path: path.to_owned() });
    }
    let mut spelled = Vec::with_capacity(bytes.len());
    let mut backslashes = 0;
    for &byte in bytes {
        match byte {
            // A backslash is itself, but before one of these: there each stands as two.
            b' ' | b'\t' | b'#' | b':' => spelled.extend(repeat_n(b'\\', backslashes + 1)),
            b'$' => spelled.push(b'$'),
            _ => {}
        }
        backslashes = if byte == b'\\' { backslashes + 1 } else { 0 };
        spelled.push(byte);
    }
    Ok(spelled)
}
