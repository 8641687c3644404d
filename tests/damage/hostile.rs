//! Files whose seal is right and whose contents are not: somebody made them so.

use std::fmt::Write as _;
use std::path::Path;

use toy::isa::codec::encode;
use toy::isa::instruction::Instruction;
use toy::name::Name;
use toy::object::executable::Executable;
use toy::store::StoreError;
use toy::store::seal::{Kind, seal};
use toy::store::wire::executable::{self, Format};

use crate::sample::{Sample, append, assert_coded, read_executable, read_ticket, shown};

const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OTHER: &str = "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What a reader says to a repository with this body, of so many entries.
fn refusal(sample: &Sample, body: &str, entries: usize) -> String {
    let repository = sample.with(seal(Kind::Repository, body, entries).as_bytes());
    let error = repository.read().map(drop).expect_err(body);
    let said = shown(&error);
    sample.assert_harmless(&repository, &body);
    // What check cannot repair, it says so; what it repairs is clean.
    if let Ok(report) = toy::check::repair(&repository) {
        assert_ne!(report.problems, [], "{body}");
        assert_eq!(toy::check::check(&repository).unwrap().problems, [], "{body}");
    }
    said
}

#[test]
fn a_repository_that_is_none_is_refused() {
    let sample = Sample::new();
    let deep = format!("known: {}{}\n", "[".repeat(1 << 20), "]".repeat(1 << 20));
    let deep_maps = format!("fragments: {}\n", "{a: ".repeat(1 << 18));
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in ('b'..='i').zip('a'..='h') {
        writeln!(
            bomb,
            "{name}: &{name} [*{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}]"
        )
        .unwrap();
    }
    let deep_item = format!("known:\n{}x\n", "- ".repeat(1 << 20));
    let deep_text =
        format!("fragments:\n  {DIGEST}:\n    text: |\n        a\n      {}\n", "[".repeat(1 << 20));
    let bomb_inside =
        format!("known: &a [\"{DIGEST}\"]\nlinks: {{\"{DIGEST}\": {{compilations: *a, places: *a}}}}\n");
    let fragment = |key: &str| format!("  {key}:\n    checksum: {}\n    text: ''\n", &DIGEST[..32]);
    let link =
        |place: &str| format!("links:\n  {DIGEST}:\n    places:\n    - {place}\n    compilations: []\n");
    let cases = [
        ("known:\n- a\n".to_owned(), 1, "is not 64 hexadecimal digits"),
        (format!("known:\n- {}\n", DIGEST.to_uppercase()), 1, "is not 64 hexadecimal digits"),
        (format!("known:\n- {DIGEST}0\n"), 1, "is not 64 hexadecimal digits"),
        (format!("known:\n- {DIGEST}\n- {DIGEST}\n"), 2, "stands twice"),
        (format!("known: [&a \"{DIGEST}\", *a]\n"), 2, "not as toy writes it"),
        (format!("known:\n- {DIGEST}\nfragments:\n{}", fragment(DIGEST)), 2, "stands twice"),
        (format!("fragments:\n{}{}", fragment(DIGEST), fragment(DIGEST)), 2, "stands twice"),
        (format!("fragments:\n{}", fragment(&DIGEST.to_uppercase())), 1, "is not 64 hexadecimal digits"),
        ("known: []\nknown: []\n".to_owned(), 0, "duplicate field"),
        ("unheard_of: 1\n".to_owned(), 0, "unknown field"),
        (format!("fragments:\n  {DIGEST}:\n    text: ''\n"), 1, "missing field `checksum`"),
        (format!("fragments:\n{}    more: 1\n", fragment(DIGEST)), 1, "unknown field `more`"),
        (format!("fragments:\n  {DIGEST}: 7\n"), 1, "invalid type"),
        ("- a\n".to_owned(), 0, "invalid"),
        ("a\n".to_owned(), 0, "not as toy writes it"),
        ("--- {}\n--- {}\n".to_owned(), 0, "not as toy writes it"),
        ("!!python/object/apply:os.system [ls]\n".to_owned(), 0, "not as toy writes it"),
        ("known: [\n".to_owned(), 0, "not as toy writes it"),
        (format!("known:\n- {DIGEST}\n"), 2, "its trailer counts 2"),
        (String::new(), 1, "its trailer counts 1"),
        (link("/etc/passwd"), 1, "not a place below the repository"),
        (link("../../etc/passwd"), 1, "not a place below the repository"),
        (link("a/../../b"), 1, "not a place below the repository"),
        (link("'c:\\b'"), 1, "not a place below the repository"),
        (link("\"a\\nb\""), 1, "not a place below the repository"),
        (link("''"), 1, "not a place below the repository"),
        (link(&"a/".repeat(3000)), 1, "not a place below the repository"),
        (
            format!(
                "links:\n  {DIGEST}:\n    elsewhere: true\n    compilations:\n    - {OTHER}\n    - {DIGEST}\n"
            ),
            1,
            "ascending order",
        ),
        (
            format!(
                "links:\n  {DIGEST}:\n    elsewhere: true\n    compilations:\n    - {DIGEST}\n    - {DIGEST}\n"
            ),
            1,
            "ascending order",
        ),
        (deep, 0, "not as toy writes it"),
        (deep_maps, 0, "not as toy writes it"),
        (deep_item, 0, "not as toy writes it"),
        (deep_text, 0, "not as toy writes it"),
        (bomb, 0, "not as toy writes it"),
        (bomb_inside, 2, "not as toy writes it"),
    ];
    for (body, entries, expected) in cases {
        let said = refusal(&sample, &body, entries).split_whitespace().collect::<Vec<_>>().join(" ");
        let said = said.replace(" │ ", " ");
        assert!(said.contains(expected), "{body:.200}\n{said:.2000}");
    }
}

#[test]
fn a_body_that_is_no_code_is_refused() {
    let sample = Sample::new();
    let listings = [
        "",
        "nothing",
        "call",
        "call ",
        "call 1",
        "call a b",
        "call true",
        "call \"a\"",
        "string a",
        "string \"a",
        "string \"",
        "string \"\\u{41}\"",
        "string \"\\u{0A}\"",
        "string \"\\u{110000}\"",
        "string \"\\n\"",
        "number",
        "number nan",
        "number NaN",
        "number inf",
        "number -inf",
        "number 1e999",
        "number 0x1",
        "number one",
        "block",
        "block -1",
        "block 1",
        "block 2\nnumber 1",
        "block 1\nblock 1\nnumber 1",
        "block 4294967295",
        "block 4294967296",
        "block 99999999999999999999",
        "boolean",
        "boolean yes",
        "boolean TRUE",
        "NUMBER 1",
        "number 1 2",
    ];
    for listing in listings {
        let body = serde_yaml::to_string(&serde_yaml::Value::from(listing)).unwrap();
        let body = body.trim_end().replace('\n', "\n      ");
        let text = format!("fragments:\n  {DIGEST}:\n    checksum: {}\n    text: {body}\n", &DIGEST[..32]);
        let repository = sample.with(seal(Kind::Repository, &text, 1).as_bytes());
        let digest = DIGEST.parse().unwrap();
        let error = repository.read().unwrap().fragment(&digest).expect_err(listing);
        assert!(matches!(error, StoreError::Body { .. }), "{listing}");
        _ = shown(&error);
        sample.assert_harmless(&repository, &listing);
        let problems = toy::check::check(&repository).unwrap().problems;
        assert!(
            matches!(problems.as_slice(), [one] if one.code == "toy::check::body"),
            "{listing}: {problems:?}"
        );
        toy::check::repair(&repository).unwrap();
        assert_eq!(repository.read().unwrap().state(&digest).unwrap(), None);
    }
}

#[test]
fn a_character_that_nobody_sees_is_refused() {
    let sample = Sample::new();
    for hidden in ["\r", "\t", "\u{85}", "\u{2028}", "\u{feff}", "\0", "\u{1b}[31m", "\n", "\n  \n"] {
        let text = format!(
            "fragments:\n  {DIGEST}:\n    checksum: {}\n    text: |\n      call a{hidden}\n      call b\n",
            &DIGEST[..32]
        );
        let said = refusal(&sample, &text, 1);
        assert!(said.contains("not as toy writes it"), "{said}");
        assert!(!said.contains(['\u{1b}', '\r', '\0']), "{said:?}");
        for text in [format!("\"a{hidden}b\""), format!("a{hidden}b"), format!("a{hidden}")] {
            let text = format!("links:\n  {DIGEST}:\n    places:\n    - {text}\n    compilations: []\n");
            assert!(!refusal(&sample, &text, 1).contains(['\u{1b}', '\r', '\0']));
        }
    }
}

#[test]
fn a_compilation_that_is_none_is_refused() {
    let sample = Sample::new();
    let cases = [
        ("a.toy", "a"),
        ("a.toy", "a 1"),
        ("a.toy", "1 D 1"),
        ("a.toy", "true D 1"),
        ("a.toy", "../x D 1"),
        ("a.toy", " D 1"),
        ("a.toy", "a D 0"),
        ("a.toy", "a D -1"),
        ("a.toy", "a D 4294967296"),
        ("a.toy", "a D 1 2"),
        ("a.toy", "a D 1 : -1"),
        ("a.toy", "a D 1 : +4294967295 1 +1 1"),
        ("a.toy", "a D 1 : x"),
        ("a.toy", "a D 1\na D 1"),
        ("a.toy", "a  D 1"),
        ("a.toy", "a d 1"),
        ("/etc/passwd", "a D 1"),
        ("../a.toy", "a D 1"),
        ("", "a D 1"),
        ("\"a\\eb\"", "a D 1"),
        // Everything is as it could be, but for the id.
        ("a.toy", "a D 1"),
        ("a.toy", ""),
    ];
    for (source, definitions) in cases {
        let digest = if definitions.contains(" d ") { DIGEST.to_uppercase() } else { DIGEST.to_owned() };
        let definitions =
            definitions.replace(" D ", &format!(" {digest} ")).replace(" d ", &format!(" {digest} "));
        let source = if source.is_empty() { "''" } else { source };
        let lines = if definitions.is_empty() {
            "''".to_owned()
        } else {
            format!("|-\n      {}", definitions.replace('\n', "\n      "))
        };
        let text = format!(
            "known:\n- {DIGEST}\ncompilations:\n  {OTHER}:\n    source: {source}\n    definitions: {lines}\n"
        );
        let repository = sample.with(seal(Kind::Repository, &text, 2).as_bytes());
        let error = repository.read().unwrap().compilation(&OTHER.parse().unwrap()).expect_err(&text);
        assert!(matches!(error, StoreError::Compilation { .. }), "{text}");
        assert!(!shown(&error).contains('\u{1b}'), "{text}");
        sample.assert_harmless(&repository, &text);
        let problems = toy::check::check(&repository).unwrap().problems;
        assert!(
            matches!(problems.as_slice(), [one] if one.code == "toy::check::compilation"),
            "{text}: {problems:?}"
        );
    }
}

#[test]
fn a_foreign_header_is_refused() {
    let sample = Sample::new();
    let intact = String::from_utf8(sample.repository.clone()).unwrap();
    let versions = ["2", "0", "4294967295"].map(|version| (version, "toy::store::version"));
    let odd = ["1e0", "01", "1.0", "'1'", "", "1 ", "-1", "99999999999"]
        .map(|version| (version, "toy::store::damaged"));
    for (version, code) in versions.into_iter().chain(odd) {
        let repository =
            sample.with(intact.replacen("version: 1", &format!("version: {version}"), 1).as_bytes());
        sample.assert_refused(&repository, &version);
        let error = repository.read().map(drop).unwrap_err();
        assert_eq!(miette::Diagnostic::code(&error).unwrap().to_string(), code, "{version}");
    }
    for header in [
        "toy: Repository",
        "toy: repositories",
        "toy: other",
        "toy:repository",
        "Toy: repository",
        "\u{feff}toy: repository",
    ] {
        let repository = sample.with(intact.replacen("toy: repository", header, 1).as_bytes());
        sample.assert_refused(&repository, &header);
        sample.assert_mended(&repository, &header);
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let sample = Sample::new();
    for bytes in [&b"\xff"[..], b"\xc3\x28", b"\xed\xa0\x80", b"\0"] {
        let mut text = sample.repository.clone();
        let at = text.windows(5).position(|window| window == b"place").unwrap() + 7;
        text.splice(at..at, bytes.iter().copied());
        let repository = sample.with(&text);
        sample.assert_refused(&repository, &bytes);
        sample.assert_mended(&repository, &bytes);
    }
    for bytes in
        [vec![0; 5000], vec![0xff; 5000], b"\n".repeat(5000), b"  ".repeat(5000), b"- \n".repeat(5000)]
    {
        let repository = sample.with(&bytes);
        sample.assert_refused(&repository, &"rubbish");
        sample.assert_mended(&repository, &"rubbish");
    }
}

#[test]
fn a_ticket_that_is_none_is_refused() {
    let cases = [
        (String::new(), 1),
        ("compilation: 1\n".to_owned(), 1),
        (format!("compilation: {}\n", DIGEST.to_uppercase()), 1),
        (format!("compilation: [{DIGEST}]\n"), 1),
        (format!("compilation: {DIGEST}\ncompilation: {DIGEST}\n"), 1),
        (format!("compilation: {DIGEST}\npath: /etc/passwd\n"), 1),
        (format!("compilation: {DIGEST}\n"), 2),
        (format!("compilation: {DIGEST}\n"), 0),
    ];
    for (body, entries) in cases {
        let error = read_ticket(seal(Kind::Ticket, &body, entries).as_bytes()).expect_err(&body);
        assert!(matches!(error, StoreError::Damaged(_)), "{body}");
        _ = shown(&error);
    }
    read_ticket(seal(Kind::Ticket, &format!("compilation: {DIGEST}\n"), 1).as_bytes()).unwrap();
}

#[test]
fn an_executable_that_is_none_is_refused() {
    let sample = Sample::new();
    let (body, entries) = sample.executable_body();
    let edits: [(&str, &str); 17] = [
        ("main 0 ", "main 9 "),
        ("main 0 ", "main 4294967296 "),
        ("main 0 ", "main -1 "),
        ("main 0 ", "main 0 9 "),
        ("main 0 ", "9main 0 "),
        ("main 0 ", "helper 0 "),
        ("- main", "- nobody"),
        ("- main", "- 1"),
        ("entries:\n- main\n", "entries: []\n"),
        ("call helper", "call a b"),
        ("call helper", "call helper\n    block 5"),
        ("block 2", "block 4294967295"),
        ("call print", "jump print"),
        ("build: ", "build: 0"),
        ("sections:", "section:"),
        (
            "compilations:\n",
            "compilations:\n- 0000000000000000000000000000000000000000000000000000000000000000\n",
        ),
        ("symbols:", "- ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\nsymbols:"),
    ];
    for (from, to) in edits {
        let body = body.replacen(from, to, 1);
        let error = read_executable(seal(Kind::Executable, &body, entries).as_bytes());
        assert!(!shown(&*error.expect_err(&format!("{from} -> {to}: {body}"))).is_empty());
    }
    for entries in [0, entries - 1, entries + 1] {
        let error = read_executable(seal(Kind::Executable, &body, entries).as_bytes()).unwrap_err();
        assert!(error.to_string().contains("trailer counts"), "{error}");
    }
}

#[test]
fn an_absurd_count_is_refused() {
    let sample = Sample::new();
    let repository = |bytes: &[u8]| sample.with(bytes).read().map(drop).map_err(miette::Report::new);
    let ticket = |bytes: &[u8]| read_ticket(bytes).map(drop).map_err(miette::Report::new);
    let executable = |bytes: &[u8]| read_executable(bytes).map(drop);
    type Reader<'r> = &'r dyn Fn(&[u8]) -> Result<(), miette::Report>;
    let kinds: [(Kind, (String, usize), Reader<'_>); 3] = [
        (Kind::Repository, sample.body(), &repository),
        (Kind::Ticket, (format!("compilation: {DIGEST}\n"), 1), &ticket),
        (Kind::Executable, sample.executable_body(), &executable),
    ];
    for (kind, (body, entries), read) in kinds {
        read(seal(kind, &body, entries).as_bytes()).unwrap();
        for absurd in [usize::MAX, u32::MAX as usize, 1 << 40] {
            let error = read(seal(kind, &body, absurd).as_bytes()).unwrap_err();
            assert!(error.to_string().contains("its trailer counts"), "{error}");
            assert_coded(&*error);
        }
        // The digest does not cover the count, which is held against it as a text.
        for absurd in ["18446744073709551616", "1e9", "-1", "+1", "01", "0x1", ""] {
            let sealed = seal(kind, &body, entries);
            let bytes = sealed.replace(&format!("  entries: {entries}\n"), &format!("  entries: {absurd}\n"));
            assert_ne!(bytes, sealed);
            assert_coded(&*read(bytes.as_bytes()).expect_err(absurd));
        }
    }
}

/// Blocks in blocks, more than any stack of the host's has frames for.
#[test]
fn code_that_nests_deep_is_code() {
    let sample = Sample::new();
    let mut program = executable::from_bytes(Path::new("a.tx"), &sample.executable).unwrap();
    let depth = 100_000;
    let mut text = Vec::new();
    (0..depth).for_each(|at| encode(Instruction::Block(depth - 1 - at), &mut text));
    program.sections[0].text = text;
    // Strings that no code uses are not written.
    program.sections[1].text = Vec::new();
    program.strings.clear();
    let bytes = executable::to_yaml(&program).unwrap();
    assert!(bytes.len() < 60 * depth as usize, "{} bytes", bytes.len());
    assert_eq!(executable::from_bytes(Path::new("a.tx"), bytes.as_bytes()).unwrap(), program);
    read_executable(bytes.as_bytes()).unwrap();
}

/// What the linker never makes, with a build id that fits.
#[test]
fn an_executable_that_cannot_run_is_refused() {
    let sample = Sample::new();
    let intact = executable::from_bytes(Path::new("a.tx"), &sample.executable).unwrap();
    type Edit = fn(&mut Executable);
    let edits: [(&str, Edit); 9] = [
        ("toy::vm::section", |program| program.symbols[0].section = 2),
        ("toy::vm::section", |program| program.symbols[0].section = u32::MAX),
        ("toy::vm::section", |program| {
            program.sections.clear();
            program.strings.clear();
        }),
        ("toy::vm::order", |program| program.symbols.reverse()),
        ("toy::vm::order", |program| program.symbols.extend(program.symbols.clone())),
        ("toy::vm::entry", |program| program.entries.extend(Name::new("nobody"))),
        ("toy::vm::no_entry", |program| program.entries.clear()),
        ("toy::vm::code", |program| append(program, Instruction::Block(u32::MAX))),
        ("toy::store::damaged", |program| {
            program.strings.push("no name".into());
            append(program, Instruction::Call(program.strings.len() as u32 - 1));
        }),
    ];
    for (code, edit) in edits {
        let mut program = intact.clone();
        edit(&mut program);
        for format in [Format::Yaml, Format::Binary] {
            let bytes = executable::to_bytes(&program, format).unwrap();
            let error = read_executable(&bytes).expect_err(code);
            assert_eq!(error.code().unwrap().to_string(), code);
        }
    }
}

/// Each byte of the body is changed and the seal made to fit: the readers' own checks are all that is left.
#[test]
fn whatever_stands_below_a_right_seal_is_harmless() {
    let sample = Sample::new();
    let (body, entries) = sample.body();
    let edited = |body: &str, at: usize, by: &str| -> Option<String> {
        Some(format!("{}{by}{}", body.get(..at)?, body.get(at + 1..)?))
    };
    for (index, by) in ["", "0", "z", "\n", "+", " ", "'", "&a ", "- "].into_iter().enumerate() {
        for at in (index % 5..body.len()).step_by(5) {
            let Some(changed) = edited(&body, at, by).filter(|changed| *changed != body) else { continue };
            let repository = sample.with(seal(Kind::Repository, &changed, entries).as_bytes());
            sample.assert_harmless(&repository, &format_args!("`{by}` for byte {at}:\n{changed}"));
        }
    }
    let (body, entries) = sample.executable_body();
    for by in ["", "0", "z", "\n", "+", " ", "'", "9"] {
        for at in 0..body.len() {
            let Some(changed) = edited(&body, at, by) else { continue };
            match read_executable(seal(Kind::Executable, &changed, entries).as_bytes()) {
                Ok(read) => assert!(read == sample.executable, "`{by}` for byte {at}:\n{changed}"),
                Err(error) => assert_coded(&*error),
            }
        }
    }
}
