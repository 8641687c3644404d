//! The forms of a repository in a file, and which of them a path means.

use std::path::Path;

use super::database;
use super::seal;

/// How a repository is kept in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One readable text, replaced as a whole.
    Yaml,
    /// An indexed database.
    Database,
}

/// What the name of a database ends in.
const ENDING: &str = "tdb";

impl Form {
    /// The form of the file at `path`: what its beginning says, or, when it says nothing, what its name ends in.
    ///
    /// The file is opened and closed again, which takes away what locks of a database this process has: it is asked
    /// before a repository is used, not meanwhile.
    pub fn of(path: &Path) -> Self {
        let start = seal::start_of(path).unwrap_or_default().unwrap_or_default();
        let is_database = start.starts_with(database::MAGIC)
            || seal::identify(&start).is_none() && path.extension().is_some_and(|ending| ending == ENDING);
        if is_database { Self::Database } else { Self::Yaml }
    }
}
