//! The shape of our YAML: one key, entry or line of a text on each line, and nothing that nests within a line.
//!
//! Readers of YAML take time that grows with the square of how deep brackets nest, and aliases stand for more than
//! they are long. Our writers use neither, so what does not have their shape is refused before it is parsed.
//! Deliberately absent: which keys there are; that is what the wire types say.

use crate::source::is_visible;

/// The number, from 1, of the first line that no writer of ours makes.
pub(super) fn odd_line(yaml: &str) -> Option<usize> {
    let mut literal = Literal::Outside;
    let mut lines = yaml.strip_suffix('\n').unwrap_or(yaml).split('\n');
    lines.position(|line| !fits(line, &mut literal)).map(|at| at + 1)
}

/// Whether the lines are those of a text that stands below its key.
enum Literal {
    Outside,
    /// The key is in this column: deeper lines are the text.
    Below(usize),
    /// The text starts in this column.
    Inside(usize),
}

fn fits(line: &str, literal: &mut Literal) -> bool {
    let column = line.len() - line.trim_start_matches(' ').len();
    if column == line.len() || breaks(line) {
        return false;
    }
    match *literal {
        Literal::Below(key) if column > key => *literal = Literal::Inside(column),
        Literal::Inside(text) if column >= text => {}
        _ => {
            let Some(next) = structure(&line[column..], column) else { return false };
            *literal = next;
        }
    }
    true
}

/// Whether a line has a character that is never written as it is, such as those that could end a line.
fn breaks(line: &str) -> bool {
    !line.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !line.chars().all(is_visible)
}

/// A line outside a text: `key:`, `key: value`, `- key: value` or `- value`. Says where the next line stands.
fn structure(line: &str, column: usize) -> Option<Literal> {
    let (item, column) = match line.strip_prefix("- ") {
        Some(item) => (item, column + 2),
        None => (line, column),
    };
    let value = match item.split_once(':').filter(|(key, _)| is_key(key)) {
        Some((_, "")) => return Some(Literal::Outside),
        Some((_, value)) => value.strip_prefix(' ')?,
        None if item.len() < line.len() => item,
        None => return None,
    };
    match value {
        "|" | "|-" | "|+" => Some(Literal::Below(column)),
        "[]" | "{}" => Some(Literal::Outside),
        _ => is_scalar(value).then_some(Literal::Outside),
    }
}

fn is_key(key: &str) -> bool {
    let key = key.strip_prefix('\'').and_then(|key| key.strip_suffix('\'')).unwrap_or(key);
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A scalar that ends on its line.
fn is_scalar(value: &str) -> bool {
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.strip_suffix('\'').is_some_and(|inner| !inner.replace("''", "").contains('\''));
    }
    if let Some(rest) = value.strip_prefix('"') {
        return closes_at_the_end(rest);
    }
    let starts = |c: char| "[]{},&*!|>%@`#".contains(c);
    let nests = [" ", "- ", "? ", ": "].iter().any(|start| value.starts_with(start)) || value.ends_with(':');
    !value.starts_with(starts) && !nests && !value.contains(": ") && !value.contains(" #")
}

/// Whether the first quote that is not escaped is the last character.
fn closes_at_the_end(rest: &str) -> bool {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return at + 1 == rest.len(),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::odd_line;

    #[test]
    fn what_is_written_fits() {
        let written = "known:\n- 0a\n- '12'\nfragments:\n  '12':\n    checksum: 1e\n    text: |\n      call [\n        \
                       block 1\n    more: ''\nlinks:\n  ab:\n    place: \"a: \\\"\\L\"\n    compilations: []\n\
                       sections:\n- fragment: a\n  text: |-\n    {[&*\n- text: ''\n  b: {}\n";
        assert_eq!(odd_line(written), None);
        assert_eq!(odd_line("a: b"), None);
        assert_eq!(odd_line("a: -b\nc: ~\nd: it's\ne: \"'\"\nf: 'it''s'\ng: a:b#c\n"), None);
    }

    #[test]
    fn what_could_nest_does_not() {
        let odd = [
            "a: [",
            "a: {",
            "[",
            "{",
            "- [",
            "- - a",
            "- - [",
            "a: &b c",
            "a: *b",
            "a: !c d",
            "? a",
            "- ? a",
            "a: ? [",
            "--- a",
            "---",
            "...",
            "%YAML 1.1",
            "a b",
            "a b: [",
            "- a b: [",
            "- 'a': b: [",
            "- \"a\": [",
            "- \"a\": \"",
            "- 'a': 'b': 'c'",
            "a: 'b': ['",
            "a: \"b\" : [",
            "a: b # c",
            "# c",
            "a:[",
            "a: >",
            "a: |2",
            "a:\tb",
            "\ta: b",
            "a: b\r[",
            "a: b\u{85}[",
            "a: b\u{2028}[",
            "",
            " ",
            "a:  [",
            "a: \"\\\"",
            "a: '''",
            "a: b:",
            "a: \"b",
        ];
        for line in odd {
            assert_eq!(odd_line(&format!("known:\n{line}\nb: c\n")), Some(2), "{line:?}");
        }
    }

    #[test]
    fn a_text_ends_where_a_reader_of_yaml_ends_it() {
        assert_eq!(odd_line("a: |\n    [\n   [\n"), Some(3), "less deep than its first line");
        assert_eq!(odd_line("a: |\n      \n   [\n"), Some(2), "a blank line would set the depth");
        assert_eq!(odd_line("- a: |\n  [\n"), Some(2), "not deeper than the key");
        assert_eq!(odd_line("- a: |\n    b\n  c: [\n"), Some(3));
        assert_eq!(odd_line("a: |\n[\n"), Some(2));
    }
}
