//! The lines of a program's instructions, and the texts of its sources.
//!
//! A source is shown only if the names of its procedures stand where they stood when it was compiled.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::run::debug_info::DebugInfo;
use crate::digest::CompilationId;
use crate::object::compilation::Definition;
use crate::object::executable::Executable;
use crate::profile::Line;
use crate::store::file;
use crate::vm::frame::Place;

/// Where the instructions of a program came from.
#[derive(Debug, Default)]
pub(in crate::cli::run) struct Lines {
    sources: Vec<Source>,
    /// The source and the definition of each symbol of the executable.
    symbols: Vec<Option<(u32, Definition)>>,
}

/// A source that the program was made from.
#[derive(Debug)]
struct Source {
    name: Arc<str>,
    /// The lines on which procedures begin, and their names.
    procedures: BTreeMap<u32, Arc<str>>,
}

impl Lines {
    /// What is known of a program.
    pub(in crate::cli::run) fn new(info: &DebugInfo, executable: &Executable) -> Self {
        let mut lines = Self::default();
        let mut numbers = BTreeMap::<CompilationId, u32>::new();
        for symbol in &executable.symbols {
            let found = info.definition(symbol.name.as_str()).map(|(compilation, definition)| {
                let number = *numbers.entry(symbol.compilation).or_insert_with(|| {
                    lines
                        .sources
                        .push(Source { name: compilation.source().clone(), procedures: BTreeMap::new() });
                    lines.sources.len() as u32 - 1
                });
                (number, definition.clone())
            });
            if let Some((number, definition)) = &found {
                let name = definition.name.as_str().into();
                lines.sources[*number as usize].procedures.insert(definition.line, name);
            }
            lines.symbols.push(found);
        }
        lines
    }

    /// Whether any procedure has a line table.
    pub(super) fn is_empty(&self) -> bool {
        self.symbols.iter().flatten().all(|(_, definition)| definition.lines.is_none())
    }

    /// The line of an instruction.
    pub(super) fn of(&self, place: Place) -> Option<Line> {
        let (source, definition) = self.symbols.get(place.symbol.index())?.as_ref()?;
        let row = definition.lines.as_ref()?.rows().get(place.ordinal as usize)?;
        Some(Line { source: *source, line: definition.line.saturating_add(row.line) })
    }

    /// The name of a source.
    pub(super) fn source(&self, source: u32) -> Arc<str> {
        self.sources.get(source as usize).map_or_else(|| "".into(), |source| source.name.clone())
    }

    /// Where a procedure was defined, by its number in the executable.
    pub(super) fn definition(&self, symbol: usize) -> Option<Line> {
        let (source, definition) = self.symbols.get(symbol)?.as_ref()?;
        Some(Line { source: *source, line: definition.line })
    }

    /// The first line of the procedure that holds a line, and the first of the next procedure.
    pub(super) fn procedure(&self, Line { source, line }: Line) -> Option<(u32, Option<u32>)> {
        let procedures = &self.sources.get(source as usize)?.procedures;
        let (first, _) = procedures.range(..=line).next_back()?;
        Some((*first, procedures.range((Excluded(line), Unbounded)).next().map(|(next, _)| *next)))
    }

    /// The text of a source, if it lies in one of some directories and is the one that was compiled.
    pub(super) fn text(&self, source: u32, directories: &[PathBuf]) -> Option<String> {
        let Source { name, procedures } = self.sources.get(source as usize)?;
        directories.iter().find_map(|directory| {
            let text = String::from_utf8(file::read(&directory.join(&**name)).ok()??).ok()?;
            let lines = text.lines().collect::<Vec<_>>();
            let is_there = |(line, name): (&u32, &Arc<str>)| {
                let found = (*line as usize).checked_sub(1).and_then(|line| lines.get(line));
                found.is_some_and(|line| line.contains(&**name))
            };
            procedures.iter().all(is_there).then_some(text)
        })
    }
}
