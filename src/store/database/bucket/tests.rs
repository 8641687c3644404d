//! Buckets are read back as they were written, split where they must be, and refuse every changed byte.

use proptest::prelude::*;

use super::*;

fn entries() -> impl Strategy<Value = Vec<(Digest, Slot)>> {
    let location = (any::<[u8; 16]>(), any::<[u32; 3]>()).prop_map(|(checksum, [row, offset, length])| {
        Slot::Stored(Location { checksum: Checksum::from_bytes(checksum), row, offset, length })
    });
    let slot = prop_oneof![Just(Slot::Known), location];
    // Few first bytes, so that prefixes are often the same.
    let digest = (0..4_u8, any::<[u8; 4]>()).prop_map(|(first, rest)| {
        let mut bytes = [0; 32];
        bytes[0] = first;
        bytes[6..10].copy_from_slice(&rest);
        Digest::from_bytes(bytes)
    });
    prop::collection::btree_map(digest, slot, 0..400).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #[test]
    fn a_bucket_is_read_back(entries in entries(), digest in any::<[u8; 32]>()) {
        let written = bytes(Table::Fragments, 0, u64::MAX, &entries);
        let bucket = Bucket::parse(Table::Fragments, 0, &written).unwrap();
        prop_assert_eq!(bucket.entries(), entries.clone());
        for (digest, slot) in &entries {
            prop_assert_eq!(bucket.find(digest), Some(*slot));
        }
        prop_assert_eq!(bucket.find(&Digest::from_bytes(digest)), None);
        prop_assert!(Bucket::parse(Table::Links, 0, &written).is_err(), "it belongs to its table");
        prop_assert!(Bucket::parse(Table::Fragments, 1, &written).is_err(), "and to its place");
    }

    #[test]
    fn pieces_leave_no_gap_and_fit(entries in entries()) {
        let pieces = split(0, &entries);
        prop_assert_eq!(pieces.iter().flat_map(|(_, piece)| piece.to_vec()).collect::<Vec<_>>(), entries.clone());
        prop_assert_eq!(pieces[0].0, 0);
        for (at, (first, piece)) in pieces.iter().enumerate() {
            let last = pieces.get(at + 1).map_or(u64::MAX, |(next, _)| next - 1);
            let written = bytes(Table::Links, *first, last, piece);
            let bucket = Bucket::parse(Table::Links, *first, &written);
            prop_assert!(bucket.is_ok_and(|bucket| bucket.last == last));
            let prefixes = piece.iter().map(|(digest, _)| digest.prefix()).collect::<std::collections::BTreeSet<_>>();
            prop_assert!(written.len() <= CAPACITY || prefixes.len() == 1);
        }
    }

    #[test]
    fn too_full_a_bucket_becomes_few_of_one_size(count in 68..460_u32) {
        let entry = |number: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            let location = Location { checksum: Checksum::from_bytes([0; 16]), row: 1, offset: 0, length: 1 };
            (Digest::from_bytes(bytes), Slot::Stored(location))
        };
        let entries = (0..count).map(entry).collect::<Vec<_>>();
        let sizes = split(0, &entries).iter().map(|(_, piece)| piece.len()).collect::<Vec<_>>();
        let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
        prop_assert!(most - least <= sizes.len(), "{sizes:?}");
    }

    #[test]
    fn a_changed_byte_is_seen(entries in entries(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let mut written = bytes(Table::Compilations, 0, u64::MAX, &entries);
        let at = at.index(written.len());
        written[at] ^= flip;
        prop_assert!(Bucket::parse(Table::Compilations, 0, &written).is_err());
        prop_assert!(Bucket::parse(Table::Compilations, 0, &written[..at]).is_err());
    }

    #[test]
    fn no_bytes_break_the_reader(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some((checksum, rest)) = bytes.split_first_chunk_mut() {
            *checksum = check(Table::Links, 7, rest).to_le_bytes();
        }
        // Any answer but a panic.
        if let Ok(bucket) = Bucket::parse(Table::Links, 7, &bytes) {
            _ = bucket.entries();
        }
    }
}
