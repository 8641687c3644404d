//! Wrong text: what it was probably meant to be, and where reading goes on after it.
//!
//! Deliberately absent: mistakes of structure, which are the parser's.

use super::error::{NumberFault, SyntaxError, can_be_seen};
use super::token::Class;
use crate::source::Span;

/// How far the end of a foreign comment is looked for, in bytes. Bounds keep the work linear in the text.
const LONGEST_COMMENT: usize = 4096;

/// How far the end of a quoted text is looked for, in bytes.
const LONGEST_QUOTE: usize = 256;

/// Longer pieces of text are cut in messages, in characters.
const EXCERPT: usize = 40;

/// Characters that people or their editors write for `"`.
const DOUBLE_QUOTES: &[char] = &['“', '”', '„', '‟', '«', '»', '"'];
const SINGLE_QUOTES: &[char] = &['‘', '’', '‚', '\'', '`'];

/// Operators of other languages and Toy's words for them; longer symbols before their beginnings.
const OPERATORS: &[(&str, &str)] = &[
    ("!=", "ne"),
    ("<>", "ne"),
    ("<<", "bitshift"),
    ("<=", "le"),
    (">=", "ge"),
    ("**", "exp"),
    ("+", "add"),
    ("-", "sub"),
    ("*", "mul"),
    ("/", "div"),
    ("=", "eq"),
    ("<", "lt"),
    (">", "gt"),
    ("&", "and"),
    ("|", "or"),
    ("^", "exp"),
    ("−", "sub"),
    ("–", "sub"),
    ("×", "mul"),
    ("÷", "div"),
    ("≠", "ne"),
    ("≤", "le"),
    ("≥", "ge"),
];

/// Judges the text at `start`, where no token begins: the error, and where to read on.
pub(super) fn judge(text: &str, start: usize) -> (SyntaxError, usize) {
    let rest = &text[start..];
    let first = rest.chars().next().unwrap_or_default();
    let place = Place { text, start };
    match first {
        '"' => place.unterminated_string(),
        '0'..='9' | '+' | '-' | '.' => place.number(),
        '%' => place.comment("%", line_end(rest)),
        ';' if begins_line(text, start) => place.comment(";", line_end(rest)),
        '/' if rest.starts_with("//") => place.comment("//", line_end(rest)),
        '/' if rest.starts_with("/*") => place.block_comment(),
        '/' if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()) => place.slashed_name(),
        '(' => place.parenthesis(),
        '_' => place.name(),
        letter if letter.is_alphabetic() => place.name(),
        quote if DOUBLE_QUOTES.contains(&quote) => place.quote(quote, DOUBLE_QUOTES),
        quote if SINGLE_QUOTES.contains(&quote) => place.quote(quote, SINGLE_QUOTES),
        other => place.character(other),
    }
}

/// Whether a word may end before `rest`: at punctuation, at quotes of any form, at blanks beyond ASCII.
pub(super) fn ends_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| match c {
        '\0'..='\x7f' => Class::of(c as u8).ends_word(),
        // An apostrophe belongs to its word.
        '’' => false,
        '‘' | '‚' => true,
        _ => DOUBLE_QUOTES.contains(&c) || !can_be_seen(c),
    })
}

/// The text for a message: cut when it is long.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Where something wrong begins.
struct Place<'s> {
    text: &'s str,
    start: usize,
}

impl Place<'_> {
    fn rest(&self) -> &str {
        &self.text[self.start..]
    }

    /// The span of `length` bytes at `offset` bytes from the start.
    fn span(&self, offset: usize, length: usize) -> Span {
        let start = self.start + offset;
        Span::new(start as u32, (start + length) as u32)
    }

    fn unterminated_string(&self) -> (SyntaxError, usize) {
        (SyntaxError::UnterminatedString { span: self.span(0, 1) }, self.start + line_end(self.rest()))
    }

    fn comment(&self, marker: &'static str, length: usize) -> (SyntaxError, usize) {
        (SyntaxError::ForeignComment { marker, span: self.span(0, marker.len()) }, self.start + length)
    }

    fn block_comment(&self) -> (SyntaxError, usize) {
        let near = head(self.rest(), LONGEST_COMMENT);
        let length = near.find("*/").map_or_else(|| line_end(self.rest()), |end| end + 2);
        self.comment("/*", length)
    }

    /// `/x`, as PostScript writes a name that is not to be executed.
    fn slashed_name(&self) -> (SyntaxError, usize) {
        let length = 1 + word_length(&self.rest()[1..]);
        let name = excerpt(&self.rest()[1..length]);
        let begins_line = self.start == 0 || self.text[..self.start].ends_with(['\n', '\r']);
        let defines = begins_line && self.rest()[length..].trim_start_matches([' ', '\t']).starts_with('{');
        (SyntaxError::SlashedName { name, defines, span: self.span(0, length) }, self.start + length)
    }

    /// `(text)` as a string, `main()` as a definition.
    fn parenthesis(&self) -> (SyntaxError, usize) {
        let length = self.closer(&[')']).unwrap_or(1);
        let error = SyntaxError::UnexpectedCharacter { character: '(', meant: None, span: self.span(0, 1) };
        (error, self.start + length)
    }

    fn quote(&self, character: char, closers: &[char]) -> (SyntaxError, usize) {
        let width = character.len_utf8();
        let error = SyntaxError::WrongQuote { character, span: self.span(0, width) };
        (error, self.start + self.closer(closers).unwrap_or(width))
    }

    /// The length up to and with the next of `closers` on this line.
    fn closer(&self, closers: &[char]) -> Option<usize> {
        let near = head(self.rest(), LONGEST_QUOTE);
        let line = &near[..line_end(near)];
        line.char_indices().skip(1).find(|(_, c)| closers.contains(c)).map(|(at, c)| at + c.len_utf8())
    }

    fn name(&self) -> (SyntaxError, usize) {
        let length = word_length(self.rest());
        let word = &self.rest()[..length];
        let fits = |at: usize, c: char| c.is_ascii_alphanumeric() || (c == '_' && at > 0);
        let (at, character) = word.char_indices().find(|(at, c)| !fits(*at, *c)).unwrap_or((0, '_'));
        let error = SyntaxError::MalformedName {
            text: excerpt(word),
            character,
            meant: operator(&word[at..]),
            span: self.span(at, character.len_utf8()),
        };
        (error, self.start + length)
    }

    fn number(&self) -> (SyntaxError, usize) {
        let length = word_length(self.rest());
        let word = &self.rest()[..length];
        let (fault, at) = number_fault(word);
        let width = word[at..].chars().next().map_or(0, char::len_utf8);
        let error = SyntaxError::MalformedNumber { text: excerpt(word), fault, span: self.span(at, width) };
        (error, self.start + length)
    }

    fn character(&self, character: char) -> (SyntaxError, usize) {
        let length = symbol_length(self.rest()).max(character.len_utf8());
        let meant = operator(&self.rest()[..length]);
        let span = self.span(0, character.len_utf8());
        (SyntaxError::UnexpectedCharacter { character, meant, span }, self.start + length)
    }
}

/// What keeps `word`, which begins like a number, from being one, and at which byte.
fn number_fault(word: &str) -> (NumberFault, usize) {
    let bytes = word.as_bytes();
    let digits = |from: usize| from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = usize::from(!bytes[0].is_ascii_digit() && bytes[0] != b'.');
    let mut end = digits(whole);
    let has_point = bytes.get(end) == Some(&b'.');
    if has_point {
        end = digits(end + 1);
    }
    if end == whole + usize::from(has_point) {
        return (NumberFault::NoDigits, 0);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if digits(exponent) == exponent {
            return (NumberFault::NoExponent, end);
        }
        end = digits(exponent);
    }
    match bytes.get(end) {
        Some(b'.') => (NumberFault::SecondPoint, end),
        Some(b'+' | b'-') => (NumberFault::InnerSign, end),
        _ => word[end..]
            .chars()
            .next()
            .map_or((NumberFault::NoDigits, 0), |c| (NumberFault::Character(c), end)),
    }
}

/// The word for the operator that other languages write with the symbol at the start of `text`.
fn operator(text: &str) -> Option<&'static str> {
    let known = OPERATORS.iter().find(|(symbol, _)| text.starts_with(symbol));
    known.map(|(_, word)| *word)
}

/// The length of the word at the start of `rest`, with everything that touches it.
fn word_length(rest: &str) -> usize {
    rest.char_indices().map(|(at, _)| at).find(|at| *at > 0 && ends_word(&rest[*at..])).unwrap_or(rest.len())
}

/// The length of the run of symbols, such as `==`, at the start of `rest`. A sign of a number is not in it.
fn symbol_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let stops = |at: usize| match Class::of(bytes[at]) {
        Class::Other => matches!(bytes[at], b'\'' | b'`'),
        Class::Sign => bytes.get(at + 1).is_some_and(u8::is_ascii_digit),
        _ => true,
    };
    (0..bytes.len()).find(|at| stops(*at)).unwrap_or(bytes.len())
}

/// The length of the line at the start of `rest`, without its end.
fn line_end(rest: &str) -> usize {
    rest.find(['\n', '\r']).unwrap_or(rest.len())
}

/// Whether only blanks stand before `start` on its line.
fn begins_line(text: &str, start: usize) -> bool {
    let before = text[..start].trim_end_matches([' ', '\t', '\x0c']);
    before.is_empty() || before.ends_with(['\n', '\r'])
}

/// The first `length` bytes of `text`, or a few less.
fn head(text: &str, length: usize) -> &str {
    let length = length.min(text.len());
    let whole = (0..=length).rev().find(|end| text.is_char_boundary(*end));
    &text[..whole.unwrap_or(0)]
}
