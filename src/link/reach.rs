//! What the program needs: everything that its entry points refer to, strongly or weakly.

use std::mem;

use rayon::prelude::*;

use super::chunk::{Body, Chunk, Decoder, Target};
use super::error::LinkError;
use super::resolve::{Defined, Definitions, Meaning};
use super::undefined::nearest;
use crate::name::Name;
use crate::object::fragment::Parts;
use crate::store::{Entry, StoreError, View};

/// What is reachable.
pub(super) struct Program<'m> {
    /// The definitions in the order in which they were reached, which depends on the entry points alone.
    pub definitions: Vec<Reached<'m>>,
    /// Their code, in the same order; definitions with the same code share it.
    pub bodies: Vec<Body>,
    /// What their code refers to.
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
    let program = Program { definitions, bodies: bodies.into_iter().flatten().collect(), chunks };
    if errors.is_empty() { Ok(program) } else { Err(errors) }
}

/// A walk over the definitions.
struct Walk<'d, 'm> {
    front: Front<'d, 'm>,
    definitions: Vec<Reached<'m>>,
    /// The bodies in the order in which they are reached; what could not be read is an error by then.
    bodies: Vec<Option<Body>>,
    chunks: Vec<Chunk>,
    /// The index of a body, by rank of its digest.
    indices: Vec<Option<u32>>,
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
        Self { front, definitions, bodies, chunks, indices: vec![None; all.len()] }
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
        wanted.sort_unstable_by_key(|wanted| wanted.rank);
        wanted
    }

    /// Copies bodies out of the repository, each once. They are decoded, and their fixups looked up, on all threads.
    /// Gives what is wrong with single ones.
    fn fetch(&mut self, view: &dyn View, wanted: &[Wanted<'_>]) -> Result<Vec<LinkError>, StoreError> {
        let digests = wanted.iter().map(|wanted| wanted.defined.definition.fragment).collect::<Vec<_>>();
        let definitions = self.front.definitions;
        let mut failed = Vec::new();
        view.for_entries(&digests, &mut |batch| {
            let decode = |batch: &[Read]| decode(batch, wanted, definitions);
            for (chunk, decoded) in batch.par_chunks(FEW).map(decode).collect::<Vec<_>>() {
                for (at, body) in decoded {
                    match body {
                        Ok(mut body) => {
                            body.chunk = self.chunks.len() as u32;
                            self.bodies[wanted[at].index as usize] = Some(body);
                        }
                        Err(error) => failed.push((at, error)),
                    }
                }
                self.chunks.push(chunk);
            }
            failed.extend(batch.into_iter().filter_map(|(at, read)| Some((at, read.err()?.into()))));
        })?;
        // In which order a store reads is its own affair.
        failed.sort_by_key(|(at, _)| *at);
        Ok(failed.into_iter().map(|(_, error)| error).collect())
    }

    /// Adds a definition whose body was read, and notes what it refers to.
    fn enter(&mut self, Visit { rank, defined, referrer }: Visit<'m>) {
        let Some(index) = self.indices[rank as usize] else { return };
        let Some(body) = &self.bodies[index as usize] else { return };
        for target in self.chunks[body.chunk as usize].targets(body) {
            // Strong or weak: a procedure that is named is kept.
            if let Target::Known(Meaning::Definition(number)) = *target {
                self.front.visit(number, Some(&defined.definition.name));
            }
        }
        self.definitions.push(Reached { defined, body: index, referrer });
    }
}

/// What a store gave for one of the digests.
type Read = (usize, Result<Option<Entry>, StoreError>);

/// What it was decoded to.
type Decoded = (usize, Result<Body, LinkError>);

/// Decodes what could be read.
fn decode(read: &[Read], wanted: &[Wanted<'_>], definitions: &Definitions<'_>) -> (Chunk, Vec<Decoded>) {
    let mut decoder = Decoder::new(definitions);
    let entries = read.iter().filter_map(|(at, entry)| Some((*at, entry.as_ref().ok()?)));
    let decoded = entries.map(|(at, entry)| {
        let defined = &wanted[at].defined;
        let parts = parts(entry.as_ref(), defined);
        (at, parts.map(|parts| decoder.add(defined.definition.fragment, &parts)))
    });
    let decoded = decoded.collect();
    (decoder.finish(), decoded)
}

fn parts<'e>(entry: Option<&'e Entry>, defined: &Defined<'_>) -> Result<Parts<'e>, LinkError> {
    let digest = defined.definition.fragment;
    let lost = || (defined.definition.name.clone(), Box::new(defined.site()));
    let Some(entry) = entry else {
        let (name, site) = lost();
        return Err(LinkError::Missing { name, digest, site });
    };
    entry.parts(&digest)?.ok_or_else(|| {
        let (name, site) = lost();
        LinkError::Stripped { name, digest, site }
    })
}

/// So many bodies are decoded by one thread.
const FEW: usize = 256;

fn missing_entry(name: &Name, definitions: &Definitions<'_>) -> LinkError {
    let names = definitions.names();
    let help = match nearest(name.as_str(), names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "define it, or name another one with `-E`".to_owned(),
    };
    LinkError::Entry { name: name.clone(), help }
}
