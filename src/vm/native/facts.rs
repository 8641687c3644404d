//! What one translation of a region teaches the next: how far it reaches on the operand stack, how many steps it
//! makes, and what stays the same in a loop.
//!
//! A region is translated until nothing is learned any more. Deliberately absent: any analysis of its own.

use super::state::Kind;

/// A part of the code in which the operand stack ends at the same `sp`, but for what is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reach {
    /// How far it looks down.
    pub(super) down: i32,
    /// How far it goes up.
    pub(super) up: i32,
}

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
}

/// What is known of a region.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) reaches: Vec<Reach>,
    /// The most steps that are made from a segment's beginning until steps are looked at again.
    pub(super) segments: Vec<u32>,
    pub(super) headers: Vec<Header>,
    /// The most frames that wait in registers.
    pub(super) frames: usize,
    /// The most loops among them.
    pub(super) loops: usize,
    /// Whether something was learned since [`Self::begin`].
    pub(super) is_new: bool,
}

impl Facts {
    pub(super) fn begin(&mut self) {
        self.is_new = false;
    }

    pub(super) fn reach(&mut self, at: usize) -> Reach {
        if self.reaches.len() <= at {
            self.reaches.resize(at + 1, Reach::default());
        }
        self.reaches[at]
    }

    pub(super) fn segment(&mut self, at: usize) -> u32 {
        if self.segments.len() <= at {
            self.segments.resize(at + 1, 0);
        }
        self.segments[at]
    }

    pub(super) fn header(&mut self, at: usize) -> &mut Header {
        if self.headers.len() <= at {
            self.headers.resize(at + 1, Header::default());
        }
        &mut self.headers[at]
    }

    /// Notes that the operand stack is looked at or used at a height.
    pub(super) fn touch(&mut self, reach: usize, height: i32) {
        let old = self.reach(reach);
        let new = Reach { down: old.down.min(height), up: old.up.max(height) };
        self.is_new |= (new.down, new.up) != (old.down, old.up);
        self.reaches[reach] = new;
    }

    /// Notes that so many steps are made.
    pub(super) fn spend(&mut self, segment: usize, steps: u32) {
        let known = self.segment(segment);
        self.is_new |= steps > known;
        self.segments[segment] = known.max(steps);
    }

    /// Notes how many frames and loops wait.
    pub(super) fn wait(&mut self, frames: usize, loops: usize) {
        self.is_new |= frames > self.frames || loops > self.loops;
        (self.frames, self.loops) = (self.frames.max(frames), self.loops.max(loops));
    }

    /// Notes what a turn makes of the values on top.
    pub(super) fn turn(&mut self, header: usize, kinds: &[Kind], is_in_program: bool) {
        let known = self.header(header);
        let mut is_new = !is_in_program && !known.is_leaving_program;
        known.is_leaving_program |= !is_in_program;
        for (at, kind) in kinds.iter().enumerate() {
            match known.kinds.get_mut(at) {
                Some(old) => {
                    is_new |= old.or(*kind) != *old;
                    *old = old.or(*kind);
                }
                None => {
                    known.kinds.push(*kind);
                    is_new = true;
                }
            }
        }
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
