//! The heap: all dictionaries of a running program, and the collection of those out of reach.
//!
//! Dictionaries name each other by id, so no chain of them, however long, is ever walked by recursion.

use super::dictionary::{Dictionary, Key};
use super::value::Value;

/// A dictionary of a running program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DictionaryId(u32);

/// So many new dictionaries and entries are made, at least, between two collections.
const PAUSE: usize = 1 << 20;

/// All dictionaries of a running program.
#[derive(Debug)]
pub(super) struct Heap {
    dictionaries: Vec<Dictionary>,
    free: Vec<DictionaryId>,
    /// Dictionaries and entries made since the last collection.
    fresh: usize,
    /// A collection is due when `fresh` reaches this.
    pause: usize,
}

impl Heap {
    pub(super) fn new() -> Self {
        Self { dictionaries: Vec::new(), free: Vec::new(), fresh: 0, pause: PAUSE }
    }

    /// Makes an empty dictionary.
    pub(super) fn allocate(&mut self) -> DictionaryId {
        self.fresh += 1;
        self.free.pop().unwrap_or_else(|| {
            self.dictionaries.push(Dictionary::default());
            DictionaryId(self.dictionaries.len() as u32 - 1)
        })
    }

    pub(super) fn get(&self, id: DictionaryId) -> &Dictionary {
        &self.dictionaries[id.0 as usize]
    }

    pub(super) fn insert(&mut self, id: DictionaryId, key: Key, value: Value) {
        let is_new = self.dictionaries[id.0 as usize].insert(key, value);
        self.fresh += usize::from(is_new);
    }

    /// Whether enough was made to look for what is out of reach.
    pub(super) fn is_due(&self) -> bool {
        self.fresh >= self.pause
    }

    /// Frees every dictionary that cannot be reached from the roots.
    pub(super) fn collect(&mut self, roots: impl Iterator<Item = Value>) {
        let reached = self.reach(roots);
        let mut live = 0;
        self.free.clear();
        for (at, dictionary) in self.dictionaries.iter_mut().enumerate() {
            if reached[at] {
                live += 1 + dictionary.entries().len();
            } else {
                *dictionary = Dictionary::default();
                self.free.push(DictionaryId(at as u32));
            }
        }
        self.fresh = 0;
        self.pause = live.max(PAUSE);
    }

    /// Which dictionaries the roots reach, by index.
    fn reach(&self, roots: impl Iterator<Item = Value>) -> Vec<bool> {
        let mut reached = vec![false; self.dictionaries.len()];
        let mut waiting = Vec::new();
        let mut note = |value, waiting: &mut Vec<DictionaryId>| {
            if let Value::Dictionary(id) = value
                && !std::mem::replace(&mut reached[id.0 as usize], true)
            {
                waiting.push(id);
            }
        };
        roots.for_each(|root| note(root, &mut waiting));
        while let Some(id) = waiting.pop() {
            for (key, value) in self.get(id).entries() {
                note((*key).into(), &mut waiting);
                note(*value, &mut waiting);
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_frees_what_is_out_of_reach_and_nothing_else() {
        let mut heap = Heap::new();
        let [root, as_key, as_value, lost, lost_too] = std::array::from_fn(|_| heap.allocate());
        let value = Value::Dictionary;
        heap.insert(root, value(as_key).into(), Value::Number(1.0));
        heap.insert(as_key, Value::Number(1.0).into(), value(as_value));
        heap.insert(as_value, Value::Number(1.0).into(), value(root));
        heap.insert(lost, Value::Number(1.0).into(), value(lost_too));
        heap.insert(lost_too, Value::Number(1.0).into(), value(lost));
        heap.collect([value(root), Value::Number(0.0)].into_iter());
        assert_eq!(heap.free, [lost, lost_too]);
        assert!(heap.get(lost).entries().is_empty());
        assert_eq!(heap.get(as_value).get(Value::Number(1.0).into()), Some(value(root)));
        assert_eq!(heap.allocate(), lost_too);
    }

    #[test]
    fn a_long_chain_is_reached_and_dropped_without_recursion() {
        let mut heap = Heap::new();
        let first = heap.allocate();
        let mut last = first;
        for _ in 0..300_000 {
            let next = heap.allocate();
            heap.insert(last, Value::Boolean(true).into(), Value::Dictionary(next));
            last = next;
        }
        heap.collect(std::iter::once(Value::Dictionary(first)));
        assert!(heap.free.is_empty());
    }
}
