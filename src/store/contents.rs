//! What a small repository holds, in memory: the state behind the memory and the YAML backend.
//!
//! Bodies and compilations are kept in the form in which `repo.yaml` shows them and decoded when they are asked for.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;
use std::sync::Arc;

use super::backend::{Batch, Members, State, View};
use super::error::StoreError;
use super::places::Member;
use super::repository::Entry;
use super::wire;
use crate::digest::{BuildId, Checksum, CompilationId, FragmentDigest};
use crate::object::compilation::{Compilation, Definition};
use crate::object::fragment::Body;
use crate::object::link_record::LinkRecord;

/// All of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Digests with their bodies; those without are known.
    pub(super) fragments: BTreeMap<FragmentDigest, Option<Listing>>,
    /// Compilations by id.
    pub(super) compilations: BTreeMap<CompilationId, StoredCompilation>,
    /// Link records by build.
    pub(super) links: BTreeMap<BuildId, LinkRecord>,
}

/// The body of a fragment as a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// The checksum of the body in its compact encoding.
    pub checksum: Checksum,
    /// The text section, with the fixups in place.
    pub text: Arc<str>,
}

/// A compilation as lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredCompilation {
    /// The source file's name.
    pub source: Arc<str>,
    /// A line a definition.
    pub definitions: Arc<str>,
}

impl Contents {
    /// Takes over what `other` holds. Keys that are here already keep their value and are given back; but a body
    /// is worth more than a digest without one.
    pub(super) fn absorb(&mut self, other: Self) -> Vec<String> {
        fn join<K: Ord + ToString, V>(
            into: &mut BTreeMap<K, V>,
            from: BTreeMap<K, V>,
            twice: &mut Vec<String>,
        ) {
            for (key, value) in from {
                match into.entry(key) {
                    MapEntry::Occupied(there) => twice.push(there.key().to_string()),
                    MapEntry::Vacant(free) => _ = free.insert(value),
                }
            }
        }
        let mut twice = Vec::new();
        for (digest, body) in &other.fragments {
            if let (Some(known @ None), Some(body)) = (self.fragments.get_mut(digest), body) {
                *known = Some(body.clone());
            }
        }
        join(&mut self.fragments, other.fragments, &mut twice);
        join(&mut self.compilations, other.compilations, &mut twice);
        join(&mut self.links, other.links, &mut twice);
        twice
    }

    /// How many things there are; the trailer counts them.
    pub(super) fn entries(&self) -> usize {
        self.fragments.len() + self.compilations.len() + self.links.len()
    }
}

fn state_of(body: Option<&Listing>) -> State {
    body.map_or(State::Known, |body| State::Present(body.checksum))
}

/// A body as people read it.
fn listing(body: &Body) -> Result<String, String> {
    let fragment = body.fragment().map_err(|error| error.to_string())?;
    wire::lines::fragment_to_listing(&fragment).map_err(|error| error.to_string())
}

impl View for Contents {
    fn state(&self, digest: &FragmentDigest) -> Result<Option<State>, StoreError> {
        Ok(self.fragments.get(digest).map(|body| state_of(body.as_ref())))
    }

    fn fragment(&self, digest: &FragmentDigest) -> Result<Option<Entry>, StoreError> {
        let Some(listing) = self.fragments.get(digest) else { return Ok(None) };
        let Some(listing) = listing else { return Ok(Some(Entry::Known)) };
        let fragment = wire::lines::fragment_from_listing(&listing.text)
            .map_err(|reason| StoreError::Body { digest: *digest, reason })?;
        let body = fragment.body();
        if body.checksum() != listing.checksum {
            return Err(StoreError::Body { digest: *digest, reason: "its checksum does not fit".into() });
        }
        Ok(Some(Entry::Present(body)))
    }

    fn has_compilation(&self, id: &CompilationId) -> Result<bool, StoreError> {
        Ok(self.compilations.contains_key(id))
    }

    fn has_whole(&self, id: &CompilationId) -> Result<bool, StoreError> {
        let is_there = |definition: &Definition| self.fragments.contains_key(&definition.fragment);
        // What is damaged is not whole; it is told to whoever wants to read it.
        let compilation = self.compilation(id).ok().flatten();
        Ok(compilation.is_some_and(|compilation| compilation.definitions().iter().all(is_there)))
    }

    fn compilation(&self, id: &CompilationId) -> Result<Option<Compilation>, StoreError> {
        let Some(stored) = self.compilations.get(id) else { return Ok(None) };
        let damaged = |reason| StoreError::Compilation { id: *id, reason };
        let compilation =
            wire::lines::compilation_from_lines(&stored.source, &stored.definitions).map_err(damaged)?;
        if compilation.id() != *id {
            return Err(damaged("its contents do not fit its id".into()));
        }
        Ok(Some(compilation))
    }

    fn fragment_runs(&self) -> Members<'_, Vec<Member>> {
        let member = |(digest, body): (&FragmentDigest, &Option<Listing>)| {
            Member::new(*digest, state_of(body.as_ref()))
        };
        Box::new(std::iter::once_with(move || Ok(self.fragments.iter().map(member).collect())))
    }

    fn compilations(&self) -> Members<'_, CompilationId> {
        Box::new(self.compilations.keys().copied().map(Ok))
    }

    fn links(&self) -> Members<'_, LinkRecord> {
        Box::new(self.links.values().cloned().map(Ok))
    }
}

impl Batch for Contents {
    fn put_fragment(&mut self, digest: FragmentDigest, entry: &Entry) -> Result<(), StoreError> {
        let listing = match entry {
            Entry::Known => None,
            Entry::Present(body) => Some(Listing {
                checksum: body.checksum(),
                text: listing(body).map_err(|reason| StoreError::Body { digest, reason })?.into(),
            }),
        };
        self.fragments.insert(digest, listing);
        Ok(())
    }

    fn remove_fragment(&mut self, digest: &FragmentDigest) -> Result<(), StoreError> {
        self.fragments.remove(digest);
        Ok(())
    }

    fn put_compilation(&mut self, id: CompilationId, compilation: &Compilation) -> Result<(), StoreError> {
        let definitions = wire::lines::compilation_to_lines(compilation).into();
        let stored = StoredCompilation { source: Arc::clone(compilation.source()), definitions };
        self.compilations.insert(id, stored);
        Ok(())
    }

    fn remove_compilation(&mut self, id: &CompilationId) -> Result<(), StoreError> {
        self.compilations.remove(id);
        Ok(())
    }

    fn put_link(&mut self, record: LinkRecord) -> Result<(), StoreError> {
        self.links.insert(record.build, record);
        Ok(())
    }

    fn remove_link(&mut self, build: &BuildId) -> Result<(), StoreError> {
        self.links.remove(build);
        Ok(())
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        *self = Self::default();
        Ok(())
    }
}
