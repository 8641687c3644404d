//! The steps of a text with databases in place of YAML repositories, and what is written without what may differ.
//!
//! A database's name has as many characters as the name in the text, so that lines are broken at the same places.

use super::document::{Command, Step};

/// What every command starts with. The default repository is a database, executables are readable as they are beside
/// a readable repository, and who looks into a repository sees it as YAML.
pub(crate) const PRELUDE: &str = r#"
with_default() { TOY_REPOSITORY=${TOY_REPOSITORY:-repo_.tdb} command "$@"; }
strip_to() {
    case " $* " in
    *" -o "*|*" --output"*) with_default "$@" ;;
    *) with_default "$@" -o repoc_.tdb ;;
    esac
}
link_readable() {
    case " $* " in
    *" --format "*|*" --help "*) with_default "$@" ;;
    *) with_default "$@" --format yaml ;;
    esac
}
toy() {
    case "$1 $#" in
    "link 1"|"compile 1"|"merge 1"|"dump 1") command toy "$@" ;;
    "strip "*) strip_to toy "$@" ;;
    "link "*) link_readable toy "$@" ;;
    "compile "*|"merge "*|"dump "*|"gc "*|"check "*) with_default toy "$@" ;;
    *) command toy "$@" ;;
    esac
}
toycc() { [ $# = 0 ] && command toycc || with_default toycc "$@"; }
toymerge() { [ $# = 0 ] && command toymerge || with_default toymerge "$@"; }
toyld() { [ $# = 0 ] && command toyld || link_readable toyld "$@"; }
toylink() { [ $# = 0 ] && command toylink || link_readable toylink "$@"; }
toystrip() { strip_to toystrip "$@"; }
toygc() { with_default toygc "$@"; }
readable() {
    [ ! -f "$1" ] || [ "$(command head -c 6 "$1")" != SQLite ] && echo "$1" && return
    copy=$(mktemp -d)/readable && command toy convert -q "$1" "$copy" && echo "$copy"
}
cat() { command cat "$(readable "$1")"; }
cmp() { command cmp "$(readable "$1")" "$(readable "$2")"; }
"#;

/// How the names end.
const YAML: &str = ".yaml";
const DATABASE: &str = "_.tdb";

/// The same step with databases.
pub(crate) fn step(step: Step) -> Step {
    match step {
        Step::Write { file, text } if file == "Makefile" => Step::Write { file, text: on_database(&text) },
        Step::Prepare { line } => Step::Prepare { line: on_database(&line) },
        Step::Run(command) => Step::Run(Command { line: on_database(&command.line), ..command }),
        other => other,
    }
}

/// Gives each YAML file that is named the name of a database.
fn on_database(text: &str) -> String {
    text.replace(YAML, DATABASE)
}

/// A line without the numbers that tell how large something is, and with the names of the text.
pub(crate) fn normal(line: &str) -> String {
    without_sizes(&line.replace(DATABASE, YAML))
}

fn without_sizes(mut line: &str) -> String {
    let mut without = String::new();
    while let Some(at) = line.find(|c: char| c.is_ascii_digit()) {
        let (before, rest) = line.split_at(at);
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, rest) = rest.split_at(end);
        let is_size = rest.starts_with(" byte")
            || rest.starts_with(" without the bodies")
            || before.ends_with("bytes\":");
        without += before;
        without += if is_size { "N" } else { number };
        line = rest;
    }
    without + line
}
