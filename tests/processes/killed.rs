//! Processes that are killed, or that must wait: what is left is whole, and nobody is blocked.

use std::ffi::OsStr;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::site::{Site, Store, finish};

/// A generator of waits; the times at which processes are killed need not be the same in each run.
struct Waits(u64);

impl Waits {
    fn next(&mut self, below: u64) -> Duration {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        Duration::from_micros((self.0 >> 33) % below)
    }
}

pub(crate) fn killed_processes_leave_the_old_state_or_the_new_one(store: Store) {
    let site = Site::new(store, 6);
    let (agent, measured) = (site.named("agent"), site.named("measured"));
    site.run(&["compile", "-r", &agent, "-o", "agent tickets", "f0.toy", "f1.toy"]);
    // A few milliseconds are a whole run; the greatest wait adapts to the machine.
    let start = Instant::now();
    site.run(&["compile", "-r", &measured, "-o", "measured", "f0.toy"]);
    let run = start.elapsed().as_micros() as u64;
    let mut waits = Waits(0x746f_7921);
    let (mut rounds, mut killed, start) = (0, 0, Instant::now());
    while rounds < 40 && start.elapsed() < Duration::from_secs(5) {
        rounds += 1;
        let source = &site.sources[rounds % site.sources.len()];
        let victims = [
            vec!["compile", "-o", "tickets", source],
            vec!["merge", &agent],
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
    assert!(site.build() == site.alone().1);
    site.assert_clean();
}

/// Whatever is there is whole, and nothing blocks the next one.
fn assert_whole(site: &Site) {
    for name in [&site.repository(), "killed.tx"] {
        if let Ok(metadata) = fs::metadata(site.path(name)) {
            assert!(metadata.len() > 0, "{name} is empty");
        }
    }
    if site.path(&site.repository()).exists() {
        site.assert_clean();
    }
    let files =
        |directory: &str| fs::read_dir(site.path(directory)).unwrap().map(|entry| entry.unwrap().path());
    for path in files("tickets").filter(|path| path.extension() == Some(OsStr::new("to"))) {
        site.run(&["dump", path.to_str().unwrap()]);
    }
}

pub(crate) fn what_killed_processes_leave_behind_disturbs_nobody(store: Store) {
    let site = Site::new(store, 3);
    let expected = site.build();
    let cut = |name: &str| site.bytes(name)[..50].to_vec();
    let leftovers = [
        cut(&site.repository()),
        cut("out.tx"),
        cut(&site.ticket(0)),
        Vec::new(),
        site.bytes(&site.ticket(1)),
    ];
    for (at, bytes) in leftovers.iter().enumerate() {
        for directory in ["", "tickets/"] {
            fs::write(site.path(&format!("{directory}.toy-{at}xyz.new")), bytes).unwrap();
        }
    }
    assert!(site.build() == expected);
    let report = site.run(&["gc"]);
    assert_eq!((&report["dropped"], &report["roots"]), (&Value::from(0), &Value::from(4)));
    site.run(&["merge", "-r", &site.named("other"), &site.repository()]);
    site.run(&["strip", "-o", &site.named("stripped")]);
    site.assert_clean();
    assert!(site.build() == expected);
}

/// The readable repository is locked as a file; others have locks of their own.
#[test]
fn a_process_that_holds_the_lock_is_waited_for() {
    let site = Site::new("yaml", 2);
    site.build();
    let held = fs::File::open(site.path(&site.repository())).unwrap();
    held.lock().unwrap();
    site.write_source(0, 1);
    let mut waiting = site.compile(0);
    // Readers need no lock: they answer while the writer waits.
    site.assert_clean();
    assert_eq!(site.run(&["dump", "repo.yaml"])["links"].as_array().map(Vec::len), Some(1));
    assert!(waiting.try_wait().unwrap().is_none(), "the compiler waits");
    drop(held);
    finish([waiting]);
    site.assert_as_alone();
}
