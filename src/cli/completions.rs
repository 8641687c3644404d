//! toy completions: a script with which a shell completes command lines.
//!
//! It is made from the definition of the command line, so it knows what the tools know.

use clap::builder::PossibleValuesParser;
use clap::{Args, Command};
use clap_complete::{Shell, generate};
use serde_json::json;

use super::ui::{Done, Failure, Ui};
use super::{Verb, applet, applets, command, verb_command};

/// Write a script with which a shell completes command lines
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,

    /// The tool whose command lines are completed
    #[arg(value_name = "TOOL", default_value = "toy", value_parser = PossibleValuesParser::new(["toy"].into_iter().chain(applets())))]
    tool: String,
}

impl Verb for CompletionsArgs {
    fn run(&self, _: &Ui) -> Result<Done, Failure> {
        let mut script = Vec::new();
        generate(self.shell, &mut self.command(), &self.tool, &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        Ok(Done::new(json!({ "script": script }), script))
    }
}

impl CompletionsArgs {
    fn command(&self) -> Command {
        applet(&self.tool).map_or_else(command, |(verb, name)| verb_command(verb, name))
    }
}
