//! Loops: what decides about their turns is in registers, and so are the operands that they use.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value, types};

use super::emit::elsewhere;
use super::{Flow, Guesses, Result, Translator, Unable, Work};
use crate::vm::code::{Address, TURN};
use crate::vm::frame::TurnsKind;
use crate::vm::names::NameId;
use crate::vm::native::gate::{Context, FRAME, TURNS, TURNS_BODY, TURNS_KIND};
use crate::vm::native::range::Range;
use crate::vm::native::state::{Begun, Is, Kind, Loop, Named, Operand, State, Turning, Waiting};
use crate::vm::value::{Procedure, is_whole};

/// Where the turns of a loop begin.
#[derive(Debug, Clone)]
pub(super) struct Header {
    block: Block,
    /// The height of the operand stack there, and which `sp` that is relative to.
    pub(super) height: i32,
    pub(super) reach: usize,
    is_moving: bool,
    is_in_program: bool,
    /// What the operands are there, and which of them are parameters.
    operands: Vec<Operand>,
    kinds: Vec<Kind>,
    /// What names have that are known there, and which of them are parameters.
    pub(super) names: Vec<(NameId, Is)>,
    pub(super) name_kinds: Vec<Kind>,
    /// The same of what virtual dictionaries have.
    pub(super) begun: Vec<Begun>,
    pub(super) held: Vec<Kind>,
}

/// How a loop begins.
#[derive(Debug, Clone, Copy)]
struct Start {
    turning: Turning,
    body: Address,
    called: Named,
}

impl Translator<'_, '_> {
    pub(super) fn begin_repeat(
        &mut self,
        state: &mut State,
        body: Option<Procedure>,
        after: Address,
    ) -> Result<Flow> {
        let [turns] = self.pop(state);
        let left = match turns {
            Is::Fixed(value) => {
                let turns = value.as_number().filter(|turns| is_whole(*turns) && (0.0..1e15).contains(turns));
                self.builder.ins().iconst(types::I64, turns.ok_or(Unable)? as i64)
            }
            other => {
                let (left, is_whole) = self.small_integer(state, other)?;
                is_whole.into_iter().for_each(|is_whole| self.leave_unless(is_whole));
                let is_negative = self.builder.ins().icmp_imm(IntCC::SignedLessThan, left, 0);
                self.leave_if(is_negative);
                left
            }
        };
        self.begin(state, Turning::Repeat { left }, body, after)
    }

    pub(super) fn begin_loop(
        &mut self,
        state: &mut State,
        body: Option<Procedure>,
        after: Address,
    ) -> Result<Flow> {
        self.begin(state, Turning::Loop, body, after)
    }

    /// Begins a loop over a procedure, or over the block in place that comes next.
    pub(super) fn begin(
        &mut self,
        state: &mut State,
        turning: Turning,
        body: Option<Procedure>,
        after: Address,
    ) -> Result<Flow> {
        let (body, places) = match body {
            Some(procedure) => (self.body_of(procedure, state.at - 1)?, state.places.len()),
            None => (state.at, state.places.len()),
        };
        if state.waiting.len() + 2 > super::DEEPEST {
            return Err(Unable);
        }
        let join = self.meeting();
        let (called, start) = (state.called, Start { turning, body, called: state.called.part() });
        self.wait(state, Waiting { at: after, called, join, turns: None, places })?;
        self.head(state.clone(), start)
    }

    /// Takes over a loop of the machine at the beginning of a turn.
    pub(super) fn adopt(&mut self, mut state: State, kind: TurnsKind) {
        let fp = state.fp;
        let frame = self.builder.ins().load(types::I64, elsewhere(), fp, -(FRAME as i32));
        let at = self.builder.ins().band_imm(frame, i64::from(u32::MAX));
        let is_turn = self.builder.ins().icmp_imm(IntCC::Equal, at, i64::from(TURN));
        self.leave_unless(is_turn);
        let top = self.field(offset_of!(Context, loops));
        let top = self.builder.ins().iadd_imm(top, -(TURNS as i64));
        let body = self.builder.ins().uload32(elsewhere(), top, TURNS_BODY as i32);
        let is_body = self.builder.ins().icmp_imm(IntCC::Equal, body, i64::from(state.at));
        self.leave_unless(is_body);
        let tag = self.builder.ins().uload32(elsewhere(), top, TURNS_KIND as i32);
        let expected = match kind {
            TurnsKind::For { .. } => 0,
            TurnsKind::Repeat { .. } => 1,
            TurnsKind::Loop => 2,
            TurnsKind::ForAll { of, .. } if Self::elements_of(of.unpack()).is_some() => 3,
            TurnsKind::ForAll { .. } => return self.follow(state),
        };
        let is_kind = self.builder.ins().icmp_imm(IntCC::Equal, tag, expected);
        self.leave_unless(is_kind);
        self.adopt_dictionary(&mut state);
        let Ok(turning) = self.adopted(&mut state, kind, top) else {
            let out = self.way_out();
            self.builder.ins().jump(out, &[]);
            return;
        };
        // What is looked at where a turn begins: the first must be possible, or nothing were ever done.
        let first = State { sp: self.put_nothing(&state), reach: 1, segment: 1, ..state.clone() };
        if self.facts.header(0).is_moving {
            self.check_room(&first);
        }
        self.check_steps(&first);
        // From here on the turn has not begun yet.
        state.fp = self.builder.ins().iadd_imm(fp, -(FRAME as i64));
        state.loops = Some(top);
        let outer = self.builder.ins().ushr_imm(frame, 32);
        let start = Start { turning, body: state.at, called: state.called };
        state.called = Named::Entered(outer, 0);
        state.steps = self.builder.ins().iadd_imm(state.steps, 1);
        if let Err(Unable) = self.head(state, start) {
            let out = self.way_out();
            self.builder.ins().jump(out, &[]);
        }
    }

    /// The end of the operand stack.
    fn put_nothing(&mut self, state: &State) -> Value {
        self.builder.ins().iadd_imm(state.sp, 8 * i64::from(state.height()))
    }

    /// What decides about the turns of a loop of the machine, before the turn that it has begun.
    fn adopted(&mut self, state: &mut State, kind: TurnsKind, top: Value) -> Result<Turning> {
        Ok(match kind {
            TurnsKind::For { next, increment, limit } => {
                return self.adopted_for(state, top, [next, increment, limit]);
            }
            TurnsKind::Repeat { .. } => {
                let left = self.builder.ins().load(types::I64, elsewhere(), top, (TURNS_KIND + 8) as i32);
                Turning::Repeat { left: self.builder.ins().iadd_imm(left, 1) }
            }
            TurnsKind::ForAll { of, .. } => self.adopted_forall(state, of.unpack(), top),
            TurnsKind::Loop => Turning::Loop,
        })
    }

    /// The beginning of all turns.
    fn head(&mut self, mut state: State, start: Start) -> Result<Flow> {
        let at = self.headers.len();
        let facts = self.facts.header(at).clone();
        self.prepare_dictionaries(&mut state, &facts);
        self.foresee(&mut state, &facts);
        let block = self.builder.create_block();
        let mut arguments: Vec<BlockArg> = vec![self.steps(&state).into()];
        let mut kinds = Vec::new();
        if facts.is_moving {
            arguments.push(self.put_operands(&state).into());
            state.operands.clear();
        } else {
            self.deepen(&mut state, usize::try_from(-facts.down).unwrap_or_default());
            let count = state.operands.len();
            for (at, operand) in state.operands.iter().enumerate() {
                let known = facts.kinds.get(count - 1 - at).copied();
                kinds.push(self.kind_in_turns(operand.is, known));
            }
            for (operand, kind) in state.operands.clone().iter().zip(&kinds) {
                arguments.extend(self.first_argument(operand.is, *kind)?);
            }
        }
        let name_kinds = self.name_kinds(&state, &facts);
        for ((_, is), kind) in state.names.clone().into_iter().zip(&name_kinds) {
            arguments.extend(self.first_argument(is, *kind)?);
        }
        match start.turning {
            Turning::For { next: Is::Whole(next, _) | Is::Number(next), .. }
            | Turning::Repeat { left: next }
            | Turning::ForAll { next, .. } => arguments.push(next.into()),
            Turning::For { .. } | Turning::Loop => {}
        }
        let held = self.kinds_of_entries(&mut state, &facts);
        for ((_, is), kind) in state.entries().copied().collect::<Vec<_>>().into_iter().zip(&held) {
            arguments.extend(self.first_argument(is, *kind)?);
        }
        self.lengths_as_arguments(&state, &mut arguments);
        self.builder.ins().jump(block, &arguments);

        self.builder.switch_to_block(block);
        (state.steps, state.made, state.spent) = (self.builder.append_block_param(block, types::I64), 0, 0);
        state.segment = self.segments;
        self.segments += 1;
        if facts.is_moving {
            state.sp = self.builder.append_block_param(block, types::I64);
            (state.below, state.assured, state.reach) = (0, 0, self.reaches);
            self.reaches += 1;
        }
        for (operand, kind) in state.operands.iter_mut().zip(&kinds) {
            if let Some(of_type) = kind.parameter() {
                *operand = kind.of(self.builder.append_block_param(block, of_type)).into();
            }
        }
        for ((_, is), kind) in state.names.iter_mut().zip(&name_kinds) {
            if let Some(of_type) = kind.parameter() {
                let parameter = self.builder.append_block_param(block, of_type);
                if let Some(sample) = self.sample(*is).filter(|_| *kind == Kind::Packed) {
                    self.samples.insert(parameter, sample.into());
                }
                *is = kind.of(parameter);
            }
        }
        state.is_in_program &= !facts.is_leaving_program;
        let turning = match start.turning {
            Turning::For { next, increment, limit } => {
                let kind = next.kind();
                let of_type = kind.parameter().unwrap_or(types::F64);
                let next = kind.of(self.builder.append_block_param(block, of_type));
                Turning::For { next, increment, limit }
            }
            Turning::Repeat { .. } => {
                Turning::Repeat { left: self.builder.append_block_param(block, types::I64) }
            }
            Turning::ForAll { of, elements, .. } => {
                let next = self.builder.append_block_param(block, types::I64);
                Turning::ForAll { of, elements, next }
            }
            Turning::Loop => Turning::Loop,
        };
        self.entries_as_parameters(&mut state, &held, block);
        self.headers.push(Header {
            block,
            height: state.height(),
            reach: state.reach,
            is_moving: facts.is_moving,
            is_in_program: state.is_in_program,
            operands: state.operands.clone(),
            kinds,
            names: state.names.clone(),
            name_kinds,
            begun: state.begun.clone(),
            held,
        });
        let turns = Loop { turning, body: start.body, called: start.called, header: at };
        self.check_turn(&state, turns);
        self.begin_turn(state, turns)
    }

    /// A value as an argument for the first turn.
    fn first_argument(&mut self, is: Is, kind: Kind) -> Result<Option<BlockArg>> {
        let argument = self.argument(&is.into(), kind);
        if argument.is_none() && kind != Kind::Same { Err(Unable) } else { Ok(argument.map(BlockArg::from)) }
    }

    /// What kind an operand has in all turns, which is something first and is known to become something, if it does.
    pub(super) fn kind_in_turns(&self, first: Is, becomes: Option<Kind>) -> Kind {
        let is_like_whole = self.is_like_whole(first);
        let kind = if is_like_whole { Kind::Whole(self.guessed_range(first)) } else { first.kind() };
        match becomes {
            None => kind,
            Some(Kind::Same) => Kind::Same,
            Some(known) if !matches!((first, kind), (Is::Packed(_), Kind::Packed)) => known.or(kind),
            Some(Kind::Whole(range)) if self.guesses != Guesses::None => {
                Kind::Whole(range.or(Range::CONVERTED))
            }
            Some(Kind::Whole(_)) => Kind::Number,
            Some(known) => known,
        }
    }

    /// Leaves native code between two turns if there are not steps or slots enough for one.
    fn check_turn(&mut self, state: &State, turns: Loop) {
        self.mark(state);
        self.stop_in(state.clone(), turns);
        if self.headers[turns.header].is_moving {
            self.check_room(state);
        }
        self.check_steps(state);
    }

    /// Begins a turn, or ends the loop.
    fn begin_turn(&mut self, mut state: State, mut turns: Loop) -> Result<Flow> {
        let mut place = None;
        let goes_on = match &mut turns.turning {
            Turning::For { next, increment, limit } => {
                let (goes_on, control);
                (goes_on, control, *next) = self.next_number(*next, *increment, *limit)?;
                Some((goes_on, Some(control)))
            }
            Turning::Repeat { left } => {
                let goes_on = self.builder.ins().icmp_imm(IntCC::NotEqual, *left, 0);
                *left = self.builder.ins().iadd_imm(*left, -1);
                Some((goes_on, None))
            }
            Turning::ForAll { of, elements, next } => {
                let (goes_on, at) = self.next_element(*of, *elements, *next);
                place = Some((*elements, at, *of));
                *next = self.builder.ins().iadd_imm(*next, 1);
                Some((goes_on, None))
            }
            Turning::Loop => None,
        };
        let mut value = None;
        if let Some((goes_on, control)) = goes_on {
            let (turn, over) = (self.builder.create_block(), self.builder.create_block());
            self.builder.ins().brif(goes_on, turn, &[], over, &[]);
            self.builder.switch_to_block(over);
            self.end_loop(state.clone());
            self.builder.switch_to_block(turn);
            value = control;
        }
        self.count(&mut state);
        if let Some(value) = value {
            self.push(&mut state, value)?;
        }
        if let Some((elements, at, of)) = place {
            self.push_element(&mut state, elements, at, of)?;
        }
        let (called, places) = (state.called, state.places.len());
        // Whoever began the loop saw to it that there is room.
        state.waiting.push(Waiting { at: TURN, called, join: 0, turns: Some(turns), places });
        self.note_waiting(&state);
        (state.at, state.called) = (turns.body, turns.called);
        let block = self.builder.create_block();
        self.builder.ins().jump(block, &[]);
        self.work.push(Work::Path(block, state));
        Ok(Flow::End)
    }

    /// Goes on after a loop, whose turn has been removed.
    fn end_loop(&mut self, mut state: State) {
        match state.waiting.pop() {
            Some(after) => self.go_on(state, &after),
            None => self.go_back(state),
        }
    }

    /// The end of a turn, which has been removed: the next one begins.
    pub(super) fn turn(&mut self, mut state: State, turns: &Loop) {
        let header = self.headers[turns.header].clone();
        if !header.is_moving && (state.reach, state.height()) != (header.reach, header.height) {
            self.facts.move_by(turns.header);
            return self.give_up(state);
        }
        if !self.are_dictionaries_kept(&mut state, turns.header) {
            return self.give_up(state);
        }
        let Some(names) = self.changed_names(&state, &header, turns.header) else {
            // The next translation knows better.
            self.facts.is_new = true;
            return self.give_up(state);
        };
        let is_in_program = state.is_in_program || !header.is_in_program;
        let mut arguments: Vec<BlockArg> = vec![self.steps(&state).into()];
        if header.is_moving {
            self.facts.turn(turns.header, &[], is_in_program);
            arguments.push(self.put_operands(&state).into());
        } else {
            let count = header.operands.len();
            self.deepen(&mut state, count);
            let extra = state.operands.len() - count;
            let kept = state.operands.split_off(extra);
            // They must be where they were.
            let are_home =
                state.operands.iter().zip(state.below..).all(|(operand, at)| operand.home == Some(at));
            let kind = |(now, then): (&Operand, &Operand)| {
                if now.is == then.is { Kind::Same } else { now.is.kind() }
            };
            let kinds = kept.iter().zip(&header.operands).map(kind).rev().collect::<Vec<_>>();
            self.facts.turn(turns.header, &kinds, is_in_program);
            for ((operand, then), assumed) in kept.iter().zip(&header.operands).zip(&header.kinds) {
                let fits = match assumed {
                    Kind::Same => operand.is == then.is,
                    Kind::Packed => true,
                    other => other.or(operand.is.kind()) == *other,
                };
                if !fits || !are_home {
                    // The next translation knows better.
                    self.facts.is_new = true;
                    state.operands.extend(kept.iter().copied());
                    return self.give_up(state);
                }
                arguments.extend(self.argument(operand, *assumed).map(BlockArg::from));
            }
        }
        arguments.extend(names);
        match turns.turning {
            Turning::For { next: Is::Whole(next, _) | Is::Number(next), .. }
            | Turning::Repeat { left: next }
            | Turning::ForAll { next, .. } => arguments.push(next.into()),
            Turning::For { .. } | Turning::Loop => {}
        }
        for ((_, is), kind) in state.entries().zip(&header.held) {
            arguments.extend(self.argument(&(*is).into(), *kind).map(BlockArg::from));
        }
        self.lengths_as_arguments(&state, &mut arguments);
        self.builder.ins().jump(header.block, &arguments);
    }

    /// Ends a path that this translation cannot follow.
    fn give_up(&mut self, state: State) {
        let block = self.leave_in(state, None);
        self.builder.ins().jump(block, &[]);
    }

    /// `exit`
    pub(super) fn exit(&mut self, state: &mut State) -> Result<Flow> {
        let at = state.innermost().filter(|at| state.waiting[*at].turns.is_some()).ok_or(Unable)?;
        let mut state = state.clone();
        let turn = state.waiting[at];
        state.waiting.truncate(at);
        state.called = turn.called;
        state.places.truncate(turn.places);
        self.end_loop(state);
        Ok(Flow::End)
    }
}
