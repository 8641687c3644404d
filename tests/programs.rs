//! Runs every program in `fixtures/programs`, and every example of `docs/language.md`, as a test of its own.
//!
//! A program `NAME.toy` stands beside what it writes: `NAME.out`, and `NAME.trap` or `NAME.trace` if it traps or
//! traces. `UPDATE=1` rewrites these. It reads `NAME.in`. One of its first two lines may be
//! `# limits: steps=N stack=N memory=N`, another `# arguments: …`. It runs without optimisation and with it, to the same
//! end, unless one of these lines is `# redefines operators` or `# counts what is in execution`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use toy::compile::{self, Known, LineTables, Optimization};
use toy::isa::builtin::Builtin;
use toy::link::{self, Unresolved};
use toy::name::Name;
use toy::object::executable::Executable;
use toy::source::SourceFile;
use toy::store::Repository;
use toy::store::wire::executable::{self, Format};
use toy::vm::machine::{Machine, Native, Options, Status, Stop, Streams};
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

/// Compiles, links and runs a source text without and with optimisation; gives what happens without.
fn run(source: &str, input: &[u8]) -> Result<Outcome, Failed> {
    let plain = run_compiled(source, Optimization::Without, input)?;
    let optimized = run_compiled(source, Optimization::With, input)?;
    if !source.lines().take(2).any(|line| DIFFERENT.contains(&line)) {
        same("optimized", &comparable(&optimized), "not optimized", &comparable(&plain))?;
    }
    Ok(plain)
}

/// What a program has in its first lines that is not to do the same when it is optimised.
const DIFFERENT: [&str; 2] = ["# redefines operators", "# counts what is in execution"];

/// What optimisation does not change. Operators with their blocks in place find no procedures on the operand stack,
/// what has no effect does not fill it, steps are fewer, so that a limit is reached elsewhere, and a trace shows other
/// instructions.
fn comparable(outcome: &Outcome) -> Outcome {
    let mut outcome = outcome.clone();
    outcome.remove("trace");
    if let Some(trap) = outcome.get_mut("trap") {
        let limits = ["limitcheck", "stackoverflow", "execstackoverflow"];
        let is_limit = limits.iter().any(|error| trap.starts_with(&format!("error: {error}\n")));
        let is_same = |line: &&str| !(line.starts_with("stack: ") || is_limit && line.starts_with("in: "));
        *trap = trap.lines().filter(is_same).map(|line| format!("{line}\n")).collect();
    }
    outcome
}

/// Compiles, links and runs a source text: interpreted at full speed, in native code, and step by step.
fn run_compiled(source: &str, optimization: Optimization, input: &[u8]) -> Result<Outcome, Failed> {
    let executable = link(source, optimization)?;
    let program = Program::load(&executable)?;
    let options = Options { native: Native::Never, ..options(source) };
    let at_full_speed = execute(&program, &options, input, |machine, streams| machine.run(streams))?;
    let by_steps = execute(&program, &options, input, |machine, streams| {
        while machine.step(streams)? == Status::Running {
            assert!(machine.place().is_some() && machine.instruction().is_some());
        }
        Ok(())
    })?;
    let options = Options { native: Native::Always, ..options };
    let native = execute(&program, &options, input, |machine, streams| machine.run(streams))?;
    same("in native code", &native, "at full speed", &at_full_speed)?;
    same("by steps", &by_steps, "at full speed", &at_full_speed)?;
    Ok(at_full_speed)
}

fn execute(
    program: &Program,
    options: &Options,
    mut input: &[u8],
    drive: impl Fn(&mut Machine, &mut Streams<'_>) -> Result<(), Stop>,
) -> Result<Outcome, Failed> {
    let (mut out, mut trace) = (Vec::new(), Vec::new());
    let mut machine = Machine::new(program, program.entries()[0], options);
    let mut streams = Streams { input: &mut input, output: &mut out, trace: &mut trace };
    let trap = match drive(&mut machine, &mut streams) {
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

/// The limits and arguments that the first lines of a source text set.
fn options(source: &str) -> Options {
    let mut options = Options::default();
    let line = |start| source.lines().take(2).find_map(|line| line.strip_prefix(start)).unwrap_or_default();
    options.arguments = line("# arguments: ").split_whitespace().map(|word| word.into()).collect();
    let settings = line("# limits: ");
    for setting in settings.split_whitespace() {
        match setting.split_once('=').expect("NAME=NUMBER") {
            ("steps", number) => options.limits.max_steps = Some(number.parse().unwrap()),
            ("stack", number) => options.limits.max_stack = number.parse().unwrap(),
            ("memory", number) => options.limits.max_memory = number.parse().unwrap(),
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
    let input = path.with_extension("in");
    let input = if input.exists() { fs::read(input)? } else { Vec::new() };
    let found = run(&fs::read_to_string(path)?, &input)?;
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
            same("found", &run(&source, b"")?, "in the manual", &expected)
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

/// Compiles and links a source text, in a repository of each kind, with the same result; so it is after it went
/// through a file of each form.
fn link(source: &str, optimization: Optimization) -> Result<Executable, Failed> {
    let directory = tempfile::tempdir()?;
    let executable = link_in(&Repository::in_memory(), source, optimization)?;
    for name in ["repo.yaml", "repo.tdb"] {
        let in_file = Repository::open_or_empty(&directory.path().join(name));
        assert_eq!(link_in(&in_file, source, optimization)?, executable, "{name}");
    }
    for format in [Format::Yaml, Format::Binary] {
        let bytes = executable::to_bytes(&executable, format)?;
        assert_eq!(executable::from_bytes(Path::new("main.tx"), &bytes)?, executable);
    }
    Ok(executable)
}

fn link_in(repository: &Repository, source: &str, optimization: Optimization) -> Result<Executable, Failed> {
    let sources = [SourceFile { name: "main.toy".into(), text: source.into() }];
    let options = compile::Options { line_tables: LineTables::With, known: Known::Reuse, optimization };
    let mut compiled = compile::compile(repository, &sources, options)?;
    let unit = compiled.units.remove(0).map_err(|errors| format!("{errors:?}"))?;
    let inputs = [link::Input { origin: "main.to".into(), ticket: unit.ticket }];
    let options = link::Options {
        entries: Name::new("main").into_iter().collect(),
        unresolved: Unresolved::Error,
        map: false,
    };
    let linked = link::link(&*repository.read()?, &inputs, &options);
    Ok(linked.map_err(|errors| format!("{errors:?}"))?.image.executable()?)
}
