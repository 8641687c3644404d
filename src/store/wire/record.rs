//! Compilations and link records as a database keeps them: bytes without names of members.
//!
//! Deliberately absent: bodies of fragments, which are bytes already.

use std::collections::BTreeSet;

use super::bytes::{Reader, Writer};
use crate::digest::{BuildId, CompilationId, FragmentDigest};
use crate::name::{Name, is_name};
use crate::object::compilation::{Compilation, CompilationError, Definition, id_of, is_source_name};
use crate::object::fragment::Body;
use crate::object::line_table::LineTable;
use crate::object::link_record::{LinkRecord, Place};
use crate::object::outline::Outline;
use crate::source::Position;
use crate::store::error::StoreError;

/// The bytes of a compilation.
pub fn compilation_to_bytes(compilation: &Compilation) -> Vec<u8> {
    let mut out = Writer::with_capacity(64 * compilation.definitions().len() + 64);
    out.bytes(compilation.source().as_bytes());
    out.all(compilation.definitions(), |out, definition| {
        out.bytes(definition.name.as_str().as_bytes());
        out.raw(definition.fragment.digest().as_bytes());
        out.u32(definition.line);
        match &definition.lines {
            None => out.raw(&[0]),
            Some(lines) => {
                out.raw(&[1]);
                out.all(lines.rows(), |out, row| {
                    out.u32(row.line);
                    out.u32(row.column);
                });
            }
        }
    });
    out.into_bytes()
}

/// Reads the bytes of a compilation.
pub fn compilation_from_bytes(bytes: &[u8]) -> Result<Compilation, String> {
    let mut definitions = Vec::new();
    let source = parts(bytes, |part, count| {
        definitions.reserve(count);
        definitions.extend(part.definition());
    })?;
    Compilation::new(source, definitions).map_err(|error| error.to_string())
}

/// Reads the bytes of a compilation, and keeps its outline.
pub fn outline_from_bytes(bytes: &[u8]) -> Result<Outline, String> {
    let mut outline = Outline::default();
    let source = parts(bytes, |part, count| {
        outline.reserve(count);
        outline.push(part.name, part.fragment, part.line);
    })?;
    check_source(source)?;
    Ok(outline.of_source(source))
}

fn check_source(source: &str) -> Result<(), String> {
    let error = || CompilationError::Source(source.escape_debug().to_string()).to_string();
    is_source_name(source).then_some(()).ok_or_else(error)
}

/// A compilation in bytes that were held against its id, to be passed on as they are. The bytes are those that the id is
/// made of.
#[derive(Debug, Clone)]
pub struct CompilationRecord {
    id: CompilationId,
    body: Body,
    fragments: Vec<FragmentDigest>,
}

impl CompilationRecord {
    /// The record of a compilation.
    pub fn of(compilation: &Compilation) -> Self {
        let fragments = compilation.definitions().iter().map(|definition| definition.fragment);
        let body = Body::new(&compilation_to_bytes(compilation));
        Self { id: id_of(body.bytes()), body, fragments: fragments.collect() }
    }

    /// Takes bytes that should be the compilation of this id.
    pub fn held(id: CompilationId, body: Body) -> Result<Self, String> {
        let mut fragments = Vec::new();
        let source = parts(body.bytes(), |part, _| fragments.push(part.fragment))?;
        check_source(source)?;
        if id_of(body.bytes()) != id {
            return Err("its contents do not fit its id".to_owned());
        }
        Ok(Self { id, body, fragments })
    }

    /// The id.
    pub const fn id(&self) -> &CompilationId {
        &self.id
    }

    /// The bytes.
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// What its definitions are made of, in their order.
    pub fn fragments(&self) -> &[FragmentDigest] {
        &self.fragments
    }

    /// The compilation.
    pub fn compilation(&self) -> Result<Compilation, StoreError> {
        let damaged = |reason| StoreError::Compilation { id: self.id, reason };
        compilation_from_bytes(self.body.bytes()).map_err(damaged)
    }
}

/// A definition where it lies.
struct Part<'b> {
    name: &'b str,
    fragment: FragmentDigest,
    line: u32,
    /// The rows of its line table, see [`row`].
    rows: Option<&'b [[u8; 8]]>,
}

impl Part<'_> {
    fn definition(self) -> Option<Definition> {
        let Self { name, fragment, line, rows } = self;
        let lines = match rows {
            Some(rows) => Some(LineTable::new(rows.iter().map(row).collect())?),
            None => None,
        };
        Some(Definition { name: Name::new(name)?, fragment, line, lines })
    }
}

/// The source's name in the bytes of a compilation. Each definition is shown to `take`, with how many there still are; they
/// are names and in their order, or it is an error.
fn parts<'b>(bytes: &'b [u8], mut take: impl FnMut(Part<'b>, usize)) -> Result<&'b str, String> {
    let mut rest = Reader::new(bytes);
    let source = rest.text()?;
    let (mut last, mut is_ordered) = ("", true);
    for left in (1..=rest.count(41)?).rev() {
        let part = definition(&mut rest)?;
        // No name is empty.
        is_ordered &= last < part.name;
        last = part.name;
        take(part, left);
    }
    rest.end()?;
    if is_ordered {
        Ok(source)
    } else {
        Err("its definitions are not in the order of their names".to_owned())
    }
}

fn definition<'b>(rest: &mut Reader<'b>) -> Result<Part<'b>, String> {
    let name = rest.text()?;
    if !is_name(name) {
        return Err(format!("`{}` is no name", super::shown(name)));
    }
    let fragment = FragmentDigest::new(rest.digest()?);
    let line = rest.u32()?;
    if line == 0 {
        return Err(format!("`{name}` has no line"));
    }
    let rows = match rest.chunk()? {
        [0] => None,
        [1] => Some(rows(rest)?),
        _ => return Err(format!("`{name}` neither has a line table nor has none")),
    };
    Ok(Part { name, fragment, line, rows })
}

/// The rows of a line table where they lie.
fn rows<'b>(rest: &mut Reader<'b>) -> Result<&'b [[u8; 8]], String> {
    let rows = rest.chunks()?;
    let is_table = rows.is_sorted_by_key(|bytes| row(bytes).line);
    if is_table { Ok(rows) } else { Err("a line table goes back".to_owned()) }
}

fn row(bytes: &[u8; 8]) -> Position {
    let numbers = u64::from_le_bytes(*bytes);
    Position { line: numbers as u32, column: (numbers >> 32) as u32 }
}

/// The bytes of a link record.
pub fn link_to_bytes(record: &LinkRecord) -> Vec<u8> {
    let mut out = Writer::with_capacity(32 * record.compilations.len() + 64);
    let places = record.places.iter().collect::<Vec<_>>();
    out.all(&places, |out, place| out.bytes(place.as_str().as_bytes()));
    out.raw(&[u8::from(record.elsewhere)]);
    out.all(&record.compilations, |out, id| out.raw(id.digest().as_bytes()));
    out.into_bytes()
}

/// Reads the bytes of the link record of a build.
pub fn link_from_bytes(build: BuildId, bytes: &[u8]) -> Result<LinkRecord, String> {
    let mut rest = Reader::new(bytes);
    let place = |rest: &mut Reader<'_>| {
        let text = rest.text()?;
        Place::new(text)
            .ok_or_else(|| format!("`{}` is not a place below the repository", super::shown(text)))
    };
    let listed = rest.all(4, place)?;
    let elsewhere = match rest.chunk()? {
        [0] => false,
        [1] => true,
        _ => return Err("it neither was linked elsewhere nor was not".to_owned()),
    };
    let compilations = rest.all(32, |rest| Ok(CompilationId::new(rest.digest()?)))?;
    rest.end()?;
    let places = listed.iter().cloned().collect::<BTreeSet<_>>();
    if !listed.iter().eq(&places) {
        return Err("its places are not in ascending order".to_owned());
    }
    LinkRecord { build, places, elsewhere, compilations }.checked()
}
