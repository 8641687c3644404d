//! Fragments: the code generated for one digest.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use super::fixup::{FixupKind, Fixups};
use crate::digest::Checksum;

/// The code generated for one digest. Immutable once stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fragment {
    /// The instructions, as `isa::codec` writes them; operands are indices into `fixups`.
    pub text: Vec<u8>,
    /// The names that the code refers to.
    pub fixups: Fixups,
}

/// The bytes of a stored body are no fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored body ends early, has bytes left over, or holds a fixup of no known kind")]
pub struct BodyError;

impl Fragment {
    /// The fragment as it is kept: fixup count, fixups (kind, length, target), text.
    /// Integers have 32 bits and are little-endian.
    pub fn body(&self) -> Body {
        let mut body = Vec::with_capacity(self.text.len() + 16 * self.fixups.as_slice().len() + 8);
        body.extend_from_slice(&(self.fixups.as_slice().len() as u32).to_le_bytes());
        for fixup in self.fixups.as_slice() {
            body.push(match fixup.kind {
                FixupKind::Strong => 0,
                FixupKind::Weak => 1,
            });
            body.extend_from_slice(&(fixup.target.len() as u32).to_le_bytes());
            body.extend_from_slice(fixup.target.as_bytes());
        }
        body.extend_from_slice(&self.text);
        Body::new(&body)
    }

    /// Reads a body in its compact encoding. A fixup that stands there twice is an error.
    pub fn from_body(body: &[u8]) -> Result<Self, BodyError> {
        Parts::of(body).map(|parts| parts.to_fragment())
    }
}

/// A fragment where it lies in a stored body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts<'b, T = &'b str> {
    /// The names that the code refers to, each once.
    pub fixups: Vec<(FixupKind, T)>,
    /// The instructions.
    pub text: &'b [u8],
}

impl<'b> Parts<'b, &'b [u8]> {
    /// Finds the parts of a body in its compact encoding, with the memory of another body's fixups. That targets are UTF-8,
    /// and that no fixup stands there twice, is left to be seen by who looks at them anyway.
    pub fn found(mut fixups: Vec<(FixupKind, &'b [u8])>, body: &'b [u8]) -> Result<Self, BodyError> {
        let mut rest = body;
        let count = number(&mut rest)? as usize;
        fixups.clear();
        // No count makes room for what is not there: a fixup takes five bytes or more.
        fixups.reserve(count.min(rest.len() / 5));
        for _ in 0..count {
            fixups.push(fixup(&mut rest)?);
        }
        Ok(Self { fixups, text: rest })
    }
}

impl<'b> Parts<'b> {
    /// Finds the parts of a body in its compact encoding. A fixup that stands there twice is an error.
    pub fn of(body: &'b [u8]) -> Result<Self, BodyError> {
        let Parts { fixups, text } = Parts::found(Vec::new(), body)?;
        let text_of = |(kind, target)| Ok((kind, std::str::from_utf8(target).map_err(|_| BodyError)?));
        let fixups = fixups.into_iter().map(text_of).collect::<Result<Vec<_>, _>>()?;
        if is_each_once(&fixups) { Ok(Self { fixups, text }) } else { Err(BodyError) }
    }

    /// A copy that lasts.
    pub fn to_fragment(&self) -> Fragment {
        let mut fixups = Fixups::with_capacity(self.fixups.len());
        self.fixups.iter().for_each(|(kind, target)| _ = fixups.intern(*kind, target));
        Fragment { text: self.text.to_vec(), fixups }
    }
}

fn fixup<'b>(rest: &mut &'b [u8]) -> Result<(FixupKind, &'b [u8]), BodyError> {
    let (kind, tail) = rest.split_first().ok_or(BodyError)?;
    let kind = match kind {
        0 => FixupKind::Strong,
        1 => FixupKind::Weak,
        _ => return Err(BodyError),
    };
    *rest = tail;
    let length = number(rest)? as usize;
    let (target, tail) = rest.split_at_checked(length).ok_or(BodyError)?;
    *rest = tail;
    Ok((kind, target))
}

fn number(rest: &mut &[u8]) -> Result<u32, BodyError> {
    let (number, tail) = rest.split_first_chunk().ok_or(BodyError)?;
    *rest = tail;
    Ok(u32::from_le_bytes(*number))
}

/// Whether all differ.
pub fn is_each_once<T: Eq + Hash>(all: &[T]) -> bool {
    if all.len() <= FEW {
        return (1..all.len()).all(|at| !all[..at].contains(&all[at]));
    }
    let mut seen = foldhash::HashSet::with_capacity_and_hasher(all.len(), Default::default());
    all.iter().all(|one| seen.insert(one))
}

/// Up to so many, as most procedures have fixups, a walk over them is faster than hashing.
const FEW: usize = 32;

/// A fragment in its compact encoding, as stores keep it and pass it on without looking into it.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    bytes: Arc<[u8]>,
    checksum: Checksum,
}

impl Body {
    /// Takes the bytes of a body, which may be anything, and makes their checksum.
    pub fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.into(), checksum: Checksum::of(bytes) }
    }

    /// Takes bytes that should have this checksum, if they have it.
    pub fn held(bytes: Arc<[u8]>, checksum: Checksum) -> Option<Self> {
        (Checksum::of(&bytes) == checksum).then_some(Self { bytes, checksum })
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The checksum of the bytes.
    pub const fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// The fragment where it lies.
    pub fn parts(&self) -> Result<Parts<'_>, BodyError> {
        Parts::of(&self.bytes)
    }

    /// Decodes the fragment.
    pub fn fragment(&self) -> Result<Fragment, BodyError> {
        Fragment::from_body(&self.bytes)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, {}", self.bytes.len(), self.checksum)
    }
}
