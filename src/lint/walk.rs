//! Follows the code of a source, with what is known of the operand stack.
//!
//! Each block is gone through at most once, so that the time is linear. Where code branches or loops, or executes what
//! is not known, less is known of the stack afterwards.

mod checks;
mod shuffle;

use super::mentions::{ENTRY, Mentions, Together};
use super::state::{State, Value};
use super::warning::Warning;
use crate::isa::builtin::Builtin;
use crate::isa::effect::{Effect, Given, Types, effects};
use crate::syntax::ast::{ItemKind, Procedure, Unit};

/// Warns of what the stack tells, and of code that is not reached.
pub(super) fn walk<'s>(
    unit: &Unit<'s>,
    mentions: &Mentions<'s>,
    together: &Together<'_, 's>,
) -> Vec<Warning> {
    let visited = vec![0; unit.items.len().div_ceil(64)];
    let (state, frames, warnings) = (State::UNKNOWN, Vec::new(), Vec::new());
    let mut walk =
        Walk { unit, mentions, together, visited, state, frames, warnings, told_unreachable: None };
    unit.procedures.iter().for_each(|procedure| walk.procedure(procedure));
    walk.warnings
}

/// No operator with a fixed number of operands takes more.
const MOST_OPERANDS: usize = 4;

struct Walk<'w, 's> {
    unit: &'w Unit<'s>,
    mentions: &'w Mentions<'s>,
    together: &'w Together<'w, 's>,
    /// A bit for each item: whether it is a block that was gone through.
    visited: Vec<u64>,
    state: State,
    /// The bodies that are being gone through, the innermost last.
    frames: Vec<Frame>,
    warnings: Vec<Warning>,
    /// The latest item that code was told not to be reached behind.
    told_unreachable: Option<usize>,
}

/// A body that is being gone through.
struct Frame {
    at: usize,
    end: usize,
    way: Way,
    then: Then,
}

/// How a body comes to be executed.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// Whether errors may be wanted here.
    is_caught: bool,
    /// Whether the program came straight from its entry, through no loop.
    is_from_entry: bool,
}

/// What happens at the end of a body.
enum Then {
    /// The code around it goes on.
    GoOn,
    /// The code around it goes on, but it may also have come another way.
    Join(State),
    /// Another block is gone through, from this state, instead of the first.
    Otherwise(Block, State),
    /// Nothing is known any more but the types of these values, which lie on top.
    Forget(Option<Types>),
    /// The code around it goes on as if the body had not been there.
    Resume(State),
}

/// The items of a block.
#[derive(Debug, Clone, Copy)]
struct Block {
    start: usize,
    end: usize,
}

impl<'s> Walk<'_, 's> {
    fn procedure(&mut self, procedure: &Procedure<'_>) {
        let is_entry = procedure.name == ENTRY && !self.together.calls_entry;
        let way = Way { is_caught: self.together.catches && !is_entry, is_from_entry: is_entry };
        self.state = if is_entry { State::EMPTY } else { State::UNKNOWN };
        let body = procedure.body.clone();
        self.frames.push(Frame { at: body.start, end: body.end, way, then: Then::GoOn });
        while let Some(frame) = self.frames.last() {
            let (at, end) = (frame.at, frame.end);
            if at >= end {
                self.leave();
            } else if let Some(cause) = self.state.ended {
                self.warn_of_unreachable(at, cause as usize);
                self.leave();
            } else {
                self.go(at, end);
            }
        }
    }

    /// Goes through a body up to its end, or to where it ends or another body is entered.
    fn go(&mut self, mut at: usize, end: usize) {
        let depth = self.frames.len();
        while at < end && self.frames.len() == depth && self.state.ended.is_none() {
            let (here, kind) = (at, self.unit.items[at].kind);
            at += 1 + if let ItemKind::Block(inside) = kind { inside as usize } else { 0 };
            self.execute(here, kind);
        }
        if let Some(frame) = self.frames.get_mut(depth - 1) {
            frame.at = at;
        }
    }

    fn execute(&mut self, at: usize, kind: ItemKind<'_>) {
        match kind {
            ItemKind::Number(_) => self.state.push(Value::new(Types::NUMBER, at)),
            ItemKind::String(_) => self.state.push(Value::new(Types::STRING, at)),
            ItemKind::Boolean(_) => self.state.push(Value::new(Types::BOOLEAN, at)),
            ItemKind::Block(_) => self.state.push(Value::new(Types::PROCEDURE, at)),
            ItemKind::Name(_) => match self.operator(at) {
                Some(operator) => self.operate(at, operator),
                None => self.state.forget(),
            },
        }
    }

    /// The operator that an item surely executes.
    fn operator(&self, at: usize) -> Option<Builtin> {
        self.mentions.operators[at].filter(|operator| !self.together.redefines(*operator))
    }

    /// What an item is.
    fn kind(&self, at: usize) -> ItemKind<'s> {
        self.unit.items[at].kind
    }

    /// The item that surely is a value.
    fn literal(&self, value: Value) -> Option<ItemKind<'s>> {
        let kind = self.kind(value.origin()?);
        if let ItemKind::Name(_) = kind { None } else { Some(kind) }
    }

    /// The number that a value surely is.
    fn number(&self, value: Value) -> Option<f64> {
        if let ItemKind::Number(number) = self.literal(value)? { Some(number) } else { None }
    }

    /// The block that a value surely is.
    fn block(&self, value: Value) -> Option<Block> {
        let ItemKind::Block(inside) = self.literal(value)? else { return None };
        let start = value.origin()? + 1;
        Some(Block { start, end: start + inside as usize })
    }

    fn operate(&mut self, at: usize, operator: Builtin) {
        let [first, ..] = effects(operator) else { return self.shuffle(at, operator) };
        let count = first.takes.len();
        let is_right = |walk: &mut Self| {
            walk.has(at, operator, count) && walk.takes(at, operator) && walk.is_in_range(at, operator)
        };
        if !self.state.is_unknown() && !is_right(self) {
            self.state.forget();
            return;
        }
        let top = |depth| if depth < count { self.state.peek(depth) } else { Value::ANY };
        let (last, before) = (top(0), top(1));
        match operator {
            Builtin::If => self.choose_one(before, last),
            Builtin::IfElse => self.choose_of_two(before, last),
            Builtin::For => {
                self.check_increment(at, before, last);
                self.repeat(4, last, Some(Types::NUMBER));
            }
            Builtin::ForAll | Builtin::Repeat => self.repeat(2, last, None),
            Builtin::Loop => self.repeat(1, last, None),
            Builtin::Exec => self.exec(last),
            Builtin::Stopped => self.stopped(last),
            Builtin::Def => self.def(before, last),
            // It gives a procedure that does the same.
            Builtin::Bind => {}
            Builtin::Pop => {
                self.warn_of_discarded(at, last);
                self.state.discard(1);
            }
            Builtin::Exit | Builtin::Stop | Builtin::Quit => self.end(at, operator),
            _ => self.replace(at, operator, count),
        }
    }

    /// Whether the operands may be those of an effect.
    fn fits(&self, effect: &Effect) -> bool {
        let mut operands = (0..).map(|depth| self.state.peek(depth));
        effect.takes.iter().rev().zip(&mut operands).all(|(takes, operand)| operand.types.meets(*takes))
    }

    /// Puts what an operator leaves in the place of what it takes.
    fn replace(&mut self, at: usize, operator: Builtin, count: usize) {
        if let [only] = effects(operator) {
            return leave(&mut self.state, only, count, at);
        }
        let mut fitting = effects(operator).iter().filter(|effect| self.fits(effect));
        let Some(first) = fitting.next() else { return };
        let mut state = self.state;
        leave(&mut state, first, count, at);
        for effect in fitting {
            let mut other = self.state;
            leave(&mut other, effect, count, at);
            state = state.join(other);
        }
        self.state = state;
    }

    fn choose_one(&mut self, condition: Value, then: Value) {
        self.state.discard(2);
        match (self.literal(condition), self.block(then)) {
            // Code that was put out of action.
            (Some(ItemKind::Boolean(false)), _) => {}
            (_, Some(then)) => self.enter(then, |way| way, Then::Join(self.state)),
            _ => self.state.forget(),
        }
    }

    fn choose_of_two(&mut self, then: Value, otherwise: Value) {
        self.state.discard(3);
        match (self.block(then), self.block(otherwise)) {
            (Some(then), Some(otherwise)) => {
                self.enter(then, |way| way, Then::Otherwise(otherwise, self.state));
            }
            _ => self.state.forget(),
        }
    }

    /// Goes through the body of a loop, which at each turn may find a value of these types on the stack.
    fn repeat(&mut self, operands: usize, body: Value, control: Option<Types>) {
        self.state.discard(operands);
        self.state.forget();
        let Some(body) = self.block(body) else { return };
        if let Some(control) = control {
            self.state.push(Value::from_anywhere(control));
        }
        self.enter(body, |way| Way { is_from_entry: false, ..way }, Then::Forget(None));
    }

    fn exec(&mut self, value: Value) {
        match self.block(value) {
            Some(block) => {
                self.state.discard(1);
                self.enter(block, |way| way, Then::GoOn);
            }
            None if value.types.meets(Types::PROCEDURE.or(Types::OPERATOR)) => self.state.forget(),
            // Any other value stays.
            None => {}
        }
    }

    fn stopped(&mut self, value: Value) {
        self.state.discard(1);
        let after = Then::Forget(Some(Types::BOOLEAN));
        match self.block(value) {
            Some(block) => self.enter(block, |way| Way { is_caught: true, ..way }, after),
            None => self.go_on(after),
        }
    }

    fn def(&mut self, key: Value, value: Value) {
        self.state.discard(2);
        if let (Some(ItemKind::String(_)), Some(block)) = (self.literal(key), self.block(value)) {
            let after = Then::Resume(self.state);
            self.state.forget();
            let is_caught = self.together.catches;
            self.enter(block, |_| Way { is_caught, is_from_entry: false }, after);
        }
    }

    fn end(&mut self, at: usize, operator: Builtin) {
        if operator == Builtin::Exit && self.frames.last().is_some_and(|frame| frame.way.is_from_entry) {
            self.warn_of_no_loop(at);
        }
        self.state.ended = u32::try_from(at).ok();
    }

    /// Goes through a block next, unless that was done.
    fn enter(&mut self, block: Block, way: impl Fn(Way) -> Way, then: Then) {
        let brace = block.start - 1;
        let (word, bit) = (brace / 64, 1 << (brace % 64));
        let around = self.frames.last().map(|frame| frame.way);
        let (Some(around), Some(visited)) = (around, self.visited.get_mut(word)) else {
            return self.go_on(then);
        };
        if *visited & bit != 0 {
            self.state.forget();
            return self.go_on(then);
        }
        *visited |= bit;
        self.frames.push(Frame { at: block.start, end: block.end, way: way(around), then });
    }

    fn leave(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.go_on(frame.then);
        }
    }

    fn go_on(&mut self, then: Then) {
        match then {
            Then::GoOn => {}
            Then::Join(other) => self.state = self.state.join(other),
            Then::Otherwise(block, before) => {
                let first = std::mem::replace(&mut self.state, before);
                self.enter(block, |way| way, Then::Join(first));
            }
            Then::Forget(on_top) => {
                self.state.forget();
                if let Some(types) = on_top {
                    self.state.push(Value::from_anywhere(types));
                }
            }
            Then::Resume(state) => self.state = state,
        }
    }
}

/// What a stack becomes by an effect.
fn leave(state: &mut State, effect: &Effect, count: usize, at: usize) {
    let mut operands = [Value::ANY; MOST_OPERANDS];
    for (operand, depth) in operands.iter_mut().zip((0..count).rev()) {
        *operand = state.peek(depth);
    }
    state.discard(count);
    for given in &effect.gives {
        state.push(match *given {
            Given::Operand(index) => operands[index],
            Given::New(types) => Value::new(types, at),
        });
    }
}
