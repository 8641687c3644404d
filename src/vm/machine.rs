//! The machine: executes a program one instruction at a time.
//!
//! It can be driven by [`Machine::run`] at full speed or by [`Machine::step`], and looked at between two steps.
//! Deliberately absent: recursion, and whatever operators do (that is `operators`).

use std::io::{self, BufRead, Write};
use std::sync::atomic::AtomicBool;

use super::code::{Address, Code, EXEC, FIRST, HALT, Op, TURN, UNSTOPPED};
use super::dictionary::Key;
use super::fault::Fault;
use super::frame::{Called, Frame, Turns, TurnsKind};
use super::heap::Heap;
use super::names::{NameId, Texts, cost};
use super::native::Engine;
use super::program::{Program, SymbolId};
use super::scope::Scope;
use super::stack::Stack;
use super::trace;
use super::trap::{ErrorName, Trap};
use super::value::{Packed, Procedure, Text, Value};
use crate::isa::builtin::Builtin;

mod inspect;
mod loops;
mod options;
pub(super) mod run;

pub use options::{Limits, Native, Options};

/// What a program reads and writes.
pub struct Streams<'s> {
    /// Standard input.
    pub input: &'s mut dyn BufRead,
    /// Standard output.
    pub output: &'s mut dyn Write,
    /// Where the trace goes.
    pub trace: &'s mut dyn Write,
}

/// Whether there is something left to execute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There is.
    Running,
    /// The program has come to its end.
    Done,
}

/// Why execution stopped before the program's end.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// An uncaught error of the program. The operands of what failed are on the operand stack again.
    #[error(transparent)]
    Trap(Box<Trap>),
    /// The program's input could not be read.
    #[error("the program's input could not be read")]
    Input(#[source] io::Error),
    /// The program's output could not be written.
    #[error("the program's output could not be written")]
    Output(#[source] io::Error),
    /// The trace could not be written.
    #[error("the trace could not be written")]
    Trace(#[source] io::Error),
}

/// A program in execution.
#[derive(Debug)]
pub struct Machine<'p> {
    pub(super) program: &'p Program,
    pub(super) code: Code<'p>,
    pub(super) stack: Stack,
    /// What is executed next.
    at: Address,
    /// As what it is executed.
    called: Called,
    pub(super) frames: Vec<Frame>,
    pub(super) loops: Vec<Turns>,
    pub(super) heap: Heap,
    pub(super) texts: Texts,
    pub(super) scope: Scope,
    pub(super) random: u32,
    pub(super) arguments: Vec<Vec<u8>>,
    pub(super) is_tracing: bool,
    /// Set by somebody who wants to see what is executed at that moment.
    alarm: Option<&'p AtomicBool>,
    /// The instruction that was executed when the alarm was set.
    caught_at: Option<Address>,
    pub(super) native: Engine,
    /// How many steps may still be made.
    left: u64,
    max_steps: u64,
}

impl<'p> Machine<'p> {
    /// Makes a machine that will execute the procedure `start`, a symbol of the same program.
    pub fn new(program: &'p Program, start: SymbolId, options: &Options) -> Self {
        let limits = &options.limits;
        let mut heap = Heap::new(limits.max_memory);
        // Before anything else is on the heap.
        let texts = Texts::new(program.names(), &mut heap);
        let mut scope = Scope::new(program, &mut heap);
        let mut code = Code::new(program);
        let called = Called::by(program.symbol_id(start));
        let max_steps = limits.max_steps.unwrap_or(u64::MAX);
        Self {
            program,
            at: code.body(Procedure(start.index() as u32), &mut scope),
            code,
            stack: Stack::new(limits.max_stack),
            called,
            frames: vec![Frame { at: HALT, called }],
            loops: Vec::new(),
            heap,
            texts,
            scope,
            random: 1,
            arguments: options.arguments.clone(),
            is_tracing: options.trace,
            alarm: None,
            caught_at: None,
            native: Engine::new(options.native),
            left: max_steps,
            max_steps,
        }
    }

    /// Executes to the end.
    pub fn run(&mut self, streams: &mut Streams<'_>) -> Result<(), Stop> {
        while self.run_for(u64::MAX, streams)? == Status::Running {}
        Ok(())
    }

    /// Executes about so many steps, or to the end, or up to an operator that is [watched](Self::watch).
    pub fn run_for(&mut self, steps: u64, streams: &mut Streams<'_>) -> Result<Status, Stop> {
        let goal = self.left.saturating_sub(steps);
        self.guarded(|machine| {
            machine.settle()?;
            while machine.at != HALT && machine.left > goal && machine.caught_at.is_none() {
                if machine.is_tracing || machine.left - goal <= run::MARGIN || !machine.stack.trim() {
                    machine.advance(streams)?;
                } else {
                    machine.sprint(goal + run::MARGIN, streams)?;
                }
            }
            // The next step is not to be made, or it fails for the want of steps.
            let is_over = machine.at != HALT && goal == 0 && machine.left == 0 && machine.caught_at.is_none();
            if is_over { Err(Fault::Steps) } else { Ok(()) }
        })
    }

    /// Executes one instruction, unless the program has come to its end.
    /// After an error, what failed is still the next instruction.
    pub fn step(&mut self, streams: &mut Streams<'_>) -> Result<Status, Stop> {
        self.guarded(|machine| {
            machine.settle()?;
            if machine.at == HALT { Ok(()) } else { machine.advance(streams) }
        })
    }

    /// Does something until it is done or fails with what nobody catches.
    fn guarded(&mut self, mut work: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<Status, Stop> {
        self.caught_at = None;
        let mut result = work(self);
        while let Err(fault) = result {
            if !self.is_caught(&fault) {
                return Err(self.stop(fault));
            }
            result = self.settle();
        }
        Ok(self.status())
    }

    /// Executes the next instruction, and finds the one after it.
    fn advance(&mut self, streams: &mut Streams<'_>) -> Result<(), Fault> {
        let at = self.at;
        self.count()?;
        if self.is_tracing {
            trace::write_line(self, streams.trace).map_err(Fault::Trace)?;
        }
        self.at = at + 1;
        match self.execute(self.code.plain(at), streams) {
            Ok(()) => self.settle(),
            Err(fault) => {
                self.at = at;
                Err(fault)
            }
        }
    }

    /// Executes what one instruction alone does; the next has its address already.
    pub(super) fn execute(&mut self, op: Op, streams: &mut Streams<'_>) -> Result<(), Fault> {
        match op {
            Op::Number(number) => self.push(Value::Number(number)),
            Op::Boolean(value) => self.push(Value::Boolean(value)),
            Op::Text(text) => self.push(Value::Text(text)),
            Op::Block { procedure, after } => {
                self.push(Value::Procedure(procedure))?;
                self.at = after;
                Ok(())
            }
            Op::Operator(operator) => self.operate(operator, streams),
            Op::IfInPlace { after } => self.choose_in_place(after),
            Op::ForInPlace { after } => self.begin_for_in_place(after),
            Op::RepeatInPlace { after } => self.begin_repeat_in_place(after),
            Op::LoopInPlace { after } => self.enter_loop_in_place(after, TurnsKind::Loop),
            Op::Name(name) => match self.scope.find(&self.heap, name) {
                Packed::NOTHING => Err(ErrorName::Undefined.into()),
                value => match value.unpack() {
                    Value::Operator(operator) => self.operate(operator, streams),
                    Value::Procedure(procedure) => self.enter(procedure, name),
                    value => self.push(value),
                },
            },
            // These are no instructions.
            _ => Ok(()),
        }
    }

    /// Leaves what is finished and starts the turns of loops, until there is an instruction to execute.
    fn settle(&mut self) -> Result<(), Fault> {
        loop {
            match self.code.ops[self.at as usize] {
                Op::Return | Op::Again => self.resume(),
                Op::Skip { to } => self.at = to,
                Op::Turn => self.turn().map_err(|fault| fault.of(self.loop_operator()))?,
                Op::Unstopped => {
                    if !self.stack.push(Value::Boolean(false)) {
                        return Err(Fault::from(ErrorName::StackOverflow).of(Builtin::Stopped));
                    }
                    self.resume();
                }
                _ => return Ok(()),
            }
        }
    }

    /// Goes on with the innermost frame.
    #[inline]
    pub(super) fn resume(&mut self) {
        if let Some(frame) = self.frames.pop() {
            (self.at, self.called) = (frame.at, frame.called);
        }
    }

    /// Counts a step.
    fn count(&mut self) -> Result<(), Fault> {
        self.left = self.left.checked_sub(1).ok_or(Fault::Steps)?;
        Ok(())
    }

    #[inline]
    pub(super) fn push(&mut self, value: Value) -> Result<(), Fault> {
        if self.stack.push(value) { Ok(()) } else { Err(ErrorName::StackOverflow.into()) }
    }

    /// Executes a procedure next, as a call.
    pub(super) fn enter(&mut self, procedure: Procedure, name: NameId) -> Result<(), Fault> {
        self.suspend()?;
        self.at = self.code.body(procedure, &mut self.scope);
        self.called = Called::by(name);
        Ok(())
    }

    /// Lets an operator execute a procedure next.
    pub(super) fn enter_block(&mut self, procedure: Procedure) -> Result<(), Fault> {
        let called = self.called_in_block(procedure);
        let is_waiting = self.suspend()?;
        self.at = self.code.body(procedure, &mut self.scope);
        self.called = if is_waiting { called.part() } else { called };
        Ok(())
    }

    /// Goes on at an address, as a part of a call.
    pub(super) fn go_on_as(&mut self, at: Address, called: Called) {
        (self.at, self.called) = (at, called);
    }

    /// What is executed next, and as what.
    pub(super) const fn next(&self) -> (Address, Called) {
        (self.at, self.called)
    }

    /// Executes what is next, which is no return, out of so many steps. Gives how many are left, and why it failed if
    /// nobody catches that.
    pub(super) fn advance_from_native(
        &mut self,
        steps: u64,
        streams: &mut Streams<'_>,
    ) -> (u64, Option<Fault>) {
        let at = self.at;
        let before = std::mem::replace(&mut self.left, steps);
        let result = match self.code.ops[at as usize] {
            Op::Turn => self.turn().map_err(|fault| fault.of(self.loop_operator())),
            Op::Unstopped if self.stack.push(Value::Boolean(false)) => {
                self.resume();
                Ok(())
            }
            Op::Unstopped => Err(Fault::from(ErrorName::StackOverflow).of(Builtin::Stopped)),
            _ => self.count().and_then(|()| {
                self.at = at + 1;
                self.execute(self.code.plain(at), streams).inspect_err(|_| self.at = at)
            }),
        };
        let left = std::mem::replace(&mut self.left, before);
        (left, result.err().filter(|fault| !self.is_caught(fault)))
    }

    /// Leaves what is finished. Gives what is next.
    pub(super) fn leave_finished(&mut self) -> Address {
        loop {
            match self.code.ops[self.at as usize] {
                Op::Return | Op::Again => self.resume(),
                Op::Skip { to } => self.at = to,
                _ => return self.at,
            }
        }
    }

    /// Lets a block in place be skipped.
    pub(super) fn go_on_at(&mut self, at: Address) {
        self.at = at;
    }

    /// Executes the top of the operand stack next, in a frame that catches errors.
    pub(super) fn enter_stopped(&mut self) -> Result<(), Fault> {
        self.wait(1)?;
        self.frames.push(Frame { at: UNSTOPPED, called: self.called });
        (self.at, self.called) = (EXEC, self.called.part());
        Ok(())
    }

    /// Puts aside what is executed now if it has something left to do, and tells whether it had.
    fn suspend(&mut self) -> Result<bool, Fault> {
        let is_waiting = !self.code.is_end(self.at);
        if is_waiting {
            self.wait(0)?;
        }
        Ok(is_waiting)
    }

    /// Puts aside what is executed now. So many more frames must have room.
    fn wait(&mut self, more: usize) -> Result<(), Fault> {
        if self.frames.len() + more >= self.stack.limit() {
            return Err(ErrorName::ExecStackOverflow.into());
        }
        self.frames.push(Frame { at: self.at, called: self.called });
        Ok(())
    }

    /// As what a block is executed here: under the name of the procedure in which it was written, as called.
    pub(super) fn called_in_block(&mut self, block: Procedure) -> Called {
        let body = self.code.body(block, &mut self.scope);
        let (unit, symbol) = self.code.unit(body);
        if self.at >= FIRST && self.code.unit(self.at).0 == unit {
            return self.called;
        }
        let called = Called::by(self.program.symbol_id(symbol));
        if self.called.is_part() { called.part() } else { called }
    }

    /// Ends the program.
    pub(super) fn quit(&mut self) {
        self.frames.clear();
        self.loops.clear();
        self.at = HALT;
    }

    /// Whether something catches a fault; then it is executed what comes after.
    pub(super) fn is_caught(&mut self, fault: &Fault) -> bool {
        let Fault::Error { .. } = fault else { return false };
        let Some(at) = self.frames.iter().rposition(|frame| frame.at == UNSTOPPED) else { return false };
        // One value more than the limit: for what could not push its own.
        if self.stack.height() > self.stack.limit() {
            return false;
        }
        let loops =
            self.frames[at..].iter().filter(|frame| frame.at == TURN).count() + usize::from(self.at == TURN);
        self.loops.truncate(self.loops.len() - loops);
        self.called = self.frames[at].called;
        self.frames.truncate(at);
        self.stack.push_beyond(Value::Boolean(true));
        self.resume();
        true
    }

    /// Makes room for so many bytes on the heap.
    #[inline]
    pub(super) fn reserve(&mut self, bytes: usize) -> Result<(), Fault> {
        if self.heap.take(bytes) { Ok(()) } else { self.collect(bytes) }
    }

    /// Frees what the program has lost, and then makes room for so many bytes.
    #[cold]
    fn collect(&mut self, bytes: usize) -> Result<(), Fault> {
        let begun = self.scope.dictionaries().iter().map(|id| Value::Dictionary(*id));
        let in_loops = self.loops.iter().filter_map(|turns| match turns.kind {
            TurnsKind::ForAll { of, .. } => Some(of.unpack()),
            _ => None,
        });
        let roots = begun.chain(self.stack.values().iter().map(|value| value.unpack())).chain(in_loops);
        let reached = self.heap.reach(roots, &self.texts);
        let texts = self.texts.retain(&self.heap, &reached.texts, |name| self.scope.forget(name));
        self.heap.sweep(&reached, texts, bytes);
        if self.heap.take(bytes) { Ok(()) } else { Err(ErrorName::LimitCheck.into()) }
    }

    /// The key for a value.
    #[inline]
    pub(super) fn key(&mut self, value: Value) -> Result<Key, Fault> {
        match (Key::of(value), value) {
            (Some(key), _) => Ok(key),
            (None, Value::String(id)) => {
                if let Some(name) = self.texts.find(&self.heap, id) {
                    return Ok(Key::name(name));
                }
                self.reserve(cost(self.heap.string(id).len()))?;
                let copy = self.heap.copy_of_string(id)?;
                let name = self.texts.add(&self.heap, copy);
                self.scope.grow(self.texts.len());
                Ok(Key::name(name))
            }
            (None, Value::Array(id)) => Ok(Key::array(self.heap.new_key_array(id))),
            _ => Err(ErrorName::TypeCheck.into()),
        }
    }

    /// What it takes to make a key of a value that never was one.
    pub(super) fn cost_of_key(&self, value: Value) -> usize {
        if let Value::String(id) = value { cost(self.heap.string(id).len()) } else { 0 }
    }

    /// The key for a value, unless it is a string or a part of an array that never was a key.
    pub(super) fn known_key(&self, value: Value) -> Result<Option<Key>, Fault> {
        match (Key::of(value), value) {
            (Some(key), _) => Ok(Some(key)),
            (None, Value::String(id)) => Ok(self.texts.find(&self.heap, id).map(Key::name)),
            (None, Value::Array(id)) => Ok(self.heap.key_array(id).map(Key::array)),
            _ => Err(ErrorName::TypeCheck.into()),
        }
    }

    /// Lets no code rely on names that have changed their meaning.
    #[inline]
    pub(super) fn forget_changed(&mut self) {
        while let Some(name) = self.scope.take_changed() {
            self.native.give_up(&mut self.code);
            self.code.distrust(name, &mut self.scope);
        }
    }

    /// Whether two values are equal in the language.
    #[inline]
    pub fn is_equal(&self, a: Value, b: Value) -> bool {
        match (a, b) {
            (Value::Text(_), Value::Text(_)) => a == b,
            (Value::Text(_) | Value::String(_), Value::Text(_) | Value::String(_)) => {
                self.text(a).bytes() == self.text(b).bytes()
            }
            (Value::Array(a), Value::Array(b)) => self.heap.is_same_array(a, b),
            _ => a == b,
        }
    }

    /// The text of a value of this machine.
    pub fn text(&self, value: Value) -> Text<'_> {
        Text { value, heap: &self.heap, texts: &self.texts }
    }
}

#[cfg(test)]
mod tests;
