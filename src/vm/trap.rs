//! Traps: uncaught errors of a program, with all that a person needs to find the cause.
//!
//! Deliberately absent: lines and columns; the repository knows them for the places given here.

use std::fmt;
use std::sync::Arc;

use crate::name::Name;

macro_rules! errors {
    ($($variant:ident $name:literal $meaning:literal;)*) => {
        /// The errors of the language, under the names that PostScript gave them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorName {
            $(#[doc = $meaning] $variant,)*
        }

        impl ErrorName {
            /// All errors, by name in ascending order.
            pub const ALL: &'static [ErrorName] = &[$(ErrorName::$variant,)*];

            /// The error's name.
            pub const fn name(self) -> &'static str {
                match self { $(ErrorName::$variant => $name,)* }
            }

            /// What the error says, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(ErrorName::$variant => $meaning,)* }
            }

            /// The code of its diagnostic.
            pub const fn code(self) -> &'static str {
                match self { $(ErrorName::$variant => concat!("toy::vm::", $name),)* }
            }
        }
    };
}

errors! {
    DictStackOverflow "dictstackoverflow" "Too many dictionaries were begun and not ended.";
    DictStackUnderflow "dictstackunderflow" "There is no begun dictionary to end.";
    ExecStackOverflow "execstackoverflow" "Too many procedures are in execution at once.";
    InvalidAccess "invalidaccess" "What may only be read was to be written to.";
    InvalidExit "invalidexit" "There is no loop to leave here.";
    LimitCheck "limitcheck" "A limit set for the run was reached.";
    RangeCheck "rangecheck" "An operand is outside the range that the operator accepts.";
    StackOverflow "stackoverflow" "There are too many values on the operand stack.";
    StackUnderflow "stackunderflow" "The operand stack holds fewer values than the operator needs.";
    Stop "stop" "The program stopped itself, and nothing caught it.";
    TypeCheck "typecheck" "An operand has another type than the operator needs.";
    Undefined "undefined" "The name or key is in no dictionary that was searched.";
    UndefinedResult "undefinedresult" "The result is no finite number.";
    UnmatchedMark "unmatchedmark" "There is no mark on the operand stack.";
}

impl fmt::Display for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An uncaught error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trap {
    /// Which error.
    pub error: ErrorName,
    /// The operator or name that failed, or the instruction that could not push its constant.
    pub operator: Arc<str>,
    /// The procedures in execution, innermost first: all, or the first 16 and the last 4. The first entry is
    /// where the error happened.
    pub calls: Vec<Call>,
    /// How many are left out of `calls`, between the first 16 and the last 4.
    pub calls_omitted: usize,
    /// The uppermost operands, the top first, each as a short text.
    pub stack: Vec<String>,
    /// How many operands are left out of `stack`.
    pub stack_omitted: usize,
    /// How many steps the machine made, this one included.
    pub steps: u64,
    /// The limit that was reached, when the error is about one.
    pub limit: Option<Limit>,
}

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many there may be.
    pub value: u64,
    /// Of what.
    pub of: &'static str,
    /// The name of the limit among [`Limits`](super::machine::Limits).
    pub name: &'static str,
}

/// A procedure that was in execution when an error happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name by which it was called.
    pub name: Arc<str>,
    /// The symbol in whose section its code stands.
    pub symbol: Name,
    /// Index of the section in the executable.
    pub section: u32,
    /// Ordinal of the instruction in execution.
    pub ordinal: u32,
}

/// So many of the innermost calls are kept.
pub(super) const INNERMOST: usize = 16;
/// So many of the outermost calls are kept.
pub const OUTERMOST: usize = 4;
/// So many operands are kept.
pub(super) const OPERANDS: usize = 16;

impl Trap {
    /// Where the error happened.
    pub fn place(&self) -> Option<&Call> {
        self.calls.first()
    }

    /// The trap in four lines that stay the same however the program was compiled: the error, what failed, the
    /// names of the procedures in execution (innermost first), the operands (top first).
    pub fn summary(&self) -> String {
        let mut calls: Vec<String> = self.calls.iter().map(|call| call.name.to_string()).collect();
        if self.calls_omitted > 0 {
            calls.insert(INNERMOST.min(calls.len()), format!("({} more)", self.calls_omitted));
        }
        let mut stack = self.stack.clone();
        if self.stack_omitted > 0 {
            stack.push(format!("({} more)", self.stack_omitted));
        }
        if stack.is_empty() {
            stack.push("(empty)".to_owned());
        }
        let (calls, stack) = (calls.join(" "), stack.join(" "));
        format!("error: {}\nin: {}\ncalls: {calls}\nstack: {stack}\n", self.error, self.operator)
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in `{}`", self.error, self.operator)?;
        match self.limit {
            Some(Limit { value, of, name }) => write!(f, ": the limit is {value} {of} ({name})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Trap {}

impl miette::Diagnostic for Trap {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.error.code()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.error.meaning()))
    }
}
