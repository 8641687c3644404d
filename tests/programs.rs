//! Runs every program in `fixtures/programs`, and every example of `docs/language.md`, as a test of its own.
//!
//! A program `NAME.toy` stands beside what it writes: `NAME.out`, and `NAME.trap` or `NAME.trace` if it traps or
//! traces. `UPDATE=1` rewrites these. A first line `# limits: steps=N stack=N` sets limits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use toy::digest::{CompilationId, FragmentDigest, Hasher};
use toy::isa::builtin::Builtin;
use toy::isa::codec::encode;
use toy::isa::instruction::Instruction;
use toy::name::Name;
use toy::object::executable::{Executable, Section, Symbol};
use toy::vm::machine::{Limits, Machine, Options, Status, Stop};
use toy::vm::program::Program;

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut trials = programs(&root.join("fixtures/programs"));
    let manual = fs::read_to_string(root.join("docs/language.md")).unwrap().replace("\r\n", "\n");
    trials.extend(examples(&manual));
    trials.push(Trial::test("manual::every operator has a section", move || every_operator(&manual)));
    libtest_mimic::run(&arguments, trials).exit();
}

/// What a run leaves behind, by file ending; nothing for what is empty.
type Outcome = BTreeMap<&'static str, String>;

/// Compiles, links and runs a source text, once at full speed and once step by step.
fn run(source: &str) -> Result<Outcome, Failed> {
    let executable = link(source)?;
    let program = Program::load(&executable)?;
    let at_full_speed = execute(&program, &options(source), |machine, out, trace| machine.run(out, trace))?;
    let by_steps = execute(&program, &options(source), |machine, out, trace| {
        while machine.step(out, trace)? == Status::Running {
            assert!(machine.place().is_some() && machine.instruction().is_some());
        }
        Ok(())
    })?;
    same("by steps", &by_steps, "at full speed", &at_full_speed)?;
    Ok(at_full_speed)
}

fn execute(
    program: &Program,
    options: &Options,
    drive: impl Fn(&mut Machine, &mut Vec<u8>, &mut Vec<u8>) -> Result<(), Stop>,
) -> Result<Outcome, Failed> {
    let (mut out, mut trace) = (Vec::new(), Vec::new());
    let mut machine = Machine::new(program, program.entries()[0], options);
    let trap = match drive(&mut machine, &mut out, &mut trace) {
        Ok(()) => String::new(),
        Err(Stop::Trap(trap)) => trap.summary(),
        Err(other) => return Err(other.into()),
    };
    assert_eq!(machine.status() == Status::Done, trap.is_empty());
    assert_eq!(machine.activations().count() == 0, trap.is_empty());
    let mut outcome = Outcome::from([
        ("out", String::from_utf8(out)?),
        ("trace", String::from_utf8(trace)?),
        ("trap", trap),
    ]);
    outcome.retain(|_, text| !text.is_empty());
    Ok(outcome)
}

/// The limits that the first line of a source text sets.
fn options(source: &str) -> Options {
    let mut options = Options { limits: Limits::default(), trace: false };
    let settings = source.lines().next().and_then(|line| line.strip_prefix("# limits: ")).unwrap_or_default();
    for setting in settings.split_whitespace() {
        match setting.split_once('=').expect("NAME=NUMBER") {
            ("steps", number) => options.limits.max_steps = Some(number.parse().unwrap()),
            ("stack", number) => options.limits.max_stack = number.parse().unwrap(),
            (name, _) => panic!("no limit is called {name}"),
        }
    }
    options
}

fn same(this: &str, found: &Outcome, that: &str, expected: &Outcome) -> Result<(), Failed> {
    if found == expected {
        return Ok(());
    }
    let mut message = String::new();
    for (outcome, name) in [(found, this), (expected, that)] {
        for (ending, text) in outcome {
            message.push_str(&format!("--- {name}, {ending}:\n{text}"));
        }
    }
    Err(message.into())
}

/// One test for each program of the directory.
fn programs(directory: &Path) -> Vec<Trial> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|ext| ext == "toy")).collect();
    files.sort();
    let trial = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Trial::test(format!("programs::{name}"), move || check_program(&path))
    };
    files.into_iter().map(trial).collect()
}

fn check_program(path: &Path) -> Result<(), Failed> {
    let found = run(&fs::read_to_string(path)?)?;
    let mut expected = Outcome::new();
    for ending in ["out", "trace", "trap"] {
        let file = path.with_extension(ending);
        if std::env::var_os("UPDATE").is_some() {
            match found.get(ending) {
                Some(text) => fs::write(&file, text)?,
                None if file.exists() => fs::remove_file(&file)?,
                None => {}
            }
        }
        if file.exists() {
            expected.insert(ending, fs::read_to_string(&file)?);
        }
    }
    same("found", &found, "expected", &expected)
}

/// One test for each example of the manual: a `toy` block, directly followed by the blocks of what it writes.
fn examples(manual: &str) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut section = "";
    let mut lines = manual.lines().zip(1..).peekable();
    while let Some((line, number)) = lines.next() {
        section = line.strip_prefix('#').map_or(section, |title| title.trim_start_matches('#').trim());
        if line != "```toy" {
            continue;
        }
        let mut block = || {
            let body = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```");
            let text: String = body.map(|line| format!("{line}\n")).collect();
            let next = lines.peek().map_or("", |(line, _)| *line);
            let ending = match next {
                "```output" => Some("out"),
                "```trap" => Some("trap"),
                "```trace" => Some("trace"),
                _ => None,
            };
            if ending.is_some() {
                lines.next();
            }
            (text, ending)
        };
        let (source, mut ending) = block();
        let mut expected = Outcome::new();
        while let Some(this) = ending {
            let (text, next) = block();
            expected.insert(this, text);
            ending = next;
        }
        trials.push(Trial::test(format!("manual::{section}, line {number}"), move || {
            if expected.is_empty() {
                return Err("the example does not say what it writes".into());
            }
            same("found", &run(&source)?, "in the manual", &expected)
        }));
    }
    trials
}

/// Fails when an operator has no section, or one whose effect or meaning is not the table's.
fn every_operator(manual: &str) -> Result<(), Failed> {
    let mut missing = Vec::new();
    for operator in Builtin::ALL {
        let (name, effect) = (operator.name(), operator.effect());
        let start = format!("### {name}\n\n`{effect}`\n\n{}", operator.summary());
        if !manual.contains(&start) {
            missing.push(format!("no section of the manual starts\n\n{start}\n"));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n").into()) }
}

/// Turns a source text into an executable: a small stand-in for the compiler and the linker.
fn link(source: &str) -> Result<Executable, Failed> {
    let mut strings: Vec<Arc<str>> = Vec::new();
    let mut procedures: BTreeMap<&str, Vec<Instruction>> = BTreeMap::new();
    let (mut name, mut body, mut open): (_, Vec<Instruction>, Vec<usize>) = (None, Vec::new(), Vec::new());
    let mut called = Vec::new();
    let mut rest = source;
    let index = |text: &str, strings: &mut Vec<Arc<str>>| {
        let at = strings.iter().position(|known| &**known == text).unwrap_or_else(|| {
            strings.push(text.into());
            strings.len() - 1
        });
        at as u32
    };
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' => 2 + rest[1..].find('"').ok_or("a string is not closed")?,
            c if c.is_ascii_alphabetic() => {
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            c if c.is_ascii_digit() || "+-.".contains(c) => number_length(rest),
            c => c.len_utf8(),
        };
        let (token, tail) = rest.split_at(length);
        rest = tail;
        match first {
            '#' | ' ' | '\n' | '\r' | '\t' => continue,
            '{' if name.is_none() => return Err("a block outside of every procedure".into()),
            '{' => {
                if !open.is_empty() {
                    body.push(Instruction::Block(0));
                }
                open.push(body.len());
            }
            '}' => {
                let start = open.pop().ok_or("a brace too many")?;
                match start.checked_sub(1).filter(|_| !open.is_empty()) {
                    Some(block) => body[block] = Instruction::Block((body.len() - start) as u32),
                    None => {
                        let name = name.take().ok_or("a body without a name")?;
                        if procedures.insert(name, std::mem::take(&mut body)).is_some() {
                            return Err(format!("{name} is there twice").into());
                        }
                    }
                }
            }
            _ if open.is_empty() => name = Some(token),
            '"' => body.push(Instruction::String(index(&token[1..length - 1], &mut strings))),
            c if c.is_ascii_alphabetic() => body.push(match token {
                "true" | "false" => Instruction::Boolean(token == "true"),
                _ => {
                    called.push(token);
                    Instruction::Call(index(token, &mut strings))
                }
            }),
            _ => body.push(Instruction::Number(token.parse()?)),
        }
    }
    for token in called {
        let is_string = |at| body_strings(&procedures).any(|string| string == at);
        let is_known = procedures.contains_key(token) || Builtin::lookup(token).is_some();
        if !is_known && !is_string(index(token, &mut strings)) {
            return Err(format!("{token} is an unresolved reference").into());
        }
    }
    let digest = Hasher::new("test", 1).finish();
    let mut sections: Vec<Section> = Vec::new();
    let mut symbols = Vec::new();
    for (name, body) in procedures {
        let mut text = Vec::new();
        body.into_iter().for_each(|instruction| encode(instruction, &mut text));
        let section = sections.iter().position(|section| section.text == text).unwrap_or_else(|| {
            sections.push(Section { fragment: FragmentDigest::new(digest), text });
            sections.len() - 1
        });
        let name = Name::new(name).ok_or_else(|| format!("{name} is no name"))?;
        symbols.push(Symbol { name, section: section as u32, compilation: CompilationId::new(digest) });
    }
    Ok(Executable { entries: Name::new("main").into_iter().collect(), symbols, sections, strings })
}

fn body_strings(procedures: &BTreeMap<&str, Vec<Instruction>>) -> impl Iterator<Item = u32> {
    procedures.values().flatten().filter_map(|instruction| match instruction {
        Instruction::String(index) => Some(*index),
        _ => None,
    })
}

/// How many bytes the number at the beginning of `text` takes: all that still are a number.
fn number_length(text: &str) -> usize {
    let is_part = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let longest = text.find(|c| !is_part(c)).unwrap_or(text.len());
    (1..=longest).rev().find(|length| text[..*length].parse::<f64>().is_ok()).unwrap_or(1)
}
