//! What the program needs: everything that its entry points refer to, strongly or weakly.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use rayon::prelude::*;

use super::chunk::{BodyIndex, Chunk, Decoder};
use super::error::LinkError;
use super::resolve::{Defined, Definitions, Meaning};
use super::undefined::nearest;
use crate::name::Name;
use crate::store::{Found, Haul, Places, StoreError, View};

/// What is reachable.
pub(super) struct Program<'m> {
    /// The definitions in the order in which they were reached, which depends on the entry points alone.
    pub definitions: Vec<Reached<'m>>,
    /// Their code, in the same order; definitions with the same code share it.
    pub bodies: Vec<BodyIndex>,
    /// Where their code is.
    pub chunks: Vec<Chunk>,
}

/// A definition that the program needs.
pub(super) struct Reached<'m> {
    pub defined: Defined<'m>,
    /// Index of its code in [`Program::bodies`].
    pub body: u32,
    /// Who first referred to it; entry points have nobody.
    pub referrer: Option<&'m Name>,
}

/// Follows references from the entry points, nearest first.
pub(super) fn reach<'m>(
    view: &dyn View,
    definitions: &Definitions<'m>,
    entries: &[Name],
) -> Result<Program<'m>, Vec<LinkError>> {
    let mut errors = Vec::new();
    let mut walk = Walk::new(definitions);
    for entry in entries {
        match definitions.meaning(entry.as_str()) {
            Some(Meaning::Definition(number)) => walk.front.visit(number, None),
            Some(Meaning::Operator(_)) | None => errors.push(missing_entry(entry, definitions)),
        }
    }
    // Level by level: all bodies of a level are read together.
    while !walk.front.level.is_empty() {
        let level = mem::take(&mut walk.front.level);
        let wanted = walk.number(&level);
        errors.extend(walk.fetch(view, &wanted).map_err(|error| vec![error.into()])?);
        level.into_iter().for_each(|visit| walk.enter(visit));
    }
    let Walk { definitions, bodies, chunks, .. } = walk;
    let bodies = bodies.into_iter().flatten().collect();
    let program = Program { definitions, bodies, chunks };
    if errors.is_empty() { Ok(program) } else { Err(errors) }
}

/// A walk over the definitions.
struct Walk<'d, 'm> {
    front: Front<'d, 'm>,
    definitions: Vec<Reached<'m>>,
    /// The bodies in the order in which they are reached; what could not be read is an error by then.
    bodies: Vec<Option<BodyIndex>>,
    chunks: Vec<Chunk>,
    /// The index of a body, by rank of its digest.
    indices: Vec<Option<u32>>,
    /// Where the bodies lie, as far as that is known.
    places: Places,
}

/// Where a walk goes on.
struct Front<'d, 'm> {
    definitions: &'d Definitions<'m>,
    /// By number of definition.
    is_reached: Vec<bool>,
    level: Vec<Visit<'m>>,
}

/// A definition on the way, with who referred to it.
struct Visit<'m> {
    rank: u32,
    defined: Defined<'m>,
    referrer: Option<&'m Name>,
}

/// A body that is to be read.
struct Wanted<'m> {
    rank: u32,
    index: u32,
    defined: Defined<'m>,
}

impl<'m> Front<'_, 'm> {
    /// Notes a definition for the next level, unless it was reached before.
    fn visit(&mut self, number: u32, referrer: Option<&'m Name>) {
        if !mem::replace(&mut self.is_reached[number as usize], true) {
            let (rank, defined) = (self.definitions.rank(number), self.definitions.get(number));
            self.level.push(Visit { rank, defined, referrer });
        }
    }
}

impl<'d, 'm> Walk<'d, 'm> {
    fn new(all: &'d Definitions<'m>) -> Self {
        let front = Front { definitions: all, is_reached: vec![false; all.len()], level: Vec::new() };
        let (definitions, bodies, chunks) = (Vec::new(), Vec::new(), Vec::new());
        let indices = vec![None; all.len()];
        Self { front, definitions, bodies, chunks, indices, places: Places::default() }
    }

    /// Gives each body of a level that is new its index, and all of them in ascending order of their digests.
    fn number(&mut self, level: &[Visit<'m>]) -> Vec<Wanted<'m>> {
        let mut wanted = Vec::new();
        for Visit { rank, defined, .. } in level {
            let index = &mut self.indices[*rank as usize];
            // Of several with one digest, the first that was reached tells what is wrong with it.
            if index.is_none() {
                let new = self.bodies.len() as u32;
                *index = Some(new);
                wanted.push(Wanted { rank: *rank, index: new, defined: *defined });
                self.bodies.push(None);
            }
        }
        wanted.par_sort_unstable_by_key(|wanted| wanted.rank);
        wanted
    }

    /// Copies bodies out of the repository, each once: one thread reads, all check and decode what was read. Gives what
    /// is wrong with single ones.
    fn fetch(&mut self, view: &dyn View, wanted: &[Wanted<'_>]) -> Result<Vec<LinkError>, StoreError> {
        let mut decoded = decode_all(view, wanted, self.front.definitions, &mut self.places)?;
        // Neither in which order a store reads nor which thread was done first is seen in the result.
        decoded.sort_unstable_by_key(|(number, ..)| *number);
        let mut failed = Vec::new();
        for (_, chunk, bodies) in decoded {
            let number = self.chunks.len() as u32;
            self.chunks.push(chunk);
            for (at, body) in bodies {
                match body {
                    Ok(body) => {
                        self.bodies[wanted[at].index as usize] = Some(BodyIndex { chunk: number, body })
                    }
                    Err(error) => failed.push((at, error)),
                }
            }
        }
        failed.sort_by_key(|(at, _)| *at);
        Ok(failed.into_iter().map(|(_, error)| error).collect())
    }

    /// Adds a definition whose body was read, and notes what it refers to.
    fn enter(&mut self, Visit { rank, defined, referrer }: Visit<'m>) {
        let Some(index) = self.indices[rank as usize] else { return };
        let Some(BodyIndex { chunk, body }) = self.bodies[index as usize] else { return };
        for callee in self.chunks[chunk as usize].callees(body) {
            self.front.visit(*callee, Some(&defined.definition.name));
        }
        self.definitions.push(Reached { defined, body: index, referrer });
    }
}

/// Which body of a chunk each member of a haul became.
type Bodies = Vec<(usize, Result<u32, LinkError>)>;

/// The number of a haul, and what was made of it.
type Decoded = (usize, Chunk, Bodies);

/// Reads on this thread, which alone may use the view; decodes on the others, and on this one when they have enough.
fn decode_all(
    view: &dyn View,
    wanted: &[Wanted<'_>],
    definitions: &Definitions<'_>,
    places: &mut Places,
) -> Result<Vec<Decoded>, StoreError> {
    let ranks = wanted.iter().map(|wanted| wanted.rank as usize).collect::<Vec<_>>();
    let enough = 2 * (rayon::current_num_threads() - 1);
    let waiting = &AtomicUsize::new(0);
    let (done, decoded) = mpsc::channel();
    let mut number = 0;
    rayon::in_place_scope(|scope| {
        view.for_some(definitions.fragments(), &ranks, places, &mut |haul| {
            let (done, this) = (done.clone(), number);
            number += 1;
            let work = move || {
                let (chunk, bodies) = decode(haul, wanted, definitions);
                // The receiver lives longer.
                _ = done.send((this, chunk, bodies));
            };
            if waiting.load(Ordering::Relaxed) >= enough {
                work();
                return Ok(());
            }
            waiting.fetch_add(1, Ordering::Relaxed);
            scope.spawn(move |_| {
                work();
                waiting.fetch_sub(1, Ordering::Relaxed);
            });
            Ok(())
        })
    })?;
    drop(done);
    Ok(decoded.into_iter().collect())
}

/// Holds what was read against its checksums, and decodes it.
fn decode(mut haul: Haul, wanted: &[Wanted<'_>], definitions: &Definitions<'_>) -> (Chunk, Bodies) {
    let mut decoder = Decoder::new(definitions, haul.bytes());
    let decoded = haul.entries().map(|(at, found)| (at, add(&mut decoder, found, &wanted[at].defined)));
    let decoded = decoded.collect();
    (decoder.finish(), decoded)
}

fn add<'h>(
    decoder: &mut Decoder<'h, '_, '_>,
    found: Result<Option<Found<'h>>, StoreError>,
    defined: &Defined<'_>,
) -> Result<u32, LinkError> {
    let found = found?;
    if let Some(Found::Present(digest, body)) = found {
        return Ok(decoder.add(digest, body)?);
    }
    let (name, digest) = (defined.definition.name.clone(), defined.definition.fragment);
    let site = Box::new(defined.site());
    Err(match found {
        Some(_) => LinkError::Stripped { name, digest, site },
        None => LinkError::Missing { name, digest, site },
    })
}

fn missing_entry(name: &Name, definitions: &Definitions<'_>) -> LinkError {
    let names = definitions.names();
    let help = match nearest(name.as_str(), names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "define it, or name another one with `-E`".to_owned(),
    };
    LinkError::Entry { name: name.clone(), help }
}
