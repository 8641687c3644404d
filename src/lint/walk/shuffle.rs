//! The operators that take or leave a varying number of values: as a number says that is on the stack, as far as a mark,
//! or as many as an array has.

use super::{State, Types, Value, Walk};
use crate::isa::builtin::Builtin;

/// What has a number of elements by which it can be spread over the stack.
const ARRAY: Types = Types::ARRAY.or(Types::PROCEDURE);

/// What `copy` takes when it is given no number.
const COPIED: Types = Types::ARRAY.or(Types::DICTIONARY).or(Types::STRING);

impl Walk<'_, '_> {
    pub(super) fn shuffle(&mut self, at: usize, operator: Builtin) {
        let known = match operator {
            Builtin::Clear => {
                self.state = State::EMPTY;
                Some(())
            }
            Builtin::Count => {
                self.state.push(Value::new(Types::NUMBER, at));
                Some(())
            }
            Builtin::CloseBracket | Builtin::ClearToMark | Builtin::CountToMark => {
                self.up_to_mark(at, operator)
            }
            Builtin::Index => self.index(at, operator),
            Builtin::Copy => self.copy(at, operator),
            Builtin::Roll => self.roll(at, operator),
            Builtin::ALoad | Builtin::AStore => self.spread(at, operator),
            _ => None,
        };
        if known.is_none() {
            self.state.forget();
        }
    }

    fn up_to_mark(&mut self, at: usize, operator: Builtin) -> Option<()> {
        let may_be_mark = self.state.values().rev().position(|value| value.types.meets(Types::MARK));
        if may_be_mark.is_none() && self.state.is_all_known() {
            self.warn_of_no_mark(at, operator);
            return None;
        }
        if operator == Builtin::CountToMark {
            self.state.push(Value::new(Types::NUMBER, at));
            return Some(());
        }
        match may_be_mark.filter(|depth| self.state.peek(*depth).types == Types::MARK) {
            Some(depth) => self.state.discard(depth + 1),
            None => self.state.forget(),
        }
        if operator == Builtin::CloseBracket {
            self.state.push(Value::new(Types::ARRAY, at));
        }
        Some(())
    }

    /// The whole number, not negative, at this depth; `None` too where the operator is sure to fail.
    fn count_at(&mut self, at: usize, operator: Builtin, depth: usize) -> Option<usize> {
        let value = self.state.peek(depth);
        let number = self.is_one_of(at, operator, value, Types::NUMBER).then(|| self.number(value))??;
        let is_count = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
        is_count.then_some(number as usize)
    }

    fn index(&mut self, at: usize, operator: Builtin) -> Option<()> {
        let is_there = self.has(at, operator, 1);
        let depth = is_there.then(|| self.count_at(at, operator, 0))?? + 1;
        if self.has(at, operator, depth + 1) {
            let value = self.state.peek(depth);
            self.state.discard(1);
            self.state.push(value);
            return Some(());
        }
        None
    }

    fn copy(&mut self, at: usize, operator: Builtin) -> Option<()> {
        let top = self.state.peek(0);
        if !self.has(at, operator, 1) || !self.is_one_of(at, operator, top, Types::NUMBER.or(COPIED)) {
            return None;
        }
        if !top.types.meets(Types::NUMBER) {
            return self.copy_contents(at, operator);
        }
        if top.types != Types::NUMBER {
            return None;
        }
        let count = self.count_at(at, operator, 0)?;
        if !self.has(at, operator, count + 1) {
            return None;
        }
        self.state.discard(1);
        let values = self.state.top_mut(count)?.to_vec();
        values.into_iter().for_each(|value| self.state.push(value));
        Some(())
    }

    fn copy_contents(&mut self, at: usize, operator: Builtin) -> Option<()> {
        let (from, to) = (self.state.peek(1), self.state.peek(0));
        let is_right =
            self.has(at, operator, 2) && self.is_one_of(at, operator, from, COPIED.or(Types::PROCEDURE));
        is_right.then(|| {
            self.state.discard(2);
            self.state.push(Value::new(to.types, at));
        })
    }

    fn roll(&mut self, at: usize, operator: Builtin) -> Option<()> {
        if !self.has(at, operator, 2) {
            return None;
        }
        let (count, by) = (self.state.peek(1), self.state.peek(0));
        if !self.is_one_of(at, operator, count, Types::NUMBER)
            || !self.is_one_of(at, operator, by, Types::NUMBER)
        {
            return None;
        }
        let by = self.number(by);
        let count = self.count_at(at, operator, 1);
        if let Some(count) = count
            && !self.has(at, operator, count + 2)
        {
            return None;
        }
        self.state.discard(2);
        let by = by.filter(|by| by.fract() == 0.0);
        match count.zip(by).and_then(|(count, by)| Some((self.state.top_mut(count)?, by))) {
            Some(([], _)) => {}
            Some((values, by)) => values.rotate_right(by.rem_euclid(values.len() as f64) as usize),
            None => self.state.blur(),
        }
        Some(())
    }

    fn spread(&mut self, at: usize, operator: Builtin) -> Option<()> {
        let array = self.state.peek(0);
        if self.has(at, operator, 1) && self.is_one_of(at, operator, array, ARRAY) {
            self.state.forget();
            self.state.push(array);
            return Some(());
        }
        None
    }
}
