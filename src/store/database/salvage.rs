//! What can still be read of a damaged database, and where the damage is.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::bucket::{Bucket, Table};
use super::connection::{Connection, key, prefix_of};
use super::ruin::Ruin;
use crate::digest::{BuildId, CompilationId, Digest, FragmentDigest};
use crate::object::compilation::Compilation;
use crate::object::link_record::LinkRecord;
use crate::store::backend::{Batch, Damage, Members, State, View};
use crate::store::error::StoreError;
use crate::store::places::{Member, Slot};
use crate::store::repository::Entry;

/// The slots that could be read, by table, and what is wrong with the rest.
#[derive(Default)]
pub(super) struct Salvage {
    tables: [BTreeMap<Digest, Slot>; 3],
    pub(super) damage: Vec<Damage>,
}

/// A view of what can be read, on a connection whose transaction has begun.
pub(super) fn examine<'c>(connection: Connection) -> Result<(Arc<dyn View + 'c>, Vec<Damage>), StoreError> {
    let mut salvage = Salvage::of(&connection, None)?;
    let damage = mem::take(&mut salvage.damage);
    #[allow(clippy::arc_with_non_send_sync, reason = "a view stays on its thread")]
    let view: Arc<dyn View> = match damage[..] {
        [] => Arc::new(connection),
        _ => Arc::new(Salvaged { connection, salvage, _file: None }),
    };
    Ok((view, damage))
}

/// A view of what can be read of a database that cannot be opened.
pub(super) fn examine_ruin<'c>(ruin: Ruin) -> Result<(Arc<dyn View + 'c>, Vec<Damage>), StoreError> {
    let Ruin { connection, damage, file } = ruin;
    let mut salvage = Salvage::of(&connection, Some(damage))?;
    let damage = mem::take(&mut salvage.damage);
    #[allow(clippy::arc_with_non_send_sync, reason = "a view stays on its thread")]
    let view: Arc<dyn View> = Arc::new(Salvaged { connection, salvage, _file: Some(file) });
    Ok((view, damage))
}

impl Salvage {
    /// Looks at the structure of everything. What is intact is remembered only when something is not, be it what was
    /// found before.
    pub(super) fn of(connection: &Connection, found: Option<Damage>) -> Result<Self, StoreError> {
        connection.map()?;
        let mut damage = found.map_or_else(|| structure(connection), |found| vec![found]);
        for table in Table::OLD {
            // As many as there are levels: where one cannot be read to its end, the other can.
            let errors = connection.members(table).filter_map(Result::err).take(2);
            damage.extend(errors.map(|error| note(error.to_string())));
        }
        damage.extend(connection.links().filter_map(Result::err).map(|error| note(error.to_string())));
        let mut salvage = Self { damage, ..Self::default() };
        if !salvage.damage.is_empty() {
            for table in Table::OLD {
                connection.levels(table).for_each(|level| salvage.collect(connection, table, level));
            }
            let intact = |(digest, slot): (&Digest, &mut Slot)| {
                connection.link_at(BuildId::new(*digest), *slot).is_ok()
            };
            salvage.tables[Table::Links as usize].retain(|digest, slot| intact((digest, slot)));
        }
        Ok(salvage)
    }

    /// Takes every bucket that can be read of a table, or of the young one beside it.
    fn collect(&mut self, connection: &Connection, table: Table, level: Table) {
        let slots = &mut self.tables[table as usize];
        let mut at = Some(0);
        let mut step: u64 = 1 << 40;
        while let Some(from) = at {
            match following(connection, level, from, slots) {
                Ok(next) => {
                    step = 1 << 40;
                    at = next.and_then(|first| first.checked_add(1));
                }
                // A page that cannot be read: go on behind it, wherever that is.
                Err(_) => {
                    at = from.checked_add(step);
                    step = step.saturating_mul(2);
                }
            }
        }
    }

    /// Puts what is intact into a new database.
    pub(super) fn copy(&self, connection: &Connection, batch: &mut dyn Batch) -> Result<(), StoreError> {
        let [fragments, compilations, links] = &self.tables;
        for (digest, slot) in fragments {
            let digest = FragmentDigest::new(*digest);
            if let Ok(entry) = connection.entry_at(&digest, *slot) {
                batch.put_fragment(digest, &entry)?;
            }
        }
        for (digest, slot) in compilations {
            let id = CompilationId::new(*digest);
            if let Ok(compilation) = connection.compilation_at(&id, *slot) {
                batch.put_compilation(id, &compilation)?;
            }
        }
        for (digest, slot) in links {
            if let Ok(link) = connection.link_at(BuildId::new(*digest), *slot) {
                batch.put_link(link)?;
            }
        }
        Ok(())
    }
}

/// Reads the bucket that starts at a prefix or behind it; says where it starts. A bucket that is damaged is passed over.
fn following(
    connection: &Connection,
    table: Table,
    from: u64,
    slots: &mut BTreeMap<Digest, Slot>,
) -> Result<Option<u64>, StoreError> {
    connection.run(|sql| {
        let mut statement = sql.prepare_cached(table.next())?;
        let mut rows = statement.query([key(from)])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let first = prefix_of(row.get(0)?);
        if let Ok(bucket) = Bucket::parse(table, first, row.get_ref(1)?.as_blob()?) {
            bucket.entries().into_iter().for_each(|(digest, slot)| add(slots, digest, slot));
        }
        Ok(Some(first))
    })
}

/// Whoever forged a bucket may have made a digest known in one place and stored in another: there is a body then. Of
/// two bodies, neither of which is more right, the one in the older table counts.
fn add(slots: &mut BTreeMap<Digest, Slot>, digest: Digest, slot: Slot) {
    match slot {
        Slot::Known => _ = slots.entry(digest).or_insert(slot),
        Slot::Stored(_) => _ = slots.insert(digest, slot),
    }
}

/// What the database says of its own structure.
fn structure(connection: &Connection) -> Vec<Damage> {
    let messages = connection.run(|sql| {
        sql.pragma_update(None, "cell_size_check", true)?;
        let mut check = sql.prepare("PRAGMA integrity_check(20)")?;
        check.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
    });
    match messages {
        Ok(messages) => messages.into_iter().filter(|message| message != "ok").map(note).collect(),
        Err(error) => vec![note(error.to_string())],
    }
}

fn note(message: String) -> Damage {
    Damage { line: None, message }
}

/// What is left of a damaged database.
struct Salvaged {
    connection: Connection,
    salvage: Salvage,
    /// The connection's file, if it is to go with it.
    _file: Option<NamedTempFile>,
}

impl Salvaged {
    fn slot(&self, table: Table, digest: &Digest) -> Option<Slot> {
        self.salvage.tables[table as usize].get(digest).copied()
    }

    fn slots(&self, table: Table) -> impl Iterator<Item = (Digest, Slot)> {
        self.salvage.tables[table as usize].iter().map(|(digest, slot)| (*digest, *slot))
    }
}

impl View for Salvaged {
    fn state(&self, digest: &FragmentDigest) -> Result<Option<State>, StoreError> {
        Ok(self.slot(Table::Fragments, digest.digest()).map(|slot| slot.state()))
    }

    fn fragment(&self, digest: &FragmentDigest) -> Result<Option<Entry>, StoreError> {
        let slot = self.slot(Table::Fragments, digest.digest());
        slot.map(|slot| self.connection.entry_at(digest, slot)).transpose()
    }

    fn has_compilation(&self, id: &CompilationId) -> Result<bool, StoreError> {
        Ok(self.slot(Table::Compilations, id.digest()).is_some())
    }

    fn compilation(&self, id: &CompilationId) -> Result<Option<Compilation>, StoreError> {
        let slot = self.slot(Table::Compilations, id.digest());
        slot.map(|slot| self.connection.compilation_at(id, slot)).transpose()
    }

    fn fragment_runs(&self) -> Members<'_, Vec<Member>> {
        let member = |(digest, slot)| Member { digest: FragmentDigest::new(digest), slot };
        Box::new(std::iter::once_with(move || Ok(self.slots(Table::Fragments).map(member).collect())))
    }

    fn compilations(&self) -> Members<'_, CompilationId> {
        Box::new(self.slots(Table::Compilations).map(|(digest, _)| Ok(CompilationId::new(digest))))
    }

    fn links(&self) -> Members<'_, LinkRecord> {
        let read = |(digest, slot)| self.connection.link_at(BuildId::new(digest), slot);
        Box::new(self.slots(Table::Links).map(read))
    }
}
