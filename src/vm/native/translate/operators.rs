//! Operators: the plainest case of each, or the machine's own function.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, MemFlags, Value, types};

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
            Builtin::Add | Builtin::Sub | Builtin::Mul => self.arithmetic(state, operator),
            Builtin::Div => self.quotient(state),
            Builtin::IDiv => self.whole_division(state, true),
            Builtin::Mod => self.whole_division(state, false),
            Builtin::Neg => self.negative(state),
            Builtin::Abs => self.magnitude(state),
            Builtin::Sqrt => self.square_root(state),
            Builtin::Cvi | Builtin::Floor | Builtin::Ceiling | Builtin::Round | Builtin::Truncate => {
                self.whole_of(state, operator)
            }
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

    fn equality(&mut self, state: &mut State, condition: FloatCC) -> Result<Flow> {
        let [a, b] = self.pop(state);
        if let Some((a, b)) = self.both_whole(a, b) {
            let condition = if condition == FloatCC::Equal { IntCC::Equal } else { IntCC::NotEqual };
            let result = self.builder.ins().icmp(condition, a, b);
            return self.push(state, Is::Boolean(result));
        }
        if a.kind().is_number() || b.kind().is_number() {
            let (a, b) = (self.number_in(state, a)?, self.number_in(state, b)?);
            let result = self.builder.ins().fcmp(condition, a, b);
            return self.push(state, Is::Boolean(result));
        }
        let is_equal = self.is_equal(a, b);
        let result = match condition {
            FloatCC::Equal => is_equal,
            _ => self.builder.ins().bxor_imm(is_equal, 1),
        };
        self.push(state, Is::Boolean(result))
    }

    /// Whether two values are equal, of which neither is known to be a number.
    fn is_equal(&mut self, a: Is, b: Is) -> Value {
        let is_simple = |is: &Is| match is {
            Is::Fixed(value) => value.is_simple(),
            other => other.kind() == Kind::Boolean,
        };
        let either_is_simple = [a, b].iter().any(is_simple);
        let (a, b) = (self.packed(a), self.packed(b));
        let is_same = self.builder.ins().icmp(IntCC::Equal, a, b);
        if either_is_simple {
            return is_same;
        }
        let [other, no_number, far, done] = std::array::from_fn(|_| self.builder.create_block());
        let result = self.builder.append_block_param(done, types::I8);
        self.builder.ins().brif(is_same, done, &[is_same.into()], other, &[]);
        self.builder.switch_to_block(other);
        let [x, y] = [a, b].map(|bits| self.builder.ins().bitcast(types::F64, MemFlags::new(), bits));
        // Nothing else is an ordered number; 0 and -0.0 have different bits.
        let are_numbers = self.builder.ins().fcmp(FloatCC::Ordered, x, y);
        let is_equal = self.builder.ins().fcmp(FloatCC::Equal, x, y);
        self.builder.ins().brif(are_numbers, done, &[is_equal.into()], no_number, &[]);
        self.builder.switch_to_block(no_number);
        let are_objects = [a, b].map(|bits| {
            let [first, last] = Packed::COMPARED.map(Packed::bits);
            let distance = self.builder.ins().iadd_imm(bits, first.cast_signed().wrapping_neg());
            let most = (last - first).cast_signed();
            self.builder.ins().icmp_imm(IntCC::UnsignedLessThanOrEqual, distance, most)
        });
        let are_objects = self.builder.ins().band(are_objects[0], are_objects[1]);
        let no = self.builder.ins().iconst(types::I8, 0);
        self.builder.ins().brif(are_objects, far, &[], done, &[no.into()]);
        self.builder.switch_to_block(far);
        let is_equal = self.ask(gate::equal as *const () as usize, &[a, b]);
        let is_equal = self.builder.ins().ireduce(types::I8, is_equal);
        self.builder.ins().jump(done, &[is_equal.into()]);
        self.builder.switch_to_block(done);
        result
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
        let is_number = |operand: &Operand| operand.is.kind().is_number();
        if state.operands[state.operands.len() - 2..].iter().any(is_number) {
            return self.logic_of_bits(state, operator, function);
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
