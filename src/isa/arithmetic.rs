//! Arithmetic that the compiler and the machine do alike, to the last bit.
//!
//! Deliberately absent: whatever is a matter of the processor or of a library, such as sines and powers, and types.

/// A number without its fraction. (The library's function is a slow one where the processor may be an old one.)
#[inline]
pub fn truncated(number: f64) -> f64 {
    // From 2⁵² on there are no fractions.
    if number.abs() < 4_503_599_627_370_496.0 { (number as i64 as f64).copysign(number) } else { number }
}

/// Whether a number has no fraction.
#[inline]
pub fn is_whole(number: f64) -> bool {
    truncated(number) == number
}

/// From here on not every whole number is a number: 2⁵³.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Two whole numbers as integers, if they are small and the second is not zero.
#[inline]
fn integers(a: f64, b: f64) -> Option<(i64, i64)> {
    (a.abs() < EXACT && b.abs() < EXACT && b != 0.0).then_some((a as i64, b as i64))
}

/// The quotient of two whole numbers, without its fraction.
#[inline]
pub fn quotient(a: f64, b: f64) -> f64 {
    match integers(a, b) {
        Some((a, b)) => (a / b) as f64,
        // Zero has no sign here, as it has none among integers.
        None => truncated(a / b) + 0.0,
    }
}

/// The remainder of the division of two whole numbers, with the sign of the first.
#[inline]
pub fn remainder(a: f64, b: f64) -> f64 {
    match integers(a, b) {
        Some((a, b)) => (a % b) as f64,
        None => a % b + 0.0,
    }
}

/// The whole number nearest to a number; of two, the greater.
#[inline]
pub fn round(number: f64) -> f64 {
    let below = number.floor();
    let rounded = if number - below >= 0.5 { below + 1.0 } else { below };
    rounded.copysign(number)
}

/// The bits of a whole number, if they are at most 53.
#[inline]
pub fn bits(number: f64) -> Option<i64> {
    (number.abs() < EXACT).then_some(number as i64)
}

/// The whole number that has these bits, if they are at most 53.
#[inline]
pub fn of_bits(bits: i64) -> Option<f64> {
    Some(bits as f64).filter(|number| number.abs() < EXACT)
}

/// Bits moved to the left, or to the right if the shift is negative; `None` when they are too many then.
#[inline]
pub fn shifted(bits: i64, shift: i64) -> Option<i64> {
    if shift < 0 {
        return Some(bits >> shift.unsigned_abs().min(63));
    }
    let factor = 1_i64.checked_shl(u32::try_from(shift).unwrap_or(u32::MAX)).filter(|factor| *factor > 0);
    if bits == 0 { Some(0) } else { bits.checked_mul(factor?) }
}
