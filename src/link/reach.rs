//! What the program needs: everything that its entry points refer to, strongly or weakly.

use std::collections::hash_map::Entry::Vacant;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::Unresolved;
use super::error::{LinkError, Site};
use super::resolve::{Defined, Definitions};
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
    pub definitions: Vec<Defined<'m>>,
    /// Their code.
    pub fragments: HashMap<FragmentDigest, Fragment>,
    /// Who first referred to each definition; entry points have nobody.
    pub referrers: HashMap<&'m Name, Option<&'m Name>>,
}

/// Follows references from the entry points, nearest first.
pub(super) fn reach<'m>(
    view: &dyn View,
    definitions: &Definitions<'m>,
    entries: &[Name],
) -> Result<Program<'m>, Vec<LinkError>> {
    let mut program =
        Program { definitions: Vec::new(), fragments: HashMap::new(), referrers: HashMap::new() };
    let mut errors = Vec::new();
    let mut level = Vec::new();
    for entry in entries {
        match definitions.get(entry.as_str()) {
            None => errors.push(missing_entry(entry, definitions)),
            Some(defined) if program.referrers.insert(&defined.definition.name, None).is_none() => {
                level.push(*defined);
            }
            Some(_) => {}
        }
    }
    // Level by level: all bodies of a level are read together.
    while !level.is_empty() {
        fetch(view, &mut program.fragments, &level, &mut errors)?;
        let mut next = Vec::new();
        for defined in level {
            program.definitions.push(defined);
            let fragment = program.fragments.get(&defined.definition.fragment);
            for fixup in fragment.iter().flat_map(|fragment| fragment.fixups.as_slice()) {
                // Strong or weak: a procedure that is named is kept.
                let Some(target) = definitions.get(&*fixup.target) else { continue };
                if let Vacant(free) = program.referrers.entry(&target.definition.name) {
                    free.insert(Some(&defined.definition.name));
                    next.push(*target);
                }
            }
        }
        level = next;
    }
    if errors.is_empty() { Ok(program) } else { Err(errors) }
}

/// Copies the bodies of definitions out of the repository, each once. They are decoded on all threads.
fn fetch(
    view: &dyn View,
    fragments: &mut HashMap<FragmentDigest, Fragment>,
    level: &[Defined<'_>],
    errors: &mut Vec<LinkError>,
) -> Result<(), Vec<LinkError>> {
    let mut wanted = level.iter().map(|defined| (defined.definition.fragment, defined)).collect::<Vec<_>>();
    wanted.retain(|(digest, _)| !fragments.contains_key(digest));
    // Stable: of several with one digest, the first that was reached tells what is wrong with it.
    wanted.sort_by_key(|(digest, _)| *digest);
    wanted.dedup_by_key(|(digest, _)| *digest);
    let digests = wanted.iter().map(|(digest, _)| *digest).collect::<Vec<_>>();
    let entries = view.entries(&digests).map_err(|error| vec![error.into()])?;
    let decode = |(entry, (digest, defined)): (Result<Option<Entry>, StoreError>, &(_, &Defined<'_>))| {
        let lost = || (defined.definition.name.clone(), Box::new(defined.site()));
        let Some(entry) = entry? else {
            let (name, site) = lost();
            return Err(LinkError::Missing { name, digest: *digest, site });
        };
        entry.fragment(digest)?.ok_or_else(|| {
            let (name, site) = lost();
            LinkError::Stripped { name, digest: *digest, site }
        })
    };
    let decoded = entries.into_par_iter().zip(&wanted).with_min_len(FEW).map(decode).collect::<Vec<_>>();
    fragments.reserve(decoded.len());
    for (digest, decoded) in digests.into_iter().zip(decoded) {
        match decoded {
            Ok(fragment) => _ = fragments.insert(digest, fragment),
            Err(error) => errors.push(error),
        }
    }
    Ok(())
}

/// Fewer bodies are not worth another thread.
const FEW: usize = 256;

fn missing_entry(name: &Name, definitions: &Definitions<'_>) -> LinkError {
    let names = definitions.keys().copied();
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
    let fixups = program.fragments.values().flat_map(|fragment| fragment.fixups.as_slice());
    let strings = fixups.filter(|fixup| fixup.kind == FixupKind::Weak).map(|fixup| &*fixup.target);
    let strings = strings.collect::<HashSet<&str>>();
    let mut missing = BTreeMap::<Arc<str>, Vec<Site>>::new();
    for defined in &program.definitions {
        let Some(fragment) = program.fragments.get(&defined.definition.fragment) else { continue };
        for (index, fixup) in fragment.fixups.as_slice().iter().enumerate() {
            let name = &*fixup.target;
            let found =
                definitions.contains_key(name) || Builtin::lookup(name).is_some() || strings.contains(name);
            if fixup.kind == FixupKind::Strong && !found {
                let ordinal = first_use(fragment, index as u32);
                missing
                    .entry(Arc::clone(&fixup.target))
                    .or_default()
                    .push(defined.site_of(ordinal, &fixup.target));
            }
        }
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
    let names = definitions.keys().copied();
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
