//! Files are replaced whole, in place of what a link names, and keep their permissions.

use std::sync::mpsc;
use std::thread;

use super::*;

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>();
    names.sort();
    names
}

#[test]
fn a_replaced_file_leaves_nothing_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    replace(&path, b"1", Mode::Plain).unwrap();
    replace(&path, b"2", Mode::Plain).unwrap();
    assert_eq!(read(&path).unwrap().unwrap(), b"2");
    assert_eq!(names(directory.path()), ["a"]);
}

#[test]
fn a_missing_directory_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("none/a");
    assert!(matches!(replace(&path, b"1", Mode::Plain), Err(StoreError::Io { .. })));
    assert!(matches!(Locked::acquire(&path, Some(b"")), Err(StoreError::Io { .. })));
    assert!(Locked::acquire(&path, None).unwrap().is_none());
}

#[test]
fn a_lock_is_of_the_file_that_has_the_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let first = Locked::acquire(&path, Some(b"1")).unwrap().unwrap();
    let (told, tell) = mpsc::channel();
    thread::scope(|scope| {
        let path = &path;
        scope.spawn(move || {
            let second = Locked::acquire(path, None).unwrap().unwrap();
            told.send(second.read().unwrap()).unwrap();
        });
        assert!(tell.try_recv().is_err(), "the second waits");
        first.replace(b"2").unwrap();
        assert_eq!(tell.recv().unwrap(), b"2", "the second has the new file");
    });
}

#[test]
fn a_lock_survives_that_its_file_is_taken_away() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let first = Locked::acquire(&path, Some(b"1")).unwrap().unwrap();
    fs::remove_file(&path).unwrap();
    assert!(Locked::acquire(&path, None).unwrap().is_none());
    let second = Locked::acquire(&path, Some(b"3")).unwrap().unwrap();
    assert_eq!(first.read().unwrap(), b"1");
    assert_eq!(second.read().unwrap(), b"3");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn permissions_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        replace(&path, b"1", Mode::Plain).unwrap();
        for bits in [0o600, 0o664, 0o444, 0o755] {
            set_mode(&path, bits);
            replace(&path, b"2", Mode::Plain).unwrap();
            assert_eq!(mode(&path), bits);
        }
        set_mode(&path, 0o640);
        replace(&path, b"3", Mode::Executable).unwrap();
        assert_eq!(mode(&path), 0o750, "whoever may read a program may run it");
        let locked = Locked::acquire(&path, None).unwrap().unwrap();
        locked.replace(b"4").unwrap();
        assert_eq!(mode(&path), 0o750);
    }

    #[test]
    fn a_new_program_has_the_run_bit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        replace(&path, b"1", Mode::Executable).unwrap();
        assert_eq!(mode(&path) & 0o700, 0o700);
    }

    #[test]
    fn a_link_stays_one_even_when_it_leads_nowhere_yet() {
        let directory = tempfile::tempdir().unwrap();
        let (link, middle, end) =
            (directory.path().join("link"), directory.path().join("middle"), directory.path().join("d/end"));
        fs::create_dir(directory.path().join("d")).unwrap();
        symlink("middle", &link).unwrap();
        symlink("d/end", &middle).unwrap();
        let locked = Locked::acquire(&link, Some(b"1")).unwrap().unwrap();
        assert_eq!(fs::read(&end).unwrap(), b"1");
        locked.replace(b"2").unwrap();
        assert_eq!(fs::read(&end).unwrap(), b"2");
        fs::remove_file(&end).unwrap();
        replace(&link, b"3", Mode::Plain).unwrap();
        assert_eq!(fs::read(&end).unwrap(), b"3");
        assert!(link.is_symlink() && middle.is_symlink());
        assert_eq!(names(directory.path()), ["d", "link", "middle"]);
    }

    #[test]
    fn a_circle_of_links_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        symlink("a", &path).unwrap();
        assert!(matches!(Locked::acquire(&path, Some(b"")), Err(StoreError::Io { .. })));
        assert!(matches!(read(&path), Err(StoreError::Io { .. })));
    }

    #[test]
    fn what_is_no_regular_file_is_written_to() {
        replace(Path::new("/dev/null"), b"1", Mode::Executable).unwrap();
    }
}
