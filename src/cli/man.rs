//! toy man: manual pages, made from the definition of the command line.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;
use serde_json::json;

use super::inputs::count;
use super::ui::{Done, Failure, Ui};
use super::{VERBS, Verb, command, verb_command};
use crate::store::file::{Mode, create_directory, io_error, replace};

/// Write the manual pages of all tools
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The directory for them, such as `~/.local/share/man/man1`; it is made if there is none
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Verb for ManArgs {
    fn run(&self, _: &Ui) -> Result<Done, Failure> {
        create_directory(&self.directory)?;
        let mut pages = vec![self.page("toy", command())?];
        for verb in VERBS {
            pages.push(self.page(&format!("toy-{}", verb.name), verb_command(verb, verb.name))?);
            for applet in verb.applets {
                pages.push(self.page(applet, verb_command(verb, applet))?);
            }
        }
        let text = format!("{} in {}\n", count(pages.len(), "page"), self.directory.display());
        Ok(Done::new(json!({ "pages": pages }), text))
    }
}

impl ManArgs {
    /// Writes a page, and says where.
    fn page(&self, title: &str, command: Command) -> Result<String, Failure> {
        let path = self.directory.join(title).with_extension("1");
        let mut page = Vec::new();
        let man = Man::new(command).title(title.to_uppercase()).manual("Toy");
        man.render(&mut page).map_err(io_error("write", Path::new(title)))?;
        replace(&path, &page, Mode::Plain)?;
        Ok(path.display().to_string())
    }
}
