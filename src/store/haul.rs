//! Entries that a store read together, with one piece of memory for all their bodies.
//!
//! Deliberately absent: a way to a body that is not held against its checksum.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use super::backend::View;
use super::error::StoreError;
use super::places::Member;
use super::repository::Entry;
use crate::digest::{Checksum, FragmentDigest};

/// Entries, each with its place among the digests that were asked for.
#[derive(Debug, Default)]
pub struct Haul {
    bytes: Vec<u8>,
    members: Vec<Placed>,
}

/// What was read, with its place.
type Placed = (usize, Result<Option<Kept>, StoreError>);

#[derive(Debug)]
enum Kept {
    Known,
    /// The digest, where its body is, and the checksum that it should have.
    Stored(FragmentDigest, Range<usize>, Checksum),
}

/// An entry where it lies in a haul.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'h> {
    /// Only the digest is known.
    Known,
    /// The digest, and the body that is stored under it.
    Present(FragmentDigest, &'h [u8]),
}

/// A haul has so many members or bytes, and at most what is read together more.
const MEMBERS: usize = 512;
const BYTES: usize = 1 << 20;

impl Haul {
    /// An empty haul with room for what it will be.
    pub fn with_room() -> Self {
        Self { bytes: Vec::with_capacity(BYTES / 4), members: Vec::with_capacity(MEMBERS) }
    }

    /// Whether the next entry should go into another one.
    pub const fn is_full(&self) -> bool {
        self.members.len() >= MEMBERS || self.bytes.len() >= BYTES
    }

    /// Whether nothing is in it.
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// How many bytes all its bodies have.
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Adds what a store has without a body, or what is wrong with it.
    pub fn add(&mut self, at: usize, entry: Result<Option<Entry>, StoreError>, digest: &FragmentDigest) {
        match entry {
            Err(error) => self.members.push((at, Err(error))),
            Ok(None) => self.members.push((at, Ok(None))),
            Ok(Some(Entry::Known)) => self.members.push((at, Ok(Some(Kept::Known)))),
            Ok(Some(Entry::Present(body))) => self.read(at, digest, body.checksum(), |bytes| {
                bytes.extend_from_slice(body.bytes());
                Ok(())
            }),
        }
    }

    /// Adds a body that `read` appends to the bytes, or says why it cannot.
    pub fn read(
        &mut self,
        at: usize,
        digest: &FragmentDigest,
        checksum: Checksum,
        read: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
    ) {
        let start = self.bytes.len();
        let member = match read(&mut self.bytes) {
            Ok(()) => Ok(Some(Kept::Stored(*digest, start..self.bytes.len(), checksum))),
            Err(reason) => Err(StoreError::Body { digest: *digest, reason }),
        };
        self.members.push((at, member));
    }

    /// Adds bodies that lie together: `read` appends all of them, and each is somewhere in what it appended. When it fails,
    /// or one would not be there, nothing is added.
    pub fn read_all(
        &mut self,
        bodies: impl Iterator<Item = (usize, FragmentDigest, Range<usize>, Checksum)>,
        read: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
    ) -> Result<(), String> {
        let (start, members) = (self.bytes.len(), self.members.len());
        let mut result = read(&mut self.bytes);
        let room = self.bytes.len() - start;
        for (at, digest, Range { start: from, end }, checksum) in bodies {
            if end > room {
                result = Err("it is not where it should be".to_owned());
            }
            self.members.push((at, Ok(Some(Kept::Stored(digest, start + from..start + end, checksum)))));
        }
        if result.is_err() {
            self.bytes.truncate(start);
            self.members.truncate(members);
        }
        result
    }

    /// The entries, in the order in which they were read; all bodies are held against their checksums first.
    pub fn entries(&mut self) -> impl Iterator<Item = (usize, Result<Option<Found<'_>>, StoreError>)> {
        self.hold();
        let Self { bytes, members } = self;
        let found = |member| match member {
            Kept::Known => Found::Known,
            Kept::Stored(digest, range, _) => Found::Present(digest, &bytes[range]),
        };
        members.drain(..).map(move |(at, member)| (at, member.map(|member| member.map(found))))
    }

    /// Holds all bodies against their checksums, and leaves out what has none. The first that is damaged is the error.
    fn held(mut self) -> Result<Held, StoreError> {
        self.hold();
        let Self { bytes, members } = self;
        let mut bodies = Vec::with_capacity(members.len());
        for (at, member) in members {
            if let Some(Kept::Stored(_, range, checksum)) = member? {
                bodies.push((at, range, checksum));
            }
        }
        Ok(Held { bytes, bodies })
    }

    /// Makes an error of each body that does not fit its checksum.
    fn hold(&mut self) {
        let Self { bytes, members } = self;
        let stored = |(_, member): &Placed| match member {
            Ok(Some(Kept::Stored(_, range, _))) => Some(&bytes[range.clone()]),
            Ok(Some(Kept::Known) | None) | Err(_) => None,
        };
        let mut found = Checksum::of_each(&members.iter().filter_map(stored).collect::<Vec<_>>()).into_iter();
        for (_, member) in members {
            if let Ok(Some(Kept::Stored(digest, _, checksum))) = member
                && found.next() != Some(*checksum)
            {
                let (digest, reason) = (*digest, "its checksum does not fit".to_owned());
                *member = Err(StoreError::Body { digest, reason });
            }
        }
    }
}

/// Bodies that were read together, and fit their checksums.
#[derive(Debug)]
pub struct Held {
    bytes: Vec<u8>,
    bodies: Vec<(usize, Range<usize>, Checksum)>,
}

impl Held {
    /// Each body with its place among the digests that were asked for, and its checksum.
    pub fn bodies(&self) -> impl Iterator<Item = (usize, &[u8], Checksum)> {
        self.bodies.iter().map(|(at, range, checksum)| (*at, &self.bytes[range.clone()], *checksum))
    }
}

/// Gives the bodies of many members of a view to `add`, in the order in which they were read, held against their checksums.
/// Another thread reads and holds, where there may be one and the view has a twin for it.
pub fn for_held(
    view: &dyn View,
    members: &[Member],
    mut add: impl FnMut(Held) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let Some(twin) = view.twin_for(members.len() >= MANY) else {
        return view.for_members(members, &mut |haul| add(haul.held()?));
    };
    thread::scope(|scope| {
        let (done, ready) = mpsc::sync_channel(WAITING);
        let read = move || {
            let read = twin.for_members(members, &mut |haul| done.send(haul.held()).map_err(|_| unheard()));
            _ = read.map_err(|error| done.send(Err(error)));
        };
        match thread::Builder::new().spawn_scoped(scope, read) {
            Ok(_) => ready.into_iter().try_for_each(|held| add(held?)),
            // The system has no thread to spare.
            Err(_) => view.for_members(members, &mut |haul| add(haul.held()?)),
        }
    })
}

/// Ends the reading where nobody wants what is read, since something else is an error already: nobody hears of this one.
fn unheard() -> StoreError {
    let source = io::ErrorKind::BrokenPipe.into();
    StoreError::Io { action: "pass on", path: PathBuf::new(), source }
}

/// Fewer members are not worth another thread.
const MANY: usize = 4096;

/// So many hauls wait for the one who adds.
const WAITING: usize = 4;
