//! Executables: a linked program.

use std::fmt;
use std::ops::{Deref, Range};
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
    pub text: Text,
}

/// The bytes of a text section. Many may share one piece of memory, which nobody can change.
#[derive(Clone)]
pub struct Text {
    memory: Arc<Vec<u8>>,
    range: Range<u32>,
}

impl Text {
    /// A part of a piece of memory; of what lies outside of it, nothing.
    pub fn part(memory: &Arc<Vec<u8>>, range: Range<u32>) -> Self {
        Self { memory: Arc::clone(memory), range }
    }
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.get(self.range.start as usize..self.range.end as usize).unwrap_or_default()
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len() as u32;
        Self { memory: Arc::new(bytes), range }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
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
        let mut hasher = self.hash_names();
        hasher.u32(self.sections.len() as u32);
        for section in &self.sections {
            hasher.digest(section.fragment.digest());
            hasher.bytes(&section.text);
        }
        hasher.u32(self.strings.len() as u32);
        self.strings.iter().for_each(|string| hasher.text(string));
        BuildId::new(hasher.finish())
    }

    /// The same for who has spelled sections and strings already, just as they are hashed.
    pub fn build_id_of<'s>(&self, spelled: impl Iterator<Item = &'s Vec<u8>>) -> BuildId {
        let mut hasher = self.hash_names();
        spelled.for_each(|bytes| hasher.spelled(bytes));
        BuildId::new(hasher.finish())
    }

    fn hash_names(&self) -> Hasher {
        let mut hasher = Hasher::new("toy.executable", 1);
        hasher.u32(self.entries.len() as u32);
        self.entries.iter().for_each(|entry| hasher.text(entry.as_str()));
        hasher.u32(self.symbols.len() as u32);
        for symbol in &self.symbols {
            hasher.text(symbol.name.as_str());
            hasher.u32(symbol.section);
            hasher.digest(symbol.compilation.digest());
        }
        hasher
    }
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
