//! What one translation of a region teaches the next: how far it reaches on the operand stack, how many steps it
//! makes, and what stays the same in a loop.
//!
//! A region is translated until nothing is learned any more. Deliberately absent: any analysis of its own.

use std::collections::HashMap;

use super::state::Kind;
use crate::vm::names::NameId;

/// The beginning of a loop.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    /// Whether a turn may leave the operand stack higher or lower than it was, or is unclear about it.
    pub(super) is_moving: bool,
    /// Whether a turn may change the current dictionary.
    pub(super) is_leaving_program: bool,
    /// How far below its beginning it looks.
    pub(super) down: i32,
    /// What the values on top become in a turn, the top first.
    pub(super) kinds: Vec<Kind>,
    /// What the values of names become in a turn that changes them; none if that is not known.
    pub(super) changing: HashMap<NameId, Option<Kind>>,
    /// The names that are read in a turn, and what their values are found to be.
    pub(super) wanted: Vec<(NameId, Kind)>,
    /// The same of the values in virtual dictionaries.
    pub(super) held: Vec<Kind>,
    /// The keys that a turn gives the current dictionary if that is virtual.
    pub(super) more: Vec<NameId>,
    /// What cannot stay as it is.
    pub(super) changes: Changes,
}

/// What a turn may do to the dictionaries that were begun before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Changes {
    /// It gives them keys and values at most.
    #[default]
    Entries,
    /// It needs the machine to have them.
    Real,
    /// It may do anything.
    Any,
}

/// What a translation uses, as far as it is known by the one before it: it must know at its beginning what it does later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Uses {
    /// How far each part of the code in which the operand stack ends at the same `sp`, but for what is known, goes up.
    reaches: Vec<i32>,
    /// The most steps that are made from a segment's beginning until steps are looked at again.
    segments: Vec<u32>,
    /// The most frames that wait in registers.
    frames: usize,
    /// The most loops among them.
    loops: usize,
}

/// What is known of a region.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// What the last translation used; a translation that is shaped otherwise has other reaches and segments.
    known: Uses,
    found: Uses,
    headers: Vec<Header>,
    /// Whether something was learned of a header since [`Self::begin`].
    pub(super) is_new: bool,
}

impl Facts {
    pub(super) fn begin(&mut self) {
        self.known = std::mem::take(&mut self.found);
        self.is_new = false;
    }

    /// Whether the last translation learned nothing.
    pub(super) fn is_settled(&self) -> bool {
        !self.is_new && self.known == self.found
    }

    pub(super) fn reach(&self, at: usize) -> i32 {
        self.known.reaches.get(at).copied().unwrap_or_default()
    }

    pub(super) fn segment(&self, at: usize) -> u32 {
        self.known.segments.get(at).copied().unwrap_or_default()
    }

    /// How many frames, and loops, wait in registers.
    pub(super) const fn waiting(&self) -> (usize, usize) {
        (self.known.frames, self.known.loops)
    }

    pub(super) fn header(&mut self, at: usize) -> &mut Header {
        if self.headers.len() <= at {
            self.headers.resize(at + 1, Header::default());
        }
        &mut self.headers[at]
    }

    /// Notes that the operand stack is as high.
    pub(super) fn touch(&mut self, reach: usize, height: i32) {
        if self.found.reaches.len() <= reach {
            self.found.reaches.resize(reach + 1, 0);
        }
        let known = &mut self.found.reaches[reach];
        *known = height.max(*known);
    }

    /// Notes that so many steps are made.
    pub(super) fn spend(&mut self, segment: usize, steps: u32) {
        if self.found.segments.len() <= segment {
            self.found.segments.resize(segment + 1, 0);
        }
        let known = &mut self.found.segments[segment];
        *known = steps.max(*known);
    }

    /// Notes how many frames and loops wait.
    pub(super) fn wait(&mut self, frames: usize, loops: usize) {
        let found = &mut self.found;
        (found.frames, found.loops) = (found.frames.max(frames), found.loops.max(loops));
    }

    /// Notes what a turn makes of the values on top.
    pub(super) fn turn(&mut self, header: usize, kinds: &[Kind], is_in_program: bool) {
        let known = self.header(header);
        let mut is_new = !is_in_program && !known.is_leaving_program;
        known.is_leaving_program |= !is_in_program;
        is_new |= note(&mut known.kinds, kinds);
        self.is_new |= is_new;
    }

    /// Notes what a turn makes of the values in virtual dictionaries.
    pub(super) fn hold(&mut self, header: usize, kinds: &[Kind]) {
        let is_new = note(&mut self.header(header).held, kinds);
        self.is_new |= is_new;
    }

    /// Notes which keys a turn gives the current dictionary.
    pub(super) fn extend(&mut self, header: usize, keys: impl Iterator<Item = NameId>) {
        self.header(header).more.extend(keys);
        self.is_new = true;
    }

    /// Notes what a turn may do to dictionaries.
    pub(super) fn change(&mut self, header: usize, changes: Changes) {
        let known = self.header(header);
        let is_new = known.changes < changes;
        known.changes = known.changes.max(changes);
        self.is_new |= is_new;
    }

    /// Notes what the value of a name becomes in a turn.
    pub(super) fn redefine(&mut self, header: usize, name: NameId, becomes: Option<Kind>) {
        let changing = &mut self.header(header).changing;
        let old = changing.get(&name).copied();
        let new = match old {
            Some(old) => old.zip(becomes).map(|(old, becomes)| old.widened(becomes)),
            None => becomes,
        };
        changing.insert(name, new);
        self.is_new |= old != Some(new);
    }

    /// Notes that a name is read in a turn, and what its value is found to be.
    pub(super) fn want(&mut self, header: usize, name: NameId, kind: Kind) {
        let known = self.header(header);
        let is_new = match known.wanted.iter_mut().find(|(wanted, _)| *wanted == name) {
            Some((_, old)) if old.is_number() || !kind.is_number() => false,
            Some((_, old)) => {
                *old = kind;
                true
            }
            None => {
                known.wanted.push((name, kind));
                true
            }
        };
        self.is_new |= is_new;
    }

    /// Notes that a turn may move the operand stack.
    pub(super) fn move_by(&mut self, header: usize) {
        let known = self.header(header);
        let is_new = !std::mem::replace(&mut known.is_moving, true);
        self.is_new |= is_new;
    }

    /// Notes how far below its beginning a loop looks.
    pub(super) fn look(&mut self, header: usize, down: i32) {
        let known = self.header(header);
        let is_new = down < known.down;
        known.down = known.down.min(down);
        self.is_new |= is_new;
    }
}

/// Notes what values become. Tells whether something is new.
fn note(known: &mut Vec<Kind>, kinds: &[Kind]) -> bool {
    let mut is_new = false;
    for (at, kind) in kinds.iter().enumerate() {
        match known.get_mut(at) {
            Some(old) => {
                let widened = old.widened(*kind);
                is_new |= widened != *old;
                *old = widened;
            }
            None => {
                known.push(*kind);
                is_new = true;
            }
        }
    }
    is_new
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else room is looked for that is not needed.
    #[test]
    fn what_a_translation_of_another_shape_used_is_forgotten() {
        let mut facts = Facts::default();
        facts.begin();
        facts.touch(1, 4);
        facts.move_by(0);
        assert!(!facts.is_settled());
        facts.begin();
        facts.touch(1, 1);
        assert!(!facts.is_settled());
        facts.begin();
        facts.touch(1, 1);
        assert!(facts.is_settled());
        assert_eq!(facts.reach(1), 1);
    }
}
