//! Interned texts: every name and string of a program, and every string that is a key, as a small number.
//!
//! Two ids of one program are equal just when their texts are.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

/// A name or string of a program, or a string that is a key of a dictionary.
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
    ids: HashMap<Arc<str>, NameId, RandomState>,
}

impl Names {
    /// No texts yet, and room for so many.
    pub(super) fn with_capacity(texts: usize) -> Self {
        Self {
            texts: Vec::with_capacity(texts),
            ids: HashMap::with_capacity_and_hasher(texts, RandomState::default()),
        }
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

/// The texts of a running program: those that it was loaded with, and those that have become keys since.
#[derive(Debug)]
pub struct Texts<'p> {
    names: &'p Names,
    /// The texts made at run time; their ids follow those of `names`. What was forgotten is empty.
    own: Vec<Box<[u8]>>,
    ids: HashMap<Box<[u8]>, NameId, RandomState>,
    free: Vec<NameId>,
}

impl<'p> Texts<'p> {
    /// The texts of a loaded program.
    pub(super) fn new(names: &'p Names) -> Self {
        Self { names, own: Vec::new(), ids: HashMap::default(), free: Vec::new() }
    }

    /// The bytes of a text.
    pub fn bytes(&self, id: NameId) -> &[u8] {
        match id.index().checked_sub(self.names.len()) {
            None => self.names.text(id).as_bytes(),
            Some(own) => &self.own[own],
        }
    }

    /// The id of a text, if there is one.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<NameId> {
        let loaded = std::str::from_utf8(bytes).ok().and_then(|text| self.names.get(text));
        loaded.or_else(|| self.ids.get(bytes).copied())
    }

    /// The id of a text that there is no id of yet.
    pub(super) fn add(&mut self, bytes: &[u8]) -> NameId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.own.push(Box::default());
            NameId((self.len() - 1) as u32)
        });
        self.own[id.index() - self.names.len()] = bytes.into();
        self.ids.insert(bytes.into(), id);
        id
    }

    /// How many ids there are.
    pub(super) fn len(&self) -> usize {
        self.names.len() + self.own.len()
    }

    /// Forgets the texts made at run time that are not `kept`; gives their ids to `forgotten`. Tells how many bytes
    /// are left.
    pub(super) fn retain(&mut self, kept: &[bool], mut forgotten: impl FnMut(NameId)) -> usize {
        let loaded = self.names.len();
        self.ids.retain(|_, id| kept[id.index()]);
        let mut left = 0;
        self.free.clear();
        for (at, text) in self.own.iter_mut().enumerate() {
            let id = NameId((loaded + at) as u32);
            if kept[id.index()] {
                left += cost(text);
            } else {
                *text = Box::default();
                self.free.push(id);
                forgotten(id);
            }
        }
        left
    }
}

/// What a text made at run time takes, in bytes: its copies, and a row in each table.
pub(super) const fn cost(bytes: &[u8]) -> usize {
    2 * bytes.len() + 128
}
