//! The executable: sections copied and relocated, symbols, entry points.

use super::error::LinkError;
use super::layout::Layout;
use super::reach::Program;
use crate::digest::FragmentDigest;
use crate::isa::codec::{DecodeError, Decoder, encode};
use crate::isa::instruction::Instruction;
use crate::name::Name;
use crate::object::executable::{Executable, Section, Strings, Symbol};
use crate::object::fragment::Fragment;

pub(super) fn emit(
    program: &Program<'_>,
    layout: &Layout<'_>,
    entries: &[Name],
) -> Result<Executable, Vec<LinkError>> {
    let mut strings = Strings::default();
    let mut sections = Vec::with_capacity(layout.sections.len());
    for digest in &layout.sections {
        sections.push(section(program, digest, &mut strings).map_err(|error| vec![error])?);
    }
    let symbols = layout.symbols.iter().map(|(defined, section)| Symbol {
        name: defined.definition.name.clone(),
        section: *section,
        compilation: defined.module.id,
    });
    let mut distinct = Vec::with_capacity(entries.len());
    entries.iter().for_each(|entry| {
        if !distinct.contains(entry) {
            distinct.push(entry.clone())
        }
    });
    Ok(Executable { entries: distinct, symbols: symbols.collect(), sections, strings: strings.into_vec() })
}

fn section(
    program: &Program<'_>,
    digest: &FragmentDigest,
    strings: &mut Strings,
) -> Result<Section, LinkError> {
    let error = |reason: String| LinkError::Code { digest: *digest, reason };
    let fragment = program.fragments.get(digest).ok_or_else(|| error("it was not read".into()))?;
    let text = relocate(fragment, strings).map_err(|reason| error(reason.to_string()))?;
    Ok(Section { fragment: *digest, text })
}

/// Copies a text section; its operands, which were indices of fixups, become indices of strings.
fn relocate(fragment: &Fragment, strings: &mut Strings) -> Result<Vec<u8>, DecodeError> {
    // Interned in order of use by the code, as reading the listing would do it.
    let mut relocated = vec![None; fragment.fixups.as_slice().len()];
    let mut text = Vec::with_capacity(fragment.text.len());
    for (ordinal, instruction) in Decoder::new(&fragment.text).enumerate() {
        let mut string = |index: u32| {
            let missing = DecodeError::Index { ordinal: ordinal as u32, index };
            let fixup = fragment.fixups.get(index).ok_or(missing)?;
            Ok(*relocated[index as usize].get_or_insert_with(|| strings.intern(&fixup.target)))
        };
        let instruction = match instruction? {
            Instruction::Call(index) => Instruction::Call(string(index)?),
            Instruction::String(index) => Instruction::String(string(index)?),
            other => other,
        };
        encode(instruction, &mut text);
    }
    Ok(text)
}
