//! `stopped` and `stop`: what catches errors, and what a program raises itself.
//!
//! The frame that catches waits as others do; an error finds it among the machine's frames. Deliberately absent: all
//! errors but `stop`, which native code leaves to the machine.

use super::{Flow, Result, Translator, Unable};
use crate::vm::code::UNSTOPPED;
use crate::vm::native::state::{Is, Named, State, Waiting};
use crate::vm::value::Packed;

impl Translator<'_, '_> {
    /// `stopped` of a known block, and the `exec` that executes it.
    pub(super) fn begin_stopped(&mut self, state: &mut State) -> Result<Flow> {
        let [block] = self.pop(state);
        let body = self.body_of(Self::known_procedure(block)?, state.at - 1)?;
        if state.waiting.len() + 2 > super::DEEPEST {
            return Err(Unable);
        }
        self.count(state);
        let (at, called, places) = (state.at, state.called, state.places.len());
        let waiting = |at, join| Waiting { at, called, join, turns: None, places };
        let after = self.meeting();
        self.wait(state, waiting(at, after))?;
        let end = self.meeting();
        self.wait(state, waiting(UNSTOPPED, end))?;
        // Nobody knows any more who has called it.
        state.called = Named::by(self.around.code.written_in(body)).part();
        state.at = body;
        Ok(Flow::On)
    }

    /// The end of what `stopped` executes. This is no step.
    pub(super) fn end_stopped(&mut self, mut state: State) {
        if self.push(&mut state, Is::Fixed(Packed::boolean(false))).is_ok() {
            self.resume(state);
        }
    }

    /// `stop`
    pub(super) fn stop(&mut self, state: &mut State) -> Result<Flow> {
        let at = state.waiting.iter().rposition(|waiting| waiting.at == UNSTOPPED).ok_or(Unable)?;
        let mut state = state.clone();
        state.waiting.truncate(at);
        self.push(&mut state, Is::Fixed(Packed::boolean(true)))?;
        self.resume(state);
        Ok(Flow::End)
    }
}
