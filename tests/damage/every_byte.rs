//! Files that are cut, flipped, and shuffled at every place that they have.

use crate::sample::{Sample, assert_coded, code_of, read_executable, read_ticket};

/// The bytes cut at every place.
fn cuts(bytes: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    (0..bytes.len()).map(|at| (format!("cut at {at}"), bytes[..at].to_vec()))
}

/// The bytes with one of them changed, at every place.
fn flips(bytes: &[u8], pattern: u8) -> impl Iterator<Item = (String, Vec<u8>)> {
    (0..bytes.len()).map(move |at| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= pattern;
        (format!("byte {at} flipped with {pattern:#04x}"), flipped)
    })
}

/// The bytes with a line left out, doubled, or swapped with the next, at every place.
fn lines(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>();
    let mut all = Vec::new();
    for at in 0..lines.len() {
        let (before, here, after) = (&lines[..at], lines[at], &lines[at + 1..]);
        all.push((format!("without line {}", at + 1), [before.concat(), after.concat()].concat()));
        all.push((
            format!("line {} twice", at + 1),
            [before.concat(), [here, here].concat(), after.concat()].concat(),
        ));
        if let Some((next, after)) = after.split_first().filter(|(next, _)| **next != here) {
            let swapped = [before.concat(), [*next, here].concat(), after.concat()].concat();
            all.push((format!("lines {} and the next swapped", at + 1), swapped));
        }
    }
    all
}

/// The low bit, the bit of upper and lower case, the high bit, all bits.
const PATTERNS: [u8; 4] = [0x01, 0x20, 0x80, 0xff];

/// Every damage is seen and mended; every verb is tried on some of them, for each starts with reading.
fn assert_refused_and_mended(sample: &Sample, damaged: impl IntoIterator<Item = (String, Vec<u8>)>) {
    for (at, (what, bytes)) in damaged.into_iter().enumerate() {
        let repository = sample.with(&bytes);
        assert_coded(&repository.read().map(drop).expect_err(&what));
        if at % 16 == 0 {
            sample.assert_refused(&repository, &what);
        }
        sample.assert_mended(&repository, &what);
    }
}

#[test]
fn a_cut_repository_is_refused_and_mended() {
    let sample = Sample::new();
    let damaged = cuts(&sample.repository);
    assert_refused_and_mended(&sample, damaged);
}

#[test]
fn a_flipped_repository_is_refused_and_mended() {
    let sample = Sample::new();
    let damaged = flips(&sample.repository, PATTERNS[0]);
    assert_refused_and_mended(&sample, damaged);
}

#[test]
fn whichever_bits_flip_check_finds_it() {
    let sample = Sample::new();
    for pattern in &PATTERNS[1..] {
        for (what, bytes) in flips(&sample.repository, *pattern) {
            let repository = sample.with(&bytes);
            assert_coded(&repository.read().map(drop).expect_err(&what));
            match toy::check::check(&repository) {
                Ok(report) => assert_ne!(report.problems, [], "{what}"),
                Err(error) => assert_coded(&error),
            }
        }
    }
}

#[test]
fn shuffled_lines_of_a_repository_are_refused_and_mended() {
    let sample = Sample::new();
    let damaged = lines(&sample.repository);
    assert_refused_and_mended(&sample, damaged);
}

#[test]
fn a_damaged_ticket_is_refused() {
    let sample = Sample::new();
    let flips = PATTERNS.into_iter().flat_map(|pattern| flips(&sample.ticket, pattern));
    for (what, bytes) in cuts(&sample.ticket).chain(flips).chain(lines(&sample.ticket)) {
        assert_coded(&read_ticket(&bytes).expect_err(&what));
    }
}

#[test]
fn a_damaged_executable_is_refused() {
    let sample = Sample::new();
    let flips = PATTERNS.into_iter().flat_map(|pattern| flips(&sample.executable, pattern));
    for (what, bytes) in cuts(&sample.executable).chain(flips).chain(lines(&sample.executable)) {
        assert_coded(&*read_executable(&bytes).expect_err(&what));
    }
}

/// Behind the two lines that say what it is, whatever happens to a binary executable is damage and nothing else.
#[test]
fn a_damaged_binary_executable_is_refused() {
    let sample = Sample::new();
    let header = sample.binary.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0;
    for pattern in PATTERNS {
        for (at, (what, bytes)) in flips(&sample.binary, pattern).enumerate() {
            let code = code_of(&*read_executable(&bytes).expect_err(&what));
            assert!(
                code == "toy::store::damaged" || at <= header && code == "toy::store::kind",
                "{what}: {code}"
            );
        }
    }
    for (at, (what, bytes)) in cuts(&sample.binary).enumerate().skip(1) {
        let code = code_of(&*read_executable(&bytes).expect_err(&what));
        assert_eq!(code, "toy::store::damaged", "{what}, {at}");
    }
}

#[test]
fn what_follows_a_file_is_damage() {
    let sample = Sample::new();
    let tails: [&[u8]; 4] = [b"\n", b"x", b"---\n", b"\0"];
    for tail in tails.into_iter().chain([sample.repository.as_slice(), sample.ticket.as_slice()]) {
        let longer = |bytes: &[u8]| [bytes, tail].concat();
        let repository = sample.with(&longer(&sample.repository));
        sample.assert_refused(&repository, &tail);
        sample.assert_mended(&repository, &tail);
        assert_coded(&read_ticket(&longer(&sample.ticket)).expect_err("a tail"));
        assert_coded(&*read_executable(&longer(&sample.executable)).expect_err("a tail"));
        assert_coded(&*read_executable(&longer(&sample.binary)).expect_err("a tail"));
    }
}

#[test]
fn a_file_of_another_kind_is_told() {
    let sample = Sample::new();
    for bytes in [&sample.ticket, &sample.executable, &sample.binary] {
        let repository = sample.with(bytes);
        sample.assert_refused(&repository, &"another kind");
    }
    assert_coded(&read_ticket(&sample.repository).unwrap_err());
    assert_eq!(code_of(&read_ticket(&sample.binary).unwrap_err()), "toy::store::kind");
    assert_coded(&*read_executable(&sample.ticket).unwrap_err());
}
