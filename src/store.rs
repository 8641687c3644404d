//! The repository: where fragments, compilations and link records are kept.
//!
//! [`Repository`] and [`Transaction`] hold the rules; a [`Backend`] only keeps and finds.
//! Nothing above this room can tell which backend is at work.
//! Deliberately absent: the verbs, and what the bytes of a text section mean (only the YAML form knows their listing).

pub mod ahead;
pub mod backend;
#[cfg(test)]
mod conformance;
pub mod contents;
pub mod crew;
pub mod database;
pub mod error;
pub mod file;
mod form;
pub mod gate;
pub mod haul;
pub mod memory;
pub mod places;
pub mod repository;
pub mod salvage;
pub mod seal;
mod shape;
pub mod wire;
pub mod yaml;

pub use backend::{Backend, Batch, Decision, State, View};
pub use crew::Crew;
pub use error::StoreError;
pub use form::Form;
pub use gate::{Company, Gate};
pub use haul::{Found, Haul};
pub use memory::MemoryBackend;
pub use places::{Member, Places};
pub use repository::{Addition, Contained, Entry, Repository, Snapshot, Transaction, read_together};
