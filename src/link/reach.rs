//! What the program needs: everything that its entry points refer to, strongly or weakly.

use std::hint;
use std::mem;
use std::sync::mpsc;

use rayon::prelude::*;

use super::chunk::{Chunk, Decoder};
use super::error::LinkError;
use super::resolve::Definitions;
use super::strings::Strings;
use super::undefined::nearest;
use crate::name::Name;
use crate::store::wire::executable::image;
use crate::store::{Crew, Found, Haul, Places, StoreError, View};

/// What is reachable.
pub(super) struct Program {
    /// The definitions in the order in which they were reached, which depends on the entry points alone.
    pub definitions: Vec<Reached>,
    /// Their code, in the same order; definitions with the same code share it.
    pub bodies: Vec<Body>,
    /// Where their code is. Its targets are numbers of strings.
    pub chunks: Vec<Chunk>,
    /// The strings, in the order of their first use.
    pub strings: Strings,
}

/// Code that the program needs: a body of a chunk.
#[derive(Clone, Copy)]
pub(super) struct Body {
    pub chunk: u32,
    pub index: u32,
}

/// A definition that the program needs.
#[derive(Clone, Copy)]
pub(super) struct Reached {
    /// The definition's number.
    pub number: u32,
    /// Index of its code in [`Program::bodies`].
    pub body: u32,
    /// The number of who first referred to it; entry points have nobody.
    pub referrer: Option<u32>,
}

impl Program {
    /// The section that a body becomes, with indices of fixups for operands.
    pub(super) fn section(&self, body: Body) -> &[u8] {
        self.chunks[body.chunk as usize].section(body.index)
    }

    /// The code of a body, with indices of fixups for operands.
    pub(super) fn code(&self, body: Body) -> &[u8] {
        self.section(body).get(image::section_size(0)..).unwrap_or_default()
    }

    /// What the operands in the code of a body are: numbers of strings.
    pub(super) fn operands(&self, body: Body) -> &[u32] {
        self.chunks[body.chunk as usize].targets(body.index)
    }
}

/// So many bodies are fetched at once: each is somewhere else in memory, and the processor can wait for several together.
pub(super) const TOGETHER: usize = 16;

/// Follows references from the entry points, nearest first. While bodies are read, what was read before is walked over: then
/// there are others to be read.
pub(super) fn reach(
    view: &dyn View,
    definitions: &Definitions,
    entries: &[Name],
) -> Result<Program, Vec<LinkError>> {
    let mut errors = Vec::new();
    let (mut walk, mut places) = (Walk::new(definitions), Places::default());
    for entry in entries {
        match definitions.definition(entry.as_str()) {
            Some(number) => walk.front.visit(0, number, None),
            None => errors.push(missing_entry(entry, definitions)),
        }
    }
    let mut read = Vec::new();
    while !(walk.front.found.is_empty() && read.is_empty()) {
        if walk.front.found.is_empty() && read.len() > FEW {
            // Then there is something to read while the rest of it is walked over.
            let rest = read.split_off(read.len() / 2);
            walk.enter_all(&mem::replace(&mut read, rest));
        }
        let found = mem::take(&mut walk.front.found);
        let wanted = walk.number(&found);
        let decoded = decode_all(view, &wanted, definitions, &mut places, || walk.enter_all(&read));
        walk.keep(&wanted, decoded.map_err(|error| vec![error.into()])?);
        read = found;
    }
    let Walk { definitions, bodies, chunks, strings, mut failed, .. } = walk;
    failed.sort_by_key(|(level, rank, _)| (*level, *rank));
    errors.extend(failed.into_iter().map(|(.., error)| error));
    let bodies = bodies.into_iter().flatten().collect();
    let program = Program { definitions, bodies, chunks, strings };
    if errors.is_empty() { Ok(program) } else { Err(errors) }
}

/// Fewer definitions are not worth another look at the repository.
const FEW: usize = 1024;

/// A walk over the definitions.
struct Walk<'d> {
    front: Front<'d>,
    definitions: Vec<Reached>,
    /// The bodies in the order in which they are reached; what could not be read is an error by then.
    bodies: Vec<Option<Body>>,
    /// How many of them were entered: whose targets are numbers of strings.
    entered: u32,
    chunks: Vec<Chunk>,
    /// The meanings of each chunk's words.
    words: Vec<Vec<u32>>,
    strings: Strings,
    /// The index of a body, by rank of its digest.
    indices: Vec<Option<u32>>,
    /// What is wrong with bodies, with the level on which they were reached and the rank of their digests.
    failed: Vec<(u32, u32, LinkError)>,
}

/// Where a walk goes on.
struct Front<'d> {
    definitions: &'d Definitions,
    /// By number of definition.
    is_reached: Vec<bool>,
    /// Whose bodies are to be read next.
    found: Vec<Visit>,
}

/// A definition on the way, with who referred to it.
struct Visit {
    /// How many references away from an entry point it is.
    level: u32,
    rank: u32,
    number: u32,
    referrer: Option<u32>,
}

/// A body that is to be read.
struct Wanted {
    level: u32,
    rank: u32,
    index: u32,
    /// The definition that is told when something is wrong with it.
    number: u32,
}

impl Front<'_> {
    /// Notes a definition on a level, unless it was reached before.
    fn visit(&mut self, level: u32, number: u32, referrer: Option<u32>) {
        if !mem::replace(&mut self.is_reached[number as usize], true) {
            self.found.push(Visit { level, rank: self.definitions.rank(number), number, referrer });
        }
    }
}

impl<'d> Walk<'d> {
    fn new(all: &'d Definitions) -> Self {
        Self {
            front: Front { definitions: all, is_reached: vec![false; all.len()], found: Vec::new() },
            definitions: Vec::new(),
            bodies: Vec::new(),
            entered: 0,
            chunks: Vec::new(),
            words: Vec::new(),
            strings: Strings::new(all.known()),
            indices: vec![None; all.len()],
            failed: Vec::new(),
        }
    }

    /// Gives each body that is new its index, and all of them in ascending order of their digests.
    fn number(&mut self, found: &[Visit]) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for Visit { level, rank, number, .. } in found {
            let index = &mut self.indices[*rank as usize];
            // Of several with one digest, the first that was reached tells what is wrong with it.
            if index.is_none() {
                let new = self.bodies.len() as u32;
                *index = Some(new);
                wanted.push(Wanted { level: *level, rank: *rank, index: new, number: *number });
                self.bodies.push(None);
            }
        }
        wanted.par_sort_unstable_by_key(|wanted| wanted.rank);
        wanted
    }

    /// Keeps bodies that were read.
    fn keep(&mut self, wanted: &[Wanted], mut decoded: Vec<Decoded>) {
        // Neither in which order a store reads nor which thread was done first is seen in the result.
        decoded.sort_unstable_by_key(|(number, ..)| *number);
        for (_, mut new, bodies) in decoded {
            let chunk = self.chunks.len() as u32;
            self.words.push(self.strings.add(new.take_words()));
            self.chunks.push(new);
            for (at, body) in bodies {
                let Wanted { level, rank, index: to, .. } = wanted[at];
                match body {
                    Ok(index) => self.bodies[to as usize] = Some(Body { chunk, index }),
                    Err(error) => self.failed.push((level, rank, error)),
                }
            }
        }
    }

    /// Adds definitions whose bodies were read, and notes what they refer to.
    fn enter_all(&mut self, read: &[Visit]) {
        for near in read.chunks(TOGETHER) {
            let body = |visit: &Visit| self.bodies[self.indices[visit.rank as usize]? as usize];
            let touch = |body: Body| self.chunks[body.chunk as usize].touch_targets(body.index);
            hint::black_box(near.iter().filter_map(body).map(touch).fold(0, usize::wrapping_add));
            near.iter().for_each(|visit| self.enter(visit));
        }
    }

    /// Adds a definition. Who first comes to a body numbers its strings.
    fn enter(&mut self, &Visit { level, rank, number, referrer }: &Visit) {
        let Some(body) = self.indices[rank as usize] else { return };
        let is_new = body == self.entered;
        self.entered += u32::from(is_new);
        let Some(Body { chunk, index }) = self.bodies[body as usize] else { return };
        self.definitions.push(Reached { number, body, referrer });
        if !is_new {
            return;
        }
        let (all, known) = (self.front.definitions.len(), self.front.definitions.known());
        for target in self.chunks[chunk as usize].targets_mut(index) {
            let meaning = match (*target as usize).checked_sub(known) {
                None => *target,
                Some(word) => self.words[chunk as usize][word],
            };
            let (string, is_new) = self.strings.number(meaning);
            // Strong or weak: a procedure that is named is kept.
            if is_new && (meaning as usize) < all {
                self.front.visit(level + 1, meaning, Some(number));
            }
            *target = string;
        }
    }
}

/// Which body of a chunk each member of a haul became.
type Bodies = Vec<(usize, Result<u32, LinkError>)>;

/// The number of a haul, and what was made of it.
type Decoded = (usize, Chunk, Bodies);

/// Copies bodies out of the repository, each once. This thread reads, as it alone may use the view; the others do something
/// else, which is more important, and check and decode what was read, as does this one when they have enough.
fn decode_all(
    view: &dyn View,
    wanted: &[Wanted],
    definitions: &Definitions,
    places: &mut Places,
    other: impl FnOnce() + Send,
) -> Result<Vec<Decoded>, StoreError> {
    let ranks = wanted.iter().map(|wanted| wanted.rank as usize).collect::<Vec<_>>();
    let crew = &Crew::others();
    let (done, decoded) = mpsc::channel();
    let mut number = 0;
    rayon::in_place_scope(|scope| {
        scope.spawn(|_| other());
        view.for_some(definitions.fragments(), &ranks, places, &mut |haul| {
            let (done, this) = (done.clone(), number);
            number += 1;
            let work = move || {
                let (chunk, bodies) = decode(haul, wanted, definitions);
                // The receiver lives longer.
                _ = done.send((this, chunk, bodies));
            };
            crew.give(scope, work);
            Ok(())
        })
    })?;
    drop(done);
    Ok(decoded.into_iter().collect())
}

/// Holds what was read against its checksums, and decodes it.
fn decode(mut haul: Haul, wanted: &[Wanted], definitions: &Definitions) -> (Chunk, Bodies) {
    let mut decoder = Decoder::new(definitions, haul.bytes());
    let decoded =
        haul.entries().map(|(at, found)| (at, add(&mut decoder, found, definitions, wanted[at].number)));
    let decoded = decoded.collect();
    (decoder.finish(), decoded)
}

fn add<'h>(
    decoder: &mut Decoder<'h, '_>,
    found: Result<Option<Found<'h>>, StoreError>,
    definitions: &Definitions,
    number: u32,
) -> Result<u32, LinkError> {
    let found = found?;
    if let Some(Found::Present(digest, body)) = found {
        return Ok(decoder.add(digest, body)?);
    }
    let (name, digest) = (definitions.name(number).into(), definitions.outlined(number).fragment);
    let site = Box::new(definitions.site(number));
    Err(match found {
        Some(_) => LinkError::Stripped { name, digest, site },
        None => LinkError::Missing { name, digest, site },
    })
}

fn missing_entry(name: &Name, definitions: &Definitions) -> LinkError {
    let names = definitions.names();
    let help = match nearest(name.as_str(), names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "define it, or name another one with `-E`".to_owned(),
    };
    LinkError::Entry { name: name.as_str().into(), help }
}
