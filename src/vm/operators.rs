//! What the operators do.
//!
//! An operator looks at its operands in PostScript's order (enough of them, then types, then values) and takes
//! them from the stack only when nothing can fail any more. So an error finds them where they were.

use std::io::Write;

use super::fault::Fault;
use super::frame::ForLoop;
use super::heap::DictionaryId;
use super::machine::{Machine, constant};
use super::trap::ErrorName;
use super::value::{Procedure, Value};
use crate::isa::builtin::Builtin;
use crate::isa::instruction::Instruction;

/// The largest index that `get` looks for.
const LARGEST_INDEX: f64 = u32::MAX as f64;

impl Machine<'_> {
    /// Executes an operator.
    #[inline]
    pub(super) fn operate(&mut self, operator: Builtin, out: &mut dyn Write) -> Result<(), Fault> {
        let result = match operator {
            Builtin::Add => self.arithmetic(|a, b| a + b),
            Builtin::Begin => self.begin(),
            Builtin::CurrentDict => self.push(Value::Dictionary(self.scope.current())),
            Builtin::CurrentTrace => self.push(Value::Boolean(self.is_tracing)),
            Builtin::Def => self.def(),
            Builtin::Dict => self.dict(),
            Builtin::Div => self.arithmetic(|a, b| a / b),
            Builtin::Dup => self.top().and_then(|[value]| self.push(value)),
            Builtin::End => self.end(),
            Builtin::Eq => self.compare(|a, b| a == b),
            Builtin::Exch => self.exch(),
            Builtin::Exec => self.exec(out),
            Builtin::For => self.start_for(),
            Builtin::Get => self.get(),
            Builtin::If => self.choose_one(),
            Builtin::IfElse => self.choose_of_two(),
            Builtin::Known => self.known(),
            Builtin::Mul => self.arithmetic(|a, b| a * b),
            Builtin::Ne => self.compare(|a, b| a != b),
            Builtin::Pop => self.top::<1>().map(|_| self.discard(1)),
            Builtin::Print => self.print("\n", out),
            Builtin::Stack => self.print_stack(out),
            Builtin::Sub => self.arithmetic(|a, b| a - b),
            Builtin::SystemDict => self.push(Value::Dictionary(self.scope.system())),
            Builtin::Trace => self.set_trace(),
            Builtin::Write => self.print("", out),
        };
        result.map_err(|fault| fault.of(operator))
    }

    /// The uppermost operands, the top last; they stay on the stack.
    #[inline]
    fn top<const N: usize>(&self) -> Result<[Value; N], Fault> {
        self.operands.last_chunk().copied().ok_or_else(|| ErrorName::StackUnderflow.into())
    }

    #[inline]
    fn discard(&mut self, count: usize) {
        self.operands.truncate(self.operands.len() - count);
    }

    /// Puts the result of an operator in the place of its operands.
    #[inline]
    fn replace(&mut self, count: usize, result: Value) {
        self.discard(count);
        self.operands.push(result);
    }

    #[inline]
    fn arithmetic(&mut self, result: impl Fn(f64, f64) -> f64) -> Result<(), Fault> {
        let [a, b] = self.top()?;
        let result = result(number(a)?, number(b)?);
        if !result.is_finite() {
            return Err(ErrorName::UndefinedResult.into());
        }
        self.replace(2, Value::Number(result));
        Ok(())
    }

    #[inline]
    fn compare(&mut self, result: impl Fn(Value, Value) -> bool) -> Result<(), Fault> {
        let [a, b] = self.top()?;
        self.replace(2, Value::Boolean(result(a, b)));
        Ok(())
    }

    fn exch(&mut self) -> Result<(), Fault> {
        let [a, b] = self.top()?;
        self.discard(2);
        self.operands.extend([b, a]);
        Ok(())
    }

    fn print(&mut self, ending: &str, out: &mut dyn Write) -> Result<(), Fault> {
        let [value] = self.top()?;
        let text = value.text(self.program.names());
        write!(out, "{text}{ending}").map_err(Fault::Output)?;
        self.discard(1);
        Ok(())
    }

    fn print_stack(&self, out: &mut dyn Write) -> Result<(), Fault> {
        let mut values = self.operands.iter().rev().map(|value| value.text(self.program.names()));
        values.try_for_each(|text| writeln!(out, "{text}")).map_err(Fault::Output)
    }

    fn set_trace(&mut self) -> Result<(), Fault> {
        let [is_on] = self.top()?;
        self.is_tracing = boolean(is_on)?;
        self.discard(1);
        Ok(())
    }
}

/// Dictionaries.
impl Machine<'_> {
    fn dict(&mut self) -> Result<(), Fault> {
        self.collect();
        let new = self.heap.allocate();
        self.push(Value::Dictionary(new))
    }

    fn begin(&mut self) -> Result<(), Fault> {
        let [dictionary] = self.top()?;
        let dictionary = as_dictionary(dictionary)?;
        if self.scope.dictionaries().len() >= self.max_stack {
            return Err(ErrorName::DictStackOverflow.into());
        }
        self.discard(1);
        self.scope.begin(dictionary, self.program);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.scope.end().map(|_| ()).ok_or_else(|| ErrorName::DictStackUnderflow.into())
    }

    fn def(&mut self) -> Result<(), Fault> {
        let [key, value] = self.top()?;
        if self.scope.current() == self.scope.system() {
            return Err(ErrorName::InvalidAccess.into());
        }
        self.discard(2);
        self.scope.define(&mut self.heap, key, value);
        Ok(())
    }

    fn known(&mut self) -> Result<(), Fault> {
        let [dictionary, key] = self.top()?;
        let value = self.heap.get(as_dictionary(dictionary)?).get(key.into());
        self.replace(2, Value::Boolean(value.is_some()));
        Ok(())
    }

    fn get(&mut self) -> Result<(), Fault> {
        let [holder, key] = self.top()?;
        let value = match holder {
            Value::Dictionary(id) => self.heap.get(id).get(key.into()).ok_or(ErrorName::Undefined)?,
            Value::Procedure(procedure) => self.element(procedure, index(key)?)?,
            Value::String(id) => {
                let byte = self.program.names().text(id).as_bytes().get(index(key)?).copied();
                Value::Number(byte.ok_or(ErrorName::RangeCheck)?.into())
            }
            _ => return Err(ErrorName::TypeCheck.into()),
        };
        self.replace(2, value);
        Ok(())
    }

    /// An element of a procedure. An inner block is one element.
    fn element(&self, procedure: Procedure, index: usize) -> Result<Value, Fault> {
        let (mut at, end) = self.program.range(procedure);
        let code = self.program.code();
        let mut to_skip = index;
        while at < end {
            let instruction = code[at as usize];
            if to_skip == 0 {
                return Ok(constant(instruction, procedure.symbol, at));
            }
            to_skip -= 1;
            at += 1 + if let Instruction::Block(length) = instruction { length } else { 0 };
        }
        Err(ErrorName::RangeCheck.into())
    }
}

/// Control.
impl Machine<'_> {
    fn exec(&mut self, out: &mut dyn Write) -> Result<(), Fault> {
        loop {
            let [value] = self.top()?;
            match value {
                Value::Procedure(procedure) => {
                    self.enter_block(procedure)?;
                    self.discard(1);
                    return Ok(());
                }
                // A loop and not a call: there can be a whole stack of these.
                Value::Operator(Builtin::Exec) => self.discard(1),
                Value::Operator(operator) => {
                    self.discard(1);
                    return self.operate(operator, out);
                }
                _ => return Ok(()),
            }
        }
    }

    fn choose_one(&mut self) -> Result<(), Fault> {
        let [condition, then] = self.top()?;
        let (condition, then) = (boolean(condition)?, as_procedure(then)?);
        if condition {
            self.enter_block(then)?;
        }
        self.discard(2);
        Ok(())
    }

    fn choose_of_two(&mut self) -> Result<(), Fault> {
        let [condition, then, otherwise] = self.top()?;
        let condition = boolean(condition)?;
        let (then, otherwise) = (as_procedure(then)?, as_procedure(otherwise)?);
        self.enter_block(if condition { then } else { otherwise })?;
        self.discard(3);
        Ok(())
    }

    fn start_for(&mut self) -> Result<(), Fault> {
        let [initial, increment, limit, body] = self.top()?;
        let (next, increment, limit) = (number(initial)?, number(increment)?, number(limit)?);
        let turns = ForLoop { next, increment, limit, body: as_procedure(body)? };
        if !turns.is_over() {
            self.enter_loop(turns)?;
        }
        self.discard(4);
        Ok(())
    }
}

#[inline]
fn number(value: Value) -> Result<f64, Fault> {
    if let Value::Number(number) = value { Ok(number) } else { Err(ErrorName::TypeCheck.into()) }
}

#[inline]
fn boolean(value: Value) -> Result<bool, Fault> {
    if let Value::Boolean(value) = value { Ok(value) } else { Err(ErrorName::TypeCheck.into()) }
}

fn as_procedure(value: Value) -> Result<Procedure, Fault> {
    if let Value::Procedure(procedure) = value { Ok(procedure) } else { Err(ErrorName::TypeCheck.into()) }
}

fn as_dictionary(value: Value) -> Result<DictionaryId, Fault> {
    if let Value::Dictionary(id) = value { Ok(id) } else { Err(ErrorName::TypeCheck.into()) }
}

/// A value as an index: a whole number that is not negative.
fn index(value: Value) -> Result<usize, Fault> {
    let number = number(value)?;
    if number.fract() != 0.0 {
        return Err(ErrorName::TypeCheck.into());
    }
    if (0.0..=LARGEST_INDEX).contains(&number) {
        Ok(number as usize)
    } else {
        Err(ErrorName::RangeCheck.into())
    }
}
