//! `toy run --profile`: what of a profile is shown, and where.
//!
//! Deliberately absent: how a machine is looked at; that is [`crate::profile`].

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use miette::Report as Problem;
use serde_json::Value;

use crate::object::executable::Executable;
use crate::profile::{Line, Profile};
use crate::store::StoreError;
use crate::store::file::{Mode, replace};
use crate::vm::frame::Place;

mod folded;
mod lines;
mod page;
mod report;
mod summary;

pub(super) use lines::Lines;
use report::Report;

/// A file that a profile is written to.
#[derive(Debug, Clone)]
pub(super) struct ProfileFile {
    path: PathBuf,
    form: Form,
}

/// What is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A page to look at.
    Page,
    /// A line for each stack, as flame graphs are made from it.
    Folded,
}

impl Form {
    /// The form that a file's name asks for.
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "html" | "htm" => Some(Self::Page),
            "folded" | "txt" => Some(Self::Folded),
            _ => None,
        }
    }
}

impl ProfileFile {
    /// A file whose name tells what is to be in it.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        let form = Form::of(Path::new(name));
        let form = form.ok_or("its name ends in `.html` for a page, or in `.folded` for folded stacks")?;
        Ok(Self { path: name.into(), form })
    }

    /// Writes a profile, in place of an older one.
    fn write(&self, report: &Report) -> Result<(), StoreError> {
        let text = match self.form {
            Form::Page => page::page(report),
            Form::Folded => folded::folded(&report.profile),
        };
        replace(&self.path, text.as_bytes(), Mode::Plain)
    }
}

/// What is known of a program that is profiled, and what becomes of the profile.
pub(super) struct Profiling<'e> {
    /// The name of the program's file.
    pub(super) program: String,
    pub(super) executable: &'e Executable,
    /// Where sources may be.
    pub(super) sources: Vec<PathBuf>,
    pub(super) lines: Lines,
    /// What to say if there are no lines.
    pub(super) note: String,
    /// Where the profile goes, if it is not just summed up.
    pub(super) file: Option<&'e ProfileFile>,
}

/// What became of a profile.
pub(super) struct Profiled {
    /// The report for programs.
    pub(super) json: Value,
    /// The report for people, unless it is in a file.
    pub(super) summary: String,
    /// Why it is not in the file.
    pub(super) problem: Option<Problem>,
}

impl Profiling<'_> {
    /// The line of an instruction.
    pub(super) fn line(&self, place: Place) -> Option<Line> {
        self.lines.of(place)
    }

    /// Writes a profile to its file, or sums it up.
    pub(super) fn finish(self, profile: Profile) -> Profiled {
        let report = Report::new(&self, profile);
        let problem = self.file.and_then(|file| file.write(&report).err()).map(Problem::from);
        let summary = if self.file.is_none() { summary::summary(&report) } else { String::new() };
        Profiled { json: report.json(), summary, problem }
    }
}

/// The arguments with `--profile FILE` as `--profile=FILE`, where the name of the file says that it is meant so.
/// `--profile` alone takes no value, so that it cannot take the program for one.
pub(super) fn joined(arguments: &[OsString]) -> Option<Vec<OsString>> {
    let at = arguments.iter().position(|argument| argument == OPTION)?;
    let file = arguments.get(at + 1).filter(|file| Form::of(Path::new(file)).is_some())?;
    let mut option = OsString::from(OPTION);
    option.extend([OsStr::new("="), file]);
    Some([&arguments[..at], &[option], &arguments[at + 2..]].concat())
}

const OPTION: &str = "--profile";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_profile_may_stand_behind_the_option() {
        let joined = |line: &str| {
            let arguments = line.split(' ').map(OsString::from).collect::<Vec<_>>();
            joined(&arguments).map(|all| all.join(OsStr::new(" ")).into_string().unwrap())
        };
        assert_eq!(joined("run --profile a.html a.tx").as_deref(), Some("run --profile=a.html a.tx"));
        assert_eq!(joined("run a.tx --profile b.folded").as_deref(), Some("run a.tx --profile=b.folded"));
        for line in
            ["run --profile a.tx", "run a.tx --profile", "run --profile=a.html a.tx", "run a.tx b.html"]
        {
            assert_eq!(joined(line), None, "{line}");
        }
    }
}
