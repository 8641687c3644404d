//! A large table with a young one beside it holds what one table would, whatever is added, filled and removed.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::DatabaseBackend;
use super::{LARGE, weight};
use crate::digest::{Digest, FragmentDigest, Hasher};
use crate::object::compilation::{Compilation, Definition};
use crate::object::fragment::Body;
use crate::store::backend::Missing;
use crate::store::database::bucket::Table;
use crate::store::database::connection::{Connection, Turn};
use crate::store::repository::Entry;
use crate::store::{Repository, StoreError};

/// What a repository should hold.
type Model = BTreeMap<FragmentDigest, Entry>;

fn digest(number: u32) -> FragmentDigest {
    FragmentDigest::new(Hasher::new("fragment", number).finish())
}

fn body(number: u32) -> Entry {
    Entry::Present(Body::new(&number.to_le_bytes()))
}

fn open(path: &Path) -> Repository {
    Repository::new(DatabaseBackend::new(path, Missing::IsEmpty))
}

fn add(path: &Path, model: &mut Model, entries: impl IntoIterator<Item = (FragmentDigest, Entry)>) {
    let entries = entries.into_iter().collect::<BTreeMap<_, _>>();
    model.extend(entries.clone());
    let entries = entries.into_iter().collect::<Vec<_>>();
    let added = open(path).write(|transaction| transaction.add_fragments(&entries).map(drop));
    added.map_err(|error: StoreError| error).unwrap();
}

fn remove(path: &Path, model: &mut Model, digests: &[FragmentDigest]) {
    model.retain(|digest, _| !digests.contains(digest));
    let all =
        |digest| move |transaction: &mut crate::store::Transaction<'_>| transaction.remove_fragment(digest);
    let removed =
        open(path).write(|transaction| digests.iter().try_for_each(|digest| all(digest)(transaction)));
    removed.map_err(|error: StoreError| error).unwrap();
}

/// Fails unless the repository holds this, and is whole.
fn assert_holds(path: &Path, model: &Model) {
    let repository = open(path);
    let (view, damage) = repository.examine().unwrap();
    assert_eq!(damage, []);
    let digests = view.fragments().map(|member| member.unwrap().digest).collect::<Vec<_>>();
    assert!(digests.iter().eq(model.keys()));
    let entries = view.entries(&digests).unwrap().into_iter().map(|entry| entry.unwrap().unwrap());
    assert!(entries.eq(model.values().cloned()));
    assert!(view.states(&digests).unwrap().into_iter().eq(model.values().map(|entry| Some(entry.state()))));
    assert_eq!(view.state(&digest(u32::MAX)).unwrap(), None);
}

/// The number of entries in a table and in the young one beside it.
fn levels(path: &Path) -> Vec<usize> {
    let connection = Connection::open(path).unwrap().unwrap();
    connection.begin(Turn::Read).unwrap();
    let count = |table| connection.level(table).count();
    connection.levels(Table::Fragments).map(count).collect()
}

#[test]
fn what_is_new_in_a_large_table_stands_beside_it_until_it_is_much() {
    let directory = tempfile::tempdir().unwrap();
    let path = &directory.path().join("repo.tdb");
    let mut model = Model::new();
    add(path, &mut model, (0..10_000).map(|number| (digest(number), Entry::Known)));
    assert_eq!(levels(path), [10_000]);
    let connection = Connection::open(path).unwrap().unwrap();
    connection.begin(Turn::Read).unwrap();
    assert!(weight(&connection, Table::Fragments).unwrap() >= LARGE);
    drop(connection);
    // Digests without a body take little room: a quarter of it is fewer fragments.
    let mut most = 0;
    for step in 0..9_u32 {
        let new = 20_000 + 300 * step;
        // What is filled is in either table.
        let filled = (0..20).map(|at| 500 * at + step).chain((step > 0).then_some(new - 300));
        let known = (new..new + 100).map(|number| (digest(number), Entry::Known));
        let present = (new + 100..new + 300).chain(filled).map(|number| (digest(number), body(number)));
        add(path, &mut model, known.chain(present));
        remove(path, &mut model, &[digest(7000 + step), digest(new + 1), digest(new + 150), digest(99_999)]);
        assert_holds(path, &model);
        most = most.max(levels(path)[0]);
    }
    assert!(most > 500 && levels(path)[0] < 9 * 300, "{most}, {:?}", levels(path));
    let all = (0..5000).map(|number| (digest(50_000 + number), body(number)));
    add(path, &mut model, all);
    assert_holds(path, &model);
    open(path).replace(|_| Ok::<_, StoreError>(())).unwrap();
    assert_holds(path, &Model::new());
}

#[test]
fn many_come_at_once_from_another_database() {
    let directory = tempfile::tempdir().unwrap();
    let [path, other] = &["repo.tdb", "other.tdb"].map(|name| directory.path().join(name));
    let (mut model, mut new) = (Model::new(), Model::new());
    add(path, &mut model, (0..30_000).map(|number| (digest(number), Entry::Known)));
    add(other, &mut new, (50_000..52_000).map(|number| (digest(number), body(number))));
    let absorb = || {
        let source = open(other);
        let view = source.read().unwrap();
        let absorbed = open(path).write(|transaction| transaction.absorb(&*view));
        absorbed.map_err(|error: StoreError| error).unwrap();
    };
    model.extend(new.clone());
    for _ in 0..2 {
        absorb();
        assert_eq!(levels(path), [2000, 30_000]);
        assert_holds(path, &model);
    }
    // Some are in either table by now, and some of those have no body yet.
    add(other, &mut new, (29_000..31_000).map(|number| (digest(number), body(number))));
    model.extend(new.clone());
    absorb();
    assert_holds(path, &model);
}

#[test]
fn compilations_stand_in_both_tables() {
    let directory = tempfile::tempdir().unwrap();
    let path = &directory.path().join("repo.tdb");
    let fragment = digest(0);
    let compilation = |number: u32| {
        let name = crate::name::Name::new(&format!("p{number}")).unwrap();
        let definition = Definition { name, fragment, line: 1, lines: None };
        Compilation::new("main.toy", vec![definition]).unwrap()
    };
    let add = |all: &[Compilation]| {
        open(path).write(|transaction| {
            transaction.add_fragment(fragment, &Entry::Known)?;
            transaction.add_compilations(all)
        })
    };
    let all = (0..5001).map(compilation).collect::<Vec<_>>();
    let added: Result<_, StoreError> = add(&all[..5000]);
    assert_eq!(added.unwrap(), 5000);
    for _ in 0..2 {
        let added: Result<_, StoreError> = add(&all[4999..]);
        added.unwrap();
        let view = open(path);
        let view = view.read().unwrap();
        let ids = view.compilations().map(|id| *id.unwrap().digest()).collect::<Vec<Digest>>();
        assert_eq!(ids.len(), 5001);
        assert!(ids.is_sorted());
        let found = view.find_compilations(&all.iter().map(Compilation::id).collect::<Vec<_>>()).unwrap();
        assert!(found.into_iter().map(|found| found.unwrap().unwrap()).eq(all.iter().cloned()));
    }
    assert_eq!(levels(path), [0, 1], "there are young tables, but few fragments");
}
