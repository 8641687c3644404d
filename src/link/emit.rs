//! The executable: sections relocated, symbols, entry points.

use rayon::prelude::*;

use super::chunk::{Body, Chunk, Target};
use super::error::LinkError;
use super::reach::Reached;
use super::resolve::{Definitions, Meaning};
use crate::isa::codec;
use crate::name::Name;
use crate::object::executable::{Executable, Section, Strings, Symbol};

pub(super) fn emit(
    mut bodies: Vec<Body>,
    chunks: &[Chunk],
    symbols: &[&Reached<'_>],
    entries: &[Name],
    definitions: &Definitions<'_>,
) -> Result<Executable, Vec<LinkError>> {
    let mut numbering = Numbering::new(definitions.len());
    let operands = operands(&bodies, chunks, &mut numbering, definitions);
    let sections = bodies.par_iter_mut().with_min_len(FEW);
    let errors = sections.filter_map(|body| relocate(body, &operands).err()).collect::<Vec<_>>();
    if !errors.is_empty() {
        return Err(errors);
    }
    let symbols = symbols.iter().map(|symbol| Symbol {
        name: symbol.defined.definition.name.clone(),
        section: symbol.body,
        compilation: symbol.defined.module.id,
    });
    let sections = bodies.into_iter().map(|Body { digest, text, .. }| Section { fragment: digest, text });
    let mut distinct = Vec::with_capacity(entries.len());
    entries.iter().for_each(|entry| {
        if !distinct.contains(entry) {
            distinct.push(entry.clone())
        }
    });
    Ok(Executable {
        entries: distinct,
        symbols: symbols.collect(),
        sections: sections.collect(),
        strings: numbering.strings.into_vec(),
    })
}

/// Fewer sections are not worth another thread.
const FEW: usize = 512;

/// Numbers the strings of a program in the order in which its code first uses them, as reading the listing would.
struct Numbering {
    strings: Strings,
    /// The numbers of names, by definition and by operator: most fixups are looked up without a look at their text.
    definitions: Vec<Option<u32>>,
    operators: Vec<Option<u32>>,
}

impl Numbering {
    fn new(definitions: usize) -> Self {
        Self { strings: Strings::default(), definitions: vec![None; definitions], operators: vec![None; 256] }
    }

    /// The number of what a fixup means. `texts` are the numbers of the chunk's texts, as far as they have one.
    fn number(
        &mut self,
        target: Target,
        chunk: &Chunk,
        texts: &mut [Option<u32>],
        all: &Definitions<'_>,
    ) -> u32 {
        let strings = &mut self.strings;
        match target {
            Target::Known(Meaning::Definition(number)) => *self.definitions[number as usize]
                .get_or_insert_with(|| strings.add(all.get(number).definition.name.shared())),
            Target::Known(Meaning::Operator(operator)) => {
                *self.operators[operator as usize].get_or_insert_with(|| strings.add(&operator.name().into()))
            }
            Target::Other(_, text) => *texts[text as usize]
                .get_or_insert_with(|| strings.intern(&chunk.texts()[text as usize].text)),
        }
    }
}

/// The number of the string for each target, chunk by chunk. A body's targets are in the order of their first use.
fn operands(
    bodies: &[Body],
    chunks: &[Chunk],
    numbering: &mut Numbering,
    definitions: &Definitions<'_>,
) -> Vec<Vec<u32>> {
    let mut operands = chunks.iter().map(|chunk| vec![0; chunk.all_targets().len()]).collect::<Vec<_>>();
    let mut texts = chunks.iter().map(|chunk| vec![None; chunk.texts().len()]).collect::<Vec<_>>();
    for body in bodies {
        let at = body.chunk as usize;
        let operands = operands[at][body.range()].iter_mut();
        for (operand, target) in operands.zip(chunks[at].targets(body)) {
            *operand = numbering.number(*target, &chunks[at], &mut texts[at], definitions);
        }
    }
    operands
}

/// Makes the operands of a body, which were indices of fixups, numbers of strings.
fn relocate(body: &mut Body, operands: &[Vec<u32>]) -> Result<(), LinkError> {
    let operands = &operands[body.chunk as usize][body.range()];
    let relocated = codec::relocate(&mut body.text, |index| operands.get(index as usize).copied());
    relocated.map_err(|error| LinkError::Code { digest: body.digest, reason: error.to_string() })
}
