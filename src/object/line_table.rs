//! Line tables: where in the source each instruction came from.

use crate::source::Position;

/// The position of each instruction of a fragment by ordinal, made with `-g`.
/// It lies beside the code, so that moving code does not change the code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineTable {
    rows: Vec<Position>,
}

impl LineTable {
    /// Takes one position per instruction; lines count from 0 at the line of the procedure's name.
    /// Gives nothing when a line stands before its predecessor: code is generated in source order.
    pub fn new(rows: Vec<Position>) -> Option<Self> {
        rows.is_sorted_by_key(|row| row.line).then_some(Self { rows })
    }

    /// The positions by ordinal.
    pub fn rows(&self) -> &[Position] {
        &self.rows
    }
}
