//! `NAME.tx`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use super::emit::Emitter;
use crate::digest::{BuildId, CompilationId, FragmentDigest};
use crate::isa::codec::{DecodeError, Decoder};
use crate::isa::listing::{self, Operand};
use crate::name::Name;
use crate::object::executable::{Executable, Section, Strings, Symbol};
use crate::store::error::StoreError;
use crate::store::file;
use crate::store::seal::{self, Kind};
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

/// The bytes of an executable's file.
pub fn to_yaml(executable: &Executable) -> Result<String, DecodeError> {
    let compilations = executable.symbols.iter().map(|symbol| symbol.compilation).collect::<BTreeSet<_>>();
    let compilations = compilations.into_iter().collect::<Vec<_>>();
    let text_bytes = executable.sections.iter().map(|section| section.text.len()).sum::<usize>();
    let mut yaml = Emitter::with_capacity(5 * text_bytes + 250 * executable.symbols.len());
    yaml.plain(0, "build", executable.build_id());
    yaml.section(0, "entries");
    executable.entries.iter().for_each(|entry| yaml.word_item(0, entry.as_str()));
    yaml.section(0, "compilations");
    compilations.iter().for_each(|id| yaml.item(0, id));
    let mut symbols = String::with_capacity(32 * executable.symbols.len());
    for symbol in &executable.symbols {
        let compilation = compilations.binary_search(&symbol.compilation).unwrap_or_else(|at| at);
        // Writing to a string cannot fail.
        _ = writeln!(symbols, "{} {} {}", symbol.name, symbol.section, compilation);
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

/// Reads the bytes of an executable's file.
pub fn from_yaml(path: &Path, bytes: &[u8]) -> Result<Executable, StoreError> {
    let unsealed = seal::unseal(Kind::Executable, path, bytes)?;
    let wire: ExecutableWire = unsealed.parse(Kind::Executable)?;
    let build = wire.build;
    let executable = from_wire(wire).map_err(|message| unsealed.impossible(Kind::Executable, message))?;
    if executable.build_id() != build {
        let message = "its contents do not fit its build id".to_owned();
        return Err(unsealed.impossible(Kind::Executable, message));
    }
    unsealed.expect_entries(Kind::Executable, entries(&executable))?;
    Ok(executable)
}

fn from_wire(wire: ExecutableWire) -> Result<Executable, String> {
    let name = |text: &str| Name::new(text).ok_or_else(|| format!("`{}` is no name", shown(text)));
    let mut strings = Strings::default();
    let sections = wire.sections.iter().map(|section| {
        let text = listing::read(&section.text, |operand| match operand {
            Operand::Name(name) => strings.intern(name),
            Operand::String(string) => strings.intern(&string),
        });
        Ok(Section { fragment: section.fragment, text: text.map_err(|error| error.to_string())? })
    });
    let symbol = |line: &str| {
        let &[symbol, section, compilation] = line.split(' ').collect::<Vec<_>>().as_slice() else {
            return Err(format!("`{}` is no symbol", shown(line)));
        };
        let name = name(symbol)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| format!("`{}` is no index", shown(text)));
        let section = number(section)?;
        let compilation = wire.compilations.get(number(compilation)? as usize);
        let compilation = *compilation.ok_or_else(|| format!("symbol `{name}` names no compilation"))?;
        Ok(Symbol { name, section, compilation })
    };
    if !wire.compilations.is_sorted_by(|a, b| a < b) {
        return Err("its compilations are not in ascending order".to_owned());
    }
    Ok(Executable {
        entries: wire.entries.iter().map(|entry| name(entry)).collect::<Result<_, _>>()?,
        symbols: wire.symbols.lines().map(symbol).collect::<Result<_, String>>()?,
        sections: sections.collect::<Result<_, String>>()?,
        strings: strings.into_vec(),
    })
}

/// Writes an executable, with its run bit, in place of what is at `path`.
pub fn write(path: &Path, executable: &Executable) -> Result<u64, StoreError> {
    let unwritable =
        |error: DecodeError| StoreError::Unwritable { path: path.to_owned(), reason: error.to_string() };
    let text = to_yaml(executable).map_err(unwritable)?;
    seal::write(Kind::Executable, path, &text)?;
    Ok(text.len() as u64)
}

/// Reads the executable at `path`.
pub fn read(path: &Path) -> Result<Executable, StoreError> {
    let missing = || StoreError::NotFound {
        what: "executable",
        path: path.to_owned(),
        help: "`toy link` makes it from tickets",
    };
    from_yaml(path, &file::read(path)?.ok_or_else(missing)?)
}
