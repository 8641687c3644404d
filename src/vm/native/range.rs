//! Ranges of whole numbers that native code has as integers, so that it need not look whether a result is exact.
//!
//! Deliberately absent: -0.0, which is no integer.

/// The least and the greatest value that a whole number may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) least: i64,
    pub(super) greatest: i64,
}

impl Range {
    /// Whole numbers that are exact, as sums and products of which nothing else is known.
    pub(super) const EXACT: Self = Self::within((1 << 53) - 1);
    /// Those that most numbers are: a product of two such does not overflow.
    pub(super) const USUAL: Self = Self { least: 0, greatest: (1 << 31) - 1 };
    /// Those that can be made integers of numbers.
    pub(super) const CONVERTED: Self = Self { least: -(1 << 50), greatest: (1 << 50) - 1 };
    /// Those that are none but in a division.
    pub(super) const WIDE: Self = Self::within(1 << 62);
    /// Control values of loops.
    pub(super) const CONTROL: Self = Self::within(1 << 31);
    /// Integers any bits of which are exact as well.
    pub(super) const BITS: Self = Self { least: -(1 << 52), greatest: (1 << 52) - 1 };
    /// Bytes.
    pub(super) const BYTE: Self = Self { least: 0, greatest: 255 };
    /// Lengths.
    pub(super) const LENGTH: Self = Self { least: 0, greatest: u32::MAX as i64 };

    const fn within(most: i64) -> Self {
        Self { least: -most, greatest: most }
    }

    pub(super) const fn of(number: i64) -> Self {
        Self { least: number, greatest: number }
    }

    /// The least range with these in it.
    fn around(values: &[i64]) -> Self {
        let (least, greatest) = (values.iter().min(), values.iter().max());
        Self { least: least.copied().unwrap_or(0), greatest: greatest.copied().unwrap_or(0) }
    }

    pub(super) const fn has(self, number: i64) -> bool {
        self.least <= number && number <= self.greatest
    }

    pub(super) const fn contains(self, other: Self) -> bool {
        self.has(other.least) && self.has(other.greatest)
    }

    /// Of integers with bits of those in it, which are [`Self::BITS`].
    pub(super) const fn bits(self) -> Self {
        match self.least {
            0.. => Self { least: 0, greatest: (1 << (i64::BITS - self.greatest.leading_zeros())) - 1 },
            _ => Self::BITS,
        }
    }

    pub(super) const fn is_natural(self) -> bool {
        self.least >= 0
    }

    /// What is in one or the other.
    pub(super) fn or(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), greatest: self.greatest.max(other.greatest) }
    }

    /// The same, but as wide as can be where the other is wider: what grows in one turn of a loop may do so in each.
    pub(super) const fn widened(self, other: Self) -> Self {
        Self {
            least: if other.least < self.least { Self::EXACT.least } else { self.least },
            greatest: if other.greatest > self.greatest { Self::EXACT.greatest } else { self.greatest },
        }
    }

    /// What is left of it within bounds, if something is.
    pub(super) fn limited(self, bounds: Self) -> Self {
        Self {
            least: self.least.clamp(bounds.least, bounds.greatest),
            greatest: self.greatest.clamp(bounds.least, bounds.greatest),
        }
    }

    /// Whether no integer of 64 bits overflows.
    pub(super) const fn is_in_word(self) -> bool {
        self.least > i64::MIN && self.greatest < i64::MAX
    }

    pub(super) const fn sum(self, other: Self) -> Self {
        Self {
            least: self.least.saturating_add(other.least),
            greatest: self.greatest.saturating_add(other.greatest),
        }
    }

    pub(super) const fn difference(self, other: Self) -> Self {
        Self {
            least: self.least.saturating_sub(other.greatest),
            greatest: self.greatest.saturating_sub(other.least),
        }
    }

    /// Of products; none if one of them may be -0.0.
    pub(super) fn product(self, other: Self) -> Option<Self> {
        let may_be_negative_zero = |a: Self, b: Self| a.has(0) && b.least < 0;
        if may_be_negative_zero(self, other) || may_be_negative_zero(other, self) {
            return None;
        }
        let bounds = [self.least, self.greatest];
        let products = bounds.map(|a| [other.least, other.greatest].map(|b| a.saturating_mul(b)));
        Some(Self::around(products.as_flattened()))
    }

    /// Of quotients without their fractions.
    pub(super) fn quotient(self, divisor: Self) -> Self {
        if self.is_natural() && divisor.least > 0 {
            return Self { least: self.least / divisor.greatest, greatest: self.greatest / divisor.least };
        }
        Self::within(self.least.abs().max(self.greatest.abs()))
    }

    /// Of remainders, which have the sign of the dividend.
    pub(super) fn remainder(self, divisor: Self) -> Self {
        let most = divisor.least.abs().max(divisor.greatest.abs()) - 1;
        Self { least: self.least.max(-most).min(0), greatest: self.greatest.min(most).max(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else a number would be taken for exact that is not.
    #[test]
    fn what_is_calculated_is_in_the_range_of_the_result() {
        let bounds = [-7, -2, -1, 0, 1, 3, 8];
        let range = |(least, greatest): (i64, i64)| (least <= greatest).then_some(Range { least, greatest });
        let pairs = bounds.into_iter().flat_map(|least| bounds.map(|greatest| (least, greatest)));
        let ranges = pairs.filter_map(range).collect::<Vec<_>>();
        for (a, b) in ranges.iter().flat_map(|a| ranges.iter().map(move |b| (*a, *b))) {
            for (x, y) in (a.least..=a.greatest).flat_map(|x| (b.least..=b.greatest).map(move |y| (x, y))) {
                assert!(a.sum(b).has(x + y) && a.difference(b).has(x - y));
                assert!(a.or(b).has(x) && a.or(b).has(y) && a.widened(b).has(x) && a.widened(b).has(y));
                assert!([x & y, x | y, x ^ y].iter().all(|bits| a.or(b).bits().has(*bits)));
                match a.product(b) {
                    Some(product) => assert!(product.has(x * y)),
                    None => assert!(a.least < 0 || b.least < 0),
                }
                let is_negative_zero = x as f64 * y as f64 == 0.0 && (x < 0 || y < 0);
                assert!(!is_negative_zero || a.product(b).is_none());
                if y != 0 {
                    assert!(a.quotient(b).has(x / y) && a.remainder(b).has(x % y), "{a:?} {b:?} {x} {y}");
                }
            }
        }
    }
}
