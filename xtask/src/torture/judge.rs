//! The verdict on one disturbed command: what it left behind, and whether the next commands make up for it.

use std::path::{Path, PathBuf};

use crate::Result;

use super::process::{End, Ended};
use super::scene::Scene;
use super::site::Site;
use super::state::State;
use super::strace::Fault;

/// What a disturbed command left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// All is as before.
    Old,
    /// All is as after an undisturbed command.
    New,
    /// Some is as before, some as after.
    Partly,
    /// `check` found damage, and `check --repair` mended it.
    Repaired,
}

/// A scene with all that is known of it before anything is disturbed.
#[derive(Debug)]
pub(super) struct Exam {
    /// The scene.
    pub(super) scene: Scene,
    /// The directory as the command finds it.
    pub(super) template: PathBuf,
    before: State,
    after: State,
    program: Vec<u8>,
}

impl Exam {
    /// Plays the scene undisturbed, with its directories below `home`.
    pub(super) fn new(scene: Scene, home: &Path, toy: &Path) -> Result<Self> {
        let home = home.join(scene.name.replace([' ', ','], "-"));
        let template = Site::new(&home.join("template"), toy)?;
        scene.prepare(&template)?;
        let site = Site::new(&home.join("undisturbed"), toy)?;
        site.reset(template.directory())?;
        let before = State::of(&scene, &site)?;
        site.must(&scene.command())?;
        let after = State::of(&scene, &site)?;
        if before == after {
            return Err(format!("{}: there is nothing to do in this scene", scene.name));
        }
        let program = scene.expected(template.directory(), &Site::new(&home.join("elsewhere"), toy)?)?;
        Ok(Self { template: template.directory().to_owned(), scene, before, after, program })
    }

    /// Judges what a disturbed command left in `site`; an error tells what is not as promised.
    pub(super) fn judge(&self, site: &Site, ended: &Ended, fault: Fault, mute: bool) -> Result<Outcome> {
        let claims_success = ended.end == End::Exit(0);
        check_end(ended, fault, mute)?;
        let found = State::of(&self.scene, site)?;
        let repaired = self.repair(site, &found)?;
        if !repaired {
            self.check_state(&found)?;
        }
        if claims_success {
            self.check_success(&found, ended)?;
        }
        self.again(site, repaired)?;
        self.go_on(site)?;
        Ok(if repaired { Outcome::Repaired } else { self.outcome(&found) })
    }

    /// Judges what two commands left in `site` of which one waited while the other ran: both have done their work,
    /// and nothing is lost.
    pub(super) fn judge_race(&self, site: &Site, ended: [Ended; 2]) -> Result<Outcome> {
        let [first, second] = ended;
        first.success("the command that waited")?;
        second.success("the command beside it")?;
        let found = State::of(&self.scene, site)?;
        let repository = self.scene.repository();
        site.must(&["check", "-r", &repository])?;
        refuse_dangling(&found.dangling(&repository))?;
        self.go_on(site)?;
        Ok(self.outcome(&found))
    }

    fn outcome(&self, found: &State) -> Outcome {
        match () {
            () if *found == self.after => Outcome::New,
            () if *found == self.before => Outcome::Old,
            () => Outcome::Partly,
        }
    }

    /// Mends what the command damaged, and says whether there was something to mend.
    fn repair(&self, site: &Site, found: &State) -> Result<bool> {
        let fresh = |name: &String| found.is_damaged(name) && !self.before.is_damaged(name);
        let damaged: Vec<_> = self.scene.repositories().into_iter().filter(fresh).collect();
        for name in &damaged {
            site.must(&["check", "--repair", "-r", name])?;
            site.must(&["check", "-r", name])?;
        }
        Ok(!damaged.is_empty())
    }

    fn check_state(&self, found: &State) -> Result<()> {
        let strangers = found.strangers(&self.before, &self.after);
        if !strangers.is_empty() {
            return Err(format!("neither as before nor as after: {}", strangers.join(", ")));
        }
        let repository = self.scene.repository();
        let allowed = [self.before.dangling(&repository), self.after.dangling(&repository)].concat();
        let mut dangling = found.dangling(&repository);
        dangling.retain(|ticket| !allowed.contains(ticket));
        refuse_dangling(&dangling)
    }

    /// A command that claims success has done all, but for a link record of which it warned.
    fn check_success(&self, found: &State, ended: &Ended) -> Result<()> {
        let warned = ended.errors.contains("toy::link::not_recorded");
        let excused = |name: &str| warned && name == self.scene.repository();
        let missing: Vec<_> = found.differences(&self.after).filter(|name| !excused(name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!("exit status 0, but these are not as they should be: {}", missing.join(", ")))
    }

    /// The same command again: all as if nothing had happened.
    fn again(&self, site: &Site, repaired: bool) -> Result<()> {
        site.must(&self.scene.command())?;
        let found = State::of(&self.scene, site)?;
        let differences: Vec<_> = found.differences(&self.after).collect();
        if repaired || differences.is_empty() {
            return Ok(());
        }
        Err(format!("the same command again leaves other than it should: {}", differences.join(", ")))
    }

    /// The next build makes the program that it would have made.
    fn go_on(&self, site: &Site) -> Result<()> {
        if self.scene.build(site)? != self.program {
            return Err("the next build's program is not the same, byte for byte".into());
        }
        site.must(&["check", "-r", &self.scene.repository()]).map(drop)
    }
}

fn refuse_dangling(tickets: &[&str]) -> Result<()> {
    if tickets.is_empty() {
        return Ok(());
    }
    Err(format!("tickets name what the repository does not have: {}", tickets.join(", ")))
}

/// How a command may end: killed if it was to be, else by itself, and with a diagnostic if it failed.
fn check_end(ended: &Ended, fault: Fault, mute: bool) -> Result<()> {
    let errors = ended.errors.trim();
    let told = mute || errors.contains("toy::");
    match ended.end {
        _ if errors.contains("panicked") => Err(format!("a panic:\n{errors}")),
        End::Signal(9) if fault == Fault::Kill => Ok(()),
        End::Exit(0) => Ok(()),
        End::Exit(1) if fault != Fault::Kill && told => Ok(()),
        End::Exit(1) if fault != Fault::Kill => Err(format!("no diagnostic with a code:\n{errors}")),
        end => Err(format!("it ended with {end:?}:\n{errors}")),
    }
}
