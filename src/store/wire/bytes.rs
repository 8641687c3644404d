//! Bytes for machines: little-endian 32-bit integers, and lengths in front of what has one.
//!
//! Deliberately absent: what they mean. No count or length makes room for what is not there.

use crate::digest::Digest;

/// Bytes in the making.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// With the memory of other bytes.
    pub(crate) fn reusing(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self(bytes)
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.u32(bytes.len() as u32);
        self.raw(bytes);
    }

    /// How many there are, and each of them.
    pub(crate) fn all<T>(&mut self, members: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.u32(members.len() as u32);
        members.iter().for_each(|member| write(self, member));
    }
}

const COUNT: &str = "it counts more than what is left of it can hold";

/// What is left to read.
pub(crate) struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    /// Holds that nothing is left.
    pub(crate) fn end(&self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err("something follows its end".to_owned()) }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'b [u8], String> {
        let (taken, rest) =
            self.0.split_at_checked(count).ok_or("something in it is longer than what is left of it")?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn chunk<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (taken, rest) = self.0.split_first_chunk().ok_or("it ends where something is missing")?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.chunk()?))
    }

    pub(crate) fn digest(&mut self) -> Result<Digest, String> {
        Ok(Digest::from_bytes(self.chunk()?))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], String> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, String> {
        std::str::from_utf8(self.bytes()?).map_err(|_| "a text in it is not UTF-8".to_owned())
    }

    /// As many members of so many bytes as are counted, where they lie.
    pub(crate) fn chunks<const N: usize>(&mut self) -> Result<&'b [[u8; N]], String> {
        let count = self.u32()? as usize;
        let bytes = count.checked_mul(N).filter(|bytes| *bytes <= self.0.len()).ok_or(COUNT)?;
        Ok(self.take(bytes)?.as_chunks().0)
    }

    /// A count of members, each of `least` bytes or more.
    pub(crate) fn count(&mut self, least: usize) -> Result<usize, String> {
        let count = self.u32()? as usize;
        if count > self.0.len() / least { Err(COUNT.to_owned()) } else { Ok(count) }
    }

    /// As many members as are counted, each of `least` bytes or more. No count makes room for what is not there.
    pub(crate) fn all<T>(
        &mut self,
        least: usize,
        mut member: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        (0..self.count(least)?).map(|_| member(self)).collect()
    }
}
