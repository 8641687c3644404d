//! A machine that somebody watches: it stops behind an operator during which the alarm was set.
//!
//! Deliberately absent: who sets the alarm, and what is done then.

use std::sync::atomic::Ordering;

use crate::vm::code::{Address, Op};
use crate::vm::fault::Fault;
use crate::vm::machine::{Machine, Streams};

impl Machine<'_> {
    /// Executes an instruction, and remembers it if the alarm is set meanwhile and it leaves the calls as they are.
    #[cold]
    pub(super) fn execute_watched(
        &mut self,
        now: Address,
        op: Op,
        streams: &mut Streams<'_>,
    ) -> Result<(), Fault> {
        let was_set = self.is_alarm_set();
        let before = (self.frames.len(), self.called);
        self.execute(op, streams).inspect_err(|_| self.at = now)?;
        if before == (self.frames.len(), self.called) {
            self.catch(now, was_set);
        }
        Ok(())
    }

    /// Whether somebody wants to see what is executed now.
    pub(in crate::vm) fn is_alarm_set(&self) -> bool {
        self.alarm.is_some_and(|alarm| alarm.load(Ordering::Relaxed))
    }

    /// Remembers an instruction if the alarm was set while it was executed. Tells whether it was.
    pub(in crate::vm) fn catch(&mut self, now: Address, was_set: bool) -> bool {
        let is_caught = !was_set && self.is_alarm_set();
        if is_caught {
            self.caught_at = Some(now);
        }
        is_caught
    }

    /// Whether the machine is to stop behind what it has just executed.
    pub(super) fn is_to_stop(&mut self) -> bool {
        self.is_tracing || self.caught_at.is_some() || !self.stack.trim()
    }
}
