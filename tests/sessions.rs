//! Runs transcripts: every text in `fixtures/sessions`, and every document whose `console` blocks show the tools.
//!
//! A text is Markdown. Its fenced blocks are carried out from top to bottom in a directory of its own:
//!
//! - a block with a file name, such as ```` ```toy main.toy ````, writes that file;
//! - a comment `<!-- files: fixtures/sample -->` copies the files of that directory;
//! - a comment `<!-- seal: repo.yaml -->` gives a file that was edited the digest that fits its bytes;
//! - a comment `<!-- run: COMMAND -->` runs a command that readers need not see;
//! - in a `console` block, each line that starts with `$ ` is a command for `sh` (lines with `> ` right below it
//!   continue it), and one with a word in front, such as `host $ `, is run in the directory of that name. The lines
//!   below are all that the command writes, to both streams. The last of them is `[exit N]` when the exit status is
//!   not 0. `[..]` stands for anything within a line, and a line `…` for any lines.
//!
//! Each text in `fixtures/sessions` is carried out a second time with databases for repositories, and must come out the
//! same. A comment `<!-- only yaml: REASON -->` says why a whole text is left out there, and
//! `<!-- next only yaml: REASON -->` why the next block is.
//!
//! `UPDATE=1 cargo test --test sessions` writes what was expected anew; read it before it is committed.

#[path = "sessions/document.rs"]
mod document;
#[path = "sessions/on_database.rs"]
mod on_database;
#[path = "sessions/shell.rs"]
mod shell;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use document::{Document, matches};
use libtest_mimic::{Arguments, Failed, Trial};
use shell::Shell;

fn main() -> io::Result<()> {
    let arguments = Arguments::from_args();
    // The commands beside ours, such as `sed -i`, are those of Linux.
    if cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    install(tools.path())?;
    let mut trials = Vec::new();
    for directory in [SESSIONS, "docs", "."] {
        for file in markdown(&root.join(directory))? {
            let document = Document::read(&file)?;
            if !document.has_commands() {
                continue;
            }
            let name = file.strip_prefix(root).unwrap_or(&file).with_extension("").display().to_string();
            let tools = tools.path().to_owned();
            if directory == SESSIONS && !document.is_only_yaml() {
                let (name, file, tools) = (format!("{name}, on databases"), file.clone(), tools.clone());
                trials.push(Trial::test(name, move || check_on_database(&file, &tools)));
            }
            trials.push(Trial::test(name, move || check(&file, &tools)));
        }
    }
    trials.push(Trial::test("runner::placeholders", placeholders));
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(tools);
    conclusion.exit()
}

/// Where texts are that were written as tests.
const SESSIONS: &str = "fixtures/sessions";

/// Makes the links of all tools.
fn install(directory: &Path) -> io::Result<()> {
    let toy = env!("CARGO_BIN_EXE_toy");
    let status = Command::new(toy).args(["links", "--quiet", "--install"]).arg(directory).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("`toy links --install` failed")) }
}

/// The Markdown files of a directory, sorted; none if there is no such directory.
fn markdown(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(directory) else { return Ok(Vec::new()) };
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    Ok(files)
}

/// Carries a text out, and holds what is written against what it says.
fn check(file: &Path, tools: &Path) -> Result<(), Failed> {
    let mut document = Document::read(file)?;
    let shell = Shell::new(tools, "")?;
    let mut differences = String::new();
    for step in document.steps()? {
        let Some(command) = shell.carry_out(&step)? else { continue };
        let expected = document.expected(command);
        let actual = shell.run(&command.line, command.directory.as_deref())?;
        if !matches(&expected, &actual) {
            differences.push_str(&difference(command.number, &command.line, &expected, &actual));
            document.set_actual(command, &actual);
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        return Ok(document.write()?);
    }
    if differences.is_empty() { Ok(()) } else { Err(format!("{}{differences}", file.display()).into()) }
}

/// Carries a text out on databases, and holds what is written against what it says, but for sizes.
fn check_on_database(file: &Path, tools: &Path) -> Result<(), Failed> {
    let document = Document::read(file)?;
    let shell = Shell::new(tools, on_database::PRELUDE)?;
    let mut differences = String::new();
    for step in document.steps()? {
        let step = on_database::step(step);
        let Some(command) = shell.carry_out(&step)? else { continue };
        if command.is_only_yaml {
            continue;
        }
        let normal =
            |lines: Vec<String>| lines.iter().map(|line| on_database::normal(line)).collect::<Vec<_>>();
        let expected = normal(document.expected(command));
        let actual = normal(shell.run(&command.line, command.directory.as_deref())?);
        if !matches(&expected, &actual) {
            differences.push_str(&difference(command.number, &command.line, &expected, &actual));
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(format!("{}{differences}", file.display()).into()) }
}

fn difference(number: usize, line: &str, expected: &[String], actual: &[String]) -> String {
    let (expected, actual) = (expected.join("\n"), actual.join("\n"));
    format!("\nline {number}: $ {line}\n--- expected:\n{expected}\n--- came:\n{actual}\n")
}

/// The runner itself: what stands for anything does, and nothing else does.
fn placeholders() -> Result<(), Failed> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (expected, actual, same) in [
        ("toy [..]", "toy 0.1.0", true),
        ("toy [..]!", "toy 0.1.0", false),
        ("[..] of [..]", "1 of 2", true),
        ("a\n…\nd", "a\nb\nc\nd", true),
        ("a\n…\nd", "a\nb\nc", false),
        ("…", "", true),
        ("a\n\n", "a", true),
        ("a\nb", "a", false),
        ("a", "b", false),
    ] {
        if matches(&lines(expected), &lines(actual)) != same {
            return Err(format!("`{expected}` against `{actual}`").into());
        }
    }
    Ok(())
}
