//! What runs the programs: Toy as it is compiled one way or another, and the interpreters that are installed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

use super::super::measure;
use super::programs::Program;

/// Toy's name as programs are compiled without options.
pub(super) const TOY: &str = "toy";
/// Toy's name as programs are compiled with `-O`.
pub(super) const TOY_OPTIMIZED: &str = "toy -O";
pub(super) const GHOSTSCRIPT: &str = "Ghostscript";
pub(super) const LUA: &str = "Lua 5.4";

/// Toy's variants: the name of each, and the options of `toy compile` that make it.
const VARIANTS: &[(&str, &[&str])] = &[(TOY, &[]), (TOY_OPTIMIZED, &["-O"])];

/// An interpreter as it is found and called.
struct Interpreter {
    name: &'static str,
    /// Executables to look for, the best first.
    executables: &'static [&'static str],
    /// Options that make it tell its version.
    version: &'static [&'static str],
    /// What the version contains.
    mark: &'static str,
    /// Options before the name of the program's file.
    options: &'static [&'static str],
    /// The endings of its programs' files, the best first.
    endings: &'static [&'static str],
}

const INTERPRETERS: &[Interpreter] = &[
    Interpreter {
        name: GHOSTSCRIPT,
        executables: &["gs"],
        version: &["--version"],
        mark: "",
        options: &["-q", "-dNODISPLAY", "-dBATCH", "-dNOPAUSE"],
        endings: &["ps"],
    },
    Interpreter {
        name: "Gforth",
        executables: &["gforth-fast", "gforth"],
        version: &["--version"],
        mark: "",
        options: &[],
        endings: &["fs"],
    },
    Interpreter {
        name: LUA,
        executables: &["lua5.4", "lua"],
        version: &["-v"],
        mark: "Lua 5.4",
        options: &[],
        endings: &["lua"],
    },
    Interpreter {
        name: "LuaJIT",
        executables: &["luajit"],
        version: &["-v"],
        mark: "",
        options: &[],
        // Lua 5.1 has no `//`.
        endings: &["jit.lua", "lua"],
    },
    Interpreter {
        name: "CPython",
        // The program itself and not one that looks for it each time.
        executables: &["python3"],
        version: &["-c", "import sys; print(sys.executable, sys.version.split()[0])"],
        mark: "",
        options: &[],
        endings: &["py"],
    },
];

/// What runs programs of one language.
pub(super) struct Runner {
    pub(super) name: &'static str,
    /// The executable's own words, for the record; nothing for Toy.
    pub(super) version: String,
    executable: PathBuf,
    how: How,
}

enum How {
    /// Compile with these options and link in this directory, then run.
    Compiled {
        options: &'static [&'static str],
        directory: PathBuf,
    },
    Interpreted(&'static Interpreter),
}

/// Toy's variants and the interpreters that are installed; and the names of those that are not.
pub(super) fn all(toy: &Path, directory: &Path) -> (Vec<Runner>, Vec<&'static str>) {
    let variant = |(name, options): &(&'static str, &'static [&'static str])| Runner {
        name,
        version: String::new(),
        executable: toy.to_owned(),
        how: How::Compiled { options, directory: directory.to_owned() },
    };
    let mut runners: Vec<_> = VARIANTS.iter().map(variant).collect();
    let mut absent = Vec::new();
    for interpreter in INTERPRETERS {
        match interpreter.find() {
            Some(runner) => runners.push(runner),
            None => absent.push(interpreter.name),
        }
    }
    (runners, absent)
}

impl Interpreter {
    /// The first of the executables that is installed and of the right version.
    fn find(&'static self) -> Option<Runner> {
        self.executables.iter().find_map(|executable| {
            let output = Command::new(executable).args(self.version).output().ok()?;
            let version = [output.stdout, output.stderr].concat();
            let version = String::from_utf8_lossy(&version).lines().next()?.to_owned();
            let (executable, version) = path_and_version(executable, &version);
            let how = How::Interpreted(self);
            version.contains(self.mark).then_some(Runner { name: self.name, version, executable, how })
        })
    }
}

/// A version that begins with the path of the interpreter tells which program that is; a copyright is cut off.
fn path_and_version(executable: &str, version: &str) -> (PathBuf, String) {
    let version = version.split("Copyright").next().unwrap_or(version).trim_end_matches([' ', '-']);
    match version.split_once(' ') {
        Some((path, version)) if path.starts_with('/') => (path.into(), version.to_owned()),
        _ => (executable.into(), version.to_owned()),
    }
}

impl Runner {
    /// The command that runs a program, compiled before if need be; none when there is no file for it.
    pub(super) fn prepare(&self, program: &Program) -> Result<Option<Command>> {
        let endings = match &self.how {
            How::Compiled { .. } => &["toy"],
            How::Interpreted(interpreter) => interpreter.endings,
        };
        let Some(file) = program.file(endings) else { return Ok(None) };
        let mut command = Command::new(&self.executable);
        match &self.how {
            How::Compiled { options, directory } => {
                command.arg("run").arg(compile(&self.executable, directory, options, &file, &program.name)?)
            }
            How::Interpreted(interpreter) => command.args(interpreter.options).arg(file),
        };
        Ok(Some(command))
    }
}

/// Compiles and links a program in a repository of its own; returns the executable.
fn compile(toy: &Path, directory: &Path, options: &[&str], file: &Path, name: &str) -> Result<OsString> {
    let name = format!("{name}{}", options.concat());
    let [repository, ticket, executable] = ["yaml", "to", "tx"].map(|ending| format!("{name}.{ending}"));
    let source = file.to_str().ok_or("the project's path is not UTF-8")?;
    let compile = ["compile", "-q", "-r", &repository, "-o", &ticket, source];
    measure::run(toy, directory, &[&compile, options].concat())?;
    measure::run(toy, directory, &["link", "-q", "-r", &repository, "-o", &executable, &ticket])?;
    Ok(directory.join(executable).into_os_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_may_tell_where_it_is() {
        let of = |version| path_and_version("python3", version);
        assert_eq!(of("/opt/bin/python 3.11.7"), ("/opt/bin/python".into(), "3.11.7".to_owned()));
        assert_eq!(of("Lua 5.4.4  Copyright"), ("python3".into(), "Lua 5.4.4".to_owned()));
        assert_eq!(of("10.00.0"), ("python3".into(), "10.00.0".to_owned()));
    }
}
