//! The machine at full speed.
//!
//! Each operation does here what it does in the plainest case; for every other, and for every error, the instruction
//! is executed alone, by the same function as in a single step. What is hot lives in local variables meanwhile.
//! All this is only for a stack with room to spare: a fused operation does not look whether each of its parts could
//! have pushed its value.

use super::{Machine, Streams};
use crate::isa::builtin::Builtin;
use crate::vm::code::{Address, Op, TURN};
use crate::vm::dictionary::Key;
use crate::vm::fault::Fault;
use crate::vm::frame::{Called, Frame, Turns, TurnsKind};
use crate::vm::heap::{DICTIONARY_COST, ENTRY};
use crate::vm::names::NameId;
use crate::vm::operators::arithmetic::{quotient, remainder};
use crate::vm::value::{Packed, Value, is_whole};

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
                if self.is_tracing || !self.stack.trim() {
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
        /// The instruction alone, of which the operation is the first part; for ever, if one of these names in it
        /// means what is executed.
        macro_rules! separate {
            ($($value:expr),+) => {{
                if $($value.is_code())||+ {
                    self.code.separate(at - 1);
                }
                alone!();
            }};
        }
        macro_rules! set_top {
            ($value:expr) => {
                if let Some(slot) = self.stack.slots().get_mut(height.wrapping_sub(1)) {
                    *slot = $value;
                }
            };
        }
        /// The number on top.
        macro_rules! number {
            () => {
                self.stack.slots().get(height.wrapping_sub(1)).and_then(|top| top.as_number())
            };
        }
        /// The two numbers on top.
        macro_rules! numbers {
            () => {
                match top!(2) {
                    Some([a, b]) => a.as_number().zip(b.as_number()),
                    _ => None,
                }
            };
        }
        macro_rules! arithmetic {
            ($name:ident $operator:tt) => {{
                let value = self.scope.find(&self.heap, $name);
                let operands = number!().zip(value.as_number());
                match operands.map(|(a, b)| Packed::number(a $operator b)).filter(|result| result.is_number()) {
                    Some(result) => {
                        set_top!(result);
                        at += 1;
                        left -= 1;
                    }
                    None => separate!(value),
                }
            }};
            ($operator:tt) => {
                match numbers!().map(|(a, b)| Packed::number(a $operator b)).filter(|result| result.is_number()) {
                    Some(result) => {
                        height -= 1;
                        set_top!(result);
                    }
                    None => alone!(),
                }
            };
            ($operator:tt $number:expr) => {
                match number!().map(|a| Packed::number(a $operator $number)).filter(|result| result.is_number()) {
                    Some(result) => {
                        set_top!(result);
                        at += 1;
                        left -= 1;
                    }
                    None => alone!(),
                }
            };
        }
        /// Division of whole numbers.
        macro_rules! divide {
            ($function:ident) => {
                match numbers!() {
                    Some((a, b)) if is_whole(a) && is_whole(b) && b != 0.0 => {
                        height -= 1;
                        set_top!(Packed::number($function(a, b)));
                    }
                    _ => alone!(),
                }
            };
            ($function:ident, $number:expr) => {
                match number!() {
                    Some(a) if is_whole(a) => {
                        set_top!(Packed::number($function(a, $number)));
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
                numbers!().map(|(a, b)| a $operator b)
            };
            ($operator:tt $number:expr) => {
                number!().map(|a| a $operator $number)
            };
        }
        macro_rules! compare {
            ($operator:tt) => {
                match compared!($operator) {
                    Some(result) => {
                        height -= 1;
                        set_top!(Packed::boolean(result));
                    }
                    None => alone!(),
                }
            };
            ($operator:tt $number:expr) => {
                match compared!($operator $number) {
                    Some(result) => {
                        set_top!(Packed::boolean(result));
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
                let (body, after, steps) = match self.code.ops[block as usize] {
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
            ($name:ident $operator:tt) => {{
                let value = self.scope.find(&self.heap, $name);
                match number!().zip(value.as_number()) {
                    Some((a, b)) => branch!(a $operator b, at + 1, 1, 2),
                    None => separate!(value),
                }
            }};
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
                if !self.stack.trim() {
                    break;
                }
            }};
        }

        while left > 0 {
            let now = at as usize;
            at += 1;
            left -= 1;
            // Not a copy of all of it: it would go through memory.
            match self.code.ops[now] {
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
                                *slot = Packed::number(*next);
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
                Op::Number(number) => push!(Packed::number(number)),
                Op::Boolean(value) => push!(Packed::boolean(value)),
                Op::Text(text) => push!(Packed::text(text)),
                Op::Block { procedure, after } => match self.stack.slots().get_mut(height) {
                    Some(slot) => {
                        *slot = Packed::procedure(procedure);
                        height += 1;
                        at = after;
                    }
                    None => alone!(),
                },
                Op::Name(name) => match self.scope.find(&self.heap, name) {
                    value if value.is_data() => push!(value),
                    value => {
                        if let (Value::Procedure(procedure), Some(_)) =
                            (value.unpack(), self.scope.trusted(name))
                        {
                            let body = self.code.body(procedure, &mut self.scope);
                            self.code.trust(at - 1, name, body);
                        }
                        alone!();
                    }
                },
                Op::Names(first, second) => {
                    match (self.scope.find(&self.heap, first), self.scope.find(&self.heap, second)) {
                        (a, b) if a.is_data() && b.is_data() => {
                            match self.stack.slots().get_mut(height..height.wrapping_add(2)) {
                                Some(slots) => {
                                    slots.copy_from_slice(&[a, b]);
                                    height += 2;
                                    at += 1;
                                    left -= 1;
                                }
                                None => alone!(),
                            }
                        }
                        (a, b) => separate!(a, b),
                    }
                }
                Op::GetNames(first, second) => {
                    match (self.scope.find(&self.heap, first), self.scope.find(&self.heap, second)) {
                        (a, b) if a.is_data() && b.is_data() => {
                            match (self.element(a, b), self.stack.slots().get_mut(height)) {
                                (Some(value), Some(slot)) => {
                                    *slot = value;
                                    height += 1;
                                    at += 2;
                                    left -= 2;
                                }
                                _ => alone!(),
                            }
                        }
                        (a, b) => separate!(a, b),
                    }
                }
                Op::GetName(name) => match (top!(1), self.scope.find(&self.heap, name)) {
                    (Some(&mut [holder]), key) if key.is_data() => match self.element(holder, key) {
                        Some(value) => {
                            set_top!(value);
                            at += 1;
                            left -= 1;
                        }
                        None => alone!(),
                    },
                    (_, key) => separate!(key, key),
                },
                Op::AddName(name) => arithmetic!(name+),
                Op::SubName(name) => arithmetic!(name -),
                Op::MulName(name) => arithmetic!(name *),
                Op::DivName(name) => arithmetic!(name /),
                Op::EqNameIf(name) => compare_and_branch!(name ==),
                Op::NeNameIf(name) => compare_and_branch!(name !=),
                Op::LtNameIf(name) => compare_and_branch!(name <),
                Op::LeNameIf(name) => compare_and_branch!(name <=),
                Op::GtNameIf(name) => compare_and_branch!(name >),
                Op::GeNameIf(name) => compare_and_branch!(name >=),
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
                Op::IDiv => divide!(quotient),
                Op::Mod => divide!(remainder),
                Op::IDivNumber(number) => divide!(quotient, number),
                Op::ModNumber(number) => divide!(remainder, number),
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
                    Some(&mut [condition]) => match condition.as_boolean() {
                        Some(condition) => branch!(condition, at - 1, 1, 0),
                        None => alone!(),
                    },
                    _ => alone!(),
                },
                Op::For { after } => match top!(3) {
                    Some([next, increment, limit]) => {
                        match (next.as_number(), increment.as_number(), limit.as_number()) {
                            (Some(next), Some(increment), Some(limit)) => {
                                begin_loop!(after, 3, TurnsKind::For { next, increment, limit });
                            }
                            _ => alone!(),
                        }
                    }
                    _ => alone!(),
                },
                Op::Repeat { after } => match number!() {
                    Some(turns) if turns as u64 as f64 == turns => {
                        begin_loop!(after, 1, TurnsKind::Repeat { left: turns as u64 });
                    }
                    _ => alone!(),
                },
                Op::Loop { after } => begin_loop!(after, 0, TurnsKind::Loop),
                Op::Get => match top!(2) {
                    Some(&mut [holder, key]) => match self.element(holder, key) {
                        Some(value) => {
                            height -= 1;
                            set_top!(value);
                        }
                        None => alone!(),
                    },
                    _ => alone!(),
                },
                Op::Put => match top!(3) {
                    Some(&mut [holder, key, value]) => {
                        if self.set_element(holder, key, value) {
                            height -= 3;
                        } else {
                            alone!();
                        }
                    }
                    _ => alone!(),
                },
                Op::Def => match top!(2) {
                    Some(&mut [key, value]) => match key.unpack() {
                        Value::Text(name) if self.scope.replace(&mut self.heap, name, value) => height -= 2,
                        Value::Text(name) if self.define_new(name, value) => height -= 2,
                        _ => alone!(),
                    },
                    _ => alone!(),
                },
                Op::Define(name) => match top!(1) {
                    Some(&mut [value]) => {
                        if self.scope.replace(&mut self.heap, name, value) || self.define_new(name, value) {
                            height -= 1;
                            at += 2;
                            left -= 2;
                        } else {
                            alone!();
                        }
                    }
                    _ => alone!(),
                },
                Op::DefineNumber(name) => match self.code.ops[at as usize] {
                    Op::Number(number)
                        if self.scope.replace(&mut self.heap, name, Packed::number(number)) =>
                    {
                        at += 2;
                        left -= 2;
                    }
                    _ => alone!(),
                },
                Op::Increase(name) => {
                    let by = match self.code.ops[at as usize + 1] {
                        Op::AddNumber(number) => number,
                        Op::SubNumber(number) => -number,
                        _ => f64::NAN,
                    };
                    let value = self.scope.find(&self.heap, name);
                    match value.as_number().map(|number| Packed::number(number + by)) {
                        Some(result)
                            if result.is_number() && self.scope.replace(&mut self.heap, name, result) =>
                        {
                            at += 4;
                            left -= 4;
                        }
                        _ => alone!(),
                    }
                }
                Op::BeginNew => {
                    if self.begin_new() {
                        at += 1;
                        left -= 1;
                    } else {
                        alone!();
                    }
                }
                Op::Not => match top!(1) {
                    Some(&mut [value]) => match value.as_boolean() {
                        Some(value) => set_top!(Packed::boolean(!value)),
                        None => alone!(),
                    },
                    _ => alone!(),
                },
                Op::Known => match top!(2) {
                    Some(&mut [holder, key]) => match (holder.unpack(), Key::of(key.unpack())) {
                        (Value::Dictionary(id), Some(key)) => {
                            let is_known = self.heap.dictionary(id).position(key).is_some();
                            height -= 1;
                            set_top!(Packed::boolean(is_known));
                        }
                        _ => alone!(),
                    },
                    _ => alone!(),
                },
                Op::Begin => alone!(Op::Operator(Builtin::Begin)),
                Op::End => match self.scope.end() {
                    Some(_) => {}
                    None => alone!(),
                },
            }
        }
        put_down!(at);
        self.left -= (budget - left) as u64;
        self.settle()
    }
}

/// What operators do in the plainest cases.
impl Machine<'_> {
    /// Begins a new dictionary, if that needs no collection.
    #[inline]
    fn begin_new(&mut self) -> bool {
        let has_room =
            self.scope.dictionaries().len() < self.stack.limit() && self.heap.take(DICTIONARY_COST);
        if has_room {
            let new = self.heap.new_dictionary();
            self.scope.begin(&mut self.heap, new);
        }
        has_room
    }

    /// Defines a name that is new in the current dictionary, if that needs no collection and no code relies on it.
    #[inline]
    fn define_new(&mut self, name: NameId, value: Packed) -> bool {
        let current = self.scope.current();
        let is_free = current != self.scope.system() && !self.scope.is_trusted(name) && self.heap.take(ENTRY);
        if is_free && !self.scope.store(&mut self.heap, current, Key::name(name), value) {
            self.heap.give_back(ENTRY);
        }
        is_free
    }

    #[inline]
    fn element(&self, holder: Packed, key: Packed) -> Option<Packed> {
        match holder.unpack() {
            Value::Array(id) => self.heap.array(id).get(whole(key)?).copied(),
            Value::Dictionary(id) => self.heap.dictionary(id).get(Key::of(key.unpack())?),
            Value::String(id) => Some(Packed::number((*self.heap.string(id).get(whole(key)?)?).into())),
            _ => None,
        }
    }

    #[inline]
    fn set_element(&mut self, holder: Packed, key: Packed, value: Packed) -> bool {
        let set = |slot: &mut Packed| *slot = value;
        match holder.unpack() {
            Value::Array(id) => {
                whole(key).and_then(|at| self.heap.array_mut(id).get_mut(at)).map(set).is_some()
            }
            Value::String(id) => {
                let byte = whole(value).and_then(|byte| u8::try_from(byte).ok());
                let slot = whole(key).and_then(|at| self.heap.string_mut(id)?.get_mut(at));
                byte.zip(slot).map(|(byte, slot)| *slot = byte).is_some()
            }
            // A number is nobody's name.
            Value::Dictionary(id) if key.is_number() => {
                let Some(key) = Key::of(key.unpack()) else { return false };
                self.heap.dictionary_mut(id).get_mut(key).map(set).is_some()
            }
            _ => false,
        }
    }
}

/// A number as an index, if it is one.
#[inline]
fn whole(key: Packed) -> Option<usize> {
    let number = key.as_number()?;
    let at = number as usize;
    (at as f64 == number).then_some(at)
}

/// Rotates operands by so many places towards the top.
#[inline]
fn roll(operands: &mut [Packed], by: u32) {
    match (operands, by) {
        ([a, b, c], 1) => (*a, *b, *c) = (*c, *a, *b),
        ([a, b, c], 2) => (*a, *b, *c) = (*b, *c, *a),
        (operands, by) => operands.rotate_right(by as usize),
    }
}
