//! A database as a view: one state of it, as long as the transaction lasts.

use std::mem;
use std::ops::Range;

use super::bucket::Table;
use super::connection::Connection;
use super::reader::compilation;
use super::rows::Rows;
use crate::digest::{BuildId, CompilationId, Digest, FragmentDigest};
use crate::object::compilation::Compilation;
use crate::object::link_record::LinkRecord;
use crate::store::backend::{Compilations, Entries, Members, Outlines, Records, State, Take, Twin, View};
use crate::store::error::StoreError;
use crate::store::haul::Haul;
use crate::store::places::{Location, Member, Places, Slot};
use crate::store::repository::Entry;
use crate::store::wire::record::CompilationRecord;

/// A connection whose transaction has begun.
impl View for Connection {
    fn state(&self, digest: &FragmentDigest) -> Result<Option<State>, StoreError> {
        Ok(self.slot(Table::Fragments, digest.digest())?.map(|slot| slot.state()))
    }

    fn states(&self, digests: &[FragmentDigest]) -> Result<Vec<Option<State>>, StoreError> {
        let slots = self.slots(Table::Fragments, digests.iter().map(FragmentDigest::digest))?;
        Ok(slots.into_iter().map(|slot| slot.map(|slot| slot.state())).collect())
    }

    fn fragment(&self, digest: &FragmentDigest) -> Result<Option<Entry>, StoreError> {
        self.slot(Table::Fragments, digest.digest())?.map(|slot| self.entry_at(digest, slot)).transpose()
    }

    fn entries(&self, digests: &[FragmentDigest]) -> Result<Entries, StoreError> {
        let slots = self.slots(Table::Fragments, digests.iter().map(FragmentDigest::digest))?;
        Ok(self.entries_at(digests, &slots))
    }

    fn for_entries(&self, digests: &[FragmentDigest], take: &mut Take<'_>) -> Result<(), StoreError> {
        let slots = self.slots(Table::Fragments, digests.iter().map(FragmentDigest::digest))?;
        self.haul(0..digests.len(), |at| (digests[at], slots[at]), take)
    }

    fn for_some(
        &self,
        all: &[FragmentDigest],
        wanted: &[usize],
        places: &mut Places,
        take: &mut Take<'_>,
    ) -> Result<(), StoreError> {
        // While it is looked for some, those before them are looked at.
        for (part, number) in wanted.chunks(TOGETHER).zip(0..) {
            places.find(all, part, |digests| {
                self.slots(Table::Fragments, digests.iter().map(FragmentDigest::digest))
            })?;
            let start = number * TOGETHER;
            let of = |at: usize| (all[wanted[at]], places.get(wanted[at]));
            self.haul(start..start + part.len(), of, take)?;
        }
        Ok(())
    }

    fn has_compilation(&self, id: &CompilationId) -> Result<bool, StoreError> {
        Ok(self.slot(Table::Compilations, id.digest())?.is_some())
    }

    fn have_compilations(&self, ids: &[CompilationId]) -> Result<Vec<bool>, StoreError> {
        let slots = self.slots(Table::Compilations, ids.iter().map(CompilationId::digest))?;
        Ok(slots.iter().map(Option::is_some).collect())
    }

    fn compilation(&self, id: &CompilationId) -> Result<Option<Compilation>, StoreError> {
        let slot = self.slot(Table::Compilations, id.digest())?;
        slot.map(|slot| self.compilation_at(id, slot)).transpose()
    }

    fn find_compilations(&self, ids: &[CompilationId]) -> Result<Compilations, StoreError> {
        let slots = self.slots(Table::Compilations, ids.iter().map(CompilationId::digest))?;
        Ok(self.records_at(ids, &slots, compilation))
    }

    fn outlines(&self, ids: &[CompilationId]) -> Result<Outlines, StoreError> {
        let slots = self.slots(Table::Compilations, ids.iter().map(CompilationId::digest))?;
        self.outlines_at(ids, &slots)
    }

    fn records(&self, ids: &[CompilationId]) -> Result<Records, StoreError> {
        let slots = self.slots(Table::Compilations, ids.iter().map(CompilationId::digest))?;
        Ok(self.records_at(ids, &slots, CompilationRecord::held))
    }

    fn fragment_runs(&self) -> Members<'_, Vec<Member>> {
        let typed = |(digest, slot)| Member { digest: FragmentDigest::new(digest), slot };
        Box::new(
            self.runs(Table::Fragments).map(move |run| run.map(|run| run.into_iter().map(typed).collect())),
        )
    }

    fn for_members(&self, members: &[Member], take: &mut Take<'_>) -> Result<(), StoreError> {
        self.haul(0..members.len(), |at| (members[at].digest, Some(members[at].slot)), take)
    }

    fn compilations(&self) -> Members<'_, CompilationId> {
        let typed = |(digest, _): (Digest, _)| CompilationId::new(digest);
        Box::new(self.members(Table::Compilations).map(move |member| member.map(typed)))
    }

    fn links(&self) -> Members<'_, LinkRecord> {
        let read = |(digest, slot)| self.link_at(BuildId::new(digest), slot);
        Box::new(self.members(Table::Links).map(move |member| member.and_then(read)))
    }

    fn twin(&self) -> Option<Twin> {
        Some(Box::new(self.again().ok()??))
    }
}

impl Connection {
    /// Reads what slots stand for as it lies in the heap, so that each of its rows is opened once. `wanted` tells the
    /// digest of each, and its slot.
    fn haul(
        &self,
        range: Range<usize>,
        wanted: impl Fn(usize) -> (FragmentDigest, Option<Slot>),
        take: &mut Take<'_>,
    ) -> Result<(), StoreError> {
        self.map()?;
        // What is not in the heap comes first.
        let place = |at: u32| match wanted(at as usize).1 {
            Some(Slot::Stored(Location { row, offset, .. })) => (row, offset, at),
            Some(Slot::Known) | None => (0, 0, at),
        };
        let mut order = range.map(|at| place(at as u32)).collect::<Vec<_>>();
        order.sort_unstable();
        let (mut rows, mut haul) = (Rows::of(self), Haul::with_room());
        for row in order.chunk_by(|(a, ..), (b, ..)| a == b) {
            let stored = |(.., at): &(_, _, u32)| match wanted(*at as usize) {
                (digest, Some(Slot::Stored(location))) => Some((*at as usize, digest, location)),
                (_, Some(Slot::Known) | None) => None,
            };
            let all = row.iter().filter_map(stored).collect::<Vec<_>>();
            if all.len() == row.len() && read_at_once(&mut rows, &all, &mut haul) {
                if haul.is_full() {
                    take(mem::replace(&mut haul, Haul::with_room()))?;
                }
                continue;
            }
            for (.., at) in row {
                let at = *at as usize;
                let (digest, slot) = wanted(at);
                match slot {
                    None => haul.add(at, Ok(None), &digest),
                    Some(Slot::Known) => haul.add(at, Ok(Some(Entry::Known)), &digest),
                    Some(Slot::Stored(location)) => haul.read(at, &digest, location.checksum, |bytes| {
                        rows.read(location.row, location.range(), bytes)
                    }),
                }
                // A hostile index may name one large row many times.
                if haul.is_full() {
                    take(mem::replace(&mut haul, Haul::with_room()))?;
                }
            }
        }
        if haul.is_empty() { Ok(()) } else { take(haul) }
    }
}

/// So many fragments are looked for at once.
const TOGETHER: usize = 1024;

/// So many bytes of a row are read at once at most: no row that `toy` writes has more, unless it is a single body.
const AT_ONCE: usize = 1 << 16;

/// Adds what is wanted of one row with one look at it, if that is most of what lies there. Says whether it did.
fn read_at_once(rows: &mut Rows<'_>, wanted: &[(usize, FragmentDigest, Location)], haul: &mut Haul) -> bool {
    let [(_, _, first), .., (_, _, last)] = wanted else { return false };
    let (row, whole) = (first.row, first.range().start..last.range().end);
    let bytes = wanted.iter().map(|(_, _, location)| location.length as usize).sum::<usize>();
    if whole.len() > AT_ONCE || bytes < whole.len() / 2 || bytes > 2 * whole.len() {
        return false;
    }
    let place = |(at, digest, location): &(usize, FragmentDigest, Location)| {
        let Range { start, end } = location.range();
        (*at, *digest, start - whole.start..end - whole.start, location.checksum)
    };
    // What is wrong may be wrong with one of them: then each is read alone.
    haul.read_all(wanted.iter().map(place), |into| rows.read(row, whole.clone(), into)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use crate::digest::Hasher;
    use crate::store::backend::{Missing, View};
    use crate::store::database::DatabaseBackend;
    use crate::store::{Entry, Repository, StoreError};

    use super::FragmentDigest;

    fn digests(view: &dyn View) -> Vec<FragmentDigest> {
        view.fragments().map(|member| member.unwrap().digest).collect()
    }

    #[test]
    fn a_twin_sees_the_same_state() {
        let directory = tempfile::tempdir().unwrap();
        let open =
            || Repository::new(DatabaseBackend::new(&directory.path().join("repo.tdb"), Missing::IsEmpty));
        let add = |numbers: std::ops::Range<u32>| {
            open().write(|transaction| {
                // Of a repository that is being made there is no twin either.
                let before = transaction.view().twin().map(|twin| digests(&*twin));
                assert_eq!(before, (numbers.start > 0).then(|| digests(transaction.view())));
                for number in numbers {
                    let digest = FragmentDigest::new(Hasher::new("fragment", number).finish());
                    transaction.add_fragment(digest, &Entry::Known)?;
                    assert!(transaction.view().twin().is_none(), "nobody else sees a change");
                }
                Ok(())
            })
        };
        (0..3)
            .try_for_each(|turn| add(turn * 10..turn * 10 + 10))
            .map_err(|error: StoreError| error)
            .unwrap();
        let repository = open();
        let view = repository.read().unwrap();
        let twin = view.twin().unwrap();
        assert_eq!(thread::spawn(move || digests(&*twin)).join().unwrap(), digests(&*view));
        assert_eq!(digests(&*view).len(), 30);
    }
}
