//! One warning: its kind, its words and its places.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, Severity};

use crate::source::Span;

macro_rules! lints {
    ($($lint:ident $code:literal $meaning:literal;)*) => {
        /// A kind of warning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Lint {
            $(#[doc = $meaning] $lint,)*
        }

        impl Lint {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$lint,)*];

            /// The code, which begins with `toy::lint::`.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$lint => $code,)* }
            }
        }
    };
}

lints! {
    Underflow "toy::lint::underflow" "An operator finds fewer values on the stack than it needs.";
    Type "toy::lint::type" "An operand has a type that the operator does not take.";
    NoProcedure "toy::lint::no_procedure" "An operator that executes a procedure finds another value.";
    Value "toy::lint::value" "An operand has a value that the operator does not take, such as a divisor of zero.";
    UnmatchedMark "toy::lint::unmatched_mark" "An operator finds no mark on the stack.";
    NoLoop "toy::lint::no_loop" "`exit` stands outside of all loops.";
    Endless "toy::lint::endless" "A `for` has an increment of zero, and its procedure does not leave it.";
    Unreachable "toy::lint::unreachable" "Code stands behind `exit`, `stop` or `quit`.";
    Discarded "toy::lint::discarded" "A block is pushed and discarded at once.";
    BoundEarly "toy::lint::bound_early" "Optimised code of another source does not call a procedure with the name of an operator.";
    UnknownName "toy::lint::unknown_name" "A name that nothing defines is nearly one that something does.";
}

/// How every code begins.
const PREFIX: &str = "toy::lint::";

impl Lint {
    /// The last part of the code, by which the command line and comments call it.
    pub fn name(self) -> &'static str {
        self.code().trim_start_matches(PREFIX)
    }
}

/// Something that is surely wrong. Shown with the source attached to which its places belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Its kind.
    pub lint: Lint,
    /// What is wrong.
    pub message: String,
    /// What to say at which places; the first is the main one.
    pub labels: Vec<(Span, String)>,
    /// What to do about it.
    pub help: String,
    /// Whether it counts as an error.
    pub is_denied: bool,
}

impl Warning {
    /// The main place.
    pub fn span(&self) -> Span {
        self.labels.first().map_or(Span::new(0, 0), |(span, _)| *span)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Warning {}

impl Diagnostic for Warning {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.lint.code()))
    }

    fn severity(&self) -> Option<Severity> {
        Some(if self.is_denied { Severity::Error } else { Severity::Warning })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = |(span, text): &(Span, String)| {
            let range = span.start as usize..span.end as usize;
            LabeledSpan::new_with_span(Some(text.clone()), range)
        };
        Some(Box::new(self.labels.iter().map(label)))
    }
}
