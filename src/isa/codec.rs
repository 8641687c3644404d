//! Instructions as bytes: an opcode, then its operand in little-endian order.

use super::instruction::Instruction;

const NUMBER: u8 = 0x01;
const STRING: u8 = 0x02;
const CALL: u8 = 0x03;
const BLOCK: u8 = 0x04;
const FALSE: u8 = 0x05;
const TRUE: u8 = 0x06;

/// Appends one instruction to a text section.
pub fn encode(instruction: Instruction, text: &mut Vec<u8>) {
    let mut with_index = |opcode, index: u32| {
        text.push(opcode);
        text.extend_from_slice(&index.to_le_bytes());
    };
    match instruction {
        Instruction::String(index) => with_index(STRING, index),
        Instruction::Call(index) => with_index(CALL, index),
        Instruction::Block(length) => with_index(BLOCK, length),
        Instruction::Boolean(value) => text.push(if value { TRUE } else { FALSE }),
        Instruction::Number(value) => {
            text.push(NUMBER);
            text.extend_from_slice(&value.to_le_bytes());
        }
    }
}

/// Why bytes are no text section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A byte that starts no instruction.
    #[error("byte {at} of the text section, {opcode:#04x}, is no opcode")]
    Opcode {
        /// Offset in the text section.
        at: usize,
        /// The byte found there.
        opcode: u8,
    },
    /// The section ends inside an instruction.
    #[error("the text section ends inside the instruction at byte {at}")]
    Short {
        /// Offset of the instruction that is cut off.
        at: usize,
    },
    /// A number that is infinite or not a number.
    #[error("the number at byte {at} of the text section is not finite")]
    Number {
        /// Offset of the instruction.
        at: usize,
    },
    /// A block that is longer than what holds it.
    #[error("the block at instruction {ordinal} reaches past the end of what holds it")]
    Block {
        /// Ordinal of the block instruction.
        ordinal: u32,
    },
    /// An operand that the table beside the text does not have.
    #[error("instruction {ordinal} names entry {index}, which does not exist")]
    Index {
        /// Ordinal of the instruction.
        ordinal: u32,
        /// The index that is out of range.
        index: u32,
    },
}

/// Reads the instructions of a text section one after the other; stops after the first error.
#[derive(Debug, Clone)]
pub struct Decoder<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Decoder<'t> {
    /// Starts at the first instruction.
    pub fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }
}

/// The instruction at a byte, and how many bytes it takes; `None` at the end.
fn instruction_at(text: &[u8], at: usize) -> Option<Result<(Instruction, usize), DecodeError>> {
    let (opcode, rest) = text.get(at..)?.split_first()?;
    let index = || operand(rest, at).map(u32::from_le_bytes);
    let number = || match f64::from_le_bytes(operand(rest, at)?) {
        value if value.is_finite() => Ok(value),
        _ => Err(DecodeError::Number { at }),
    };
    Some(match *opcode {
        NUMBER => number().map(|value| (Instruction::Number(value), 9)),
        STRING => index().map(|index| (Instruction::String(index), 5)),
        CALL => index().map(|index| (Instruction::Call(index), 5)),
        BLOCK => index().map(|length| (Instruction::Block(length), 5)),
        FALSE => Ok((Instruction::Boolean(false), 1)),
        TRUE => Ok((Instruction::Boolean(true), 1)),
        opcode => Err(DecodeError::Opcode { at, opcode }),
    })
}

fn operand<const N: usize>(rest: &[u8], at: usize) -> Result<[u8; N], DecodeError> {
    rest.first_chunk().copied().ok_or(DecodeError::Short { at })
}

/// Puts another operand in place of each that is an index. What `other` has none for is an error.
pub fn relocate(text: &mut [u8], other: impl Fn(u32) -> Option<u32>) -> Result<(), DecodeError> {
    let (mut at, mut ordinal) = (0, 0);
    while let Some(instruction) = instruction_at(text, at) {
        let (instruction, size) = instruction?;
        if let Instruction::Call(index) | Instruction::String(index) = instruction {
            let operand = other(index).ok_or(DecodeError::Index { ordinal, index })?;
            text[at + 1..at + size].copy_from_slice(&operand.to_le_bytes());
        }
        at += size;
        ordinal += 1;
    }
    Ok(())
}

impl Iterator for Decoder<'_> {
    type Item = Result<Instruction, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let result = instruction_at(self.text, self.at)?;
        self.at = result.map_or(self.text.len(), |(_, size)| self.at + size);
        Some(result.map(|(instruction, _)| instruction))
    }
}

/// Decodes a whole text section and checks all that can be wrong with one:
/// opcodes, operands below `entries` (the length of the table beside the text), blocks properly nested.
pub fn decode(text: &[u8], entries: u32) -> Result<Vec<Instruction>, DecodeError> {
    // Most instructions take five bytes, and none less than one.
    let mut instructions = Vec::with_capacity(text.len() / 4);
    decode_onto(text, entries, &mut instructions)?;
    Ok(instructions)
}

/// Like [`decode`], but appends the instructions to others.
pub fn decode_onto(text: &[u8], entries: u32, out: &mut Vec<Instruction>) -> Result<(), DecodeError> {
    let start = out.len();
    for instruction in Decoder::new(text) {
        out.push(instruction?);
    }
    check(&out[start..], entries)
}

fn check(instructions: &[Instruction], entries: u32) -> Result<(), DecodeError> {
    let all = instructions.len() as u64;
    let mut ends = Vec::new();
    for (ordinal, instruction) in instructions.iter().enumerate() {
        let ordinal = ordinal as u32;
        while ends.last() == Some(&u64::from(ordinal)) {
            ends.pop();
        }
        match *instruction {
            Instruction::String(index) | Instruction::Call(index) if index >= entries => {
                return Err(DecodeError::Index { ordinal, index });
            }
            Instruction::Block(length) => {
                let end = u64::from(ordinal) + 1 + u64::from(length);
                if end > *ends.last().unwrap_or(&all) {
                    return Err(DecodeError::Block { ordinal });
                }
                // An empty block holds no ordinal, so it must not wait for one.
                if length > 0 {
                    ends.push(end);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(instructions: &[Instruction]) -> Vec<u8> {
        let mut text = Vec::new();
        instructions.iter().for_each(|instruction| encode(*instruction, &mut text));
        text
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        use Instruction::{Block, Boolean, Call, Number, String};
        let all = [Number(-0.0), Block(3), Block(0), Block(1), Boolean(true), String(1), Call(0)];
        assert_eq!(decode(&text(&all), 2), Ok(all.to_vec()));
    }

    #[test]
    fn a_cut_section_is_an_error_at_every_byte_inside_an_instruction() {
        let bytes = text(&[Instruction::Number(1.5)]);
        for cut in 1..bytes.len() {
            assert_eq!(decode(&bytes[..cut], 0), Err(DecodeError::Short { at: 0 }));
        }
    }

    #[test]
    fn blocks_must_nest() {
        use Instruction::{Block, Boolean};
        let escaping = text(&[Block(2), Block(2), Boolean(true), Boolean(true)]);
        assert_eq!(decode(&escaping, 0), Err(DecodeError::Block { ordinal: 1 }));
        assert_eq!(decode(&text(&[Block(u32::MAX)]), 0), Err(DecodeError::Block { ordinal: 0 }));
    }
}
