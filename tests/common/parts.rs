//! Repositories made at random from a small stock of parts, so that two of them often hold the same.

use proptest::prelude::*;
use toy::digest::{BuildId, CompilationId, Digest, FragmentDigest, Hasher};
use toy::isa::codec::encode;
use toy::isa::instruction::Instruction;
use toy::name::Name;
use toy::object::compilation::{Compilation, Definition};
use toy::object::fixup::{FixupKind, Fixups};
use toy::object::fragment::Fragment;
use toy::object::line_table::LineTable;
use toy::object::link_record::{LinkRecord, Place};
use toy::source::Position;
use toy::store::Entry;

use crate::kit::Everything;

const FRAGMENTS: usize = 8;
const COMPILATIONS: usize = 6;
const LINKS: usize = 4;

fn hash(domain: &str, number: usize) -> Digest {
    Hasher::new(domain, number as u32).finish()
}

pub(crate) fn digest(number: usize) -> FragmentDigest {
    FragmentDigest::new(hash("fragment", number))
}

/// The body of fragment `number`; a second version of it is what must never be.
pub(crate) fn body(number: usize, version: u8) -> Entry {
    let mut fixups = Fixups::default();
    let mut text = Vec::new();
    let callee = fixups.intern(FixupKind::Strong, &format!("p{}", number + 1));
    encode(Instruction::Call(callee), &mut text);
    encode(Instruction::Number(f64::from(version)), &mut text);
    Entry::Present(Fragment { text, fixups }.body())
}

fn compilation(number: usize) -> Compilation {
    let definition = |at: usize| Definition {
        name: Name::new(&format!("p{at}")).unwrap(),
        fragment: digest(at),
        line: 1 + at as u32,
        lines: LineTable::new(vec![Position { line: 0, column: 1 }, Position { line: 1, column: 3 }])
            .filter(|_| number.is_multiple_of(2)),
    };
    let definitions = (number..=number + number % 3).map(definition).collect();
    Compilation::new(&format!("file {number}.toy"), definitions).unwrap()
}

fn link(number: usize) -> LinkRecord {
    let mut compilations = vec![compilation(number).id(), compilation(number + 1).id()];
    compilations.sort();
    let place = (number.is_multiple_of(2)).then(|| Place::new(&format!("out/{number}.tx")).unwrap());
    LinkRecord::new(BuildId::new(hash("build", number)), place, compilations)
}

/// A repository. Each fragment is absent, known, or present, with the second body for the greatest number drawn.
pub(crate) fn repository(greatest: u8) -> impl Strategy<Value = Everything> {
    let drawn = (
        prop::collection::vec(0..=greatest, FRAGMENTS),
        prop::collection::vec(any::<bool>(), COMPILATIONS),
        prop::collection::vec(any::<bool>(), LINKS),
    );
    drawn.prop_map(|(fragments, compilations, links)| {
        let entry = |number, state| match state {
            0 => None,
            1 => Some((digest(number), Entry::Known)),
            version => Some((digest(number), body(number, version))),
        };
        let fragments = fragments.iter().enumerate().filter_map(|(at, state)| entry(at, *state));
        let mut all = Everything { fragments: fragments.collect(), ..Everything::default() };
        let has = |wanted: &Definition| all.fragments.iter().any(|(digest, _)| *digest == wanted.fragment);
        let chosen = (0..COMPILATIONS).filter(|at| compilations[*at]).map(compilation);
        all.compilations = chosen.filter(|compilation| compilation.definitions().iter().all(has)).collect();
        let there = |id: &CompilationId| all.compilations.iter().any(|compilation| compilation.id() == *id);
        let chosen = (0..LINKS).filter(|at| links[*at]).map(link);
        all.links = chosen.filter(|link| link.compilations.iter().all(there)).collect();
        sort(&mut all);
        all
    })
}

/// Puts everything into the order of a repository.
pub(crate) fn sort(all: &mut Everything) {
    all.fragments.sort_by_key(|(digest, _)| *digest);
    all.compilations.sort_by_key(Compilation::id);
    all.links.sort_by_key(|link| link.build);
}
