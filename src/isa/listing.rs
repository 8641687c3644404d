//! Text sections as lines that a person can read, and back: one instruction a line, blocks indented.
//!
//! A listing shows the names and strings themselves where the bytes hold an index, so it stands on its own.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::builtin::Builtin;
use super::codec::{DecodeError, encode};
use super::instruction::Instruction;

/// Blocks deeper than this are indented no further, so that a listing's size stays linear in its instructions.
const DEEPEST_INDENT: usize = 12;

/// A name or a string in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand<'l> {
    /// The name that a `call` executes.
    Name(&'l str),
    /// The text that a `string` pushes.
    String(Cow<'l, str>),
}

/// Appends the listing of `instructions` to `out`. `operand` gives the text of an index.
pub fn write<'a>(
    instructions: impl IntoIterator<Item = Result<Instruction, DecodeError>>,
    operand: impl Fn(u32) -> Option<&'a str>,
    out: &mut String,
) -> Result<(), DecodeError> {
    let mut ends: Vec<u64> = Vec::new();
    for (ordinal, instruction) in instructions.into_iter().enumerate() {
        let ordinal = ordinal as u32;
        while ends.last().is_some_and(|end| *end <= u64::from(ordinal)) {
            ends.pop();
        }
        for _ in 0..ends.len().min(DEEPEST_INDENT) {
            out.push_str("  ");
        }
        let text_of = |index| operand(index).ok_or(DecodeError::Index { ordinal, index });
        let instruction = instruction?;
        write_instruction(instruction, text_of, out)?;
        out.push('\n');
        if instruction.inner() > 0 {
            ends.push(u64::from(ordinal) + 1 + u64::from(instruction.inner()));
        }
    }
    Ok(())
}

/// Appends one instruction as it stands in a listing, without indent and line feed.
pub fn write_instruction<'a>(
    instruction: Instruction,
    text_of: impl Fn(u32) -> Result<&'a str, DecodeError>,
    out: &mut String,
) -> Result<(), DecodeError> {
    match instruction {
        // Writing to a string cannot fail.
        Instruction::Number(value) => _ = write!(out, "number {value:?}"),
        Instruction::Boolean(value) => _ = write!(out, "boolean {value}"),
        Instruction::Block(length) => _ = write!(out, "block {length}"),
        Instruction::If(length) => _ = write!(out, "if {length}"),
        Instruction::IfElse(length) => _ = write!(out, "ifelse {length}"),
        Instruction::Else(length) => _ = write!(out, "else {length}"),
        Instruction::For(length) => _ = write!(out, "for {length}"),
        Instruction::Repeat(length) => _ = write!(out, "repeat {length}"),
        Instruction::Loop(length) => _ = write!(out, "loop {length}"),
        Instruction::Instead { source, code } => _ = write!(out, "instead {source} {code}"),
        Instruction::Operator(operator) => {
            out.push_str("operator ");
            out.push_str(operator.name());
        }
        Instruction::Call(index) => {
            out.push_str("call ");
            out.push_str(text_of(index)?);
        }
        Instruction::String(index) => {
            out.push_str("string \"");
            escape(text_of(index)?, out);
            out.push('"');
        }
    }
    Ok(())
}

/// Whether a character stands in a listing as `\u{…}`: controls, line separators, marks that editors hide.
fn is_escaped(c: char) -> bool {
    c == '\\'
        || c == '"'
        || c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn escape(text: &str, out: &mut String) {
    if !text.contains(is_escaped) {
        return out.push_str(text);
    }
    for c in text.chars() {
        if is_escaped(c) { _ = write!(out, "{}", c.escape_unicode()) } else { out.push(c) }
    }
}

fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(is_escaped) {
        return Some(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let (hex, tail) = after.strip_prefix("u{")?.split_once('}')?;
        let c = char::from_u32(u32::from_str_radix(hex, 16).ok()?).filter(|c| is_escaped(*c))?;
        // One spelling for one string: no leading zeros, no capitals, no sign.
        if c.escape_unicode().to_string() != format!("\\u{{{hex}}}") {
            return None;
        }
        plain.push(c);
        rest = tail;
    }
    plain.push_str(rest);
    (!rest.contains(is_escaped)).then_some(Cow::Owned(plain))
}

/// A line of a listing that is no instruction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the listing, `{text}`, is no instruction")]
pub struct ListingError {
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
}

/// Reads a listing into a text section. `index_of` gives the table index of a name or string.
/// Indentation is for people and is not looked at; nesting is checked by [`super::codec::decode`].
pub fn read<'l>(
    listing: &'l str,
    mut index_of: impl FnMut(Operand<'l>) -> u32,
) -> Result<Vec<u8>, ListingError> {
    let mut text = Vec::with_capacity(listing.len() / 2);
    for (at, line) in listing.lines().enumerate() {
        let instruction = read_line(line.trim_start_matches(' '), &mut index_of);
        let error = || ListingError { line: at + 1, text: line.trim().chars().take(60).collect() };
        encode(instruction.ok_or_else(error)?, &mut text);
    }
    Ok(text)
}

fn read_line<'l>(line: &'l str, mut index_of: impl FnMut(Operand<'l>) -> u32) -> Option<Instruction> {
    let (mnemonic, operand) = line.split_once(' ')?;
    let length = || operand.parse().ok();
    Some(match mnemonic {
        "call" => Instruction::Call(index_of(Operand::Name(operand))),
        "string" => {
            let quoted = operand.strip_prefix('"')?.strip_suffix('"')?;
            Instruction::String(index_of(Operand::String(unescape(quoted)?)))
        }
        "number" => Instruction::Number(operand.parse().ok().filter(|value: &f64| value.is_finite())?),
        "block" => Instruction::Block(length()?),
        "operator" => Instruction::Operator(Builtin::lookup(operand)?),
        "if" => Instruction::If(length()?),
        "ifelse" => Instruction::IfElse(length()?),
        "else" => Instruction::Else(length()?),
        "for" => Instruction::For(length()?),
        "repeat" => Instruction::Repeat(length()?),
        "loop" => Instruction::Loop(length()?),
        "instead" => {
            let (source, code) = operand.split_once(' ')?;
            Instruction::Instead { source: source.parse().ok()?, code: code.parse().ok()? }
        }
        "boolean" => Instruction::Boolean(operand.parse().ok()?),
        _ => return None,
    })
}
