//! Roots: the tickets and executables that keep parts of a repository.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::{Caution, Fate, GcError};
use crate::digest::{BuildId, CompilationId};
use crate::object::link_record::LinkRecord;
use crate::store::file::{directory, io_error, is_temporary, shown};
use crate::store::seal::{Kind, Opened};
use crate::store::wire::{executable, ticket};
use crate::store::{Repository, StoreError};

/// A file that keeps compilations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The file.
    pub path: String,
    /// What it keeps.
    pub compilations: BTreeSet<CompilationId>,
}

/// Everything that keeps something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roots {
    /// The files found.
    pub found: Vec<Root>,
    /// The builds whose executables were found.
    builds: BTreeSet<BuildId>,
    /// The compilations that were there before anybody looked; `None` is all. What a compiler stores later has its
    /// ticket later too, and is not gc's to drop.
    seen: Option<BTreeSet<CompilationId>>,
    /// Whether the user said where to look.
    named: bool,
    /// Files that could not be read and were passed over, because the user forced it.
    pub passed_over: Vec<String>,
}

impl Roots {
    /// Looks for tickets and executables in `places` (files, or directories with all below them), and at the
    /// places that the repository recorded. Without `places` it looks in the repository's directory.
    /// What a file is, its content tells, not its name.
    pub fn find(
        repository: &Repository,
        file: &Path,
        places: &[PathBuf],
        caution: Caution,
    ) -> Result<Self, GcError> {
        let home = directory(file);
        let (seen, links) = read(repository)?;
        let mut roots = Self { seen: Some(seen), named: !places.is_empty(), ..Self::default() };
        let usual = [home.to_owned()];
        for place in if roots.named { places } else { &usual } {
            roots.look_below(place, caution)?;
        }
        for link in links {
            for place in &link.places {
                let path = shown(&home.join(place.as_str())).to_owned();
                if !roots.builds.contains(&link.build) && path.is_file() {
                    roots.look_at(&path, caution)?;
                }
            }
        }
        Ok(roots)
    }

    /// Looks for more in a file, or in a directory with all below it.
    pub fn look_below(&mut self, place: &Path, caution: Caution) -> Result<(), GcError> {
        files_below(place)?.iter().try_for_each(|path| self.look_at(path, caution))
    }

    fn look_at(&mut self, path: &Path, caution: Caution) -> Result<(), GcError> {
        let shown = path.display().to_string();
        if self.passed_over.contains(&shown) {
            return Ok(());
        }
        match read_root(path) {
            Ok(None) => {}
            Ok(Some((root, build))) => {
                if !self.found.contains(&root) {
                    self.found.push(root);
                }
                self.builds.extend(build);
            }
            Err(_) if caution == Caution::Forced => self.passed_over.push(shown),
            Err(error) => {
                return Err(GcError::Root { path: path.display().to_string(), errors: vec![error] });
            }
        }
        Ok(())
    }

    /// Whether a compilation was stored after the look for roots began.
    pub(super) fn is_newer(&self, id: &CompilationId) -> bool {
        self.seen.as_ref().is_some_and(|seen| !seen.contains(id))
    }

    /// What becomes of a link record.
    pub(super) fn fate_of(&self, link: &LinkRecord) -> Fate {
        if self.builds.contains(&link.build) {
            Fate::Kept(format!("the executable of build {:.16}", link.build))
        } else if link.elsewhere && !self.named {
            let build = link.build;
            Fate::Kept(format!("build {build:.16}, which was linked outside the repository's directory"))
        } else if link.elsewhere {
            Fate::Dropped("its executable is in none of the given places")
        } else {
            Fate::Dropped("its executable is gone, or was linked again")
        }
    }
}

/// The compilations and link records of a repository. Nothing of it is open any more when files are looked at: the
/// repository can be among them, and to close it a second time takes a database's locks away.
fn read(repository: &Repository) -> Result<(BTreeSet<CompilationId>, Vec<LinkRecord>), StoreError> {
    let view = repository.read()?;
    Ok((view.compilations().collect::<Result<_, _>>()?, view.links().collect::<Result<_, _>>()?))
}

fn files_below(place: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = Vec::new();
    for entry in WalkDir::new(place).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            // Somebody removed it while we looked.
            Err(error) if error.depth() > 0 && is_missing(error.io_error()) => continue,
            Err(error) => {
                let path = error.path().unwrap_or(place).to_owned();
                return Err(io_error("look for tickets in", &path)(error.into()));
            }
        };
        // Links to files are followed, for the files keep something; what another process is writing, and what a
        // killed one left behind, is nobody's file yet.
        if entry.path().is_file() && !is_temporary(entry.path()) {
            files.push(shown(entry.path()).to_owned());
        }
    }
    Ok(files)
}

fn is_missing(error: Option<&io::Error>) -> bool {
    error.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Reads a file as a root, if its first lines say that it is one.
fn read_root(path: &Path) -> Result<Option<(Root, Option<BuildId>)>, StoreError> {
    let root = |compilations| Root { path: path.display().to_string(), compilations };
    // Opened once: compilers replace tickets, and make removes them, while we look.
    let Some(opened) = Opened::open(path)? else { return Ok(None) };
    Ok(match opened.kind() {
        Some(Kind::Ticket) => {
            let ticket = ticket::from_yaml(path, &opened.read(path)?)?;
            Some((root([ticket.compilation].into()), None))
        }
        Some(Kind::Executable) => {
            let executable = executable::from_bytes(path, &opened.read(path)?)?;
            let compilations = executable.symbols.iter().map(|symbol| symbol.compilation).collect();
            Some((root(compilations), Some(executable.build_id())))
        }
        // A name of ours over something else is a file that was damaged: it keeps what nobody can tell.
        None if path.extension().is_some_and(|ending| ending == "to" || ending == "tx") => {
            let expected = "a ticket or executable";
            return Err(StoreError::Kind { path: path.to_owned(), found: None, expected });
        }
        Some(Kind::Repository) | None => None,
    })
}
