//! The BLAKE3 hashes of many short inputs at once, each in a lane of the processor's vectors.
//!
//! BLAKE3 hashes the chunks of a long input side by side. A short one is a single chunk, whose blocks must be compressed one
//! after the other, most of the time waiting for each other; so here blocks of different inputs go side by side. All but the
//! last block of an input are whole, and the last one is compressed alone. The layout of a chunk and its flags are those of
//! the [specification](https://github.com/BLAKE3-team/BLAKE3-specs), sections 2.2 to 2.6.
//!
//! Deliberately absent: inputs of more than a chunk, which need no help.

use blake3::IncrementCounter;
use blake3::platform::Platform;

const BLOCK: usize = 64;
const CHUNK: usize = 16 * BLOCK;

const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 2;
const ROOT: u8 = 8;

/// What hashing starts from: the same words as those of SHA-256.
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The hash of each input, in their order.
pub(super) fn hashes(inputs: &[&[u8]]) -> Vec<[u8; 32]> {
    let mut hashes = vec![[0; 32]; inputs.len()];
    let whole = |at: &u32| whole_blocks(inputs[*at as usize]);
    let mut order = (0..inputs.len() as u32).collect::<Vec<_>>();
    order.sort_unstable_by_key(whole);
    let platform = Platform::detect();
    let mut states = Vec::new();
    for alike in order.chunk_by(|a, b| whole(a) == whole(b)) {
        let blocks = whole(&alike[0]);
        let alike = alike.iter().map(|at| (*at as usize, inputs[*at as usize]));
        if (blocks + 1) * BLOCK > CHUNK {
            alike.for_each(|(at, input)| hashes[at] = *blake3::hash(input).as_bytes());
            continue;
        }
        states.clear();
        states.resize(32 * alike.len(), 0);
        compress_whole(platform, alike.clone().map(|(_, input)| input), blocks, &mut states);
        let (states, _) = states.as_chunks::<32>();
        for ((at, input), state) in alike.zip(states) {
            hashes[at] = finish(platform, if blocks > 0 { words(state) } else { START }, blocks, input);
        }
    }
    hashes
}

/// The number of an input's blocks without its last one.
fn whole_blocks(input: &[u8]) -> usize {
    input.len().saturating_sub(1) / BLOCK
}

/// Compresses so many first blocks of each input, and gives the states of all, one behind the other.
fn compress_whole<'i>(
    platform: Platform,
    inputs: impl Iterator<Item = &'i [u8]>,
    blocks: usize,
    states: &mut [u8],
) {
    macro_rules! of {
        ($($count:literal)*) => {
            match blocks {
                $($count => {
                    let inputs = inputs.filter_map(<[u8]>::first_chunk::<{ $count * BLOCK }>).collect::<Vec<_>>();
                    platform.hash_many(&inputs, &START, 0, IncrementCounter::No, 0, CHUNK_START, 0, states);
                })*
                _ => {}
            }
        };
    }
    of!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
}

/// Compresses the last block of an input.
fn finish(platform: Platform, mut state: [u32; 8], blocks: usize, input: &[u8]) -> [u8; 32] {
    let last = input.get(blocks * BLOCK..).unwrap_or_default();
    let mut block = [0; BLOCK];
    block.iter_mut().zip(last).for_each(|(to, byte)| *to = *byte);
    let start = if blocks == 0 { CHUNK_START } else { 0 };
    platform.compress_in_place(&mut state, &block, last.len() as u8, 0, start | CHUNK_END | ROOT);
    let mut hash = [0; 32];
    let (parts, _) = hash.as_chunks_mut();
    parts.iter_mut().zip(state).for_each(|(part, word)| *part = word.to_le_bytes());
    hash
}

fn words(state: &[u8; 32]) -> [u32; 8] {
    let (parts, _) = state.as_chunks();
    let mut words = [0; 8];
    words.iter_mut().zip(parts).for_each(|(word, part)| *word = u32::from_le_bytes(*part));
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_right(inputs: &[Vec<u8>]) {
        let inputs = inputs.iter().map(Vec::as_slice).collect::<Vec<_>>();
        let one_by_one = inputs.iter().map(|input| *blake3::hash(input).as_bytes()).collect::<Vec<_>>();
        assert_eq!(hashes(&inputs), one_by_one);
    }

    #[test]
    fn every_length_has_its_hash() {
        let input = |length: usize| (0..length).map(|at| (at * 7 + length) as u8).collect();
        assert_right(&(0..2 * CHUNK + 2).map(input).collect::<Vec<_>>());
        assert_right(&[]);
    }

    proptest! {
        #[test]
        fn together_or_alone_is_the_same(
            inputs in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..80)
        ) {
            assert_right(&inputs);
        }
    }
}
