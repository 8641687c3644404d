//! The pieces of a text with what laying them out needs: widths, partners, and where the author ended lines.
//!
//! Deliberately absent: decisions. What is said here is true of the text as it is.

use unicode_width::UnicodeWidthStr as _;

use crate::syntax::pieces::{Piece, PieceKind, pieces};

/// What stands in a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'s> {
    /// Its text; a comment's is without blanks at the end.
    pub(super) text: &'s str,
    /// What it is. A bracket without a partner in the same block is a word.
    pub(super) kind: PieceKind,
    /// Whether a line ends before it, and an empty one follows.
    pub(super) break_before: Break,
    /// Of what opens: whether its inside has lines of its own.
    pub(super) is_broken: bool,
    /// Of what opens or closes: the other one's place.
    pub(super) partner: usize,
    /// The column at which it would begin if everything stood in one line.
    pub(super) column: usize,
    /// How many columns it takes.
    pub(super) width: usize,
}

/// How the author separated a part from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Break {
    /// They stand in one line.
    None,
    /// It begins a line.
    Line,
    /// It begins a line after an empty one.
    Empty,
}

/// The parts of a text without mistakes.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = pieces(text).map(part).collect::<Vec<_>>();
    pair(&mut parts);
    begin_definitions(&mut parts);
    measure(&mut parts);
    parts
}

fn part(piece: Piece<'_>) -> Part<'_> {
    let text = piece.text.trim_end_matches([' ', '\t', '\x0c']);
    let break_before = match piece.breaks {
        0 => Break::None,
        1 => Break::Line,
        _ => Break::Empty,
    };
    let (partner, column, width) = (0, 0, text.width());
    Part { text, kind: piece.kind, break_before, is_broken: false, partner, column, width }
}

/// Finds the partners, and what is on several lines.
fn pair(parts: &mut [Part<'_>]) {
    let mut open = Vec::new();
    let mut breaks = 0_usize;
    for at in 0..parts.len() {
        breaks += usize::from(parts[at].break_before != Break::None);
        match parts[at].kind {
            PieceKind::Open => open.push((at, breaks)),
            PieceKind::Close => match opener(parts, &mut open, parts[at].text == "]") {
                Some((opener, breaks_before)) => {
                    parts[opener].is_broken = breaks > breaks_before && at > opener + 1;
                    parts[opener].partner = at;
                    parts[at].partner = opener;
                }
                None => parts[at].kind = PieceKind::Word,
            },
            PieceKind::Word | PieceKind::Comment => {}
        }
    }
}

/// Takes what a closing part closes from the open ones. A brace closes its brace, whatever brackets are open in it.
fn opener(
    parts: &mut [Part<'_>],
    open: &mut Vec<(usize, usize)>,
    is_bracket: bool,
) -> Option<(usize, usize)> {
    if is_bracket {
        return open.pop_if(|(at, _)| parts[*at].text == "[");
    }
    while let Some((at, _)) = open.pop_if(|(at, _)| parts[*at].text == "[") {
        parts[at].kind = PieceKind::Word;
    }
    open.pop()
}

/// Lets each definition begin a line, with its brace in the same one unless a comment stands between them.
fn begin_definitions(parts: &mut [Part<'_>]) {
    let mut at = 0;
    while let Some(part) = parts.get_mut(at) {
        if part.kind != PieceKind::Word {
            at += 1;
            continue;
        }
        part.break_before = part.break_before.max(Break::Line);
        let comments = parts[at + 1..].iter().take_while(|part| part.kind == PieceKind::Comment).count();
        let brace = at + 1 + comments;
        for part in parts[at + 1..].iter_mut().take(comments) {
            part.break_before = part.break_before.min(Break::Line);
        }
        let Some(part) = parts.get_mut(brace) else { return };
        part.break_before = if comments == 0 { Break::None } else { Break::Line };
        at = part.partner + 1;
    }
}

/// Sets the columns: one blank between two parts, and none inside of brackets.
fn measure(parts: &mut [Part<'_>]) {
    let mut column = 0;
    let mut is_tight = true;
    for part in parts {
        let opens = part.kind == PieceKind::Open && part.text == "[";
        let closes = part.kind == PieceKind::Close && part.text == "]";
        part.column = column + usize::from(!is_tight && !closes);
        column = part.column + part.width;
        is_tight = opens;
    }
}
