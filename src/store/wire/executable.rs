//! `NAME.tx`, in a form for people and in one for machines, which hold the same.
//!
//! Deliberately absent: what only the loader of a program relies on, such as that blocks nest.

use std::collections::HashSet;
use std::path::Path;

use super::shown;
use crate::digest::{BuildId, CompilationId};
use crate::isa::codec::{DecodeError, Decoder};
use crate::isa::instruction::Instruction;
use crate::name::{Name, is_callable};
use crate::object::executable::{Executable, Symbol};
use crate::store::error::StoreError;
use crate::store::file::{self, Framed, Replaced};
use crate::store::seal::{self, Kind};

mod binary;
pub mod image;
mod yaml;

use binary::Ends;
pub use image::Image;

/// How an executable is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text that a person can read.
    Yaml,
    /// The compact binary form.
    Binary,
}

/// Why an executable has no spelling; none that the linker makes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// A section is no code, and so has no listing.
    #[error(transparent)]
    Code(#[from] DecodeError),
    /// The binary form counts in 32 bits.
    #[error("it is larger than 4 GiB")]
    Size,
    /// An image is not one of members.
    #[error("it is no image: {0}")]
    Image(String),
}

/// The bytes of an executable's file.
pub fn to_bytes(executable: &Executable, format: Format) -> Result<Vec<u8>, FormError> {
    match format {
        Format::Yaml => Ok(to_yaml(executable)?.into_bytes()),
        Format::Binary => to_binary(executable),
    }
}

/// The readable form of an executable.
pub fn to_yaml(executable: &Executable) -> Result<String, DecodeError> {
    yaml::spell(executable, executable.build_id())
}

/// The compact form of an executable.
pub fn to_binary(executable: &Executable) -> Result<Vec<u8>, FormError> {
    let image = Image::of(executable);
    binary::size(&image)?;
    let Ends { head, tail, .. } = binary::ends(&image);
    Ok([&head].into_iter().chain(image.pieces()).chain([&tail]).flatten().copied().collect())
}

/// Reads the bytes of an executable's file, of either form.
pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Executable, StoreError> {
    if seal::is_binary(bytes) { binary::read(path, bytes) } else { yaml::read(path, bytes) }
}

/// What was written of an executable.
#[derive(Debug)]
pub struct Written {
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The build id.
    pub build: BuildId,
    /// The compilations that symbols name, in ascending order.
    pub compilations: Vec<CompilationId>,
    /// What was at the path before.
    pub replaced: Option<Replaced>,
}

/// Writes a program in place of what is at `path`. What is not needed any more, what is `over`, is dropped while the
/// disk works.
pub fn write(path: &Path, image: &Image, format: Format, over: impl Send) -> Result<Written, StoreError> {
    let unwritable =
        |error: FormError| StoreError::Unwritable { path: path.to_owned(), reason: error.to_string() };
    match format {
        Format::Yaml => write_yaml(path, image, unwritable),
        Format::Binary => write_binary(path, image, unwritable, over),
    }
}

fn write_yaml(
    path: &Path,
    image: &Image,
    unwritable: impl Fn(FormError) -> StoreError,
) -> Result<Written, StoreError> {
    let build = image.build_id();
    let spelled = image.executable().and_then(|executable| Ok(yaml::spell(&executable, build)?));
    let bytes = spelled.map_err(unwritable)?.into_bytes();
    seal::write(Kind::Executable, path, &bytes)?;
    let compilations = image.names.compilations().to_vec();
    Ok(Written { bytes: bytes.len() as u64, build, compilations, replaced: None })
}

/// What is between the ends is written while they are made.
fn write_binary(
    path: &Path,
    image: &Image,
    unwritable: impl Fn(FormError) -> StoreError,
    over: impl Send,
) -> Result<Written, StoreError> {
    let bytes = binary::size(image).map_err(unwritable)?;
    let pieces = image.pieces().map(Vec::as_slice).collect::<Vec<_>>();
    let ends = || {
        let Ends { head, tail, build } = binary::ends(image);
        ([head, tail], build)
    };
    let (room, meanwhile) = (binary::head_size(image), || drop(over));
    let framed = Framed { room, pieces: &pieces, ends, meanwhile };
    let (build, replaced) = seal::write_framed(Kind::Executable, path, framed)?;
    let compilations = image.names.compilations().to_vec();
    Ok(Written { bytes, build, compilations, replaced: Some(replaced) })
}

/// Reads the executable at `path`, of either form.
pub fn read(path: &Path) -> Result<Executable, StoreError> {
    let missing = || StoreError::NotFound {
        what: "executable",
        path: path.to_owned(),
        help: "`toy link` makes it from tickets",
    };
    from_bytes(path, &file::read(path)?.ok_or_else(missing)?)
}

/// The index of a symbol's compilation among all, by which both forms name it.
fn index_of(compilations: &[CompilationId], symbol: &Symbol) -> u32 {
    compilations.binary_search(&symbol.compilation).unwrap_or_else(|at| at) as u32
}

fn name(text: &str) -> Result<Name, String> {
    Name::new(text).ok_or_else(|| format!("`{}` is no name", shown(text)))
}

fn symbol(
    text: &str,
    section: u32,
    compilation: u32,
    compilations: &[CompilationId],
) -> Result<Symbol, String> {
    let name = name(text)?;
    let compilation = compilations.get(compilation as usize);
    let compilation = *compilation.ok_or_else(|| format!("symbol `{name}` names no compilation"))?;
    Ok(Symbol { name, section, compilation })
}

/// An executable as a file has it, with what the file says about it.
struct Stated {
    build: BuildId,
    compilations: Vec<CompilationId>,
    executable: Executable,
}

impl Stated {
    /// Holds what was read against what is true of every executable, so that it has one spelling in each form.
    fn check(self) -> Result<Executable, String> {
        if self.compilations != self.executable.compilations() {
            return Err("its compilations are not those of its symbols in ascending order".to_owned());
        }
        check_code(&self.executable)?;
        if self.executable.build_id() != self.build {
            return Err("its contents do not fit its build id".to_owned());
        }
        Ok(self.executable)
    }
}

/// Code is instructions, calls are of what can be called, strings are numbered in the order of their first use.
fn check_code(executable: &Executable) -> Result<(), String> {
    let strings = &executable.strings;
    let callable = strings.iter().map(|string| is_callable(string)).collect::<Vec<_>>();
    let mut used = 0;
    for (at, section) in executable.sections.iter().enumerate() {
        for instruction in Decoder::new(&section.text) {
            let instruction = instruction.map_err(|error| format!("section {at} is no code: {error}"))?;
            let (Instruction::Call(index) | Instruction::String(index)) = instruction else { continue };
            if index > used || index as usize >= strings.len() {
                return Err(format!("section {at} uses string {index} before its turn"));
            }
            used = used.max(index + 1);
            if matches!(instruction, Instruction::Call(_)) && !callable[index as usize] {
                return Err(format!("`{}` is no name", shown(&strings[index as usize])));
            }
        }
    }
    if used as usize != strings.len() {
        return Err("it has strings that no section uses".to_owned());
    }
    let mut seen = HashSet::with_capacity(strings.len());
    match strings.iter().find(|string| !seen.insert(&***string)) {
        Some(twice) => Err(format!("the string `{}` stands twice", shown(twice))),
        None => Ok(()),
    }
}
