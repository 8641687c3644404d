//! Merge: adds what other repositories have to one's own.
//!
//! An entry is absent, known, or present; a merge takes the greater of the two sides, so it does not matter in
//! which order, or how often, repositories are merged. Two different bodies under one digest have no greater one:
//! that is a conflict, and nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

use miette::Diagnostic;
use thiserror::Error;

use crate::digest::{BuildId, CompilationId, FragmentDigest};
use crate::object::link_record::LinkRecord;
use crate::store::backend::Members;
use crate::store::{Repository, Snapshot, State, StoreError, View, read_together};

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
/// No source may be the target itself.
pub fn merge(target: &Repository, sources: &[Repository]) -> Result<MergeReport, MergeError> {
    target.write(|transaction| {
        let sources = sources_of(sources, read_together(sources)?);
        let mut report = MergeReport::default();
        // Referents first: fragments, then the compilations that name them, then the links that name those.
        for chunk in Chunks::of(&sources) {
            let wanted = decide(&chunk?, transaction.view(), target.origin(), &sources, &mut report)?;
            // After a conflict the rest is only looked at, to tell all conflicts.
            if report.conflicts.is_empty() {
                for (source, from_here) in sources.iter().zip(wanted) {
                    // A body is held against its checksum: what is damaged does not arrive.
                    transaction.take_fragments(&from_here, &*source.snapshot)?;
                }
            }
        }
        refuse_conflicts(&report)?;
        for (from, ids) in new_compilations(transaction.view(), &sources, &mut report)? {
            for ids in ids.chunks(TOGETHER) {
                transaction.take_compilations(ids, &*sources[from].snapshot)?;
            }
        }
        let links = new_links(transaction.view(), &sources, &mut report)?;
        links.into_values().try_for_each(|link| transaction.add_link(link))?;
        // Who waits for readers of the target must read nothing that one of them may wait for: the target is locked
        // before a source is read, and published when no source is read any more.
        drop(sources);
        Ok(report)
    })
}

/// Tells what [`merge`] would do.
pub fn dry_run(target: &Repository, sources: &[Repository]) -> Result<MergeReport, MergeError> {
    let mut snapshots = read_together([target].into_iter().chain(sources))?;
    let view = snapshots.remove(0);
    let sources = sources_of(sources, snapshots);
    let mut report = MergeReport::default();
    for chunk in Chunks::of(&sources) {
        decide(&chunk?, &*view, target.origin(), &sources, &mut report)?;
    }
    refuse_conflicts(&report)?;
    new_compilations(&*view, &sources, &mut report)?;
    new_links(&*view, &sources, &mut report)?;
    Ok(report)
}

/// A repository to merge from.
struct Source<'r> {
    origin: &'r str,
    snapshot: Snapshot<'r>,
}

fn sources_of<'r>(
    repositories: &'r [Repository],
    snapshots: impl IntoIterator<Item = Snapshot<'r>>,
) -> Vec<Source<'r>> {
    let source =
        |(repository, snapshot): (&'r Repository, _)| Source { origin: repository.origin(), snapshot };
    repositories.iter().zip(snapshots).map(source).collect()
}

/// So many digests are looked up, read and stored together: they lie anywhere in their sources.
const MANY: usize = 1 << 17;

/// So many compilations are read and stored together.
const TOGETHER: usize = 4096;

/// A digest with what one source has under it.
type Offer = (FragmentDigest, usize, State);

/// All digests of all sources in ascending order: one walk through each of them.
struct Chunks<'s> {
    members: Vec<Peekable<Members<'s, (FragmentDigest, State)>>>,
}

impl<'s> Chunks<'s> {
    fn of(sources: &'s [Source<'_>]) -> Self {
        Self { members: sources.iter().map(|source| source.snapshot.fragments().peekable()).collect() }
    }

    /// Adds what each source has under the least digest, in the order of the sources. Says whether there was any.
    fn add_offers(&mut self, offers: &mut Vec<Offer>) -> Result<bool, StoreError> {
        let heads = self.members.iter_mut().filter_map(|members| match members.peek()? {
            Ok((digest, _)) => Some(*digest),
            Err(_) => None,
        });
        let least = heads.min();
        for (from, members) in self.members.iter_mut().enumerate() {
            let is_next = |member: &Result<(FragmentDigest, State), _>| match member {
                Ok((digest, _)) => Some(*digest) == least,
                Err(_) => true,
            };
            if let Some(member) = members.next_if(is_next) {
                let (digest, state) = member?;
                offers.push((digest, from, state));
            }
        }
        Ok(least.is_some())
    }
}

impl Iterator for Chunks<'_> {
    type Item = Result<Vec<Offer>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut chunk = Vec::new();
        if let [members] = &mut self.members[..] {
            // With one source there is nothing to put in order.
            let offer = |member: Result<(_, _), _>| member.map(|(digest, state)| (digest, 0, state));
            let all = members.take(MANY).map(offer).collect::<Result<Vec<_>, _>>();
            return Some(all).filter(|all| !all.as_ref().is_ok_and(Vec::is_empty));
        }
        while chunk.len() < MANY {
            match self.add_offers(&mut chunk) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Some(Err(error)),
            }
        }
        Some(chunk).filter(|chunk| !chunk.is_empty()).map(Ok)
    }
}

/// What is to be taken from a source, in ascending order.
type Wanted = Vec<(FragmentDigest, State)>;

/// Takes the greater of all sides for each digest, and notes what that means. Gives what each source has of them.
fn decide(
    chunk: &[Offer],
    target: &dyn View,
    target_origin: &str,
    sources: &[Source<'_>],
    report: &mut MergeReport,
) -> Result<Vec<Wanted>, StoreError> {
    let all_of_one = || chunk.chunk_by(|(a, ..), (b, ..)| a == b);
    let digests = all_of_one().map(|offers| offers[0].0).collect::<Vec<_>>();
    let mut wanted = vec![Wanted::new(); sources.len()];
    for ((digest, offers), there) in digests.iter().zip(all_of_one()).zip(target.states(&digests)?) {
        let (mut current, mut origin, mut taken) = (there, target_origin, None);
        for (_, from, state) in offers {
            match (current, *state) {
                (None, _) | (Some(State::Known), State::Present(_)) => {
                    (current, origin, taken) = (Some(*state), sources[*from].origin, Some(*from));
                }
                (Some(State::Present(old)), State::Present(new)) if old != new => {
                    let origins = [origin.to_owned(), sources[*from].origin.to_owned()];
                    report.conflicts.push(Conflict { digest: *digest, origins });
                }
                (Some(State::Present(_)), State::Present(_)) => report.identical += 1,
                (Some(_), State::Known) => {}
            }
        }
        if let (Some(state), Some(from)) = (current, taken) {
            match (there, state) {
                (None, State::Present(_)) => report.added += 1,
                (None, State::Known) => report.known += 1,
                (Some(_), _) => report.filled += 1,
            }
            wanted[from].push((*digest, state));
        }
    }
    Ok(wanted)
}

/// The compilations that the target does not have, by the source that they come from.
fn new_compilations(
    target: &dyn View,
    sources: &[Source<'_>],
    report: &mut MergeReport,
) -> Result<BTreeMap<usize, Vec<CompilationId>>, StoreError> {
    let mut seen = BTreeSet::new();
    let mut new = BTreeMap::<usize, Vec<CompilationId>>::new();
    for (from, source) in sources.iter().enumerate() {
        for id in source.snapshot.compilations() {
            let id = id?;
            if !target.has_compilation(&id)? && seen.insert(id) {
                new.entry(from).or_default().push(id);
            }
        }
    }
    report.compilations = seen.len();
    Ok(new)
}

/// The link records that the target does not have.
fn new_links(
    target: &dyn View,
    sources: &[Source<'_>],
    report: &mut MergeReport,
) -> Result<BTreeMap<BuildId, LinkRecord>, StoreError> {
    let there = target.links().map(|link| Ok(link?.build)).collect::<Result<BTreeSet<_>, StoreError>>()?;
    let mut new = BTreeMap::new();
    for source in sources {
        for link in source.snapshot.links() {
            let link = link?;
            if !there.contains(&link.build) {
                // The place is on the machine that wrote the record; here it means nothing.
                new.insert(link.build, link.abroad());
            }
        }
    }
    report.links = new.len();
    Ok(new)
}

fn refuse_conflicts(report: &MergeReport) -> Result<(), MergeError> {
    if report.conflicts.is_empty() {
        return Ok(());
    }
    Err(MergeError::Conflicts(report.clone(), report.conflicts.clone()))
}
