//! Procedure names: the identifiers of the language.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// An identifier: a letter, then letters, digits and underscores (all ASCII), neither `true` nor `false`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// Takes `text` as a name, if it is one.
    pub fn new(text: &str) -> Option<Self> {
        is_name(text).then(|| Self(text.into()))
    }

    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name's text, to be kept by others too.
    pub const fn shared(&self) -> &Arc<str> {
        &self.0
    }
}

/// Whether `text` can be the name of a procedure.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
        && text != "true"
        && text != "false"
}

/// Whether `text` is what a source can execute: a name, or one of the brackets, which are words of their own.
pub fn is_callable(text: &str) -> bool {
    is_name(text) || text == "[" || text == "]"
}

/// The candidate most like `name`, if it takes at most `limit` slips of the pen to come from one to the other.
pub fn nearest<'c>(
    name: &str,
    limit: usize,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    // A slip changes at most two letters of the set.
    let set = letters(name);
    let has_slips = |candidate: &str| ((letters(candidate) ^ set).count_ones() as usize).div_ceil(2);
    let may_be_near =
        |candidate: &&str| candidate.len().abs_diff(name.len()) <= limit && has_slips(candidate) <= limit;
    let near = candidates.into_iter().filter(may_be_near);
    let distances = near.map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate));
    let near = distances.filter(|(distance, near)| *distance <= limit && *distance < near.len());
    near.min().map(|(_, near)| near)
}

/// A set of the letters in a text, as bits; different ones may share a bit.
fn letters(text: &str) -> u32 {
    text.bytes().fold(0, |set, byte| set | 1 << (byte % 32))
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}
