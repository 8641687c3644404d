//! Bodies and compilations as lines of text: what stands in the block scalars of `repo.yaml`.

use std::fmt::Write as _;

use crate::digest::FragmentDigest;
use crate::isa::codec::{self, Checker};
use crate::isa::instruction::Instruction;
use crate::isa::listing::{self, Operand};
use crate::name::{Name, is_callable};
use crate::object::compilation::{Compilation, Definition};
use crate::object::fixup::{FixupKind, Fixups};
use crate::object::fragment::{Fragment, Parts};
use crate::object::line_table::LineTable;
use crate::source::Position;
use crate::store::wire::shown;

/// The listing of a fragment: names and strings stand where its instructions use them. Only a fragment that is read
/// back from it has one.
pub(crate) fn fragment_to_listing(fragment: &Fragment) -> Result<String, String> {
    let fixups = fragment.fixups.as_slice();
    let fixups = fixups.iter().map(|fixup| (fixup.kind, &*fixup.target)).collect();
    check_parts(&Parts { fixups, text: &fragment.text })?;
    let mut out = String::with_capacity(4 * fragment.text.len());
    let target = |index| fragment.fixups.get(index).map(|fixup| &*fixup.target);
    let instructions = codec::Decoder::new(&fragment.text);
    listing::write(instructions, target, &mut out).map_err(|error| error.to_string())?;
    Ok(out)
}

/// Whether the code and the fixups of a fragment agree.
pub(crate) fn check_parts(Parts { fixups, text }: &Parts<'_>) -> Result<(), String> {
    let fixup = |index: usize| (fixups[index].0, Some(fixups[index].1));
    check(&mut Checker::default(), text, fixups.len(), fixup)
}

/// Whether the code and the fixups of a fragment agree: the fixups are what the code uses, in the order in which it
/// first uses them. `fixup` gives the kind of each by index, and its target, unless that is known to be a name.
pub(crate) fn check<'f>(
    checker: &mut Checker,
    text: &[u8],
    fixups: usize,
    fixup: impl Fn(usize) -> (FixupKind, Option<&'f str>),
) -> Result<(), String> {
    let (mut used, mut odd) = (0, None);
    let refer = |instruction| {
        let (kind, index) = match instruction {
            Instruction::Call(index) => (FixupKind::Strong, index as usize),
            Instruction::String(index) => (FixupKind::Weak, index as usize),
            _ => return,
        };
        let (stated, target) = fixup(index);
        if stated != kind || index > used {
            odd.get_or_insert_with(strange);
        } else if index == used {
            if let (FixupKind::Strong, Some(target)) = (kind, target.filter(|target| !is_callable(target))) {
                odd.get_or_insert_with(|| format!("`{}` is no name", shown(target)));
            }
            used += 1;
        }
    };
    checker.check(text, fixups as u32, refer).map_err(|error| error.to_string())?;
    if used != fixups {
        odd.get_or_insert_with(strange);
    }
    odd.map_or(Ok(()), Err)
}

fn strange() -> String {
    "its fixups are not those of its code".to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::codec::encode;

    /// A fragment of one instruction and these fixups.
    fn fragment(instruction: Instruction, fixups: &[(FixupKind, &str)]) -> Fragment {
        let mut fragment = Fragment::default();
        fixups.iter().for_each(|(kind, target)| _ = fragment.fixups.intern(*kind, target));
        encode(instruction, &mut fragment.text);
        fragment
    }

    #[test]
    fn what_a_listing_cannot_show_has_none() {
        use FixupKind::{Strong, Weak};
        use Instruction::{Block, Call, Number, String};
        let right = [
            fragment(Call(0), &[(Strong, "a")]),
            fragment(Call(0), &[(Strong, "]")]),
            fragment(String(0), &[(Weak, "a\n")]),
        ];
        for fragment in right {
            let listing = fragment_to_listing(&fragment).unwrap();
            assert_eq!(fragment_from_listing(&listing).unwrap(), fragment);
        }
        let wrong = [
            fragment(Call(0), &[(Strong, "a\nnumber 1")]),
            fragment(Call(0), &[(Strong, "")]),
            fragment(Call(0), &[(Strong, "true")]),
            fragment(Call(0), &[(Weak, "a")]),
            fragment(String(0), &[(Strong, "a")]),
            fragment(Number(1.0), &[(Weak, "a")]),
            fragment(String(1), &[(Weak, "a"), (Weak, "b")]),
            fragment(String(0), &[(Weak, "a"), (Weak, "b")]),
            fragment(Block(1), &[]),
        ];
        for fragment in wrong {
            assert!(fragment_to_listing(&fragment).is_err(), "{fragment:?}");
        }
    }
}
