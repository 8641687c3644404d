//! Operators: the plainest case of each, or the machine's own function.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value, types};

use super::{Flow, Result, Translator, Unable};
use crate::isa::builtin::Builtin;
use crate::isa::effect::effects;
use crate::vm::native::gate;
use crate::vm::native::state::{Is, Kind, Operand, State, Waiting};
use crate::vm::value::{Packed, is_whole};

/// The largest depth of the operand stack that is looked at with a known count.
const LARGEST: f64 = 32.0;

impl Translator<'_, '_> {
    pub(super) fn operator(&mut self, operator: Builtin, state: &mut State) -> Result<Flow> {
        match operator {
            Builtin::Add => self.arithmetic(state, |of, a, b| of.builder.ins().fadd(a, b)),
            Builtin::Sub => self.arithmetic(state, |of, a, b| of.builder.ins().fsub(a, b)),
            Builtin::Mul => self.arithmetic(state, |of, a, b| of.builder.ins().fmul(a, b)),
            Builtin::Div => self.quotient(state),
            Builtin::IDiv => self.whole_division(state, true),
            Builtin::Mod => self.whole_division(state, false),
            Builtin::Neg => self.of_number(state, |of, a| of.builder.ins().fneg(a)),
            Builtin::Abs => self.of_number(state, |of, a| of.builder.ins().fabs(a)),
            Builtin::Eq => self.equality(state, FloatCC::Equal),
            Builtin::Ne => self.equality(state, FloatCC::NotEqual),
            Builtin::Lt => self.order(state, FloatCC::LessThan, IntCC::SignedLessThan),
            Builtin::Le => self.order(state, FloatCC::LessThanOrEqual, IntCC::SignedLessThanOrEqual),
            Builtin::Gt => self.order(state, FloatCC::GreaterThan, IntCC::SignedGreaterThan),
            Builtin::Ge => self.order(state, FloatCC::GreaterThanOrEqual, IntCC::SignedGreaterThanOrEqual),
            Builtin::Not => self.not(state),
            Builtin::And => self.logic(state, operator, |of, a, b| of.builder.ins().band(a, b)),
            Builtin::Or => self.logic(state, operator, |of, a, b| of.builder.ins().bor(a, b)),
            Builtin::Xor => self.logic(state, operator, |of, a, b| of.builder.ins().bxor(a, b)),

            Builtin::Null => self.push(state, Is::Fixed(Packed::NULL)),
            Builtin::Dup => self.copy_from(state, 0),
            Builtin::Pop => {
                let [_] = self.pop(state);
                Ok(Flow::On)
            }
            Builtin::Exch => self.roll(state, 2, 1),
            Builtin::Index => match self.known_count(state) {
                Some(depth) => {
                    let [_] = self.pop(state);
                    self.copy_from(state, depth)
                }
                None => self.by_help(state, operator),
            },
            Builtin::Copy => match self.known_count(state) {
                Some(count) => {
                    let [_] = self.pop(state);
                    (0..count).try_for_each(|_| self.copy_from(state, count - 1).map(|_| ()))?;
                    Ok(Flow::On)
                }
                None => self.by_help(state, operator),
            },
            Builtin::Roll => self.roll_by_operands(state),

            Builtin::Get => self.get(state),
            Builtin::Put => self.put(state),
            Builtin::Known => self.known(state),
            Builtin::Length => self.length(state),
            Builtin::GetInterval => self.get_interval(state),
            Builtin::PutInterval => self.put_interval(state),
            Builtin::Cvs => self.convert_to_string(state),
            Builtin::Def if self.defines_known(state) => self.define(state),
            Builtin::Def if self.defines_any(state) => self.define_any(state),
            Builtin::CurrentDict => self.current(state),
            Builtin::Search => self.search(state),
            Builtin::Dict => match self.new_dictionary(state)? {
                Some(flow) => Ok(flow),
                None => self.by_help(state, operator),
            },
            Builtin::Begin => self.begin_dictionary(state),
            Builtin::End => self.end_dictionary(state),
            Builtin::Load => self.load_name(state),
            Builtin::Store => self.store(state),

            Builtin::If => self.choose_one(state),
            Builtin::IfElse => self.choose_of_two(state),
            Builtin::For => {
                let [body] = self.pop(state);
                self.begin_for(state, Some(Self::known_procedure(body)?), state.at)
            }
            Builtin::Repeat => {
                let [body] = self.pop(state);
                self.begin_repeat(state, Some(Self::known_procedure(body)?), state.at)
            }
            Builtin::Loop => {
                let [body] = self.pop(state);
                self.begin_loop(state, Some(Self::known_procedure(body)?), state.at)
            }
            Builtin::Exit => self.exit(state),
            Builtin::Exec => self.execute(state),
            Builtin::ForAll => self.begin_forall(state),
            Builtin::Stopped => self.begin_stopped(state),
            Builtin::Stop => self.stop(state),
            // These look at frames, or end what is executed now.
            Builtin::Quit | Builtin::CountExecStack => Err(Unable),
            other => self.by_help(state, other),
        }
    }

    fn defines_known(&self, state: &State) -> bool {
        let at = state.operands.len().checked_sub(2);
        at.is_some_and(|at| state.operands[at].is.known_name().is_some())
    }

    /// Whether the key may be a name.
    fn defines_any(&self, state: &State) -> bool {
        let at = state.operands.len().checked_sub(2);
        at.is_none_or(|at| matches!(state.operands[at].is, Is::Packed(_)))
    }

    fn arithmetic(
        &mut self,
        state: &mut State,
        function: impl Fn(&mut Self, Value, Value) -> Value,
    ) -> Result<Flow> {
        let [a, b] = self.pop(state);
        let are_moderate = a.is_moderate() && b.is_moderate();
        let (a, b) = (self.number_in(state, a)?, self.number_in(state, b)?);
        let result = function(self, a, b);
        if !are_moderate {
            self.finite(result);
        }
        self.push(state, Is::Number(result))
    }

    /// `div`
    fn quotient(&mut self, state: &mut State) -> Result<Flow> {
        let [a, b] = self.pop(state);
        let (a, b) = (self.number_in(state, a)?, self.number_in(state, b)?);
        let result = self.builder.ins().fdiv(a, b);
        self.finite(result);
        self.push(state, Is::Number(result))
    }

    fn of_number(&mut self, state: &mut State, function: impl Fn(&mut Self, Value) -> Value) -> Result<Flow> {
        let [a] = self.pop(state);
        let a = self.number_in(state, a)?;
        let result = function(self, a);
        self.push(state, Is::Number(result))
    }

    /// `idiv` and `mod`
    fn whole_division(&mut self, state: &mut State, is_quotient: bool) -> Result<Flow> {
        let [a, b] = self.pop(state);
        let divisor = b.known_number().filter(|b| is_whole(*b) && (1.0..1e15).contains(b));
        let result = match divisor {
            Some(divisor) => self.divide_by(state, a, divisor as i64, is_quotient)?,
            None => {
                let (a, b) = (self.number_in(state, a)?, self.number_in(state, b)?);
                Is::Number(self.divide_any(state, a, b, is_quotient)?)
            }
        };
        self.push(state, result)
    }

    /// By any number.
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

    /// By a known integer greater than zero.
    fn divide_by(&mut self, state: &mut State, a: Is, divisor: i64, is_quotient: bool) -> Result<Is> {
        let (integer, is_whole) = self.small_integer(state, a)?;
        let divide = |of: &mut Self| {
            if is_quotient {
                let by = of.builder.ins().iconst(types::I64, divisor);
                of.builder.ins().sdiv(integer, by)
            } else {
                let by = of.builder.ins().iconst(types::I64, divisor);
                of.builder.ins().srem(integer, by)
            }
        };
        let Some(is_whole) = is_whole else { return Ok(Is::Whole(divide(self))) };
        let number = self.number(a)?;
        let (near, far, done) =
            (self.builder.create_block(), self.builder.create_block(), self.builder.create_block());
        let of_type = if is_quotient { types::F64 } else { types::I64 };
        let result = self.builder.append_block_param(done, of_type);
        self.builder.set_cold_block(far);
        self.builder.ins().brif(is_whole, near, &[], far, &[]);
        self.builder.switch_to_block(near);
        let quick = divide(self);
        let quick = if is_quotient { self.builder.ins().fcvt_from_sint(types::F64, quick) } else { quick };
        self.builder.ins().jump(done, &[quick.into()]);
        self.builder.switch_to_block(far);
        let divisor = self.float(divisor as f64);
        let slow = self.divide_far(number, divisor, is_quotient);
        // A remainder is smaller than the divisor.
        let slow = if is_quotient { slow } else { self.builder.ins().fcvt_to_sint_sat(types::I64, slow) };
        self.builder.ins().jump(done, &[slow.into()]);
        self.builder.switch_to_block(done);
        Ok(if is_quotient { Is::Number(result) } else { Is::Whole(result) })
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

    fn order(&mut self, state: &mut State, condition: FloatCC, of_whole: IntCC) -> Result<Flow> {
        let [a, b] = self.pop(state);
        if let Some((a, b)) = self.both_whole(a, b) {
            let result = self.builder.ins().icmp(of_whole, a, b);
            return self.push(state, Is::Boolean(result));
        }
        let (a, b) = (self.number_in(state, a)?, self.number_in(state, b)?);
        let result = self.builder.ins().fcmp(condition, a, b);
        self.push(state, Is::Boolean(result))
    }

    /// Two numbers that are known to be whole, as integers.
    fn both_whole(&mut self, a: Is, b: Is) -> Option<(Value, Value)> {
        match (a, b) {
            (Is::Whole(a), Is::Whole(b)) => Some((a, b)),
            (Is::Whole(a), b) => {
                let b = b.known_whole()?;
                Some((a, self.builder.ins().iconst(types::I64, b)))
            }
            (a, Is::Whole(b)) => {
                let a = a.known_whole()?;
                Some((self.builder.ins().iconst(types::I64, a), b))
            }
            _ => None,
        }
    }

    fn equality(&mut self, state: &mut State, condition: FloatCC) -> Result<Flow> {
        let [a, b] = self.pop(state);
        if let Some((a, b)) = self.both_whole(a, b) {
            let condition = if condition == FloatCC::Equal { IntCC::Equal } else { IntCC::NotEqual };
            let result = self.builder.ins().icmp(condition, a, b);
            return self.push(state, Is::Boolean(result));
        }
        if a.kind() == Kind::Number || b.kind() == Kind::Number {
            let (a, b) = (self.number_in(state, a)?, self.number_in(state, b)?);
            let result = self.builder.ins().fcmp(condition, a, b);
            return self.push(state, Is::Boolean(result));
        }
        let (a, b) = (self.packed(a), self.packed(b));
        let is_equal = self.ask(gate::equal as *const () as usize, &[a, b]);
        let expected = i64::from(condition == FloatCC::Equal);
        let result = self.builder.ins().icmp_imm(IntCC::Equal, is_equal, expected);
        self.push(state, Is::Boolean(result))
    }

    fn not(&mut self, state: &mut State) -> Result<Flow> {
        let [a] = self.pop(state);
        let a = self.truth(a)?;
        let result = self.builder.ins().bxor_imm(a, 1);
        self.push(state, Is::Boolean(result))
    }

    fn logic(
        &mut self,
        state: &mut State,
        operator: Builtin,
        function: impl Fn(&mut Self, Value, Value) -> Value,
    ) -> Result<Flow> {
        self.deepen(state, 2);
        let is_number = |operand: &Operand| operand.is.kind() == Kind::Number;
        if state.operands[state.operands.len() - 2..].iter().any(is_number) {
            return self.by_help(state, operator);
        }
        let [a, b] = self.pop(state);
        let (a, b) = (self.truth(a)?, self.truth(b)?);
        let result = function(self, a, b);
        self.push(state, Is::Boolean(result))
    }

    /// The known count on top of the stack.
    fn known_count(&self, state: &State) -> Option<usize> {
        let count = state.operands.last()?.is.known_number()?;
        (is_whole(count) && (0.0..=LARGEST).contains(&count)).then_some(count as usize)
    }

    fn copy_from(&mut self, state: &mut State, depth: usize) -> Result<Flow> {
        self.deepen(state, depth + 1);
        let is = state.operands[state.operands.len() - 1 - depth].is;
        self.push(state, is)
    }

    fn roll_by_operands(&mut self, state: &mut State) -> Result<Flow> {
        let by = state.operands.last().and_then(|operand| operand.is.known_number());
        let count = state.operands.iter().nth_back(1).and_then(|operand| operand.is.known_number());
        let is_small = |number: &f64| is_whole(*number) && number.abs() <= LARGEST;
        match count.filter(is_small).zip(by.filter(is_small)) {
            Some((count, by)) if count >= 1.0 => {
                let [_, _] = self.pop(state);
                self.roll(state, count as usize, by.rem_euclid(count) as usize)
            }
            _ => self.by_help(state, Builtin::Roll),
        }
    }

    fn roll(&mut self, state: &mut State, count: usize, by: usize) -> Result<Flow> {
        self.deepen(state, count);
        let from = state.operands.len() - count;
        state.operands[from..].rotate_right(by);
        Ok(Flow::On)
    }

    /// Keeps what is known of the operands below those that an operator took.
    fn keep(&mut self, state: &mut State, operator: Builtin, mut kept: Vec<Operand>) {
        let Some(left) = takes(operator).and_then(|takes| kept.len().checked_sub(takes)) else { return };
        kept.truncate(left);
        state.below -= 1;
        let result = self.slot(state, state.below);
        kept.push(Operand { is: Is::Packed(result), home: Some(state.below) });
        state.below -= left as i32;
        state.operands = kept;
    }

    /// By the machine's own function, with all operands on the stack.
    pub(super) fn by_help(&mut self, state: &mut State, operator: Builtin) -> Result<Flow> {
        self.materialize(state);
        let sp = self.put_operands(state);
        let height = state.height();
        let mut kept = std::mem::take(&mut state.operands);
        for (operand, at) in kept.iter_mut().zip(state.below..) {
            operand.home = Some(at);
        }
        state.below = height;
        let number = self.builder.ins().iconst(types::I32, operator as i64);
        let at = self.builder.ins().iconst(types::I32, i64::from(state.at - 1));
        let calculates = calculates(operator);
        let helper = if calculates { gate::calculate as *const () } else { gate::operate as *const () };
        // What a loop goes through must be found by a collection.
        let is_in_loop = state.waiting.iter().any(Waiting::is_forall);
        let loops = if is_in_loop { self.lend_loops(state) } else { None };
        let end = self.ask(helper as usize, &[sp, number, at]);
        if let Some(loops) = loops {
            self.set_field(std::mem::offset_of!(gate::Context, loops), loops);
        }
        let (out, on) = (self.leave_as_told(state.clone()), self.builder.create_block());
        self.builder.ins().brif(end, on, &[], out, &[]);
        self.builder.switch_to_block(on);
        if !calculates {
            state.forget_scope();
        }
        match change(operator) {
            Some(change) => {
                state.below = height + change;
                // It has looked at its operands.
                let taken = effects(operator).iter().map(|effect| effect.takes.len() as i32).min();
                state.assured = state.assured.min(height - taken.unwrap_or(0));
                self.reach_down(state, state.below.min(height));
                self.facts.touch(state.reach, state.below);
                self.keep(state, operator, kept);
            }
            None => {
                (state.sp, state.below, state.reach) = (end, 0, self.reaches);
                self.reaches += 1;
                // So many values it gives at least.
                state.assured =
                    -effects(operator).iter().map(|effect| effect.gives.len() as i32).min().unwrap_or(0);
                self.mark(state);
                self.check_room(state);
            }
        }
        Ok(Flow::On)
    }
}

/// How many operands an operator takes that leaves those below alone and gives one value, if it always takes as many.
fn takes(operator: Builtin) -> Option<usize> {
    use Builtin::*;
    match operator {
        Rand | RRand | Mark | OpenBracket => Some(0),
        Array | String | Ceiling | Cos | Cvi | Cvr | Floor | Length | Ln | Log | Round | Sin | Sqrt
        | Truncate | Type => Some(1),
        Atan | BitShift | Exp => Some(2),
        _ => None,
    }
}

/// Whether an operator surely does nothing to dictionaries, to names, or to what the machine does next.
const fn calculates(operator: Builtin) -> bool {
    use Builtin::*;
    matches!(
        operator,
        Abs | Atan | BitShift | Ceiling | Cos | Cvi | Cvr | Exp | Floor | Ln | Log | Neg | RRand | Rand
            | Round | SRand | Sin | Sqrt | Truncate
            // Numbers and truth values.
            | Add | And | Div | Eq | Ge | Gt | IDiv | Le | Lt | Mod | Mul | Ne | Not | Or | Sub | Xor
            // The operand stack.
            | Clear | ClearToMark | Count | CountToMark | Dup | Exch | Index | Mark | Null | OpenBracket
            | Pop | Roll | Type
            // Arrays and strings.
            | ALoad | AStore | AnchorSearch | Array | CloseBracket | Cvs | GetInterval | Length
            | PutInterval | Search | String
            | Print | Write
    )
}

/// By how much an operator changes the height of the operand stack, if it is always as much.
fn change(operator: Builtin) -> Option<i32> {
    let effects = effects(operator);
    let change = |effect: &crate::isa::effect::Effect| effect.gives.len() as i32 - effect.takes.len() as i32;
    let first = effects.first().map(change)?;
    effects.iter().all(|effect| change(effect) == first).then_some(first)
}
