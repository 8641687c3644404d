//! Arithmetic: with integers where numbers are known, or guessed, to be whole.
//!
//! Deliberately absent: results that are not exact, and -0.0, as integers.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value, types};

use super::{Flow, Guesses, Result, Translator};
use crate::isa::builtin::Builtin;
use crate::vm::native::gate;
use crate::vm::native::range::Range;
use crate::vm::native::state::{Is, Kind, Operand, State};
use crate::vm::value::Packed;

impl Translator<'_, '_> {
    /// `add`, `sub` and `mul`
    pub(super) fn arithmetic(&mut self, state: &mut State, operator: Builtin) -> Result<Flow> {
        let [a, b] = self.pop(state);
        let (a, b) = (self.like(state, a, b)?, self.like(state, b, a)?);
        if let Some(result) = self.whole_arithmetic(operator, a, b)? {
            return self.push(state, result);
        }
        let samples = self.sampled(a).zip(self.sampled(b));
        let are_moderate = a.is_moderate() && b.is_moderate();
        let (a, b) = (self.number_in(state, a)?, self.number_in(state, b)?);
        let result = match operator {
            Builtin::Add => self.builder.ins().fadd(a, b),
            Builtin::Sub => self.builder.ins().fsub(a, b),
            _ => self.builder.ins().fmul(a, b),
        };
        if !are_moderate {
            self.finite(result);
        }
        if let Some((a, b)) = samples {
            let sample = match operator {
                Builtin::Add => a + b,
                Builtin::Sub => a - b,
                _ => a * b,
            };
            self.samples.insert(result, Packed::number(sample));
        }
        self.push(state, Is::Number(result))
    }

    /// A name's value as an integer, if another is one, and this most likely is. (What is no name's is less often a part
    /// of an index.)
    fn like(&mut self, state: &mut State, is: Is, other: Is) -> Result<Is> {
        let is_name = state.names.iter().chain(state.entries()).any(|(_, known)| *known == is);
        if matches!(other, Is::Whole(..)) && is_name && self.is_like_whole(is) {
            let (value, range) = self.whole_in(state, is)?;
            return Ok(Is::Whole(value, range));
        }
        Ok(is)
    }

    /// The same with integers, if both are, and the result is exact, or may be guessed to be.
    fn whole_arithmetic(&mut self, operator: Builtin, a: Is, b: Is) -> Result<Option<Is>> {
        let (Kind::Whole(first), Kind::Whole(second)) = (a.kind(), b.kind()) else { return Ok(None) };
        let range = match operator {
            Builtin::Add => Some(first.sum(second)),
            Builtin::Sub => Some(first.difference(second)),
            _ => first.product(second),
        };
        let Some(range) = range.filter(|range| {
            Range::EXACT.contains(*range) || self.guesses != Guesses::None && range.is_in_word()
        }) else {
            return Ok(None);
        };
        let ((a, _), (b, _)) = (self.whole(a)?, self.whole(b)?);
        let result = match operator {
            Builtin::Add => self.builder.ins().iadd(a, b),
            Builtin::Sub => self.builder.ins().isub(a, b),
            _ => self.builder.ins().imul(a, b),
        };
        if !Range::EXACT.contains(range) {
            let is_exact = self.is_within(result, Range::EXACT);
            self.guess(is_exact);
        }
        Ok(Some(Is::Whole(result, range.limited(Range::EXACT))))
    }

    /// `div`
    pub(super) fn quotient(&mut self, state: &mut State) -> Result<Flow> {
        let [a, b] = self.pop(state);
        let is_finite = a.is_moderate() && b.known_number().is_some_and(|b| (1.0..1e100).contains(&b.abs()));
        let (a, b) = (self.number_in(state, a)?, self.number_in(state, b)?);
        let result = self.builder.ins().fdiv(a, b);
        if !is_finite {
            self.finite(result);
        }
        self.push(state, Is::Number(result))
    }

    /// `neg`
    pub(super) fn negative(&mut self, state: &mut State) -> Result<Flow> {
        let [a] = self.pop(state);
        let result = match a {
            Is::Whole(value, range) if !range.has(0) => {
                Is::Whole(self.builder.ins().ineg(value), Range::of(0).difference(range))
            }
            other => {
                let number = self.number_in(state, other)?;
                Is::Number(self.builder.ins().fneg(number))
            }
        };
        self.push(state, result)
    }

    /// `abs`
    pub(super) fn magnitude(&mut self, state: &mut State) -> Result<Flow> {
        let [a] = self.pop(state);
        let result = match a {
            Is::Whole(value, range) => {
                let greatest = range.least.abs().max(range.greatest.abs());
                Is::Whole(self.builder.ins().iabs(value), Range { least: 0, greatest })
            }
            other => {
                let number = self.number_in(state, other)?;
                Is::Number(self.builder.ins().fabs(number))
            }
        };
        self.push(state, result)
    }

    /// `sqrt`
    pub(super) fn square_root(&mut self, state: &mut State) -> Result<Flow> {
        let [a] = self.pop(state);
        let a = self.number_in(state, a)?;
        let root = self.builder.ins().sqrt(a);
        // It has none if it is negative.
        let is_number = self.builder.ins().fcmp(FloatCC::Ordered, root, root);
        self.leave_unless(is_number);
        self.push(state, Is::Number(root))
    }

    /// `idiv` and `mod`
    pub(super) fn whole_division(&mut self, state: &mut State, is_quotient: bool) -> Result<Flow> {
        let [a, b] = self.pop(state);
        let is_plain =
            self.guesses != Guesses::None || matches!((a.kind(), b.kind()), (Kind::Whole(_), Kind::Whole(_)));
        let result = if !is_quotient && self.is_wide(a) && matches!(b.kind(), Kind::Whole(_)) {
            let a = self.wide(state, a)?;
            self.divide(state, a, b, is_quotient)?
        } else if is_plain {
            self.divide(state, a, b, is_quotient)?
        } else {
            let (a, b) = (self.number_in(state, a)?, self.number_in(state, b)?);
            Is::Number(self.divide_any(state, a, b, is_quotient)?)
        };
        self.push(state, result)
    }

    /// Whether a dividend may be too great to be exact as a sum or product, so that it is an integer for the division alone.
    fn is_wide(&self, is: Is) -> bool {
        let is_far = |sample: f64| sample.abs() > Range::CONVERTED.greatest as f64;
        match is {
            Is::Fixed(_) | Is::Whole(..) | Is::Boolean(_) => false,
            _ => self.guesses == Guesses::None || self.sampled(is).is_some_and(is_far),
        }
    }

    /// A whole number of at most 62 bits as an integer; -0.0 as 0.
    fn wide(&mut self, state: &mut State, is: Is) -> Result<Is> {
        let number = self.number_in(state, is)?;
        let (magnitude, most) = (self.builder.ins().fabs(number), self.float(Range::WIDE.greatest as f64));
        let is_near = self.builder.ins().fcmp(FloatCC::LessThan, magnitude, most);
        self.leave_unless(is_near);
        let integer = self.builder.ins().fcvt_to_sint_sat(types::I64, number);
        let back = self.builder.ins().fcvt_from_sint(types::F64, integer);
        let is_whole = self.builder.ins().fcmp(FloatCC::Equal, back, number);
        self.leave_unless(is_whole);
        Ok(Is::Whole(integer, Range::WIDE))
    }

    /// Divides integers.
    fn divide(&mut self, state: &mut State, a: Is, b: Is, is_quotient: bool) -> Result<Is> {
        let (a, dividend) = self.whole_in(state, a)?;
        let (by, divisor) = self.whole_in(state, b)?;
        if divisor.has(0) {
            self.leave_unless(by);
        }
        let range = if is_quotient { dividend.quotient(divisor) } else { dividend.remainder(divisor) };
        let are_natural = dividend.is_natural() && divisor.is_natural();
        let are_short = are_natural && dividend.greatest.max(divisor.greatest) <= i64::from(u32::MAX);
        let known = (divisor.least == divisor.greatest).then_some(divisor.least);
        let result =
            if let Some(known) = known.filter(|known| are_natural && !are_short && known.count_ones() > 1) {
                let quotient = self.divide_by(a, known);
                if is_quotient {
                    quotient
                } else {
                    let whole = self.builder.ins().imul_imm(quotient, known);
                    self.builder.ins().isub(a, whole)
                }
            } else if are_short {
                let [a, by] = [a, by].map(|value| self.builder.ins().ireduce(types::I32, value));
                let ins = self.builder.ins();
                let result = if is_quotient { ins.udiv(a, by) } else { ins.urem(a, by) };
                self.builder.ins().uextend(types::I64, result)
            } else {
                let ins = self.builder.ins();
                match (are_natural, is_quotient) {
                    (true, true) => ins.udiv(a, by),
                    (true, false) => ins.urem(a, by),
                    (false, true) => ins.sdiv(a, by),
                    (false, false) => ins.srem(a, by),
                }
            };
        Ok(Is::Whole(result, range))
    }

    /// The quotient of a natural number of at most 63 bits and one that is no power of two, by a multiplication: with
    /// 2ˢ < d < 2ˢ⁺¹, and m the least integer of at least 2⁶⁴⁺ˢ ∕ d, it is ⌊m n ∕ 2⁶⁴⁺ˢ⌋, as m d is less than 2ˢ⁺¹ over
    /// 2⁶⁴⁺ˢ (theorem 4.2 in Granlund and Montgomery, "Division by invariant integers using multiplication", 1994).
    fn divide_by(&mut self, dividend: Value, divisor: i64) -> Value {
        let shift = divisor.ilog2();
        let factor = (1_u128 << (64 + shift)).div_ceil(divisor.unsigned_abs().into());
        let factor = self.bits(factor as u64);
        let product = self.builder.ins().umulhi(dividend, factor);
        self.builder.ins().ushr_imm(product, i64::from(shift))
    }

    /// Divides by any number.
    fn divide_any(&mut self, state: &mut State, a: Value, b: Value, is_quotient: bool) -> Result<Value> {
        let (dividend, is_small) = self.small_integer(state, Is::Number(a))?;
        let (divisor, is_small_too) = self.small_integer(state, Is::Number(b))?;
        let mut is_near = self.builder.ins().icmp_imm(IntCC::NotEqual, divisor, 0);
        for condition in [is_small, is_small_too].into_iter().flatten() {
            is_near = self.builder.ins().band(is_near, condition);
        }
        let (near, far, done) =
            (self.builder.create_block(), self.builder.create_block(), self.builder.create_block());
        let result = self.builder.append_block_param(done, types::F64);
        self.builder.set_cold_block(far);
        self.builder.ins().brif(is_near, near, &[], far, &[]);
        self.builder.switch_to_block(near);
        let quick = if is_quotient {
            self.builder.ins().sdiv(dividend, divisor)
        } else {
            self.builder.ins().srem(dividend, divisor)
        };
        let quick = self.builder.ins().fcvt_from_sint(types::F64, quick);
        self.builder.ins().jump(done, &[quick.into()]);
        self.builder.switch_to_block(far);
        let slow = self.divide_far(a, b, is_quotient);
        self.builder.ins().jump(done, &[slow.into()]);
        self.builder.switch_to_block(done);
        Ok(result)
    }

    /// By the machine's own function.
    fn divide_far(&mut self, a: Value, b: Value, is_quotient: bool) -> Value {
        let helper =
            if is_quotient { gate::divide as *const () as usize } else { gate::modulo as *const () as usize };
        let result = self.help(helper, &[a, b], Some(types::F64)).unwrap_or(a);
        let is_number = self.builder.ins().fcmp(FloatCC::Ordered, result, result);
        self.leave_unless(is_number);
        result
    }

    /// Two numbers that are known to be whole, as integers.
    pub(super) fn both_whole(&mut self, a: Is, b: Is) -> Option<(Value, Value)> {
        let are_whole = matches!((a.kind(), b.kind()), (Kind::Whole(_), Kind::Whole(_)));
        let [a, b] = [a, b].map(|is| are_whole.then(|| self.whole(is).ok()).flatten());
        Some((a?.0, b?.0))
    }

    /// `and`, `or` and `xor` of integers.
    pub(super) fn logic_of_bits(
        &mut self,
        state: &mut State,
        operator: Builtin,
        function: impl Fn(&mut Self, Value, Value) -> Value,
    ) -> Result<Flow> {
        let operands = state.operands.split_off(state.operands.len() - 2);
        let is_bits = |operand: &Operand| match operand.is.kind() {
            Kind::Whole(range) => Range::BITS.contains(range),
            _ => self.guesses != Guesses::None && !matches!(operand.is, Is::Fixed(_)),
        };

        if !operands.iter().all(is_bits) {
            state.operands.extend(operands);
            return self.by_help(state, operator);
        }
        let ((a, first), (b, second)) =
            (self.whole_in(state, operands[0].is)?, self.whole_in(state, operands[1].is)?);
        let result = function(self, a, b);
        self.push(state, Is::Whole(result, first.or(second).bits()))
    }

    /// `cvi`, `floor`, `ceiling`, `round` and `truncate`
    pub(super) fn whole_of(&mut self, state: &mut State, operator: Builtin) -> Result<Flow> {
        self.deepen(state, 1);
        let is = state.operands.last().map_or(Is::Fixed(Packed::NULL), |operand| operand.is);
        let is_number = matches!(is, Is::Number(_)) || self.sampled(is).is_some();
        match (is, operator) {
            // So are all of these.
            (Is::Whole(..), _) => Ok(Flow::On),
            (_, Builtin::Cvi | Builtin::Floor) if is_number && self.guesses != Guesses::None => {
                let [_] = self.pop(state);
                let number = self.number_in(state, is)?;
                let whole = self.builder.ins().fcvt_to_sint_sat(types::I64, number);
                let whole = if operator == Builtin::Cvi { whole } else { self.floor(number, whole) };
                let is_near = self.is_within(whole, Range::CONVERTED);
                self.guess(is_near);
                self.push(state, Is::Whole(whole, Range::CONVERTED))
            }
            _ => self.by_help(state, operator),
        }
    }

    /// The greatest integer that is not greater than a number, of which it is the integer without a fraction.
    fn floor(&mut self, number: Value, truncated: Value) -> Value {
        let bits = self.packed(Is::Number(number));
        let negative_zero = self.bits((-0.0_f64).to_bits());
        let is_other = self.builder.ins().icmp(IntCC::NotEqual, bits, negative_zero);
        self.guess(is_other);
        let back = self.builder.ins().fcvt_from_sint(types::F64, truncated);
        let is_above = self.builder.ins().fcmp(FloatCC::GreaterThan, back, number);
        let is_above = self.builder.ins().uextend(types::I64, is_above);
        self.builder.ins().isub(truncated, is_above)
    }
}
