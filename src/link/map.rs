//! The link map: what lies where in an executable, whence it came, and who needed it.

use std::fmt;
use std::fmt::Write as _;

use super::layout::Layout;
use super::reach::Program;
use crate::digest::BuildId;
use crate::object::executable::Executable;

/// A listing of an executable for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkMap {
    build: BuildId,
    entries: String,
    rows: String,
}

impl fmt::Display for LinkMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "build {}\nentry points {}\n", self.build, self.entries)?;
        writeln!(
            f,
            "{:>8} {:>7}  {:16}  {:24} {:24} needed by",
            "address", "bytes", "fragment", "symbol", "defined at"
        )?;
        f.write_str(&self.rows)
    }
}

/// Addresses and sizes are in bytes of the text sections; symbols with the same code have the same address.
pub(super) fn map(program: &Program<'_>, layout: &Layout<'_>, executable: &Executable) -> LinkMap {
    let mut addresses = Vec::with_capacity(executable.sections.len());
    let mut end = 0;
    for section in &executable.sections {
        addresses.push(end);
        end += section.text.len();
    }
    let mut symbols = layout.symbols.iter().collect::<Vec<_>>();
    symbols.sort_by_key(|(_, section)| *section);
    let mut rows = String::new();
    for (defined, section) in symbols {
        let at = *section as usize;
        let referrer = program.referrers.get(&defined.definition.name).copied().flatten();
        // Writing to a string cannot fail.
        _ = writeln!(
            rows,
            "{:>8} {:>7}  {:.16}  {:24} {:24} {}",
            addresses[at],
            executable.sections[at].text.len(),
            defined.definition.fragment,
            defined.definition.name,
            defined.site().to_string(),
            referrer.map_or("(entry point)", |name| name.as_str()),
        );
    }
    let entries = executable.entries.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    LinkMap { build: executable.build_id(), entries, rows }
}
