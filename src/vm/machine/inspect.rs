//! What can be seen of a machine between two steps, and of one that has failed.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{Frame, Machine, Status, Stop};
use crate::isa::builtin::Builtin;
use crate::isa::instruction::Instruction;
use crate::vm::code::{Address, FIRST, HALT};
use crate::vm::dictionary::Dictionary;
use crate::vm::fault::Fault;
use crate::vm::frame::{Activation, Called, Place, TurnsKind};
use crate::vm::heap::DictionaryId;
use crate::vm::program::Program;
use crate::vm::trap::{Call, ErrorName, INNERMOST, Limit, OPERANDS, OUTERMOST, Trap};
use crate::vm::value::Packed;

/// State.
impl<'p> Machine<'p> {
    /// The program that is executed.
    pub fn program(&self) -> &Program {
        self.program
    }

    /// Whether there is something left to execute.
    pub fn status(&self) -> Status {
        if self.at == HALT { Status::Done } else { Status::Running }
    }

    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.max_steps - self.left
    }

    /// The operand stack, its top last.
    pub fn operands(&self) -> &[Packed] {
        self.stack.values()
    }

    /// The dictionary stack, its top last; the first two are systemdict and the program's dictionary.
    pub fn dictionaries(&self) -> &[DictionaryId] {
        self.scope.dictionaries()
    }

    /// A dictionary of this machine.
    pub fn dictionary(&self, id: DictionaryId) -> Dictionary<'_> {
        self.heap.dictionary(id)
    }

    /// How many entries the execution stack has: grows when something is executed within what is executed now.
    pub fn depth(&self) -> usize {
        self.frames.len()
    }

    /// The next instruction; its operands are texts of [`Program::operand`].
    pub fn instruction(&self) -> Option<Instruction> {
        self.place().map(|place| self.program.instructions(place.symbol)[place.ordinal as usize])
    }

    /// Where the next instruction stands, if there is one.
    pub fn place(&self) -> Option<Place> {
        self.activations().next().map(|activation| activation.place)
    }

    /// The procedures in execution, innermost first. A block counts with the procedure that executes it when it
    /// was written there.
    pub fn activations(&self) -> impl Iterator<Item = Activation> {
        let at = self.caught_at.unwrap_or(self.at);
        self.activations_in((at >= FIRST).then_some((at, self.called)), &self.frames)
    }

    /// The outermost of [`Self::activations`], as far as so many entries of the execution stack tell.
    pub fn outermost(&self, entries: usize) -> impl Iterator<Item = Activation> {
        self.activations_in(None, &self.frames[..entries.min(self.frames.len())])
    }

    fn activations_in(
        &self,
        now: Option<(Address, Called)>,
        frames: &[Frame],
    ) -> impl Iterator<Item = Activation> {
        let frames = frames.iter().rev().filter(|frame| frame.at >= FIRST);
        let mut inner: Option<(Called, Address)> = None;
        let all = now.into_iter().chain(frames.map(|frame| (frame.at - 1, frame.called)));
        all.filter_map(move |(at, called)| {
            let (unit, _) = self.code.unit(at);
            let of = |inner: (Called, Address)| {
                inner.0.is_part() && (inner.0.name(), inner.1) == (called.name(), unit)
            };
            let is_outside = inner.replace((called, unit)).is_some_and(of);
            if is_outside { None } else { self.activation(at, called) }
        })
    }

    fn activation(&self, at: Address, called: Called) -> Option<Activation> {
        let (_, symbol) = self.code.unit(at);
        let ordinal = self.program.ordinal(symbol, self.code.instruction(at)?);
        let section = self.program.symbol_section(symbol);
        Some(Activation { name: called.name(), place: Place { symbol, section, ordinal } })
    }

    /// Lets [`Machine::run_for`] stop behind an operator when somebody sets `alarm` while it is executed. Until execution
    /// goes on, [`Self::activations`] are those of that operator. Only operators that take their time are watched.
    pub fn watch(&mut self, alarm: &'p AtomicBool) {
        self.alarm = Some(alarm);
    }

    /// The operator of the innermost loop.
    pub(in crate::vm) fn loop_operator(&self) -> Builtin {
        match self.loops.last().map(|turns| turns.kind) {
            Some(TurnsKind::Repeat { .. }) => Builtin::Repeat,
            Some(TurnsKind::Loop) => Builtin::Loop,
            Some(TurnsKind::ForAll { .. }) => Builtin::ForAll,
            Some(TurnsKind::For { .. }) | None => Builtin::For,
        }
    }
}

/// Traps.
impl Machine<'_> {
    pub(super) fn stop(&self, fault: Fault) -> Stop {
        match fault {
            Fault::Error { error, operator } => {
                Stop::Trap(Box::new(self.trap(error, operator, self.limit(error))))
            }
            Fault::Steps => {
                let limit = Limit { value: self.max_steps, of: "steps", name: "max_steps" };
                Stop::Trap(Box::new(self.trap(ErrorName::LimitCheck, None, Some(limit))))
            }
            Fault::Input(error) => Stop::Input(error),
            Fault::Output(error) => Stop::Output(error),
            Fault::Trace(error) => Stop::Trace(error),
        }
    }

    fn trap(&self, error: ErrorName, operator: Option<Builtin>, limit: Option<Limit>) -> Trap {
        let (calls, calls_omitted) = self.calls();
        let operands = self.operands();
        let stack: Vec<String> =
            operands.iter().rev().take(OPERANDS).map(|value| self.text(value.unpack()).brief()).collect();
        Trap {
            error,
            operator: operator.map_or_else(|| self.failed(), |operator| operator.name().into()),
            calls,
            calls_omitted,
            stack_omitted: operands.len() - stack.len(),
            stack,
            steps: self.steps(),
            limit,
        }
    }

    /// The text of the instruction that failed: of a call, the name.
    fn failed(&self) -> Arc<str> {
        match self.instruction() {
            _ if self.at < FIRST => self.loop_operator().name().into(),
            Some(Instruction::Call(name)) => self.program.operand(name).clone(),
            Some(instruction) => match instruction.in_place() {
                Some(operator) => operator.name().into(),
                None => self.program.instruction_text(instruction).into(),
            },
            None => self.loop_operator().name().into(),
        }
    }

    fn limit(&self, error: ErrorName) -> Option<Limit> {
        let of = match error {
            ErrorName::LimitCheck => {
                let value = self.heap.limit() as u64;
                return Some(Limit {
                    value,
                    of: "bytes of dictionaries, arrays and strings",
                    name: "max_memory",
                });
            }
            ErrorName::StackOverflow => "values on the operand stack",
            ErrorName::ExecStackOverflow => "entries of the execution stack",
            ErrorName::DictStackOverflow => "dictionaries on the dictionary stack",
            _ => return None,
        };
        Some(Limit { value: self.stack.limit() as u64, of, name: "max_stack" })
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
