//! What sources say about names, as far as it can change what other code means.

use std::collections::HashSet;
use std::sync::OnceLock;

use foldhash::fast::FixedState;

use crate::isa::builtin::Builtin;
use crate::syntax::ast::{ItemKind, Unit};

/// The procedure at which programs start, with nothing on the operand stack.
pub(super) const ENTRY: &str = "main";

type Names<'s> = HashSet<&'s str, FixedState>;

/// What one source says about names.
#[derive(Debug)]
pub struct Mentions<'s> {
    /// The names of its procedures and all its strings: what may have a value at run time.
    pub(super) names: Names<'s>,
    /// For each item of the unit the operator that it names.
    pub(super) operators: Vec<Option<Builtin>>,
    /// Operators that have the name of a procedure or the text of a string.
    redefined: Operators,
    /// Operators whose names code executes.
    executed: Operators,
    /// Whether code executes `stopped`, or has its name.
    catches: bool,
    /// Whether code executes the entry point, or has its name.
    calls_entry: bool,
}

impl<'s> Mentions<'s> {
    /// Goes through a source.
    pub fn new(unit: &Unit<'s>) -> Self {
        let names = Names::with_capacity_and_hasher(2 * unit.procedures.len(), FixedState::default());
        let operators = Vec::with_capacity(unit.items.len());
        let [redefined, executed] = [Operators(0); 2];
        let mut mentions = Self { names, operators, redefined, executed, catches: false, calls_entry: false };
        for procedure in &unit.procedures {
            mentions.define(procedure.name);
        }
        for item in &unit.items {
            let operator = match item.kind {
                ItemKind::Name(name) => mentions.execute(name),
                ItemKind::String(text) => {
                    mentions.calls_entry |= text == ENTRY;
                    mentions.define(text);
                    None
                }
                _ => None,
            };
            mentions.operators.push(operator);
        }
        mentions
    }

    fn define(&mut self, name: &'s str) {
        self.names.insert(name);
        if let Some(operator) = Builtin::lookup(name) {
            self.redefined.insert(operator);
            self.catches |= operator == Builtin::Stopped;
        }
    }

    /// Whether optimised code of the source executes the operator, whatever other sources have of its name.
    fn binds(&self, operator: Builtin) -> bool {
        self.executed.has(operator) && !self.redefined.has(operator)
    }

    fn execute(&mut self, name: &str) -> Option<Builtin> {
        let operator = Builtin::lookup(name);
        self.calls_entry |= name == ENTRY;
        self.catches |= operator == Some(Builtin::Stopped);
        operator.into_iter().for_each(|operator| self.executed.insert(operator));
        operator
    }
}

/// When names of operators get their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// When they are executed.
    Late,
    /// When they are compiled, in sources that have no procedure of that name nor a string with it (`-O`).
    Early,
}

/// What all sources of one command say about names. They are likely to become one program.
#[derive(Debug)]
pub struct Together<'m, 's> {
    sources: &'m [&'m Mentions<'s>],
    redefined: Operators,
    /// Whether an error may be caught.
    pub(super) catches: bool,
    /// Whether the entry point may be executed with values on the stack.
    pub(super) calls_entry: bool,
    /// When names of operators get their meaning.
    binding: Binding,
    /// Whether these are all sources of the command, and none is missing because it has mistakes.
    pub(super) is_all: bool,
    names: OnceLock<Names<'s>>,
}

impl<'m, 's> Together<'m, 's> {
    /// Of the sources that are compiled together, as far as they have no mistakes.
    pub fn new(sources: &'m [&'m Mentions<'s>], binding: Binding, is_all: bool) -> Self {
        let redefined = Operators(sources.iter().fold(0, |all, source| all | source.redefined.0));
        let catches = sources.iter().any(|source| source.catches);
        let calls_entry = sources.iter().any(|source| source.calls_entry);
        Self { sources, redefined, catches, calls_entry, binding, is_all, names: OnceLock::new() }
    }

    /// Whether the operator's name may mean something else.
    pub(super) fn redefines(&self, operator: Builtin) -> bool {
        self.redefined.has(operator)
    }

    /// How many sources bind an operator that has the name of a procedure of another.
    pub(super) fn binding(&self, operator: Builtin) -> usize {
        match self.binding {
            Binding::Early => self.sources.iter().filter(|source| source.binds(operator)).count(),
            Binding::Late => 0,
        }
    }

    /// Whether a name of this source may have a value at run time.
    pub(super) fn defines(&self, source: &Mentions<'_>, name: &str) -> bool {
        let all = || self.sources.iter().flat_map(|source| &source.names).copied().collect();
        source.names.contains(name) || self.sources.len() > 1 && self.names.get_or_init(all).contains(name)
    }
}

/// A set of operators.
#[derive(Debug, Clone, Copy)]
struct Operators(u128);

const _: () = assert!(Builtin::ALL.len() <= u128::BITS as usize);

impl Operators {
    const fn has(self, operator: Builtin) -> bool {
        self.0 & (1 << operator as u32) != 0
    }

    fn insert(&mut self, operator: Builtin) {
        self.0 |= 1 << operator as u32;
    }
}
