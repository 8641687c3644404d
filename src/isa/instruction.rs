//! One decoded instruction.

use super::builtin::Builtin;

/// What the machine can be told to do. What no instruction does is done by names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Instruction {
    /// Pushes a number. Never infinite, never NaN.
    Number(f64),
    /// Pushes a truth value.
    Boolean(bool),
    /// Pushes the string at this index of the table beside the text.
    String(u32),
    /// Executes the name at this index of the table beside the text.
    Call(u32),
    /// Pushes the next so many instructions (those of inner blocks included) as a procedure, and skips them.
    Block(u32),
    /// Executes an operator, whatever its name means.
    Operator(Builtin),
    /// A block of so many instructions and `if`, in place: pops a condition, and skips them when it is false.
    If(u32),
    /// Two blocks and `ifelse`, in place: pops a condition, and skips the first so many instructions and the
    /// [`Instruction::Else`] after them when it is false.
    IfElse(u32),
    /// Skips so many instructions, the second block of an [`Instruction::IfElse`].
    Else(u32),
    /// A block of so many instructions and `for`, in place.
    For(u32),
    /// A block of so many instructions and `repeat`, in place.
    Repeat(u32),
    /// A block of so many instructions and `loop`, in place.
    Loop(u32),
    /// What stands in the source, and what is executed instead of it. Skips the source. The elements of a procedure
    /// are those of the source.
    Instead {
        /// The number of instructions that say what stands in the source. They come next.
        source: u32,
        /// The number of instructions that are executed instead. They come after the source.
        code: u32,
    },
}

impl Instruction {
    /// How many of the instructions that come next are a part of this one, and stand indented in a listing.
    pub const fn inner(self) -> u32 {
        match self {
            Self::Block(length)
            | Self::If(length)
            | Self::IfElse(length)
            | Self::Else(length)
            | Self::For(length)
            | Self::Repeat(length)
            | Self::Loop(length)
            | Self::Instead { source: length, .. } => length,
            Self::Number(_) | Self::Boolean(_) | Self::String(_) | Self::Call(_) | Self::Operator(_) => 0,
        }
    }

    /// The operator whose block, or last block, the instruction has in place.
    pub const fn in_place(self) -> Option<Builtin> {
        match self {
            Self::If(_) => Some(Builtin::If),
            Self::IfElse(_) | Self::Else(_) => Some(Builtin::IfElse),
            Self::For(_) => Some(Builtin::For),
            Self::Repeat(_) => Some(Builtin::Repeat),
            Self::Loop(_) => Some(Builtin::Loop),
            _ => None,
        }
    }
}
