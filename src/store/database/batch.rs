//! A change of a database: what is put is collected, and goes into the tables sorted, bucket by bucket.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use super::bucket::Table;
use super::connection::Connection;
use super::heap::Heap;
use super::level::{self, Change, Freed};
use crate::digest::{BuildId, CompilationId, Digest, FragmentDigest};
use crate::object::compilation::Compilation;
use crate::object::fragment::Body;
use crate::object::link_record::LinkRecord;
use crate::store::backend::{Batch, Compilations, Entries, Members, State, Twin, View};
use crate::store::error::StoreError;
use crate::store::haul;
use crate::store::places::{Location, Member, Slot};
use crate::store::repository::Entry;
use crate::store::wire::record::{self, CompilationRecord};

/// A change inside a transaction for writing.
pub(super) struct DatabaseBatch<'c> {
    connection: &'c Connection,
    pending: RefCell<Pending>,
    /// Whether the database was empty, or was made so: then what is new may all go where it is to stay.
    is_fresh: bool,
    /// Behind which digest no fragment can be, as far as that is known: new ones often come in ascending order.
    end: Cell<End>,
}

/// What is known of the greatest fragment of a database.
#[derive(Clone, Copy)]
enum End {
    /// Nothing.
    Unknown,
    /// There is no greater one than this; `None` when there is none at all.
    At(Option<FragmentDigest>),
}

/// What is to go into a table under a digest.
enum New {
    Known,
    Record(Body),
}

/// What was put and is in no table yet.
#[derive(Default)]
struct Pending {
    /// By table and digest; `None` removes.
    tables: [BTreeMap<Digest, Option<New>>; 3],
    /// About how much memory it takes.
    bytes: usize,
    /// What nothing refers to any more in the heap.
    freed: Freed,
}

/// So much is collected before it goes into the tables.
const MOST: usize = 16 << 20;

/// So many sorted entries go into the tables at once, and are not collected first.
const MANY: usize = 1000;

impl<'c> DatabaseBatch<'c> {
    /// A change on a connection whose transaction for writing has begun.
    pub(super) fn new(connection: &'c Connection) -> Self {
        let is_fresh = connection.is_new();
        let end = if is_fresh { End::At(None) } else { End::Unknown };
        Self { connection, pending: RefCell::default(), is_fresh, end: Cell::new(end) }
    }

    /// Brings everything into the tables, and gives back the room of what was removed.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        self.flush()?;
        let mut has_room = self.is_fresh && !self.connection.is_new();
        for table in Table::OLD {
            has_room |= level::grow_up(self.connection, table)?;
        }
        let freed = self.pending.into_inner().freed;
        if !freed.is_empty() {
            compact(self.connection, &freed)?;
        }
        if has_room || !freed.is_empty() { self.connection.shrink() } else { Ok(()) }
    }

    /// Whether a fragment would be behind all that there are.
    fn is_behind(&self, digest: &FragmentDigest) -> bool {
        matches!(self.end.get(), End::At(end) if end.is_none_or(|end| *digest > end))
    }

    /// Notes fragments that are put.
    fn reach(&self, greatest: Option<FragmentDigest>) {
        if let End::At(end) = self.end.get() {
            self.end.set(End::At(end.max(greatest)));
        }
    }

    fn put(&self, table: Table, digest: Digest, new: Option<New>) -> Result<(), StoreError> {
        let mut pending = self.pending.borrow_mut();
        pending.bytes += 128 + if let Some(New::Record(body)) = &new { body.bytes().len() } else { 0 };
        pending.tables[table as usize].insert(digest, new);
        let is_much = pending.bytes > MOST;
        drop(pending);
        if is_much { self.flush() } else { Ok(()) }
    }

    /// Sorts what was collected into the tables.
    fn flush(&self) -> Result<(), StoreError> {
        let mut pending = self.pending.borrow_mut();
        let tables = mem::take(&mut pending.tables);
        pending.bytes = 0;
        let mut heap = Heap::open(self.connection)?;
        for (table, changes) in Table::OLD.into_iter().zip(tables) {
            let mut slot = |new| match new {
                New::Known => Ok(Slot::Known),
                New::Record(body) => heap.append(&body).map(Slot::Stored),
            };
            let changes = changes
                .into_iter()
                .map(|(digest, new)| Ok((digest, new.map(&mut slot).transpose()?)))
                .collect::<Result<Vec<_>, StoreError>>()?;
            self.apply(table, &changes, &mut pending.freed)?;
        }
        heap.close()
    }

    /// Puts changes into a table. What nothing refers to any more is noted in `freed`.
    fn apply(&self, table: Table, changes: &[impl Change], freed: &mut Freed) -> Result<(), StoreError> {
        if self.is_fresh {
            return level::sort_in(self.connection, table, changes, freed);
        }
        level::apply(self.connection, table, changes, freed)
    }

    /// What is pending for a digest: nothing, its removal, or something new.
    fn look<T>(&self, table: Table, digest: &Digest, found: impl FnOnce(Option<&New>) -> T) -> Option<T> {
        let pending = self.pending.borrow();
        pending.tables[table as usize].get(digest).map(|new| found(new.as_ref()))
    }

    /// The tables with everything in them.
    fn whole(&self) -> Result<&'c Connection, StoreError> {
        if self.pending.borrow().bytes > 0 {
            self.flush()?;
        }
        Ok(self.connection)
    }

    /// All of a table, or why it cannot be read.
    fn members<'s, T: 's>(
        &'s self,
        members: impl FnOnce(&'c Connection) -> Members<'c, T>,
    ) -> Members<'s, T> {
        match self.whole() {
            Ok(connection) => members(connection),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }
}

/// Removes rows of the heap in which something was freed, after moving out of them what is still needed, and gives free
/// pages back to the system. Who refers to a row is not known but by looking at all: a row that is free as a whole, as that of
/// a single link record is, spares that.
fn compact(connection: &Connection, freed: &Freed) -> Result<(), StoreError> {
    let mut torn = BTreeSet::new();
    for (row, bytes) in freed {
        // More than there is cannot have been in it: then it is not known what was.
        if u64::from(connection.row_length(*row)?) != *bytes {
            torn.insert(*row);
        }
    }
    if !torn.is_empty() {
        let mut heap = Heap::open(connection)?;
        for table in connection.tables() {
            let mut next = Some(0);
            while let Some(at) = next {
                let (first, mut entries, last) = connection.entries_around(table, at)?;
                if move_out(connection, &torn, &mut entries, &mut heap)? {
                    level::write(connection, table, first, last, &entries)?;
                }
                next = last.checked_add(1);
            }
        }
        heap.close()?;
    }
    connection.remove_rows(freed.keys())
}

/// Moves the records of a bucket that lie in torn rows; says whether there were any.
fn move_out(
    connection: &Connection,
    torn: &BTreeSet<u32>,
    entries: &mut [(Digest, Slot)],
    heap: &mut Heap<'_>,
) -> Result<bool, StoreError> {
    let stay = entries.iter_mut().filter_map(|(_, slot)| match slot {
        Slot::Stored(location) if torn.contains(&location.row) => Some(location),
        Slot::Stored(_) | Slot::Known => None,
    });
    let mut moved = stay.collect::<Vec<_>>();
    let locations = moved.iter().map(|location| **location).collect::<Vec<Location>>();
    for (location, bytes) in moved.iter_mut().zip(connection.bytes(&locations)?) {
        // What is damaged stays damaged: its checksum goes with it, and what is nowhere stays nowhere.
        if let Some(bytes) = bytes {
            **location = heap.append_bytes(&bytes, location.checksum)?;
        }
    }
    Ok(!moved.is_empty())
}

impl New {
    fn from_entry(entry: &Entry) -> Self {
        match entry {
            Entry::Known => Self::Known,
            Entry::Present(body) => Self::Record(body.clone()),
        }
    }

    fn state(&self) -> State {
        match self {
            Self::Known => State::Known,
            Self::Record(body) => State::Present(body.checksum()),
        }
    }

    fn entry(&self) -> Entry {
        match self {
            Self::Known => Entry::Known,
            Self::Record(body) => Entry::Present(body.clone()),
        }
    }
}

impl View for DatabaseBatch<'_> {
    fn state(&self, digest: &FragmentDigest) -> Result<Option<State>, StoreError> {
        let pending = self.look(Table::Fragments, digest.digest(), |new| new.map(New::state));
        pending.map_or_else(|| self.connection.state(digest), Ok)
    }

    fn states(&self, digests: &[FragmentDigest]) -> Result<Vec<Option<State>>, StoreError> {
        if digests.iter().all(|digest| self.is_behind(digest)) {
            return Ok(vec![None; digests.len()]);
        }
        if self.pending.borrow().bytes == 0 {
            return self.connection.states(digests);
        }
        let pending =
            |digest: &FragmentDigest| self.look(Table::Fragments, digest.digest(), |new| new.map(New::state));
        let mut states = digests.iter().map(pending).collect::<Vec<_>>();
        let unknown = digests.iter().zip(&states).filter(|(_, state)| state.is_none());
        let unknown = unknown.map(|(digest, _)| *digest).collect::<Vec<_>>();
        let mut stored = self.connection.states(&unknown)?.into_iter();
        states.iter_mut().filter(|state| state.is_none()).for_each(|state| *state = stored.next());
        Ok(states.into_iter().map(Option::flatten).collect())
    }

    fn fragment(&self, digest: &FragmentDigest) -> Result<Option<Entry>, StoreError> {
        let pending = self.look(Table::Fragments, digest.digest(), |new| new.map(New::entry));
        pending.map_or_else(|| self.connection.fragment(digest), Ok)
    }

    fn entries(&self, digests: &[FragmentDigest]) -> Result<Entries, StoreError> {
        self.whole()?.entries(digests)
    }

    fn has_compilation(&self, id: &CompilationId) -> Result<bool, StoreError> {
        let pending = self.look(Table::Compilations, id.digest(), |new| new.is_some());
        pending.map_or_else(|| self.connection.has_compilation(id), Ok)
    }

    fn have_compilations(&self, ids: &[CompilationId]) -> Result<Vec<bool>, StoreError> {
        let is_there = |id: &CompilationId| self.look(Table::Compilations, id.digest(), |new| new.is_some());
        let pending = ids.iter().map(is_there).collect::<Vec<_>>();
        let unknown = ids.iter().zip(&pending).filter(|(_, is_there)| is_there.is_none());
        let unknown = unknown.map(|(id, _)| *id).collect::<Vec<_>>();
        let mut stored = self.connection.have_compilations(&unknown)?.into_iter();
        Ok(pending.into_iter().map(|is_there| is_there.or_else(|| stored.next()) == Some(true)).collect())
    }

    fn compilation(&self, id: &CompilationId) -> Result<Option<Compilation>, StoreError> {
        self.whole()?.compilation(id)
    }

    fn find_compilations(&self, ids: &[CompilationId]) -> Result<Compilations, StoreError> {
        self.whole()?.find_compilations(ids)
    }

    fn fragment_runs(&self) -> Members<'_, Vec<Member>> {
        self.members(|connection| connection.fragment_runs())
    }

    fn compilations(&self) -> Members<'_, CompilationId> {
        self.members(|connection| connection.compilations())
    }

    fn links(&self) -> Members<'_, LinkRecord> {
        self.members(|connection| connection.links())
    }

    fn twin(&self) -> Option<Twin> {
        // Nobody else sees a change before it is published.
        let is_unchanged = self.pending.borrow().bytes == 0 && !self.connection.is_changed();
        if is_unchanged { self.connection.twin() } else { None }
    }
}

impl Batch for DatabaseBatch<'_> {
    fn put_fragment(&mut self, digest: FragmentDigest, entry: &Entry) -> Result<(), StoreError> {
        self.reach(Some(digest));
        self.put(Table::Fragments, *digest.digest(), Some(New::from_entry(entry)))
    }

    fn put_fragments(&mut self, all: &[(FragmentDigest, &Entry)]) -> Result<(), StoreError> {
        let is_ascending = all.is_sorted_by(|(a, _), (b, _)| a < b);
        if !is_ascending || all.len() < MANY || self.pending.borrow().bytes > 0 {
            return all.iter().try_for_each(|(digest, entry)| self.put_fragment(*digest, entry));
        }
        self.reach(all.last().map(|(digest, _)| *digest));
        let mut heap = Heap::open(self.connection)?;
        let slot = |(digest, entry): &(FragmentDigest, &Entry)| {
            let slot = match entry {
                Entry::Known => Slot::Known,
                Entry::Present(body) => Slot::Stored(heap.append(body)?),
            };
            Ok((*digest.digest(), Some(slot)))
        };
        let changes = all.iter().map(slot).collect::<Result<Vec<_>, StoreError>>()?;
        heap.close()?;
        self.apply(Table::Fragments, &changes, &mut self.pending.borrow_mut().freed)
    }

    fn copy_bodies(
        &mut self,
        mut members: Vec<Member>,
        from: &dyn View,
        are_new: bool,
    ) -> Result<(), StoreError> {
        self.whole()?;
        self.reach(members.last().map(|member| member.digest));
        let mut heap = Heap::open(self.connection)?;
        // Row, offset and length; there is no row 0.
        let mut places = vec![[0; 3]; members.len()];
        haul::for_held(from, &members, |held| {
            held.bodies().try_for_each(|(at, body, checksum)| {
                let Location { row, offset, length, .. } = heap.append_bytes(body, checksum)?;
                places[at] = [row, offset, length];
                Ok(())
            })
        })?;
        heap.close()?;
        let mut places = places.into_iter();
        // What the view does not have after all is not put.
        members.retain_mut(|member| match (member.state(), places.next()) {
            (State::Present(checksum), Some([row, offset, length])) if row > 0 => {
                member.slot = Slot::Stored(Location { checksum, row, offset, length });
                true
            }
            _ => false,
        });
        if are_new && !self.is_fresh {
            return level::add(self.connection, Table::Fragments, &members);
        }
        self.apply(Table::Fragments, &members, &mut self.pending.borrow_mut().freed)
    }

    fn remove_fragment(&mut self, digest: &FragmentDigest) -> Result<(), StoreError> {
        self.put(Table::Fragments, *digest.digest(), None)
    }

    fn put_compilation(&mut self, _: CompilationId, compilation: &Compilation) -> Result<(), StoreError> {
        self.put_record(&CompilationRecord::of(compilation))
    }

    fn put_record(&mut self, record: &CompilationRecord) -> Result<(), StoreError> {
        self.put(Table::Compilations, *record.id().digest(), Some(New::Record(record.body().clone())))
    }

    fn remove_compilation(&mut self, id: &CompilationId) -> Result<(), StoreError> {
        self.put(Table::Compilations, *id.digest(), None)
    }

    fn put_link(&mut self, record: LinkRecord) -> Result<(), StoreError> {
        let body = Body::new(&record::link_to_bytes(&record));
        self.put(Table::Links, *record.build.digest(), Some(New::Record(body)))
    }

    fn remove_link(&mut self, build: &BuildId) -> Result<(), StoreError> {
        self.put(Table::Links, *build.digest(), None)
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        *self.pending.borrow_mut() = Pending::default();
        self.connection.clear()?;
        self.is_fresh = true;
        self.end.set(End::At(None));
        Ok(())
    }
}
