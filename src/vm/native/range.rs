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
