//! Comparison, logic and bits.

use std::cmp::Ordering;

use super::{boolean, whole};
use crate::vm::fault::Fault;
use crate::vm::machine::Machine;
use crate::vm::trap::ErrorName;
use crate::vm::value::Value;

/// The first whole number that is too large for bits: 2⁵³.
const BITS: f64 = 9_007_199_254_740_992.0;

impl Machine<'_> {
    /// Whether two values are equal, or are not.
    pub(super) fn equality(&mut self, wanted: bool) -> Result<(), Fault> {
        let [a, b] = self.top()?;
        let result = self.is_equal(a, b) == wanted;
        self.replace(2, Value::Boolean(result));
        Ok(())
    }

    /// Whether two numbers or strings stand in an order.
    pub(super) fn order(&mut self, wanted: impl Fn(Ordering) -> bool) -> Result<(), Fault> {
        let [a, b] = self.top()?;
        let order = match (a, b) {
            (Value::Number(a), Value::Number(b)) => a.partial_cmp(&b),
            _ => match (self.text(a).bytes(), self.text(b).bytes()) {
                (Some(a), Some(b)) => Some(a.cmp(b)),
                _ => return Err(ErrorName::TypeCheck.into()),
            },
        };
        self.replace(2, Value::Boolean(order.is_some_and(wanted)));
        Ok(())
    }

    /// A function of two booleans, or of the bits of two whole numbers.
    pub(super) fn logic(
        &mut self,
        of_booleans: impl Fn(bool, bool) -> bool,
        of_bits: impl Fn(i64, i64) -> i64,
    ) -> Result<(), Fault> {
        let [a, b] = self.top()?;
        let result = match a {
            Value::Boolean(a) => Value::Boolean(of_booleans(a, boolean(b)?)),
            _ => {
                let (a, b) = (whole(a)?, whole(b)?);
                number(of_bits(bits(a)?, bits(b)?))?
            }
        };
        self.replace(2, result);
        Ok(())
    }

    pub(super) fn not(&mut self) -> Result<(), Fault> {
        let [value] = self.top()?;
        let result = match value {
            Value::Boolean(value) => Value::Boolean(!value),
            _ => number(!bits(whole(value)?)?)?,
        };
        self.replace(1, result);
        Ok(())
    }

    pub(super) fn shift(&mut self) -> Result<(), Fault> {
        let [value, shift] = self.top()?;
        let (value, shift) = (whole(value)?, whole(shift)?);
        let (value, shift) = (bits(value)?, bits(shift)?);
        let result = if shift < 0 {
            value >> shift.unsigned_abs().min(63)
        } else {
            let factor =
                1_i64.checked_shl(u32::try_from(shift).unwrap_or(u32::MAX)).filter(|factor| *factor > 0);
            match (value, factor) {
                (0, _) => 0,
                (_, Some(factor)) => value.checked_mul(factor).ok_or(ErrorName::RangeCheck)?,
                (_, None) => return Err(ErrorName::RangeCheck.into()),
            }
        };
        self.replace(2, number(result)?);
        Ok(())
    }
}

/// The bits of a whole number, if they are not too many.
fn bits(number: f64) -> Result<i64, Fault> {
    if number.abs() < BITS { Ok(number as i64) } else { Err(ErrorName::RangeCheck.into()) }
}

/// The whole number that has these bits, if they are not too many.
fn number(bits: i64) -> Result<Value, Fault> {
    if (bits as f64).abs() < BITS {
        Ok(Value::Number(bits as f64))
    } else {
        Err(ErrorName::RangeCheck.into())
    }
}
