//! Link: makes one executable of what tickets name, straight from the repository.
//!
//! Deliberately absent: files. What comes in are tickets and a view, what goes out is a value.

use std::fmt;
use std::sync::Arc;

use crate::name::Name;
use crate::object::compilation::Ticket;
use crate::store::View;
use crate::store::wire::executable::Image;

mod chunk;
mod emit;
pub mod error;
mod layout;
pub mod map;
mod names;
mod reach;
mod resolve;
mod strings;
mod undefined;

pub use error::LinkError;
pub use map::LinkMap;
use reach::Program;
use resolve::Definitions;

/// A ticket to link, with the name of its file for messages.
#[derive(Debug, Clone)]
pub struct Input {
    /// The ticket's file.
    pub origin: Arc<str>,
    /// The ticket.
    pub ticket: Ticket,
}

/// What becomes of a name that code executes and nobody defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unresolved {
    /// It is an error.
    #[default]
    Error,
    /// It is told, and left to run time.
    Warn,
    /// It is left to run time.
    Ignore,
}

/// How to link.
#[derive(Debug, Clone)]
pub struct Options {
    /// The entry points; the program starts at the first.
    pub entries: Vec<Name>,
    /// What becomes of undefined names.
    pub unresolved: Unresolved,
    /// Whether a map is wanted.
    pub map: bool,
}

/// What linking made.
#[derive(Debug)]
pub struct Linked {
    /// The program.
    pub image: Image,
    /// What lies where, and why, if it was wanted.
    pub map: Option<LinkMap>,
    /// Undefined names that were left to run time.
    pub warnings: Vec<LinkError>,
    /// What nobody needs any more.
    pub remains: Remains,
}

/// What the program was made of. It is much memory, best given back while something else is waited for.
pub struct Remains(#[allow(dead_code, reason = "it is kept only to be dropped")] (Definitions, Program));

impl fmt::Debug for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remains")
    }
}

/// Links `inputs` with what `view` holds. The result does not depend on the order of the inputs.
/// All errors of a phase are told at once.
pub fn link(view: &dyn View, inputs: &[Input], options: &Options) -> Result<Linked, Vec<LinkError>> {
    let modules = resolve::load(view, inputs)?;
    let definitions = resolve::define(modules)?;
    let program = reach::reach(view, &definitions, &options.entries)?;
    let warnings = undefined::undefined(view, &program, &definitions, options.unresolved)?;
    let symbols = layout::layout(&program, &definitions);
    let image = emit::emit(&program, &definitions, &symbols, &options.entries)?;
    let map = options.map.then(|| map::map(&program, &definitions, &symbols, &image));
    Ok(Linked { image, map, warnings, remains: Remains((definitions, program)) })
}
