//! Check: finds all damage in a repository, and drops it when asked.
//!
//! Deliberately absent: mending. What is dropped is made again by the next compile, which is always right.

use std::collections::BTreeSet;

use crate::digest::{BuildId, CompilationId, FragmentDigest};
use crate::object::compilation::Compilation;
use crate::store::backend::Damage;
use crate::store::{Repository, State, StoreError, Transaction, View};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind of damage it is.
    pub code: &'static str,
    /// The line of the repository's file, when the damage is in its structure.
    pub line: Option<usize>,
    /// What is wrong, with names.
    pub message: String,
}

/// What check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// Digests looked at, with body or without.
    pub fragments: usize,
    /// Compilations looked at.
    pub compilations: usize,
    /// Link records looked at.
    pub links: usize,
    /// All that is wrong, in the order of the file.
    pub problems: Vec<Problem>,
    /// What must go for the rest to be right.
    damaged: Damaged,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Damaged {
    fragments: BTreeSet<FragmentDigest>,
    compilations: BTreeSet<CompilationId>,
    links: BTreeSet<BuildId>,
}

/// Looks at everything in a repository.
pub fn check(repository: &Repository) -> Result<CheckReport, StoreError> {
    let (view, damage) = repository.examine()?;
    inspect(&*view, damage)
}

/// Looks at everything, and drops what is damaged and what refers to it.
pub fn repair(repository: &Repository) -> Result<CheckReport, StoreError> {
    let report = check(repository)?;
    if report.problems.is_empty() {
        return Ok(report);
    }
    let (_, damage) = repository.examine()?;
    repository.repair(|transaction| {
        let report = inspect(transaction.view(), damage)?;
        drop_damaged(transaction, &report.damaged)?;
        Ok(report)
    })
}

fn inspect(view: &dyn View, damage: Vec<Damage>) -> Result<CheckReport, StoreError> {
    let structure = |Damage { line, message }| Problem { code: "toy::check::structure", line, message };
    let mut report =
        CheckReport { problems: damage.into_iter().map(structure).collect(), ..CheckReport::default() };
    inspect_fragments(view, &mut report)?;
    inspect_compilations(view, &mut report)?;
    inspect_links(view, &mut report)?;
    Ok(report)
}

impl CheckReport {
    fn problem(&mut self, code: &'static str, message: String) {
        self.problems.push(Problem { code, line: None, message });
    }
}

/// So many bodies are read together.
const TOGETHER: usize = 4096;

fn inspect_fragments(view: &dyn View, report: &mut CheckReport) -> Result<(), StoreError> {
    let mut members = view.fragments();
    loop {
        let chunk = members.by_ref().take(TOGETHER).collect::<Result<Vec<_>, _>>()?;
        if chunk.is_empty() {
            return Ok(());
        }
        report.fragments += chunk.len();
        let present = chunk.iter().filter(|member| member.state() != State::Known);
        let present = present.map(|member| member.digest).collect::<Vec<_>>();
        for (digest, entry) in present.iter().zip(view.entries(&present)?) {
            let read = entry.and_then(|entry| entry.map_or(Ok(None), |entry| entry.fragment(digest)));
            if let Err(error) = read {
                report.problem("toy::check::body", error.to_string());
                report.damaged.fragments.insert(*digest);
            }
        }
    }
}

/// What is said of something that others refer to.
const GONE: &str = "which is damaged or not there";

fn inspect_compilations(view: &dyn View, report: &mut CheckReport) -> Result<(), StoreError> {
    for id in view.compilations() {
        let id = id?;
        report.compilations += 1;
        match view.compilation(&id) {
            Err(error) => {
                report.problem("toy::check::compilation", error.to_string());
                report.damaged.compilations.insert(id);
            }
            Ok(None) => {}
            Ok(Some(compilation)) => inspect_definitions(view, &id, &compilation, report)?,
        }
    }
    Ok(())
}

fn inspect_definitions(
    view: &dyn View,
    id: &CompilationId,
    compilation: &Compilation,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let mut definitions = compilation.definitions().iter().collect::<Vec<_>>();
    definitions.sort_by_key(|definition| definition.fragment);
    let digests = definitions.iter().map(|definition| definition.fragment).collect::<Vec<_>>();
    let mut lost = Vec::new();
    for (definition, state) in definitions.into_iter().zip(view.states(&digests)?) {
        if state.is_none() || report.damaged.fragments.contains(&definition.fragment) {
            lost.push(definition);
        }
    }
    lost.sort_by(|a, b| a.name.cmp(&b.name));
    for definition in lost {
        let (name, digest, source) = (&definition.name, definition.fragment, compilation.source());
        let message =
            format!("`{name}` of {source} (compilation {id:.16}) is made of fragment {digest:.16}, {GONE}");
        report.problem("toy::check::dangling", message);
        report.damaged.compilations.insert(*id);
    }
    Ok(())
}

fn inspect_links(view: &dyn View, report: &mut CheckReport) -> Result<(), StoreError> {
    for link in view.links() {
        let link = link?;
        report.links += 1;
        for id in &link.compilations {
            if report.damaged.compilations.contains(id) || !matches!(view.compilation(id), Ok(Some(_))) {
                let message =
                    format!("build {:.16} was linked from compilation {id:.16}, {GONE}", link.build);
                report.problem("toy::check::link", message);
                report.damaged.links.insert(link.build);
            }
        }
    }
    Ok(())
}

/// References first: whoever stops in between leaves nothing that dangles.
fn drop_damaged(transaction: &mut Transaction<'_>, damaged: &Damaged) -> Result<(), StoreError> {
    damaged.links.iter().try_for_each(|build| transaction.remove_link(build))?;
    damaged.compilations.iter().try_for_each(|id| transaction.remove_compilation(id))?;
    damaged.fragments.iter().try_for_each(|digest| transaction.remove_fragment(digest))
}
