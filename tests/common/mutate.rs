//! Inputs changed at random, the same in each run: bits flipped, pieces cut, doubled, moved from another input, and
//! numbers made odd.

/// Draws changes from a small generator.
pub(crate) struct Mutator(u64);

/// Texts that readers have to think about.
const ODD: [&[u8]; 24] = [
    b"0",
    b"-1",
    b"4294967295",
    b"4294967296",
    b"18446744073709551616",
    b"1e999",
    b"nan",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\n",
    b"\r\n",
    b"  ",
    b"- ",
    b": ",
    b"|\n",
    b"\"",
    b"'",
    b"{",
    b"}",
    b"[",
    "\u{feff}".as_bytes(),
    "\u{2028}".as_bytes(),
    b"trailer:\n",
];

impl Mutator {
    /// A generator whose draws depend on nothing but the name.
    pub(crate) fn new(name: &str) -> Self {
        Self(
            name.bytes()
                .fold(0x746f_7921, |seed, byte| (seed ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)),
        )
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) as usize % limit.max(1)
    }

    /// One of the inputs after one to four changes.
    pub(crate) fn change(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = inputs[self.below(inputs.len())].clone();
        for _ in 0..=self.below(4) {
            self.change_once(&mut bytes, inputs);
        }
        bytes
    }

    fn change_once(&mut self, bytes: &mut Vec<u8>, inputs: &[Vec<u8>]) {
        let range = self.range(bytes.len());
        match self.below(8) {
            0 => self.flip(bytes),
            1 => bytes.truncate(range.start),
            2 => _ = bytes.drain(range),
            3 => self.repeat(bytes, range),
            4 => self.splice(bytes, inputs),
            5 => self.odd(bytes, range.start..range.start),
            6 => self.odd(bytes, range),
            _ => self.number(bytes),
        }
    }

    /// A piece of so many bytes, mostly a short one.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(4) == 0 { length - start } else { (length - start).min(16) };
        start..start + self.below(most + 1)
    }

    fn flip(&mut self, bytes: &mut [u8]) {
        let at = self.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << self.below(8);
        }
    }

    fn repeat(&mut self, bytes: &mut Vec<u8>, range: std::ops::Range<usize>) {
        let piece = bytes[range.clone()].repeat(1 + self.below(20));
        bytes.splice(range.end..range.end, piece);
    }

    fn splice(&mut self, bytes: &mut Vec<u8>, inputs: &[Vec<u8>]) {
        let other = &inputs[self.below(inputs.len())];
        let (from, to) = (self.range(other.len()), self.range(bytes.len()));
        bytes.splice(to, other[from].iter().copied());
    }

    fn odd(&mut self, bytes: &mut Vec<u8>, range: std::ops::Range<usize>) {
        bytes.splice(range, ODD[self.below(ODD.len())].iter().copied());
    }

    /// Puts an odd number in the place of one.
    fn number(&mut self, bytes: &mut Vec<u8>) {
        let start = self.below(bytes.len() + 1);
        let Some(at) = bytes[start..].iter().position(u8::is_ascii_digit) else { return };
        let from = start + at;
        let end = bytes[from..].iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len() - from);
        let odd = ODD[self.below(7)].iter().copied();
        bytes.splice(from..from + end, odd);
    }
}
