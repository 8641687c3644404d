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

/// So many compilations are read and stored together.
const TOGETHER: usize = 1024;

/// Makes `target` hold what `source` holds, and nothing else.
pub fn convert(source: &Repository, target: &Repository) -> Result<ConvertReport, StoreError> {
    let view = source.read()?;
    target.replace(|copy| {
        let mut report = ConvertReport::default();
        for batch in view.batches() {
            report.fragments += copy.add_fragments(&batch?)?.len();
        }
        let ids = view.compilations().collect::<Result<Vec<_>, _>>()?;
        for ids in ids.chunks(TOGETHER) {
            let found = view.find_compilations(ids)?;
            let found = found.into_iter().filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
            report.compilations += copy.add_compilations(&found)?;
        }
        for link in view.links() {
            copy.add_link(link?)?;
            report.links += 1;
        }
        Ok(report)
    })
}
