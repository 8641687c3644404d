//! Merging takes the greater of two sides, whatever the order and however often; different bodies are a conflict.

use proptest::prelude::*;
use toy::digest::FragmentDigest;
use toy::merge::{MergeError, MergeReport, dry_run, merge};
use toy::store::{Entry, Repository};
use toy::strip::strip;

use crate::kit::{BACKENDS, Everything, Shelf, assert_clean, bytes_of, cases, everything, store};
use crate::parts::{self, body, digest};

fn filled(shelf: &Shelf, name: &str, all: &Everything) -> Repository {
    let repository = shelf.repository(name);
    store(all, &repository);
    repository
}

/// What the repository that is the merge of these, from left to right into an empty one, holds.
fn merged(shelf: &Shelf, name: &str, all: &[&Everything]) -> Everything {
    let target = shelf.repository(name);
    for (at, all) in all.iter().enumerate() {
        merge(&target, &[filled(shelf, &format!("{name}{at}"), all)]).unwrap();
    }
    assert_clean(&target);
    everything(&target)
}

/// The same by the most naive way.
fn joined(all: &[&Everything]) -> Everything {
    let mut join = Everything::default();
    for Everything { fragments, compilations, links } in all {
        for (digest, entry) in fragments {
            match join.fragments.iter_mut().find(|(there, _)| there == digest) {
                None => join.fragments.push((*digest, entry.clone())),
                Some((_, old)) if *old == Entry::Known => *old = entry.clone(),
                Some(_) => {}
            }
        }
        for compilation in compilations {
            if !join.compilations.contains(compilation) {
                join.compilations.push(compilation.clone());
            }
        }
        for link in links {
            let link = link.clone().abroad();
            join.links.extend((!join.links.contains(&link)).then_some(link));
        }
    }
    parts::sort(&mut join);
    join
}

fn present(entry: &Entry) -> bool {
    matches!(entry, Entry::Present(_))
}

fn find(all: &Everything, digest: FragmentDigest) -> Option<&Entry> {
    all.fragments.iter().find(|(there, _)| *there == digest).map(|(_, entry)| entry)
}

/// Whether two of them have different bodies under one digest.
fn clash(a: &Everything, b: &Everything) -> bool {
    let differs = |(digest, entry): &(FragmentDigest, Entry)| {
        present(entry) && find(b, *digest).is_some_and(|other| present(other) && other != entry)
    };
    a.fragments.iter().any(differs)
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn merging_is_joining(a in parts::repository(2), b in parts::repository(2), c in parts::repository(2)) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let expected = joined(&[&a, &b, &c]);
            prop_assert_eq!(&merged(&shelf, "abc", &[&a, &b, &c]), &expected);
            prop_assert_eq!(&merged(&shelf, "cba", &[&c, &b, &a]), &expected, "commutative");
            let (ab, bc) = (merged(&shelf, "ab", &[&a, &b]), merged(&shelf, "bc", &[&b, &c]));
            prop_assert_eq!(&merged(&shelf, "ab_c", &[&ab, &c]), &expected, "associative");
            prop_assert_eq!(&merged(&shelf, "a_bc", &[&a, &bc]), &expected, "associative");
            prop_assert_eq!(&merged(&shelf, "twice", &[&a, &b, &c, &b, &expected]), &expected, "idempotent");
            let at_once = shelf.repository("at_once");
            let sources = [&c, &a, &b].map(|all| filled(&shelf, &shelf.next().to_string(), all));
            merge(&at_once, &sources).unwrap();
            prop_assert_eq!(&everything(&at_once), &expected, "all sources at once");
        }
    }

    #[test]
    fn the_bytes_are_those_of_what_is_held(a in parts::repository(2), b in parts::repository(2)) {
        let shelf = crate::kit::Backend::Yaml.shelf();
        let all = merged(&shelf, "merged", &[&a, &b]);
        let bytes = std::fs::read(shelf.file("merged")).unwrap();
        prop_assert_eq!(bytes_of(&all), bytes.clone());
        merge(&Repository::open(&shelf.file("merged")), &[filled(&shelf, "again", &b)]).unwrap();
        prop_assert_eq!(std::fs::read(shelf.file("merged")).unwrap(), bytes);
    }

    #[test]
    fn the_report_tells_what_was_done(a in parts::repository(2), b in parts::repository(2)) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let (target, source) = (filled(&shelf, "a", &a), filled(&shelf, "b", &b));
            let count = |test: &dyn Fn(Option<&Entry>, &Entry) -> bool| {
                b.fragments.iter().filter(|(digest, entry)| test(find(&a, *digest), entry)).count()
            };
            let new_links = b.links.iter().filter(|link| !a.links.iter().any(|old| old.build == link.build));
            let expected = MergeReport {
                added: count(&|old, new| old.is_none() && present(new)),
                known: count(&|old, new| old.is_none() && !present(new)),
                filled: count(&|old, new| old == Some(&Entry::Known) && present(new)),
                identical: count(&|old, new| old.is_some_and(present) && present(new)),
                compilations: b.compilations.iter().filter(|new| !a.compilations.contains(new)).count(),
                links: new_links.count(),
                conflicts: Vec::new(),
            };
            let sources = [source];
            prop_assert_eq!(dry_run(&target, &sources).unwrap(), expected.clone());
            prop_assert_eq!(&everything(&target), &a, "a dry run changes nothing");
            prop_assert_eq!(merge(&target, &sources).unwrap(), expected);
            prop_assert_eq!(&everything(&sources[0]), &b, "a source is not changed");
            for link in &a.links {
                prop_assert!(everything(&target).links.contains(link), "the target's places stay");
            }
        }
    }

    #[test]
    fn a_conflict_is_told_and_nothing_is_written(a in parts::repository(3), b in parts::repository(3)) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let (target, source) = (filled(&shelf, "a", &a), filled(&shelf, "b", &b));
            match merge(&target, &[source]) {
                Ok(_) => prop_assert!(!clash(&a, &b)),
                Err(MergeError::Conflicts(report, conflicts)) => {
                    prop_assert!(clash(&a, &b));
                    prop_assert_eq!(&report.conflicts, &conflicts);
                    for conflict in conflicts {
                        prop_assert!(find(&a, conflict.digest).is_some_and(present));
                        prop_assert!(find(&b, conflict.digest).is_some_and(present));
                    }
                    prop_assert_eq!(everything(&target), a.clone());
                }
                Err(other) => panic!("{other}"),
            }
            // Two sources that differ are a conflict too, wherever the target stands.
            let empty = shelf.repository("empty");
            let sources = [filled(&shelf, "a2", &a), filled(&shelf, "b2", &b)];
            prop_assert_eq!(merge(&empty, &sources).is_err(), clash(&a, &b));
            prop_assert_eq!(everything(&empty) == Everything::default(), clash(&a, &b) || joined(&[&a, &b]) == Everything::default());
        }
    }

    #[test]
    fn what_was_stripped_is_filled_again(a in parts::repository(2)) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let (home, stripped) = (filled(&shelf, "home", &a), shelf.repository("stripped"));
            strip(&home, &stripped).unwrap();
            merge(&stripped, &[home]).unwrap();
            prop_assert_eq!(everything(&stripped), joined(&[&a]));
        }
    }
}

#[test]
fn a_body_fills_what_is_known_from_either_side() {
    for backend in BACKENDS {
        let shelf = backend.shelf();
        let with = |entry| Everything { fragments: vec![(digest(1), entry)], ..Everything::default() };
        let (known, present) = (with(Entry::Known), with(body(1, 1)));
        assert_eq!(merged(&shelf, "known first", &[&known, &present]), present);
        assert_eq!(merged(&shelf, "present first", &[&present, &known]), present);
    }
}

#[test]
fn a_conflict_names_both_origins() {
    let shelf = crate::kit::Backend::Yaml.shelf();
    let with =
        |version| Everything { fragments: vec![(digest(1), body(1, version))], ..Everything::default() };
    let (target, source) = (filled(&shelf, "ours", &with(1)), filled(&shelf, "theirs", &with(2)));
    let Err(MergeError::Conflicts(_, conflicts)) = merge(&target, &[source]) else { panic!("no conflict") };
    assert!(
        conflicts[0].origins[0].ends_with("ours.yaml") && conflicts[0].origins[1].ends_with("theirs.yaml")
    );
}

/// Large merges use several threads: what they find and do is that of a small one.
#[test]
fn much_is_merged_as_little_is() {
    const COUNT: usize = 30_000;
    // `kind` tells for each number whether it is absent, known, there, or there with another body.
    let all = |kind: fn(usize) -> usize| {
        let entry = |number| match kind(number) % 4 {
            0 => None,
            1 => Some(Entry::Known),
            2 => Some(body(number, 1)),
            _ => Some(body(number, 2)),
        };
        let mut all = Everything::default();
        all.fragments.extend((0..COUNT).filter_map(|number| Some((digest(number), entry(number)?))));
        parts::sort(&mut all);
        all
    };
    // All pairs of the first three kinds; and of all four.
    let [ours, theirs, odd] =
        [all(|number| number % 3), all(|number| number / 3 % 3), all(|number| number / 3 % 4)];
    let shelf = crate::kit::Backend::Database.shelf();
    let fill = |name: &str, all: &Everything| {
        let repository = shelf.repository(name);
        let filled = repository.write(|transaction| transaction.add_fragments(&all.fragments).map(drop));
        filled.map_err(|error: toy::store::StoreError| error).unwrap();
        repository
    };
    let target = fill("ours", &ours);
    let Err(MergeError::Conflicts(report, conflicts)) = merge(&target, &[fill("odd", &odd)]) else {
        panic!("no conflict")
    };
    let clashes = |(digest, entry): &&(FragmentDigest, Entry)| {
        present(entry) && find_sorted(&ours, *digest).is_some_and(|old| present(old) && old != entry)
    };
    let expected = odd.fragments.iter().filter(clashes).map(|(digest, _)| *digest).collect::<Vec<_>>();
    assert!(conflicts.iter().map(|conflict| conflict.digest).eq(expected), "in their order");
    assert_eq!(report.conflicts, conflicts);
    assert_eq!(everything(&target), ours, "nothing was written");

    let sources = [fill("theirs", &theirs)];
    let report = dry_run(&target, &sources).unwrap();
    let counts = [report.added, report.known, report.filled, report.identical];
    assert_eq!(counts, [COUNT / 9; 4]);
    assert_eq!(merge(&target, &sources).unwrap(), report);
    let mut expected = ours.fragments.iter().cloned().collect::<std::collections::BTreeMap<_, _>>();
    for (digest, entry) in theirs.fragments {
        let there = expected.entry(digest).or_insert_with(|| entry.clone());
        if present(&entry) {
            *there = entry;
        }
    }
    assert_eq!(everything(&target).fragments, expected.into_iter().collect::<Vec<_>>());
    assert_clean(&target);
}

fn find_sorted(all: &Everything, digest: FragmentDigest) -> Option<&Entry> {
    let at = all.fragments.binary_search_by_key(&digest, |(digest, _)| *digest).ok()?;
    Some(&all.fragments[at].1)
}
