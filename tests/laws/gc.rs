//! Garbage collection keeps what the roots reach, drops the rest, and has nothing to do a second time.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use toy::gc::{Caution, GcError, GcPlan, Reasons, Roots, dry_run, gc};
use toy::object::compilation::Ticket;
use toy::object::link_record::{LinkRecord, Place};
use toy::store::wire::executable::{self, Format, Image};
use toy::store::wire::ticket;
use toy::store::{Repository, StoreError};

use crate::kit::{BACKENDS, Shelf, assert_clean, cases, compile, everything, link, linked, tickets};
use crate::program::{PLAIN, program};

fn roots(
    shelf: &Shelf,
    repository: &Repository,
    places: &[PathBuf],
    caution: Caution,
) -> Result<Roots, GcError> {
    Roots::find(repository, &shelf.file("repo"), places, caution)
}

fn collect(shelf: &Shelf, repository: &Repository, places: &[PathBuf]) -> Result<GcPlan, GcError> {
    let found = roots(shelf, repository, places, Caution::Careful)?;
    let planned = dry_run(repository, &found, Caution::Careful, Reasons::Told);
    let plan = gc(repository, &found, Caution::Careful, Reasons::Told)?;
    assert_eq!(planned.unwrap(), plan, "what is planned is done");
    Ok(plan)
}

/// Writes the tickets to files `N.to`.
fn write_tickets(directory: &std::path::Path, tickets: &[Ticket]) {
    fs::create_dir_all(directory).unwrap();
    for (at, ticket) in tickets.iter().enumerate() {
        ticket::write(&directory.join(format!("{at}.to")), ticket).unwrap();
    }
}

/// Links, writes the executable to `place` below the repository, and records it.
fn link_to(shelf: &Shelf, repository: &Repository, tickets: &[Ticket], place: &str) -> LinkRecord {
    let program = link(repository, tickets).unwrap();
    let path = shelf.path().join(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    executable::write(&path, &Image::of(&program), Format::Yaml, ()).unwrap();
    let compilations = program.symbols.iter().map(|symbol| symbol.compilation).collect::<BTreeSet<_>>();
    let record = LinkRecord::new(program.build_id(), Place::new(place), compilations.into_iter().collect());
    repository
        .write(|transaction| transaction.add_link(record.clone()))
        .unwrap_or_else(|error: StoreError| panic!("{error}"));
    record
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn what_roots_reach_is_kept_and_nothing_else(program in program(), other in program(), kept in 1_usize..4) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let repository = shelf.repository("repo");
            compile(&repository, &other.sources(&PLAIN));
            let all = tickets(&compile(&repository, &program.sources(&PLAIN)));
            let kept = &all[..kept.min(all.len())];
            write_tickets(&shelf.path().join("out"), kept);
            let before = everything(&repository);

            let places = [shelf.path().join("out")];
            let plan = collect(&shelf, &repository, &places).unwrap();
            let after = everything(&repository);

            let needed = before.compilations.iter().filter(|compilation| {
                kept.iter().any(|ticket| ticket.compilation == compilation.id())
            });
            let needed = needed.cloned().collect::<Vec<_>>();
            prop_assert_eq!(&after.compilations, &needed);
            let definitions = needed.iter().flat_map(|compilation| compilation.definitions());
            let fragments = definitions.map(|definition| definition.fragment).collect::<BTreeSet<_>>();
            let mut left = before.fragments.clone();
            left.retain(|(digest, _)| fragments.contains(digest));
            prop_assert_eq!(&after.fragments, &left);
            prop_assert_eq!(plan.fragment_counts(), (left.len(), before.fragments.len() - left.len()));
            assert_clean(&repository);

            collect(&shelf, &repository, &places).unwrap();
            prop_assert_eq!(everything(&repository), after, "a second time there is nothing to do");
        }
    }

    #[test]
    fn an_executable_keeps_what_it_was_linked_from(program in program(), other in program()) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let repository = shelf.repository("repo");
            let all = tickets(&compile(&repository, &program.sources(&PLAIN)));
            let expected = linked(&repository, &all);
            let record = link_to(&shelf, &repository, &all, "bin/main.tx");
            compile(&repository, &other.sources(&PLAIN));
            // The tickets are gone; the executable is found at its recorded place, though the user looks elsewhere.
            write_tickets(&shelf.path().join("out"), &[]);
            collect(&shelf, &repository, &[shelf.path().join("out")]).unwrap();
            let after = everything(&repository);
            prop_assert_eq!(&after.links, &vec![record.clone()]);
            prop_assert_eq!(after.compilations.len(), record.compilations.len());
            assert_clean(&repository);
            let tickets = record.compilations.iter().map(|id| Ticket { compilation: *id, source: None }).collect::<Vec<_>>();
            prop_assert_eq!(linked(&repository, &tickets), expected);
        }
    }

    #[test]
    fn after_gc_the_same_is_linked(program in program(), other in program()) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let repository = shelf.repository("repo");
            compile(&repository, &other.sources(&PLAIN));
            let all = tickets(&compile(&repository, &program.sources(&PLAIN)));
            write_tickets(shelf.path(), &all);
            let before = linked(&repository, &all);
            collect(&shelf, &repository, &[]).unwrap();
            prop_assert_eq!(linked(&repository, &all), before);
            prop_assert_eq!(compile(&repository, &program.sources(&PLAIN)).generated, 0);
        }
    }
}

/// A repository of two files, with the tickets written beside it.
fn two_files(shelf: &Shelf) -> (Repository, Vec<Ticket>) {
    let repository = shelf.repository("repo");
    let source = |name: &str, text: &str| toy::source::SourceFile { name: name.into(), text: text.into() };
    let sources = [source("a.toy", "main { f }"), source("b.toy", "f { 1 print }")];
    let tickets = tickets(&compile(&repository, &sources));
    write_tickets(shelf.path(), &tickets);
    (repository, tickets)
}

#[test]
fn a_repository_is_not_emptied_by_mistake() {
    for backend in BACKENDS {
        let shelf = backend.shelf();
        let (repository, _) = two_files(&shelf);
        let nowhere = [shelf.path().join("empty")];
        fs::create_dir(&nowhere[0]).unwrap();
        let before = everything(&repository);
        assert!(matches!(collect(&shelf, &repository, &nowhere), Err(GcError::Empties { .. })));
        assert_eq!(everything(&repository), before);
        let roots = roots(&shelf, &repository, &nowhere, Caution::Forced).unwrap();
        gc(&repository, &roots, Caution::Forced, Reasons::Untold).unwrap();
        assert!(everything(&repository).fragments.is_empty());
    }
}

#[test]
fn a_damaged_root_stops_gc_and_what_is_being_written_does_not() {
    for backend in BACKENDS {
        let shelf = backend.shelf();
        let (repository, tickets) = two_files(&shelf);
        let whole = ticket::to_yaml(&tickets[0]);
        for (name, bytes) in
            [(".toy-a.new", &whole[..30]), (".toy-b.new", &whole), (".toy-c.new", ""), ("notes", "toy")]
        {
            fs::write(shelf.path().join(name), bytes).unwrap();
        }
        fs::remove_file(shelf.path().join("0.to")).unwrap();
        collect(&shelf, &repository, &[]).unwrap();
        assert_eq!(everything(&repository).compilations.len(), 1, "a leftover keeps nothing");
        for (name, bytes) in
            [("cut.to", &whole[..30]), ("empty.to", ""), ("other", &whole[..whole.len() - 1])]
        {
            let path = shelf.path().join(name);
            fs::write(&path, bytes).unwrap();
            let before = everything(&repository);
            assert!(matches!(collect(&shelf, &repository, &[]), Err(GcError::Root { .. })), "{name}");
            assert_eq!(everything(&repository), before);
            let forced = roots(&shelf, &repository, &[], Caution::Forced).unwrap();
            assert_eq!(forced.passed_over.len(), 1);
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_link_record_goes_with_its_executable() {
    for backend in BACKENDS {
        let shelf = backend.shelf();
        let (repository, tickets) = two_files(&shelf);
        link_to(&shelf, &repository, &tickets, "bin/main.tx");
        collect(&shelf, &repository, &[]).unwrap();
        assert_eq!(everything(&repository).links.len(), 1);
        fs::remove_file(shelf.path().join("bin/main.tx")).unwrap();
        collect(&shelf, &repository, &[]).unwrap();
        assert_eq!(everything(&repository).links.len(), 0);
        assert_eq!(everything(&repository).compilations.len(), 2, "the tickets are there still");
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_a_root_is_a_root() {
    for backend in BACKENDS {
        let shelf = backend.shelf();
        let (repository, _) = two_files(&shelf);
        let (real, linked) = (shelf.path().join("real"), shelf.path().join("linked"));
        fs::create_dir(&real).unwrap();
        fs::create_dir(&linked).unwrap();
        for name in ["0.to", "1.to"] {
            fs::rename(shelf.path().join(name), real.join(name)).unwrap();
            std::os::unix::fs::symlink(real.join(name), linked.join(name)).unwrap();
        }
        std::os::unix::fs::symlink("nowhere", linked.join("2.to")).unwrap();
        let before = everything(&repository);
        collect(&shelf, &repository, &[linked]).unwrap();
        assert_eq!(everything(&repository), before);
    }
}
