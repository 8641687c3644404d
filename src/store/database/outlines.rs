//! Outlines of compilations: one thread reads their bytes, all hold them against their ids and take out what is wanted.
//!
//! Deliberately absent: the bytes, once that is done.

use std::ops::Range;
use std::sync::mpsc;

use super::connection::Connection;
use super::rows::Rows;
use crate::digest::{Checksum, CompilationId};
use crate::object::compilation::id_of;
use crate::object::outline::Outline;
use crate::store::backend::Outlines;
use crate::store::crew::Crew;
use crate::store::error::StoreError;
use crate::store::places::{Location, Slot};
use crate::store::wire::record;

/// So many bytes are read before they are looked at.
const TOGETHER: usize = 1 << 17;

/// A record that was read: its place among the ids, where its bytes are, and the checksum that they should have.
type Piece = (usize, Result<Range<usize>, String>, Checksum);

impl Connection {
    /// The outlines of the compilations that slots stand for.
    pub(super) fn outlines_at(
        &self,
        ids: &[CompilationId],
        slots: &[Option<Slot>],
    ) -> Result<Outlines, StoreError> {
        self.map()?;
        let mut outlines = ids.iter().map(|_| Ok(None)).collect::<Outlines>();
        let stored = |(at, slot): (usize, &Option<Slot>)| match slot {
            Some(Slot::Stored(location)) => Some((at, *location)),
            Some(Slot::Known) | None => None,
        };
        let mut wanted = slots.iter().enumerate().filter_map(stored).collect::<Vec<_>>();
        wanted.sort_unstable_by_key(|(_, location)| (location.row, location.offset));
        for (at, made) in self.make_all(&wanted, ids) {
            outlines[at] = made.map(Some).map_err(damaged(&ids[at]));
        }
        Ok(outlines)
    }

    /// Reads on this thread, which alone may use the connection; the others have what was read, and this one when they have
    /// enough.
    fn make_all(&self, wanted: &[(usize, Location)], ids: &[CompilationId]) -> Vec<(usize, Made)> {
        let crew = &Crew::others();
        let (done, made) = mpsc::channel();
        let (mut rows, mut rest) = (Rows::of(self), wanted.iter());
        rayon::in_place_scope(|scope| {
            while let Some((bytes, pieces)) = read(&mut rows, &mut rest) {
                let done = done.clone();
                let work = move || {
                    let make = |(at, range, checksum): Piece| {
                        (at, range.and_then(|range| outline(&ids[at], &bytes[range], checksum)))
                    };
                    // The receiver lives longer.
                    _ = done.send(pieces.into_iter().map(make).collect::<Vec<_>>());
                };
                crew.give(scope, work);
            }
        });
        drop(done);
        made.into_iter().flatten().collect()
    }
}

type Made = Result<Outline, String>;

/// Reads some of the records that are left.
fn read<'w>(
    rows: &mut Rows<'_>,
    rest: &mut impl Iterator<Item = &'w (usize, Location)>,
) -> Option<(Vec<u8>, Vec<Piece>)> {
    let (mut bytes, mut pieces) = (Vec::with_capacity(TOGETHER + TOGETHER / 4), Vec::new());
    while bytes.len() < TOGETHER
        && pieces.len() < TOGETHER
        && let Some((at, location)) = rest.next()
    {
        let start = bytes.len();
        let read = rows.read(location.row, location.range(), &mut bytes);
        pieces.push((*at, read.map(|()| start..bytes.len()), location.checksum));
    }
    (!pieces.is_empty()).then_some((bytes, pieces))
}

/// The outline of the compilation in these bytes. Who has the id has the checksum too: that only tells what is wrong.
fn outline(id: &CompilationId, bytes: &[u8], checksum: Checksum) -> Made {
    let fits = id_of(bytes) == *id;
    if !fits && Checksum::of(bytes) != checksum {
        return Err("its checksum does not fit".to_owned());
    }
    let outline = record::outline_from_bytes(bytes)?;
    if fits { Ok(outline) } else { Err("its contents do not fit its id".to_owned()) }
}

fn damaged(id: &CompilationId) -> impl FnOnce(String) -> StoreError {
    let id = *id;
    move |reason| StoreError::Compilation { id, reason }
}
