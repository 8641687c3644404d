//! toy dump: shows what is in a repository, a ticket or an executable.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use miette::Diagnostic;
use serde_json::{Value, json};
use thiserror::Error;

use super::Verb;
use super::inputs::count;
use super::ui::{Done, Failure, Ui};
use crate::digest::{CompilationId, FragmentDigest};
use crate::isa::codec::Decoder;
use crate::isa::listing;
use crate::object::compilation::Compilation;
use crate::object::executable::Executable;
use crate::object::fixup::FixupKind;
use crate::object::fragment::Fragment;
use crate::store::seal::{Kind, identify};
use crate::store::wire::{executable, ticket};
use crate::store::{Entry, Form, Repository, StoreError, View, file};

/// Show what is in a repository, a ticket or an executable
#[derive(Debug, Args)]
pub struct DumpArgs {
    /// The file; what it is, its content tells
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Of a repository or executable, only the fragments whose digests start so
    #[arg(long, value_name = "DIGEST-PREFIX")]
    fragment: Option<String>,

    /// Of a repository, only the definitions
    #[arg(long)]
    definitions: bool,

    /// The repository to look up a ticket's compilation in
    #[arg(short, long, value_name = "FILE", default_value = "repo.yaml", env = "TOY_REPOSITORY")]
    repository: PathBuf,
}

#[derive(Debug, Error, Diagnostic)]
enum DumpError {
    #[error("no fragment of `{}` starts with `{prefix}`", path.display())]
    #[diagnostic(code(toy::dump::fragment), help("`toy dump FILE` shows all of them with their digests"))]
    NoFragment { path: PathBuf, prefix: String },

    #[error("there is no file `{}`", path.display())]
    #[diagnostic(code(toy::dump::not_found), help("check the path"))]
    NotFound { path: PathBuf },

    #[error("`{}` is no file of toy's", path.display())]
    #[diagnostic(
        code(toy::dump::kind),
        help("dump shows repositories (`repo.yaml`), tickets (`NAME.to`) and executables (`NAME.tx`)")
    )]
    Kind { path: PathBuf },
}

impl Verb for DumpArgs {
    fn run(&self, _: &Ui) -> Result<Done, Failure> {
        let path = self.file.clone();
        if Form::of(&path) == Form::Database {
            let (json, text) = self.repository(&*Repository::open(&self.file).read()?)?;
            return Ok(Done::new(json, text));
        }
        let bytes = file::read(&path)?.ok_or_else(|| DumpError::NotFound { path: path.clone() })?;
        let (json, text) = match identify(&bytes).ok_or(DumpError::Kind { path })? {
            Kind::Repository => self.repository(&*Repository::open(&self.file).read()?)?,
            Kind::Ticket => self.ticket(ticket::from_yaml(&self.file, &bytes)?.compilation),
            Kind::Executable => self.executable(&executable::from_bytes(&self.file, &bytes)?)?,
        };
        Ok(Done::new(json, text))
    }
}

impl DumpArgs {
    fn is_wanted(&self, digest: &FragmentDigest) -> bool {
        self.fragment.as_ref().is_none_or(|prefix| digest.to_string().starts_with(prefix.as_str()))
    }

    fn no_fragment(&self) -> DumpError {
        DumpError::NoFragment { path: self.file.clone(), prefix: self.fragment.clone().unwrap_or_default() }
    }

    fn repository(&self, view: &dyn View) -> Result<(Value, String), Failure> {
        let mut text = String::new();
        let (mut fragments, mut compilations) = (Vec::new(), Vec::new());
        if !self.definitions {
            for member in view.fragments() {
                let digest = member?.digest;
                if self.is_wanted(&digest) {
                    let entry = view.fragment(&digest)?;
                    let shown = entry.map(|entry| show_entry(&digest, &entry, &mut text));
                    fragments.extend(shown.transpose()?);
                }
            }
            if fragments.is_empty() && self.fragment.is_some() {
                return Err(self.no_fragment().into());
            }
        }
        if self.fragment.is_none() {
            for id in view.compilations() {
                let id = id?;
                compilations
                    .extend(view.compilation(&id)?.map(|found| show_compilation(&id, &found, &mut text)));
            }
        }
        let mut links = Vec::new();
        if !self.definitions && self.fragment.is_none() {
            for link in view.links() {
                let link = link?;
                let mut places = link.places.iter().map(|place| place.as_str()).collect::<Vec<_>>();
                links.push(json!({
                    "build": link.build.to_string(), "places": places, "elsewhere": link.elsewhere,
                }));
                places.extend(link.elsewhere.then_some("(outside the repository's directory)"));
                // Writing to a string cannot fail.
                _ = writeln!(text, "link {} {}", link.build, places.join(", "));
            }
        }
        Ok((json!({ "fragments": fragments, "compilations": compilations, "links": links }), text))
    }

    fn ticket(&self, id: CompilationId) -> (Value, String) {
        let repository = Repository::open(&self.repository);
        let found = repository.read().and_then(|view| view.compilation(&id)).ok().flatten();
        let mut text = String::new();
        let json = match &found {
            Some(compilation) => show_compilation(&id, compilation, &mut text),
            None => {
                _ = writeln!(text, "compilation {id}, which `{}` does not have", repository.origin());
                json!({ "id": id.to_string() })
            }
        };
        (json!({ "compilation": json }), text)
    }

    fn executable(&self, executable: &Executable) -> Result<(Value, String), DumpError> {
        let entries = executable.entries.iter().map(|name| name.as_str()).collect::<Vec<_>>();
        let mut text = format!("build {}\nentry points {}\n", executable.build_id(), entries.join(", "));
        let (mut symbols, mut sections) = (Vec::new(), Vec::new());
        for symbol in &executable.symbols {
            _ = writeln!(
                text,
                "symbol {} section {} compilation {:.16}",
                symbol.name, symbol.section, symbol.compilation
            );
            symbols.push(json!({
                "name": symbol.name.as_str(), "section": symbol.section,
                "compilation": symbol.compilation.to_string(),
            }));
        }
        for (index, section) in executable.sections.iter().enumerate() {
            if self.is_wanted(&section.fragment) {
                let string = |index: u32| executable.strings.get(index as usize).map(|string| &**string);
                let code = disassemble(&section.text, string);
                _ = write!(text, "\nsection {index} fragment {}\n{code}", section.fragment);
                sections.push(json!({ "fragment": section.fragment.to_string(), "text": code }));
            }
        }
        if sections.is_empty() && self.fragment.is_some() {
            return Err(self.no_fragment());
        }
        let build = executable.build_id().to_string();
        Ok((json!({ "build": build, "entries": entries, "symbols": symbols, "sections": sections }), text))
    }
}

/// A section as lines with their ordinals.
fn disassemble<'a>(section: &[u8], operand: impl Fn(u32) -> Option<&'a str>) -> String {
    let mut lines = String::new();
    if let Err(error) = listing::write(Decoder::new(section), operand, &mut lines) {
        _ = writeln!(lines, "({error})");
    }
    lines.lines().enumerate().map(|(ordinal, line)| format!("{ordinal:6}  {line}\n")).collect()
}

fn show_entry(digest: &FragmentDigest, entry: &Entry, text: &mut String) -> Result<Value, StoreError> {
    let (Entry::Present(body), Some(fragment)) = (entry, entry.fragment(digest)?) else {
        _ = writeln!(text, "fragment {digest} known");
        return Ok(json!({ "digest": digest.to_string(), "known": true }));
    };
    let checksum = body.checksum();
    let targets = |kind| {
        let fixups = fragment.fixups.as_slice().iter().filter(move |fixup| fixup.kind == kind);
        fixups.map(|fixup| &*fixup.target).collect::<Vec<_>>()
    };
    let (strong, weak) = (targets(FixupKind::Strong), targets(FixupKind::Weak));
    let code = disassemble(&fragment.text, |index| fragment.fixups.get(index).map(|fixup| &*fixup.target));
    _ = writeln!(text, "fragment {digest} {}, checksum {checksum}", bytes(&fragment));
    _ = writeln!(text, "  strong fixups {}", strong.join(" "));
    if !weak.is_empty() {
        _ = writeln!(
            text,
            "  weak fixups {}",
            weak.iter().map(|weak| format!("{weak:?}")).collect::<Vec<_>>().join(" ")
        );
    }
    _ = writeln!(text, "{code}");
    Ok(json!({
        "digest": digest.to_string(), "known": false, "checksum": checksum.to_string(),
        "strong": strong, "weak": weak, "text": code,
    }))
}

fn bytes(fragment: &Fragment) -> String {
    count(fragment.text.len(), "byte")
}

fn show_compilation(id: &CompilationId, compilation: &Compilation, text: &mut String) -> Value {
    _ = writeln!(text, "compilation {id} of {}", compilation.source());
    let mut definitions = Vec::with_capacity(compilation.definitions().len());
    for definition in compilation.definitions() {
        let place = format!("{}:{}", compilation.source(), definition.line);
        let lines = if definition.lines.is_some() { " with lines" } else { "" };
        _ = writeln!(text, "  {:.16} {} at {place}{lines}", definition.fragment, definition.name);
        definitions.push(json!({
            "name": definition.name.as_str(), "fragment": definition.fragment.to_string(),
            "line": definition.line, "lines": definition.lines.is_some(),
        }));
    }
    json!({ "id": id.to_string(), "source": &**compilation.source(), "definitions": definitions })
}
