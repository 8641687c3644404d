//! Every tool loses power at every step: what is left are old files or new ones, whole, and no reference without
//! what it refers to. The same command then completes what was begun.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use tempfile::TempDir;

use crate::check::check;
use crate::store::Repository;
use crate::store::file::power::{Files, History, Step, files};
use crate::store::seal::{Kind, seal};

const SOURCE: &str = "main { \"hello\" print helper }\nhelper { 1 2 add print }\n";
const EDITED: &str = "main { \"good day\" print helper }\nhelper { 1 2 add print }\n";

/// A directory in which files are lost, and one that is safe, for what the tools only read.
struct Site {
    #[expect(dead_code, reason = "it keeps the directories")]
    directory: TempDir,
    home: PathBuf,
    safe: PathBuf,
}

impl Site {
    fn new() -> Self {
        // Thousands of files are written and flushed: where files can be in memory, they are.
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        let (home, safe) = (root.join("home"), root.join("safe"));
        fs::create_dir_all(home.join("store")).unwrap();
        fs::create_dir_all(safe.join("src")).unwrap();
        let site = Self { directory, home, safe };
        site.edit(SOURCE);
        site
    }

    fn edit(&self, text: &str) {
        fs::write(self.safe.join("main.toy"), text).unwrap();
        fs::write(self.safe.join("src/main.toy"), text).unwrap();
    }

    /// Puts a source that is not formatted where files are lost.
    fn draft(&self) {
        fs::write(self.home.join("main.toy"), SOURCE.replace(' ', "  ")).unwrap();
    }

    /// Damages an entry of the repository.
    fn damage(&self) {
        let path = self.home.join("repo.yaml");
        fs::write(&path, fs::read_to_string(&path).unwrap().replace("call helper", "call")).unwrap();
    }

    /// Runs `toy`; `home/` and `safe/` at the start of an argument are the two directories.
    fn toy(&self, arguments: &str) {
        let place = |word: &str| match word.split_once('/') {
            Some(("home", rest)) => self.home.join(rest).into(),
            Some(("safe", rest)) => self.safe.join(rest).into(),
            _ => OsString::from(word),
        };
        let arguments = ["toy"].into_iter().chain(arguments.split(' ')).chain(["-q"]).map(place);
        assert_eq!(crate::cli::run(arguments), ExitCode::SUCCESS);
    }

    /// Makes `home` hold these files and no others.
    fn put(&self, files: &Files) {
        fs::remove_dir_all(&self.home).unwrap();
        fs::create_dir_all(self.home.join("store")).unwrap();
        for (path, bytes) in files {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
}

/// A command that changes files.
struct Scenario {
    /// What is done before, a command after the other; `edit` edits the source, `draft` puts one beside the
    /// repository, `damage` damages the repository.
    before: &'static [&'static str],
    command: &'static str,
    /// The files that change, each after what it refers to.
    order: &'static [&'static str],
}

const SCENARIOS: &[Scenario] = &[
    Scenario { before: &[], command: COMPILE, order: &["repo.yaml", "main.to"] },
    Scenario { before: &[COMPILE, "edit"], command: COMPILE, order: &["repo.yaml", "main.to"] },
    // The directory for the ticket is made.
    Scenario {
        before: &[],
        command: "compile -r home/store/repo.yaml -o home/out/tickets safe/src",
        order: &["repo.yaml", "main.to"],
    },
    Scenario { before: &[COMPILE], command: LINK, order: &["main.tx", "repo.yaml"] },
    Scenario { before: &[COMPILE, LINK, "edit", COMPILE], command: LINK, order: &["main.tx", "repo.yaml"] },
    Scenario { before: &[AGENT], command: "merge -r home/repo.yaml safe/agent.yaml", order: &["repo.yaml"] },
    Scenario {
        before: &[AGENT, COMPILE],
        command: "merge -r home/repo.yaml safe/agent.yaml",
        order: &["repo.yaml"],
    },
    // Nothing comes of it but an empty repository.
    Scenario { before: &[AGENT, EMPTY_AGENT], command: MERGE, order: &["repo.yaml"] },
    Scenario {
        before: &[AGENT],
        command: "strip -i safe/agent.yaml -o home/stripped.yaml",
        order: &["stripped.yaml"],
    },
    Scenario {
        before: &[COMPILE, "edit", COMPILE],
        command: "gc -r home/repo.yaml home/main.to",
        order: &["repo.yaml"],
    },
    Scenario {
        before: &[COMPILE, "damage"],
        command: "check --repair -r home/repo.yaml",
        order: &["repo.yaml"],
    },
    Scenario { before: &["draft"], command: "fmt home/main.toy", order: &["main.toy"] },
];

const COMPILE: &str = "compile -g -r home/repo.yaml -o home/main.to safe/main.toy";
const LINK: &str = "link -r home/repo.yaml -o home/main.tx home/main.to";
const MERGE: &str = "merge -r home/repo.yaml safe/agent.yaml";
const EMPTY_AGENT: &str = "gc --force -r safe/agent.yaml safe/main.toy";
const AGENT: &str = "compile -r safe/agent.yaml -o safe/agent.to safe/main.toy";

impl Scenario {
    /// The history of the command, done after all that comes before it.
    fn history(&self, site: &Site) -> History {
        for command in self.before {
            match *command {
                "edit" => site.edit(EDITED),
                "draft" => site.draft(),
                "damage" => site.damage(),
                command => site.toy(command),
            }
        }
        History::of(&site.home, || site.toy(self.command))
    }

    /// What is wrong with what is left by a loss of power after any step of `history`.
    fn loss(&self, history: &History) -> Option<String> {
        let order = self.order.iter().map(|name| path_of(history, name)).collect::<Vec<_>>();
        let wrong = |steps: usize| {
            let is_done = steps == history.steps.len();
            let wrong = |left: &Files| wrong_with(left, history, &order, is_done);
            let wrong = history.left(steps).iter().find_map(wrong)?;
            Some(format!("after {:?}: {wrong}", history.steps[..steps].last().map(shown)))
        };
        (0..=history.steps.len()).find_map(wrong)
    }
}

fn path_of(history: &History, name: &str) -> PathBuf {
    let is_it = |path: &&PathBuf| path.ends_with(name);
    history.after.keys().find(is_it).unwrap_or_else(|| panic!("there is no {name}")).clone()
}

fn shown(step: &Step) -> String {
    format!("{step:?}").chars().take(100).collect()
}

/// Old files or new ones; a new one only with what it refers to; and in the end nothing but new ones.
fn wrong_with(left: &Files, history: &History, order: &[PathBuf], is_done: bool) -> Option<String> {
    if is_done {
        return (*left != history.after).then(|| "what was done is lost".to_owned());
    }
    let is_known = |(path, bytes): (&PathBuf, &Vec<u8>)| {
        let known = [&history.before, &history.after].map(|files| files.get(path));
        // A repository that is not there yet is first made without anything in it.
        known.contains(&Some(bytes)) || !history.before.contains_key(path) && is_empty_repository(bytes)
    };
    if let Some((path, _)) = left.iter().find(|file| !is_known(*file)) {
        return Some(format!("{} is neither old nor new", path.display()));
    }
    if let Some(path) = history.before.keys().find(|path| !left.contains_key(*path)) {
        return Some(format!("{} is gone", path.display()));
    }
    let is_new = |path: &PathBuf| left.get(path) == history.after.get(path);
    let dangles = |pair: &[PathBuf]| is_new(&pair[1]) && !is_new(&pair[0]);
    order.windows(2).any(dangles).then(|| "a reference is there and what it refers to is not".to_owned())
}

fn is_empty_repository(bytes: &[u8]) -> bool {
    seal(Kind::Repository, "", 0).as_bytes() == bytes
}

#[test]
fn a_loss_of_power_leaves_the_old_or_the_new() {
    for scenario in SCENARIOS {
        let history = scenario.history(&Site::new());
        assert_eq!(scenario.loss(&history), None, "{}", scenario.command);
    }
}

/// Readers take every state that is left, check finds nothing, and the same command ends as if nothing had been.
#[test]
fn after_a_loss_of_power_the_same_command_completes() {
    for scenario in SCENARIOS {
        let site = Site::new();
        let history = scenario.history(&site);
        let mut left = (0..=history.steps.len()).flat_map(|steps| history.left(steps)).collect::<Vec<_>>();
        left.sort();
        left.dedup();
        for state in left {
            site.put(&state);
            assert_readable(&state, &history.before);
            site.toy(scenario.command);
            assert_eq!(files(&site.home), history.after, "{}", scenario.command);
        }
    }
}

/// What was there before may have been damaged by others.
fn assert_readable(files: &Files, before: &Files) {
    for (path, _) in files.iter().filter(|(path, bytes)| before.get(*path) != Some(*bytes)) {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("yaml") => assert_eq!(check(&Repository::open(path)).unwrap().problems, []),
            Some("to") => _ = crate::store::wire::ticket::read(path).unwrap(),
            Some("toy") => assert_eq!(fs::read_to_string(path).unwrap(), SOURCE),
            _ => _ = crate::store::wire::executable::read(path).unwrap(),
        }
    }
}

/// The test of these tests: a tool that leaves out one flush, whichever, is found out.
#[test]
fn a_tool_that_does_not_flush_is_found_out() {
    for scenario in SCENARIOS {
        let history = scenario.history(&Site::new());
        let flushes = history.flushes();
        assert!(flushes.len() >= 2, "{}: {} flushes", scenario.command, flushes.len());
        for flush in flushes {
            let is_missed = scenario.loss(&history.without(flush)).is_some();
            let step = shown(&history.steps[flush]);
            assert!(is_missed != is_renewed(&history, flush), "{}: {step} at {flush}", scenario.command);
        }
    }
}

/// Whether a flush is for a name that is given again, and flushed again, before anything depends on it: that of a
/// new repository without anything in it, which is made to be locked.
fn is_renewed(history: &History, flush: usize) -> bool {
    let Step::Rename(_, name) = &history.steps[flush - 1] else { return false };
    let gives_it = |step: &Step| matches!(step, Step::Rename(_, to) if to == name);
    history.steps[flush..].iter().any(gives_it)
}

/// And one that writes the reference before what it refers to.
#[test]
fn a_tool_that_writes_in_the_wrong_order_is_found_out() {
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.order.len() > 1) {
        let mut history = scenario.history(&Site::new());
        let first = path_of(&history, scenario.order[0]);
        let is_last_of_first = |step: &Step| matches!(step, Step::Rename(_, to) if *to == first);
        let end = history.steps.iter().rposition(is_last_of_first).unwrap() + 2;
        history.steps.rotate_left(end);
        assert!(scenario.loss(&history).is_some(), "{}", scenario.command);
    }
}

/// And one that writes over the old file.
#[test]
fn a_tool_that_writes_in_place_is_found_out() {
    let site = Site::new();
    let file = site.home.join("main.to");
    let steps = vec![
        Step::Create(file.clone()),
        Step::Write(file.clone(), 0, b"new".to_vec()),
        Step::Flush(file.clone()),
        Step::FlushDirectory(site.home.clone()),
    ];
    let [before, after] = [b"old", b"new"].map(|bytes| Files::from([(file.clone(), bytes.to_vec())]));
    let history = History { before, steps, after };
    let scenario = Scenario { before: &[], command: "", order: &["main.to"] };
    assert!(scenario.loss(&history).is_some());
}
