//! Life below `make -j`: the compiler works on no more threads than make lends it, and gives back what it was lent.
//!
//! Make itself is run too; it must be installed. Threads and pipes are looked at as Linux shows them.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jobserver::Client;
use rustix::io::ioctl_fionread;
use tempfile::TempDir;

/// So many sources, each with a ticket.
const FILES: usize = 8;

/// How make tells those it runs where the tokens are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A named pipe, since make 4.4.
    Fifo,
    /// The numbers of two open files.
    Pipe,
    /// The same, until make 4.1.
    OldPipe,
}

/// A jobserver with tokens, in place of make's.
enum Server {
    Fifo(PathBuf, File),
    Pipe(Client, Form),
}

impl Server {
    fn new(form: Form, tokens: usize, site: &Site) -> Self {
        if form != Form::Fifo {
            return Self::Pipe(Client::new(tokens).unwrap(), form);
        }
        let path = site.path("jobserver");
        make_fifo(&path);
        let mut file = File::options().read(true).write(true).open(&path).unwrap();
        file.write_all(&vec![b'+'; tokens]).unwrap();
        Self::Fifo(path, file)
    }

    /// The number of tokens that nobody has.
    fn tokens(&self) -> usize {
        match self {
            Self::Fifo(_, file) => ioctl_fionread(file).unwrap().try_into().unwrap(),
            Self::Pipe(client, _) => client.available().unwrap(),
        }
    }

    /// Lets a command have the tokens.
    fn lend(&self, command: &mut Command) {
        let flags = match self {
            Self::Fifo(path, _) => format!("--jobserver-auth=fifo:{}", path.display()),
            Self::Pipe(client, form) => {
                client.configure(command);
                let flags = command.get_envs().find(|(name, _)| *name == "CARGO_MAKEFLAGS").unwrap().1;
                let files = flags.unwrap().to_str().unwrap().rsplit_once('=').unwrap().1.to_owned();
                command.env_remove("CARGO_MAKEFLAGS");
                let option = if *form == Form::Pipe { "auth" } else { "fds" };
                format!("--jobserver-{option}={files}")
            }
        };
        command.env("MAKEFLAGS", format!(" -j {flags} -- NAME=value"));
    }
}

/// A directory with sources, and one for their tickets.
struct Site {
    directory: TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir(site.path("tickets")).unwrap();
        for file in 0..FILES {
            fs::write(site.path(&format!("f{file}.toy")), format!("p{file} {{ {file} print }}\n")).unwrap();
        }
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn ticket(&self, file: usize) -> PathBuf {
        self.path(&format!("tickets/f{file}.to"))
    }

    /// Makes whoever writes the last ticket wait until somebody reads it.
    fn stop_at_the_last_ticket(&self) {
        make_fifo(&self.ticket(FILES - 1));
    }

    /// Waits until all tickets but the last are there.
    fn wait_for_the_others(&self) {
        until(|| (0..FILES - 1).all(|file| self.ticket(file).exists()));
    }

    fn compile(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_toy"));
        command.current_dir(self.directory.path()).env_clear();
        command.args(["compile", "-o", "tickets"]).args(arguments);
        command.args((0..FILES).map(|file| format!("f{file}.toy")));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs a compiler, which must work on so many threads, and looks around when all tickets but the last are written.
    fn expect_threads(&self, mut command: Command, threads: usize, look: impl FnOnce()) {
        self.stop_at_the_last_ticket();
        let child = command.spawn().unwrap();
        self.wait_for_the_others();
        until(|| working(child.id()) == threads);
        look();
        fs::read(self.ticket(FILES - 1)).unwrap();
        succeed(child);
    }

    fn spoil(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }
}

impl Drop for Site {
    /// Lets go whoever still waits because a test has failed.
    fn drop(&mut self) {
        _ = File::options().read(true).write(true).open(self.ticket(FILES - 1));
    }
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn succeed(mut child: Child) {
    assert!(child.wait().unwrap().success());
}

/// Waits, but not for ever.
fn until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "it does not happen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The number of threads that work in a process. Those that it had for earlier work may be about to end.
fn working(process: u32) -> usize {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap().count();
    // Where others work, the first thread only waits for them; to have one other would be a waste.
    if threads == 1 { 1 } else { threads - 1 + usize::from(threads == 2) }
}

#[test]
fn threads_are_those_that_make_lends() {
    for form in [Form::Fifo, Form::Pipe, Form::OldPipe] {
        for (tokens, most, expected) in [(0, "8", 1), (2, "8", 3), (16, "4", 4), (16, "1", 1), (16, "64", 8)]
        {
            let site = Site::new();
            let server = Server::new(form, tokens, &site);
            let mut command = site.compile(&["-j", most]);
            server.lend(&mut command);
            site.expect_threads(command, expected, || {
                assert_eq!(server.tokens(), tokens + 1 - expected, "{form:?}, {tokens} tokens, -j {most}");
            });
            assert_eq!(server.tokens(), tokens, "{form:?}, {tokens} tokens, -j {most}");
        }
    }
}

#[test]
fn a_jobserver_out_of_reach_leaves_one_thread() {
    for server in ["fifo:/nowhere", "97,98", "-2,-2", "0,0", "nonsense"] {
        let site = Site::new();
        let mut command = site.compile(&["-j", "4"]);
        command.env("MAKEFLAGS", format!("-j4 --jobserver-auth={server}"));
        site.expect_threads(command, 1, || {});
    }
}

#[test]
fn without_a_jobserver_threads_are_those_asked_for() {
    for flags in [None, Some(""), Some("k -- NAME=value")] {
        let site = Site::new();
        let mut command = site.compile(&["-j", "4"]);
        command.envs(flags.map(|flags| ("MAKEFLAGS", flags)));
        site.expect_threads(command, 4, || {});
    }
}

/// What makes compiling fail, and its name.
type Damage = (&'static str, fn(&Site));

#[test]
fn tokens_come_back_when_compiling_fails() {
    let damages: [Damage; 4] = [
        ("syntax errors", |site| (2..6).for_each(|file| site.spoil(&format!("f{file}.toy"), "p { "))),
        ("a ticket that cannot be written", |site| fs::create_dir(site.ticket(3)).unwrap()),
        ("a damaged repository", |site| site.spoil("repo.yaml", "toy: repository\nversion: 1\n")),
        ("a repository that cannot be written", |site| fs::create_dir(site.path("repo.yaml")).unwrap()),
    ];
    for form in [Form::Fifo, Form::Pipe] {
        for (damage, make) in damages {
            let site = Site::new();
            make(&site);
            let server = Server::new(form, 3, &site);
            let mut command = site.compile(&["-j", "8"]);
            server.lend(&mut command);
            assert_eq!(command.status().unwrap().code(), Some(1), "{damage}");
            assert_eq!(server.tokens(), 3, "{damage}");
        }
    }
}

/// A makefile's target that compiles the sources of a site, tells the process, and wants make's other jobs.
fn rule(name: &str, site: &Site) -> String {
    let sources = (0..FILES).map(|file| format!("f{file}.toy ")).collect::<String>();
    let toy = env!("CARGO_BIN_EXE_toy");
    format!(
        "{name}:\n\t+@cd {} && echo $$$$ > process && exec {toy} compile -q -j 8 -o tickets {sources}\n",
        site.directory.path().display()
    )
}

#[test]
fn compilers_below_make_use_as_many_threads_as_make_may() {
    let sites = [Site::new(), Site::new()];
    sites.iter().for_each(Site::stop_at_the_last_ticket);
    let makefile = format!("all: a b\n.PHONY: all a b\n{}{}", rule("a", &sites[0]), rule("b", &sites[1]));
    sites[0].spoil("Makefile", &makefile);
    let make = Command::new("make")
        .args(["-j4", "-f"])
        .arg(sites[0].path("Makefile"))
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("make is not installed");
    sites.iter().for_each(Site::wait_for_the_others);
    let process = |site: &Site| fs::read_to_string(site.path("process")).unwrap().trim().parse().unwrap();
    // Whoever came last took all that was left.
    until(|| sites.iter().map(|site| working(process(site))).sum::<usize>() == 4);
    for site in &sites {
        fs::read(site.ticket(FILES - 1)).unwrap();
    }
    // Make itself counts its tokens at the end, and complains.
    let output = make.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}
