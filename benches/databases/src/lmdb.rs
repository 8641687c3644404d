//! LMDB through heed: digest to body in one tree, digests without body as sorted duplicates of fixed size.

use std::path::Path;

use heed::types::Bytes;
use heed::{Database, DatabaseFlags, Env, EnvFlags, EnvOpenOptions, PutFlags, WithoutTls};

use crate::{Candidate, Record, Result};

/// LMDB.
pub struct Lmdb;

fn open(path: &Path) -> Result<Env<WithoutTls>> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(64 << 30).max_dbs(2);
    // SAFETY: nobody else changes the file while the bench runs; what happens when its bytes are wrong is what
    // the bench is to show.
    unsafe {
        options.flags(EnvFlags::NO_SUB_DIR);
        Ok(options.open(path)?)
    }
}

type Tree = Database<Bytes, Bytes>;

impl Candidate for Lmdb {
    fn name(&self) -> &'static str {
        "LMDB (heed)"
    }

    fn add(&self, path: &Path, records: &[Record]) -> Result<()> {
        let env = open(path)?;
        let mut transaction = env.write_txn()?;
        let tree: Tree = env.create_database(&mut transaction, Some("fragments"))?;
        let is_empty = tree.is_empty(&transaction)?;
        for (digest, body) in records {
            if is_empty {
                tree.put_with_flags(&mut transaction, PutFlags::APPEND, digest, body)?;
            } else {
                tree.put(&mut transaction, digest, body)?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn add_known(&self, path: &Path, digests: &[[u8; 32]]) -> Result<()> {
        let env = open(path)?;
        let mut transaction = env.write_txn()?;
        let mut options = env.database_options().types::<Bytes, Bytes>();
        options.name("known").flags(DatabaseFlags::DUP_SORT | DatabaseFlags::DUP_FIXED);
        let tree: Tree = options.create(&mut transaction)?;
        for digest in digests {
            tree.put_with_flags(&mut transaction, PutFlags::APPEND_DUP, b"k", digest)?;
        }
        Ok(transaction.commit()?)
    }

    fn read(&self, path: &Path, digests: &[[u8; 32]]) -> Result<u64> {
        let env = open(path)?;
        let transaction = env.read_txn()?;
        let tree: Tree = env.open_database(&transaction, Some("fragments"))?.ok_or("no tree")?;
        let mut sum = 0;
        for digest in digests {
            sum += tree.get(&transaction, digest)?.ok_or("no record")?.len() as u64;
        }
        Ok(sum)
    }

    fn walk(&self, path: &Path) -> Result<u64> {
        let env = open(path)?;
        let transaction = env.read_txn()?;
        let tree: Tree = env.open_database(&transaction, Some("fragments"))?.ok_or("no tree")?;
        let mut sum = 0;
        for member in tree.iter(&transaction)? {
            let (digest, body) = member?;
            crate::damage::hold(digest, body)?;
            sum += body.len() as u64;
        }
        Ok(sum)
    }
}
