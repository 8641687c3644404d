//! Convert: the same repository in another form.

use crate::store::{Contained, Repository, StoreError};

/// Makes `target` hold what `source` holds, and nothing else.
pub fn convert(source: &Repository, target: &Repository) -> Result<Contained, StoreError> {
    let view = source.read()?;
    target.replace(|copy| copy.absorb(&*view))
}
