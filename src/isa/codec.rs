//! Instructions as bytes: an opcode, then its operand in little-endian order.

use super::builtin::Builtin;
use super::instruction::Instruction;

const NUMBER: u8 = 0x01;
const STRING: u8 = 0x02;
const CALL: u8 = 0x03;
const BLOCK: u8 = 0x04;
const FALSE: u8 = 0x05;
const TRUE: u8 = 0x06;
const OPERATOR: u8 = 0x07;
const IF: u8 = 0x08;
const IF_ELSE: u8 = 0x09;
const ELSE: u8 = 0x0a;
const FOR: u8 = 0x0b;
const REPEAT: u8 = 0x0c;
const LOOP: u8 = 0x0d;
const INSTEAD: u8 = 0x0e;

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
        Instruction::If(length) => with_index(IF, length),
        Instruction::IfElse(length) => with_index(IF_ELSE, length),
        Instruction::Else(length) => with_index(ELSE, length),
        Instruction::For(length) => with_index(FOR, length),
        Instruction::Repeat(length) => with_index(REPEAT, length),
        Instruction::Loop(length) => with_index(LOOP, length),
        Instruction::Boolean(value) => text.push(if value { TRUE } else { FALSE }),
        Instruction::Operator(operator) => text.extend_from_slice(&[OPERATOR, operator.code()]),
        Instruction::Instead { source, code } => {
            with_index(INSTEAD, source);
            text.extend_from_slice(&code.to_le_bytes());
        }
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
    /// A number that is no operator's.
    #[error("the instruction at byte {at} of the text section names operator {code}, which does not exist")]
    Operator {
        /// Offset of the instruction.
        at: usize,
        /// The number found there.
        code: u8,
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
    /// A block, or what is like one, that is longer than what holds it.
    #[error("instruction {ordinal} reaches past the end of what holds it")]
    Block {
        /// Ordinal of the instruction.
        ordinal: u32,
    },
    /// The first block of an `ifelse` without an `else` after it, or an `else` without one before it.
    #[error("at instruction {ordinal} stands an `else` too many or too few")]
    Else {
        /// Where the `else` should or should not be.
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
    let with_index = |instruction: fn(u32) -> Instruction| index().map(|index| (instruction(index), 5));
    Some(match *opcode {
        NUMBER => number(rest, at).map(|value| (Instruction::Number(value), 9)),
        STRING => with_index(Instruction::String),
        CALL => with_index(Instruction::Call),
        BLOCK => with_index(Instruction::Block),
        FALSE => Ok((Instruction::Boolean(false), 1)),
        TRUE => Ok((Instruction::Boolean(true), 1)),
        OPERATOR => operator(rest, at).map(|operator| (Instruction::Operator(operator), 2)),
        IF => with_index(Instruction::If),
        IF_ELSE => with_index(Instruction::IfElse),
        ELSE => with_index(Instruction::Else),
        FOR => with_index(Instruction::For),
        REPEAT => with_index(Instruction::Repeat),
        LOOP => with_index(Instruction::Loop),
        INSTEAD => operand(rest, at).map(|lengths: [u8; 8]| {
            let lengths = u64::from_le_bytes(lengths);
            (Instruction::Instead { source: lengths as u32, code: (lengths >> 32) as u32 }, 9)
        }),
        opcode => Err(DecodeError::Opcode { at, opcode }),
    })
}

fn number(rest: &[u8], at: usize) -> Result<f64, DecodeError> {
    match f64::from_le_bytes(operand(rest, at)?) {
        value if value.is_finite() => Ok(value),
        _ => Err(DecodeError::Number { at }),
    }
}

fn operator(rest: &[u8], at: usize) -> Result<Builtin, DecodeError> {
    let [code] = operand(rest, at)?;
    Builtin::from_code(code).ok_or(DecodeError::Operator { at, code })
}

fn operand<const N: usize>(rest: &[u8], at: usize) -> Result<[u8; N], DecodeError> {
    rest.first_chunk().copied().ok_or(DecodeError::Short { at })
}

/// How many bytes the instruction with each opcode takes; none where there is no such opcode.
const SIZES: [u8; 256] = {
    let mut sizes = [0; 256];
    sizes[NUMBER as usize] = 9;
    sizes[STRING as usize] = 5;
    sizes[CALL as usize] = 5;
    sizes[BLOCK as usize] = 5;
    sizes[FALSE as usize] = 1;
    sizes[TRUE as usize] = 1;
    sizes[OPERATOR as usize] = 2;
    sizes[IF as usize] = 5;
    sizes[IF_ELSE as usize] = 5;
    sizes[ELSE as usize] = 5;
    sizes[FOR as usize] = 5;
    sizes[REPEAT as usize] = 5;
    sizes[LOOP as usize] = 5;
    sizes[INSTEAD as usize] = 9;
    sizes
};

/// Puts another operand in place of each that is an index. What `other` has none for is an error.
///
/// Nothing else of the text is looked at than where its instructions are.
pub fn relocate(text: &mut [u8], other: impl Fn(u32) -> Option<u32>) -> Result<(), DecodeError> {
    let (mut at, mut ordinal) = (0, 0);
    while let Some(opcode) = text.get(at).copied() {
        if matches!(opcode, CALL | STRING) {
            let operand = text.get_mut(at + 1..).and_then(<[u8]>::first_chunk_mut);
            let operand = operand.ok_or(DecodeError::Short { at })?;
            let index = u32::from_le_bytes(*operand);
            *operand = other(index).ok_or(DecodeError::Index { ordinal, index })?.to_le_bytes();
        }
        at += match SIZES[opcode as usize] {
            0 => return Err(DecodeError::Opcode { at, opcode }),
            size => size as usize,
        };
        ordinal += 1;
    }
    Ok(())
}

/// Checks what [`decode`] checks and keeps nothing but memory for the next text.
#[derive(Default)]
pub struct Checker {
    nesting: Nesting,
}

impl Checker {
    /// Checks a text. Calls and strings are shown to `refer`, in their order.
    pub fn check(
        &mut self,
        text: &[u8],
        entries: u32,
        mut refer: impl FnMut(Instruction),
    ) -> Result<(), DecodeError> {
        // How many instructions there are is seen at the end.
        let nesting = &mut self.nesting;
        nesting.start(u64::MAX);
        let (mut at, mut ordinal) = (0, 0);
        while let Some((opcode, rest)) = text.get(at..).and_then(<[u8]>::split_first) {
            let stepped = match *opcode {
                CALL | STRING => {
                    let index = operand(rest, at).map(u32::from_le_bytes)?;
                    let is_there =
                        || if index < entries { Ok(()) } else { Err(DecodeError::Index { ordinal, index }) };
                    let passed = nesting.pass(ordinal).and_then(|()| is_there());
                    if passed.is_ok() {
                        let call = *opcode == CALL;
                        refer(if call { Instruction::Call(index) } else { Instruction::String(index) });
                    }
                    passed
                }
                NUMBER => number(rest, at).map(|_| nesting.pass(ordinal))?,
                OPERATOR => operator(rest, at).map(|_| nesting.pass(ordinal))?,
                FALSE | TRUE => nesting.pass(ordinal),
                _ => match instruction_at(text, at).transpose()? {
                    Some((instruction, _)) => nesting.step(ordinal, instruction),
                    None => break,
                },
            };
            if let Err(error) = stepped {
                // What is wrong with an instruction by itself comes before how they belong together.
                let all = count(text, at)?.saturating_add(u64::from(ordinal));
                return Err(nesting.end(all).err().unwrap_or(error));
            }
            at += SIZES[*opcode as usize] as usize;
            ordinal += 1;
        }
        nesting.end(ordinal.into())
    }
}

/// The number of instructions from one on, if nothing is wrong with any of them by itself.
fn count(text: &[u8], mut at: usize) -> Result<u64, DecodeError> {
    let mut count = 0;
    while let Some((_, size)) = instruction_at(text, at).transpose()? {
        at += size;
        count += 1;
    }
    Ok(count)
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
    let instructions = &out[start..];
    let mut nesting = Nesting::default();
    nesting.start(instructions.len() as u64);
    for (ordinal, instruction) in (0..).zip(instructions) {
        nesting.step(ordinal, *instruction)?;
        if let Instruction::String(index) | Instruction::Call(index) = *instruction
            && index >= entries
        {
            return Err(DecodeError::Index { ordinal, index });
        }
    }
    Ok(())
}

/// Which instructions belong together, while one walks over them.
#[derive(Default)]
struct Nesting {
    /// The number of instructions, or the largest one as long as nobody knows it.
    all: u64,
    open: Vec<Open>,
    /// The end of the innermost that is open.
    next: Option<u64>,
    /// The last instruction that nothing holds, and how many there must be for what it holds.
    outermost: (u32, u64),
}

impl Nesting {
    fn start(&mut self, all: u64) {
        self.open.clear();
        (self.all, self.next, self.outermost) = (all, None, (0, 0));
    }

    /// Comes to an instruction that holds no others and is no `else`.
    fn pass(&mut self, ordinal: u32) -> Result<(), DecodeError> {
        if self.next == Some(ordinal.into()) && self.closes(ordinal) {
            return Err(DecodeError::Else { ordinal });
        }
        Ok(())
    }

    /// Comes to an instruction.
    fn step(&mut self, ordinal: u32, instruction: Instruction) -> Result<(), DecodeError> {
        if self.closes(ordinal) != matches!(instruction, Instruction::Else(_)) {
            return Err(DecodeError::Else { ordinal });
        }
        let outer = self.open.last().map_or(self.all, |open| open.end);
        let end = u64::from(ordinal) + 1 + u64::from(instruction.inner());
        let (wants_else, code) = match instruction {
            Instruction::IfElse(_) => (true, 0),
            Instruction::Instead { code, .. } => (false, u64::from(code)),
            _ => (false, 0),
        };
        let needed = end + code + u64::from(wants_else);
        if needed > outer {
            return Err(DecodeError::Block { ordinal });
        }
        if self.open.is_empty() {
            self.outermost = (ordinal, needed);
        }
        if code > 0 {
            self.open.push(Open { end: end + code, wants_else: false });
        }
        // What is empty holds no ordinal, so it must not wait for one.
        if wants_else || instruction.inner() > 0 {
            self.open.push(Open { end, wants_else });
        }
        self.next = self.open.last().map(|open| open.end);
        Ok(())
    }

    /// Closes what ends before an instruction; says whether an `else` must stand there.
    fn closes(&mut self, ordinal: u32) -> bool {
        let mut wants_else = false;
        while let Some(closed) = self.open.pop_if(|open| open.end == u64::from(ordinal)) {
            wants_else = closed.wants_else;
        }
        self.next = self.open.last().map(|open| open.end);
        wants_else
    }

    /// Comes to the end, for who did not know how many instructions there are.
    const fn end(&self, all: u64) -> Result<(), DecodeError> {
        let (ordinal, needed) = self.outermost;
        if needed > all { Err(DecodeError::Block { ordinal }) } else { Ok(()) }
    }
}

/// Instructions that belong together.
struct Open {
    /// The ordinal after the last of them.
    end: u64,
    /// Whether an `else` must stand there.
    wants_else: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use Instruction::*;

    /// Decodes a text, and holds that the check which keeps nothing finds the same.
    fn decode(text: &[u8], entries: u32) -> Result<Vec<Instruction>, DecodeError> {
        let decoded = super::decode(text, entries);
        let mut shown = Vec::new();
        let checked = Checker::default().check(text, entries, |instruction| shown.push(instruction));
        let is_shown = |instruction: &&Instruction| matches!(instruction, Call(_) | String(_));
        assert_eq!(
            checked.map(|()| shown),
            decoded.clone().map(|all| all.iter().filter(is_shown).copied().collect())
        );
        decoded
    }

    fn text(instructions: &[Instruction]) -> Vec<u8> {
        let mut text = Vec::new();
        instructions.iter().for_each(|instruction| encode(*instruction, &mut text));
        text
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let all = [Number(-0.0), Block(3), Block(0), Block(1), Boolean(true), String(1), Call(0)];
        assert_eq!(decode(&text(&all), 2), Ok(all.to_vec()));
        let bound = [IfElse(0), Else(2), For(1), Repeat(0), Loop(0), If(2), Instead { source: 0, code: 1 }];
        let bound = [bound.as_slice(), &[Operator(Builtin::Xor)]].concat();
        assert_eq!(decode(&text(&bound), 0), Ok(bound));
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
        let escaping = text(&[Block(2), Block(2), Boolean(true), Boolean(true)]);
        assert_eq!(decode(&escaping, 0), Err(DecodeError::Block { ordinal: 1 }));
        assert_eq!(decode(&text(&[Block(u32::MAX)]), 0), Err(DecodeError::Block { ordinal: 0 }));
        let all = u32::MAX;
        for long in [If(1), Else(1), Instead { source: all, code: all }, Instead { source: 0, code: 1 }] {
            let after_if = text(&[IfElse(0), Else(1), long]);
            assert!(decode(&after_if, 0).is_err(), "{long:?}");
        }
        let escaping = text(&[Instead { source: 1, code: 1 }, Block(1), Boolean(true)]);
        assert_eq!(decode(&escaping, 0), Err(DecodeError::Block { ordinal: 1 }));
    }

    #[test]
    fn an_else_stands_after_its_first_block_and_nowhere_else() {
        for (instructions, ordinal) in [
            (&[Else(0)][..], 0),
            (&[IfElse(0), Boolean(true)], 1),
            (&[IfElse(1), Else(0), Else(0)], 1),
            (&[IfElse(1), Boolean(true), Boolean(true), Else(0)], 2),
            (&[If(1), Boolean(true), Else(0)], 2),
            (&[IfElse(0), Else(0), Else(0)], 2),
        ] {
            assert_eq!(decode(&text(instructions), 0), Err(DecodeError::Else { ordinal }));
        }
        for at_the_end in
            [&[IfElse(0)][..], &[IfElse(1), Boolean(true)], &[Block(2), IfElse(1), Boolean(true)]]
        {
            assert!(matches!(decode(&text(at_the_end), 0), Err(DecodeError::Block { .. })));
        }
        let nested = [IfElse(3), IfElse(0), Else(1), Boolean(true), Else(1), Boolean(true)];
        assert_eq!(decode(&text(&nested), 0), Ok(nested.to_vec()));
    }
}
