//! Why an instruction could not be executed, before the machine adds where and in what state.

use std::io;

use super::trap::ErrorName;
use crate::isa::builtin::Builtin;

/// The failure of one instruction.
#[derive(Debug)]
pub(super) enum Fault {
    /// An error of the language.
    Error {
        error: ErrorName,
        /// The operator that failed; without one it is the instruction itself.
        operator: Option<Builtin>,
    },
    /// The steps are used up, which the program cannot catch.
    Steps,
    /// The input could not be read.
    Input(io::Error),
    /// The output could not be written.
    Output(io::Error),
    /// The trace could not be written.
    Trace(io::Error),
}

impl Fault {
    /// Says which operator failed, unless that is known more exactly.
    pub(super) fn of(self, operator: Builtin) -> Self {
        match self {
            Self::Error { error, operator: None } => Self::Error { error, operator: Some(operator) },
            known => known,
        }
    }
}

impl From<ErrorName> for Fault {
    fn from(error: ErrorName) -> Self {
        Self::Error { error, operator: None }
    }
}
