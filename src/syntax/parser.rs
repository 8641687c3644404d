//! Tokens into a flat tree, and the mistakes of structure.
//!
//! Deliberately absent: recursion, for bodies may be nested as deep as memory goes; and names' meaning.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::ast::{Item, ItemKind, Procedure, Unit};
use super::braces;
use super::error::{SyntaxError, Thing};
use super::lexer::Lexer;
use super::mistake;
use super::token::{Token, TokenKind};
use crate::name::is_name;
use crate::source::Span;

/// The result of parsing: a tree, and what is wrong with the text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed<'s> {
    /// The tree; of a text with errors, what could be saved of it. Every procedure in it has a valid name.
    pub unit: Unit<'s>,
    /// All mistakes in the order of their places; empty if the text is right.
    pub errors: Vec<SyntaxError>,
}

/// Parses a text. Never fails: mistakes are listed beside the tree. Takes time linear in the text's length.
pub fn parse(text: &str) -> Parsed<'_> {
    if let Some(error) = too_long(text.len()) {
        return Parsed { unit: Unit::default(), errors: vec![error] };
    }
    let mut parser = Parser::new(text);
    parser.file();
    parser.finish()
}

/// Spans count bytes in 32 bits.
fn too_long(length: usize) -> Option<SyntaxError> {
    u32::try_from(length).is_err().then_some(SyntaxError::TextTooLong { length })
}

struct Parser<'s> {
    text: &'s str,
    lexer: Lexer<'s>,
    unit: Unit<'s>,
    /// The open inner blocks of the current body, by their places in the unit's items.
    open: Vec<usize>,
    /// Whether a `}` is known to be missing, so that a `name {` at the start of a line ends a body.
    strict: bool,
    /// Whether wrong text in the current procedure holds braces: then none is reported as missing or too many.
    doubt: bool,
    /// Whether the start of the latest procedure was reported: then code after it is part of that mistake.
    broken: bool,
    /// The latest procedure's name, and where its closing brace stands.
    ended: Option<(&'s str, Span)>,
}

/// The tokens between two procedures: rightly, one name.
#[derive(Default)]
struct Run<'s> {
    first: Option<Token<'s>>,
    last: Option<Token<'s>>,
    /// Where the last token but one ends.
    previous_end: u32,
    count: usize,
    /// The last identifier.
    identifier: Option<(&'s str, Span)>,
    /// Whether some of it is wrong text, which has been reported.
    wrong: bool,
    /// Whether that wrong text holds braces.
    doubt: bool,
}

/// How a body ended.
enum Ending<'s> {
    /// With the brace at this place.
    Closed(Span),
    /// Without its brace, at this offset, before the procedure that seems to begin there.
    Unclosed(u32, Option<(&'s str, Span)>),
}

impl<'s> Parser<'s> {
    fn new(text: &'s str) -> Self {
        Self {
            text,
            lexer: Lexer::new(text),
            unit: Unit::default(),
            open: Vec::new(),
            strict: false,
            doubt: false,
            broken: false,
            ended: None,
        }
    }

    fn file(&mut self) {
        loop {
            let (run, stop) = self.run();
            match stop.kind {
                TokenKind::Open => self.procedure(&run, stop.span),
                TokenKind::Close => self.stray_close(&run, stop.span),
                _ => return self.stray_code(&run, run.count, stop.span.end),
            }
        }
    }

    /// Reads up to a brace or the end.
    fn run(&mut self) -> (Run<'s>, Token<'s>) {
        let mut run = Run::default();
        loop {
            let token = self.lexer.token();
            match token.kind {
                TokenKind::Open | TokenKind::Close | TokenKind::End => return (run, token),
                TokenKind::Wrong => {
                    run.wrong = true;
                    run.doubt |= self.holds_braces(token.span);
                }
                _ => {}
            }
            run.add(token);
        }
    }

    fn procedure(&mut self, run: &Run<'s>, brace: Span) {
        let name = self.name(run, brace);
        self.doubt = run.doubt;
        let first = self.unit.items.len();
        self.ended = match self.body(brace) {
            Ending::Closed(end) => name.map(|(name, _)| (name, end)),
            Ending::Unclosed(end, next) => {
                self.unclosed(name, Span::new(brace.start, end), next);
                None
            }
        };
        match name {
            Some((name, name_span)) => {
                let body = first..self.unit.items.len();
                self.unit.procedures.push(Procedure { name, name_span, body });
            }
            None => self.unit.items.truncate(first),
        }
    }

    /// The name of the procedure whose body begins at `brace`. Reports what is wrong with it or before it.
    fn name(&mut self, run: &Run<'s>, brace: Span) -> Option<(&'s str, Span)> {
        let errors = self.lexer.errors.len();
        let name = match run.last {
            _ if run.wrong => run.identifier,
            Some(last) => last.identifier().map(|name| (name, last.span)),
            None => None,
        };
        match (run.last, name) {
            (_, Some(_)) => self.stray_code(run, run.count - 1, run.previous_end),
            (Some(last), None) => self.not_a_name(run, last),
            (None, None) if self.broken => {}
            (None, None) => self.lexer.errors.push(SyntaxError::MissingName { span: brace }),
        }
        let reported = self.broken || self.lexer.errors.len() > errors;
        self.broken = match name {
            Some((_, span)) => reported && !self.begins_line(span),
            None => true,
        };
        name
    }

    /// Reports that `last`, which a body follows, is no name.
    fn not_a_name(&mut self, run: &Run<'s>, last: Token<'s>) {
        if self.broken || run.wrong {
            return;
        }
        let span = last.span;
        let text = mistake::excerpt(self.slice(span));
        let thing = match last.kind {
            _ if run.count > 1 && self.missing_brace(run) => return,
            TokenKind::Boolean(_) => {
                return self.lexer.errors.push(SyntaxError::ReservedName { name: text, span });
            }
            TokenKind::Number(_) => Thing::Number,
            TokenKind::String(inside) if is_name(inside) => Thing::QuotedName,
            TokenKind::String(_) => Thing::String,
            _ => Thing::Bracket,
        };
        self.lexer.errors.push(SyntaxError::NotAName { text, thing, span });
    }

    /// Reports that code begins with a name at the start of a line: its `{` is missing.
    fn missing_brace(&mut self, run: &Run<'s>) -> bool {
        let first = run.first.and_then(|first| Some((first.identifier()?, first.span)));
        let Some((name, span)) = first.filter(|(_, span)| self.begins_line(*span)) else { return false };
        self.lexer.errors.push(SyntaxError::MissingBody { name: mistake::excerpt(name), span });
        true
    }

    /// Reports the first `count` tokens of `run`, which end at `end`, as belonging to no procedure.
    fn stray_code(&mut self, run: &Run<'s>, count: usize, end: u32) {
        let Some(first) = run.first.filter(|_| count > 0 && !run.wrong && !self.broken) else { return };
        let error = match first.identifier() {
            Some(name) if count == 1 => {
                SyntaxError::MissingBody { name: mistake::excerpt(name), span: first.span }
            }
            _ => SyntaxError::CodeOutside { span: self.first_line(Span::new(first.span.start, end)) },
        };
        self.lexer.errors.push(error);
    }

    fn stray_close(&mut self, run: &Run<'s>, span: Span) {
        let is_explained = self.doubt || run.doubt || self.broken;
        self.doubt = false;
        self.broken = false;
        if is_explained || (!run.wrong && self.missing_brace(run)) {
            return;
        }
        let ended = self.ended.map(|(name, end)| (mistake::excerpt(name), end));
        self.lexer.errors.push(SyntaxError::StrayClose { span, ended });
    }

    /// Reads the body that begins with `brace`.
    fn body(&mut self, brace: Span) -> Ending<'s> {
        let first = self.unit.items.len();
        let doubt = self.doubt;
        loop {
            let token = self.lexer.token();
            let kind = match token.kind {
                TokenKind::Name(name) => ItemKind::Name(name),
                TokenKind::Number(value) => ItemKind::Number(value),
                TokenKind::String(inside) => ItemKind::String(inside),
                TokenKind::Boolean(value) => ItemKind::Boolean(value),
                TokenKind::Open => {
                    if self.strict
                        && let Some(next) = self.next_procedure(first, token.span)
                    {
                        return self.stop_before(next);
                    }
                    self.open.push(self.unit.items.len());
                    ItemKind::Block(0)
                }
                TokenKind::Close if self.close_block() => continue,
                TokenKind::Close => return Ending::Closed(token.span),
                TokenKind::Wrong => {
                    self.doubt |= self.holds_braces(token.span);
                    continue;
                }
                TokenKind::End if self.strict => {
                    while self.close_block() {}
                    return Ending::Unclosed(token.span.end, None);
                }
                TokenKind::End => {
                    // A brace is missing somewhere: once more from here, and watch for the next procedure.
                    self.strict = true;
                    self.doubt = doubt;
                    self.open.clear();
                    self.unit.items.truncate(first);
                    self.lexer.rewind(brace.end);
                    continue;
                }
            };
            self.unit.items.push(Item { kind, span: token.span });
        }
    }

    /// Ends the innermost block, if one is open.
    #[inline]
    fn close_block(&mut self) -> bool {
        let Some(at) = self.open.pop() else { return false };
        let inside = self.unit.items.len() - at - 1;
        self.unit.items[at].kind = ItemKind::Block(inside as u32);
        true
    }

    /// The name before `brace`, if it is the latest item of the body from `first` on and begins a line.
    fn next_procedure(&self, first: usize, brace: Span) -> Option<(&'s str, Span)> {
        let last = self.unit.items[first..].last()?;
        let ItemKind::Name(name) = last.kind else { return None };
        let between = Span::new(last.span.end, brace.start);
        let fits = is_name(name) && self.begins_line(last.span) && !self.holds_braces(between);
        fits.then_some((name, last.span))
    }

    /// Ends the body before its latest item, the name `next`.
    fn stop_before(&mut self, next: (&'s str, Span)) -> Ending<'s> {
        self.unit.items.pop();
        while self.close_block() {}
        self.lexer.rewind(next.1.start);
        Ending::Unclosed(next.1.start, Some(next))
    }

    /// Reports the body as not closed.
    fn unclosed(&mut self, name: Option<(&str, Span)>, body: Span, next: Option<(&str, Span)>) {
        if self.doubt {
            return;
        }
        let guess = braces::unclosed(self.text, body);
        self.lexer.errors.push(SyntaxError::UnclosedBlock {
            procedure: name.map(|(name, _)| mistake::excerpt(name)),
            is_body: guess.open.start == body.start,
            open: guess.open,
            missing: guess.missing,
            closer: guess.closer,
            next: next.map(|(name, span)| (mistake::excerpt(name), span)),
        });
    }

    fn finish(self) -> Parsed<'s> {
        let Self { lexer, unit, .. } = self;
        let mut errors = lexer.errors;
        errors.extend(duplicates(&unit.procedures));
        errors.sort_by_key(|error| error.span().map(|span| span.start));
        Parsed { unit, errors }
    }

    fn slice(&self, span: Span) -> &'s str {
        &self.text[span.start as usize..span.end as usize]
    }

    fn holds_braces(&self, span: Span) -> bool {
        self.slice(span).contains(['{', '}'])
    }

    /// Whether nothing stands before `span` on its line, not even a blank.
    fn begins_line(&self, span: Span) -> bool {
        let before = &self.text[..span.start as usize];
        before.is_empty() || before.ends_with(['\n', '\r']) || before == "\u{feff}"
    }

    /// The part of `span` on its first line, without blanks at the end.
    fn first_line(&self, span: Span) -> Span {
        let line = self.slice(span).lines().next().unwrap_or_default();
        Span::new(span.start, span.start + line.trim_end().len() as u32)
    }
}

impl<'s> Run<'s> {
    fn add(&mut self, token: Token<'s>) {
        self.previous_end = self.last.map_or(0, |last| last.span.end);
        self.first = self.first.or(Some(token));
        self.last = Some(token);
        self.count += 1;
        self.identifier = token.identifier().map(|name| (name, token.span)).or(self.identifier);
    }
}

/// An error for each procedure whose name an earlier one has.
fn duplicates(procedures: &[Procedure<'_>]) -> Vec<SyntaxError> {
    let mut places = HashMap::with_capacity(procedures.len());
    let mut errors = Vec::new();
    for procedure in procedures {
        match places.entry(procedure.name) {
            Entry::Vacant(place) => drop(place.insert(procedure.name_span)),
            Entry::Occupied(first) => errors.push(SyntaxError::DuplicateName {
                name: mistake::excerpt(procedure.name),
                first: *first.get(),
                second: procedure.name_span,
            }),
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_four_gibibytes_are_refused() {
        let length = u32::MAX as usize;
        assert_eq!(too_long(length), None);
        assert_eq!(too_long(length + 1), Some(SyntaxError::TextTooLong { length: length + 1 }));
    }

    #[test]
    fn deep_nesting_needs_no_stack() {
        let depth = 100_000;
        let text = format!("main {{{}{}}}", "{".repeat(depth), "}".repeat(depth));
        let parsed = parse(&text);
        assert_eq!(parsed.errors, []);
        assert_eq!(parsed.unit.items.len(), depth);
        assert_eq!(parsed.unit.items[0].kind, ItemKind::Block(depth as u32 - 1));
    }

    #[test]
    fn deep_nesting_that_is_not_closed_is_one_error() {
        let text = "main {\n".repeat(100_000);
        assert_eq!(parse(&text[..text.len() - 1]).errors.len(), 100_000 + 99_999);
        let text = format!("main {}", "{".repeat(100_000));
        assert_eq!(parse(&text).errors.len(), 1);
    }
}
