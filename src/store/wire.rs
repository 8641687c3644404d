//! How repositories, tickets and executables are spelled. `docs/formats.md` is the specification.
//!
//! Deliberately absent: reading and writing files, and what may follow from what is read.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::digest::{BuildId, Checksum, CompilationId, FragmentDigest, SourceDigest};

pub(crate) mod bytes;
mod emit;
pub mod executable;
pub(crate) mod lines;
pub mod record;
pub(super) mod repository;
pub mod ticket;

/// The beginning of a text from a file, fit for a message on a terminal.
fn shown(text: &str) -> impl fmt::Display {
    text.chars().take(60).flat_map(char::escape_debug).collect::<String>()
}

macro_rules! from_text {
    ($($type:ty),*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

from_text!(FragmentDigest, CompilationId, SourceDigest, BuildId, Checksum);

/// A map in which no key stands twice.
struct Unique<K, V>(BTreeMap<K, V>);

impl<K, V> Default for Unique<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, K, V> Deserialize<'de> for Unique<K, V>
where
    K: DeserializeOwned + Ord + fmt::Display,
    V: DeserializeOwned,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UniqueVisitor<K, V>(PhantomData<(K, V)>);

        impl<'de, K, V> Visitor<'de> for UniqueVisitor<K, V>
        where
            K: DeserializeOwned + Ord + fmt::Display,
            V: DeserializeOwned,
        {
            type Value = Unique<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping without repeated keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut map = BTreeMap::new();
                while let Some(key) = access.next_key::<K>()? {
                    let twice = de::Error::custom(format_args!("`{key}` stands twice in one mapping"));
                    if map.insert(key, access.next_value()?).is_some() {
                        return Err(twice);
                    }
                }
                Ok(Unique(map))
            }
        }

        deserializer.deserialize_map(UniqueVisitor(PhantomData))
    }
}
