//! Tokens, and the classes of bytes that begin and end them.
//!
//! Deliberately absent: blanks and comments, which are no tokens.

use crate::source::Span;

/// One token of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Token<'s> {
    /// What it is.
    pub(super) kind: TokenKind<'s>,
    /// Where it stands.
    pub(super) span: Span,
}

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum TokenKind<'s> {
    /// A number; always finite.
    Number(f64),
    /// A string, without its quotes.
    String(&'s str),
    /// `true` or `false`.
    Boolean(bool),
    /// A name, or one of the operators `[` and `]`.
    Name(&'s str),
    /// `{`
    Open,
    /// `}`
    Close,
    /// A piece of text that is no token; its error has been reported.
    Wrong,
    /// The end of the text.
    End,
}

impl<'s> Token<'s> {
    /// The name, if the token is one that a procedure can have.
    pub(super) fn identifier(&self) -> Option<&'s str> {
        match self.kind {
            TokenKind::Name(name) if name != "[" && name != "]" => Some(name),
            _ => None,
        }
    }
}

/// What a byte can begin. The order matters: the first three continue a name, those from `Blank` on end a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// An ASCII letter.
    Letter,
    /// A decimal digit.
    Digit,
    /// `_`
    Underscore,
    /// `+`, `-` or `.`: may begin a number.
    Sign,
    /// A byte that begins nothing.
    Other,
    /// A byte of a character beyond ASCII.
    Foreign,
    /// Space, tab, form feed, CR, LF.
    Blank,
    /// `{`
    Open,
    /// `}`
    Close,
    /// `[` or `]`
    Bracket,
    /// `"`
    Quote,
    /// `#`
    Hash,
    /// Punctuation that other languages set directly behind a word: `( ) , ; / %`.
    Punctuation,
}

impl Class {
    /// The class of `byte`.
    #[inline]
    pub(super) const fn of(byte: u8) -> Self {
        CLASSES[byte as usize]
    }

    /// Whether a name goes on with such a byte.
    #[inline]
    pub(super) const fn continues_name(self) -> bool {
        (self as u8) <= Self::Underscore as u8
    }

    /// Whether a name or number may end before such a byte.
    #[inline]
    pub(super) const fn ends_word(self) -> bool {
        (self as u8) >= Self::Blank as u8
    }
}

/// The class of every byte.
static CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = classify(byte as u8);
        byte += 1;
    }
    classes
};

const fn classify(byte: u8) -> Class {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
        b'0'..=b'9' => Class::Digit,
        b'_' => Class::Underscore,
        b'+' | b'-' | b'.' => Class::Sign,
        b' ' | b'\t' | b'\x0c' | b'\r' | b'\n' => Class::Blank,
        b'{' => Class::Open,
        b'}' => Class::Close,
        b'[' | b']' => Class::Bracket,
        b'"' => Class::Quote,
        b'#' => Class::Hash,
        b'(' | b')' | b',' | b';' | b'/' | b'%' => Class::Punctuation,
        0x80.. => Class::Foreign,
        _ => Class::Other,
    }
}
