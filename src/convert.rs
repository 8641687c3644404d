//! Convert: the same repository in another form.

use crate::store::{Contained, Repository, StoreError};

/// Makes `target` hold what `source` holds, and nothing else.
pub fn convert(source: &Repository, target: &Repository) -> Result<Contained, StoreError> {
    // Read no longer than this takes: who publishes may wait for somebody who waits for readers of the source.
    target.replace(|copy| copy.absorb(&*source.read()?))
}
