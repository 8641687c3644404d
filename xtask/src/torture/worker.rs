//! Who visits points: makes happen what is to happen, and has it judged.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::{Result, files};

use super::disk::{self, Disk};
use super::judge::{Exam, Outcome};
use super::points::{Point, Trouble, Visit};
use super::site::Site;
use super::strace::{self, Call, Fault, Injection};

/// In this time a command reaches any of its calls, and waits there.
const HEAD_START: Duration = Duration::from_millis(100);

/// Who visits points, one after the other, in directories of his own.
pub(super) struct Worker {
    site: Site,
    log: PathBuf,
    disk: Option<(Site, Disk)>,
}

impl Worker {
    /// A worker in a directory, and on a disk of his own if there are points that need one.
    pub(super) fn new(home: &Path, toy: &Path, with_disk: bool) -> Result<Self> {
        let disk = || {
            let disk = Disk::mount()?;
            Ok::<_, String>((disk.site(toy)?, disk))
        };
        let disk = with_disk.then(disk).transpose()?;
        Ok(Self { site: Site::new(&home.join("site"), toy)?, log: home.join("strace.log"), disk })
    }

    /// Visits a point; an error is the torture's own.
    pub(super) fn visit(&self, exam: &Exam, point: Point) -> Result<Visit> {
        let (verdict, hit) = match (point.trouble, &self.disk) {
            (Trouble::Call(call, fault), _) => match exam.scene.company() {
                None => self.disturb(exam, call, fault)?,
                Some(company) => self.race(exam, &company, call)?,
            },
            (Trouble::FullDisk(free), Some((site, _))) => {
                (on_full_disk(exam, site, free)?, Some(format!("{free} pages")))
            }
            (Trouble::FullDisk(_), None) => return Err("there is no small disk".into()),
        };
        Ok(Visit { point, verdict, hit })
    }

    fn disturb(&self, exam: &Exam, call: Call, fault: Fault) -> Result<(Result<Outcome>, Option<String>)> {
        self.site.reset(&exam.template)?;
        let injection = Injection(call, fault);
        let (ended, hit) = strace::disturb(&self.site, &exam.scene.command(), &injection, &self.log)?;
        // What could not be written to standard error cannot be asked for.
        let lost = |line: &str| line.contains("write(2,") && line.contains("(INJECTED)");
        let mute = files::read_text(&self.log)?.lines().any(lost);
        Ok((exam.judge(&self.site, &ended, fault, mute), hit))
    }

    /// The company starts when the command waits at the call, and ends before or, if it has to wait itself, after it.
    fn race(&self, exam: &Exam, company: &[String], call: Call) -> Result<(Result<Outcome>, Option<String>)> {
        self.site.reset(&exam.template)?;
        let injection = Injection(call, Fault::Delay);
        let beside = || {
            thread::sleep(HEAD_START);
            self.site.run(company)
        };
        let (first, second) = thread::scope(|scope| {
            let second = scope.spawn(beside);
            let first = strace::disturb(&self.site, &exam.scene.command(), &injection, &self.log);
            (first, second.join().unwrap_or_else(|_| Err("a thread of the torture panicked".into())))
        });
        let (first, hit) = first?;
        Ok((exam.judge_race(&self.site, [first, second?]), hit))
    }
}

fn on_full_disk(exam: &Exam, site: &Site, free: usize) -> Result<Result<Outcome>> {
    site.reset(&exam.template)?;
    disk::fill(site, free)?;
    let ended = site.run(&exam.scene.command())?;
    disk::clear(site)?;
    Ok(exam.judge(site, &ended, Fault::FromThere("ENOSPC"), false))
}
