//! The machine at full speed.
//!
//! Each operation does here what it does in the plainest case, or nothing at all; then the instruction is executed
//! alone, by the same function as in a single step. What is hot is in a struct of local variables meanwhile, whose
//! methods are all inlined, so that they can be in registers.
//! All this is only for a stack with room to spare: a fused operation does not look whether each of its parts could
//! have pushed its value.

use super::{Machine, Streams};
use crate::vm::code::{Address, Op, TURN};
use crate::vm::fault::Fault;
use crate::vm::frame::{Called, Frame, Turns, TurnsKind};
use crate::vm::names::NameId;
use crate::vm::operators::arithmetic::{quotient, remainder};
use crate::vm::value::Packed;

pub(in crate::vm) mod data;
mod names;
mod parts;
mod watched;

/// A run at full speed can make so many steps more than it should: those of one fused operation.
pub(super) const MARGIN: u64 = 16;

impl Machine<'_> {
    /// Executes until about `goal` steps are left, the program has come to its end, or full speed is not for it.
    pub(super) fn sprint(&mut self, goal: u64, streams: &mut Streams<'_>) -> Result<(), Fault> {
        let left = i64::try_from(self.left.saturating_sub(goal)).unwrap_or(i64::MAX);
        let (at, called, height, limit) = (self.at, self.called, self.stack.height(), self.stack.limit());
        Sprint { machine: self, at, called, height, left, limit }.run(streams)?;
        if self.caught_at.is_some() { Ok(()) } else { self.settle() }
    }

    /// Executes an instruction alone. After an error it is still the next one.
    #[inline(never)]
    fn execute_alone(&mut self, now: Address, op: Op, streams: &mut Streams<'_>) -> Result<(), Fault> {
        let op = if let Op::Operator(_) = op { op } else { self.code.plain(now) };
        if self.alarm.is_some() {
            return self.execute_watched(now, op, streams);
        }
        self.execute(op, streams).inspect_err(|_| self.at = now)
    }
}

/// A machine at full speed, with what is hot of it. Each method that stands for an operation tells whether it did it;
/// if not, nothing has changed.
struct Sprint<'m, 'p> {
    machine: &'m mut Machine<'p>,
    at: Address,
    called: Called,
    height: usize,
    /// How many steps are left, about.
    left: i64,
    /// How many frames there may be.
    limit: usize,
}

impl Sprint<'_, '_> {
    /// Runs. It takes itself, and is inlined: nobody else is to know where its fields are.
    #[inline(always)]
    fn run(mut self, streams: &mut Streams<'_>) -> Result<(), Fault> {
        let budget = self.left;
        let mut result = Ok(());
        while self.left > 0 {
            let now = self.at;
            self.at += 1;
            self.left -= 1;
            // No copy is made of the whole operation: it would go through memory.
            let is_done = match self.machine.code.ops[now as usize] {
                Op::Return => self.resume(),
                Op::Turn => match self.turn(now) {
                    Ok(is_done) => is_done,
                    Err(fault) => {
                        result = Err(fault);
                        break;
                    }
                },
                Op::Halt | Op::Unstopped => {
                    self.at = now;
                    self.left += 1;
                    break;
                }
                Op::Number(number) => self.push(Packed::number(number)),
                Op::Boolean(value) => self.push(Packed::boolean(value)),
                Op::Text(text) => self.push(Packed::text(text)),
                Op::Block { procedure, after } => {
                    self.push(Packed::procedure(procedure)) && self.go_on(after)
                }
                Op::Native => {
                    self.left += 1;
                    match self.native(now, streams) {
                        Ok(true) if self.machine.is_to_stop() => break,
                        Ok(is_done) => is_done,
                        Err(fault) => {
                            result = Err(fault);
                            break;
                        }
                    }
                }
                Op::Skip { to } => {
                    self.left += 1;
                    self.go_on(to)
                }
                Op::Chosen { to } => self.skip(1) && self.go_on(to),
                Op::Again => self.turn_again(),
                Op::Name(name) => self.name(now, name),
                Op::Enter { body, name } => self.enter(body, name),
                Op::Operator(_) => false,

                Op::Add => self.arithmetic(|a, b| a + b),
                Op::Sub => self.arithmetic(|a, b| a - b),
                Op::Mul => self.arithmetic(|a, b| a * b),
                Op::Div => self.arithmetic(|a, b| a / b),
                Op::IDiv => self.divide(quotient),
                Op::Mod => self.divide(remainder),
                Op::Eq => self.compare(|a, b| a == b),
                Op::Ne => self.compare(|a, b| a != b),
                Op::Lt => self.compare(|a, b| a < b),
                Op::Le => self.compare(|a, b| a <= b),
                Op::Gt => self.compare(|a, b| a > b),
                Op::Ge => self.compare(|a, b| a >= b),
                Op::Not => self.not(),
                Op::Dup => self.index(0),
                Op::Pop => self.pop(),
                Op::Exch => self.exch(),
                Op::Index => self.index_top(),
                Op::Get => self.get(),
                Op::Put => self.put(),
                Op::Known => self.known(),
                Op::Def => self.def(),
                Op::Begin => self.begin(),
                Op::End => self.machine.scope.end(&mut self.machine.heap),

                Op::AddNumber(number) => self.arithmetic_with(number, |a, b| a + b),
                Op::SubNumber(number) => self.arithmetic_with(number, |a, b| a - b),
                Op::MulNumber(number) => self.arithmetic_with(number, |a, b| a * b),
                Op::DivNumber(number) => self.arithmetic_with(number, |a, b| a / b),
                Op::IDivNumber(number) => self.divide_by(number, quotient),
                Op::ModNumber(number) => self.divide_by(number, remainder),
                Op::EqNumber(number) => self.compare_with(number, |a, b| a == b),
                Op::NeNumber(number) => self.compare_with(number, |a, b| a != b),
                Op::LtNumber(number) => self.compare_with(number, |a, b| a < b),
                Op::LeNumber(number) => self.compare_with(number, |a, b| a <= b),
                Op::GtNumber(number) => self.compare_with(number, |a, b| a > b),
                Op::GeNumber(number) => self.compare_with(number, |a, b| a >= b),
                Op::IndexNumber(depth) => self.index(depth as usize) && self.skip(1),
                Op::RollNumbers { count, by } => self.roll(count, by) && self.skip(2),
                Op::CopyTwo => self.copy_two() && self.skip(1),
                Op::Define(name) => self.define(name),
                Op::DefineNumber(name) => self.define_number(name),
                Op::Increase(name) => self.increase(name),
                Op::BeginNew => self.begin_new() && self.skip(1),

                Op::AddName(name) => self.arithmetic_by(now, name, |a, b| a + b),
                Op::SubName(name) => self.arithmetic_by(now, name, |a, b| a - b),
                Op::MulName(name) => self.arithmetic_by(now, name, |a, b| a * b),
                Op::DivName(name) => self.arithmetic_by(now, name, |a, b| a / b),
                Op::GetName(name) => self.get_by(now, name),
                Op::Names(first, second) => self.names(now, first, second),
                Op::GetNames(first, second) => self.get_names(now, first, second),

                Op::If { .. } | Op::IfElse { .. } => self.branch_on_top(now),
                Op::IfInPlace { .. } => self.branch_on_top(now),
                Op::For { after } => self.begin_for(after) && self.count(1),
                Op::Repeat { after } => self.begin_repeat(after) && self.count(1),
                Op::Loop { after } => self.begin_loop(after, 0, TurnsKind::Loop) && self.count(1),
                Op::ForInPlace { after } => self.begin_for(after),
                Op::RepeatInPlace { after } => self.begin_repeat(after),
                Op::LoopInPlace { after } => self.begin_loop(after, 0, TurnsKind::Loop),

                Op::EqIf => self.branch_on_two(|a, b| a == b),
                Op::NeIf => self.branch_on_two(|a, b| a != b),
                Op::LtIf => self.branch_on_two(|a, b| a < b),
                Op::LeIf => self.branch_on_two(|a, b| a <= b),
                Op::GtIf => self.branch_on_two(|a, b| a > b),
                Op::GeIf => self.branch_on_two(|a, b| a >= b),
                Op::EqNumberIf(number) => self.branch_on_number(number, |a, b| a == b),
                Op::NeNumberIf(number) => self.branch_on_number(number, |a, b| a != b),
                Op::LtNumberIf(number) => self.branch_on_number(number, |a, b| a < b),
                Op::LeNumberIf(number) => self.branch_on_number(number, |a, b| a <= b),
                Op::GtNumberIf(number) => self.branch_on_number(number, |a, b| a > b),
                Op::GeNumberIf(number) => self.branch_on_number(number, |a, b| a >= b),
                Op::EqNameIf(name) => self.branch_on_name(now, name, |a, b| a == b),
                Op::NeNameIf(name) => self.branch_on_name(now, name, |a, b| a != b),
                Op::LtNameIf(name) => self.branch_on_name(now, name, |a, b| a < b),
                Op::LeNameIf(name) => self.branch_on_name(now, name, |a, b| a <= b),
                Op::GtNameIf(name) => self.branch_on_name(now, name, |a, b| a > b),
                Op::GeNameIf(name) => self.branch_on_name(now, name, |a, b| a >= b),
            };
            if !is_done {
                self.put_down();
                let op = self.machine.code.ops[now as usize];
                result = self.machine.execute_alone(now, op, streams);
                self.take_up();
                if result.is_err() || self.machine.is_to_stop() {
                    break;
                }
            }
        }
        self.put_down();
        self.machine.left -= (budget - self.left) as u64;
        result
    }

    /// Puts what is hot where everybody finds it.
    #[inline(always)]
    fn put_down(&mut self) {
        self.machine.at = self.at;
        self.machine.called = self.called;
        self.machine.stack.set_height(self.height);
    }

    #[inline(always)]
    fn take_up(&mut self) {
        self.at = self.machine.at;
        self.called = self.machine.called;
        self.height = self.machine.stack.height();
    }

    /// Executes native code, as long as there is some. Tells whether it did anything.
    #[inline(never)]
    fn native(&mut self, now: Address, streams: &mut Streams<'_>) -> Result<bool, Fault> {
        self.at = now;
        self.put_down();
        let before = self.left;
        let result = self.machine.run_native(now, &mut self.left, streams);
        self.take_up();
        result?;
        let is_done = self.at != now || self.left != before;
        if !is_done {
            // The instruction is executed alone.
            self.left -= 1;
            self.at += 1;
        }
        Ok(is_done)
    }

    /// Notes that the code at an address is begun.
    #[inline(always)]
    fn warm(&mut self, at: Address) {
        if self.machine.native.warm(at) {
            self.put_down();
            self.machine.translate(at);
        }
    }

    #[inline(always)]
    fn go_on(&mut self, at: Address) -> bool {
        self.at = at;
        true
    }

    /// Leaves out instructions whose work was done by the operation before them.
    #[inline(always)]
    fn skip(&mut self, instructions: u32) -> bool {
        self.at += instructions;
        self.count(instructions)
    }

    /// Counts so many steps more.
    #[inline(always)]
    fn count(&mut self, steps: u32) -> bool {
        self.left -= i64::from(steps);
        true
    }
}

/// Frames.
impl Sprint<'_, '_> {
    /// Goes on with the innermost frame. This is no step.
    #[inline(always)]
    fn resume(&mut self) -> bool {
        self.left += 1;
        if let Some(frame) = self.machine.frames.pop() {
            (self.at, self.called) = (frame.at, frame.called);
        }
        true
    }

    /// Lets a frame go on at an address when what comes now has ended, unless nothing is left to do there. Gives
    /// whether it waits; `None` when there is no room.
    #[inline(always)]
    fn suspend(&mut self, after: Address) -> Option<bool> {
        if self.machine.code.is_end(after) {
            return Some(false);
        }
        let has_room = self.machine.frames.len() < self.limit;
        if has_room {
            self.machine.frames.push(Frame { at: after, called: self.called });
        }
        has_room.then_some(true)
    }

    /// Executes the procedure whose body is at an address.
    #[inline(always)]
    fn enter(&mut self, body: Address, name: NameId) -> bool {
        let is_entered = self.suspend(self.at).is_some();
        if is_entered {
            self.at = body;
            self.called = Called::by(name);
            self.warm(body);
        }
        is_entered
    }

    /// Executes one of the blocks at an address, which are fused with `if` or `ifelse`, or in place. So many operands
    /// go then, and so many steps are made besides those of the blocks.
    #[inline(always)]
    fn branch(&mut self, condition: bool, block: Address, operands: usize, steps: u32) -> bool {
        let (body, after, own_steps) = match self.machine.code.ops[block as usize] {
            Op::If { after } => (if condition { block + 1 } else { after }, after, 1),
            Op::IfElse { second, after } => (if condition { block + 1 } else { second }, after, 2),
            Op::IfInPlace { after } => {
                self.height -= operands;
                self.at = if condition { block + 1 } else { after };
                return self.count(steps);
            }
            _ => return false,
        };
        if body != after {
            match self.suspend(after) {
                Some(true) => self.called = self.called.part(),
                Some(false) => {}
                None => return false,
            }
        }
        self.height -= operands;
        self.at = body;
        self.count(steps + own_steps)
    }

    #[inline(always)]
    fn branch_on_top(&mut self, now: Address) -> bool {
        let condition = self.top().and_then(Packed::as_boolean);
        condition.is_some_and(|condition| self.branch(condition, now, 1, 0))
    }

    #[inline(always)]
    fn branch_on_two(&mut self, compare: impl Fn(f64, f64) -> bool) -> bool {
        self.numbers().is_some_and(|(a, b)| self.branch(compare(a, b), self.at, 2, 1))
    }

    #[inline(always)]
    fn branch_on_number(&mut self, number: f64, compare: impl Fn(f64, f64) -> bool) -> bool {
        self.number().is_some_and(|a| self.branch(compare(a, number), self.at + 1, 1, 2))
    }
}

/// Loops.
impl Sprint<'_, '_> {
    /// Begins a loop over the block that comes now.
    #[inline(always)]
    fn begin_loop(&mut self, after: Address, operands: usize, kind: TurnsKind) -> bool {
        let has_room = self.machine.frames.len() + 1 < self.limit;
        if has_room {
            self.machine.frames.push(Frame { at: after, called: self.called });
            self.machine.loops.push(Turns { body: self.at, called: self.called.part(), kind });
            self.height -= operands;
            self.at = TURN;
        }
        has_room
    }

    #[inline(always)]
    fn begin_for(&mut self, after: Address) -> bool {
        let [Some(next), Some(increment), Some(limit)] = self.operands::<3>().map(Packed::as_number) else {
            return false;
        };
        self.begin_loop(after, 3, TurnsKind::For { next, increment, limit })
    }

    #[inline(always)]
    fn begin_repeat(&mut self, after: Address) -> bool {
        let turns = self.number().filter(|turns| *turns as u64 as f64 == *turns);
        turns.is_some_and(|turns| self.begin_loop(after, 1, TurnsKind::Repeat { left: turns as u64 }))
    }

    /// Begins the next turn of the innermost loop, or ends the loop.
    #[inline(always)]
    fn turn(&mut self, now: Address) -> Result<bool, Fault> {
        let Some(turns) = self.machine.loops.last_mut() else { return Ok(self.resume()) };
        let (body, called) = (turns.body, turns.called);
        let is_over = match &mut turns.kind {
            TurnsKind::For { next, increment, limit } => {
                let is_over = !is_within(*next, *increment, *limit);
                if !is_over {
                    let Some(slot) = self.machine.stack.slots().get_mut(self.height) else {
                        return self.turn_alone(now);
                    };
                    *slot = Packed::number(*next);
                    self.height += 1;
                    *next += *increment;
                }
                is_over
            }
            TurnsKind::Repeat { left: 0 } => true,
            TurnsKind::Repeat { left } => {
                *left -= 1;
                false
            }
            TurnsKind::Loop => false,
            TurnsKind::ForAll { of, next } => {
                let values = data::values_for_turn(&self.machine.heap, of.unpack(), *next as usize);
                let slots = self.machine.stack.slots().get_mut(self.height..self.height + 2);
                let Some(((count, values), slots)) = values.zip(slots) else { return self.turn_alone(now) };
                slots.copy_from_slice(&values);
                self.height += count;
                *next = next.saturating_add(1);
                count == 0
            }
        };
        if is_over {
            self.machine.loops.pop();
            return Ok(self.resume());
        }
        self.machine.frames.push(Frame { at: TURN, called: self.called });
        (self.at, self.called) = (body, called);
        self.warm(body);
        Ok(true)
    }

    /// The end of a turn of a loop in place, whose frame serves for the next turn too.
    #[inline(always)]
    fn turn_again(&mut self) -> bool {
        let Some(turns) = self.machine.loops.last_mut() else { return self.resume() };
        let body = turns.body;
        let goes_on = match &mut turns.kind {
            TurnsKind::For { next, increment, limit } if is_within(*next, *increment, *limit) => {
                let slot = self.machine.stack.slots().get_mut(self.height);
                let is_there = slot.map(|slot| *slot = Packed::number(*next)).is_some();
                if is_there {
                    self.height += 1;
                    *next += *increment;
                }
                is_there
            }
            TurnsKind::Repeat { left: left @ 1.. } => {
                *left -= 1;
                true
            }
            TurnsKind::Loop => true,
            _ => false,
        };
        // Else the frame of the turn finds out what is to be done.
        if goes_on {
            self.warm(body);
            self.go_on(body)
        } else {
            self.resume()
        }
    }

    /// The same as [`Self::turn`] in the way that serves all loops.
    #[inline(always)]
    fn turn_alone(&mut self, now: Address) -> Result<bool, Fault> {
        self.at = now;
        self.put_down();
        let before = self.machine.left;
        let result = self.machine.turn();
        let steps = before - self.machine.left;
        self.machine.left = before;
        self.left += 1 - steps as i64;
        self.take_up();
        result.map_err(|fault| fault.of(self.machine.loop_operator()))?;
        Ok(true)
    }
}

/// Whether a loop goes on with this control value.
#[inline(always)]
fn is_within(next: f64, increment: f64, limit: f64) -> bool {
    if increment < 0.0 { next >= limit } else { next <= limit }
}
