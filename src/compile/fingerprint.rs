//! The digest of a procedure: a key of its meaning, and of nothing else.
//!
//! Hashed: the generator's version, the options that change code, and the body. Not hashed: the procedure's own
//! name, files, lines, columns, blanks, comments, `-g`.

use super::{Optimization, optimize};
use crate::digest::{FragmentDigest, Hasher};
use crate::syntax::ast::{Item, ItemKind, Unit};

/// The version of the code generator. It changes when the same body gets other code.
pub const GENERATOR_VERSION: u32 = 1;

const NUMBER: u8 = 1;
const STRING: u8 = 2;
const NAME: u8 = 3;
const FALSE: u8 = 4;
const TRUE: u8 = 5;
const BLOCK: u8 = 6;

/// Makes the digests of procedures.
#[derive(Debug, Clone)]
pub struct Fingerprinter {
    hasher: Hasher,
    /// The options that change code: the version of the optimiser, or 0 without it.
    options: u32,
}

impl Default for Fingerprinter {
    fn default() -> Self {
        Self::new(Optimization::Without)
    }
}

impl Fingerprinter {
    /// For code that is optimised or not.
    pub fn new(optimization: Optimization) -> Self {
        let options = match optimization {
            Optimization::Without => 0,
            Optimization::With => optimize::VERSION,
        };
        Self { hasher: Hasher::new("toy.fragment", GENERATOR_VERSION), options }
    }

    /// The digests of a unit's procedures, in source order.
    pub fn unit(&mut self, unit: &Unit<'_>) -> Vec<FragmentDigest> {
        unit.procedures.iter().map(|procedure| self.body(unit.body(procedure))).collect()
    }

    /// The digest of one body.
    pub fn body(&mut self, body: &[Item<'_>]) -> FragmentDigest {
        self.canonical(body);
        FragmentDigest::new(self.hasher.finish())
    }

    /// Feeds the canonical bytes of one body: the number of its items, then each item with a tag in front.
    fn canonical(&mut self, body: &[Item<'_>]) {
        let hasher = &mut self.hasher;
        hasher.u32(self.options);
        hasher.u32(body.len() as u32);
        for item in body {
            match item.kind {
                ItemKind::Number(value) => {
                    hasher.tag(NUMBER);
                    hasher.number(value);
                }
                ItemKind::String(text) => {
                    hasher.tag(STRING);
                    hasher.text(text);
                }
                ItemKind::Name(name) => {
                    hasher.tag(NAME);
                    hasher.text(name);
                }
                ItemKind::Boolean(false) => hasher.tag(FALSE),
                ItemKind::Boolean(true) => hasher.tag(TRUE),
                ItemKind::Block(items) => {
                    hasher.tag(BLOCK);
                    hasher.u32(items);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/formats.md` has these vectors: the bytes that are hashed, in hexadecimal, and the digest.
    #[test]
    fn the_test_vectors_of_the_format_hold() {
        let document = include_str!("../../docs/formats.md");
        let vectors = document.split("<!-- vector -->").skip(1).collect::<Vec<_>>();
        assert!(vectors.len() >= 4, "formats.md has lost its vectors");
        for vector in vectors {
            let mut blocks = vector.split("```").skip(1).step_by(2);
            let mut block = || blocks.next().unwrap().split_once('\n').unwrap().1.to_owned();
            let (source, bytes, digest) = (block(), block(), block());
            let parsed = crate::syntax::parse(&source);
            assert_eq!(parsed.errors, []);
            let mut fingerprinter = Fingerprinter::default();
            let body = parsed.unit.body(&parsed.unit.procedures[0]);
            fingerprinter.canonical(body);
            let hex = fingerprinter.hasher.canonical().iter().map(|byte| format!("{byte:02x}"));
            assert_eq!(hex.collect::<String>(), bytes.split_whitespace().collect::<String>(), "{source}");
            assert_eq!(Fingerprinter::default().body(body).to_string(), digest.trim(), "{source}");
        }
    }
}
