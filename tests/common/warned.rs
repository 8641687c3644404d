//! Warnings of texts that are compiled together.

use toy::compile::{Known, LineTables, Optimization, Options, prepare};
use toy::lint::Warning;
use toy::source::SourceFile;
use toy::store::Repository;

/// The warnings for each of some texts, without optimisation.
pub(crate) fn warnings_of(texts: &[&str]) -> Vec<Vec<Warning>> {
    warnings_when(Optimization::Without, texts)
}

/// The warnings for each of some texts.
pub(crate) fn warnings_when(optimization: Optimization, texts: &[&str]) -> Vec<Vec<Warning>> {
    let sources = texts.iter().map(|text| SourceFile { name: "main.toy".into(), text: (*text).into() });
    let sources = sources.collect::<Vec<_>>();
    let options = Options { line_tables: LineTables::Without, known: Known::Reuse, optimization };
    match prepare(&Repository::in_memory(), &sources, options) {
        Ok(prepared) => prepared.warnings(),
        Err(error) => unreachable!("{error}"),
    }
}
