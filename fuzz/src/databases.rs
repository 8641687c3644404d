//! What a database keeps: buckets, records, and the file as a whole.

use toy::check::{check, repair};
use toy::digest::{BuildId, Digest, Hasher};
use toy::object::compilation::id_of;
use toy::object::fragment::Body;
use toy::store::database::bucket::{self, Bucket, Table};
use toy::store::places::Slot;
use toy::store::wire::record::{
    CompilationRecord, compilation_from_bytes, compilation_to_bytes, link_from_bytes, link_to_bytes,
};
use toy::store::{Repository, StoreError, View};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::assert_coded;

/// A bucket whose checksum fits: what is found in it is what it lists.
pub fn bucket(bytes: &[u8]) {
    _ = Bucket::parse(Table::Links, 0, bytes);
    let Some((first, rest)) = bytes.split_first_chunk() else { return };
    let first = u64::from_be_bytes(*first);
    let checksum = xxh3_64_with_seed(rest, first ^ (Table::Fragments as u64 + 1).rotate_right(8));
    let whole = [&checksum.to_le_bytes(), rest].concat();
    let Ok(found) = Bucket::parse(Table::Fragments, first, &whole) else { return };
    let entries = found.entries();
    assert!(entries.len() * 32 <= rest.len());
    if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
        return;
    }
    for (digest, slot) in &entries {
        assert_eq!(found.find(digest), Some(*slot));
    }
    let absent = Digest::from_bytes([0x5c; 32]);
    assert_eq!(found.find(&absent).is_some(), entries.iter().any(|(digest, _)| *digest == absent));
    assert!(
        bucket::bytes(Table::Fragments, first, found.last, &entries) == whole,
        "a bucket has one encoding"
    );
    assert_split(first, &entries);
}

/// Pieces are all of it, and start where they say.
fn assert_split(first: u64, entries: &[(Digest, Slot)]) {
    let pieces = bucket::split(first, entries);
    assert!(pieces.is_sorted_by(|(a, _), (b, _)| a < b));
    assert!(pieces.iter().flat_map(|(_, piece)| *piece).eq(entries));
    for (start, piece) in pieces {
        assert!(piece.iter().all(|(digest, _)| digest.prefix() >= start));
    }
}

/// A compilation or a link record is read as what it says, and there is only one way to write it.
pub fn record(bytes: &[u8]) {
    if let Ok(compilation) = compilation_from_bytes(bytes) {
        assert!(compilation_to_bytes(&compilation) == bytes, "a compilation has one encoding");
        assert_eq!(compilation.id(), id_of(bytes), "of which its id is made");
        assert!(CompilationRecord::held(compilation.id(), Body::new(bytes)).is_ok());
    }
    let build = BuildId::new(Hasher::new("fuzz", 0).finish());
    if let Ok(link) = link_from_bytes(build, bytes) {
        assert_eq!(link.build, build);
        assert!(link_to_bytes(&link) == bytes, "a link record has one encoding");
    }
}

/// A file with a small database of which the bytes say what is changed: a place and what to put there, each time.
pub fn database(bytes: &[u8]) {
    let v1 = include_bytes!("../../fixtures/compat/v1/repo.tdb").as_slice();
    let v2 = include_bytes!("../../fixtures/compat/v2/repo.tdb").as_slice();
    [v1, v2].into_iter().for_each(|file| changed(file.to_vec(), bytes));
}

fn changed(mut file: Vec<u8>, bytes: &[u8]) {
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = directory.path().join("repo.tdb");
    for change in bytes.chunks_exact(4).take(MOST) {
        let at = u32::from_be_bytes([0, change[0], change[1], change[2]]) as usize % file.len();
        file[at] = change[3];
    }
    std::fs::write(&path, file).unwrap();
    let repository = Repository::open(&path);
    match repository.read() {
        Ok(view) => read(&*view),
        Err(error) => assert_coded(&error),
    }
    let Ok(report) = check(&repository).inspect_err(|error| assert_coded(error)) else { return };
    if report.problems.is_empty() {
        return;
    }
    match repair(&repository) {
        Ok(_) => assert_eq!(check(&repository).unwrap().problems, []),
        Err(error) => assert_coded(&error),
    }
}

/// So many bytes are changed at most.
const MOST: usize = 100;

/// Reads everything; each thing is there or is missed with a code.
fn read(view: &dyn View) {
    let coded = |result: Result<(), StoreError>| result.unwrap_or_else(|error| assert_coded(&error));
    for member in view.fragments() {
        coded(member.and_then(|member| view.fragment(&member.digest).map(drop)));
    }
    for id in view.compilations() {
        coded(id.and_then(|id| view.compilation(&id)).map(drop));
    }
    view.links().for_each(|link| coded(link.map(drop)));
}
