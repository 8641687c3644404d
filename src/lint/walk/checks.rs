//! What an operator finds on the stack, held against what it takes; and the words for what is wrong.

use super::{Types, Value, Walk};
use crate::isa::builtin::Builtin;
use crate::isa::effect::effects;
use crate::lint::warning::{Lint, Warning};
use crate::source::Span;
use crate::syntax::ast::ItemKind;

impl Walk<'_, '_> {
    /// Whether there may be so many operands.
    pub(super) fn has(&mut self, at: usize, operator: Builtin, count: usize) -> bool {
        let Some(height) = self.state.fewer_than(count) else { return true };
        let name = operator.name();
        let message = format!("`{name}` needs {}, and there {}", counted(count), is_so_many(height));
        let help = format!(
            "the stack is empty where the program starts and after `clear`; {}",
            usage(operator, "stackunderflow")
        );
        self.warn_of_error(Lint::Underflow, message, vec![(self.span(at), short(count - height))], help);
        false
    }

    /// Whether the operands may have types that the operator takes. It looks at them from left to right.
    pub(super) fn takes(&mut self, at: usize, operator: Builtin) -> bool {
        if effects(operator).iter().any(|effect| self.fits(effect)) {
            return true;
        }
        let mut fitting = effects(operator).iter().collect::<Vec<_>>();
        let count = fitting.first().map_or(0, |effect| effect.takes.len());
        for index in 0..count {
            let operand = self.state.peek(count - index - 1);
            let wanted = fitting.iter().map(|effect| effect.takes[index]);
            let wanted = wanted.reduce(Types::or).unwrap_or(Types::ANY);
            if !self.is_one_of(at, operator, operand, wanted) {
                return false;
            }
            fitting.retain(|effect| operand.types.meets(effect.takes[index]));
        }
        true
    }

    /// Whether an operand may be of a type that is wanted.
    pub(super) fn is_one_of(&mut self, at: usize, operator: Builtin, operand: Value, wanted: Types) -> bool {
        if operand.types.meets(wanted) {
            return true;
        }
        let (name, needed, found) = (operator.name(), any_of(wanted), any_of(operand.types));
        let (lint, message) = if wanted == Types::PROCEDURE {
            (Lint::NoProcedure, format!("`{name}` needs a procedure to execute, and finds {found}"))
        } else {
            (Lint::Type, format!("`{name}` needs {needed}, and finds {found}"))
        };
        let mut labels = vec![(self.span(at), format!("needs {needed}"))];
        labels.extend(self.source_of(operand).map(|(span, is_literal)| {
            let verb = if is_literal { "this is" } else { "this leaves" };
            (span, format!("{verb} {found}"))
        }));
        let advice = if lint == Lint::NoProcedure { "code in braces is a procedure; " } else { "" };
        let help = format!("{advice}{}", usage(operator, "typecheck"));
        self.warn_of_error(lint, message, labels, help);
        false
    }

    /// Whether the operator may take the values of its operands.
    pub(super) fn is_in_range(&mut self, at: usize, operator: Builtin) -> bool {
        let Some((message, culprit, error)) = self.out_of_range(operator) else { return true };
        let mut labels = vec![(self.span(at), message.to_owned())];
        labels.extend(self.source_of(culprit).map(|(span, _)| (span, "by this".to_owned())));
        let message = format!("`{}` {message}", operator.name());
        self.warn_of_error(Lint::Value, message, labels, usage(operator, error));
        false
    }

    /// What is wrong with the values of operands, with which of them, and the error that it is.
    fn out_of_range(&self, operator: Builtin) -> Option<(&'static str, Value, &'static str)> {
        let (last, before) = (|| self.state.peek(0), || self.state.peek(1));
        let is = |value, wrong: fn(f64) -> bool| self.number(value).is_some_and(wrong);
        match operator {
            Builtin::Div | Builtin::IDiv | Builtin::Mod if is(last(), |number| number == 0.0) => {
                Some(("divides by zero", last(), "undefinedresult"))
            }
            Builtin::Sqrt if is(last(), |number| number < 0.0) => {
                Some(("takes the root of a negative number", last(), "rangecheck"))
            }
            Builtin::Ln | Builtin::Log if is(last(), |number| number <= 0.0) => {
                Some(("takes the logarithm of a number that is not positive", last(), "rangecheck"))
            }
            Builtin::Array | Builtin::String if is(last(), |number| number < 0.0) => {
                Some(("makes something of negative length", last(), "rangecheck"))
            }
            Builtin::Repeat if is(before(), |number| number < 0.0) => {
                Some(("repeats a negative number of times", before(), "rangecheck"))
            }
            Builtin::Get => {
                let ItemKind::String(text) = self.literal(before())? else { return None };
                let index = self.number(last())?;
                let is_outside = index < 0.0 || index >= text.len() as f64;
                is_outside.then_some(("looks outside of the string", last(), "rangecheck"))
            }
            _ => None,
        }
    }

    /// Warns of a `for` that nothing ends, unless its body may.
    pub(super) fn check_increment(&mut self, at: usize, limit: Value, body: Value) {
        let (initial, increment) = (self.state.peek(3), self.state.peek(2));
        let (Some(body), Some(0.0)) = (self.block(body), self.number(increment)) else { return };
        let is_over = |initial, limit| initial > limit;
        if self
            .number(initial)
            .zip(self.number(limit))
            .is_some_and(|(initial, limit)| is_over(initial, limit))
        {
            return;
        }
        let may_leave = |at: usize| match self.kind(at) {
            ItemKind::Name(_) => self.operator(at).is_none_or(|operator| LEAVE.contains(&operator)),
            _ => false,
        };
        if (body.start..body.end).any(may_leave) {
            return;
        }
        let message = "the increment of `for` is zero, and its procedure does not leave it".to_owned();
        let mut labels = vec![(self.span(at), "this does not end".to_owned())];
        labels.extend(self.source_of(increment).map(|(span, _)| (span, "the increment".to_owned())));
        let help =
            "`initial increment limit proc for`: write another increment, or leave the loop with `exit`";
        self.warn_of_error(Lint::Endless, message, labels, help.to_owned());
    }

    /// Warns of a block that is popped right behind its closing brace.
    pub(super) fn warn_of_discarded(&mut self, at: usize, value: Value) {
        if self.block(value).is_none_or(|block| block.end != at) {
            return;
        }
        let mut labels = vec![(self.span(at), "discarded".to_owned())];
        labels.extend(self.source_of(value).map(|(span, _)| (span, "pushed".to_owned())));
        let message = "a block is pushed and discarded at once".to_owned();
        let help = "`exec` would execute it; to put code out of action, comment it out";
        self.warn(Lint::Discarded, message, labels, help.to_owned());
    }

    pub(super) fn warn_of_unreachable(&mut self, at: usize, cause: usize) {
        if self.told_unreachable == Some(cause) {
            return;
        }
        self.told_unreachable = Some(cause);
        let labels = vec![
            (self.span(at), "never executed".to_owned()),
            (self.span(cause), "execution does not go on behind this".to_owned()),
        ];
        let help = "remove what is never executed, or do this only on a condition: `… { … exit } if`";
        self.warn(Lint::Unreachable, "this code is never executed".to_owned(), labels, help.to_owned());
    }

    pub(super) fn warn_of_no_loop(&mut self, at: usize) {
        let labels = vec![(self.span(at), "no loop to end".to_owned())];
        let help = "`quit` ends the program; `exit` ends a loop, and here would fail with `invalidexit`";
        self.warn_of_error(Lint::NoLoop, "`exit` stands in no loop".to_owned(), labels, help.to_owned());
    }

    pub(super) fn warn_of_no_mark(&mut self, at: usize, operator: Builtin) {
        let labels = vec![(self.span(at), "no mark is on the stack".to_owned())];
        let message = format!("`{}` finds no mark", operator.name());
        self.warn_of_error(Lint::UnmatchedMark, message, labels, usage(operator, "unmatchedmark"));
    }

    /// Warns of what would be an error at run time, unless it may be wanted here.
    fn warn_of_error(&mut self, lint: Lint, message: String, labels: Vec<(Span, String)>, help: String) {
        if self.frames.last().is_some_and(|frame| !frame.way.is_caught) {
            self.warn(lint, message, labels, help);
        }
    }

    fn warn(&mut self, lint: Lint, message: String, labels: Vec<(Span, String)>, help: String) {
        self.warnings.push(Warning { lint, message, labels, help, is_denied: false });
    }

    fn span(&self, at: usize) -> Span {
        self.unit.items[at].span
    }

    /// Where a value was pushed, and whether it stands there itself.
    fn source_of(&self, value: Value) -> Option<(Span, bool)> {
        Some((self.span(value.origin()?), self.literal(value).is_some()))
    }
}

/// Operators that end a loop, or may execute one that does.
const LEAVE: [Builtin; 5] = [Builtin::Exit, Builtin::Stop, Builtin::Quit, Builtin::Exec, Builtin::Stopped];

/// What an operator takes and leaves, and how it fails.
fn usage(operator: Builtin, error: &str) -> String {
    format!("the effect of `{}` is `{}`; this would fail with `{error}`", operator.name(), operator.effect())
}

/// `a number, a string or a mark`.
fn any_of(types: Types) -> String {
    let names = types.names().collect::<Vec<_>>();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "nothing".to_owned(),
    }
}

fn counted(operands: usize) -> String {
    format!("{operands} operand{}", if operands == 1 { "" } else { "s" })
}

fn is_so_many(height: usize) -> String {
    match height {
        0 => "is none".to_owned(),
        1 => "is 1".to_owned(),
        _ => format!("are {height}"),
    }
}

fn short(missing: usize) -> String {
    format!("{} too few", counted(missing))
}
