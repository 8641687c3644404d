//! Files of databases that stay open as long as this process: to close one would take the library's locks away.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::connection::{Identity, Inode};

/// What is open.
static OPEN: Mutex<BTreeMap<Inode, Arc<File>>> = Mutex::new(BTreeMap::new());

/// The file at `path`, if it can be opened.
pub(super) fn opened(path: &Path) -> Option<Arc<File>> {
    let inode = Identity::of(path).ok()??.inode?;
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = open.get(&inode) {
        return Some(Arc::clone(file));
    }
    let file = Arc::new(File::open(path).ok()?);
    // Should another file have come to the path meanwhile, it is that one which stays open, under the name of the first.
    open.insert(inode, Arc::clone(&file));
    Some(file)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::digest::{FragmentDigest, Hasher};
    use crate::object::fragment::Body;
    use crate::store::backend::Missing;
    use crate::store::database::DatabaseBackend;
    use crate::store::repository::Entry;
    use crate::store::{Repository, StoreError};

    fn add(path: &Path, numbers: std::ops::Range<u32>) {
        let repository = Repository::new(DatabaseBackend::new(path, Missing::IsEmpty));
        let added = repository.write(|transaction| {
            numbers.into_iter().try_for_each(|number| {
                let digest = FragmentDigest::new(Hasher::new("fragment", number).finish());
                let entry = Entry::Present(Body::new(&number.to_le_bytes().repeat(4000)));
                transaction.add_fragment(digest, &entry).map(drop)
            })
        });
        added.map_err(|error: StoreError| error).unwrap();
    }

    #[test]
    fn large_changes_of_one_process_take_turns() {
        let directory = tempfile::tempdir().unwrap();
        let path = &directory.path().join("repo.tdb");
        add(path, 0..1);
        thread::scope(|scope| {
            (0..3).for_each(|part| _ = scope.spawn(move || add(path, 1000 * part..1000 * part + 500)));
        });
        let repository = Repository::new(DatabaseBackend::new(path, Missing::IsAnError));
        let (view, damage) = repository.examine().unwrap();
        assert_eq!((damage, view.fragments().count()), (vec![], 1500));
        let is_open = |inode: Inode| OPEN.lock().unwrap().contains_key(&inode);
        let inode = Identity::of(path).unwrap().unwrap().inode;
        assert!(inode.is_none_or(is_open), "it was flushed on the way, and is still open");
    }
}
