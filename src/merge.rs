//! Merge: adds what other repositories have to one's own.
//!
//! An entry is absent, known, or present; a merge takes the greater of the two sides, so it does not matter in
//! which order, or how often, repositories are merged. Two different bodies under one digest have no greater one:
//! that is a conflict, and nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use thiserror::Error;

use crate::digest::{BuildId, CompilationId, FragmentDigest};
use crate::object::link_record::LinkRecord;
use crate::store::{Repository, Snapshot, State, StoreError, Transaction, View};

/// What a merge did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MergeReport {
    /// Bodies whose digests the target did not have.
    pub added: usize,
    /// Bodies whose digests the target knew without a body.
    pub filled: usize,
    /// Bodies that were there already, in the target or in an earlier source.
    pub identical: usize,
    /// Digests without a body that the target did not have.
    pub known: usize,
    /// Compilations that the target did not have.
    pub compilations: usize,
    /// Link records that the target did not have.
    pub links: usize,
    /// Digests for which two repositories have different bodies.
    pub conflicts: Vec<Conflict>,
}

/// Two different bodies for one digest.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("fragment {digest:.16} is one thing in `{}` and another in `{}`", origins[0], origins[1])]
#[diagnostic(code(toy::merge::conflict))]
pub struct Conflict {
    /// The digest.
    pub digest: FragmentDigest,
    /// The two repositories.
    pub origins: [String; 2],
}

/// Why nothing was merged.
#[derive(Debug, Error, Diagnostic)]
pub enum MergeError {
    /// A repository cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),

    /// Different bodies under one digest.
    #[error("nothing was merged: there are different bodies under one digest")]
    #[diagnostic(
        code(toy::merge::conflicts),
        help("one side is damaged, or made by a compiler of another version: run `toy check` on both")
    )]
    Conflicts(MergeReport, #[related] Vec<Conflict>),
}

impl MergeError {
    /// What was found before nothing was merged.
    pub fn report(&self) -> Option<&MergeReport> {
        match self {
            Self::Store(_) => None,
            Self::Conflicts(report, _) => Some(report),
        }
    }
}

/// Adds all that `sources` have to `target`, or nothing when there is a conflict.
pub fn merge(target: &Repository, sources: &[Repository]) -> Result<MergeReport, MergeError> {
    let sources = read_all(sources)?;
    target.write(|transaction| {
        let plan = plan(transaction.view(), target.origin(), &sources)?;
        refuse_conflicts(&plan)?;
        apply(&plan, transaction, &sources)?;
        Ok(plan.report)
    })
}

/// Tells what [`merge`] would do.
pub fn dry_run(target: &Repository, sources: &[Repository]) -> Result<MergeReport, MergeError> {
    let sources = read_all(sources)?;
    let plan = plan(&*target.read()?, target.origin(), &sources)?;
    refuse_conflicts(&plan)?;
    Ok(plan.report)
}

/// A repository to merge from.
struct Source<'r> {
    origin: &'r str,
    snapshot: Snapshot<'r>,
}

fn read_all(sources: &[Repository]) -> Result<Vec<Source<'_>>, StoreError> {
    sources.iter().map(|source| Ok(Source { origin: source.origin(), snapshot: source.read()? })).collect()
}

/// What comes from where.
#[derive(Default)]
struct Plan {
    report: MergeReport,
    /// What the target will have under a digest, and the source that it comes from.
    fragments: BTreeMap<FragmentDigest, (State, usize)>,
    compilations: BTreeMap<CompilationId, usize>,
    links: BTreeMap<BuildId, LinkRecord>,
}

fn plan(target: &dyn View, target_origin: &str, sources: &[Source<'_>]) -> Result<Plan, StoreError> {
    let mut plan = Plan::default();
    let known_builds =
        target.links().map(|link| Ok(link?.build)).collect::<Result<BTreeSet<_>, StoreError>>()?;
    for (from, source) in sources.iter().enumerate() {
        for member in source.snapshot.fragments() {
            let (digest, state) = member?;
            let (current, origin) = match plan.fragments.get(&digest) {
                Some((state, from)) => (Some(*state), sources[*from].origin),
                None => (target.state(&digest)?, target_origin),
            };
            match (current, state) {
                (None, _) | (Some(State::Known), State::Present(_)) => {
                    plan.fragments.insert(digest, (state, from));
                }
                (Some(State::Present(old)), State::Present(new)) if old != new => {
                    let origins = [origin.to_owned(), source.origin.to_owned()];
                    plan.report.conflicts.push(Conflict { digest, origins });
                }
                (Some(State::Present(_)), State::Present(_)) => plan.report.identical += 1,
                (Some(_), State::Known) => {}
            }
        }
        for id in source.snapshot.compilations() {
            let id = id?;
            if !target.has_compilation(&id)? {
                plan.compilations.entry(id).or_insert(from);
            }
        }
        for link in source.snapshot.links() {
            let link = link?;
            if !known_builds.contains(&link.build) {
                // The place is on the machine that wrote the record; here it means nothing.
                plan.links.insert(link.build, link.abroad());
            }
        }
    }
    count(&mut plan, target)?;
    Ok(plan)
}

fn count(plan: &mut Plan, target: &dyn View) -> Result<(), StoreError> {
    for (digest, (state, _)) in &plan.fragments {
        match (target.state(digest)?, state) {
            (None, State::Present(_)) => plan.report.added += 1,
            (None, State::Known) => plan.report.known += 1,
            (Some(_), _) => plan.report.filled += 1,
        }
    }
    plan.report.compilations = plan.compilations.len();
    plan.report.links = plan.links.len();
    Ok(())
}

fn refuse_conflicts(plan: &Plan) -> Result<(), MergeError> {
    if plan.report.conflicts.is_empty() {
        return Ok(());
    }
    Err(MergeError::Conflicts(plan.report.clone(), plan.report.conflicts.clone()))
}

/// Referents first: fragments, then the compilations that name them, then the links that name those.
fn apply(plan: &Plan, target: &mut Transaction<'_>, sources: &[Source<'_>]) -> Result<(), StoreError> {
    for (digest, (_, from)) in &plan.fragments {
        // Reading a body holds it against its checksum: what is damaged does not arrive.
        if let Some(entry) = sources[*from].snapshot.fragment(digest)? {
            target.add_fragment(*digest, &entry)?;
        }
    }
    for (id, from) in &plan.compilations {
        if let Some(compilation) = sources[*from].snapshot.compilation(id)? {
            target.add_compilation(&compilation)?;
        }
    }
    plan.links.values().try_for_each(|link| target.add_link(link.clone()))
}
