//! `for`: control values, as integers where they are whole numbers.
//!
//! Deliberately absent: the turns themselves (those are in `loops`).

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value, types};

use super::emit::elsewhere;
use super::{Flow, Guesses, Result, Translator};
use crate::vm::code::Address;
use crate::vm::native::gate::TURNS_KIND;
use crate::vm::native::range::Range;
use crate::vm::native::state::{Is, Kind, State, Turning, whole};
use crate::vm::value::{Packed, Procedure};

impl Translator<'_, '_> {
    pub(super) fn begin_for(
        &mut self,
        state: &mut State,
        body: Option<Procedure>,
        after: Address,
    ) -> Result<Flow> {
        let [initial, increment, limit] = self.pop(state);
        let turning = if self.counts(initial) && self.steps_by(increment) && self.limits(limit) {
            let (next, range) = self.whole_in(state, initial)?;
            self.counted(next, range, increment, limit)?
        } else {
            let next = Is::Number(self.number(initial)?);
            let (increment, limit) = (self.known_or_number(increment)?, self.known_or_number(limit)?);
            Turning::For { next, increment, limit }
        };
        self.begin(state, turning, body, after)
    }

    /// Whether a loop may begin with a value as an integer.
    fn counts(&self, initial: Is) -> bool {
        match initial.kind() {
            Kind::Whole(range) => self.guesses != Guesses::None || Range::CONTROL.contains(range),
            Kind::Number | Kind::Packed if matches!(initial, Is::Fixed(_)) => false,
            Kind::Number | Kind::Packed => {
                self.guesses != Guesses::None
                    && (self.sample(initial).is_none() || self.is_like_whole(initial))
            }
            Kind::Same | Kind::Boolean => false,
        }
    }

    /// Whether the increment of a loop with integers may be a value.
    fn steps_by(&self, increment: Is) -> bool {
        match increment.kind() {
            Kind::Whole(range) if Self::is_signed(range) => Range::CONTROL.contains(range),
            Kind::Whole(_) => self.guesses != Guesses::None && !matches!(increment, Is::Fixed(_)),
            Kind::Number | Kind::Packed => {
                self.is_like_whole(increment) && self.sampled(increment) != Some(0.0)
            }
            Kind::Same | Kind::Boolean => false,
        }
    }

    /// Whether all numbers of a range have the same sign.
    const fn is_signed(range: Range) -> bool {
        range.least > 0 || range.greatest < 0
    }

    /// An increment, which is greater than zero, or less. Which, is guessed.
    fn step(&mut self, increment: Is) -> Result<(Value, Range)> {
        let is_down = self.sampled(increment).is_some_and(|sample| sample < 0.0);
        let (step, range) = self.whole(increment)?;
        if Self::is_signed(range) {
            return Ok((step, range));
        }
        let Range { least, greatest } = Range::CONTROL;
        let range = if is_down { Range { least, greatest: -1 } } else { Range { least: 1, greatest } };
        let is_it = self.is_within(step, range);
        self.guess(is_it);
        Ok((step, range))
    }

    /// Whether a loop with integers may end with a value.
    fn limits(&self, limit: Is) -> bool {
        let is_far = self.sampled(limit).is_some_and(|sample| sample.abs() > Range::CONTROL.greatest as f64);
        match limit.kind() {
            Kind::Whole(range) => self.guesses != Guesses::None || Range::CONTROL.contains(range),
            Kind::Number | Kind::Packed => self.guesses != Guesses::None && !is_far,
            Kind::Same | Kind::Boolean => false,
        }
    }

    /// A loop from an integer on, to a limit that is not far.
    fn counted(&mut self, next: Value, first: Range, increment: Is, limit: Is) -> Result<Turning> {
        self.guess_control(next, first);
        let first = first.limited(Range::CONTROL);
        let (step, by) = self.step(increment)?;
        let (limit, last) = self.whole_limit(by, limit)?;
        // What is behind the limit is never seen, but is the next control value in the end.
        let (all, behind) = (first.or(last), first.or(last).sum(by));
        let range = if by.least > 0 {
            Range { least: first.least, greatest: behind.greatest.max(all.greatest) }
        } else {
            Range { least: behind.least.min(all.least), greatest: first.greatest }
        };
        let (next, limit) = (Is::Whole(next, range), Is::Whole(limit, last));
        Ok(Turning::For { next, increment: Is::Whole(step, by), limit })
    }

    /// Guesses that an integer can be a control value.
    fn guess_control(&mut self, value: Value, range: Range) {
        if !Range::CONTROL.contains(range) {
            let is_near = self.is_within(value, Range::CONTROL);
            self.guess(is_near);
        }
    }

    /// The last integer that a limit lets pass.
    fn whole_limit(&mut self, step: Range, limit: Is) -> Result<(Value, Range)> {
        if matches!(limit.kind(), Kind::Whole(_)) || self.is_like_whole(limit) {
            let (limit, range) = self.whole(limit)?;
            self.guess_control(limit, range);
            return Ok((limit, range.limited(Range::CONTROL)));
        }
        let limit = self.number(limit)?;
        let (magnitude, most) = (self.builder.ins().fabs(limit), self.float(Range::CONTROL.greatest as f64));
        let is_near = self.builder.ins().fcmp(FloatCC::LessThanOrEqual, magnitude, most);
        self.guess(is_near);
        let truncated = self.builder.ins().fcvt_to_sint_sat(types::I64, limit);
        let back = self.builder.ins().fcvt_from_sint(types::F64, truncated);
        let condition = if step.least > 0 { FloatCC::GreaterThan } else { FloatCC::LessThan };
        let is_behind = self.builder.ins().fcmp(condition, back, limit);
        let is_behind = self.builder.ins().uextend(types::I64, is_behind);
        let last = if step.least > 0 {
            self.builder.ins().isub(truncated, is_behind)
        } else {
            self.builder.ins().iadd(truncated, is_behind)
        };
        Ok((last, Range::CONTROL))
    }

    /// Whether there is another turn, its control value, and the one after it.
    pub(super) fn next_number(&mut self, next: Is, increment: Is, limit: Is) -> Result<(Value, Is, Is)> {
        if let (Is::Whole(value, range), Is::Whole(limit, _), Is::Whole(step, by)) = (next, limit, increment)
        {
            let (condition, seen) = if by.least > 0 {
                let seen = Range { greatest: range.greatest - by.greatest, ..range };
                (IntCC::SignedLessThanOrEqual, seen)
            } else {
                (IntCC::SignedGreaterThanOrEqual, Range { least: range.least - by.least, ..range })
            };
            let goes_on = self.builder.ins().icmp(condition, value, limit);
            let after = self.builder.ins().iadd(value, step);
            return Ok((goes_on, Is::Whole(value, seen), Is::Whole(after, range)));
        }
        let (value, limit) = (self.number(next)?, self.number(limit)?);
        let step = self.number(increment)?;
        let after = self.builder.ins().fadd(value, step);
        let is_below = |of: &mut Self| of.builder.ins().fcmp(FloatCC::LessThanOrEqual, value, limit);
        let is_above = |of: &mut Self| of.builder.ins().fcmp(FloatCC::GreaterThanOrEqual, value, limit);
        let goes_on = match increment.known_number() {
            Some(step) if step < 0.0 => is_above(self),
            Some(_) => is_below(self),
            None => {
                let (up, down, zero) = (is_below(self), is_above(self), self.float(0.0));
                let is_down = self.builder.ins().fcmp(FloatCC::LessThan, step, zero);
                self.builder.ins().select(is_down, down, up)
            }
        };
        Ok((goes_on, Is::Number(value), Is::Number(after)))
    }

    /// What decides about the turns of a `for` of the machine, before the turn that it has begun; with what its next
    /// control value, increment and limit are now.
    pub(super) fn adopted_for(&mut self, state: &mut State, top: Value, now: [f64; 3]) -> Result<Turning> {
        let [pushed] = self.pop(state);
        let value = self.number_in(state, pushed)?;
        let [after, step, limit] = [0, 1, 2].map(|at| {
            self.builder.ins().load(types::F64, elsewhere(), top, (TURNS_KIND + 8 + 8 * at) as i32)
        });
        let sum = self.builder.ins().fadd(value, step);
        let is_next = self.builder.ins().fcmp(FloatCC::Equal, sum, after);
        self.leave_unless(is_next);
        let [next, increment, last] = now;
        let value = Is::Number(value);
        let step = if increment.abs() == 1.0 {
            let expected = self.float(increment);
            let is_step = self.builder.ins().fcmp(FloatCC::Equal, step, expected);
            self.leave_unless(is_step);
            Is::number(increment)
        } else {
            // It may be another one the next time.
            self.samples.insert(step, Packed::number(increment));
            Is::Number(step)
        };
        let is_near = last.abs() <= Range::CONTROL.greatest as f64;
        let is_whole = whole(next).is_some_and(|next| Range::CONTROL.has(next));
        if self.guesses != Guesses::None && is_near && is_whole && self.steps_by(step) {
            let (value, range) = self.whole(value)?;
            return self.counted(value, range, step, Is::Number(limit));
        }
        Ok(Turning::For { next: value, increment: step, limit: Is::Number(limit) })
    }
}
