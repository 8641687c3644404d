//! One round of the demo: the four steps, and what came of them.

use crate::{Result, files};

use super::narrate::Narrator;
use super::plan::{Job, Plan, SOURCES, ticket_of};
use super::report::{Compiled, Definition, Dumped, Linked, Merged, Stripped};
use super::site::{Machine, Site};

/// Files that moved together: their names, and their sizes in bytes.
pub(super) type Moved = Vec<(String, u64)>;

/// The bytes of files that moved together.
pub(super) fn total(moved: &Moved) -> u64 {
    moved.iter().map(|(_, size)| size).sum()
}

/// Files that moved together, as one name and one size.
fn lot(moved: &Moved) -> (String, u64) {
    let names: Vec<_> = moved.iter().map(|(name, _)| name.as_str()).collect();
    (names.join(" "), total(moved))
}

/// What one agent was sent, made and sent back.
#[derive(Debug)]
pub(super) struct AgentRound {
    /// Sources sent to it.
    pub(super) sources: Moved,
    /// Its report.
    pub(super) compiled: Compiled,
    /// The tickets that it sent back.
    pub(super) tickets: Moved,
    /// The size of the repository that it sent back.
    pub(super) repository: u64,
}

/// The digests that went out.
#[derive(Debug)]
pub(super) struct Digests {
    /// How many.
    pub(super) count: u64,
    /// The size of the repository that was stripped.
    pub(super) before: u64,
    /// The size of the stripped repository.
    pub(super) after: u64,
}

/// What came of a round.
#[derive(Debug)]
pub(super) struct Round {
    /// What was planned.
    pub(super) plan: Plan,
    /// What was stripped; the first round has nothing to strip.
    pub(super) digests: Option<Digests>,
    /// The agents' parts.
    pub(super) agents: [AgentRound; 2],
    /// Whether the ticket that both agents made is the same, byte for byte.
    pub(super) same_ticket: bool,
    /// The report of the merge.
    pub(super) merged: Merged,
    /// The size of the host's repository after the link.
    pub(super) repository: u64,
    /// The report of the link.
    pub(super) linked: Linked,
    /// The size of the executable.
    pub(super) executable: u64,
    /// What the program printed.
    pub(super) output: String,
    /// The procedures that the tickets stand for, by name.
    pub(super) definitions: Vec<Definition>,
    /// The commands, with the machine's name before each, step by step.
    pub(super) commands: Vec<String>,
}

impl Round {
    /// The procedures that the agents generated.
    pub(super) fn generated(&self) -> u64 {
        self.agents.iter().map(|agent| agent.compiled.generated).sum()
    }
}

/// Plays a round: the four steps of the workflow.
pub(super) fn play(site: &Site, plan: Plan, tell: &mut Narrator) -> Result<Round> {
    let host = site.machine("host", "host");
    let agents =
        [site.machine("agent1", plan.jobs[0].directory), site.machine("agent2", plan.jobs[1].directory)];
    host.prepare()?;
    write_sources(&plan, &host)?;

    tell.step(1, "preparation");
    let digests = strip(&host, tell)?;
    let sources = push(&plan, &host, &agents, digests.as_ref(), tell)?;
    tell.step(2, "compilation, both agents at the same time");
    let compiled = compile(&plan, &agents, tell)?;
    tell.step(3, "copy back and merge");
    let returned = copy_back(&plan, &host, &agents, tell)?;
    let same_ticket = compare(&agents, tell)?;
    let merged = merge(&host, tell)?;
    tell.step(4, "link and run");
    let linked = link(&host, tell)?;
    let output = execute(&host, tell)?;

    let definitions = definitions(&host, &compiled)?;

    Ok(Round {
        definitions,
        digests,
        agents: join(sources, compiled, returned),
        same_ticket,
        merged,
        repository: files::size(&host.path("repo.yaml"))?,
        linked,
        executable: files::size(&host.path("main.tx"))?,
        output,
        commands: tell.take_commands(),
        plan,
    })
}

fn join(sources: [Moved; 2], compiled: [Compiled; 2], returned: [(Moved, u64); 2]) -> [AgentRound; 2] {
    let ([s1, s2], [c1, c2], [r1, r2]) = (sources, compiled, returned);
    [(s1, c1, r1), (s2, c2, r2)].map(|(sources, compiled, (tickets, repository))| AgentRound {
        sources,
        compiled,
        tickets,
        repository,
    })
}

/// Puts the round's sources into a machine's directory.
pub(super) fn write_sources(plan: &Plan, machine: &Machine) -> Result<()> {
    SOURCES.iter().try_for_each(|name| files::write(&machine.path(name), plan.source(name)?))
}

/// Strips the host's repository, if there is one.
fn strip(host: &Machine, tell: &mut Narrator) -> Result<Option<Digests>> {
    if !host.path("repo.yaml").exists() {
        tell.note("the host has no repository yet, so there is nothing to strip");
        return Ok(None);
    }
    let line = "toystrip --json -i repo.yaml -o repoc.yaml";
    tell.command(host, line);
    let stripped: Stripped = host.report(line)?;
    let (before, after) = (files::size(&host.path("repo.yaml"))?, files::size(&host.path("repoc.yaml"))?);
    tell.stripped(stripped.fragments, before, after);
    Ok(Some(Digests { count: stripped.fragments, before, after }))
}

/// Sends sources and digests to the agents, which start with empty disks.
fn push(
    plan: &Plan,
    host: &Machine,
    agents: &[Machine; 2],
    digests: Option<&Digests>,
    tell: &mut Narrator,
) -> Result<[Moved; 2]> {
    let mut sent = [const { Moved::new() }; 2];
    for ((agent, job), sent) in agents.iter().zip(&plan.jobs).zip(&mut sent) {
        agent.wipe()?;
        for name in job.sources {
            sent.push((name.to_owned(), files::copy(&host.path(name), &agent.path(name))?));
        }
        let mut lots = vec![lot(sent)];
        if digests.is_some() {
            let size = files::copy(&host.path("repoc.yaml"), &agent.path("repo.yaml"))?;
            lots.push(("repoc.yaml as repo.yaml".into(), size));
        }
        tell.moved(host, agent, &lots);
    }
    Ok(sent)
}

/// Compiles on both agents at once.
fn compile(plan: &Plan, agents: &[Machine; 2], tell: &mut Narrator) -> Result<[Compiled; 2]> {
    let line = |job: &Job| format!("toycc --json {}", job.sources.join(" "));
    let lines = plan.jobs.each_ref().map(line);
    let started = [agents[0].start(&lines[0])?, agents[1].start(&lines[1])?];
    let [first, second] = started.map(super::site::Started::report);
    let compiled: [Compiled; 2] = [first?, second?];
    for ((agent, line), compiled) in agents.iter().zip(&lines).zip(&compiled) {
        tell.command(agent, line);
        tell.compiled(compiled);
    }
    Ok(compiled)
}

/// Copies tickets and repositories to the host; of the ticket that both made, the first agent's is used.
fn copy_back(
    plan: &Plan,
    host: &Machine,
    agents: &[Machine; 2],
    tell: &mut Narrator,
) -> Result<[(Moved, u64); 2]> {
    let mut returned = [const { (Moved::new(), 0) }; 2];
    for (index, (agent, (tickets, repository))) in agents.iter().zip(&mut returned).enumerate() {
        let used = plan.jobs[index].sources.iter().filter(|source| index == 0 || **source != "main.toy");
        for ticket in used.map(|source| ticket_of(source)) {
            let size = files::copy(&agent.path(&ticket), &host.path(&ticket))?;
            tickets.push((ticket, size));
        }
        let name = format!("repo{}.yaml", index + 1);
        *repository = files::copy(&agent.path("repo.yaml"), &host.path(&name))?;
        tell.moved(agent, host, &[lot(tickets), (format!("repo.yaml as {name}"), *repository)]);
    }
    Ok(returned)
}

/// Compares the ticket that both agents made.
fn compare(agents: &[Machine; 2], tell: &mut Narrator) -> Result<bool> {
    let [first, second] = agents.each_ref().map(|agent| files::read(&agent.path("main.to")));
    let same = first? == second?;
    let verdict = if same { "the same, byte for byte" } else { "DIFFERENT" };
    tell.note(&format!("main.to of agent1 and of agent2: {verdict}"));
    Ok(same)
}

fn merge(host: &Machine, tell: &mut Narrator) -> Result<Merged> {
    let line = "toymerge --json -r repo.yaml repo1.yaml repo2.yaml";
    tell.command(host, line);
    let merged = host.report(line)?;
    tell.merged(&merged);
    Ok(merged)
}

/// Links on a machine that has the tickets and the repository.
pub(super) fn link(machine: &Machine, tell: &mut Narrator) -> Result<Linked> {
    let line = format!("toyld --json -r repo.yaml -o main.tx {}", SOURCES.map(ticket_of).join(" "));
    tell.command(machine, &line);
    let linked = machine.report(&line)?;
    tell.linked(&linked, files::size(&machine.path("main.tx"))?);
    Ok(linked)
}

fn execute(host: &Machine, tell: &mut Narrator) -> Result<String> {
    let line = "toyvm main.tx";
    tell.command(host, line);
    let output = host.run(line)?;
    tell.output(&output);
    Ok(output)
}

/// The procedures of the compilations that the agents' tickets name.
fn definitions(host: &Machine, compiled: &[Compiled; 2]) -> Result<Vec<Definition>> {
    let dumped: Dumped = host.report("toy dump --json --definitions repo.yaml")?;
    let named =
        |id: &str| compiled.iter().flat_map(|report| &report.tickets).any(|ticket| ticket.compilation == id);
    let compilations = dumped.compilations.into_iter().filter(|compilation| named(&compilation.id));
    let mut definitions: Vec<_> = compilations.flat_map(|compilation| compilation.definitions).collect();
    definitions.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(definitions)
}
