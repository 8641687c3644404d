//! Databases with damaged bytes and pages: whatever is read is right, and what is wrong is found and mended, unless it
//! makes no difference.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use toy::check::{check, repair};
use toy::source::SourceFile;
use toy::store::database::bucket::{self, Bucket, Table};
use toy::store::{Entry, Repository, StoreError};

use crate::kit::{Everything, compile, everything, store};
use crate::sample::{Sample, assert_coded};

/// A database, and what is in it.
pub(crate) struct Intact {
    pub(crate) sample: Sample,
    pub(crate) everything: Everything,
}

impl Intact {
    pub(crate) fn new() -> Self {
        let mut sample = Sample::in_file("repo.tdb");
        let old = everything(&Repository::open(&sample.path()));
        divide(&sample.path());
        sample.repository = fs::read(sample.path()).unwrap();
        let everything = everything(&Repository::open(&sample.path()));
        assert!(everything == old);
        Self { sample, everything }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.sample.repository
    }

    /// The size of a page, as the database says it.
    pub(crate) fn page(&self) -> usize {
        page(self.bytes())
    }

    /// Every verb does its work or fails with a code, and what is linked is right or nothing. Check finds the damage,
    /// or nothing is different.
    fn assert_found_or_harmless(&self, bytes: &[u8], what: &str) {
        let repository = self.with(bytes);
        match check(&repository) {
            Ok(report) if report.problems.is_empty() => {
                assert!(everything(&repository) == self.everything, "{what}: not found");
            }
            Ok(_) => {}
            Err(error) => assert_coded(&error),
        }
        self.sample.assert_harmless(&repository, &what);
    }

    /// After a repair, and then a normal build, the executable is what it was.
    fn assert_mended(&self, bytes: &[u8], what: &str) {
        self.with(bytes);
        self.mend(what);
    }

    /// Repairs what is there, and builds.
    pub(crate) fn mend(&self, what: &str) {
        let repository = Repository::open(&self.sample.path());
        match repair(&repository) {
            Ok(_) => {
                assert_eq!(check(&repository).unwrap().problems, [], "{what}");
                everything(&repository);
            }
            // Nothing says that it is a repository: the user puts it away.
            Err(error) => {
                assert_coded(&error);
                fs::remove_file(self.sample.path()).unwrap();
            }
        }
        self.sample.build(&what);
    }

    pub(crate) fn assert_both(&self, bytes: &[u8], what: &str) {
        self.assert_found_or_harmless(bytes, what);
        self.assert_mended(bytes, what);
    }

    pub(crate) fn with(&self, bytes: &[u8]) -> Repository {
        _ = fs::remove_file(self.sample.path().with_extension("tdb-journal"));
        self.sample.with(bytes)
    }
}

/// Gives a database young tables, with every other digest in them.
fn divide(path: &Path) {
    let sql = Connection::open(path).unwrap();
    for (old, young) in
        [(Table::Compilations, Table::YoungCompilations), (Table::Fragments, Table::YoungFragments)]
    {
        let [name, beside] = [old, young].map(Table::name);
        let select = format!("SELECT bucket FROM {name}");
        let bytes = sql.query_row(&select, [], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        let entries = Bucket::parse(old, 0, &bytes).unwrap().entries();
        let part = |first| entries.iter().skip(first).step_by(2).copied().collect::<Vec<_>>();
        let create = format!("CREATE TABLE {beside} (first INTEGER PRIMARY KEY, bucket BLOB NOT NULL)");
        sql.execute_batch(&create).unwrap();
        for (table, name, first) in [(old, name, 0), (young, beside, 1)] {
            let bucket = bucket::bytes(table, 0, u64::MAX, &part(first));
            sql.execute(&format!("REPLACE INTO {name} VALUES (?1, ?2)"), (i64::MIN, bucket)).unwrap();
        }
    }
    sql.execute_batch("PRAGMA user_version = 2").unwrap();
}

fn page(database: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([database[16], database[17]]))
}

/// Where anything stands, and of what is empty a sample.
fn places(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let is_used = |at: usize| {
        let around = &bytes[at.saturating_sub(4)..(at + 5).min(bytes.len())];
        around.iter().any(|byte| *byte != 0)
    };
    (0..bytes.len()).filter(move |at| is_used(*at) || at % 251 == 0)
}

fn flipped(bytes: &[u8], at: usize, pattern: u8) -> (String, Vec<u8>) {
    let mut flipped = bytes.to_vec();
    flipped[at] ^= pattern;
    (format!("byte {at} flipped with {pattern:#04x}"), flipped)
}

#[test]
fn every_flipped_byte_is_found_or_harmless() {
    let intact = Intact::new();
    for at in places(intact.bytes()) {
        let pattern = [0x01, 0xff, 0x80, 0x20][at % 4];
        let (what, bytes) = flipped(intact.bytes(), at, pattern);
        intact.assert_found_or_harmless(&bytes, &what);
        if at % 16 == 0 {
            intact.assert_mended(&bytes, &what);
        }
    }
}

/// The first page says how everything else is to be read.
#[test]
fn whichever_bits_of_the_header_flip_nothing_is_lost() {
    let intact = Intact::new();
    for at in 0..100 {
        for bit in (0..8).map(|bit| 1 << bit) {
            let (what, bytes) = flipped(intact.bytes(), at, bit);
            intact.assert_both(&bytes, &what);
        }
    }
}

#[test]
fn a_cut_database_is_found_and_mended() {
    let intact = Intact::new();
    let (all, page) = (intact.bytes(), intact.page());
    let near_ends = (0..all.len()).filter(|at| matches!(at % page, 0 | 1) || at % page == page - 1);
    for at in near_ends.chain((0..100).chain((100..all.len()).step_by(509))) {
        intact.assert_both(&all[..at], &format!("cut at {at}"));
        assert!(at == all.len() || intact.with(&all[..at]).read().is_err(), "cut at {at}");
    }
}

#[test]
fn what_follows_a_database_is_found_or_harmless() {
    let intact = Intact::new();
    for tail in [&b"x"[..], &vec![0; intact.page()], &vec![0xff; intact.page()], intact.bytes()] {
        intact.assert_both(&[intact.bytes(), tail].concat(), &format!("{} more bytes", tail.len()));
    }
}

#[test]
fn lost_and_exchanged_pages_are_found_and_mended() {
    let intact = Intact::new();
    let pages = intact.bytes().chunks(intact.page()).collect::<Vec<_>>();
    for at in 0..pages.len() {
        for filler in [0x00, 0xff, 0x0d] {
            let mut changed = pages.clone();
            let filled = vec![filler; intact.page()];
            changed[at] = &filled;
            intact.assert_both(&changed.concat(), &format!("page {at} filled with {filler:#04x}"));
        }
        for other in 0..pages.len() {
            let mut changed = pages.clone();
            changed[at] = pages[other];
            intact.assert_both(&changed.concat(), &format!("page {other} also in place of page {at}"));
            changed[other] = pages[at];
            intact.assert_both(&changed.concat(), &format!("pages {at} and {other} exchanged"));
        }
    }
}

/// Pages of another repository, or of this one in another state, are whole in themselves.
#[test]
fn pages_of_other_databases_are_found_or_harmless() {
    let intact = Intact::new();
    let other = Repository::open_or_empty(&intact.sample.path().with_file_name("other.tdb"));
    other.replace(|_| Ok(())).map_err(|error: StoreError| error).unwrap();
    let mut others = vec![fs::read(other.origin()).unwrap()];
    store(&intact.everything, &other);
    others.push(fs::read(other.origin()).unwrap());
    store(&more(), &other);
    others.push(fs::read(other.origin()).unwrap());
    let pages = intact.bytes().chunks(intact.page()).collect::<Vec<_>>();
    for other in &others {
        for (at, page) in other.chunks(intact.page()).enumerate().take(pages.len()) {
            let mut changed = pages.clone();
            changed[at] = page;
            let what = format!("page {at} of another database");
            intact.sample.assert_harmless(&intact.with(&changed.concat()), &what);
            intact.assert_mended(&changed.concat(), &what);
        }
    }
}

/// Many fragments, from which a database gets many pages.
fn more() -> Everything {
    let repository = Repository::in_memory();
    let procedures = (0..3000).map(|number| format!("p{number} {{ {number} print }}\n"));
    let source = SourceFile { name: "more.toy".into(), text: procedures.collect::<String>().into() };
    compile(&repository, &[source]);
    everything(&repository)
}

/// A page takes what is on it, and no more, unless it is one of the few that say where others are.
#[test]
fn a_lost_page_of_a_larger_database_takes_little() {
    let intact = Intact::new();
    let all = more();
    store(&all, &intact.with(intact.bytes()));
    let bytes = fs::read(intact.sample.path()).unwrap();
    let pages = bytes.len() / intact.page();
    let total = all.fragments.len() + intact.everything.fragments.len();
    let mut kept = Vec::new();
    for at in (0..pages).step_by(1 + pages / 40) {
        let mut changed = bytes.clone();
        // What begins otherwise is no repository.
        changed[at * intact.page()..][..intact.page()][if at == 0 { 100 } else { 0 }..].fill(0x5a);
        let repository = intact.with(&changed);
        repair(&repository).unwrap();
        assert_eq!(check(&repository).unwrap().problems, [], "page {at}");
        let left = everything(&repository).fragments;
        kept.push(left.iter().filter(|(_, entry)| matches!(entry, Entry::Present(_))).count());
    }
    // Each body takes more than so many bytes. Only the few pages that say where others are take more.
    let most = intact.page() / 16;
    let lost_much = kept.iter().filter(|kept| **kept + most < total).count();
    assert!(lost_much <= 3, "{kept:?} of {total}");
}
