//! What is written is read back the same, by `toy` and by any other program that reads YAML.

use std::path::Path;

use proptest::prelude::*;
use serde_yaml::Value;
use toy::compile::LineTables;
use toy::isa::builtin::Builtin;
use toy::isa::codec::{Decoder, decode, encode};
use toy::isa::instruction::Instruction;
use toy::isa::listing::{self, Operand};
use toy::name::Name;
use toy::object::compilation::{Compilation, Ticket};
use toy::object::executable::{Executable, Section, Strings, Symbol};
use toy::object::fixup::{FixupKind, Fixups};
use toy::object::fragment::Fragment;
use toy::object::link_record::{LinkRecord, Place};
use toy::store::seal::{Kind, identify};
use toy::store::wire::{executable, ticket};
use toy::store::{Entry, Repository};

use crate::kit::{Backend, Everything, bytes_of, cases, compile_with, everything, link, store, tickets};
use crate::parts::{self, digest};
use crate::program::{program, style};

/// Any string at all, the hard ones often.
fn any_text() -> impl Strategy<Value = String> {
    let hard = [
        "",
        " ",
        "\n",
        "\r\n",
        "\0",
        "\t",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "\u{feff}",
        "\u{fffe}",
        "\\",
        "\"",
        "\\u{41}",
        "'",
        "---",
        "...",
        "trailer:",
        "# c",
        "- a",
        "a: b",
        "<<",
        "~",
        "yes",
        "1e3",
        "%",
        "@",
        "`",
        "\u{10ffff}",
    ];
    let hard =
        prop::collection::vec(prop::sample::select(hard.to_vec()), 1..4).prop_map(|parts| parts.concat());
    prop_oneof![hard, any::<String>()]
}

fn any_name() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9_]{0,8}".prop_filter("a word", |name| name != "true" && name != "false")
}

/// A fragment with any strings and names, and properly nested blocks of all kinds.
fn fragment() -> impl Strategy<Value = Fragment> {
    #[derive(Debug, Clone)]
    enum Piece {
        Text(String),
        Call(String),
        Other(Instruction),
        /// An instruction that has a length, and what is in it.
        Block(fn(u32) -> Instruction, Vec<Piece>),
        IfElse(Vec<Piece>, Vec<Piece>),
        Instead(Vec<Piece>, Vec<Piece>),
    }
    fn size(pieces: &[Piece]) -> u32 {
        let size = |piece: &Piece| match piece {
            Piece::Block(_, inner) => 1 + size(inner),
            Piece::IfElse(first, second) => 2 + size(first) + size(second),
            Piece::Instead(source, code) => 1 + size(source) + size(code),
            Piece::Text(_) | Piece::Call(_) | Piece::Other(_) => 1,
        };
        pieces.iter().map(size).sum()
    }
    fn write(pieces: &[Piece], fragment: &mut Fragment) {
        for piece in pieces {
            let instruction = match piece {
                Piece::Text(text) => Instruction::String(fragment.fixups.intern(FixupKind::Weak, text)),
                Piece::Call(name) => Instruction::Call(fragment.fixups.intern(FixupKind::Strong, name)),
                Piece::Other(instruction) => *instruction,
                Piece::Block(of, inner) => of(size(inner)),
                Piece::IfElse(first, _) => Instruction::IfElse(size(first)),
                Piece::Instead(source, code) => {
                    Instruction::Instead { source: size(source), code: size(code) }
                }
            };
            encode(instruction, &mut fragment.text);
            match piece {
                Piece::Block(_, inner) => write(inner, fragment),
                Piece::IfElse(first, second) => {
                    write(first, fragment);
                    encode(Instruction::Else(size(second)), &mut fragment.text);
                    write(second, fragment);
                }
                Piece::Instead(source, code) => {
                    [source, code].into_iter().for_each(|part| write(part, fragment))
                }
                Piece::Text(_) | Piece::Call(_) | Piece::Other(_) => {}
            }
        }
    }
    let finite = any::<f64>().prop_filter("finite", |value| value.is_finite());
    let leaf = prop_oneof![
        any_text().prop_map(Piece::Text),
        prop_oneof![any_name(), Just("[".to_owned()), Just("]".to_owned())].prop_map(Piece::Call),
        finite.prop_map(|number| Piece::Other(Instruction::Number(number))),
        any::<bool>().prop_map(|value| Piece::Other(Instruction::Boolean(value))),
        prop::sample::select(Builtin::ALL).prop_map(|operator| Piece::Other(Instruction::Operator(operator))),
    ];
    let kinds: Vec<fn(u32) -> Instruction> =
        vec![Instruction::Block, Instruction::If, Instruction::For, Instruction::Repeat, Instruction::Loop];
    let piece = leaf.prop_recursive(20, 40, 4, move |piece| {
        let pieces = || prop::collection::vec(piece.clone(), 0..4);
        prop_oneof![
            4 => (prop::sample::select(kinds.clone()), pieces()).prop_map(|(of, inner)| Piece::Block(of, inner)),
            1 => (pieces(), pieces()).prop_map(|(first, second)| Piece::IfElse(first, second)),
            1 => (pieces(), pieces()).prop_map(|(source, code)| Piece::Instead(source, code)),
        ]
    });
    prop::collection::vec(piece, 0..8).prop_map(|pieces| {
        let mut fragment = Fragment::default();
        write(&pieces, &mut fragment);
        fragment
    })
}

/// An executable of such fragments, as the linker would make it of them.
fn executable() -> impl Strategy<Value = Executable> {
    let name = || any_name().prop_map(|name| Name::new(&name).unwrap());
    let symbols = prop::collection::btree_map(name(), (any::<u32>(), 0_usize..4), 0..6);
    let parts =
        (prop::collection::vec(name(), 0..3), symbols, prop::collection::vec((0_usize..9, fragment()), 0..6));
    parts.prop_map(|(entries, symbols, fragments)| {
        let symbol = |(name, (section, number))| {
            let compilation = Compilation::new(&format!("{number}.toy"), Vec::new()).unwrap().id();
            Symbol { name, section, compilation }
        };
        let mut strings = Strings::default();
        let sections = fragments.iter().map(|(number, fragment)| {
            let text = relocated(fragment, &mut strings);
            Section { fragment: digest(*number), text }
        });
        let sections = sections.collect();
        let symbols = symbols.into_iter().map(symbol).collect();
        Executable { entries, symbols, sections, strings: strings.into_vec() }
    })
}

fn relocated(fragment: &Fragment, strings: &mut Strings) -> Vec<u8> {
    let mut text = Vec::new();
    let mut string = |index| strings.intern(&fragment.fixups.get(index).unwrap().target);
    for instruction in Decoder::new(&fragment.text) {
        let instruction = match instruction.unwrap() {
            Instruction::Call(index) => Instruction::Call(string(index)),
            Instruction::String(index) => Instruction::String(string(index)),
            other => other,
        };
        encode(instruction, &mut text);
    }
    text
}

/// Reads the bytes of an executable's file of either form.
fn read(bytes: &[u8]) -> Executable {
    executable::from_bytes(Path::new("a.tx"), bytes).unwrap()
}

fn plain(bytes: &[u8]) -> Value {
    serde_yaml::from_slice(bytes).unwrap()
}

fn keys(value: &Value) -> Vec<String> {
    let keys = value.as_mapping().into_iter().flat_map(|mapping| mapping.keys());
    keys.map(|key| key.as_str().unwrap().to_owned()).collect()
}

fn hex<T: ToString>(all: impl IntoIterator<Item = T>) -> Vec<String> {
    all.into_iter().map(|one| one.to_string()).collect()
}

/// What a program that knows nothing of `toy` finds in a repository's file.
fn assert_plain(bytes: &[u8], all: &Everything) {
    let value = plain(bytes);
    assert_eq!(value["toy"], Value::from("repository"));
    assert_eq!(value["version"], Value::from(1));
    let (present, known): (Vec<_>, Vec<_>) =
        all.fragments.iter().partition(|(_, entry)| matches!(entry, Entry::Present(_)));
    assert_eq!(keys(&value["fragments"]), hex(present.iter().map(|(digest, _)| digest)));
    let list = |value: &Value| -> Vec<String> {
        value.as_sequence().into_iter().flatten().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list(&value["known"]), hex(known.iter().map(|(digest, _)| digest)));
    for (digest, entry) in present {
        let Entry::Present(stored) = entry else { continue };
        let fragment = stored.fragment().unwrap();
        let body = &value["fragments"][digest.to_string().as_str()];
        assert_eq!(body["checksum"], Value::from(stored.checksum().to_string()));
        let mut text = String::new();
        let target = |index| fragment.fixups.get(index).map(|fixup| &*fixup.target);
        listing::write(Decoder::new(&fragment.text), target, &mut text).unwrap();
        assert_eq!(body["text"], Value::from(text));
    }
    assert_eq!(keys(&value["compilations"]), hex(all.compilations.iter().map(Compilation::id)));
    for compilation in &all.compilations {
        let found = &value["compilations"][compilation.id().to_string().as_str()];
        assert_eq!(found["source"], Value::from(&**compilation.source()));
        let lines =
            found["definitions"].as_str().unwrap().lines().map(|line| line.split(' ').next().unwrap());
        let names = compilation.definitions().iter().map(|definition| definition.name.as_str());
        assert_eq!(lines.collect::<Vec<_>>(), names.collect::<Vec<_>>());
    }
    assert_eq!(keys(&value["links"]), hex(all.links.iter().map(|link| link.build)));
    for link in &all.links {
        let found = &value["links"][link.build.to_string().as_str()];
        let places = found.get("places").and_then(Value::as_sequence).into_iter().flatten();
        assert!(places.map(|place| place.as_str().unwrap()).eq(link.places.iter().map(Place::as_str)));
        assert_eq!(found.get("elsewhere").is_some(), link.elsewhere);
        assert_eq!(list(&found["compilations"]), hex(&link.compilations));
    }
    let entries = all.fragments.len() + all.compilations.len() + all.links.len();
    assert_eq!(value["trailer"]["entries"], Value::from(entries));
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn a_listing_is_read_back(fragment in fragment()) {
        let mut text = String::new();
        let target = |index| fragment.fixups.get(index).map(|fixup| &*fixup.target);
        listing::write(Decoder::new(&fragment.text), target, &mut text).unwrap();
        let mut fixups = Fixups::default();
        let read = listing::read(&text, |operand| match operand {
            Operand::Name(name) => fixups.intern(FixupKind::Strong, name),
            Operand::String(string) => fixups.intern(FixupKind::Weak, &string),
        });
        prop_assert_eq!(read.unwrap(), fragment.text.clone());
        prop_assert_eq!(&fixups, &fragment.fixups);
        let instructions = decode(&fragment.text, fixups.as_slice().len() as u32).unwrap();
        prop_assert_eq!(text.lines().count(), instructions.len(), "an instruction a line");
        let foreign = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
        prop_assert!(!text.contains(foreign), "{:?}", text);
    }

    #[test]
    fn a_body_is_read_back(fragment in fragment()) {
        let body = fragment.body();
        prop_assert_eq!(body.fragment().unwrap(), fragment.clone());
        let fixups = body.bytes().len() - fragment.text.len();
        for cut in 0..fixups {
            prop_assert!(Fragment::from_body(&body.bytes()[..cut]).is_err());
        }
    }

    #[test]
    fn both_forms_of_an_executable_hold_the_same(made in executable()) {
        let (yaml, binary) = (executable::to_yaml(&made).unwrap(), executable::to_binary(&made).unwrap());
        prop_assert_eq!(&read(yaml.as_bytes()), &made);
        prop_assert_eq!(&read(&binary), &made);
        prop_assert_eq!(executable::to_yaml(&read(&binary)).unwrap(), yaml.clone());
        prop_assert_eq!(executable::to_binary(&read(yaml.as_bytes())).unwrap(), binary.clone());
        prop_assert_eq!(identify(&binary), Some(Kind::Executable));
        prop_assert_eq!(identify(yaml.as_bytes()), Some(Kind::Executable));
    }

    #[test]
    fn no_line_breaks_a_reader(text in any_text(), mnemonic in "call|string|number|block|boolean|[a-z]*") {
        let line = format!("{mnemonic} {text}");
        let mut strings = Strings::default();
        // Any answer but a panic.
        _ = listing::read(&line, |operand| match operand {
            Operand::Name(name) => strings.intern(name),
            Operand::String(string) => strings.intern(&string),
        });
        _ = Fragment::from_body(line.as_bytes());
        _ = decode(line.as_bytes(), 3);
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn bodies_of_any_kind_are_kept_in_yaml(bodies in prop::collection::vec(fragment(), 1..4)) {
        let fragments = bodies.into_iter().enumerate().map(|(at, body)| (digest(at), Entry::Present(body.body())));
        let mut all = Everything { fragments: fragments.collect(), ..Everything::default() };
        parts::sort(&mut all);
        let shelf = Backend::Yaml.shelf();
        store(&all, &shelf.repository("repo"));
        prop_assert_eq!(&everything(&Repository::open(&shelf.file("repo"))), &all);
        assert_plain(&std::fs::read(shelf.file("repo")).unwrap(), &all);
    }

    #[test]
    fn a_repository_is_read_back_by_any_reader(all in parts::repository(2)) {
        let shelf = Backend::Yaml.shelf();
        store(&all, &shelf.repository("repo"));
        prop_assert_eq!(&everything(&Repository::open(&shelf.file("repo"))), &all);
        let bytes = std::fs::read(shelf.file("repo")).unwrap();
        assert_plain(&bytes, &all);
        // Written again from what was read, not a byte differs.
        prop_assert_eq!(bytes_of(&everything(&Repository::open(&shelf.file("repo")))), bytes);
    }

    #[test]
    fn names_of_sources_and_places_survive(source in any_text(), place in any_text()) {
        let Ok(compilation) = Compilation::new(&source, Vec::new()) else { return Ok(()) };
        let id = compilation.id();
        let build = toy::digest::BuildId::new(*id.digest());
        let link = LinkRecord::new(build, Place::new(&place), vec![id]);
        let all = Everything { compilations: vec![compilation], links: vec![link], ..Everything::default() };
        let shelf = Backend::Yaml.shelf();
        store(&all, &shelf.repository("repo"));
        prop_assert_eq!(&everything(&Repository::open(&shelf.file("repo"))), &all);
        let bytes = std::fs::read(shelf.file("repo")).unwrap();
        assert_plain(&bytes, &all);
        // Damage elsewhere does not lose it.
        let damaged = [bytes.as_slice(), b"x"].concat();
        std::fs::write(shelf.file("repo"), damaged).unwrap();
        let repository = Repository::open(&shelf.file("repo"));
        prop_assert_ne!(toy::check::repair(&repository).unwrap().problems, []);
        prop_assert_eq!(&everything(&repository), &all);
    }

    #[test]
    fn tickets_and_executables_are_read_back(program in program(), style in style()) {
        let repository = Repository::in_memory();
        let tickets = tickets(&compile_with(&repository, &program.sources(&style), LineTables::With));
        for one in &tickets {
            let text = ticket::to_yaml(one);
            prop_assert_eq!(ticket::from_yaml(Path::new("a.to"), text.as_bytes()).unwrap(), *one);
            prop_assert_eq!(&plain(text.as_bytes())["compilation"], &Value::from(one.compilation.to_string()));
        }
        let linked = link(&repository, &tickets).unwrap();
        let text = executable::to_yaml(&linked).unwrap();
        let read = read(text.as_bytes());
        prop_assert_eq!(&read, &linked);
        prop_assert_eq!(executable::to_yaml(&read).unwrap(), text.clone());
        let value = plain(text.as_bytes());
        prop_assert_eq!(&value["build"], &Value::from(linked.build_id().to_string()));
        prop_assert_eq!(&value["entries"][0], &Value::from("main"));
        prop_assert_eq!(value["sections"].as_sequence().map(Vec::len), Some(linked.sections.len()));
        let symbols = value["symbols"].as_str().unwrap().lines().count();
        prop_assert_eq!(symbols, linked.symbols.len());
        // Line tables are in the repository, and survive there.
        let all = everything(&repository);
        let shelf = Backend::Yaml.shelf();
        store(&all, &shelf.repository("repo"));
        prop_assert_eq!(everything(&Repository::open(&shelf.file("repo"))), all);
    }
}

#[test]
fn a_ticket_of_any_digest_is_a_string() {
    // Sixty-four decimal digits are a number to a reader of YAML, unless they stand in quotes.
    let digits = "1234567890".repeat(7)[..64].to_owned();
    for source in [None, Some(digits.parse().unwrap())] {
        let ticket = Ticket { compilation: digits.parse().unwrap(), source };
        let text = ticket::to_yaml(&ticket);
        let value = plain(text.as_bytes());
        assert_eq!(value["compilation"], Value::from(digits.clone()));
        assert_eq!(value.get("source"), source.map(|_| Value::from(digits.clone())).as_ref());
        assert_eq!(ticket::from_yaml(Path::new("a.to"), text.as_bytes()).unwrap(), ticket);
    }
}
