//! The house rules, held: who imports whom, headers, sizes, documents that are generated.
//!
//! Deliberately absent: what clippy and rustfmt see already.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Rows of the table in `docs/architecture.md`: room, its files, what it may import.
struct Room {
    name: String,
    files: Vec<String>,
    may_import: BTreeSet<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// All Rust files of the project, with paths relative to its root.
fn sources(directory: &str) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(root().join(directory)).sort_by_file_name();
    let entries = entries.into_iter().filter_entry(|entry| entry.file_name() != "target");
    let files = entries.map(|entry| entry.unwrap().into_path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    files.map(|path| path.strip_prefix(root()).unwrap().to_owned()).collect()
}

fn rooms() -> Vec<Room> {
    let architecture = read("docs/architecture.md");
    let table = architecture.split("| room | files | may import |").nth(1).expect("the table of rooms");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let words =
        |cell: &str| cell.split([' ', '`']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let row = |line: &str| {
        let cells = line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
        let may_import: Vec<String> = words(cells[2]);
        Room {
            name: cells[0].to_owned(),
            files: words(cells[1]),
            may_import: may_import.into_iter().collect(),
        }
    };
    rows.map(row).collect()
}

/// The room of a module path such as `store/wire/lines`: the row that fits it best.
fn room_of<'r>(rooms: &'r [Room], module: &str) -> Option<&'r Room> {
    let fits = |file: &str| module == file || module.starts_with(&format!("{file}/"));
    let fit = |room: &'r Room| {
        room.files.iter().filter(|file| fits(file)).map(String::len).max().map(|fit| (fit, room))
    };
    rooms.iter().filter_map(fit).max_by_key(|(fit, _)| *fit).map(|(_, room)| room)
}

/// The modules that a file names as `crate::…`, tests included; `use crate::{a, b}` counts as both.
fn imports(text: &str) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for rest in text.split("crate::").skip(1) {
        let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | ':')).unwrap_or(rest.len());
        let path = rest[..end].trim_end_matches(':').replace("::", "/");
        match rest[end..].strip_prefix('{') {
            Some(group) if path.is_empty() || rest[..end].ends_with("::") => {
                let group = &group[..group.find('}').unwrap_or(group.len())];
                let members = group.split(',').map(|member| member.trim().replace("::", "/"));
                modules.extend(members.map(|member| format!("{path}/{member}").trim_matches('/').to_owned()));
            }
            _ => _ = modules.insert(path),
        }
    }
    modules
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let rooms = rooms();
    let mut wrong = Vec::new();
    for file in sources("src") {
        let module = file.strip_prefix("src").unwrap().with_extension("");
        let module = module.to_str().unwrap();
        if module == "main" || module == "lib" {
            continue;
        }
        let room = room_of(&rooms, module)
            .unwrap_or_else(|| panic!("{module} is in no room of docs/architecture.md"));
        for import in imports(&read(&file)) {
            let Some(other) = room_of(&rooms, &import) else {
                wrong.push(format!("{module} imports {import}, which is in no room"));
                continue;
            };
            if other.name != room.name && !room.may_import.contains(&other.name) {
                wrong.push(format!("{module} ({}) imports {import} ({})", room.name, other.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_circle() {
    let rooms = rooms();
    // The store and its YAML form are two sides of one wall; everything else only looks down.
    let pair = ["store", "wire"];
    let mut above = BTreeMap::new();
    for (floor, room) in rooms.iter().enumerate() {
        above.insert(room.name.as_str(), floor);
    }
    for room in &rooms {
        for other in &room.may_import {
            let inside = pair.contains(&room.name.as_str()) && pair.contains(&other.as_str());
            assert!(
                inside || above[other.as_str()] <= above[room.name.as_str()],
                "{} imports {other}",
                room.name
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is_and_is_short() {
    for file in ["src", "xtask/src", "tests", "benches", "fuzz/src", "fuzz/fuzz_targets"]
        .iter()
        .flat_map(|directory| sources(directory))
    {
        let text = read(&file);
        assert!(text.starts_with("//! "), "{} does not open with `//!`", file.display());
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", file.display());
    }
}

/// Files that may hold unsafe code, each at one place that says why it is sound.
const UNSAFE: &[&str] = &["src/cli/jobs.rs", "src/vm/native/gate.rs"];

/// A package outside of the workspace, with lints of its own: it calls databases that others may damage.
const OUTSIDE: &str = "benches/databases";

#[test]
fn unsafe_blocks_are_where_they_were_looked_at() {
    // The compiler denies it wherever the lint is not lifted by its name.
    let lint = concat!("unsafe", "_code");
    assert!(read("Cargo.toml").contains(&format!("\n{lint} = \"deny\"\n")));
    for manifest in ["Cargo.toml", "xtask/Cargo.toml"] {
        assert!(read(manifest).contains("\n[lints]\nworkspace = true\n"), "{manifest} has lints of its own");
    }
    for file in ["src", "xtask", "tests", "benches"].iter().flat_map(|directory| sources(directory)) {
        if file.starts_with(OUTSIDE) {
            continue;
        }
        let (text, expected) = (read(&file), UNSAFE.iter().any(|allowed| file == Path::new(allowed)));
        let found = (text.matches(lint).count(), text.matches(concat!("// ", "SAFETY: ")).count());
        assert_eq!(found, if expected { (1, 1) } else { (0, 0) }, "{}", file.display());
    }
}

#[test]
fn every_dependency_is_explained() {
    let decisions = read("docs/decisions/dependencies.md");
    for manifest in ["Cargo.toml", "xtask/Cargo.toml", "fuzz/Cargo.toml", "benches/databases/Cargo.toml"] {
        let text = read(manifest);
        for section in text
            .split("\n[")
            .filter(|section| section.lines().next().is_some_and(|title| title.ends_with("dependencies]")))
        {
            let lines = section.lines().skip(1).filter(|line| !line.starts_with('#') && line.contains('='));
            let lines = lines.filter(|line| !line.contains("{ path = "));
            for name in lines.map(|line| line.split(['=', '.', ' ']).next().unwrap()) {
                assert!(
                    decisions.contains(name),
                    "{name} of {manifest} is not in docs/decisions/dependencies.md"
                );
            }
        }
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(PathBuf::from);
    let in_docs =
        walkdir::WalkDir::new(root().join("docs")).into_iter().map(|entry| entry.unwrap().into_path());
    let in_docs = in_docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    for document in documents.into_iter().chain(in_docs) {
        let text = read(&document);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split(['#', ' ']).next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = root().join(document.parent().unwrap()).join(target);
            assert!(path.exists(), "{} links to {target}, which is not there", document.display());
        }
    }
}

/// `docs/cli.md`, from the definition of the command line.
#[test]
fn the_command_line_reference_is_current() {
    let path = root().join("docs/cli.md");
    let current = reference();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &current).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == current, "docs/cli.md is not current; `UPDATE=1 cargo test --test tidy` rewrites it");
}

fn reference() -> String {
    let mut toy = toy::cli::command();
    toy.build();
    let mut text = "# The command line\n\n\
        Generated from the definition in `src/cli`; `UPDATE=1 cargo test --test tidy` writes it.\n\n\
        Exit status of every tool: 0 done, 1 a problem in the input or an uncaught error of the program, 2 wrong usage.\n\
        Reports go to standard output, problems to standard error.\n"
        .to_owned();
    let verbs = toy.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help");
    for verb in verbs {
        let mut verb = verb.clone();
        let applets = toy::cli::applets_of(verb.get_name()).iter().map(|applet| format!(", `{applet}`"));
        text += &format!("\n## `toy {}`{}\n\n", verb.get_name(), applets.collect::<String>());
        let usage = verb.render_usage();
        text += &format!("{}.\n\n```text\n{usage}\n```\n\n", verb.get_about().unwrap());
        text += "| option | meaning |\n|---|---|\n";
        for argument in verb.get_arguments().filter(|argument| argument.get_id() != "help") {
            text += &format!("| {} | {} |\n", spelling(argument), meaning(argument));
        }
    }
    text
}

/// How an argument is written.
fn spelling(argument: &clap::Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default().join(" ");
    let takes_value = argument.get_action().takes_values();
    let flags = [
        argument.get_short().map(|short| format!("-{short}")),
        argument.get_long().map(|long| format!("--{long}")),
    ];
    let flags = flags.into_iter().flatten().collect::<Vec<_>>().join(", ");
    match (flags.is_empty(), takes_value) {
        (true, _) => format!("`{names}`"),
        (false, true) if argument.is_require_equals_set() => format!("`{flags}[={names}]`"),
        (false, true) => format!("`{flags} {names}`"),
        (false, false) => format!("`{flags}`"),
    }
}

/// What an argument means, with its default.
fn meaning(argument: &clap::Arg) -> String {
    let mut text = argument.get_help().map(|help| help.to_string()).unwrap_or_default();
    let values = argument.get_possible_values();
    if argument.get_action().takes_values() && !values.is_empty() {
        let value = |value: &clap::builder::PossibleValue| {
            let help = value.get_help().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("`{}`{help}", value.get_name())
        };
        text += &format!("; one of {}", values.iter().map(value).collect::<Vec<_>>().join(", "));
    }
    let defaults = argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy()));
    let defaults = defaults.collect::<Vec<_>>().join(", ");
    if argument.get_action().takes_values() && !defaults.is_empty() {
        text += &format!("; default {defaults}");
    }
    if let Some(variable) = argument.get_env() {
        text += &format!("; environment variable `{}`", variable.to_string_lossy());
    }
    text.replace('|', "\\|")
}
