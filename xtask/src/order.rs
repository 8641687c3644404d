//! `cargo xtask order`: which code a start needs, written down for the linker, which puts it together.
//!
//! The processor meets code 64 kB at a time. What a no-change compile executes is a tenth of the executable, but it lay in
//! 71 such pieces; together it is in some twenty. `docs/decisions/0008-start.md` has what that saves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::build::{self, Profile};
use crate::{Result, files};

/// The linker script that [`run`] writes and each build of the executable to install uses.
pub(crate) fn script() -> PathBuf {
    files::project_root().join("xtask").join("start.ld")
}

/// The source that is compiled again without a change, and run. It is long enough to be hashed as long ones are.
fn source() -> String {
    let words = (0..200).map(|at| format!("word{at} {{ \"word {at}\" print }}\n")).collect::<String>();
    format!("{words}main {{ word7 }}\n")
}

const HEADER: &str = "\
/* Made by `cargo xtask order`: the functions of a start lie together. Each is named without the hash that its compiler gave it, and what
   is not there any more matches nothing. */
";

/// Traces a start with valgrind, and writes the linker script.
pub(crate) fn run() -> Result<ExitCode> {
    let toy = build::toy(Profile::Release)?;
    let directory = tempfile::tempdir().map_err(|error| format!("cannot make a directory: {error}"))?;
    let at = |name: &str| directory.path().join(name);
    files::write(&at("a.toy"), source())?;
    let compile = ["compile", "-r", "repo.tdb", "-o", "a.to", "a.toy"];
    let link = ["link", "-q", "-r", "repo.tdb", "-o", "a.tx", "a.to"];
    let [again, hello] = ["again", "hello"].map(at);
    execute(Command::new(&toy).args(compile), directory.path())?;
    execute(Command::new(&toy).args(link), directory.path())?;
    execute(traced(&toy, &again).args(compile), directory.path())?;
    execute(traced(&toy, &hello).args(["run", "a.tx"]), directory.path())?;
    let traces = [again, hello].into_iter().map(|trace| Ok(executed(&files::read_text(&trace)?).collect()));
    let traces = traces.collect::<Result<Vec<BTreeSet<_>>>>()?;
    let nm = execute(Command::new("nm").arg("--defined-only").arg(&toy), directory.path())?;
    let all = nm.lines().filter_map(|line| line.split_whitespace().nth(2)).collect::<Vec<_>>();
    let members = members_of_libc(directory.path())?;
    files::write(&script(), script_of(&traces, &all, &members))?;
    // Cargo does not know what the linker reads: this makes it link again.
    files::touch(&files::project_root().join("src").join("main.rs"))?;
    println!("{}", script().display());
    Ok(ExitCode::SUCCESS)
}

/// A command that notes which functions `toy` executes.
fn traced(toy: &Path, to: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind", "--demangle=no"]);
    command.arg(format!("--callgrind-out-file={}", to.display())).arg(toy);
    command
}

/// What a command that must succeed prints.
fn execute(command: &mut Command, directory: &Path) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.current_dir(directory).output();
    let output = output.map_err(|error| format!("cannot start {name}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name} fails: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The functions in what callgrind wrote, as the linker knows them. A name stands where it is first used: `fn=(7) name`.
fn executed(trace: &str) -> impl Iterator<Item = String> {
    let names = trace.lines().filter_map(|line| {
        let (key, value) = line.split_once("=(")?;
        let (_, name) = value.split_once(") ")?;
        ["fn", "cfn"].contains(&key).then_some(name)
    });
    // What has no name has an address. Behind a name may stand at which depth of a recursion it was.
    let names = names.filter(|name| !name.starts_with("0x"));
    names.map(|name| name.split('\'').next().unwrap_or(name).to_owned())
}

/// In which member of the archive each function of the library of C is.
fn members_of_libc(directory: &Path) -> Result<Vec<(String, String)>> {
    let archive = execute(Command::new("cc").arg("-print-file-name=libc.a"), directory)?;
    let list = execute(Command::new("nm").args(["-A", "--defined-only", archive.trim()]), directory)?;
    Ok(list.lines().filter_map(member).collect())
}

/// A function and its member in a line of `nm`, which is `ARCHIVE:MEMBER:ADDRESS TYPE NAME`.
fn member(line: &str) -> Option<(String, String)> {
    let (before, symbol) = line.rsplit_once(':')?;
    let (_, member) = before.rsplit_once(':')?;
    let mut fields = symbol.split_whitespace().skip(1);
    let is_code = fields.next().is_some_and(|kind| ["T", "W", "i"].contains(&kind));
    Some((fields.next()?.to_owned(), member.to_owned())).filter(|_| is_code)
}

/// The linker script for the functions of some traces, of `all` that there are.
fn script_of(traces: &[BTreeSet<String>], all: &[&str], members: &[(String, String)]) -> String {
    let mut alike = BTreeMap::<String, usize>::new();
    all.iter().for_each(|name| *alike.entry(unhashed(name)).or_default() += 1);
    let functions = traces.iter().flatten().collect::<BTreeSet<_>>();
    // First what each start needs, then what is for one of them. Last what has so many instances that most are for others.
    let part = |function: &String| {
        let is_common = alike.get(&unhashed(function)).is_some_and(|instances| *instances > INSTANCES);
        let needed_by = traces.iter().map(|trace| !trace.contains(function)).collect::<Vec<_>>();
        (is_common, needed_by)
    };
    let sections = functions.iter().map(|name| (part(name), format!("*(\".text*.{}\")", unhashed(name))));
    let sections = sections.collect::<BTreeSet<_>>().into_iter().map(|(_, pattern)| pattern);
    let members = members.iter().filter(|(function, _)| functions.contains(function));
    let members = members.map(|(_, member)| format!("*libc.a:{}(.text .text.*)", on_any_processor(member)));
    let lines = sections.chain(members.collect::<BTreeSet<_>>()).map(|line| format!("    {line}\n"));
    let lines = lines.collect::<String>();
    format!("{HEADER}SECTIONS\n{{\n  .text.start :\n  {{\n{lines}  }}\n}}\nINSERT BEFORE .text;\n")
}

/// A generic function with more instances lies behind all others.
const INSTANCES: usize = 4;

/// A pattern for the name of a function that holds for each compiler: `…17h`, sixteen digits and `E` end what Rust made.
fn unhashed(name: &str) -> String {
    let is_rust = name.starts_with("_ZN") || name.starts_with("_R");
    match name.rfind("17h").filter(|_| is_rust) {
        Some(hash) => format!("{}17h*", &name[..hash]),
        None => name.to_owned(),
    }
}

/// A pattern for a member of the library of C of which there is one for each kind of processor: valgrind is not this one.
fn on_any_processor(member: &str) -> String {
    let kind = ["-sse2", "-avx2"].iter().find_map(|kind| member.find(kind));
    kind.map_or_else(|| member.to_owned(), |kind| format!("{}-*.o", &member[..kind]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_names_each_function_once() {
        let trace = "events: Ir\nfl=(1) a.rs\nfn=(1) main\n3 7\ncfn=(2) _ZN3toy3run17h0123456789abcdefE'2\ncfn=(1)\nfn=(2)\nfn=(3) 0x12\n";
        let functions = executed(trace).collect::<Vec<_>>();
        assert_eq!(functions, ["main", "_ZN3toy3run17h0123456789abcdefE"]);
    }

    #[test]
    fn the_script_holds_for_each_compiler_and_processor() {
        let (run, next) = ("_ZN3toy3run17h0123456789abcdefE", "_ZN4core4next17h0123456789abcdefE");
        let trace = |names: &[&str]| names.iter().copied().map(str::to_owned).collect::<BTreeSet<_>>();
        let traces = [trace(&[run, next, "getenv"]), trace(&[next, "__strlen_avx2", "getenv"])];
        let mut all = vec![run, "getenv", "putenv", "__strlen_avx2"];
        all.extend([next; INSTANCES + 1]);
        let list = "libc.a:getenv.o:0000000000000000 T getenv\n\
                    libc.a:strlen-avx2.o:0000000000000000 T __strlen_avx2\n\
                    libc.a:putenv.o:0000000000000010 T putenv\n\
                    libc.a:getenv.o:0000000000000000 D environ\n";
        let members = list.lines().filter_map(member).collect::<Vec<_>>();
        let script = script_of(&traces, &all, &members);
        let lines = script.lines().filter(|line| line.starts_with("    ")).map(str::trim).collect::<Vec<_>>();
        assert_eq!(
            lines,
            [
                r#"*(".text*.getenv")"#,
                r#"*(".text*._ZN3toy3run17h*")"#,
                r#"*(".text*.__strlen_avx2")"#,
                r#"*(".text*._ZN4core4next17h*")"#,
                "*libc.a:getenv.o(.text .text.*)",
                "*libc.a:strlen-*.o(.text .text.*)",
            ]
        );
    }
}
