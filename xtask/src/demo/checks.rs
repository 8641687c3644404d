//! What the demo asserts after each round.

use crate::text::count;
use crate::{Result, files};

use super::plan::{SOURCES, ticket_of};
use super::report::{Checked, Compiled};
use super::round::{self, Round};
use super::site::Site;

/// A promise, and whether it was kept.
#[derive(Debug)]
pub(super) struct Check {
    /// The round that was checked.
    pub(super) round: usize,
    /// What must be true.
    pub(super) claim: String,
    /// Whether it is.
    pub(super) kept: bool,
    /// What is true instead.
    pub(super) found: String,
}

/// All checks so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    all: Vec<Check>,
    round: usize,
}

impl Checks {
    /// Checks a round, and returns its checks.
    pub(super) fn judge(&mut self, site: &Site, round: &Round) -> Result<&[Check]> {
        let first = self.all.len();
        self.round = round.plan.number;
        self.compilers(round);
        self.fragments(round);
        self.tickets(round);
        self.output(round)?;
        self.executable(site, round)?;
        self.repository(site);
        Ok(&self.all[first..])
    }

    /// All checks.
    pub(super) fn all(&self) -> &[Check] {
        &self.all
    }

    /// The promises that were not kept.
    pub(super) fn missed(&self) -> Vec<&Check> {
        self.all.iter().filter(|check| !check.kept).collect()
    }

    fn add(&mut self, claim: impl Into<String>, kept: bool, found: impl Into<String>) {
        self.all.push(Check { round: self.round, claim: claim.into(), kept, found: found.into() });
    }

    /// Each agent generates what nobody had, and nothing else.
    fn compilers(&mut self, round: &Round) {
        let expected =
            round.plan.jobs.each_ref().map(|job| [job.procedures, job.needed, job.procedures - job.needed]);
        let found = round.agents.each_ref().map(|agent| {
            let Compiled { procedures, generated, reused, .. } = agent.compiled;
            [procedures, generated, reused]
        });
        let [one, two] = expected.map(|[procedures, needed, _]| format!("{needed} of {procedures}"));
        let claim = format!("no needless procedure is generated: agent 1 generates {one}, agent 2 {two}");
        let [one, two] = found.map(|[procedures, generated, reused]| {
            format!("{generated} of {procedures} generated and {reused} reused")
        });
        self.add(claim, found == expected, format!("agent 1: {one}; agent 2: {two}"));
    }

    /// The host knew, and learnt, as many fragments as there are different procedures.
    fn fragments(&mut self, round: &Round) {
        let expected = (round.plan.fragments_before, round.plan.fragments_new, 0);
        let sent = round.digests.as_ref().map_or(0, |digests| digests.count);
        let merged = &round.merged;
        let found = (sent, merged.added + merged.filled, merged.conflicts);
        let claim = format!(
            "the host sends out {} and gains {}",
            count(expected.0, "digest"),
            count(expected.1, "fragment")
        );
        let found_text = format!("{} sent, {} gained, {} conflicts", found.0, found.1, found.2);
        self.add(claim, found == expected, found_text);
    }

    /// Racing agents agree.
    fn tickets(&mut self, round: &Round) {
        let claim = "both agents make the same main.to, byte for byte";
        self.add(claim, round.same_ticket, "the two tickets differ");
    }

    fn output(&mut self, round: &Round) -> Result<()> {
        let expected = round.plan.output()?;
        let claim = if round.plan.edited {
            "the program prints what the edited one must print"
        } else {
            "the program prints fixtures/sample/main.out"
        };
        self.add(claim, round.output == expected, format!("it prints\n{}", round.output));
        Ok(())
    }

    /// Two agents and one machine make the same executable.
    fn executable(&mut self, site: &Site, round: &Round) -> Result<()> {
        let local = site.machine("local", &format!("local/round{}", round.plan.number));
        local.wipe()?;
        round::write_sources(&round.plan, &local)?;
        let _: Compiled = local.report(&format!("toycc --json {}", SOURCES.join(" ")))?;
        let tickets = SOURCES.map(ticket_of).join(" ");
        local.run(&format!("toyld --json -r repo.yaml -o main.tx {tickets}"))?;
        let host = files::read(&site.machine("host", "host").path("main.tx"))?;
        let same = host == files::read(&local.path("main.tx"))?;
        let claim = "the executable is byte-identical to a build on one machine";
        self.add(claim, same, "the two executables differ");
        Ok(())
    }

    /// Nothing is damaged on the host.
    fn repository(&mut self, site: &Site) {
        let found = match site.machine("host", "host").report::<Checked>("toy check --json -r repo.yaml") {
            Ok(checked) => checked.problems.iter().map(ToString::to_string).collect(),
            Err(failure) => vec![failure],
        };
        self.add(
            "toy check finds nothing wrong in the host's repository",
            found.is_empty(),
            found.join("\n"),
        );
    }
}
