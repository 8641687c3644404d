//! The bodies of the fuzz targets: whatever the bytes are, a reader takes them or says with a code why not, and what
//! it takes is written and read back the same.
//!
//! `cargo fuzz` drives them, and so does `cargo test --test fuzz`, which needs no other compiler.
//! Deliberately absent: bounds of memory and time; those are set by whoever drives a target.

mod databases;
mod executables;
#[path = "../../tests/common/formatted.rs"]
mod formatted;
mod repositories;
mod sources;

pub use databases::{bucket, database, record};
pub use executables::{binary, body, executable, program};
pub use repositories::{repository, ticket};
pub use sources::{format, source};

use miette::Diagnostic;

/// A target: takes any bytes, and panics when a promise is broken.
pub type Target = fn(&[u8]);

/// All targets, by the names of their directories in `fuzz/corpus`.
/// A new reader, such as one of a binary form, gets its line here and its file in `fuzz_targets`.
pub const TARGETS: [(&str, Target); 11] = [
    ("source", source),
    ("format", format),
    ("repository", repository),
    ("ticket", ticket),
    ("executable", executable),
    ("binary", binary),
    ("program", program),
    ("body", body),
    ("bucket", bucket),
    ("record", record),
    ("database", database),
];

/// Fails unless an error has a code of ours and can be shown.
fn assert_coded(error: &dyn Diagnostic) {
    let code = error.code().map(|code| code.to_string()).unwrap_or_default();
    assert!(code.starts_with("toy::"), "`{error}` has the code `{code}`");
    let mut shown = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
    handler.render_report(&mut shown, error).unwrap();
}
