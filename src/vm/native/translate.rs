//! Translates a region: the code that can be reached from an address without a call, with the procedures that it
//! calls where these are small.
//!
//! Each path is followed with what is known on it, until it leaves the region or meets others. Every operation does its
//! plainest case; for whatever else, native code is left before the instruction, in exactly the machine's state.
//! Deliberately absent: recursion; the paths that wait to be followed are in a list.

use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use cranelift_frontend::FunctionBuilder;

use self::leave::Leave;
use self::loops::Header;
use super::facts::Facts;
use super::gate;
use super::state::{Edge, Is, Named, State, Waiting};
use crate::vm::code::{Address, Code, Op};
use crate::vm::frame::TurnsKind;
use crate::vm::heap::Heap;
use crate::vm::names::{NameId, Texts};
use crate::vm::scope::Scope;
use crate::vm::value::Packed;

mod arithmetic;
mod calls;
mod carried;
mod composites;
mod counting;
mod dictionaries;
mod emit;
mod forall;
mod foreseen;
mod joins;
mod leave;
mod loops;
mod named;
mod names;
mod numbered;
mod operators;
mod stopped;
mod values;

/// So many instructions a region may have.
const LARGEST: u32 = 1500;
/// So many frames may wait in registers.
const DEEPEST: usize = 12;

/// What is guessed of numbers, and is looked at only where that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guesses {
    /// That they stay of the usual size, if they are that now.
    All,
    /// That they stay whole.
    Whole,
    None,
}

/// Where a region begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) at: Address,
    /// The loop whose turn begins there.
    pub(super) turns: Option<TurnsKind>,
    pub(super) guesses: Guesses,
}

/// What the code of a region may rely on.
pub(super) struct Surroundings<'t, 'p> {
    pub(super) code: &'t mut Code<'p>,
    pub(super) scope: &'t mut Scope,
    pub(super) heap: &'t Heap,
    pub(super) texts: &'t Texts,
    /// The operand stack where the region begins.
    pub(super) operands: &'t [Packed],
    /// Code that lets the machine execute what is next.
    pub(super) perform: usize,
    /// Where regions began that did not suit a dictionary.
    pub(super) rejected: &'t [Address],
    /// The keys of virtual dictionaries.
    pub(super) shapes: &'t mut Vec<Vec<NameId>>,
}

/// A path that waits to be followed.
enum Work {
    Path(Block, State),
    Join(usize),
}

/// What comes after an operation.
enum Flow {
    /// The next one.
    On,
    /// Nothing: the path ends here.
    End,
}

/// The plainest case is not possible here: native code is left before the instruction.
struct Unable;

type Result<T> = std::result::Result<T, Unable>;

/// The translation of a region.
pub(super) struct Translator<'t, 'p> {
    builder: FunctionBuilder<'t>,
    around: Surroundings<'t, 'p>,
    facts: &'t mut Facts,
    start: Address,
    context: Value,
    work: Vec<Work>,
    joins: Vec<Vec<Edge>>,
    headers: Vec<Header>,
    leaves: Vec<Leave>,
    reaches: usize,
    segments: usize,
    /// How many instructions the region may still have.
    left: u32,
    /// The state before the instruction that is translated now, and where native code is left in it.
    before: Option<State>,
    way_out: Option<Block>,
    stop: Option<Block>,
    misguess: Option<Block>,
    guesses: Guesses,
    /// What values were when the region was translated, as far as that is known: most likely they will be of the same
    /// types.
    samples: HashMap<Value, Packed>,
    /// Of what was learned of a value: the value before.
    origins: HashMap<Value, Value>,
}

impl<'t, 'p> Translator<'t, 'p> {
    pub(super) fn new(
        builder: FunctionBuilder<'t>,
        around: Surroundings<'t, 'p>,
        facts: &'t mut Facts,
        entry: Entry,
    ) -> Self {
        Self {
            builder,
            around,
            facts,
            start: entry.at,
            context: Value::from_u32(0),
            work: Vec::new(),
            joins: Vec::new(),
            headers: Vec::new(),
            leaves: Vec::new(),
            reaches: 1,
            segments: 1,
            left: LARGEST,
            before: None,
            way_out: None,
            stop: None,
            misguess: None,
            guesses: entry.guesses,
            samples: HashMap::new(),
            origins: HashMap::new(),
        }
    }

    /// Translates the region.
    pub(super) fn run(mut self, entry: Entry) {
        let state = self.enter(entry);
        match entry.turns {
            Some(kind) => self.adopt(state, kind),
            None => self.follow(state),
        }
        while let Some(work) = self.work.pop() {
            match work {
                Work::Path(block, state) => {
                    self.builder.switch_to_block(block);
                    self.follow(state);
                }
                Work::Join(join) => self.join(join),
            }
        }
        self.leave_all();
        self.builder.seal_all_blocks();
        self.builder.finalize();
    }

    /// The beginning: looks whether there is room for all that the region may do.
    fn enter(&mut self, entry: Entry) -> State {
        let block = self.builder.create_block();
        self.builder.append_block_params_for_function_params(block);
        self.builder.switch_to_block(block);
        let parameters = self.builder.block_params(block).to_vec();
        let [context, sp, fp, steps, called, _] = parameters[..] else { return self.nowhere() };
        self.context = context;
        let state = State::new(entry.at, Named::Entered(called, 0), sp, fp, steps);
        self.mark(&state);
        self.check_room(&state);
        self.check_steps(&state);
        let (frames, loops) = self.facts.waiting();
        let end = self.field(std::mem::offset_of!(gate::Context, frames_end));
        let top = self.builder.ins().iadd_imm(fp, ((frames + 2) * gate::FRAME) as i64);
        let is_over = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, top, end);
        self.stop_if(is_over);
        if loops > 0 {
            let end = self.field(std::mem::offset_of!(gate::Context, loops_end));
            let top = self.field(std::mem::offset_of!(gate::Context, loops));
            let top = self.builder.ins().iadd_imm(top, (loops * gate::TURNS) as i64);
            let is_over = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, top, end);
            self.stop_if(is_over);
        }
        state
    }

    /// The state of code that is never executed.
    fn nowhere(&mut self) -> State {
        let value = self.builder.ins().iconst(types::I64, 0);
        State::new(self.start, Named::Known(0), value, value, value)
    }

    /// Follows a path to its end.
    fn follow(&mut self, mut state: State) {
        loop {
            if let Some((_, join)) = state.places.pop_if(|(at, _)| *at == state.at) {
                return self.meet(join, state);
            }
            match self.around.code.plain(state.at) {
                Op::Skip { to } => state.at = to,
                Op::Return | Op::Again => return self.resume(state),
                Op::Unstopped => return self.end_stopped(state),
                op => {
                    self.mark(&state);
                    let flow = if self.left > 0 { self.operation(op, &mut state) } else { Err(Unable) };
                    match flow {
                        Ok(Flow::On) => {}
                        Ok(Flow::End) => return,
                        Err(Unable) => {
                            let out = self.way_out();
                            self.builder.ins().jump(out, &[]);
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Notes that an instruction begins in a state.
    fn mark(&mut self, state: &State) {
        self.before = Some(state.clone());
        (self.way_out, self.stop, self.misguess) = (None, None, None);
    }

    fn operation(&mut self, op: Op, state: &mut State) -> Result<Flow> {
        self.left -= 1;
        self.count(state);
        state.at += 1;
        match op {
            Op::Number(number) => self.push(state, Is::number(number)),
            Op::Boolean(value) => self.push(state, Is::Fixed(Packed::boolean(value))),
            Op::Text(text) => self.push(state, Is::Fixed(Packed::text(text))),
            Op::Block { procedure, after } => {
                state.at = after;
                self.push(state, Is::Fixed(Packed::procedure(procedure)))
            }
            Op::Operator(operator) => self.operator(operator, state),
            Op::Name(name) => self.name(name, state),
            Op::IfInPlace { after } => self.choose_in_place(state, after),
            Op::ForInPlace { after } => self.begin_for(state, None, after),
            Op::RepeatInPlace { after } => self.begin_repeat(state, None, after),
            Op::LoopInPlace { after } => self.begin_loop(state, None, after),
            _ => Err(Unable),
        }
    }

    /// Counts a step.
    fn count(&mut self, state: &mut State) {
        state.made += 1;
        state.spent += 1;
        self.facts.spend(state.segment, state.spent);
    }

    /// Ends a path where it meets others.
    fn meet(&mut self, join: usize, state: State) {
        let block = self.builder.create_block();
        self.builder.ins().jump(block, &[]);
        self.joins[join].push(Edge { block, state });
    }

    /// A place where paths will meet, which is looked at when all that is found from now on was followed.
    fn meeting(&mut self) -> usize {
        self.joins.push(Vec::new());
        self.work.push(Work::Join(self.joins.len() - 1));
        self.joins.len() - 1
    }

    /// The end of a body.
    fn resume(&mut self, mut state: State) {
        match state.waiting.pop() {
            None => self.go_back(state),
            Some(Waiting { turns: Some(turns), called, places, .. }) => {
                state.called = called;
                state.places.truncate(places);
                self.turn(state, &turns);
            }
            Some(waiting) => self.go_on(state, &waiting),
        }
    }

    /// Goes on with a frame that has been removed.
    fn go_on(&mut self, mut state: State, waiting: &Waiting) {
        (state.at, state.called) = (waiting.at, waiting.called);
        state.places.truncate(waiting.places);
        self.meet(waiting.join, state);
    }

    /// Lets a frame wait.
    fn wait(&mut self, state: &mut State, waiting: Waiting) -> Result<()> {
        if state.waiting.len() >= DEEPEST {
            return Err(Unable);
        }
        state.waiting.push(waiting);
        self.note_waiting(state);
        Ok(())
    }

    fn note_waiting(&mut self, state: &State) {
        let loops = state.waiting.iter().filter(|waiting| waiting.turns.is_some()).count();
        self.facts.wait(state.waiting.len() + 1, loops + 1);
    }
}
