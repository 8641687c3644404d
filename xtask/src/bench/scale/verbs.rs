//! Each verb on one repository, measured and held against what it must report.

use std::fs;
use std::path::Path;

use crate::{Result, files};

use super::probe::Use;
use super::site::{FILE, PROGRAM, Site, Store};

/// What a row of the table is about.
pub(super) type Verb = &'static str;

pub(super) const MAKE: Verb = "compile everything";
pub(super) const COMPILE: Verb = "compile 100 procedures, first";
pub(super) const NO_CHANGE: Verb = "compile them again, no change";
const NO_TICKET: Verb = "the same without their ticket";
pub(super) const STRIP: Verb = "strip";
pub(super) const MERGE: Verb = "merge of new fragments";
pub(super) const LINK: Verb = "link";
const GC_ALL: Verb = "gc, all tickets are there";
const GC_SOME: Verb = "gc, a tenth of the tickets is gone";
const CHECK: Verb = "check";
const TO_DATABASE: Verb = "convert to a database";
const TO_YAML: Verb = "convert to YAML";

/// YAML is made for repositories up to this size.
pub(super) const YAML_MOST: usize = 100_000;

/// What was measured in one run, in order.
pub(super) type Measured = Vec<(Verb, Use)>;

/// Runs every verb once.
pub(super) fn measure(site: &Site<'_>) -> Result<Measured> {
    let work = site.fresh()?;
    let mut measured =
        vec![(COMPILE, site.compile_one(&work, FILE)?), (NO_CHANGE, site.compile_one(&work, 0)?)];
    files::remove_file(&site.bench.path(&site.ticket()))?;
    measured.push((NO_TICKET, site.compile_one(&work, 0)?));
    measured.push((STRIP, strip(site, &work)?));
    measured.push((CHECK, site.bench.toy(&["check", "-r", &work])?.0));
    for (verb, store) in [(TO_DATABASE, Store::Database), (TO_YAML, Store::Yaml)] {
        if store == Store::Database || site.store == Store::Database && site.size <= YAML_MOST {
            measured.push((verb, convert(site, &work, store)?));
        }
    }
    measured.push((LINK, link(site, &work)?));
    measured.push((MERGE, merge(site, &work)?));
    let work = site.fresh()?;
    measured.push((GC_ALL, collect(site, &work)?));
    measured.push((GC_SOME, without_a_tenth(site, || collect(site, &work))?));
    Ok(measured)
}

fn strip(site: &Site<'_>, work: &str) -> Result<Use> {
    site.bench.settle()?;
    let (used, report) = site.bench.toy(&["strip", "-i", work, "-o", &site.file("stripped")])?;
    report.expect("fragments", site.size + FILE).map(|()| used)
}

fn convert(site: &Site<'_>, work: &str, store: Store) -> Result<Use> {
    site.bench.settle()?;
    let copy = format!("{}/converted.{}", site.directory(), store.ending());
    let (used, report) = site.bench.toy(&["convert", "--force", work, &copy])?;
    report.expect("fragments", site.size + FILE)?;
    files::remove_file(&site.bench.path(&copy)).map(|()| used)
}

/// Links the first program; its procedures all hang from `main`.
pub(super) fn link(site: &Site<'_>, repository: &str) -> Result<Use> {
    site.bench.settle()?;
    let executable = format!("{}/main.tx", site.directory());
    let tickets = site.first_program();
    let (used, report) = site.bench.toy(&["link", "-r", repository, "-o", &executable, &tickets])?;
    report.expect("fragments", site.size.min(PROGRAM)).map(|()| used)
}

/// Merges what the repository does not have.
pub(super) fn merge(site: &Site<'_>, repository: &str) -> Result<Use> {
    site.bench.settle()?;
    let (used, report) = site.bench.toy(&["merge", "-r", repository, &site.file("new")])?;
    report.expect("added", site.new).map(|()| used)
}

/// Collects what no ticket of the programs needs.
fn collect(site: &Site<'_>, repository: &str) -> Result<Use> {
    site.bench.settle()?;
    let tickets = site.tickets();
    let (used, report) = site.bench.toy(&["gc", "-r", repository, &tickets])?;
    let dropped = site.size - report.number("kept")?;
    report.expect("dropped", dropped).map(|()| used)
}

/// Does something while every tenth ticket is elsewhere.
fn without_a_tenth<T>(site: &Site<'_>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let away = site.bench.path(&format!("{}/away", site.directory()));
    files::make_empty_directory(&away)?;
    let mut moved = Vec::new();
    for program in entries(&site.bench.path(&site.tickets()))? {
        for ticket in entries(&program)?.into_iter().step_by(10) {
            let place = away.join(moved.len().to_string());
            rename(&ticket, &place)?;
            moved.push((place, ticket));
        }
    }
    let result = work();
    moved.iter().try_for_each(|(place, ticket)| rename(place, ticket))?;
    result
}

fn entries(directory: &Path) -> Result<Vec<std::path::PathBuf>> {
    let failed = |error: std::io::Error| format!("cannot list {}: {error}", directory.display());
    let entries = fs::read_dir(directory).map_err(failed)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| format!("cannot move {}: {error}", from.display()))
}
