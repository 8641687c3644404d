//! What is in a scene's directory, as far as it counts, in a form that can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Deserialize;

use crate::{Result, files};

use super::process::{End, Ended};
use super::scene::{EXECUTABLE, Scene, TICKETS};
use super::site::Site;

/// Something that a command may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A repository: what `check` and `dump` say of it.
    Repository { check: String, dump: String },
    /// A file's bytes.
    File(Vec<u8>),
}

/// The items that are there, by name. A repository that holds nothing is as good as none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State(BTreeMap<String, Item>);

/// The parts of a dump that say whether a repository holds anything.
#[derive(Deserialize)]
struct Dump {
    fragments: Vec<serde_json::Value>,
    compilations: Vec<serde_json::Value>,
    links: Vec<serde_json::Value>,
}

impl State {
    /// Looks at a directory. A reader that panics, is blocked or is killed is an error.
    pub(super) fn of(scene: &Scene, site: &Site) -> Result<Self> {
        let mut items = BTreeMap::new();
        for name in scene.repositories() {
            if site.path(&name).exists() {
                items.extend(repository(site, &name)?.map(|item| (name, item)));
            }
        }
        for name in [vec![EXECUTABLE.to_owned()], tickets(site)?].concat() {
            if site.path(&name).exists() {
                items.insert(name.clone(), Item::File(files::read(&site.path(&name))?));
            }
        }
        Ok(Self(items))
    }

    /// The names of what differs.
    pub(super) fn differences<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = &'s str> {
        let names: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        names.into_iter().filter(|name| self.0.get(*name) != other.0.get(*name)).map(String::as_str)
    }

    /// The names of what is neither as in `one` nor as in `other`.
    pub(super) fn strangers<'s>(&'s self, one: &'s Self, other: &'s Self) -> Vec<&'s str> {
        self.differences(one).filter(|name| self.0.get(*name) != other.0.get(*name)).collect()
    }

    /// The names of the tickets whose compilation the repository does not have.
    pub(super) fn dangling(&self, repository: &str) -> Vec<&str> {
        let dump = match self.0.get(repository) {
            Some(Item::Repository { dump, .. }) => dump,
            _ => "",
        };
        let named = |item: &Item| match item {
            Item::File(bytes) => dump.contains(compilation(&String::from_utf8_lossy(bytes))),
            Item::Repository { .. } => true,
        };
        let tickets = self.0.iter().filter(|(name, _)| name.starts_with(TICKETS));
        tickets.filter(|(_, item)| !named(item)).map(|(name, _)| name.as_str()).collect()
    }

    /// Whether `check` found something in a repository.
    pub(super) fn is_damaged(&self, repository: &str) -> bool {
        matches!(self.0.get(repository), Some(Item::Repository { check, .. }) if !check.contains("\"problems\":[]"))
    }
}

/// What a ticket names. What no reader takes for a ticket names what nobody has.
fn compilation(ticket: &str) -> &str {
    ticket.lines().find_map(|line| line.strip_prefix("compilation: ")).unwrap_or("nothing")
}

fn repository(site: &Site, name: &str) -> Result<Option<Item>> {
    let check = answer(site.run(&["check", "--json", "-r", name])?, "check", name)?;
    let dump = answer(site.run(&["dump", "--json", name])?, "dump", name)?;
    let parts = serde_json::from_str::<Dump>(&dump);
    let empty =
        |dump: Dump| dump.fragments.is_empty() && dump.compilations.is_empty() && dump.links.is_empty();
    Ok((!parts.is_ok_and(empty)).then_some(Item::Repository { check, dump }))
}

/// What a reader says, be it that the repository is damaged.
fn answer(ended: Ended, verb: &str, name: &str) -> Result<String> {
    match ended.end {
        End::Exit(0 | 1) => Ok(ended.output),
        end => Err(format!("`toy {verb}` of {name} ended with {end:?}:\n{}", ended.errors.trim())),
    }
}

/// The names of the tickets, below the site's directory.
fn tickets(site: &Site) -> Result<Vec<String>> {
    let Ok(entries) = fs::read_dir(site.path(TICKETS)) else { return Ok(Vec::new()) };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names = names.collect::<std::io::Result<Vec<_>>>().map_err(|error| format!("{TICKETS}: {error}"))?;
    Ok(names
        .into_iter()
        .filter(|name| name.ends_with(".to"))
        .map(|name| format!("{TICKETS}/{name}"))
        .collect())
}
