//! Arithmetic, and pseudo-random numbers.

use super::{number, whole};
use crate::vm::fault::Fault;
use crate::vm::machine::Machine;
use crate::vm::trap::ErrorName;
use crate::vm::value::{Value, truncated};

/// The generator of pseudo-random numbers: x ← 16807 x mod (2³¹ − 1), the "minimal standard" of Park and Miller
/// ("Random number generators: good ones are hard to find", CACM 31, 1988).
const MULTIPLIER: u64 = 16807;
const MODULUS: u64 = (1 << 31) - 1;

impl Machine<'_> {
    /// A function of a number.
    pub(super) fn of_number(&mut self, function: impl Fn(f64) -> f64) -> Result<(), Fault> {
        let [value] = self.top()?;
        let result = finite(function(number(value)?))?;
        self.replace(1, result);
        Ok(())
    }

    /// A function of two numbers.
    #[inline]
    pub(super) fn of_numbers(&mut self, function: impl Fn(f64, f64) -> f64) -> Result<(), Fault> {
        let [a, b] = self.top()?;
        let result = finite(function(number(a)?, number(b)?))?;
        self.replace(2, result);
        Ok(())
    }

    /// A function of two whole numbers, of which the second is not zero.
    pub(super) fn of_whole(&mut self, function: impl Fn(f64, f64) -> f64) -> Result<(), Fault> {
        let [a, b] = self.top()?;
        let (a, b) = (whole(a)?, whole(b)?);
        let result = finite(function(a, b))?;
        self.replace(2, result);
        Ok(())
    }

    pub(super) fn square_root(&mut self) -> Result<(), Fault> {
        let [value] = self.top()?;
        if number(value)? < 0.0 {
            return Err(ErrorName::RangeCheck.into());
        }
        self.of_number(f64::sqrt)
    }

    pub(super) fn logarithm(&mut self, function: impl Fn(f64) -> f64) -> Result<(), Fault> {
        let [value] = self.top()?;
        if number(value)? <= 0.0 {
            return Err(ErrorName::RangeCheck.into());
        }
        self.of_number(function)
    }

    pub(super) fn atan(&mut self) -> Result<(), Fault> {
        let [numerator, denominator] = self.top()?;
        let (numerator, denominator) = (number(numerator)?, number(denominator)?);
        if numerator == 0.0 && denominator == 0.0 {
            return Err(ErrorName::UndefinedResult.into());
        }
        // Exact where the angle is.
        let angle = match (numerator, denominator) {
            (0.0, _) => {
                if denominator > 0.0 {
                    0.0
                } else {
                    180.0
                }
            }
            (_, 0.0) => {
                if numerator > 0.0 {
                    90.0
                } else {
                    270.0
                }
            }
            _ => {
                let angle = numerator.atan2(denominator).to_degrees();
                if angle < 0.0 { angle + 360.0 } else { angle }
            }
        };
        // So small a negative angle that 360 degrees are next to it.
        self.replace(2, Value::Number(if angle >= 360.0 { 0.0 } else { angle }));
        Ok(())
    }

    pub(super) fn rand(&mut self) -> Result<(), Fault> {
        let next = (u64::from(self.random) * MULTIPLIER % MODULUS) as u32;
        self.push(Value::Number(next.into()))?;
        self.random = next;
        Ok(())
    }

    pub(super) fn set_random(&mut self) -> Result<(), Fault> {
        let [seed] = self.top()?;
        // Neither of the two numbers that the generator would stay at.
        let seed = whole(seed)?.rem_euclid(MODULUS as f64).max(1.0);
        self.random = seed as u32;
        self.discard(1);
        Ok(())
    }
}

/// From here on a number is no `i64`, or not every whole number is one: 2⁵³.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Two whole numbers as integers, if they are small and the second is not zero.
#[inline]
fn integers(a: f64, b: f64) -> Option<(i64, i64)> {
    (a.abs() < EXACT && b.abs() < EXACT && b != 0.0).then_some((a as i64, b as i64))
}

/// The quotient of two whole numbers, without its fraction.
#[inline]
pub(in crate::vm) fn quotient(a: f64, b: f64) -> f64 {
    match integers(a, b) {
        Some((a, b)) => (a / b) as f64,
        // Zero has no sign here, as it has none among integers.
        None => truncated(a / b) + 0.0,
    }
}

/// The remainder of the division of two whole numbers, with the sign of the first.
#[inline]
pub(in crate::vm) fn remainder(a: f64, b: f64) -> f64 {
    match integers(a, b) {
        Some((a, b)) => (a % b) as f64,
        None => a % b + 0.0,
    }
}

fn finite(result: f64) -> Result<Value, Fault> {
    if result.is_finite() { Ok(Value::Number(result)) } else { Err(ErrorName::UndefinedResult.into()) }
}

/// The whole number nearest to a number; of two, the greater.
pub(super) fn round(number: f64) -> f64 {
    let below = number.floor();
    let rounded = if number - below >= 0.5 { below + 1.0 } else { below };
    rounded.copysign(number)
}

/// The sine of an angle in degrees, exact where it is a whole number.
pub(super) fn sine(angle: f64) -> f64 {
    match angle % 360.0 {
        0.0 | 180.0 | -180.0 => 0.0,
        90.0 | -270.0 => 1.0,
        270.0 | -90.0 => -1.0,
        angle => angle.to_radians().sin(),
    }
}

/// The cosine of an angle in degrees, exact where it is a whole number.
pub(super) fn cosine(angle: f64) -> f64 {
    match angle % 360.0 {
        0.0 => 1.0,
        180.0 | -180.0 => -1.0,
        90.0 | -90.0 | 270.0 | -270.0 => 0.0,
        angle => angle.to_radians().cos(),
    }
}
