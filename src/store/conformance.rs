//! What every store does, as one suite that each backend passes.
//!
//! A law takes a way to open one new store, as often as it likes: every handle is on the same store.
//! A new backend adds itself to `for_every_backend` and passes all of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::backend::Missing;
use super::database::DatabaseBackend;
use super::wire::lines::fragment_from_listing;
use super::yaml::YamlBackend;
use super::{Addition, Decision, Entry, Found, Haul, MemoryBackend, Repository, State, StoreError};
use crate::digest::{BuildId, CompilationId, FragmentDigest, Hasher};
use crate::name::Name;
use crate::object::compilation::{Compilation, Definition};
use crate::object::fragment::Fragment;
use crate::object::line_table::LineTable;
use crate::object::link_record::{LinkRecord, Place};
use crate::source::Position;

/// Opens one more handle on the store that a law is tried on.
type Open = Box<dyn Fn() -> Arc<Repository> + Send + Sync>;

macro_rules! for_every_backend {
    ($($law:ident)*) => {
        mod memory {
            $(#[test] fn $law() { super::$law(&super::in_memory()); })*
        }
        mod yaml {
            $(#[test] fn $law() {
                let directory = tempfile::tempdir().unwrap();
                super::$law(&super::in_yaml(directory.path().join("repo.yaml")));
            })*
        }
        mod database {
            $(#[test] fn $law() {
                let directory = tempfile::tempdir().unwrap();
                super::$law(&super::in_database(directory.path().join("repo.tdb")));
            })*
        }
    };
}

for_every_backend! {
    a_new_store_is_empty
    what_is_kept_is_found
    hauls_have_everything_that_is_asked_for
    members_come_in_ascending_order
    additions_are_told_apart
    a_body_is_immutable
    a_dangling_compilation_is_refused
    a_dangling_link_is_refused
    a_failed_change_leaves_nothing
    an_aborted_batch_leaves_nothing
    a_change_sees_itself_and_others_do_not
    a_view_is_a_snapshot
    a_link_displaces_another_of_its_place
    what_is_removed_is_gone
    a_cleared_store_is_empty
    the_next_handle_sees_the_same
    handles_take_turns
    threads_lose_nothing
    no_trace_is_left_of_the_order
    odd_bodies_are_kept
    an_intact_store_has_no_damage
}

fn in_memory() -> Open {
    let repository = Arc::new(Repository::new(MemoryBackend::default()));
    Box::new(move || Arc::clone(&repository))
}

fn in_yaml(path: std::path::PathBuf) -> Open {
    Box::new(move || Arc::new(Repository::new(YamlBackend::new(&path, Missing::IsEmpty))))
}

fn in_database(path: std::path::PathBuf) -> Open {
    Box::new(move || Arc::new(Repository::new(DatabaseBackend::new(&path, Missing::IsEmpty))))
}

fn hash(domain: &str, number: u32) -> crate::digest::Digest {
    Hasher::new(domain, number).finish()
}

fn digest(number: u32) -> FragmentDigest {
    FragmentDigest::new(hash("fragment", number))
}

/// A small body; another one for each number.
fn body(number: u32) -> Fragment {
    code(&format!("number {number}\nstring \"a \\u{{22}}quoted\\u{{22}} string\"\nblock 1\n  call print\n"))
}

fn code(listing: &str) -> Fragment {
    fragment_from_listing(listing).unwrap()
}

fn present(number: u32) -> Entry {
    Entry::Present(body(number).body())
}

/// A compilation of a file `N.toy` that defines `pN` as fragment N for each number.
fn compilation(numbers: &[u32]) -> Compilation {
    let definition = |number: &u32| Definition {
        name: Name::new(&format!("p{number}")).unwrap(),
        fragment: digest(*number),
        line: number + 1,
        lines: LineTable::new(vec![Position { line: 0, column: 7 }, Position { line: 2, column: 1 }]),
    };
    let definitions = numbers.iter().map(definition).collect();
    Compilation::new(&format!("{}.toy", numbers[0]), definitions).unwrap()
}

fn build(number: u32) -> BuildId {
    BuildId::new(hash("build", number))
}

fn link(number: u32, place: Option<&str>, compilations: &[CompilationId]) -> LinkRecord {
    let mut compilations = compilations.to_vec();
    compilations.sort();
    let place = place.map(|place| Place::new(place).unwrap());
    LinkRecord::new(build(number), place, compilations)
}

/// Everything that a store holds.
#[derive(Debug, PartialEq, Default)]
struct Everything {
    fragments: Vec<(FragmentDigest, Entry)>,
    compilations: Vec<Compilation>,
    links: Vec<LinkRecord>,
}

fn everything(repository: &Repository) -> Everything {
    let view = repository.read().unwrap();
    let fragments = view.fragments().map(|member| {
        let member = member.unwrap();
        let (digest, state) = (member.digest, member.state());
        let entry = view.fragment(&digest).unwrap().unwrap();
        assert_eq!(entry.state(), state);
        assert_eq!(view.state(&digest).unwrap(), Some(state));
        (digest, entry)
    });
    let compilations = view.compilations().map(|id| {
        let id = id.unwrap();
        let compilation = view.compilation(&id).unwrap().unwrap();
        assert_eq!(compilation.id(), id);
        compilation
    });
    Everything {
        fragments: fragments.collect(),
        compilations: compilations.collect(),
        links: view.links().map(Result::unwrap).collect(),
    }
}

fn write(
    repository: &Repository,
    change: impl FnOnce(&mut super::Transaction<'_>) -> Result<(), StoreError>,
) {
    repository.write(change).unwrap();
}

/// Puts an empty repository in place of what is there.
fn clear(repository: &Repository) {
    repository.replace(|_| Ok::<_, StoreError>(())).unwrap();
}

/// Two bodies, a known digest, a compilation of them all, and a link record.
fn fill(repository: &Repository) {
    write(repository, |transaction| {
        transaction.add_fragment(digest(1), &present(1))?;
        transaction.add_fragment(digest(2), &present(2))?;
        transaction.add_fragment(digest(3), &Entry::Known)?;
        let compilation = compilation(&[1, 2, 3]);
        transaction.add_compilation(&compilation)?;
        transaction.add_link(link(1, Some("out/main.tx"), &[compilation.id()]))
    });
}

fn a_new_store_is_empty(open: &Open) {
    let repository = open();
    assert_eq!(everything(&repository), Everything::default());
    let view = repository.read().unwrap();
    assert_eq!(view.state(&digest(1)).unwrap(), None);
    assert_eq!(view.fragment(&digest(1)).unwrap(), None);
    assert_eq!(view.compilation(&compilation(&[1]).id()).unwrap(), None);
}

fn hauls_have_everything_that_is_asked_for(open: &Open) {
    let repository = open();
    fill(&repository);
    write(&repository, |transaction| {
        (10..2000).try_for_each(|number| transaction.add_fragment(digest(number), &present(number)).map(drop))
    });
    let digests = (0..3000).rev().map(digest).collect::<Vec<_>>();
    let view = repository.read().unwrap();
    let (mut found, mut hauls) = (vec![false; digests.len()], 0);
    let mut take = |mut haul: Haul| {
        hauls += 1;
        for (at, entry) in haul.entries() {
            let bytes = match entry.unwrap() {
                None => None,
                Some(Found::Known) => Some(Vec::new()),
                Some(Found::Present(digest, body)) => {
                    assert_eq!(digest, digests[at]);
                    Some(body.to_vec())
                }
            };
            let expected = view.fragment(&digests[at]).unwrap().map(|entry| match entry {
                Entry::Known => Vec::new(),
                Entry::Present(body) => body.bytes().to_vec(),
            });
            assert_eq!(bytes, expected);
            assert!(!std::mem::replace(&mut found[at], true), "{at} twice");
        }
        Ok(())
    };
    view.for_entries(&digests, &mut take).unwrap();
    assert!(found.iter().all(|found| *found));
    assert!(hauls > 1);
}

fn what_is_kept_is_found(open: &Open) {
    let repository = open();
    fill(&repository);
    let view = repository.read().unwrap();
    assert_eq!(view.fragment(&digest(1)).unwrap(), Some(present(1)));
    assert_eq!(view.state(&digest(1)).unwrap(), Some(State::Present(body(1).body().checksum())));
    assert_eq!(view.fragment(&digest(3)).unwrap(), Some(Entry::Known));
    assert_eq!(view.state(&digest(3)).unwrap(), Some(State::Known));
    assert_eq!(view.fragment(&digest(4)).unwrap(), None);
    let compilation = compilation(&[1, 2, 3]);
    assert_eq!(view.compilation(&compilation.id()).unwrap(), Some(compilation));
}

fn members_come_in_ascending_order(open: &Open) {
    let repository = open();
    for number in 0..40 {
        write(&repository, |transaction| {
            let entry = if number % 3 == 0 { Entry::Known } else { present(number) };
            transaction.add_fragment(digest(number), &entry)?;
            transaction.add_compilation(&compilation(&[number]))?;
            transaction.add_link(link(number, None, &[compilation(&[number]).id()]))
        });
    }
    let all = everything(&repository);
    assert_eq!((all.fragments.len(), all.compilations.len(), all.links.len()), (40, 40, 40));
    assert!(all.fragments.is_sorted_by(|(a, _), (b, _)| a < b));
    assert!(all.compilations.is_sorted_by(|a, b| a.id() < b.id()));
    assert!(all.links.is_sorted_by(|a, b| a.build < b.build));
}

fn additions_are_told_apart(open: &Open) {
    let add = |entry: Entry| {
        let added = open().write(|transaction| transaction.add_fragment(digest(1), &entry));
        (added.unwrap(), open().read().unwrap().fragment(&digest(1)).unwrap().unwrap())
    };
    assert_eq!(add(Entry::Known), (Addition::Added, Entry::Known));
    assert_eq!(add(Entry::Known), (Addition::Identical, Entry::Known));
    assert_eq!(add(present(1)), (Addition::Filled, present(1)));
    assert_eq!(add(present(1)), (Addition::Identical, present(1)));
    assert_eq!(add(Entry::Known), (Addition::Identical, present(1)), "a digest takes no body away");
    let twice = || open().write(|transaction| transaction.add_compilation(&compilation(&[1]))).unwrap();
    assert_eq!((twice(), twice()), (Addition::Added, Addition::Identical));
}

fn a_body_is_immutable(open: &Open) {
    let repository = open();
    fill(&repository);
    let before = everything(&repository);
    let other = repository.write(|transaction| transaction.add_fragment(digest(1), &present(9)));
    assert!(matches!(other, Err(StoreError::Immutable { digest: found }) if found == digest(1)));
    assert_eq!(everything(&repository), before);
}

fn a_dangling_compilation_is_refused(open: &Open) {
    let repository = open();
    fill(&repository);
    let before = everything(&repository);
    let dangling = repository.write(|transaction| transaction.add_compilation(&compilation(&[1, 4])));
    assert!(matches!(dangling, Err(StoreError::Dangling { digest: found, .. }) if found == digest(4)));
    assert_eq!(everything(&repository), before);
}

fn a_dangling_link_is_refused(open: &Open) {
    let repository = open();
    fill(&repository);
    let before = everything(&repository);
    let missing = compilation(&[1]).id();
    let dangling = repository.write(|transaction| transaction.add_link(link(2, None, &[missing])));
    assert!(matches!(dangling, Err(StoreError::DanglingLink { compilation, .. }) if compilation == missing));
    assert_eq!(everything(&repository), before);
}

fn a_failed_change_leaves_nothing(open: &Open) {
    let repository = open();
    let failed = repository.write(|transaction| {
        transaction.add_fragment(digest(1), &present(1))?;
        transaction.add_compilation(&compilation(&[1]))?;
        transaction.add_compilation(&compilation(&[2])).map(drop)
    });
    assert!(matches!(failed, Err(StoreError::Dangling { .. })));
    assert_eq!(everything(&repository), Everything::default());
    assert_eq!(everything(&open()), Everything::default());
    fill(&repository);
}

fn an_aborted_batch_leaves_nothing(open: &Open) {
    let repository = open();
    fill(&repository);
    let before = everything(&repository);
    repository
        .backend
        .write(&mut |batch| {
            batch.put_fragment(digest(1), &Entry::Known).unwrap();
            batch.remove_fragment(&digest(2)).unwrap();
            batch.remove_link(&build(1)).unwrap();
            Decision::Abort
        })
        .unwrap();
    assert_eq!(everything(&repository), before);
}

fn a_change_sees_itself_and_others_do_not(open: &Open) {
    let (repository, other) = (open(), open());
    write(&repository, |transaction| transaction.add_fragment(digest(1), &present(1)).map(drop));
    write(&repository, |transaction| {
        transaction.add_fragment(digest(2), &present(2))?;
        transaction.remove_fragment(&digest(1))?;
        let view = transaction.view();
        assert_eq!(view.fragment(&digest(2))?, Some(present(2)));
        assert_eq!(view.state(&digest(1))?, None);
        assert_eq!(view.fragments().count(), 1);
        assert_eq!(other.read()?.state(&digest(2))?, None, "nothing is published yet");
        Ok(())
    });
}

fn a_view_is_a_snapshot(open: &Open) {
    let repository = open();
    fill(&repository);
    let view = repository.read().unwrap();
    assert_eq!(view.fragments().count(), 3);
    thread::scope(|scope| {
        // It may have to wait until nobody holds a view.
        let clear = scope.spawn(|| clear(&open()));
        thread::sleep(Duration::from_millis(20));
        assert_eq!(view.fragment(&digest(1)).unwrap(), Some(present(1)));
        assert_eq!(view.compilations().count() + view.links().count(), 2);
        drop(view);
        clear.join().unwrap();
    });
    assert_eq!(everything(&repository), Everything::default());
}

fn a_link_displaces_another_of_its_place(open: &Open) {
    let repository = open();
    fill(&repository);
    let id = compilation(&[1, 2, 3]).id();
    let places = |links: &[LinkRecord]| {
        links.iter().for_each(|link| write(&repository, |transaction| transaction.add_link(link.clone())));
        let mut all = everything(&repository).links;
        all.sort_by(|a, b| a.places.cmp(&b.places));
        all
    };
    let relinked = link(2, Some("out/main.tx"), &[id]);
    assert_eq!(places(std::slice::from_ref(&relinked)), std::slice::from_ref(&relinked));
    let elsewhere = [link(3, None, &[]), link(4, None, &[id]), link(5, Some("b.tx"), &[id])];
    assert_eq!(places(&elsewhere).len(), 4, "other places and no place displace nothing");
    let copied = link(2, Some("copy.tx"), &[id]);
    let all = places(std::slice::from_ref(&copied));
    let of_2 = all.iter().filter(|link| link.build == build(2)).collect::<Vec<_>>();
    assert_eq!(of_2.len(), 1, "a build has one record");
    assert_eq!(of_2[0].places, &relinked.places | &copied.places);
    let all = places(&[link(6, Some("out/main.tx"), &[id])]);
    assert!(all.contains(&copied), "a build keeps the places that it still has");
}

fn what_is_removed_is_gone(open: &Open) {
    let repository = open();
    fill(&repository);
    let id = compilation(&[1, 2, 3]).id();
    for _ in 0..2 {
        write(&repository, |transaction| {
            transaction.remove_link(&build(1))?;
            transaction.remove_compilation(&id)?;
            transaction.remove_fragment(&digest(3))
        });
        let left = everything(&open());
        assert_eq!(left.fragments.len(), 2);
        assert!(left.compilations.is_empty() && left.links.is_empty());
    }
}

fn a_cleared_store_is_empty(open: &Open) {
    let repository = open();
    fill(&repository);
    clear(&repository);
    assert_eq!(everything(&open()), Everything::default());
    fill(&repository);
    assert_eq!(everything(&open()).fragments.len(), 3);
}

fn the_next_handle_sees_the_same(open: &Open) {
    fill(&open());
    let first = everything(&open());
    assert_eq!(first.fragments.len(), 3);
    assert_eq!(everything(&open()), first);
}

fn handles_take_turns(open: &Open) {
    let handles = [open(), open()];
    for number in 0..10 {
        let handle = &handles[number as usize % 2];
        write(handle, |transaction| transaction.add_fragment(digest(number), &present(number)).map(drop));
        handles.iter().for_each(|handle| {
            assert_eq!(handle.read().unwrap().fragments().count(), number as usize + 1);
        });
    }
}

fn threads_lose_nothing(open: &Open) {
    const THREADS: u32 = 8;
    const TURNS: u32 = 6;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let repository = open();
                for turn in 0..TURNS {
                    let number = thread * TURNS + turn;
                    write(&repository, |transaction| {
                        transaction.add_fragment(digest(number), &present(number))?;
                        transaction.add_compilation(&compilation(&[number])).map(drop)
                    });
                    let view = repository.read().unwrap();
                    assert!(view.state(&digest(number)).unwrap().is_some(), "a writer sees what it wrote");
                }
            });
        }
    });
    let all = everything(&open());
    assert_eq!(all.fragments.len(), (THREADS * TURNS) as usize);
    assert_eq!(all.compilations.len(), (THREADS * TURNS) as usize);
}

fn no_trace_is_left_of_the_order(open: &Open) {
    let repository = open();
    let add = |numbers: &mut dyn Iterator<Item = u32>| {
        for number in numbers {
            write(&repository, |transaction| {
                transaction.add_fragment(digest(number), &present(number))?;
                transaction.add_compilation(&compilation(&[number]))?;
                transaction.add_link(link(number, None, &[compilation(&[number]).id()]))
            });
        }
        everything(&repository)
    };
    let upwards = add(&mut (0..12));
    clear(&repository);
    assert_eq!(add(&mut (0..12).rev()), upwards);
}

fn odd_bodies_are_kept(open: &Open) {
    let odd = [
        "", " ", "<<", "~", "yes", "1e3", "- a", "'", "\"\\", "\t", "\u{85}", "\u{2028}", "\u{feff}", "a\nb",
        "😀",
    ];
    let escaped = |c: char| c.is_control() || "\\\"\u{2028}\u{feff}".contains(c);
    let escape = |c: char| if escaped(c) { c.escape_unicode().to_string() } else { c.to_string() };
    let mut all = vec![Entry::Present(Fragment::default().body())];
    for text in odd {
        let text = text.chars().map(escape).collect::<String>();
        all.push(Entry::Present(code(&format!("string \"{text}\"\nnumber -0.0\n")).body()));
    }
    write(&open(), |transaction| {
        (0..).zip(&all).try_for_each(|(at, entry)| transaction.add_fragment(digest(at), entry).map(drop))
    });
    let view = open();
    let view = view.read().unwrap();
    for (at, entry) in (0..).zip(all) {
        assert_eq!(view.fragment(&digest(at)).unwrap(), Some(entry));
    }
}

fn an_intact_store_has_no_damage(open: &Open) {
    let repository = open();
    fill(&repository);
    let (view, damage) = repository.examine().unwrap();
    assert_eq!(damage, []);
    assert_eq!(view.fragments().count(), 3);
    drop(view);
    let kept = repository.repair(|transaction| Ok::<_, StoreError>(transaction.view().fragments().count()));
    assert_eq!(kept.unwrap(), 3);
    assert_eq!(everything(&open()).fragments.len(), 3);
}
