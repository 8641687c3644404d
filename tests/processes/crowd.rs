//! Many processes of all kinds at once on one repository.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;
use toy::digest::{FragmentDigest, Hasher};
use toy::isa::codec::encode;
use toy::isa::instruction::Instruction;
use toy::object::fixup::{FixupKind, Fixups};
use toy::object::fragment::Fragment;
use toy::store::{Entry, Repository};

use super::site::{Site, Store, finish};

/// How often each crowd meets: once, or as often as `TOY_ROUNDS` says, which `cargo xtask torture` sets.
fn rounds() -> usize {
    std::env::var("TOY_ROUNDS").map_or(1, |rounds| rounds.parse().expect("a number of rounds"))
}

/// All sources at once, a process each, on a repository that is not there yet.
fn compilers_at_once(store: Store, files: usize) {
    for _ in 0..rounds() {
        let site = Site::new(store, files);
        let reports = finish((0..files).map(|file| site.compile(file)).collect::<Vec<_>>());
        assert!(reports.iter().all(|report| report["tickets"].as_array().is_some_and(|all| all.len() == 1)));
        let (contents, _) = site.alone();
        assert!(
            site.contents(&site.repository()) == contents,
            "another repository than by one after the other"
        );
        site.assert_as_alone();
    }
}

pub(crate) fn eight_compilers_on_one_new_repository(store: Store) {
    compilers_at_once(store, 8);
}

pub(crate) fn thirty_two_compilers_on_one_new_repository(store: Store) {
    compilers_at_once(store, 32);
}

pub(crate) fn eight_first_runs_of_the_same_source(store: Store) {
    for _ in 0..5 * rounds() {
        let site = Site::new(store, 1);
        let reports = finish((0..8).map(|_| site.compile(0)).collect::<Vec<_>>());
        assert!(reports.iter().all(|report| report["tickets"] == reports[0]["tickets"]), "one ticket");
        site.assert_as_alone();
    }
}

pub(crate) fn agents_merging_while_compilers_run(store: Store) {
    for _ in 0..rounds() {
        let site = Site::new(store, 16);
        let agent = |file: usize| site.named(&format!("agent f{file}"));
        let on_agent = |file: usize| {
            let (agent, ticket) = (agent(file), site.ticket(file));
            site.spawn(&["compile", "-r", &agent, "-o", &ticket, &site.sources[file], "--json"])
        };
        finish((0..8).map(on_agent).collect::<Vec<_>>());
        let mut children = (8..16).map(|file| site.compile(file)).collect::<Vec<_>>();
        children.extend((0..8).map(|file| site.spawn(&["merge", &agent(file), "--json"])));
        children.push(site.spawn(&["merge", &agent(0), &agent(1), "--json"]));
        finish(children);
        let (contents, _) = site.alone();
        assert!(site.contents(&site.repository()) == contents);
        site.assert_as_alone();
    }
}

/// Runs `company` over and over, each with what is its own, while `work` is done.
fn beside<T>(company: &[&(dyn Fn() + Sync)], work: impl FnOnce() -> T) -> T {
    /// Ends the company also when the work panics.
    struct Ended<'e>(&'e AtomicBool);
    impl Drop for Ended<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let end = Ended(&ended);
        for one in company {
            scope.spawn(|| {
                one();
                while !ended.load(Ordering::Relaxed) {
                    one();
                }
            });
        }
        let result = work();
        drop(end);
        result
    })
}

/// Compilers of so many sources at once; each edits its source so many times, and what it compiled before is of no
/// more use.
fn edit_and_compile(site: &Site, edits: usize) {
    thread::scope(|scope| {
        for file in 0..site.sources.len() {
            scope.spawn(move || {
                for edit in 1..=edits {
                    site.write_source(file, edit);
                    finish([site.compile(file)]);
                }
            });
        }
    });
}

pub(crate) fn collecting_while_compilers_run(store: Store) {
    for _ in 0..rounds() {
        let site = Site::new(store, 8);
        site.build();
        beside(&[&|| _ = site.run(&["gc"])], || edit_and_compile(&site, 6));
        site.assert_as_alone();
    }
}

/// Whoever removes a ticket has it made anew: the compilation is there still, unless gc was there first.
pub(crate) fn collecting_while_tickets_go_and_come(store: Store) {
    for _ in 0..rounds() {
        let site = Site::new(store, 8);
        site.build();
        fs::remove_file(site.path("out.tx")).unwrap();
        let come_and_go = |file: usize| {
            for _ in 0..6 {
                fs::remove_file(site.path(&site.ticket(file))).unwrap();
                finish([site.compile(file)]);
            }
        };
        let work = || {
            thread::scope(|scope| (0..7).for_each(|file| _ = scope.spawn(move || come_and_go(file))));
        };
        beside(&[&|| _ = site.run(&["gc"])], work);
        site.assert_as_alone();
    }
}

/// What is removed and put back in the middle of a look for roots is no damage.
pub(crate) fn collecting_while_tickets_flicker(store: Store) {
    let site = Site::new(store, 2);
    site.build();
    let (ticket, kept) = (site.path(&site.ticket(0)), site.path("kept.to"));
    fs::copy(&ticket, &kept).unwrap();
    let flicker = || {
        for _ in 0..100 {
            fs::remove_file(&ticket).unwrap();
            fs::hard_link(&kept, &ticket).unwrap();
        }
    };
    beside(&[&flicker], || (0..60 * rounds()).for_each(|_| _ = site.run(&["gc"])));
    site.assert_as_alone();
}

pub(crate) fn linking_while_compilers_run(store: Store) {
    for _ in 0..rounds() {
        let site = Site::new(store, 8);
        let before = site.build();
        fs::rename(site.path("tickets"), site.path("kept")).unwrap();
        fs::create_dir(site.path("tickets")).unwrap();
        let link = |name: &str| {
            site.run(&["link", "-o", name, "kept"]);
            assert!(site.bytes(name) == before, "another program of the same tickets");
        };
        beside(&[&|| link("one.tx"), &|| link("other.tx")], || edit_and_compile(&site, 4));
        site.assert_as_alone();
    }
}

pub(crate) fn readers_of_all_kinds_while_writers_of_all_kinds_work(store: Store) {
    for _ in 0..rounds() {
        let site = Site::new(store, 8);
        let before = site.build();
        fs::create_dir(site.path("kept")).unwrap();
        (0..8).for_each(|file| {
            _ = fs::copy(site.path(&site.ticket(file)), site.path(&format!("kept/{file}.to"))).unwrap()
        });
        fs::copy(site.path(&site.repository()), site.path(&site.named("agent"))).unwrap();
        let stripped = site.named("stripped");
        let company: [&(dyn Fn() + Sync); 6] = [
            &|| site.assert_clean(),
            &|| _ = site.run(&["dump", &site.repository()]),
            &|| _ = site.run(&["strip", "-o", &stripped]),
            &|| _ = site.run(&["merge", &site.named("agent")]),
            &|| _ = site.run(&["gc"]),
            &|| {
                site.run(&["link", "-o", "kept.tx", "kept"]);
                assert!(site.bytes("kept.tx") == before, "another program of the same tickets");
            },
        ];
        beside(&company, || edit_and_compile(&site, 4));
        site.run(&["check", "-r", &stripped]);
        site.assert_as_alone();
    }
}

/// Each takes from the other's target more than waits in memory: none waits for who waits for it.
pub(crate) fn merges_that_cross(store: Store) {
    let site = Site::new(store, 1);
    let bodies = if store == "tdb" { 72 } else { 2 };
    let names = ["left", "right"].map(|stem| site.named(stem));
    for (side, name) in names.iter().enumerate() {
        let entries = (0..bodies).map(|at| large(2 * at + side)).collect::<Vec<_>>();
        let repository = Repository::open_or_empty(&site.path(name));
        repository.write(|transaction| transaction.add_fragments(&entries).map(drop)).unwrap();
    }
    let [left, right] = &names;
    finish([[left, right], [right, left]].map(|[to, from]| site.spawn(&["merge", "--json", "-r", to, from])));
    for name in &names {
        assert_eq!(site.run(&["check", "-r", name])["fragments"], Value::from(2 * bodies));
    }
}

/// A fragment of a megabyte.
fn large(number: usize) -> (FragmentDigest, Entry) {
    let mut fixups = Fixups::with_capacity(1);
    let string = fixups.intern(FixupKind::Weak, &number.to_string().repeat(1 << 19));
    let mut text = Vec::new();
    encode(Instruction::String(string), &mut text);
    let fragment = Fragment { fixups, text };
    (FragmentDigest::new(Hasher::new("test", number as u32).finish()), Entry::Present(fragment.body()))
}
