//! Which brace of a body lacks its partner: a guess by indentation, made only when one is known to be missing.
//!
//! Deliberately absent: any influence on the tree; the guess is for the message alone.

use super::lexer::Lexer;
use super::token::TokenKind;
use crate::source::Span;

/// The opening brace that most likely lacks its partner.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    /// Where it stands.
    pub(super) open: Span,
    /// How many closing braces are missing in all.
    pub(super) missing: usize,
    /// The brace that closes it by count but is indented less than its line.
    pub(super) closer: Option<Span>,
}

/// An opening brace and the indentation of its line.
struct Open {
    brace: Span,
    indent: usize,
}

/// Searches a body that is not closed; `body` begins with its opening brace.
pub(super) fn unclosed(text: &str, body: Span) -> Unclosed {
    let mut lines = Lines::at(text, body.start as usize);
    let mut lexer = Lexer::new(text);
    lexer.rewind(body.start);
    let mut open: Vec<Open> = Vec::new();
    let mut suspect = None;
    loop {
        let token = lexer.token();
        if token.span.start >= body.end || token.kind == TokenKind::End {
            break;
        }
        let begins_line = lines.advance(token.span);
        match token.kind {
            TokenKind::Open => open.push(Open { brace: token.span, indent: lines.indent }),
            TokenKind::Close => {
                let closed = open.pop().filter(|opener| begins_line && lines.indent < opener.indent);
                suspect = suspect.or(closed.map(|opener| (opener.brace, Some(token.span))));
            }
            _ => {}
        }
    }
    let innermost = open.last().map_or(body, |opener| opener.brace);
    let (brace, closer) = suspect.unwrap_or((innermost, None));
    Unclosed { open: brace, missing: open.len(), closer }
}

/// Follows the lines of a text from token to token.
struct Lines<'s> {
    text: &'s str,
    /// Where the last token ended.
    end: usize,
    /// Bytes before the first token of the current line.
    indent: usize,
}

impl<'s> Lines<'s> {
    /// Begins within a line, at `place`.
    fn at(text: &'s str, place: usize) -> Self {
        let line = &text[..place];
        let line = &line[line.rfind(['\n', '\r']).map_or(0, |end| end + 1)..];
        Self { text, end: place, indent: line.len() - line.trim_start().len() }
    }

    /// Goes on to the token at `span`, and tells whether it is the first of its line.
    fn advance(&mut self, span: Span) -> bool {
        let between = &self.text[self.end..span.start as usize];
        let line = between.rfind(['\n', '\r']);
        if let Some(at) = line {
            self.indent = between.len() - at - 1;
        }
        self.end = span.end as usize;
        line.is_some()
    }
}
