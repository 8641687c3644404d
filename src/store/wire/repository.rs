//! `repo.yaml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::emit::Emitter;
use super::{Unique, shown};
use crate::digest::{BuildId, Checksum, CompilationId, FragmentDigest};
use crate::object::link_record::{LinkRecord, Place};
use crate::store::contents::{Contents, Listing, StoredCompilation};
use crate::store::error::StoreError;
use crate::store::seal::{self, Kind};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RepositoryWire {
    known: Vec<FragmentDigest>,
    fragments: Unique<FragmentDigest, BodyWire>,
    compilations: Unique<CompilationId, CompilationWire>,
    links: Unique<BuildId, LinkWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BodyWire {
    checksum: Checksum,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompilationWire {
    source: String,
    definitions: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkWire {
    #[serde(default)]
    places: Vec<String>,
    #[serde(default)]
    elsewhere: bool,
    #[serde(default)]
    compilations: Option<Vec<CompilationId>>,
}

/// Writes a whole repository: a function of what it holds.
pub(crate) fn to_yaml(contents: &Contents) -> String {
    let known = contents.fragments.iter().filter(|(_, body)| body.is_none()).map(|(digest, _)| digest);
    let present = contents.fragments.iter().filter_map(|(digest, body)| Some((digest, body.as_ref()?)));
    let mut yaml = Emitter::with_capacity(size_hint(contents));
    section(&mut yaml, "known", known, |yaml, digest| yaml.item(0, digest));
    section(&mut yaml, "fragments", present, |yaml, (digest, body)| {
        yaml.section(2, digest);
        yaml.plain(4, "checksum", body.checksum);
        yaml.block(4, "text", &body.text);
    });
    section(&mut yaml, "compilations", contents.compilations.iter(), |yaml, (id, stored)| {
        yaml.section(2, id);
        yaml.line(4, "source", &stored.source);
        yaml.block(4, "definitions", &stored.definitions);
    });
    section(&mut yaml, "links", contents.links.values(), |yaml, record| {
        yaml.section(2, record.build);
        if !record.places.is_empty() {
            yaml.section(4, "places");
            record.places.iter().for_each(|place| yaml.word_item(4, place.as_str()));
        }
        if record.elsewhere {
            yaml.plain(4, "elsewhere", true);
        }
        yaml.section(4, "compilations");
        record.compilations.iter().for_each(|id| yaml.item(4, id));
    });
    seal::seal(Kind::Repository, &yaml.into_text(), contents.entries())
}

/// Writes a section, unless it is empty.
fn section<T>(
    yaml: &mut Emitter,
    name: &str,
    members: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut Emitter, T),
) {
    let mut members = members.peekable();
    if members.peek().is_some() {
        yaml.section(0, name);
        members.for_each(|member| write(yaml, member));
    }
}

/// About how many bytes there will be.
fn size_hint(contents: &Contents) -> usize {
    let bodies = contents.fragments.values().flatten().map(|body| body.text.len() * 3 / 2 + 60);
    let compilations = contents.compilations.values().map(|stored| stored.definitions.len() * 9 / 8 + 200);
    70 * contents.fragments.len() + bodies.sum::<usize>() + compilations.sum::<usize>()
}

/// Reads a whole repository; any damage is an error.
pub(crate) fn from_yaml(path: &Path, bytes: &[u8]) -> Result<Contents, StoreError> {
    let unsealed = seal::unseal(Kind::Repository, path, bytes)?;
    let impossible = |message| unsealed.impossible(Kind::Repository, message);
    let contents = from_wire(unsealed.parse(Kind::Repository)?).map_err(impossible)?;
    unsealed.expect_entries(Kind::Repository, contents.entries())?;
    Ok(contents)
}

/// Reads a piece of a repository's body, such as one entry below the name of its section.
pub(crate) fn piece(yaml: &str) -> Result<Contents, String> {
    from_wire(seal::parse(yaml).map_err(|(_, message)| format!("this entry cannot be read: {message}"))?)
}

fn from_wire(wire: RepositoryWire) -> Result<Contents, String> {
    let mut fragments: BTreeMap<_, _> = wire
        .fragments
        .0
        .into_iter()
        .map(|(digest, body)| (digest, Some(Listing { checksum: body.checksum, text: body.text.into() })))
        .collect();
    for digest in wire.known {
        if fragments.insert(digest, None).is_some() {
            return Err(format!("`{digest}` stands twice"));
        }
    }
    let compilations = wire.compilations.0.into_iter().map(|(id, wire)| {
        (id, StoredCompilation { source: wire.source.into(), definitions: wire.definitions.into() })
    });
    let links = wire.links.0.into_iter().map(|(build, wire)| Ok((build, link_from_wire(build, wire)?)));
    Ok(Contents {
        fragments,
        compilations: compilations.collect(),
        links: links.collect::<Result<_, String>>()?,
    })
}

fn link_from_wire(build: BuildId, wire: LinkWire) -> Result<LinkRecord, String> {
    let place = |place: &String| {
        let error = || format!("`{}` is not a place below the repository", shown(place));
        Place::new(place).ok_or_else(error)
    };
    let places = wire.places.iter().map(place).collect::<Result<BTreeSet<_>, _>>()?;
    let compilations = wire.compilations.unwrap_or_default();
    LinkRecord { build, places, elsewhere: wire.elsewhere, compilations }.checked()
}
