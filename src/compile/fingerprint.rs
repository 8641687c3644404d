//! The digest of a procedure: a key of its meaning, and of nothing else.
//!
//! Hashed: the generator's version, the options that change code, and the body. Not hashed: the procedure's own
//! name, files, lines, columns, blanks, comments, `-g`.

use super::binding::Binding;
use super::{LineTables, Optimization, Options, optimize};
use crate::digest::{FragmentDigest, Hasher, SourceDigest};
use crate::lint;
use crate::source::SourceFile;
use crate::syntax::ast::{Item, ItemKind, Unit};

/// The version of the code generator. It changes when the same body gets other code.
pub const GENERATOR_VERSION: u32 = 1;

const NUMBER: u8 = 1;
const STRING: u8 = 2;
const NAME: u8 = 3;
const FALSE: u8 = 4;
const TRUE: u8 = 5;
const BLOCK: u8 = 6;
const OPERATOR: u8 = 7;

/// Makes the digests of procedures.
#[derive(Debug, Clone)]
pub struct Fingerprinter {
    hasher: Hasher,
    optimization: Optimization,
}

impl Default for Fingerprinter {
    fn default() -> Self {
        Self::new(Optimization::Without)
    }
}

impl Fingerprinter {
    /// For code that is optimised or not.
    pub fn new(optimization: Optimization) -> Self {
        Self { hasher: Hasher::new("toy.fragment", GENERATOR_VERSION), optimization }
    }

    /// The digests of a unit's procedures, in source order.
    pub fn unit(&mut self, unit: &Unit<'_>) -> Vec<FragmentDigest> {
        let binding = Binding::of(unit, self.optimization);
        let digest = |procedure| {
            self.canonical(unit.body(procedure), binding);
            FragmentDigest::new(self.hasher.finish())
        };
        unit.procedures.iter().map(digest).collect()
    }

    /// Feeds the canonical bytes of one body: the number of its items, then each item with a tag in front.
    fn canonical(&mut self, body: &[Item<'_>], binding: Binding) {
        let hasher = &mut self.hasher;
        hasher.u32(match self.optimization {
            Optimization::Without => 0,
            Optimization::With => optimize::VERSION,
        });
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
                    hasher.tag(if binding.operator(name).is_some() { OPERATOR } else { NAME });
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

/// The digest of a source as it is, with all else that its ticket and its warnings depend on.
pub(super) fn source_digest(source: &SourceFile, options: Options) -> SourceDigest {
    let mut hasher = Hasher::new("toy.source", 1);
    hasher.u32(GENERATOR_VERSION);
    hasher.u32(lint::VERSION);
    hasher.u32(match options.optimization {
        Optimization::Without => 0,
        Optimization::With => optimize::VERSION,
    });
    hasher.tag(match options.line_tables {
        LineTables::Without => 0,
        LineTables::With => 1,
    });
    hasher.text(&source.name);
    hasher.text(&source.text);
    SourceDigest::new(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::Known;

    /// `docs/formats.md` shows a ticket, and says of which source.
    #[test]
    fn the_source_digest_is_that_of_the_format() {
        let document = include_str!("../../docs/formats.md");
        let ticket =
            document.split("toy: ticket").find(|part| part.contains("\nsource: ")).unwrap_or_default();
        let stated = ticket.lines().find_map(|line| line.strip_prefix("source: "));
        let source = SourceFile { name: "main.toy".into(), text: "main { \"hello\" print }\n".into() };
        let plain = Options {
            line_tables: LineTables::Without,
            known: Known::Reuse,
            optimization: Optimization::Without,
        };
        let digest = |options| source_digest(&source, options);
        assert_eq!(Some(digest(plain).to_string().as_str()), stated);
        // What decides the ticket or the warnings is in it, and nothing else.
        assert_ne!(digest(plain), digest(Options { line_tables: LineTables::With, ..plain }));
        assert_ne!(digest(plain), digest(Options { optimization: Optimization::With, ..plain }));
        assert_eq!(digest(plain), digest(Options { known: Known::Fill, ..plain }));
    }

    /// `docs/formats.md` has these vectors: the bytes that are hashed, in hexadecimal, and the digest.
    #[test]
    fn the_test_vectors_of_the_format_hold() {
        let document = include_str!("../../docs/formats.md");
        let vectors = document.split("<!-- vector").skip(1).collect::<Vec<_>>();
        assert!(vectors.len() >= 6, "formats.md has lost its vectors");
        for vector in vectors {
            let is_optimized = vector.starts_with(" -O");
            let optimization = if is_optimized { Optimization::With } else { Optimization::Without };
            let mut blocks = vector.split("```").skip(1).step_by(2);
            let mut block = || blocks.next().unwrap().split_once('\n').unwrap().1.to_owned();
            let (source, bytes, digest) = (block(), block(), block());
            let parsed = crate::syntax::parse(&source);
            assert_eq!(parsed.errors, []);
            let unit = parsed.unit;
            let mut fingerprinter = Fingerprinter::new(optimization);
            assert_eq!(fingerprinter.unit(&unit)[0].to_string(), digest.trim(), "{source}");
            fingerprinter.canonical(unit.body(&unit.procedures[0]), Binding::of(&unit, optimization));
            let hex = fingerprinter.hasher.canonical().iter().map(|byte| format!("{byte:02x}"));
            assert_eq!(hex.collect::<String>(), bytes.split_whitespace().collect::<String>(), "{source}");
        }
    }
}
