//! The edge: takes the arguments apart, calls a verb, and shows what it gives back.
//!
//! One executable is all the tools: the name that it is called by, or the first argument, says which.
//! Exit status: 0 done, 1 a problem in the input or a trap, 2 wrong usage; decided here and nowhere else.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::{Arg, ArgMatches, Args, Command, CommandFactory as _, FromArgMatches, Parser};

pub mod check;
pub mod compile;
pub mod completions;
pub mod convert;
pub mod depfile;
pub mod dump;
pub mod fmt;
pub mod gc;
pub mod inputs;
pub mod jobs;
pub mod link;
pub mod links;
pub mod lints;
pub mod man;
pub mod merge;
pub mod place;
pub mod run;
mod shown;
pub mod strip;
pub mod ui;

use ui::{Done, Failure, Ui};

/// A program repository for the Toy language: compiles every procedure once, wherever that was.
#[derive(Debug, Parser)]
#[command(name = "toy", version, subcommand_required = true, arg_required_else_help = true)]
#[command(
    after_help = "Called by the name of one of its tools (toycc, toystrip, toymerge, toyld, toylink, toyvm, toygc, toyfmt), it is \
that tool; `toy links --install DIR` makes the names. Exit status: 0 done, 1 a problem in the input or an uncaught error of the program, 2 wrong usage."
)]
struct Toy {}

/// Options of every verb.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Write the report as one JSON object to standard output
    #[arg(long, help_heading = "Output")]
    json: bool,

    /// Write no report, only problems
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,

    /// Colour problems: always, never, or on a terminal (NO_COLOR turns it off)
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    color: ui::Color,
}

/// The arguments of a verb, and what it does with them.
trait Verb: Args {
    /// Carries the verb out. Problems that leave a result go into [`Done`], others are the error.
    fn run(&self, ui: &Ui) -> Result<Done, Failure>;

    /// The arguments as they are meant, where they were taken for something else.
    fn reread(_: &ArgMatches, _: &[OsString]) -> Option<Vec<OsString>> {
        None
    }
}

/// A verb: its name, the names of the tool that it is, and how to build and run it.
struct Entry {
    name: &'static str,
    applets: &'static [&'static str],
    augment: fn(Command) -> Command,
    reread: fn(&ArgMatches, &[OsString]) -> Option<Vec<OsString>>,
    run: fn(&ArgMatches, &Ui) -> Result<Done, Failure>,
}

const fn entry<V: Verb>(name: &'static str, applets: &'static [&'static str]) -> Entry {
    Entry {
        name,
        applets,
        augment: V::augment_args,
        reread: V::reread,
        run: |matches, ui| V::from_arg_matches(matches).map_err(Failure::Usage)?.run(ui),
    }
}

/// Every verb and every name of it.
static VERBS: &[Entry] = &[
    entry::<compile::CompileArgs>("compile", &["toycc"]),
    entry::<strip::StripArgs>("strip", &["toystrip"]),
    entry::<merge::MergeArgs>("merge", &["toymerge"]),
    entry::<link::LinkArgs>("link", &["toyld", "toylink"]),
    entry::<run::RunArgs>("run", &["toyvm"]),
    entry::<gc::GcArgs>("gc", &["toygc"]),
    entry::<check::CheckArgs>("check", &[]),
    entry::<convert::ConvertArgs>("convert", &[]),
    entry::<fmt::FmtArgs>("fmt", &["toyfmt"]),
    entry::<dump::DumpArgs>("dump", &[]),
    entry::<links::LinksArgs>("links", &[]),
    entry::<completions::CompletionsArgs>("completions", &[]),
    entry::<man::ManArgs>("man", &[]),
];

/// The names under which the executable is one of its tools.
pub fn applets() -> impl Iterator<Item = &'static str> {
    VERBS.iter().flat_map(|verb| verb.applets).copied()
}

/// The names under which the executable is this verb.
pub fn applets_of(verb: &str) -> &'static [&'static str] {
    VERBS.iter().find(|entry| entry.name == verb).map_or(&[], |entry| entry.applets)
}

fn verb_command(verb: &Entry, name: &'static str) -> Command {
    let shown = if name == verb.name { format!("toy {name}") } else { name.to_owned() };
    // As in any tool chain, the last of an option that is given again counts.
    let command = Command::new(name).bin_name(&shown).display_name(shown);
    let command = command.version(env!("CARGO_PKG_VERSION")).args_override_self(true);
    let command = (verb.augment)(command);
    let about = command.get_about().cloned().unwrap_or_default();
    // The options of every verb come last, and bring their own description, which is not the verb's.
    Common::augment_args(command).about(about).mut_args(without_empty_variable)
}

/// An environment variable that is set to nothing counts as one that is not set.
fn without_empty_variable(argument: Arg) -> Arg {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    if argument.get_env().is_some_and(is_empty) { argument.env(Resettable::Reset) } else { argument }
}

/// The whole command line of `toy`.
pub fn command() -> Command {
    VERBS.iter().fold(Toy::command(), |toy, verb| {
        let hidden = verb.applets.iter().map(|applet| verb_command(verb, applet).hide(true));
        toy.subcommand(verb_command(verb, verb.name)).subcommands(hidden)
    })
}

/// The verb that has this name, as a verb or as a tool.
fn lookup(name: &str) -> Option<(&'static Entry, &'static str)> {
    let verb = VERBS.iter().find(|verb| verb.name == name).map(|verb| (verb, verb.name));
    verb.or_else(|| applet(name))
}

/// The tool that has this name.
fn applet(name: &str) -> Option<(&'static Entry, &'static str)> {
    VERBS.iter().find_map(|verb| Some((verb, *verb.applets.iter().find(|applet| **applet == name)?)))
}

/// The tool that an executable of this path is, if its name without `.exe` says that it is one.
fn applet_of(path: &Path) -> Option<(&'static Entry, &'static str)> {
    let name = path.file_name()?.to_str()?;
    applet(name.strip_suffix(".exe").unwrap_or(name))
}

/// Does what the arguments say; the first of them is the name that the executable was called by.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = arguments.into_iter().collect::<Vec<_>>();
    match dispatch(&arguments) {
        Ok(code) => code,
        // Help and version are done, everything else is wrong usage.
        Err(error) => {
            // A standard output that nobody reads is no failure.
            _ = error.print();
            ExitCode::from(if error.use_stderr() { 2 } else { 0 })
        }
    }
}

fn dispatch(arguments: &[OsString]) -> Result<ExitCode, clap::Error> {
    if let Some((verb, name)) = arguments.first().and_then(|called| applet_of(Path::new(called))) {
        return execute(verb, name, arguments);
    }
    // Only this verb's part of the command line is built: that of all takes longer than a small file's compilation.
    if let Some((verb, name)) = arguments.get(1).and_then(|name| lookup(name.to_str()?)) {
        return execute(verb, name, &arguments[1..]);
    }
    // Without a verb there is help or the version to be shown, or something is wrong.
    let no_verb = || command().error(clap::error::ErrorKind::MissingSubcommand, "no verb was given");
    Err(command().try_get_matches_from(arguments).err().unwrap_or_else(no_verb))
}

fn execute(verb: &Entry, name: &'static str, arguments: &[OsString]) -> Result<ExitCode, clap::Error> {
    let mut matches = verb_command(verb, name).try_get_matches_from(arguments)?;
    if let Some(arguments) = (verb.reread)(&matches, arguments) {
        matches = verb_command(verb, name).try_get_matches_from(arguments)?;
    }
    let ui = Ui::new(&Common::from_arg_matches(&matches)?);
    match (verb.run)(&matches, &ui) {
        Err(Failure::Usage(error)) => Err(error),
        result => Ok(ExitCode::from(ui.finish(result))),
    }
}

/// The size of a file in bytes; of a file that is not there, 0.
fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
mod tests;
