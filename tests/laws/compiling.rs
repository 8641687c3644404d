//! Only what a repository does not have is generated, and nothing that is no code makes a difference.

use proptest::prelude::*;
use toy::compile::{Known, LineTables, Optimization, Options};
use toy::object::fragment::Body;
use toy::source::SourceFile;
use toy::store::{Entry, Repository};
use toy::strip::strip;

use crate::kit::{BACKENDS, assert_clean, cases, compile, compile_with, everything, tickets};
use crate::program::{PLAIN, program, spell, style};

fn bodies(repository: &Repository) -> Vec<Body> {
    let entries = everything(repository).fragments.into_iter();
    entries.map(|(_, entry)| if let Entry::Present(body) = entry { body } else { panic!("known") }).collect()
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn equal_bodies_are_generated_once(program in program()) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let repository = shelf.repository("repo");
            let compiled = compile(&repository, &program.sources(&PLAIN));
            let distinct = program.distinct(&program.files).len();
            prop_assert_eq!(compiled.generated, distinct);
            prop_assert_eq!(compiled.procedures, program.files.iter().map(|file| file.defines.len()).sum::<usize>());
            prop_assert!(compiled.generated <= compiled.procedures);
            let told = compiled.units.iter().flat_map(|unit| &unit.as_ref().unwrap().procedures);
            prop_assert_eq!(told.filter(|procedure| procedure.generated).count(), distinct);
            prop_assert_eq!(everything(&repository).fragments.len(), distinct);
            assert_clean(&repository);
        }
    }

    #[test]
    fn nothing_is_generated_twice(program in program(), style in style()) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let repository = shelf.repository("repo");
            let first = compile(&repository, &program.sources(&PLAIN));
            let stored = everything(&repository);
            let again = compile(&repository, &program.sources(&PLAIN));
            prop_assert_eq!((again.generated, tickets(&again)), (0, tickets(&first)));
            prop_assert_eq!(&everything(&repository), &stored);
            // Spelled otherwise, with line tables, all in one file of another name.
            prop_assert_eq!(compile(&repository, &program.sources(&style)).generated, 0);
            prop_assert_eq!(compile_with(&repository, &program.sources(&style), LineTables::With).generated, 0);
            let renamed = program.bodies.values().enumerate().map(|(at, body)| (format!("new{at}"), body));
            let renamed = renamed.collect::<Vec<_>>();
            let renamed = renamed.iter().map(|(name, body)| (name.as_str(), *body)).collect::<Vec<_>>();
            let moved = SourceFile { name: "moved.toy".into(), text: spell(&renamed, &style).into() };
            prop_assert_eq!(compile_with(&repository, &[moved], LineTables::With).generated, 0);
            prop_assert_eq!(everything(&repository).fragments, stored.fragments);
            assert_clean(&repository);
        }
    }

    #[test]
    fn the_order_of_sources_makes_no_difference(program in program()) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let (one, other) = (shelf.repository("one"), shelf.repository("other"));
            let mut sources = program.sources(&PLAIN);
            let mut forward = tickets(&compile(&one, &sources));
            sources.reverse();
            let backward = sources.iter().map(|source| tickets(&compile(&other, std::slice::from_ref(source)))[0]);
            let backward = backward.collect::<Vec<_>>();
            forward.reverse();
            prop_assert_eq!(forward, backward);
            prop_assert_eq!(everything(&one), everything(&other));
        }
    }

    #[test]
    fn exactly_the_missing_is_generated_from_a_stripped_repository(program in program(), there in 0_usize..4) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let (host, agent) = (shelf.repository("host"), shelf.repository("agent"));
            let there = &program.files[..there.min(program.files.len())];
            let sources = there.iter().map(|file| program.source(file, &PLAIN)).collect::<Vec<_>>();
            compile(&host, &sources);
            strip(&host, &agent).unwrap();
            let known = everything(&agent);
            prop_assert!(known.fragments.iter().all(|(_, entry)| *entry == Entry::Known));
            prop_assert!(known.compilations.is_empty() && known.links.is_empty());
            let compiled = compile(&agent, &program.sources(&PLAIN));
            let missing = program.distinct(&program.files).len() - program.distinct(there).len();
            prop_assert_eq!(compiled.generated, missing);
            assert_clean(&agent);
            // Tickets do not tell where they were made.
            let local = shelf.repository("local");
            prop_assert_eq!(tickets(&compile(&local, &program.sources(&PLAIN))), tickets(&compiled));
            // Asked to, the compiler fills what is known: all bodies are there then.
            let options = Options { line_tables: LineTables::Without, known: Known::Fill, optimization: Optimization::Without };
            let filled = toy::compile::compile(&agent, &program.sources(&PLAIN), options).unwrap();
            prop_assert_eq!(filled.generated, program.distinct(there).len());
            prop_assert_eq!(bodies(&agent), bodies(&local));
        }
    }

    #[test]
    fn a_changed_body_alone_is_generated(program in program(), which in 0_usize..7) {
        let mut edited = program.clone();
        let name = crate::program::NAMES[which];
        edited.bodies.get_mut(name).unwrap().push(crate::program::Item::Name("unseen_before".to_owned()));
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let repository = shelf.repository("repo");
            compile(&repository, &program.sources(&PLAIN));
            prop_assert_eq!(compile(&repository, &edited.sources(&PLAIN)).generated, 1);
        }
    }

    #[test]
    fn stripping_twice_is_stripping_once(program in program()) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let [host, once, twice] = ["host", "once", "twice"].map(|name| shelf.repository(name));
            prop_assert_eq!(strip(&host, &once).unwrap().fragments, 0, "an empty repository");
            compile(&host, &program.sources(&PLAIN));
            let before = everything(&host);
            strip(&host, &once).unwrap();
            strip(&once, &twice).unwrap();
            prop_assert_eq!(everything(&once), everything(&twice));
            prop_assert_eq!(everything(&host), before);
            // What was in the copy before is gone.
            compile(&once, &program.sources(&PLAIN));
            strip(&twice, &once).unwrap();
            prop_assert_eq!(everything(&once), everything(&twice));
        }
    }
}
