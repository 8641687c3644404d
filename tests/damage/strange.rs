//! What is no file, or none that can be read, in the place of a file: an error with a code, in a bounded time and
//! with a bounded memory. A source may come from a pipe.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// So much address space a tool gets, in KiB: what is larger than that is not read into memory.
const MEMORY: u32 = 800 << 10;

/// A tool that waits for ever fails the test after so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with a program that is compiled, and one that fails when it is run.
struct Site {
    directory: TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Self { directory: tempfile::tempdir().unwrap() };
        fs::write(site.path("main.toy"), "main { 1 print }\n").unwrap();
        fs::write(site.path("trap.toy"), "main { pop }\n").unwrap();
        for command in
            ["compile main.toy", "compile trap.toy", "link main.to -o main.tx", "link trap.to -o trap.tx"]
        {
            assert!(site.toy(command).status.success(), "{command}");
        }
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn toy(&self, arguments: &str) -> Output {
        self.shell(&format!("exec toy {arguments}"))
    }

    /// Runs a line of shell in which `toy` is a tool with little memory.
    fn shell(&self, line: &str) -> Output {
        let mut command = Command::new("bash");
        // Not every system bounds the address space.
        command.args(["-c", &format!("ulimit -v {MEMORY} 2>/dev/null; {line}")]);
        command.current_dir(self.directory.path()).env_remove("TOY_REPOSITORY").env("NO_COLOR", "1");
        let tools = Path::new(env!("CARGO_BIN_EXE_toy")).parent().unwrap();
        let others = std::env::var_os("PATH").unwrap_or_default();
        let path = [tools.to_owned()].into_iter().chain(std::env::split_paths(&others));
        command.env("PATH", std::env::join_paths(path).unwrap());
        let (out, err) = (self.path("stdout"), self.path("stderr"));
        command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        let mut child = command.spawn().unwrap();
        let start = Instant::now();
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if start.elapsed() > PATIENCE => {
                    child.kill().unwrap();
                    panic!("`{line}` does not end");
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        Output { status, stdout: fs::read(out).unwrap(), stderr: fs::read(err).unwrap() }
    }

    /// The command must fail as for any problem, and say so.
    fn assert_refused(&self, arguments: &str) {
        let output = self.toy(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments}:\n{said:.2000}");
        assert!(said.starts_with("toy::"), "{arguments}:\n{said:.2000}");
        assert!(said.len() < 5000, "{arguments}: {} bytes of problems", said.len());
    }
}

/// Things that are no file with something in it; the paths of those that could be made.
fn strange(site: &Site) -> Vec<String> {
    let mut all = vec![
        "/dev/null",
        "/dev/zero",
        "pipe",
        "socket",
        "folder",
        "circle",
        "sparse",
        "large",
        "folder/../folder",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect::<Vec<_>>();
    assert!(Command::new("mkfifo").arg(site.path("pipe")).status().unwrap().success());
    drop(UnixListener::bind(site.path("socket")).unwrap());
    fs::create_dir(site.path("folder")).unwrap();
    symlink("circle", site.path("circle")).unwrap();
    // Larger than what is read, and larger than the memory.
    File::create(site.path("sparse")).unwrap().set_len(2 << 30).unwrap();
    File::create(site.path("large")).unwrap().set_len(900 << 20).unwrap();
    fs::write(site.path("secret"), "toy: repository\n").unwrap();
    fs::set_permissions(site.path("secret"), std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    // Who may do anything can read it.
    if File::open(site.path("secret")).is_err() {
        all.push("secret".to_owned());
    }
    // Every read of it fails.
    if Path::new("/proc/self/mem").exists() {
        all.push("/proc/self/mem".to_owned());
    }
    all
}

#[test]
fn what_is_no_file_is_refused_by_every_tool() {
    let site = Site::new();
    for thing in strange(&site) {
        for command in [
            "compile main.toy -r X",
            "strip -i X -o out.yaml",
            "merge -r X repo.yaml",
            "merge -r repo.yaml X",
            "link main.to -o out.tx -r X",
            "gc -r X",
            "gc --dry-run -r X",
            "check -r X",
            "check --repair -r X",
            "dump X",
            "dump main.to -r X",
            "run trap.tx -r X",
            "run X",
        ] {
            // A ticket shows what it names also without a repository.
            if command.starts_with("dump main.to") {
                assert!(site.toy(&command.replace('X', &thing)).status.code().is_some());
                continue;
            }
            site.assert_refused(&command.replace('X', &thing));
        }
        // In a directory there may be tickets and sources; here there are none.
        site.assert_refused(&format!("link {thing} -o out.tx"));
        if !["/dev/null", "pipe"].contains(&thing.as_str()) {
            site.assert_refused(&format!("compile {thing} -o out.to"));
        }
        assert!(!site.path("out.tx").exists() && !site.path("out.to").exists(), "{thing}");
    }
    let report = site.toy("check");
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
}

/// What lies in a directory beside our files is in nobody's way.
#[test]
fn strange_neighbours_are_passed_over() {
    let site = Site::new();
    strange(&site);
    fs::remove_file(site.path("secret")).unwrap();
    for name in ["a.toy", "a.to", "a.tx"] {
        assert!(Command::new("mkfifo").arg(site.path(name)).status().unwrap().success());
    }
    for command in ["compile . -o .", "gc", "gc . -r repo.yaml", "run main.tx"] {
        let output = site.toy(command);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    // The source of a problem is looked for; a pipe of its name holds nobody up.
    fs::remove_file(site.path("trap.toy")).unwrap();
    assert!(Command::new("mkfifo").arg(site.path("trap.toy")).status().unwrap().success());
    site.assert_refused("run trap.tx");
}

#[test]
fn a_source_may_come_from_a_pipe() {
    let site = Site::new();
    let tickets = ["toy compile -q - -o a.to --source-name main.toy < main.toy"]
        .into_iter()
        .chain(["cat main.toy | toy compile -q /dev/stdin -o a.to"])
        .chain(["toy compile -q <(cat main.toy) -o a.to"])
        .chain(["mkfifo p.toy; cat main.toy > p.toy & toy compile -q p.toy -o a.to; status=$?; wait; exit $status"]);
    for line in tickets {
        let output = site.shell(line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(fs::read(site.path("a.to")).unwrap().starts_with(b"toy: ticket\n"), "{line}");
    }
    let output = site.shell("toy compile - < /dev/zero");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.starts_with(b"toy::store::io\n"), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_empty_variable_is_none() {
    let site = Site::new();
    for command in ["check", "compile main.toy", "link main.to -o main.tx", "dump main.to", "run main.tx"] {
        let output = site.shell(&format!("TOY_REPOSITORY= exec toy {command}"));
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(site.toy("check -r ''").status.code(), Some(2), "an empty argument is a slip");
}
