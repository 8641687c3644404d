//! Convert: the same repository in another form.

use crate::store::{Repository, StoreError};

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConvertReport {
    /// Digests, with a body or without.
    pub fragments: usize,
    /// Compilations.
    pub compilations: usize,
    /// Link records.
    pub links: usize,
}

/// Makes `target` hold what `source` holds, and nothing else.
pub fn convert(source: &Repository, target: &Repository) -> Result<ConvertReport, StoreError> {
    let view = source.read()?;
    target.replace(|copy| {
        let mut report = ConvertReport::default();
        for batch in view.batches() {
            report.fragments += copy.add_fragments(&batch?)?.len();
        }
        for id in view.compilations() {
            if let Some(compilation) = view.compilation(&id?)? {
                copy.add_compilation(&compilation)?;
                report.compilations += 1;
            }
        }
        for link in view.links() {
            copy.add_link(link?)?;
            report.links += 1;
        }
        Ok(report)
    })
}
