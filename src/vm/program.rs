//! Loaded programs: an executable's code, decoded and checked once.
//!
//! The machine relies on it: every operand of an instruction is a text of the program, every block ends inside
//! what holds it, every symbol has a section.

use std::sync::Arc;

use super::names::{NameId, Names};
use super::value::Value;
use crate::isa::builtin::Builtin;
use crate::isa::codec::{DecodeError, decode_onto};
use crate::isa::instruction::Instruction;
use crate::isa::listing::write_instruction;
use crate::name::{Name, is_callable};
use crate::object::executable::{Executable, Section};

/// So many characters of a string or name [`Program::instruction_text`] shows.
const LONGEST_TEXT: usize = 60;

/// A symbol of a loaded program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SymbolId(pub(super) u32);

impl SymbolId {
    /// The symbol's index in the executable.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A program that is ready to run.
#[derive(Debug, Clone)]
pub struct Program {
    names: Names,
    /// The names of the operators, in the order of [`Builtin::ALL`].
    operators: Vec<NameId>,
    /// All sections one after the other, each behind a block instruction that holds its length.
    /// The operands of calls and strings are ids in `names`.
    code: Vec<Instruction>,
    /// Where in `code` the block instruction of each section stands.
    sections: Vec<u32>,
    symbols: Vec<LoadedSymbol>,
    entries: Vec<SymbolId>,
}

#[derive(Debug, Clone)]
struct LoadedSymbol {
    name: Name,
    id: NameId,
    section: u32,
}

/// Why an executable cannot be loaded: it is damaged, or was not made by the linker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum LoadError {
    /// A section's bytes are no code.
    #[error("section {section} of the executable is no code: {error}")]
    #[diagnostic(code(toy::vm::code), help("link the program again"))]
    Code {
        /// Index of the section.
        section: usize,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// A call of something that cannot be a name.
    #[error("instruction {ordinal} of section {section} calls `{text}`, which is no name")]
    #[diagnostic(code(toy::vm::call), help("link the program again"))]
    Call {
        /// Index of the section.
        section: usize,
        /// Ordinal of the instruction.
        ordinal: usize,
        /// The beginning of what is called.
        text: String,
    },
    /// A symbol without code.
    #[error("symbol `{name}` is in section {section}, which does not exist")]
    #[diagnostic(code(toy::vm::section), help("link the program again"))]
    Section {
        /// The symbol.
        name: Name,
        /// The index that is out of range.
        section: u32,
    },
    /// Symbols out of order, or one twice.
    #[error("symbol `{name}` is not in its place by name, or is there twice")]
    #[diagnostic(code(toy::vm::order), help("link the program again"))]
    Order {
        /// The later symbol.
        name: Name,
    },
    /// An entry point that is no symbol.
    #[error("the entry point `{name}` is not among the program's symbols")]
    #[diagnostic(code(toy::vm::entry), help("link the program again"))]
    Entry {
        /// The entry point.
        name: Name,
    },
    /// No entry point at all.
    #[error("the executable has no entry point")]
    #[diagnostic(code(toy::vm::no_entry), help("link the program again, with an entry point"))]
    NoEntry,
    /// More code or texts than 32 bits can count.
    #[error("the program has more than 4,294,967,295 instructions, names or strings")]
    #[diagnostic(code(toy::vm::size), help("split the program"))]
    Size,
}

impl Program {
    /// Decodes an executable and checks all that the machine relies on.
    pub fn load(executable: &Executable) -> Result<Self, LoadError> {
        check_sizes(executable)?;
        check_symbols(executable)?;
        let mut names = Names::with_capacity(executable.strings.len() + Builtin::ALL.len());
        let operators = Builtin::ALL.iter().map(|operator| names.intern(&operator.name().into())).collect();
        Value::TYPES.into_iter().for_each(|name| _ = names.intern(&name.into()));
        let text = |text| Text { id: names.intern(text), callable: is_callable(text) };
        let texts = executable.strings.iter().map(text).collect::<Vec<_>>();
        let (code, sections) = load_code(&executable.sections, &texts, &names)?;
        let symbols = load_symbols(executable, &mut names);
        let entries = load_entries(executable)?;
        Ok(Self { names, operators, code, sections, symbols, entries })
    }

    /// Where the program can start; the first is the default, and there is one.
    pub fn entries(&self) -> &[SymbolId] {
        &self.entries
    }

    /// The symbol of this name.
    pub fn symbol(&self, name: &str) -> Option<SymbolId> {
        let at = self.symbols.binary_search_by(|symbol| symbol.name.as_str().cmp(name));
        at.ok().map(|at| SymbolId(at as u32))
    }

    /// The name of a symbol.
    pub fn symbol_name(&self, symbol: SymbolId) -> &Name {
        &self.symbols[symbol.index()].name
    }

    /// The index in the executable of a symbol's section.
    pub fn symbol_section(&self, symbol: SymbolId) -> u32 {
        self.symbols[symbol.index()].section
    }

    /// The instructions of a symbol by ordinal. The operands of calls and strings are ids in [`Self::names`].
    pub fn instructions(&self, symbol: SymbolId) -> &[Instruction] {
        let (start, end) = self.section_range(symbol);
        &self.code[start as usize..end as usize]
    }

    /// The names and strings of the program.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The text of a name or string operand in [`Self::instructions`].
    pub fn operand(&self, operand: u32) -> &Arc<str> {
        self.names.text(NameId::from_operand(operand))
    }

    /// One of [`Self::instructions`] as a listing has it, but for long strings, of which it has the beginning.
    pub fn instruction_text(&self, instruction: Instruction) -> String {
        let beginning = |operand| -> Result<&str, DecodeError> {
            let text = self.operand(operand);
            let cut = text.char_indices().nth(LONGEST_TEXT).map_or(text.len(), |(at, _)| at);
            Ok(&text[..cut])
        };
        let mut text = String::new();
        // The operands of a loaded program all exist, so nothing can fail here.
        _ = write_instruction(instruction, beginning, &mut text);
        text
    }

    pub(super) fn code(&self) -> &[Instruction] {
        &self.code
    }

    /// Where in the code a symbol's instructions begin and end.
    pub(super) fn section_range(&self, symbol: SymbolId) -> (u32, u32) {
        let block = self.sections[self.symbol_section(symbol) as usize];
        match self.code[block as usize] {
            Instruction::Block(length) => (block + 1, block + 1 + length),
            // Sections stand behind block instructions only.
            _ => (block, block),
        }
    }

    /// The symbols, by name.
    pub(super) fn symbols(&self) -> impl Iterator<Item = SymbolId> {
        (0..self.symbols.len() as u32).map(SymbolId)
    }

    pub(super) fn operator_name(&self, operator: Builtin) -> NameId {
        self.operators[operator as usize]
    }

    /// The name of a value's type among the program's names.
    pub(super) fn type_name(&self, value: Value) -> NameId {
        // All names of types are interned when a program is loaded.
        self.names.get(value.type_name()).unwrap_or(self.operators[0])
    }

    /// The name of a symbol among the program's names.
    pub fn symbol_id(&self, symbol: SymbolId) -> NameId {
        self.symbols[symbol.index()].id
    }

    /// The ordinal, in its section, of an instruction of a symbol.
    pub(super) fn ordinal(&self, symbol: SymbolId, instruction: u32) -> u32 {
        instruction - self.section_range(symbol).0
    }
}

fn check_sizes(executable: &Executable) -> Result<(), LoadError> {
    // An instruction has at least a byte, and a section takes one instruction more.
    let code: usize = executable.sections.iter().map(|section| section.text.len() + 1).sum();
    let texts = executable.strings.len() + executable.symbols.len() + Builtin::ALL.len() + Value::TYPES.len();
    if u32::try_from(code).is_ok() && u32::try_from(texts).is_ok() { Ok(()) } else { Err(LoadError::Size) }
}

fn check_symbols(executable: &Executable) -> Result<(), LoadError> {
    for symbol in &executable.symbols {
        if symbol.section as usize >= executable.sections.len() {
            return Err(LoadError::Section { name: symbol.name.clone(), section: symbol.section });
        }
    }
    match executable.symbols.windows(2).find(|pair| pair[0].name >= pair[1].name) {
        Some(pair) => Err(LoadError::Order { name: pair[1].name.clone() }),
        None => Ok(()),
    }
}

/// A string of the executable among the program's names, and whether it can be called.
struct Text {
    id: NameId,
    callable: bool,
}

fn load_code(
    sections: &[Section],
    texts: &[Text],
    names: &Names,
) -> Result<(Vec<Instruction>, Vec<u32>), LoadError> {
    let mut code = Vec::new();
    let mut starts = Vec::with_capacity(sections.len());
    for (at, section) in sections.iter().enumerate() {
        let start = code.len();
        starts.push(start as u32);
        code.push(Instruction::Block(0));
        decode_onto(&section.text, texts.len() as u32, &mut code)
            .map_err(|error| LoadError::Code { section: at, error })?;
        code[start] = Instruction::Block((code.len() - start - 1) as u32);
        for (ordinal, instruction) in code[start + 1..].iter_mut().enumerate() {
            load_instruction(instruction, texts).map_err(|id| call_error(at, ordinal, names.text(id)))?;
        }
    }
    Ok((code, starts))
}

/// Gives an instruction its operand among the program's names; gives the id of a call that is no name.
fn load_instruction(instruction: &mut Instruction, texts: &[Text]) -> Result<(), NameId> {
    match instruction {
        Instruction::String(index) => *index = texts[*index as usize].id.to_operand(),
        Instruction::Call(index) => {
            let text = &texts[*index as usize];
            if !text.callable {
                return Err(text.id);
            }
            *index = text.id.to_operand();
        }
        _ => {}
    }
    Ok(())
}

fn call_error(section: usize, ordinal: usize, text: &str) -> LoadError {
    LoadError::Call { section, ordinal, text: text.chars().take(LONGEST_TEXT).collect() }
}

fn load_symbols(executable: &Executable, names: &mut Names) -> Vec<LoadedSymbol> {
    let load = |symbol: &crate::object::executable::Symbol| LoadedSymbol {
        name: symbol.name.clone(),
        id: names.intern(symbol.name.shared()),
        section: symbol.section,
    };
    executable.symbols.iter().map(load).collect()
}

fn load_entries(executable: &Executable) -> Result<Vec<SymbolId>, LoadError> {
    if executable.entries.is_empty() {
        return Err(LoadError::NoEntry);
    }
    let find = |entry: &Name| {
        let at = executable.symbols.binary_search_by(|symbol| symbol.name.cmp(entry));
        at.map(|at| SymbolId(at as u32)).map_err(|_| LoadError::Entry { name: entry.clone() })
    };
    executable.entries.iter().map(find).collect()
}

#[cfg(test)]
mod tests;
