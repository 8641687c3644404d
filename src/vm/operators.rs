//! What the operators do.
//!
//! An operator looks at its operands in PostScript's order (enough of them, then types, then values) and takes
//! them from the stack only when nothing can fail any more. So an error finds them where they were.

use super::dictionary::Key;
use super::fault::Fault;
use super::heap::{ArrayId, DictionaryId};
use super::machine::{Machine, Streams};
use super::trap::ErrorName;
use super::value::{Packed, Procedure, Value, is_whole, truncated};
use crate::isa::builtin::Builtin;

pub(super) mod arithmetic;
mod composites;
mod control;
mod conversion;
mod dictionaries;
mod io;
mod relations;
mod stack;

/// The largest index or count of elements.
const LARGEST: f64 = u32::MAX as f64;

impl Machine<'_> {
    /// Executes an operator.
    pub(super) fn operate(&mut self, operator: Builtin, streams: &mut Streams<'_>) -> Result<(), Fault> {
        let result = match operator {
            Builtin::OpenBracket | Builtin::Mark => self.push(Value::Mark),
            Builtin::CloseBracket => self.array_to_mark(),
            Builtin::Abs => self.of_number(f64::abs),
            Builtin::Add => self.of_numbers(|a, b| a + b),
            Builtin::ALoad => self.load_array(),
            Builtin::AnchorSearch => self.search_anchored(),
            Builtin::And => self.logic(|a, b| a & b, |a, b| a & b),
            Builtin::Arguments => self.push_arguments(),
            Builtin::Array => self.array(),
            Builtin::AStore => self.store_array(),
            Builtin::Atan => self.atan(),
            Builtin::Begin => self.begin(),
            Builtin::Bind => self.bind(),
            Builtin::BitShift => self.shift(),
            Builtin::Ceiling => self.of_number(f64::ceil),
            Builtin::Clear => self.clear(),
            Builtin::ClearToMark => self.clear_to_mark(),
            Builtin::Copy => self.copy(),
            Builtin::Cos => self.of_number(arithmetic::cosine),
            Builtin::Count => self.push(Value::Number(self.stack.height() as f64)),
            Builtin::CountDictStack => self.push(Value::Number(self.scope.dictionaries().len() as f64)),
            Builtin::CountExecStack => self.push(Value::Number(self.frames.len() as f64)),
            Builtin::CountToMark => self.count_to_mark(),
            Builtin::CurrentDict => self.push_current(),
            Builtin::CurrentTrace => self.push(Value::Boolean(self.is_tracing)),
            Builtin::Cvi => self.convert(conversion::whole),
            Builtin::Cvr => self.convert(Ok),
            Builtin::Cvs => self.convert_to_string(),
            Builtin::Def => self.def(),
            Builtin::Dict => self.dict(),
            Builtin::Div => self.of_numbers(|a, b| a / b),
            Builtin::Dup => self.top().and_then(|[value]| self.push(value)),
            Builtin::End => self.end(),
            Builtin::Eq => self.equality(true),
            Builtin::Exch => self.exch(),
            Builtin::Exec => self.exec(streams),
            Builtin::Exit => self.exit(),
            Builtin::Exp => self.of_numbers(f64::powf),
            Builtin::Floor => self.of_number(f64::floor),
            Builtin::For => self.begin_for(),
            Builtin::ForAll => self.begin_forall(),
            Builtin::Ge => self.order(|order| order.is_ge()),
            Builtin::Get => self.get(),
            Builtin::GetInterval => self.get_interval(),
            Builtin::Gt => self.order(|order| order.is_gt()),
            Builtin::IDiv => self.of_whole(arithmetic::quotient),
            Builtin::If => self.choose_one(),
            Builtin::IfElse => self.choose_of_two(),
            Builtin::Index => self.index(),
            Builtin::Known => self.known(),
            Builtin::Le => self.order(|order| order.is_le()),
            Builtin::Length => self.length(),
            Builtin::Ln => self.logarithm(f64::ln),
            Builtin::Load => self.load(),
            Builtin::Log => self.logarithm(f64::log10),
            Builtin::Loop => self.begin_endless(),
            Builtin::Lt => self.order(|order| order.is_lt()),
            Builtin::Mod => self.of_whole(arithmetic::remainder),
            Builtin::Mul => self.of_numbers(|a, b| a * b),
            Builtin::Ne => self.equality(false),
            Builtin::Neg => self.of_number(|number| -number),
            Builtin::Not => self.not(),
            Builtin::Null => self.push(Value::Null),
            Builtin::Or => self.logic(|a, b| a | b, |a, b| a | b),
            Builtin::Pop => self.top::<1>().map(|_| self.discard(1)),
            Builtin::Print => self.print(b"\n", streams),
            Builtin::Put => self.put(),
            Builtin::PutInterval => self.put_interval(),
            Builtin::Quit => {
                self.quit();
                Ok(())
            }
            Builtin::Rand => self.rand(),
            Builtin::ReadLine => self.read_line(streams),
            Builtin::Repeat => self.begin_repeat(),
            Builtin::Roll => self.roll(),
            Builtin::Round => self.of_number(arithmetic::round),
            Builtin::RRand => self.push(Value::Number(self.random.into())),
            Builtin::Search => self.search(),
            Builtin::Sin => self.of_number(arithmetic::sine),
            Builtin::Sqrt => self.square_root(),
            Builtin::SRand => self.set_random(),
            Builtin::Stack => self.print_stack(streams),
            Builtin::Stop => Err(ErrorName::Stop.into()),
            Builtin::Stopped => self.stopped(),
            Builtin::Store => self.store(),
            Builtin::String => self.string(),
            Builtin::Sub => self.of_numbers(|a, b| a - b),
            Builtin::SystemDict => self.push(Value::Dictionary(self.scope.system())),
            Builtin::Trace => self.set_trace(),
            Builtin::Truncate => self.of_number(truncated),
            Builtin::Type => self.type_of(),
            Builtin::Undef => self.undef(),
            Builtin::Where => self.find_where(),
            Builtin::Write => self.print(b"", streams),
            Builtin::Xor => self.logic(|a, b| a ^ b, |a, b| a ^ b),
        };
        result.map_err(|fault| fault.of(operator))
    }

    /// The uppermost operands, the top last; they stay on the stack.
    #[inline]
    fn top<const N: usize>(&self) -> Result<[Value; N], Fault> {
        let operands = self.stack.values().last_chunk::<N>();
        operands.map(|operands| operands.map(Packed::unpack)).ok_or_else(|| ErrorName::StackUnderflow.into())
    }

    #[inline]
    fn discard(&mut self, count: usize) {
        self.stack.discard(count);
    }

    /// Puts the result of an operator in the place of its operands, of which there is at least one.
    #[inline]
    fn replace(&mut self, count: usize, result: Value) {
        self.stack.discard(count);
        self.stack.push_beyond(result);
    }

    /// Puts results in the place of operands.
    fn replace_all(&mut self, count: usize, results: &[Value]) -> Result<(), Fault> {
        if results.len() > count && !self.stack.has_room(results.len() - count) {
            return Err(ErrorName::StackOverflow.into());
        }
        self.stack.discard(count);
        results.iter().for_each(|result| self.stack.push_beyond(*result));
        Ok(())
    }
}

#[inline]
fn number(value: Value) -> Result<f64, Fault> {
    if let Value::Number(number) = value { Ok(number) } else { Err(ErrorName::TypeCheck.into()) }
}

/// A number without a fraction.
fn whole(value: Value) -> Result<f64, Fault> {
    let number = number(value)?;
    if is_whole(number) { Ok(number) } else { Err(ErrorName::TypeCheck.into()) }
}

/// A value as an index or count: a whole number that is not negative.
fn index(value: Value) -> Result<usize, Fault> {
    let number = whole(value)?;
    if (0.0..=LARGEST).contains(&number) { Ok(number as usize) } else { Err(ErrorName::RangeCheck.into()) }
}

/// A value as the length of something new.
fn new_length(value: Value) -> Result<usize, Fault> {
    if whole(value)? > LARGEST { Err(ErrorName::LimitCheck.into()) } else { index(value) }
}

#[inline]
fn boolean(value: Value) -> Result<bool, Fault> {
    if let Value::Boolean(value) = value { Ok(value) } else { Err(ErrorName::TypeCheck.into()) }
}

fn procedure(value: Value) -> Result<Procedure, Fault> {
    if let Value::Procedure(procedure) = value { Ok(procedure) } else { Err(ErrorName::TypeCheck.into()) }
}

fn dictionary(value: Value) -> Result<DictionaryId, Fault> {
    if let Value::Dictionary(id) = value { Ok(id) } else { Err(ErrorName::TypeCheck.into()) }
}

/// A value as an array that can be written to.
fn array(value: Value) -> Result<ArrayId, Fault> {
    match value {
        Value::Array(id) => Ok(id),
        Value::Procedure(_) => Err(ErrorName::InvalidAccess.into()),
        _ => Err(ErrorName::TypeCheck.into()),
    }
}
