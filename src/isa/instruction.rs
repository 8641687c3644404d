//! One decoded instruction.

/// What the machine can be told to do. Everything else in the language is done by names.
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
}
