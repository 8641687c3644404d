//! The form for machines: little-endian 32-bit integers, and lengths in front of what has one.
//!
//! Deliberately absent: offsets and padding. It is read from the front to the end, once.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::{FormError, Spelled, Stated, index_of, name, symbol};
use crate::digest::{BuildId, CompilationId, FragmentDigest};
use crate::object::executable::{Executable, Section, Symbol};
use crate::store::error::StoreError;
use crate::store::seal::{BINARY, INTERPRETER, Kind, damaged};
use crate::store::wire::bytes::{Reader, Writer};

/// The version of the binary form.
const VERSION: u32 = 1;

/// The bytes of a digest; one of the whole stands at the end of the file.
const DIGEST: usize = 32;

/// The compact form of an executable.
pub(super) fn spell(executable: &Executable) -> Result<Spelled, FormError> {
    let compilations = executable.compilations();
    // What is in the file is shorter than the file, so every length and count fits too.
    u32::try_from(size(executable, compilations.len())).map_err(|_| FormError::Size)?;
    let symbol = |out: &mut Writer, symbol: &Symbol| {
        out.bytes(symbol.name.as_str().as_bytes());
        out.u32(symbol.section);
        out.u32(index_of(&compilations, symbol));
    };
    let section = |out: &mut Writer, section: &Section| {
        out.raw(section.fragment.digest().as_bytes());
        out.bytes(&section.text);
    };
    let string = |out: &mut Writer, string: &Arc<str>| out.bytes(string.as_bytes());
    let (symbols, (sections, strings)) = rayon::join(
        || all(&executable.symbols, symbol, symbol_size),
        || {
            rayon::join(
                || all(&executable.sections, section, section_size),
                || all(&executable.strings, string, string_size),
            )
        },
    );
    // The build id covers sections and strings as they are spelled here.
    let build = executable.build_id_of(sections.iter().chain(&strings));
    let mut head = Writer::with_capacity(1024 + DIGEST * compilations.len());
    head.raw(INTERPRETER.as_bytes());
    head.raw(BINARY);
    head.u32(VERSION);
    head.raw(build.digest().as_bytes());
    head.all(&executable.entries, |out, entry| out.bytes(entry.as_str().as_bytes()));
    head.all(&compilations, |out, id| out.raw(id.digest().as_bytes()));
    let mut pieces = vec![head.into_bytes()];
    pieces.extend(symbols.into_iter().chain(sections).chain(strings));
    let mut hasher = blake3::Hasher::new();
    pieces.iter().for_each(|piece| _ = hasher.update_rayon(piece));
    pieces.push(hasher.finalize().as_bytes().to_vec());
    Ok(Spelled { pieces, build, compilations })
}

/// So many members are spelled by one thread, into memory of their own.
const TOGETHER: usize = 8192;

/// How many members there are, and each of them.
fn all<T: Sync>(
    members: &[T],
    write: impl Fn(&mut Writer, &T) + Sync,
    size: impl Fn(&T) -> usize + Sync,
) -> Vec<Vec<u8>> {
    let piece = |members: &[T]| {
        let mut out = Writer::with_capacity(members.iter().map(&size).sum());
        members.iter().for_each(|member| write(&mut out, member));
        out.into_bytes()
    };
    let mut pieces = vec![(members.len() as u32).to_le_bytes().to_vec()];
    pieces.par_extend(members.par_chunks(TOGETHER).map(piece));
    pieces
}

/// The number of bytes that an executable takes.
fn size(executable: &Executable, compilations: usize) -> usize {
    let frame = INTERPRETER.len() + BINARY.len() + 4 + DIGEST + 5 * 4 + DIGEST;
    let entries = executable.entries.iter().map(|entry| 4 + entry.as_str().len());
    let symbols = executable.symbols.iter().map(symbol_size);
    let sections = executable.sections.iter().map(section_size);
    let strings = executable.strings.iter().map(string_size);
    frame + DIGEST * compilations + entries.chain(symbols).chain(sections).chain(strings).sum::<usize>()
}

fn symbol_size(symbol: &Symbol) -> usize {
    12 + symbol.name.as_str().len()
}

fn section_size(section: &Section) -> usize {
    DIGEST + 4 + section.text.len()
}

fn string_size(string: &Arc<str>) -> usize {
    4 + string.len()
}

/// Reads the compact form.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Executable, StoreError> {
    let damaged = |message: &str| damaged(Kind::Executable, path, None, message.to_owned());
    let (version, body) = unseal(bytes).map_err(damaged)?;
    if version != VERSION {
        let (path, found) = (path.to_owned(), version.to_string());
        return Err(StoreError::Version { path, found, expected: VERSION });
    }
    body_of(body).and_then(Stated::check).map_err(|message| damaged(&message))
}

/// Takes off what is the same in all versions: the two headers, the version, and the digest of everything before it.
fn unseal(bytes: &[u8]) -> Result<(u32, &[u8]), &'static str> {
    const CUT: &str = "it ends before its digest does";
    let (before, digest) = bytes.split_last_chunk::<DIGEST>().ok_or(CUT)?;
    let header = before.strip_prefix(INTERPRETER.as_bytes()).ok_or("it lacks its first line")?;
    let (version, body) = header.strip_prefix(BINARY).and_then(|rest| rest.split_first_chunk()).ok_or(CUT)?;
    if blake3::hash(before).as_bytes() != digest {
        return Err("its bytes do not fit the digest at its end");
    }
    Ok((u32::from_le_bytes(*version), body))
}

fn body_of(bytes: &[u8]) -> Result<Stated, String> {
    let mut body = Reader::new(bytes);
    let build = BuildId::new(body.digest()?);
    let entries = body.all(4, |body| name(body.text()?))?;
    let compilations = body.all(DIGEST, |body| Ok(CompilationId::new(body.digest()?)))?;
    let symbols = body.all(12, |body| symbol(body.text()?, body.u32()?, body.u32()?, &compilations))?;
    let sections = body.all(DIGEST + 4, |body| {
        Ok(Section { fragment: FragmentDigest::new(body.digest()?), text: body.bytes()?.to_vec().into() })
    })?;
    let strings = body.all(4, |body| Ok(Arc::from(body.text()?)))?;
    body.end()?;
    Ok(Stated { build, compilations, executable: Executable { entries, symbols, sections, strings } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::wire::executable::{from_bytes, to_binary, to_yaml};

    /// `docs/formats.md` has an executable in both forms.
    #[test]
    fn the_test_vector_of_the_format_holds() {
        let document = include_str!("../../../../docs/formats.md").replace("\r\n", "\n");
        let vector = document.split("<!-- executable vector -->").nth(1).unwrap();
        let blocks = vector.split("```").skip(1).step_by(2);
        let blocks = blocks.map(|block| block.split_once('\n').unwrap().1).collect::<Vec<_>>();
        let [yaml, hex] = blocks.try_into().unwrap();
        let digits = hex.split_whitespace().collect::<String>();
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        let binary = (0..digits.len()).step_by(2).map(byte).collect::<Vec<_>>();
        let read = |bytes: &[u8]| from_bytes(Path::new("a.tx"), bytes).unwrap();
        assert_eq!(to_binary(&read(yaml.as_bytes())).unwrap(), binary);
        assert_eq!(to_yaml(&read(&binary)).unwrap(), yaml);
    }

    #[test]
    fn the_size_is_known_beforehand() {
        let [entry, name] = ["main", "a"].map(|text| crate::name::Name::new(text).unwrap());
        let digest = crate::digest::Hasher::new("test", 1).finish();
        let section =
            |text: &[u8]| Section { fragment: FragmentDigest::new(digest), text: text.to_vec().into() };
        let compilation = CompilationId::new(digest);
        let executable = Executable {
            entries: vec![entry],
            symbols: vec![crate::object::executable::Symbol { name, section: 0, compilation }],
            sections: vec![section(b"code"), section(b"")],
            strings: vec!["string".into(), "".into()],
        };
        assert_eq!(to_binary(&executable).unwrap().len(), size(&executable, 1));
    }
}
