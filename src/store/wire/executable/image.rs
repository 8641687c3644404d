//! A linked program in the bytes of the binary form: what the linker makes, and what a file takes as it is.
//!
//! Deliberately absent: what stands before and behind those bytes in a file.

use rayon::prelude::*;

use super::{FormError, index_of, symbol};
use crate::digest::{BuildId, CompilationId, Digest, FragmentDigest, Hasher};
use crate::name::Name;
use crate::object::executable::{self, Executable, Section, Symbol};
use crate::store::wire::bytes::{Reader, Writer};

/// A linked program. Each member is spelled once, where it stays.
#[derive(Debug, Clone)]
pub struct Image {
    /// The entry points and symbols.
    pub names: Names,
    /// The sections, see [`push_section`].
    pub sections: Members,
    /// The strings.
    pub strings: Members,
}

/// Members of one kind, one behind the other, in pieces that are not larger than the memory that is best for them.
#[derive(Debug, Clone)]
pub struct Members {
    count: usize,
    pieces: Vec<Vec<u8>>,
}

/// So many members are spelled by one thread, into memory of their own.
pub const TOGETHER: usize = 8192;

impl Members {
    /// Takes the pieces in which so many members are spelled.
    pub fn new(count: usize, pieces: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let first = (count as u32).to_le_bytes().to_vec();
        Self { count, pieces: [first].into_iter().chain(pieces).collect() }
    }

    /// Spells strings.
    pub fn strings<'t, T: Sync>(all: &'t [T], text: impl Fn(&'t T) -> &'t str + Sync) -> Self {
        let size = |string: &'t T| 4 + text(string).len();
        let write = |out: &mut Writer, string: &'t T| out.bytes(text(string).as_bytes());
        Self::new(all.len(), spell(all, size, write))
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// How many there are and each of them, as they are spelled, in pieces.
    pub fn pieces(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.pieces.iter()
    }

    fn read<T>(&self, member: impl Fn(&mut Reader<'_>) -> Result<T, String>) -> Result<Vec<T>, FormError> {
        let mut all = Vec::new();
        for piece in self.pieces.iter().skip(1) {
            let mut rest = Reader::new(piece);
            while rest.end().is_err() {
                all.push(member(&mut rest).map_err(FormError::Image)?);
            }
        }
        Ok(all)
    }
}

fn spell<'t, T: Sync>(
    all: &'t [T],
    size: impl Fn(&'t T) -> usize + Sync,
    write: impl Fn(&mut Writer, &'t T) + Sync,
) -> Vec<Vec<u8>> {
    let piece = |members: &'t [T]| {
        let mut out = Writer::with_capacity(members.iter().map(&size).sum());
        members.iter().for_each(|member| write(&mut out, member));
        out.into_bytes()
    };
    all.par_chunks(TOGETHER).map(piece).collect()
}

/// How many bytes a section with so many bytes of code takes.
pub const fn section_size(code: usize) -> usize {
    32 + 4 + code
}

/// Appends a section. Its code stands at the end.
pub fn push_section(piece: &mut Vec<u8>, fragment: &FragmentDigest, code: &[u8]) {
    piece.extend_from_slice(fragment.digest().as_bytes());
    piece.extend_from_slice(&(code.len() as u32).to_le_bytes());
    piece.extend_from_slice(code);
}

/// The fragment of a section.
pub fn fragment(section: &[u8]) -> FragmentDigest {
    let digest = section.first_chunk().copied().unwrap_or_default();
    FragmentDigest::new(Digest::from_bytes(digest))
}

/// What there is to say about a symbol.
#[derive(Debug, Clone, Copy)]
pub struct Named<'n> {
    /// The procedure's name.
    pub name: &'n str,
    /// Index of its section.
    pub section: u32,
    /// Index of its compilation among those that symbols name.
    pub compilation: u32,
}

impl<'n> Named<'n> {
    fn of(symbol: &'n Symbol, compilations: &[CompilationId]) -> Self {
        let compilation = index_of(compilations, symbol);
        Self { name: symbol.name.as_str(), section: symbol.section, compilation }
    }
}

/// The entry points of a program and its symbols.
#[derive(Debug, Clone)]
pub struct Names {
    entries: Vec<Name>,
    compilations: Vec<CompilationId>,
    symbols: Members,
    /// What the build id starts with: all of them.
    hasher: Hasher,
}

impl Names {
    /// Spells symbols, which are in ascending order of their names, as are the compilations that they name, each of which
    /// is named.
    pub fn spell<'n, T>(
        entries: Vec<Name>,
        compilations: Vec<CompilationId>,
        symbols: &'n [T],
        named: impl Fn(&'n T) -> Named<'n>,
    ) -> Self {
        let (mut pieces, mut hashed) = (Vec::new(), Vec::new());
        let mut hasher = executable::hasher(&entries, symbols.len());
        for members in symbols.chunks(TOGETHER) {
            // Names are met anywhere in memory: they are looked at once.
            let members = members.iter().map(&named).collect::<Vec<_>>();
            let names = members.iter().map(|member| member.name.len()).sum::<usize>();
            let mut piece = Writer::with_capacity(names + 12 * members.len());
            let mut canonical = Writer::reusing(hashed);
            for Named { name, section, compilation } in members {
                for out in [&mut piece, &mut canonical] {
                    out.bytes(name.as_bytes());
                    out.u32(section);
                }
                piece.u32(compilation);
                let id = compilations.get(compilation as usize);
                id.iter().for_each(|id| canonical.raw(id.digest().as_bytes()));
            }
            pieces.push(piece.into_bytes());
            hashed = canonical.into_bytes();
            hasher.spelled(&hashed);
        }
        Self { entries, compilations, symbols: Members::new(symbols.len(), pieces), hasher }
    }

    /// The entry points; the program starts at the first.
    pub fn entries(&self) -> &[Name] {
        &self.entries
    }

    /// The symbols.
    pub const fn symbols(&self) -> &Members {
        &self.symbols
    }

    /// The compilations that symbols name, in ascending order.
    pub fn compilations(&self) -> &[CompilationId] {
        &self.compilations
    }
}

impl Image {
    /// Spells an executable.
    pub fn of(executable: &Executable) -> Self {
        let compilations = executable.compilations();
        let named = |symbol| Named::of(symbol, &compilations);
        let names =
            Names::spell(executable.entries.clone(), compilations.clone(), &executable.symbols, named);
        let size = |section: &Section| section_size(section.text.len());
        let section = |out: &mut Writer, section: &Section| {
            out.raw(section.fragment.digest().as_bytes());
            out.bytes(&section.text);
        };
        let sections = Members::new(executable.sections.len(), spell(&executable.sections, size, section));
        Self { names, sections, strings: Members::strings(&executable.strings, |string| string) }
    }

    /// The executable, with memory for each member of its own.
    pub fn executable(&self) -> Result<Executable, FormError> {
        let Names { entries, compilations, symbols, .. } = &self.names;
        Ok(Executable {
            entries: entries.clone(),
            symbols: symbols.read(|rest| symbol(rest.text()?, rest.u32()?, rest.u32()?, compilations))?,
            sections: self.sections.read(section)?,
            strings: self.strings.read(|rest| Ok(rest.text()?.into()))?,
        })
    }

    /// The digest of everything in the program.
    pub fn build_id(&self) -> BuildId {
        let mut hasher = self.names.hasher.clone();
        self.sections.pieces().chain(self.strings.pieces()).for_each(|piece| hasher.spelled(piece));
        BuildId::new(hasher.finish())
    }

    /// The bytes between head and tail, in pieces.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.names.symbols.pieces().chain(self.sections.pieces()).chain(self.strings.pieces())
    }
}

pub(super) fn section(rest: &mut Reader<'_>) -> Result<Section, String> {
    Ok(Section { fragment: FragmentDigest::new(rest.digest()?), text: rest.bytes()?.to_vec() })
}
