//! Gc: drops from a repository what no ticket and no executable needs.
//!
//! Roots keep compilations, compilations keep fragments. Nothing else keeps anything.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use thiserror::Error;

use crate::digest::{BuildId, CompilationId, FragmentDigest};
use crate::object::compilation::{Compilation, Definition};
use crate::store::{Member, Repository, StoreError, Transaction, View};

pub mod roots;

pub use roots::{Root, Roots};

/// What garbage collection does, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GcPlan {
    /// Link records with what becomes of them.
    pub links: BTreeMap<BuildId, Fate>,
    /// Compilations with what becomes of them.
    pub compilations: BTreeMap<CompilationId, Fate>,
    /// The number of fragments that stay.
    pub kept: usize,
    /// The fragments that go, stripped ones included, in ascending order.
    pub dropped: Vec<FragmentDigest>,
    /// All fragments with what becomes of them, when [`Reasons::Told`].
    pub fragments: BTreeMap<FragmentDigest, Fate>,
}

/// Whether a plan says of every fragment why it stays or goes. A large repository has many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reasons {
    /// It says.
    Told,
    /// It does not.
    Untold,
}

/// What becomes of something, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It stays, for this reason.
    Kept(String),
    /// It goes, for this reason.
    Dropped(&'static str),
}

impl Fate {
    /// Whether it stays.
    pub const fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

impl GcPlan {
    /// The number of fragments that stay and of those that go.
    pub fn fragment_counts(&self) -> (usize, usize) {
        (self.kept, self.dropped.len())
    }

    /// The number of compilations that stay and of those that go.
    pub fn compilation_counts(&self) -> (usize, usize) {
        counts(self.compilations.values())
    }

    /// The number of link records that stay and of those that go.
    pub fn link_counts(&self) -> (usize, usize) {
        counts(self.links.values())
    }
}

fn counts<'f>(fates: impl ExactSizeIterator<Item = &'f Fate>) -> (usize, usize) {
    let all = fates.len();
    let kept = fates.filter(|fate| fate.is_kept()).count();
    (kept, all - kept)
}

/// Why nothing was dropped.
#[derive(Debug, Error, Diagnostic)]
pub enum GcError {
    /// The repository cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),

    /// Nothing at all would be left.
    #[error(
        "nothing was dropped: no ticket and no executable needs anything of `{origin}`, so nothing would be left"
    )]
    #[diagnostic(
        code(toy::gc::empties),
        help("name the directories that hold the tickets and executables; `--force` empties the repository")
    )]
    Empties {
        /// The repository.
        origin: String,
    },

    /// A file that is a root cannot be read, so that what it keeps is not known.
    #[error("nothing was dropped: what `{path}` keeps is not known")]
    #[diagnostic(code(toy::gc::root), help("mend or remove the file; `--force` goes on without it"))]
    Root {
        /// The file.
        path: String,
        /// Why not.
        #[related]
        errors: Vec<StoreError>,
    },
}

/// Whether gc may do what is probably a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caution {
    /// Refuse.
    Careful,
    /// Do it: the user said so.
    Forced,
}

/// Drops what no root needs.
pub fn gc(
    repository: &Repository,
    roots: &Roots,
    caution: Caution,
    reasons: Reasons,
) -> Result<GcPlan, GcError> {
    repository.write(|transaction| {
        let plan = plan(transaction.view(), roots, reasons)?;
        refuse_to_empty(&plan, repository.origin(), caution)?;
        apply(&plan, transaction)?;
        Ok(plan)
    })
}

/// Tells what [`gc`] would do.
pub fn dry_run(
    repository: &Repository,
    roots: &Roots,
    caution: Caution,
    reasons: Reasons,
) -> Result<GcPlan, GcError> {
    let plan = plan(&*repository.read()?, roots, reasons)?;
    refuse_to_empty(&plan, repository.origin(), caution)?;
    Ok(plan)
}

fn plan(view: &dyn View, roots: &Roots, reasons: Reasons) -> Result<GcPlan, StoreError> {
    let mut plan = GcPlan::default();
    let mut needed = BTreeMap::<CompilationId, String>::new();
    for root in &roots.found {
        for id in &root.compilations {
            needed.entry(*id).or_insert_with(|| root.path.clone());
        }
    }
    for link in view.links() {
        let link = link?;
        let fate = roots.fate_of(&link);
        if let Fate::Kept(reason) = &fate {
            for id in &link.compilations {
                needed.entry(*id).or_insert_with(|| reason.clone());
            }
        }
        plan.links.insert(link.build, fate);
    }
    for id in view.compilations() {
        let id = id?;
        let fate = match needed.get(&id) {
            Some(path) => Fate::Kept(path.clone()),
            None if roots.is_newer(&id) => Fate::Kept("a compiler that was at work beside gc".to_owned()),
            None => Fate::Dropped("no ticket or executable names it"),
        };
        plan.compilations.insert(id, fate);
    }
    plan_fragments(view, &mut plan)?;
    if reasons == Reasons::Told {
        plan.fragments = tell_fragments(view, &plan)?;
    }
    Ok(plan)
}

/// So many compilations are read together.
const TOGETHER: usize = 256;

/// Goes through the definitions of the compilations, with what becomes of each compilation.
fn each_definition(
    view: &dyn View,
    compilations: &BTreeMap<CompilationId, Fate>,
    mut each: impl FnMut(&Fate, &Definition),
) -> Result<(), StoreError> {
    let all = compilations.iter().collect::<Vec<_>>();
    for chunk in all.chunks(TOGETHER) {
        let ids = chunk.iter().map(|(id, _)| **id).collect::<Vec<_>>();
        for ((_, fate), found) in chunk.iter().zip(view.find_compilations(&ids)?) {
            found?.iter().flat_map(Compilation::definitions).for_each(|definition| each(fate, definition));
        }
    }
    Ok(())
}

/// Marks what the kept compilations need, and finds the rest in one walk.
fn plan_fragments(view: &dyn View, plan: &mut GcPlan) -> Result<(), StoreError> {
    let mut needed = Vec::new();
    each_definition(view, &plan.compilations, |fate, definition| {
        if fate.is_kept() {
            needed.push(definition.fragment);
        }
    })?;
    needed.sort_unstable();
    needed.dedup();
    let mut needed = needed.into_iter().peekable();
    for member in view.fragments() {
        let digest = member?.digest;
        while needed.next_if(|needed| *needed < digest).is_some() {}
        match needed.next_if_eq(&digest) {
            Some(_) => plan.kept += 1,
            None => plan.dropped.push(digest),
        }
    }
    Ok(())
}

fn tell_fragments(view: &dyn View, plan: &GcPlan) -> Result<BTreeMap<FragmentDigest, Fate>, StoreError> {
    let mut needed = BTreeMap::<FragmentDigest, String>::new();
    let mut once_needed = BTreeSet::new();
    each_definition(view, &plan.compilations, |fate, definition| match fate {
        Fate::Dropped(_) => _ = once_needed.insert(definition.fragment),
        Fate::Kept(by) => {
            needed.entry(definition.fragment).or_insert_with(|| format!("`{}` of {by}", definition.name));
        }
    })?;
    let fate = |digest: &FragmentDigest| match needed.get(digest) {
        Some(by) => Fate::Kept(by.clone()),
        None if once_needed.contains(digest) => Fate::Dropped("only dropped compilations define it"),
        None => Fate::Dropped("no compilation defines it"),
    };
    view.fragments().map(|member| member.map(|Member { digest, .. }| (digest, fate(&digest)))).collect()
}

fn refuse_to_empty(plan: &GcPlan, origin: &str, caution: Caution) -> Result<(), GcError> {
    let (kept, dropped) = plan.fragment_counts();
    if caution == Caution::Careful && kept == 0 && dropped > 0 {
        return Err(GcError::Empties { origin: origin.to_owned() });
    }
    Ok(())
}

/// References first: whoever stops in between leaves nothing that dangles.
fn apply(plan: &GcPlan, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
    fn dropped<K>(fates: &BTreeMap<K, Fate>) -> impl Iterator<Item = &K> {
        fates.iter().filter(|(_, fate)| !fate.is_kept()).map(|(key, _)| key)
    }
    dropped(&plan.links).try_for_each(|build| transaction.remove_link(build))?;
    dropped(&plan.compilations).try_for_each(|id| transaction.remove_compilation(id))?;
    plan.dropped.iter().try_for_each(|digest| transaction.remove_fragment(digest))
}
