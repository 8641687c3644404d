//! Names that code executes and nobody defines, and what may have been meant.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::Unresolved;
use super::chunk::{Chunk, Target, Word};
use super::error::{LinkError, Site};
use super::reach::{Program, Reached};
use super::resolve::Definitions;
use crate::isa::builtin::Builtin;
use crate::isa::codec::Decoder;
use crate::isa::instruction::Instruction;
use crate::name;
use crate::object::fixup::FixupKind;

/// Finds names that code executes and nobody defines: no module, no operator, and no string in the program,
/// with which it could be defined at run time. Gives those that are only warned of.
pub(super) fn undefined(
    program: &Program<'_>,
    definitions: &Definitions<'_>,
    unresolved: Unresolved,
) -> Result<Vec<LinkError>, Vec<LinkError>> {
    if unresolved == Unresolved::Ignore {
        return Ok(Vec::new());
    }
    let missing = missing(program);
    let errors = missing.into_iter().map(|(name, sites)| {
        let help = undefined_help(&name, definitions, &sites);
        LinkError::Undefined { name, sites, help }
    });
    let errors = errors.collect::<Vec<_>>();
    if errors.is_empty() || unresolved == Unresolved::Warn { Ok(errors) } else { Err(errors) }
}

/// The names that are executed and cannot be defined, and where they are executed.
fn missing(program: &Program<'_>) -> BTreeMap<Arc<str>, Vec<Site>> {
    let mut missing = BTreeMap::<_, Vec<Site>>::new();
    let words = program.chunks.iter().flat_map(Chunk::words);
    let strings = words.filter(|word| word.is(FixupKind::Weak)).map(|word| &*word.text);
    let strings = strings.collect::<HashSet<&str>>();
    let is_missing = |word: &Word| word.is(FixupKind::Strong) && !strings.contains(&*word.text);
    let chunks = program.chunks.iter().map(|chunk| chunk.words().iter().any(is_missing)).collect::<Vec<_>>();
    if !chunks.contains(&true) {
        return missing;
    }
    for Reached { defined, body, .. } in &program.definitions {
        let body = program.bodies[*body as usize];
        if !chunks[body.chunk as usize] {
            continue;
        }
        let chunk = &program.chunks[body.chunk as usize];
        for (target, index) in chunk.targets(body.body).iter().zip(0..) {
            let Target::Other(FixupKind::Strong, word) = *target else { continue };
            let word = &chunk.words()[word as usize];
            if is_missing(word) {
                let site = defined.site_of(first_use(chunk.code(body.body), index), &word.text);
                missing.entry(Arc::clone(&word.text)).or_default().push(site);
            }
        }
    }
    missing
}

/// The ordinal of the first instruction that executes the fixup at `index`.
fn first_use(code: &[u8], index: u32) -> u32 {
    let calls = |instruction| instruction == Ok(Instruction::Call(index));
    Decoder::new(code).position(calls).unwrap_or_default() as u32
}

fn undefined_help(name: &str, definitions: &Definitions<'_>, sites: &[Site]) -> String {
    let names = definitions.names();
    let operators = Builtin::ALL.iter().map(|builtin| builtin.name());
    let mut help = match nearest(name, names.chain(operators)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            "link the file that defines it; `--unresolved warn` leaves computed names to run time".to_owned()
        }
    };
    if sites.iter().all(|site| site.column.is_none()) {
        help.push_str(" (compile with `-g` to see the exact place)");
    }
    help
}

/// The candidate most like `name`, if one is like it enough to be what was meant.
pub(super) fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    // Of one or two letters, anything would be like anything.
    name::nearest(name, name.len() / 3, candidates)
}
