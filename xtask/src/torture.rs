//! `cargo xtask torture`: every verb is disturbed at every call that changes something, and nothing may be lost.
//!
//! A process is killed before a call, the call fails as on a full or a broken disk, the disk is full, or the process
//! waits at the call while another one runs. Afterwards there is the old state or the new one, and the next commands
//! build what an undisturbed build does. Deliberately absent: chance.

mod disk;
mod judge;
mod points;
mod process;
mod scene;
mod site;
mod state;
mod strace;
mod table;
mod worker;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::build::{self, Profile};
use crate::options::Options;
use crate::{Result, files, text};

use disk::Disk;
use judge::Exam;
use points::{Point, Trouble, Visit};
use scene::{STORES, Scene, Store};
use site::Site;
use strace::Injection;

/// What `--verb` calls the crowds of processes.
const PROCESSES: &str = "processes";

/// How often each crowd meets.
const ROUNDS: &str = "5";

/// Tortures what was asked for; a promise that is not kept makes it fail.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let (stores, mut verbs) = (stores(options)?, verbs(options)?);
    if let Some(at) = verbs.iter().position(|verb| *verb == PROCESSES) {
        verbs.remove(at);
        crowds()?;
    }
    if verbs.is_empty() { Ok(ExitCode::SUCCESS) } else { disturb(options, &stores, &verbs) }
}

/// The tests of many processes, more often than `cargo test` runs them.
fn crowds() -> Result<()> {
    let mut command = build::cargo();
    command.args(["test", "--package", "toy", "--test", "processes"]).env("TOY_ROUNDS", ROUNDS);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("TOY_ROUNDS={ROUNDS} cargo test --test processes: {status}")),
        Err(error) => Err(format!("cannot start cargo: {error}")),
    }
}

/// Disturbs the scenes of some verbs on some stores.
fn disturb(options: &Options, stores: &[Store], verbs: &[&str]) -> Result<ExitCode> {
    let budget = options.text("--budget").map(|_| options.number("--budget", 1)).transpose()?;
    strace::require()?;
    let toy = build::toy(Profile::own())?;
    let home = files::project_root().join("target/torture");
    files::make_empty_directory(&home)?;
    let (exams, points) = prepare(stores, verbs, &home, &toy)?;
    let start = Instant::now();
    let deadline = budget.map(|seconds| start + Duration::from_secs(seconds as u64));
    let visits = points::visit(&exams, &points::spread(&points), deadline, &home, &toy)?;
    print!("\n{}", table::render(&exams, &visits));
    let done = format!("{} of {}", visits.len(), text::count(points.len() as u64, "point"));
    println!("\nvisited {done} in {:.0} s", start.elapsed().as_secs_f64());
    let missed = visits.iter().filter(|visit| visit.hit.is_none()).count();
    if missed * 10 > visits.len() {
        return Err(format!("{missed} of the calls were not made again: this says nothing"));
    }
    conclude(&exams, &visits, &home, &toy)
}

fn stores(options: &Options) -> Result<Vec<Store>> {
    let wanted = options.text("--store").unwrap_or("both");
    let stores: Vec<_> =
        STORES.iter().filter(|store| ["both", store.name].contains(&wanted)).copied().collect();
    if stores.is_empty() { Err(format!("--store: there is no store `{wanted}`")) } else { Ok(stores) }
}

/// The verbs that were asked for, or all.
fn verbs(options: &Options) -> Result<Vec<&'static str>> {
    let known = [Scene::verbs(), vec![PROCESSES]].concat();
    let Some(wanted) = options.text("--verb") else { return Ok(known) };
    let verb = |word: &str| known.iter().find(|verb| **verb == word).copied();
    let verb =
        |word: &str| verb(word).ok_or_else(|| format!("--verb: `{word}` is none of {}", known.join(", ")));
    wanted.split(',').map(verb).collect()
}

/// Plays all scenes undisturbed, and finds their points.
fn prepare(stores: &[Store], verbs: &[&str], home: &Path, toy: &Path) -> Result<(Vec<Exam>, Vec<Point>)> {
    let (mut exams, mut points) = (Vec::new(), Vec::new());
    let small_disk = Disk::mount().map(drop);
    if let Err(reason) = &small_disk {
        println!("left out: full disks, for none can be mounted: {reason}");
    }
    for store in stores {
        let home = home.join(store.name);
        for scene in Scene::all(*store).into_iter().filter(|scene| verbs.contains(&scene.verb)) {
            let exam = Exam::new(scene, &home, toy)?;
            let (found, hidden) = points::of_calls(exams.len(), &exam, &home, toy)?;
            let (name, calls) = (exam.scene.name, found.len() / points::faults(&exam).len());
            println!(
                "{}, {name}: {} and {hidden} behind those of other threads",
                store.name,
                text::count(calls as u64, "call")
            );
            points.extend(found);
            points.extend(small_disk.iter().flat_map(|()| points::of_disks(exams.len(), &exam)));
            exams.push(exam);
        }
    }
    Ok((exams, points))
}

/// Tells what is not as promised, each with a directory and a command to see it again.
fn conclude(exams: &[Exam], visits: &[Visit], home: &Path, toy: &Path) -> Result<ExitCode> {
    let mut number = 0;
    for visit in visits {
        let Err(finding) = &visit.verdict else { continue };
        number += 1;
        let scene = &exams[visit.point.exam].scene;
        println!("\nWRONG: {}, {}: {finding}", scene.store.name, scene.name);
        println!("  at {}", visit.hit.as_deref().unwrap_or("no call"));
        println!(
            "  {}",
            again(&exams[visit.point.exam], &visit.point, &home.join(format!("finding {number}")), toy)?
        );
    }
    Ok(if number == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A command line that makes it happen again, in a directory that is laid out for it.
fn again(exam: &Exam, point: &Point, directory: &Path, toy: &Path) -> Result<String> {
    Site::new(directory, toy)?.reset(&exam.template)?;
    let (place, toy, words) = (directory.display(), toy.display(), exam.scene.command().join(" "));
    Ok(match point.trouble {
        Trouble::Call(call, fault) => {
            let arguments = strace::arguments(&Injection(call, fault)).join(" ");
            let beside =
                exam.scene.company().map(|words| format!(" & sleep 0.1; {toy} {}; wait", words.join(" ")));
            let beside = beside.unwrap_or_default();
            format!("cd '{place}' && strace -f {arguments} {toy} {words}{beside}")
        }
        Trouble::FullDisk(free) => {
            format!("copy '{place}' to a disk, fill it but {free} pages, and run {toy} {words} there")
        }
    })
}
