//! A simulated loss of power: of what was done in a directory, everything that was flushed is left, and any part of
//! the rest.
//!
//! The work is done for real and each step noted; a model of the disk is then asked, after each step, for all states
//! in which the directory may be found. The model keeps no promise that POSIX does not make: names may last before
//! the bytes behind them and in any order, bytes may be missing, or zeros.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::is_temporary;

/// The files of a directory by path, with their bytes.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// One change of a file system.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Create(PathBuf),
    CreateDirectory(PathBuf),
    /// From a place in the file.
    Write(PathBuf, u64, Vec<u8>),
    Flush(PathBuf),
    Rename(PathBuf, PathBuf),
    FlushDirectory(PathBuf),
    Remove(PathBuf),
}

/// The directories that are watched, with what was done in them. Work may be done by several threads.
static WATCHED: Mutex<Vec<(PathBuf, Vec<Step>)>> = Mutex::new(Vec::new());

/// Takes a note of a step, if somebody watches its directory.
pub(super) fn note(step: Step) {
    let (Step::Create(path)
    | Step::CreateDirectory(path)
    | Step::Write(path, ..)
    | Step::Flush(path)
    | Step::Rename(_, path)
    | Step::FlushDirectory(path)
    | Step::Remove(path)) = &step;
    let mut watched = WATCHED.lock().unwrap();
    if let Some((_, steps)) = watched.iter_mut().find(|(directory, _)| path.starts_with(directory)) {
        steps.push(step);
    }
}

/// What was done in a directory.
#[derive(Debug, Clone)]
pub(crate) struct History {
    /// What was there before.
    pub(crate) before: Files,
    /// What was done, in order.
    pub(crate) steps: Vec<Step>,
    /// What is there now.
    pub(crate) after: Files,
}

impl History {
    /// Does some work that changes files of `directory`, a path without links, and notes how.
    pub(crate) fn of(directory: &Path, work: impl FnOnce()) -> Self {
        let before = files(directory);
        WATCHED.lock().unwrap().push((directory.to_owned(), Vec::new()));
        work();
        let mut watched = WATCHED.lock().unwrap();
        let at = watched.iter().position(|(watched, _)| watched == directory).unwrap();
        let (_, steps) = watched.swap_remove(at);
        let history = Self { before, steps, after: files(directory) };
        assert_eq!(history.disk(history.steps.len()).seen(), history.after, "something was done unnoticed");
        history
    }

    /// The same, if one step had been left out.
    pub(crate) fn without(&self, step: usize) -> Self {
        let mut without = self.clone();
        without.steps.remove(step);
        without
    }

    /// The steps that only make others last.
    pub(crate) fn flushes(&self) -> Vec<usize> {
        let is_flush = |at: &usize| matches!(self.steps[*at], Step::Flush(_) | Step::FlushDirectory(_));
        (0..self.steps.len()).filter(is_flush).collect()
    }

    /// Everything that may be found when the power fails after so many steps, temporary files aside.
    pub(crate) fn left(&self, steps: usize) -> BTreeSet<Files> {
        self.disk(steps).left()
    }

    fn disk(&self, steps: usize) -> Disk {
        let mut disk = Disk::default();
        for (path, bytes) in &self.before {
            disk.names.insert(path.clone(), disk.inodes.len());
            disk.inodes.push(Inode { lasting: bytes.clone(), written: Vec::new() });
        }
        disk.lasting.clone_from(&disk.names);
        self.steps[..steps].iter().for_each(|step| disk.step(step));
        disk
    }
}

/// The files below a directory, temporary ones aside.
pub(crate) fn files(directory: &Path) -> Files {
    let entries = walkdir::WalkDir::new(directory).into_iter().map(|entry| entry.unwrap().into_path());
    let paths = entries.filter(|path| path.is_file() && !is_temporary(path));
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// What is in memory and what is on the disk.
#[derive(Debug, Default)]
struct Disk {
    inodes: Vec<Inode>,
    /// The directories that were made: without them nothing that is in them is found.
    directories: BTreeSet<PathBuf>,
    /// The names as every process sees them, each with the index of its inode.
    names: BTreeMap<PathBuf, usize>,
    /// The names that were flushed.
    lasting: BTreeMap<PathBuf, usize>,
    /// Changes of names since; those of one change last together or not at all.
    pending: Vec<Vec<(PathBuf, Option<usize>)>>,
}

#[derive(Debug)]
struct Inode {
    lasting: Vec<u8>,
    /// What was written behind that and not flushed.
    written: Vec<u8>,
}

impl Disk {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Create(path) => self.create(path),
            Step::CreateDirectory(path) => {
                self.directories.insert(path.clone());
                self.create(path);
            }
            Step::Write(path, at, bytes) => self.inodes[self.names[path]].write(*at as usize, bytes),
            Step::Flush(path) => {
                let inode = &mut self.inodes[self.names[path]];
                inode.lasting.append(&mut inode.written);
            }
            Step::Rename(from, to) => {
                self.change(vec![(to.clone(), Some(self.names[from])), (from.clone(), None)]);
            }
            Step::Remove(path) => self.change(vec![(path.clone(), None)]),
            Step::FlushDirectory(directory) => {
                let is_in = |change: &mut Vec<(PathBuf, _)>| change[0].0.parent() == Some(directory);
                for change in self.pending.extract_if(.., is_in) {
                    apply(&change, &mut self.lasting);
                }
            }
        }
    }

    fn create(&mut self, path: &Path) {
        self.inodes.push(Inode { lasting: Vec::new(), written: Vec::new() });
        self.change(vec![(path.to_owned(), Some(self.inodes.len() - 1))]);
    }

    fn change(&mut self, change: Vec<(PathBuf, Option<usize>)>) {
        apply(&change, &mut self.names);
        self.pending.push(change);
    }

    /// What processes see while there is power.
    fn seen(&self) -> Files {
        let all = |inode: &Inode| [inode.lasting.as_slice(), &inode.written].concat();
        let names = self.found(&self.names);
        names.map(|(path, at)| (path.clone(), all(&self.inodes[*at]))).collect()
    }

    /// Which of some names are those of files that can be found, temporary ones aside.
    fn found<'n>(
        &self,
        names: &'n BTreeMap<PathBuf, usize>,
    ) -> impl Iterator<Item = (&'n PathBuf, &'n usize)> {
        let is_there = |path: &Path| !self.directories.contains(path) || names.contains_key(path);
        names.iter().filter(move |(path, _)| {
            let is_file = !self.directories.contains(*path) && !is_temporary(path);
            is_file && path.ancestors().all(is_there)
        })
    }

    fn left(&self) -> BTreeSet<Files> {
        assert!(self.pending.len() < 12, "too many combinations");
        let mut all = BTreeSet::new();
        for subset in 0..1_u32 << self.pending.len() {
            let mut names = self.lasting.clone();
            let survives = |(at, _): &(usize, _)| subset & (1 << at) != 0;
            self.pending
                .iter()
                .enumerate()
                .filter(survives)
                .for_each(|(_, change)| apply(change, &mut names));
            all.extend(self.contents(&names));
        }
        all
    }

    /// The files of these names, with each of the bytes that each of them may have.
    fn contents(&self, names: &BTreeMap<PathBuf, usize>) -> Vec<Files> {
        let mut all = vec![Files::new()];
        for (path, at) in self.found(names) {
            let variants = self.inodes[*at].variants();
            let with = |bytes: &Vec<u8>, files: &Files| {
                let mut files = files.clone();
                files.insert(path.clone(), bytes.clone());
                files
            };
            all = variants.iter().flat_map(|bytes| all.iter().map(|files| with(bytes, files))).collect();
        }
        all
    }
}

fn apply(change: &[(PathBuf, Option<usize>)], names: &mut BTreeMap<PathBuf, usize>) {
    for (path, inode) in change {
        match inode {
            Some(inode) => _ = names.insert(path.clone(), *inode),
            None => _ = names.remove(path),
        }
    }
}

impl Inode {
    fn write(&mut self, at: usize, bytes: &[u8]) {
        let at = at - self.lasting.len();
        self.written.resize(self.written.len().max(at + bytes.len()), 0);
        self.written[at..][..bytes.len()].copy_from_slice(bytes);
    }

    /// The flushed bytes, and behind them all, some, or none of the others: as many as were written or fewer, and
    /// zeros for any of them.
    fn variants(&self) -> BTreeSet<Vec<u8>> {
        let length = self.written.len();
        let cuts = [0, 1, length / 2, length.saturating_sub(1), length].map(|cut| cut.min(length));
        let mut tails = cuts.map(|cut| self.written[..cut].to_vec()).to_vec();
        for cut in cuts {
            let (mut front, mut back) = (self.written.clone(), self.written.clone());
            front[..cut].fill(0);
            back[cut..].fill(0);
            tails.extend([front, back]);
        }
        tails.into_iter().map(|tail| [self.lasting.clone(), tail].concat()).collect()
    }
}
