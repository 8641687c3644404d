//! Scenes: a directory as it is before a command, and the command that is disturbed there.

use std::path::Path;

use crate::{Result, files};

use super::site::Site;

/// A kind of repository, told by the end of the file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Store {
    /// The name that `--store` takes.
    pub(super) name: &'static str,
    ending: &'static str,
}

/// Every kind of repository.
pub(super) const STORES: &[Store] =
    &[Store { name: "yaml", ending: "yaml" }, Store { name: "database", ending: "tdb" }];

impl Store {
    fn file(self, stem: &str) -> String {
        format!("{stem}.{}", self.ending)
    }
}

/// What a command finds, and what it is to do.
#[derive(Debug)]
pub(super) struct Scene {
    /// The verb, as `--verb` takes it.
    pub(super) verb: &'static str,
    /// The scene, in a few words.
    pub(super) name: &'static str,
    /// The kind of the repositories.
    pub(super) store: Store,
    prepare: fn(&Scene, &Site) -> Result<()>,
    words: &'static [&'static str],
    /// Another command, which runs while the first one waits; most scenes have none.
    company: Option<&'static [&'static str]>,
    /// The stems of the repositories that are looked at before and after.
    stems: &'static [&'static str],
}

/// The program's repository, without the ending.
const REPOSITORY: &str = "repo";
/// A word in braces stands for the repository of that stem.
///
/// With one thread for everything, the calls come in the same order each time, and none hides behind another's.
const COMPILE: &[&str] = &["compile", "-j", "1", "-r", "{repo}", "-o", TICKETS, "."];
const LINK: &[&str] = &["link", "-j", "1", "-r", "{repo}", "-o", EXECUTABLE, TICKETS];
const STRIP: &[&str] = &["strip", "-i", "{repo}", "-o", "{repoc}"];
const MERGE: &[&str] = &["merge", "-r", "{repo}", "{agent}"];
const GC: &[&str] = &["gc", "-r", "{repo}"];
const CONVERT: &[&str] = &["convert", "--force", "{repo}", "{copy}"];
const REPAIR: &[&str] = &["check", "--repair", "-r", "{repo}"];
/// The directory of the tickets.
pub(super) const TICKETS: &str = "tickets";
/// The program.
pub(super) const EXECUTABLE: &str = "out.tx";
/// A text in a body, which is damaged where a repository is to be damaged.
const MARK: (&str, &str) = ("undamaged", "undamAged");
/// So many sources.
const SOURCES: usize = 6;

impl Scene {
    /// Every scene of a store.
    pub(super) fn all(store: Store) -> Vec<Self> {
        let scene = |verb, name, prepare, words, stems| Self {
            verb,
            name,
            store,
            prepare,
            words,
            company: None,
            stems,
        };
        let first: fn(&Self, &Site) -> Result<()> = |_, site| write_sources(site, false);
        let mut scenes = vec![
            scene("compile", "compile, first build", first, COMPILE, &["repo"][..]),
            scene("compile", "compile after an edit", Self::edited, COMPILE, &["repo"]),
            scene("strip", "strip", Self::to_strip, STRIP, &["repo", "repoc"]),
            scene("merge", "merge", Self::to_merge, MERGE, &["repo", "agent"]),
            scene("convert", "convert", Self::to_convert, CONVERT, &["repo", "copy"]),
            scene("link", "link", Self::compiled, LINK, &["repo"]),
            scene("gc", "gc", Self::outdated, GC, &["repo"]),
            scene("check", "check --repair", Self::damaged, REPAIR, &["repo"]),
        ];
        scenes.extend(Self::races(store));
        scenes
    }

    /// Two commands at once: the first waits at a call, and the other runs as far as it can.
    fn races(store: Store) -> impl Iterator<Item = Self> {
        let race = move |(name, prepare, words, company)| Self {
            verb: "race",
            name,
            store,
            prepare,
            words,
            company: Some(company),
            stems: &["repo"],
        };
        type Race =
            (&'static str, fn(&Scene, &Site) -> Result<()>, &'static [&'static str], &'static [&'static str]);
        let races: [Race; 9] = [
            ("compile, lost, | gc", Self::lost, COMPILE, GC),
            ("gc | compile, lost", Self::lost, GC, COMPILE),
            ("compile, edited, | gc", Self::edited, COMPILE, GC),
            ("gc | compile, edited", Self::edited_again, GC, COMPILE),
            ("link | gc", Self::compiled, LINK, GC),
            ("gc | link", Self::compiled_long_ago, GC, LINK),
            ("merge | gc", Self::to_merge, MERGE, GC),
            ("merge | compile", Self::to_merge, MERGE, COMPILE),
            ("compile | merge", Self::to_merge, COMPILE, MERGE),
        ];
        races.into_iter().map(race)
    }

    /// The verbs that have scenes.
    pub(super) fn verbs() -> Vec<&'static str> {
        let mut verbs: Vec<_> = Self::all(STORES[0]).iter().map(|scene| scene.verb).collect();
        verbs.dedup();
        verbs
    }

    /// Lays out a directory as the command is to find it.
    pub(super) fn prepare(&self, site: &Site) -> Result<()> {
        (self.prepare)(self, site)
    }

    /// The command.
    pub(super) fn command(&self) -> Vec<String> {
        self.fill(self.words)
    }

    /// The command beside it.
    pub(super) fn company(&self) -> Option<Vec<String>> {
        self.company.map(|words| self.fill(words))
    }

    /// The name of the program's repository.
    pub(super) fn repository(&self) -> String {
        self.store.file(REPOSITORY)
    }

    /// The names of the repositories that count.
    pub(super) fn repositories(&self) -> Vec<String> {
        self.stems.iter().map(|stem| self.store.file(stem)).collect()
    }

    /// Compiles everything and links it; returns the program's bytes.
    pub(super) fn build(&self, site: &Site) -> Result<Vec<u8>> {
        site.must(&self.fill(COMPILE))?;
        site.must(&self.fill(LINK))?;
        files::read(&site.path(EXECUTABLE))
    }

    /// The program that the sources of a directory are when they are built elsewhere, undisturbed.
    pub(super) fn expected(&self, sources: &Path, elsewhere: &Site) -> Result<Vec<u8>> {
        for number in 0..SOURCES {
            let name = source(number);
            files::copy(&sources.join(&name), &elsewhere.path(&name))?;
        }
        self.build(elsewhere)
    }

    fn fill(&self, words: &[&str]) -> Vec<String> {
        let word = |word: &&str| match word.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(stem) => self.store.file(stem),
            None => (*word).to_owned(),
        };
        words.iter().map(word).collect()
    }

    fn edited(&self, site: &Site) -> Result<()> {
        write_sources(site, false)?;
        self.build(site)?;
        write_sources(site, true)
    }

    /// Compiled after the edit; what was linked is of before.
    fn compiled(&self, site: &Site) -> Result<()> {
        self.edited(site)?;
        site.must(&self.fill(COMPILE)).map(drop)
    }

    /// Nothing needs what was before the edit.
    fn outdated(&self, site: &Site) -> Result<()> {
        self.edited(site)?;
        self.build(site).map(drop)
    }

    /// Tickets are gone whose compilations are there still, and so is the program.
    fn lost(&self, site: &Site) -> Result<()> {
        self.outdated(site)?;
        let tickets = [1, 2, 3].map(|number| format!("{TICKETS}/f{number}.to"));
        let mut lost = tickets.iter().map(String::as_str).chain([EXECUTABLE]);
        lost.try_for_each(|name| files::remove_file(&site.path(name)))
    }

    /// Nothing needs what was before the last edit but one.
    fn edited_again(&self, site: &Site) -> Result<()> {
        self.outdated(site)?;
        write_sources(site, false)
    }

    /// Nothing needs what was before the edit, and there is no program.
    fn compiled_long_ago(&self, site: &Site) -> Result<()> {
        self.outdated(site)?;
        files::remove_file(&site.path(EXECUTABLE))
    }

    /// A stripped copy of before the edit is there.
    fn to_strip(&self, site: &Site) -> Result<()> {
        self.edited(site)?;
        site.must(&self.command())?;
        site.must(&self.fill(COMPILE)).map(drop)
    }

    /// A copy of before the edit is there.
    fn to_convert(&self, site: &Site) -> Result<()> {
        self.edited(site)?;
        site.must(&self.command())?;
        site.must(&self.fill(COMPILE)).map(drop)
    }

    /// An agent has built what was edited.
    fn to_merge(&self, site: &Site) -> Result<()> {
        self.edited(site)?;
        let (agent, agents_tickets) = (self.store.file("agent"), "agent tickets");
        site.must(&["compile", "-r", &agent, "-o", agents_tickets, "."])?;
        site.must(&["link", "-r", &agent, "-o", "agent.tx", agents_tickets])?;
        Ok(())
    }

    /// A body is not what it was.
    fn damaged(&self, site: &Site) -> Result<()> {
        self.compiled(site)?;
        let path = site.path(&self.repository());
        let mut bytes = files::read(&path)?;
        let (mark, other) = (MARK.0.as_bytes(), MARK.1.as_bytes());
        let at = bytes.windows(mark.len()).position(|window| window == mark);
        let at = at.ok_or_else(|| format!("{}: the text of a body is not to be found", path.display()))?;
        bytes[at..at + mark.len()].copy_from_slice(other);
        files::write(&path, bytes)
    }
}

fn source(number: usize) -> String {
    format!("f{number}.toy")
}

/// Each file has a procedure of its own and one that all have, and calls the next file's. The edit is in every
/// other file.
fn write_sources(site: &Site, edited: bool) -> Result<()> {
    for number in 0..SOURCES {
        let next = if number + 1 < SOURCES { format!("p{}", number + 1) } else { "pop".to_owned() };
        let start = if number == 0 { "main { 0 p0 }\n" } else { "" };
        let edit = if edited && number % 2 == 0 { "1 add " } else { "" };
        let text = format!(
            "{start}p{number} {{ {number} {edit}common {next} }}\ncommon {{ \"{}\" print add dup print }}\n",
            MARK.0
        );
        files::write(&site.path(&source(number)), text)?;
    }
    Ok(())
}
