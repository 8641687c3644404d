//! Strip: a copy of a repository with nothing but its digests, small enough to send to every agent.
//!
//! The compiler asks only *whether* a digest is there, so an agent with a stripped copy generates what nobody has.

use crate::store::{Entry, Repository, StoreError};

/// What strip did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StripReport {
    /// The number of digests in the copy.
    pub fragments: usize,
}

/// So many digests go over together.
const TOGETHER: usize = 4096;

/// Makes `target` the stripped copy of `source`, whatever it was before.
/// Every fragment becomes known; compilations and link records stay at home.
pub fn strip(source: &Repository, target: &Repository) -> Result<StripReport, StoreError> {
    target.replace(|copy| {
        // Read no longer than this takes: who publishes may wait for somebody who waits for readers of the source.
        let snapshot = source.read()?;
        let mut fragments = 0;
        let mut members = snapshot.fragments();
        loop {
            // This is where a fragment is stripped: its digest goes over, its body does not.
            let stripped = members.by_ref().take(TOGETHER).map(|member| Ok((member?.digest, Entry::Known)));
            let stripped = stripped.collect::<Result<Vec<_>, StoreError>>()?;
            if stripped.is_empty() {
                return Ok(StripReport { fragments });
            }
            fragments += copy.add_fragments(&stripped)?.len();
        }
    })
}
