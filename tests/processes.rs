//! Many processes on one repository, some of them killed: nothing is lost, and what is built is what one would build.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A directory with sources, in which commands run.
struct Site {
    directory: TempDir,
    sources: Vec<String>,
}

impl Site {
    /// So many files; each has a procedure of its own, one that all have, and a call of the next file's. The first
    /// is the program's start.
    fn new(files: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sources = (0..files).map(|file| format!("f{file}.toy")).collect::<Vec<_>>();
        for (file, name) in sources.iter().enumerate() {
            let next = if file + 1 < files { format!("p{}", file + 1) } else { "pop".to_owned() };
            let start = if file == 0 { "main { 0 p0 }\n" } else { "" };
            let text = format!("{start}p{file} {{ {file} common {next} }}\ncommon {{ add dup print }}\n");
            fs::write(directory.path().join(name), text).unwrap();
        }
        Self { directory, sources }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_toy"));
        command.current_dir(self.directory.path()).env_remove("TOY_REPOSITORY").env("NO_COLOR", "1");
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Runs a command, which must succeed, and gives its JSON report.
    fn run(&self, arguments: &[&str]) -> Value {
        report(self.command(arguments.iter().copied().chain(["--json"])).output().unwrap())
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Compiles what is not compiled and links everything; gives the executable's bytes.
    fn build(&self, repository: &str) -> Vec<u8> {
        let sources = self.sources.iter().map(String::as_str);
        let compile =
            ["compile", "-r", repository, "-o", "tickets"].into_iter().chain(sources).collect::<Vec<_>>();
        self.run(&compile);
        self.link(repository)
    }

    fn link(&self, repository: &str) -> Vec<u8> {
        self.run(&["link", "-r", repository, "-o", "out.tx", "tickets"]);
        self.bytes("out.tx")
    }

    fn assert_clean(&self, repository: &str) {
        let report = self.run(&["check", "-r", repository]);
        assert_eq!(report["problems"], Value::Array(Vec::new()));
    }

    /// Names that are in the directory and are temporary.
    fn leftovers(&self) -> usize {
        let names = fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with(".toy-")).count()
    }

    /// What an undisturbed build of the same sources makes: the repository's bytes and the executable's.
    fn alone(&self) -> (Vec<u8>, Vec<u8>) {
        let other = Self::new(self.sources.len());
        fs::create_dir(other.path("tickets")).unwrap();
        for source in &self.sources {
            let ticket = format!("tickets/{source}.to");
            other.run(&["compile", "-r", "repo.yaml", "-o", &ticket, source]);
        }
        let repository = other.bytes("repo.yaml");
        (repository, other.link("repo.yaml"))
    }
}

fn report(output: Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{error}", output.status);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no report: {error}"))
}

fn finish(children: Vec<Child>) -> Vec<Value> {
    children.into_iter().map(|child| report(child.wait_with_output().unwrap())).collect()
}

/// All sources at once, a process each, on a repository that is not there yet.
fn compilers_at_once(files: usize) {
    let site = Site::new(files);
    fs::create_dir(site.path("tickets")).unwrap();
    let compile = |source: &String| {
        site.spawn(&["compile", "-r", "repo.yaml", "-o", &format!("tickets/{source}.to"), source, "--json"])
    };
    let reports = finish(site.sources.iter().map(compile).collect());
    assert!(reports.iter().all(|report| report["tickets"].as_array().is_some_and(|all| all.len() == 1)));
    let (repository, executable) = site.alone();
    assert!(site.bytes("repo.yaml") == repository, "another repository than by one after the other");
    site.assert_clean("repo.yaml");
    assert!(site.link("repo.yaml") == executable);
    assert_eq!(site.leftovers(), 0);
}

#[test]
fn eight_compilers_on_one_new_repository() {
    compilers_at_once(8);
}

#[test]
fn sixteen_compilers_on_one_new_repository() {
    compilers_at_once(16);
}

#[test]
fn eight_first_runs_of_the_same_source() {
    for _ in 0..5 {
        let site = Site::new(1);
        let first = || site.spawn(&["compile", "f0.toy", "--json"]);
        let reports = finish((0..8).map(|_| first()).collect());
        assert!(reports.iter().all(|report| report["tickets"] == reports[0]["tickets"]), "one ticket");
        site.assert_clean("repo.yaml");
        fs::create_dir(site.path("tickets")).unwrap();
        fs::rename(site.path("f0.to"), site.path("tickets/f0.toy.to")).unwrap();
        assert!(site.link("repo.yaml") == site.alone().1);
    }
}

#[test]
fn merging_while_compilers_run() {
    let site = Site::new(12);
    fs::create_dir(site.path("tickets")).unwrap();
    let compile = |repository: &str, source: &str| {
        site.spawn(&["compile", "-r", repository, "-o", &format!("tickets/{source}.to"), source, "--json"])
    };
    let agents = site.sources[..6].iter().map(|source| compile(&format!("agent {source}.yaml"), source));
    finish(agents.collect());
    let mut children =
        site.sources[6..].iter().map(|source| compile("repo.yaml", source)).collect::<Vec<_>>();
    for source in &site.sources[..6] {
        children.push(site.spawn(&["merge", "-r", "repo.yaml", &format!("agent {source}.yaml"), "--json"]));
    }
    children.push(site.spawn(&[
        "merge",
        "-r",
        "repo.yaml",
        "agent f0.toy.yaml",
        "agent f1.toy.yaml",
        "--json",
    ]));
    finish(children);
    let (repository, executable) = site.alone();
    assert!(site.bytes("repo.yaml") == repository);
    site.assert_clean("repo.yaml");
    assert!(site.link("repo.yaml") == executable);
}

#[test]
fn collecting_while_compilers_run() {
    let site = Site::new(10);
    site.build("repo.yaml");
    let mut children = Vec::new();
    for (at, source) in site.sources.iter().enumerate() {
        // Every other file is edited: there is work to do and there is something to drop.
        if at % 2 == 0 {
            let text = fs::read_to_string(site.path(source)).unwrap();
            fs::write(site.path(source), format!("{text}more{at} {{ {at} }}\n")).unwrap();
        }
        children.push(site.spawn(&["compile", "-o", "tickets", source, "--json"]));
        children.push(site.spawn(&["gc", "tickets", "--json"]));
    }
    finish(children);
    site.assert_clean("repo.yaml");
    let expected = site.build("repo.yaml");
    site.assert_clean("repo.yaml");
    assert!(site.build("elsewhere.yaml") == expected);
}

/// A generator of waits; the times at which processes are killed need not be the same in each run.
struct Waits(u64);

impl Waits {
    fn next(&mut self, below: u64) -> Duration {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        Duration::from_micros((self.0 >> 33) % below)
    }
}

#[test]
fn killed_processes_leave_the_old_state_or_the_new_one() {
    let site = Site::new(6);
    let (_, executable) = site.alone();
    fs::create_dir(site.path("tickets")).unwrap();
    site.run(&["compile", "-r", "agent.yaml", "-o", "agent tickets", "f0.toy", "f1.toy"]);
    // A few milliseconds are a whole run; the greatest wait adapts to the machine.
    let start = Instant::now();
    site.run(&["compile", "-r", "measured.yaml", "-o", "measured", "f0.toy"]);
    let run = start.elapsed().as_micros() as u64;
    let mut waits = Waits(0x746f_7921);
    let (mut rounds, mut killed, start) = (0, 0, Instant::now());
    while rounds < 40 && start.elapsed() < Duration::from_secs(5) {
        rounds += 1;
        let source = &site.sources[rounds % site.sources.len()];
        let victims = [
            vec!["compile", "-o", "tickets", source],
            vec!["merge", "agent.yaml"],
            vec!["gc", "tickets", "--force"],
            vec!["link", "-o", "killed.tx", "--unresolved", "ignore", "-E", "common", "agent tickets"],
        ];
        let mut children = victims.iter().map(|victim| site.spawn(victim)).collect::<Vec<_>>();
        std::thread::sleep(waits.next(run + run / 2));
        for child in &mut children {
            killed += u32::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert_whole(&site);
    }
    assert!(killed > 0, "no process was killed in {rounds} rounds");
    assert!(site.build("repo.yaml") == executable);
    site.assert_clean("repo.yaml");
}

/// Whatever is there is whole, and nothing blocks the next one.
fn assert_whole(site: &Site) {
    for name in ["repo.yaml", "killed.tx"] {
        if let Ok(metadata) = fs::metadata(site.path(name)) {
            assert!(metadata.len() > 0, "{name} is empty");
        }
    }
    if site.path("repo.yaml").exists() {
        site.assert_clean("repo.yaml");
    }
    let files =
        |directory: &str| fs::read_dir(site.path(directory)).unwrap().map(|entry| entry.unwrap().path());
    for path in files("tickets").filter(|path| path.extension() == Some(OsStr::new("to"))) {
        site.run(&["dump", path.to_str().unwrap()]);
    }
}

#[test]
fn what_killed_processes_leave_behind_disturbs_nobody() {
    let site = Site::new(3);
    let expected = site.build("repo.yaml");
    let cut = |name: &str| site.bytes(name)[..50].to_vec();
    let leftovers =
        [cut("repo.yaml"), cut("out.tx"), cut("tickets/f0.to"), Vec::new(), site.bytes("tickets/f1.to")];
    for (at, bytes) in leftovers.iter().enumerate() {
        for directory in ["", "tickets/"] {
            fs::write(site.path(&format!("{directory}.toy-{at}xyz.new")), bytes).unwrap();
        }
    }
    assert!(site.build("repo.yaml") == expected);
    let report = site.run(&["gc"]);
    assert_eq!((&report["dropped"], &report["roots"]), (&Value::from(0), &Value::from(4)));
    site.run(&["merge", "-r", "other.yaml", "repo.yaml"]);
    site.run(&["strip", "-i", "repo.yaml", "-o", "repoc.yaml"]);
    site.assert_clean("repo.yaml");
    assert!(site.build("repo.yaml") == expected);
}

#[test]
fn a_process_that_holds_the_lock_is_waited_for() {
    let site = Site::new(2);
    site.build("repo.yaml");
    let held = fs::File::open(site.path("repo.yaml")).unwrap();
    held.lock().unwrap();
    fs::write(site.path("f0.toy"), "main { 7 print }\n").unwrap();
    let mut waiting = site.spawn(&["compile", "f0.toy", "--json"]);
    // Readers need no lock: they answer while the writer waits.
    site.assert_clean("repo.yaml");
    assert_eq!(site.run(&["dump", "repo.yaml"])["links"].as_array().map(Vec::len), Some(1));
    assert!(waiting.try_wait().unwrap().is_none(), "the compiler waits");
    drop(held);
    finish(vec![waiting]);
    site.assert_clean("repo.yaml");
    assert!(Path::new(&site.path("f0.to")).exists());
}
