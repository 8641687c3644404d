//! The form for machines: little-endian 32-bit integers, and lengths in front of what has one.
//!
//! Deliberately absent: offsets and padding. It is read from the front to the end, once.

use std::path::Path;
use std::sync::Arc;

use super::image::{Image, section};
use super::{FormError, Stated, name, symbol};
use crate::digest::{BuildId, CompilationId};
use crate::object::executable::Executable;
use crate::store::error::StoreError;
use crate::store::seal::{BINARY, INTERPRETER, Kind, damaged};
use crate::store::wire::bytes::{Reader, Writer};

/// The version of the binary form.
const VERSION: u32 = 1;

/// The bytes of a digest; one of the whole stands at the end of the file.
const DIGEST: usize = 32;

/// What stands before and behind the members in a file, and the build id in it.
pub(super) struct Ends {
    pub head: Vec<u8>,
    pub tail: Vec<u8>,
    pub build: BuildId,
}

/// The ends of a file, which depend on all that is between them.
pub(super) fn ends(image: &Image) -> Ends {
    let build = image.build_id();
    let head = head(image, build);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&head);
    image.pieces().for_each(|piece| _ = hasher.update_rayon(piece));
    Ends { head, tail: hasher.finalize().as_bytes().to_vec(), build }
}

fn head(image: &Image, build: BuildId) -> Vec<u8> {
    let mut head = Writer::with_capacity(head_size(image));
    head.raw(INTERPRETER.as_bytes());
    head.raw(BINARY);
    head.u32(VERSION);
    head.raw(build.digest().as_bytes());
    head.all(image.names.entries(), |out, entry| out.bytes(entry.as_str().as_bytes()));
    head.all(image.names.compilations(), |out, id| out.raw(id.digest().as_bytes()));
    head.into_bytes()
}

/// The size of the head in bytes.
pub(super) fn head_size(image: &Image) -> usize {
    let entries = image.names.entries().iter().map(|entry| 4 + entry.as_str().len()).sum::<usize>();
    INTERPRETER.len()
        + BINARY.len()
        + 4
        + DIGEST
        + 4
        + entries
        + 4
        + DIGEST * image.names.compilations().len()
}

/// The size of the file in bytes. What is in it is shorter, so every length and count fits too.
pub(super) fn size(image: &Image) -> Result<u64, FormError> {
    let size = head_size(image) + image.pieces().map(Vec::len).sum::<usize>() + DIGEST;
    u32::try_from(size).map(u64::from).map_err(|_| FormError::Size)
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
    let sections = body.all(DIGEST + 4, section)?;
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
    fn the_sizes_are_known_beforehand() {
        use crate::digest::FragmentDigest;
        use crate::object::executable::Section;
        let [entry, name] = ["main", "a"].map(|text| crate::name::Name::new(text).unwrap());
        let digest = crate::digest::Hasher::new("test", 1).finish();
        let section = |text: &[u8]| Section { fragment: FragmentDigest::new(digest), text: text.to_vec() };
        let compilation = CompilationId::new(digest);
        let executable = Executable {
            entries: vec![entry],
            symbols: vec![crate::object::executable::Symbol { name, section: 0, compilation }],
            sections: vec![section(b"code"), section(b"")],
            strings: vec!["string".into(), "".into()],
        };
        let image = Image::of(&executable);
        assert_eq!(head(&image, image.build_id()).len(), head_size(&image));
        assert_eq!(image.build_id(), executable.build_id());
        assert_eq!(image.executable().unwrap(), executable);
        assert_eq!(to_binary(&executable).unwrap().len() as u64, size(&image).unwrap());
    }
}
