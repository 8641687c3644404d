//! How long lexing, parsing and digesting of the sources in a directory take, on one core.
//!
//! Deliberately absent: reading files, storing and generating. `cargo xtask bench` runs this with its own sources:
//! `cargo bench --bench front -- DIRECTORY` prints the seconds that 100 MB take.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::time::Instant;

use toy::compile::Fingerprinter;

/// So many bytes are gone through in each round.
const BYTES: usize = 100_000_000;
/// The fastest of so many rounds counts: whatever else the machine does only adds to the time.
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let mut sources = Vec::new();
    for entry in fs::read_dir(directory.ok_or("name a directory with sources")?)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "toy") {
            sources.push(fs::read_to_string(path)?);
        }
    }
    if sources.iter().all(String::is_empty) {
        return Err("there is no source in the directory".into());
    }
    let fastest = (0..ROUNDS).map(|_| round(&sources)).fold(f64::INFINITY, f64::min);
    println!("{fastest:.4}");
    Ok(())
}

/// The seconds for [`BYTES`] bytes.
fn round(sources: &[String]) -> f64 {
    let mut bytes = 0;
    let mut fingerprinter = Fingerprinter::default();
    let start = Instant::now();
    for source in sources.iter().cycle() {
        let parsed = toy::syntax::parse(black_box(source));
        black_box(fingerprinter.unit(&parsed.unit));
        bytes += source.len();
        if bytes >= BYTES {
            break;
        }
    }
    start.elapsed().as_secs_f64() * BYTES as f64 / bytes as f64
}
