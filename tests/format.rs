//! Runs the formatter over `fixtures/format`: each text, `NAME.toy`, beside what becomes of it, `NAME.out`.
//!
//! Every other source in the repository, those in documents included, is formatted too, and held to the laws.
//! `UPDATE=1 cargo test` writes the expectations anew; read them before they are committed.

#[path = "common/formatted.rs"]
mod formatted;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libtest_mimic::{Arguments, Failed, Trial};
use toy::format::format;
use toy::syntax::parse;

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = files_below(&root.join("fixtures/format"), "toy")?;
    let mut trials = fixtures.iter().map(|file| trial(root, file, check_fixture)).collect::<Vec<_>>();
    let below = ["fixtures", "benches", "xtask", "fuzz"].map(|directory| root.join(directory));
    for directory in below {
        let sources = files_below(&directory, "toy")?;
        trials.extend(sources.iter().map(|file| trial(root, file, check_source)));
    }
    for file in files_below(&root.join("docs"), "md")? {
        trials.push(trial(root, &file, check_document));
    }
    trials.push(Trial::test("the_sample_is_formatted", the_sample_is_formatted));
    trials.push(Trial::test("check_complains_of_what_changes", check_complains_of_what_changes));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trial(root: &Path, file: &Path, check: fn(&Path) -> Result<(), Failed>) -> Trial {
    let name = file.strip_prefix(root).unwrap_or(file).with_extension("").display().to_string();
    let file = file.to_owned();
    Trial::test(name, move || check(&file))
}

/// The files below a directory with this ending, sorted; none if there is no such directory.
fn files_below(directory: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(directory).sort_by_file_name() {
        let path = entry?.into_path();
        if path.extension().is_some_and(|found| found == ending) {
            files.push(path);
        }
    }
    Ok(files)
}

fn check_fixture(file: &Path) -> Result<(), Failed> {
    let actual = format(&fs::read_to_string(file)?).map_err(|errors| format!("{errors:?}"))?;
    let expectation = file.with_extension("out");
    if std::env::var_os("UPDATE").is_some() {
        return Ok(fs::write(expectation, actual)?);
    }
    let expected = fs::read_to_string(&expectation)?;
    if expected == actual {
        return Ok(());
    }
    Err(format!("{} expects\n{expected}\nbut this came\n{actual}", expectation.display()).into())
}

fn check_source(file: &Path) -> Result<(), Failed> {
    // Damaged sources are fixtures too.
    if let Ok(text) = String::from_utf8(fs::read(file)?) {
        formatted::check(&text);
    }
    Ok(())
}

/// The examples of a document, whatever they are written in; those that are no Toy have mistakes.
fn check_document(file: &Path) -> Result<(), Failed> {
    for block in fs::read_to_string(file)?.split("```").skip(1).step_by(2) {
        formatted::check(block.split_once('\n').map_or("", |(_, text)| text));
    }
    Ok(())
}

/// What people read first is written as the formatter would.
fn the_sample_is_formatted() -> Result<(), Failed> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sample");
    for file in files_below(&directory, "toy")? {
        let text = fs::read_to_string(&file)?;
        assert_eq!(parse(&text).errors, []);
        assert_eq!(format(&text).unwrap_or_default(), text, "{}", file.display());
    }
    Ok(())
}

/// `toy fmt --check` names the sources that `toy fmt` changes, and no others, and changes none itself.
fn check_complains_of_what_changes() -> Result<(), Failed> {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut sources = Vec::new();
    for file in files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), "toy")? {
        let Ok(before) = fs::read_to_string(file) else { continue };
        let Ok(after) = format(&before) else { continue };
        let path = directory.path().join(format!("{}.toy", sources.len()));
        fs::write(&path, &before)?;
        sources.push((path, before, after));
    }
    let changed = sources.iter().filter(|(_, before, after)| before != after).count();
    assert!(0 < changed && changed < sources.len(), "{changed} of {}", sources.len());
    let checked = toy(directory.path(), &["fmt", "--check", "."])?;
    assert_eq!(checked.status.code(), Some(1));
    let diffs = String::from_utf8(checked.stdout)?;
    for (path, before, after) in &sources {
        assert_eq!(&fs::read_to_string(path)?, before);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        assert_eq!(diffs.contains(&format!("--- {name}\n")), before != after, "{name}");
    }
    assert!(toy(directory.path(), &["fmt", "-q", "."])?.status.success());
    for (path, _, after) in &sources {
        assert_eq!(&fs::read_to_string(path)?, after);
    }
    let checked = toy(directory.path(), &["fmt", "--check", "."])?;
    assert!(checked.status.success() && checked.stdout.is_empty() && checked.stderr.is_empty());
    Ok(())
}

fn toy(directory: &Path, arguments: &[&str]) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_toy")).args(arguments).current_dir(directory).output()
}
