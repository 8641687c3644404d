//! toy links: the names under which the executable is one of its tools.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use miette::Diagnostic;
use serde_json::json;
use thiserror::Error;

use super::ui::{Done, Failure, Ui};
use super::{Verb, applets};
use crate::store::file::io_error;

/// List the names of the tools, or make them as links to this executable
#[derive(Debug, Args)]
pub struct LinksArgs {
    /// The directory to make the links in; it is made if there is none
    #[arg(long, value_name = "DIR")]
    install: Option<PathBuf>,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{}` exists, and is no link to this executable", path.display())]
#[diagnostic(code(toy::links::exists), help("remove it, or choose another directory"))]
struct Exists {
    path: PathBuf,
}

impl Verb for LinksArgs {
    fn run(&self, _: &Ui) -> Result<Done, Failure> {
        let mut made = Vec::new();
        if let Some(directory) = &self.install {
            fs::create_dir_all(directory).map_err(io_error("create", directory))?;
            let executable = std::env::current_exe().and_then(fs::canonicalize);
            let executable = executable.map_err(io_error("find", Path::new("toy")))?;
            for name in ["toy"].into_iter().chain(applets()) {
                let link = directory.join(name).with_extension(std::env::consts::EXE_EXTENSION);
                install(&executable, &link)?;
                made.push(link.display().to_string());
            }
        }
        let text = match &self.install {
            Some(directory) => format!("{} links in {}\n", made.len(), directory.display()),
            None => applets().map(|name| format!("{name}\n")).collect(),
        };
        Ok(Done::new(json!({ "applets": applets().collect::<Vec<_>>(), "links": made }), text))
    }
}

/// Makes a link unless it is there already; a file that is something else is left alone.
fn install(executable: &Path, link: &Path) -> Result<(), Failure> {
    if same_file::is_same_file(executable, link).unwrap_or(false) {
        return Ok(());
    }
    if fs::symlink_metadata(link).is_ok_and(|metadata| metadata.is_symlink()) {
        // A link to an executable that was moved or replaced: this one takes its place.
        let points_at_toy =
            fs::read_link(link).is_ok_and(|target| target.file_stem() == executable.file_stem());
        if !points_at_toy {
            return Err(Exists { path: link.to_owned() }.into());
        }
        fs::remove_file(link).map_err(io_error("replace", link))?;
    } else if link.exists() {
        return Err(Exists { path: link.to_owned() }.into());
    }
    Ok(symlink(executable, link).map_err(io_error("create", link))?)
}

#[cfg(unix)]
fn symlink(executable: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(executable, link)
}

#[cfg(not(unix))]
fn symlink(executable: &Path, link: &Path) -> io::Result<()> {
    fs::hard_link(executable, link).or_else(|_| fs::copy(executable, link).map(drop))
}
