//! The machine at full speed.
//!
//! Each operation does here what it does in the plainest case; for every other, and for every error, the instruction
//! is executed alone, by the same function as in a single step. What is hot lives in local variables meanwhile.

use super::{Machine, Streams};
use crate::isa::builtin::Builtin;
use crate::vm::code::{Address, Op, TURN};
use crate::vm::dictionary::Key;
use crate::vm::fault::Fault;
use crate::vm::frame::{Called, Frame, Turns, TurnsKind};
use crate::vm::value::Value;

/// A run at full speed can make so many steps more than it should: those of one fused operation.
pub(super) const MARGIN: u64 = 16;

impl Machine<'_> {
    /// Executes until about `goal` steps are left, the program has come to its end, or it is to be traced.
    pub(super) fn sprint(&mut self, goal: u64, streams: &mut Streams<'_>) -> Result<(), Fault> {
        let limit = self.stack.limit();
        let (mut at, mut called, mut height) = (self.at, self.called, self.stack.height());
        let budget = i64::try_from(self.left.saturating_sub(goal)).unwrap_or(i64::MAX);
        let mut left = budget;

        /// Puts the local variables where everybody finds them.
        macro_rules! put_down {
            ($at:expr) => {
                self.at = $at;
                self.called = called;
                self.stack.set_height(height);
            };
        }
        /// Takes up the local variables again.
        macro_rules! take_up {
            () => {
                at = self.at;
                called = self.called;
                height = self.stack.height();
            };
        }
        macro_rules! fail {
            ($fault:expr) => {
                self.at = at - 1;
                self.left -= (budget - left) as u64;
                return Err($fault);
            };
        }
        /// Executes the instruction alone, of which the operation is the first or only part.
        macro_rules! alone {
            ($op:expr) => {{
                put_down!(at);
                if let Err(fault) = self.execute($op, streams) {
                    fail!(fault);
                }
                take_up!();
                if self.is_tracing {
                    break;
                }
            }};
            () => {
                alone!(self.code.plain(at - 1))
            };
        }
        macro_rules! push {
            ($value:expr) => {
                match self.stack.slots().get_mut(height) {
                    Some(slot) => {
                        *slot = $value;
                        height += 1;
                    }
                    None => alone!(),
                }
            };
        }
        /// The uppermost operands.
        macro_rules! top {
            ($count:literal) => {
                self.stack.slots().get_mut(height.wrapping_sub($count)..height)
            };
        }
        macro_rules! arithmetic {
            ($operator:tt) => {
                match top!(2) {
                    Some([Value::Number(a), Value::Number(b)]) if (*a $operator *b).is_finite() => {
                        *a = *a $operator *b;
                        height -= 1;
                    }
                    _ => alone!(),
                }
            };
            ($operator:tt $number:expr) => {
                match top!(1) {
                    Some([Value::Number(a)]) if (*a $operator $number).is_finite() => {
                        *a = *a $operator $number;
                        at += 1;
                        left -= 1;
                    }
                    _ => alone!(),
                }
            };
        }
        /// Whether two operands compare so, if they can be compared here.
        macro_rules! compared {
            ($operator:tt) => {
                match top!(2) {
                    Some([Value::Number(a), Value::Number(b)]) => Some(*a $operator *b),
                    _ => None,
                }
            };
            ($operator:tt $number:expr) => {
                match top!(1) {
                    Some([Value::Number(a)]) => Some(*a $operator $number),
                    _ => None,
                }
            };
        }
        macro_rules! compare {
            ($operator:tt) => {
                match compared!($operator) {
                    Some(result) => {
                        height -= 1;
                        if let Some([slot]) = top!(1) {
                            *slot = Value::Boolean(result);
                        }
                    }
                    None => alone!(),
                }
            };
            ($operator:tt $number:expr) => {
                match compared!($operator $number) {
                    Some(result) => {
                        if let Some([slot]) = top!(1) {
                            *slot = Value::Boolean(result);
                        }
                        at += 1;
                        left -= 1;
                    }
                    None => alone!(),
                }
            };
        }
        /// Lets a frame go on at an address when what comes now has ended, unless nothing is left to do there.
        /// Gives whether it waits; `None` when there is no room.
        macro_rules! suspend {
            ($after:expr) => {
                if self.code.is_end($after) {
                    Some(false)
                } else if self.frames.len() < limit {
                    self.frames.push(Frame { at: $after, called });
                    Some(true)
                } else {
                    None
                }
            };
        }
        /// Executes one of the blocks at an address, if there is room: how many operands go, how many steps it is
        /// besides those of [`Op::If`].
        macro_rules! branch {
            ($condition:expr, $block:expr, $operands:literal, $steps:literal) => {{
                let block: Address = $block;
                let (body, after, steps) = match self.code.op(block) {
                    Op::If { after } if !$condition => (after, after, 1),
                    Op::If { after } => (block + 1, after, 1),
                    Op::IfElse { second, after } if !$condition => (second, after, 2),
                    Op::IfElse { after, .. } => (block + 1, after, 2),
                    _ => (at - 1, at - 1, 0),
                };
                if steps == 0 {
                    alone!();
                } else if body == after {
                    height -= $operands;
                    left -= $steps + steps;
                    at = after;
                } else {
                    match suspend!(after) {
                        Some(is_waiting) => {
                            height -= $operands;
                            left -= $steps + steps;
                            at = body;
                            if is_waiting {
                                called = called.part();
                            }
                        }
                        None => alone!(),
                    }
                }
            }};
        }
        macro_rules! compare_and_branch {
            ($operator:tt) => {
                match compared!($operator) {
                    Some(result) => branch!(result, at, 2, 1),
                    None => alone!(),
                }
            };
            ($operator:tt $number:expr) => {
                match compared!($operator $number) {
                    Some(result) => branch!(result, at + 1, 1, 2),
                    None => alone!(),
                }
            };
        }
        /// Begins a loop over the block that comes now.
        macro_rules! begin_loop {
            ($after:expr, $operands:literal, $kind:expr) => {{
                let kind = $kind;
                if self.frames.len() + 1 < limit {
                    self.frames.push(Frame { at: $after, called });
                    self.loops.push(Turns { body: at, called: called.part(), kind });
                    height -= $operands;
                    left -= 1;
                    at = TURN;
                } else {
                    alone!();
                }
            }};
        }
        macro_rules! begin_turn {
            ($turns:expr) => {{
                let (body, inner) = ($turns.body, $turns.called);
                self.frames.push(Frame { at: TURN, called });
                at = body;
                called = inner;
            }};
        }
        macro_rules! end_loop {
            () => {{
                self.loops.pop();
                left += 1;
                if let Some(frame) = self.frames.pop() {
                    (at, called) = (frame.at, frame.called);
                }
            }};
        }
        /// Begins a turn, or ends the loop, in the way that serves all loops.
        macro_rules! turn {
            () => {{
                put_down!(at - 1);
                let before = self.left;
                if let Err(fault) = self.turn() {
                    self.left = before - (budget - left - 1) as u64;
                    return Err(fault.of(self.loop_operator()));
                }
                left += 1 - (before - self.left) as i64;
                self.left = before;
                take_up!();
            }};
        }

        while left > 0 {
            let op = self.code.op(at);
            at += 1;
            left -= 1;
            match op {
                Op::Return => {
                    left += 1;
                    if let Some(frame) = self.frames.pop() {
                        (at, called) = (frame.at, frame.called);
                    }
                }
                Op::Turn => match self.loops.last_mut() {
                    Some(turns) => match &mut turns.kind {
                        TurnsKind::For { next, increment, limit } => {
                            let is_over = if *increment < 0.0 { *next < *limit } else { *next > *limit };
                            if is_over {
                                end_loop!();
                            } else if let Some(slot) = self.stack.slots().get_mut(height) {
                                *slot = Value::Number(*next);
                                height += 1;
                                *next += *increment;
                                begin_turn!(turns);
                            } else {
                                turn!();
                            }
                        }
                        TurnsKind::Repeat { left: 0 } => end_loop!(),
                        TurnsKind::Repeat { left: turns_left } => {
                            *turns_left -= 1;
                            begin_turn!(turns);
                        }
                        TurnsKind::Loop => begin_turn!(turns),
                        TurnsKind::ForAll { .. } => turn!(),
                    },
                    None => turn!(),
                },
                Op::Halt | Op::Unstopped => {
                    at -= 1;
                    left += 1;
                    break;
                }
                Op::Number(number) => push!(Value::Number(number)),
                Op::Boolean(value) => push!(Value::Boolean(value)),
                Op::Text(text) => push!(Value::Text(text)),
                Op::Block { procedure, after } => match self.stack.slots().get_mut(height) {
                    Some(slot) => {
                        *slot = Value::Procedure(procedure);
                        height += 1;
                        at = after;
                    }
                    None => alone!(),
                },
                Op::Name(name) => match self.scope.find(&self.heap, name) {
                    None | Some(Value::Operator(_)) => alone!(),
                    Some(Value::Procedure(procedure)) => {
                        if self.scope.trusted(name).is_some() {
                            let body = self.code.body(procedure, &mut self.scope);
                            self.code.trust(at - 1, name, body);
                        }
                        alone!();
                    }
                    Some(value) => push!(value),
                },
                Op::Enter { body, name } => match suspend!(at) {
                    Some(_) => {
                        at = body;
                        called = Called::by(name);
                    }
                    None => alone!(),
                },
                Op::Operator(operator) => alone!(Op::Operator(operator)),

                Op::Add => arithmetic!(+),
                Op::Sub => arithmetic!(-),
                Op::Mul => arithmetic!(*),
                Op::Div => arithmetic!(/),
                Op::Eq => compare!(==),
                Op::Ne => compare!(!=),
                Op::Lt => compare!(<),
                Op::Le => compare!(<=),
                Op::Gt => compare!(>),
                Op::Ge => compare!(>=),
                Op::AddNumber(number) => arithmetic!(+ number),
                Op::SubNumber(number) => arithmetic!(-number),
                Op::MulNumber(number) => arithmetic!(*number),
                Op::DivNumber(number) => arithmetic!(/ number),
                Op::EqNumber(number) => compare!(== number),
                Op::NeNumber(number) => compare!(!= number),
                Op::LtNumber(number) => compare!(< number),
                Op::LeNumber(number) => compare!(<= number),
                Op::GtNumber(number) => compare!(> number),
                Op::GeNumber(number) => compare!(>= number),
                Op::EqIf => compare_and_branch!(==),
                Op::NeIf => compare_and_branch!(!=),
                Op::LtIf => compare_and_branch!(<),
                Op::LeIf => compare_and_branch!(<=),
                Op::GtIf => compare_and_branch!(>),
                Op::GeIf => compare_and_branch!(>=),
                Op::EqNumberIf(number) => compare_and_branch!(== number),
                Op::NeNumberIf(number) => compare_and_branch!(!= number),
                Op::LtNumberIf(number) => compare_and_branch!(< number),
                Op::LeNumberIf(number) => compare_and_branch!(<= number),
                Op::GtNumberIf(number) => compare_and_branch!(> number),
                Op::GeNumberIf(number) => compare_and_branch!(>= number),

                Op::Dup => match top!(1) {
                    Some(&mut [value]) => push!(value),
                    _ => alone!(),
                },
                Op::Pop => match height {
                    0 => alone!(),
                    _ => height -= 1,
                },
                Op::Exch => match top!(2) {
                    Some([a, b]) => std::mem::swap(a, b),
                    _ => alone!(),
                },
                Op::IndexNumber(depth) => {
                    match self.stack.slots().get(height.wrapping_sub(depth as usize + 1)) {
                        Some(value) if height > depth as usize => {
                            let value = *value;
                            match self.stack.slots().get_mut(height) {
                                Some(slot) => {
                                    *slot = value;
                                    height += 1;
                                    at += 1;
                                    left -= 1;
                                }
                                None => alone!(),
                            }
                        }
                        _ => alone!(),
                    }
                }
                Op::RollNumbers { count, by } => {
                    match self.stack.slots().get_mut(height.wrapping_sub(count as usize)..height) {
                        Some(operands) => {
                            roll(operands, by);
                            at += 2;
                            left -= 2;
                        }
                        None => alone!(),
                    }
                }
                Op::CopyTwo => {
                    match self.stack.slots().get_mut(height.wrapping_sub(2)..height.wrapping_add(2)) {
                        Some([a, b, above, top]) => {
                            (*above, *top) = (*a, *b);
                            height += 2;
                            at += 1;
                            left -= 1;
                        }
                        _ => alone!(),
                    }
                }
                Op::Index => alone!(Op::Operator(Builtin::Index)),
                Op::If { .. } | Op::IfElse { .. } => match top!(1) {
                    Some(&mut [Value::Boolean(condition)]) => branch!(condition, at - 1, 1, 0),
                    _ => alone!(),
                },
                Op::For { after } => match top!(3) {
                    Some(&mut [Value::Number(next), Value::Number(increment), Value::Number(limit)]) => {
                        begin_loop!(after, 3, TurnsKind::For { next, increment, limit });
                    }
                    _ => alone!(),
                },
                Op::Repeat { after } => match top!(1) {
                    Some(&mut [Value::Number(turns)]) if turns >= 0.0 && turns.fract() == 0.0 => {
                        begin_loop!(after, 1, TurnsKind::Repeat { left: turns as u64 });
                    }
                    _ => alone!(),
                },
                Op::Loop { after } => begin_loop!(after, 0, TurnsKind::Loop),
                Op::Get => match top!(2) {
                    Some(&mut [Value::Array(slice), Value::Number(index)]) => {
                        match self.heap.array(slice).get(index as usize) {
                            Some(value) if index as usize as f64 == index => {
                                let value = *value;
                                height -= 1;
                                if let Some([slot]) = top!(1) {
                                    *slot = value;
                                }
                            }
                            _ => alone!(),
                        }
                    }
                    Some(&mut [Value::Dictionary(id), key]) => {
                        match Key::of(key).and_then(|key| self.heap.dictionary(id).get(key)) {
                            Some(value) => {
                                height -= 1;
                                if let Some([slot]) = top!(1) {
                                    *slot = value;
                                }
                            }
                            _ => alone!(),
                        }
                    }
                    _ => alone!(),
                },
                Op::Put => match top!(3) {
                    Some(&mut [Value::Array(slice), Value::Number(index), value]) => {
                        match self.heap.array_mut(slice).get_mut(index as usize) {
                            Some(element) if index as usize as f64 == index => {
                                *element = value;
                                height -= 3;
                            }
                            _ => alone!(),
                        }
                    }
                    _ => alone!(),
                },
                Op::Def => match top!(2) {
                    Some(&mut [Value::Text(name), value])
                        if self.scope.replace(&mut self.heap, name, value) =>
                    {
                        height -= 2
                    }
                    _ => alone!(),
                },
                Op::Define(name) => match top!(1) {
                    Some(&mut [value]) if self.scope.replace(&mut self.heap, name, value) => {
                        height -= 1;
                        at += 2;
                        left -= 2;
                    }
                    _ => alone!(),
                },
                Op::Begin => alone!(Op::Operator(Builtin::Begin)),
                Op::End => alone!(Op::Operator(Builtin::End)),
            }
        }
        put_down!(at);
        self.left -= (budget - left) as u64;
        self.settle()
    }
}

/// Rotates operands by so many places towards the top.
#[inline]
fn roll(operands: &mut [Value], by: u32) {
    match (operands, by) {
        ([a, b, c], 1) => (*a, *b, *c) = (*c, *a, *b),
        ([a, b, c], 2) => (*a, *b, *c) = (*b, *c, *a),
        (operands, by) => operands.rotate_right(by as usize),
    }
}
