//! The link map: what lies where in an executable, whence it came, and who needed it.

use std::fmt;
use std::sync::Arc;

use super::reach::Reached;
use crate::digest::{BuildId, FragmentDigest};
use crate::name::Name;
use crate::object::executable::Executable;

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
    name: Name,
    source: Arc<str>,
    line: u32,
    referrer: Option<Name>,
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
            let referrer = referrer.as_ref().map_or("(entry point)", Name::as_str);
            writeln!(f, "{address:>8} {bytes:>7}  {fragment:.16}  {name:24} {place:24} {referrer}")?;
        }
        Ok(())
    }
}

pub(super) fn map(symbols: &[&Reached<'_>], executable: &Executable) -> LinkMap {
    let mut addresses = Vec::with_capacity(executable.sections.len());
    let mut end = 0;
    for section in &executable.sections {
        addresses.push(end);
        end += section.text.len();
    }
    let mut symbols = symbols.to_vec();
    symbols.sort_by_key(|symbol| symbol.body);
    let row = |Reached { defined, body, referrer }: &Reached<'_>| Row {
        address: addresses[*body as usize],
        bytes: executable.sections[*body as usize].text.len(),
        fragment: defined.definition.fragment,
        name: defined.definition.name.clone(),
        source: Arc::clone(defined.module.compilation.source()),
        line: defined.definition.line,
        referrer: referrer.cloned(),
    };
    LinkMap {
        build: executable.build_id(),
        entries: executable.entries.clone(),
        rows: symbols.into_iter().map(row).collect(),
    }
}
