//! The fuzz targets without a fuzzer: over the committed corpus, over the fixtures, and over what a few changes make
//! of both, the same in each run. Each run keeps within a memory that its input bounds.
//!
//! `cargo fuzz` looks further; CONTRIBUTING.md says how.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use peak_alloc::PeakAlloc;

#[path = "common/mutate.rs"]
mod mutate;
#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "for `cargo fuzz` it is a library")]
mod targets;

use mutate::Mutator;
use targets::{TARGETS, Target};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// So many changed inputs each target is given.
const CHANGED: usize = 400;

/// Larger seeds are left to the fuzzer.
const LARGEST: usize = 16 << 10;

/// What a run may allocate at once: so much, and so much more for each byte of its input.
const BYTES: usize = 1 << 20;
const BYTES_PER_BYTE: usize = 256;

/// The targets that execute programs, and what may be allocated besides to translate a region of one.
const EXECUTE: [&str; 2] = ["source", "program"];
const TRANSLATION: usize = 7 << 20;

/// One target after the other: what is allocated is measured for the whole process.
fn main() {
    let trial = |(name, target): (&'static str, Target)| {
        Trial::test(format!("target::{name}"), move || drive(name, target))
    };
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let mut trials = TARGETS.into_iter().map(trial).collect::<Vec<_>>();
    trials.push(Trial::test("every_target_is_driven", every_target_is_driven));
    libtest_mimic::run(&arguments, trials).exit();
}

fn drive(name: &str, target: Target) -> Result<(), Failed> {
    let seeds = seeds(name);
    if seeds.len() < 3 {
        return Err(format!("{name} has {} seeds", seeds.len()).into());
    }
    for (path, bytes) in &seeds {
        run(name, target, bytes).map_err(|error| format!("{path}: {error}"))?;
    }
    let inputs = seeds.into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
    let mut mutator = Mutator::new(name);
    for round in 0..CHANGED {
        let changed = mutator.change(&inputs);
        run(name, target, &changed).map_err(|error| {
            let file = std::env::temp_dir().join(format!("toy-fuzz-{name}-{round}"));
            _ = fs::write(&file, &changed);
            format!("{}: {error}", file.display())
        })?;
    }
    Ok(())
}

fn run(name: &str, target: Target, bytes: &[u8]) -> Result<(), String> {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    catch_unwind(AssertUnwindSafe(|| target(bytes))).map_err(|_| "it panics".to_owned())?;
    let most = ALLOCATED.peak_usage().saturating_sub(before);
    let translation = if EXECUTE.contains(&name) { TRANSLATION } else { 0 };
    let allowed = BYTES + BYTES_PER_BYTE * bytes.len() + translation;
    if most <= allowed {
        return Ok(());
    }
    Err(format!("{} bytes of input took {most} bytes of memory, more than {allowed}", bytes.len()))
}

/// The committed corpus of a target, and the fixtures that are of its kind; by path.
fn seeds(name: &str) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("fuzz/corpus").join(name);
    let ending = match name {
        "source" | "format" => "toy",
        "repository" => "yaml",
        "ticket" => "to",
        "executable" => "tx",
        _ => "none of the fixtures",
    };
    let below = |directory| walkdir::WalkDir::new(directory).sort_by_file_name();
    let fixtures = below(root.join("fixtures")).into_iter().map(|entry| entry.unwrap().into_path());
    let fixtures = fixtures.filter(|path| path.extension().is_some_and(|found| found == ending));
    let corpus = below(corpus).into_iter().map(|entry| entry.unwrap().into_path());
    let files = corpus.chain(fixtures).filter(|path| path.is_file());
    let seeds = files.map(|path| (path.display().to_string(), fs::read(&path).unwrap()));
    seeds.filter(|(_, bytes)| bytes.len() <= LARGEST).collect()
}

/// Each target has its file for `cargo fuzz`, its manifest entry and its corpus, and the other way round.
fn every_target_is_driven() -> Result<(), Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |directory: &str| {
        let entries = fs::read_dir(root.join(directory)).unwrap().map(|entry| entry.unwrap().path());
        let mut names = entries.map(|path| path.file_stem().unwrap().to_owned()).collect::<Vec<_>>();
        names.sort();
        names
    };
    let mut expected = TARGETS.map(|(name, _)| std::ffi::OsString::from(name)).to_vec();
    expected.sort();
    assert_eq!(names("fuzz_targets"), expected);
    assert_eq!(names("corpus"), expected);
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("\nname = \"{name}\"\n")), "{name} is not in fuzz/Cargo.toml");
    }
    Ok(())
}
