//! Repositories and tickets in YAML.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use toy::check::{check, repair};
use toy::merge::merge;
use toy::store::salvage::salvage;
use toy::store::seal::{Kind, identify, seal};
use toy::store::wire::ticket::{from_yaml, to_yaml};
use toy::store::{Entry, Repository, View};

use super::assert_coded;

/// Takes bytes as a file, or, when they do not begin like one, as the body of a file whose seal is right.
pub(crate) fn sealed(kind: Kind, bytes: &[u8], entries: impl Fn(&[u8]) -> usize) -> Vec<u8> {
    let Some(body) = std::str::from_utf8(bytes).ok().filter(|_| identify(bytes).is_none()) else {
        return bytes.to_vec();
    };
    let guess = seal(kind, body, 0).into_bytes();
    seal(kind, body, entries(&guess)).into_bytes()
}

/// A repository is read, or check finds what is wrong and a repair leaves one that is right.
pub fn repository(bytes: &[u8]) {
    let bytes = sealed(Kind::Repository, bytes, entries);
    // Where files can be in memory, they are.
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = directory.path().join("repo.yaml");
    std::fs::write(&path, &bytes).unwrap();
    let (strict, found) = (Repository::open(&path).read().map(drop), salvage(&path, &bytes));
    assert_eq!(strict.is_ok(), found.as_ref().is_ok_and(|(_, damage)| damage.is_empty()));
    if let Err(error) = &strict {
        assert_coded(error);
    }
    let Ok(report) = check(&Repository::open(&path)).inspect_err(|error| assert_coded(error)) else { return };
    let is_right = strict.is_ok() && report.problems.is_empty();
    assert!(strict.is_ok() || !report.problems.is_empty(), "check finds nothing");
    assert_eq!(repair(&Repository::open(&path)).unwrap().problems, report.problems);
    assert_eq!(is_right, std::fs::read(&path).unwrap() == bytes, "changed only what is not right");
    assert_eq!(check(&Repository::open(&path)).unwrap().problems, []);
    assert_copied(&directory, &path);
}

fn entries(bytes: &[u8]) -> usize {
    let Ok((contents, _)) = salvage(Path::new("repo.yaml"), bytes) else { return 0 };
    contents.fragments().count() + contents.compilations().count() + contents.links().count()
}

/// What is read is read again from a copy that was written from it.
fn assert_copied(directory: &TempDir, path: &Path) {
    let copy = |from: &Path, to: &str| -> PathBuf {
        let to = directory.path().join(to);
        merge(&Repository::open_or_empty(&to), &[Repository::open(from)]).unwrap();
        to
    };
    let first = copy(path, "first.yaml");
    let second = copy(&first, "second.yaml");
    assert!(std::fs::read(&first).unwrap() == std::fs::read(&second).unwrap());
    assert!(same(path, &first), "a copy holds something else");
}

/// Whether two repositories have the same fragments and compilations. (Places of link records do not travel.)
fn same(a: &Path, b: &Path) -> bool {
    let [a, b] = [a, b].map(Repository::open);
    let [a, b] = [a.read().unwrap(), b.read().unwrap()];
    let ids = |view: &dyn View| view.compilations().map(Result::unwrap).collect::<Vec<_>>();
    let builds = |view: &dyn View| view.links().map(|link| link.unwrap().build).collect::<Vec<_>>();
    let fragments = |view: &dyn View| -> Vec<Option<Entry>> {
        view.fragments().map(|member| view.fragment(&member.unwrap().digest).unwrap()).collect()
    };
    let compilation = |id| a.compilation(id).unwrap() == b.compilation(id).unwrap();
    fragments(&*a) == fragments(&*b)
        && ids(&*a) == ids(&*b)
        && builds(&*a) == builds(&*b)
        && ids(&*a).iter().all(compilation)
}

/// A ticket is read as what it says, and there is only one way to write it.
pub fn ticket(bytes: &[u8]) {
    let bytes = sealed(Kind::Ticket, bytes, |_| 1);
    match from_yaml(Path::new("a.to"), &bytes) {
        Err(error) => assert_coded(&error),
        Ok(ticket) => {
            let again = from_yaml(Path::new("a.to"), to_yaml(&ticket).as_bytes()).unwrap();
            assert_eq!(again, ticket);
        }
    }
}
