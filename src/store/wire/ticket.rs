//! `NAME.to`.

use std::path::Path;

use serde::Deserialize;

use super::emit::Emitter;
use crate::digest::CompilationId;
use crate::object::compilation::Ticket;
use crate::store::error::StoreError;
use crate::store::file;
use crate::store::seal::{self, Kind};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketWire {
    compilation: CompilationId,
}

/// The bytes of a ticket's file.
pub fn to_yaml(ticket: &Ticket) -> String {
    let mut yaml = Emitter::default();
    yaml.plain(0, "compilation", ticket.compilation);
    seal::seal(Kind::Ticket, &yaml.into_text(), 1)
}

/// Reads the bytes of a ticket's file.
pub fn from_yaml(path: &Path, bytes: &[u8]) -> Result<Ticket, StoreError> {
    let unsealed = seal::unseal(Kind::Ticket, path, bytes)?;
    let wire: TicketWire = unsealed.parse(Kind::Ticket)?;
    unsealed.expect_entries(Kind::Ticket, 1)?;
    Ok(Ticket { compilation: wire.compilation })
}

/// Writes a ticket in place of what is at `path`.
pub fn write(path: &Path, ticket: &Ticket) -> Result<(), StoreError> {
    seal::write(Kind::Ticket, path, to_yaml(ticket).as_bytes())
}

/// Reads the ticket at `path`.
pub fn read(path: &Path) -> Result<Ticket, StoreError> {
    let missing = || StoreError::NotFound {
        what: "ticket",
        path: path.to_owned(),
        help: "`toy compile` makes it from the source",
    };
    from_yaml(path, &file::read(path)?.ok_or_else(missing)?)
}
