//! Link records: what a repository remembers of the executables that were linked from it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::digest::{BuildId, CompilationId};
use crate::source::is_visible;

/// One executable that was linked from a repository: what garbage collection must keep for its debugger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRecord {
    /// The executable.
    pub build: BuildId,
    /// Where it was written, as far as that is below the repository's directory.
    /// A place is a note of this repository alone: it does not travel in a merge.
    pub places: BTreeSet<Place>,
    /// Whether it was also, or only, written elsewhere: where this repository cannot look for it.
    pub elsewhere: bool,
    /// The compilations that its symbols name, in ascending order.
    pub compilations: Vec<CompilationId>,
}

impl LinkRecord {
    /// The record of an executable that was written to one place. `compilations` are in ascending order.
    pub fn new(build: BuildId, place: Option<Place>, compilations: Vec<CompilationId>) -> Self {
        Self { build, elsewhere: place.is_none(), places: place.into_iter().collect(), compilations }
    }

    /// Holds that the record says of some place where the executable is, and that its compilations are in
    /// ascending order.
    pub fn checked(self) -> Result<Self, String> {
        let build = self.build;
        if self.places.is_empty() && !self.elsewhere {
            return Err(format!(
                "the link record of build `{build:.16}` says of no place where the executable is"
            ));
        }
        if !self.compilations.is_sorted_by(|a, b| a < b) {
            return Err(format!("the compilations of build `{build:.16}` are not in ascending order"));
        }
        Ok(self)
    }

    /// The record as it goes to another repository, which cannot look at the places of this one.
    pub fn abroad(self) -> Self {
        Self { places: BTreeSet::new(), elsewhere: true, ..self }
    }
}

/// A path relative to a repository's directory that cannot leave it: plain names between slashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(Arc<str>);

impl Place {
    /// Takes a path as a place, if it is one: no empty part, no `.`, no `..`, no backslash, colon or character
    /// that nobody sees, and at most 4,096 bytes.
    pub fn new(path: &str) -> Option<Self> {
        let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
        let harmless = |c: char| is_visible(c) && c != '\\' && c != ':';
        (path.len() <= 4096 && path.split('/').all(plain) && path.chars().all(harmless))
            .then(|| Self(path.into()))
    }

    /// The path, with slashes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_cannot_leave_its_directory() {
        assert!(Place::new("out/main.tx").is_some());
        for path in ["", "/etc/passwd", "../x", "a/../x", "a//b", "./a", "a\\b", "c:x", "a\n"] {
            assert!(Place::new(path).is_none(), "{path}");
        }
    }
}
