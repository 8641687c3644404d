//! Bodies and compilations as lines of text: what stands in the block scalars of `repo.yaml`.

use std::fmt::Write as _;

use crate::digest::FragmentDigest;
use crate::isa::codec::{self, DecodeError, Decoder};
use crate::isa::listing::{self, Operand};
use crate::name::{Name, is_callable};
use crate::object::compilation::{Compilation, Definition};
use crate::object::fixup::{FixupKind, Fixups};
use crate::object::fragment::Fragment;
use crate::object::line_table::LineTable;
use crate::source::Position;
use crate::store::wire::shown;

/// The listing of a fragment: names and strings stand where its instructions use them.
pub(crate) fn fragment_to_listing(fragment: &Fragment) -> Result<String, DecodeError> {
    let mut out = String::with_capacity(4 * fragment.text.len());
    let target = |index| fragment.fixups.get(index).map(|fixup| &*fixup.target);
    listing::write(Decoder::new(&fragment.text), target, &mut out)?;
    Ok(out)
}

/// Reads a listing. The fixups come out in the order of their first use, as the compiler makes them.
pub(crate) fn fragment_from_listing(text: &str) -> Result<Fragment, String> {
    let mut fixups = Fixups::default();
    let mut odd_name = None;
    let text = listing::read(text, |operand| match operand {
        Operand::Name(name) => {
            if !is_callable(name) {
                odd_name = Some(name);
            }
            fixups.intern(FixupKind::Strong, name)
        }
        Operand::String(string) => fixups.intern(FixupKind::Weak, &string),
    })
    .map_err(|error| error.to_string())?;
    if let Some(name) = odd_name {
        return Err(format!("`{}` is no name", shown(name)));
    }
    codec::decode(&text, fixups.as_slice().len() as u32).map_err(|error| error.to_string())?;
    Ok(Fragment { text, fixups })
}

/// A line a definition: `NAME DIGEST LINE`, then, with a line table, ` :` and its columns.
///
/// In a line table `+N` goes N lines down, and a number is the column of the next instruction.
pub(crate) fn compilation_to_lines(compilation: &Compilation) -> String {
    let mut out = String::with_capacity(100 * compilation.definitions().len());
    for definition in compilation.definitions() {
        // Writing to a string cannot fail.
        _ = write!(out, "{} {} {}", definition.name, definition.fragment, definition.line);
        if let Some(lines) = &definition.lines {
            out.push_str(" :");
            let mut line = 0;
            for row in lines.rows() {
                if row.line != line {
                    _ = write!(out, " +{}", row.line.wrapping_sub(line));
                    line = row.line;
                }
                _ = write!(out, " {}", row.column);
            }
        }
        out.push('\n');
    }
    out
}

/// Reads the lines of a compilation.
pub(crate) fn compilation_from_lines(source: &str, lines: &str) -> Result<Compilation, String> {
    let definition =
        |line: &str| definition_from_line(line).ok_or_else(|| format!("`{}` is no definition", shown(line)));
    let definitions = lines.lines().map(definition).collect::<Result<_, _>>()?;
    Compilation::new(source, definitions).map_err(|error| error.to_string())
}

fn definition_from_line(line: &str) -> Option<Definition> {
    let mut words = line.split(' ');
    let name = Name::new(words.next()?)?;
    let fragment = words.next()?.parse::<FragmentDigest>().ok()?;
    let line = words.next()?.parse().ok().filter(|line| *line > 0)?;
    let lines = match words.next() {
        None => None,
        Some(":") => Some(line_table_from_words(words)?),
        Some(_) => return None,
    };
    Some(Definition { name, fragment, line, lines })
}

fn line_table_from_words<'w>(words: impl Iterator<Item = &'w str>) -> Option<LineTable> {
    let mut line: u32 = 0;
    let mut rows = Vec::new();
    for word in words {
        match word.strip_prefix('+') {
            Some(down) => line = line.checked_add(down.parse().ok()?)?,
            None => rows.push(Position { line, column: word.parse().ok()? }),
        }
    }
    LineTable::new(rows)
}
