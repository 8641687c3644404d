//! The demo's page: what happened, in one HTML file that needs nothing else.
//!
//! A function of the rounds: no clock, no path and no random value is in it.

use std::fmt::Write;

use crate::draw;
use crate::text::{bytes, count, escape, short_digest};

use super::checks::{Check, Checks};
use super::figures;
use super::report::Definition;
use super::round::{AgentRound, Round, total};

const STYLE: &str = include_str!("page.css");

const INTRODUCTION: &str = "\
<p>A host builds a small Toy program with the help of two agents. What was compiled once is known by its digest, \
so the host sends out its repository <em>without</em> the code, and an agent generates only what nobody has \
generated before. These are the commands, the bytes and the digests of one run, over three rounds.</p>";

/// The page as text.
pub(super) fn render(rounds: &[Round], checks: &Checks) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>A distributed build in four steps</title>\n<style>\n{}{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>A distributed build in four steps</h1>\n{INTRODUCTION}\n{}",
        draw::STYLE,
        verdict(checks)
    );
    page += &comparison(rounds);
    for (index, round) in rounds.iter().enumerate() {
        page += &section(round, &rounds[..index]);
    }
    page += &all_checks(checks);
    page + "</main>\n</body>\n</html>\n"
}

fn verdict(checks: &Checks) -> String {
    let (all, missed) = (checks.all().len(), checks.missed().len());
    if missed == 0 {
        format!("<p class=\"verdict kept\">✓ All {all} <a href=\"#checks\">checks</a> passed.</p>\n")
    } else {
        format!(
            "<p class=\"verdict missed\">✗ {missed} of {all} <a href=\"#checks\">checks</a> missed.</p>\n"
        )
    }
}

/// The three rounds side by side: procedures, and bytes in both directions.
fn comparison(rounds: &[Round]) -> String {
    let most = rounds.iter().flat_map(traffic).map(|(_, parts)| sum(&parts)).max().unwrap_or(0);
    let mut table = String::from(
        "<h2>Three rounds compared</h2>\n<table>\n<thead><tr><th scope=\"col\">Round</th>\
         <th scope=\"col\">Procedures on the agents</th><th scope=\"col\">Host to agents</th>\
         <th scope=\"col\">Agents to host</th></tr></thead>\n<tbody>\n",
    );
    for round in rounds {
        let plan = &round.plan;
        let _ = write!(
            table,
            "<tr><th scope=\"row\"><a href=\"#round{0}\">{0}: {1}</a></th>",
            plan.number, plan.title
        );
        let _ = write!(table, "<td data-label=\"Procedures on the agents\">{}</td>", procedures(round));
        for (label, parts) in traffic(round) {
            let _ = write!(table, "<td data-label=\"{label}\">{}</td>", bar(&parts, most));
        }
        table += "</tr>\n";
    }
    table
        + "</tbody>\n</table>\n<p class=\"note\">One square a procedure that an agent was given; <code>main</code> \
             is given to both, as racing agents would be. Filled: generated. Hollow: its digest was known.</p>\n"
}

/// Named amounts of bytes.
type Parts = [(&'static str, u64); 2];

fn sum(parts: &Parts) -> u64 {
    parts[0].1 + parts[1].1
}

/// What moved in both directions.
fn traffic(round: &Round) -> [(&'static str, Parts); 2] {
    let of_agents = |size: fn(&AgentRound) -> u64| round.agents.iter().map(size).sum::<u64>();
    let digests = round.digests.as_ref().map_or(0, |digests| digests.after) * round.agents.len() as u64;
    let out = [("sources", of_agents(|agent| total(&agent.sources))), ("digests", digests)];
    let back = [
        ("tickets", of_agents(|agent| total(&agent.tickets))),
        ("repositories", of_agents(|agent| agent.repository)),
    ];
    [("Host to agents", out), ("Agents to host", back)]
}

fn procedures(round: &Round) -> String {
    let generated = round.generated();
    let reused: u64 = round.agents.iter().map(|agent| agent.compiled.reused).sum();
    let square = |class: &str, times: u64| format!("<i class=\"{class}\"></i>").repeat(times as usize);
    format!(
        "<span class=\"squares\" aria-hidden=\"true\">{}{}</span><span class=\"number\">{generated} generated, \
         {reused} reused</span>",
        square("made", generated),
        square("had", reused)
    )
}

fn bar(parts: &Parts, most: u64) -> String {
    let percent = |size: u64| size as f64 * 100.0 / most.max(1) as f64;
    let [(first, a), (second, b)] = *parts;
    format!(
        "<span class=\"bar\" aria-hidden=\"true\"><i class=\"one\" style=\"width:{:.1}%\"></i>\
         <i class=\"two\" style=\"width:{:.1}%\"></i></span><span class=\"number\">{first} {}, {second} {}</span>",
        percent(a),
        percent(b),
        bytes(a),
        bytes(b)
    )
}

/// One round: its four drawings and its commands.
fn section(round: &Round, earlier: &[Round]) -> String {
    let plan = &round.plan;
    let mut section = format!(
        "<section id=\"round{0}\">\n<h2>Round {0}: {1}</h2>\n<p>{2} {3}</p>\n{4}<div class=\"steps\">\n",
        plan.number,
        escape(plan.title),
        escape(plan.purpose),
        gain(round),
        digests(round, earlier)
    );
    for (drawing, step) in draw::four_steps(&figures::of(round)).iter().zip(1..) {
        let picture = drawing.inline(&format!("round{}-step{step}", plan.number));
        let _ = write!(section, "<figure>\n<figcaption>{}</figcaption>\n{picture}</figure>\n", drawing.title);
    }
    let commands = escape(&round.commands.join("\n"));
    let _ = write!(section, "</div>\n<pre tabindex=\"0\"><code>{commands}</code></pre>\n</section>\n");
    section
}

/// The digest of each procedure; those that no earlier round knew stand out.
fn digests(round: &Round, earlier: &[Round]) -> String {
    let seen = |digest: &str| {
        earlier.iter().flat_map(|round| &round.definitions).any(|known| known.fragment == digest)
    };
    let item = |definition: &Definition| {
        let (class, word) = if seen(&definition.fragment) { ("had", "known") } else { ("made", "new") };
        let (name, digest) = (escape(&definition.name), short_digest(&definition.fragment));
        format!("<li class=\"{class}\">{name} <code>{digest}</code> {word}</li>\n")
    };
    let items: String = round.definitions.iter().map(item).collect();
    format!("<ul class=\"digests\" aria-label=\"Procedures and their digests\">\n{items}</ul>\n")
}

/// What the round left on the host, in a sentence.
fn gain(round: &Round) -> String {
    let merged = &round.merged;
    format!(
        "The merge adds {} to the host’s repository, which is {} long after the link; the executable has {} in {}.",
        count(merged.added + merged.filled, "fragment"),
        bytes(round.repository),
        count(round.linked.symbols, "symbol"),
        bytes(round.executable)
    )
}

fn all_checks(checks: &Checks) -> String {
    let mut list = String::from("<h2 id=\"checks\">What was checked</h2>\n<ul class=\"checks\">\n");
    checks.all().iter().for_each(|check| list += &item(check));
    list + "</ul>\n"
}

fn item(check: &Check) -> String {
    let (round, claim) = (check.round, escape(&check.claim));
    if check.kept {
        format!("<li class=\"kept\">Round {round}: {claim}.</li>\n")
    } else {
        format!("<li class=\"missed\">Round {round}: {claim}. <pre>{}</pre></li>\n", escape(&check.found))
    }
}
