//! toyvm (toy run): executes a program.

use std::ffi::OsString;
use std::io::{self, BufWriter, IsTerminal as _, LineWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use clap::{ArgMatches, Args};
use miette::{Report, Severity};
use serde_json::{Value, json};

use super::Verb;
use super::place::locate;
use super::ui::{Done, Failure, Ui};
use crate::object::executable::Executable;
use crate::profile::Sampler;
use crate::store::file::directory;
use crate::store::wire::executable;
use crate::vm::machine::{Limits, Machine, Native, Options, Stop, Streams};
use crate::vm::program::{LoadError, Program, SymbolId};
use crate::vm::trap::Trap;

mod debug_info;
mod problem;
mod profile;

use debug_info::DebugInfo;
use problem::{NO_LINES, NoSuchProcedure, TrapProblem, Unreadable, no_repository};
use profile::{Lines, ProfileFile, Profiled, Profiling};

/// Execute a program
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The executable
    #[arg(value_name = "FILE")]
    executable: PathBuf,

    /// What the operator `arguments` gives the program; from the first that is no option of ours on, or after `--`
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,

    /// Start at this procedure instead of the first entry point
    #[arg(long, value_name = "NAME")]
    entry: Option<String>,

    /// Tell every step on standard error
    #[arg(long)]
    trace: bool,

    /// Tell what took the time, on standard error; or write it to a page (`FILE.html`) or as folded stacks (`FILE.folded`)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_parser = ProfileFile::parse)]
    profile: Option<Option<ProfileFile>>,

    /// Stop after so many steps
    #[arg(long, value_name = "N")]
    max_steps: Option<u64>,

    /// The greatest height of each stack
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_stack)]
    max_stack: usize,

    /// How much memory the program's dictionaries, arrays and strings may take, such as `64M` or `2G`
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size)]
    max_memory: usize,

    /// When the program is translated for the processor
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    native: When,

    /// The repository with the line tables [default: one beside the executable, or in the current directory]
    #[arg(short, long, value_name = "FILE", env = "TOY_REPOSITORY")]
    repository: Option<PathBuf>,
}

/// When a program is translated for the processor, as the command line has it.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum When {
    /// What is executed often
    Auto,
    /// All that can be, before it is executed
    Always,
    /// Nothing
    Never,
}

impl From<When> for Native {
    fn from(when: When) -> Self {
        match when {
            When::Auto => Self::Auto,
            When::Always => Self::Always,
            When::Never => Self::Never,
        }
    }
}

/// A number of bytes, with or without a unit.
fn size(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G']);
    let shift = match &text[digits.len()..] {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        _ => return Err("one of K, M and G may follow the number".to_owned()),
    };
    let number = digits.parse::<usize>().map_err(|_| "write a number of bytes, such as 64M".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "so many bytes there cannot be".to_owned())
}

/// What the program wrote, when it is to be in the report.
type Output = Vec<u8>;

impl Verb for RunArgs {
    fn run(&self, ui: &Ui) -> Result<Done, Failure> {
        let executable = executable::read(&self.executable)?;
        let program = Program::load(&executable)?;
        let start = self.start(&program)?;
        let alarm = AtomicBool::new(false);
        let mut machine = Machine::new(&program, start, &self.options());
        let profiling = self.profile.as_ref().map(|file| self.profiling(&executable, file.as_ref()));
        let mut profile = None;
        let run = |streams: &mut Streams<'_>| match &profiling {
            None => machine.run(streams),
            Some(profiling) => {
                let line_of = |place| profiling.line(place);
                let (stop, found) = Sampler::new(&alarm, &line_of).run(&mut machine, start, streams);
                profile = Some(found);
                stop
            }
        };
        let (stop, output) = if ui.is_json() { capture(run) } else { stream(run) };
        // Also of what could not write its output to the end.
        let profiled = profiling.zip(profile).map(|(profiling, profile)| profiling.finish(profile));
        let trap = match stop {
            Ok(()) => None,
            Err(Stop::Trap(trap)) => Some(*trap),
            Err(Stop::Output(error) | Stop::Trace(error)) => return Err(Failure::Output(error)),
            Err(Stop::Input(error)) => return Err(Unreadable { error }.into()),
        };
        let mut json = report(&machine, &output, trap.as_ref());
        let mut done = Done::new(Value::Null, String::new());
        done.problems.extend(trap.map(|trap| self.problem(trap, &executable)));
        if let Some(Profiled { json: profile, summary, problem }) = profiled {
            json["profile"] = profile;
            done.problems.extend(problem);
            done.aside = summary;
        }
        Ok(Done { json, ..done })
    }

    fn reread(matches: &ArgMatches, arguments: &[OsString]) -> Option<Vec<OsString>> {
        let is_alone = matches.contains_id("profile") && matches.get_one::<ProfileFile>("profile").is_none();
        if is_alone { profile::joined(arguments) } else { None }
    }
}

/// Writes the program's output to standard output, all of it before anything is said about an error.
fn stream(run: impl FnOnce(&mut Streams<'_>) -> Result<(), Stop>) -> (Result<(), Stop>, Output) {
    let out = io::stdout().lock();
    // Who watches a program wants to see each line when it is written.
    let stop = if out.is_terminal() {
        drive(run, &mut LineWriter::new(out))
    } else {
        drive(run, &mut BufWriter::with_capacity(1 << 16, out))
    };
    (stop, Output::new())
}

fn capture(run: impl FnOnce(&mut Streams<'_>) -> Result<(), Stop>) -> (Result<(), Stop>, Output) {
    let mut out = Output::new();
    (drive(run, &mut out), out)
}

fn drive(run: impl FnOnce(&mut Streams<'_>) -> Result<(), Stop>, out: &mut dyn Write) -> Result<(), Stop> {
    let mut trace = BufWriter::new(io::stderr());
    let mut input = io::stdin().lock();
    let stop = run(&mut Streams { input: &mut input, output: out, trace: &mut trace });
    let flushed = out.flush().map_err(Stop::Output).and(trace.flush().map_err(Stop::Trace));
    stop.and(flushed)
}

fn report(machine: &Machine<'_>, output: &Output, trap: Option<&Trap>) -> Value {
    let trap = trap.map(|trap| {
        let calls = trap.calls.iter().map(|call| &*call.name).collect::<Vec<_>>();
        json!({ "error": trap.error.name(), "operator": &*trap.operator, "calls": calls, "stack": trap.stack })
    });
    json!({ "output": String::from_utf8_lossy(output), "steps": machine.steps(), "trap": trap })
}

impl RunArgs {
    fn start(&self, program: &Program) -> Result<SymbolId, Failure> {
        let names = || program.entries().iter().map(|entry| program.symbol_name(*entry).to_string());
        let Some(name) = &self.entry else {
            return Ok(program.entries().first().copied().ok_or(LoadError::NoEntry)?);
        };
        let unknown = || NoSuchProcedure {
            name: name.clone(),
            help: format!("the entry points are: {}", names().collect::<Vec<_>>().join(", ")),
        };
        Ok(program.symbol(name).ok_or_else(unknown)?)
    }

    fn options(&self) -> Options {
        let limits =
            Limits { max_steps: self.max_steps, max_stack: self.max_stack, max_memory: self.max_memory };
        let arguments = self.arguments.iter().map(|argument| argument.as_encoded_bytes().to_vec()).collect();
        Options { limits, trace: self.trace, native: self.native.into(), arguments }
    }

    /// What is known of some symbols of the program.
    fn debug_info<'s>(&self, executable: &Executable, symbols: impl Iterator<Item = &'s str>) -> DebugInfo {
        DebugInfo::find(self.repository.as_deref(), &self.homes(), executable, symbols)
    }

    /// Where the repository may be.
    fn homes(&self) -> [PathBuf; 2] {
        [directory(&self.executable).to_owned(), PathBuf::from(".")]
    }

    /// Where sources may be.
    fn sources(&self) -> Vec<PathBuf> {
        let beside = self.repository.as_deref().map(|path| directory(path).to_owned());
        self.homes().into_iter().chain(beside).collect()
    }

    fn profiling<'e>(&self, executable: &'e Executable, file: Option<&'e ProfileFile>) -> Profiling<'e> {
        let symbols = executable.symbols.iter().map(|symbol| symbol.name.as_str());
        let info = self.debug_info(executable, symbols);
        let lines = Lines::new(&info, executable);
        let note =
            if info.is_empty() { no_repository(self.repository.as_deref()) } else { NO_LINES.to_owned() };
        let program = self.executable.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Profiling { program, executable, sources: self.sources(), lines, note, file }
    }

    fn problem(&self, trap: Trap, executable: &Executable) -> Report {
        let info = self.debug_info(executable, trap.calls.iter().map(|call| call.symbol.as_str()));
        let marks =
            trap.place().and_then(|call| info.mark(call, &trap.operator)).into_iter().collect::<Vec<_>>();
        let problem = TrapProblem::new(trap, &info, self.repository.as_deref());
        locate(problem.into(), Severity::Error, &marks, &self.sources())
    }
}
