//! The link map: what lies where in an executable, whence it came, and who needed it.

use std::fmt;
use std::sync::Arc;

use super::reach::{Program, Reached};
use super::resolve::Definitions;
use crate::digest::{BuildId, FragmentDigest};
use crate::name::Name;
use crate::store::wire::executable::Image;

/// A listing of an executable for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkMap {
    build: BuildId,
    entries: Vec<Name>,
    rows: Vec<Row>,
}

/// A symbol. Addresses and sizes are in bytes of the text sections; symbols with the same code have the same address.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    address: usize,
    bytes: usize,
    fragment: FragmentDigest,
    name: Arc<str>,
    source: Arc<str>,
    line: u32,
    referrer: Option<Arc<str>>,
}

impl fmt::Display for LinkMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
        writeln!(f, "build {}\nentry points {entries}\n", self.build)?;
        writeln!(
            f,
            "{:>8} {:>7}  {:16}  {:24} {:24} needed by",
            "address", "bytes", "fragment", "symbol", "defined at"
        )?;
        for Row { address, bytes, fragment, name, source, line, referrer } in &self.rows {
            let place = format!("{source}:{line}");
            let referrer = referrer.as_deref().unwrap_or("(entry point)");
            writeln!(f, "{address:>8} {bytes:>7}  {fragment:.16}  {name:24} {place:24} {referrer}")?;
        }
        Ok(())
    }
}

pub(super) fn map(
    program: &Program,
    definitions: &Definitions,
    symbols: &[Reached],
    image: &Image,
) -> LinkMap {
    let mut addresses = Vec::with_capacity(program.bodies.len());
    let mut end = 0;
    for body in &program.bodies {
        addresses.push(end);
        end += program.code(*body).len();
    }
    let mut symbols = symbols.to_vec();
    symbols.sort_by_key(|symbol| symbol.body);
    let row = |Reached { number, body, referrer }: Reached| Row {
        address: addresses[body as usize],
        bytes: program.code(program.bodies[body as usize]).len(),
        fragment: definitions.outlined(number).fragment,
        name: definitions.name(number).into(),
        source: Arc::clone(definitions.module(number).outline.source()),
        line: definitions.outlined(number).line,
        referrer: referrer.map(|number| definitions.name(number).into()),
    };
    LinkMap {
        build: image.build_id(),
        entries: image.names.entries().to_vec(),
        rows: symbols.into_iter().map(row).collect(),
    }
}
