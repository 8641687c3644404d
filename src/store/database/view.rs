//! A database as a view: one state of it, as long as the transaction lasts.

use super::bucket::{Slot, Table};
use super::connection::Connection;
use super::reader::state;
use crate::digest::{BuildId, CompilationId, Digest, FragmentDigest};
use crate::object::compilation::Compilation;
use crate::object::link_record::LinkRecord;
use crate::store::backend::{Compilations, Entries, Members, State, TOGETHER, Take, View};
use crate::store::error::StoreError;
use crate::store::repository::Entry;

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
        // As they lie in the heap: each of its rows is read once.
        let mut order = (0..digests.len()).collect::<Vec<_>>();
        order.sort_unstable_by_key(|at| place(slots[*at]));
        for places in order.chunks(TOGETHER) {
            let digests = places.iter().map(|at| digests[*at]).collect::<Vec<_>>();
            let slots = places.iter().map(|at| slots[*at]).collect::<Vec<_>>();
            take(places.iter().copied().zip(self.entries_at(&digests, &slots)).collect());
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
        Ok(self.compilations_at(ids, &slots))
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

/// Where in the heap something is, if it is there.
fn place(slot: Option<Slot>) -> Option<(u32, u32)> {
    match slot {
        Some(Slot::Stored(location)) => Some((location.row, location.offset)),
        Some(Slot::Known) | None => None,
    }
}
