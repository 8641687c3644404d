//! Names that are read in a loop, and that it does not change: they are read once, before it.
//!
//! Deliberately absent: a look at what a loop may do; a translation finds out, and the next one knows.

use super::{Guesses, Translator};
use crate::vm::names::NameId;
use crate::vm::native::facts;
use crate::vm::native::state::{Is, Kind, State};

impl Translator<'_, '_> {
    /// Notes that a name is read of which nothing is known.
    pub(super) fn want(&mut self, state: &State, name: NameId) {
        for turns in state.waiting.iter().filter_map(|waiting| waiting.turns) {
            self.facts.want(turns.header, name, Kind::Packed);
        }
    }

    /// Before a loop: forgets the names that it changes, and reads those that it will read.
    pub(super) fn foresee(&mut self, state: &mut State, facts: &facts::Header) {
        state.names.retain(|(name, _)| !facts.changing.contains(name));
        if self.guesses == Guesses::None {
            return;
        }
        // What it is then, it may not be.
        self.way_out = Some(self.misguessed());
        for (name, kind) in &facts.wanted {
            if facts.changing.contains(name) || self.around.scope.trusted(*name).is_some() {
                continue;
            }
            let height = state.operands.len();
            if self.name(*name, state).is_ok()
                && let Some(value) = state.operands.pop()
            {
                // As it is noted, it is learned.
                let _ = match kind {
                    Kind::Whole(_) => self.whole_in(state, value.is).map(|_| ()),
                    Kind::Number => self.number_in(state, value.is).map(|_| ()),
                    _ => Ok(()),
                };
            }
            state.operands.truncate(height);
        }
        self.way_out = None;
    }

    /// At the end of a turn: notes which names it has changed, and what is known of the others now.
    pub(super) fn look_back(&mut self, state: &State, header: usize, names: &[(NameId, Is)]) {
        for (name, then) in names {
            let now = state.names.iter().find(|(known, _)| known == name);
            match now.filter(|(_, now)| self.is_same(*now, *then)) {
                Some((_, now)) if now != then => self.facts.want(header, *name, now.kind()),
                Some(_) => {}
                None => self.facts.change(header, *name),
            }
        }
    }

    /// Whether a value is another, of which it may have been learned what it is.
    fn is_same(&self, now: Is, then: Is) -> bool {
        let value = |is| match is {
            Is::Packed(value) | Is::Number(value) | Is::Whole(value, _) => Some(value),
            Is::Boolean(_) | Is::Fixed(_) => None,
        };
        let learned = std::iter::successors(value(now), |value| self.origins.get(value).copied());
        now == then || value(then).is_some_and(|then| learned.into_iter().any(|value| value == then))
    }
}
