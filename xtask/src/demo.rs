//! `cargo xtask demo`: the distributed build of the sample, performed, checked and drawn.
//!
//! One host and two agents in three directories; every step is an applet called through its link, as a user
//! would call it. Deliberately absent: any use of the `toy` library.

mod checks;
mod figures;
mod narrate;
mod page;
mod plan;
mod report;
mod round;
mod site;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::build::{self, Profile};
use crate::options::Options;
use crate::{Result, files, text};

use checks::Checks;
use narrate::Narrator;
use round::Round;
use site::Site;

/// Performs the demo; a promise that is not kept makes it fail.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut tell = Narrator::new();
    tell.say("Building toy …");
    let toy = build::toy(Profile::own())?;
    let site = Site::lay_out(&directory(options)?, &toy)?;
    let mut checks = Checks::default();
    let mut rounds = Vec::new();
    for plan in plan::plans() {
        tell.round(&plan);
        let round = round::play(&site, plan, &mut tell)?;
        tell.checks(checks.judge(&site, &round)?);
        rounds.push(round);
    }
    let page = site.directory().join("index.html");
    files::write(&page, page::render(&rounds, &checks))?;
    conclude(&mut tell, &checks, &rounds, &page.display().to_string());
    Ok(if checks.missed().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where the demo happens: an absolute path, so that commands can run in other directories.
fn directory(options: &Options) -> Result<PathBuf> {
    match options.text("--out") {
        Some(out) => std::path::absolute(out).map_err(|error| format!("cannot use {out}: {error}")),
        None => Ok(files::project_root().join("target/demo")),
    }
}

fn conclude(tell: &mut Narrator, checks: &Checks, rounds: &[Round], page: &str) {
    let generated: Vec<_> = rounds.iter().map(|round| text::thousands(round.generated())).collect();
    tell.say("");
    tell.say(&format!("Procedures generated, round by round: {}.", generated.join(", ")));
    tell.say(&format!("The same as drawings: {page}"));
    let missed = checks.missed();
    if missed.is_empty() {
        tell.good(&format!("all {} checks passed", checks.all().len()));
    }
    for check in missed {
        tell.bad(&format!("missed in round {}: {}; found: {}", check.round, check.claim, check.found));
    }
}
