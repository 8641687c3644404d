//! What holds of every text that is formatted.

use toy::compile::Fingerprinter;
use toy::format::{WIDTH, format};
use toy::syntax::parse;
use toy::syntax::pieces::{PieceKind, pieces};

/// Formats a text and checks the result: it means the same, says the same, and is formatted. A text with mistakes is
/// refused, with these mistakes.
pub(crate) fn check(text: &str) {
    let result = match format(text) {
        Ok(result) => result,
        Err(errors) => {
            assert_eq!(errors, parse(text).errors);
            return assert!(!errors.is_empty());
        }
    };
    assert_eq!(digests(&result), digests(text), "the meaning of\n{text}\nchanged to\n{result}");
    assert_eq!(words(&result), words(text), "\n{text}\nbecame\n{result}");
    assert_eq!(comments(&result), comments(text), "\n{text}\nbecame\n{result}");
    assert_eq!(format(&result).as_deref(), Ok(&*result), "\n{text}\nis not formatted yet as\n{result}");
    assert_eq!(untidy(&result), None, "\n{text}\nbecame\n{result}");
}

/// Each procedure's name, with the digest of its meaning.
fn digests(text: &str) -> Vec<(String, String)> {
    let parsed = parse(text);
    assert_eq!(parsed.errors, [], "\n{text}");
    let digests = Fingerprinter::default().unit(&parsed.unit);
    let names = parsed.unit.procedures.iter().map(|procedure| procedure.name.to_owned());
    names.zip(digests.iter().map(ToString::to_string)).collect()
}

/// What is in a text besides comments, as it is spelled.
fn words(text: &str) -> Vec<&str> {
    let is_word = |kind| kind != PieceKind::Comment;
    pieces(text).filter(|piece| is_word(piece.kind)).map(|piece| piece.text).collect()
}

/// The comments of a text, without blanks at their ends, each with the number of words before it and whether the last
/// of them is in the same line.
fn comments(text: &str) -> Vec<(usize, bool, &str)> {
    let (mut words, mut comments) = (0, Vec::new());
    for piece in pieces(text) {
        let is_behind_code = piece.breaks == 0 && words > 0;
        match piece.kind {
            PieceKind::Comment => {
                comments.push((words, is_behind_code, piece.text.trim_end_matches([' ', '\t', '\x0c'])));
            }
            _ => words += 1,
        }
    }
    comments
}

/// A line that should not be in a formatted text, or the whole text.
fn untidy(text: &str) -> Option<&str> {
    let empties = text.starts_with('\n') || text.contains("\n\n\n") || text.ends_with("\n\n");
    let is_unended = !text.is_empty() && !text.ends_with('\n');
    if empties || is_unended { Some(text) } else { text.split('\n').find(|line| is_untidy(line)) }
}

fn is_untidy(line: &str) -> bool {
    let comment = pieces(line).find(|piece| piece.kind == PieceKind::Comment);
    let code = &line[..line.len() - comment.map_or(0, |comment| comment.text.len())];
    let indented = code.trim_start_matches(' ');
    // Bytes are columns in ASCII. A definition's brace stays beside its name, whatever its length.
    let least = 1 + usize::from(code.ends_with(" {"));
    let is_wide = code.is_ascii() && code.trim_end().len() > WIDTH && pieces(code).count() > least;
    let is_odd = !(code.len() - indented.len()).is_multiple_of(4) || indented.starts_with(['\t', '\x0c']);
    is_wide || is_odd || line.ends_with([' ', '\t', '\x0c', '\r'])
}
