//! Merge: adds what other repositories have to one's own.
//!
//! An entry is absent, known, or present; a merge takes the greater of the two sides, so it does not matter in
//! which order, or how often, repositories are merged. Two different bodies under one digest have no greater one:
//! that is a conflict, and nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::{panic, thread};

use miette::Diagnostic;
use thiserror::Error;

use crate::digest::{BuildId, CompilationId, FragmentDigest};
use crate::object::link_record::LinkRecord;
use crate::store::backend::Members;
use crate::store::repository::{ASKED, join};
use crate::store::{Addition, Member, Repository, Snapshot, State, StoreError, View, read_together};

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

impl MergeReport {
    /// Adds what another part of the same merge did.
    fn add(&mut self, other: Self) {
        let Self { added, filled, identical, known, compilations, links, conflicts } = other;
        self.added += added;
        self.filled += filled;
        self.identical += identical;
        self.known += known;
        self.compilations += compilations;
        self.links += links;
        self.conflicts.extend(conflicts);
    }
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
        let origins = Origins::of(target, sources);
        let sources = read_together(sources)?;
        let mut report = MergeReport::default();
        // Referents first: fragments, then the compilations that name them, then the links that name those.
        for offers in Chunks::of(&sources) {
            let wanted = decide(offers?, transaction.view(), &origins, &mut report)?;
            // After a conflict the rest is only looked at, to tell all conflicts.
            if report.conflicts.is_empty() {
                let are_new = wanted.iter().all(|offer| offer.is_new);
                for (source, from_here) in sources.iter().zip(by_source(wanted, sources.len())) {
                    // A body is held against its checksum: what is damaged does not arrive.
                    transaction.take_fragments(from_here, &**source, are_new)?;
                }
            }
        }
        refuse_conflicts(&report)?;
        for (from, ids) in new_compilations(transaction.view(), &sources, &mut report)? {
            for ids in ids.chunks(TOGETHER) {
                transaction.take_compilations(ids, &*sources[from])?;
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
    let origins = Origins::of(target, sources);
    let mut sources = read_together([target].into_iter().chain(sources))?;
    let view = sources.remove(0);
    let mut report = MergeReport::default();
    for offers in Chunks::of(&sources) {
        decide(offers?, &*view, &origins, &mut report)?;
    }
    refuse_conflicts(&report)?;
    new_compilations(&*view, &sources, &mut report)?;
    new_links(&*view, &sources, &mut report)?;
    Ok(report)
}

/// So many digests are looked up, read and stored together: they lie anywhere in their sources.
const MANY: usize = 1 << 17;

/// So many compilations are read and stored together.
const TOGETHER: usize = 4096;

/// A member of one source.
#[derive(Debug, Clone, Copy)]
struct Offer {
    member: Member,
    /// Which source.
    from: u32,
    /// Whether the target has nothing under its digest, as far as that was asked.
    is_new: bool,
}

/// All members of all sources in ascending order: one walk through each of them.
enum Chunks<'s> {
    /// With one source there is nothing to put in order.
    One(Members<'s, Vec<Member>>),
    Many(Vec<Peekable<Members<'s, Member>>>),
}

impl<'s> Chunks<'s> {
    fn of(sources: &'s [Snapshot<'_>]) -> Self {
        match sources {
            [source] => Self::One(source.fragment_runs()),
            _ => Self::Many(sources.iter().map(|source| source.fragments().peekable()).collect()),
        }
    }

    /// Adds what comes next. Says whether there was any.
    fn add_offers(&mut self, offers: &mut Vec<Offer>) -> Result<bool, StoreError> {
        match self {
            Self::One(runs) => {
                let run = runs.next().transpose()?;
                let is_there = run.is_some();
                let offer = |member| Offer { member, from: 0, is_new: false };
                offers.extend(run.unwrap_or_default().into_iter().map(offer));
                Ok(is_there)
            }
            Self::Many(members) => add_least(members, offers),
        }
    }
}

/// Adds what each source has under the least digest, in the order of the sources. Says whether there was any.
fn add_least(
    sources: &mut [Peekable<Members<'_, Member>>],
    offers: &mut Vec<Offer>,
) -> Result<bool, StoreError> {
    let heads = sources.iter_mut().filter_map(|members| match members.peek()? {
        Ok(member) => Some(member.digest),
        Err(_) => None,
    });
    let least = heads.min();
    for (members, from) in sources.iter_mut().zip(0..) {
        let is_next = |member: &Result<Member, _>| match member {
            Ok(member) => Some(member.digest) == least,
            Err(_) => true,
        };
        if let Some(member) = members.next_if(is_next) {
            offers.push(Offer { member: member?, from, is_new: false });
        }
    }
    Ok(least.is_some())
}

impl Iterator for Chunks<'_> {
    type Item = Result<Vec<Offer>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut offers = Vec::new();
        while offers.len() < MANY {
            match self.add_offers(&mut offers) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Some(Err(error)),
            }
        }
        Some(offers).filter(|offers| !offers.is_empty()).map(Ok)
    }
}

/// Who has what, for messages.
struct Origins<'o> {
    target: &'o str,
    sources: Vec<&'o str>,
}

impl<'o> Origins<'o> {
    fn of(target: &'o Repository, sources: &'o [Repository]) -> Self {
        Self { target: target.origin(), sources: sources.iter().map(Repository::origin).collect() }
    }
}

/// So many offers are worth another thread.
const ENOUGH: usize = 1 << 14;

/// Takes the greater of all sides for each digest, and notes what that means. Leaves what the target is to take, of each
/// digest one offer at the most. Half is looked up on another thread, where there may be one and the target has a twin for it.
fn decide(
    mut offers: Vec<Offer>,
    target: &dyn View,
    origins: &Origins<'_>,
    report: &mut MergeReport,
) -> Result<Vec<Offer>, StoreError> {
    let halves = target.twin_for(offers.len() >= ENOUGH).and_then(|twin| {
        // All offers for one digest are in one half.
        let half = offers.len() / 2;
        let more = offers[half..].iter().take_while(|offer| is_same(offer, &offers[half - 1])).count();
        let (front, back) = offers.split_at_mut(half + more);
        thread::scope(|scope| {
            let behind = move || {
                let mut report = MergeReport::default();
                sift(back, &*twin, origins, &mut report).map(|kept| (kept, report))
            };
            // The system may have no thread to spare.
            let behind = thread::Builder::new().spawn_scoped(scope, behind).ok()?;
            let kept = sift(front, target, origins, report);
            Some((half + more, kept, behind.join().unwrap_or_else(|panic| panic::resume_unwind(panic))))
        })
    });
    let kept = match halves {
        None => sift(&mut offers, target, origins, report)?,
        Some((middle, kept, behind)) => {
            let (kept, (behind, noted)) = (kept?, behind?);
            report.add(noted);
            offers.copy_within(middle..middle + behind, kept);
            kept + behind
        }
    };
    offers.truncate(kept);
    Ok(offers)
}

/// The same in place and on this thread: says how many offers, at the front, are left.
fn sift(
    offers: &mut [Offer],
    target: &dyn View,
    origins: &Origins<'_>,
    report: &mut MergeReport,
) -> Result<usize, StoreError> {
    let (mut start, mut kept) = (0, 0);
    while start < offers.len() {
        let asked = offers[start..].chunk_by(is_same).take(ASKED);
        let digests = asked.map(|offers| offers[0].member.digest).collect::<Vec<_>>();
        for there in target.states(&digests)? {
            let rivals = offers[start..].chunk_by(is_same).next().unwrap_or_default();
            start += rivals.len();
            if let Some(greatest) = greatest(rivals, there, origins, report) {
                // What is kept never comes to where something is not looked at yet.
                offers[kept] = greatest;
                kept += 1;
            }
        }
    }
    Ok(kept)
}

fn is_same(a: &Offer, b: &Offer) -> bool {
    a.member.digest == b.member.digest
}

/// The offer for one digest that is more than what is there and than the other offers, if one is.
fn greatest(
    rivals: &[Offer],
    there: Option<State>,
    origins: &Origins<'_>,
    report: &mut MergeReport,
) -> Option<Offer> {
    let (mut current, mut origin, mut greatest) = (there, origins.target, None);
    for offer in rivals {
        let Member { digest, .. } = offer.member;
        let (state, source) = (offer.member.state(), origins.sources[offer.from as usize]);
        match join(current, &digest, state) {
            Ok(Addition::Added | Addition::Filled) => {
                (current, origin) = (Some(state), source);
                greatest = Some(Offer { is_new: there.is_none(), ..*offer });
            }
            Ok(Addition::Identical) => report.identical += usize::from(state != State::Known),
            Err(_) => {
                let origins = [origin, source].map(str::to_owned);
                report.conflicts.push(Conflict { digest, origins });
            }
        }
    }
    match greatest.map(|Offer { member, is_new, .. }| (is_new, member.state())) {
        Some((true, State::Present(_))) => report.added += 1,
        Some((true, State::Known)) => report.known += 1,
        Some((false, _)) => report.filled += 1,
        None => {}
    }
    greatest
}

/// What is to be taken from each of so many sources, in ascending order.
fn by_source(offers: Vec<Offer>, sources: usize) -> Vec<Vec<Member>> {
    let mut members = vec![Vec::new(); sources];
    if let [all] = &mut members[..] {
        // In the memory of the offers.
        *all = offers.into_iter().map(|offer| offer.member).collect();
    } else {
        offers.into_iter().for_each(|offer| members[offer.from as usize].push(offer.member));
    }
    members
}

/// The compilations that the target does not have, by the source that they come from.
fn new_compilations(
    target: &dyn View,
    sources: &[Snapshot<'_>],
    report: &mut MergeReport,
) -> Result<BTreeMap<usize, Vec<CompilationId>>, StoreError> {
    let mut seen = BTreeSet::new();
    let mut new = BTreeMap::<usize, Vec<CompilationId>>::new();
    for (from, source) in sources.iter().enumerate() {
        let mut ids = source.compilations();
        loop {
            let some = ids.by_ref().take(TOGETHER).collect::<Result<Vec<_>, _>>()?;
            if some.is_empty() {
                break;
            }
            let there = target.have_compilations(&some)?;
            let absent = some.into_iter().zip(there).filter(|(id, is_there)| !is_there && seen.insert(*id));
            new.entry(from).or_default().extend(absent.map(|(id, _)| id));
        }
    }
    report.compilations = seen.len();
    Ok(new)
}

/// The link records that the target does not have.
fn new_links(
    target: &dyn View,
    sources: &[Snapshot<'_>],
    report: &mut MergeReport,
) -> Result<BTreeMap<BuildId, LinkRecord>, StoreError> {
    let there = target.links().map(|link| Ok(link?.build)).collect::<Result<BTreeSet<_>, StoreError>>()?;
    let mut new = BTreeMap::new();
    for source in sources {
        for link in source.links() {
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
