//! What is said at the place of a mistake, and what to do next.
//!
//! Deliberately absent: the messages themselves, which stand on the variants.

use miette::LabeledSpan;

use super::{NumberFault, SyntaxError, Thing, can_be_seen};
use crate::source::Span;

/// What a name may look like.
const NAMES: &str = "a name is a letter followed by letters (a to z, A to Z), digits and `_`";

/// The next action.
pub(super) fn help(error: &SyntaxError) -> String {
    match error {
        SyntaxError::TextTooLong { .. } => "split it into several files".to_owned(),
        SyntaxError::UnexpectedCharacter { meant: Some(word), .. } => {
            format!("operators are words and follow what they work on: `a b {word}`")
        }
        SyntaxError::UnexpectedCharacter { character, .. } => character_help(*character),
        SyntaxError::WrongQuote { .. } => "use straight quotes: \"…\"".to_owned(),
        SyntaxError::ForeignComment { marker, .. } => comment_help(marker),
        SyntaxError::SlashedName { name, defines: true, .. } => format!("write `{name} {{ … }}`"),
        SyntaxError::SlashedName { name, .. } => {
            format!("a name that is not to be executed is a string: \"{name}\"; to divide, write `a b div`")
        }
        SyntaxError::MalformedName { meant: Some(word), .. } => {
            format!("{NAMES}; for the operator, write `a b {word}`")
        }
        SyntaxError::MalformedName { .. } => NAMES.to_owned(),
        SyntaxError::MalformedNumber { text, fault, .. } => number_help(text, *fault),
        SyntaxError::NumberTooLarge { .. } => format!("the largest number is {:e}", f64::MAX),
        SyntaxError::UnterminatedString { .. } => {
            "add `\"` before the end of the line; a string cannot go on in the next".to_owned()
        }
        SyntaxError::UnclosedBlock { closer: Some(_), .. } => {
            "add a `}` where that block should end".to_owned()
        }
        SyntaxError::UnclosedBlock { missing, next, .. } => unclosed_help(*missing, next.as_ref()),
        SyntaxError::StrayClose { .. } => {
            "remove this `}`, or the one too many before it, or add the `{` that it should close".to_owned()
        }
        SyntaxError::MissingBody { name, .. } => {
            format!("write `{name} {{ … }}` to define it; to execute it, put it into a procedure's body")
        }
        SyntaxError::MissingName { .. } => "write a name before the `{`, as in `main { … }`".to_owned(),
        SyntaxError::ReservedName { .. } => "choose another name; `true` and `false` are values".to_owned(),
        SyntaxError::NotAName { text, thing, .. } => match thing {
            Thing::QuotedName => format!("write it without quotes: {} {{ … }}", text.trim_matches('"')),
            Thing::Number | Thing::String | Thing::Bracket => NAMES.to_owned(),
        },
        SyntaxError::CodeOutside { .. } => {
            "put it into a procedure; a program starts at `main { … }`".to_owned()
        }
        SyntaxError::DuplicateName { .. } => "rename or remove one of the two".to_owned(),
    }
}

/// The places, each with a remark.
pub(super) fn labels(error: &SyntaxError) -> Vec<LabeledSpan> {
    if let SyntaxError::DuplicateName { first, second, .. } = error {
        return vec![label(*first, "first defined here"), primary(*second, "defined again here")];
    }
    let Some(span) = error.span() else { return Vec::new() };
    let mut labels = vec![primary(span, remark(error))];
    match error {
        SyntaxError::UnclosedBlock { closer, next, .. } => {
            labels.extend(closer.map(|at| label(at, "this `}` closes it, but is indented less")));
            labels.extend(next.iter().map(|(_, at)| label(*at, "a new procedure seems to begin here")));
        }
        SyntaxError::StrayClose { ended: Some((name, at)), .. } => {
            labels.push(label(*at, format!("`{name}` has ended here already")));
        }
        _ => {}
    }
    labels.sort_by_key(LabeledSpan::offset);
    labels
}

fn label(span: Span, text: impl Into<String>) -> LabeledSpan {
    LabeledSpan::new(Some(text.into()), span.start as usize, (span.end - span.start) as usize)
}

fn primary(span: Span, text: impl Into<String>) -> LabeledSpan {
    LabeledSpan::new_primary_with_span(
        Some(text.into()),
        (span.start as usize, (span.end - span.start) as usize),
    )
}

/// What is said at the main place.
fn remark(error: &SyntaxError) -> String {
    let fixed = match error {
        SyntaxError::MalformedName { character, .. } => return name_remark(*character),
        SyntaxError::MalformedNumber { fault, .. } => return number_remark(*fault),
        SyntaxError::TextTooLong { .. } => "",
        SyntaxError::UnexpectedCharacter { character, .. } if !can_be_seen(*character) => "it stands here",
        SyntaxError::UnexpectedCharacter { .. } => "nothing in Toy begins with this",
        SyntaxError::WrongQuote { .. } => "strings are quoted by `\"` alone",
        SyntaxError::ForeignComment { .. } => "comments begin with `#`",
        SyntaxError::SlashedName { .. } => "names have no slash",
        SyntaxError::NumberTooLarge { .. } => "not in the range of a double",
        SyntaxError::UnterminatedString { .. } => "this quote has no partner on its line",
        SyntaxError::UnclosedBlock { closer: Some(_), .. } => "this `{` seems to lack its `}`",
        SyntaxError::UnclosedBlock { .. } => "this `{` has no `}`",
        SyntaxError::StrayClose { .. } => "no block is open here",
        SyntaxError::MissingBody { .. } => "no `{` follows this name",
        SyntaxError::MissingName { .. } => "no name before this `{`",
        SyntaxError::ReservedName { .. } => "a value, not a name",
        SyntaxError::NotAName { thing, .. } => match thing {
            Thing::Number => "a number, not a name",
            Thing::QuotedName | Thing::String => "a string, not a name",
            Thing::Bracket => "an operator, not a name",
        },
        SyntaxError::CodeOutside { .. } => "no procedure holds this, so nothing would run it",
        SyntaxError::DuplicateName { .. } => "defined again here",
    };
    fixed.to_owned()
}

fn name_remark(character: char) -> String {
    match character {
        '_' => "a name cannot begin with `_`".to_owned(),
        other => format!("`{other}` cannot stand in a name"),
    }
}

fn number_remark(fault: NumberFault) -> String {
    let fixed = match fault {
        NumberFault::Character(other) => return format!("`{other}` cannot stand in a number"),
        NumberFault::NoDigits => "no digit follows",
        NumberFault::NoExponent => "this exponent has no digits",
        NumberFault::SecondPoint => "a number has one point at most",
        NumberFault::InnerSign => "a sign cannot follow a digit",
    };
    fixed.to_owned()
}

fn number_help(text: &str, fault: NumberFault) -> String {
    const NUMBERS: &str = "numbers look like -3, .5, 1.25 or 1e-7";
    match fault {
        NumberFault::NoDigits if text.starts_with('-') => {
            format!("{NUMBERS}; to subtract, write `a b sub`; to negate, `a neg`")
        }
        NumberFault::NoDigits if text.starts_with('+') => format!("{NUMBERS}; to add, write `a b add`"),
        NumberFault::InnerSign => {
            "set a blank between two numbers; operators follow theirs: `a b sub`".to_owned()
        }
        NumberFault::SecondPoint => "remove one point, or set a blank between two numbers".to_owned(),
        NumberFault::NoExponent => "write the exponent's digits, as in 1e-7".to_owned(),
        NumberFault::NoDigits | NumberFault::Character(_) => NUMBERS.to_owned(),
    }
}

fn comment_help(marker: &str) -> String {
    match marker {
        "%" => "write `#` for it; for a remainder, write `a b mod`".to_owned(),
        "/*" => "begin each line of the comment with `#`".to_owned(),
        _ => "write `#` for it".to_owned(),
    }
}

fn character_help(character: char) -> String {
    match character {
        '\u{feff}' => "remove it; it may stand at the start of a text alone".to_owned(),
        blank if blank.is_whitespace() && !blank.is_control() => "write an ordinary blank for it".to_owned(),
        unseen if !can_be_seen(unseen) => "remove it".to_owned(),
        ',' | ';' => "remove it; blanks alone stand between things".to_owned(),
        '(' | ')' => "remove it; a string is written \"…\", a block { … }, and procedures list no parameters"
            .to_owned(),
        _ => "remove it; outside of strings and comments it has no meaning".to_owned(),
    }
}

fn unclosed_help(missing: usize, next: Option<&(String, Span)>) -> String {
    let braces = if missing == 1 { "a `}`".to_owned() } else { format!("{missing} `}}`") };
    match next {
        Some((name, _)) => format!("add {braces} before `{name}`"),
        None => format!("add {braces} where the block should end"),
    }
}
