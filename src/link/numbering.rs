//! Numbers the strings of a program in the order in which its code first uses them, as reading the listing would, and
//! puts the numbers into the code.
//!
//! Each thread numbers the strings of a part of the program for itself. What is first in any of them is then numbered for
//! all, part by part: that is the order of the whole, however many parts there are.

use std::hint;
use std::num::NonZeroU32;
use std::sync::Arc;

use rayon::prelude::*;

use super::chunk::{BodyIndex, Chunk, Target, Word};
use super::error::LinkError;
use super::reach::Program;
use super::resolve::{Definitions, Meaning};
use crate::digest::FragmentDigest;
use crate::isa::builtin::Builtin;
use crate::isa::codec::{self, DecodeError};
use crate::object::executable::{Section, Text};

/// The code of a program with its strings.
pub(super) struct Relocated {
    /// A section for each body, in the order of the program.
    pub sections: Vec<Section>,
    /// The strings by number.
    pub strings: Vec<Arc<str>>,
}

/// So many bodies are fetched at once: each is somewhere else in memory, and the processor can wait for several together.
const TOGETHER: usize = 16;

/// Fewer bodies are not worth another thread.
const FEW: usize = 2048;

/// Numbers the strings, and makes the operands of all bodies, which are indices of fixups, numbers of strings.
pub(super) fn relocate(
    program: &Program<'_>,
    definitions: &Definitions<'_>,
) -> Result<Relocated, Vec<LinkError>> {
    let chunks = &*program.chunks;
    let share = program.bodies.len().div_ceil(rayon::current_num_threads()).max(FEW);
    let parts = program.bodies.par_chunks(share);
    let parts = parts.map(|bodies| Part::of(bodies, chunks, definitions.len())).collect::<Vec<_>>();
    let mut errors = Vec::new();
    let parts = parts.into_iter().filter_map(|part| part.map_err(|error| errors.push(error)).ok());
    let parts = parts.collect::<Vec<_>>();
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut all = Numbering::new(definitions.len());
    let numbers = parts.iter().map(|part| part.strings.iter().map(|string| all.number(*string)).collect());
    let numbers = numbers.collect::<Vec<Vec<u32>>>();
    let sections = parts.into_par_iter().zip(numbers).map(|(part, numbers)| part.sections(chunks, &numbers));
    let sections = sections.collect::<Result<Vec<_>, _>>().map_err(|error| vec![error])?;
    let sections = sections.into_iter().flatten().collect();
    let text = |string: &Spelling<'_>| string.text(definitions);
    let strings = all.strings.par_iter().with_min_len(FEW).map(text).collect();
    Ok(Relocated { sections, strings })
}

/// Bodies that follow each other in a program. Each is met anywhere in memory, so it is looked at once.
struct Part<'p> {
    bodies: &'p [BodyIndex],
    /// Their code, with numbers of the part's strings for operands.
    text: Vec<u8>,
    /// Where the code of each ends.
    ends: Vec<u32>,
    /// Their strings in the order of their first use.
    strings: Vec<Spelling<'p>>,
}

impl<'p> Part<'p> {
    fn of(bodies: &'p [BodyIndex], chunks: &'p [Chunk], definitions: usize) -> Result<Self, LinkError> {
        let mut numbering = Numbering::new(definitions);
        let (mut text, mut ends) = (Vec::new(), Vec::with_capacity(bodies.len()));
        let mut operands = Vec::new();
        for near in bodies.chunks(TOGETHER) {
            let touch = |index: &BodyIndex| chunks[index.chunk as usize].touch(index.body);
            hint::black_box(near.iter().map(touch).fold(0, usize::wrapping_add));
            for BodyIndex { chunk, body } in near {
                let chunk = &chunks[*chunk as usize];
                operands.clear();
                operands.extend(chunk.targets(*body).iter().map(|target| {
                    numbering.number(match *target {
                        Target::Known(Meaning::Definition(number)) => Spelling::Definition(number),
                        Target::Known(Meaning::Operator(operator)) => Spelling::Operator(operator),
                        Target::Other(_, word) => Spelling::Word(&chunk.words()[word as usize]),
                    })
                }));
                let start = text.len();
                text.extend_from_slice(chunk.code(*body));
                put(&mut text[start..], &operands).map_err(|error| odd(chunk.digest(*body), &error))?;
                ends.push(text.len() as u32);
            }
        }
        Ok(Self { bodies, text, ends, strings: numbering.strings })
    }

    /// The sections, with the numbers that the part's strings have in the whole program.
    fn sections(mut self, chunks: &[Chunk], numbers: &[u32]) -> Result<Vec<Section>, LinkError> {
        let digest = |BodyIndex { chunk, body }: &BodyIndex| chunks[*chunk as usize].digest(*body);
        // What is numbered as it was is right already: so is the first part.
        if numbers.iter().zip(0..).any(|(number, own)| *number != own) {
            put(&mut self.text, numbers).map_err(|error| odd(digest(&self.bodies[0]), &error))?;
        }
        let (text, mut start) = (Arc::new(self.text), 0);
        let section = |(index, end): (&BodyIndex, u32)| {
            let range = start..end;
            start = end;
            Section { fragment: digest(index), text: Text::part(&text, range) }
        };
        Ok(self.bodies.iter().zip(self.ends).map(section).collect())
    }
}

/// Puts what an operand is the index of in its place.
fn put(text: &mut [u8], operands: &[u32]) -> Result<(), DecodeError> {
    codec::relocate(text, |index| operands.get(index as usize).copied())
}

fn odd(digest: FragmentDigest, error: &DecodeError) -> LinkError {
    LinkError::Code { digest, reason: error.to_string() }
}

/// How a string is spelled.
#[derive(Clone, Copy)]
enum Spelling<'p> {
    /// As the name of a definition, by number.
    Definition(u32),
    /// As the name of an operator.
    Operator(Builtin),
    /// Like this.
    Word(&'p Word),
}

impl Spelling<'_> {
    fn text(&self, definitions: &Definitions<'_>) -> Arc<str> {
        match self {
            Self::Definition(number) => Arc::clone(definitions.get(*number).definition.name.shared()),
            Self::Operator(operator) => operator.name().into(),
            Self::Word(word) => Arc::clone(&word.text),
        }
    }
}

/// What has a number so far. Most strings are looked up without a look at their text.
struct Numbering<'p> {
    strings: Vec<Spelling<'p>>,
    /// The number of strings when each got its own, by number of definition.
    definitions: Vec<Option<NonZeroU32>>,
    operators: Vec<Option<NonZeroU32>>,
    words: foldhash::HashMap<&'p str, Option<NonZeroU32>>,
}

impl<'p> Numbering<'p> {
    /// For a program that could have so many definitions.
    fn new(definitions: usize) -> Self {
        let [definitions, operators] = [definitions, 256].map(|count| vec![None; count]);
        Self { strings: Vec::new(), definitions, operators, words: foldhash::HashMap::default() }
    }

    /// The number of a string, which is new if it had none.
    fn number(&mut self, string: Spelling<'p>) -> u32 {
        let known = match string {
            Spelling::Definition(number) => &mut self.definitions[number as usize],
            Spelling::Operator(operator) => &mut self.operators[operator as usize],
            Spelling::Word(word) => self.words.entry(&word.text).or_default(),
        };
        let strings = &mut self.strings;
        let count = known.get_or_insert_with(|| {
            strings.push(string);
            NonZeroU32::MIN.saturating_add(strings.len() as u32 - 1)
        });
        count.get() - 1
    }
}
