//! The machine: executes a program one instruction at a time.
//!
//! It can be driven by [`Machine::run`] at full speed or by [`Machine::step`], and looked at between two steps.
//! Deliberately absent: recursion, and whatever operators do (that is `operators`).

use std::io::{self, Write};

use super::dictionary::Dictionary;
use super::fault::Fault;
use super::frame::{Activation, ForLoop, Frame, Place};
use super::heap::{DictionaryId, Heap};
use super::names::NameId;
use super::program::{Program, SymbolId};
use super::scope::Scope;
use super::trace;
use super::trap::{Call, ErrorName, INNERMOST, OPERANDS, OUTERMOST, Trap};
use super::value::{Procedure, Value};
use crate::isa::builtin::Builtin;
use crate::isa::instruction::Instruction;

/// What a program may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How many steps it may make. A step is an instruction, or the start of a turn of a loop.
    pub max_steps: Option<u64>,
    /// How many entries each of the operand, execution and dictionary stacks may have.
    pub max_stack: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_steps: None, max_stack: 1_000_000 }
    }
}

/// How to run a program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// What it may use.
    pub limits: Limits,
    /// Whether it is traced from the start, as by `true trace`.
    pub trace: bool,
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
    code: &'p [Instruction],
    pub(super) operands: Vec<Value>,
    /// What is executed now; not in `frames`.
    frame: Frame,
    frames: Vec<Frame>,
    loops: Vec<ForLoop>,
    pub(super) heap: Heap,
    pub(super) scope: Scope,
    pub(super) is_tracing: bool,
    steps: u64,
    max_steps: u64,
    pub(super) max_stack: usize,
}

impl<'p> Machine<'p> {
    /// Makes a machine that will execute the procedure `start`, a symbol of the same program.
    pub fn new(program: &'p Program, start: SymbolId, options: &Options) -> Self {
        let mut heap = Heap::new();
        let scope = Scope::new(program, &mut heap);
        let (at, end) = program.range(program.procedure(start));
        let name = program.symbol_id(start.0);
        Self {
            program,
            code: program.code(),
            operands: Vec::new(),
            frame: Frame { at, end, symbol: start.0, name, is_loop: false, is_part: false },
            frames: Vec::new(),
            loops: Vec::new(),
            heap,
            scope,
            is_tracing: options.trace,
            steps: 0,
            max_steps: options.limits.max_steps.unwrap_or(u64::MAX),
            max_stack: options.limits.max_stack,
        }
    }

    /// Executes to the end.
    pub fn run(&mut self, out: &mut dyn Write, trace: &mut dyn Write) -> Result<(), Stop> {
        let mut status = self.settle();
        loop {
            match status {
                Ok(Status::Running) => status = self.advance(out, trace),
                Ok(Status::Done) => return Ok(()),
                Err(fault) => return Err(self.stop(fault)),
            }
        }
    }

    /// Executes one instruction, unless the program has come to its end.
    /// After an error, what failed is still the next instruction.
    pub fn step(&mut self, out: &mut dyn Write, trace: &mut dyn Write) -> Result<Status, Stop> {
        let result = match self.settle() {
            Ok(Status::Running) => self.advance(out, trace),
            settled => settled,
        };
        result.map_err(|fault| self.stop(fault))
    }

    /// Executes the next instruction, and finds the one after it.
    #[inline]
    fn advance(&mut self, out: &mut dyn Write, trace: &mut dyn Write) -> Result<Status, Fault> {
        let at = self.frame.at;
        let instruction = self.code[at as usize];
        self.count()?;
        if self.is_tracing {
            let activation = self.activation(&self.frame, at);
            trace::write_line(self.program, activation, instruction, &self.operands, trace)
                .map_err(Fault::Trace)?;
        }
        self.frame.at = at + 1;
        match self.execute(instruction, at, out) {
            Ok(()) => self.settle(),
            Err(fault) => {
                self.frame.at = at;
                Err(fault)
            }
        }
    }

    #[inline]
    fn execute(&mut self, instruction: Instruction, at: u32, out: &mut dyn Write) -> Result<(), Fault> {
        match instruction {
            Instruction::Call(operand) => self.call(NameId::from_operand(operand), out),
            Instruction::Block(length) => {
                self.push(constant(instruction, self.frame.symbol, at))?;
                self.frame.at = at + 1 + length;
                Ok(())
            }
            _ => self.push(constant(instruction, self.frame.symbol, at)),
        }
    }

    #[inline]
    fn call(&mut self, name: NameId, out: &mut dyn Write) -> Result<(), Fault> {
        match self.scope.find(&self.heap, name) {
            Some(Value::Operator(operator)) => self.operate(operator, out),
            Some(Value::Procedure(procedure)) => self.enter(procedure, name),
            Some(value) => self.push(value),
            None => Err(ErrorName::Undefined.into()),
        }
    }

    /// Counts a step.
    #[inline]
    fn count(&mut self) -> Result<(), Fault> {
        if self.steps >= self.max_steps {
            return Err(ErrorName::LimitCheck.into());
        }
        self.steps += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn push(&mut self, value: Value) -> Result<(), Fault> {
        if self.operands.len() >= self.max_stack {
            return Err(ErrorName::StackOverflow.into());
        }
        self.operands.push(value);
        Ok(())
    }

    /// Executes a procedure next, as a call.
    #[inline]
    fn enter(&mut self, procedure: Procedure, name: NameId) -> Result<(), Fault> {
        let (at, end) = self.program.range(procedure);
        self.suspend(1)?;
        self.frame = Frame { at, end, symbol: procedure.symbol, name, is_loop: false, is_part: false };
        Ok(())
    }

    /// Lets an operator execute a procedure next.
    #[inline]
    pub(super) fn enter_block(&mut self, procedure: Procedure) -> Result<(), Fault> {
        let is_part = self.suspend(1)? || self.frame.is_part;
        self.frame = self.block_frame(procedure, is_part);
        Ok(())
    }

    /// Repeats a procedure, which `for` has found to have a turn to come.
    pub(super) fn enter_loop(&mut self, turns: ForLoop) -> Result<(), Fault> {
        let is_part = self.suspend(2)? || self.frame.is_part;
        self.frame = Frame { end: self.frame.at, is_loop: true, is_part, ..self.frame };
        self.loops.push(turns);
        Ok(())
    }

    /// Puts the current frame aside if it has something left to do, and tells whether it had. So many frames
    /// must fit in its place.
    #[inline]
    fn suspend(&mut self, frames: usize) -> Result<bool, Fault> {
        let is_waiting = self.frame.at < self.frame.end;
        if self.frames.len() + usize::from(is_waiting) + frames > self.max_stack {
            return Err(ErrorName::ExecStackOverflow.into());
        }
        if is_waiting {
            self.frames.push(self.frame);
        }
        Ok(is_waiting)
    }

    /// The frame that executes a block in the current one. Its name is that of the procedure in which it was
    /// written, as called.
    #[inline]
    fn block_frame(&self, block: Procedure, is_part: bool) -> Frame {
        let (at, end) = self.program.range(block);
        let is_own = block.symbol == self.frame.symbol;
        let name = if is_own { self.frame.name } else { self.program.symbol_id(block.symbol) };
        Frame { at, end, symbol: block.symbol, name, is_loop: false, is_part }
    }

    /// Leaves what is finished and starts the turns of loops, until there is an instruction to execute.
    #[inline]
    fn settle(&mut self) -> Result<Status, Fault> {
        if self.frame.at < self.frame.end { Ok(Status::Running) } else { self.leave() }
    }

    fn leave(&mut self) -> Result<Status, Fault> {
        while self.frame.at >= self.frame.end {
            if self.frame.is_loop {
                self.turn().map_err(|fault| fault.of(Builtin::For))?;
            } else if let Some(frame) = self.frames.pop() {
                self.frame = frame;
            } else {
                return Ok(Status::Done);
            }
        }
        Ok(Status::Running)
    }

    /// Starts a turn of the loop in the current frame. The last turn takes the place of the loop.
    fn turn(&mut self) -> Result<(), Fault> {
        let Some(mut turns) = self.loops.last().copied() else { return Ok(()) };
        self.count()?;
        self.push(Value::Number(turns.next))?;
        turns.next += turns.increment;
        let is_last = turns.is_over();
        if is_last {
            self.loops.pop();
        } else {
            if let Some(last) = self.loops.last_mut() {
                *last = turns;
            }
            self.frames.push(self.frame);
        }
        self.frame = self.block_frame(turns.body, !is_last || self.frame.is_part);
        Ok(())
    }

    /// Frees dictionaries that the program has lost, when there may be many.
    pub(super) fn collect(&mut self) {
        if self.heap.is_due() {
            let begun = self.scope.dictionaries().iter().map(|id| Value::Dictionary(*id));
            self.heap.collect(begun.chain(self.operands.iter().copied()));
        }
    }
}

/// The value that an instruction other than a call pushes; of a call, its name.
pub(super) fn constant(instruction: Instruction, symbol: u32, at: u32) -> Value {
    match instruction {
        Instruction::Number(number) => Value::Number(number),
        Instruction::Boolean(value) => Value::Boolean(value),
        Instruction::String(text) | Instruction::Call(text) => Value::String(NameId::from_operand(text)),
        Instruction::Block(_) => Value::Procedure(Procedure { symbol, block: at }),
    }
}

/// What can be seen between two steps.
impl Machine<'_> {
    /// The program that is executed.
    pub fn program(&self) -> &Program {
        self.program
    }

    /// Whether there is something left to execute.
    pub fn status(&self) -> Status {
        let is_done = self.frames.is_empty() && !self.frame.is_loop;
        if is_done && self.frame.at >= self.frame.end { Status::Done } else { Status::Running }
    }

    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The operand stack, its top last.
    pub fn operands(&self) -> &[Value] {
        &self.operands
    }

    /// The dictionary stack, its top last; the first two are systemdict and the program's dictionary.
    pub fn dictionaries(&self) -> &[DictionaryId] {
        self.scope.dictionaries()
    }

    /// A dictionary of this machine.
    pub fn dictionary(&self, id: DictionaryId) -> &Dictionary {
        self.heap.get(id)
    }

    /// How many frames the execution stack has: grows when something is executed within what is executed now.
    pub fn depth(&self) -> usize {
        self.frames.len() + 1
    }

    /// The next instruction; its operands are texts of [`Program::operand`].
    pub fn instruction(&self) -> Option<Instruction> {
        self.place().map(|place| self.program.instructions(place.symbol)[place.ordinal as usize])
    }

    /// Where the next instruction stands, if there is one.
    pub fn place(&self) -> Option<Place> {
        (self.frame.at < self.frame.end).then(|| self.activation(&self.frame, self.frame.at).place)
    }

    /// The procedures in execution, innermost first. A block counts with the procedure that executes it when it
    /// was written there.
    pub fn activations(&self) -> impl Iterator<Item = Activation> {
        let is_running = self.status() == Status::Running;
        let is_between = self.frame.at >= self.frame.end;
        let at = self.frame.at - u32::from(is_between);
        let innermost = is_running.then(|| self.activation(&self.frame, at));
        let mut inner = &self.frame;
        let outer = self.frames.iter().rev().filter_map(move |frame| {
            let is_part = inner.is_part && (inner.symbol, inner.name) == (frame.symbol, frame.name);
            inner = frame;
            (!is_part).then(|| self.activation(frame, frame.at - 1))
        });
        innermost.into_iter().chain(outer)
    }

    fn activation(&self, frame: &Frame, at: u32) -> Activation {
        let symbol = SymbolId(frame.symbol);
        let ordinal = self.program.ordinal(symbol, at);
        let section = self.program.symbol_section(symbol);
        Activation { name: frame.name, place: Place { symbol, section, ordinal } }
    }
}

/// Traps.
impl Machine<'_> {
    fn stop(&self, fault: Fault) -> Stop {
        match fault {
            Fault::Error { error, operator } => Stop::Trap(Box::new(self.trap(error, operator))),
            Fault::Output(error) => Stop::Output(error),
            Fault::Trace(error) => Stop::Trace(error),
        }
    }

    fn trap(&self, error: ErrorName, operator: Option<Builtin>) -> Trap {
        let names = self.program.names();
        let (calls, calls_omitted) = self.calls();
        let stack: Vec<String> =
            self.operands.iter().rev().take(OPERANDS).map(|value| value.brief(names)).collect();
        Trap {
            error,
            operator: operator.map_or_else(|| self.failed(), |operator| operator.name().into()),
            calls,
            calls_omitted,
            stack_omitted: self.operands.len() - stack.len(),
            stack,
            steps: self.steps,
            limit: self.limit(error),
        }
    }

    /// The text of the instruction that failed: of a call, the name.
    fn failed(&self) -> std::sync::Arc<str> {
        match self.instruction() {
            Some(Instruction::Call(name)) => self.program.operand(name).clone(),
            Some(instruction) => self.program.instruction_text(instruction).into(),
            None => Builtin::For.name().into(),
        }
    }

    fn limit(&self, error: ErrorName) -> Option<u64> {
        match error {
            ErrorName::LimitCheck => Some(self.max_steps),
            ErrorName::StackOverflow | ErrorName::ExecStackOverflow | ErrorName::DictStackOverflow => {
                Some(self.max_stack as u64)
            }
            _ => None,
        }
    }

    /// The innermost and outermost calls, and how many are left out between them.
    fn calls(&self) -> (Vec<Call>, usize) {
        let total = self.activations().count();
        let omitted = total.saturating_sub(INNERMOST + OUTERMOST);
        let is_kept = |at: &usize| *at < INNERMOST || *at >= INNERMOST + omitted;
        let kept = self.activations().enumerate().filter(|(at, _)| is_kept(at));
        (kept.map(|(_, activation)| self.describe(activation)).collect(), omitted)
    }

    fn describe(&self, activation: Activation) -> Call {
        Call {
            name: self.program.names().text(activation.name).clone(),
            symbol: self.program.symbol_name(activation.place.symbol).clone(),
            section: activation.place.section,
            ordinal: activation.place.ordinal,
        }
    }
}

#[cfg(test)]
mod tests;
