//! From what happened in a round to what its drawings show.

use crate::draw::{Agent, Cells, Figures, File, Repository, Ticket};
use crate::text::{bytes, short_digest};

use super::round::{AgentRound, Moved, Round, total};

/// The figures of a round.
pub(super) fn of(round: &Round) -> Figures {
    let known = round.digests.as_ref().map_or(0, |digests| digests.count);
    let fresh = round.merged.added + round.merged.filled;
    let [first, second] = &round.agents;
    Figures {
        sources: sources(round),
        before: round.digests.as_ref().map(|digests| {
            repository("repo.yaml", digests.before, Cells { stored: digests.count, ..Cells::default() })
        }),
        stripped: round.digests.as_ref().map(|digests| {
            repository("repoc.yaml", digests.after, Cells { known: digests.count, ..Cells::default() })
        }),
        agents: [agent(round, first, 1), agent(round, second, 2)],
        merged: repository("repo.yaml", round.repository, Cells { stored: known, known: 0, fresh }),
        executable: repository("main.tx", round.executable, linked(round, fresh)),
        output: round.output.lines().take(4).map(str::to_owned).collect(),
    }
}

fn repository(name: &str, size: u64, cells: Cells) -> Repository {
    Repository { file: File::new(name, bytes(size)), cells }
}

/// The fragments in the executable; what is new was edited to be linked.
fn linked(round: &Round, fresh: u64) -> Cells {
    let fragments = round.linked.fragments;
    Cells { stored: fragments.saturating_sub(fresh), known: 0, fresh: fresh.min(fragments) }
}

/// The program's sources: what the agents got, each once.
fn sources(round: &Round) -> Vec<File> {
    let mut sent: Moved = round.agents.iter().flat_map(|agent| agent.sources.clone()).collect();
    sent.sort();
    sent.dedup();
    files(&sent)
}

fn files(moved: &Moved) -> Vec<File> {
    moved.iter().map(|(name, size)| File::new(name, bytes(*size))).collect()
}

fn agent(round: &Round, agent: &AgentRound, number: usize) -> Agent {
    let digests = round.digests.as_ref();
    let known = digests.map_or(0, |digests| digests.count);
    let pushed =
        digests.map_or_else(|| "no digests".into(), |digests| format!("digests {}", bytes(digests.after)));
    let compiled = &agent.compiled;
    let cells = Cells { stored: 0, known, fresh: compiled.generated };
    Agent {
        name: format!("agent {number}"),
        sources: files(&agent.sources),
        sent: vec![format!("sources {}", bytes(total(&agent.sources))), pushed],
        tickets: tickets(agent),
        after: repository("repo.yaml", agent.repository, cells),
        returned_as: format!("repo{number}.yaml"),
        generated: compiled.generated,
        reused: compiled.reused,
        returned: vec![
            format!("tickets {}", bytes(total(&agent.tickets))),
            format!("repository {}", bytes(agent.repository)),
        ],
    }
}

fn tickets(agent: &AgentRound) -> Vec<Ticket> {
    let sent_back = |name: &str| agent.tickets.iter().any(|(ticket, _)| ticket == name);
    let tickets = agent.compiled.tickets.iter().map(|made| Ticket {
        file: File::new(&made.ticket, short_digest(&made.compilation)),
        used: sent_back(&made.ticket),
    });
    tickets.collect()
}
