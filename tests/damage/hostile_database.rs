//! Databases that somebody made so: foreign ones, and ours with contents that no writer of ours makes. Each is refused
//! with a code, or read right.

use std::fs;

use rusqlite::Connection;
use toy::check::check;
use toy::digest::{Checksum, Digest, FragmentDigest};
use toy::store::Repository;
use toy::store::database::bucket::{Table, bytes};
use toy::store::places::{Location, Slot};

use crate::database::Intact;
use crate::kit::everything;
use crate::sample::{Sample, code_of, shown};

/// The database after these statements, which need not be ones of ours.
fn changed(intact: &Intact, statements: &str) -> Repository {
    let repository = intact.with(intact.bytes());
    let sql = Connection::open(intact.sample.path()).unwrap();
    sql.execute_batch(statements).unwrap();
    repository
}

/// A reader's code; what it says can be shown.
fn refusal(repository: &Repository, what: &str) -> String {
    let error = repository.read().map(drop).expect_err(what);
    assert!(shown(&error).len() < 2000, "{what}");
    code_of(&error)
}

#[test]
fn a_foreign_database_is_refused_and_left_alone() {
    let intact = Intact::new();
    for (statements, expected) in [
        ("PRAGMA application_id = 0", "toy::store::kind"),
        ("PRAGMA application_id = 1", "toy::store::kind"),
        ("PRAGMA user_version = 3", "toy::store::version"),
        ("PRAGMA user_version = -1", "toy::store::version"),
    ] {
        let repository = changed(&intact, statements);
        let before = fs::read(intact.sample.path()).unwrap();
        assert_eq!(refusal(&repository, statements), expected, "{statements}");
        intact.sample.assert_refused(&repository, &statements);
        assert_eq!(code_of(&check(&repository).unwrap_err()), expected);
        assert_eq!(code_of(&toy::check::repair(&repository).unwrap_err()), expected);
        assert!(fs::read(intact.sample.path()).unwrap() == before, "{statements}");
    }
}

#[test]
fn tables_that_are_not_ours_are_refused_and_mended() {
    let intact = Intact::new();
    for statements in [
        "CREATE TABLE more (a)",
        "CREATE INDEX more ON heap (bytes)",
        "CREATE VIEW more AS SELECT 1",
        "CREATE TRIGGER more AFTER INSERT ON heap BEGIN DELETE FROM fragments; END",
        "ALTER TABLE heap ADD COLUMN more AS (zeroblob(1000000000))",
        "ALTER TABLE heap RENAME TO pile",
        "DROP TABLE links",
        "DROP TABLE young_fragments",
        "PRAGMA user_version = 1",
        "DROP TABLE young_fragments; DROP TABLE young_compilations",
        "DROP TABLE heap; CREATE VIEW heap AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id, zeroblob(9) AS bytes FROM n",
        "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET rootpage = 1",
        "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = 'CREATE TABLE heap AS SELECT 1'",
    ] {
        let repository = changed(&intact, statements);
        assert_eq!(refusal(&repository, statements), "toy::store::damaged", "{statements}");
        intact.sample.assert_refused(&repository, &statements);
        let found = check(&repository).unwrap_or_else(|error| panic!("{statements}: {error}"));
        assert_ne!(found.problems, [], "{statements}");
        intact.mend(statements);
    }
}

#[test]
fn another_way_to_store_the_same_is_read_or_refused() {
    let intact = Intact::new();
    for statements in [
        "PRAGMA journal_mode = wal",
        "PRAGMA page_size = 512; VACUUM",
        "PRAGMA page_size = 65536; VACUUM",
        "PRAGMA auto_vacuum = none; VACUUM",
        "PRAGMA auto_vacuum = full; VACUUM",
        "PRAGMA default_cache_size = 1000000000",
    ] {
        changed(&intact, statements);
        let bytes = fs::read(intact.sample.path()).unwrap();
        intact.assert_both(&bytes, statements);
    }
}

#[test]
fn values_of_another_type_or_size_are_refused_and_mended() {
    let intact = Intact::new();
    for statements in [
        "UPDATE heap SET bytes = 'text'",
        "UPDATE heap SET bytes = 7",
        "UPDATE heap SET bytes = zeroblob(0)",
        "UPDATE heap SET bytes = zeroblob(50000000)",
        "DELETE FROM heap",
        "UPDATE heap SET id = id + 100",
        "UPDATE heap SET id = 9223372036854775807 WHERE id = 1",
        "UPDATE heap SET id = -id",
        "INSERT INTO heap VALUES (9223372036854775807, x'00')",
        "INSERT INTO heap VALUES (4294967295, x'00')",
        "INSERT INTO heap VALUES (-9223372036854775808, x'00')",
        "UPDATE fragments SET bucket = 'text'",
        "UPDATE fragments SET bucket = 1.5",
        "UPDATE fragments SET bucket = x''",
        "UPDATE fragments SET bucket = zeroblob(50000000)",
        "UPDATE fragments SET first = first + 1",
        "INSERT INTO fragments SELECT 0, bucket FROM fragments",
        "INSERT INTO fragments SELECT 9223372036854775807, bucket FROM fragments",
        "DELETE FROM fragments",
        "DELETE FROM compilations",
        "UPDATE compilations SET bucket = (SELECT bucket FROM fragments)",
        "UPDATE links SET bucket = (SELECT bucket FROM compilations)",
        "DELETE FROM links",
        "DELETE FROM young_fragments",
        "UPDATE young_fragments SET bucket = (SELECT bucket FROM fragments)",
        "UPDATE fragments SET bucket = (SELECT bucket FROM young_fragments)",
        "UPDATE young_compilations SET bucket = zeroblob(50000000)",
        "INSERT INTO young_compilations SELECT 0, bucket FROM young_compilations",
    ] {
        changed(&intact, statements);
        intact.assert_both(&fs::read(intact.sample.path()).unwrap(), statements);
    }
}

/// A change of entries.
type Edit = fn(&mut Vec<(Digest, Slot)>);

/// What the checksum of a bucket vouches for need not be what a writer of ours wrote.
#[test]
fn buckets_with_a_right_checksum_and_wrong_contents_do_no_harm() {
    fn locations(entries: &mut [(Digest, Slot)], edit: impl Fn(&mut Location)) {
        for (_, slot) in entries {
            if let Slot::Stored(location) = slot {
                edit(location);
            }
        }
    }
    let intact = Intact::new();
    let edits: [(&str, Edit); 12] = [
        ("wrong order", |entries| entries.reverse()),
        ("the first and the last exchanged", |entries| {
            let last = entries.len() - 1;
            entries.swap(0, last);
        }),
        ("twice", |entries| entries.extend(entries.clone())),
        ("the first twice", |entries| entries.insert(0, entries[0])),
        ("known and stored", |entries| {
            entries.extend(entries.clone().into_iter().map(|(digest, _)| (digest, Slot::Known)))
        }),
        ("offset past the end", |entries| locations(entries, |location| location.offset = u32::MAX)),
        ("length past the end", |entries| locations(entries, |location| location.length = u32::MAX)),
        ("length one less", |entries| locations(entries, |location| location.length -= 1)),
        ("row past the end", |entries| locations(entries, |location| location.row = u32::MAX)),
        ("row zero", |entries| locations(entries, |location| location.row = 0)),
        ("all in one place", |entries| {
            locations(entries, |location| (location.offset, location.length) = (0, 1))
        }),
        ("another checksum", |entries| {
            locations(entries, |location| location.checksum = Checksum::from_bytes([7; 16]))
        }),
    ];
    let young = [Table::YoungFragments, Table::YoungCompilations];
    for table in Table::OLD.into_iter().chain(young) {
        let name = table.name();
        for (what, edit) in edits {
            let repository = intact.with(intact.bytes());
            let sql = Connection::open(intact.sample.path()).unwrap();
            let old = sql
                .query_row(&format!("SELECT bucket FROM {name}"), [], |row| row.get::<_, Vec<u8>>(0))
                .unwrap();
            let bucket = toy::store::database::bucket::Bucket::parse(table, 0, &old).unwrap();
            let mut entries = bucket.entries();
            edit(&mut entries);
            sql.execute(&format!("UPDATE {name} SET bucket = ?1"), [bytes(table, 0, u64::MAX, &entries)])
                .unwrap();
            drop(sql);
            let what = format!("{name}: {what}");
            intact.sample.assert_harmless(&repository, &what);
            intact.mend(&what);
        }
    }
}

/// A digest in a table and in the young one beside it: no reader can take either for the right one.
#[test]
fn a_digest_in_two_tables_is_found_and_mended() {
    let intact = Intact::new();
    for (from, to) in
        [(Table::Fragments, Table::YoungFragments), (Table::YoungCompilations, Table::Compilations)]
    {
        for is_known in [false, true] {
            let repository = intact.with(intact.bytes());
            let sql = Connection::open(intact.sample.path()).unwrap();
            let select = format!("SELECT bucket FROM {}", from.name());
            let old = sql.query_row(&select, [], |row| row.get::<_, Vec<u8>>(0)).unwrap();
            let entries = toy::store::database::bucket::Bucket::parse(from, 0, &old).unwrap().entries();
            let slot = |slot| if is_known { Slot::Known } else { slot };
            let entries =
                entries.into_iter().map(|(digest, found)| (digest, slot(found))).collect::<Vec<_>>();
            let insert = format!("UPDATE {} SET bucket = ?1", to.name());
            sql.execute(&insert, [bytes(to, 0, u64::MAX, &entries)]).unwrap();
            drop(sql);
            let what = format!("{} in {}, known: {is_known}", from.name(), to.name());
            assert_ne!(check(&repository).unwrap().problems, [], "{what}");
            intact.sample.assert_harmless(&repository, &what);
            intact.mend(&what);
        }
    }
}

#[test]
fn ranges_that_overlap_or_lack_something_are_refused_and_mended() {
    let intact = Intact::new();
    for (first, last) in [(0, 5), (0, u64::MAX - 1), (1, u64::MAX), (5, 4), (u64::MAX, u64::MAX)] {
        let repository = intact.with(intact.bytes());
        let sql = Connection::open(intact.sample.path()).unwrap();
        let key = (first ^ 1 << 63) as i64;
        sql.execute("DELETE FROM fragments", []).unwrap();
        let bucket = bytes(Table::Fragments, first, last, &[]);
        sql.execute("INSERT INTO fragments VALUES (?1, ?2)", (key, bucket)).unwrap();
        drop(sql);
        let what = format!("{first} to {last}");
        assert_ne!(check(&repository).unwrap().problems, [], "{what}");
        intact.sample.assert_harmless(&repository, &what);
        intact.mend(&what);
    }
}

/// The contents say what a file is, whatever its name is.
#[test]
fn a_name_that_ends_otherwise_misleads_nobody() {
    let (yaml, database) = (Sample::new(), Sample::in_file("repo.tdb"));
    let of_yaml = everything(&Repository::open(&yaml.path()));
    assert!(everything(&yaml.with(&database.repository)) == of_yaml);
    yaml.build(&"a database under the name of YAML");
    assert!(fs::read(yaml.path()).unwrap().starts_with(b"SQLite"));
    assert!(everything(&database.with(&yaml.repository)) == of_yaml);
    database.build(&"YAML under the name of a database");
    assert!(fs::read(database.path()).unwrap().starts_with(b"toy: repository"));
    for bytes in [&yaml.ticket, &yaml.executable, &yaml.binary] {
        database.assert_refused(&database.with(bytes), &"another kind");
    }
}

/// An index that names one large row many times: what is read together stays small, and so it does where nothing is read.
#[test]
fn a_row_that_is_named_many_times_takes_no_more_memory() {
    const LARGE: usize = 1 << 20;
    let location = Location { checksum: Checksum::of(b""), row: 1 << 20, offset: 0, length: LARGE as u32 };
    for slot in [Slot::Stored(location), Slot::Known] {
        let intact = Intact::new();
        let repository = intact.with(intact.bytes());
        let sql = Connection::open(intact.sample.path()).unwrap();
        sql.execute("INSERT INTO heap VALUES (?1, zeroblob(?2))", (location.row, location.length)).unwrap();
        let digest = |at: u64| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&at.to_be_bytes());
            Digest::from_bytes(bytes)
        };
        let entries = (0..2000).map(|at| (digest(at), slot)).collect::<Vec<_>>();
        let bucket = bytes(Table::Fragments, 0, u64::MAX, &entries);
        sql.execute("DELETE FROM fragments", []).unwrap();
        sql.execute("INSERT INTO fragments VALUES (?1, ?2)", (i64::MIN, bucket)).unwrap();
        drop(sql);
        let digests = entries.iter().map(|(digest, _)| FragmentDigest::new(*digest)).collect::<Vec<_>>();
        let mut found = 0;
        let view = repository.read().unwrap();
        view.for_entries(&digests, &mut |mut haul| {
            assert!(haul.bytes() <= 2 * LARGE, "{} bytes", haul.bytes());
            let members = haul.entries().count();
            assert!(members <= 512, "{members} members");
            found += members;
            Ok(())
        })
        .unwrap();
        assert_eq!(found, entries.len());
    }
}
