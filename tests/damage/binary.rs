//! Binary executables whose digest is right and whose contents are not: somebody made them so.

use std::path::Path;

use toy::isa::instruction::Instruction;
use toy::object::executable::Executable;
use toy::store::wire::executable::{from_bytes, to_binary};

use crate::sample::{Sample, append, code_of, read_executable, shown};

const DIGEST: usize = 32;

/// Where the version stands, and where what it says about begins.
fn places(sample: &Sample) -> (usize, usize) {
    let version = 1 + sample.binary.windows(2).position(|pair| pair == b"x\n").unwrap() + 1;
    (version, version + 4)
}

/// The file with the digest that fits its bytes.
fn sealed(before: &[u8]) -> Vec<u8> {
    [before, blake3::hash(before).as_bytes()].concat()
}

/// What is said of a file with a right digest, which is damaged nevertheless.
fn refusal(before: &[u8], what: &str) -> String {
    let error = read_executable(&sealed(before)).expect_err(what);
    assert_eq!(code_of(&*error), "toy::store::damaged", "{what}");
    shown(&*error);
    error.to_string()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[test]
fn a_right_digest_saves_no_changed_byte() {
    let sample = Sample::new();
    let (_, body) = places(&sample);
    let before = &sample.binary[..sample.binary.len() - DIGEST];
    assert_eq!(sealed(before), sample.binary);
    for at in body..before.len() {
        for by in (0..8).map(|bit| 1 << bit).chain([0xff]) {
            let mut changed = before.to_vec();
            changed[at] ^= by;
            refusal(&changed, &format!("byte {at} flipped with {by:#04x}"));
        }
    }
}

#[test]
fn a_right_digest_saves_no_missing_or_added_byte() {
    let sample = Sample::new();
    let (_, body) = places(&sample);
    let before = &sample.binary[..sample.binary.len() - DIGEST];
    for at in body..before.len() {
        refusal(&before[..at], &format!("cut at {at}"));
        refusal(&[&before[..at], &before[at + 1..]].concat(), &format!("without byte {at}"));
        refusal(&[&before[..at], &[0], &before[at..]].concat(), &format!("with a zero before byte {at}"));
    }
    assert!(refusal(&[before, &[0]].concat(), "a tail").contains("something follows"));
}

/// A reader that made room for what is counted would ask for more memory than there is.
#[test]
fn absurd_counts_and_lengths_take_no_memory() {
    let sample = Sample::new();
    let (_, body) = places(&sample);
    let before = &sample.binary[..sample.binary.len() - DIGEST];
    for at in body..before.len() - 3 {
        for value in [u32::MAX, i32::MAX as u32, 1 << 28, before.len() as u32, 0] {
            let mut changed = before.to_vec();
            changed[at..at + 4].copy_from_slice(&value.to_le_bytes());
            if changed != before {
                refusal(&changed, &format!("{value} at {at}"));
            }
        }
    }
    let entries = body + DIGEST;
    assert_eq!(u32_at(before, entries), 1, "the number of entry points");
    let count = [&before[..entries], &u32::MAX.to_le_bytes(), &before[entries + 4..]].concat();
    assert!(refusal(&count, "entry points").contains("counts more than"));
    let length = [&before[..entries + 4], &u32::MAX.to_le_bytes(), &before[entries + 8..]].concat();
    assert!(refusal(&length, "the length of a name").contains("longer than what is left"));
}

#[test]
fn another_version_is_told() {
    let sample = Sample::new();
    let (version, body) = places(&sample);
    assert_eq!(u32_at(&sample.binary, version), 1);
    for other in [0, 2, 256, u32::MAX] {
        let rest = &sample.binary[body..sample.binary.len() - DIGEST];
        // What another version holds is not for this one to judge.
        for rest in [rest, b"", b"something"] {
            let file = sealed(&[&sample.binary[..version], &other.to_le_bytes(), rest].concat());
            let error = read_executable(&file).expect_err("another version");
            assert_eq!(code_of(&*error), "toy::store::version");
            assert!(error.to_string().contains(&format!("version {other} ")), "{error}");
        }
    }
}

#[test]
fn what_stands_before_the_version_is_needed() {
    let sample = Sample::new();
    let start = sample.binary.windows(4).position(|window| window == b"\x7ftoy").unwrap();
    let before = &sample.binary[..sample.binary.len() - DIGEST];
    assert!(refusal(&before[start..], "no first line").contains("lacks its first line"));
    let error = read_executable(&sealed(&before[..start])).unwrap_err();
    assert_eq!(code_of(&*error), "toy::store::kind");
}

/// What the linker never makes, with a build id that fits.
#[test]
fn an_executable_with_another_spelling_is_refused() {
    let sample = Sample::new();
    let intact = from_bytes(Path::new("a.tx"), &sample.binary).unwrap();
    type Edit = fn(&mut Executable);
    let edits: [(&str, Edit); 8] = [
        ("strings that no section uses", |program| program.strings.push("unused".into())),
        ("strings that no section uses", |program| {
            program.sections.iter_mut().for_each(|one| one.text = Vec::new())
        }),
        ("stands twice", |program| {
            program.strings.push(program.strings[0].clone());
            append(program, Instruction::String(program.strings.len() as u32 - 1));
        }),
        ("before its turn", |program| program.sections.reverse()),
        ("before its turn", |program| {
            append(program, Instruction::String(program.strings.len() as u32));
        }),
        ("is no name", |program| {
            program.strings.push("a\nb".into());
            append(program, Instruction::Call(program.strings.len() as u32 - 1));
        }),
        ("is no opcode", |program| program.sections[0].text = vec![0xff]),
        ("is not finite", |program| append(program, Instruction::Number(f64::NAN))),
    ];
    for (expected, edit) in edits {
        let mut program = intact.clone();
        edit(&mut program);
        let error = read_executable(&to_binary(&program).unwrap()).expect_err(expected);
        assert_eq!(code_of(&*error), "toy::store::damaged", "{expected}");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}
