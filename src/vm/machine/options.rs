//! How a program is to be run.
//!
//! Deliberately absent: what it is run with; its input and output are [streams](super::Streams).

/// What a program may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How many steps it may make. A step is an instruction, or the start of a turn of a loop.
    pub max_steps: Option<u64>,
    /// How many entries each of the operand, execution and dictionary stacks may have.
    pub max_stack: usize,
    /// How many bytes its dictionaries, arrays and strings may take, about.
    pub max_memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_steps: None, max_stack: 1_000_000, max_memory: 1 << 30 }
    }
}

/// When programs are translated for the processor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Native {
    /// What is executed often.
    #[default]
    Auto,
    /// All that can be, before it is executed.
    Always,
    /// Nothing.
    Never,
}

/// How to run a program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// What it may use.
    pub limits: Limits,
    /// Whether it is traced from the start, as by `true trace`.
    pub trace: bool,
    /// What `arguments` gives it.
    pub arguments: Vec<Vec<u8>>,
    /// When it is translated for the processor.
    pub native: Native,
}
