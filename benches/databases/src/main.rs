//! Compares embedded databases as stores of fragments: time, bytes, and what a damaged file does to the process.
//!
//! `cargo run --release --manifest-path benches/databases/Cargo.toml [RECORDS]`; the decision that rests on the
//! figures is in `docs/decisions/0007-database.md`. Deliberately absent: anything of toy's; the records only look
//! like fragments.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

mod damage;
mod lmdb;
mod sqlite;

/// What a benchmark step may fail with.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A digest and a body.
pub type Record = ([u8; 32], Vec<u8>);

/// A database that could keep a repository.
pub trait Candidate: Sync {
    /// How tables call it.
    fn name(&self) -> &'static str;

    /// Adds records, in ascending order of digests, in one transaction that is durable afterwards.
    fn add(&self, path: &Path, records: &[Record]) -> Result<()>;

    /// Adds digests without bodies, in ascending order, in one durable transaction.
    fn add_known(&self, path: &Path, digests: &[[u8; 32]]) -> Result<()>;

    /// Opens the file, sums the lengths of the bodies under these digests, and closes it.
    fn read(&self, path: &Path, digests: &[[u8; 32]]) -> Result<u64>;

    /// Opens the file, walks all records in order, sums the lengths of the bodies, and closes it.
    fn walk(&self, path: &Path) -> Result<u64>;
}

static CANDIDATES: [&dyn Candidate; 3] = [&lmdb::Lmdb, &sqlite::OneTable, &sqlite::Index];

fn main() -> Result<()> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    if let [verb, name, path] = &arguments[..]
        && verb == "walk"
    {
        return damage::walk(name, Path::new(path));
    }
    let records = arguments.first().map_or(Ok(100_000), |number| number.parse())?;
    println!(
        "| {records} records | load | add a tenth | 100 reads | {records} reads | walk | bytes a record | bytes a digest |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for candidate in CANDIDATES {
        println!("{}", row(candidate, records)?);
    }
    println!(
        "\n| 1000 records, one bit flipped | told | harmless | wrong answer | killed the process |\n|---|---|---|---|---|"
    );
    for candidate in CANDIDATES {
        println!("{}", damage::row(candidate)?);
    }
    Ok(())
}

fn row(candidate: &dyn Candidate, number: usize) -> Result<String> {
    let directory = tempfile::tempdir()?;
    let (full, stripped) = (directory.path().join("full"), directory.path().join("stripped"));
    let all = records(0, number);
    let digests = all.iter().map(|(digest, _)| *digest).collect::<Vec<_>>();
    let load = time(|| candidate.add(&full, &all))?;
    let bytes = full.metadata()?.len() as f64 / number as f64;
    let more = time(|| candidate.add(&full, &records(number, number / 10)))?;
    let mut shuffled = records(0, number).into_iter().map(|(digest, _)| digest).collect::<Vec<_>>();
    shuffled.sort_by_key(|digest| blake3::hash(digest).as_bytes().to_owned());
    let few = time(|| candidate.read(&full, &shuffled[..100.min(number)]).map(drop))?;
    let reads = time(|| candidate.read(&full, &shuffled).map(drop))?;
    let walk = time(|| candidate.walk(&full).map(drop))?;
    candidate.add_known(&stripped, &digests)?;
    let known = stripped.metadata()?.len() as f64 / number as f64;
    let name = candidate.name();
    Ok(format!("| {name} | {load} | {more} | {few} | {reads} | {walk} | {bytes:.1} | {known:.1} |"))
}

/// Runs a step and says how long it took.
fn time(step: impl FnOnce() -> Result<()>) -> Result<String> {
    let start = Instant::now();
    step()?;
    Ok(format!("{:.2} ms", start.elapsed().as_secs_f64() * 1e3))
}

/// Records in ascending order of their digests; bodies have the sizes of small procedures.
fn records(from: usize, number: usize) -> Vec<Record> {
    let record = |at: usize| {
        let digest = *blake3::hash(&at.to_le_bytes()).as_bytes();
        let size = 60 + at % 240;
        (digest, digest.iter().copied().cycle().take(size).collect())
    };
    let mut records = (from..from + number).map(record).collect::<Vec<Record>>();
    records.sort();
    records
}
