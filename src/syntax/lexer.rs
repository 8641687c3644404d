//! Text into tokens, by a table of byte classes.
//!
//! Deliberately absent: judging wrong text, which is `mistake`'s; this file only notices it.

use super::error::SyntaxError;
use super::mistake;
use super::token::{Class, Token, TokenKind};
use crate::source::Span;

/// A decimal integer of so many digits is exact in a double.
const EXACT_DIGITS: usize = 15;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A reader of tokens. The text is shorter than 4 GiB.
pub(super) struct Lexer<'s> {
    text: &'s str,
    at: usize,
    /// The mistakes so far. The parser adds its own.
    pub(super) errors: Vec<SyntaxError>,
}

impl<'s> Lexer<'s> {
    /// A reader at the start of `text`, after its byte order mark.
    pub(super) fn new(text: &'s str) -> Self {
        let at = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Self { text, at, errors: Vec::new() }
    }

    /// Goes back to the byte at `start` and forgets the latest errors, those of places from there on.
    pub(super) fn rewind(&mut self, start: u32) {
        self.at = start as usize;
        while self.errors.last().and_then(SyntaxError::span).is_some_and(|span| span.start >= start) {
            self.errors.pop();
        }
    }

    /// The next token; [`TokenKind::End`] for ever at the end.
    #[inline]
    pub(super) fn token(&mut self) -> Token<'s> {
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            let start = self.at;
            match Class::of(byte) {
                Class::Blank => self.at += 1,
                Class::Hash => self.skip_line(),
                Class::Letter => return self.name(start),
                Class::Digit | Class::Sign => return self.number(start),
                Class::Quote => return self.string(start),
                Class::Open => return self.take(TokenKind::Open, start, start + 1),
                Class::Close => return self.take(TokenKind::Close, start, start + 1),
                Class::Bracket => return self.bracket(start),
                Class::Underscore | Class::Other | Class::Foreign | Class::Punctuation => {
                    return self.wrong(start);
                }
            }
        }
        self.take(TokenKind::End, self.at, self.at)
    }

    #[inline]
    fn take(&mut self, kind: TokenKind<'s>, start: usize, end: usize) -> Token<'s> {
        self.at = end;
        Token { kind, span: Span::new(start as u32, end as u32) }
    }

    fn bracket(&mut self, start: usize) -> Token<'s> {
        self.take(TokenKind::Name(&self.text[start..start + 1]), start, start + 1)
    }

    /// Goes to the end of the line.
    #[inline]
    fn skip_line(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
    }

    #[inline]
    fn name(&mut self, start: usize) -> Token<'s> {
        let rest = &self.text.as_bytes()[start..];
        let length = rest.iter().position(|byte| !Class::of(*byte).continues_name()).unwrap_or(rest.len());
        let end = start + length;
        if !self.word_ends(end) {
            return self.wrong(start);
        }
        let kind = match &self.text[start..end] {
            "true" => TokenKind::Boolean(true),
            "false" => TokenKind::Boolean(false),
            name => TokenKind::Name(name),
        };
        self.take(kind, start, end)
    }

    #[inline]
    fn string(&mut self, start: usize) -> Token<'s> {
        let inside = &self.text.as_bytes()[start + 1..];
        let stop = inside.iter().position(|byte| matches!(byte, b'"' | b'\n' | b'\r'));
        match stop {
            Some(length) if inside[length] == b'"' => {
                let end = start + 1 + length;
                self.take(TokenKind::String(&self.text[start + 1..end]), start, end + 1)
            }
            _ => self.wrong(start),
        }
    }

    /// A number; short integers, most numbers of a program, are done here.
    #[inline]
    fn number(&mut self, start: usize) -> Token<'s> {
        let bytes = self.text.as_bytes();
        let negative = bytes[start] == b'-';
        let digits = &bytes[start + usize::from(negative)..];
        let mut value = 0_u64;
        for (count, byte) in digits.iter().take(EXACT_DIGITS + 1).enumerate() {
            match Class::of(*byte) {
                Class::Digit => value = value * 10 + u64::from(byte - b'0'),
                class if class.ends_word() && count > 0 => {
                    let value = if negative { -(value as f64) } else { value as f64 };
                    let end = start + usize::from(negative) + count;
                    return self.take(TokenKind::Number(value), start, end);
                }
                _ => break,
            }
        }
        self.decimal(start)
    }

    /// A number of any form.
    fn decimal(&mut self, start: usize) -> Token<'s> {
        let Some(end) = decimal_end(self.text.as_bytes(), start) else { return self.wrong(start) };
        let letter_follows = self.text.as_bytes().get(end).is_some_and(u8::is_ascii_alphabetic);
        if !letter_follows && !self.word_ends(end) {
            return self.wrong(start);
        }
        match self.text[start..end].parse::<f64>() {
            Ok(value) if value.is_finite() => self.take(TokenKind::Number(value), start, end),
            _ => self.overflow(start, end),
        }
    }

    /// Whether a name or number may end at `end`.
    #[inline]
    fn word_ends(&self, end: usize) -> bool {
        match self.text.as_bytes().get(end) {
            None => true,
            Some(byte) => Class::of(*byte).ends_word() || mistake::ends_word(&self.text[end..]),
        }
    }

    #[cold]
    fn overflow(&mut self, start: usize, end: usize) -> Token<'s> {
        let token = self.take(TokenKind::Wrong, start, end);
        let text = mistake::excerpt(&self.text[start..end]);
        self.errors.push(SyntaxError::NumberTooLarge { text, span: token.span });
        token
    }

    #[cold]
    fn wrong(&mut self, start: usize) -> Token<'s> {
        let (error, end) = mistake::judge(self.text, start);
        self.errors.push(error);
        self.take(TokenKind::Wrong, start, end)
    }
}

/// Where the number that begins at `start` ends; `None` if none begins there or its exponent has no digits.
fn decimal_end(bytes: &[u8], start: usize) -> Option<usize> {
    let whole = skip_sign(bytes, start);
    let mut end = skip_digits(bytes, whole);
    let mut digits = end - whole;
    if bytes.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = skip_digits(bytes, fraction);
        digits += end - fraction;
    }
    if digits == 0 {
        return None;
    }
    if !matches!(bytes.get(end), Some(b'e' | b'E')) {
        return Some(end);
    }
    let exponent = skip_sign(bytes, end + 1);
    let exponent_end = skip_digits(bytes, exponent);
    match (exponent_end > exponent, exponent > end + 1) {
        (true, _) => Some(exponent_end),
        // The letter begins a name: `1exch`.
        (false, false) => Some(end),
        (false, true) => None,
    }
}

fn skip_sign(bytes: &[u8], at: usize) -> usize {
    at + usize::from(matches!(bytes.get(at), Some(b'+' | b'-')))
}

fn skip_digits(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}
