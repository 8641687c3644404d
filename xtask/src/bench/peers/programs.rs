//! The programs: a directory each, with a file for every language, which all print the same.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;

/// The program that shows what starting costs.
const HELLO: &str = "hello";

/// A program in several languages.
#[derive(Debug)]
pub(super) struct Program {
    /// The name of its directory and, without their endings, of its files.
    pub(super) name: String,
    directory: PathBuf,
}

impl Program {
    fn new(place: &Path, name: &str) -> Self {
        Self { name: name.to_owned(), directory: place.join(name) }
    }

    /// Its file with the first of the endings that there is one for.
    pub(super) fn file(&self, endings: &[&str]) -> Option<PathBuf> {
        let mut files = endings.iter().map(|ending| self.directory.join(format!("{}.{ending}", self.name)));
        files.find(|file| file.exists())
    }
}

/// The program that shows what starting costs.
pub(super) fn hello(place: &Path) -> Program {
    Program::new(place, HELLO)
}

/// The programs of a comma-separated list, or all others than `hello`.
pub(super) fn chosen(place: &Path, list: Option<&str>) -> Result<Vec<Program>> {
    let all = names(place)?;
    let wanted = list.map_or_else(|| all.clone(), |list| list.split(',').map(str::to_owned).collect());
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        return Err(format!("--programs: `{unknown}` is not one of {}", all.join(", ")));
    }
    Ok(wanted.iter().map(|name| Program::new(place, name)).collect())
}

fn names(place: &Path) -> Result<Vec<String>> {
    let failed = |error: std::io::Error| format!("cannot list {}: {error}", place.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(place).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if name != HELLO {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether two outputs have the same words, numbers taken by their values: `6` is `6.0`.
pub(super) fn agree(one: &str, other: &str) -> bool {
    let is_same =
        |(one, other): (&str, &str)| one == other || number(one).is_some_and(|n| Some(n) == number(other));
    one.split_whitespace().count() == other.split_whitespace().count()
        && one.split_whitespace().zip(other.split_whitespace()).all(is_same)
}

fn number(word: &str) -> Option<f64> {
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_agree_by_their_values() {
        for (one, other, expected) in [
            ("6.0\ntrue\n", "6 true", true),
            ("1e3", "1000", true),
            ("6.0\n", "6 7", false),
            ("6", "6.5", false),
            ("", "6", false),
            ("six", "6", false),
        ] {
            assert_eq!(agree(one, other), expected, "{one:?} {other:?}");
            assert_eq!(agree(other, one), expected, "{other:?} {one:?}");
        }
    }

    #[test]
    fn the_programs_are_there_in_every_language() {
        let place = crate::files::project_root().join("benches/peers");
        let programs = chosen(&place, None).unwrap();
        assert!(!programs.is_empty());
        for program in programs.iter().chain([&hello(&place)]) {
            for ending in ["toy", "ps", "fs", "lua", "py"] {
                assert!(program.file(&[ending]).is_some(), "{} has no file .{ending}", program.name);
            }
        }
    }

    #[test]
    fn programs_are_chosen_by_name() {
        let place = tempfile::tempdir().unwrap();
        for name in ["tak", HELLO, "fib"] {
            fs::create_dir(place.path().join(name)).unwrap();
        }
        fs::write(place.path().join("fib/fib.lua"), "").unwrap();
        let names = |list| {
            chosen(place.path(), list)
                .map(|programs| programs.into_iter().map(|program| program.name).collect::<Vec<_>>())
        };
        assert_eq!(names(None).unwrap(), ["fib", "tak"]);
        assert_eq!(names(Some("tak")).unwrap(), ["tak"]);
        assert!(names(Some("tak,fip")).unwrap_err().contains("`fip` is not one of fib, tak"));
        let fib = Program::new(place.path(), "fib");
        assert_eq!(fib.file(&["jit.lua", "lua"]), Some(place.path().join("fib/fib.lua")));
        assert_eq!(fib.file(&["ps"]), None);
    }
}
