//! What the program needs: everything that its entry points refer to, strongly or weakly.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::Unresolved;
use super::error::{LinkError, Site};
use super::resolve::{Defined, Definitions, Target};
use crate::digest::FragmentDigest;
use crate::isa::builtin::Builtin;
use crate::isa::codec::Decoder;
use crate::isa::instruction::Instruction;
use crate::name::Name;
use crate::object::fixup::FixupKind;
use crate::object::fragment::Fragment;
use crate::store::{Entry, StoreError, View};

/// What is reachable.
pub(super) struct Program<'m> {
    /// The definitions in the order in which they were reached, which depends on the entry points alone.
    pub definitions: Vec<Reached<'m>>,
    /// Their code, in the same order; definitions with the same code share it.
    pub bodies: Vec<Body>,
}

/// A definition that the program needs.
pub(super) struct Reached<'m> {
    pub defined: Defined<'m>,
    /// Index of its code in [`Program::bodies`].
    pub body: u32,
    /// Who first referred to it; entry points have nobody.
    pub referrer: Option<&'m Name>,
}

/// A fragment with what its fixups mean to the program.
pub(super) struct Body {
    pub digest: FragmentDigest,
    pub fragment: Fragment,
    pub targets: Vec<Target>,
}

/// Follows references from the entry points, nearest first.
pub(super) fn reach<'m>(
    view: &dyn View,
    definitions: &Definitions<'m>,
    entries: &[Name],
) -> Result<Program<'m>, Vec<LinkError>> {
    let mut program = Program { definitions: Vec::new(), bodies: Vec::new() };
    let mut errors = Vec::new();
    let mut is_reached = vec![false; definitions.len()];
    let mut level = Vec::new();
    for entry in entries {
        match definitions.target(entry.as_str()) {
            Target::Definition(number) => visit(number, None, definitions, &mut is_reached, &mut level),
            Target::Operator(_) | Target::Other => errors.push(missing_entry(entry, definitions)),
        }
    }
    let mut indices = HashMap::new();
    // Level by level: all bodies of a level are read together.
    while !level.is_empty() {
        let mut bodies = fetch(view, definitions, &indices, &level, &mut errors)?;
        let mut next = Vec::new();
        for (defined, referrer) in level {
            let digest = defined.definition.fragment;
            if let Some(body) = bodies.remove(&digest) {
                indices.insert(digest, program.bodies.len() as u32);
                program.bodies.push(body);
            }
            // What could not be read is an error by now.
            let Some(body) = indices.get(&digest).copied() else { continue };
            program.definitions.push(Reached { defined, body, referrer });
            for target in &program.bodies[body as usize].targets {
                // Strong or weak: a procedure that is named is kept.
                if let Target::Definition(number) = target {
                    visit(*number, Some(&defined.definition.name), definitions, &mut is_reached, &mut next);
                }
            }
        }
        level = next;
    }
    if errors.is_empty() { Ok(program) } else { Err(errors) }
}

/// A definition on the way, with who referred to it.
type Visit<'m> = (Defined<'m>, Option<&'m Name>);

/// Notes a definition for the next level, unless it was reached before.
fn visit<'m>(
    number: u32,
    referrer: Option<&'m Name>,
    definitions: &Definitions<'m>,
    is_reached: &mut [bool],
    level: &mut Vec<Visit<'m>>,
) {
    if let (Some(is_reached @ false), Some(defined)) =
        (is_reached.get_mut(number as usize), definitions.get(number))
    {
        *is_reached = true;
        level.push((defined, referrer));
    }
}

/// Copies the bodies of definitions out of the repository, each once. They are decoded, and their fixups looked up, on
/// all threads.
fn fetch(
    view: &dyn View,
    definitions: &Definitions<'_>,
    indices: &HashMap<FragmentDigest, u32>,
    level: &[Visit<'_>],
    errors: &mut Vec<LinkError>,
) -> Result<HashMap<FragmentDigest, Body>, Vec<LinkError>> {
    let wanted = level.iter().map(|(defined, _)| (defined.definition.fragment, defined));
    let mut wanted = wanted.filter(|(digest, _)| !indices.contains_key(digest)).collect::<Vec<_>>();
    // Stable: of several with one digest, the first that was reached tells what is wrong with it.
    wanted.sort_by_key(|(digest, _)| *digest);
    wanted.dedup_by_key(|(digest, _)| *digest);
    let digests = wanted.iter().map(|(digest, _)| *digest).collect::<Vec<_>>();
    let entries = view.entries(&digests).map_err(|error| vec![error.into()])?;
    let decode = |(entry, (digest, defined)): (Result<_, _>, &(_, &Defined<'_>))| {
        decode(entry, *digest, defined, definitions)
    };
    let decoded = entries.into_par_iter().zip(&wanted).with_min_len(FEW).map(decode).collect::<Vec<_>>();
    let mut bodies = HashMap::with_capacity(decoded.len());
    for body in decoded {
        match body {
            Ok(body) => _ = bodies.insert(body.digest, body),
            Err(error) => errors.push(error),
        }
    }
    Ok(bodies)
}

fn decode(
    entry: Result<Option<Entry>, StoreError>,
    digest: FragmentDigest,
    defined: &Defined<'_>,
    definitions: &Definitions<'_>,
) -> Result<Body, LinkError> {
    let lost = || (defined.definition.name.clone(), Box::new(defined.site()));
    let Some(entry) = entry? else {
        let (name, site) = lost();
        return Err(LinkError::Missing { name, digest, site });
    };
    let Some(fragment) = entry.fragment(&digest)? else {
        let (name, site) = lost();
        return Err(LinkError::Stripped { name, digest, site });
    };
    let fixups = fragment.fixups.as_slice().iter();
    let targets = fixups.map(|fixup| definitions.target(&fixup.target)).collect();
    Ok(Body { digest, fragment, targets })
}

/// Fewer bodies are not worth another thread.
const FEW: usize = 256;

fn missing_entry(name: &Name, definitions: &Definitions<'_>) -> LinkError {
    let names = definitions.names();
    let help = match nearest(name.as_str(), names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "define it, or name another one with `-E`".to_owned(),
    };
    LinkError::Entry { name: name.clone(), help }
}

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
    let mut missing = BTreeMap::<Arc<str>, Vec<Site>>::new();
    for Reached { defined, body, .. } in &program.definitions {
        let Body { fragment, targets, .. } = &program.bodies[*body as usize];
        for (index, (fixup, target)) in fragment.fixups.as_slice().iter().zip(targets).enumerate() {
            if fixup.kind == FixupKind::Strong && *target == Target::Other {
                let site = defined.site_of(first_use(fragment, index as u32), &fixup.target);
                missing.entry(Arc::clone(&fixup.target)).or_default().push(site);
            }
        }
    }
    if !missing.is_empty() {
        let fixups = program.bodies.iter().flat_map(|body| body.fragment.fixups.as_slice());
        let strings = fixups.filter(|fixup| fixup.kind == FixupKind::Weak).map(|fixup| &*fixup.target);
        let strings = strings.collect::<HashSet<&str>>();
        missing.retain(|name, _| !strings.contains(&**name));
    }
    let errors = missing.into_iter().map(|(name, sites)| {
        let help = undefined_help(&name, definitions, &sites);
        LinkError::Undefined { name, sites, help }
    });
    let errors = errors.collect::<Vec<_>>();
    if errors.is_empty() || unresolved == Unresolved::Warn { Ok(errors) } else { Err(errors) }
}

/// The ordinal of the first instruction that executes the fixup at `index`.
fn first_use(fragment: &Fragment, index: u32) -> u32 {
    let calls = |instruction| instruction == Ok(Instruction::Call(index));
    Decoder::new(&fragment.text).position(calls).unwrap_or_default() as u32
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
fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let distance = |candidate: &'c str| (strsim::damerau_levenshtein(name, candidate), candidate);
    // Of one or two letters, anything would be like anything.
    let limit = name.len() / 3;
    candidates
        .map(distance)
        .filter(|(distance, near)| *distance <= limit && *distance < near.len())
        .min()
        .map(|(_, near)| near)
}
