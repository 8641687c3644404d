//! A database as a view: one state of it, as long as the transaction lasts.

use std::mem;

use super::bucket::{Slot, Table};
use super::connection::Connection;
use super::reader::{compilation, state};
use super::rows::Rows;
use crate::digest::{BuildId, CompilationId, Digest, FragmentDigest};
use crate::object::compilation::Compilation;
use crate::object::link_record::LinkRecord;
use crate::store::backend::{Compilations, Entries, Members, Records, State, Take, View};
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
        self.haul(digests, &slots, take)
    }

    fn for_some(
        &self,
        all: &[FragmentDigest],
        wanted: &[usize],
        places: &mut Places,
        take: &mut Take<'_>,
    ) -> Result<(), StoreError> {
        places.find(all, wanted, |digests| {
            self.slots(Table::Fragments, digests.iter().map(FragmentDigest::digest))
        })?;
        let digests = wanted.iter().map(|at| all[*at]).collect::<Vec<_>>();
        let slots = wanted.iter().map(|at| places.get(*at)).collect::<Vec<_>>();
        self.haul(&digests, &slots, take)
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
    fn haul(
        &self,
        digests: &[FragmentDigest],
        slots: &[Option<Slot>],
        take: &mut Take<'_>,
    ) -> Result<(), StoreError> {
        self.map()?;
        let mut order = slots.iter().map(place).zip(0..).collect::<Vec<(_, usize)>>();
        order.sort_unstable();
        let (mut rows, mut haul) = (Rows::of(self), Haul::with_room());
        for (_, at) in order {
            match slots[at] {
                None => haul.add(at, Ok(None), &digests[at]),
                Some(Slot::Known) => haul.add(at, Ok(Some(Entry::Known)), &digests[at]),
                Some(Slot::Stored(location)) => {
                    haul.read(at, &digests[at], location.checksum, |bytes| rows.read(&location, bytes));
                }
            }
            if haul.is_full() {
                take(mem::replace(&mut haul, Haul::with_room()))?;
            }
        }
        if haul.is_empty() { Ok(()) } else { take(haul) }
    }
}

/// Where in the heap something is, if it is there.
fn place(slot: &Option<Slot>) -> Option<(u32, u32)> {
    match slot {
        Some(Slot::Stored(location)) => Some((location.row, location.offset)),
        Some(Slot::Known) | None => None,
    }
}
