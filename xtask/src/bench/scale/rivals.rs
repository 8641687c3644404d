//! What a user would take instead: ccache, cp and mold, on work of the same size; not installed is no error.

use std::fmt::Write;
use std::process::{Command, Stdio};

use crate::{Result, files};

use super::super::generate::Program;
use super::probe;
use super::site::{Bench, FILE};

/// Bytes of a function's code: what a generated procedure has on average in a linked Toy program.
const CODE: usize = 162;
/// Functions in an object.
const OBJECT: usize = 100;

/// A hit of ccache on a C file with as many functions as the Toy file has procedures.
#[derive(Debug)]
pub(super) struct Ccache<'b>(&'b Bench);

impl<'b> Ccache<'b> {
    /// Fills the cache; `None` when ccache or gcc is not installed.
    pub(super) fn new(bench: &'b Bench) -> Result<Option<Self>> {
        if !["ccache", "gcc"].into_iter().all(is_installed) {
            return Ok(None);
        }
        files::write(&bench.path("sources/one.c"), c_source())?;
        let ccache = Self(bench);
        probe::time(&mut ccache.compile())?;
        Ok(Some(ccache))
    }

    fn compile(&self) -> Command {
        self.command(&["gcc", "-c", "-O1", "sources/one.c", "-o", "one.o"])
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.0.command("ccache", arguments);
        command.env("CCACHE_DIR", self.0.path("ccache"));
        command
    }

    /// The seconds of one hit.
    pub(super) fn hit(&self) -> Result<f64> {
        let before = self.hits()?;
        let seconds = probe::time(&mut self.compile())?;
        if self.hits()? == before + 1 { Ok(seconds) } else { Err("ccache compiled again".into()) }
    }

    /// Hits so far, by ccache's own count.
    fn hits(&self) -> Result<u64> {
        let (_, statistics) = probe::run(&mut self.command(&["--print-stats"]))?;
        let of_line = |line: &str| line.strip_prefix("direct_cache_hit\t")?.trim().parse().ok();
        statistics.lines().find_map(of_line).ok_or_else(|| "ccache does not count its hits".into())
    }
}

fn c_source() -> String {
    let function = |index: usize| {
        format!(
            "/* Adds up the orders from 1 to {0}, each with its weight. */\nint sum_orders_{1}(int n) {{\n    \
             int total = 0;\n    for (int at = 1; at <= {0}; at++) total += at * {1};\n    \
             return n == 0 ? total : sum_orders_{2}(n - 1) + total;\n}}\n",
            index * 7 % 12 + 3,
            index + 2,
            index + 3
        )
    };
    format!("int sum_orders_{}(int);\n", FILE + 2)
        + &(0..FILE).rev().map(function).collect::<Vec<_>>().join("\n")
}

/// The seconds of a copy that is on the disk at the end.
pub(super) fn copy_and_sync(bench: &Bench, from: &str) -> Result<f64> {
    _ = std::fs::remove_file(bench.path("copy"));
    bench.settle()?;
    let script = format!("cp {from} copy && sync copy");
    let seconds = probe::time(&mut bench.command("sh", &["-c", &script]))?;
    files::remove_file(&bench.path("copy")).map(|()| seconds)
}

/// A link of as many functions as the Toy program has procedures, with the same calls.
#[derive(Debug)]
pub(super) struct Mold<'b>(&'b Bench, usize);

impl<'b> Mold<'b> {
    /// Assembles the objects, unless an earlier bench did; `None` when mold or the assembler is not installed.
    pub(super) fn new(bench: &'b Bench, functions: usize) -> Result<Option<Self>> {
        if !["mold", "as"].into_iter().all(is_installed) {
            return Ok(None);
        }
        let directory = format!("objects-{functions}");
        files::make_directory(&bench.path(&directory))?;
        let program = Program::block(0, functions + 1);
        let mut list = String::new();
        for first in (0..functions).step_by(OBJECT) {
            let name = format!("{directory}/{first:07}");
            assemble(bench, &name, &assembly(&program, first..functions.min(first + OBJECT)))?;
            let _ = writeln!(list, "{name}.o");
        }
        files::write(&bench.path(&format!("{directory}/list")), list)?;
        Ok(Some(Self(bench, functions)))
    }

    /// The seconds of one link.
    pub(super) fn link(&self) -> Result<f64> {
        self.0.settle()?;
        let (list, output) = self.files();
        probe::time(&mut self.0.command("mold", &["--gc-sections", "-e", "main", "-o", &output, &list]))
    }

    /// The seconds of one link whose output is on the disk at the end, as ours is.
    pub(super) fn link_and_sync(&self) -> Result<f64> {
        self.0.settle()?;
        let (list, output) = self.files();
        let script = format!("mold --gc-sections -e main -o {output} {list} && sync {output}");
        probe::time(&mut self.0.command("sh", &["-c", &script]))
    }

    /// What lists the objects, and where the output goes.
    fn files(&self) -> (String, String) {
        (format!("@objects-{}/list", self.1), format!("objects-{}/main", self.1))
    }
}

/// Makes an object, if it is not there already.
fn assemble(bench: &Bench, name: &str, text: &str) -> Result<()> {
    let [source, object] = ["s", "o"].map(|ending| format!("{name}.{ending}"));
    if bench.path(&object).exists() && files::read_text(&bench.path(&source)).is_ok_and(|old| old == text) {
        return Ok(());
    }
    files::write(&bench.path(&source), text)?;
    probe::time(&mut bench.command("as", &[&source, "-o", &object])).map(drop)
}

/// Functions in sections of their own, which call what the procedures call.
fn assembly(program: &Program, functions: std::ops::Range<usize>) -> String {
    functions.map(|index| function(program, index)).collect()
}

fn function(program: &Program, index: usize) -> String {
    let (name, callees) = program.calls(index);
    let name = if index == 0 { "main" } else { &name };
    let mut text = format!("\t.section .text.{name},\"ax\",@progbits\n\t.globl {name}\n{name}:\n");
    for callee in &callees {
        let _ = writeln!(text, "\tcall {callee}");
    }
    // Literals that differ, as those of the procedures do; a call has five bytes, a return one.
    let rest = CODE - 5 * callees.len() - 5 - 1;
    let _ = write!(text, "\tmovl ${index}, %eax\n\t.fill {rest}, 1, 0x90\n\tret\n");
    text
}

fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_call_what_procedures_call() {
        let text = assembly(&Program::block(0, 5), 0..4);
        assert_eq!(text.matches("\tcall ").count(), 3);
        assert!(text.starts_with("\t.section .text.main,"));
        assert_eq!(text.matches("\tret\n").count(), 4);
    }
}
