//! One bit of a database is flipped, and a process of its own walks it: does it tell, is it wrong, or does it die?

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{CANDIDATES, Candidate, Result, records};

/// So many bits are tried, evenly over the pages' beginnings, where their structure is.
const FLIPS: usize = 1200;
const PAGE: usize = 4096;
const HEADER: usize = 64;

/// Holds a body against its digest; the bodies of the bench are their digests repeated.
pub fn hold(digest: &[u8], body: &[u8]) -> Result<()> {
    let fits = digest.len() == 32 && body.iter().zip(digest.iter().cycle()).all(|(a, b)| a == b);
    if fits { Ok(()) } else { Err("a body does not fit its digest".into()) }
}

/// Walks a database in this process: prints what it found, or fails.
pub fn walk(name: &str, path: &Path) -> Result<()> {
    let candidate =
        CANDIDATES.iter().find(|candidate| candidate.name() == name).ok_or("no such candidate")?;
    println!("{}", candidate.walk(path)?);
    Ok(())
}

/// A row of the table.
pub fn row(candidate: &dyn Candidate) -> Result<String> {
    let directory = tempfile::tempdir()?;
    let (whole, flipped) = (directory.path().join("whole"), directory.path().join("flipped"));
    candidate.add(&whole, &records(0, 1000))?;
    let right = candidate.walk(&whole)?.to_string();
    let bytes = fs::read(&whole)?;
    let [mut told, mut harmless, mut wrong, mut killed] = [0; 4];
    for flip in 0..FLIPS {
        let mut bytes = bytes.clone();
        let at = flip * (bytes.len() / PAGE) / FLIPS * PAGE + flip * 7 % HEADER;
        bytes[at] ^= 1 << (flip % 8);
        fs::write(&flipped, bytes)?;
        let mut command = Command::new("timeout");
        command.arg("10").arg(std::env::current_exe()?).args(["walk", candidate.name()]).arg(&flipped);
        let output = command.output()?;
        match output.status.code() {
            Some(0) if output.stdout.trim_ascii() == right.as_bytes() => harmless += 1,
            Some(0) => wrong += 1,
            Some(1) => told += 1,
            _ => killed += 1,
        }
    }
    Ok(format!("| {} | {told} | {harmless} | {wrong} | {killed} |", candidate.name()))
}
