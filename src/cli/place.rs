//! Problems with places in sources that are looked for only now: linker and machine know file names and lines.
//!
//! A source is shown only if it has, at that place, the name that the problem is about: a file that was edited
//! since, or is another one of the same name, would show nonsense.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, Report, Severity, SourceCode};
use thiserror::Error;

use crate::link::error::Site;
use crate::store::file;
use crate::syntax::{self, ast::ItemKind};

/// A place and what to say there.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The source file's name, without directories.
    pub source: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, when it is known.
    pub column: Option<u32>,
    /// The name that stands there.
    pub name: Arc<str>,
    /// What to say.
    pub label: String,
}

impl Mark {
    /// A place that the linker names.
    pub fn new(site: &Site, label: String) -> Self {
        let (source, name) = (Arc::clone(&site.source), Arc::clone(&site.name));
        Self { source, line: site.line, column: site.column, name, label }
    }
}

/// So many places are shown; the others would say the same.
const MOST: usize = 8;

/// Shows the places of a problem in the sources, as far as these lie in one of `directories`.
pub fn locate(problem: Report, severity: Severity, marks: &[Mark], directories: &[PathBuf]) -> Report {
    let mut snippets = Vec::<Snippet>::new();
    let mut notes = Vec::new();
    for mark in marks.iter().take(MOST) {
        let Some((path, text, span)) = directories.iter().find_map(|directory| find(mark, directory)) else {
            let column = mark.column.map(|column| format!(":{column}")).unwrap_or_default();
            notes.push(format!("{}:{}{column}: {}", mark.source, mark.line, mark.label));
            continue;
        };
        let label = LabeledSpan::new_with_span(Some(mark.label.clone()), span);
        match snippets.iter_mut().find(|snippet| snippet.path == path) {
            Some(snippet) => snippet.labels.push(label),
            None => snippets.push(Snippet {
                name: Arc::clone(&mark.source),
                file: NamedSource::new(file::shown(&path).display().to_string(), text),
                path,
                labels: vec![label],
            }),
        }
    }
    if marks.len() > MOST {
        notes.push(format!("and {} more places", marks.len() - MOST));
    }
    let mut snippets = snippets.into_iter();
    Placed { problem, severity, first: snippets.next(), others: snippets.collect(), notes }.into()
}

/// The file, its text, and the range of the mark's name in it.
fn find(mark: &Mark, directory: &Path) -> Option<(PathBuf, String, (usize, usize))> {
    let path = directory.join(&*mark.source);
    let text = String::from_utf8(file::read(&path).ok()??).ok()?;
    let mut start = 0;
    let mut lines = text.split_inclusive('\n').map(|line| {
        start += line.len();
        (start - line.len(), line)
    });
    let (start, line) = lines.nth((mark.line as usize).checked_sub(1)?)?;
    let at = match mark.column {
        Some(column) => line.char_indices().nth((column as usize).checked_sub(1)?).map(|(at, _)| at)?,
        None => line.find(&*mark.name)?,
    };
    let start = if line[at..].trim_start_matches('"').starts_with(&*mark.name) {
        start + at
    } else {
        operator_after(&text, start + at, &mark.name)?
    };
    Some((path, text, (start, mark.name.len())))
}

/// Where the operator stands whose block, or first block, begins at an offset: optimised code names the block.
fn operator_after(text: &str, offset: usize, operator: &str) -> Option<usize> {
    let items = syntax::parse(text).unit.items;
    let after = |at: usize| match items.get(at)?.kind {
        ItemKind::Block(length) => Some(at + 1 + length as usize),
        _ => None,
    };
    let first = after(items.iter().position(|item| item.span.start as usize == offset)?)?;
    let is_there = |at: &usize| items.get(*at).is_some_and(|item| item.kind == ItemKind::Name(operator));
    let at = [Some(first), after(first)].into_iter().flatten().find(is_there)?;
    Some(items[at].span.start as usize)
}

/// Places in one file.
#[derive(Debug, Error)]
#[error("in {name}")]
struct Snippet {
    name: Arc<str>,
    path: PathBuf,
    file: NamedSource<String>,
    labels: Vec<LabeledSpan>,
}

impl Diagnostic for Snippet {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.file)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// A problem with its places.
#[derive(Debug, Error)]
#[error("{problem}")]
struct Placed {
    problem: Report,
    severity: Severity,
    first: Option<Snippet>,
    others: Vec<Snippet>,
    notes: Vec<String>,
}

impl Diagnostic for Placed {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.problem.code()
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let mut lines = self.notes.clone();
        lines.extend(self.problem.help().map(|help| help.to_string()));
        (!lines.is_empty()).then(|| Box::new(lines.join("\n")) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.first.as_ref().and_then(|snippet| snippet.source_code())
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.first.as_ref().and_then(|snippet| snippet.labels())
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let others = self.others.iter().map(|snippet| snippet as &dyn Diagnostic);
        Some(Box::new(others.chain(self.problem.related().into_iter().flatten())))
    }
}
