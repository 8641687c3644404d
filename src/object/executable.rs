//! Executables: a linked program.

use std::sync::Arc;

use crate::digest::{BuildId, CompilationId, FragmentDigest, Hasher};
use crate::name::Name;

/// A linked program. Debug information stays in the repository: a symbol names the compilation that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// Entry points; the program starts at the first.
    pub entries: Vec<Name>,
    /// The program's names, in ascending order.
    pub symbols: Vec<Symbol>,
    /// The code, in address order. Symbols with the same fragment share a section.
    pub sections: Vec<Section>,
    /// The strings and names that the instructions of all sections refer to by index, in order of first use.
    pub strings: Vec<Arc<str>>,
}

/// A name in an executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// The procedure's name.
    pub name: Name,
    /// Index of its code in [`Executable::sections`].
    pub section: u32,
    /// The compilation that tells where it was defined.
    pub compilation: CompilationId,
}

/// One fragment's code in an executable, relocated: its operands are indices into [`Executable::strings`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The fragment that the code was copied from.
    pub fragment: FragmentDigest,
    /// The instructions, as `isa::codec` writes them.
    pub text: Vec<u8>,
}

impl Executable {
    /// The symbol of this name.
    pub fn symbol(&self, name: &str) -> Option<&Symbol> {
        self.symbols
            .binary_search_by(|symbol| symbol.name.as_str().cmp(name))
            .ok()
            .map(|at| &self.symbols[at])
    }

    /// The compilations that symbols name, in ascending order.
    pub fn compilations(&self) -> Vec<CompilationId> {
        let all = self.symbols.iter().map(|symbol| symbol.compilation);
        // Few are distinct: to sort them all would take longer.
        let mut distinct = all.collect::<foldhash::HashSet<_>>().into_iter().collect::<Vec<_>>();
        distinct.sort_unstable();
        distinct
    }

    /// The digest of everything in the executable.
    pub fn build_id(&self) -> BuildId {
        let mut hasher = hasher(&self.entries, self.symbols.len());
        for symbol in &self.symbols {
            hasher.text(symbol.name.as_str());
            hasher.u32(symbol.section);
            hasher.digest(symbol.compilation.digest());
        }
        hasher.u32(self.sections.len() as u32);
        for section in &self.sections {
            hasher.digest(section.fragment.digest());
            hasher.bytes(&section.text);
        }
        hasher.u32(self.strings.len() as u32);
        self.strings.iter().for_each(|string| hasher.text(string));
        BuildId::new(hasher.finish())
    }
}

/// What build ids are made with, up to the first of so many symbols.
pub fn hasher(entries: &[Name], symbols: usize) -> Hasher {
    let mut hasher = Hasher::new("toy.executable", 1);
    hasher.u32(entries.len() as u32);
    entries.iter().for_each(|entry| hasher.text(entry.as_str()));
    hasher.u32(symbols as u32);
    hasher
}

/// The strings of an executable, each once, in order of first use.
#[derive(Debug, Default)]
pub struct Strings {
    all: Vec<Arc<str>>,
    indices: foldhash::HashMap<Arc<str>, u32>,
}

impl Strings {
    /// The index of a string, which is added when it is new.
    pub fn intern(&mut self, string: &str) -> u32 {
        if let Some(index) = self.indices.get(string) {
            return *index;
        }
        let (string, index) = (Arc::<str>::from(string), self.all.len() as u32);
        self.all.push(Arc::clone(&string));
        self.indices.insert(string, index);
        index
    }

    /// The strings by index.
    pub fn into_vec(self) -> Vec<Arc<str>> {
        self.all
    }
}
