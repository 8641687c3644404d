//! Records cut out of the heap: of a row that is larger than what is wanted of it, nothing else is copied.
//!
//! Deliberately absent: whether the bytes are right.

use std::ops::Range;

use rusqlite::MAIN_DB;
use rusqlite::blob::Blob;

use super::connection::Connection;

/// A place in the heap. Whoever reads ascending locations opens each row once.
pub(super) struct Rows<'c> {
    connection: &'c Connection,
    /// The row that is open.
    open: Option<(u32, Blob<'c>)>,
}

impl<'c> Rows<'c> {
    pub(super) const fn of(connection: &'c Connection) -> Self {
        Self { connection, open: None }
    }

    /// Appends the bytes in a range of a row, whatever they are, or says why there are none.
    pub(super) fn read(&mut self, row: u32, range: Range<usize>, bytes: &mut Vec<u8>) -> Result<(), String> {
        let row = self.row(row)?;
        // No length makes room for what is not there.
        if range.end > row.len() {
            return Err(ELSEWHERE.to_owned());
        }
        let start = bytes.len();
        bytes.resize(start + range.len(), 0);
        row.read_at_exact(&mut bytes[start..], range.start).map_err(|error| error.to_string())
    }

    fn row(&mut self, number: u32) -> Result<&Blob<'c>, String> {
        let blob = match self.open.take() {
            Some((open, blob)) if open == number => blob,
            Some((_, mut blob)) => blob.reopen(number.into()).map(|()| blob).map_err(reason)?,
            None => {
                let sql = &self.connection.sql;
                sql.blob_open(MAIN_DB, c"heap", c"bytes", number.into(), true).map_err(reason)?
            }
        };
        Ok(&self.open.insert((number, blob)).1)
    }
}

const ELSEWHERE: &str = "it is not where it should be";

/// The library says of a row that is not there no more than that something went wrong.
fn reason(error: rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::Unknown) => ELSEWHERE.to_owned(),
        _ => error.to_string(),
    }
}
