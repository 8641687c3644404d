//! A fresh directory, and commands that are run in it with nothing else of the machine around them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::document::{Command as Line, Step};

/// A directory in which commands are run.
pub(crate) struct Shell {
    directory: tempfile::TempDir,
    path: String,
    prelude: &'static str,
}

impl Shell {
    /// A new, empty directory; the tools come first on the path. Each command starts with `prelude`.
    pub(crate) fn new(tools: &Path, prelude: &'static str) -> io::Result<Self> {
        // Beside the executable, so that hard links to it can be made.
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        Ok(Self { directory, path: format!("{}:/usr/local/bin:/usr/bin:/bin", tools.display()), prelude })
    }

    /// Carries out a step, unless it is a command, which is given back.
    pub(crate) fn carry_out<'s>(&self, step: &'s Step) -> io::Result<Option<&'s Line>> {
        match step {
            Step::Run(line) => return Ok(Some(line)),
            Step::Write { file, text } => self.write(file, text)?,
            Step::Copy { directory } => self.copy(directory)?,
            Step::Seal { file } => self.seal(file)?,
            Step::Prepare { line } => {
                let written = self.run(line, None)?;
                if !written.is_empty() {
                    return Err(io::Error::other(format!("`{line}` wrote {}", written.join("\n"))));
                }
            }
        }
        Ok(None)
    }

    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        let path = self.directory.path().join(file);
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(path, text)
    }

    fn copy(&self, directory: &str) -> io::Result<()> {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(directory))? {
            let from: PathBuf = entry?.path();
            if let (true, Some(name)) = (from.is_file(), from.file_name()) {
                fs::copy(&from, self.directory.path().join(name))?;
            }
        }
        Ok(())
    }

    fn seal(&self, file: &str) -> io::Result<()> {
        let path = self.directory.path().join(file);
        let text = fs::read_to_string(&path)?;
        let parts =
            text.split_once("\ntrailer:\n").and_then(|(body, rest)| Some((body, rest.lines().next()?)));
        let (body, entries) = parts.ok_or_else(|| io::Error::other(format!("{file} has no trailer")))?;
        let digest = blake3::hash(format!("{body}\n").as_bytes()).to_hex();
        fs::write(path, format!("{body}\ntrailer:\n{entries}\n  digest: {digest}\n"))
    }

    /// Runs a command, and gives what it wrote to both streams, and its exit status unless that is 0.
    pub(crate) fn run(&self, line: &str, directory: Option<&str>) -> io::Result<Vec<String>> {
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\numask 022\n{}{line}", self.prelude)])
            .current_dir(self.directory.path().join(directory.unwrap_or_default()))
            .env_clear()
            .envs([("PATH", &*self.path), ("LANG", "C.UTF-8"), ("COLUMNS", "100")])
            // Nothing is a terminal, so that problems are 80 characters wide wherever the test runs.
            .stdin(Stdio::null())
            .output()?;
        Ok(lines(&output))
    }
}

fn lines(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    match output.status.code() {
        Some(0) => {}
        Some(code) => lines.push(format!("[exit {code}]")),
        None => lines.push("[killed]".to_owned()),
    }
    lines
}
