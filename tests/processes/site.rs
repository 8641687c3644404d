//! A directory with sources and a repository, in which processes run.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A kind of repository, told by the ending of the file's name.
pub(crate) type Store = &'static str;

/// A directory with sources, in which commands run on the repository of its own.
pub(crate) struct Site {
    directory: TempDir,
    pub(crate) store: Store,
    pub(crate) sources: Vec<String>,
}

impl Site {
    /// So many files; each has a procedure of its own, one that all have, and a call of the next file's. The first
    /// is the program's start.
    pub(crate) fn new(store: Store, files: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("tickets")).unwrap();
        let sources = (0..files).map(|file| format!("f{file}.toy")).collect();
        let site = Self { directory, store, sources };
        (0..files).for_each(|file| site.write_source(file, 0));
        site
    }

    /// Writes a source; `edits` of its procedures' parts are new.
    pub(crate) fn write_source(&self, file: usize, edits: usize) {
        let next = if file + 1 < self.sources.len() { format!("p{}", file + 1) } else { "pop".to_owned() };
        let start = if file == 0 { "main { 0 p0 }\n" } else { "" };
        let edit = "1 add ".repeat(edits);
        let text = format!("{start}p{file} {{ {file} {edit}common {next} }}\ncommon {{ add dup print }}\n");
        fs::write(self.path(&self.sources[file]), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The name of a repository.
    pub(crate) fn named(&self, stem: &str) -> String {
        format!("{stem}.{}", self.store)
    }

    /// The name of the site's repository, which every command is told.
    pub(crate) fn repository(&self) -> String {
        self.named("repo")
    }

    /// The ticket of a source.
    pub(crate) fn ticket(&self, file: usize) -> String {
        format!("tickets/f{file}.to")
    }

    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_toy"));
        command.current_dir(self.directory.path()).env("TOY_REPOSITORY", self.repository());
        command.env_remove("MAKEFLAGS").env("NO_COLOR", "1");
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Starts the compiler of a source, whose ticket goes to the others.
    pub(crate) fn compile(&self, file: usize) -> Child {
        self.spawn(&["compile", "-o", &self.ticket(file), &self.sources[file], "--json"])
    }

    /// Runs a command, which must succeed, and gives its JSON report.
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        report(self.command(arguments.iter().copied().chain(["--json"])).output().unwrap())
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// What a repository holds. A readable one is its bytes, whatever made it.
    pub(crate) fn contents(&self, repository: &str) -> Vec<u8> {
        match self.store {
            "yaml" => self.bytes(repository),
            _ => self.run(&["dump", repository]).to_string().into_bytes(),
        }
    }

    /// Compiles what is not compiled and links everything; gives the executable's bytes.
    pub(crate) fn build(&self) -> Vec<u8> {
        let sources = self.sources.iter().map(String::as_str);
        self.run(&["compile", "-o", "tickets"].into_iter().chain(sources).collect::<Vec<_>>());
        self.link("out.tx")
    }

    pub(crate) fn link(&self, executable: &str) -> Vec<u8> {
        self.run(&["link", "-o", executable, "tickets"]);
        self.bytes(executable)
    }

    pub(crate) fn assert_clean(&self) {
        let report = self.run(&["check"]);
        assert_eq!(report["problems"], Value::Array(Vec::new()));
    }

    /// Names that are in the directory and are temporary.
    pub(crate) fn leftovers(&self) -> usize {
        let names = fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with(".toy-")).count()
    }

    /// What an undisturbed build of the same sources makes, one after the other: what the repository holds, and the
    /// executable's bytes.
    pub(crate) fn alone(&self) -> (Vec<u8>, Vec<u8>) {
        let other = Self::new(self.store, self.sources.len());
        for (file, source) in self.sources.iter().enumerate() {
            fs::copy(self.path(source), other.path(source)).unwrap();
            finish([other.compile(file)]);
        }
        let contents = other.contents(&other.repository());
        (contents, other.link("out.tx"))
    }

    /// What is there after all: a clean repository, and the program that a build without company makes.
    pub(crate) fn assert_as_alone(&self) {
        self.assert_clean();
        let (_, executable) = self.alone();
        assert!(
            self.link("out.tx") == executable,
            "the tickets link to another program than by one after the other"
        );
        assert!(self.build() == executable, "another program than by one after the other");
        self.assert_clean();
        assert_eq!(self.leftovers(), 0);
    }
}

pub(crate) fn report(output: Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{error}", output.status);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no report: {error}"))
}

/// Waits for processes, which must succeed.
pub(crate) fn finish(children: impl IntoIterator<Item = Child>) -> Vec<Value> {
    children.into_iter().map(|child| report(child.wait_with_output().unwrap())).collect()
}
