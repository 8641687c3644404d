//! The rules of a repository, over any backend.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::backend::{Backend, Batch, Change, Damage, Decision, Missing, State, View};
use super::database::DatabaseBackend;
use super::error::StoreError;
use super::file::directory;
use super::form::Form;
use super::gate::{Company, Gate};
use super::memory::MemoryBackend;
use super::places::Member;
use super::wire::{self, record::CompilationRecord};
use super::yaml::YamlBackend;
use crate::digest::{BuildId, CompilationId, FragmentDigest};
use crate::object::compilation::Compilation;
use crate::object::fragment::{Body, Fragment, Parts};
use crate::object::link_record::LinkRecord;

/// What a repository gives for a digest that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The body was stripped: "do you have it?" yes, "give it to me" no.
    Known,
    /// The body.
    Present(Body),
}

impl Entry {
    /// What is left of the entry without its body.
    pub fn state(&self) -> State {
        match self {
            Self::Known => State::Known,
            Self::Present(body) => State::Present(body.checksum()),
        }
    }

    /// Decodes the body, if there is one, and holds its code against its fixups. `digest` is for messages.
    pub fn fragment(&self, digest: &FragmentDigest) -> Result<Option<Fragment>, StoreError> {
        Ok(self.parts(digest)?.map(|parts| parts.to_fragment()))
    }

    /// Like [`fragment`](Self::fragment), but copies nothing.
    fn parts(&self, digest: &FragmentDigest) -> Result<Option<Parts<'_>>, StoreError> {
        let Self::Present(body) = self else { return Ok(None) };
        let damaged = |reason| StoreError::Body { digest: *digest, reason };
        let parts = body.parts().map_err(|error| damaged(error.to_string()))?;
        wire::lines::check_parts(&parts).map_err(damaged)?;
        Ok(Some(parts))
    }
}

/// A program repository.
pub struct Repository {
    pub(super) backend: Box<dyn Backend>,
    /// The directory that it is in, if it is in one.
    home: Option<PathBuf>,
}

/// A consistent view of a repository.
pub type Snapshot<'r> = Arc<dyn View + 'r>;

impl Repository {
    /// A repository over a backend.
    pub fn new(backend: impl Backend + 'static) -> Self {
        Self { backend: Box::new(backend), home: None }
    }

    /// An empty repository in memory.
    pub fn in_memory() -> Self {
        Self::new(MemoryBackend::default())
    }

    /// The repository in a file, which must exist when it is read.
    pub fn open(path: &Path) -> Self {
        Self::at(path, Missing::IsAnError)
    }

    /// The repository in a file; while there is no file, it is empty. The first change makes the file.
    pub fn open_or_empty(path: &Path) -> Self {
        Self::at(path, Missing::IsEmpty)
    }

    fn at(path: &Path, missing: Missing) -> Self {
        let backend: Box<dyn Backend> = match Form::of(path) {
            Form::Yaml => Box::new(YamlBackend::new(path, missing)),
            Form::Database => Box::new(DatabaseBackend::new(path, missing)),
        };
        Self { backend, home: Some(directory(path).to_owned()) }
    }

    /// Waits until the gate of the repository's directory lets us in; `None` for a repository that is in none.
    ///
    /// Garbage collection is inside alone from before it looks for roots until it is done. A compiler enters when its
    /// tickets are written, and looks whether all is still there that they name.
    pub fn enter(&self, company: Company) -> Result<Option<Gate>, StoreError> {
        self.home.as_deref().map(|home| Gate::enter(home, company)).transpose()
    }

    /// How messages call this repository.
    pub fn origin(&self) -> &str {
        self.backend.origin()
    }

    /// The last published state.
    pub fn read(&self) -> Result<Snapshot<'_>, StoreError> {
        self.backend.read()
    }

    /// Whether it is certain, without a look at what is stored, that nobody changed the repository since it was opened.
    /// No snapshot may be alive.
    pub fn is_unchanged(&self) -> bool {
        self.backend.is_unchanged()
    }

    /// Runs `change` alone on the last published state and publishes all that it did, unless it fails.
    pub fn write<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(change, |change| self.backend.write(change))
    }

    /// Like [`write`](Self::write), on an empty repository that takes the place of this one, damaged or not.
    pub fn replace<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(change, |change| self.backend.replace(change))
    }

    /// What can be read of a damaged repository, and where its structure is damaged.
    pub fn examine(&self) -> Result<(Snapshot<'_>, Vec<Damage>), StoreError> {
        self.backend.examine()
    }

    /// Like [`write`](Self::write), on what can be read of a damaged repository.
    pub fn repair<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(change, |change| self.backend.repair(change))
    }

    /// Carries a typed result through the backend, which knows only whether to commit.
    fn run<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
        publish: impl FnOnce(&mut Change<'_>) -> Result<(), StoreError>,
    ) -> Result<T, E> {
        let mut change = Some(change);
        let mut result = None;
        publish(&mut |batch| {
            let Some(change) = change.take() else { return Decision::Abort };
            let outcome = change(&mut Transaction::over(batch));
            let decision = if outcome.is_ok() { Decision::Commit } else { Decision::Abort };
            result = Some(outcome);
            decision
        })?;
        // A backend that succeeds has run the change once.
        result.unwrap_or_else(|| Err(StoreError::NotRun { origin: self.origin().to_owned() }.into()))
    }
}

/// The last published states of several repositories, in their order. All who read several at once begin in the same
/// order, so that no two wait for writers who wait for the other.
pub fn read_together<'r>(
    repositories: impl IntoIterator<Item = &'r Repository>,
) -> Result<Vec<Snapshot<'r>>, StoreError> {
    let mut order = repositories.into_iter().zip(0..).collect::<Vec<(_, usize)>>();
    order.sort_by_cached_key(|(repository, _)| fs::canonicalize(repository.origin()).ok());
    let read = |(repository, at): (&'r Repository, _)| Ok((at, repository.read()?));
    let mut snapshots = order.into_iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
    snapshots.sort_by_key(|(at, _)| *at);
    Ok(snapshots.into_iter().map(|(_, snapshot)| snapshot).collect())
}

/// What adding something did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addition {
    /// It was not there.
    Added,
    /// Its digest was known and has a body now.
    Filled,
    /// It was there already.
    Identical,
}

/// What an entry does where there is this already.
pub fn join(there: Option<State>, digest: &FragmentDigest, new: State) -> Result<Addition, StoreError> {
    match (there, new) {
        (None, _) => Ok(Addition::Added),
        (Some(State::Known), State::Present(_)) => Ok(Addition::Filled),
        (Some(State::Present(old)), State::Present(new)) if old != new => {
            Err(StoreError::Immutable { digest: *digest })
        }
        (Some(_), _) => Ok(Addition::Identical),
    }
}

/// A change of a repository, all of which is published or none.
pub struct Transaction<'b> {
    batch: &'b mut dyn Batch,
}

/// How much a repository holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contained {
    /// Digests, with a body or without.
    pub fragments: usize,
    /// Compilations.
    pub compilations: usize,
    /// Link records.
    pub links: usize,
}

/// So many compilations are read and stored together.
const TOGETHER: usize = 1024;

/// So many fragments are taken together: they lie anywhere, and each row of a database is to be read few times.
const MANY: usize = 1 << 17;

/// So many digests are asked for at once: what is said of them stays in the processor's cache.
pub const ASKED: usize = 4096;

impl<'b> Transaction<'b> {
    /// The rules over a batch.
    pub(super) fn over(batch: &'b mut dyn Batch) -> Self {
        Self { batch }
    }

    /// Adds all that a view holds, its link records as they are, and says how much that was.
    pub fn absorb(&mut self, view: &dyn View) -> Result<Contained, StoreError> {
        let mut all = Contained::default();
        let mut members = view.fragments();
        loop {
            let mut some = members.by_ref().take(MANY).collect::<Result<Vec<_>, _>>()?;
            if some.is_empty() {
                break;
            }
            all.fragments += some.len();
            let are_new = self.sift(&mut some)?;
            self.take_fragments(some, view, are_new)?;
        }
        let ids = view.compilations().collect::<Result<Vec<_>, _>>()?;
        for ids in ids.chunks(TOGETHER) {
            all.compilations += self.take_compilations(ids, view)?;
        }
        for link in view.links() {
            self.add_link(link?)?;
            all.links += 1;
        }
        Ok(all)
    }

    /// The repository as the change sees it.
    pub fn view(&self) -> &dyn View {
        self.batch
    }

    /// Adds an entry. A body fills a known digest, a known digest changes nothing, and a body that differs from
    /// the one that is there is an error.
    pub fn add_fragment(&mut self, digest: FragmentDigest, entry: &Entry) -> Result<Addition, StoreError> {
        let there = self.batch.state(&digest)?;
        let addition = join(there, &digest, entry.state())?;
        if addition != Addition::Identical {
            self.batch.put_fragment(digest, entry)?;
        }
        Ok(addition)
    }

    /// Adds many entries with different digests, best in ascending order. Says what became of each.
    pub fn add_fragments(&mut self, all: &[(FragmentDigest, Entry)]) -> Result<Vec<Addition>, StoreError> {
        let digests = all.iter().map(|(digest, _)| *digest).collect::<Vec<_>>();
        let there = self.batch.states(&digests)?;
        let join = |((digest, entry), there): (&(_, Entry), _)| join(there, digest, entry.state());
        let additions = all.iter().zip(there).map(join).collect::<Result<Vec<_>, _>>()?;
        let new = all.iter().zip(&additions).filter(|(_, addition)| **addition != Addition::Identical);
        let new = new.map(|((digest, entry), _)| (*digest, entry)).collect::<Vec<_>>();
        self.batch.put_fragments(&new)?;
        Ok(additions)
    }

    /// Leaves of members of a view, in ascending order, those that would change something; says whether all are new.
    fn sift(&self, members: &mut Vec<Member>) -> Result<bool, StoreError> {
        let (mut kept, mut are_new) = (0, true);
        for start in (0..members.len()).step_by(ASKED) {
            let asked = start..members.len().min(start + ASKED);
            let digests = members[asked.clone()].iter().map(|member| member.digest).collect::<Vec<_>>();
            for (at, there) in asked.zip(self.batch.states(&digests)?) {
                let member = members[at];
                let addition = join(there, &member.digest, member.state())?;
                if addition != Addition::Identical {
                    are_new &= addition == Addition::Added;
                    members[kept] = member;
                    kept += 1;
                }
            }
        }
        members.truncate(kept);
        Ok(are_new)
    }

    /// Whether all members would change something, by adding to what is there only if `are_new` says so.
    fn are_due(&self, members: &[Member], are_new: bool) -> bool {
        let mut due = members.to_vec();
        self.sift(&mut due).is_ok_and(|new| new || !are_new) && due == members
    }

    /// Takes members of a view, in ascending order, all of which are new, if `are_new` says so, or else new or fill
    /// something, as [`join`] tells.
    pub fn take_fragments(
        &mut self,
        mut members: Vec<Member>,
        from: &dyn View,
        are_new: bool,
    ) -> Result<(), StoreError> {
        debug_assert!(self.are_due(&members, are_new), "the rules were not asked");
        let is_known = |member: &Member| member.state() == State::Known;
        let known = members.iter().filter(|member| is_known(member));
        let known = known.map(|member| (member.digest, &Entry::Known)).collect::<Vec<_>>();
        self.batch.put_fragments(&known)?;
        members.retain(|member| !is_known(member));
        self.batch.copy_bodies(members, from, are_new)
    }

    /// Adds a compilation, whose fragments must be there: referents come before references.
    pub fn add_compilation(&mut self, compilation: &Compilation) -> Result<Addition, StoreError> {
        let added = self.add_compilations(std::slice::from_ref(compilation))?;
        Ok(if added == 0 { Addition::Identical } else { Addition::Added })
    }

    /// Adds many compilations, and says how many of them are new.
    pub fn add_compilations(&mut self, all: &[Compilation]) -> Result<usize, StoreError> {
        let mut new = Vec::with_capacity(all.len());
        for record in all.iter().map(CompilationRecord::of) {
            if !self.batch.has_compilation(record.id())? {
                new.push(record);
            }
        }
        self.add_records(new)
    }

    /// Adds many compilations that a view has, and says how many of them are new. Their fragments must be there.
    pub fn take_compilations(&mut self, ids: &[CompilationId], from: &dyn View) -> Result<usize, StoreError> {
        let there = self.batch.have_compilations(ids)?;
        let new = ids.iter().zip(there).filter(|(_, is_there)| !is_there);
        let new = new.map(|(id, _)| *id).collect::<Vec<_>>();
        let records = from.records(&new)?.into_iter().filter_map(Result::transpose);
        self.add_records(records.collect::<Result<_, _>>()?)
    }

    /// Adds compilations that are not there.
    fn add_records(&mut self, mut new: Vec<CompilationRecord>) -> Result<usize, StoreError> {
        new.sort_unstable_by_key(|record| *record.id());
        new.dedup_by_key(|record| *record.id());
        self.refuse_dangling(&new)?;
        new.iter().try_for_each(|record| self.batch.put_record(record))?;
        Ok(new.len())
    }

    /// Asks once for all fragments that compilations are made of.
    fn refuse_dangling(&self, compilations: &[CompilationRecord]) -> Result<(), StoreError> {
        let fragments = || compilations.iter().flat_map(CompilationRecord::fragments);
        let mut digests = fragments().copied().collect::<Vec<_>>();
        digests.par_sort_unstable();
        digests.dedup();
        let mut lost = None;
        for digests in digests.chunks(ASKED) {
            let states = self.batch.states(digests)?;
            lost = lost.or(states.iter().position(Option::is_none).map(|at| digests[at]));
        }
        let Some(lost) = lost else { return Ok(()) };
        for record in compilations.iter().filter(|record| record.fragments().contains(&lost)) {
            let compilation = record.compilation()?;
            let by = compilation.definitions().iter().find(|definition| definition.fragment == lost);
            by.map_or(Ok(()), |by| Err(StoreError::Dangling { name: by.name.clone(), digest: lost }))?;
        }
        Ok(())
    }

    /// Adds a link record. What is known of the same build joins it; other builds lose its places, and whoever has
    /// none left is forgotten. Its compilations must be there: referents come before references.
    pub fn add_link(&mut self, mut record: LinkRecord) -> Result<(), StoreError> {
        for compilation in &record.compilations {
            if !self.batch.has_compilation(compilation)? {
                return Err(StoreError::DanglingLink { build: record.build, compilation: *compilation });
            }
        }
        let mut is_there = false;
        for mut old in self.batch.links().collect::<Result<Vec<_>, _>>()? {
            if old.build == record.build {
                record.elsewhere |= old.elsewhere;
                record.places.extend(old.places.iter().cloned());
                is_there = record == old;
            } else if !old.places.is_disjoint(&record.places) {
                old.places.retain(|place| !record.places.contains(place));
                if old.places.is_empty() && !old.elsewhere {
                    self.batch.remove_link(&old.build)?;
                } else {
                    self.batch.put_link(old)?;
                }
            }
        }
        if is_there { Ok(()) } else { self.batch.put_link(record) }
    }

    /// Removes a fragment.
    pub fn remove_fragment(&mut self, digest: &FragmentDigest) -> Result<(), StoreError> {
        self.batch.remove_fragment(digest)
    }

    /// Removes a compilation.
    pub fn remove_compilation(&mut self, id: &CompilationId) -> Result<(), StoreError> {
        self.batch.remove_compilation(id)
    }

    /// Removes a link record.
    pub fn remove_link(&mut self, build: &BuildId) -> Result<(), StoreError> {
        self.batch.remove_link(build)
    }
}
