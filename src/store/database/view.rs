//! A database as a view: one state of it, as long as the transaction lasts.

use std::mem;
use std::ops::Range;

use super::bucket::{Location, Slot, Table};
use super::connection::Connection;
use super::reader::{compilation, state};
use super::rows::Rows;
use crate::digest::{BuildId, CompilationId, Digest, FragmentDigest};
use crate::object::compilation::Compilation;
use crate::object::link_record::LinkRecord;
use crate::store::backend::{Compilations, Entries, Members, Outlines, Records, State, Take, View};
use crate::store::error::StoreError;
use crate::store::haul::Haul;
use crate::store::places::Places;
use crate::store::repository::Entry;
use crate::store::wire::record::CompilationRecord;

/// A connection whose transaction has begun.
impl View for Connection {
    fn state(&self, digest: &FragmentDigest) -> Result<Option<State>, StoreError> {
        Ok(self.slot(Table::Fragments, digest.digest())?.map(state))
    }

    fn states(&self, digests: &[FragmentDigest]) -> Result<Vec<Option<State>>, StoreError> {
        let slots = self.slots(Table::Fragments, digests.iter().map(FragmentDigest::digest))?;
        Ok(slots.into_iter().map(|slot| slot.map(state)).collect())
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
        self.haul(0..digests.len(), |at| &digests[at], |at| slots[at], take)
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
            let digest = |at: usize| &all[wanted[at]];
            let start = number * TOGETHER;
            self.haul(start..start + part.len(), digest, |at| places.get(wanted[at]), take)?;
        }
        Ok(())
    }

    fn has_compilation(&self, id: &CompilationId) -> Result<bool, StoreError> {
        Ok(self.slot(Table::Compilations, id.digest())?.is_some())
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

    fn fragments(&self) -> Members<'_, (FragmentDigest, State)> {
        let typed = |(digest, slot)| (FragmentDigest::new(digest), state(slot));
        Box::new(self.members(Table::Fragments).map(move |member| member.map(typed)))
    }

    fn compilations(&self) -> Members<'_, CompilationId> {
        let typed = |(digest, _): (Digest, _)| CompilationId::new(digest);
        Box::new(self.members(Table::Compilations).map(move |member| member.map(typed)))
    }

    fn links(&self) -> Members<'_, LinkRecord> {
        let read = |(digest, slot)| self.link_at(BuildId::new(digest), slot);
        Box::new(self.members(Table::Links).map(move |member| member.and_then(read)))
    }
}

impl Connection {
    /// Reads what slots stand for as it lies in the heap, so that each of its rows is opened once.
    fn haul<'d>(
        &self,
        wanted: Range<usize>,
        digest: impl Fn(usize) -> &'d FragmentDigest,
        slot: impl Fn(usize) -> Option<Slot>,
        take: &mut Take<'_>,
    ) -> Result<(), StoreError> {
        self.map()?;
        let mut order = wanted.map(|at| (place(slot(at)), at)).collect::<Vec<_>>();
        order.sort_unstable();
        let (mut rows, mut haul) = (Rows::of(self), Haul::with_room());
        let is_one_row = |a: &Option<(u32, u32)>, b: &Option<(u32, u32)>| matches!((a, b), (Some((a, _)), Some((b, _))) if a == b);
        for row in order.chunk_by(|(a, _), (b, _)| is_one_row(a, b)) {
            let stored = |(_, at): &(_, usize)| match slot(*at) {
                Some(Slot::Stored(location)) => Some((*at, *digest(*at), location)),
                Some(Slot::Known) | None => None,
            };
            if read_at_once(&mut rows, &row.iter().filter_map(stored).collect::<Vec<_>>(), &mut haul) {
                if haul.is_full() {
                    take(mem::replace(&mut haul, Haul::with_room()))?;
                }
                continue;
            }
            for (_, at) in row {
                let (at, digest) = (*at, digest(*at));
                match slot(at) {
                    None => haul.add(at, Ok(None), digest),
                    Some(Slot::Known) => haul.add(at, Ok(Some(Entry::Known)), digest),
                    Some(Slot::Stored(location)) => haul.read(at, digest, location.checksum, |bytes| {
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

/// Where in the heap something is, if it is there.
fn place(slot: Option<Slot>) -> Option<(u32, u32)> {
    match slot {
        Some(Slot::Stored(location)) => Some((location.row, location.offset)),
        Some(Slot::Known) | None => None,
    }
}
