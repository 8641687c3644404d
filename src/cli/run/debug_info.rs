//! Where the line tables of an executable are: found by the ids of its compilations, not by a path.
//!
//! An executable holds no path, so that it is the same wherever it was linked and stays right when it is moved.
//! Any repository that has a compilation of this id has the right one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::place::Mark;
use crate::digest::CompilationId;
use crate::object::compilation::{Compilation, Definition};
use crate::object::executable::Executable;
use crate::store::Repository;
use crate::store::seal::{Kind, identify_file};
use crate::vm::trap::Call;

/// What repositories know of the procedures of a program.
#[derive(Debug, Default)]
pub(super) struct DebugInfo {
    /// The compilation of each symbol that was asked for.
    symbols: BTreeMap<String, CompilationId>,
    compilations: BTreeMap<CompilationId, Compilation>,
}

impl DebugInfo {
    /// Looks for what is known of some symbols, in the repository that the user named, or else in all that lie in
    /// `directories`.
    pub(super) fn find<'s>(
        named: Option<&Path>,
        directories: &[PathBuf],
        executable: &Executable,
        symbols: impl Iterator<Item = &'s str>,
    ) -> Self {
        let symbols = symbols.filter_map(|symbol| executable.symbol(symbol));
        let symbols = symbols.map(|symbol| (symbol.name.to_string(), symbol.compilation)).collect();
        let mut info = Self { symbols, compilations: BTreeMap::new() };
        let mut wanted = info.symbols.values().copied().collect::<BTreeSet<_>>();
        let candidates = match named {
            Some(path) => vec![path.to_owned()],
            None => directories.iter().flat_map(|directory| repositories(directory)).collect(),
        };
        for path in candidates {
            let repository = Repository::open(&path);
            // A repository that cannot be read has no lines to show; the run is what must be told of.
            let Ok(view) = repository.read() else { continue };
            wanted.retain(|id| match view.compilation(id) {
                Ok(Some(compilation)) => info.compilations.insert(*id, compilation).is_some(),
                _ => true,
            });
            if wanted.is_empty() {
                break;
            }
        }
        info
    }

    /// Whether any repository knew anything.
    pub(super) fn is_empty(&self) -> bool {
        self.compilations.is_empty()
    }

    /// How a symbol was defined, and in which compilation.
    pub(super) fn definition(&self, symbol: &str) -> Option<(&Compilation, &Definition)> {
        let compilation = self.compilations.get(self.symbols.get(symbol)?)?;
        Some((compilation, compilation.definition(symbol)?))
    }

    /// Whether the procedure of a call has a line table.
    pub(super) fn has_lines(&self, call: &Call) -> bool {
        self.definition(call.symbol.as_str()).is_some_and(|(_, definition)| definition.lines.is_some())
    }

    /// The place of the instruction where `operator` failed, or else of the procedure's name.
    pub(super) fn mark(&self, call: &Call, operator: &std::sync::Arc<str>) -> Option<Mark> {
        let (compilation, definition) = self.definition(call.symbol.as_str())?;
        let rows = definition.lines.as_ref().map(|lines| lines.rows()).unwrap_or_default();
        let source = compilation.source().clone();
        Some(match rows.get(call.ordinal as usize) {
            Some(row) => Mark {
                source,
                line: definition.line.saturating_add(row.line),
                column: Some(row.column),
                name: operator.clone(),
                label: "here".to_owned(),
            },
            None => Mark {
                source,
                line: definition.line,
                column: None,
                name: definition.name.as_str().into(),
                label: "in this procedure".to_owned(),
            },
        })
    }

    /// The place of a call as people write it, such as `main.toy:3:5`.
    pub(super) fn place(&self, call: &Call) -> Option<String> {
        let mark = self.mark(call, &call.name)?;
        let column = mark.column.map(|column| format!(":{column}")).unwrap_or_default();
        Some(format!("{}:{}{column}", mark.source, mark.line))
    }
}

/// The repositories in a directory, by name.
fn repositories(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let is_repository = |path: &PathBuf| matches!(identify_file(path), Ok(Some(Kind::Repository)));
    let files = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file());
    let mut repositories = files.filter(is_repository).collect::<Vec<_>>();
    repositories.sort();
    repositories
}
