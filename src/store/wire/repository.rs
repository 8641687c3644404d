//! `repo.yaml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Unique;
use crate::digest::{BuildId, Checksum, CompilationId, FragmentDigest};
use crate::object::link_record::{LinkRecord, Place};
use crate::store::contents::{Body, Contents, StoredCompilation};
use crate::store::error::StoreError;
use crate::store::seal::{self, Kind};

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RepositoryWire {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    known: Vec<FragmentDigest>,
    #[serde(skip_serializing_if = "Unique::is_empty")]
    fragments: Unique<FragmentDigest, BodyWire>,
    #[serde(skip_serializing_if = "Unique::is_empty")]
    compilations: Unique<CompilationId, CompilationWire>,
    #[serde(skip_serializing_if = "Unique::is_empty")]
    links: Unique<BuildId, LinkWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BodyWire {
    checksum: Checksum,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompilationWire {
    source: String,
    definitions: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkWire {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    place: Option<String>,
    compilations: Vec<CompilationId>,
}

/// Writes a whole repository: a function of what it holds.
pub(crate) fn to_yaml(contents: &Contents) -> Result<String, String> {
    let body = serde_yaml::to_string(&to_wire(contents)).map_err(|error| error.to_string())?;
    let body = if contents.entries() == 0 { "" } else { &body };
    Ok(seal::seal(Kind::Repository, body, contents.entries()))
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
    from_wire(seal::parse(yaml).map_err(|(_, message)| message)?)
}

fn to_wire(contents: &Contents) -> RepositoryWire {
    let present = contents.fragments.iter().filter_map(|(digest, body)| {
        let body = body.as_ref()?;
        Some((*digest, BodyWire { checksum: body.checksum, text: body.listing.as_ref().to_owned() }))
    });
    let known = contents.fragments.iter().filter(|(_, body)| body.is_none());
    let compilations = contents.compilations.iter().map(|(id, stored)| {
        let source = stored.source.as_ref().to_owned();
        (*id, CompilationWire { source, definitions: stored.definitions.as_ref().to_owned() })
    });
    let links = contents.links.values().map(|record| {
        let place = record.place.as_ref().map(|place| place.as_str().to_owned());
        (record.build, LinkWire { place, compilations: record.compilations.clone() })
    });
    RepositoryWire {
        known: known.map(|(digest, _)| *digest).collect(),
        fragments: Unique(present.collect()),
        compilations: Unique(compilations.collect()),
        links: Unique(links.collect()),
    }
}

fn from_wire(wire: RepositoryWire) -> Result<Contents, String> {
    let mut fragments: BTreeMap<_, _> = wire
        .fragments
        .0
        .into_iter()
        .map(|(digest, body)| (digest, Some(Body { checksum: body.checksum, listing: body.text.into() })))
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
    let place = wire.place.map(|place| {
        let error = || format!("`{}` is not a place below the repository", place.escape_debug());
        Place::new(&place).ok_or_else(error)
    });
    if !wire.compilations.is_sorted_by(|a, b| a < b) {
        return Err(format!("the compilations of build `{build:.16}` are not in ascending order"));
    }
    Ok(LinkRecord { build, place: place.transpose()?, compilations: wire.compilations })
}
