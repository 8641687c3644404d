//! Operands: taken, pushed, and made what an operation needs.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, MemFlags, Value, types};

use super::{Flow, Guesses, Result, Translator, Unable};
use crate::vm::native::gate::Context;
use crate::vm::native::range::Range;
use crate::vm::native::state::{Is, Operand, State, whole};
use crate::vm::value::Packed;

/// Adding this to a whole number of at most 51 bits makes it the lower part of the number's bits.
const SHIFTER: f64 = 6_755_399_441_055_744.0;

impl Translator<'_, '_> {
    pub(super) fn push(&mut self, state: &mut State, is: Is) -> Result<Flow> {
        state.push(is);
        self.facts.touch(state.reach, state.height());
        Ok(Flow::On)
    }

    /// Takes operands from memory until there are so many known ones.
    pub(super) fn deepen(&mut self, state: &mut State, count: usize) {
        if state.operands.len() < count {
            self.check_depth(state, state.height() - count as i32);
        }
        while state.operands.len() < count {
            state.below -= 1;
            let value = self.slot(state, state.below);
            self.sample_slot(state, value);
            let operand = Operand { is: Is::Packed(value), home: Some(state.below) };
            state.operands.insert(0, operand);
            self.reach_down(state, state.below);
        }
    }

    /// Leaves native code unless there are operands down to a height. Only those are looked for that the path needs:
    /// others may need more than there are.
    fn check_depth(&mut self, state: &mut State, down: i32) {
        if down < state.assured {
            let base = self.field(offset_of!(Context, stack_base));
            let lowest = self.builder.ins().iadd_imm(state.sp, 8 * i64::from(down));
            let is_over = self.builder.ins().icmp(IntCC::UnsignedLessThan, lowest, base);
            self.stop_if(is_over);
            state.assured = down;
        }
    }

    /// Notes that the operand stack is looked at or changed from a height on.
    pub(super) fn reach_down(&mut self, state: &State, height: i32) {
        for waiting in &state.waiting {
            let Some(turns) = waiting.turns else { continue };
            let header = &self.headers[turns.header];
            if header.reach == state.reach {
                self.facts.look(turns.header, height - header.height);
            }
        }
    }

    /// Takes the uppermost operands, the top last.
    pub(super) fn pop<const N: usize>(&mut self, state: &mut State) -> [Is; N] {
        self.deepen(state, N);
        let from = state.operands.len() - N;
        let mut taken = state.operands.drain(from..).map(|operand| operand.is);
        std::array::from_fn(|_| taken.next().unwrap_or(Is::Fixed(Packed::NULL)))
    }

    /// The value as a number, if it is one.
    pub(super) fn number(&mut self, is: Is) -> Result<Value> {
        Ok(match is {
            Is::Number(value) => value,
            Is::Whole(value, _) => self.builder.ins().fcvt_from_sint(types::F64, value),
            Is::Fixed(value) => {
                let number = value.as_number().ok_or(Unable)?;
                self.float(number)
            }
            Is::Boolean(_) => return Err(Unable),
            Is::Packed(bits) => {
                let value = self.builder.ins().bitcast(types::F64, MemFlags::new(), bits);
                // All other values have the bits of numbers that are none.
                let is_number = self.builder.ins().fcmp(FloatCC::Ordered, value, value);
                self.leave_unless(is_number);
                value
            }
        })
    }

    /// The same, and notes that it is a number.
    pub(super) fn number_in(&mut self, state: &mut State, is: Is) -> Result<Value> {
        let number = self.number(is)?;
        if let Is::Packed(bits) = is {
            if let Some(sample) = self.samples.get(&bits) {
                self.samples.insert(number, *sample);
            }
            self.origins.insert(number, bits);
            state.learn(bits, Is::Number(number));
        }
        Ok(number)
    }

    /// A value that will most likely be a number, as a sample of it is.
    pub(super) fn sampled_number(&mut self, value: Value, sample: Packed) -> Result<Is> {
        let number = self.number(Is::Packed(value))?;
        self.samples.insert(number, sample);
        Ok(Is::Number(number))
    }

    /// The value as an integer. That it is one that is not too great is guessed, if it is not known.
    pub(super) fn whole(&mut self, is: Is) -> Result<(Value, Range)> {
        match is {
            Is::Whole(value, range) => Ok((value, range)),
            Is::Fixed(value) => {
                let number = Is::Fixed(value).known_whole().ok_or(Unable)?;
                Ok((self.builder.ins().iconst(types::I64, number), Range::of(number)))
            }
            _ => {
                let range = self.guessed_range(is);
                let bits = self.packed(is);
                let number = match is {
                    Is::Number(number) => number,
                    _ => self.builder.ins().bitcast(types::F64, MemFlags::new(), bits),
                };
                let (_, sum) = self.shifted(number);
                // The integer is in the lower bits if it is one of so many.
                let integer = if range == Range::USUAL {
                    self.builder.ins().band_imm(sum, Range::USUAL.greatest)
                } else {
                    let above = self.builder.ins().ishl_imm(sum, 13);
                    self.builder.ins().sshr_imm(above, 13)
                };
                // Nothing else has the bits that its number has: neither -0.0 nor what is no number.
                let back = self.packed(Is::Whole(integer, range));
                let is_same = self.builder.ins().icmp(IntCC::Equal, back, bits);
                self.guess(is_same);
                Ok((integer, range))
            }
        }
    }

    /// The same, and notes that it is an integer.
    pub(super) fn whole_in(&mut self, state: &mut State, is: Is) -> Result<(Value, Range)> {
        let (value, range) = self.whole(is)?;
        if let Is::Number(known) | Is::Packed(known) = is {
            self.origins.insert(value, known);
            state.learn(known, Is::Whole(value, range));
        }
        Ok((value, range))
    }

    /// Whether a value is most likely an integer, as its sample is one that is not too great.
    pub(super) fn is_like_whole(&self, is: Is) -> bool {
        let is_known = matches!(is, Is::Fixed(_) | Is::Whole(..));
        let whole = self.sampled(is).and_then(whole);
        self.guesses != Guesses::None && !is_known && whole.is_some_and(|number| Range::CONVERTED.has(number))
    }

    /// What a value was, if that was a number.
    pub(super) fn sampled(&self, is: Is) -> Option<f64> {
        match is {
            // Any integer is as good.
            Is::Whole(..) => Some(1.0),
            other => self.sample(other).and_then(|sample| Packed::from(sample).as_number()),
        }
    }

    /// What a value most likely is as an integer.
    pub(super) fn guessed_range(&self, is: Is) -> Range {
        let is_usual = self.sampled(is).and_then(whole).is_some_and(|number| Range::USUAL.has(number));
        if is_usual && self.guesses == Guesses::All { Range::USUAL } else { Range::CONVERTED }
    }

    /// Whether an integer is in a range.
    pub(super) fn is_within(&mut self, integer: Value, range: Range) -> Value {
        let distance = match range.least {
            0 => integer,
            least => self.builder.ins().iadd_imm(integer, -least),
        };
        let most = range.greatest - range.least;
        self.builder.ins().icmp_imm(IntCC::UnsignedLessThanOrEqual, distance, most)
    }

    /// A number with the shifter, and the bits of that.
    fn shifted(&mut self, number: Value) -> (Value, Value) {
        let shifter = self.float(SHIFTER);
        let sum = self.builder.ins().fadd(number, shifter);
        (sum, self.builder.ins().bitcast(types::I64, MemFlags::new(), sum))
    }

    /// Leaves native code unless a number is finite.
    pub(super) fn finite(&mut self, number: Value) {
        let nothing = self.builder.ins().fsub(number, number);
        let is_finite = self.builder.ins().fcmp(FloatCC::Ordered, nothing, nothing);
        self.leave_unless(is_finite);
    }

    /// The value as an integer, if it is a whole number of at most 51 bits; and whether it is, if that is to be seen. Of
    /// a greater one that looks whole, the integer is greater than 51 bits, and not the same.
    pub(super) fn integer(&mut self, state: &mut State, is: Is) -> Result<(Value, Option<Value>)> {
        if self.guesses != Guesses::None || matches!(is, Is::Whole(..) | Is::Fixed(_)) {
            return self.whole_in(state, is).map(|(value, _)| (value, None));
        }
        let number = self.number_in(state, is)?;
        let (sum, bits) = self.shifted(number);
        let shifter = self.float(SHIFTER);
        let back = self.builder.ins().fsub(sum, shifter);
        let is_whole = self.builder.ins().fcmp(FloatCC::Equal, back, number);
        let integer = self.builder.ins().iadd_imm(bits, SHIFTER.to_bits().cast_signed().wrapping_neg());
        Ok((integer, Some(is_whole)))
    }

    /// The same, and whether it is that small a number, too.
    pub(super) fn small_integer(&mut self, state: &mut State, is: Is) -> Result<(Value, Option<Value>)> {
        let (integer, is_whole) = self.integer(state, is)?;
        let Some(is_whole) = is_whole else { return Ok((integer, None)) };
        let is_small = self.is_within(integer, Range::CONVERTED);
        Ok((integer, Some(self.builder.ins().band(is_whole, is_small))))
    }

    /// The value as a truth value, if it is one.
    pub(super) fn truth(&mut self, is: Is) -> Result<Value> {
        Ok(match is {
            Is::Boolean(value) => value,
            Is::Fixed(value) => {
                let value = value.as_boolean().ok_or(Unable)?;
                self.builder.ins().iconst(types::I8, i64::from(value))
            }
            Is::Number(_) | Is::Whole(..) => return Err(Unable),
            Is::Packed(bits) => {
                let no = Packed::boolean(false).bits().cast_signed();
                let distance = self.builder.ins().iadd_imm(bits, no.wrapping_neg());
                let distance = self.builder.ins().ushr_imm(distance, 48);
                let is_no = self.builder.ins().icmp_imm(IntCC::Equal, distance, 0);
                let is_yes = self.builder.ins().icmp_imm(IntCC::Equal, distance, 1);
                let is_truth = self.builder.ins().bor(is_no, is_yes);
                self.leave_unless(is_truth);
                is_yes
            }
        })
    }
}
