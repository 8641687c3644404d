//! Names that are read in a loop: they are read once, before it, and what they have is in registers then.
//!
//! What a turn defines is put where the machine has it, too.
//!
//! Deliberately absent: a look at what a loop may do; a translation finds out, and the next one knows.

use cranelift_codegen::ir::BlockArg;

use super::loops::Header;
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

    /// Before a loop: forgets the names of which a turn leaves nothing known, and reads those that it will read.
    pub(super) fn foresee(&mut self, state: &mut State, facts: &facts::Header) {
        let is_lost = |name: &NameId| matches!(facts.changing.get(name), Some(None));
        state.names.retain(|(name, _)| !is_lost(name));
        if self.guesses == Guesses::None {
            return;
        }
        // What it is then, it may not be.
        self.way_out = Some(self.misguessed());
        for (name, kind) in &facts.wanted {
            if is_lost(name) || self.around.scope.trusted(*name).is_some() || state.may_lack(*name) {
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

    /// What kinds the values of names have in all turns.
    pub(super) fn name_kinds(&self, state: &State, facts: &facts::Header) -> Vec<Kind> {
        let kind = |(name, is): &(NameId, Is)| match facts.changing.get(name) {
            Some(Some(becomes)) => self.kind_in_turns(*is, Some(*becomes)),
            _ => Kind::Same,
        };
        state.names.iter().map(kind).collect()
    }

    /// At the end of a turn: notes what names have become, and gives them as arguments for the next one. None if this
    /// translation cannot go on.
    pub(super) fn changed_names(
        &mut self,
        state: &State,
        turns: &Header,
        header: usize,
    ) -> Option<Vec<BlockArg>> {
        let mut arguments = Some(Vec::new());
        for ((name, then), assumed) in turns.names.iter().zip(&turns.name_kinds) {
            let now = state.names.iter().find(|(known, _)| known == name).map(|(_, now)| *now);
            let fits = match now {
                Some(now) if self.is_same(now, *then) => {
                    if now != *then {
                        self.facts.want(header, *name, now.kind());
                    }
                    true
                }
                Some(now) => {
                    self.facts.redefine(header, *name, Some(now.kind()));
                    *assumed != Kind::Same && assumed.or(now.kind()) == *assumed
                }
                None => {
                    self.facts.redefine(header, *name, None);
                    false
                }
            };
            match (now, &mut arguments) {
                (Some(now), Some(arguments)) if fits => {
                    arguments.extend(self.argument(&now.into(), *assumed).map(BlockArg::from));
                }
                _ => arguments = None,
            }
        }
        arguments
    }

    /// Whether a value is another, of which it may have been learned what it is.
    pub(super) fn is_same(&self, now: Is, then: Is) -> bool {
        let value = |is| match is {
            Is::Packed(value) | Is::Number(value) | Is::Whole(value, _) => Some(value),
            Is::Boolean(_) | Is::Fixed(_) => None,
        };
        let learned = std::iter::successors(value(now), |value| self.origins.get(value).copied());
        now == then || value(then).is_some_and(|then| learned.into_iter().any(|value| value == then))
    }
}
