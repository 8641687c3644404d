//! Executables and bodies: what is code is loaded and executed for a while.

use std::path::Path;
use std::sync::Arc;

use toy::digest::{CompilationId, FragmentDigest, Hasher};
use toy::name::Name;
use toy::object::executable::{Executable, Section, Symbol};
use toy::object::fragment::Fragment;
use toy::store::seal::Kind;
use toy::store::wire::executable::{from_bytes, to_binary, to_yaml};
use toy::store::{Entry, Repository, StoreError};
use toy::vm::machine::{Limits, Machine, Native, Options, Status, Stop, Streams};
use toy::vm::program::Program;

use super::assert_coded;
use super::repositories::sealed;

/// An executable in YAML is read, loaded and executed.
pub fn executable(bytes: &[u8]) {
    let bytes = sealed(Kind::Executable, bytes, |guess| entries(guess).unwrap_or_default());
    match from_bytes(Path::new("a.tx"), &bytes) {
        Err(error) => assert_coded(&error),
        Ok(executable) => assert_spelled(&executable),
    }
}

/// A binary executable is read, loaded and executed. Bytes that do not begin like one are what follows the version of
/// one whose digest is right.
pub fn binary(bytes: &[u8]) {
    let bytes = if bytes.starts_with(INTERPRETER) {
        bytes.to_vec()
    } else {
        let before = [INTERPRETER, b"\x7ftoy.tx\n\x01\0\0\0", bytes].concat();
        let digest = *blake3::hash(&before).as_bytes();
        [&before[..], &digest].concat()
    };
    match from_bytes(Path::new("a.tx"), &bytes) {
        Err(error) => assert_coded(&error),
        Ok(executable) => {
            assert!(to_binary(&executable).unwrap() == bytes, "an executable has one encoding");
            assert_spelled(&executable);
        }
    }
}

/// How an executable starts.
const INTERPRETER: &[u8] = b"#!/usr/bin/env toyvm\n";

/// How many entries the reader finds in a file that says that it has none.
fn entries(bytes: &[u8]) -> Option<usize> {
    let said = from_bytes(Path::new("a.tx"), bytes).err()?.to_string();
    said.split_once("it holds ")?.1.split(' ').next()?.parse().ok()
}

/// What the linker never makes: any sections, symbols and strings, as the bytes say, under a build id that fits.
pub fn program(bytes: &[u8]) {
    assert_spelled(&made_of(bytes));
}

/// Reads strings, sections, symbols and entry points, each as one byte that counts and then the members.
fn made_of(mut bytes: &[u8]) -> Executable {
    let bytes = &mut bytes;
    let strings =
        (0..byte(bytes)).map(|_| String::from_utf8_lossy(some(bytes)).into()).collect::<Vec<Arc<str>>>();
    let fragment = FragmentDigest::new(Hasher::new("fuzz", 0).finish());
    let compilation = CompilationId::new(Hasher::new("fuzz", 1).finish());
    let sections = (0..byte(bytes)).map(|_| Section { fragment, text: some(bytes).to_vec() }).collect();
    let name = |bytes: &mut &[u8]| Name::new(&String::from_utf8_lossy(some(bytes)));
    let mut symbols = Vec::new();
    for _ in 0..byte(bytes) {
        let section = u32::from(byte(bytes));
        symbols.extend(name(bytes).map(|name| Symbol { name, section, compilation }));
    }
    let entries = (0..byte(bytes)).filter_map(|_| name(bytes)).collect();
    Executable { entries, symbols, sections, strings }
}

fn byte(bytes: &mut &[u8]) -> u8 {
    let Some((first, rest)) = bytes.split_first() else { return 0 };
    *bytes = rest;
    *first
}

/// As many bytes as the next one says, or as there are.
fn some<'b>(bytes: &mut &'b [u8]) -> &'b [u8] {
    let length = usize::from(byte(bytes)).min(bytes.len());
    let (some, rest) = bytes.split_at(length);
    *bytes = rest;
    some
}

/// What can be written is read again the same, if its strings are numbered as a reader numbers them; and what can
/// be loaded is executed.
pub(crate) fn assert_spelled(executable: &Executable) {
    if let Ok(text) = to_yaml(executable) {
        match from_bytes(Path::new("a.tx"), text.as_bytes()) {
            Ok(read) => assert_eq!(&read, executable),
            Err(error) => assert_coded(&error),
        }
    }
    match Program::load(executable) {
        Ok(program) => assert_runs(&program),
        Err(error) => assert_coded(&error),
    }
}

/// A run at full speed and one step by step do the same, whatever that is; and both keep within their limits.
fn assert_runs(program: &Program) {
    let limits = Limits { max_steps: Some(2000), max_stack: 200, max_memory: 100_000 };
    let run = |by_steps: bool, native: Native| {
        let arguments = vec![b"argument".to_vec()];
        let options = Options { limits: limits.clone(), arguments, native, ..Options::default() };
        let mut machine = Machine::new(program, program.entries()[0], &options);
        let (mut out, mut trace) = (Vec::new(), Vec::new());
        let mut streams = Streams { input: &mut &b"one\ntwo"[..], output: &mut out, trace: &mut trace };
        let mut end = || {
            if !by_steps {
                return machine.run(&mut streams);
            }
            while machine.step(&mut streams)? == Status::Running {}
            Ok(())
        };
        let stop = match end() {
            Ok(()) => None,
            Err(Stop::Trap(trap)) => Some(trap),
            Err(stop) => panic!("{stop}"),
        };
        assert!(machine.steps() <= 2000);
        (stop, out, machine.steps())
    };
    let slow = run(true, Native::Never);
    for native in [Native::Never, Native::Always] {
        let fast = run(false, native);
        assert!(fast == slow, "full speed ({native:?}) and single steps differ:\n{fast:?}\n{slow:?}");
    }
}

/// A body in its compact encoding is a fragment or is none; and a repository in YAML keeps the fragment as it is or
/// says why not.
pub fn body(bytes: &[u8]) {
    let Ok(fragment) = Fragment::from_body(bytes) else { return };
    assert_eq!(fragment.body().bytes(), bytes, "a fragment has one encoding");
    let (repository, digest) =
        (Repository::in_memory(), FragmentDigest::new(Hasher::new("fuzz", 0).finish()));
    let entry = Entry::Present(fragment.body());
    let stored = repository.write(|transaction| transaction.add_fragment(digest, &entry));
    match stored {
        Ok(_) => assert_eq!(repository.read().unwrap().fragment(&digest).unwrap(), Some(entry)),
        Err::<_, StoreError>(error) => assert_coded(&error),
    }
}
