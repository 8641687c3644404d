//! Linking what agents made is linking what one machine made, and keeps exactly what the program needs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;
use toy::link::{LinkError, Unresolved};
use toy::merge::merge;
use toy::name::Name;
use toy::object::compilation::Ticket;
use toy::source::SourceFile;
use toy::store::Repository;
use toy::strip::strip;
use toy::vm::program::Program as Loaded;

use crate::kit::{
    BACKENDS, Shelf, assert_clean, cases, compile, everything, link, link_from, linked, tickets,
};
use crate::program::{File, PLAIN, Program, program, style};

/// Two agents compile some of the files each, starting from a stripped copy of the host's repository; what they made
/// is merged. Gives the tickets and how many procedures were generated.
fn round(shelf: &Shelf, host: &Repository, program: &Program, masks: &[u8]) -> (Vec<Ticket>, usize) {
    let (mut all, mut generated) = (Vec::new(), 0);
    let mut agents = Vec::new();
    for agent in 0..2 {
        let repository = shelf.repository(&format!("agent{}", shelf.next()));
        strip(host, &repository).unwrap();
        let mine = program.files.iter().zip(masks).filter(|(_, mask)| (**mask + 1) & (1 << agent) != 0);
        let sources = mine.map(|(file, _)| program.source(file, &PLAIN)).collect::<Vec<_>>();
        let compiled = compile(&repository, &sources);
        generated += compiled.generated;
        all.extend(tickets(&compiled));
        agents.push(repository);
    }
    merge(host, &agents).unwrap();
    (all, generated)
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn two_agents_make_what_one_machine_makes(
        program in program(),
        masks in prop::collection::vec(0_u8..3, 3),
        swapped in prop::collection::vec(0_u8..3, 3),
        there in 0_usize..3,
    ) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let local = shelf.repository("local");
            let local_tickets = tickets(&compile(&local, &program.sources(&PLAIN)));
            let expected = linked(&local, &local_tickets);

            let host = shelf.repository("host");
            // Some of the work may be done already.
            let sources = program.sources(&PLAIN);
            compile(&host, &sources[..there.min(sources.len())]);
            let (first, _) = round(&shelf, &host, &program, &masks);
            prop_assert!(local_tickets.iter().all(|ticket| first.contains(ticket)), "tickets are the same everywhere");
            prop_assert_eq!(linked(&host, &first), expected.clone());
            assert_clean(&host);
            prop_assert_eq!(everything(&host), everything(&local));

            // Other agents, no edit: nothing to do.
            let (second, generated) = round(&shelf, &host, &program, &swapped);
            prop_assert_eq!(generated, 0);
            prop_assert_eq!(linked(&host, &second), expected);
            prop_assert_eq!(everything(&host), everything(&local));
        }
    }

    #[test]
    fn the_order_of_tickets_makes_no_difference(program in program(), turn in 0_usize..3) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let repository = shelf.repository("repo");
            let mut tickets = tickets(&compile(&repository, &program.sources(&PLAIN)));
            let expected = linked(&repository, &tickets);
            tickets.reverse();
            prop_assert_eq!(linked(&repository, &tickets), expected.clone());
            let turn = turn % tickets.len();
            tickets.rotate_left(turn);
            tickets.push(tickets[0]);
            prop_assert_eq!(linked(&repository, &tickets), expected);
        }
    }

    #[test]
    fn an_executable_holds_what_is_reachable_and_no_more(program in program(), style in style()) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let repository = shelf.repository("repo");
            let executable = link(&repository, &tickets(&compile(&repository, &program.sources(&style)))).unwrap();
            let symbols = executable.symbols.iter().map(|symbol| symbol.name.as_str()).collect::<Vec<_>>();
            let reachable = program.reachable("main");
            prop_assert_eq!(symbols, reachable.iter().copied().collect::<Vec<_>>());
            let file = File { name: "all".to_owned(), defines: reachable };
            prop_assert_eq!(executable.sections.len(), program.distinct([&file]).len());
            let fragments = executable.sections.iter().map(|section| section.fragment).collect::<BTreeSet<_>>();
            prop_assert_eq!(fragments.len(), executable.sections.len(), "equal code is there once");
            for symbol in &executable.symbols {
                let view = repository.read().unwrap();
                let compilation = view.compilation(&symbol.compilation).unwrap().unwrap();
                let definition = compilation.definition(symbol.name.as_str()).unwrap();
                prop_assert_eq!(definition.fragment, executable.sections[symbol.section as usize].fragment);
            }
            Loaded::load(&executable).unwrap();
        }
    }

    #[test]
    fn what_lies_about_in_the_repository_makes_no_difference(program in program(), other in program()) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let (alone, shared) = (shelf.repository("alone"), shelf.repository("shared"));
            let expected = linked(&alone, &tickets(&compile(&alone, &program.sources(&PLAIN))));
            compile(&shared, &other.sources(&PLAIN));
            let again = tickets(&compile(&shared, &program.sources(&PLAIN)));
            prop_assert_eq!(linked(&shared, &again), expected);
        }
    }

    #[test]
    fn a_needed_body_that_was_stripped_is_an_error(program in program()) {
        for backend in BACKENDS {
            let shelf = backend.shelf();
            let (home, agent) = (shelf.repository("home"), shelf.repository("agent"));
            compile(&home, &program.sources(&PLAIN));
            strip(&home, &agent).unwrap();
            let tickets = tickets(&compile(&agent, &program.sources(&PLAIN)));
            let errors = link(&agent, &tickets).unwrap_err();
            let stripped = |error: &LinkError| matches!(error, LinkError::Stripped { .. });
            prop_assert!(errors.iter().all(stripped), "{:?}", errors);
            merge(&agent, &[home]).unwrap();
            link(&agent, &tickets).unwrap();
        }
    }
}

/// The repository and the tickets of small sources.
fn sources(texts: &[&str]) -> (Repository, Vec<Ticket>) {
    let repository = Repository::in_memory();
    let source =
        |(at, text): (usize, &&str)| SourceFile { name: format!("{at}.toy").into(), text: (*text).into() };
    let sources = texts.iter().enumerate().map(source).collect::<Vec<_>>();
    let tickets = tickets(&compile(&repository, &sources));
    (repository, tickets)
}

#[test]
fn one_name_with_one_digest_is_one_definition() {
    let (repository, tickets) = sources(&["main { f }", "f { 1 print }", "# as before\nf {\n  1 print }"]);
    assert_eq!(link(&repository, &tickets).unwrap().symbols.len(), 2);
}

#[test]
fn one_name_with_two_digests_is_an_error_in_any_order() {
    let (repository, tickets) = sources(&["main { f }", "f { 1 print }", "f { 2 print }"]);
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let errors = link(&repository, &order.map(|at| tickets[at])).unwrap_err();
        let [LinkError::Duplicate { name, sites }] = errors.as_slice() else { panic!("{errors:?}") };
        assert_eq!(&**name, "f");
        let mut places = sites.each_ref().map(ToString::to_string);
        places.sort();
        assert_eq!(places, ["1.toy:1", "2.toy:1"]);
    }
}

#[test]
fn an_undefined_name_is_an_error_unless_a_string_could_define_it() {
    let undefined = |text| {
        let (repository, tickets) = sources(&[text]);
        link_from(&repository, &tickets, &["main"], Unresolved::Error).is_err()
    };
    assert!(undefined("main { nobody }"));
    assert!(undefined("main { { { nobody } } }"));
    assert!(!undefined("main { \"nobody\" 1 def nobody }"));
    assert!(undefined("main { nobody } unreachable { \"nobody\" }"));
    assert!(!undefined("main { 1 print } unreachable { nobody }"), "what is not needed is not looked at");
}

#[test]
fn every_name_can_be_an_entry() {
    let (repository, tickets) = sources(&["main { 1 } a { b } b { 2 } c { 3 }"]);
    let symbols = |entries: &[&str]| {
        let executable = link_from(&repository, &tickets, entries, Unresolved::Error).unwrap();
        assert_eq!(executable.entries.iter().map(Name::as_str).collect::<Vec<_>>(), entries);
        executable.symbols.iter().map(|symbol| symbol.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(symbols(&["main"]), ["main"]);
    assert_eq!(symbols(&["a"]), ["a", "b"]);
    assert_eq!(symbols(&["c", "main"]), ["c", "main"]);
    let missing = link_from(&repository, &tickets, &["d", "a"], Unresolved::Error).unwrap_err();
    assert!(matches!(missing.as_slice(), [LinkError::Entry { .. }]));
}

/// So wide that it is walked over while it is read, in parts that are no levels.
#[test]
fn a_wide_program_lies_in_the_order_of_its_references() {
    const WIDTH: u32 = 3000;
    let mut text = "main {\n".to_owned();
    (0..WIDTH).for_each(|at| _ = writeln!(text, "    f{at}"));
    text.push_str("}\n");
    // Against the order of their names.
    (0..WIDTH).for_each(|at| _ = writeln!(text, "f{at} {{ g{} g{} }}", WIDTH - 1 - at, WIDTH - at));
    (0..=WIDTH).for_each(|at| _ = writeln!(text, "g{at} {{ {at} print \"{at}\" }}"));
    let (repository, tickets) = sources(&[&text]);
    let executable = link(&repository, &tickets).unwrap();
    let section = |name: String| executable.symbol(&name).unwrap().section;
    for at in 0..WIDTH {
        assert_eq!(section(format!("f{at}")), 1 + at);
        assert_eq!(section(format!("g{}", WIDTH - 1 - at)), if at == 0 { 1 + WIDTH } else { 2 + WIDTH + at });
    }
    let strings =
        (0..WIDTH).map(|at| format!("f{at}")).chain([format!("g{}", WIDTH - 1), format!("g{WIDTH}")]);
    assert!(executable.strings.iter().map(|string| string.to_string()).take(WIDTH as usize + 2).eq(strings));
    Loaded::load(&executable).unwrap();
}
