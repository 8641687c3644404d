//! Interned texts: every name and string of a program as a small number.
//!
//! Deliberately absent: forgetting a text; a program has a fixed number of them.

use std::collections::HashMap;
use std::sync::Arc;

/// A name or string of a program. Two ids of one program are equal just when their texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId(u32);

impl NameId {
    /// The id that stands as the operand of a loaded instruction.
    pub(super) const fn from_operand(operand: u32) -> Self {
        Self(operand)
    }

    /// The id as the operand of a loaded instruction.
    pub(super) const fn to_operand(self) -> u32 {
        self.0
    }

    /// The id as an index into tables that have a row for each text.
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The texts of a program by id, and their ids by text.
#[derive(Debug, Clone, Default)]
pub struct Names {
    texts: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, NameId>,
}

impl Names {
    /// No texts yet, and room for so many.
    pub(super) fn with_capacity(texts: usize) -> Self {
        Self { texts: Vec::with_capacity(texts), ids: HashMap::with_capacity(texts) }
    }

    /// The id of a text, which is added when it is new.
    pub(super) fn intern(&mut self, text: &Arc<str>) -> NameId {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = NameId(self.texts.len() as u32);
        self.texts.push(text.clone());
        self.ids.insert(text.clone(), id);
        id
    }

    /// The id of a text, if the program has it.
    pub fn get(&self, text: &str) -> Option<NameId> {
        self.ids.get(text).copied()
    }

    /// The text of an id of the same program.
    pub fn text(&self, id: NameId) -> &Arc<str> {
        &self.texts[id.index()]
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }
}
