//! A text as people see it: its tokens and its comments one after the other, and where lines end between them.
//!
//! Deliberately absent: what is wrong with a text. The compiler reads no pieces, so that comments cost it nothing.

use super::lexer::Lexer;
use super::token::{Token, TokenKind};

/// A token or a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'s> {
    /// What it is.
    pub kind: PieceKind,
    /// Its text; that of a comment begins with `#` and goes to the end of the line.
    pub text: &'s str,
    /// How many lines end between the piece before it, or the start of the text, and this one.
    pub breaks: usize,
}

/// The kinds of pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    /// A name, number, string or boolean.
    Word,
    /// `{` or `[`
    Open,
    /// `}` or `]`
    Close,
    /// A comment.
    Comment,
}

/// The pieces of a text that [`parse`](super::parse) finds no mistake in. Everything between them is blank.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut lexer = Lexer::new(text);
    let token = lexer.token();
    Pieces { text, lexer, token, at: 0 }
}

struct Pieces<'s> {
    text: &'s str,
    lexer: Lexer<'s>,
    /// The next token. Comments may stand before it.
    token: Token<'s>,
    /// Where the latest piece ended.
    at: usize,
}

impl<'s> Iterator for Pieces<'s> {
    type Item = Piece<'s>;

    fn next(&mut self) -> Option<Piece<'s>> {
        let between = &self.text[self.at..self.token.span.start as usize];
        if let Some(start) = between.find('#') {
            let rest = &between[start..];
            let text = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
            self.at += start + text.len();
            return Some(Piece { kind: PieceKind::Comment, text, breaks: line_ends(&between[..start]) });
        }
        let token = self.token;
        let kind = match token.kind {
            TokenKind::End => return None,
            TokenKind::Open | TokenKind::Name("[") => PieceKind::Open,
            TokenKind::Close | TokenKind::Name("]") => PieceKind::Close,
            _ => PieceKind::Word,
        };
        self.at = token.span.end as usize;
        self.token = self.lexer.token();
        let text = &self.text[token.span.start as usize..self.at];
        Some(Piece { kind, text, breaks: line_ends(between) })
    }
}

/// How many lines end in `blanks`. CR LF is one end.
fn line_ends(blanks: &str) -> usize {
    let bytes = blanks.as_bytes();
    let is_end = |(at, byte): (usize, &u8)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    bytes.iter().enumerate().filter(|byte| is_end(*byte)).count()
}
