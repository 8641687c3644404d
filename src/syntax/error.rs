//! What can be wrong with a text: a variant for each mistake people make.
//!
//! Deliberately absent: the text itself; errors carry spans, and who prints them attaches the source.

mod advice;

use std::fmt;

use miette::{Diagnostic, LabeledSpan};

use crate::source::Span;

/// A mistake in a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// The text is too long for its places to be counted.
    #[error("the text has {length} bytes, but 4 GiB is the limit")]
    TextTooLong {
        /// The text's length in bytes.
        length: usize,
    },
    /// A character that begins nothing in Toy.
    #[error("unexpected character {}", shown(*.character))]
    UnexpectedCharacter {
        /// The character.
        character: char,
        /// The operator that other languages write so.
        meant: Option<&'static str>,
        /// Where it stands.
        span: Span,
    },
    /// A quote that is not `"`.
    #[error("{} does not quote a string", shown(*.character))]
    WrongQuote {
        /// The opening quote.
        character: char,
        /// Where it stands.
        span: Span,
    },
    /// A comment as other languages have it.
    #[error("`{marker}` does not begin a comment")]
    ForeignComment {
        /// What begins comments in the other language.
        marker: &'static str,
        /// Where that stands.
        span: Span,
    },
    /// `/x`, a name that PostScript would not execute.
    #[error("`/{name}` is not a name")]
    SlashedName {
        /// The name behind the slash.
        name: String,
        /// Whether it seems to be the name of a procedure that is defined here.
        defines: bool,
        /// Where both stand.
        span: Span,
    },
    /// A word that begins like a name and has other characters in it.
    #[error("`{text}` is not a name")]
    MalformedName {
        /// The word, cut if it is long.
        text: String,
        /// The first character that cannot stand in a name.
        character: char,
        /// The operator that other languages write so.
        meant: Option<&'static str>,
        /// Where the character stands.
        span: Span,
    },
    /// A word that begins like a number and is none.
    #[error("`{text}` is not a number")]
    MalformedNumber {
        /// The word, cut if it is long.
        text: String,
        /// What is wrong with it.
        fault: NumberFault,
        /// Where the fault stands.
        span: Span,
    },
    /// A number beyond the range of a double.
    #[error("the number `{text}` is too large")]
    NumberTooLarge {
        /// The number, cut if it is long.
        text: String,
        /// Where it stands.
        span: Span,
    },
    /// A string that does not end on its line.
    #[error("the string is not closed")]
    UnterminatedString {
        /// Where its opening quote stands.
        span: Span,
    },
    /// A block, or a whole body, whose `}` is missing.
    #[error("{} never closed", unclosed(.procedure.as_deref(), *.is_body))]
    UnclosedBlock {
        /// The procedure that the block is in, if it has a name.
        procedure: Option<String>,
        /// Whether it is the procedure's whole body.
        is_body: bool,
        /// Where the opening brace stands.
        open: Span,
        /// How many closing braces are missing, this block's included.
        missing: usize,
        /// A closing brace that matches by count, but by its indentation belongs to an outer block.
        closer: Option<Span>,
        /// The name and place of what seems to be the next procedure.
        next: Option<(String, Span)>,
    },
    /// A `}` where no block is open.
    #[error("`}}` without `{{`")]
    StrayClose {
        /// Where it stands.
        span: Span,
        /// The name of the procedure before it, and where that one's closing brace stands.
        ended: Option<(String, Span)>,
    },
    /// A name outside of procedures that no body follows.
    #[error("`{name}` has no body")]
    MissingBody {
        /// The name.
        name: String,
        /// Where it stands.
        span: Span,
    },
    /// A body without a name.
    #[error("this procedure has no name")]
    MissingName {
        /// Where its opening brace stands.
        span: Span,
    },
    /// `true` or `false` as the name of a procedure.
    #[error("`{name}` cannot be the name of a procedure")]
    ReservedName {
        /// The word.
        name: String,
        /// Where it stands.
        span: Span,
    },
    /// A number, string, `[` or `]` as the name of a procedure.
    #[error("`{text}` cannot be the name of a procedure")]
    NotAName {
        /// The thing as it is written, cut if it is long.
        text: String,
        /// What it is.
        thing: Thing,
        /// Where it stands.
        span: Span,
    },
    /// Numbers, strings or several names outside of procedures.
    #[error("code outside of a procedure")]
    CodeOutside {
        /// Where it stands; of several lines, the first.
        span: Span,
    },
    /// Two procedures of one name.
    #[error("the procedure `{name}` is defined twice")]
    DuplicateName {
        /// The name.
        name: String,
        /// Where it stands first.
        first: Span,
        /// Where it stands again.
        second: Span,
    },
}

/// What is wrong with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberFault {
    /// No digit where the first should be.
    NoDigits,
    /// An exponent with a sign and no digits.
    NoExponent,
    /// A point after the number's point.
    SecondPoint,
    /// A sign after the number's digits.
    InnerSign,
    /// Another character after the number's digits.
    Character(char),
}

/// What stands in the place of a procedure's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// A number.
    Number,
    /// A string that is a name but for its quotes.
    QuotedName,
    /// Another string.
    String,
    /// `[` or `]`.
    Bracket,
}

impl SyntaxError {
    /// The code by which the documentation knows the mistake.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TextTooLong { .. } => "toy::syntax::text_too_long",
            Self::UnexpectedCharacter { .. } => "toy::syntax::unexpected_character",
            Self::WrongQuote { .. } => "toy::syntax::wrong_quote",
            Self::ForeignComment { .. } => "toy::syntax::foreign_comment",
            Self::SlashedName { .. } => "toy::syntax::slashed_name",
            Self::MalformedName { .. } => "toy::syntax::malformed_name",
            Self::MalformedNumber { .. } => "toy::syntax::malformed_number",
            Self::NumberTooLarge { .. } => "toy::syntax::number_too_large",
            Self::UnterminatedString { .. } => "toy::syntax::unterminated_string",
            Self::UnclosedBlock { .. } => "toy::syntax::unclosed_block",
            Self::StrayClose { .. } => "toy::syntax::stray_close",
            Self::MissingBody { .. } => "toy::syntax::missing_body",
            Self::MissingName { .. } => "toy::syntax::missing_name",
            Self::ReservedName { .. } => "toy::syntax::reserved_name",
            Self::NotAName { .. } => "toy::syntax::not_a_name",
            Self::CodeOutside { .. } => "toy::syntax::code_outside",
            Self::DuplicateName { .. } => "toy::syntax::duplicate_name",
        }
    }

    /// The main place; none if the whole text is meant.
    pub const fn span(&self) -> Option<Span> {
        match self {
            Self::TextTooLong { .. } => None,
            Self::UnexpectedCharacter { span, .. }
            | Self::WrongQuote { span, .. }
            | Self::ForeignComment { span, .. }
            | Self::SlashedName { span, .. }
            | Self::MalformedName { span, .. }
            | Self::MalformedNumber { span, .. }
            | Self::NumberTooLarge { span, .. }
            | Self::UnterminatedString { span }
            | Self::UnclosedBlock { open: span, .. }
            | Self::StrayClose { span, .. }
            | Self::MissingBody { span, .. }
            | Self::MissingName { span }
            | Self::ReservedName { span, .. }
            | Self::NotAName { span, .. }
            | Self::CodeOutside { span }
            | Self::DuplicateName { second: span, .. } => Some(*span),
        }
    }
}

impl Diagnostic for SyntaxError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(advice::help(self)))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(advice::labels(self).into_iter()))
    }
}

/// A character as messages show it: by its number when it cannot be seen.
fn shown(character: char) -> String {
    let number = u32::from(character);
    match character {
        '\u{a0}' => "U+00A0 (a no-break space)".to_owned(),
        '\u{200b}' => "U+200B (a zero-width space)".to_owned(),
        '\u{feff}' => "U+FEFF (a byte order mark)".to_owned(),
        '`' => "'`'".to_owned(),
        seen if can_be_seen(seen) => format!("`{seen}`"),
        _ => format!("U+{number:04X}"),
    }
}

/// Whether a reader of the text can tell `c` from a blank and from nothing.
pub(super) fn can_be_seen(c: char) -> bool {
    let takes_no_room = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    !takes_no_room && !c.is_whitespace() && !c.is_control()
}

/// The subject of the message about a missing `}`.
fn unclosed(procedure: Option<&str>, is_body: bool) -> String {
    match (procedure, is_body) {
        (Some(name), true) => format!("the body of `{name}` is"),
        (Some(name), false) => format!("a block in `{name}` is"),
        (None, true) => "the body of a procedure is".to_owned(),
        (None, false) => "a block is".to_owned(),
    }
}
