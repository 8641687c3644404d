//! Digests: what they are, how they are written, and the canonical hasher that makes them.
//!
//! A digest is a key of *what was compiled*, never a checksum of stored bytes; that is [`Checksum`].
//! Deliberately absent: any digest without an origin (no default, no zero), and any way to change one.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

mod many;

/// A 32-byte BLAKE3 digest of a canonical byte string.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

/// By their bytes. Most are told apart by the first eight.
impl Ord for Digest {
    fn cmp(&self, other: &Self) -> Ordering {
        self.prefix().cmp(&other.prefix()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Digest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Digest {
    /// The first eight bytes, as a number that sorts as they do: buckets are found by it.
    pub fn prefix(&self) -> u64 {
        let (prefix, _) = self.0.split_first_chunk().unwrap_or((&[0; 8], &[]));
        u64::from_be_bytes(*prefix)
    }

    /// Takes a digest that was computed earlier, as read from a file.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the digest, in the order in which they are written.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A digest or checksum is not the right number of lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {digits} hexadecimal digits in lower case")]
pub struct ParseDigestError {
    text: String,
    digits: usize,
}

/// Reads exactly `2 * N` lower-case hexadecimal digits: one value has one spelling.
fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], ParseDigestError> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let error = || ParseDigestError { text: text.chars().take(80).collect(), digits: 2 * N };
    if text.len() != 2 * N {
        return Err(error());
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else { return Err(error()) };
        *byte = high << 4 | low;
    }
    Ok(bytes)
}

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    f.pad(std::str::from_utf8(&text[..2 * bytes.len()]).map_err(|_| fmt::Error)?)
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        from_hex(text).map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:.12}…")
    }
}

macro_rules! typed_digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Digest);

        impl $name {
            /// Says what this digest is the digest of.
            pub const fn new(digest: Digest) -> Self {
                Self(digest)
            }

            /// The digest without its meaning.
            pub const fn digest(&self) -> &Digest {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseDigestError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

typed_digest! {
    /// The key of a fragment: the digest of a normalised procedure and of all that can change its code.
    FragmentDigest
}
typed_digest! {
    /// The key of a compilation: the digest of its contents.
    CompilationId
}
typed_digest! {
    /// The digest of a source's text and of all else that decides what is made of it and said about it.
    SourceDigest
}
typed_digest! {
    /// The key of an executable: the digest of its contents.
    BuildId
}

/// A 16-byte checksum of stored bytes: the first half of their BLAKE3 hash.
/// Tells damage, and two different bodies under one digest, from sameness.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum([u8; 16]);

impl Checksum {
    /// The checksum of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::half(blake3::hash(bytes).as_bytes())
    }

    /// The checksum of each of many pieces, in their order. Short ones take a third of the time that each takes alone.
    pub fn of_each(pieces: &[&[u8]]) -> Vec<Self> {
        many::hashes(pieces).iter().map(Self::half).collect()
    }

    fn half(hash: &[u8; 32]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        Self(half)
    }

    /// Takes a checksum that was computed earlier, as read from a file.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes of the checksum.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for Checksum {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        from_hex(text).map(Self)
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Builds canonical byte strings and hashes them.
///
/// Every hashed thing starts with a domain and its version. Every variable part carries its length in front,
/// so that no two different things have the same bytes. Integers are little-endian.
#[derive(Debug, Clone)]
pub struct Hasher {
    /// What stands before everything of this kind, then what is not in `hashed` yet.
    bytes: Vec<u8>,
    prefix: usize,
    /// What was too much to keep, the prefix included.
    hashed: Option<blake3::Hasher>,
}

/// So many bytes are kept before they are hashed: enough to hash them fast.
const KEPT: usize = 1 << 16;

impl Hasher {
    /// Starts a hasher for one kind of thing. `version` changes when the same input must get another digest.
    pub fn new(domain: &str, version: u32) -> Self {
        let mut hasher = Self { bytes: Vec::with_capacity(1024), prefix: 0, hashed: None };
        hasher.text(domain);
        hasher.u32(version);
        hasher.prefix = hasher.bytes.len();
        hasher
    }

    /// Adds a tag byte, which says what comes next.
    pub fn tag(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    /// Adds a 32-bit integer, also used as the length of a sequence whose members follow.
    pub fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Adds a number by its bits, so that `0.0` and `-0.0` differ.
    pub fn number(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    /// Adds a string: its length in bytes (32 bits), then the bytes.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Adds bytes: their number (32 bits), then the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u32(bytes.len() as u32);
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > KEPT {
            self.hash_kept();
        }
    }

    /// Adds much that carries its lengths in itself already; all threads hash it.
    pub fn spelled(&mut self, bytes: &[u8]) {
        self.hash_kept();
        self.hashed.get_or_insert_default().update_rayon(bytes);
    }

    /// Adds another digest: 32 bytes, no length.
    pub fn digest(&mut self, digest: &Digest) {
        self.bytes.extend_from_slice(digest.as_bytes());
    }

    /// Adds bytes that are canonical already.
    pub fn canonical_bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn hash_kept(&mut self) {
        let new = if self.hashed.is_some() { self.prefix } else { 0 };
        self.hashed.get_or_insert_default().update(&self.bytes[new..]);
        self.bytes.truncate(self.prefix);
    }

    /// The canonical bytes of something small, domain included; for test vectors.
    pub fn canonical(&self) -> &[u8] {
        &self.bytes
    }

    /// Hashes what was added, and makes the hasher ready for the next thing of the same kind.
    pub fn finish(&mut self) -> Digest {
        let hash = if self.hashed.is_some() {
            self.hash_kept();
            self.hashed.take().unwrap_or_default().finalize()
        } else {
            blake3::hash(&self.bytes)
        };
        self.bytes.truncate(self.prefix);
        Digest(*hash.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_one_spelling() {
        let digest = Hasher::new("test", 1).finish();
        let text = digest.to_string();
        assert_eq!(text.parse::<Digest>(), Ok(digest));
        assert!(text.to_uppercase().parse::<Digest>().is_err());
        assert!(text[1..].parse::<Digest>().is_err());
        assert!(format!("{text}0").parse::<Digest>().is_err());
    }

    #[test]
    fn a_hasher_starts_anew_after_finish() {
        let mut hasher = Hasher::new("test", 1);
        let empty = hasher.finish();
        hasher.text("x");
        assert_ne!(hasher.finish(), empty);
        assert_eq!(hasher.finish(), empty);
    }

    #[test]
    fn what_is_large_is_hashed_the_same() {
        let piece = [7; 1000];
        let mut hasher = Hasher::new("test", 1);
        let empty = hasher.finish();
        let mut canonical = hasher.canonical().to_vec();
        for _ in 0..3 * KEPT / piece.len() {
            hasher.bytes(&piece);
            canonical.extend(1000_u32.to_le_bytes());
            canonical.extend(piece);
        }
        hasher.spelled(&piece);
        canonical.extend(piece);
        assert_eq!(hasher.finish().as_bytes(), blake3::hash(&canonical).as_bytes());
        assert_eq!(hasher.finish(), empty);
    }
}
