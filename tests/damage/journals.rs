//! Journals beside databases, which the next process uses to undo what another one left unfinished.

use std::fs;
use std::path::PathBuf;

use toy::store::{Repository, StoreError};

use crate::database::Intact;
use crate::kit::everything;

/// What a process leaves that was killed when it had put all pages of a database into its journal.
fn journal(pages: &[u8], page: usize) -> Vec<u8> {
    const NONCE: u32 = 7;
    const SECTOR: usize = 512;
    let count = (pages.len() / page) as u32;
    let mut journal = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    for number in [count, NONCE, count, SECTOR as u32, page as u32] {
        journal.extend(number.to_be_bytes());
    }
    journal.resize(SECTOR, 0);
    for (number, page) in (1_u32..).zip(pages.chunks(page)) {
        let sampled = page.iter().rev().skip(199).step_by(200);
        let sampled = sampled.take((page.len() - 1) / 200).map(|byte| u32::from(*byte));
        journal.extend(number.to_be_bytes());
        journal.extend(page);
        journal.extend((NONCE + sampled.sum::<u32>()).to_be_bytes());
    }
    journal
}

fn place(intact: &Intact) -> PathBuf {
    intact.sample.path().with_extension("tdb-journal")
}

/// The database in another state, in which it is empty.
fn emptied(intact: &Intact) -> Vec<u8> {
    let cleared = intact.with(intact.bytes()).replace(|_| Ok(()));
    cleared.map_err(|error: StoreError| error).unwrap();
    fs::read(intact.sample.path()).unwrap()
}

#[test]
fn what_a_killed_process_left_unfinished_is_undone() {
    let intact = Intact::new();
    let journal = journal(intact.bytes(), intact.page());
    let mut unfinished = intact.bytes().to_vec();
    let half = unfinished.len() / 2;
    unfinished[half..].fill(0xaa);
    unfinished[18..500].fill(0xaa);
    let repository = intact.with(&unfinished);
    fs::write(place(&intact), &journal).unwrap();
    assert!(everything(&repository) == intact.everything);
    assert!(!place(&intact).exists());
    intact.assert_both(&fs::read(intact.sample.path()).unwrap(), "undone");
    // A repair too undoes it first, and a repaired database has nothing to undo.
    intact.with(&unfinished);
    fs::write(place(&intact), &journal).unwrap();
    let report = toy::check::repair(&Repository::open(&intact.sample.path())).unwrap();
    assert_eq!((report.problems, place(&intact).exists()), (Vec::new(), false));
    assert!(everything(&repository) == intact.everything);
}

/// Whatever a journal does to a database, what is read then is right.
#[test]
fn a_damaged_or_foreign_journal_makes_nothing_wrong() {
    let intact = Intact::new();
    let own = journal(intact.bytes(), intact.page());
    let foreign = journal(&emptied(&intact), intact.page());
    let junk = vec![0xd9; 5000];
    let step = own.len() / 50;
    let mut journals = vec![
        ("another state".to_owned(), foreign.clone()),
        ("junk".to_owned(), junk),
        ("nothing".to_owned(), Vec::new()),
    ];
    for journal in [&own, &foreign] {
        for at in (0..40).chain((40..journal.len()).step_by(step)) {
            let mut flipped = journal.clone();
            flipped[at] ^= 0x11;
            journals.push((format!("byte {at} flipped"), flipped));
            journals.push((format!("cut at {at}"), journal[..at].to_vec()));
        }
    }
    for (what, journal) in journals {
        let repository = intact.with(intact.bytes());
        fs::write(place(&intact), &journal).unwrap();
        intact.sample.assert_harmless(&repository, &what);
        intact.with(intact.bytes());
        fs::write(place(&intact), &journal).unwrap();
        intact.mend(&what);
    }
}
