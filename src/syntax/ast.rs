//! The tree of one source file, kept flat: a block is an item that tells how many of the next items are in it.

use std::ops::Range;

use crate::source::Span;

/// A parsed source file. Borrows names and strings from the source text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Unit<'s> {
    /// The definitions, in source order.
    pub procedures: Vec<Procedure<'s>>,
    /// The bodies of all procedures, one after the other.
    pub items: Vec<Item<'s>>,
}

/// One definition, `name { … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Procedure<'s> {
    /// The procedure's name.
    pub name: &'s str,
    /// Where the name stands.
    pub name_span: Span,
    /// The body's place in [`Unit::items`].
    pub body: Range<usize>,
}

/// One thing in a body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item<'s> {
    /// What it is.
    pub kind: ItemKind<'s>,
    /// Where it stands; of a block, its opening brace.
    pub span: Span,
}

/// The kinds of things in a body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ItemKind<'s> {
    /// A number; always finite.
    Number(f64),
    /// A string, without its quotes.
    String(&'s str),
    /// `true` or `false`.
    Boolean(bool),
    /// A name to execute.
    Name(&'s str),
    /// A block in braces; the next so many items, those of inner blocks included, are in it.
    Block(u32),
}

impl<'s> Unit<'s> {
    /// The items of a procedure's body.
    pub fn body(&self, procedure: &Procedure<'s>) -> &[Item<'s>] {
        &self.items[procedure.body.clone()]
    }
}
