//! What a store must be able to do: keep, find, list in order, and publish all of a change or none of it.
//!
//! Deliberately absent: every rule about what may be stored; those are in `repository`.

use std::mem;
use std::sync::Arc;

use super::error::StoreError;
use super::haul::{self, Haul};
use super::places::{Member, Places};
use super::repository::Entry;
use super::wire::record::CompilationRecord;
use crate::digest::{BuildId, Checksum, CompilationId, FragmentDigest};
use crate::object::compilation::Compilation;
use crate::object::fragment::Body;
use crate::object::link_record::LinkRecord;
use crate::object::outline::Outline;

/// What a store has under a digest, without the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Only the digest.
    Known,
    /// A body with this checksum.
    Present(Checksum),
}

/// The members of a store in ascending order of their keys.
pub type Members<'v, T> = Box<dyn Iterator<Item = Result<T, StoreError>> + 'v>;

/// What there is under each of many digests, or what is wrong with it.
pub type Entries = Vec<Result<Option<Entry>, StoreError>>;

/// What is done with entries that were read.
pub type Take<'t> = dyn FnMut(Haul) -> Result<(), StoreError> + 't;

/// The compilation of each of many ids, or what is wrong with it.
pub type Compilations = Vec<Result<Option<Compilation>, StoreError>>;

/// The same without line tables.
pub type Outlines = Vec<Result<Option<Outline>, StoreError>>;

/// The same as it is passed on.
pub type Records = Vec<Result<Option<CompilationRecord>, StoreError>>;

/// A consistent view of a store: no change of another process is seen in the middle of it.
pub trait View {
    /// What is stored under a digest, if anything.
    fn state(&self, digest: &FragmentDigest) -> Result<Option<State>, StoreError>;

    /// The entry under a digest. A body is held against its checksum.
    fn fragment(&self, digest: &FragmentDigest) -> Result<Option<Entry>, StoreError>;

    /// What is stored under each of many digests, at one question. Ascending digests are found fastest.
    fn states(&self, digests: &[FragmentDigest]) -> Result<Vec<Option<State>>, StoreError> {
        digests.iter().map(|digest| self.state(digest)).collect()
    }

    /// The entries under many digests, each held against its checksum. Ascending digests are found fastest.
    fn entries(&self, digests: &[FragmentDigest]) -> Result<Entries, StoreError> {
        Ok(digests.iter().map(|digest| self.fragment(digest)).collect())
    }

    /// Gives the entries under many digests to `take`, many at a time, each with its place among the digests. The
    /// store gives first what it reads first; whoever takes a haul holds its bodies against their checksums, on the
    /// thread of their choice. Nothing more is read when `take` fails.
    fn for_entries(&self, digests: &[FragmentDigest], take: &mut Take<'_>) -> Result<(), StoreError> {
        let mut haul = Haul::default();
        for (at, digest) in digests.iter().enumerate() {
            haul.add(at, self.fragment(digest), digest);
            if haul.is_full() || at + 1 == digests.len() {
                take(mem::take(&mut haul))?;
            }
        }
        Ok(())
    }

    /// Whether there is a compilation of this id; it is not looked at.
    fn has_compilation(&self, id: &CompilationId) -> Result<bool, StoreError>;

    /// Whether there is a compilation of each id. Ascending ids are found fastest.
    fn have_compilations(&self, ids: &[CompilationId]) -> Result<Vec<bool>, StoreError> {
        ids.iter().map(|id| self.has_compilation(id)).collect()
    }

    /// Whether there is a compilation of this id with all that it names. What names something is published after it, so
    /// that the one tells the other; a store that a person may have edited looks at each.
    fn has_whole(&self, id: &CompilationId) -> Result<bool, StoreError> {
        self.has_compilation(id)
    }

    /// The compilation of this id, held against it.
    fn compilation(&self, id: &CompilationId) -> Result<Option<Compilation>, StoreError>;

    /// All digests with what is stored under them, in runs as the store reads them: for who wants them fast.
    fn fragment_runs(&self) -> Members<'_, Vec<Member>>;

    /// All digests with what is stored under them.
    fn fragments(&self) -> Members<'_, Member> {
        Box::new(self.fragment_runs().flat_map(|run| {
            let (run, error) = run.map_or_else(|error| (Vec::new(), Some(error)), |run| (run, None));
            run.into_iter().map(Ok).chain(error.map(Err))
        }))
    }

    /// Like [`Self::for_entries`], for members of this view, which need not be looked for again.
    fn for_members(&self, members: &[Member], take: &mut Take<'_>) -> Result<(), StoreError> {
        self.for_entries(&members.iter().map(|member| member.digest).collect::<Vec<_>>(), take)
    }

    /// Like [`Self::for_entries`], for those of many digests whose indices are `wanted`, in ascending order. Who comes again
    /// for others of the same digests brings what was found of them by then. An entry's place is the one in `wanted`.
    fn for_some(
        &self,
        all: &[FragmentDigest],
        wanted: &[usize],
        _: &mut Places,
        take: &mut Take<'_>,
    ) -> Result<(), StoreError> {
        self.for_entries(&wanted.iter().map(|at| all[*at]).collect::<Vec<_>>(), take)
    }

    /// The compilations of many ids, each held against its id.
    fn find_compilations(&self, ids: &[CompilationId]) -> Result<Compilations, StoreError> {
        Ok(ids.iter().map(|id| self.compilation(id)).collect())
    }

    /// The outlines of the compilations of many ids, each held against its id.
    fn outlines(&self, ids: &[CompilationId]) -> Result<Outlines, StoreError> {
        let outline = |compilation: Option<Compilation>| compilation.as_ref().map(Outline::of);
        Ok(self.find_compilations(ids)?.into_iter().map(|found| found.map(outline)).collect())
    }

    /// The compilations of many ids, each held against its id, as they are passed on.
    fn records(&self, ids: &[CompilationId]) -> Result<Records, StoreError> {
        let record = |compilation: Option<Compilation>| compilation.as_ref().map(CompilationRecord::of);
        Ok(self.find_compilations(ids)?.into_iter().map(|found| found.map(record)).collect())
    }

    /// The ids of all compilations.
    fn compilations(&self) -> Members<'_, CompilationId>;

    /// All link records.
    fn links(&self) -> Members<'_, LinkRecord>;

    /// Another view of the same state, for another thread as long as this one lives; none where there can be none.
    fn twin(&self) -> Option<Twin> {
        None
    }
}

/// A view for another thread.
pub type Twin = Box<dyn View + Send>;

impl dyn View + '_ {
    /// A twin for who has much to do, where there may be another thread.
    pub fn twin_for(&self, is_much: bool) -> Option<Twin> {
        if is_much && rayon::current_num_threads() > 1 { self.twin() } else { None }
    }
}

/// A view that can be changed. Changes are seen at once through the same batch.
pub trait Batch: View {
    /// Puts an entry under a digest in place of what is there.
    fn put_fragment(&mut self, digest: FragmentDigest, entry: &Entry) -> Result<(), StoreError>;

    /// Puts many entries, best in ascending order.
    fn put_fragments(&mut self, all: &[(FragmentDigest, &Entry)]) -> Result<(), StoreError> {
        all.iter().try_for_each(|(digest, entry)| self.put_fragment(*digest, entry))
    }

    /// Puts the bodies of members of a view, which are in ascending order. What is damaged is an error. `are_new` says that
    /// nothing is under any of their digests.
    fn copy_bodies(
        &mut self,
        members: Vec<Member>,
        from: &dyn View,
        _are_new: bool,
    ) -> Result<(), StoreError> {
        haul::for_held(from, &members, |held| {
            held.bodies().try_for_each(|(at, body, _)| {
                self.put_fragment(members[at].digest, &Entry::Present(Body::new(body)))
            })
        })
    }

    /// Removes what is under a digest.
    fn remove_fragment(&mut self, digest: &FragmentDigest) -> Result<(), StoreError>;

    /// Puts a compilation under its id.
    fn put_compilation(&mut self, id: CompilationId, compilation: &Compilation) -> Result<(), StoreError>;

    /// Puts a compilation under its id as it is passed on.
    fn put_record(&mut self, record: &CompilationRecord) -> Result<(), StoreError> {
        self.put_compilation(*record.id(), &record.compilation()?)
    }

    /// Removes a compilation.
    fn remove_compilation(&mut self, id: &CompilationId) -> Result<(), StoreError>;

    /// Puts a link record under its build in place of what is there.
    fn put_link(&mut self, record: LinkRecord) -> Result<(), StoreError>;

    /// Removes the link record of a build.
    fn remove_link(&mut self, build: &BuildId) -> Result<(), StoreError>;

    /// Removes everything.
    fn clear(&mut self) -> Result<(), StoreError>;
}

/// What a missing file means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The caller wanted a repository that exists.
    IsAnError,
    /// The repository is empty, and is made by the first change.
    IsEmpty,
}

/// What is to become of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Publish all of it.
    Commit,
    /// Forget all of it.
    Abort,
}

/// A place where a repository is kept. Any number of threads and processes may use one at once.
///
/// A thread that holds a view must drop it before it writes: a store may have its writers wait for readers.
pub trait Backend: Send + Sync {
    /// How messages call this store: its path, for one that has a path.
    fn origin(&self) -> &str;

    /// A view of the last published state.
    fn read(&self) -> Result<Arc<dyn View + '_>, StoreError>;

    /// Whether it is certain, without a look at what is stored, that nobody changed the store since this value was
    /// made. No view may be alive.
    fn is_unchanged(&self) -> bool {
        false
    }

    /// Waits for its turn, runs `change` on the last published state, and publishes what it did if it says so.
    /// Whatever happens in between, other processes and later ones see the old state or the new one.
    fn write(&self, change: &mut Change<'_>) -> Result<(), StoreError>;

    /// Like [`write`](Self::write), but starts from nothing: what was there goes, damaged or not.
    fn replace(&self, change: &mut Change<'_>) -> Result<(), StoreError>;

    /// Like [`read`](Self::read), but passes over what is damaged in the store's own structure and tells of it.
    fn examine(&self) -> Result<(Arc<dyn View + '_>, Vec<Damage>), StoreError>;

    /// Like [`write`](Self::write), but starts from what [`examine`](Self::examine) could read.
    fn repair(&self, change: &mut Change<'_>) -> Result<(), StoreError>;
}

/// A change that a backend is to run, once, on a batch of its own.
pub type Change<'c> = dyn FnMut(&mut dyn Batch) -> Decision + 'c;

/// One place where a store is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The line of the file, from 1, for a store that has lines.
    pub line: Option<usize>,
    /// What is wrong there.
    pub message: String,
}
