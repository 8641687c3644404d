//! Where the line tables of an executable are: found by the ids of its compilations, not by a path.
//!
//! An executable holds no path, so that it is the same wherever it was linked and stays right when it is moved.
//! Any repository that has a compilation of this id has the right one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::place::Mark;
use crate::digest::CompilationId;
use crate::object::compilation::{Compilation, Definition};
use crate::object::executable::Executable;
use crate::store::Repository;
use crate::store::seal::{Kind, identify_file};
use crate::vm::trap::{Call, Trap};

/// What a repository knows of the procedures that were in execution.
#[derive(Debug, Default)]
pub(super) struct DebugInfo {
    /// Compilations by the name of a symbol that they define.
    compilations: BTreeMap<String, Compilation>,
}

impl DebugInfo {
    /// Looks in the repository that the user named, or else in all that lie in `directories`.
    pub(super) fn find(
        named: Option<&Path>,
        directories: &[PathBuf],
        executable: &Executable,
        trap: &Trap,
    ) -> Self {
        let mut wanted = BTreeMap::<String, CompilationId>::new();
        for call in &trap.calls {
            if let Some(symbol) = executable.symbol(call.symbol.as_str()) {
                wanted.insert(symbol.name.to_string(), symbol.compilation);
            }
        }
        let candidates = match named {
            Some(path) => vec![path.to_owned()],
            None => directories.iter().flat_map(|directory| repositories(directory)).collect(),
        };
        let mut info = Self::default();
        for path in candidates {
            let repository = Repository::open(&path);
            // A repository that cannot be read has no lines to show; the trap is what must be told.
            let Ok(view) = repository.read() else { continue };
            wanted.retain(|name, id| match view.compilation(id) {
                Ok(Some(compilation)) => {
                    info.compilations.insert(name.clone(), compilation);
                    false
                }
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

    fn definition(&self, call: &Call) -> Option<(&Compilation, &Definition)> {
        let compilation = self.compilations.get(call.symbol.as_str())?;
        Some((compilation, compilation.definition(call.symbol.as_str())?))
    }

    /// Whether the procedure of a call has a line table.
    pub(super) fn has_lines(&self, call: &Call) -> bool {
        self.definition(call).is_some_and(|(_, definition)| definition.lines.is_some())
    }

    /// The place of the instruction where `operator` failed, or else of the procedure's name.
    pub(super) fn mark(&self, call: &Call, operator: &std::sync::Arc<str>) -> Option<Mark> {
        let (compilation, definition) = self.definition(call)?;
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
