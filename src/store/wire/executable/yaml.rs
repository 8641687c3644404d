//! The form for people: names, indices and code as lines of text.
//!
//! Deliberately absent: the strings, which stand where the code uses them.

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use super::{Stated, index_of, name, symbol};
use crate::digest::{BuildId, CompilationId, FragmentDigest};
use crate::isa::codec::{DecodeError, Decoder};
use crate::isa::listing::{self, Operand};
use crate::object::executable::{Executable, Section, Strings, Symbol};
use crate::store::error::StoreError;
use crate::store::seal::{self, Kind};
use crate::store::wire::emit::Emitter;
use crate::store::wire::shown;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExecutableWire {
    build: BuildId,
    entries: Vec<String>,
    /// Compilations that symbols name, by index.
    compilations: Vec<CompilationId>,
    /// A line a symbol: name, index of its section, index of its compilation.
    symbols: String,
    sections: Vec<SectionWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SectionWire {
    fragment: FragmentDigest,
    text: String,
}

/// The readable form of an executable with this build id.
pub(super) fn spell(executable: &Executable, build: BuildId) -> Result<String, DecodeError> {
    let compilations = executable.compilations();
    let text_bytes = executable.sections.iter().map(|section| section.text.len()).sum::<usize>();
    let mut yaml = Emitter::with_capacity(5 * text_bytes + 250 * executable.symbols.len());
    yaml.plain(0, "build", build);
    yaml.section(0, "entries");
    executable.entries.iter().for_each(|entry| yaml.word_item(0, entry.as_str()));
    yaml.section(0, "compilations");
    compilations.iter().for_each(|id| yaml.item(0, id));
    let mut symbols = String::with_capacity(32 * executable.symbols.len());
    for symbol in &executable.symbols {
        // Writing to a string cannot fail.
        _ = writeln!(symbols, "{} {} {}", symbol.name, symbol.section, index_of(&compilations, symbol));
    }
    yaml.block(0, "symbols", &symbols);
    yaml.section(0, "sections");
    let string = |index: u32| executable.strings.get(index as usize).map(|string| &**string);
    let mut text = String::new();
    for section in &executable.sections {
        text.clear();
        listing::write(Decoder::new(&section.text), string, &mut text)?;
        yaml.first(0, "fragment", section.fragment);
        yaml.block(2, "text", &text);
    }
    Ok(seal::seal(Kind::Executable, &yaml.into_text(), entries(executable)))
}

/// What the trailer counts.
fn entries(executable: &Executable) -> usize {
    executable.symbols.len() + executable.sections.len()
}

/// Reads the readable form.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Executable, StoreError> {
    let unsealed = seal::unseal(Kind::Executable, path, bytes)?;
    let executable = from_wire(unsealed.parse(Kind::Executable)?)
        .and_then(Stated::check)
        .map_err(|message| unsealed.impossible(Kind::Executable, message))?;
    unsealed.expect_entries(Kind::Executable, entries(&executable))?;
    Ok(executable)
}

fn from_wire(wire: ExecutableWire) -> Result<Stated, String> {
    let mut strings = Strings::default();
    let sections = wire.sections.iter().map(|section| {
        let text = listing::read(&section.text, |operand| match operand {
            Operand::Name(name) => strings.intern(name),
            Operand::String(string) => strings.intern(&string),
        });
        let text = text.map_err(|error| error.to_string())?;
        Ok(Section { fragment: section.fragment, text })
    });
    let sections = sections.collect::<Result<_, String>>()?;
    let symbols = wire.symbols.lines().map(|line| read_symbol(line, &wire.compilations));
    let executable = Executable {
        entries: wire.entries.iter().map(|entry| name(entry)).collect::<Result<_, _>>()?,
        symbols: symbols.collect::<Result<_, String>>()?,
        sections,
        strings: strings.into_vec(),
    };
    Ok(Stated { build: wire.build, compilations: wire.compilations, executable })
}

fn read_symbol(line: &str, compilations: &[CompilationId]) -> Result<Symbol, String> {
    let mut words = line.split(' ');
    let (Some(name), Some(section), Some(compilation), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(format!("`{}` is no symbol", shown(line)));
    };
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("`{}` is no index", shown(text)));
    symbol(name, number(section)?, number(compilation)?, compilations)
}
