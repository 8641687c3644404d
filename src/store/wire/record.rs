//! Compilations and link records as a database keeps them: bytes without names of members.
//!
//! Deliberately absent: bodies of fragments, which are bytes already.

use std::collections::BTreeSet;

use super::bytes::{Reader, Writer};
use crate::digest::{BuildId, CompilationId, FragmentDigest};
use crate::name::Name;
use crate::object::compilation::{Compilation, Definition};
use crate::object::line_table::LineTable;
use crate::object::link_record::{LinkRecord, Place};
use crate::source::Position;

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
    let mut rest = Reader::new(bytes);
    let source = rest.text()?;
    let definitions = rest.all(41, definition)?;
    rest.end()?;
    if !definitions.is_sorted_by(|a, b| a.name < b.name) {
        return Err("its definitions are not in the order of their names".to_owned());
    }
    Compilation::new(source, definitions).map_err(|error| error.to_string())
}

fn definition(rest: &mut Reader<'_>) -> Result<Definition, String> {
    let name = rest.text()?;
    let name = Name::new(name).ok_or_else(|| format!("`{}` is no name", super::shown(name)))?;
    let fragment = FragmentDigest::new(rest.digest()?);
    let line = rest.u32()?;
    if line == 0 {
        return Err(format!("`{name}` has no line"));
    }
    let lines = match rest.chunk()? {
        [0] => None,
        [1] => Some(line_table(rest)?),
        _ => return Err(format!("`{name}` neither has a line table nor has none")),
    };
    Ok(Definition { name, fragment, line, lines })
}

fn line_table(rest: &mut Reader<'_>) -> Result<LineTable, String> {
    let rows = rest.all(8, |rest| Ok(Position { line: rest.u32()?, column: rest.u32()? }))?;
    LineTable::new(rows).ok_or_else(|| "a line table goes back".to_owned())
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
