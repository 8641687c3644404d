//! Names that code executes and nobody defines, and what may have been meant.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Unresolved;
use super::error::{LinkError, Site};
use super::reach::{Program, Reached};
use super::resolve::Definitions;
use crate::digest::CompilationId;
use crate::isa::builtin::Builtin;
use crate::isa::codec::Decoder;
use crate::isa::instruction::Instruction;
use crate::name;
use crate::object::compilation::Compilation;
use crate::store::View;

/// Finds names that code executes and nobody defines: no module, no operator, and no string in the program,
/// with which it could be defined at run time. Gives those that are only warned of.
pub(super) fn undefined(
    view: &dyn View,
    program: &Program,
    definitions: &Definitions,
    unresolved: Unresolved,
) -> Result<Vec<LinkError>, Vec<LinkError>> {
    if unresolved == Unresolved::Ignore {
        return Ok(Vec::new());
    }
    let missing = missing(view, program, definitions);
    let errors = missing.into_iter().map(|(name, sites)| {
        let help = undefined_help(&name, definitions, &sites);
        LinkError::Undefined { name, sites, help }
    });
    let errors = errors.collect::<Vec<_>>();
    if errors.is_empty() || unresolved == Unresolved::Warn { Ok(errors) } else { Err(errors) }
}

/// The names that are executed and cannot be defined, and where they are executed.
fn missing(view: &dyn View, program: &Program, definitions: &Definitions) -> BTreeMap<Arc<str>, Vec<Site>> {
    let mut missing = BTreeMap::<_, Vec<Site>>::new();
    if !program.strings.has_missing() {
        return missing;
    }
    let mut compilations = HashMap::<CompilationId, Option<Compilation>>::new();
    for Reached { number, body, .. } in &program.definitions {
        let body = program.bodies[*body as usize];
        for (string, index) in program.operands(body).iter().zip(0..) {
            let Some(name) = program.strings.missing(*string) else { continue };
            // Whose line table cannot be read again is told without it.
            let id = definitions.module(*number).id;
            let compilation = compilations.entry(id).or_insert_with(|| view.compilation(&id).ok().flatten());
            let definition = compilation.as_ref().and_then(|all| all.definition(definitions.name(*number)));
            let lines = definition.and_then(|definition| definition.lines.as_ref());
            let site = definitions.site_of(*number, lines, first_use(program.code(body), index), name);
            missing.entry(Arc::clone(name)).or_default().push(site);
        }
    }
    missing
}

/// The ordinal of the first instruction that executes the fixup at `index`.
fn first_use(code: &[u8], index: u32) -> u32 {
    let calls = |instruction| instruction == Ok(Instruction::Call(index));
    Decoder::new(code).position(calls).unwrap_or_default() as u32
}

fn undefined_help(name: &str, definitions: &Definitions, sites: &[Site]) -> String {
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
