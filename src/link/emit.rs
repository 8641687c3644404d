//! The image: sections relocated, strings, symbols, entry points. Each is spelled once, as it goes to the file.

use std::hint;

use rayon::prelude::*;

use super::error::LinkError;
use super::reach::{Body, Program, Reached, TOGETHER};
use super::resolve::Definitions;
use crate::digest::CompilationId;
use crate::isa::codec::{self, DecodeError};
use crate::name::Name;
use crate::store::wire::executable::Image;
use crate::store::wire::executable::image::{self, Members, Named, Names};

pub(super) fn emit(
    program: &Program,
    definitions: &Definitions,
    symbols: &[Reached],
    entries: &[Name],
) -> Result<Image, Vec<LinkError>> {
    let meanings = program.strings.meanings();
    let strings = || Members::strings(meanings, |meaning| program.strings.text(definitions, *meaning));
    let (sections, (names, strings)) =
        rayon::join(|| sections(program), || rayon::join(|| names(definitions, symbols, entries), strings));
    Ok(Image { names, sections: sections?, strings })
}

/// The sections of all bodies.
fn sections(program: &Program) -> Result<Members, Vec<LinkError>> {
    let pieces = program.bodies.par_chunks(image::TOGETHER).map(|bodies| piece(bodies, program));
    let (mut spelled, mut errors) = (Vec::new(), Vec::new());
    for piece in pieces.collect::<Vec<_>>() {
        piece.map_or_else(|error| errors.push(error), |piece| spelled.push(piece));
    }
    if errors.is_empty() { Ok(Members::new(program.bodies.len(), spelled)) } else { Err(errors) }
}

/// The sections of some bodies. Each is met anywhere in memory, and copied to its place, where its operands, which are indices
/// of fixups, become numbers of strings.
fn piece(bodies: &[Body], program: &Program) -> Result<Vec<u8>, LinkError> {
    let mut piece = Vec::with_capacity(bodies.iter().map(|body| program.section(*body).len()).sum());
    for near in bodies.chunks(TOGETHER) {
        let touch = |body: &Body| program.chunks[body.chunk as usize].touch(body.index);
        hint::black_box(near.iter().map(touch).fold(0, usize::wrapping_add));
        for body in near {
            let (start, operands) = (piece.len() + image::section_size(0), program.operands(*body));
            piece.extend_from_slice(program.section(*body));
            let operand = |index: u32| operands.get(index as usize).copied();
            codec::relocate(&mut piece[start..], operand).map_err(|error| odd(program, *body, &error))?;
        }
    }
    Ok(piece)
}

fn odd(program: &Program, body: Body, error: &DecodeError) -> LinkError {
    LinkError::Code { digest: image::fragment(program.section(body)), reason: error.to_string() }
}

/// The entry points, each once, and the symbols.
fn names(definitions: &Definitions, symbols: &[Reached], entries: &[Name]) -> Names {
    let mut distinct = Vec::with_capacity(entries.len());
    entries.iter().for_each(|entry| {
        if !distinct.contains(entry) {
            distinct.push(entry.clone())
        }
    });
    let (compilations, indices) = compilations(definitions, symbols);
    Names::spell(distinct, compilations, symbols, |symbol| Named {
        name: definitions.name(symbol.number),
        section: symbol.body,
        compilation: indices[definitions.home(symbol.number) as usize],
    })
}

/// The compilations that symbols name, in ascending order, and the index among them of each module that is one of theirs.
fn compilations(definitions: &Definitions, symbols: &[Reached]) -> (Vec<CompilationId>, Vec<u32>) {
    let modules = definitions.modules();
    let mut is_named = vec![false; modules.len()];
    symbols.iter().for_each(|symbol| is_named[definitions.home(symbol.number) as usize] = true);
    let named = modules.iter().zip(is_named).filter(|(_, is_named)| *is_named);
    let mut ids = named.map(|(module, _)| module.id).collect::<Vec<_>>();
    ids.sort_unstable();
    ids.dedup();
    let index = |id: &CompilationId| ids.binary_search(id).unwrap_or_else(|at| at) as u32;
    let indices = modules.iter().map(|module| index(&module.id)).collect();
    (ids, indices)
}
