//! The executable: sections copied and relocated, symbols, entry points.

use rayon::prelude::*;

use super::error::LinkError;
use super::reach::{Body, Program, Reached};
use super::resolve::Target;
use crate::isa::codec::{DecodeError, Decoder, encode};
use crate::isa::instruction::Instruction;
use crate::name::Name;
use crate::object::executable::{Executable, Section, Strings, Symbol};

/// `definitions` is how many definitions there are, reached or not.
pub(super) fn emit(
    program: &Program<'_>,
    symbols: &[&Reached<'_>],
    entries: &[Name],
    definitions: usize,
) -> Result<Executable, Vec<LinkError>> {
    let mut numbering = Numbering::new(definitions);
    let operands = program.bodies.iter().map(|body| numbering.operands(body)).collect::<Vec<_>>();
    let sections = program.bodies.par_iter().zip(&operands).with_min_len(FEW);
    let sections = sections.map(|(body, operands)| section(body, operands)).collect::<Vec<_>>();
    let sections = sections.into_iter().collect::<Result<_, _>>().map_err(|error| vec![error])?;
    let symbols = symbols.iter().map(|symbol| Symbol {
        name: symbol.defined.definition.name.clone(),
        section: symbol.body,
        compilation: symbol.defined.module.id,
    });
    let mut distinct = Vec::with_capacity(entries.len());
    entries.iter().for_each(|entry| {
        if !distinct.contains(entry) {
            distinct.push(entry.clone())
        }
    });
    let strings = numbering.strings.into_vec();
    Ok(Executable { entries: distinct, symbols: symbols.collect(), sections, strings })
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

    /// The index of a string for each fixup of a body. A body's fixups are in the order of their first use.
    fn operands(&mut self, body: &Body) -> Vec<u32> {
        let fixups = body.fragment.fixups.as_slice().iter().zip(&body.targets);
        let operand = |(fixup, target): (&crate::object::fixup::Fixup, &Target)| {
            let known = match target {
                Target::Definition(number) => self.definitions.get_mut(*number as usize),
                Target::Operator(operator) => self.operators.get_mut(*operator as usize),
                Target::Other => None,
            };
            match known {
                Some(known) => *known.get_or_insert_with(|| self.strings.add(&fixup.target)),
                None => self.strings.intern(&fixup.target),
            }
        };
        fixups.map(operand).collect()
    }
}

fn section(body: &Body, operands: &[u32]) -> Result<Section, LinkError> {
    let error = |error: DecodeError| LinkError::Code { digest: body.digest, reason: error.to_string() };
    Ok(Section { fragment: body.digest, text: relocate(&body.fragment.text, operands).map_err(error)? })
}

/// Copies a text section; its operands, which were indices of fixups, become indices of strings.
fn relocate(text: &[u8], operands: &[u32]) -> Result<Vec<u8>, DecodeError> {
    let mut relocated = Vec::with_capacity(text.len());
    for (ordinal, instruction) in Decoder::new(text).enumerate() {
        let string = |index: u32| {
            let missing = DecodeError::Index { ordinal: ordinal as u32, index };
            operands.get(index as usize).copied().ok_or(missing)
        };
        let instruction = match instruction? {
            Instruction::Call(index) => Instruction::Call(string(index)?),
            Instruction::String(index) => Instruction::String(string(index)?),
            other => other,
        };
        encode(instruction, &mut relocated);
    }
    Ok(relocated)
}
